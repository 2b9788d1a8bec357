//! Standard MIDI Files: reading with repairs, writing, and writing a band beside its piano.
//!
//! Formats 0 and 1 with metrical time (RP-001, "Standard MIDI Files 1.0") are read, also inside a RIFF
//! wrapper (.rmi). Reading is lenient where players are and counts what it repaired; it never panics
//! and its memory is bounded by a small multiple of the file's size.

mod accompany;
mod chunks;
mod error;
mod merge;
mod names;
mod piano;
mod read;
mod source;
mod walk;
mod write;

use std::ops::Range;

pub use accompany::PartTrack;
pub use error::{Repair, SmfError, Warning};
pub use names::program_name;
pub use piano::{PianoChoice, PianoPick};
pub use write::write;

use crate::score::{Note, Score};
use crate::time::{PULSES_PER_BEAT, Pulse};

/// Largest file that is read, in bytes.
pub const MAX_BYTES: usize = 256 << 20;
/// Longest piece that is read, in quarter notes; at 120 beats a minute a little over 24 hours.
pub const MAX_BEATS: u64 = 180_000;
/// Longest piece that is read, in hours of its own tempo.
pub const MAX_HOURS: u64 = 24;
/// Most instruments (combinations of track, channel and program) that are kept apart.
pub const MAX_INSTRUMENTS: usize = 65_000;
/// Longest track name or marker that is kept in a score, in characters.
pub const MAX_TEXT: usize = 128;
/// Most markers that are kept in a score.
pub const MAX_MARKERS: usize = 10_000;
/// A note without a note-off rings for at most this many quarter notes.
pub const MAX_HANG_BEATS: i64 = 16;

/// A MIDI file as read: its score, what was repaired, and the file itself for passing it on.
#[derive(Debug, Clone)]
pub struct MidiFile {
    /// The Standard MIDI File, without a RIFF wrapper.
    bytes: Vec<u8>,
    /// Contents of the track chunks within `bytes`.
    chunks: Vec<Range<usize>>,
    format: u16,
    ticks_per_beat: u16,
    score: Score,
    warnings: Vec<Warning>,
    programs: read::Programs,
}

impl MidiFile {
    /// Reads a file.
    ///
    /// # Errors
    /// What is no MIDI file, counts time in SMPTE frames, or is beyond the limits above.
    pub fn parse(bytes: &[u8]) -> Result<Self, SmfError> {
        read::parse(bytes)
    }

    /// The music, in pulses of a 480th of a quarter note.
    ///
    /// One track per chunk, channel and program in force at the note, in the order of the file and then
    /// of first use. Within a track no two notes of a pitch overlap.
    pub fn score(&self) -> &Score {
        &self.score
    }

    /// The music, without the file.
    pub fn into_score(self) -> Score {
        self.score
    }

    /// What was repaired.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Format word of the header, 0 or 1 (2 for a file with a single track).
    pub fn format(&self) -> u16 {
        self.format
    }

    /// Resolution of the file in ticks a quarter note, 1 to 32767.
    pub fn ticks_per_beat(&self) -> u16 {
        self.ticks_per_beat
    }

    /// The last tick that is read.
    fn limit_ticks(&self) -> u64 {
        limit_ticks(self.ticks_per_beat)
    }

    /// The events of a track chunk with absolute ticks, as they were read into the score.
    fn walk(&self, chunk: usize) -> walk::Walk<'_> {
        walk::Walk::new(&self.bytes[self.chunks[chunk].clone()], self.limit_ticks())
    }
}

/// Reads the music of a Standard MIDI File.
///
/// # Errors
/// As [`MidiFile::parse`].
pub fn read(bytes: &[u8]) -> Result<Score, SmfError> {
    Ok(MidiFile::parse(bytes)?.into_score())
}

fn to_pulse(tick: u64, ticks_per_beat: u16) -> Pulse {
    let (tpb, ppb) = (u64::from(ticks_per_beat), PULSES_PER_BEAT as u64);
    ((tick * ppb + tpb / 2) / tpb) as Pulse
}

fn limit_ticks(ticks_per_beat: u16) -> u64 {
    MAX_BEATS * u64::from(ticks_per_beat)
}

/// Ends notes where their pitch is struck again and drops doubled strokes, keeping the louder. Sorts by
/// onset, then pitch. Returns how many notes it changed or dropped.
fn untangle(notes: &mut Vec<Note>) -> usize {
    // Of doubled strokes the longest comes last; it is the one that is kept.
    notes.sort_unstable();
    let mut changed = 0;
    let mut last: [Option<usize>; 128] = [None; 128];
    let mut kept = 0;
    for i in 0..notes.len() {
        let note = notes[i];
        let slot = &mut last[usize::from(note.pitch.min(127))];
        match *slot {
            Some(j) if notes[j].onset == note.onset => {
                notes[j].length = notes[j].length.max(note.length);
                notes[j].velocity = notes[j].velocity.max(note.velocity);
                changed += 1;
                continue;
            }
            Some(j) if notes[j].end() > note.onset => {
                notes[j].length = note.onset - notes[j].onset;
                changed += 1;
            }
            _ => {}
        }
        *slot = Some(kept);
        notes[kept] = note;
        kept += 1;
    }
    notes.truncate(kept);
    changed
}
