//! Makes the cache: reads a corpus over all cores, keeps the songs that can teach, reports the rest.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::Digest;

use super::cache::{self, Index};
use super::dataset::Dataset;
use super::song::{LeftOut, Song, qualify};
use super::source::{Item, Meta, Payload, Source, Split, Tier};

/// Command line of `prepare`.
#[derive(Debug, Clone, clap::Args)]
pub struct PrepareArgs {
    /// Folder of the corpus.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Folder for the cache; made when it does not exist.
    #[arg(long, value_name = "CACHE_DIR")]
    pub out: PathBuf,
    /// Leave out training songs whose bass is in the piano's harmony on fewer downbeats than this share.
    #[arg(long, value_name = "SHARE")]
    pub min_agreement: Option<f32>,
    /// Make the cache again even when it is up to date.
    #[arg(long)]
    pub force: bool,
}

/// What to prepare.
#[derive(Debug, Clone)]
pub struct PrepareOptions {
    /// Folder of the corpus.
    pub data: PathBuf,
    /// Folder for the cache.
    pub out: PathBuf,
    /// Least share of downbeats on which bass and piano agree, 0 to 1, for training songs that have the
    /// figure.
    pub min_agreement: Option<f32>,
    /// Whether to make the cache again when it is up to date.
    pub force: bool,
    /// Whether to draw a progress bar.
    pub progress: bool,
}

/// What became of a set of a corpus.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SetReport {
    /// Files listed or found.
    pub files: usize,
    /// Songs kept, by split.
    pub kept: BTreeMap<String, usize>,
    /// Songs kept, by metre.
    pub meters: BTreeMap<String, usize>,
    /// Files left out, by reason.
    pub left_out: BTreeMap<String, usize>,
}

/// What `prepare` did; written to `report.json` in the cache.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PrepareReport {
    /// Fingerprint of data and options, hexadecimal.
    pub fingerprint: String,
    /// Whether the cache was up to date and nothing was done; the other figures are then those of the run
    /// that made it.
    #[serde(skip)]
    pub up_to_date: bool,
    /// By set.
    pub sets: BTreeMap<String, SetReport>,
    /// Songs kept, by "tier-split".
    pub songs: BTreeMap<String, usize>,
    /// Bars of the songs kept, by "tier-split".
    pub bars: BTreeMap<String, usize>,
    /// What went wrong with whole archives.
    pub warnings: Vec<String>,
}

/// A file's way: kept and encoded, or left out.
struct Outcome {
    meta: Meta,
    result: Result<Kept, LeftOut>,
}

struct Kept {
    record: Vec<u8>,
    meter: String,
    bars: usize,
}

/// Runs the command.
pub fn run(args: &PrepareArgs) -> anyhow::Result<()> {
    let report = prepare(&PrepareOptions {
        data: args.data.clone(),
        out: args.out.clone(),
        min_agreement: args.min_agreement,
        force: args.force,
        progress: true,
    })?;
    println!("{report}");
    println!("{} {}", if report.up_to_date { "up to date:" } else { "written to" }, args.out.display());
    Ok(())
}

/// Reads a corpus and writes the cache with its report.
///
/// Does nothing when the cache was made from the same data with the same options. Errors when the folder
/// has no readable manifest or the cache cannot be written; damaged files are counted in the report.
pub fn prepare(options: &PrepareOptions) -> anyhow::Result<PrepareReport> {
    let source = Dataset::open(&options.data)?;
    prepare_source(&source, options)
}

/// [`prepare`] for an opened corpus.
pub fn prepare_source(source: &dyn Source, options: &PrepareOptions) -> anyhow::Result<PrepareReport> {
    let fingerprint = fingerprint(source, options)?;
    if !options.force
        && let Some(report) = up_to_date(&options.out, &fingerprint)
    {
        return Ok(report);
    }
    std::fs::create_dir_all(&options.out)
        .with_context(|| format!("cannot make the cache folder {}", options.out.display()))?;
    // Without its index a half-written cache is no cache.
    let index = options.out.join(cache::INDEX);
    if index.exists() {
        std::fs::remove_file(&index).with_context(|| format!("cannot replace {}", index.display()))?;
    }
    let (outcomes, warnings) = read(source, options)?;
    let report = write(&outcomes, warnings, &fingerprint, &options.out)?;
    Ok(report)
}

/// Digest of what the songs depend on: the source, the options, and the rules.
fn fingerprint(source: &dyn Source, options: &PrepareOptions) -> anyhow::Result<[u8; 32]> {
    let mut digest = sha2::Sha256::new();
    digest.update(cache::FORMAT.to_le_bytes());
    digest.update(source.fingerprint()?);
    digest.update(options.min_agreement.unwrap_or(-1.0).to_le_bytes());
    Ok(digest.finalize().into())
}

/// The report of a finished cache with this fingerprint.
fn up_to_date(out: &Path, fingerprint: &[u8; 32]) -> Option<PrepareReport> {
    let index = cache::read_index(out).ok()?;
    if index.fingerprint != cache::hex(fingerprint) {
        return None;
    }
    let report: PrepareReport = serde_json::from_slice(&std::fs::read(out.join("report.json")).ok()?).ok()?;
    Some(PrepareReport { up_to_date: true, ..report })
}

/// Reads all items: one thread fetches, all cores parse.
fn read(source: &dyn Source, options: &PrepareOptions) -> anyhow::Result<(Vec<Outcome>, Vec<String>)> {
    let bar = if options.progress { ProgressBar::new(source.len() as u64) } else { ProgressBar::hidden() };
    bar.set_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} files, {per_sec}, {eta} left")
            .expect("a valid template"),
    );
    let (send, receive) = crossbeam::channel::bounded::<Item>(256);
    let (mut outcomes, warnings) = std::thread::scope(|scope| {
        let fetcher = scope.spawn(move || source.visit(&mut |item| send.send(item).is_ok()));
        let outcomes: Vec<Outcome> = receive
            .into_iter()
            .par_bridge()
            .map(|item| {
                let outcome = parse(item, options.min_agreement);
                bar.inc(1);
                outcome
            })
            .collect();
        (outcomes, fetcher.join().expect("fetching does not panic"))
    });
    bar.finish_and_clear();
    outcomes.sort_by(|a, b| a.meta.id.cmp(&b.meta.id));
    Ok((outcomes, warnings?))
}

/// One file.
fn parse(item: Item, min_agreement: Option<f32>) -> Outcome {
    let Item { meta, payload } = item;
    let score = match payload {
        Payload::Midi(bytes) => {
            sideman_music::smf::read(&bytes).map_err(|e| LeftOut::Unreadable(e.to_string()))
        }
        Payload::Missing(why) => Err(LeftOut::Missing(why)),
    };
    let result = score.and_then(|s| qualify(&s, meta.clone(), min_agreement)).map(|song: Song| Kept {
        record: cache::encode(&song),
        meter: song.meter.to_string(),
        bars: song.bars(),
    });
    Outcome { meta, result }
}

/// Writes the songs, the report, the list of what was left out, and last the index.
fn write(
    outcomes: &[Outcome],
    warnings: Vec<String>,
    fingerprint: &[u8; 32],
    out: &Path,
) -> anyhow::Result<PrepareReport> {
    let mut report =
        PrepareReport { fingerprint: cache::hex(fingerprint), warnings, ..PrepareReport::default() };
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
            cache::write_songs(&cache::file(out, tier, split), fingerprint, &songs)?;
        }
    }
    cache::write_whole(&out.join("left_out.csv"), &[&left_out.into_inner()?])?;
    cache::write_whole(&out.join("report.json"), &[&serde_json::to_vec_pretty(&report)?])?;
    let index = Index { format: cache::FORMAT, fingerprint: report.fingerprint.clone() };
    cache::write_whole(&out.join(cache::INDEX), &[&serde_json::to_vec_pretty(&index)?])?;
    Ok(report)
}

impl std::fmt::Display for PrepareReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (name, set) in &self.sets {
            let kept: usize = set.kept.values().sum();
            writeln!(f, "{name}: {kept} of {} files kept", set.files)?;
            for (meter, n) in &set.meters {
                writeln!(f, "    {n:6}  kept in {meter}")?;
            }
            for (reason, n) in &set.left_out {
                writeln!(f, "    {n:6}  left out: {reason}")?;
            }
        }
        for (key, n) in &self.songs {
            writeln!(f, "{key}: {n} songs, {} bars", self.bars.get(key).copied().unwrap_or(0))?;
        }
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        Ok(())
    }
}
