//! What the host was sent and still sounds: whatever breaks, every note-on is met by its note-off.

use nice_plug::prelude::NoteEvent;

use crate::convert::{Note, note};

/// Notes that sound at the host's, by channel. Owned by the audio thread.
#[derive(Debug, Default)]
pub(crate) struct HostNoteTracker {
    /// Note-ons that the host took and that have had no note-off.
    sounding: [u128; 16],
    /// Note-offs that the host did not take; they are sent again.
    owed: [u128; 16],
}

fn place(event: &Note) -> Option<(usize, u128, bool)> {
    let (channel, key, on) = match event {
        NoteEvent::NoteOn { channel, key, .. } => (channel, key, true),
        NoteEvent::NoteOff { channel, key, .. } => (channel, key, false),
        _ => return None,
    };
    Some((usize::from(channel.number()? & 15), 1 << (key.number()? & 127), on))
}

impl HostNoteTracker {
    /// Sends an event; `try_send` says whether the host took it.
    pub(crate) fn send(&mut self, event: Note, try_send: &mut dyn FnMut(Note) -> bool) {
        let place = place(&event);
        let taken = try_send(event);
        match place {
            Some((channel, bit, true)) if taken => self.sounding[channel] |= bit,
            Some((channel, bit, false)) if taken => {
                self.sounding[channel] &= !bit;
                self.owed[channel] &= !bit;
            }
            Some((channel, bit, false)) => self.owed[channel] |= bit & self.sounding[channel],
            _ => {}
        }
    }

    /// At the start of a block, sends what the host did not take in the last.
    pub(crate) fn begin(&mut self, try_send: &mut dyn FnMut(Note) -> bool) {
        if self.owed != [0; 16] {
            self.end(self.owed, try_send);
        }
    }

    /// Ends everything that sounds.
    pub(crate) fn end_all(&mut self, try_send: &mut dyn FnMut(Note) -> bool) {
        self.end(self.sounding, try_send);
    }

    fn end(&mut self, which: [u128; 16], try_send: &mut dyn FnMut(Note) -> bool) {
        for (channel, mut keys) in which.into_iter().enumerate() {
            while keys != 0 {
                let pitch = keys.trailing_zeros() as u8;
                keys &= keys - 1;
                self.send(note(0, channel as u8, pitch, 0), try_send);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_off_that_was_not_taken_comes_again_and_a_panic_ends_all() {
        let mut host_notes = HostNoteTracker::default();
        let mut out: Vec<Note> = Vec::new();
        host_notes.send(note(0, 1, 60, 100), &mut |e| {
            out.push(e);
            true
        });
        host_notes.send(note(0, 9, 36, 100), &mut |e| {
            out.push(e);
            true
        });
        host_notes.send(note(3, 2, 50, 100), &mut |_| false);
        host_notes.send(note(5, 1, 60, 0), &mut |_| false);
        host_notes.begin(&mut |_| false);
        host_notes.begin(&mut |e| {
            out.push(e);
            true
        });
        host_notes.begin(&mut |_| panic!("nothing is owed"));
        host_notes.end_all(&mut |e| {
            out.push(e);
            true
        });
        host_notes.end_all(&mut |_| panic!("nothing sounds"));
        let wanted = [note(0, 1, 60, 100), note(0, 9, 36, 100), note(0, 1, 60, 0), note(0, 9, 36, 0)];
        assert_eq!(out, wanted);
    }
}
