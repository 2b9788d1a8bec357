//! P4's "Bach": a convolutional network on raw waveforms ("Deep learning models for music generation", P66,
//! section 2.2 and figure 2). 348,990 parameters for ten classes.
//!
//! Input: (parts, 60, 110) samples, -1 to 1: 60 steps of 110 values each.
//!
//! Choices where the paper says nothing: ReLU after each convolution, and dropout of 0.3 (of "after each
//! convolutional layer" and before the last one it gives no share).

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::{Network, Pass, Specs};
use crate::ops::{Activation, Window};

/// The network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bach {
    /// Steps of a part.
    pub steps: usize,
    /// Values of a step.
    pub width: usize,
    /// Channels and kernel of each convolution.
    pub convolutions: Vec<(usize, usize)>,
    /// Dropout after each convolution and before the last layer.
    pub dropout: f32,
    /// Classes.
    pub classes: usize,
}

impl Bach {
    /// The paper's.
    pub fn paper(classes: usize) -> Self {
        let convolutions = vec![(100, 5), (300, 3), (180, 2)];
        Self { steps: 60, width: 110, convolutions, dropout: 0.3, classes }
    }
}

impl Network for Bach {
    fn specs(&self) -> Specs {
        let mut specs = Specs::default();
        let (mut inputs, mut steps) = (self.width, self.steps);
        for (i, &(channels, kernel)) in self.convolutions.iter().enumerate() {
            specs.conv(&format!("conv{i}"), inputs, channels, (1, kernel));
            (inputs, steps) = (channels, steps + 1 - kernel);
        }
        specs.linear("last", inputs * steps, self.classes);
        specs
    }

    fn logits(&self, pass: &mut Pass<'_>, inputs: &[Tensor]) -> Result<Tensor> {
        let mut x = inputs[0].transpose(1, 2)?.unsqueeze(2)?.contiguous()?;
        for i in 0..self.convolutions.len() {
            x = pass.conv(&format!("conv{i}"), &x, Window::default(), Activation::Relu)?;
            x = pass.dropout(&x, self.dropout)?;
        }
        let x = pass.dropout(&x.flatten_from(1)?, self.dropout)?;
        pass.linear("last", &x, Activation::None)
    }
}
