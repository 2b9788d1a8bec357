//! How a classifier is trained.

use anyhow::ensure;
use serde::{Deserialize, Serialize};

use crate::train::Rule;

/// How the learning rate goes after its rise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// It stays.
    Constant,
    /// It falls along half a cosine to a hundredth at the last epoch (Loshchilov & Hutter 2017).
    Cosine,
}

/// Which epoch's weights are kept as the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// That with the lowest loss on the valid split.
    Loss,
    /// That with the highest balanced accuracy on the valid split; of equal ones that with the lowest loss.
    Accuracy,
    /// The last one, as in papers that have no valid split.
    Last,
}

/// A training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FitConfig {
    /// Seed of the weights, of the order and of every augmentation.
    pub seed: u64,
    /// Most epochs.
    pub epochs: usize,
    /// Examples in a batch.
    pub batch: usize,
    /// Examples of an epoch, drawn anew for each; all when absent.
    pub examples: Option<usize>,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Epochs over which it rises from nothing.
    pub warmup: f64,
    /// How it goes on.
    pub schedule: Schedule,
    /// Weight decay of matrices (Optimizer); 0 is Adam.
    pub weight_decay: f64,
    /// How gradients become steps.
    #[serde(default)] // Runs from before there was this setting had Adam.
    pub rule: Rule,
    /// Decay of Adam's second moments.
    pub beta2: f64,
    /// Largest norm of the gradient.
    pub clip: f64,
    /// Share of the target that goes to all classes alike, 0 to below 1 (Szegedy et al. 2016).
    pub smoothing: f64,
    /// Both parameters of the beta distribution that examples are mixed by, up to 1; 0 mixes none (Zhang et al.
    /// 2018).
    pub mixup: f64,
    /// Power to which the inverse frequencies of the classes weigh their examples: 0 not at all, 1 as P2 does.
    pub class_weights: f64,
    /// Share that the moving average of the weights keeps an update, 0 to below 1; 0 for none. The average is
    /// what is scored and kept (Polyak & Juditsky 1992).
    pub average: f64,
    /// Examples, without augmentation, over which the statistics of batch normalisation are taken anew before the
    /// weights are scored and kept; none with 0. Those that run along in training are of other weights than
    /// the average, and of what is augmented (Izmailov et al. 2018, section 3.2).
    #[serde(default)] // Runs from before there was this setting did without.
    pub calibration: usize,
    /// Epochs without an improvement after which training ends; never when absent.
    pub patience: Option<usize>,
    /// Which weights are kept.
    pub choice: Choice,
}

impl Default for FitConfig {
    /// Keras's Adam for thirty epochs, and nothing else.
    fn default() -> Self {
        Self {
            seed: 1,
            epochs: 30,
            batch: 32,
            examples: None,
            learning_rate: 1e-3,
            warmup: 0.0,
            schedule: Schedule::Constant,
            weight_decay: 0.0,
            rule: Rule::Adam,
            beta2: 0.999,
            clip: 1e9,
            smoothing: 0.0,
            mixup: 0.0,
            class_weights: 0.0,
            average: 0.0,
            calibration: 0,
            patience: None,
            choice: Choice::Last,
        }
    }
}

impl FitConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// When a value makes no sense; the message names it.
    pub fn check(&self) -> anyhow::Result<()> {
        let share = |v: f64| (0.0..1.0).contains(&v);
        ensure!(self.epochs > 0, "epochs must be at least 1");
        ensure!(self.batch > 1, "batch must be at least 2");
        ensure!(self.examples.is_none_or(|n| n > 1), "examples must be at least 2");
        ensure!(self.learning_rate > 0.0 && self.learning_rate.is_finite(), "learning_rate must be above 0");
        ensure!(self.warmup >= 0.0, "warmup must be at least 0");
        ensure!(self.weight_decay >= 0.0, "weight_decay must be at least 0");
        ensure!(share(self.beta2), "beta2 must be at least 0 and below 1");
        ensure!(self.clip > 0.0, "clip must be above 0");
        ensure!(share(self.smoothing), "smoothing must be at least 0 and below 1");
        ensure!((0.0..=1.0).contains(&self.mixup), "mixup must be 0 to 1");
        ensure!(self.class_weights >= 0.0, "class_weights must be at least 0");
        ensure!(share(self.average), "average must be at least 0 and below 1");
        ensure!(self.patience != Some(0), "patience must be at least 1");
        Ok(())
    }

    /// Learning rate at a time in epochs from the beginning.
    pub fn learning_rate_at(&self, epoch: f64) -> f64 {
        if epoch < self.warmup {
            return self.learning_rate * epoch / self.warmup;
        }
        match self.schedule {
            Schedule::Constant => self.learning_rate,
            Schedule::Cosine => {
                let left = (self.epochs as f64 - self.warmup).max(1e-9);
                let t = ((epoch - self.warmup) / left).clamp(0.0, 1.0);
                let falling = 0.5 * (1.0 + (std::f64::consts::PI * t).cos());
                self.learning_rate * (0.01 + 0.99 * falling)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_learning_rate_rises_and_falls() {
        let config = FitConfig {
            learning_rate: 2.0,
            warmup: 4.0,
            epochs: 14,
            schedule: Schedule::Cosine,
            ..FitConfig::default()
        };
        let at = |epoch| config.learning_rate_at(epoch);
        assert_eq!((at(0.0), at(2.0), at(4.0)), (0.0, 1.0, 2.0));
        assert!((at(9.0) - 2.0 * 0.505).abs() < 1e-12);
        assert!((at(14.0) - 0.02).abs() < 1e-12 && (at(20.0) - 0.02).abs() < 1e-12);
        let constant = FitConfig { schedule: Schedule::Constant, ..config };
        assert_eq!(constant.learning_rate_at(13.0), 2.0);
    }

    #[test]
    fn senseless_values_are_named() {
        for (name, config) in [
            ("batch", FitConfig { batch: 1, ..FitConfig::default() }),
            ("mixup", FitConfig { mixup: 2.0, ..FitConfig::default() }),
            ("patience", FitConfig { patience: Some(0), ..FitConfig::default() }),
            ("learning_rate", FitConfig { learning_rate: f64::NAN, ..FitConfig::default() }),
        ] {
            assert!(config.check().unwrap_err().to_string().starts_with(name), "{name}");
        }
        FitConfig::default().check().unwrap();
    }
}
