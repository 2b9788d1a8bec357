//! The mel filters: `librosa.filters.mel` with its defaults.

use std::sync::LazyLock;

use super::{BANDS, BINS, Column, N_FFT};
use crate::SAMPLE_RATE;

/// Slaney's mel scale (Auditory Toolbox, 1998): linear up to 1,000 Hz, 15 mel there, logarithmic above, 27 steps
/// for a factor of 6.4.
const HZ_PER_MEL: f64 = 200.0 / 3.0;
const BREAK_HZ: f64 = 1000.0;
const BREAK_MEL: f64 = BREAK_HZ / HZ_PER_MEL;

fn log_step() -> f64 {
    6.4f64.ln() / 27.0
}

fn mel(hz: f64) -> f64 {
    if hz < BREAK_HZ { hz / HZ_PER_MEL } else { BREAK_MEL + (hz / BREAK_HZ).ln() / log_step() }
}

fn hz(mel: f64) -> f64 {
    if mel < BREAK_MEL { mel * HZ_PER_MEL } else { BREAK_HZ * ((mel - BREAK_MEL) * log_step()).exp() }
}

/// 128 triangles over the 1,025 frequencies of a window, each from the centre of the band below to the centre of
/// the one above, scaled to an area of 1 Hz ("Slaney normalisation"). Of the 131,200 weights two in a hundred
/// are not zero; only those are kept.
#[derive(Debug, Clone)]
pub struct FilterBank {
    bands: Vec<Band>,
    /// The weights of all bands, one band after the other.
    weights: Vec<f32>,
}

/// Where a band lies: `first` among the frequencies, `start..end` among the weights.
#[derive(Debug, Clone, Copy)]
struct Band {
    first: usize,
    start: usize,
    end: usize,
}

impl Default for FilterBank {
    fn default() -> Self {
        Self::new()
    }
}

impl FilterBank {
    /// Computes the filters.
    pub fn new() -> Self {
        let nyquist = f64::from(SAMPLE_RATE) / 2.0;
        let edge = |i: usize| hz(mel(nyquist) * i as f64 / (BANDS + 1) as f64);
        let frequency = |bin: usize| bin as f64 * f64::from(SAMPLE_RATE) / N_FFT as f64;
        let mut bank = Self { bands: Vec::with_capacity(BANDS), weights: Vec::new() };
        for band in 0..BANDS {
            let (low, centre, high) = (edge(band), edge(band + 1), edge(band + 2));
            let weight = |bin: usize| {
                let f = frequency(bin);
                let triangle = ((f - low) / (centre - low)).min((high - f) / (high - centre)).max(0.0);
                (triangle * 2.0 / (high - low)) as f32
            };
            let start = bank.weights.len();
            let first = (0..BINS).find(|&bin| weight(bin) > 0.0).unwrap_or(0);
            bank.weights.extend((first..BINS).map(weight).take_while(|&w| w > 0.0));
            bank.bands.push(Band { first, start, end: bank.weights.len() });
        }
        bank
    }

    /// Power of each band, from the power of each frequency. Allocates nothing.
    pub fn apply(&self, power: &[f32; BINS], column: &mut Column) {
        for (out, band) in column.iter_mut().zip(&self.bands) {
            let weights = &self.weights[band.start..band.end];
            *out = weights.iter().zip(&power[band.first..]).map(|(w, p)| w * p).sum();
        }
    }

    /// A band's weights and the frequency (as an index from 0 to 1,024) of the first of them.
    ///
    /// # Panics
    /// From band 128 on.
    pub fn band(&self, band: usize) -> (usize, &[f32]) {
        let Band { first, start, end } = self.bands[band];
        (first, &self.weights[start..end])
    }
}

/// Mean square of the samples of a column's window, full scale being 1, from the column's power: the triangles add
/// up to 1 over the frequencies, once each is given back its width. Without the lowest band, so that an offset, which
/// is inaudible, counts nothing. Allocates nothing.
pub fn mean_square(column: &Column) -> f32 {
    /// Width of each triangle at half its height, over what a window's power holds of a mean square: half of it lies
    /// at negative frequencies, and Hann's window keeps three eighths.
    static SCALES: LazyLock<Column> = LazyLock::new(|| {
        let edge = |i: usize| hz(mel(f64::from(SAMPLE_RATE) / 2.0) * i as f64 / (BANDS + 1) as f64);
        let whole = (N_FFT * N_FFT) as f64 * 3.0 / 8.0 / 2.0;
        std::array::from_fn(|band| ((edge(band + 2) - edge(band)) / 2.0 / whole) as f32)
    });
    column.iter().zip(SCALES.iter()).skip(1).map(|(power, scale)| power * scale).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_its_own_inverse_and_meets_at_the_break() {
        for f in [0.0, 60.0, 999.9, 1000.0, 1000.1, 6400.0, 11_025.0] {
            assert!((hz(mel(f)) - f).abs() < 1e-9, "{f}");
        }
        assert!((mel(6400.0) - 42.0).abs() < 1e-12, "15 + 27 steps");
    }

    #[test]
    fn every_band_has_weight_and_flat_power_comes_out_nearly_flat() {
        let bank = FilterBank::new();
        let mut column = [0.0; BANDS];
        bank.apply(&[1.0; BINS], &mut column);
        // An area of 1 Hz in steps of 10.77 Hz; the narrow bands of the bass hold two or three frequencies.
        let expected = N_FFT as f32 / SAMPLE_RATE as f32;
        for (band, power) in column.iter().enumerate() {
            let tolerance = if band < 40 { 0.3 } else { 0.05 };
            assert!((power / expected - 1.0).abs() < tolerance, "{band}: {power}");
        }
        assert!(bank.weights.len() < BANDS * BINS / 50, "{} weights", bank.weights.len());
    }

    #[test]
    fn a_column_tells_how_loud_it_was() {
        let columns_of = |sound: &[f32]| crate::mel::mel_spectrogram(sound).columns;
        for hz in [60.0, 441.0, 3000.0, 9000.0] {
            let tone: Vec<f32> =
                (0..8192).map(|i| (std::f32::consts::TAU * hz * i as f32 / 22_050.0).sin() * 0.1).collect();
            // 0.1 * 0.1 / 2, in dB.
            let level = 10.0 * mean_square(&columns_of(&tone)[8]).log10();
            assert!((level + 23.0).abs() < 1.0, "{hz} Hz: {level}");
        }
        let offset = 10.0 * mean_square(&columns_of(&[0.1; 8192])[8]).log10();
        assert!(offset < -100.0, "an offset counts {offset}");
        assert_eq!(mean_square(&columns_of(&[0.0; 8192])[8]), 0.0);
    }
}
