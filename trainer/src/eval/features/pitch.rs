//! What bass, guitar and strings play: pitches, their fit to the piano, chords, voice leading, lengths.

use std::collections::BTreeSet;

use super::rhythm::distance_class;
use super::{Features, GridNote, STEPS, chords, deviation, mean};
use crate::eval::song::Half;
use sideman_music::time::STEP_TICKS;

/// Class of a melodic move: down more than an octave, octave, 8-11, fifth or more, fourth, third, second,
/// the same, then up alike.
fn move_class(semitones: i64) -> usize {
    let size = match semitones.abs() {
        0 => 0,
        1..=2 => 1,
        3..=4 => 2,
        5 => 3,
        6..=7 => 4,
        8..=11 => 5,
        12 => 6,
        _ => 7,
    };
    if semitones < 0 { 7 - size } else { 7 + size }
}

pub(super) fn describe(notes: &[GridNote], piano: &[Half], f: &mut Features) {
    let chords = chords(notes);
    let pitches: Vec<f64> = notes.iter().map(|n| f64::from(n.pitch)).collect();
    let lowest: Vec<f64> = chords.iter().map(|c| f64::from(c[0].pitch)).collect();
    let highest: Vec<f64> = chords.iter().map(|c| f64::from(c[c.len() - 1].pitch)).collect();
    for (name, values) in [("pitch", &pitches), ("lowest", &lowest), ("highest", &highest)] {
        f.put_all(name, [mean(values), deviation(values)]);
    }
    let (low, high) = (pitches.iter().copied().reduce(f64::min), pitches.iter().copied().reduce(f64::max));
    f.put_all("range", [low.unwrap_or(0.0), high.unwrap_or(0.0), high.unwrap_or(0.0) - low.unwrap_or(0.0)]);
    let different: BTreeSet<u8> = notes.iter().map(|n| n.pitch).collect();
    let classes: BTreeSet<u8> = notes.iter().map(|n| n.pitch % 12).collect();
    f.put_all("different pitches and classes", [different.len() as f64, classes.len() as f64]);

    harmony(notes, &chords, piano, f);
    voices(&chords, f);
    lengths(notes, &chords, f);
}

/// Against what the piano sounds in the half-bar.
fn harmony(notes: &[GridNote], chords: &[&[GridNote]], piano: &[Half], f: &mut Features) {
    let above = |n: &GridNote| piano[n.half()].above_lowest(n.pitch);
    let mut relative = [0.0; 12];
    let (mut inside, mut over) = (0.0, 0.0);
    for (n, degree) in notes.iter().filter_map(|n| above(n).map(|d| (n, d))) {
        relative[degree] += 1.0;
        inside += f64::from(u8::from(piano[n.half()].holds(n.pitch)));
        over += 1.0;
    }
    f.put_all("class above the piano's lowest", relative.map(|r| r / f64::max(over, 1.0)));
    f.put("on the piano's classes", inside / f64::max(over, 1.0));
    f.put("while the piano is silent", 1.0 - over / notes.len().max(1) as f64);
    f.put(
        "piano's classes",
        mean(&piano.iter().map(|h| f64::from(h.classes.count_ones())).collect::<Vec<_>>()),
    );
    // What opens each half-bar, and what is struck away from it.
    let opens = |c: &[GridNote]| c[0].step % 8 == 0;
    for (name, opening) in
        [("opening note above the piano's lowest", true), ("other lowest notes above it", false)]
    {
        let degrees: Vec<usize> =
            chords.iter().filter(|c| opens(c) == opening).filter_map(|c| above(&c[0])).collect();
        f.put_shares::<12>(name, degrees);
    }
    let mut covered = [0.0; 8];
    for (h, half) in piano.iter().enumerate() {
        let mine = notes.iter().filter(|n| n.half() == h).fold(0u16, |set, n| set | 1 << (n.pitch % 12));
        let common = f64::from((mine & half.classes).count_ones());
        covered[h] = common / f64::from(half.classes.count_ones()).max(1.0);
    }
    f.put("share of the piano's classes played", mean(&covered));
    let mut moves = Vec::new();
    for h in 1..8 {
        let set =
            |h: usize| notes.iter().filter(|n| n.half() == h).fold(0u16, |s, n| s | 1 << (n.pitch % 12));
        let (a, b) = (set(h - 1), set(h));
        if a != 0 && b != 0 {
            moves.push(f64::from((a & b).count_ones()) / f64::from((a | b).count_ones()));
        }
    }
    f.put("classes kept from half-bar to half-bar", mean(&moves));
}

/// Chord sizes, spacing, and how voices move.
fn voices(chords: &[&[GridNote]], f: &mut Features) {
    f.put_shares::<7>("notes at once", chords.iter().map(|c| c.len() - 1));
    let gaps = chords.iter().flat_map(|c| c.windows(2).map(|w| usize::from(w[1].pitch - w[0].pitch)));
    f.put_shares::<14>("gap inside chords", gaps);
    let span = chords.iter().filter(|c| c.len() > 1).map(|c| f64::from(c[c.len() - 1].pitch - c[0].pitch));
    f.put("span of chords", mean(&span.collect::<Vec<_>>()));
    let steps = |pick: fn(&[GridNote]) -> u8| -> Vec<i64> {
        chords.windows(2).map(|w| i64::from(pick(w[1])) - i64::from(pick(w[0]))).collect()
    };
    let (bottom, top) = (steps(|c| c[0].pitch), steps(|c| c[c.len() - 1].pitch));
    f.put_shares::<15>("move of the lowest", bottom.iter().map(|&s| move_class(s)));
    f.put_shares::<15>("move of the highest", top.iter().map(|&s| move_class(s)));
    for (name, moves) in [
        ("moves of the lowest: size, spread, turns", &bottom),
        ("moves of the highest: size, spread, turns", &top),
    ] {
        let sizes: Vec<f64> = moves.iter().map(|s| s.abs() as f64).collect();
        let turns = moves.windows(2).filter(|w| w[0].signum() * w[1].signum() < 0).count() as f64;
        f.put_all(name, [mean(&sizes), deviation(&sizes), turns / moves.len().max(1) as f64]);
    }
    let kept: Vec<f64> = chords
        .windows(2)
        .map(|w| {
            let common = w[0].iter().filter(|a| w[1].iter().any(|b| b.pitch == a.pitch)).count() as f64;
            common / w[0].len().max(w[1].len()) as f64
        })
        .collect();
    f.put_all("pitches kept", [mean(&kept), deviation(&kept)]);
}

/// How long notes are, in pairs of length bins, and how much of the time is filled.
fn lengths(notes: &[GridNote], chords: &[&[GridNote]], f: &mut Features) {
    let class = |n: &GridNote| usize::from(n.bin) / 2;
    // Whole steps that an onset sounds for, at least one.
    let reach = |c: &[GridNote]| {
        let longest = c.iter().map(GridNote::ticks).max().unwrap_or(0);
        ((longest + STEP_TICKS / 2) / STEP_TICKS).max(1)
    };
    f.put_shares::<12>("length", notes.iter().map(class));
    f.put_shares::<9>("longest length of an onset in steps", chords.iter().map(|c| distance_class(reach(c))));
    let classes: BTreeSet<usize> = notes.iter().map(class).collect();
    f.put("different lengths", classes.len() as f64);
    let mut filled = 0u64;
    for c in chords {
        for s in c[0].step..(c[0].step + reach(c)).min(STEPS) {
            filled |= 1 << s;
        }
    }
    f.put("steps filled", f64::from(filled.count_ones()) / STEPS as f64);
    let fit: Vec<i64> = chords.windows(2).map(|w| reach(w[0]) - (w[1][0].step - w[0][0].step)).collect();
    let share = |so: fn(i64) -> bool| fit.iter().filter(|&&d| so(d)).count() as f64 / fit.len().max(1) as f64;
    f.put_all(
        "short of, up to and over the next onset",
        [share(|d| d < 0), share(|d| d == 0), share(|d| d > 0)],
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use sideman_music::family::Part;
    use sideman_music::score::Note;

    #[test]
    fn moves_fall_into_classes() {
        assert_eq!([-13, -12, -1, 0, 2, 5, 7, 24].map(move_class), [0, 1, 6, 7, 8, 10, 11, 14]);
    }

    #[test]
    fn the_fit_to_the_piano_is_read_by_half_bar() {
        let at = |step: i64, pitch| {
            let note = Note { onset: step * 120, pitch, length: 240, velocity: 80 };
            GridNote::new(Part::Guitar, &note, 0)
        };
        let mut piano = [Half::default(); 8];
        piano[0] = Half { classes: 0b1001_0001, lowest: Some(48) };
        piano[1] = Half { classes: 0b0010_0100, lowest: Some(41) };
        let mut f = Features::default();
        describe(&[at(0, 36), at(4, 43), at(8, 36), at(20, 40)], &piano, &mut f);
        let value = |name: &str| {
            let i = (0..f.values.len()).find(|&i| f.name(i) == name).unwrap();
            f.values[i]
        };
        assert_eq!(value("on the piano's classes"), (2.0f64 / 3.0) as f32);
        assert_eq!(value("class above the piano's lowest[7]"), (2.0f64 / 3.0) as f32);
        assert_eq!(value("while the piano is silent"), 0.25);
        assert_eq!(value("opening note above the piano's lowest[0]"), 0.5);
        assert_eq!(value("steps filled"), 8.0 / 64.0);
        assert_eq!(value("different pitches and classes[0]"), 3.0);
    }
}
