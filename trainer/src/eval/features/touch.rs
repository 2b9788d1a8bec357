//! How a part is played, as finely as it is heard: velocity in bins of 4, timing in 24ths of a beat.
//!
//! A chord counts as one onset, as loud as its loudest note and as late as its notes are on average; each
//! drum counts for itself.

use std::collections::BTreeMap;

use sideman_music::family::Part;
use sideman_music::time::STEP_TICKS;

use super::{Features, GridNote, chords, deviation, mean, quantile};

/// A drum note or a chord.
struct Onset {
    step: i64,
    symbol: u8,
    /// Velocity in the middle of its bin.
    velocity: f64,
    late_ticks: f64,
    /// Longest length in ticks.
    length: f64,
}

fn onsets(part: Part, notes: &[GridNote]) -> Vec<Onset> {
    let one = |c: &[GridNote]| Onset {
        step: c[0].step,
        symbol: if part == Part::Drums { c[0].symbol } else { 0 },
        velocity: f64::from(c.iter().map(|n| n.loudness).max().unwrap_or(0)) * 4.0 + 2.0,
        late_ticks: mean(&c.iter().map(|n| n.late_ticks as f64).collect::<Vec<_>>()),
        length: c.iter().map(GridNote::ticks).max().unwrap_or(0) as f64,
    };
    match part {
        Part::Drums => notes.chunks(1).map(one).collect(),
        _ => chords(notes).into_iter().map(one).collect(),
    }
}

pub(super) fn describe(part: Part, notes: &[GridNote], f: &mut Features) {
    let onsets = onsets(part, notes);
    velocities(&onsets, f);
    timing(part, notes, &onsets, f);
    if part == Part::Drums {
        kit(&onsets, f);
    } else {
        lengths(&onsets, f);
    }
}

fn velocities(onsets: &[Onset], f: &mut Features) {
    let all: Vec<f64> = onsets.iter().map(|o| o.velocity).collect();
    let mut sorted = all.clone();
    sorted.sort_by(f64::total_cmp);
    f.put_all("velocity", [mean(&all), deviation(&all)]);
    f.put_all("velocity quantile", [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0].map(|q| quantile(&sorted, q)));
    f.put_all("different velocities", variety(all.iter().map(|&v| v as i64)));
    let accent = |so: &dyn Fn(i64) -> bool| {
        let some: Vec<f64> = onsets.iter().filter(|o| so(o.step)).map(|o| o.velocity).collect();
        if some.is_empty() { 0.0 } else { mean(&some) - mean(&all) }
    };
    f.put_all(
        "accent on strength",
        [accent(&|s| s % 16 == 0), accent(&|s| s % 4 == 0), accent(&|s| s % 4 == 2), accent(&|s| s % 2 == 1)],
    );
    f.put_all("accent by beat", [0, 1, 2, 3].map(|b| accent(&|s| s % 16 / 4 == b)));
    f.put_all("accent by bar", [0, 1, 2, 3].map(|b| accent(&|s| s / 16 == b)));
    let moves: Vec<f64> = all.windows(2).map(|w| (w[1] - w[0]).abs()).collect();
    f.put_all("velocity from onset to onset", [mean(&moves), share(&moves, |m| m == 0.0)]);
    // The same a bar earlier.
    let cells: BTreeMap<(i64, u8), f64> = onsets.iter().map(|o| ((o.step, o.symbol), o.velocity)).collect();
    let again: Vec<f64> = cells
        .iter()
        .filter_map(|(&(step, symbol), v)| Some((v - cells.get(&(step - 16, symbol))?).abs()))
        .collect();
    f.put_all("velocity against a bar ago", [mean(&again), share(&again, |d| d == 0.0)]);
}

/// Number of different values, that over the number of values, and the share of the most common one.
pub(super) fn variety(values: impl Iterator<Item = i64>) -> [f64; 3] {
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for v in values {
        *counts.entry(v).or_default() += 1;
    }
    let total = counts.values().sum::<usize>().max(1) as f64;
    let most = counts.values().copied().max().unwrap_or(0) as f64;
    [counts.len() as f64, counts.len() as f64 / total, most / total]
}

/// Share of values that something is true of; 0 of nothing.
pub(super) fn share(values: &[f64], so: impl Fn(f64) -> bool) -> f64 {
    values.iter().filter(|&&v| so(v)).count() as f64 / values.len().max(1) as f64
}

fn timing(part: Part, notes: &[GridNote], onsets: &[Onset], f: &mut Features) {
    // The drums of a step are looked at together: which of them is late is a detail.
    let steps: Vec<(i64, f64)> = match part {
        Part::Drums => chords(notes)
            .iter()
            .map(|c| (c[0].step, mean(&c.iter().map(|n| n.late_ticks as f64).collect::<Vec<_>>()).round()))
            .collect(),
        _ => onsets.iter().map(|o| (o.step, o.late_ticks.round())).collect(),
    };
    let late: Vec<f64> = steps.iter().map(|s| s.1).collect();
    let sizes: Vec<f64> = late.iter().map(|l| l.abs()).collect();
    f.put_all("ticks late", [mean(&late), deviation(&late), mean(&sizes)]);
    f.put_shares::<6>("late by", late.iter().map(|&l| (l + 3.0).clamp(0.0, 5.0) as usize));
    let on =
        |so: &dyn Fn(i64) -> bool| mean(&steps.iter().filter(|s| so(s.0)).map(|s| s.1).collect::<Vec<_>>());
    f.put_all("ticks late by strength", [on(&|s| s % 4 == 0), on(&|s| s % 4 == 2), on(&|s| s % 2 == 1)]);
    let moves: Vec<f64> = late.windows(2).map(|w| (w[1] - w[0]).abs()).collect();
    f.put_all("lateness from onset to onset", [mean(&moves), share(&moves, |m| m == 0.0)]);
}

/// Velocity of the drums in groups.
fn kit(onsets: &[Onset], f: &mut Features) {
    let groups: [(&'static str, &[u8]); 4] = [
        ("velocity of the kick", &[0]),
        ("velocity of the snares", &[1, 2, 3, 4]),
        ("velocity of hats and rides", &[5, 6, 7, 8]),
        ("velocity of the rest", &[9, 10, 11, 12, 13, 14, 15]),
    ];
    for (name, classes) in groups {
        let some: Vec<f64> =
            onsets.iter().filter(|o| classes.contains(&o.symbol)).map(|o| o.velocity).collect();
        f.put_all(name, [mean(&some), deviation(&some), variety(some.iter().map(|&v| v as i64))[0]]);
    }
}

fn lengths(onsets: &[Onset], f: &mut Features) {
    let logs: Vec<f64> = onsets.iter().map(|o| o.length.max(1.0).log2()).collect();
    f.put_all("logarithm of length", [mean(&logs), deviation(&logs)]);
    f.put_all("different lengths in ticks", variety(onsets.iter().map(|o| o.length as i64)));
    let mut ratios: Vec<f64> = onsets
        .windows(2)
        .map(|w| (w[0].length / ((w[1].step - w[0].step) * STEP_TICKS) as f64).min(4.0))
        .collect();
    f.put_all("length against the next onset", [mean(&ratios), deviation(&ratios)]);
    ratios.sort_by(f64::total_cmp);
    let quantiles = [0.1, 0.25, 0.5, 0.75, 0.9].map(|q| quantile(&ratios, q));
    f.put_all("length against the next onset, quantile", quantiles);
}

#[cfg(test)]
mod tests {
    use super::*;
    use sideman_music::score::Note;

    #[test]
    fn variety_counts_values() {
        assert_eq!(variety([1, 1, 1, 5].into_iter()), [2.0, 0.5, 0.75]);
        assert_eq!(variety([].into_iter()), [0.0, 0.0, 0.0]);
    }

    #[test]
    fn timing_and_velocity_are_read_by_onset() {
        let at = |step: i64, late, velocity, pitch| {
            let note = Note { onset: step * 120 + late, pitch, length: 60, velocity };
            GridNote::new(Part::Guitar, &note, 0)
        };
        // The chord of the third onset is 1 tick late on average, and as loud as its upper note.
        let notes =
            [at(0, 0, 100, 40), at(2, 40, 80, 40), at(4, 0, 60, 40), at(4, 40, 100, 45), at(16, 0, 96, 40)];
        let mut f = Features::default();
        describe(Part::Guitar, &notes, &mut f);
        let value = |name: &str| {
            let i = (0..f.values.len()).find(|&i| f.name(i) == name).unwrap_or_else(|| panic!("no '{name}'"));
            f.values[i]
        };
        assert_eq!((value("ticks late[0]"), value("ticks late by strength[1]")), (0.75, 2.0));
        assert_eq!((value("late by[3]"), value("late by[4]"), value("late by[5]")), (0.5, 0.25, 0.25));
        assert_eq!(value("velocity[0]"), (102.0 + 82.0 + 102.0 + 98.0) / 4.0);
        assert_eq!(value("velocity against a bar ago[0]"), 4.0);
        assert_eq!(value("accent on strength[0]"), 4.0);
        assert_eq!(value("velocity from onset to onset[1]"), 0.0);
        assert_eq!(value("length against the next onset[0]"), ((0.25 + 0.25 + 3.0 / 72.0) / 3.0) as f32);
    }
}
