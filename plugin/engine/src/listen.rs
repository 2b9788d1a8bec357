//! The piano, of a score or live, heard step by step, strictly causally.

use std::collections::VecDeque;

use sideman_inference::band::StepPosition;
use sideman_music::listen::{KeyEvent, Lean, key_events};
use sideman_music::{Listener, Note, PianoFrame, Pulse};

use crate::position::{step_hearing, step_pulse};

/// Latest pulse that is listened to: notes that begin later are left out, and keys held longer are let
/// go. At 480 pulses a quarter note it is some seventy years of music at 120 beats a minute.
pub const LAST_PULSE: Pulse = 1 << 41;

/// What is heard at the decision point of a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heard {
    /// What the piano did since the decision point before, up to and including this one.
    pub frame: PianoFrame,
    /// Pulses from the step to its decision point: how far behind the beat the piano plays, and the band
    /// with it.
    pub lean: Pulse,
}

/// A piano part played into a [`Listener`].
#[derive(Debug, Clone, Default)]
pub struct Hearing {
    /// Key movements that are still to be heard.
    events: VecDeque<KeyEvent>,
    /// Pulse of the last key movement.
    end: Pulse,
    listener: Listener,
    lean: Lean,
}

impl Hearing {
    /// Takes the notes of the piano in any order. Notes before pulse 0 start there.
    pub fn new(piano: &[Note]) -> Self {
        let sane: Vec<Note> = piano
            .iter()
            .filter(|n| n.onset <= LAST_PULSE && n.pitch < 128)
            .map(|n| {
                let onset = n.onset.max(0);
                let end = n.onset.saturating_add(n.length).clamp(onset + 1, LAST_PULSE + 1);
                Note { onset, length: end - onset, velocity: n.velocity.clamp(1, 127), ..*n }
            })
            .collect();
        let events = VecDeque::from(key_events(&sane));
        let end = events.back().map_or(0, |e| e.at);
        Self { events, end, ..Self::default() }
    }

    /// Takes a key movement of a piano that is played live, in order of time.
    pub fn push(&mut self, event: KeyEvent) {
        self.end = event.at;
        self.events.push_back(event);
    }

    /// Begins anew, with nothing heard, and these keys (bit 0 is pitch 0) held down since before.
    pub fn restart(&mut self, held: u128) {
        self.events.clear();
        self.end = 0;
        self.lean = Lean::default();
        self.hold_only(held);
    }

    /// These keys are down now, whatever was heard.
    pub fn hold_only(&mut self, held: u128) {
        self.listener.reset();
        (0..128).filter(|p| held >> p & 1 == 1).for_each(|p| self.listener.hold(p));
    }

    /// Pulses from the next step to its decision point.
    pub fn lean(&self) -> Pulse {
        self.lean.pulses()
    }

    /// What is heard at the decision point of a step: everything up to and including that pulse, and nothing
    /// later. Steps must be asked for in ascending order.
    pub fn at(&mut self, place: &StepPosition) -> Heard {
        self.each(place, |_| {})
    }

    /// The same, with each movement of a key that is heard.
    pub fn each(&mut self, place: &StepPosition, mut key: impl FnMut(KeyEvent)) -> Heard {
        let lean = self.lean.pulses();
        let point = step_pulse(place.step) + lean;
        while let Some(e) = self.events.front().copied().filter(|e| e.at <= point) {
            self.events.pop_front();
            key(e);
            if e.velocity > 0 {
                self.listener.note_on(e.pitch, e.velocity);
                self.lean.add(e.at);
            } else {
                self.listener.note_off(e.pitch);
            }
        }
        Heard { frame: self.listener.take_frame(), lean }
    }

    /// The earliest step that may hear the next movement of a key, if there is one.
    pub fn next_step(&self) -> Option<i64> {
        self.events.front().map(|e| step_hearing(e.at - Lean::MOST))
    }

    /// Pulse of the last key movement; 0 without notes.
    pub fn end(&self) -> Pulse {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::position::place_of;
    use sideman_music::MeterMap;

    fn note(onset: Pulse, length: Pulse, pitch: u8) -> Note {
        Note { onset, length, pitch, velocity: 80 }
    }

    #[test]
    fn hears_up_to_the_decision_point_and_no_further() {
        let meters = MeterMap::default();
        let mut hearing = Hearing::new(&[note(120, 100, 60), note(121, 100, 64), note(-50, 60, 48)]);
        let mut at = |step| hearing.at(&place_of(step, &meters)).frame.struck;
        assert_eq!(at(0), 1 << 0, "a note before the start is heard at the start");
        assert_eq!(at(1), 1 << 0);
        assert_eq!(at(2), 1 << 4);
        assert_eq!(hearing.next_step(), None);
        assert_eq!(hearing.end(), 221);
    }

    #[test]
    fn hears_what_the_networks_were_trained_on() {
        // Played 7 pulses late, with a chord change every half-bar.
        let piano: Vec<Note> = (0..64).map(|i| note(i * 240 + 7, 230, 40 + (i * 7 % 40) as u8)).collect();
        let mut hearing = Hearing::new(&piano);
        let meters = MeterMap::default();
        let heard: Vec<Heard> = (0..160).map(|s| hearing.at(&place_of(s, &meters))).collect();
        let frames: Vec<PianoFrame> = heard.iter().map(|h| h.frame).collect();
        assert_eq!(frames, sideman_music::listen::frames(&piano, 160));
        assert_eq!((heard[0].lean, heard[159].lean), (0, 7));
    }

    #[test]
    fn hostile_notes_are_cut_to_size() {
        let hearing = Hearing::new(&[
            note(i64::MAX - 3, i64::MAX, 60),
            note(0, i64::MAX, 60),
            note(i64::MIN, 5, 61),
            Note { onset: 3, length: -7, pitch: 200, velocity: 255 },
        ]);
        assert_eq!(hearing.end(), LAST_PULSE + 1);
        assert_eq!(hearing.next_step(), Some(0));
    }
}
