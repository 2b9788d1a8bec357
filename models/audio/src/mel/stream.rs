//! Mel columns one at a time.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use super::{BINS, Column, FilterBank, HOP, N_FFT};
use crate::sound_or_silence;

/// Where a sound starts in its first window: the window is centred on sample 0, zeros lie before it.
const CENTRE: usize = N_FFT / 2;

/// Mono samples at 22,050 Hz in, columns of mel power out, each as soon as the 1,024 samples behind its centre
/// have come. Allocates nothing once made; may move between threads.
///
/// Samples that are not finite, or beyond [`crate::LOUDEST`], count as silence.
pub struct MelStream {
    bank: FilterBank,
    fft: Arc<dyn RealToComplex<f32>>,
    hann: Box<[f32]>,
    /// The window that is being filled, and how far it is.
    window: Box<[f32]>,
    filled: usize,
    /// Room to compute in.
    windowed: Box<[f32]>,
    spectrum: Box<[Complex<f32>]>,
    scratch: Box<[Complex<f32>]>,
    power: Box<[f32; BINS]>,
    column: Column,
    /// Samples that came, and columns that went, since the start.
    received: u64,
    made: u64,
}

impl Default for MelStream {
    fn default() -> Self {
        Self::new()
    }
}

impl MelStream {
    /// At the start of a sound.
    pub fn new() -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(N_FFT);
        // Periodic: the sample after the last would be the first again.
        let hann = |i| 0.5 - 0.5 * (std::f64::consts::TAU * i as f64 / N_FFT as f64).cos();
        Self {
            bank: FilterBank::new(),
            hann: (0..N_FFT).map(|i| hann(i) as f32).collect(),
            window: vec![0.0; N_FFT].into(),
            filled: CENTRE,
            windowed: vec![0.0; N_FFT].into(),
            spectrum: fft.make_output_vec().into(),
            scratch: fft.make_scratch_vec().into(),
            power: Box::new([0.0; BINS]),
            column: [0.0; super::BANDS],
            received: 0,
            made: 0,
            fft,
        }
    }

    /// Takes any number of samples and hands each column that they complete to `each`.
    pub fn push(&mut self, mut samples: &[f32], mut each: impl FnMut(&Column)) {
        self.received += samples.len() as u64;
        while !samples.is_empty() {
            let (now, later) = samples.split_at((N_FFT - self.filled).min(samples.len()));
            let place = &mut self.window[self.filled..self.filled + now.len()];
            place.iter_mut().zip(now).for_each(|(place, sample)| *place = sound_or_silence(*sample));
            self.filled += now.len();
            samples = later;
            if self.filled == N_FFT {
                each(self.next());
            }
        }
    }

    /// Ends the sound: hands on the columns that reach beyond it, where there are zeros, so that n samples have
    /// made 1 + n / 512 columns (none of no samples), and is ready for another sound.
    pub fn finish(&mut self, mut each: impl FnMut(&Column)) {
        let due = if self.received == 0 { 0 } else { 1 + self.received / HOP as u64 };
        while self.made < due {
            self.window[self.filled..].fill(0.0);
            each(self.next());
        }
        self.reset();
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        self.window.fill(0.0);
        (self.filled, self.received, self.made) = (CENTRE, 0, 0);
    }

    /// The column of the full window; moves the window on.
    fn next(&mut self) -> &Column {
        for (out, (sample, weight)) in self.windowed.iter_mut().zip(self.window.iter().zip(&self.hann)) {
            *out = sample * weight;
        }
        let done = self.fft.process_with_scratch(&mut self.windowed, &mut self.spectrum, &mut self.scratch);
        debug_assert!(done.is_ok(), "the buffers are those of the plan");
        self.power.iter_mut().zip(&self.spectrum).for_each(|(power, bin)| *power = bin.norm_sqr());
        self.bank.apply(&self.power, &mut self.column);
        self.window.copy_within(HOP.., 0);
        self.filled = N_FFT - HOP;
        self.made += 1;
        &self.column
    }
}
