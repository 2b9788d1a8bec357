//! Strokes: notes and chords with what categories leave out, so that two hands come back as they were.

use std::collections::BTreeMap;

use super::{Sonority, UNIT};
use crate::time::MeterMap;

/// Time from the onset of the stroke before, in twelfths of a quarter note: every one up to a half note, then
/// coarser.
const LONG_GAPS: [i64; 8] = [27, 30, 36, 42, 48, 60, 72, 96];
/// Kinds of gaps.
pub const GAPS: usize = 25 + LONG_GAPS.len();
/// Distinct lengths, in twelfths of a quarter note.
const LENGTH_UNITS: [i64; 16] = [3, 4, 6, 8, 9, 12, 15, 16, 18, 21, 24, 30, 36, 48, 72, 96];
/// Kinds of lengths.
pub const LENGTHS: usize = LENGTH_UNITS.len();
/// The lowest pitch of a piano; lower ones are moved up by octaves.
pub const LOWEST_PITCH: u8 = 21;
/// Pitches of a piano.
pub const PITCHES: usize = 88;
/// Distinct positions in a bar, a twelfth of a quarter note each; later ones count as the last.
pub const POSITIONS: usize = 97;

/// A note or a chord of one hand by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stroke {
    /// Time since the stroke before, below [`GAPS`]; see [`gap_units`].
    pub gap: usize,
    /// Lowest pitch above [`LOWEST_PITCH`], below [`PITCHES`].
    pub low: usize,
    /// Number of its shape in a [`Shapes`].
    pub shape: usize,
    /// Length, below [`LENGTHS`]; see [`length_units`].
    pub length: usize,
}

/// Time that a gap stands for, in twelfths of a quarter note.
pub fn gap_units(gap: usize) -> i64 {
    match gap.checked_sub(25) {
        None => gap as i64,
        Some(long) => LONG_GAPS[long.min(LONG_GAPS.len() - 1)],
    }
}

/// Time that a length stands for, in twelfths of a quarter note.
pub fn length_units(length: usize) -> i64 {
    LENGTH_UNITS[length.min(LENGTHS - 1)]
}

fn nearest(count: usize, units: impl Fn(usize) -> i64, wanted: i64) -> usize {
    (0..count).min_by_key(|&i| (units(i) - wanted).abs()).unwrap_or(0)
}

/// How the pitches of a chord lie above its lowest one: shapes by number. Number 0 is a single note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shapes {
    /// Semitones above the lowest pitch, a bit each from 1.
    masks: Vec<u32>,
    numbers: BTreeMap<u32, usize>,
}

/// Widest chord of one hand, in semitones.
const WIDEST: u8 = 24;

fn mask(pitches: &[u8]) -> u32 {
    let low = pitches.first().copied().unwrap_or(0);
    pitches.iter().map(|p| p - low).filter(|&up| up > 0 && up <= WIDEST).fold(0, |m, up| m | 1 << (up - 1))
}

impl Shapes {
    /// From the semitones of each shape above its lowest pitch, a bit each from 1: as [`Shapes::masks`] gives them.
    /// The first is the single note, 0, whether given or not.
    pub fn new(masks: &[u32]) -> Self {
        let mut all = vec![0];
        for &m in masks {
            if !all.contains(&m) && m < 1 << WIDEST {
                all.push(m);
            }
        }
        let numbers = all.iter().enumerate().map(|(i, m)| (*m, i)).collect();
        Self { masks: all, numbers }
    }

    /// The most frequent shapes of sonorities, at most `most` of them, the single note included; of equally frequent
    /// ones the smaller mask.
    pub fn frequent<'a>(sonorities: impl IntoIterator<Item = &'a Sonority>, most: usize) -> Self {
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        for sonority in sonorities {
            *counts.entry(mask(&sonority.pitches)).or_default() += 1;
        }
        let mut ranked: Vec<(u32, usize)> = counts.into_iter().filter(|c| c.0 != 0).collect();
        ranked.sort_by_key(|&(m, n)| (std::cmp::Reverse(n), m));
        ranked.truncate(most.saturating_sub(1));
        Self::new(&ranked.iter().map(|c| c.0).collect::<Vec<_>>())
    }

    /// The shapes by number.
    pub fn masks(&self) -> &[u32] {
        &self.masks
    }

    /// How many there are, the single note included.
    pub fn count(&self) -> usize {
        self.masks.len()
    }

    /// The number of the shape of pitches, ascending; of an unknown one that of the shape with the fewest notes to
    /// add or to leave out.
    pub fn number(&self, pitches: &[u8]) -> usize {
        let wanted = mask(pitches);
        if let Some(&known) = self.numbers.get(&wanted) {
            return known;
        }
        nearest(self.count(), |i| i64::from((self.masks[i] ^ wanted).count_ones()), 0)
    }

    /// The pitches of a shape above a lowest one; those above the piano's highest are left out.
    pub fn pitches(&self, low: usize, shape: usize) -> Vec<u8> {
        let low = LOWEST_PITCH + low.min(PITCHES - 1) as u8;
        let mask = self.masks.get(shape).copied().unwrap_or(0);
        let above = (1..=WIDEST).filter(|up| mask >> (up - 1) & 1 == 1).map(|up| low + up);
        let highest = LOWEST_PITCH + PITCHES as u8 - 1;
        std::iter::once(low).chain(above).filter(|&p| p <= highest).collect()
    }
}

/// Where in its bar a stroke falls, below [`POSITIONS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BarPlace<'a>(pub &'a MeterMap);

impl BarPlace<'_> {
    /// The place of an onset in twelfths of a quarter note.
    pub fn of(self, onset: i64) -> usize {
        let offset = self.0.position(onset * UNIT).offset / UNIT;
        usize::try_from(offset).unwrap_or(0).min(POSITIONS - 1)
    }
}

/// The strokes of sonorities in the order of [`super::sonorities`]. The gap of the first is 0. Chords wider than two
/// octaves lose the notes beyond.
pub fn strokes(sonorities: &[Sonority], shapes: &Shapes) -> Vec<Stroke> {
    let mut before = sonorities.first().map_or(0, |s| s.onset);
    sonorities
        .iter()
        .map(|s| {
            let gap = nearest(GAPS, gap_units, s.onset - before);
            before = s.onset;
            let mut low = s.pitches.first().copied().unwrap_or(60);
            while low < LOWEST_PITCH {
                low += 12;
            }
            while usize::from(low - LOWEST_PITCH) >= PITCHES {
                low -= 12;
            }
            Stroke {
                gap,
                low: usize::from(low - LOWEST_PITCH),
                shape: shapes.number(&s.pitches),
                length: nearest(LENGTHS, length_units, s.length),
            }
        })
        .collect()
}

/// The sonority of a stroke that comes after an onset, in twelfths of a quarter note.
pub fn strike(stroke: Stroke, before: i64, shapes: &Shapes, velocity: u8) -> Sonority {
    Sonority {
        onset: before + gap_units(stroke.gap),
        pitches: shapes.pitches(stroke.low, stroke.shape),
        length: length_units(stroke.length),
        velocity: velocity.clamp(1, 127),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sonorities;
    use super::*;
    use crate::score::{Note, Track};

    /// The notes of strokes that come after an onset, in twelfths of a quarter note.
    fn play(strokes: &[Stroke], mut before: i64, shapes: &Shapes) -> Vec<Note> {
        let mut notes = vec![];
        for &stroke in strokes {
            let sonority = strike(stroke, before, shapes, 80);
            before = sonority.onset;
            notes.extend(sonority.notes());
        }
        notes
    }

    /// Two hands: chords below, a line above, pauses between.
    fn two_hands() -> Vec<Sonority> {
        let mut notes = vec![];
        for bar in 0..16i64 {
            for beat in 0..4 {
                let at = (bar * 5 + beat) * 480;
                let low = 40 + (bar * 7 % 12) as u8;
                for up in [0, 4 - (bar % 2) as u8, 7] {
                    notes.push(Note { onset: at, pitch: low + up, length: 240, velocity: 80 });
                }
                for third in 0..3 {
                    let pitch = 70 + ((bar + beat + third) % 9) as u8;
                    notes.push(Note { onset: at + third * 160, pitch, length: 160, velocity: 80 });
                }
            }
        }
        notes.sort_unstable();
        sonorities([&Track { notes, ..Track::default() }])
    }

    #[test]
    fn two_hands_come_back_as_they_were() {
        let line = two_hands();
        let shapes = Shapes::frequent(&line, 10);
        let coded = strokes(&line, &shapes);
        let notes = play(&coded, line[0].onset, &shapes);
        let mut played = sonorities([&Track { notes, ..Track::default() }]);
        played.iter_mut().for_each(|s| s.velocity = 80);
        assert_eq!(played, line);
        assert_eq!(strokes(&played, &shapes), coded);
    }

    #[test]
    fn every_number_is_its_own_nearest() {
        for gap in 0..GAPS {
            assert_eq!(nearest(GAPS, gap_units, gap_units(gap)), gap);
        }
        for length in 0..LENGTHS {
            assert_eq!(nearest(LENGTHS, length_units, length_units(length)), length);
        }
        let shapes = Shapes::new(&[0b1000, 0b100_1000, 0b100_0100, 0b1000]);
        assert_eq!((shapes.count(), shapes.masks()[0]), (4, 0));
        for shape in 0..shapes.count() {
            let pitches = shapes.pitches(30, shape);
            assert_eq!(shapes.number(&pitches), shape);
        }
        // A seventh chord is a triad with a note too many; nothing goes off the piano.
        assert_eq!(shapes.number(&[48, 52, 55, 58]), 2);
        assert_eq!(shapes.pitches(87, 2), [108]);
        assert!(shapes.pitches(999, 999).iter().all(|&p| (21..=108).contains(&p)));
    }

    #[test]
    fn what_lies_off_the_piano_is_moved_onto_it() {
        let far = |pitches: &[u8]| Sonority { onset: 0, pitches: pitches.to_vec(), length: 12, velocity: 1 };
        let shapes = Shapes::new(&[]);
        let coded = strokes(&[far(&[0]), far(&[127]), far(&[60, 120])], &shapes);
        assert!(coded.iter().all(|s| s.low < PITCHES && s.shape == 0 && s.gap == 0));
        let places = MeterMap::default();
        assert_eq!(BarPlace(&places).of(48 * 3 + 13), 13);
    }
}
