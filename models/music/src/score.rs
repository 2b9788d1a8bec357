//! Notes, tracks and scores.

use crate::family::{Family, Part};
use crate::time::{MeterMap, Pulse, TempoMap};

/// A note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// Start in pulses from the beginning of the music.
    pub onset: Pulse,
    /// MIDI pitch, 0 to 127; for drums the General MIDI key.
    pub pitch: u8,
    /// Duration in pulses, 1 or more.
    pub length: Pulse,
    /// MIDI velocity, 1 to 127.
    pub velocity: u8,
}

impl Note {
    /// First pulse after the note.
    pub fn end(&self) -> Pulse {
        self.onset + self.length
    }
}

/// The notes of one instrument: what a MIDI file has on one track and channel between program changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Track {
    /// Track name as written, or empty.
    pub name: String,
    /// Index of the track chunk in the file it came from.
    pub source_track: usize,
    /// MIDI channel, 0 to 15.
    pub channel: u8,
    /// General MIDI program, 0 to 127; without meaning for drums.
    pub program: u8,
    /// Whether the notes are on the percussion channel.
    pub is_drums: bool,
    /// Notes by onset, then pitch.
    pub notes: Vec<Note>,
}

impl Track {
    /// The family by channel and program in the wide reading of [`Family::for_accompaniment`].
    pub fn family(&self) -> Option<Family> {
        if self.is_drums { Some(Family::Drums) } else { Family::for_accompaniment(self.program) }
    }
}

/// A piece of music in musical time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Score {
    /// Tempo changes.
    pub tempos: TempoMap,
    /// Metre changes.
    pub meters: MeterMap,
    /// Markers and cue points as (pulse, text).
    pub markers: Vec<(Pulse, String)>,
    /// Instruments.
    pub tracks: Vec<Track>,
}

impl Score {
    /// Pulse at which the last note ends; 0 without notes.
    pub fn end(&self) -> Pulse {
        self.tracks.iter().flat_map(|t| &t.notes).map(Note::end).max().unwrap_or(0)
    }
}

/// A piano part and the band that plays with it, as training and evaluation see a song. All lists are
/// sorted by onset, then pitch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BandScore {
    /// The part that the band accompanies.
    pub piano: Vec<Note>,
    /// The parts in the order of [`Part::ALL`].
    pub parts: [Vec<Note>; 4],
}

impl BandScore {
    /// Notes of a part.
    pub fn part(&self, part: Part) -> &[Note] {
        &self.parts[part.index()]
    }

    /// Restores the order of every list.
    pub fn sort(&mut self) {
        self.piano.sort_unstable();
        for part in &mut self.parts {
            part.sort_unstable();
        }
    }

    /// Pulse at which the last note ends.
    pub fn end(&self) -> Pulse {
        self.parts.iter().chain([&self.piano]).flatten().map(Note::end).max().unwrap_or(0)
    }
}
