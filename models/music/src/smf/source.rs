//! Which events of a file are the piano's.

use std::collections::BTreeMap;

use midly::MidiMessage::{self, Aftertouch, NoteOff, NoteOn, ProgramChange};
use midly::TrackEventKind;

use super::MidiFile;
use super::read::hang_end;
use super::walk::Event;

/// A channel of a chunk that belongs to the piano.
#[derive(Default)]
struct Source {
    /// Chosen programs, a bit each.
    programs: u128,
    /// Programs of its other notes, a bit each.
    others: u128,
    /// Program that the chunk itself has set.
    set_program: Option<u8>,
    /// Keys that are down. A map, since a file may have ten thousands of channels with a key each.
    down: BTreeMap<u8, HeldKey>,
}

/// A key that is down, as the score was read: a new stroke ends the note before, and a note-off at the
/// very tick of the new stroke is still the old note's.
#[derive(Debug, Clone, Copy)]
struct HeldKey {
    since: u64,
    /// Whether its note was chosen.
    chosen: bool,
    /// Whether the note that its stroke ended, if any, was chosen and has not had its note-off.
    ended: Option<bool>,
}

/// What becomes of a note-on.
enum Stroke {
    Sent,
    /// It is not the piano's, but it ends a note that is: a note-off is sent in its place.
    EndsChosen,
    LeftOut,
}

impl Source {
    /// A note-on at a tick.
    fn stroke(&mut self, key: u8, tick: u64, chosen: bool) -> Stroke {
        let ended = match self.down.get(&key) {
            // Of two strokes at one tick the first is read.
            Some(before) if before.since == tick => {
                return if before.chosen && chosen { Stroke::Sent } else { Stroke::LeftOut };
            }
            before => before.map(|b| b.chosen),
        };
        self.down.insert(key, HeldKey { since: tick, chosen, ended });
        match ended {
            _ if chosen => Stroke::Sent,
            Some(true) => Stroke::EndsChosen,
            _ => Stroke::LeftOut,
        }
    }

    /// A note-off at a tick. Whether it is to be sent.
    fn release(&mut self, key: u8, tick: u64) -> bool {
        let Some(down) = self.down.get_mut(&key) else { return true };
        let chosen = down.chosen;
        if down.since == tick
            && let Some(before) = down.ended.take()
        {
            return before && chosen;
        }
        self.down.remove(&key);
        chosen
    }
}

/// Decides which channel events are the piano's.
pub(super) struct PianoFilter<'a> {
    file: &'a MidiFile,
    sources: BTreeMap<(usize, u8), Source>,
    /// Programs of the notes that were not chosen by port and channel, for the chunks without notes; only
    /// of channels that have chosen ones.
    channels: BTreeMap<(u8, u8), u128>,
    /// Whether each chunk has notes.
    pub(super) has_notes: Vec<bool>,
    /// The chunks that have piano events.
    pub(super) chunks: Vec<usize>,
}

impl<'a> PianoFilter<'a> {
    pub(super) fn new(file: &'a MidiFile, tracks: &[usize]) -> Self {
        let mut sources: BTreeMap<(usize, u8), Source> = BTreeMap::new();
        let mut channels: BTreeMap<(u8, u8), (u128, u128)> = BTreeMap::new();
        let key = |i: usize| {
            let t = &file.score.tracks[i];
            (
                (t.source_track, t.channel),
                (file.programs.port(t.source_track), t.channel),
                1u128 << t.program.min(127),
            )
        };
        for &i in tracks {
            let (source, channel, bit) = key(i);
            sources.entry(source).or_default().programs |= bit;
            channels.entry(channel).or_default().0 |= bit;
        }
        for i in 0..file.score.tracks.len() {
            let (source, channel, bit) = key(i);
            if let Some(source) = sources.get_mut(&source) {
                source.others |= bit & !source.programs;
            }
            if let Some((chosen, others)) = channels.get_mut(&channel) {
                *others |= bit & !*chosen;
            }
        }
        let channels = channels.into_iter().map(|(key, (_, others))| (key, others)).collect();
        let has_notes = file.chunks_with_notes();
        let chosen = |chunk: usize| sources.range((chunk, 0)..=(chunk, 15)).next().is_some();
        let chunks = (0..has_notes.len()).filter(|&c| chosen(c) || !has_notes[c]).collect();
        Self { file, sources, channels, has_notes, chunks }
    }

    /// What to send in place of an event: nothing for what is not a channel event of the piano.
    pub(super) fn channel_event(&mut self, chunk: usize, event: &Event<'_>) -> Option<MidiMessage> {
        let TrackEventKind::Midi { channel, message } = event.kind else { return None };
        let channel = channel.as_int();
        if !self.has_notes[chunk] {
            let others = self.channels.get(&(self.file.programs.port(chunk), channel))?;
            return match message {
                // Its note-offs have no notes to end; only its controls are of use.
                NoteOff { .. } | NoteOn { .. } | Aftertouch { .. } => None,
                ProgramChange { program } => (others >> program.as_int() & 1 == 0).then_some(message),
                _ => Some(message),
            };
        }
        let source = self.sources.get_mut(&(chunk, channel))?;
        match message {
            ProgramChange { program } => {
                source.set_program = Some(program.as_int());
                (source.others >> program.as_int() & 1 == 0).then_some(message)
            }
            NoteOn { key, vel } if vel > 0 => {
                let in_force = || self.file.programs.in_force(chunk, channel, event.tick);
                let program = source.set_program.unwrap_or_else(in_force);
                let chosen = source.programs >> program & 1 == 1;
                match source.stroke(key.as_int(), event.tick, chosen) {
                    Stroke::Sent => Some(message),
                    Stroke::EndsChosen => Some(NoteOff { key, vel }),
                    Stroke::LeftOut => None,
                }
            }
            NoteOff { key, .. } | NoteOn { key, .. } => {
                source.release(key.as_int(), event.tick).then_some(message)
            }
            Aftertouch { key, .. } => {
                source.down.get(&key.as_int()).is_none_or(|key| key.chosen).then_some(message)
            }
            _ => Some(message),
        }
    }

    /// Where the notes end that are still down, as (tick, pitch); `ends` has the end of each chunk.
    pub(super) fn hanging(&self, ends: &BTreeMap<usize, u64>, ticks_per_beat: u16) -> Vec<(u64, u8)> {
        let mut out = Vec::new();
        for (&(chunk, _), source) in &self.sources {
            let end = ends.get(&chunk).copied().unwrap_or(0);
            for (&pitch, key) in source.down.iter().filter(|k| k.1.chosen) {
                out.push((hang_end(key.since, end, ticks_per_beat), pitch));
            }
        }
        out
    }
}
