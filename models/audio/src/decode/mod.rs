//! Audio files as a stream of mono samples: wav, flac, mp3, ogg (vorbis), aac and m4a (aac, alac).
//!
//! A file is read packet by packet, so ten hours take no more memory than ten seconds. What cannot be read from
//! the start is an error; what breaks later ends or thins the stream and is counted in [`Damage`].

mod error;
mod file;

use std::path::Path;

pub use error::{AudioError, Damage};
pub use file::AudioFile;

use crate::Resampler;

/// A file's sound at 22,050 Hz.
#[derive(Debug, Clone, PartialEq)]
pub struct Sound {
    /// Mono samples at 22,050 Hz.
    pub samples: Vec<f32>,
    /// Sample rate of the file, in Hz.
    pub file_rate: u32,
    /// What was wrong with the file, as far as it was read.
    pub damage: Damage,
}

/// Reads a file, or no more of it than makes `most` samples of 22,050 Hz, into memory (4 bytes a sample).
///
/// # Errors
/// As [`AudioFile::open`].
pub fn load(path: &Path, most: usize) -> Result<Sound, AudioError> {
    let mut file = AudioFile::open(path)?;
    let file_rate = file.sample_rate();
    let mut resampler =
        Resampler::new(file_rate).map_err(|source| AudioError::Rate { path: path.to_owned(), source })?;
    let mut samples = Vec::new();
    while samples.len() < most {
        let Some(chunk) = file.next_chunk() else {
            resampler.finish(|made| samples.extend_from_slice(made));
            break;
        };
        resampler.push(chunk, |made| samples.extend_from_slice(made));
    }
    samples.truncate(most);
    Ok(Sound { samples, file_rate, damage: file.damage() })
}
