//! From samples to the columns that the networks hear.

use sideman_audio::mel::{Reference, mean_square, power_to_db};
use sideman_audio::{Column, FrontEnd, RateError};

use super::SILENCE_DB;
use crate::genre::frame_of;

/// Samples at any rate in; columns in decibels out, each with whether it sounds. Allocates nothing once made.
pub(super) struct MelFrontEnd {
    front: FrontEnd,
    counter: FrameCounter,
}

/// How many frames and columns have come.
#[derive(Default)]
struct FrameCounter {
    frames: usize,
    columns: usize,
}

impl FrameCounter {
    fn take(&mut self, power: &Column, each: &mut impl FnMut(&Column, bool)) {
        if self.frames == frame_of(self.columns) {
            let mut column = *power;
            // What is too far below the loudest is raised later, when that is known.
            power_to_db(&mut column, Reference::Power(1.0), None);
            each(&column, 10.0 * mean_square(power).log10() > SILENCE_DB);
            self.columns += 1;
        }
        self.frames += 1;
    }
}

impl MelFrontEnd {
    pub(super) fn new(rate: u32) -> Result<Self, RateError> {
        Ok(Self { front: FrontEnd::new(rate)?, counter: FrameCounter::default() })
    }

    pub(super) fn push(&mut self, samples: &[f32], mut each: impl FnMut(&Column, bool)) {
        self.front.push(samples, |power| self.counter.take(power, &mut each));
    }

    /// Hands on what is left and is ready for another sound.
    pub(super) fn finish(&mut self, mut each: impl FnMut(&Column, bool)) {
        self.front.finish(|power| self.counter.take(power, &mut each));
        self.counter = FrameCounter::default();
    }

    pub(super) fn reset(&mut self) {
        self.front.reset();
        self.counter = FrameCounter::default();
    }
}
