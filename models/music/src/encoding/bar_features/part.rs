//! What one part does in one bar, as numbers that say little about key, tempo and metre.
//!
//! Positions are parts of the bar rather than of the beat, so that all metres fill the same sixteen places;
//! pitch classes are counted from the bass and from the tonic; counts are logarithms; everything else is a
//! share or a ratio of about 0 to 1. Nothing here allocates.

use std::ops::Range;

use super::bars::Bar;
use crate::score::Note;
use crate::time::{PULSES_PER_BEAT, Pulse};

/// Places of a bar in the histograms of positions.
pub const PLACES: usize = 16;
/// Length of the figures of a part in a bar.
pub const PART_FEATURES: usize = 12 + PLACES + 12 + 12 + 9 + 5;

/// Where in a part's figures the shares of onsets by position lie.
pub const POSITIONS: Range<usize> = 12..12 + PLACES;
/// Pitch classes above the bar's bass note, by number of notes.
pub const ABOVE_BASS: Range<usize> = 28..40;
/// Pitch classes above the tonic, by number of notes.
pub const ABOVE_TONIC: Range<usize> = 40..52;
/// Intervals of the highest line: repeated, a semitone up, down, a tone up, down, thirds, fourths and fifths,
/// sixths to octaves, wider.
pub const INTERVALS: Range<usize> = 52..61;
/// Onsets of one, two, three, four and more notes.
pub const CHORD_SIZES: Range<usize> = 61..66;

/// Notes struck within this many pulses of each other are one onset: 25 ms at 120 beats a minute.
const TOGETHER: Pulse = 24;

/// Fills the figures of a part in a bar; all zero when no note begins in it.
///
/// `notes` begin in the bar, sorted by onset. `bass` and `tonic` are pitch classes; without them the
/// histograms that are counted from them stay zero. Values 0 to 11 of `out`: notes a beat and onsets a beat
/// (ln(1 + x)), mean notes an onset / 4, mean, lowest and highest pitch / 128, length in beats (ln(1 + x)),
/// mean of the velocity / 127, its deviation / 32, distance from the nearest 16th as a share of the farthest
/// possible, share of onsets nearer to a triplet eighth than to a 16th, and share of onsets in the swung
/// second eighth (0.58 to 0.75 of a beat).
///
/// # Panics
/// When `out` has another length than [`PART_FEATURES`].
pub fn fill(notes: &[Note], bar: &Bar, bass: Option<u8>, tonic: Option<u8>, out: &mut [f32]) {
    assert_eq!(out.len(), PART_FEATURES, "the output has the wrong length");
    out.fill(0.0);
    if notes.is_empty() {
        return;
    }
    let count = notes.len() as f32;
    let (mut pitches, mut lengths, mut loud, mut squares) = (0.0, 0.0, 0.0, 0.0f32);
    let (mut lowest, mut highest) = (127u8, 0u8);
    for n in notes {
        pitches += f32::from(n.pitch);
        lengths += n.length.max(0) as f32 / PULSES_PER_BEAT as f32;
        loud += f32::from(n.velocity);
        squares += f32::from(n.velocity).powi(2);
        lowest = lowest.min(n.pitch);
        highest = highest.max(n.pitch);
        let above = |root: u8| usize::from((n.pitch + 12 - root % 12) % 12);
        if let Some(bass) = bass {
            out[ABOVE_BASS.start + above(bass)] += 1.0 / count;
        }
        if let Some(tonic) = tonic {
            out[ABOVE_TONIC.start + above(tonic)] += 1.0 / count;
        }
    }
    let onsets = onsets(notes, bar, out);
    out[0] = (count / bar.beats()).ln_1p();
    out[1] = (onsets / bar.beats()).ln_1p();
    out[2] = count / onsets / 4.0;
    out[3] = pitches / count / 128.0;
    out[4] = f32::from(lowest) / 128.0;
    out[5] = f32::from(highest) / 128.0;
    out[6] = (lengths / count).ln_1p();
    out[7] = loud / count / 127.0;
    out[8] = (squares / count - (loud / count).powi(2)).max(0.0).sqrt() / 32.0;
}

/// The figures that count onsets rather than notes. Returns the number of onsets, 1 or more.
fn onsets(notes: &[Note], bar: &Bar, out: &mut [f32]) -> f32 {
    let (mut onsets, mut intervals) = (0.0f32, 0.0f32);
    let mut last_top: Option<u8> = None;
    let mut at = 0;
    while at < notes.len() {
        let first = notes[at].onset;
        let size = notes[at..].partition_point(|n| n.onset <= first + TOGETHER);
        let top = notes[at..at + size].iter().map(|n| n.pitch).max().unwrap_or(0);
        onsets += 1.0;
        out[CHORD_SIZES.start + (size - 1).min(4)] += 1.0;
        out[POSITIONS.start + place(first, bar)] += 1.0;
        let [off_grid, triplet, swung] = feel(first - bar.start);
        out[9] += off_grid;
        out[10] += triplet;
        out[11] += swung;
        if let Some(before) = last_top.replace(top) {
            out[INTERVALS.start + interval(before, top)] += 1.0;
            intervals += 1.0;
        }
        at += size;
    }
    for value in &mut out[9..12] {
        *value /= onsets;
    }
    for value in &mut out[POSITIONS] {
        *value /= onsets;
    }
    for value in &mut out[CHORD_SIZES] {
        *value /= onsets;
    }
    for value in &mut out[INTERVALS] {
        *value /= intervals.max(1.0);
    }
    onsets
}

/// Place of an onset in its bar, 0 to 15: the nearest, and what is nearest to the next bar line is in the
/// last one.
pub fn place(onset: Pulse, bar: &Bar) -> usize {
    let length = (bar.end - bar.start).max(1);
    let part = (onset - bar.start).clamp(0, length) * 2 * PLACES as Pulse;
    (((part + length) / (2 * length)) as usize).min(PLACES - 1)
}

/// Distance from the 16th grid (0 to 1), whether a triplet eighth is nearer than a 16th, and whether it is a
/// swung second eighth; 0 or 1.
pub fn feel(offset: Pulse) -> [f32; 3] {
    let away = |grid: Pulse| {
        let r = offset.rem_euclid(grid);
        r.min(grid - r)
    };
    let (straight, triplet) = (away(PULSES_PER_BEAT / 4), away(PULSES_PER_BEAT / 3));
    let in_beat = offset.rem_euclid(PULSES_PER_BEAT) as f32 / PULSES_PER_BEAT as f32;
    [
        straight as f32 / (PULSES_PER_BEAT / 8) as f32,
        f32::from(u8::from(triplet < straight)),
        f32::from(u8::from((0.58..0.75).contains(&in_beat))),
    ]
}

/// Bin of an interval, see [`INTERVALS`].
fn interval(from: u8, to: u8) -> usize {
    match i16::from(to) - i16::from(from) {
        0 => 0,
        1 => 1,
        -1 => 2,
        2 => 3,
        -2 => 4,
        d => match d.abs() {
            3..=4 => 5,
            5..=7 => 6,
            8..=12 => 7,
            _ => 8,
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::Meter;

    const BAR: Bar = Bar { start: 1920, end: 3840, meter: Meter::COMMON };

    fn note(onset: i64, pitch: u8) -> Note {
        Note { onset: 1920 + onset, pitch, length: 240, velocity: 64 }
    }

    fn figures(notes: &[Note], bass: u8, tonic: u8) -> [f32; PART_FEATURES] {
        let mut out = [f32::NAN; PART_FEATURES];
        fill(notes, &BAR, Some(bass), Some(tonic), &mut out);
        out
    }

    #[test]
    fn a_shuffle_is_swung_and_a_straight_beat_is_not() {
        let beat = |second: i64| -> Vec<Note> {
            (0..4).flat_map(|b| [note(b * 480, 60), note(b * 480 + second, 64)]).collect()
        };
        let (swung, straight) = (figures(&beat(320), 0, 0), figures(&beat(240), 0, 0));
        assert_eq!((swung[10], swung[11]), (0.5, 0.5));
        assert_eq!((straight[9], straight[10], straight[11]), (0.0, 0.0, 0.0));
        assert_eq!(straight[POSITIONS.start + 2], 0.125);
        assert_eq!(straight[INTERVALS.start + 5], 1.0, "all thirds");
    }

    #[test]
    fn chords_are_one_onset() {
        let found = figures(&[note(0, 48), note(5, 55), note(10, 64), note(960, 60)], 0, 7);
        assert_eq!(found[CHORD_SIZES], [0.5, 0.0, 0.5, 0.0, 0.0]);
        assert_eq!(found[2], 0.5);
        assert_eq!((found[ABOVE_BASS.start], found[ABOVE_BASS.start + 7]), (0.5, 0.25));
        assert_eq!(found[ABOVE_TONIC.start], 0.25, "G above G");
        assert_eq!((found[4], found[5]), (48.0 / 128.0, 0.5));
    }

    proptest! {
        #[test]
        fn a_part_looks_alike_in_every_key(
            notes in proptest::collection::vec((0i64..1920, 40u8..80), 1..30), up in 1u8..12,
        ) {
            let mut low: Vec<Note> = notes.iter().map(|n| note(n.0, n.1)).collect();
            low.sort_unstable();
            let high: Vec<Note> = low.iter().map(|n| Note { pitch: n.pitch + up, ..*n }).collect();
            let (a, b) = (figures(&low, 3, 5), figures(&high, 3 + up, (5 + up) % 12));
            for i in (0..PART_FEATURES).filter(|i| !(3..6).contains(i)) {
                prop_assert!((a[i] - b[i]).abs() < 1e-5, "{}: {} {}", i, a[i], b[i]);
            }
            prop_assert!(a.iter().all(|v| v.is_finite()));
            for range in [POSITIONS, ABOVE_BASS, ABOVE_TONIC, CHORD_SIZES] {
                prop_assert!((a[range].iter().sum::<f32>() - 1.0).abs() < 1e-4);
            }
        }
    }
}
