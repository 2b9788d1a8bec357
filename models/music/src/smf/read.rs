//! From the bytes of a file to a score.

use std::collections::HashMap;

use midly::{MetaMessage, MidiMessage, TrackEventKind};

use super::error::{Repair, Repairs, SmfError};
use super::walk::{Event, Walk};
use super::{
    MAX_BEATS, MAX_BYTES, MAX_HANG_BEATS, MAX_HOURS, MAX_INSTRUMENTS, MAX_MARKERS, MAX_TEXT, MidiFile,
    chunks, limit_ticks, to_pulse, untangle,
};
use crate::score::{Note, Score, Track};
use crate::time::{Meter, MeterMap, Pulse, TempoMap};

/// See [`MidiFile::parse`].
pub(super) fn parse(bytes: &[u8]) -> Result<MidiFile, SmfError> {
    if bytes.len() > MAX_BYTES {
        return Err(SmfError::TooLarge { bytes: bytes.len(), limit: MAX_BYTES });
    }
    let bytes = chunks::unwrap_riff(bytes)?;
    let header = chunks::header(bytes)?;
    let mut repairs = Repairs::default();
    let mut survey = Survey::default();

    // A chunk that claims to reach over the next ones is split where its end-of-track event says, so the
    // chunks still to read are kept as a stack.
    let mut chunk_list = Vec::new();
    let mut pending = chunks::tracks(bytes, header.end..bytes.len(), &mut repairs);
    pending.reverse();
    while let Some(range) = pending.pop() {
        if chunk_list.len() == chunks::MAX_CHUNKS {
            break;
        }
        let mut walk = Walk::new(&bytes[range.clone()], limit_ticks(header.ticks_per_beat));
        survey.chunk(&mut walk, &mut repairs);
        if walk.far_note {
            return Err(too_long());
        }
        match walk.rest {
            Some(rest) if rest.starts_with(b"MTrk") => {
                let split = range.end - rest.len();
                repairs.add(Repair::WrongChunkLengths, 1);
                let mut inside = chunks::tracks(bytes, split..range.end, &mut repairs);
                inside.reverse();
                pending.append(&mut inside);
                walk.rest = Some(&[]);
                chunk_list.push(range.start..split);
            }
            _ => chunk_list.push(range),
        }
        walk.report(&mut repairs);
    }
    if chunk_list.is_empty() {
        return Err(SmfError::NoTracks);
    }
    if header.format == 2 && chunk_list.len() > 1 {
        return Err(SmfError::Format { format: 2 });
    }
    repairs.add(Repair::TrackCount, chunk_list.len().abs_diff(usize::from(header.tracks)));

    let mut reader = NoteReader::new(header.ticks_per_beat, survey.programs);
    for (index, range) in chunk_list.iter().enumerate() {
        let mut walk = Walk::new(&bytes[range.clone()], limit_ticks(header.ticks_per_beat));
        let name = &survey.names[index];
        reader.chunk(&mut walk, index, name)?;
    }
    let mut tracks = std::mem::take(&mut reader.tracks);
    for track in &mut tracks {
        reader.overlapping += untangle(&mut track.notes);
        track.notes.shrink_to_fit();
    }
    repairs.add(Repair::HangingNotes, reader.hanging);
    repairs.add(Repair::OverlappingNotes, reader.overlapping);
    repairs.add(Repair::ZeroLengthNotes, reader.zero_length);

    let tempos: Vec<(Pulse, u32)> = in_pulses(survey.tempos, header.ticks_per_beat).collect();
    let meters: Vec<(Pulse, Meter)> = in_pulses(survey.meters, header.ticks_per_beat).collect();
    let score = Score {
        tempos: TempoMap::new(&tempos),
        meters: MeterMap::new(&meters),
        markers: in_pulses(survey.markers, header.ticks_per_beat).collect(),
        tracks,
    };
    if score.tempos.seconds_at(score.end()) > (MAX_HOURS * 3600) as f64 {
        return Err(too_long());
    }
    Ok(MidiFile {
        bytes: bytes.to_vec(),
        chunks: chunk_list,
        format: header.format,
        ticks_per_beat: header.ticks_per_beat,
        score,
        programs: reader.programs,
        warnings: repairs.into_warnings(),
    })
}

/// Puts what several chunks say in order, by ticks first: two ticks may fall on one pulse.
fn in_pulses<T>(mut changes: Vec<(u64, T)>, ticks_per_beat: u16) -> impl Iterator<Item = (Pulse, T)> {
    changes.sort_by_key(|c| c.0);
    changes.into_iter().map(move |(tick, what)| (to_pulse(tick, ticks_per_beat), what))
}

fn too_long() -> SmfError {
    SmfError::TooLong { limit_beats: MAX_BEATS, limit_hours: MAX_HOURS }
}

/// What program holds where, through the program changes of all chunks.
#[derive(Debug, Clone, Default)]
pub(super) struct Programs {
    /// MIDI port of each chunk.
    ports: Vec<u8>,
    /// (tick, program) by port and channel.
    changes: HashMap<(u8, u8), Vec<(u64, u8)>>,
}

impl Programs {
    /// MIDI port of a chunk, 0 where none is given.
    pub(super) fn port(&self, chunk: usize) -> u8 {
        self.ports[chunk]
    }

    /// Program in force on a channel for a chunk that has not set its own; 0 when nothing was set.
    pub(super) fn in_force(&self, chunk: usize, channel: u8, tick: u64) -> u8 {
        let Some(list) = self.changes.get(&(self.port(chunk), channel)) else { return 0 };
        let after = list.partition_point(|p| p.0 <= tick);
        after.checked_sub(1).map_or(0, |i| list[i].1)
    }
}

/// First pass: all that holds for the whole file.
#[derive(Default)]
struct Survey {
    /// With ticks, in the order of the chunks.
    tempos: Vec<(u64, u32)>,
    meters: Vec<(u64, Meter)>,
    markers: Vec<(u64, String)>,
    /// Name of each chunk.
    names: Vec<String>,
    programs: Programs,
}

impl Survey {
    fn chunk(&mut self, walk: &mut Walk<'_>, repairs: &mut Repairs) {
        let (mut name, mut instrument, mut port) = (String::new(), String::new(), 0);
        for Event { tick, kind, .. } in walk {
            match kind {
                TrackEventKind::Midi { channel, message: MidiMessage::ProgramChange { program } } => {
                    let key = (port, channel.as_int());
                    self.programs.changes.entry(key).or_default().push((tick, program.as_int()));
                }
                TrackEventKind::Meta(MetaMessage::Tempo(tempo)) => match tempo.as_int() {
                    0 => repairs.add(Repair::BadTempos, 1),
                    tempo => self.tempos.push((tick, tempo)),
                },
                TrackEventKind::Meta(MetaMessage::TimeSignature(numerator, power, ..)) => {
                    if numerator == 0 || power > 6 {
                        repairs.add(Repair::BadMeters, 1);
                    } else {
                        self.meters.push((tick, Meter { numerator, denominator: 1 << power }));
                    }
                }
                TrackEventKind::Meta(MetaMessage::Marker(t) | MetaMessage::CuePoint(t)) => {
                    if self.markers.len() < MAX_MARKERS {
                        self.markers.push((tick, text(t, repairs)));
                    } else {
                        repairs.add(Repair::SurplusMarkers, 1);
                    }
                }
                TrackEventKind::Meta(MetaMessage::TrackName(t)) if name.is_empty() => name = text(t, repairs),
                TrackEventKind::Meta(MetaMessage::InstrumentName(t)) if instrument.is_empty() => {
                    instrument = text(t, repairs);
                }
                TrackEventKind::Meta(MetaMessage::MidiPort(p)) => port = p.as_int(),
                _ => {}
            }
        }
        self.names.push(if name.is_empty() { instrument } else { name });
        self.programs.ports.push(port);
    }
}

/// Text of a meta event: UTF-8, or else Latin-1, which files have always held; trimmed and shortened.
fn text(raw: &[u8], repairs: &mut Repairs) -> String {
    // Four bytes are the longest character, and the rest of a huge text is not worth looking at.
    let head = &raw[..raw.len().min(4 * MAX_TEXT + 4)];
    let whole = match std::str::from_utf8(head) {
        Ok(s) => s.to_owned(),
        Err(e) if e.error_len().is_none() && head.len() < raw.len() => {
            String::from_utf8_lossy(&head[..e.valid_up_to()]).into_owned()
        }
        Err(_) => head.iter().map(|&b| char::from(b)).collect(),
    };
    let clean: String = whole.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let clean = clean.trim();
    if clean.chars().count() > MAX_TEXT {
        repairs.add(Repair::ShortenedTexts, 1);
        return clean.chars().take(MAX_TEXT).collect::<String>().trim_end().to_owned();
    }
    clean.to_owned()
}

/// A key that is down.
#[derive(Debug, Clone, Copy)]
struct Open {
    tick: u64,
    velocity: u8,
    track: u32,
    /// The stroke ended an earlier note, whose own note-off may still follow at the same tick.
    restruck: bool,
}

/// No track yet for a channel and program.
const NO_TRACK: u32 = u32::MAX;

/// Second pass: the notes.
struct NoteReader {
    ticks_per_beat: u16,
    programs: Programs,
    tracks: Vec<Track>,
    /// By channel and pitch.
    open: Vec<Option<Open>>,
    /// Track of this chunk by channel and program.
    slots: Vec<u32>,
    hanging: usize,
    overlapping: usize,
    zero_length: usize,
}

impl NoteReader {
    fn new(ticks_per_beat: u16, mut programs: Programs) -> Self {
        for list in programs.changes.values_mut() {
            list.sort_by_key(|p| p.0);
        }
        Self {
            ticks_per_beat,
            programs,
            tracks: Vec::new(),
            open: vec![None; 16 * 128],
            slots: vec![NO_TRACK; 16 * 128],
            hanging: 0,
            overlapping: 0,
            zero_length: 0,
        }
    }

    fn chunk(&mut self, walk: &mut Walk<'_>, index: usize, name: &str) -> Result<(), SmfError> {
        let first_track = self.tracks.len();
        // Programs that this chunk itself set.
        let mut own: [Option<u8>; 16] = [None; 16];
        for Event { tick, kind, .. } in &mut *walk {
            let TrackEventKind::Midi { channel, message } = kind else { continue };
            let channel = channel.as_int();
            let cell = |key: midly::num::u7| usize::from(channel) * 128 + usize::from(key.as_int());
            match message {
                MidiMessage::ProgramChange { program } => own[usize::from(channel)] = Some(program.as_int()),
                MidiMessage::NoteOn { key, vel } if vel > 0 => {
                    let velocity = vel.as_int();
                    let before = self.open[cell(key)].take();
                    self.overlapping += usize::from(before.is_some());
                    self.open[cell(key)] = Some(match before {
                        // Of two strokes at one tick the first is kept, as loud as the louder.
                        Some(before) if before.tick == tick => {
                            Open { velocity: velocity.max(before.velocity), ..before }
                        }
                        _ => {
                            if let Some(before) = before {
                                self.close(before, key.as_int(), tick);
                            }
                            let foreign = || self.programs.in_force(index, channel, tick);
                            let program = own[usize::from(channel)].unwrap_or_else(foreign);
                            let track = self.track(index, channel, program, name)?;
                            Open { tick, velocity, track, restruck: before.is_some() }
                        }
                    });
                }
                MidiMessage::NoteOn { key, .. } | MidiMessage::NoteOff { key, .. } => {
                    match &mut self.open[cell(key)] {
                        Some(open) if open.restruck && open.tick == tick => {
                            // Nothing overlapped; the file only says "down" before "up".
                            self.overlapping -= 1;
                            open.restruck = false;
                        }
                        slot => {
                            if let Some(open) = slot.take() {
                                self.zero_length += usize::from(open.tick == tick);
                                self.close(open, key.as_int(), tick);
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        // What still sounds ends with the track, and not absurdly late.
        let end = walk.end();
        for i in 0..self.open.len() {
            if let Some(open) = self.open[i].take() {
                self.hanging += 1;
                self.close(open, (i % 128) as u8, hang_end(open.tick, end, self.ticks_per_beat));
            }
        }
        for track in &self.tracks[first_track..] {
            self.slots[usize::from(track.channel) * 128 + usize::from(track.program)] = NO_TRACK;
        }
        Ok(())
    }

    fn close(&mut self, open: Open, pitch: u8, tick: u64) {
        let onset = to_pulse(open.tick, self.ticks_per_beat);
        let length = (to_pulse(tick, self.ticks_per_beat) - onset).max(1);
        self.tracks[open.track as usize].notes.push(Note { onset, pitch, length, velocity: open.velocity });
    }

    fn track(&mut self, index: usize, channel: u8, program: u8, name: &str) -> Result<u32, SmfError> {
        let slot = usize::from(channel) * 128 + usize::from(program);
        if self.slots[slot] == NO_TRACK {
            if self.tracks.len() == MAX_INSTRUMENTS {
                return Err(SmfError::TooManyInstruments { limit: MAX_INSTRUMENTS });
            }
            self.slots[slot] = self.tracks.len() as u32;
            self.tracks.push(Track {
                name: name.to_owned(),
                source_track: index,
                channel,
                program,
                is_drums: channel == 9,
                notes: Vec::new(),
            });
        }
        Ok(self.slots[slot])
    }
}

/// Where a note ends that has no note-off: a tick after its onset or later, so that no reader takes its
/// note-off for that of an earlier note.
pub(super) fn hang_end(onset: u64, track_end: u64, ticks_per_beat: u16) -> u64 {
    track_end.min(onset + MAX_HANG_BEATS as u64 * u64::from(ticks_per_beat)).max(onset + 1)
}
