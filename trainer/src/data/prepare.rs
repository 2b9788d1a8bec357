//! Makes the cache: reads a corpus over all cores, keeps the songs that can teach, reports the rest.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::Digest;

use super::cache::hex;
use super::dataset::Dataset;
use super::files::Files;
use super::lakh::{self, TrackLabels};
use super::prepare_report::PrepareReport;
use super::qualify::{LeftOut, qualify, remarks};
use super::read::{Repeats, read_all};
use super::roll;
use super::song_cache::{self, SONGS};
use super::source::{CorpusError, Item, Meta, Payload, Source, Split, Tier};
use crate::report::write_whole;

/// How a corpus lies on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Layout {
    /// By what is there.
    #[default]
    Auto,
    /// manifest.csv with open.tar.zst and research.tar.zst.
    Data,
    /// Any folder of MIDI files, with an optional split.csv.
    Folder,
    /// Lakh MIDI: lmd_matched, or lmd_full with match_scores.json.
    Lakh,
    /// Lakh piano rolls: lpd_5_cleansed.
    Lpd,
}

/// Reads a share, 0 to 1.
fn share(text: &str) -> Result<f32, String> {
    match text.trim().parse::<f32>() {
        Ok(x) if (0.0..=1.0).contains(&x) => Ok(x),
        _ => Err("give a number from 0 to 1".to_owned()),
    }
}

/// What to prepare.
#[derive(Debug, Clone, clap::Args)]
pub struct PrepareOptions {
    /// Folder of the corpus.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Folder for the cache; made when it does not exist.
    #[arg(long, value_name = "CACHE_DIR")]
    pub out: PathBuf,
    /// How the corpus lies on disk.
    #[arg(long, value_enum, default_value_t)]
    pub layout: Layout,
    /// Licence tier of a corpus that has no manifest.
    #[arg(long, value_enum, default_value_t = Tier::Research)]
    pub tier: Tier,
    /// Labels of Lakh tracks.
    #[command(flatten)]
    pub labels: TrackLabels,
    /// Leave out training songs whose bass is in the piano's harmony on fewer downbeats than this share (0
    /// to 1); songs without the figure stay.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub min_agreement: Option<f32>,
    /// Make the cache again even when it is up to date.
    #[arg(long)]
    pub force: bool,
    /// Whether to draw a progress bar.
    #[arg(skip)]
    pub progress: bool,
}

impl PrepareOptions {
    /// All songs of a corpus, layout by what is there, tier research where no manifest says otherwise.
    pub fn new(data: &Path, out: &Path) -> Self {
        Self {
            data: data.to_path_buf(),
            out: out.to_path_buf(),
            layout: Layout::Auto,
            tier: Tier::Research,
            labels: TrackLabels::default(),
            min_agreement: None,
            force: false,
            progress: false,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// As [`prepare`].
pub fn run(args: &PrepareOptions) -> anyhow::Result<()> {
    let report = prepare(&PrepareOptions { progress: true, ..args.clone() })?;
    println!("{report}");
    if report.songs.is_empty() {
        println!("No file can teach a band; the reasons are in {}", args.out.join(LEFT_OUT).display());
    } else if report.up_to_date {
        println!("{} is up to date; --force makes it again", args.out.display());
    } else {
        println!("Cache in {}, files left out in {LEFT_OUT} there", args.out.display());
    }
    Ok(())
}

/// Name of the list of files left out.
const LEFT_OUT: &str = "left_out.csv";
/// Name of the report.
const REPORT: &str = "report.json";

/// Opens a corpus.
///
/// # Errors
/// When what the layout requires is missing or cannot be read.
pub fn open(options: &PrepareOptions) -> Result<Box<dyn Source>, CorpusError> {
    let data = options.data.as_path();
    let layout = match options.layout {
        Layout::Auto if data.join("manifest.csv").is_file() => Layout::Data,
        Layout::Auto if lakh::looks_like(data, &["lmd_matched", "lmd_full"]) => Layout::Lakh,
        Layout::Auto if lakh::looks_like(data, &["lpd_5_cleansed", "lpd_5/lpd_5_cleansed"]) => Layout::Lpd,
        Layout::Auto => Layout::Folder,
        named => named,
    };
    Ok(match layout {
        Layout::Auto | Layout::Folder => Box::new(Files::folder(data, options.tier)?),
        Layout::Data => Box::new(Dataset::open(data)?),
        Layout::Lakh => Box::new(lakh::lakh(data, options.tier, &options.labels)?),
        Layout::Lpd => Box::new(lakh::lpd(data, options.tier, &options.labels)?),
    })
}

/// Whether the cache was made from this corpus, as it is now, with these options.
#[cfg(test)]
pub(super) fn is_fresh(options: &PrepareOptions) -> Result<bool, CorpusError> {
    let fingerprint = fingerprint(open(options)?.as_ref(), options);
    Ok(finished(&options.out, &fingerprint).is_some())
}

/// Reads a corpus and writes the cache with its report.
///
/// Does nothing when the cache is up to date. Damaged files are counted in the report.
///
/// # Errors
/// When the corpus cannot be opened or the cache cannot be written.
pub fn prepare(options: &PrepareOptions) -> anyhow::Result<PrepareReport> {
    let source = open(options)?;
    let fingerprint = fingerprint(source.as_ref(), options);
    if !options.force
        && let Some(report) = finished(&options.out, &fingerprint)
    {
        return Ok(report);
    }
    SONGS.begin(&options.out)?;
    let (mut outcomes, warnings) = read(source.as_ref(), options);
    if source.may_repeat() {
        leave_out_repeats(&mut outcomes);
    }
    write(&outcomes, warnings, &fingerprint, &options.out)
}

/// Digest of what the songs depend on: the source, the options, and the rules.
fn fingerprint(source: &dyn Source, options: &PrepareOptions) -> [u8; 32] {
    let mut digest = sha2::Sha256::new();
    digest.update(SONGS.version.to_le_bytes());
    digest.update(source.fingerprint());
    digest.update(options.min_agreement.unwrap_or(-1.0).to_le_bytes());
    digest.finalize().into()
}

/// The report of a finished cache with this fingerprint.
fn finished(out: &Path, fingerprint: &[u8; 32]) -> Option<PrepareReport> {
    let report: PrepareReport = SONGS.finished(out, fingerprint, REPORT)?;
    Some(PrepareReport { up_to_date: true, ..report })
}

/// A file's way: kept and encoded, or left out.
struct Outcome {
    meta: Meta,
    result: Result<Kept, LeftOut>,
}

struct Kept {
    record: Vec<u8>,
    notes_digest: [u8; 32],
    meter: String,
    bars: usize,
    remarks: Vec<&'static str>,
}

/// Reads all items, sorted by id: one thread fetches, all cores parse.
fn read(source: &dyn Source, options: &PrepareOptions) -> (Vec<Outcome>, Vec<String>) {
    let len = options.progress.then(|| source.len());
    let (mut outcomes, warnings) =
        read_all(len, "files", |visit| source.visit(visit), |item| parse(item, options.min_agreement));
    outcomes.sort_by(|a, b| a.meta.id.cmp(&b.meta.id));
    (outcomes, warnings)
}

/// One file.
fn parse(item: Item, min_agreement: Option<f32>) -> Outcome {
    let Item { meta, payload } = item;
    let unreadable = |e: &dyn std::fmt::Display| LeftOut::Unreadable(e.to_string());
    let score = match payload {
        Payload::Midi(bytes) => sideman_music::smf::read(&bytes).map_err(|e| unreadable(&e)),
        Payload::Roll(bytes) => roll::read(&bytes).map_err(|e| unreadable(&e)),
        Payload::Missing(why) => Err(LeftOut::Missing(why)),
    };
    let result = score.and_then(|s| qualify(&s, meta.clone(), min_agreement)).map(|song| Kept {
        record: song_cache::encode(&song),
        notes_digest: song_cache::notes_digest(&song.band),
        meter: song.meter.to_string(),
        bars: song.bars(),
        remarks: remarks(&song),
    });
    Outcome { meta, result }
}

/// Of songs with the same notes keeps the first.
fn leave_out_repeats(outcomes: &mut [Outcome]) {
    let mut repeats = Repeats::default();
    for o in outcomes {
        let Ok(kept) = &o.result else { continue };
        if let Some(first) = repeats.earlier(kept.notes_digest, &o.meta.id) {
            o.result = Err(LeftOut::Duplicate(first));
        }
    }
}

/// Writes the songs, the report, the list of what was left out, and last the index.
fn write(
    outcomes: &[Outcome],
    warnings: Vec<String>,
    fingerprint: &[u8; 32],
    out: &Path,
) -> anyhow::Result<PrepareReport> {
    let mut report = PrepareReport { fingerprint: hex(fingerprint), warnings, ..PrepareReport::default() };
    let mut left_out = csv::Writer::from_writer(Vec::new());
    left_out.write_record(["path", "set", "reason", "detail"])?;
    let mut records: BTreeMap<(Tier, Split), Vec<&[u8]>> = BTreeMap::new();
    for o in outcomes {
        let set = report.sets.entry(o.meta.set.clone()).or_default();
        set.files += 1;
        match &o.result {
            Ok(kept) => {
                *set.kept.entry(o.meta.split.to_string()).or_default() += 1;
                *set.meters.entry(kept.meter.clone()).or_default() += 1;
                for &remark in &kept.remarks {
                    *set.remarks.entry(remark.to_string()).or_default() += 1;
                }
                let key = format!("{}-{}", o.meta.tier, o.meta.split);
                *report.songs.entry(key.clone()).or_default() += 1;
                *report.bars.entry(key).or_default() += kept.bars;
                records.entry((o.meta.tier, o.meta.split)).or_default().push(&kept.record);
            }
            Err(why) => {
                *set.left_out.entry(why.class().to_string()).or_default() += 1;
                left_out.write_record([&o.meta.id, &o.meta.set, why.class(), &why.detail()])?;
            }
        }
    }
    for tier in Tier::ALL {
        for split in [Split::Train, Split::Valid, Split::Test] {
            let songs = records.remove(&(tier, split)).unwrap_or_default();
            SONGS.write(&song_cache::file(out, tier, split), fingerprint, &songs)?;
        }
    }
    write_whole(&out.join(LEFT_OUT), &left_out.into_inner()?)?;
    write_whole(&out.join(REPORT), &serde_json::to_vec_pretty(&report)?)?;
    SONGS.write_index(out, &report.fingerprint)?;
    Ok(report)
}
