//! Checkpoints: weights, optimizer state and progress in one safetensors file.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::TrainConfig;

/// Names of what is stored beside the run's own tensors.
const PROGRESS: &str = "progress";
const CHECKSUM: &str = "checksum";

/// Why a checkpoint could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Reading or writing failed.
    #[error("cannot {what} the checkpoint {path}; {advice}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// What to do.
        advice: &'static str,
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
        self.tensors
            .iter()
            .filter_map(|(k, v)| Some((k.strip_prefix(prefix)?.to_owned(), v.clone())))
            .collect()
    }
}

fn unwritten(path: &Path, source: Box<dyn std::error::Error + Send + Sync>) -> CheckpointError {
    let advice = "check the disk's free space and the permissions";
    CheckpointError::Io { what: "write", advice, path: path.to_owned(), source }
}

/// Writes progress and tensors with a checksum, whole or not at all.
pub(crate) fn write(
    path: &Path,
    progress: &str,
    tensors: &BTreeMap<String, Tensor>,
) -> Result<(), CheckpointError> {
    let fail = |source| unwritten(path, source);
    let sum = checksum(progress.as_bytes(), tensors).map_err(|e| fail(e.into()))?;
    let mut all: HashMap<String, Tensor> = tensors.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    for (name, bytes) in [(PROGRESS, progress.as_bytes()), (CHECKSUM, &sum)] {
        let stored = Tensor::from_slice(bytes, bytes.len(), &Device::Cpu).map_err(|e| fail(e.into()))?;
        all.insert(name.into(), stored);
    }
    let partial = path.with_extension("partial");
    candle_core::safetensors::save(&all, &partial).map_err(|e| fail(e.into()))?;
    // On the disk before it takes the older one's place.
    std::fs::File::open(&partial).and_then(|f| f.sync_all()).map_err(|e| fail(e.into()))?;
    std::fs::rename(&partial, path).map_err(|e| fail(e.into()))
}

/// Reads what [`write`] wrote: the progress and the tensors, each of whose names begins with one of the
/// prefixes.
pub(crate) fn read(
    path: &Path,
    prefixes: &[&str],
) -> Result<(Vec<u8>, BTreeMap<String, Tensor>), CheckpointError> {
    let foreign = |reason: String| CheckpointError::Foreign { path: path.to_owned(), reason };
    let bytes = std::fs::read(path).map_err(|e| CheckpointError::Io {
        what: "read",
        advice: "name the folder of a run that has one with --run or --out",
        path: path.to_owned(),
        source: e.into(),
    })?;
    let mut tensors =
        candle_core::safetensors::load_buffer(&bytes, &Device::Cpu).map_err(|e| foreign(e.to_string()))?;
    let progress = tensors.remove(PROGRESS).ok_or_else(|| foreign("it has no progress".into()))?;
    let progress = progress.to_vec1::<u8>().map_err(|e| foreign(e.to_string()))?;
    let stored = tensors.remove(CHECKSUM);
    let tensors: BTreeMap<String, Tensor> = tensors.into_iter().collect();
    if let Some(name) = tensors.keys().find(|k| !prefixes.iter().any(|p| k.starts_with(p))) {
        return Err(foreign(format!("the tensor {name} does not belong there")));
    }
    // The first runs stored none.
    if let Some(stored) = stored {
        let fits = stored
            .to_vec1::<u8>()
            .is_ok_and(|s| checksum(&progress, &tensors).is_ok_and(|expected| s == expected));
        if !fits {
            return Err(foreign("it is damaged: its checksum does not fit".into()));
        }
    }
    Ok((progress, tensors))
}

/// SHA-256 of the progress and of every tensor's name, shape and values.
fn checksum(progress: &[u8], tensors: &BTreeMap<String, Tensor>) -> candle_core::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    hash.update(progress);
    for (name, tensor) in tensors {
        hash.update(format!("{name} {:?};", tensor.dims()));
        let values = tensor.flatten_all()?.to_vec1::<f32>()?;
        hash.update(values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>());
    }
    Ok(hash.finalize().into())
}
