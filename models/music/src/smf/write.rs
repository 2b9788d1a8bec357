//! Writing Standard MIDI Files.

use midly::num::{u4, u7, u15, u24, u28};
use midly::{Format, Header, MetaMessage, MidiMessage, Timing, TrackEvent, TrackEventKind};

use super::untangle;
use crate::score::{Note, Score};
use crate::time::{PULSES_PER_BEAT, Pulse};

/// The largest delta time and the largest meta event of the format.
const MAX_VARLEN: u64 = (1 << 28) - 1;

/// Most tracks beside the conductor track: the header counts in 16 bits.
const MAX_TRACKS: usize = 65_534;

/// The events of one track. They must come in time order.
#[derive(Default)]
pub(super) struct TrackWriter<'a> {
    events: Vec<TrackEvent<'a>>,
    /// Time of the last event, in ticks.
    tick: u64,
}

impl<'a> TrackWriter<'a> {
    /// A track with a name and, where given, the program of a channel.
    pub(super) fn named(name: &'a str, program: Option<(u8, u8)>) -> Self {
        let mut track = Self::default();
        track.meta(0, MetaMessage::TrackName(cut(name.as_bytes())));
        if let Some((channel, program)) = program {
            track.channel(0, channel, MidiMessage::ProgramChange { program: u7::new(program.min(127)) });
        }
        track
    }

    /// A channel event.
    pub(super) fn channel(&mut self, tick: u64, channel: u8, message: MidiMessage) {
        self.event(tick, TrackEventKind::Midi { channel: u4::new(channel), message });
    }

    /// A note-off with the velocity 64, which means "not known".
    pub(super) fn note_off(&mut self, tick: u64, channel: u8, pitch: u8) {
        self.channel(tick, channel, MidiMessage::NoteOff { key: u7::new(pitch), vel: u7::new(64) });
    }

    /// A meta event.
    pub(super) fn meta(&mut self, tick: u64, meta: MetaMessage<'a>) {
        self.event(tick, TrackEventKind::Meta(meta));
    }

    /// A meta event as it lies in a file: its type and content.
    pub(super) fn raw_meta(&mut self, tick: u64, kind: u8, data: &'a [u8]) {
        self.meta(tick, MetaMessage::Unknown(kind, cut(data)));
    }

    /// The whole track, ended at `end` or at the last event if that is later.
    pub(super) fn finish(mut self, end: u64) -> Vec<TrackEvent<'a>> {
        self.meta(end.max(self.tick), MetaMessage::EndOfTrack);
        self.events
    }

    fn event(&mut self, tick: u64, kind: TrackEventKind<'a>) {
        debug_assert!(tick >= self.tick, "events must come in time order");
        let mut delta = tick.saturating_sub(self.tick);
        while delta > MAX_VARLEN {
            // An empty text carries the time that one delta cannot.
            let text = TrackEventKind::Meta(MetaMessage::Text(b""));
            self.events.push(TrackEvent { delta: u28::max_value(), kind: text });
            delta -= MAX_VARLEN;
        }
        self.events.push(TrackEvent { delta: u28::new(delta as u32), kind });
        self.tick = tick.max(self.tick);
    }

    /// Appends notes; of overlapping notes of a pitch the earlier is ended. Values out of range are
    /// brought into it.
    pub(super) fn notes(
        &mut self,
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
                Note {
                    onset,
                    pitch: n.pitch.min(127),
                    length: end - onset,
                    velocity: n.velocity.clamp(1, 127),
                }
            })
            .collect();
        untangle(&mut list);
        // (tick, kind, data): at equal ticks keys come up first, and programs change before others go down.
        let mut events: Vec<(u64, u8, u8, u8)> = Vec::with_capacity(list.len() * 2 + programs.len());
        events.extend(programs.iter().map(|&(at, p)| (to_tick(at, ticks_per_beat), 1, p.min(127), 0)));
        for n in &list {
            let onset = to_tick(n.onset, ticks_per_beat);
            events.push((onset, 2, n.pitch, n.velocity));
            events.push((to_tick(n.end(), ticks_per_beat).max(onset + 1), 0, n.pitch, 0));
        }
        events.sort_unstable();
        for (tick, kind, first, second) in events {
            let (first, second) = (u7::new(first), u7::new(second));
            match kind {
                0 => self.note_off(tick, channel, first.as_int()),
                1 => self.channel(tick, channel, MidiMessage::ProgramChange { program: first }),
                _ => self.channel(tick, channel, MidiMessage::NoteOn { key: first, vel: second }),
            }
        }
    }
}

/// Text or data of a meta event, cut where the format ends.
fn cut(data: &[u8]) -> &[u8] {
    &data[..data.len().min(MAX_VARLEN as usize)]
}

/// A file of format 1 from finished tracks, at most 65535, with a resolution of at most 32767.
pub(super) fn file(ticks_per_beat: u16, tracks: &[Vec<TrackEvent<'_>>]) -> Vec<u8> {
    let header = Header::new(Format::Parallel, Timing::Metrical(u15::new(ticks_per_beat)));
    let mut out = Vec::new();
    midly::write(&header, tracks, &mut out).expect("at most 65535 tracks, each of less than 4 GB");
    out
}

/// Tick of a pulse in a file, rounded to the nearest; times before the start become the start.
fn to_tick(pulse: Pulse, ticks_per_beat: u16) -> u64 {
    let (pulse, tpb, ppb) = (pulse.max(0) as u64, u64::from(ticks_per_beat), PULSES_PER_BEAT as u64);
    (pulse.saturating_mul(tpb) + ppb / 2) / ppb
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
    let mut changes: Vec<(Pulse, MetaMessage<'_>)> = Vec::new();
    changes.extend(score.meters.changes().map(|(at, m)| {
        // 24 clocks a click and 8 32nds a quarter note are what the format calls normal.
        let power = m.denominator.max(1).ilog2() as u8;
        (at, MetaMessage::TimeSignature(m.numerator.max(1), power, 24, 8))
    }));
    changes.extend(score.tempos.changes().map(|(at, tempo)| {
        let tempo = tempo.clamp(1, u24::max_value().as_int());
        (at, MetaMessage::Tempo(u24::new(tempo)))
    }));
    changes.extend(score.markers.iter().map(|(at, text)| (*at, MetaMessage::Marker(cut(text.as_bytes())))));
    changes.sort_by_key(|c| c.0);

    let mut conductor = TrackWriter::default();
    for (at, change) in changes {
        conductor.meta(to_tick(at, TICKS), change);
    }
    let mut tracks = vec![conductor.finish(to_tick(score.end(), TICKS))];
    tracks.extend(score.tracks.iter().take(MAX_TRACKS).map(|track| {
        let mut out = TrackWriter::named(&track.name, Some((track.channel, track.program)));
        out.notes(track.channel, &track.notes, &[], TICKS);
        out.finish(0)
    }));
    file(TICKS, &tracks)
}
