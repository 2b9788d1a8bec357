//! Samples at any rate in, mel columns out.

use crate::{Column, MelStream, RateError, Resampler};

/// A resampler followed by a mel spectrogram: the front end of a classifier. Allocates nothing once made; may
/// move between threads.
///
/// A column comes as soon as the samples it looks at are there: 1,024 samples of 22,050 Hz (46 ms) after its
/// centre, and what the resampler holds back on top, see [`Resampler::latency`].
pub struct FrontEnd {
    resampler: Resampler,
    mel: MelStream,
}

impl FrontEnd {
    /// For mono samples at `rate` Hz.
    ///
    /// # Errors
    /// When no audio has that rate.
    pub fn new(rate: u32) -> Result<Self, RateError> {
        Ok(Self { resampler: Resampler::new(rate)?, mel: MelStream::new() })
    }

    /// Takes any number of samples and hands each column of power that they complete to `each`. How they are
    /// split over calls changes nothing.
    pub fn push(&mut self, samples: &[f32], mut each: impl FnMut(&Column)) {
        self.resampler.push(samples, |samples| self.mel.push(samples, &mut each));
    }

    /// Ends the sound: hands on the columns that are left, and is ready for another sound.
    pub fn finish(&mut self, mut each: impl FnMut(&Column)) {
        self.resampler.finish(|samples| self.mel.push(samples, &mut each));
        self.mel.finish(each);
    }

    /// Returns to the initial state, as between two sounds.
    pub fn reset(&mut self) {
        self.resampler.reset();
        self.mel.reset();
    }
}
