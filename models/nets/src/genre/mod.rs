//! Networks that tell genres apart.
//!
//! Each description builds the layers of a [`Classifier`].

#[cfg(test)]
mod audio_tests;
mod bach;
mod beethoven;
mod listener;
mod mel_cnn;
mod mel_crnn;
mod mel_rnn;
pub mod symbolic;
#[cfg(test)]
mod tests;

use candle_core::{Result, Tensor};

pub use bach::Bach;
pub use beethoven::Beethoven;
pub use listener::{fold, kernel_of};
pub use mel_cnn::{MelCnn, STAGES, Stage};
pub use mel_crnn::MelCrnn;
pub use mel_rnn::MelRnn;

use crate::nn::{Mode, Network};

/// Layers that tell classes apart.
pub trait Classifier {
    /// Logits (examples, classes) of inputs, each of whose first axes is the examples. What the inputs are is
    /// up to the network.
    ///
    /// # Errors
    /// When an input has another shape.
    fn forward(&self, inputs: &[Tensor], mode: &mut Mode<'_>) -> Result<Tensor>;
}

/// The description of any classifier.
pub type DynClassifier = dyn Network<Layers = Box<dyn Classifier>> + Send + Sync;
