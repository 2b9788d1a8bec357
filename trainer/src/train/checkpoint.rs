//! Checkpoints: weights, optimizer state and progress in one safetensors file.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::TrainConfig;

/// Why a checkpoint could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Reading or writing failed.
    #[error("cannot {what} the checkpoint {path}: {source}; check the disk's free space and the permissions")]
    Io {
        /// What was tried.
        what: &'static str,
        /// File.
        path: PathBuf,
        /// Cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file is not a checkpoint.
    #[error("{path} is not a checkpoint of this trainer ({reason}); remove it to start anew")]
    Foreign {
        /// File.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

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
        let fail = |source: Box<dyn std::error::Error + Send + Sync>| CheckpointError::Io {
            what: "write",
            path: path.to_owned(),
            source,
        };
        let progress = serde_json::to_string(self).map_err(|e| fail(e.into()))?;
        let mut tensors: HashMap<String, Tensor> =
            self.tensors.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        let length = progress.len();
        let bytes =
            Tensor::from_vec(progress.into_bytes(), length, &Device::Cpu).map_err(|e| fail(e.into()))?;
        tensors.insert("progress".into(), bytes);
        let partial = path.with_extension("partial");
        candle_core::safetensors::save(&tensors, &partial).map_err(|e| fail(e.into()))?;
        std::fs::rename(&partial, path).map_err(|e| fail(e.into()))
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// When the file is missing, damaged or foreign.
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        let foreign = |reason: String| CheckpointError::Foreign { path: path.to_owned(), reason };
        let bytes = std::fs::read(path).map_err(|e| CheckpointError::Io {
            what: "read",
            path: path.to_owned(),
            source: e.into(),
        })?;
        let mut tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
            .map_err(|e| foreign(e.to_string()))?;
        let progress = tensors.remove("progress").ok_or_else(|| foreign("it has no progress".into()))?;
        let text = progress.to_vec1::<u8>().map_err(|e| foreign(e.to_string()))?;
        let mut checkpoint: Self = serde_json::from_slice(&text).map_err(|e| foreign(e.to_string()))?;
        checkpoint.tensors = tensors.into_iter().collect();
        Ok(checkpoint)
    }

    /// The tensors under a prefix, without it.
    pub fn under(&self, prefix: &str) -> BTreeMap<String, Tensor> {
        self.tensors
            .iter()
            .filter_map(|(k, v)| Some((k.strip_prefix(prefix)?.to_owned(), v.clone())))
            .collect()
    }
}
