//! Following a sound as it comes.

use sideman_audio::mel::BANDS;
use sideman_audio::{Column, RateError};

use super::ensemble::Ensemble;
use super::mel_front_end::MelFrontEnd;
use super::window::Window;
use super::{LEAST_COLUMNS, PAUSE_COLUMNS};
use crate::genre::weights::AudioWeights;
use crate::genre::{CLIP_COLUMNS, best};

/// Columns that are run through the networks at once: 1 s or a little more.
const PIECE: usize = 16;

/// What a live listener makes of the last 30 s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AudioVerdict {
    /// Nothing sounds.
    Silent,
    /// Something sounds, but not for long enough.
    Listening,
    /// No genre is likely enough.
    Unsure,
    /// The class with this number.
    Genre(usize),
}

/// Tells the genre of the last 30 s from their mel columns. Allocates when it is made and never after; no threads; one
/// owner, any thread but the audio thread, for a piece of columns takes up to some milliseconds.
#[derive(Debug, Clone)]
pub struct ColumnListener {
    ensemble: Ensemble,
    window: Window,
    /// Columns as the networks want them that they have not seen yet.
    waiting: Vec<f32>,
    /// Silent columns since something sounded.
    quiet: usize,
    /// Whether the networks have begun to listen.
    begun: bool,
    temperature: f32,
    unsure: f32,
}

impl ColumnListener {
    /// Nothing heard yet.
    pub fn new(weights: &AudioWeights) -> Self {
        Self {
            ensemble: Ensemble::new(&weights.kernels, CLIP_COLUMNS, PIECE),
            window: Window::new(CLIP_COLUMNS),
            waiting: Vec::with_capacity(LEAST_COLUMNS.max(PIECE) * BANDS),
            quiet: 0,
            begun: false,
            temperature: weights.head.temperature,
            unsure: weights.head.unsure,
        }
    }

    /// Takes in the next column (one every [`COLUMN_SECONDS`](crate::genre::COLUMN_SECONDS)) in decibels, of any reference as
    /// long as it stays the same, and whether it sounds.
    pub fn push(&mut self, column: &Column, sounds: bool) {
        self.quiet = if sounds { 0 } else { self.quiet + 1 };
        if self.quiet > PAUSE_COLUMNS || (self.window.len() == 0 && !sounds) {
            self.reset();
            return;
        }
        self.window.push(column, true, sounds);
        // Mean and deviation of the first few are no measure of the rest: they wait for one another.
        if self.window.len() < LEAST_COLUMNS {
            return;
        }
        let Some(scale) = self.window.scale() else { return };
        if self.begun {
            scale.apply(column, &mut self.waiting);
        } else {
            self.begun = true;
            for column in self.window.counting() {
                if self.waiting.len() == PIECE * BANDS {
                    self.ensemble.push(&self.waiting);
                    self.waiting.clear();
                }
                scale.apply(column, &mut self.waiting);
            }
        }
        if self.waiting.len() >= PIECE * BANDS {
            self.ensemble.push(&self.waiting);
            self.waiting.clear();
        }
    }

    /// Probabilities of the classes, by number; none while there is silence or too little to tell.
    pub fn probabilities(&mut self) -> Option<&[f32]> {
        if self.window.sounding() < LEAST_COLUMNS {
            return None;
        }
        self.ensemble.push(&self.waiting);
        self.waiting.clear();
        self.ensemble.probabilities(self.temperature)
    }

    /// The verdict, by the probabilities.
    pub fn verdict(&mut self) -> AudioVerdict {
        let (silent, unsure) = (self.window.sounding() == 0, self.unsure);
        match self.probabilities() {
            _ if silent => AudioVerdict::Silent,
            None => AudioVerdict::Listening,
            Some(probabilities) => {
                let (class, p) = best(probabilities);
                if p >= unsure { AudioVerdict::Genre(class) } else { AudioVerdict::Unsure }
            }
        }
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        self.ensemble.reset();
        self.window.clear();
        self.waiting.clear();
        (self.quiet, self.begun) = (0, false);
    }
}

/// Tells the genre of the last 30 s of a sound from its samples, otherwise as [`ColumnListener`]. What the front end
/// holds back comes on top, see [`FrontEnd`](sideman_audio::FrontEnd).
pub struct AudioListener {
    front_end: MelFrontEnd,
    columns: ColumnListener,
}

impl AudioListener {
    /// For mono samples at `rate` Hz, full scale 1. Loads nothing, but allocates some megabytes.
    ///
    /// # Errors
    /// When no audio has that rate.
    pub fn new(weights: &AudioWeights, rate: u32) -> Result<Self, RateError> {
        Ok(Self { front_end: MelFrontEnd::new(rate)?, columns: ColumnListener::new(weights) })
    }

    /// Takes in any number of samples; how they are split over calls changes nothing. Damaged ones count as
    /// silence.
    pub fn push(&mut self, samples: &[f32]) {
        self.front_end.push(samples, |column, sounds| self.columns.push(column, sounds));
    }

    /// See [`ColumnListener::probabilities`].
    pub fn probabilities(&mut self) -> Option<&[f32]> {
        self.columns.probabilities()
    }

    /// See [`ColumnListener::verdict`].
    pub fn verdict(&mut self) -> AudioVerdict {
        self.columns.verdict()
    }

    /// Forgets the sound, as when the transport is moved.
    pub fn reset(&mut self) {
        self.front_end.reset();
        self.columns.reset();
    }
}
