//! P4's "Beethoven": a recurrent network on raw waveforms ("Deep learning models for music generation", P66,
//! section 2.2 and figure 3). 246,210 parameters for ten classes.
//!
//! Input: (parts, 60, 110) samples, -1 to 1: 60 steps of 110 values each.
//!
//! Choice where the paper says nothing: dropout of 0.3 after each layer.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::{Network, Pass, Specs};
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

impl Network for Beethoven {
    fn specs(&self) -> Specs {
        let mut specs = Specs::default();
        for i in 0..self.layers {
            specs.lstm(&format!("lstm{i}"), if i == 0 { self.width } else { self.hidden }, self.hidden);
        }
        specs.linear("last", self.hidden, self.classes);
        specs
    }

    fn logits(&self, pass: &mut Pass<'_>, inputs: &[Tensor]) -> Result<Tensor> {
        let mut x = inputs[0].transpose(0, 1)?.contiguous()?;
        for i in 0..self.layers {
            x = pass.lstm(&format!("lstm{i}"), &x)?;
            if i + 1 == self.layers {
                x = x.narrow(0, x.dim(0)? - 1, 1)?;
            }
            x = pass.dropout(&x, self.dropout)?;
        }
        pass.linear("last", &x.squeeze(0)?, Activation::None)
    }
}
