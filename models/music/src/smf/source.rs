//! Which events of a file are the piano's.

use std::collections::BTreeMap;

use super::MidiFile;
use super::read::hang_end;
use super::walk::Event;

/// A channel of a chunk that belongs to the piano.
struct Source {
    /// Chosen programs, a bit each.
    programs: u128,
    /// Program that the chunk itself has set.
    own: Option<u8>,
    /// Keys whose last note was not chosen, a bit each.
    excluded: u128,
    /// Keys that are down, a bit each, and since when.
    down: u128,
    since: Box<[u64; 128]>,
}

/// Decides which channel events are the piano's.
pub(super) struct PianoFilter<'a> {
    file: &'a MidiFile,
    sources: BTreeMap<(usize, u8), Source>,
    /// Chosen programs by port and channel, for the chunks without notes.
    channels: BTreeMap<(u8, u8), u128>,
    /// Whether each chunk has notes.
    pub(super) has_notes: Vec<bool>,
    /// The chunks that have piano events.
    pub(super) chunks: Vec<usize>,
}

impl<'a> PianoFilter<'a> {
    pub(super) fn new(file: &'a MidiFile, tracks: &[usize]) -> Self {
        let mut sources: BTreeMap<(usize, u8), Source> = BTreeMap::new();
        let mut channels: BTreeMap<(u8, u8), u128> = BTreeMap::new();
        for &i in tracks {
            let track = &file.score.tracks[i];
            let bit = 1u128 << track.program.min(127);
            let source = sources.entry((track.source_track, track.channel)).or_insert_with(|| Source {
                programs: 0,
                own: None,
                excluded: 0,
                down: 0,
                since: Box::new([0; 128]),
            });
            source.programs |= bit;
            *channels.entry((file.programs.port(track.source_track), track.channel)).or_default() |= bit;
        }
        let has_notes = file.chunks_with_notes();
        let chosen = |chunk: usize| sources.range((chunk, 0)..=(chunk, 15)).next().is_some();
        let chunks = (0..has_notes.len()).filter(|&c| chosen(c) || !has_notes[c]).collect();
        Self { file, sources, channels, has_notes, chunks }
    }

    /// The status byte, moved to channel 1, of a channel event that belongs to the piano.
    pub(super) fn channel_event(&mut self, chunk: usize, event: &Event<'_>) -> Option<u8> {
        let status = event.status?;
        let (message, channel) = (status & 0xF0, status & 0x0F);
        let data = event.channel_data();
        let first = *data.first()? & 0x7F;
        if !self.has_notes[chunk] {
            let programs = self.channels.get(&(self.file.programs.port(chunk), channel))?;
            return (message != 0xC0 || programs >> first & 1 == 1).then_some(message);
        }
        let source = self.sources.get_mut(&(chunk, channel))?;
        let bit = 1u128 << first;
        match message {
            0xC0 => {
                source.own = Some(first);
                return (source.programs & bit != 0).then_some(message);
            }
            0x90 if data.get(1).is_some_and(|&v| v > 0) => {
                let foreign = || self.file.programs.in_force(chunk, channel, event.tick);
                let program = source.own.unwrap_or_else(foreign);
                if source.programs >> program & 1 == 0 {
                    source.excluded |= bit;
                    return None;
                }
                source.excluded &= !bit;
                source.down |= bit;
                source.since[usize::from(first)] = event.tick;
            }
            0x80 | 0x90 => {
                if source.excluded & bit != 0 {
                    return None;
                }
                source.down &= !bit;
            }
            // Key pressure of a note that was not chosen.
            0xA0 if source.excluded & bit != 0 => return None,
            _ => {}
        }
        Some(message)
    }

    /// Where the notes end that are still down, as (tick, pitch); `ends` has the end of each chunk.
    pub(super) fn hanging(&self, ends: &BTreeMap<usize, u64>, ticks_per_beat: u16) -> Vec<(u64, u8)> {
        let mut out = Vec::new();
        for (&(chunk, _), source) in &self.sources {
            let end = ends.get(&chunk).copied().unwrap_or(0);
            for pitch in (0..128u8).filter(|&p| source.down >> p & 1 == 1) {
                out.push((hang_end(source.since[usize::from(pitch)], end, ticks_per_beat), pitch));
            }
        }
        out
    }
}
