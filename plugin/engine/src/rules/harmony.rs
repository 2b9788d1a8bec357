//! What chord the piano plays, as the rule band hears it.

use sideman_inference::band::StepPosition;
use sideman_music::PianoFrame;
use sideman_music::chord::{Quality, Reading};

/// Weight of a step in which a pitch class is struck, against 1 for one in which it only sounds.
const STRUCK: f32 = 2.0;
/// Notes from here up, without any below, are a melody and do not change the chord by ones and twos.
const MELODY: u8 = 60;

/// Follows the chord. Evidence is collected from the start of each half-bar; until there is some, the
/// chord of the half-bar before stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Harmony {
    weights: [f32; 12],
    low: Option<u8>,
    /// Pitch classes heard in this half-bar and in the one before.
    heard: [u16; 2],
    turned: bool,
    reading: Option<Reading>,
}

impl Harmony {
    /// Takes in a step; returns whether the chord changed with it.
    pub(super) fn hear(&mut self, place: &StepPosition, frame: &PianoFrame) -> bool {
        let on_half = place.in_bar.is_multiple_of(place.half_steps.max(1));
        self.turned |= on_half;
        if frame.keys == 0 {
            return false;
        }
        // What is struck on the half-bar replaces what still rings from before it.
        // Only of the chord that goes on a bass note may ring on below what is struck again.
        let known = self.reading.map_or(0, |r| r.pitch_classes() | 1 << r.bass);
        let goes_on = frame.struck & !known == 0 && frame.lowest < frame.struck_lowest;
        let struck_here = on_half && frame.struck_count > 0 && !goes_on;
        let (pcs, low) =
            if struck_here { (frame.struck, frame.struck_lowest) } else { (frame.sounding, frame.lowest) };
        if std::mem::take(&mut self.turned) {
            self.heard = [0, self.heard[0]];
            self.restart();
        } else if self.is_new_chord(frame) {
            self.restart();
        }
        for pc in 0..12 {
            let weight = match (frame.struck >> pc & 1, pcs >> pc & 1) {
                (1, _) => STRUCK,
                (_, 1) => 1.0,
                _ => 0.0,
            };
            self.weights[pc] += weight;
        }
        self.heard[0] |= pcs;
        self.low = Some(self.low.map_or(low, |l| l.min(low)));
        self.read()
    }

    fn restart(&mut self) {
        self.weights = [0.0; 12];
        self.low = None;
    }

    /// Whether a frame strikes a whole chord other than the present one.
    fn is_new_chord(&self, frame: &PianoFrame) -> bool {
        let known = self.reading.map_or(0, |r| r.pitch_classes() | 1 << r.bass);
        frame.struck.count_ones() >= 3 && frame.struck & !known != 0
    }

    fn read(&mut self) -> bool {
        let Some(low) = self.low else { return false };
        let sounding = self.weights.iter().filter(|&&w| w > 0.0).count();
        if self.reading.is_some() && low >= MELODY && sounding < 3 {
            return false;
        }
        let new = Reading::weighted(&self.weights, low);
        let name = |r: &Reading| (r.root, r.bass, r.pitch_classes());
        let changed = new.as_ref().map(name) != self.reading.as_ref().map(name);
        self.reading = new;
        changed
    }

    /// The chord, once anything was heard.
    pub(super) fn reading(&self) -> Option<Reading> {
        self.reading
    }

    /// Pitch class that the bass is to play: the piano's lowest, or the root where the piano has no bass; 0
    /// before anything was heard.
    pub(super) fn bass(&self) -> u8 {
        let Some(r) = self.reading else { return 0 };
        if self.low.is_some_and(|low| low < MELODY) { r.bass } else { r.root }
    }

    /// Pitch classes to voice the chord with: those of the chord that the piano does play, if they make a
    /// chord, else all of it, and a fifth with a note that stands alone.
    pub(super) fn voiced(&self) -> u16 {
        let Some(r) = self.reading else { return 0 };
        let chord = match r.quality {
            Quality::Single => 1 << r.root | 1 << ((r.root + 7) % 12),
            _ => r.pitch_classes(),
        };
        let played = chord & (self.heard[0] | self.heard[1]);
        if played.count_ones() >= 3 { played } else { chord }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::position::place_of;
    use sideman_music::listen::frames;
    use sideman_music::{MeterMap, Note};

    fn chord(step: i64, steps: i64, pitches: &[u8]) -> Vec<Note> {
        let note = |&pitch| Note { onset: step * 120, pitch, length: steps * 120, velocity: 80 };
        pitches.iter().map(note).collect()
    }

    /// The name of the chord at each of 32 steps.
    fn names(piano: &[Note]) -> Vec<String> {
        let mut harmony = Harmony::default();
        let meters = MeterMap::default();
        let read = |(step, frame)| {
            harmony.hear(&place_of(step as i64, &meters), frame);
            harmony.reading().map_or("-".into(), |r| r.name())
        };
        frames(piano, 32).iter().enumerate().map(read).collect()
    }

    #[test]
    fn a_chord_struck_on_the_half_bar_counts_at_once_and_alone() {
        // C is still held when F is struck.
        let names = names(&[chord(0, 9, &[48, 52, 55]), chord(8, 8, &[41, 57, 60, 65])].concat());
        assert_eq!((&names[0][..], &names[7][..], &names[8][..]), ("C", "C", "F"));
        assert_eq!(names[31], "F", "the chord stands in silence");
    }

    #[test]
    fn a_new_chord_within_the_half_bar_is_taken() {
        let names = names(&[chord(0, 4, &[48, 52, 55]), chord(4, 4, &[43, 59, 62])].concat());
        assert_eq!((&names[3][..], &names[4][..]), ("C", "G"));
    }

    #[test]
    fn a_bass_note_that_rings_on_below_a_chord_struck_again_stays_the_bass() {
        let piano = [chord(0, 16, &[41]), chord(0, 7, &[57, 60, 65]), chord(8, 7, &[57, 60, 65])].concat();
        let names = names(&piano);
        assert!(names[..16].iter().all(|n| n == "F"), "{names:?}");
    }

    #[test]
    fn a_melody_over_a_chord_does_not_change_it() {
        let melody = [chord(16, 2, &[74]), chord(18, 2, &[77])].concat();
        let names = names(&[chord(0, 8, &[48, 52, 55]), melody].concat());
        assert!(names.iter().all(|n| n == "C"), "{names:?}");
    }
}
