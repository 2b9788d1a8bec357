//! What goes on when no decision comes in time: the pattern of the last bar.

use sideman_music::{Note, Part, Pulse};

/// Notes that are remembered: a very full bar.
const NOTES: usize = 256;

/// Remembers the notes of the last bar and plays them again while the band's thread is behind. Owned by the
/// audio thread. No allocation.
#[derive(Debug, Clone)]
pub struct BarFallback {
    notes: [(Part, Note); NOTES],
    /// Notes that were ever remembered.
    count: usize,
    /// Everything before this has been given again.
    done: Option<Pulse>,
}

impl Default for BarFallback {
    fn default() -> Self {
        let nothing = Note { onset: Pulse::MIN, pitch: 0, length: 1, velocity: 0 };
        Self { notes: [(Part::Drums, nothing); NOTES], count: 0, done: None }
    }
}

impl BarFallback {
    /// Forgets everything, as at a jump.
    pub fn clear(&mut self) {
        self.count = 0;
        self.done = None;
    }

    /// Remembers a note that was ordered.
    pub fn remember(&mut self, part: Part, note: Note) {
        self.notes[self.count % NOTES] = (part, note);
        self.count += 1;
    }

    /// Whether the last bar is being played again.
    pub fn is_on(&self) -> bool {
        self.done.is_some()
    }

    /// The band is behind: plays what was played a bar before, from `from` on when it has just fallen behind,
    /// up to `until`. What is played again is remembered in its turn, so that the pattern holds.
    pub fn go_on(&mut self, from: Pulse, until: Pulse, bar: Pulse, mut play: impl FnMut(Part, Note)) {
        let from = self.done.unwrap_or(from);
        if until <= from || bar <= 0 {
            self.done = Some(from);
            return;
        }
        self.done = Some(until);
        let kept = self.count.min(NOTES);
        let newest = self.count;
        for i in (newest - kept)..newest {
            let (part, note) = self.notes[i % NOTES];
            let onset = note.onset.saturating_add(bar);
            if (from..until).contains(&onset) {
                let again = Note { onset, ..note };
                play(part, again);
                self.remember(part, again);
            }
        }
    }

    /// The band has caught up. Returns whether it was behind.
    pub fn stop(&mut self) -> bool {
        self.done.take().is_some()
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_types, clippy::disallowed_methods, clippy::disallowed_macros)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_played_again_and_again_until_the_band_is_back() {
        let mut fallback = BarFallback::default();
        for beat in 0..4 {
            let note = Note { onset: beat * 480, pitch: 36 + beat as u8, length: 60, velocity: 90 };
            fallback.remember(Part::Drums, note);
        }
        let mut played = Vec::new();
        for until in (1920..=5760).step_by(100) {
            fallback.go_on(1920, until, 1920, |_, n| played.push((n.onset, n.pitch)));
        }
        assert_eq!(
            played,
            [(1920, 36), (2400, 37), (2880, 38), (3360, 39), (3840, 36), (4320, 37), (4800, 38), (5280, 39)]
        );
        assert!(fallback.stop() && !fallback.stop());
        fallback.clear();
        fallback.go_on(0, 9999, 1920, |_, _| panic!("nothing is left"));
    }

    #[test]
    fn a_crowd_of_notes_costs_the_oldest() {
        let mut fallback = BarFallback::default();
        for i in 0..1000 {
            fallback.remember(Part::Guitar, Note { onset: i, pitch: 60, length: 1, velocity: 1 });
        }
        let mut count = 0;
        fallback.go_on(0, 5000, 1000, |_, _| count += 1);
        assert_eq!(count, NOTES);
    }
}
