//! Networks that tell genres apart.
//!
//! A [`Network`] is a description without weights: it names its tensors ([`Spec`]) and computes logits from
//! them in a [`Pass`]. [`Parameters`] are the weights with the running statistics of batch normalisation.

#[cfg(test)]
mod audio_tests;
mod bach;
mod beethoven;
mod listener;
mod mel_cnn;
mod mel_crnn;
mod mel_rnn;
mod parameters;
mod pass;
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
pub use parameters::{Initial, Parameters, Spec, Specs};
pub use pass::{NormRule, Pass};

/// A network that tells classes apart.
pub trait Network: Send + Sync {
    /// Every tensor that is trained, and every layer of batch normalisation, by name.
    fn specs(&self) -> Specs;

    /// Logits (examples, classes) of inputs, each of whose first axes is the examples. What the inputs are is
    /// up to the network.
    ///
    /// # Errors
    /// When an input has another shape, or a tensor is missing.
    fn logits(&self, pass: &mut Pass<'_>, inputs: &[Tensor]) -> Result<Tensor>;

    /// Number of trained values.
    fn parameters(&self) -> usize {
        self.specs().values()
    }
}
