//! What a training run is made of, as read from a file.

use std::path::Path;

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};
use sideman_inference::band::Config;
use sideman_nets::band::HistoryCorruption;

use crate::data::Tier;

/// A training run. Every field stands in the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Seed of the weights, the songs and what is spoilt.
    pub seed: u64,
    /// Songs walked side by side.
    pub lanes: usize,
    /// 16ths of each song in a batch.
    pub steps: usize,
    /// Batches in all.
    pub batches: usize,
    /// Batches between validations; all lanes begin anew after each, so that a run can be resumed exactly.
    pub segment: usize,
    /// Validations without an improvement after which training ends.
    pub patience: usize,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Batches over which the learning rate rises.
    pub warmup: usize,
    /// Weight decay of the matrices.
    pub weight_decay: f64,
    /// Largest norm of the gradient.
    pub clip: f64,
    /// Weight of the style code's Kullback-Leibler divergence.
    pub divergence: f64,
    /// Weight of the losses of velocities, which overfit first.
    pub velocities: f64,
    /// Share of the trunk's outputs that are zeroed in training.
    pub dropout: f32,
    /// Least share of notes on the grid.
    pub min_on_grid: f32,
    /// Least share of downbeats whose bass agrees with the piano, where the corpus knows it.
    pub min_agreement: f32,
    /// Sizes of the network.
    pub network: Config,
    /// The music.
    pub mix: Vec<Mix>,
    /// How a part's own past is spoilt in the inputs.
    pub spoil: SpoilConfig,
}

/// A tier and how often its songs are drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mix {
    /// Tier.
    pub tier: Tier,
    /// Share of draws, relative to the others.
    pub weight: f64,
    /// Only these sets of the tier; all when empty.
    #[serde(default)]
    pub sets: Vec<String>,
    /// Whether these count as people's bands, also when they are made by rule: where there are hardly any
    /// others, being asked for people's would mean being asked for what was never heard.
    #[serde(default)]
    pub people: bool,
}

/// See [`HistoryCorruption`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpoilConfig {
    /// Chance a step that a part's past goes blank.
    pub blank: f64,
    /// Chance that a part begins blank.
    pub blank_start: f64,
    /// Chance a step that a part's past is moved in pitch.
    pub shift: f64,
    /// Chance that a drum hit is not remembered.
    pub drop_hit: f64,
    /// Chance a bar that the music goes on in another key.
    pub modulate: f64,
}

impl From<SpoilConfig> for HistoryCorruption {
    fn from(c: SpoilConfig) -> Self {
        Self {
            blank: c.blank,
            blank_start: c.blank_start,
            shift: c.shift,
            drop_hit: c.drop_hit,
            modulate: c.modulate,
        }
    }
}

impl TrainConfig {
    /// Reads a configuration.
    ///
    /// # Errors
    /// When the file cannot be read, a field is missing, unknown or senseless.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| {
            format!("cannot read {}; configurations lie in trainer/configs", path.display())
        })?;
        let config: Self = toml::from_str(&text)
            .with_context(|| format!("{} is not a training configuration", path.display()))?;
        config.check().with_context(|| format!("in {}", path.display()))?;
        Ok(config)
    }

    fn check(&self) -> anyhow::Result<()> {
        let above = |v: f64| v > 0.0 && v.is_finite();
        ensure!(self.lanes > 0 && self.steps > 0, "lanes and steps must be at least 1");
        ensure!(self.segment > 0 && self.batches > 0, "segment and batches must be at least 1");
        ensure!(self.patience > 0, "patience must be at least 1");
        let n = self.network;
        ensure!(
            [n.input, n.hidden, n.context, n.pitch, n.style].iter().all(|&n| n > 0),
            "every size in [network] must be at least 1"
        );
        ensure!(!self.mix.is_empty(), "at least one [[mix]] must name a tier");
        ensure!(self.mix.iter().all(|m| above(m.weight)), "every weight in [[mix]] must be above 0");
        ensure!(above(self.learning_rate), "learning_rate must be above 0");
        ensure!(above(self.clip), "clip must be above 0");
        ensure!(self.weight_decay >= 0.0, "weight_decay must be at least 0");
        ensure!(self.velocities >= 0.0, "velocities must be at least 0");
        ensure!(self.divergence >= 0.0, "divergence must be at least 0");
        ensure!((0.0..1.0).contains(&self.dropout), "dropout must be at least 0 and below 1");
        let s = self.spoil;
        ensure!(
            [s.blank, s.blank_start, s.shift, s.drop_hit, s.modulate].iter().all(|p| (0.0..=1.0).contains(p)),
            "the chances in [spoil] must be between 0 and 1"
        );
        Ok(())
    }

    /// Learning rate of a batch: a linear rise, then (1 - t)^0.7, but never under 3 %.
    pub fn learning_rate_at(&self, batch: usize) -> f64 {
        let t = (batch as f64 / self.batches as f64).min(1.0);
        let rise = ((batch + 1) as f64 / self.warmup.max(1) as f64).min(1.0);
        self.learning_rate * rise * (1.0 - t).powf(0.7).max(0.03)
    }
}
