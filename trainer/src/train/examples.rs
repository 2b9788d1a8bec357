//! What a classifier is trained and measured on.

use candle_core::Tensor;
use rand_pcg::Pcg64;

/// Which piece an example is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named<'a> {
    /// Name of the piece; several examples of one piece share it.
    pub id: &'a str,
    /// Where the piece came from.
    pub source: &'a str,
}

/// Labelled examples of one split.
pub trait Examples: Sync {
    /// Names of the classes, by number.
    fn classes(&self) -> &[String];

    /// Number of examples.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Class of an example.
    fn class(&self, example: usize) -> usize;

    /// Name of an example's piece.
    fn named(&self, example: usize) -> Named<'_>;

    /// The network's inputs of some examples, f32 on the CPU, each with the examples as first axis. With `rng`
    /// augmented, for training; without, always the same. Called from another thread than the training.
    ///
    /// # Errors
    /// When an example cannot be read.
    fn inputs(&self, examples: &[usize], rng: Option<&mut Pcg64>) -> anyhow::Result<Vec<Tensor>>;
}
