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

use super::{Network, NormRule, Pass, Specs};
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

impl Network for MelRnn {
    fn specs(&self) -> Specs {
        let mut specs = Specs::default();
        for i in 0..self.layers {
            specs.lstm(&format!("lstm{i}"), if i == 0 { self.bands } else { self.hidden }, self.hidden);
            specs.norm(&format!("norm{i}"), self.hidden);
        }
        specs.linear("dense", self.hidden, self.dense).linear("last", self.dense, self.classes);
        specs
    }

    fn logits(&self, pass: &mut Pass<'_>, inputs: &[Tensor]) -> Result<Tensor> {
        // Time first, as the layers want it.
        let mut x = inputs[0].permute((2, 0, 1))?.contiguous()?;
        for i in 0..self.layers {
            x = pass.dropout(&x, self.dropout)?;
            x = pass.lstm(&format!("lstm{i}"), &x)?;
            let (steps, lanes, hidden) = x.dims3()?;
            // Of the last layer only the last step goes on.
            let steps = if i + 1 == self.layers { 1 } else { steps };
            let rows = x.narrow(0, x.dim(0)? - steps, steps)?.reshape((steps * lanes, hidden))?;
            x = pass
                .norm(&format!("norm{i}"), &rows, NormRule::KERAS, Activation::None)?
                .reshape((steps, lanes, hidden))?;
        }
        let x = pass.linear("dense", &x.squeeze(0)?, Activation::None)?;
        pass.linear("last", &x, Activation::None)
    }
}
