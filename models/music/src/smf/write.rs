//! Writing Standard MIDI Files.

use super::untangle;
use crate::score::{Note, Score};
use crate::time::{PULSES_PER_BEAT, Pulse};

/// Meta event types (RP-001, "Meta Events").
pub(super) const TRACK_NAME: u8 = 0x03;
pub(super) const MARKER: u8 = 0x06;
pub(super) const END_OF_TRACK: u8 = 0x2F;
pub(super) const TEMPO: u8 = 0x51;
pub(super) const TIME_SIGNATURE: u8 = 0x58;

/// Largest variable-length quantity of the format.
const MAX_VARLEN: u64 = 0x0FFF_FFFF;

/// Writes one track chunk. Events must come in time order.
pub(super) struct ChunkWriter {
    bytes: Vec<u8>,
    tick: u64,
    /// Running status; 0 when none.
    status: u8,
}

impl ChunkWriter {
    pub(super) fn new() -> Self {
        Self { bytes: b"MTrk\0\0\0\0".to_vec(), tick: 0, status: 0 }
    }

    /// A channel event: status byte with its channel, then one or two data bytes.
    pub(super) fn channel(&mut self, tick: u64, status: u8, data: &[u8]) {
        self.delta(tick);
        if status != self.status {
            self.bytes.push(status);
            self.status = status;
        }
        self.bytes.extend_from_slice(data);
    }

    /// A meta event.
    pub(super) fn meta(&mut self, tick: u64, kind: u8, data: &[u8]) {
        self.delta(tick);
        // The format ends at 2^28 - 1 bytes; no input that is read can hold more.
        let data = &data[..data.len().min(MAX_VARLEN as usize)];
        self.bytes.extend_from_slice(&[0xFF, kind]);
        varlen(&mut self.bytes, data.len() as u32);
        self.bytes.extend_from_slice(data);
        self.status = 0;
    }

    /// The whole chunk, ended at `end` or at the last event if that is later.
    pub(super) fn finish(mut self, end: u64) -> Vec<u8> {
        self.meta(end.max(self.tick), END_OF_TRACK, &[]);
        let length = (self.bytes.len() - 8) as u32;
        self.bytes[4..8].copy_from_slice(&length.to_be_bytes());
        self.bytes
    }

    fn delta(&mut self, tick: u64) {
        debug_assert!(tick >= self.tick, "events must come in time order");
        let mut delta = tick.saturating_sub(self.tick);
        while delta > MAX_VARLEN {
            // An empty text carries the time that one delta cannot.
            varlen(&mut self.bytes, MAX_VARLEN as u32);
            self.bytes.extend_from_slice(&[0xFF, 0x01, 0x00]);
            self.status = 0;
            delta -= MAX_VARLEN;
        }
        varlen(&mut self.bytes, delta as u32);
        self.tick = tick.max(self.tick);
    }
}

fn varlen(out: &mut Vec<u8>, value: u32) {
    for shift in [21, 14, 7] {
        if value >> shift != 0 {
            out.push((value >> shift) as u8 | 0x80);
        }
    }
    out.push((value & 0x7F) as u8);
}

/// A file of format 1 from finished chunks, at most 65535.
pub(super) fn file(ticks_per_beat: u16, chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(14 + chunks.iter().map(Vec::len).sum::<usize>());
    out.extend_from_slice(b"MThd\0\0\0\x06\0\x01");
    out.extend_from_slice(&(chunks.len() as u16).to_be_bytes());
    out.extend_from_slice(&ticks_per_beat.to_be_bytes());
    for chunk in chunks {
        out.extend_from_slice(chunk);
    }
    out
}

/// Tick of a pulse in a file, rounded to the nearest; times before the start become the start.
pub(super) fn to_tick(pulse: Pulse, ticks_per_beat: u16) -> u64 {
    let (pulse, tpb, ppb) = (pulse.max(0) as u64, u64::from(ticks_per_beat), PULSES_PER_BEAT as u64);
    (pulse.saturating_mul(tpb) + ppb / 2) / ppb
}

/// Appends notes to a chunk; of overlapping notes of a pitch the earlier is ended. Values out of range
/// are brought into it.
pub(super) fn notes(
    chunk: &mut ChunkWriter,
    channel: u8,
    notes: &[Note],
    programs: &[(Pulse, u8)],
    ticks_per_beat: u16,
) {
    let mut list: Vec<Note> = notes
        .iter()
        .map(|n| {
            let end = n.end().max(1);
            let onset = n.onset.clamp(0, end - 1);
            Note { onset, pitch: n.pitch.min(127), length: end - onset, velocity: n.velocity.clamp(1, 127) }
        })
        .collect();
    untangle(&mut list);
    // (tick, what, data): at equal ticks keys come up first, and programs change before others go down.
    const KINDS: [u8; 3] = [0x80, 0xC0, 0x90];
    let mut events: Vec<(u64, usize, u8, u8)> = Vec::with_capacity(list.len() * 2 + programs.len());
    events.extend(programs.iter().map(|&(at, p)| (to_tick(at.max(0), ticks_per_beat), 1, p.min(127), 0)));
    for n in &list {
        let onset = to_tick(n.onset, ticks_per_beat);
        events.push((onset, 2, n.pitch, n.velocity));
        events.push((to_tick(n.end(), ticks_per_beat).max(onset + 1), 0, n.pitch, 64));
    }
    events.sort_unstable();
    for (tick, kind, first, second) in events {
        let data = [first, second];
        chunk.channel(tick, KINDS[kind] | channel & 0x0F, if kind == 1 { &data[..1] } else { &data });
    }
}

/// Writes a score as a file of format 1 with 480 ticks a quarter note: a conductor track with tempos,
/// metres and markers, then one track chunk for each track with its name and program.
///
/// [`read`](super::read) gives the same score back if it is valid: notes in time 0 to
/// [`MAX_BEATS`](super::MAX_BEATS) quarter notes and sorted, no two notes of a pitch overlapping in a
/// track, no track without notes, `source_track` counting from 1, `is_drums` on channel 9 alone, names
/// and markers trimmed, without control characters and not over [`MAX_TEXT`](super::MAX_TEXT)
/// characters. Tracks beyond 65534 are left out, as the format has no room for them.
pub fn write(score: &Score) -> Vec<u8> {
    const TICKS: u16 = PULSES_PER_BEAT as u16;
    enum Change<'a> {
        Tempo(u32),
        Meter(u8, u8),
        Marker(&'a str),
    }
    let mut changes: Vec<(Pulse, Change<'_>)> = Vec::new();
    changes.extend(score.meters.changes().map(|(at, m)| (at, Change::Meter(m.numerator, m.denominator))));
    changes.extend(score.tempos.changes().map(|(at, tempo)| (at, Change::Tempo(tempo))));
    changes.extend(score.markers.iter().map(|(at, text)| (*at, Change::Marker(text))));
    changes.sort_by_key(|c| c.0);

    let mut conductor = ChunkWriter::new();
    for (at, change) in changes {
        let tick = to_tick(at, TICKS);
        match change {
            Change::Tempo(tempo) => {
                conductor.meta(tick, TEMPO, &tempo.clamp(1, 0xFF_FFFF).to_be_bytes()[1..]);
            }
            Change::Meter(numerator, denominator) => {
                // 24 clocks a click and 8 32nds a quarter note are what the format calls normal.
                let power = denominator.max(1).ilog2() as u8;
                conductor.meta(tick, TIME_SIGNATURE, &[numerator.max(1), power, 24, 8]);
            }
            Change::Marker(text) => conductor.meta(tick, MARKER, text.as_bytes()),
        }
    }
    let end = to_tick(score.end(), TICKS);
    let mut chunks = vec![conductor.finish(end)];
    for track in score.tracks.iter().take(65_534) {
        let mut chunk = ChunkWriter::new();
        chunk.meta(0, TRACK_NAME, track.name.as_bytes());
        chunk.channel(0, 0xC0 | track.channel & 0x0F, &[track.program.min(127)]);
        notes(&mut chunk, track.channel, &track.notes, &[], TICKS);
        chunks.push(chunk.finish(0));
    }
    file(TICKS, &chunks)
}
