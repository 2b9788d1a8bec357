//! The notes of the bar that is being played, from the movements of keys.

use sideman_music::listen::KeyEvent;
use sideman_music::{Note, Pulse};

/// Most notes of a bar that are kept; nobody plays more.
const MOST: usize = 1024;

/// Notes since the last bar line. Allocates when it is made and never after.
#[derive(Debug, Clone)]
pub(super) struct BarNotes {
    notes: Vec<Note>,
    /// Which of them each key holds.
    open: [Option<u16>; 128],
    /// Pulse of the last movement.
    last: Pulse,
}

impl Default for BarNotes {
    fn default() -> Self {
        Self { notes: Vec::with_capacity(MOST), open: [None; 128], last: 0 }
    }
}

impl BarNotes {
    /// A key moved. Movements come in order of time.
    pub(super) fn key(&mut self, event: KeyEvent) {
        let KeyEvent { at, pitch, velocity } = event;
        let Some(open) = self.open.get_mut(usize::from(pitch)) else { return };
        self.last = at;
        if let Some(i) = open.take() {
            let note = &mut self.notes[usize::from(i)];
            note.length = (at - note.onset).max(1);
        }
        if velocity > 0 && self.notes.len() < MOST {
            *open = Some(self.notes.len() as u16);
            // A length of 0 is not known yet.
            self.notes.push(Note { onset: at, pitch, length: 0, velocity });
        }
    }

    /// These keys (bit 0 is pitch 0) are down, and no others: the rest came up, it is not known when.
    pub(super) fn hold_only(&mut self, held: u128) {
        let at = self.last;
        for pitch in (0..128).filter(|p| held >> p & 1 == 0) {
            if self.open[usize::from(pitch)].is_some() {
                self.key(KeyEvent { at, pitch, velocity: 0 });
            }
        }
    }

    /// Closes the bar that ends at `end`: gives its notes in order and forgets them. What still sounds has lasted
    /// until `now`, and how long it will last is not known.
    pub(super) fn close(&mut self, end: Pulse, now: Pulse, take: impl FnOnce(&[Note])) {
        let count = self.notes.partition_point(|n| n.onset < end);
        for note in &mut self.notes[..count] {
            if note.length == 0 {
                note.length = (now - note.onset).max(1);
            }
        }
        self.notes[..count].sort_unstable();
        take(&self.notes[..count]);
        self.notes.drain(..count);
        for open in &mut self.open {
            *open = open.and_then(|i| i.checked_sub(count as u16));
        }
    }

    /// Forgets everything.
    pub(super) fn reset(&mut self) {
        self.notes.clear();
        self.open = [None; 128];
        self.last = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(at: Pulse, pitch: u8, velocity: u8) -> KeyEvent {
        KeyEvent { at, pitch, velocity }
    }

    #[test]
    fn a_note_belongs_to_the_bar_in_which_it_begins() {
        let mut notes = BarNotes::default();
        for event in [key(0, 60, 80), key(100, 64, 70), key(400, 60, 0), key(1925, 67, 90)] {
            notes.key(event);
        }
        let take = |notes: &mut BarNotes, end, now| {
            let mut out = Vec::new();
            notes.close(end, now, |n| out.extend(n.iter().map(|n| (n.onset, n.pitch, n.length))));
            out
        };
        // The second one still sounds, the last one is of the next bar.
        assert_eq!(take(&mut notes, 1920, 1930), [(0, 60, 400), (100, 64, 1830)]);
        notes.key(key(2000, 64, 0));
        notes.key(key(2100, 67, 0));
        assert_eq!(take(&mut notes, 3840, 3840), [(1925, 67, 175)]);
        assert_eq!(take(&mut notes, 5760, 5760), []);
    }

    #[test]
    fn lost_ends_and_too_many_notes_do_no_harm() {
        let mut notes = BarNotes::default();
        notes.key(key(0, 60, 80));
        notes.key(key(50, 61, 80));
        notes.hold_only(1 << 61);
        notes.key(key(90, 200, 80));
        for i in 0..3000 {
            notes.key(key(100 + i, (i % 128) as u8, 80));
        }
        let mut count = 0;
        notes.close(10_000, 10_000, |n| {
            count = n.len();
            assert_eq!(
                (n[0].length, n[1].length),
                (50, 111),
                "the first ended unheard, the second when struck anew"
            );
        });
        assert_eq!(count, MOST);
        notes.key(key(10_001, 5, 0));
    }
}
