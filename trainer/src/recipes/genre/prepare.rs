//! Makes the cache: reads a labelled collection over all cores, keeps what has notes, sound or an image, and
//! reports the rest.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::bail;
use sha2::Digest;
use sideman_music::Score;
use sideman_music::encoding::bar_features::{piano_notes, windows};

use super::cache::{self, ITEMS};
use super::codec;
use super::collection::{Collection, LeftOut, Raw, RawContent};
use super::gtzan;
use super::labelled::{Content, Facts, Kind, Labelled};
use super::mels::{self, Mels};
use super::report::{DOUBTFUL, DRUMS, Report, index};
use super::voted::Voted;
use super::{fma, lakh, tree};
use crate::data::cache::hex;
use crate::data::lakh::{TrackLabels, looks_like};
use crate::data::read::{Repeats, read_all};
use crate::data::{Split, Tier, roll};
use crate::report::write_whole;

/// Fewest notes of an item: less says nothing about a genre.
pub const MIN_NOTES: usize = 32;
/// Name of the list of items left out.
const LEFT_OUT: &str = "left_out.csv";
/// Name of the report.
const REPORT: &str = "report.json";

/// How a labelled collection lies on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Layout {
    /// By what is there.
    #[default]
    Auto,
    /// manifest.csv with open.tar.zst and research.tar.zst, and gtzan_mel_train.npz where it is.
    Data,
    /// GTZAN: genres/blues/blues.00000.au and so on.
    Gtzan,
    /// FMA: fma_metadata/tracks.csv and fma_small/000/000002.mp3.
    Fma,
    /// Lakh MIDI with genres of tracks (--genres) or of files (--md5-labels).
    Lakh,
    /// Lakh piano rolls, likewise.
    Lpd,
    /// A folder for each genre with MIDI files or audio.
    Tree,
}

/// What to prepare.
#[derive(Debug, Clone, clap::Args)]
pub struct PrepareOptions {
    /// Folder of the collection.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Folder for the cache; made when it does not exist.
    #[arg(long, value_name = "CACHE_DIR")]
    pub out: PathBuf,
    /// How the collection lies on disk.
    #[arg(long, value_enum, default_value_t)]
    pub layout: Layout,
    /// Licence tier of a collection that has no manifest.
    #[arg(long, value_enum, default_value_t = Tier::Research)]
    pub tier: Tier,
    /// Genres of tracks of the Million Song Dataset, Top-MAGD or MASD (track, tab, genre); may be given
    /// several times.
    #[arg(long, value_name = "FILE")]
    pub genres: Vec<PathBuf>,
    /// match_scores.json of Lakh, when it does not lie in or beside the collection.
    #[arg(long, value_name = "FILE")]
    pub match_scores: Option<PathBuf>,
    /// topmagd_train.csv, or the folder with it and topmagd_test.csv: genres by the MD5 of Lakh files.
    #[arg(long, value_name = "PATH")]
    pub md5_labels: Option<PathBuf>,
    /// Lists of GTZAN's fault-filtered split: a folder with train_filtered.txt and so on, or a table with
    /// name and split; without it the last ten clips of each genre are for test.
    #[arg(long, value_name = "PATH")]
    pub gtzan_split: Option<PathBuf>,
    /// Make the cache again even when it is up to date.
    #[arg(long)]
    pub force: bool,
    /// Whether to draw a progress bar.
    #[arg(skip)]
    pub progress: bool,
}

impl PrepareOptions {
    /// Everything of a collection, layout by what is there, tier research where no manifest says otherwise.
    pub fn new(data: &Path, out: &Path) -> Self {
        Self {
            data: data.to_path_buf(),
            out: out.to_path_buf(),
            layout: Layout::Auto,
            tier: Tier::Research,
            genres: vec![],
            match_scores: None,
            md5_labels: None,
            gtzan_split: None,
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
    print!("{report}");
    if report.up_to_date {
        println!("{} is up to date; --force makes it again", args.out.display());
    } else {
        println!("Cache in {}, items left out in {LEFT_OUT} there", args.out.display());
    }
    Ok(())
}

/// Opens what lies in a folder.
///
/// # Errors
/// When what the layout requires is missing or cannot be read.
pub fn open(options: &PrepareOptions) -> anyhow::Result<Vec<Box<dyn Collection>>> {
    let (data, tier) = (options.data.as_path(), options.tier);
    let layout = match options.layout {
        Layout::Auto if data.join("manifest.csv").is_file() || data.join(mels::FILE).is_file() => {
            Layout::Data
        }
        Layout::Auto if fma::table_of(data).is_some() => Layout::Fma,
        Layout::Auto if looks_like(data, &["lmd_matched", "lmd_full"]) => Layout::Lakh,
        Layout::Auto if looks_like(data, &["lpd_5_cleansed", "lpd_5/lpd_5_cleansed"]) => Layout::Lpd,
        Layout::Auto if options.md5_labels.is_some() => Layout::Lakh,
        Layout::Auto if gtzan::genres_folder(data).is_some() => Layout::Gtzan,
        Layout::Auto => Layout::Tree,
        named => named,
    };
    Ok(match layout {
        Layout::Data => {
            let mut all: Vec<Box<dyn Collection>> = Vec::new();
            let images = data.join(mels::FILE);
            if images.is_file() {
                all.push(Box::new(Mels::open(&images)?));
            }
            if all.is_empty() || data.join("manifest.csv").is_file() {
                all.push(Box::new(Voted::open(data)?));
            }
            all
        }
        Layout::Gtzan => vec![Box::new(gtzan::open(data, options.gtzan_split.as_deref(), tier)?)],
        Layout::Fma => vec![Box::new(fma::open(data, tier)?)],
        Layout::Lakh | Layout::Lpd => match &options.md5_labels {
            Some(labels) => vec![Box::new(lakh::by_md5(data, tier, labels)?)],
            None if options.genres.is_empty() => bail!(
                "Lakh files have no genres of their own: give --genres FILE (Top-MAGD or MASD, track and genre) \
                 or --md5-labels DIR (topmagd_train.csv and topmagd_test.csv)"
            ),
            None => {
                let (genres, match_scores) = (options.genres.clone(), options.match_scores.clone());
                let labels = TrackLabels { genres, tags: None, match_scores };
                vec![Box::new(lakh::by_track(data, tier, &labels, layout == Layout::Lpd)?)]
            }
        },
        Layout::Auto | Layout::Tree => vec![Box::new(tree::open(data, tier)?)],
    })
}

/// Reads a labelled collection and writes the cache with its report.
///
/// Does nothing when the cache is up to date. What is damaged is counted in the report.
///
/// # Errors
/// When the collection cannot be opened, nothing of it is left, or the cache cannot be written.
pub fn prepare(options: &PrepareOptions) -> anyhow::Result<Report> {
    let collections = open(options)?;
    let fingerprint = fingerprint(&collections);
    if !options.force
        && let Some(report) = finished(&options.out, &fingerprint)
    {
        return Ok(report);
    }
    ITEMS.begin(&options.out)?;
    let mut outcomes = Vec::new();
    let mut warnings = Vec::new();
    for collection in &collections {
        let (mut some, told) = read(collection.as_ref(), options.progress);
        if collection.may_repeat() {
            leave_out_repeats(&mut some);
        }
        outcomes.extend(some);
        warnings.extend(told);
    }
    write(&outcomes, warnings, &fingerprint, &options.out)
}

/// Digest of what the items depend on: the collections and the rules.
fn fingerprint(collections: &[Box<dyn Collection>]) -> [u8; 32] {
    let mut digest = sha2::Sha256::new();
    digest.update(ITEMS.version.to_le_bytes());
    collections.iter().for_each(|c| digest.update(c.fingerprint()));
    digest.finalize().into()
}

/// The report of a finished cache with this fingerprint.
fn finished(out: &Path, fingerprint: &[u8; 32]) -> Option<Report> {
    let report: Report = ITEMS.finished(out, fingerprint, REPORT)?;
    Some(Report { up_to_date: true, ..report })
}

/// An item's way: kept and encoded, or left out.
struct Outcome {
    facts: Facts,
    kind: Kind,
    result: Result<Kept, LeftOut>,
}

struct Kept {
    record: Vec<u8>,
    /// Digest of the music; `None` for audio, which is not opened here.
    digest: Option<[u8; 32]>,
    has_piano: bool,
    is_solo: bool,
    is_drums: bool,
}

/// Reads all items, sorted by id: one thread fetches, all cores parse.
fn read(collection: &dyn Collection, progress: bool) -> (Vec<Outcome>, Vec<String>) {
    let len = progress.then(|| collection.len());
    let (mut outcomes, warnings) = read_all(len, "items", |visit| collection.visit(visit), parse);
    outcomes.sort_by(|a, b| a.facts.id.cmp(&b.facts.id));
    // What was left out before it was opened counts with the rest of its collection.
    let kind = outcomes.iter().find(|o| o.result.is_ok()).map_or(Kind::Symbolic, |o| o.kind);
    outcomes.iter_mut().filter(|o| o.result.is_err()).for_each(|o| o.kind = kind);
    (outcomes, warnings)
}

/// One item.
fn parse(raw: Raw) -> Outcome {
    let Raw { facts, content } = raw;
    let kind = match &content {
        RawContent::Mel(_) => Kind::Mel,
        RawContent::Audio(_) => Kind::Audio,
        _ => Kind::Symbolic,
    };
    let result = understand(content).map(|content| {
        let (has_piano, is_solo, is_drums) = match &content {
            Content::Score(score) => {
                (has_piano(score), is_solo(score), score.tracks.iter().all(|t| t.is_drums))
            }
            _ => (false, false, false),
        };
        let digest = match &content {
            Content::Score(score) => {
                let mut bytes = Vec::new();
                codec::push_score(&mut bytes, score);
                Some(sha2::Sha256::digest(&bytes).into())
            }
            Content::Mel(image) => Some(sha2::Sha256::digest(&image.values).into()),
            Content::Audio(_) => None,
        };
        let item = Labelled { facts: facts.clone(), content };
        Kept { record: codec::encode(&item), digest, has_piano, is_solo, is_drums }
    });
    Outcome { facts, kind, result }
}

/// The music of raw content.
fn understand(content: RawContent) -> Result<Content, LeftOut> {
    let unreadable = |e: &dyn std::fmt::Display| LeftOut::Unreadable(e.to_string());
    let mut score = match content {
        RawContent::LeftOut(why) => return Err(why),
        RawContent::Mel(image) => return Ok(Content::Mel(image)),
        RawContent::Audio(path) => return Ok(Content::Audio(path)),
        RawContent::Midi(bytes) => sideman_music::smf::read(&bytes).map_err(|e| unreadable(&e))?,
        RawContent::Roll(bytes) => roll::read(&bytes).map_err(|e| unreadable(&e))?,
        RawContent::PianoTrack(bytes) => {
            let mut score = sideman_music::smf::read(&bytes).map_err(|e| unreadable(&e))?;
            score.tracks.retain(|t| t.name.trim() == "PIANO");
            score
        }
    };
    let notes = score.tracks.iter().map(|t| t.notes.len()).sum();
    if notes < MIN_NOTES {
        return Err(LeftOut::FewNotes(notes));
    }
    // What the cache does not keep.
    score.markers.clear();
    score.tracks.retain(|t| !t.notes.is_empty());
    for (i, track) in score.tracks.iter_mut().enumerate() {
        track.name.clear();
        track.source_track = i;
        track.notes.sort_unstable();
    }
    Ok(Content::Score(Box::new(score)))
}

/// Whether the piano has a window of eight bars.
fn has_piano(score: &Score) -> bool {
    !windows(&piano_notes(score), &score.meters, &score.tempos, 4).is_empty()
}

/// Whether all notes are a piano's, programs 0 to 7.
fn is_solo(score: &Score) -> bool {
    score.tracks.iter().all(|t| !t.is_drums && t.program < 8)
}

/// Of items with the same music keeps the first.
fn leave_out_repeats(outcomes: &mut [Outcome]) {
    let mut repeats = Repeats::default();
    for o in outcomes {
        let Some(digest) = o.result.as_ref().ok().and_then(|k| k.digest) else { continue };
        if let Some(first) = repeats.earlier(digest, &o.facts.id) {
            o.result = Err(LeftOut::Repeat(first));
        }
    }
}

/// Writes the items, the report, the list of what was left out, and last the index.
fn write(
    outcomes: &[Outcome],
    warnings: Vec<String>,
    fingerprint: &[u8; 32],
    out: &Path,
) -> anyhow::Result<Report> {
    let mut report = Report { fingerprint: hex(fingerprint), warnings, ..Report::default() };
    let mut left_out = csv::Writer::from_writer(Vec::new());
    left_out.write_record(["id", "set", "source", "genre", "reason", "detail"])?;
    let mut records: BTreeMap<(Kind, Split), Vec<&[u8]>> = BTreeMap::new();
    for o in outcomes {
        let f = &o.facts;
        let cell = report.cell(o.kind.name(), &f.set, &f.genre, &f.source);
        match &o.result {
            Ok(kept) => {
                let split = index(f.split);
                cell.kept[split] += 1;
                cell.piano[split] += usize::from(kept.has_piano);
                cell.solo[split] += usize::from(kept.is_solo && kept.has_piano);
                cell.doubtful += usize::from(f.doubtful);
                cell.drums += usize::from(kept.is_drums);
                for (noted, is) in [(DOUBTFUL, f.doubtful), (DRUMS, kept.is_drums)] {
                    if is {
                        report.name(noted, &f.id, &f.genre);
                    }
                }
                records.entry((o.kind, f.split)).or_default().push(&kept.record);
            }
            Err(why) => {
                *cell.left_out.entry(why.class().to_string()).or_default() += 1;
                report.name(why.class(), &f.id, &why.detail());
                left_out.write_record([&f.id, &f.set, &f.source, &f.genre, why.class(), &why.detail()])?;
            }
        }
    }
    let left_out = left_out.into_inner()?;
    write_whole(&out.join(LEFT_OUT), &left_out)?;
    if records.is_empty() {
        let reasons: Vec<String> = report.left_out().iter().map(|(why, n)| format!("{n} {why}")).collect();
        let list = out.join(LEFT_OUT);
        bail!("no labelled item is left ({}); the list is in {}", reasons.join(", "), list.display());
    }
    for kind in Kind::ALL {
        for split in [Split::Train, Split::Valid, Split::Test] {
            let items = records.remove(&(kind, split)).unwrap_or_default();
            ITEMS.write(&cache::file(out, kind, split), fingerprint, &items)?;
        }
    }
    write_whole(&out.join(REPORT), &serde_json::to_vec_pretty(&report)?)?;
    ITEMS.write_index(out, &report.fingerprint)?;
    Ok(report)
}
