//! Planned notes, waiting for their time.

use sideman_music::{Note, Part, Pulse};

/// Most entries that can wait at once: a step of the band has 31 notes at most, and one early
/// step as many again, so this is eight steps of the fullest playing.
pub const TIMELINE_CAPACITY: usize = 512;

/// Something whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// A note begins.
    Note(Part, Note),
    /// All sounding notes end.
    Release,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    at: Pulse,
    due: Due,
}

impl Entry {
    /// Order in time; a release comes before the notes that begin with it.
    fn key(&self) -> (Pulse, bool) {
        (self.at, matches!(self.due, Due::Note(..)))
    }
}

/// A queue by time, first come first served within a pulse. Owned by the audio thread. No allocation.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// Latest first, so that the next one to fall due is the last of `..len`.
    entries: [Entry; TIMELINE_CAPACITY],
    len: usize,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { entries: [Entry { at: 0, due: Due::Release }; TIMELINE_CAPACITY], len: 0 }
    }
}

impl Timeline {
    /// Number of entries that wait.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds an entry. Returns false, and changes nothing, when the timeline is full.
    #[must_use]
    pub fn insert(&mut self, at: Pulse, due: Due) -> bool {
        if self.len == TIMELINE_CAPACITY {
            return false;
        }
        let entry = Entry { at, due };
        // Behind all that are due later, and behind (so, after) those due at the same time.
        let place = self.entries[..self.len].partition_point(|e| e.key() > entry.key());
        self.entries.copy_within(place..self.len, place + 1);
        self.entries[place] = entry;
        self.len += 1;
        true
    }

    /// When the next entry falls due.
    pub fn next_at(&self) -> Option<Pulse> {
        self.entries[..self.len].last().map(|e| e.at)
    }

    /// Takes the next entry.
    pub fn take(&mut self) -> Option<(Pulse, Due)> {
        self.len = self.len.checked_sub(1)?;
        let e = self.entries[self.len];
        Some((e.at, e.due))
    }

    /// Forgets everything due at a pulse or later.
    pub fn withdraw(&mut self, from: Pulse) {
        let keep = self.entries[..self.len].partition_point(|e| e.at >= from);
        self.entries.copy_within(keep..self.len, 0);
        self.len -= keep;
    }

    /// Forgets the note that is due last.
    pub fn drop_latest_note(&mut self) {
        if let Some(i) = self.entries[..self.len].iter().position(|e| matches!(e.due, Due::Note(..))) {
            self.entries.copy_within(i + 1..self.len, i);
            self.len -= 1;
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.len = 0;
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_types, clippy::disallowed_methods, clippy::disallowed_macros)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn note(onset: Pulse, pitch: u8) -> Due {
        Due::Note(Part::Bass, Note { onset, length: 10, pitch, velocity: 80 })
    }

    proptest! {
        #[test]
        fn comes_out_in_order_of_time_then_arrival(times in prop::collection::vec(0i64..40, 0..200), from in 0i64..50) {
            let mut timeline = Timeline::default();
            let mut expected: Vec<(Pulse, Due)> = Vec::new();
            for (i, &t) in times.iter().enumerate() {
                prop_assert!(timeline.insert(t, note(t, (i % 128) as u8)));
                expected.push((t, note(t, (i % 128) as u8)));
            }
            expected.sort_by_key(|e| e.0);
            expected.retain(|e| e.0 < from);
            timeline.withdraw(from);
            prop_assert_eq!(timeline.len(), expected.len());
            for e in expected {
                prop_assert_eq!(timeline.next_at(), Some(e.0));
                prop_assert_eq!(timeline.take(), Some(e));
            }
            prop_assert!(timeline.take().is_none() && timeline.is_empty());
        }
    }

    #[test]
    fn a_release_goes_before_the_notes_of_its_pulse() {
        let mut timeline = Timeline::default();
        assert!(timeline.insert(5, note(5, 1)) && timeline.insert(5, Due::Release));
        assert_eq!(timeline.take(), Some((5, Due::Release)));
    }

    #[test]
    fn a_full_timeline_refuses_and_keeps_what_it_has() {
        let mut timeline = Timeline::default();
        for i in 0..TIMELINE_CAPACITY as i64 {
            assert!(timeline.insert(i, note(i, 0)));
        }
        assert!(!timeline.insert(0, note(0, 1)));
        assert_eq!(timeline.take(), Some((0, note(0, 0))));
        assert!(timeline.insert(0, note(0, 1)));
    }
}
