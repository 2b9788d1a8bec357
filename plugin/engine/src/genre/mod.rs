//! The genre of what is played, and the style that follows it.
//!
//! Shared by the offline renderer and the live band: keys go in as they are heard, bars are closed at bar lines
//! of musical time, so that both hear the same. The verdict of [`PianoClassifier`] changes at phrase boundaries only, and
//! so does what [`Follower`] wishes for where the style is left open.

mod bar_notes;
mod piano;
pub(crate) mod sound;
mod styles;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

pub use piano::PianoClassifier;
pub use sideman_inference::genre::symbolic::{GenreTracker, MOST_CLASSES, PHRASE_BARS, Verdict};
pub(crate) use sound::AudioGenre;
pub use sound::{AudioClassifier, MakeAudioClassifier};

use sideman_inference::band::StepPosition;
use sideman_inference::weights::NamedError;
use sideman_music::Pulse;
use sideman_music::listen::KeyEvent;

use crate::controls::Controls;
use crate::loaded_band::Music;
use crate::style::{Style, StyleChoice};
use styles::Suits;

/// What a verdict was made from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Source {
    /// The notes of the piano.
    #[default]
    Piano,
    /// The sound that comes in.
    Audio,
}

/// What is known of the genre, to be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct GenreView {
    /// The answer, which changes at phrase boundaries only.
    pub verdict: Verdict,
    /// Names of the genres by number.
    pub classes: Arc<[String]>,
    /// Running mean of their probabilities; all 0 before there was enough music.
    pub probabilities: [f32; MOST_CLASSES],
    /// What it was made from.
    pub source: Source,
    /// Bars of the piano, or seconds of sound, left until the verdict may change, 1 to [`PHRASE_BARS`].
    pub bars_to_boundary: u32,
}

impl Default for GenreView {
    fn default() -> Self {
        Self {
            verdict: Verdict::Listening,
            classes: Arc::new([]),
            probabilities: [0.0; MOST_CLASSES],
            source: Source::Piano,
            bars_to_boundary: PHRASE_BARS,
        }
    }
}

impl GenreView {
    /// What a tracker says of genres. Allocates nothing.
    pub fn of(tracker: &GenreTracker, classes: &Arc<[String]>, source: Source) -> Self {
        let mut probabilities = [0.0; MOST_CLASSES];
        let said = tracker.probabilities();
        probabilities[..said.len()].copy_from_slice(said);
        Self {
            verdict: tracker.verdict(),
            classes: classes.clone(),
            probabilities,
            source,
            bars_to_boundary: tracker.bars_to_boundary(),
        }
    }

    /// The genre that is shown, and how sure it is, 0 to 1.
    pub fn genre(&self) -> Option<(&str, f32)> {
        let Verdict::Genre(class) = self.verdict else { return None };
        Some((self.classes.get(class)?, *self.probabilities.get(class)?))
    }
}

/// How probable a genre of the piano has to be before the band changes its style for it: more than to be shown, for a
/// band in the wrong style is worse than a wrong word.
const SURE: f32 = 0.75;

/// Follows the genre with the style, where that is [`StyleChoice::Auto`].
///
/// At a phrase boundary at which the verdict is a genre, 0.75 sure of the piano or more, and another one than was followed last, the band gets the
/// style that suits it, or goes back to auto's own choice. "Unsure" changes nothing. The first genre is followed at
/// once, the second one when two phrases in a row ask for it, the third one after three, and so on. So there is one
/// change in [`PHRASE_BARS`] bars at most, none before the first eight, and a piece between two genres does not swing
/// to and fro. No allocation after construction.
#[derive(Debug, Clone)]
pub struct Follower {
    classifier: PianoClassifier,
    /// What was followed last.
    followed: Option<Suits>,
    /// What the last phrases asked for, and how many of them in a row.
    heard: Option<Suits>,
    phrases: u32,
    /// How often the genre was another one.
    changes: u32,
    wish: Option<Style>,
}

impl Follower {
    /// Nothing heard yet.
    ///
    /// # Errors
    /// When the program was built with a damaged classifier.
    pub fn new() -> Result<Self, NamedError> {
        Ok(Self {
            classifier: PianoClassifier::new()?,
            followed: None,
            heard: None,
            phrases: 0,
            changes: 0,
            wish: None,
        })
    }

    /// What hears the piano.
    pub fn classifier(&self) -> &PianoClassifier {
        &self.classifier
    }

    /// A key moved, in order of time.
    pub fn key(&mut self, event: KeyEvent) {
        self.classifier.key(event);
    }

    /// These keys are down and no others, whatever was heard.
    pub fn hold_only(&mut self, held: u128) {
        self.classifier.hold_only(held);
    }

    /// To be called with each step once, in ascending order, after the keys up to its decision point `now` and before
    /// the band is chosen that plays it. `audio` is the genre of the sound that comes in, where there is
    /// any: it goes before the piano's. Returns whether a bar of music ended here.
    pub fn step(
        &mut self,
        place: &StepPosition,
        now: Pulse,
        bpm: f64,
        controls: &Controls,
        audio: Option<&str>,
    ) -> bool {
        if !self.classifier.step(place, now) {
            return false;
        }
        if !follows(controls) {
            self.forget();
        } else if self.classifier.at_boundary() {
            let piano = match self.classifier.tracker().verdict() {
                Verdict::Genre(class) if self.classifier.tracker().probabilities()[class] >= SURE => {
                    self.classifier.classes().get(class).map(String::as_str)
                }
                Verdict::Genre(_) | Verdict::Listening | Verdict::Unsure => None,
            };
            let suits = audio.or(piano).and_then(Suits::of);
            self.phrases = if suits == self.heard { self.phrases + 1 } else { 1 };
            self.heard = suits;
            // Whoever has followed often waits for more phrases to say the same.
            if suits.is_some() && suits != self.followed && self.phrases > self.changes {
                self.followed = suits;
                self.changes += 1;
                self.wish = suits.and_then(|s| s.style(Music { bpm, bar_steps: i64::from(place.bar_steps) }));
            }
        }
        true
    }

    /// The controls with the style that is followed in place of auto.
    pub fn followed(&self, controls: &Controls) -> Controls {
        let style = match self.wish.filter(|_| follows(controls)) {
            Some(style) => StyleChoice::Fixed(style),
            None => controls.style,
        };
        Controls { style, ..*controls }
    }

    /// The band sleeps, because the piano has been away for long: steps may be left out until it comes back.
    pub fn sleep(&mut self) {
        self.classifier.reset();
    }

    /// Forgets everything, as after a stop or a jump.
    pub fn reset(&mut self) {
        self.classifier.reset();
        self.forget();
    }

    fn forget(&mut self) {
        (self.followed, self.heard, self.wish) = (None, None, None);
        (self.phrases, self.changes) = (0, 0);
    }
}

/// Whether the style is left to the genre.
fn follows(controls: &Controls) -> bool {
    controls.follow_genre && controls.style == StyleChoice::Auto
}
