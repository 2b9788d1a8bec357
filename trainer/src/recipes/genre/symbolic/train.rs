//! What it takes to train a classifier of notes: its settings, and its examples out of a cache.

use std::path::Path;

use anyhow::ensure;
use serde::{Deserialize, Serialize};
use sideman_inference::genre::symbolic::BarNetConfig;
use sideman_music::encoding::bar_features::{BAND_FEATURES, PIANO_FEATURES};

use super::band::BandExamples;
use super::piano::PianoExamples;
use super::recipe::{BarRecipe, Data, Model, Recipe};
use super::rolls::RollExamples;
use crate::recipes::genre::cache;
use crate::recipes::genre::train::Ready;
use crate::train::{Choice, Examples, FitConfig, Schedule};

/// How a model is fitted.
pub fn settings(model: Model) -> FitConfig {
    let product = FitConfig {
        epochs: 40,
        batch: 64,
        learning_rate: 2e-3,
        warmup: 1.0,
        schedule: Schedule::Cosine,
        weight_decay: 0.05,
        clip: 5.0,
        smoothing: 0.05,
        average: 0.99,
        patience: None,
        choice: Choice::Loss,
        ..FitConfig::default()
    };
    match model {
        Model::Band | Model::Piano => product,
        // P2 names neither optimizer nor epochs: Adam as it comes, until the valid loss has not fallen for six.
        Model::P2 | Model::P2Linear => FitConfig {
            epochs: 20,
            batch: 16,
            learning_rate: if model == Model::P2 { 1e-3 } else { 1e-4 },
            clip: 5.0,
            class_weights: 1.0,
            patience: Some(6),
            choice: Choice::Loss,
            ..FitConfig::default()
        },
    }
}

/// Examples of an epoch.
fn per_epoch(model: Model) -> usize {
    if model == Model::Band { 3200 } else { 6400 }
}

/// Settings of the product's networks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BarSettings {
    /// Units of a bar.
    pub hidden: usize,
    /// Units behind the bars.
    pub dense: usize,
    /// Dropout of figures, units and pooled units, in hundredths.
    pub dropout: [u8; 3],
    /// How much sources count alike rather than files, in hundredths.
    pub by_source: u8,
}

/// A classifier of notes and how it is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The classifier.
    pub model: Model,
    /// Of the product's networks.
    pub bars: Option<BarSettings>,
    /// A source that training does not see, by a part of its name.
    pub hold_out: Option<String>,
    /// How it is fitted.
    pub fit: FitConfig,
}

impl Training {
    /// A model with its own settings.
    pub fn of(model: Model) -> Self {
        let bars = |hidden| BarSettings { hidden, dense: 64, dropout: [20, 20, 40], by_source: 60 };
        let bars = match model {
            Model::Band => Some(bars(96)),
            Model::Piano => Some(bars(128)),
            Model::P2 | Model::P2Linear => None,
        };
        Self { model, bars, hold_out: None, fit: settings(model) }
    }

    /// Its network and examples, from a cache.
    ///
    /// # Errors
    /// When a setting is out of its range, or the cache cannot be read or has no source of that name.
    pub fn ready(&self, path: &Path) -> anyhow::Result<Ready> {
        if let Some(b) = &self.bars {
            ensure!(b.hidden > 0 && b.dense > 0, "bars.hidden and bars.dense must be at least 1");
            ensure!(b.dropout.iter().all(|&d| d < 100), "bars.dropout takes three hundredths below 100");
            ensure!(b.by_source <= 100, "bars.by_source takes hundredths, 0 to 100");
        }
        let model = self.model;
        let data = Data::load(path, model, self.hold_out.as_deref())?;
        let labels = &data.train;
        let mut recipe = Recipe {
            model,
            cache: cache::ITEMS.read_index(path)?.fingerprint,
            held_out: self.hold_out.clone(),
            bars: None,
        };
        let bars = |b: &BarSettings, features, scale| BarRecipe {
            net: BarNetConfig { features, hidden: b.hidden, dense: b.dense, classes: labels.names.len() },
            dropout: b.dropout,
            by_source: b.by_source,
            scale,
        };
        let train: Box<dyn Examples> = match (model, &self.bars) {
            (Model::Band, Some(b)) => {
                let all = BandExamples::new(&labels.set, &labels.names, &labels.of_items);
                let scale = all.scale();
                let power = f64::from(b.by_source) / 100.0;
                let all = all.for_training(&scale, power, per_epoch(model));
                recipe.bars = Some(bars(b, BAND_FEATURES, scale));
                Box::new(all)
            }
            (Model::Piano, Some(b)) => {
                let all = PianoExamples::new(&labels.set, &labels.names, &labels.of_items, 1);
                recipe.bars = Some(bars(b, PIANO_FEATURES, all.scale()));
                Box::new(all.for_training(f64::from(b.by_source) / 100.0, per_epoch(model)))
            }
            (Model::Band | Model::Piano, None) => anyhow::bail!("the settings lack bars"),
            (Model::P2 | Model::P2Linear, _) => {
                Box::new(RollExamples::new(&labels.set, &labels.names, &labels.of_items))
            }
        };
        let valid = model.examples(&data.valid);
        let network = recipe.network()?;
        Ok(Ready { network, train, valid, described: serde_json::to_value(&recipe)? })
    }
}
