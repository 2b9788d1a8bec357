//! The band's checkpoints.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::TrainConfig;
use crate::train::CheckpointError;
use crate::train::checkpoint::{read, under, unwritten, write};

/// How far a run is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The run.
    pub config: TrainConfig,
    /// Segments finished.
    pub segments: usize,
    /// Updates made.
    pub updates: usize,
    /// Best loss on the valid split so far, and the segments since.
    pub best: f64,
    /// Segments since the best.
    pub stale: usize,
    /// Seconds spent.
    pub seconds: f64,
    /// 16ths seen.
    pub seen: usize,
    /// Mean of the song statistics.
    pub mean: Vec<f32>,
    /// Deviation of the song statistics.
    pub deviation: Vec<f32>,
    /// Tensors by name; `p.` weights, `m.` and `v.` moments.
    #[serde(skip)]
    pub tensors: BTreeMap<String, Tensor>,
}

impl Checkpoint {
    /// Writes the checkpoint whole or not at all: an older one stays until the new one is complete.
    ///
    /// # Errors
    /// When the disk is full or the folder is read-only.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        let progress = serde_json::to_string(self).map_err(|e| unwritten(path, e.into()))?;
        write(path, &progress, &self.tensors)
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// When the file is missing, damaged or foreign.
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        let (progress, tensors) = read(path, &["p.", "m.", "v."])?;
        let mut checkpoint: Self = serde_json::from_slice(&progress)
            .map_err(|e| CheckpointError::Foreign { path: path.to_owned(), reason: e.to_string() })?;
        checkpoint.tensors = tensors;
        Ok(checkpoint)
    }

    /// The tensors under a prefix, without it.
    pub fn under(&self, prefix: &str) -> BTreeMap<String, Tensor> {
        under(&self.tensors, prefix)
    }
}
