//! `sideman-trainer eval band`.

use std::path::PathBuf;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;
use sideman_music::Meter;
use sideman_music::grid::VelocityTable;

use super::accompanist::Accompanist;
use super::compare::{Comparison, Options, compare};
use super::controls::common_velocities;
use super::report::{csv, render, write_whole};
use super::song::EvalSong;
use crate::corpus::{Song, Split, Tier, load};

/// Measures bands on test songs against people's own band and against controls.
#[derive(Debug, Clone, clap::Args)]
pub struct EvalBandArgs {
    /// Folder of the prepared corpus, as `prepare` wrote it
    #[arg(long, value_name = "DIR", default_value = "cache")]
    pub cache: PathBuf,
    /// Weights of the band's network to measure instead of the built-in ones
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Tier of the corpus to take the test songs from: open or research
    #[arg(long, value_name = "TIER", default_value = "research", value_parser = tier)]
    pub tier: Tier,
    /// Split to take the songs from: test, or valid to choose settings by
    #[arg(long, value_name = "SPLIT", default_value = "test", value_parser = split)]
    pub split: Split,
    /// How the network draws, as a JSON object; settings left out have their defaults
    #[arg(long, value_name = "JSON")]
    pub sampling: Option<String>,
    /// Number of songs, drawn by the seed; all when more than there are
    #[arg(long, value_name = "N")]
    pub songs: Option<usize>,
    /// Bars of each song, from its start
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(8..=1024))]
    pub bars: u16,
    /// Quarter notes a minute to play all songs at, instead of their own tempo
    #[arg(long, value_name = "BPM")]
    pub bpm: Option<f64>,
    /// Seed of the songs drawn, the shuffled pairs, the folds and the intervals
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Rows to show, such as people,shuffled,copy,grid and the names of the bands; all when left out
    #[arg(long, value_name = "NAME,..", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Leave the classifiers out, which take most of the time
    #[arg(long)]
    pub no_told_apart: bool,
    /// Measure also how soon each band follows when the piano jumps by a tritone; plays everything twice more
    #[arg(long)]
    pub jump: bool,
    /// Threads of the classifiers
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: u16,
    /// Write everything as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write every figure as a line of CSV
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
}

fn tier(name: &str) -> Result<Tier, String> {
    Tier::ALL
        .into_iter()
        .find(|t| t.name() == name)
        .ok_or_else(|| format!("choose from {}", Tier::ALL.map(Tier::name).join(", ")))
}

fn split(name: &str) -> Result<Split, String> {
    match name {
        "test" => Ok(Split::Test),
        "valid" => Ok(Split::Valid),
        _ => Err("choose test or valid: training songs prove nothing".to_owned()),
    }
}

/// The songs of the split that the arguments ask for: 4/4, with a piano and at least one part.
///
/// # Errors
/// When the cache cannot be read or no song is left.
pub fn test_songs(args: &EvalBandArgs) -> anyhow::Result<Vec<EvalSong>> {
    let hint = "make it with `sideman-trainer prepare`, or name another folder with --cache";
    let loaded = load(&args.cache, args.tier, args.split)
        .with_context(|| format!("no songs to measure on in {}: {hint}", args.cache.display()))?;
    let mut songs: Vec<EvalSong> = loaded
        .iter()
        .filter(|s| s.meter == Meter::COMMON)
        .map(|s| eval_song(s, args))
        .filter(|s| !s.piano.is_empty() && s.bars >= 8 && s.present.contains(&true))
        .collect();
    songs.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(n) = args.songs {
        songs.shuffle(&mut Pcg64::seed_from_u64(args.seed));
        songs.truncate(n);
    }
    anyhow::ensure!(
        songs.len() > 1,
        "{} has fewer than two {} songs in 4/4 of eight bars or more in its {} split to measure on; choose another \
         --tier or --split, or prepare a larger corpus",
        args.cache.display(),
        args.tier.name(),
        args.split
    );
    Ok(songs)
}

fn eval_song(song: &Song, args: &EvalBandArgs) -> EvalSong {
    let bpm = args.bpm.unwrap_or(f64::from(song.bpm));
    let bars = usize::from(args.bars);
    EvalSong::new(&song.id, &song.group, &song.band, song.steps, bpm, song.parts_present, bars)
}

/// The most common velocity of each bin in the training split of the tier: what the grid is played back
/// with, and the rule band. Nothing of the test songs goes into it.
///
/// # Errors
/// When the cache cannot be read.
pub fn velocities(args: &EvalBandArgs) -> anyhow::Result<VelocityTable> {
    let training = load(&args.cache, args.tier, Split::Train)
        .with_context(|| format!("no training songs in {}", args.cache.display()))?;
    Ok(common_velocities(training.iter().map(|s| &s.band.parts)))
}

/// Measures `bands` and the controls as the arguments say, prints the report to standard output and writes
/// the files that were asked for. `bands` play in the order given; see [`EvalBandArgs::weights`] for what
/// the caller is to load.
///
/// # Errors
/// When the corpus cannot be read, a band cannot play, or a file cannot be written.
pub fn run(args: &EvalBandArgs, bands: &mut [Box<dyn Accompanist>]) -> anyhow::Result<Comparison> {
    anyhow::ensure!(
        args.bpm.is_none_or(|b| (10.0..=500.0).contains(&b)),
        "--bpm has to lie between 10 and 500"
    );
    let songs = test_songs(args)?;
    let table = velocities(args)?;
    let options = Options {
        only: args.only.clone(),
        shuffles: 5,
        resamples: 2000,
        seed: args.seed,
        told_apart: !args.no_told_apart,
        jump: args.jump,
    };
    let style = ProgressStyle::with_template("{msg:24} {wide_bar} {pos}/{len} {eta}")?;
    let progress = ProgressBar::new(0).with_style(style);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(usize::from(args.threads)).build()?;
    // The bands play on this thread, the classifiers on the pool.
    let comparison = compare(&songs, bands, &table, &options, &progress, &pool)?;
    progress.finish_and_clear();
    print!("{}", render(&comparison));
    if let Some(path) = &args.json {
        write_whole(path, &serde_json::to_vec_pretty(&comparison)?)?;
    }
    if let Some(path) = &args.csv {
        write_whole(path, &csv(&comparison)?)?;
    }
    Ok(comparison)
}
