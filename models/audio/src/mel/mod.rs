//! Mel spectrograms as `librosa.feature.melspectrogram` computes them with its defaults (version 0.10 and later).
//!
//! 22,050 Hz; windows of 2,048 samples, periodic Hann, 512 apart, the first centred on sample 0 and the sound
//! padded with zeros; power; 128 bands on Slaney's mel scale from 0 to 11,025 Hz, each filter with the same area.

mod bank;
mod decibels;
mod stream;

pub use bank::{FilterBank, mean_square};
pub use decibels::{AMIN, Reference, TOP_DB, power_to_db};
pub use stream::MelStream;

/// Samples of a window: 93 ms.
pub const N_FFT: usize = 2048;
/// Samples from one column to the next: 23 ms, so 43.07 columns a second.
pub const HOP: usize = 512;
/// Frequencies of a window's spectrum.
pub const BINS: usize = N_FFT / 2 + 1;
/// Mel bands of a column, the lowest first.
pub const BANDS: usize = 128;

/// Power in each mel band around one moment, or decibels after [`power_to_db`].
pub type Column = [f32; BANDS];

/// A sound's columns in order; column t is centred on sample 512 t.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MelSpectrogram {
    /// The columns.
    pub columns: Vec<Column>,
}

impl MelSpectrogram {
    /// How many columns there are.
    pub fn frames(&self) -> usize {
        self.columns.len()
    }

    /// The values as librosa lays them out: (128, frames), row-major, the lowest band first.
    pub fn by_band(&self) -> Vec<f32> {
        (0..BANDS).flat_map(|band| self.columns.iter().map(move |column| column[band])).collect()
    }

    /// Power to decibels in place, see [`power_to_db`].
    pub fn to_db(&mut self, reference: Reference, top_db: Option<f32>) {
        power_to_db(self.columns.as_flattened_mut(), reference, top_db);
    }
}

/// The mel spectrogram (power) of mono samples at 22,050 Hz: 128 bands by 1 + n / 512 columns. No samples have no
/// columns (librosa makes one of zeros).
pub fn mel_spectrogram(samples: &[f32]) -> MelSpectrogram {
    let mut columns = Vec::with_capacity(1 + samples.len() / HOP);
    let mut stream = MelStream::new();
    stream.push(samples, |column| columns.push(*column));
    stream.finish(|column| columns.push(*column));
    MelSpectrogram { columns }
}
