//! The rows of the table: people, the controls and the models, all measured alike.

use indicatif::ProgressBar;
use rayon::prelude::*;
use sideman_music::encoding::grid::VelocityTable;
use sideman_music::family::Part;

use super::accompanist::{Accompanist, Request};
use super::controls::{copy_last_bar, other_pianos, through_the_grid};
use super::discriminator::{Discrimination, discriminate, samples};
use super::features::View;
use super::figures::{Metric, Tally};
use super::interval::{Estimate, Resamples};
use super::key_change::{Recovery, after_jump};
use super::measure::measure;
use super::song::{EvalSong, Half, Parts, cut_parts, halves};

/// Name of the row of people's own band.
pub const PEOPLE: &str = "people";
/// Name of the row of people's bands against other songs' pianos.
pub const SHUFFLED: &str = "shuffled";
/// Name of the row of people's previous bar played again.
pub const COPY: &str = "copy";
/// Name of the row of people's band through the networks' grid and back.
pub const GRID: &str = "grid";

/// How the comparison is made.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Rows to show; all when empty.
    pub only: Vec<String>,
    /// Pianos that each band is shuffled against.
    pub shuffles: usize,
    /// Resamples of the intervals.
    pub resamples: usize,
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// Whether to run the classifiers.
    pub discrimination: bool,
    /// Whether to measure the recovery after a jump of the piano.
    pub key_change: bool,
}

impl Options {
    /// Whether a row is shown. Rows that were added to the named ones, such as another take of a band, are
    /// shown with the row whose name theirs begins with.
    pub fn shows(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|o| name == o || name.starts_with(&format!("{o}, ")))
    }
}

/// A figure of a row.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Cell {
    /// [`Metric::name`].
    pub figure: &'static str,
    /// The part it is of.
    pub part: Option<&'static str>,
    /// The figure itself.
    pub value: Estimate,
    /// `(this - shuffled) / (people - shuffled)`, for the figures that have it.
    pub coupling: Option<Estimate>,
    /// This over people's.
    pub against_people: Option<Estimate>,
    /// This less people's.
    pub above_people: Option<Estimate>,
}

/// The discriminator, a part and a view at a time.
#[derive(Debug, Clone, serde::Serialize)]
pub struct PartDiscrimination {
    /// The part.
    pub part: &'static str,
    /// What the classifiers saw.
    pub view: View,
    /// How well they did.
    #[serde(flatten)]
    pub result: Discrimination,
}

/// All figures of a band.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Row {
    /// Name of the band.
    pub name: String,
    /// The figures, in the order of [`Metric::all`]; those that do not apply are missing.
    pub cells: Vec<Cell>,
    /// How well the discriminator tells it from people; empty for people themselves.
    #[serde(rename = "told_apart")]
    pub discrimination: Vec<PartDiscrimination>,
    /// After a jump of the piano; only for models.
    #[serde(rename = "jump")]
    pub key_change: Option<Recovery>,
    /// Seconds of music played per second of computing; only for models.
    pub times_real_time: Option<f64>,
}

impl Row {
    /// The cell of a figure.
    pub fn cell(&self, figure: Metric) -> Option<&Cell> {
        self.cells.iter().find(|c| c.figure == figure.name() && c.part == figure.part().map(Part::name))
    }
}

/// The whole comparison.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Comparison {
    /// Number of songs.
    pub songs: usize,
    /// Number of bars in all.
    pub bars: usize,
    /// In how many songs each part is, in the order of [`Part::ALL`].
    pub with_part: [usize; 4],
    /// Seed of everything that was drawn.
    pub seed: u64,
    /// The bands.
    pub rows: Vec<Row>,
}

/// A band's music for all songs.
#[derive(Debug, Clone)]
pub struct Played {
    /// Name of its row.
    pub name: String,
    /// What it played to each song.
    pub parts: Vec<Parts>,
    /// The songs whose pianos it is measured against; its own except when shuffled.
    pub pianos: Vec<Vec<usize>>,
    /// Seconds of music played per second of computing; only for models.
    pub times_real_time: Option<f64>,
    /// After a jump of the piano; only for models.
    pub key_change: Option<Recovery>,
}

impl Played {
    /// What a band played to its own pianos.
    pub fn new(name: impl Into<String>, parts: Vec<Parts>) -> Self {
        let pianos = (0..parts.len()).map(|i| vec![i]).collect();
        Self { name: name.into(), parts, pianos, times_real_time: None, key_change: None }
    }

    /// Whether it is new music: not people's band against other pianos, their last bar again, or their band
    /// through the grid.
    pub fn is_own(&self) -> bool {
        ![SHUFFLED, COPY, GRID].contains(&self.name.as_str())
    }
}

/// Has people, the controls and the bands play the songs. The first is people, the second shuffled pairs,
/// which everything is measured by; of the others those that are shown. `table` holds the velocities that the
/// grid is played back with. `progress` gets a step for each song that is played; its length is raised alike.
///
/// # Errors
/// When a band cannot play a song, or `only` names no row that there is.
pub fn play_all(
    songs: &[EvalSong],
    bands: &mut [Box<dyn Accompanist>],
    table: &VelocityTable,
    options: &Options,
    progress: &ProgressBar,
) -> anyhow::Result<Vec<Played>> {
    let names: Vec<String> = [PEOPLE, SHUFFLED, COPY, GRID]
        .map(str::to_owned)
        .into_iter()
        .chain(bands.iter().map(|b| b.name().to_owned()))
        .collect();
    if let Some(unknown) = options.only.iter().find(|o| !names.contains(o)) {
        anyhow::bail!("there is no row '{unknown}': choose from {}", names.join(", "));
    }
    anyhow::ensure!(!songs.is_empty(), "there is no song to measure on");
    let resamples = Resamples::new(songs.len(), options.resamples, options.seed);
    let people: Vec<Parts> = songs.iter().map(|s| s.people.clone()).collect();
    let others = other_pianos(songs, options.shuffles, options.seed);
    let mut played =
        vec![Played::new(PEOPLE, people.clone()), Played { pianos: others, ..Played::new(SHUFFLED, people) }];
    if options.shows(COPY) {
        played.push(Played::new(COPY, songs.iter().map(copy_last_bar).collect()));
    }
    if options.shows(GRID) {
        played.push(Played::new(GRID, songs.iter().map(|s| through_the_grid(s, table)).collect()));
    }
    for band in bands.iter_mut().filter(|b| options.shows(b.name())) {
        played.push(play(band.as_mut(), songs, &resamples, options, progress)?);
    }
    Ok(played)
}

/// Measures what [`play_all`] gave, and what was added to it. `pool` does the work; `progress` gets a step for
/// each part that the discriminator sees.
pub fn compare(
    songs: &[EvalSong],
    played: &[Played],
    options: &Options,
    progress: &ProgressBar,
    pool: &rayon::ThreadPool,
) -> Comparison {
    let resamples = Resamples::new(songs.len(), options.resamples, options.seed);
    let (tallies, discriminations) = pool.install(|| {
        let tallies: Vec<Vec<Tally>> = played.par_iter().map(|p| tallies(p, songs)).collect();
        (tallies, told_rows(&played[1..], songs, &resamples, options, progress))
    });
    let rows = played
        .iter()
        .zip(&tallies)
        .zip(std::iter::once(Vec::new()).chain(discriminations))
        .filter(|((p, _), _)| options.shows(&p.name))
        .map(|((p, tally), discrimination)| Row {
            cells: cells(tally, &tallies[1], &tallies[0], &resamples),
            name: p.name.clone(),
            discrimination,
            key_change: p.key_change.clone(),
            times_real_time: p.times_real_time,
        })
        .collect();
    Comparison {
        songs: songs.len(),
        bars: songs.iter().map(|s| s.bars).sum(),
        with_part: std::array::from_fn(|i| songs.iter().filter(|s| s.present[i]).count()),
        seed: options.seed,
        rows,
    }
}

fn play(
    band: &mut dyn Accompanist,
    songs: &[EvalSong],
    resamples: &Resamples,
    options: &Options,
    progress: &ProgressBar,
) -> anyhow::Result<Played> {
    progress.set_message(format!("{} plays", band.name()));
    progress.inc_length(songs.len() as u64);
    let begun = std::time::Instant::now();
    let mut parts = Vec::with_capacity(songs.len());
    for (i, song) in songs.iter().enumerate() {
        let notes = band
            .play(&Request::new(i, song))
            .map_err(|e| e.context(format!("{} could not play to {}", band.name(), song.name)))?;
        parts.push(cut_parts(&notes, song.bars, song.present));
        progress.inc(1);
    }
    let music: f64 = songs.iter().map(|s| s.steps() as f64 * 15.0 / s.bpm.max(1.0)).sum();
    let times_real_time = Some(music / begun.elapsed().as_secs_f64().max(1e-9));
    let key_change = if options.key_change {
        progress.set_message(format!("{} after a jump", band.name()));
        progress.inc_length(songs.len() as u64);
        Some(after_jump(band, songs, resamples, progress)?)
    } else {
        None
    };
    Ok(Played { times_real_time, key_change, ..Played::new(band.name(), parts) })
}

/// What each song contributes; where a band is set against several pianos, their sum.
pub(super) fn tallies(played: &Played, songs: &[EvalSong]) -> Vec<Tally> {
    (0..songs.len())
        .map(|i| {
            let mut total = Tally::default();
            for &j in &played.pianos[i] {
                // Where no other piano is as long, only the bars that both have.
                let bars = songs[i].bars.min(songs[j].bars);
                let parts = cut_parts(&played.parts[i], bars, songs[i].present);
                total.merge(&measure(&parts, &songs[j].piano, bars, songs[i].present));
            }
            total
        })
        .collect()
}

fn cells(tally: &[Tally], shuffled: &[Tally], people: &[Tally], resamples: &Resamples) -> Vec<Cell> {
    let of =
        |tallies: &[Tally], f: Metric| -> Vec<Option<f64>> { tallies.iter().map(|t| t.value(f)).collect() };
    Metric::all()
        .into_iter()
        .filter_map(|f| {
            let (mine, floor, ceiling) = (of(tally, f), of(shuffled, f), of(people, f));
            Some(Cell {
                figure: f.name(),
                part: f.part().map(Part::name),
                value: resamples.mean(&mine)?,
                coupling: if Metric::COUPLED.contains(&f) {
                    resamples.coupling(&mine, &floor, &ceiling)
                } else {
                    None
                },
                against_people: resamples.quotient(&mine, &ceiling),
                above_people: resamples.difference(&mine, &ceiling),
            })
        })
        .collect()
}

/// The discriminator on each row but people's; empty where the row is not shown.
fn told_rows(
    played: &[Played],
    songs: &[EvalSong],
    resamples: &Resamples,
    options: &Options,
    progress: &ProgressBar,
) -> Vec<Vec<PartDiscrimination>> {
    let groups: Vec<&str> = songs.iter().map(|s| s.group.as_str()).collect();
    let jobs: Vec<(usize, Part)> = played
        .iter()
        .enumerate()
        .filter(|(_, p)| options.discrimination && options.shows(&p.name))
        .flat_map(|(row, _)| Part::ALL.map(|part| (row, part)))
        .collect();
    progress.set_message("telling apart");
    progress.inc_length(jobs.len() as u64);
    let done: Vec<(usize, Vec<PartDiscrimination>)> = jobs
        .par_iter()
        .map(|&(row, part)| {
            let p = &played[row];
            let pianos: Vec<Vec<Half>> = (0..songs.len())
                .map(|i| {
                    let piano = p.pianos[i].first().map_or(&[][..], |&j| &songs[j].piano);
                    halves(piano, songs[i].bars)
                })
                .collect();
            let pairs = samples(songs, &p.parts, &pianos, part);
            let discrimination = View::ALL
                .into_iter()
                .filter_map(|view| {
                    let discrimination = discriminate(&pairs, &groups, view, resamples, options.seed)?;
                    Some(PartDiscrimination { part: part.name(), view, result: discrimination })
                })
                .collect();
            progress.inc(1);
            (row, discrimination)
        })
        .collect();
    let mut out: Vec<Vec<PartDiscrimination>> = vec![Vec::new(); played.len()];
    for (row, discrimination) in done {
        out[row].extend(discrimination);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::{fixtures, report};
    use crate::report::table::Table;

    /// Plays music that was made before.
    struct Known(&'static str, Vec<Parts>);

    impl Accompanist for Known {
        fn name(&self) -> &str {
            self.0
        }

        fn play(&mut self, request: &Request<'_>) -> anyhow::Result<Parts> {
            Ok(self.1[request.song].clone())
        }
    }

    fn options(only: &[&str]) -> Options {
        let only = only.iter().map(|&s| s.to_owned()).collect();
        Options { only, shuffles: 2, resamples: 50, seed: 3, discrimination: true, key_change: false }
    }

    fn compared(
        songs: &[EvalSong],
        bands: &mut [Box<dyn Accompanist>],
        only: &[&str],
    ) -> anyhow::Result<Comparison> {
        compared_on(1, songs, bands, only)
    }

    fn compared_on(
        threads: usize,
        songs: &[EvalSong],
        bands: &mut [Box<dyn Accompanist>],
        only: &[&str],
    ) -> anyhow::Result<Comparison> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let (options, bar) = (options(only), ProgressBar::hidden());
        let played = play_all(songs, bands, &VelocityTable::default(), &options, &bar)?;
        Ok(compare(songs, &played, &options, &bar, &pool))
    }

    #[test]
    fn a_band_that_plays_what_people_play_scores_as_they_do() {
        let songs = fixtures::songs(10, 16, 1);
        let people = songs.iter().map(|s| s.people.clone()).collect();
        let mut bands: Vec<Box<dyn Accompanist>> =
            vec![Box::new(Known("echo", people)), Box::new(Known("metronome", fixtures::metronome(&songs)))];
        let c = compared(&songs, &mut bands, &[]).unwrap();
        let names: Vec<&str> = c.rows.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, [PEOPLE, SHUFFLED, COPY, GRID, "echo", "metronome"]);
        let (people, shuffled, echo, metronome) = (&c.rows[0], &c.rows[1], &c.rows[4], &c.rows[5]);
        for f in Metric::all() {
            assert_eq!(people.cell(f).map(|c| c.value), echo.cell(f).map(|c| c.value), "{f:?}");
        }
        for f in Metric::COUPLED {
            assert_eq!(echo.cell(f).unwrap().coupling.unwrap().value, 1.0);
            assert_eq!(shuffled.cell(f).unwrap().coupling.unwrap().value, 0.0);
            assert!(metronome.cell(f).unwrap().coupling.unwrap().value < 0.5);
        }
        assert!(people.discrimination.is_empty());
        assert_eq!(echo.discrimination.len(), Part::ALL.len() * View::ALL.len());
        assert!(echo.discrimination.iter().all(|t| (t.result.area.value - 0.5).abs() < 1e-9));
        assert!(metronome.discrimination.iter().all(|t| t.result.area.value > 0.95));
        assert!(echo.times_real_time.is_some() && people.times_real_time.is_none());
    }

    #[test]
    fn only_some_rows_are_shown_and_coupling_stays() {
        let songs = fixtures::songs(8, 16, 2);
        let all = compared(&songs, &mut [], &[]).unwrap();
        let some = compared(&songs, &mut [], &[COPY]).unwrap();
        assert_eq!(some.rows.len(), 1);
        assert_eq!(
            some.rows[0].cell(Metric::BassIn).unwrap().coupling,
            all.rows[2].cell(Metric::BassIn).unwrap().coupling
        );
        let e = compared(&songs, &mut [], &["nobody"]).unwrap_err().to_string();
        assert!(e.contains("nobody") && e.contains("people, shuffled, copy, grid"), "{e}");
    }

    #[test]
    fn parts_that_a_song_lacks_count_nowhere() {
        let mut songs = fixtures::songs(6, 16, 3);
        for song in &mut songs[..4] {
            song.present[3] = false;
            song.people[3].clear();
        }
        let mut bands: Vec<Box<dyn Accompanist>> =
            vec![Box::new(Known("metronome", fixtures::metronome(&songs)))];
        let c = compared(&songs, &mut bands, &[]).unwrap();
        assert_eq!(c.with_part, [6, 6, 6, 2]);
        for row in &c.rows {
            assert_eq!(row.cell(Metric::EmptyBars(Part::Strings)).unwrap().value.songs, 2, "{}", row.name);
            assert_eq!(row.cell(Metric::EmptyBars(Part::Bass)).unwrap().value.songs, 6);
        }
    }

    #[test]
    fn threads_change_nothing() {
        let songs = fixtures::songs(8, 16, 5);
        let on = |threads| report::csv(&compared_on(threads, &songs, &mut [], &[]).unwrap()).unwrap();
        assert!(on(1) == on(3));
    }

    #[test]
    fn reports_hold_every_row() {
        let songs = fixtures::songs(6, 16, 4);
        let mut bands: Vec<Box<dyn Accompanist>> =
            vec![Box::new(Known("metronome", fixtures::metronome(&songs)))];
        let c = compared(&songs, &mut bands, &[]).unwrap();
        let text: String = report::tables(&c).iter().map(Table::text).collect();
        for row in &c.rows {
            assert!(text.contains(&row.name));
        }
        let csv = String::from_utf8(report::csv(&c).unwrap()).unwrap();
        assert!(csv.starts_with("row,figure,part,songs,value,low,high\n"));
        assert!(csv.lines().any(|l| l.starts_with("copy,coupling bass_root,,6,")), "{csv}");
        assert!(csv.lines().any(|l| l.starts_with("metronome,told apart by the notes alone,Drums,6,")));
        let json: serde_json::Value = serde_json::from_slice(&serde_json::to_vec(&c).unwrap()).unwrap();
        assert_eq!(json["rows"][0]["cells"][0]["figure"], "bass_in");
        assert_eq!(json["rows"][4]["told_apart"][1]["view"], "touch");
    }
}
