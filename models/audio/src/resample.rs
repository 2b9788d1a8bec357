//! Any sample rate to 22,050 Hz.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler as _, WindowFunction};
use thiserror::Error;

use crate::{SAMPLE_RATE, sound_or_silence};

/// Lowest sample rate that is taken for audio, in Hz.
pub const MIN_RATE: u32 = 1_000;
/// Highest sample rate that is taken for audio, in Hz.
pub const MAX_RATE: u32 = 768_000;

/// Samples of 22,050 Hz that are made at a time, at least: 46 ms. More would come later, fewer would cut off more
/// of the treble (this many leave all below 10.8 kHz).
const BLOCK: usize = 1024;
/// Samples that are taken in at a time, at least: the length of the filter, which for low rates would be too short.
const SHORTEST: u64 = 512;

/// A sample rate that no audio has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "a sample rate of {rate} Hz is outside {MIN_RATE} to {MAX_RATE} Hz: is the sound damaged? \
     Convert it to 44,100 Hz"
)]
pub struct RateError {
    /// The rate, in Hz.
    pub rate: u32,
}

/// Brings a stream of mono samples to 22,050 Hz, through the FFT in blocks of fixed size. The result does not
/// depend on how the stream is split over calls, and is not delayed: sample 0 out is at the time of sample 0 in.
/// Allocates nothing once made; may move between threads.
///
/// Samples that are not finite, or beyond [`crate::LOUDEST`], count as silence.
pub struct Resampler {
    rate: u32,
    /// `None` at 22,050 Hz, where samples pass as they are.
    fft: Option<Fft<f32>>,
    /// Samples that wait until a block is full.
    block: Box<[f32]>,
    waiting: usize,
    out: Box<[f32]>,
    /// Samples that came, and that were handed on, since the start.
    received: u64,
    made: u64,
    /// What is still to be left out of the start: the delay of the filter.
    lead: usize,
}

impl Resampler {
    /// From `rate` Hz, [`MIN_RATE`] to [`MAX_RATE`].
    ///
    /// Rates that share no large divisor with 22,050 Hz take blocks of up to two seconds, and as much memory.
    /// Those of sound cards take 46 to 53 ms.
    ///
    /// # Errors
    /// When the rate is outside these.
    pub fn new(rate: u32) -> Result<Self, RateError> {
        if !(MIN_RATE..=MAX_RATE).contains(&rate) {
            return Err(RateError { rate });
        }
        if rate == SAMPLE_RATE {
            let buffer = vec![0.0; BLOCK].into_boxed_slice();
            let out = Box::default();
            return Ok(Self {
                rate,
                fft: None,
                block: buffer,
                waiting: 0,
                out,
                received: 0,
                made: 0,
                lead: 0,
            });
        }
        let wanted = (BLOCK as u64 * u64::from(rate)).div_ceil(u64::from(SAMPLE_RATE)).max(SHORTEST);
        // Twice the shortest block in which both rates have whole samples: of an odd one the delay, half a block,
        // would be half a sample off.
        let even = 2 * u64::from(rate / greatest_common_divisor(rate, SAMPLE_RATE));
        let wanted = wanted.next_multiple_of(even);
        let fft = Fft::new_custom(
            rate as usize,
            SAMPLE_RATE as usize,
            wanted as usize,
            1,
            1,
            WindowFunction::BlackmanHarris2,
            FixedSync::Both,
        )
        .map_err(|_| RateError { rate })?;
        let block = vec![0.0; fft.input_frames_max()].into_boxed_slice();
        let out = vec![0.0; fft.output_frames_max()].into_boxed_slice();
        let lead = fft.output_delay();
        Ok(Self { rate, fft: Some(fft), block, waiting: 0, out, received: 0, made: 0, lead })
    }

    /// Sample rate of what comes in, in Hz.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// How long a sample may be held back, in samples of 22,050 Hz: a block and the delay of the filter.
    pub fn latency(&self) -> usize {
        self.fft.as_ref().map_or(0, |fft| self.out.len() + fft.output_delay())
    }

    /// Takes any number of samples and hands what they make to `each`, in pieces of no particular length.
    pub fn push(&mut self, mut samples: &[f32], mut each: impl FnMut(&[f32])) {
        self.received += samples.len() as u64;
        while !samples.is_empty() {
            let room = self.block.len() - self.waiting;
            let (now, later) = samples.split_at(room.min(samples.len()));
            let place = &mut self.block[self.waiting..self.waiting + now.len()];
            place.iter_mut().zip(now).for_each(|(place, sample)| *place = sound_or_silence(*sample));
            self.waiting += now.len();
            samples = later;
            if self.fft.is_none() {
                self.made += self.waiting as u64;
                each(&self.block[..self.waiting]);
                self.waiting = 0;
            } else if self.waiting == self.block.len() {
                self.convert(u64::MAX, &mut each);
            }
        }
    }

    /// Ends the stream: hands on what is left, so that n samples have made n * 22,050 / rate (rounded up), and is
    /// ready for another stream.
    pub fn finish(&mut self, mut each: impl FnMut(&[f32])) {
        let due =
            (u128::from(self.received) * u128::from(SAMPLE_RATE)).div_ceil(u128::from(self.rate)) as u64;
        while self.made < due {
            self.block[self.waiting..].fill(0.0);
            self.convert(due, &mut each);
        }
        self.reset();
    }

    /// Forgets the stream.
    pub fn reset(&mut self) {
        (self.waiting, self.received, self.made) = (0, 0, 0);
        if let Some(fft) = &mut self.fft {
            fft.reset();
            self.lead = fft.output_delay();
        }
    }

    /// Converts the block, of which no more than `due` samples in all are handed on.
    fn convert(&mut self, due: u64, each: &mut impl FnMut(&[f32])) {
        self.waiting = 0;
        let Some(fft) = &mut self.fft else { return };
        let (taken, made) = (self.block.len(), self.out.len());
        // The sizes are the resampler's own, so nothing here can fail; were it to, silence would follow.
        let done = match (
            InterleavedSlice::new(&self.block, 1, taken),
            InterleavedSlice::new_mut(&mut self.out, 1, made),
        ) {
            (Ok(block), Ok(mut out)) => fft.process_into_buffer(&block, &mut out, None).is_ok(),
            _ => false,
        };
        debug_assert!(done, "the resampler refused a block of its own size");
        let lead = self.lead.min(made);
        self.lead -= lead;
        let count = ((made - lead) as u64).min(due - self.made) as usize;
        self.made += count as u64;
        if count > 0 {
            each(&self.out[lead..lead + count]);
        }
    }
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// All of a sound at once: mono samples at `rate` Hz to 22,050 Hz.
///
/// # Errors
/// When no audio has that rate.
pub fn resample(samples: &[f32], rate: u32) -> Result<Vec<f32>, RateError> {
    let mut resampler = Resampler::new(rate)?;
    let mut out = Vec::new();
    resampler.push(samples, |made| out.extend_from_slice(made));
    resampler.finish(|made| out.extend_from_slice(made));
    Ok(out)
}
