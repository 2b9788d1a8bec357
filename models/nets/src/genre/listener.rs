//! The product's classifier of audio: a small convolutional network on mel columns that can run live.
//!
//! Input: (clips, 128 bands, columns), a column every 77.5 ms, in decibels brought to mean 0 and deviation 1 over
//! the clip: neither the gain nor an unknown range of decibels changes anything.
//!
//! No convolution is padded in time, so that every value depends on its own columns only, however long the
//! sound is: live, each layer keeps its last two columns and computes one when enough new ones have come, and the
//! numbers are those of the whole sound at once. What is pooled over time at the end are sums, to which a
//! column is added and from which an old one is taken.
//!
//! Stages of 3x3 convolutions halve the bands (after VGG, Simonyan & Zisserman 2015); the last one sees all
//! that are left of them. The mean and the deviation over time of several stages, not of the last alone, go to the
//! classes: genre is in timbre as well as in what happens over seconds (after Lee & Nam, "Multi-Level and
//! Multi-Scale Feature Aggregation", 2017).

use candle_core::{D, Result, Tensor, bail};
use serde::{Deserialize, Serialize};

use super::{Network, NormRule, Pass, Specs};
use crate::ops::{Activation, Window, max_pool2d};

/// Added to variances over time.
pub(super) const LEAST_VARIANCE: f64 = 1e-4;
/// Of every batch normalisation in the network.
pub(super) const NORM: NormRule = NormRule::TORCH;

/// A stage: convolution of 3 bands by 3 columns, batch normalisation, ReLU, max pooling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerStage {
    /// Channels.
    pub channels: usize,
    /// Bands and columns that are pooled into one.
    pub pool: (usize, usize),
}

/// The network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MelClassifier {
    /// Mel bands.
    pub bands: usize,
    /// Stages.
    pub stages: Vec<ListenerStage>,
    /// Channels of the last convolution, over all bands that are left and three columns.
    pub width: usize,
    /// Stages, from the last, whose channels are pooled beside those of the last convolution.
    pub levels: usize,
    /// Dropout before the hidden layer and before the classes.
    pub dropout: f32,
    /// Width of the hidden layer; none with 0.
    pub hidden: usize,
    /// Classes.
    pub classes: usize,
}

impl MelClassifier {
    /// The product's.
    pub fn product(classes: usize) -> Self {
        let stage = |channels, pool| ListenerStage { channels, pool };
        Self {
            bands: 128,
            stages: vec![
                stage(16, (2, 1)),
                stage(32, (2, 1)),
                stage(48, (2, 2)),
                stage(64, (2, 1)),
                stage(96, (2, 2)),
            ],
            width: 128,
            levels: 2,
            dropout: 0.4,
            hidden: 0,
            classes,
        }
    }

    /// Fewest columns that the network can hear.
    pub fn least_columns(&self) -> usize {
        // From the last convolution back: two results, for one has no deviation.
        self.stages.iter().rev().fold(4, |columns, stage| columns * stage.pool.1 + 2)
    }

    /// Bands that the stages leave.
    pub(super) fn rows(&self) -> usize {
        self.stages.iter().fold(self.bands, |rows, stage| rows / stage.pool.0)
    }

    /// Means and deviations over time, of all levels.
    pub(super) fn features(&self) -> usize {
        let below: usize = self.stages.iter().rev().take(self.levels).map(|s| s.channels).sum();
        2 * (self.width + below)
    }
}

/// Mean and deviation over time of (clips, channels, rows, columns), the rows taken as more of the same:
/// (clips, 2 * channels).
fn mean_and_deviation(x: &Tensor) -> Result<Tensor> {
    let x = x.flatten_from(2)?;
    let mean = x.mean_keepdim(D::Minus1)?;
    let variance = x.broadcast_sub(&mean)?.sqr()?.mean(D::Minus1)?;
    Tensor::cat(&[mean.squeeze(D::Minus1)?, (variance + LEAST_VARIANCE)?.sqrt()?], 1)
}

impl Network for MelClassifier {
    fn specs(&self) -> Specs {
        let mut specs = Specs::default();
        let mut inputs = 1;
        for (i, stage) in self.stages.iter().enumerate() {
            specs.conv(&format!("conv{i}"), inputs, stage.channels, (3, 3));
            specs.norm(&format!("norm{i}"), stage.channels);
            inputs = stage.channels;
        }
        specs.conv("conv", inputs, self.width, (self.rows(), 3)).norm("norm", self.width);
        let features = self.features();
        specs.norm("pooled", features);
        if self.hidden > 0 {
            specs.linear("hidden", features, self.hidden).linear("last", self.hidden, self.classes);
        } else {
            specs.linear("last", features, self.classes);
        }
        specs
    }

    fn logits(&self, pass: &mut Pass<'_>, inputs: &[Tensor]) -> Result<Tensor> {
        let columns = inputs[0].dim(2)?;
        if columns < self.least_columns() {
            bail!("{columns} columns are too few to tell a genre: at least {}", self.least_columns());
        }
        let rule = NORM;
        let mut x = inputs[0].unsqueeze(1)?;
        let mut pooled = vec![];
        for (i, stage) in self.stages.iter().enumerate() {
            let window = Window { stride: (1, 1), padding: (1, 0) };
            x = pass.conv(&format!("conv{i}"), &x, window, Activation::None)?;
            x = pass.norm(&format!("norm{i}"), &x, rule, Activation::Relu)?;
            x = max_pool2d(&x, stage.pool, stage.pool)?;
            if i + self.levels >= self.stages.len() {
                pooled.push(mean_and_deviation(&x)?);
            }
        }
        x = pass.conv("conv", &x, Window::default(), Activation::None)?;
        x = pass.norm("norm", &x, rule, Activation::Relu)?;
        pooled.push(mean_and_deviation(&x)?);
        let x = Tensor::cat(&pooled, 1)?;
        let mut x = pass.norm("pooled", &x, rule, Activation::None)?;
        x = pass.dropout(&x, self.dropout)?;
        if self.hidden > 0 {
            x = pass.linear("hidden", &x, Activation::Relu)?;
            x = pass.dropout(&x, self.dropout)?;
        }
        pass.linear("last", &x, Activation::None)
    }
}
