//! The events of one track chunk with absolute times, read as leniently as players do.

use midly::{EventBytemapIter, EventIter, MetaMessage, MidiMessage, TrackEventKind};

use super::error::{Repair, Repairs};

/// An event of a track chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event<'a> {
    /// Ticks since the start.
    pub(super) tick: u64,
    pub(super) kind: TrackEventKind<'a>,
    /// The event's own bytes; without a status byte where running status holds.
    raw: &'a [u8],
}

impl<'a> Event<'a> {
    /// Type and content of a meta event; the content may be shorter than it claims where a file is cut off.
    pub(super) fn meta(&self) -> Option<(u8, &'a [u8])> {
        match self.raw {
            [0xFF, kind, rest @ ..] => Some((*kind, varlen(rest)?.1)),
            _ => None,
        }
    }
}

/// Iterates over the events of a chunk up to its end-of-track event, which is not yielded, or up to
/// `limit` ticks. What midly gives up on is skipped where the next event can still be found.
pub(super) struct Walk<'a> {
    iter: EventBytemapIter<'a>,
    /// Ticks since the start, of the last event read.
    tick: u64,
    limit: u64,
    /// The last channel status, for running status across a meta event.
    status: Option<u8>,
    /// What follows the end-of-track event, once it was met.
    pub(super) rest: Option<&'a [u8]>,
    /// Whether a note starts beyond the limit.
    pub(super) far_note: bool,
    far: bool,
    damaged: bool,
    skipped: usize,
    continued: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(chunk: &'a [u8], limit: u64) -> Self {
        Self {
            iter: EventIter::new(chunk).bytemapped(),
            tick: 0,
            limit,
            status: None,
            rest: None,
            far_note: false,
            far: false,
            damaged: false,
            skipped: 0,
            continued: 0,
        }
    }

    /// Where the chunk ends, in ticks, once it was read through.
    pub(super) fn end(&self) -> u64 {
        self.tick.min(self.limit)
    }

    /// Counts what was repaired, after the last event.
    pub(super) fn report(&self, repairs: &mut Repairs) {
        repairs.add(Repair::SkippedEvents, self.skipped);
        repairs.add(Repair::RunningStatus, self.continued);
        repairs.add(Repair::DamagedTracks, usize::from(self.damaged));
        repairs.add(Repair::FarEvents, usize::from(self.far));
        repairs.add(Repair::MissingEnds, usize::from(self.rest.is_none() && !self.damaged));
        repairs.add(Repair::BytesAfterEnd, usize::from(self.rest.is_some_and(|r| !r.is_empty())));
    }

    /// Takes up reading at `bytes`, with the running status as it was.
    fn resume(&mut self, bytes: &'a [u8]) {
        self.iter = EventIter::new(bytes).bytemapped();
        *self.iter.running_status_mut() = self.status;
    }

    /// Gets over an event that midly refused; `bytes` starts at its delta time. False: no way on.
    fn recover(&mut self, bytes: &'a [u8]) -> bool {
        let Some((delta, body)) = varlen(bytes) else { return false };
        let Some(&first) = body.first() else { return false };
        let after = match first {
            // The standard ends running status at a meta event; many writers and players do not.
            0x00..=0x7F if self.status.is_some() && self.iter.running_status().is_none() => {
                self.continued += 1;
                self.resume(bytes);
                return true;
            }
            // A meta event whose content is too short or out of range.
            0xFF => body.get(2..).and_then(varlen).and_then(|(length, rest)| rest.get(length as usize..)),
            // System common and real-time messages, which only belong on a cable.
            0xF1 | 0xF3 => body.get(2..),
            0xF2 => body.get(3..),
            0xF4..=0xF6 | 0xF8..=0xFE => body.get(1..),
            _ => None,
        };
        let Some(after) = after else { return false };
        self.skipped += 1;
        self.tick += u64::from(delta);
        self.resume(after);
        true
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_some() || self.damaged || self.far_note {
            return None;
        }
        loop {
            let (before, status) = (self.iter.unread(), self.iter.running_status());
            if before.is_empty() {
                return None;
            }
            let Some(Ok((raw, event))) = self.iter.next() else {
                *self.iter.running_status_mut() = status;
                if self.recover(before) {
                    continue;
                }
                self.damaged = true;
                return None;
            };
            if let Some(status) = self.iter.running_status() {
                self.status = Some(status);
            }
            let tick = self.tick + u64::from(event.delta.as_int());
            if event.kind == TrackEventKind::Meta(MetaMessage::EndOfTrack) {
                self.rest = Some(self.iter.unread());
                if tick <= self.limit {
                    self.tick = tick;
                }
                return None;
            }
            if tick > self.limit || self.far {
                self.far = true;
                if matches!(event.kind, TrackEventKind::Midi { message: MidiMessage::NoteOn { vel, .. }, .. } if vel > 0)
                {
                    self.far_note = true;
                    return None;
                }
                continue;
            }
            self.tick = tick;
            return Some(Event { tick, kind: event.kind, raw });
        }
    }
}

/// A variable-length quantity and what follows it. Four bytes are taken as they are, as midly does, even
/// if the last one says that more follow.
fn varlen(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0u32;
    for (i, &byte) in bytes.iter().take(4).enumerate() {
        value = value << 7 | u32::from(byte & 0x7F);
        if byte & 0x80 == 0 || i == 3 {
            return Some((value, &bytes[i + 1..]));
        }
    }
    None
}
