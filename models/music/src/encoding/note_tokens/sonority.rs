//! Notes and chords in a line.

use std::collections::BTreeMap;

use super::{SIXTEENTH, UNIT, quantise};
use crate::score::{Note, Track};

/// A note or a chord: the notes of one track that begin and end together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sonority {
    /// Onset in twelfths of a quarter note from the beginning of the music.
    pub onset: i64,
    /// Pitches, ascending, each once, at least one.
    pub pitches: Vec<u8>,
    /// Length in twelfths of a quarter note, a 16th at least.
    pub length: i64,
    /// The loudest of its velocities, 1 to 127.
    pub velocity: u8,
}

impl Sonority {
    /// Its notes.
    pub fn notes(&self) -> impl Iterator<Item = Note> + '_ {
        self.pitches.iter().map(|&pitch| Note {
            onset: self.onset * UNIT,
            pitch,
            length: self.length * UNIT,
            velocity: self.velocity,
        })
    }
}

/// The notes and chords of tracks, percussion left out, in one line: by onset, then from the lowest pitch up.
///
/// Onsets and lengths go to the grid of [`quantise`] first, a length to a 16th at least. The notes of a track with
/// the same onset and the same length are a chord, as music21 makes one of them; notes that begin together but end
/// apart, or that are of different tracks, stay apart.
pub fn sonorities<'a>(tracks: impl IntoIterator<Item = &'a Track>) -> Vec<Sonority> {
    let mut out = vec![];
    for track in tracks.into_iter().filter(|t| !t.is_drums) {
        let mut chords: BTreeMap<(i64, i64), Sonority> = BTreeMap::new();
        for note in &track.notes {
            let (onset, length) = (quantise(note.onset).max(0), quantise(note.length).max(SIXTEENTH));
            let chord = chords.entry((onset, length)).or_insert_with(|| Sonority {
                onset,
                pitches: vec![],
                length,
                velocity: note.velocity,
            });
            if let Err(at) = chord.pitches.binary_search(&note.pitch) {
                chord.pitches.insert(at, note.pitch);
            }
            chord.velocity = chord.velocity.max(note.velocity);
        }
        out.extend(chords.into_values());
    }
    out.sort();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(notes: &[(i64, u8, i64)]) -> Track {
        let note = |&(onset, pitch, length): &(i64, u8, i64)| Note {
            onset,
            pitch,
            length,
            velocity: 60 + pitch % 10,
        };
        Track { notes: notes.iter().map(note).collect(), ..Track::default() }
    }

    #[test]
    fn what_begins_and_ends_together_is_a_chord() {
        let hand = track(&[(0, 60, 480), (3, 64, 470), (0, 67, 960), (490, 62, 150), (800, 64, 10)]);
        let bass = track(&[(0, 48, 480)]);
        let drums = Track { is_drums: true, ..track(&[(0, 36, 120)]) };
        let found = sonorities([&hand, &bass, &drums]);
        let plain: Vec<(i64, &[u8], i64)> =
            found.iter().map(|s| (s.onset, s.pitches.as_slice(), s.length)).collect();
        assert_eq!(
            plain,
            [(0, &[48][..], 12), (0, &[60, 64], 12), (0, &[67], 24), (12, &[62], 4), (20, &[64], 3)]
        );
        assert_eq!(found[1].velocity, 64);
    }

    #[test]
    fn both_grids_are_kept() {
        for (pulses, units) in
            [(0, 0), (160, 4), (320, 8), (120, 3), (130, 3), (145, 4), (470, 12), (-119, -3)]
        {
            assert_eq!(quantise(pulses), units, "{pulses}");
        }
        for units in -50..50i64 {
            if units % 3 == 0 || units % 4 == 0 {
                assert_eq!(quantise(units * UNIT), units);
            }
        }
    }
}
