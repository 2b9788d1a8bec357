//! Runs an evaluation: plays, measures, studies, and writes the report.

use indicatif::{ProgressBar, ProgressStyle};
use sideman_inference::weights::StoredStyle;

use super::accompanist::Accompanist;
use super::breakdown::{self, Breakdown};
use super::command::{EvalBandArgs, test_songs, velocities};
use super::compare::{Comparison, Options, Played, compare, play_all};
use super::control_response::{self, ControlResponse, control_responses};
use super::interval::Resamples;
use super::memorization::{self, Memorization};
use super::page;
use super::report::{csv, headline, tables};
use super::seeds::{self, TwoTakes, two_takes};
use super::song::EvalSong;
use super::styles::{self, StyleStudy};
use super::targets::{self, Target, judge};
use crate::data::Tier;
use crate::report::table::Table;
use crate::report::write_whole;

/// Tempos of `--everything`.
const TEMPOS: [f64; 3] = [60.0, 120.0, 200.0];
/// Songs that the controls are turned on: enough to tell what moves.
const CONTROL_SONGS: usize = 16;
/// Resamples of the intervals.
const RESAMPLES: usize = 2000;

/// All that an evaluation found.
#[derive(Debug, Clone, serde::Serialize)]
pub struct BandReport {
    /// The bands beside people and the controls.
    #[serde(flatten)]
    pub comparison: Comparison,
    /// What the bands are to reach, and whether they do.
    pub targets: Vec<Target>,
    /// Longest matches with training songs.
    #[serde(rename = "quotes")]
    pub memorization: Option<Memorization>,
    /// How well the styles are told.
    pub styles: Option<StyleStudy>,
    /// What the controls move.
    pub controls: Vec<ControlResponse>,
    /// The same piano at two seeds.
    pub takes: Vec<TwoTakes>,
    /// By kind of song, and by tempo.
    pub breakdowns: Vec<Breakdown>,
}

impl BandReport {
    /// All tables, the targets last.
    pub fn tables(&self) -> Vec<Table> {
        let mut out = tables(&self.comparison);
        out.extend(self.breakdowns.iter().map(breakdown::table));
        if !self.takes.is_empty() {
            out.push(seeds::table(&self.takes));
        }
        out.extend(self.styles.iter().flat_map(styles::tables));
        out.extend(self.controls.chunk_by(|a, b| a.band == b.band).flat_map(control_response::tables));
        out.extend(self.memorization.iter().flat_map(memorization::tables));
        out.extend(targets::tables(&self.targets));
        out
    }
}

/// Measures `bands` and the controls as the arguments say, prints the report to standard output and writes
/// the files that were asked for. `bands` play in the order given; `codes` are the styles stored in their
/// weights.
///
/// # Errors
/// When the corpus cannot be read, a band cannot play, or a file cannot be written.
pub fn run(
    args: &EvalBandArgs,
    bands: &mut [Box<dyn Accompanist>],
    codes: &[StoredStyle],
) -> anyhow::Result<BandReport> {
    let tempos: &[f64] = if args.everything && args.tempos.is_empty() { &TEMPOS } else { &args.tempos };
    anyhow::ensure!(
        args.bpm.iter().chain(tempos).all(|b| (10.0..=500.0).contains(b)),
        "--bpm and --tempos have to lie between 10 and 500"
    );
    let songs = test_songs(args)?;
    let table = velocities(args)?;
    let options = Options {
        only: args.only.clone(),
        shuffles: 5,
        resamples: RESAMPLES,
        seed: args.seed,
        discrimination: !args.no_discriminator,
        key_change: args.key_change || args.everything,
    };
    let style = ProgressStyle::with_template("{msg:24} {wide_bar} {pos}/{len} {eta}")?;
    let progress = ProgressBar::new(0).with_style(style);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(usize::from(args.threads)).build()?;
    let resamples = Resamples::new(songs.len(), RESAMPLES, args.seed);

    // The bands play on this thread, the classifiers on the pool.
    let mut played = play_all(&songs, bands, &table, &options, &progress)?;
    let mut shown: Vec<&mut dyn Accompanist> = Vec::new();
    for band in bands.iter_mut().filter(|b| options.shows(b.name())) {
        shown.push(band.as_mut());
    }
    let takes = take_twice(args, &mut shown, &songs, &mut played, &resamples, &progress)?;
    let comparison = compare(&songs, &played, &options, &progress, &pool);
    let mut breakdowns = breakdown::by_label(&songs, &played, RESAMPLES, args.seed);
    breakdowns.extend(breakdown::by_tempo(&mut shown, &songs, &played, tempos, &resamples, &progress)?);
    let styles = if args.styles || args.everything {
        Some(styles::study(&args.cache, &songs, &mut shown, codes, args.seed, &progress)?)
    } else {
        None
    };
    let mut controls = Vec::new();
    if args.controls || args.everything {
        let few = &songs[..songs.len().min(CONTROL_SONGS)];
        let resamples = Resamples::new(few.len(), RESAMPLES, args.seed);
        for band in &mut shown {
            controls.extend(control_responses(&mut **band, few, &resamples, &progress)?);
        }
    }
    let memorization = if args.memorization || args.everything {
        progress.set_message("looking for quotes");
        // Shuffled pairs are what people play.
        let rows: Vec<&Played> = played.iter().filter(|p| p.is_own()).collect();
        Some(memorization::check(&args.cache, &Tier::ALL, &songs, &rows, &resamples)?)
    } else {
        None
    };
    let targets = judge(&comparison, memorization.as_ref(), styles.as_ref(), &takes);
    let report = BandReport { comparison, targets, memorization, styles, controls, takes, breakdowns };
    let page = match &args.html {
        Some(_) => Some(page::page(&report, &songs, &played, &mut shown)?),
        None => None,
    };
    progress.finish_and_clear();

    println!("{}\n", headline(&report.comparison));
    for table in report.tables() {
        println!("{}", table.text());
    }
    if let Some(path) = &args.json {
        write_whole(path, &serde_json::to_vec_pretty(&report)?)?;
    }
    if let Some(path) = &args.csv {
        write_whole(path, &csv(&report.comparison)?)?;
    }
    if let (Some(path), Some(page)) = (&args.html, page) {
        write_whole(path, page.as_bytes())?;
        println!("Wrote {}.", path.display());
    }
    Ok(report)
}

/// The bands at two seeds, if that was asked for; the second takes become rows.
fn take_twice(
    args: &EvalBandArgs,
    bands: &mut [&mut dyn Accompanist],
    songs: &[EvalSong],
    played: &mut Vec<Played>,
    resamples: &Resamples,
    progress: &ProgressBar,
) -> anyhow::Result<Vec<TwoTakes>> {
    let mut out = Vec::new();
    if !(args.seeds || args.everything) {
        return Ok(out);
    }
    for band in bands {
        let Some(first) = played.iter().find(|p| p.name == band.name()) else { continue };
        let (two, row) = two_takes(&mut **band, songs, &first.parts, resamples, progress)?;
        out.push(two);
        played.push(row);
    }
    Ok(out)
}
