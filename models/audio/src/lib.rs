//! Audio as the genre classifiers take it: files, sample rates, mel spectrograms, waveforms.
//!
//! `decode` (a feature) reads a file as a stream of mono samples, [`Resampler`] brings any rate to 22,050 Hz, [`MelStream`]
//! turns samples into mel columns as librosa defines them, and [`FrontEnd`] joins the last two for whoever
//! receives audio at some rate, from a file or live. [`wave`] cuts the parts that paper P4 classifies.
//!
//! Nothing here starts a thread, and only `decode` knows of files. What a stream needs is allocated when it is
//! made; from then on it allocates nothing.

#[cfg(feature = "decode")]
pub mod decode;
mod front;
pub mod mel;
mod resample;
pub mod wave;

pub use front::FrontEnd;
pub use mel::{Column, MelSpectrogram, MelStream};
pub use resample::{MAX_RATE, MIN_RATE, RateError, Resampler, resample};

/// Sample rate of everything behind the resampler, in Hz: that of GTZAN, and librosa's default.
pub const SAMPLE_RATE: u32 = 22_050;
/// Greatest magnitude of a sample that is taken for sound, where full scale is 1: +80 dB. What lies beyond, and
/// NaN, is damage and counts as silence; let through, it would spoil every column around it.
pub const LOUDEST: f32 = 1e4;

/// The sample, or silence where it is damaged.
pub(crate) fn sound_or_silence(sample: f32) -> f32 {
    // Not a number compares as false.
    if sample.abs() <= LOUDEST { sample } else { 0.0 }
}
