//! What is trained on what: a network, its examples and its training under one name.

mod command;
mod mel;
mod mel_examples;
mod wave;

use std::path::Path;

use anyhow::{Context, bail};
use candle_core::Device;
use serde::{Deserialize, Serialize};
use sideman_nets::genre::DynClassifier;
use sideman_nets::nn::Parameters;

use super::train::changed;
use crate::train::{self, Examples, FitCheckpoint, FitConfig, Predictions};

pub use command::{PredictArgs, predict};
pub use mel::{MelInput, MelModel, MelNetwork, MelSplit};
pub use mel_examples::{Augmentation, MelExamples};
pub use wave::{WaveExamples, WaveModel, WaveNetwork};

/// Which examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ExampleSet {
    /// Those to train on, as they are without augmentation.
    Train,
    /// Those that training is watched by.
    Valid,
    /// Whole songs of the valid split: for P4, whose valid parts are of songs that it trains on. Otherwise as
    /// `valid`.
    Songs,
    /// Those of the test split.
    Test,
}

/// A model with its data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// On images of mel spectrograms.
    Mel(MelModel),
    /// On waveforms.
    Wave(WaveModel),
}

impl Model {
    /// Its network.
    pub fn network(&self, classes: usize) -> Box<DynClassifier> {
        match self {
            Self::Mel(model) => model.network(classes),
            Self::Wave(model) => model.network(classes),
        }
    }

    /// Its examples, from a cache.
    ///
    /// # Errors
    /// When the cache cannot be read or has none of them.
    pub fn examples(&self, cache: &Path, which: ExampleSet) -> anyhow::Result<Box<dyn Examples>> {
        let found = self.find(cache, which)?;
        found.with_context(|| format!("{} holds nothing of that split for this model", cache.display()))
    }

    /// Its examples, from a cache; `None` where there are none.
    ///
    /// # Errors
    /// When the cache cannot be read.
    pub fn find(&self, cache: &Path, which: ExampleSet) -> anyhow::Result<Option<Box<dyn Examples>>> {
        let examples = match self {
            Self::Mel(model) => model.examples(cache, which)?,
            Self::Wave(model) => model.examples(cache, which)?,
        };
        Ok((!examples.is_empty()).then_some(examples))
    }
}

/// A model and how it is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Name.
    pub name: String,
    /// What.
    pub model: Model,
    /// How.
    pub fit: FitConfig,
}

impl Recipe {
    /// All of them.
    pub fn all() -> Vec<Self> {
        let mut all = mel::recipes();
        all.extend(wave::recipes());
        all
    }

    /// The one of a name.
    ///
    /// # Errors
    /// When there is none; the message names those that there are.
    pub fn named(name: &str) -> anyhow::Result<Self> {
        let all = Self::all();
        let known = all.iter().map(|r| r.name.as_str()).collect::<Vec<_>>().join(", ");
        let found = all.into_iter().find(|r| r.name == name);
        found.with_context(|| format!("no model is called '{name}': choose from {known}"))
    }

    /// With one of its settings changed, see [`changed`].
    ///
    /// # Errors
    /// When there is no such setting, or the value does not fit.
    pub fn with(&self, setting: &str) -> anyhow::Result<Self> {
        changed(self, setting)
    }
}

/// A trained model.
pub struct Run {
    /// What was trained on what.
    pub recipe: Recipe,
    /// Names of its classes.
    pub classes: Vec<String>,
    parameters: Parameters,
    device: Device,
}

impl Run {
    /// The best checkpoint in the folder of a run.
    ///
    /// # Errors
    /// When there is none, it is damaged, or of a model that is not of sound.
    pub fn open(folder: &Path, device: &Device) -> anyhow::Result<Self> {
        let best = FitCheckpoint::best_of(folder)?;
        if best.recipe["model"].is_string() {
            bail!(
                "{} is a run of a classifier of notes: `eval genre --csv` has what it says",
                folder.display()
            );
        }
        let model: Model = serde_json::from_value(best.recipe["model"].clone()).with_context(|| {
            format!("the run in {} is of a model that this version does not know", folder.display())
        })?;
        best.parameters
            .check(&model.network(best.classes.len()).specs())
            .with_context(|| format!("the run in {} was made by another version", folder.display()))?;
        let mut parameters = best.parameters;
        for tensor in parameters.tensors.values_mut() {
            *tensor = tensor.to_device(device)?;
        }
        let name = best.recipe["name"].as_str().unwrap_or_default().to_owned();
        let recipe = Recipe { name, model, fit: best.config };
        Ok(Self { recipe, classes: best.classes, parameters, device: device.clone() })
    }

    /// What it says of examples.
    ///
    /// # Errors
    /// When they are of other classes, or cannot be read.
    pub fn predict(&self, examples: &dyn Examples) -> anyhow::Result<Predictions> {
        if examples.classes() != self.classes {
            bail!(
                "{} tells {}, the examples are of {}",
                self.recipe.name,
                self.classes.join(", "),
                examples.classes().join(", ")
            );
        }
        let network = self.recipe.model.network(self.classes.len());
        train::predict(&*network, &self.parameters, examples, self.recipe.fit.batch, &self.device)
    }
}

/// What the trained model in a run's folder says of examples from a cache.
///
/// # Errors
/// When the run or the cache cannot be read, or do not fit each other.
pub fn predict_run(
    run: &Path,
    cache: &Path,
    which: ExampleSet,
    device: &Device,
) -> anyhow::Result<(Recipe, Predictions)> {
    let run = Run::open(run, device)?;
    let said = run.predict(&*run.recipe.model.examples(cache, which)?)?;
    Ok((run.recipe, said))
}

#[cfg(test)]
pub(in crate::recipes::genre) mod tests;
