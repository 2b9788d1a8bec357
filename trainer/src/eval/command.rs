//! `sideman-trainer eval band`: what it is asked, and on which songs.

use std::path::PathBuf;

use anyhow::Context;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;
use sideman_music::Meter;
use sideman_music::encoding::grid::VelocityTable;

use super::controls::common_velocities;
use super::song::EvalSong;
use crate::data::{Song, Split, Tier, load};
use crate::recipes::band::export::styles::fits;
use crate::recipes::band::grid_song;

/// Measures bands on test songs against people's own band and against controls.
#[derive(Debug, Clone, clap::Args)]
pub struct EvalBandArgs {
    /// Folder of the prepared corpus, as `prepare` wrote it
    #[arg(long, value_name = "DIR", default_value = "cache")]
    pub cache: PathBuf,
    /// Weights of the band's network: a file or the name of a built-in set; several to compare them [default:
    /// the built-in set that is played]
    #[arg(long, value_name = "FILE|NAME")]
    pub weights: Vec<String>,
    /// Tier of the corpus to take the test songs from: open, research or all
    #[arg(long, value_name = "TIER", default_value = "research", value_parser = tier)]
    pub tier: Vec<Tiers>,
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
    #[arg(long = "no-told-apart")]
    pub no_discriminator: bool,
    /// Measure also how soon each band follows when the piano jumps by a tritone; plays everything twice more
    #[arg(long = "jump")]
    pub key_change: bool,
    /// Look also for what is quoted from the training songs of both tiers
    #[arg(long = "quotes")]
    pub memorization: bool,
    /// Turn every control, and say what it moves
    #[arg(long)]
    pub controls: bool,
    /// Have a classifier that learned the styles from people tell each band's styles
    #[arg(long)]
    pub styles: bool,
    /// Play everything at a second seed, too, and once more at the first
    #[arg(long)]
    pub seeds: bool,
    /// Play everything at these tempos, too, in quarter notes a minute, such as 60,120,200
    #[arg(long, value_name = "BPM,..", value_delimiter = ',')]
    pub tempos: Vec<f64>,
    /// All of --jump, --quotes, --controls, --styles, --seeds and --tempos 60,120,200
    #[arg(long)]
    pub everything: bool,
    /// Threads of the classifiers
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: u16,
    /// Write a page with all tables, charts and piano rolls, in one file
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write everything as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write every figure of the comparison as a line of CSV
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
}

impl EvalBandArgs {
    /// The tiers asked for, each once.
    pub fn tiers(&self) -> Vec<Tier> {
        Tier::ALL.into_iter().filter(|t| self.tier.iter().any(|asked| asked.0.contains(t))).collect()
    }
}

/// One tier, or all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiers(Vec<Tier>);

fn tier(name: &str) -> Result<Tiers, String> {
    match Tier::ALL.into_iter().find(|t| t.name() == name) {
        Some(tier) => Ok(Tiers(vec![tier])),
        None if name == "all" => Ok(Tiers(Tier::ALL.to_vec())),
        None => Err(format!("choose from {}, all", Tier::ALL.map(Tier::name).join(", "))),
    }
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
    let mut songs: Vec<EvalSong> = Vec::new();
    for tier in args.tiers() {
        let loaded = load(&args.cache, tier, args.split)
            .with_context(|| format!("no songs to measure on in {}: {hint}", args.cache.display()))?;
        let common = loaded.iter().filter(|s| s.meter == Meter::COMMON).map(|s| eval_song(s, args));
        songs.extend(common.filter(|s| !s.piano.is_empty() && s.bars >= 8 && s.present.contains(&true)));
    }
    songs.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(n) = args.songs {
        songs.shuffle(&mut Pcg64::seed_from_u64(args.seed));
        songs.truncate(n);
    }
    let names: Vec<&str> = args.tiers().into_iter().map(Tier::name).collect();
    anyhow::ensure!(
        songs.len() > 1,
        "{} has fewer than two {} songs in 4/4 of eight bars or more in its {} split to measure on; choose another \
         --tier or --split, or prepare a larger corpus",
        args.cache.display(),
        names.join(" or "),
        args.split
    );
    Ok(songs)
}

fn eval_song(song: &Song, args: &EvalBandArgs) -> EvalSong {
    let bpm = args.bpm.unwrap_or(f64::from(song.bpm));
    let bars = usize::from(args.bars);
    let mut out = EvalSong::new(&song.id, &song.group, &song.band, song.steps, bpm, song.parts_present, bars);
    let tempo = match song.bpm {
        ..90.0 => "below 90",
        90.0..130.0 => "90 to 130",
        _ => "130 and above",
    };
    out.labels = vec![("tier", song.tier.name().to_owned()), ("tempo", tempo.to_owned())];
    if let Some(style) = style_of(song) {
        out.labels.push(("style of people's band", style.to_owned()));
    }
    out
}

/// The style that a song fits best, if it fits one.
fn style_of(song: &Song) -> Option<&'static str> {
    let fits = fits(&grid_song(song)?, song);
    fits.into_iter().filter(|f| f.1 >= 0.5).max_by(|a, b| a.1.total_cmp(&b.1)).map(|f| f.0)
}

/// The most common velocity of each bin in the training split of the tiers: what the grid is played back
/// with, and the rule band. Nothing of the test songs goes into it.
///
/// # Errors
/// When the cache cannot be read.
pub fn velocities(args: &EvalBandArgs) -> anyhow::Result<VelocityTable> {
    let mut training = Vec::new();
    for tier in args.tiers() {
        training.extend(
            load(&args.cache, tier, Split::Train)
                .with_context(|| format!("no training songs in {}", args.cache.display()))?,
        );
    }
    Ok(common_velocities(training.iter().map(|s| &s.band.parts)))
}
