//! How far a training is, with all that going on takes.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};
use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use sideman_nets::nn::Parameters;
use sideman_nets::ops::RunningStatistics;

use super::FitConfig;
use crate::train::checkpoint::{read, write};

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
    pub moments: BTreeMap<String, (Tensor, Tensor)>,
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
        for (name, (m, v)) in &self.moments {
            tensors.insert(format!("m.{name}"), m.clone());
            tensors.insert(format!("v.{name}"), v.clone());
        }
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
        let under = |prefix: &str| -> BTreeMap<String, Tensor> {
            let own = |(k, v): (&String, &Tensor)| Some((k.strip_prefix(prefix)?.to_owned(), v.clone()));
            tensors.iter().filter_map(own).collect()
        };
        out.parameters.tensors = under("p.");
        out.average = under("a.");
        let mut second = under("v.");
        for (name, m) in under("m.") {
            let v =
                second.remove(&name).with_context(|| format!("the checkpoint lacks a moment of {name}"))?;
            out.moments.insert(name, (m, v));
        }
        let statistics = under("s.");
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
