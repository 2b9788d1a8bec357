//! The genre of a whole sound, 30 s at a time.

use sideman_audio::mel::BANDS;
use sideman_audio::{Column, RateError};

use super::ensemble::Ensemble;
use super::mel_front_end::MelFrontEnd;
use super::window::Window;
use super::{AudioVerdict, LEAST_COLUMNS, PAUSE_COLUMNS};
use crate::genre::weights::AudioWeights;
use crate::genre::{CLIP_COLUMNS, COLUMN_SECONDS, best};
use crate::kernel::activation::softmax;

/// Columns from one window to the next: 15 s.
pub const HOP_COLUMNS: usize = CLIP_COLUMNS / 2;
/// Columns that are run through the networks at once.
const PIECE: usize = 32;

/// Why a sound cannot be classified.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum ClassifyError {
    /// No audio has that rate.
    #[error(transparent)]
    Rate(#[from] RateError),
    /// There is too little of it.
    #[error(
        "{seconds:.1} s of sound are too short to tell a genre; give at least {least:.1} s",
        least = LEAST_COLUMNS as f64 * COLUMN_SECONDS
    )]
    TooShort {
        /// How long it is.
        seconds: f64,
    },
}

/// The classification of up to 30 s.
#[derive(Debug, Clone, PartialEq)]
pub struct AudioWindow {
    /// Where it begins and ends, in seconds from the beginning of the sound.
    pub seconds: (f64, f64),
    /// Seconds of it that sound.
    pub sounding: f64,
    /// Probabilities of the classes, by number; none where too little sounds.
    pub probabilities: Option<Vec<f32>>,
}

/// The classification of a sound.
#[derive(Debug, Clone, PartialEq)]
pub struct AudioReport {
    /// The windows, every 15 s; all of 30 s but the last.
    pub windows: Vec<AudioWindow>,
    /// Of the whole: the mean of the logarithms of the windows' probabilities, by how long each sounds; none of
    /// silence.
    pub whole: Option<Vec<f32>>,
    /// Probability of the best class below which the answer is "unsure".
    pub unsure: f32,
}

impl AudioReport {
    /// The classification of the whole: silent, unsure or a genre.
    pub fn verdict(&self) -> AudioVerdict {
        self.whole.as_deref().map_or(AudioVerdict::Silent, |p| {
            let (class, p) = best(p);
            if p >= self.unsure { AudioVerdict::Genre(class) } else { AudioVerdict::Unsure }
        })
    }
}

/// Tells the genre of a whole sound from its mel columns. The memory that it takes is fixed but for the report; no
/// threads.
#[derive(Debug, Clone)]
pub struct WindowClassifier {
    ensemble: Ensemble,
    window: Window,
    piece: Vec<f32>,
    /// Columns so far, those of them since the last window that was classified, and silent ones since something sounded.
    columns: usize,
    new: usize,
    quiet: usize,
    windows: Vec<AudioWindow>,
    temperature: f32,
    unsure: f32,
}

impl WindowClassifier {
    /// At the beginning of a sound.
    pub fn new(weights: &AudioWeights) -> Self {
        Self {
            ensemble: Ensemble::new(&weights.kernels, CLIP_COLUMNS, PIECE),
            window: Window::new(CLIP_COLUMNS),
            piece: Vec::with_capacity(CLIP_COLUMNS * BANDS),
            columns: 0,
            new: 0,
            quiet: PAUSE_COLUMNS,
            windows: vec![],
            temperature: weights.head.temperature,
            unsure: weights.head.unsure,
        }
    }

    /// Takes in the next column in decibels, of any reference as long as it stays the same, and whether it sounds.
    pub fn push(&mut self, column: &Column, sounds: bool) {
        self.quiet = if sounds { 0 } else { (self.quiet + 1).min(PAUSE_COLUMNS + 1) };
        self.window.push(column, self.quiet <= PAUSE_COLUMNS, sounds);
        self.columns += 1;
        self.new += 1;
        if self.window.len() == CLIP_COLUMNS {
            self.classify();
            self.window.drop_oldest(HOP_COLUMNS);
        }
    }

    /// Ends the sound: its classification. Ready for another one.
    ///
    /// # Errors
    /// When there is too little of it.
    pub fn finish(&mut self) -> Result<AudioReport, ClassifyError> {
        let columns = self.columns;
        if self.new > 0 {
            self.classify();
        }
        let report = AudioReport {
            whole: whole(&self.windows),
            windows: std::mem::take(&mut self.windows),
            unsure: self.unsure,
        };
        self.window.clear();
        (self.columns, self.new, self.quiet) = (0, 0, PAUSE_COLUMNS);
        if columns < LEAST_COLUMNS {
            return Err(ClassifyError::TooShort { seconds: columns as f64 * COLUMN_SECONDS });
        }
        Ok(report)
    }

    /// Adds the classification of the window.
    fn classify(&mut self) {
        let (end, sounding) = (self.columns, self.window.sounding());
        let scale = self.window.scale().filter(|_| sounding >= LEAST_COLUMNS);
        let probabilities = scale.and_then(|scale| {
            self.piece.clear();
            self.window.counting().for_each(|column| scale.apply(column, &mut self.piece));
            self.ensemble.reset();
            self.ensemble.push(&self.piece);
            self.ensemble.probabilities(self.temperature).map(<[f32]>::to_vec)
        });
        let seconds = |columns: usize| columns as f64 * COLUMN_SECONDS;
        self.windows.push(AudioWindow {
            seconds: (seconds(end - self.window.len()), seconds(end)),
            sounding: seconds(sounding),
            probabilities,
        });
        self.new = 0;
    }
}

/// The mean of the windows.
fn whole(windows: &[AudioWindow]) -> Option<Vec<f32>> {
    let classified = || windows.iter().filter_map(|w| Some((w.sounding as f32, w.probabilities.as_ref()?)));
    let all: f32 = classified().map(|w| w.0).sum();
    let mut mean = vec![0.0; classified().next()?.1.len()];
    for (sounding, probabilities) in classified() {
        let logarithm = |p: f32| p.max(1e-12).ln();
        mean.iter_mut().zip(probabilities).for_each(|(m, &p)| *m += sounding / all * logarithm(p));
    }
    softmax(&mut mean);
    Some(mean)
}

/// Tells the genre of a whole sound from its samples, otherwise as [`WindowClassifier`].
pub struct AudioClassifier {
    front_end: MelFrontEnd,
    columns: WindowClassifier,
}

impl AudioClassifier {
    /// For mono samples at `rate` Hz, full scale 1.
    ///
    /// # Errors
    /// When no audio has that rate.
    pub fn new(weights: &AudioWeights, rate: u32) -> Result<Self, RateError> {
        Ok(Self { front_end: MelFrontEnd::new(rate)?, columns: WindowClassifier::new(weights) })
    }

    /// Takes in any number of samples, such as a file's a chunk at a time. Damaged ones count as silence.
    pub fn push(&mut self, samples: &[f32]) {
        self.front_end.push(samples, |column, sounds| self.columns.push(column, sounds));
    }

    /// Ends the sound: its classification. Ready for another one.
    ///
    /// # Errors
    /// When there is too little of it.
    pub fn finish(&mut self) -> Result<AudioReport, ClassifyError> {
        self.front_end.finish(|column, sounds| self.columns.push(column, sounds));
        self.columns.finish()
    }
}

/// All of a sound at once: mono samples at `rate` Hz, full scale 1.
///
/// # Errors
/// When no audio has that rate, or there is too little of it.
pub fn classify(weights: &AudioWeights, samples: &[f32], rate: u32) -> Result<AudioReport, ClassifyError> {
    let mut classifier = AudioClassifier::new(weights, rate)?;
    classifier.push(samples);
    classifier.finish()
}
