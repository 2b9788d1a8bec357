//! From planned notes to note messages in order of time.

use sideman_music::Pulse;

use super::{Due, Sounding, Timeline};
use crate::messages::{Message, Order};

/// What went wrong so far; all zero when all went well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Notes that came after their time but within the grace, and sounded at once.
    pub late: u64,
    /// Notes that came too late and were left out.
    pub missed: u64,
    /// Notes left out because the timeline was full.
    pub overflowed: u64,
    /// Orders of an epoch that was over.
    pub outdated: u64,
}

/// Holds planned notes until their time, and sounding notes until theirs. Owned by the audio thread. No
/// allocation, no waiting; a note that was started is always ended.
#[derive(Debug, Clone, Default)]
pub struct Scheduler {
    timeline: Timeline,
    sounding: Sounding,
    /// Everything before this pulse has been sent.
    now: Pulse,
    grace: Pulse,
    epoch: u32,
    counts: Counts,
}

impl Scheduler {
    /// A scheduler at pulse 0 and epoch 0. A note that comes up to `grace` pulses late sounds at once,
    /// later ones not at all.
    pub fn new(grace: Pulse) -> Self {
        Self { grace: grace.max(0), ..Self::default() }
    }

    /// From now on, notes may come up to `grace` pulses late.
    pub fn set_grace(&mut self, grace: Pulse) {
        self.grace = grace.max(0);
    }

    /// Takes an order of an epoch; orders of another epoch than the present one are counted and dropped.
    /// Returns whether it will be carried out.
    pub fn accept(&mut self, epoch: u32, order: Order) -> bool {
        if epoch != self.epoch {
            self.counts.outdated += 1;
            return false;
        }
        match order {
            Order::Play(part, note) => {
                let late = self.now.saturating_sub(note.onset);
                if late > self.grace {
                    self.counts.missed += 1;
                    return false;
                }
                self.counts.late += u64::from(late > 0);
                let fits = self.timeline.insert(note.onset.max(self.now), Due::Note(part, note));
                self.counts.overflowed += u64::from(!fits);
                return fits;
            }
            Order::Release(at) => {
                let at = at.max(self.now);
                if !self.timeline.insert(at, Due::Release) {
                    // Ending notes matters more than starting one: make room by dropping the latest.
                    self.counts.overflowed += 1;
                    self.timeline.drop_latest_note();
                    let _ = self.timeline.insert(at, Due::Release);
                }
            }
            Order::CancelFrom(from) => self.timeline.withdraw(from),
        }
        true
    }

    /// Sends everything due before a pulse, in order of time: at equal times note-offs come first.
    pub fn advance(&mut self, until: Pulse, mut emit: impl FnMut(Message)) {
        loop {
            let start = self.timeline.next_at().filter(|&at| at < until);
            let end = self.sounding.next_end().filter(|&at| at < until);
            match (start, end) {
                (Some(start), Some(end)) if end <= start => self.sounding.end_due(end, &mut emit),
                (None, Some(end)) => self.sounding.end_due(end, &mut emit),
                (Some(_), _) => match self.timeline.take() {
                    Some((at, Due::Note(part, note))) => {
                        // The end stays where it was planned, even if the start is late.
                        let end = note.onset.saturating_add(note.length);
                        self.sounding.start(at, end, part, note.pitch, note.velocity, &mut emit);
                    }
                    Some((at, Due::Release)) => self.sounding.end_all(at, &mut emit),
                    None => break,
                },
                (None, None) => break,
            }
        }
        self.now = self.now.max(until);
    }

    /// A stop, a jump, a loop or a reset: ends all notes now, forgets all that was planned, and goes on
    /// at another pulse in another epoch.
    pub fn jump(&mut self, epoch: u32, to: Pulse, mut emit: impl FnMut(Message)) {
        self.sounding.end_all(self.now, &mut emit);
        self.timeline.clear();
        self.epoch = epoch;
        self.now = to;
    }

    /// Whether nothing sounds and nothing is planned.
    pub fn is_quiet(&self) -> bool {
        self.timeline.is_empty() && self.sounding.is_empty()
    }

    /// Number of sounding notes.
    pub fn sounding(&self) -> u32 {
        self.sounding.len()
    }

    /// Everything before this pulse has been sent.
    pub fn now(&self) -> Pulse {
        self.now
    }

    /// What went wrong so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_types, clippy::disallowed_methods, clippy::disallowed_macros)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sideman_music::{Note, Part};

    fn play(part: Part, onset: Pulse, length: Pulse, pitch: u8) -> Order {
        Order::Play(part, Note { onset, length, pitch, velocity: 80 })
    }

    /// (time, pitch, velocity) of all that is sent up to a pulse.
    fn sent(s: &mut Scheduler, until: Pulse) -> Vec<(Pulse, u8, u8)> {
        let mut out = Vec::new();
        s.advance(until, |m| out.push((m.at, m.pitch, m.velocity)));
        out
    }

    #[test]
    fn a_pitch_struck_again_is_let_go_first() {
        let mut s = Scheduler::new(0);
        s.accept(0, play(Part::Guitar, 0, 100, 60));
        s.accept(0, play(Part::Guitar, 0, 100, 64));
        s.accept(0, play(Part::Guitar, 50, 20, 60));
        assert_eq!(
            sent(&mut s, 200),
            [(0, 60, 80), (0, 64, 80), (50, 60, 0), (50, 60, 80), (70, 60, 0), (100, 64, 0)]
        );
        assert!(s.is_quiet());
    }

    #[test]
    fn the_bass_has_one_voice() {
        let mut s = Scheduler::new(0);
        s.accept(0, play(Part::Bass, 0, 100, 40));
        s.accept(0, play(Part::Bass, 60, 100, 43));
        s.accept(0, play(Part::Bass, 60, 100, 47));
        assert_eq!(sent(&mut s, 500), [(0, 40, 80), (60, 40, 0), (60, 43, 80), (160, 43, 0)]);
    }

    #[test]
    fn offs_go_before_ons_of_the_same_pulse() {
        let mut s = Scheduler::new(0);
        s.accept(0, play(Part::Strings, 0, 50, 60));
        s.accept(0, play(Part::Guitar, 50, 50, 62));
        assert_eq!(sent(&mut s, 51), [(0, 60, 80), (50, 60, 0), (50, 62, 80)]);
        assert_eq!(s.sounding(), 1);
    }

    #[test]
    fn a_release_ends_everything_but_what_begins_there() {
        let mut s = Scheduler::new(0);
        s.accept(0, play(Part::Strings, 0, 500, 60));
        s.accept(0, play(Part::Strings, 100, 50, 60));
        s.accept(0, Order::Release(100));
        assert_eq!(sent(&mut s, 1000), [(0, 60, 80), (100, 60, 0), (100, 60, 80), (150, 60, 0)]);
    }

    #[test]
    fn late_notes_sound_at_once_or_not_at_all() {
        let mut s = Scheduler::new(10);
        assert!(sent(&mut s, 100).is_empty());
        s.accept(0, play(Part::Guitar, 95, 30, 60));
        s.accept(0, play(Part::Guitar, 80, 30, 62));
        assert_eq!(sent(&mut s, 200), [(100, 60, 80), (125, 60, 0)]);
        assert_eq!(s.counts(), Counts { late: 1, missed: 1, ..Counts::default() });
    }

    #[test]
    fn a_jump_ends_all_and_outdates_orders() {
        let mut s = Scheduler::new(0);
        s.accept(0, play(Part::Guitar, 0, 1000, 60));
        s.accept(0, play(Part::Guitar, 300, 1000, 62));
        assert_eq!(sent(&mut s, 200), [(0, 60, 80)]);
        let mut out = Vec::new();
        s.jump(1, 4800, |m| out.push((m.at, m.pitch, m.velocity)));
        assert_eq!(out, [(200, 60, 0)]);
        s.accept(0, play(Part::Guitar, 4900, 10, 64));
        s.accept(1, play(Part::Guitar, 4900, 10, 65));
        assert_eq!(sent(&mut s, 5000), [(4900, 65, 80), (4910, 65, 0)]);
        assert_eq!(s.counts().outdated, 1);
    }

    #[test]
    fn a_full_timeline_still_takes_a_release() {
        let mut s = Scheduler::new(0);
        s.accept(0, play(Part::Strings, 0, 10_000, 60));
        assert_eq!(sent(&mut s, 1).len(), 1);
        for i in 0..600 {
            s.accept(0, play(Part::Drums, 1000 + i, 10, 36));
        }
        s.accept(0, Order::Release(500));
        assert_eq!(s.counts().overflowed, 600 - 512 + 1);
        assert_eq!(sent(&mut s, 600), [(500, 60, 0)]);
    }

    proptest! {
        /// Whatever is ordered, in whatever slices time passes: messages are in order, every note-on is
        /// met by one note-off of its pitch before the next, the bass has one voice, and slicing is
        /// without effect.
        #[test]
        fn every_note_on_has_its_note_off(
            orders in prop::collection::vec((0usize..4, 0i64..2000, 1i64..600, 36u8..48, 0u8..30), 0..300),
            slices in prop::collection::vec(1i64..300, 1..40),
        ) {
            let fill = |s: &mut Scheduler| {
                for &(part, at, length, pitch, kind) in &orders {
                    s.accept(0, match kind {
                        0 => Order::Release(at),
                        _ => play(Part::ALL[part], at, length, pitch),
                    });
                }
            };
            let mut whole = Vec::new();
            let mut s = Scheduler::new(0);
            fill(&mut s);
            s.advance(10_000, |m| whole.push(m));
            prop_assert!(s.is_quiet());

            let mut sliced = Vec::new();
            let mut s = Scheduler::new(0);
            fill(&mut s);
            let mut now = 0;
            for slice in slices.iter().cycle() {
                now += slice;
                s.advance(now, |m| sliced.push(m));
                if now > 10_000 { break }
            }
            prop_assert_eq!(&whole, &sliced);

            let mut held: Vec<(usize, u8, Pulse)> = Vec::new();
            let mut before = 0;
            for m in &whole {
                prop_assert!(m.at >= before);
                before = m.at;
                let key = (m.part.index(), m.pitch);
                let place = held.iter().position(|h| (h.0, h.1) == key);
                if m.velocity > 0 {
                    prop_assert!(place.is_none(), "struck while it sounds: {m:?}");
                    prop_assert!(m.part != Part::Bass || held.iter().all(|h| h.0 != 1));
                    held.push((key.0, key.1, m.at));
                } else {
                    let place = place.expect("a note-off without a note-on");
                    prop_assert!(held[place].2 < m.at, "a note without length");
                    held.remove(place);
                }
            }
            prop_assert!(held.is_empty());
        }
    }
}
