//! The genre of a piano that is played, bar by bar.

use std::sync::Arc;

use sideman_inference::band::StepPosition;
use sideman_inference::genre::built_in;
use sideman_inference::genre::symbolic::{BarListener, GenreTracker, PHRASE_BARS};
use sideman_inference::weights::NamedError;
use sideman_music::encoding::bar_features::piano::SOUNDING_BARS;
use sideman_music::encoding::bar_features::{Bar, PIANO_FEATURES, PianoBars, WINDOW_BARS};
use sideman_music::listen::KeyEvent;
use sideman_music::{Meter, Pulse};

use super::bar_notes::BarNotes;
use crate::position::step_pulse;

/// Tempo given to the classifier, whatever the tempo is, as when it was trained: it does not see it.
const BPM: f32 = 120.0;

/// Receives the keys of a piano and classifies the genre of the last [`WINDOW_BARS`] bars. What it says follows from what
/// was played up to a bar line and from nothing later. Allocates when it is made and never after; one owner.
#[derive(Debug, Clone)]
pub struct PianoClassifier {
    classes: Arc<[String]>,
    notes: BarNotes,
    bars: PianoBars,
    figures: [f32; PIANO_FEATURES],
    listener: BarListener,
    tracker: GenreTracker,
    /// Where the bar began that is being played, and 16ths in a whole one of its metre.
    bar: Option<(Pulse, u16)>,
    /// Whether the music has begun: phrases count from the first bar in which a note begins.
    begun: bool,
    /// Bars in a row in which none did.
    silent: u32,
}

impl PianoClassifier {
    /// A classifier that listens with the built-in classifier.
    ///
    /// # Errors
    /// When the program was built with a damaged file.
    pub fn new() -> Result<Self, NamedError> {
        let weights = built_in::piano()?;
        let head = &weights.head;
        Ok(Self {
            classes: head.classes.clone().into(),
            notes: BarNotes::default(),
            bars: PianoBars::default(),
            figures: [0.0; PIANO_FEATURES],
            listener: BarListener::new(weights.kernel.clone(), head.temperature, WINDOW_BARS, SOUNDING_BARS),
            tracker: GenreTracker::new(head.classes.len(), head.unsure),
            bar: None,
            begun: false,
            silent: 0,
        })
    }

    /// Names of the genres by number.
    pub fn classes(&self) -> &Arc<[String]> {
        &self.classes
    }

    /// What is to be shown, and the probabilities behind it.
    pub fn tracker(&self) -> &GenreTracker {
        &self.tracker
    }

    /// A key moved, in order of time.
    pub fn key(&mut self, event: KeyEvent) {
        self.notes.key(event);
    }

    /// These keys are down and no others, whatever was heard.
    pub fn hold_only(&mut self, held: u128) {
        self.notes.hold_only(held);
    }

    /// To be called with each step once, in ascending order, after the keys up to its decision point `now`. Returns
    /// whether a bar of music ended here.
    pub fn step(&mut self, place: &StepPosition, now: Pulse) -> bool {
        let begins = step_pulse(place.step - i64::from(place.in_bar));
        let before = self.bar.replace((begins, place.bar_steps));
        let Some((start, sixteenths)) = before.filter(|&(start, _)| start < begins) else { return false };
        // All that is asked of a metre is whether it counts in threes, which the 16ths of its bar say, too.
        let numerator = if sixteenths.is_multiple_of(3) { 12 } else { 16 };
        let bar = Bar { start, end: begins, meter: Meter { numerator, denominator: 16 } };
        let (bars, figures) = (&mut self.bars, &mut self.figures);
        let (begun, mut sounds) = (self.begun, false);
        self.notes.close(begins, now, |notes| {
            sounds = !notes.is_empty();
            if begun || sounds {
                bars.push(notes, &bar, BPM, figures);
            }
        });
        self.begun |= sounds;
        if !self.begun {
            return false;
        }
        self.silent = if sounds { 0 } else { self.silent + 1 };
        if self.silent >= PHRASE_BARS {
            // It is another piece that comes.
            self.forget();
            return true;
        }
        self.tracker.bar(self.listener.push(&self.figures, sounds));
        true
    }

    /// Whether a phrase ends where the last bar ended.
    pub fn at_boundary(&self) -> bool {
        self.begun && self.tracker.bars_to_boundary() == PHRASE_BARS
    }

    fn forget(&mut self) {
        self.bars.reset();
        self.listener.reset();
        self.tracker.reset();
        self.begun = false;
        self.silent = 0;
    }

    /// Forgets everything, as after a stop or a jump.
    pub fn reset(&mut self) {
        self.forget();
        self.notes.reset();
        self.bar = None;
    }
}
