//! What each control moves: the same pianos with a control at five places, everything else neutral.
//!
//! A control is good when it moves what it names, in one direction all the way, and hardly anything else.

use indicatif::ProgressBar;
use sideman_engine::Controls;
use sideman_engine::controls::Control;
use sideman_music::family::Part;
use sideman_music::time::{PULSES_PER_BEAT, STEP_PULSES};

use super::accompanist::{Accompanist, Request};
use super::figures::{Metric, Tally};
use super::interval::{Estimate, Resamples};
use super::measure::measure;
use super::song::{EvalSong, Parts, cut_parts, step_of};
use crate::report::table::{Table, estimate, number, percent};

/// Bars of each song that are played.
pub const BARS: usize = 32;
/// Places of a control.
pub const PLACES: usize = 5;

/// The controls that are turned, in the order of the tables.
pub fn controls() -> Vec<Control> {
    let position = |c: &Control| c.row().sweep.map(|s| s.0);
    let mut all: Vec<_> = Control::all().filter(|c| position(c).is_some()).collect();
    all.sort_by_key(position);
    all
}

/// Values that a control is set to, ascending.
fn places(control: Control) -> [f32; PLACES] {
    control.row().sweep.map_or([0.0; PLACES], |s| s.1)
}

/// What the tables call a control.
fn name(control: Control) -> String {
    let id = control.row().id;
    control.part().map_or_else(|| id.to_owned(), |part| format!("{id} of {}", part.name().to_lowercase()))
}

/// The measures that a control is to move.
fn targets(control: Control) -> Vec<Effect> {
    match control {
        Control::Intensity => vec![Effect::Notes, Effect::Velocity],
        Control::Complexity => vec![Effect::OffBeat],
        Control::Density(part) => vec![Effect::PartNotes(part)],
        Control::Swing => vec![Effect::SecondEighth],
        Control::Humanize => vec![Effect::OffGrid],
        Control::Temperature => vec![Effect::DistinctBars, Effect::ChordEntropy],
        _ => Vec::new(),
    }
}

/// Whether a measure cannot but move along with a control, or says the same as one of its targets.
fn moves_along(control: Control, effect: Effect) -> bool {
    use Effect::*;
    match control {
        Control::Intensity => matches!(effect, PartNotes(_) | EmptyBars),
        Control::Complexity => matches!(effect, Notes | PartNotes(_) | DistinctBars),
        Control::Density(_) => matches!(effect, Notes | EmptyBars),
        // The eighths leave the grid of 16ths for that of triplets.
        Control::Swing => matches!(effect, OffGrid),
        Control::Temperature => matches!(effect, Notes | PartNotes(_) | OffBeat),
        _ => false,
    }
}

/// Something that a control may move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Notes a bar of all parts.
    Notes,
    /// Notes a bar of a part.
    PartNotes(Part),
    /// Mean velocity.
    Velocity,
    /// Share of notes on another 16th than the four beats.
    OffBeat,
    /// Where the second eighth of a beat lies in it: .5 is straight, .667 the last triplet.
    SecondEighth,
    /// Mean distance from the nearest 16th or eighth triplet, in 24ths of a beat.
    OffGrid,
    /// Distinct bars over sounding bars, the mean of the parts.
    DistinctBars,
    /// Entropy of the chords in bits.
    ChordEntropy,
    /// Share of empty bars, the mean of the parts.
    EmptyBars,
    /// [`Metric::BassIn`].
    BassIn,
    /// [`Metric::ChordIn`].
    ChordIn,
}

impl Effect {
    /// All of them, in the order of the tables.
    pub fn all() -> Vec<Self> {
        use Effect::*;
        let mut out = vec![Notes];
        out.extend(Part::ALL.map(PartNotes));
        out.extend([Velocity, OffBeat, SecondEighth, OffGrid, DistinctBars, ChordEntropy, EmptyBars]);
        out.extend([BassIn, ChordIn]);
        out
    }

    /// Short name.
    pub fn name(self) -> String {
        match self {
            Self::Notes => "notes a bar".to_owned(),
            Self::PartNotes(part) => part.name().to_lowercase(),
            Self::Velocity => "velocity".to_owned(),
            Self::OffBeat => "off the beat".to_owned(),
            Self::SecondEighth => "second eighth".to_owned(),
            Self::OffGrid => "off the grid".to_owned(),
            Self::DistinctBars => "distinct bars".to_owned(),
            Self::ChordEntropy => "chord entropy".to_owned(),
            Self::EmptyBars => "empty bars".to_owned(),
            Self::BassIn => "bass_in".to_owned(),
            Self::ChordIn => "chord_in".to_owned(),
        }
    }

    /// Of what a band of all four parts played to a song, which measures as it is told.
    fn of(self, parts: &Parts, song: &EvalSong, tally: &Tally) -> Option<f64> {
        let all = || parts.iter().flatten();
        let mean = |values: &mut dyn Iterator<Item = f64>| {
            let (sum, n) = values.fold((0.0, 0.0), |(s, n), v| (s + v, n + 1.0));
            (n > 0.0).then(|| sum / n)
        };
        let figure = |f: Metric| tally.value(f);
        let over_parts =
            |f: fn(Part) -> Metric| mean(&mut Part::ALL.into_iter().filter_map(|p| tally.value(f(p))));
        match self {
            Self::Notes => Some(all().count() as f64 / song.bars as f64),
            Self::PartNotes(part) => Some(parts[part.index()].len() as f64 / song.bars as f64),
            Self::Velocity => mean(&mut all().map(|n| f64::from(n.velocity))),
            Self::OffBeat => {
                mean(&mut all().map(|n| f64::from(u8::from(step_of(n.onset).rem_euclid(4) != 0))))
            }
            Self::SecondEighth => {
                // Between the second 16th, swung or not, and the last one.
                let inside =
                    all().map(|n| n.onset.rem_euclid(PULSES_PER_BEAT)).filter(|p| (200..345).contains(p));
                mean(&mut inside.map(|p| p as f64 / PULSES_PER_BEAT as f64))
            }
            Self::OffGrid => mean(&mut all().map(|n| off_grid(n.onset))),
            Self::DistinctBars => over_parts(Metric::DistinctBars),
            Self::ChordEntropy => figure(Metric::ChordEntropy),
            Self::EmptyBars => over_parts(Metric::EmptyBars),
            Self::BassIn => figure(Metric::BassIn),
            Self::ChordIn => figure(Metric::ChordIn),
        }
    }
}

/// Distance in 24ths of a beat from the nearest 16th or eighth triplet.
fn off_grid(onset: i64) -> f64 {
    let nearest = |grid: i64| {
        let late = onset.rem_euclid(grid);
        late.min(grid - late)
    };
    nearest(STEP_PULSES).min(nearest(PULSES_PER_BEAT / 3)) as f64 * 24.0 / PULSES_PER_BEAT as f64
}

/// What a control does to what it names.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Target {
    /// [`Effect::name`].
    pub effect: String,
    /// The mean over songs at each place.
    pub means: Vec<f64>,
    /// At the last place less at the first.
    pub change: Option<Estimate>,
    /// Share of songs in which it never falls by more than a twentieth of the way from least to most.
    pub monotone: f64,
    /// Spearman's rank correlation with the place, the mean of the songs.
    pub rank: Option<Estimate>,
}

/// What a control does.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ControlResponse {
    /// Name of the band.
    pub band: String,
    /// Its name.
    pub control: String,
    /// Values that it was set to.
    pub places: Vec<f32>,
    /// What it names.
    pub targets: Vec<Target>,
    /// What else moves: the effect, by what share of its neutral value it changes from the first place to the
    /// last, and whether it cannot but move along.
    pub others: Vec<(String, f64, bool)>,
}

/// Turns all controls of a band. Of each song the first [`BARS`] bars are played, by all four parts.
///
/// # Errors
/// When the band cannot play a song.
pub fn control_responses(
    band: &mut dyn Accompanist,
    songs: &[EvalSong],
    resamples: &Resamples,
    progress: &ProgressBar,
) -> anyhow::Result<Vec<ControlResponse>> {
    let songs: Vec<EvalSong> = songs.iter().map(|s| s.shortened(BARS)).collect();
    let controls = controls();
    progress.set_message(format!("{} is turned", band.name()));
    progress.inc_length((songs.len() * (controls.len() * (PLACES - 1) + 1)) as u64);
    let mut play = |controls: Controls| -> anyhow::Result<Vec<Vec<Option<f64>>>> {
        let mut out = Vec::with_capacity(songs.len());
        for (i, song) in songs.iter().enumerate() {
            let parts = band.play(&Request { controls, ..Request::new(i, song) })?;
            let parts = cut_parts(&parts, song.bars, [true; 4]);
            let tally = measure(&parts, &song.piano, song.bars, [true; 4]);
            out.push(Effect::all().into_iter().map(|e| e.of(&parts, song, &tally)).collect());
            progress.inc(1);
        }
        Ok(out)
    };
    let neutral = play(Controls::default())?;
    let mut out = Vec::new();
    for control in controls {
        // By place, song and effect.
        let mut moved = Vec::with_capacity(PLACES);
        for place in places(control) {
            let mut put = Controls::default();
            put.set(control, place);
            moved.push(if put == Controls::default() { neutral.clone() } else { play(put)? });
        }
        out.push(turned(control, &moved, &neutral, resamples));
    }
    for t in &mut out {
        t.band = band.name().to_owned();
    }
    Ok(out)
}

type BySongAndEffect = Vec<Vec<Option<f64>>>;

fn turned(
    control: Control,
    moved: &[BySongAndEffect],
    neutral: &BySongAndEffect,
    resamples: &Resamples,
) -> ControlResponse {
    let effects = Effect::all();
    let targets = targets(control);
    let mean = |of: &BySongAndEffect, e: usize| {
        let values: Vec<f64> = of.iter().filter_map(|song| song[e]).collect();
        values.iter().sum::<f64>() / values.len().max(1) as f64
    };
    let target = |e: usize| {
        // Of the songs that have it at every place.
        let songs: Vec<Option<Vec<f64>>> =
            (0..neutral.len()).map(|s| moved.iter().map(|place| place[s][e]).collect()).collect();
        let all: Vec<&Vec<f64>> = songs.iter().flatten().collect();
        let changes: Vec<Option<f64>> =
            songs.iter().map(|s| s.as_ref().map(|v| v[PLACES - 1] - v[0])).collect();
        let ranks: Vec<Option<f64>> = songs.iter().map(|s| s.as_ref().map(|v| rank_correlation(v))).collect();
        Target {
            effect: effects[e].name(),
            means: (0..moved.len())
                .map(|p| all.iter().map(|v| v[p]).sum::<f64>() / all.len().max(1) as f64)
                .collect(),
            change: resamples.mean(&changes),
            monotone: all.iter().filter(|v| is_monotone(v)).count() as f64 / all.len().max(1) as f64,
            rank: resamples.mean(&ranks),
        }
    };
    let at = |wanted: Effect| effects.iter().position(|&e| e == wanted);
    let others = effects
        .iter()
        .enumerate()
        .filter(|(_, e)| !targets.contains(e))
        .map(|(i, &e)| {
            let change = mean(&moved[PLACES - 1], i) - mean(&moved[0], i);
            (e.name(), change / mean(neutral, i).abs().max(1e-6), moves_along(control, e))
        })
        .collect();
    ControlResponse {
        band: String::new(),
        control: name(control),
        places: places(control).to_vec(),
        targets: targets.iter().filter_map(|&t| at(t)).map(target).collect(),
        others,
    }
}

/// Whether values rise all the way: none falls by more than a twentieth of the way from the least to the
/// most, and the last is above the first.
fn is_monotone(values: &[f64]) -> bool {
    let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(l, h), &v| (l.min(v), h.max(v)));
    let slack = (high - low) * 0.05;
    high - low > 1e-9 && values.windows(2).all(|w| w[1] >= w[0] - slack) && values.last() > values.first()
}

/// Spearman's rank correlation of values with their index; 0 where they are all alike.
fn rank_correlation(values: &[f64]) -> f64 {
    let ranks: Vec<f64> = values
        .iter()
        .map(|v| {
            let below = values.iter().filter(|w| *w < v).count() as f64;
            below + (values.iter().filter(|w| *w == v).count() as f64 - 1.0) / 2.0
        })
        .collect();
    let places: Vec<f64> = (0..values.len()).map(|i| i as f64).collect();
    super::measure::correlation(&places, &ranks).unwrap_or(0.0)
}

/// The tables of a band's controls.
pub fn tables(turned: &[ControlResponse]) -> Vec<Table> {
    let Some(first) = turned.first() else { return Vec::new() };
    let head =
        ["control", "moves", "lowest", "", "", "", "highest", "change", "monotone", "rank correlation"];
    let mut t = Table::new(
        format!(
            "Controls of {}: what each names, at five places; in how many songs it rises all the way; rank \
             correlation",
            first.band
        ),
        head,
    )
    .names(2);
    for c in turned {
        for target in &c.targets {
            let means = target.means.iter().map(|&m| number(m));
            let end =
                [estimate(target.change.as_ref()), percent(target.monotone), estimate(target.rank.as_ref())];
            t.push([c.control.clone(), target.effect.clone()].into_iter().chain(means).chain(end));
        }
    }
    let names: Vec<String> = Effect::all().into_iter().map(Effect::name).collect();
    let title = format!(
        "Controls of {}: what else moves from the lowest place to the highest, in percent of its neutral value \
         (in brackets: what the control names or cannot but move along)",
        first.band
    );
    let mut side = Table::new(title, std::iter::once("control".to_owned()).chain(names.iter().cloned()));
    for c in turned {
        let cells = names.iter().map(|name| match c.others.iter().find(|o| o.0 == *name) {
            Some((_, change, true)) => format!("({:+.0})", change * 100.0),
            Some((_, change, false)) => format!("{:+.0}", change * 100.0),
            None => "(*)".to_owned(),
        });
        side.push(std::iter::once(c.control.clone()).chain(cells));
    }
    vec![t, side]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::fixtures;
    use sideman_music::score::Note;

    /// Heeds intensity by velocity, density of the bass by notes, swing by the second eighth, and no other
    /// control.
    struct Heeds;

    impl Accompanist for Heeds {
        fn name(&self) -> &str {
            "heeds"
        }

        fn play(&mut self, request: &Request<'_>) -> anyhow::Result<Parts> {
            let c = request.controls;
            let mut parts = Parts::default();
            for eighth in 0..request.steps as i64 / 2 {
                let late = if eighth % 2 == 1 { (c.swing * 80.0) as i64 } else { 0 };
                let velocity = 60 + (c.intensity * 40.0) as u8;
                let note = |pitch| Note { onset: eighth * 240 + late, pitch, length: 100, velocity };
                parts[0].push(note(36));
                if eighth % 8 < 1 + (c.parts[1].density * 7.0) as i64 {
                    parts[1].push(note(40));
                }
            }
            Ok(parts)
        }
    }

    fn all() -> Vec<ControlResponse> {
        let songs = fixtures::songs(4, 16, 1);
        control_responses(&mut Heeds, &songs, &Resamples::new(4, 50, 1), &ProgressBar::hidden()).unwrap()
    }

    fn find<'a>(all: &'a [ControlResponse], control: &str) -> &'a ControlResponse {
        all.iter().find(|t| t.control == control).unwrap()
    }

    #[test]
    fn what_a_control_moves_is_found_and_nothing_else() {
        let all = all();
        let density = &find(&all, "density of bass").targets[0];
        assert_eq!(density.means, [1.0, 2.0, 4.0, 6.0, 8.0]);
        assert_eq!(
            (density.monotone, density.rank.unwrap().value, density.change.unwrap().value),
            (1.0, 1.0, 7.0)
        );
        let swing = &find(&all, "swing").targets[0];
        assert!((swing.means[0] - 0.5).abs() < 1e-9 && (swing.means[4] - 2.0 / 3.0).abs() < 1e-9);
        assert_eq!(swing.monotone, 1.0);
        let intensity = find(&all, "intensity");
        // It names notes and velocity and moves velocity alone.
        assert_eq!((intensity.targets[0].monotone, intensity.targets[0].rank.unwrap().value), (0.0, 0.0));
        assert_eq!((intensity.targets[1].monotone, intensity.targets[1].means[4]), (1.0, 100.0));
        assert!(intensity.others.iter().all(|o| o.1 == 0.0), "{:?}", intensity.others);
    }

    #[test]
    fn a_control_that_does_nothing_is_flat() {
        let all = all();
        for control in ["complexity", "humanize", "temperature", "density of drums"] {
            let t = find(&all, control);
            for target in &t.targets {
                assert!(target.means.windows(2).all(|w| w[0] == w[1]), "{control}");
                assert_eq!((target.monotone, target.rank.map_or(0.0, |r| r.value)), (0.0, 0.0));
            }
            assert!(t.others.iter().all(|o| o.1 == 0.0));
        }
        let text: String = tables(&all).iter().map(Table::text).collect();
        assert!(text.contains("density of guitar") && text.contains("second eighth"));
    }

    #[test]
    fn rising_is_told_from_wavering() {
        assert!(is_monotone(&[1.0, 1.0, 2.0, 1.98, 3.0]));
        assert!(!is_monotone(&[1.0, 2.0, 1.5, 2.0, 3.0]));
        assert!(!is_monotone(&[1.0; 5]) && !is_monotone(&[3.0, 2.0, 1.0, 1.0, 1.0]));
        assert_eq!(rank_correlation(&[1.0, 2.0, 4.0, 8.0, 9.0]), 1.0);
        assert_eq!(rank_correlation(&[5.0, 4.0, 3.0, 2.0, 1.0]), -1.0);
        assert!((rank_correlation(&[1.0, 1.0, 2.0]) - 0.866).abs() < 1e-3);
        assert_eq!(rank_correlation(&[1.0; 4]), 0.0);
    }

    #[test]
    fn the_grid_is_that_of_16ths_and_triplets() {
        assert_eq!([0, 120, 160, 320, 360, 480].map(off_grid), [0.0; 6]);
        assert_eq!(off_grid(260), 1.0);
    }
}
