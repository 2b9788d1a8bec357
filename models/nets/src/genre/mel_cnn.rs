//! P3's convolutional network on mel spectrograms ("Comparing CNNs and RNNs for Music Genre Recognition",
//! section 2.2): the convolutions of Nasrullah & Zhao ("Music Artist Classification with Convolutional
//! Recurrent Neural Networks", 2019), then a dense layer in place of their recurrent ones.
//!
//! Input: (clips, bands, columns), 0 at the floor to 1 at the loudest.
//!
//! Deviations and choices:
//! - The paper says "the same structure as their convolution component", which has four stages; its figure and
//!   its published program have three, of 64, 128 and 128 filters, and a dense layer of 128 without activation
//!   before the last. The preset follows the program.
//! - The program's convolutions have no padding; ours keep the size, as Nasrullah & Zhao's do, because a second of
//!   the images that we have is 13 columns, of which nothing would be left. Where one column is left, pooling
//!   goes on over bands alone.
//! - The program feeds decibels as they are; ours are scaled from 0 to 1.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::Classifier;
use crate::nn::{BatchNorm, Conv2d, Linear, Mode, Module, Network, NormConfig, VarBuilder, dropout};
use crate::ops::{Activation, Window, max_pool2d};

/// A stage: convolution of 3x3, ELU, batch normalisation, max pooling, dropout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Filters.
    pub filters: usize,
    /// Bands and columns that are pooled into one.
    pub pool: (usize, usize),
}

impl Stage {
    const fn new(filters: usize, pool: (usize, usize)) -> Self {
        Self { filters, pool }
    }

    /// What is pooled of an image of so many rows and columns.
    fn pooled(self, size: (usize, usize)) -> (usize, usize) {
        (self.pool.0.min(size.0), self.pool.1.min(size.1))
    }
}

/// The four stages of Nasrullah & Zhao.
pub const STAGES: [Stage; 4] =
    [Stage::new(64, (2, 2)), Stage::new(128, (4, 2)), Stage::new(128, (4, 2)), Stage::new(128, (4, 2))];

/// Rows and columns that stages leave.
pub(super) fn stages_leave(stages: &[Stage], mut size: (usize, usize)) -> (usize, usize) {
    for stage in stages {
        let pool = stage.pooled(size);
        size = (size.0 / pool.0, size.1 / pool.1);
    }
    size
}

/// The layers of stages.
pub(super) struct StageLayers {
    stages: Vec<(Stage, Conv2d, BatchNorm)>,
    dropout: f32,
}

impl StageLayers {
    /// Of stages over one channel.
    pub(super) fn new(stages: &[Stage], dropout: f32, vb: &VarBuilder<'_>) -> Result<Self> {
        let same = Window { stride: (1, 1), padding: (1, 1) };
        let mut inputs = 1;
        let mut layers = vec![];
        for (i, &stage) in stages.iter().enumerate() {
            let sizes = (inputs, stage.filters);
            layers.push((
                stage,
                Conv2d::new(sizes, (3, 3), same, Activation::Elu, vb.pp(format!("conv{i}")))?,
                BatchNorm::new(sizes.1, NormConfig::KERAS, Activation::None, vb.pp(format!("norm{i}")))?,
            ));
            inputs = stage.filters;
        }
        Ok(Self { stages: layers, dropout })
    }

    /// Of (clips, 1, rows, columns).
    pub(super) fn forward(&self, x: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        let mut x = x.clone();
        for (stage, conv, norm) in &self.stages {
            x = norm.forward(&conv.forward(&x)?, mode)?;
            let pool = stage.pooled((x.dim(2)?, x.dim(3)?));
            x = dropout(&max_pool2d(&x, pool, pool)?, self.dropout, mode)?;
        }
        Ok(x)
    }
}

/// The network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MelCnn {
    /// Mel bands.
    pub bands: usize,
    /// Columns of a clip.
    pub columns: usize,
    /// Stages.
    pub stages: Vec<Stage>,
    /// Dropout after each stage.
    pub dropout: f32,
    /// Width of the dense layer.
    pub dense: usize,
    /// Classes.
    pub classes: usize,
}

impl MelCnn {
    /// The paper's, for clips of so many columns.
    pub fn paper(columns: usize, classes: usize) -> Self {
        Self { bands: 128, columns, stages: STAGES[..3].to_vec(), dropout: 0.1, dense: 128, classes }
    }
}

struct Layers {
    stages: StageLayers,
    dense: Linear,
    last: Linear,
}

impl Network for MelCnn {
    type Layers = Box<dyn Classifier>;

    fn build(&self, vb: &VarBuilder<'_>) -> Result<Self::Layers> {
        let (rows, columns) = stages_leave(&self.stages, (self.bands, self.columns));
        let flat = self.stages.last().map_or(1, |s| s.filters) * rows * columns;
        Ok(Box::new(Layers {
            stages: StageLayers::new(&self.stages, self.dropout, vb)?,
            dense: Linear::new(flat, self.dense, Activation::None, vb.pp("dense"))?,
            last: Linear::new(self.dense, self.classes, Activation::None, vb.pp("last"))?,
        }))
    }
}

impl Classifier for Layers {
    fn forward(&self, inputs: &[Tensor], mode: &mut Mode<'_>) -> Result<Tensor> {
        let x = self.stages.forward(&inputs[0].unsqueeze(1)?, mode)?;
        self.last.forward(&self.dense.forward(&x.flatten_from(1)?)?)
    }
}
