//! What all weights files have in common.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::gguf::{self, BLOCK, Gguf, Stored};
use super::{Card, TensorError, Values, WeightsError, sha256};

/// What a file ends with, before the checksum of all that comes before.
const TRAILER: &[u8; 8] = b"SIDEMAN1";
/// No weights of ours come near this size.
const MOST_BYTES: usize = 256 << 20;

/// Tensors by name: shape and values, row-major.
pub type Shaped = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Whether a tensor of a shape is stored as 8-bit blocks: a matrix of some size.
pub(crate) fn is_quantised(shape: &[usize]) -> bool {
    shape.len() == 2 && shape[0] * shape[1] >= 4096
}

/// The shape under which a tensor is stored: rows of a quantised one are filled up to whole blocks.
fn stored_shape(shape: &[usize]) -> Vec<usize> {
    if is_quantised(shape) { vec![shape[0], shape[1].next_multiple_of(BLOCK)] } else { shape.to_vec() }
}

/// A tensor as it is stored.
pub fn quantise(shape: &[usize], values: &[f32]) -> Stored<Vec<u8>> {
    match *shape {
        [rows, columns] if is_quantised(shape) => Stored::quantised([rows, columns], values),
        _ => Stored::plain(shape, values),
    }
}

/// The values of a tensor as a stored one gives them back.
fn restored<B: AsRef<[u8]>>(stored: &Stored<B>, shape: &[usize]) -> Vec<f32> {
    let values = stored.values();
    let columns = shape.last().copied().unwrap_or(1);
    let wide = stored.shape.last().copied().unwrap_or(1);
    if wide == columns {
        return values;
    }
    values.chunks_exact(wide).flat_map(|row| row[..columns].iter().copied()).collect()
}

/// What is left of a tensor's values after storing them.
pub fn rounded(shape: &[usize], values: &[f32]) -> Vec<f32> {
    restored(&quantise(shape, values), shape)
}

/// A file of texts and quantised tensors with its checksum.
///
/// # Errors
/// When a value is not finite.
pub fn sealed(texts: &[(&str, String)], tensors: &Shaped) -> Result<Vec<u8>, TensorError> {
    let mut stored = vec![];
    for (name, (shape, values)) in tensors {
        if values.iter().any(|v| !v.is_finite()) {
            return Err(TensorError::NotFinite(name.clone()));
        }
        stored.push((name.as_str(), quantise(shape, values)));
    }
    let mut bytes = gguf::write(texts, &stored);
    let sum = Sha256::digest(&bytes);
    bytes.extend_from_slice(TRAILER);
    bytes.extend_from_slice(&sum);
    Ok(bytes)
}

/// The JSON form of plain data.
pub fn json<T: Serialize>(value: &T) -> String {
    // Plain data with string keys always has one.
    serde_json::to_string(value).unwrap_or_default()
}

/// The part of a file before the checksum, once that is found to fit.
fn verified(bytes: &[u8]) -> Result<&[u8], WeightsError> {
    let split = bytes.len().checked_sub(TRAILER.len() + 32).filter(|_| bytes.len() <= MOST_BYTES);
    let Some((body, tail)) = split.map(|at| bytes.split_at(at)) else { return Err(WeightsError::Foreign) };
    if &tail[..8] != TRAILER {
        // Ours but cut off, or not ours at all.
        let ours = bytes.starts_with(b"GGUF") && bytes.windows(8).take(4096).any(|w| w == b"sideman-");
        return Err(if ours { WeightsError::Damaged } else { WeightsError::Foreign });
    }
    if Sha256::digest(body).as_slice() != &tail[8..] {
        return Err(WeightsError::Damaged);
    }
    Ok(body)
}

/// A file whose checksum fits.
pub struct WeightsFile<'a> {
    bytes: &'a [u8],
    gguf: Gguf<'a>,
}

impl<'a> WeightsFile<'a> {
    /// Reads a file, but none of its values.
    ///
    /// # Errors
    /// When it is damaged or not one of ours.
    pub fn read(bytes: &'a [u8]) -> Result<Self, WeightsError> {
        Ok(Self { bytes, gguf: Gguf::read(verified(bytes)?)? })
    }

    /// A text of its metadata.
    ///
    /// # Errors
    /// When there is none of this key.
    pub fn text(&self, key: &str) -> Result<&'a str, WeightsError> {
        self.gguf.texts.get(key).copied().ok_or_else(|| WeightsError::Content(format!("{key} is missing")))
    }

    /// A text of its metadata, read as JSON.
    ///
    /// # Errors
    /// When there is none of this key, or it is something else.
    pub fn json<T: for<'d> Deserialize<'d>>(&self, key: &str) -> Result<T, WeightsError> {
        serde_json::from_str(self.text(key)?).map_err(|e| WeightsError::Content(format!("{key}: {e}")))
    }

    /// The card, with the checksum of the whole file.
    ///
    /// # Errors
    /// When there is none.
    pub fn card(&self) -> Result<Card, WeightsError> {
        Ok(Card { sha256: sha256(self.bytes), ..self.json("sideman.card")? })
    }

    /// Checks the fingerprint of the encoding.
    ///
    /// # Errors
    /// When it is another one.
    pub fn expect_encoding(&self, expected: String) -> Result<(), WeightsError> {
        let found = self.text("sideman.encoding")?;
        if found == expected {
            Ok(())
        } else {
            Err(WeightsError::Encoding { found: found.to_owned(), expected })
        }
    }

    /// The values of the tensors by name: exactly these, of these shapes, all finite.
    ///
    /// # Errors
    /// Names the tensor that is missing, too much, of another shape or not finite.
    pub fn tensors(&self, shapes: &[(String, Vec<usize>)]) -> Result<Values, TensorError> {
        if let Some(extra) = self.gguf.tensors.keys().find(|k| shapes.iter().all(|s| s.0 != **k)) {
            return Err(TensorError::Extra((*extra).to_owned()));
        }
        let mut tensors = Values::new();
        for (name, shape) in shapes {
            let stored =
                self.gguf.tensors.get(name.as_str()).ok_or_else(|| TensorError::Missing(name.clone()))?;
            let expected = stored_shape(shape);
            if stored.shape != expected {
                return Err(TensorError::Shape { name: name.clone(), found: stored.shape.clone(), expected });
            }
            let values = restored(stored, shape);
            if values.iter().any(|v| !v.is_finite()) {
                return Err(TensorError::NotFinite(name.clone()));
            }
            tensors.insert(name.clone(), values);
        }
        Ok(tensors)
    }
}

/// Reads only the card of a weights file.
///
/// # Errors
/// When the file is damaged or not one of ours.
pub fn card(bytes: &[u8]) -> Result<Card, WeightsError> {
    WeightsFile::read(bytes)?.card()
}
