//! P3's recurrent network on mel spectrograms ("Comparing CNNs and RNNs for Music Genre Recognition", section
//! 2.2): three LSTM layers with dropout and batch normalisation.
//!
//! Input: (clips, bands, columns), 0 at the floor to 1 at the loudest; a step is a column.
//!
//! Deviations and choices: sizes are those of the paper's published program, 128 units a layer, dropout of 0.3
//! on what goes into each, a dense layer of 128 without activation before the last. The program feeds decibels as
//! they are; ours are scaled from 0 to 1.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::Classifier;
use crate::nn::{BatchNorm, Linear, Lstm, Mode, Module, Network, NormConfig, VarBuilder, dropout};
use crate::ops::Activation;

/// The network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MelRnn {
    /// Mel bands.
    pub bands: usize,
    /// Recurrent layers.
    pub layers: usize,
    /// Units of a layer.
    pub hidden: usize,
    /// Dropout before each layer.
    pub dropout: f32,
    /// Width of the dense layer.
    pub dense: usize,
    /// Classes.
    pub classes: usize,
}

impl MelRnn {
    /// The paper's.
    pub fn paper(classes: usize) -> Self {
        Self { bands: 128, layers: 3, hidden: 128, dropout: 0.3, dense: 128, classes }
    }
}

struct Layers {
    memories: Vec<(Lstm, BatchNorm)>,
    dropout: f32,
    dense: Linear,
    last: Linear,
}

impl Network for MelRnn {
    type Layers = Box<dyn Classifier>;

    fn build(&self, vb: &VarBuilder<'_>) -> Result<Self::Layers> {
        let mut memories = vec![];
        for i in 0..self.layers {
            let inputs = if i == 0 { self.bands } else { self.hidden };
            let (lstm, norm) = (vb.pp(format!("lstm{i}")), vb.pp(format!("norm{i}")));
            memories.push((
                Lstm::new(inputs, self.hidden, lstm)?,
                BatchNorm::new(self.hidden, NormConfig::KERAS, Activation::None, norm)?,
            ));
        }
        Ok(Box::new(Layers {
            memories,
            dropout: self.dropout,
            dense: Linear::new(self.hidden, self.dense, Activation::None, vb.pp("dense"))?,
            last: Linear::new(self.dense, self.classes, Activation::None, vb.pp("last"))?,
        }))
    }
}

impl Classifier for Layers {
    fn forward(&self, inputs: &[Tensor], mode: &mut Mode<'_>) -> Result<Tensor> {
        // Time first, as the layers want it.
        let mut x = inputs[0].permute((2, 0, 1))?.contiguous()?;
        for (i, (lstm, norm)) in self.memories.iter().enumerate() {
            x = lstm.forward(&dropout(&x, self.dropout, mode)?)?;
            let (steps, lanes, hidden) = x.dims3()?;
            // Of the last layer only the last step goes on.
            let steps = if i + 1 == self.memories.len() { 1 } else { steps };
            let rows = x.narrow(0, x.dim(0)? - steps, steps)?.reshape((steps * lanes, hidden))?;
            x = norm.forward(&rows, mode)?.reshape((steps, lanes, hidden))?;
        }
        self.last.forward(&self.dense.forward(&x.squeeze(0)?)?)
    }
}
