//! The convolutional recurrent network that P3 calls "by far more successful" (section 3) and takes from Z.
//! Nasrullah & Y. Zhao, "Music Artist Classification with Convolutional Recurrent Neural Networks" (2019).
//!
//! Input: (clips, bands, columns), 0 at the floor to 1 at the loudest.
//!
//! As they published it: batch normalisation of each band, four stages of convolution, two GRU layers of 32
//! units, dropout of 0.3. Deviation: where one column is left, pooling goes on over bands alone, because a second
//! of the images that we have is 13 columns.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::Classifier;
use super::mel_cnn::{STAGES, Stage, StageLayers, stages_leave};
use crate::nn::{BatchNorm, Gru, Linear, Mode, Module, Network, NormConfig, VarBuilder, dropout};
use crate::ops::Activation;

/// The network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MelCrnn {
    /// Mel bands.
    pub bands: usize,
    /// Stages of convolution.
    pub stages: Vec<Stage>,
    /// Dropout after each stage.
    pub dropout: f32,
    /// Units of each of the two recurrent layers.
    pub hidden: usize,
    /// Dropout before the last layer.
    pub last_dropout: f32,
    /// Classes.
    pub classes: usize,
}

impl MelCrnn {
    /// The authors' own.
    pub fn paper(classes: usize) -> Self {
        Self { bands: 128, stages: STAGES.to_vec(), dropout: 0.1, hidden: 32, last_dropout: 0.3, classes }
    }
}

struct Layers {
    bands: BatchNorm,
    stages: StageLayers,
    memories: [Gru; 2],
    last_dropout: f32,
    last: Linear,
}

impl Network for MelCrnn {
    type Layers = Box<dyn Classifier>;

    fn build(&self, vb: &VarBuilder<'_>) -> Result<Self::Layers> {
        // However many the columns: the bands are what a step of the recurrent layers sees.
        let rows = stages_leave(&self.stages, (self.bands, 1)).0;
        let width = self.stages.last().map_or(1, |s| s.filters) * rows;
        Ok(Box::new(Layers {
            bands: BatchNorm::new(self.bands, NormConfig::KERAS, Activation::None, vb.pp("bands"))?,
            stages: StageLayers::new(&self.stages, self.dropout, vb)?,
            memories: [
                Gru::new(width, self.hidden, vb.pp("gru0"))?,
                Gru::new(self.hidden, self.hidden, vb.pp("gru1"))?,
            ],
            last_dropout: self.last_dropout,
            last: Linear::new(self.hidden, self.classes, Activation::None, vb.pp("last"))?,
        }))
    }
}

impl Classifier for Layers {
    fn forward(&self, inputs: &[Tensor], mode: &mut Mode<'_>) -> Result<Tensor> {
        let x = self.bands.forward(&inputs[0], mode)?;
        let x = self.stages.forward(&x.unsqueeze(1)?, mode)?;
        let (clips, filters, rows, columns) = x.dims4()?;
        let x = x.permute((3, 0, 2, 1))?.reshape((columns, clips, rows * filters))?;
        let x = self.memories[1].forward(&self.memories[0].forward(&x)?)?;
        let x = dropout(&x.narrow(0, columns - 1, 1)?.squeeze(0)?, self.last_dropout, mode)?;
        self.last.forward(&x)
    }
}
