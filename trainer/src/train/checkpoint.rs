//! Checkpoints: weights, optimizer state and progress in one safetensors file.
//!
//! The tensors' names begin with what they are: `p.` weights, `a.` their moving average, `m.` and `v.` the optimizer's
//! moments, `s.` statistics of batch normalisation.

use anyhow::{Context, ensure};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sideman_nets::nn::Parameters;
use sideman_nets::ops::RunningStatistics;

use super::FitConfig;
use super::optimizer::Moments;

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

pub(crate) fn unwritten(path: &Path, source: Box<dyn std::error::Error + Send + Sync>) -> CheckpointError {
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

/// The tensors under a prefix, without it.
pub(crate) fn under(tensors: &BTreeMap<String, Tensor>, prefix: &str) -> BTreeMap<String, Tensor> {
    tensors.iter().filter_map(|(k, v)| Some((k.strip_prefix(prefix)?.to_owned(), v.clone()))).collect()
}

/// The optimizer's moments among the tensors of a checkpoint.
pub(crate) fn moments(tensors: &BTreeMap<String, Tensor>) -> anyhow::Result<Moments> {
    let mut second = under(tensors, "v.");
    let pair = |(name, m): (String, Tensor)| {
        let v = second.remove(&name).with_context(|| format!("the checkpoint lacks a moment of {name}"))?;
        Ok((name, (m, v)))
    };
    under(tensors, "m.").into_iter().map(pair).collect()
}

/// Adds the optimizer's moments to the tensors of a checkpoint.
pub(crate) fn add_moments(tensors: &mut BTreeMap<String, Tensor>, moments: &Moments) {
    for (name, (m, v)) in moments {
        tensors.insert(format!("m.{name}"), m.clone());
        tensors.insert(format!("v.{name}"), v.clone());
    }
}

/// A training at the end of an epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FitCheckpoint {
    /// How it is trained.
    pub config: FitConfig,
    /// What is trained on what, in the terms of whoever began it.
    pub recipe: serde_json::Value,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Epochs finished.
    pub epochs: usize,
    /// Updates made.
    pub updates: usize,
    /// The best valid loss and balanced accuracy so far, as [`super::Choice`] sees it.
    pub best: Option<(f64, f64)>,
    /// Epoch of the best, from 1.
    pub best_epoch: usize,
    /// Seconds spent.
    pub seconds: f64,
    /// Weights and statistics at the end of the epoch; in the file of the best, those that were scored.
    #[serde(skip)]
    pub parameters: Parameters,
    /// The average of the weights, where there is one.
    #[serde(skip)]
    pub average: BTreeMap<String, Tensor>,
    /// The optimizer's moments by name.
    #[serde(skip)]
    pub moments: Moments,
}

impl FitCheckpoint {
    /// Writes it whole or not at all.
    ///
    /// # Errors
    /// When the disk is full or the folder read-only.
    pub fn save(&self, path: &Path) -> anyhow::Result<()> {
        let mut tensors = BTreeMap::new();
        for (name, t) in &self.parameters.tensors {
            tensors.insert(format!("p.{name}"), t.clone());
        }
        for (name, t) in &self.average {
            tensors.insert(format!("a.{name}"), t.clone());
        }
        add_moments(&mut tensors, &self.moments);
        for (name, r) in &self.parameters.running {
            for (part, values) in [("mean", &r.mean), ("variance", &r.variance)] {
                let t = Tensor::from_slice(values, values.len(), &Device::Cpu)?;
                tensors.insert(format!("s.{name}.{part}"), t);
            }
        }
        Ok(write(path, &serde_json::to_string(self)?, &tensors)?)
    }

    /// Reads one.
    ///
    /// # Errors
    /// When the file is missing, damaged or foreign.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let (progress, tensors) = read(path, &["p.", "a.", "m.", "v.", "s."])?;
        let mut out: Self = serde_json::from_slice(&progress).with_context(|| {
            format!(
                "{} is a checkpoint of another kind: name the folder of a run of `genre train`",
                path.display()
            )
        })?;
        out.parameters.tensors = under(&tensors, "p.");
        out.average = under(&tensors, "a.");
        out.moments = moments(&tensors)?;
        let statistics = under(&tensors, "s.");
        for (name, mean) in &statistics {
            let Some(layer) = name.strip_suffix(".mean") else { continue };
            let variance = statistics
                .get(&format!("{layer}.variance"))
                .with_context(|| format!("the checkpoint lacks the variance of {layer}"))?;
            let running = RunningStatistics { mean: mean.to_vec1()?, variance: variance.to_vec1()? };
            ensure!(running.mean.len() == running.variance.len(), "the statistics of {layer} do not fit");
            out.parameters.running.insert(layer.to_owned(), running);
        }
        Ok(out)
    }
}
