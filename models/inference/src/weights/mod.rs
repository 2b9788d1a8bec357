//! Weights files: GGUF with quantised matrices, a card, and a checksum at the end.
//!
//! A file is loaded strictly. The checksum is checked before anything is parsed, so that a damaged file
//! never reaches the parser; then the encoding's fingerprint, the set of tensors and every shape.

mod band;
mod file;
mod gguf;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use band::{
    AUTO, BUILT_IN, BandWeights, BuiltIn, EMBEDDED, NamedError, Occasion, StoredStyle, embedded, encoding,
    load, named, read_tensors, write,
};
pub(crate) use file::is_quantised;
pub use file::{Shaped, WeightsFile, card, json, quantise, rounded, sealed};
pub(crate) use gguf::{BLOCK, BLOCK_BYTES, from_half};
pub use gguf::{Encoding, GgufError, Stored};

/// The values of tensors by name, row-major.
pub type Values = BTreeMap<String, Vec<f32>>;

/// Why weights could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file is not one of ours.
    #[error("this is not a Sideman weights file; give a .gguf file that `sideman-trainer export` wrote")]
    Foreign,
    /// The file is cut off or altered.
    #[error("the weights file is damaged: its checksum does not fit; fetch or export it again")]
    Damaged,
    /// The file is of another version of the encoding.
    #[error(
        "the weights were made for another version of Sideman (encoding {found}, this one has {expected}); export them again with this version"
    )]
    Encoding {
        /// In the file.
        found: String,
        /// Of this program.
        expected: String,
    },
    /// Its tensors are not those that belong there.
    #[error("the weights file does not fit: {0}; export it again")]
    Tensor(#[from] TensorError),
    /// It is no GGUF file of the kind we write.
    #[error("the weights file does not fit: {0}; export it again")]
    Gguf(#[from] GgufError),
    /// Something else in the file is missing or makes no sense.
    #[error("the weights file does not fit: {0}; export it again")]
    Content(String),
}

/// Tensors that are not those of a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TensorError {
    /// One is missing.
    #[error("the tensor {0} is missing")]
    Missing(String),
    /// One is too much.
    #[error("the tensor {0} does not belong there")]
    Extra(String),
    /// One has another shape; a flat one its number of values.
    #[error("the tensor {name} has the shape {found:?} instead of {expected:?}")]
    Shape {
        /// Its name.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape of a tensor of this name.
        expected: Vec<usize>,
    },
    /// A value is NaN or infinite.
    #[error("the tensor {0} holds values that are not finite")]
    NotFinite(String),
    /// The sizes of a network make no sense.
    #[error("absurd sizes {0}")]
    Sizes(String),
}

/// What a model saw and how well it does. Written by `sideman-trainer export`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Name of the model.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Version of the program that wrote it.
    pub version: String,
    /// Number of parameters.
    pub parameters: usize,
    /// How the matrices are stored.
    pub quantisation: String,
    /// Licence of the weights and what follows from the data.
    pub licence: String,
    /// What it was trained on: sets, tiers, numbers of songs.
    pub data: Vec<String>,
    /// Seed of the run.
    pub seed: u64,
    /// Commit that it was trained at.
    pub commit: String,
    /// Commands that make it again.
    pub commands: Vec<String>,
    /// Seconds of training and on what.
    pub training: String,
    /// Scores, with the data they were measured on.
    pub scores: Vec<String>,
    /// SHA-256 of the file; empty inside the file itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// What identifies the encoding that weights are made for: a version in words, then names and shapes of all tensors.
/// It changes with either.
pub fn fingerprint<'a>(version: &str, tensors: impl IntoIterator<Item = (&'a str, &'a [usize])>) -> String {
    let tensors: String = tensors.into_iter().map(|(name, shape)| format!("{name} {shape:?};")).collect();
    sha256(format!("{version}{tensors}").as_bytes())[..16].to_owned()
}

/// A network's own tensor out of `tensors`, of a shape.
///
/// # Errors
/// When it is missing or has another number of values.
pub(crate) fn take(tensors: &Values, name: &str, shape: &[usize]) -> Result<Vec<f32>, TensorError> {
    let values = tensors.get(name).ok_or_else(|| TensorError::Missing(name.to_owned()))?;
    if values.len() != shape.iter().product::<usize>() {
        return Err(TensorError::Shape {
            name: name.to_owned(),
            found: vec![values.len()],
            expected: shape.to_vec(),
        });
    }
    Ok(values.clone())
}
