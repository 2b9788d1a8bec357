//! P4's "Beethoven": a recurrent network on raw waveforms ("Deep learning models for music generation", P66,
//! section 2.2 and figure 3). 246,210 parameters for ten classes.
//!
//! Input: (parts, 60, 110) samples, -1 to 1: 60 steps of 110 values each.
//!
//! Choice where the paper says nothing: dropout of 0.3 after each layer.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::Classifier;
use crate::nn::{Linear, Lstm, Mode, Module, Network, VarBuilder, dropout};
use crate::ops::Activation;

/// The network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beethoven {
    /// Values of a step.
    pub width: usize,
    /// Recurrent layers.
    pub layers: usize,
    /// Units of a layer.
    pub hidden: usize,
    /// Dropout after each layer.
    pub dropout: f32,
    /// Classes.
    pub classes: usize,
}

impl Beethoven {
    /// The paper's.
    pub fn paper(classes: usize) -> Self {
        Self { width: 110, layers: 3, hidden: 100, dropout: 0.3, classes }
    }
}

struct Layers {
    memories: Vec<Lstm>,
    last: Linear,
    dropout: f32,
}

impl Network for Beethoven {
    type Layers = Box<dyn Classifier>;

    fn build(&self, vb: &VarBuilder<'_>) -> Result<Self::Layers> {
        let inputs = |i| if i == 0 { self.width } else { self.hidden };
        let memory = |i| Lstm::new(inputs(i), self.hidden, vb.pp(format!("lstm{i}")));
        Ok(Box::new(Layers {
            memories: (0..self.layers).map(memory).collect::<Result<_>>()?,
            last: Linear::new(self.hidden, self.classes, Activation::None, vb.pp("last"))?,
            dropout: self.dropout,
        }))
    }
}

impl Classifier for Layers {
    fn forward(&self, inputs: &[Tensor], mode: &mut Mode<'_>) -> Result<Tensor> {
        let mut x = inputs[0].transpose(0, 1)?.contiguous()?;
        for (i, memory) in self.memories.iter().enumerate() {
            x = memory.forward(&x)?;
            if i + 1 == self.memories.len() {
                x = x.narrow(0, x.dim(0)? - 1, 1)?;
            }
            x = dropout(&x, self.dropout, mode)?;
        }
        self.last.forward(&x.squeeze(0)?)
    }
}
