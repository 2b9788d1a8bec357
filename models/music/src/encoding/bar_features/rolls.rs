//! P2's piano-rolls for its genre CNN: bass, piano and drums at 24 steps a beat, 128 pitches, padded or cut
//! to 5000 steps, velocities normalised track by track (P2, sections 3 and 4.1).
//!
//! A roll is kept as its notes, a thousandth of the full matrix, and drawn when it is needed.
//!
//! Choices where the paper is silent: a track is divided by its largest velocity; the piano is every keyboard
//! and tuned percussion (programs 0 to 23), of lpd-5 only 0 to 7; where two notes of a pitch overlap the
//! louder counts.

use crate::family::Family;
use crate::score::{Note, Score};
use crate::time::{Tick, pulse_to_tick};

/// Tracks of the CNN's input: bass, piano, drums, in this order.
pub const ROLL_TRACKS: usize = 3;
/// Time steps of the input, ticks of a 24th of a beat: the mean length of P2's songs.
pub const ROLL_STEPS: usize = 5000;
/// Pitches of the input.
pub const ROLL_PITCHES: usize = 128;

/// A note of a roll.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RollNote {
    /// First step, below [`ROLL_STEPS`].
    pub start: u16,
    /// First step after the note, [`ROLL_STEPS`] at most, above `start`.
    pub end: u16,
    /// MIDI pitch, 0 to 127.
    pub pitch: u8,
    /// Velocity divided by the track's largest: more than 0, 1 at most.
    pub velocity: f32,
}

/// The rolls of a piece as notes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rolls {
    /// By track (bass, piano, drums) the notes by start, then pitch.
    pub tracks: [Vec<RollNote>; ROLL_TRACKS],
}

impl Rolls {
    /// The rolls of a score from its beginning. Notes behind step 5000 are left out, and do not count for
    /// the largest velocity.
    pub fn of(score: &Score) -> Self {
        let mut notes: [Vec<Note>; ROLL_TRACKS] = Default::default();
        for track in &score.tracks {
            let index = match track.family() {
                Some(Family::Bass) => 0,
                Some(Family::Piano) => 1,
                Some(Family::Drums) => 2,
                _ => continue,
            };
            notes[index].extend_from_slice(&track.notes);
        }
        Self { tracks: notes.map(|list| sparse(&list)) }
    }

    /// Whether no track has a note.
    pub fn is_empty(&self) -> bool {
        self.tracks.iter().all(Vec::is_empty)
    }

    /// Draws the rolls, shape (tracks, steps, pitches) = (3, 5000, 128) in row-major order, values 0 to 1.
    ///
    /// # Panics
    /// When `out` has another length than 3 · 5000 · 128.
    pub fn rasterise(&self, out: &mut [f32]) {
        self.rasterise_pooled(1, 1, out);
    }

    /// Draws the rolls with every `time` steps and every `pitch` pitches as one cell, the largest value of
    /// what lies in it (P2's strided convolutions reduce time likewise; max keeps short notes visible).
    /// Shape (3, ceil(5000 / time), ceil(128 / pitch)).
    ///
    /// # Panics
    /// When `time` or `pitch` is 0, or `out` has another length than [`Rolls::cells`] says.
    pub fn rasterise_pooled(&self, time: usize, pitch: usize, out: &mut [f32]) {
        assert_eq!(out.len(), Self::cells(time, pitch), "the output has the wrong length");
        let (steps, pitches) = (ROLL_STEPS.div_ceil(time), ROLL_PITCHES.div_ceil(pitch));
        out.fill(0.0);
        for (track, notes) in self.tracks.iter().enumerate() {
            for n in notes {
                let column = usize::from(n.pitch) / pitch;
                for step in usize::from(n.start) / time..usize::from(n.end).div_ceil(time) {
                    let cell = &mut out[(track * steps + step) * pitches + column];
                    *cell = cell.max(n.velocity);
                }
            }
        }
    }

    /// Cells that [`Rolls::rasterise_pooled`] fills.
    pub fn cells(time: usize, pitch: usize) -> usize {
        ROLL_TRACKS * ROLL_STEPS.div_ceil(time) * ROLL_PITCHES.div_ceil(pitch)
    }

    /// The inverse of [`Rolls::rasterise`]: neighbouring cells of a pitch with one value are one note. Notes
    /// of equal loudness that touch cannot be distinguished from one long note.
    ///
    /// # Panics
    /// When `raster` has another length than 3 · 5000 · 128.
    pub fn from_raster(raster: &[f32]) -> Self {
        assert_eq!(raster.len(), Self::cells(1, 1), "the raster has the wrong length");
        let mut rolls = Self::default();
        for (track, notes) in rolls.tracks.iter_mut().enumerate() {
            for pitch in 0..ROLL_PITCHES {
                let at = |step: usize| raster[(track * ROLL_STEPS + step) * ROLL_PITCHES + pitch];
                let mut start = 0;
                for step in 1..=ROLL_STEPS {
                    if step < ROLL_STEPS && at(step) == at(start) {
                        continue;
                    }
                    if at(start) > 0.0 {
                        notes.push(RollNote {
                            start: start as u16,
                            end: step as u16,
                            pitch: pitch as u8,
                            velocity: at(start),
                        });
                    }
                    start = step;
                }
            }
            notes.sort_by_key(|n| (n.start, n.pitch));
        }
        rolls
    }
}

/// One track: on the grid, cut, normalised and sorted.
fn sparse(notes: &[Note]) -> Vec<RollNote> {
    let limit = ROLL_STEPS as Tick;
    let inside = |n: &&Note| pulse_to_tick(n.onset) < limit;
    let loudest = notes.iter().filter(inside).map(|n| n.velocity).max().unwrap_or(1).max(1);
    let mut out: Vec<RollNote> = notes
        .iter()
        .filter(inside)
        .map(|n| {
            let start = pulse_to_tick(n.onset).max(0);
            let end = pulse_to_tick(n.end()).clamp(start + 1, limit.max(start + 1));
            RollNote {
                start: start as u16,
                end: end as u16,
                pitch: n.pitch & 127,
                velocity: f32::from(n.velocity.max(1)) / f32::from(loudest),
            }
        })
        .collect();
    out.sort_by_key(|n| (n.start, n.pitch, n.end));
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::score::Track;

    fn track(program: u8, is_drums: bool, notes: Vec<Note>) -> Track {
        Track { program, is_drums, channel: if is_drums { 9 } else { 0 }, notes, ..Track::default() }
    }

    fn note(onset: i64, pitch: u8, length: i64, velocity: u8) -> Note {
        Note { onset, pitch, length, velocity }
    }

    #[test]
    fn tracks_are_normalised_one_by_one_and_cut() {
        let far = ROLL_STEPS as i64 * 20;
        let score = Score {
            tracks: vec![
                track(33, false, vec![note(0, 40, 480, 50), note(480, 42, 240, 25)]),
                track(0, false, vec![note(far - 40, 60, 9000, 100), note(far, 61, 480, 127)]),
                track(0, true, vec![note(240, 36, 1, 80)]),
                track(24, false, vec![note(0, 50, 480, 80)]),
            ],
            ..Score::default()
        };
        let rolls = Rolls::of(&score);
        let mut raster = vec![0.0; Rolls::cells(1, 1)];
        rolls.rasterise(&mut raster);
        let at = |t: usize, s: usize, p: usize| raster[(t * ROLL_STEPS + s) * ROLL_PITCHES + p];
        assert_eq!((at(0, 0, 40), at(0, 23, 40), at(0, 24, 40)), (1.0, 1.0, 0.0));
        assert_eq!((at(0, 24, 42), at(0, 35, 42), at(0, 36, 42)), (0.5, 0.5, 0.0));
        // The note behind the end is gone, so that the one before it is the loudest.
        assert_eq!((at(1, ROLL_STEPS - 2, 60), at(1, ROLL_STEPS - 1, 60)), (1.0, 1.0));
        assert_eq!((at(2, 12, 36), at(2, 13, 36)), (1.0, 0.0));
        assert_eq!(raster.iter().filter(|&&v| v > 0.0).count(), 24 + 12 + 2 + 1);
    }

    proptest! {
        #[test]
        fn rolls_come_back_from_their_raster(
            notes in proptest::collection::vec((0i64..300, 0u8..128, 1i64..40, 1u8..=127), 1..40),
        ) {
            // One note a pitch: touching notes are one in a raster.
            let mut seen = [false; 128];
            let list: Vec<Note> = notes
                .iter()
                .filter(|n| !std::mem::replace(&mut seen[usize::from(n.1)], true))
                .map(|n| note(n.0 * 20, n.1, n.2 * 20, n.3))
                .collect();
            let rolls = Rolls::of(&Score { tracks: vec![track(0, true, list)], ..Score::default() });
            let mut raster = vec![0.0; Rolls::cells(1, 1)];
            rolls.rasterise(&mut raster);
            prop_assert_eq!(&Rolls::from_raster(&raster), &rolls);
            // Pooling keeps the largest value of every block.
            let mut pooled = vec![0.0; Rolls::cells(6, 2)];
            rolls.rasterise_pooled(6, 2, &mut pooled);
            let mut expected = vec![0.0f32; pooled.len()];
            for (i, &v) in raster.iter().enumerate() {
                let (t, s, p) = (i / (ROLL_STEPS * 128), i / 128 % ROLL_STEPS, i % 128);
                let cell = &mut expected[(t * ROLL_STEPS.div_ceil(6) + s / 6) * 64 + p / 2];
                *cell = cell.max(v);
            }
            prop_assert_eq!(pooled, expected);
        }
    }
}
