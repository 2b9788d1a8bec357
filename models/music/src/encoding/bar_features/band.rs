//! A whole band, bar by bar: what each part does, what the drummer strikes where, and which instruments play.

use std::ops::Range;

use super::bars::{Bar, bars, notes_by_bar};
use super::part::{self, PART_FEATURES, PLACES};
use super::piano::{COMMON_FEATURES, WINDOW_BARS, fill_common, key_of};
use crate::family::Family;
use crate::score::{Note, Score};

/// Pitched parts: keyboards, guitar, bass, strings, and all other instruments as one.
pub const BAND_PARTS: usize = 5;
/// Kinds of drums: kick, snare and clap, closed and pedal hi-hat, open hi-hat, ride, crash and the like, tom,
/// other percussion.
pub const DRUM_KINDS: usize = 8;
/// General MIDI families of eight programs.
pub const PROGRAM_FAMILIES: usize = 16;

const DRUMS_AT: usize = BAND_PARTS * PART_FEATURES;
const PROGRAMS_AT: usize = DRUMS_AT + DRUM_KINDS * (PLACES + 1) + 2;
const COMMON_AT: usize = PROGRAMS_AT + PROGRAM_FAMILIES + 1;

/// Length of the figures of a bar.
pub const BAND_FEATURES: usize = COMMON_AT + COMMON_FEATURES;
/// Where the drums lie: for each kind the strokes a beat (ln(1 + x)) and the shares by position, then the
/// share of strokes nearer to a triplet than to a 16th and of swung ones.
pub const DRUMS: Range<usize> = DRUMS_AT..PROGRAMS_AT;
/// Where the instruments lie: share of the bar's notes by General MIDI family, and the share of drums; for
/// models that shall not see them.
pub const PROGRAMS: Range<usize> = PROGRAMS_AT..COMMON_AT;
/// Where the tempo and the metre lie.
pub const TEMPO_AND_METER: Range<usize> = COMMON_AT..COMMON_AT + 3;

/// The figures of a band.
#[derive(Debug, Clone, PartialEq)]
pub struct BandBars {
    /// By bar, from the first in which a note begins to the last. Shape (bars, [`BAND_FEATURES`]).
    pub bars: Vec<[f32; BAND_FEATURES]>,
    /// Number of the first of these bars in the piece, from 0.
    pub first_bar: usize,
}

/// Kind of a General MIDI drum key (GM 1, percussion map).
pub fn drum_kind(key: u8) -> usize {
    match key {
        35 | 36 => 0,
        37..=40 => 1,
        42 | 44 => 2,
        46 => 3,
        51 | 53 | 59 => 4,
        49 | 52 | 55 | 57 => 5,
        41 | 43 | 45 | 47 | 48 | 50 => 6,
        _ => 7,
    }
}

/// Pitched part of a program.
fn part_of(program: u8) -> usize {
    match Family::for_accompaniment(program) {
        Some(Family::Piano) => 0,
        Some(Family::Guitar) => 1,
        Some(Family::Bass) => 2,
        Some(Family::Strings) => 3,
        _ => 4,
    }
}

/// Figures of a whole band. Empty for a score without notes. The key is that of the last eight bars, the
/// tempo the median of the piece.
pub fn band_bars(score: &Score) -> BandBars {
    let mut parts: [Vec<Note>; BAND_PARTS] = Default::default();
    let mut drums: Vec<Note> = Vec::new();
    // All pitched notes with the family of their program.
    let mut families: Vec<(i64, usize)> = Vec::new();
    for track in &score.tracks {
        if track.is_drums {
            drums.extend_from_slice(&track.notes);
        } else {
            parts[part_of(track.program)].extend_from_slice(&track.notes);
            families.extend(track.notes.iter().map(|n| (n.onset, usize::from(track.program & 127) / 8)));
        }
    }
    let mut pitched: Vec<Note> = parts.iter().flatten().copied().collect();
    for list in parts.iter_mut().chain([&mut drums, &mut pitched]) {
        list.sort_unstable();
    }
    families.sort_unstable();
    let last = [pitched.last(), drums.last()].into_iter().flatten().map(|n| n.onset).max();
    let Some(last) = last else { return BandBars { bars: Vec::new(), first_bar: 0 } };
    let all = bars(&score.meters, last + 1);
    let bpm = score.tempos.median_bpm(0, last + 1);
    let by_part = parts.each_ref().map(|list| notes_by_bar(list, &all));
    let (of_drums, of_pitched) = (notes_by_bar(&drums, &all), notes_by_bar(&pitched, &all));
    let begins = |i: usize| !of_drums[i].is_empty() || !of_pitched[i].is_empty();
    let first_bar = (0..all.len()).find(|&i| begins(i)).unwrap_or(all.len());
    let end = (0..all.len()).rev().find(|&i| begins(i)).map_or(first_bar, |i| i + 1);

    let (mut weights, mut next) = ([[0.0; 12]; WINDOW_BARS], 0);
    let figures = (first_bar..end).map(|i| {
        let mut out = [0.0; BAND_FEATURES];
        let bar = &all[i];
        let sounding = &pitched[of_pitched[i].clone()];
        let key = key_of(&mut weights, &mut next, sounding.iter());
        let bass_part = &parts[2][by_part[2][i].clone()];
        // The bar's first bass note, else its lowest note.
        let bass = bass_part.first().map(|n| n.pitch).or_else(|| sounding.iter().map(|n| n.pitch).min());
        for p in 0..BAND_PARTS {
            let notes = &parts[p][by_part[p][i].clone()];
            let place = p * PART_FEATURES..(p + 1) * PART_FEATURES;
            part::fill(notes, bar, bass.map(|b| b % 12), key.map(|k| k.tonic), &mut out[place]);
        }
        let strokes = &drums[of_drums[i].clone()];
        fill_drums(strokes, bar, &mut out[DRUMS]);
        let share = 1.0 / (sounding.len() + strokes.len()).max(1) as f32;
        for family in &families[of_pitched[i].clone()] {
            out[PROGRAMS_AT + family.1] += share;
        }
        out[COMMON_AT - 1] = strokes.len() as f32 * share;
        fill_common(&mut out[COMMON_AT..], bar, bpm, key.as_ref(), sounding);
        out[BAND_FEATURES - 1] = f32::from(u8::from(begins(i)));
        out
    });
    BandBars { bars: figures.collect(), first_bar }
}

/// What the drummer strikes where, see [`DRUMS`].
fn fill_drums(strokes: &[Note], bar: &Bar, out: &mut [f32]) {
    let mut counts = [0.0f32; DRUM_KINDS];
    for n in strokes {
        let kind = drum_kind(n.pitch);
        counts[kind] += 1.0;
        out[kind * (PLACES + 1) + 1 + part::place(n.onset, bar)] += 1.0;
        let [_, triplet, swung] = part::feel(n.onset - bar.start);
        out[DRUM_KINDS * (PLACES + 1)] += triplet / strokes.len() as f32;
        out[DRUM_KINDS * (PLACES + 1) + 1] += swung / strokes.len() as f32;
    }
    for (kind, &count) in counts.iter().enumerate() {
        let own = &mut out[kind * (PLACES + 1)..(kind + 1) * (PLACES + 1)];
        own.iter_mut().for_each(|v| *v /= count.max(1.0));
        own[0] = (count / bar.beats()).ln_1p();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::Track;
    use crate::time::Meter;

    fn track(program: u8, is_drums: bool, notes: &[(i64, u8)]) -> Track {
        let notes = notes.iter().map(|&(onset, pitch)| Note { onset, pitch, length: 240, velocity: 80 });
        Track { program, is_drums, notes: notes.collect(), ..Track::default() }
    }

    fn piece(up: u8) -> Score {
        let beats: Vec<(i64, u8)> = (0..32).map(|b| (1920 + b * 480, 36 + up + (b % 4) as u8 * 2)).collect();
        let kicks: Vec<(i64, u8)> = (0..16).map(|b| (1920 + b * 960, 36)).collect();
        Score {
            tracks: vec![track(33, false, &beats), track(66, false, &beats), track(0, true, &kicks)],
            ..Score::default()
        }
    }

    #[test]
    fn bars_instruments_and_drums_are_seen() {
        let found = band_bars(&piece(0));
        assert_eq!((found.bars.len(), found.first_bar), (8, 1));
        let bar = found.bars[3];
        // Bass and saxophone play, keyboards, guitar and strings do not.
        let density = |p: usize| bar[p * PART_FEATURES];
        assert!(density(2) > 0.0 && density(4) > 0.0);
        assert_eq!((density(0), density(1), density(3)), (0.0, 0.0, 0.0));
        assert_eq!(bar[PROGRAMS], {
            let mut shares = [0.0; PROGRAM_FAMILIES + 1];
            (shares[4], shares[8], shares[16]) = (0.4, 0.4, 0.2);
            shares
        });
        let kick = &bar[DRUMS][..PLACES + 1];
        assert!((kick[0] - 0.5f32.ln_1p()).abs() < 1e-6);
        assert_eq!((kick[1], kick[9], kick[5]), (0.5, 0.5, 0.0));
        assert_eq!(bar[DRUMS][PLACES + 1], 0.0, "no snare");
    }

    #[test]
    fn the_key_does_not_matter_but_for_the_register() {
        let (a, b) = (band_bars(&piece(0)), band_bars(&piece(5)));
        for (x, y) in a.bars.iter().zip(&b.bars) {
            for i in 0..BAND_FEATURES {
                let register = i < DRUMS_AT && (3..6).contains(&(i % PART_FEATURES));
                assert!(register || (x[i] - y[i]).abs() < 1e-5, "{i}: {} {}", x[i], y[i]);
            }
        }
    }

    #[test]
    fn odd_scores_have_finite_figures() {
        assert!(band_bars(&Score::default()).bars.is_empty());
        let one = Score { tracks: vec![track(0, false, &[(5, 127)])], ..Score::default() };
        let drums =
            Score { tracks: vec![track(0, true, &[(0, 0), (0, 127), (99_999, 36)])], ..Score::default() };
        let odd = Score {
            meters: crate::time::MeterMap::new(&[(0, Meter { numerator: 1, denominator: 64 })]),
            ..piece(80)
        };
        for score in [one, drums, odd] {
            let found = band_bars(&score);
            assert!(!found.bars.is_empty());
            assert!(found.bars.iter().flatten().all(|v| v.is_finite() && v.abs() < 32.0));
        }
    }
}
