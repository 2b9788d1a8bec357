//! P1's encoding of four instruments, and its inverse ("Comparing RNN performance across musical genres and
//! instrument clusters", sections 3.3 and 3.4).
//!
//! A row is 0.25 s. It has 30 columns for each of piano, guitar, bass and drums: the ten first notes that begin in
//! it, in the order of their onsets, each as pitch, duration and velocity. What is empty is 0. Rows follow the
//! file's own tempo map from its beginning.
//!
//! Choices where the paper is silent or contradicts itself:
//! - Values are 0 to 199. Pitch is the MIDI pitch plus one, velocity the MIDI velocity (1 to 127: the paper's 128
//!   velocities count one that ends notes). Duration is in twentieths of a second, 1 to 199, so 9.95 s at most: the paper
//!   calls it preserved, and its 200 values have to hold it.
//! - Of notes that begin together those of an earlier track come first, within it the lower.
//! - The encoding ends with the row of the last onset, and after [`MOST_ROWS`].

use crate::family::Family;
use crate::score::{Note, Score, Track};
use crate::time::{PULSES_PER_BEAT, Pulse, TempoMap};

/// Rows a second.
pub const ROWS_PER_SECOND: f64 = 4.0;
/// Units of duration a second.
pub const UNITS_PER_SECOND: f64 = 20.0;
/// Most notes of a family in a row.
pub const NOTES: usize = 10;
/// Values of a note: pitch, duration, velocity.
pub const FEATURES: usize = 3;
/// Names of the values of a note.
pub const FEATURE_NAMES: [&str; FEATURES] = ["pitch", "duration", "velocity"];
/// Columns of a family.
pub const FAMILY_COLUMNS: usize = NOTES * FEATURES;
/// Columns of a row.
pub const COLUMNS: usize = 4 * FAMILY_COLUMNS;
/// Values that a cell can have.
pub const VALUES: usize = 200;
/// Rows of a sequence: 15 s.
pub const SEQUENCE: usize = 60;
/// Rows after which music is cut off: an hour.
pub const MOST_ROWS: usize = 4 * 3600;
/// The families in the order of their columns.
pub const FAMILIES: [Family; 4] = [Family::Piano, Family::Guitar, Family::Bass, Family::Drums];
/// Their names.
pub const FAMILY_NAMES: [&str; 4] = ["piano", "guitar", "bass", "drums"];

/// Pulses a second at the tempo of what is decoded, 120 beats a minute.
const PULSES_PER_SECOND: i64 = 2 * PULSES_PER_BEAT;

/// A row.
pub type Row = [u8; COLUMNS];

/// A piece in P1's encoding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cells {
    /// Its rows from the beginning of the file.
    pub rows: Vec<Row>,
    /// By family, in the order of [`FAMILIES`], the notes that did not fit into their row.
    pub crowded: [usize; 4],
}

/// The family of a track exactly as P1's Figure 5 has it: strings, brass and all others belong to none.
pub fn family_of(track: &Track) -> Option<Family> {
    let family = if track.is_drums { Some(Family::Drums) } else { Family::of_program(track.program) };
    family.filter(|f| FAMILIES.contains(f))
}

impl Cells {
    /// Encodes a score, its tracks going where `family` says; tracks of one family are merged.
    pub fn of(score: &Score, family: impl Fn(&Track) -> Option<Family>) -> Self {
        let mut notes: [Vec<Note>; 4] = Default::default();
        for track in &score.tracks {
            let place = family(track).and_then(|f| FAMILIES.iter().position(|&own| own == f));
            if let Some(place) = place {
                notes[place].extend_from_slice(&track.notes);
            }
        }
        let mut cells = Self::default();
        for (place, list) in notes.iter_mut().enumerate() {
            // Stable, so that tracks and chords keep their order.
            list.sort_by_key(|n| n.onset);
            for note in &*list {
                cells.add(place, note, &score.tempos);
            }
        }
        cells
    }

    fn add(&mut self, family: usize, note: &Note, tempos: &TempoMap) {
        let at = |pulse: Pulse| tempos.seconds_at(pulse.max(0));
        let (start, end) = (at(note.onset), at(note.end()));
        // A note that is written on the border may lie a rounding error before it.
        let index = (start * ROWS_PER_SECOND + 1e-6).floor() as usize;
        if index >= MOST_ROWS {
            return;
        }
        if self.rows.len() <= index {
            self.rows.resize(index + 1, [0; COLUMNS]);
        }
        let own = &mut self.rows[index][family * FAMILY_COLUMNS..(family + 1) * FAMILY_COLUMNS];
        let Some(free) = own.chunks_exact_mut(FEATURES).find(|c| c[0] == 0) else {
            self.crowded[family] += 1;
            return;
        };
        let units = ((end - start) * UNITS_PER_SECOND).round().clamp(1.0, (VALUES - 1) as f64);
        free.copy_from_slice(&[note.pitch.min(127) + 1, units as u8, note.velocity.clamp(1, 127)]);
    }

    /// The notes at 120 beats a minute, all beginning with their row: what the encoding keeps of them. Families are
    /// in the order of [`FAMILIES`]. Cells of which a part is empty are no notes.
    pub fn notes(&self) -> [Vec<Note>; 4] {
        let mut out: [Vec<Note>; 4] = Default::default();
        for (index, row) in self.rows.iter().enumerate() {
            for (own, list) in row.chunks_exact(FAMILY_COLUMNS).zip(&mut out) {
                for cell in own.chunks_exact(FEATURES).filter(|c| c.iter().all(|&v| v > 0)) {
                    list.push(Note {
                        onset: index as Pulse * PULSES_PER_SECOND / ROWS_PER_SECOND as i64,
                        pitch: (cell[0] - 1).min(127),
                        length: Pulse::from(cell[1]) * PULSES_PER_SECOND / UNITS_PER_SECOND as i64,
                        velocity: cell[2].min(127),
                    });
                }
            }
        }
        out
    }

    /// The inverse: a score of four tracks that encodes to the same rows.
    pub fn score(&self) -> Score {
        const PLACES: [(u8, u8); 4] = [(0, 0), (2, 25), (1, 33), (9, 0)];
        let tracks = self.notes().into_iter().zip(PLACES).zip(FAMILY_NAMES);
        let tracks = tracks.map(|((notes, (channel, program)), name)| Track {
            name: name.to_owned(),
            source_track: usize::from(channel),
            channel,
            program,
            is_drums: channel == 9,
            notes,
        });
        Score { tracks: tracks.collect(), ..Score::default() }
    }

    /// Notes of each family in some of the rows.
    pub fn counts(&self, rows: std::ops::Range<usize>) -> [usize; 4] {
        let mut counts = [0; 4];
        for row in &self.rows[rows] {
            for (own, count) in row.chunks_exact(FAMILY_COLUMNS).zip(&mut counts) {
                *count += own.chunks_exact(FEATURES).filter(|c| c[0] > 0).count();
            }
        }
        counts
    }

    /// Whether every family plays: P1 leaves out what lacks one.
    pub fn is_whole(&self) -> bool {
        self.counts(0..self.rows.len()).iter().all(|&n| n > 0)
    }
}
