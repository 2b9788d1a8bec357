//! The piano of a score, heard step by step, strictly causally.

use sideman_models::band::Place;
use sideman_music::listen::{KeyEvent, key_events};
use sideman_music::{Listener, Note, PianoFrame, Pulse};

use crate::clock::{step_hearing, step_pulse};

/// Latest pulse that is listened to: notes that begin later are left out, and keys held longer are let
/// go. At 480 pulses a quarter note it is some seventy years of music at 120 beats a minute.
pub const LAST_PULSE: Pulse = 1 << 41;

/// A piano part played into a [`Listener`].
#[derive(Debug, Clone)]
pub struct Hearing {
    events: Vec<KeyEvent>,
    next: usize,
    listener: Listener,
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
        Self { events: key_events(&sane), next: 0, listener: Listener::default() }
    }

    /// What is heard at the decision point of a step: everything up to and including its pulse, and
    /// nothing later. Steps must be asked for in ascending order.
    pub fn frame(&mut self, place: &Place) -> PianoFrame {
        let point = step_pulse(place.step);
        while let Some(e) = self.events.get(self.next).filter(|e| e.at <= point) {
            if e.velocity > 0 {
                self.listener.note_on(e.pitch, e.velocity);
            } else {
                self.listener.note_off(e.pitch);
            }
            self.next += 1;
        }
        self.listener.take_frame()
    }

    /// The next step at which a key moves, if any does.
    pub fn next_step(&self) -> Option<i64> {
        self.events.get(self.next).map(|e| step_hearing(e.at))
    }

    /// Pulse of the last key movement; 0 without notes.
    pub fn end(&self) -> Pulse {
        self.events.last().map_or(0, |e| e.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::place_of;
    use sideman_music::MeterMap;

    fn note(onset: Pulse, length: Pulse, pitch: u8) -> Note {
        Note { onset, length, pitch, velocity: 80 }
    }

    #[test]
    fn hears_up_to_the_decision_point_and_no_further() {
        let meters = MeterMap::default();
        let mut hearing = Hearing::new(&[note(120, 100, 60), note(121, 100, 64), note(-50, 60, 48)]);
        let mut at = |step| hearing.frame(&place_of(step, &meters)).struck;
        assert_eq!(at(0), 1 << 0, "a note before the start is heard at the start");
        assert_eq!(at(1), 1 << 0);
        assert_eq!(at(2), 1 << 4);
        assert_eq!(hearing.next_step(), None);
        assert_eq!(hearing.end(), 221);
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
