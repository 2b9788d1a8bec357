//! The band beside the piano: what `render` writes.

use std::collections::BTreeMap;

use midly::num::u7;
use midly::{MidiMessage, TrackEvent};

use super::merge::Merge;
use super::piano::PianoChoice;
use super::source::PianoFilter;
use super::write::{TrackWriter, file};
use super::{MidiFile, SmfError};
use crate::family::Part;
use crate::score::Note;
use crate::time::{PULSES_PER_BEAT, Pulse};

/// One part of the band, to be written as a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartTrack {
    /// Which part; gives the track's name and channel.
    pub part: Part,
    /// General MIDI program, 0 to 127; for drums the kit.
    pub program: u8,
    /// Other programs, each from a pulse on.
    pub changes: Vec<(Pulse, u8)>,
    /// Channel volume (controller 7), 0 to 127; not written when `None`.
    pub volume: Option<u8>,
    /// Pan (controller 10), 0 left to 127 right; not written when `None`.
    pub pan: Option<u8>,
    /// Notes in pulses.
    pub notes: Vec<Note>,
}

impl PartTrack {
    /// A part without volume and pan, on one program.
    pub fn new(part: Part, program: u8, notes: Vec<Note>) -> Self {
        Self { part, program, changes: Vec::new(), volume: None, pan: None, notes }
    }

    fn events(&self, ticks_per_beat: u16) -> Vec<TrackEvent<'static>> {
        let channel = self.part.channel();
        let mut track = TrackWriter::named(self.part.name(), Some((channel, self.program)));
        for (controller, value) in [(7, self.volume), (10, self.pan)] {
            if let Some(value) = value {
                let (controller, value) = (u7::new(controller), u7::new(value.min(127)));
                track.channel(0, channel, MidiMessage::Controller { controller, value });
            }
        }
        track.notes(channel, &self.notes, &self.changes, ticks_per_beat);
        track.finish(0)
    }
}

/// Meta event types (RP-001, "Meta Events").
const TRACK_NAME: u8 = 0x03;
const TEMPO: u8 = 0x51;
const TIME_SIGNATURE: u8 = 0x58;
/// Meta events that go into the conductor track from wherever they are: copyright, marker, cue point,
/// tempo, SMPTE offset, time signature, key signature.
const CONDUCTOR: [u8; 7] = [0x02, 0x06, 0x07, TEMPO, 0x54, TIME_SIGNATURE, 0x59];
/// Of these, the ones that state what holds from now on, so that repeating them says nothing.
const STATES: [u8; 4] = [TEMPO, 0x54, TIME_SIGNATURE, 0x59];
/// Meta events of the piano's tracks that stay with it: text, instrument name, lyric, program name,
/// sequencer data. Ports, channels and device names do not: the piano moves to channel 1.
const PIANO_TEXTS: [u8; 5] = [0x01, 0x04, 0x05, 0x08, 0x7F];

impl MidiFile {
    /// The piano with a band: a file of format 1 with a conductor track, then Piano on channel 1, then the
    /// given parts as Drums, Bass, Guitar and Strings on channels 10, 2, 3 and 4.
    ///
    /// The conductor track has all tempos, metres, key signatures, markers, cue points, copyright notices
    /// and the SMPTE offset of the file at their times, and the texts of its tracks without notes. The
    /// Piano track has all channel events of the chosen tracks in order and with their values, also
    /// those that a track without notes sends to their channels; several tracks are merged. Only changes to
    /// the program of notes that were not chosen are left out with these notes. Hanging notes get a note-off
    /// where [`MidiFile::score`] ends them. System-exclusive events are left out, since they may reassign the
    /// channels that the band plays on.
    ///
    /// The resolution is the file's, multiplied by a whole number when it is below 480, so that all
    /// times of the file stay exact.
    ///
    /// # Errors
    /// As [`MidiFile::pick_piano`].
    pub fn accompany(&self, piano: &PianoChoice, parts: &[PartTrack]) -> Result<Vec<u8>, SmfError> {
        let mut tracks = vec![self.conductor(), self.piano(piano)?];
        let mut order: Vec<&PartTrack> = parts.iter().collect();
        order.sort_by_key(|p| p.part);
        tracks.extend(order.iter().map(|p| p.events(self.output_resolution())));
        Ok(file(self.output_resolution(), &tracks))
    }

    /// The piano and what goes on from it: a file of format 1 with a conductor track, then Piano on channel 1 as
    /// in [`MidiFile::accompany`], then the added notes as a track of that name, on channel 2 with the piano's program:
    /// so neither ends the other's keys or feels its pedal.
    ///
    /// # Errors
    /// As [`MidiFile::pick_piano`].
    pub fn with_added(&self, piano: &PianoChoice, name: &str, added: &[Note]) -> Result<Vec<u8>, SmfError> {
        const CHANNEL: u8 = 1;
        let program = self.score.tracks[self.pick_piano(piano)?.tracks[0]].program;
        let mut track = TrackWriter::named(name, Some((CHANNEL, program)));
        track.notes(CHANNEL, added, &[], self.output_resolution());
        let tracks = [self.conductor(), self.piano(piano)?, track.finish(0)];
        Ok(file(self.output_resolution(), &tracks))
    }

    /// A stem: the conductor track and one part.
    pub fn part_alone(&self, part: &PartTrack) -> Vec<u8> {
        file(self.output_resolution(), &[self.conductor(), part.events(self.output_resolution())])
    }

    /// A stem: the conductor track and the piano.
    ///
    /// # Errors
    /// As [`MidiFile::pick_piano`].
    pub fn piano_alone(&self, piano: &PianoChoice) -> Result<Vec<u8>, SmfError> {
        Ok(file(self.output_resolution(), &[self.conductor(), self.piano(piano)?]))
    }

    /// Output ticks for one tick of the file.
    fn scale(&self) -> u64 {
        (PULSES_PER_BEAT as u64).div_ceil(u64::from(self.ticks_per_beat)).max(1)
    }

    /// Output ticks a quarter note.
    fn output_resolution(&self) -> u16 {
        // Below 480 the product is below 960; from 480 on the factor is 1.
        (self.scale() * u64::from(self.ticks_per_beat)) as u16
    }

    /// Whether a chunk has notes.
    pub(super) fn chunks_with_notes(&self) -> Vec<bool> {
        let mut with = vec![false; self.chunks.len()];
        for track in &self.score.tracks {
            with[track.source_track] = true;
        }
        with
    }

    fn conductor(&self) -> Vec<TrackEvent<'_>> {
        let with_notes = self.chunks_with_notes();
        let mut out = TrackWriter::default();
        // The first track's name is the title of the piece, unless it names an instrument.
        let title = self.walk(0).find_map(|e| e.meta().filter(|m| m.0 == TRACK_NAME).map(|m| m.1));
        if let Some(title) = title.filter(|_| self.chunks.len() == 1 || !with_notes[0]) {
            out.raw_meta(0, TRACK_NAME, title);
        }
        let mut last: BTreeMap<u8, (u64, &[u8])> = BTreeMap::new();
        let mut merge = Merge::new(self, 0..self.chunks.len());
        for (chunk, event) in &mut merge {
            let Some((kind, data)) = event.meta() else { continue };
            let text = matches!(kind, 0x01 | 0x05 | 0x7F) && !with_notes[chunk];
            let impossible = match kind {
                TEMPO => data.len() < 3 || data.starts_with(&[0, 0, 0]),
                TIME_SIGNATURE => data.len() < 4 || data[0] == 0 || data[1] > 6,
                _ => false,
            };
            if impossible || !(text || CONDUCTOR.contains(&kind)) {
                continue;
            }
            if STATES.contains(&kind) && last.insert(kind, (event.tick, data)) == Some((event.tick, data)) {
                continue;
            }
            out.raw_meta(event.tick * self.scale(), kind, data);
        }
        out.finish(merge.end * self.scale())
    }

    fn piano(&self, choice: &PianoChoice) -> Result<Vec<TrackEvent<'_>>, SmfError> {
        let pick = self.pick_piano(choice)?;
        let program = self.score.tracks[pick.tracks[0]].program;
        let mut filter = PianoFilter::new(self, &pick.tracks);

        // A first pass finds what hangs, and whether the program is set by a chunk that is left out.
        let mut merge = Merge::new(self, filter.chunks.clone());
        let mut has_program = false;
        for (chunk, event) in &mut merge {
            let message = filter.channel_event(chunk, &event);
            has_program |= matches!(message, Some(MidiMessage::ProgramChange { .. }));
        }
        let mut closings = filter.hanging(&merge.ends, self.ticks_per_beat);
        closings.sort_unstable();
        let mut closings = closings.into_iter().peekable();

        let program = (!has_program && program != 0).then_some((0, program));
        let mut out = TrackWriter::named("Piano", program);
        let mut filter = PianoFilter::new(self, &pick.tracks);
        let mut merge = Merge::new(self, filter.chunks.clone());
        for (chunk, event) in &mut merge {
            while let Some((tick, pitch)) = closings.next_if(|c| c.0 < event.tick) {
                out.note_off(tick * self.scale(), 0, pitch);
            }
            let tick = event.tick * self.scale();
            if let Some(message) = filter.channel_event(chunk, &event) {
                out.channel(tick, 0, message);
            } else if let Some((kind, data)) = event.meta()
                && PIANO_TEXTS.contains(&kind)
                && filter.has_notes[chunk]
            {
                out.raw_meta(tick, kind, data);
            }
        }
        for (tick, pitch) in closings {
            out.note_off(tick * self.scale(), 0, pitch);
        }
        Ok(out.finish(merge.end * self.scale()))
    }
}
