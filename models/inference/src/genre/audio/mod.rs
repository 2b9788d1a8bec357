//! The product's classifier of audio ready for programs.
//!
//! - [`ListenerKernel`] holds the weights of one network, [`ListenerStream`] runs it over columns as they come,
//!   [`Ensemble`] takes the mean of several.
//! - [`ColumnListener`] and [`AudioListener`] follow a sound live, the first by its columns, the second by its
//!   samples: fixed memory, no allocation, no thread.
//! - [`WindowClassifier`] and [`AudioClassifier`] take a whole sound, 30 s at a time.
//!
//! What is heard is brought to what was learned from: images of librosa's spectrograms, in decibels below the
//! loudest of a clip of 30 s, of which what is 80 dB below is raised to there; mean and deviation of the clip are
//! taken out. A whole sound is cut into clips of that length, each of which is treated so. Live nobody
//! knows the rest of the clip: each column is treated by what was heard in the 30 s before it, once, when it comes.
//!
//! Silence: what is below [`SILENCE_DB`] does not sound. A pause is part of the music for [`PAUSE_COLUMNS`];
//! then it is silence, which is not classified, and which makes a live listener forget what was before.

mod clips;
mod ensemble;
mod kernel;
mod live;
mod mel_front_end;
mod pool;
mod stream;
mod window;

pub use clips::{
    AudioClassifier, AudioReport, AudioWindow, ClassifyError, HOP_COLUMNS, WindowClassifier, classify,
};
pub use ensemble::Ensemble;
pub use kernel::{LEAST_VARIANCE, ListenerKernel, ListenerStage, MelClassifier};
pub(super) use kernel::{check, tensor_shapes};
pub use live::{AudioListener, AudioVerdict, ColumnListener};
pub use stream::ListenerStream;

/// Level below which a column does not sound, in dB below full scale (root mean square of its 93 ms): above the
/// noise of a recording in 16 bits and of most microphones, below the softest of a mastered piece.
pub const SILENCE_DB: f32 = -60.0;
/// Columns of a pause that still belong to the music: 3 s.
pub const PAUSE_COLUMNS: usize = 39;
/// Columns that have to sound before anything is classified: 2.4 s.
pub const LEAST_COLUMNS: usize = 31;
