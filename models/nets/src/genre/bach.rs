//! P4's "Bach": a convolutional network on raw waveforms ("Deep learning models for music generation", P66,
//! section 2.2 and figure 2). 348,990 parameters for ten classes.
//!
//! Input: (parts, 60, 110) samples, -1 to 1: 60 steps of 110 values each.
//!
//! Choices where the paper says nothing: ReLU after each convolution, and dropout of 0.3 (of "after each
//! convolutional layer" and before the last one it gives no share).

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::Classifier;
use crate::nn::{Conv2d, Linear, Mode, Module, Network, VarBuilder, dropout};
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

struct Layers {
    convolutions: Vec<Conv2d>,
    last: Linear,
    dropout: f32,
}

impl Network for Bach {
    type Layers = Box<dyn Classifier>;

    fn build(&self, vb: &VarBuilder<'_>) -> Result<Self::Layers> {
        let (mut inputs, mut steps) = (self.width, self.steps);
        let mut convolutions = vec![];
        for (i, &(channels, kernel)) in self.convolutions.iter().enumerate() {
            let (sizes, vb) = ((inputs, channels), vb.pp(format!("conv{i}")));
            convolutions.push(Conv2d::new(sizes, (1, kernel), Window::default(), Activation::Relu, vb)?);
            (inputs, steps) = (channels, steps + 1 - kernel);
        }
        let last = Linear::new(inputs * steps, self.classes, Activation::None, vb.pp("last"))?;
        Ok(Box::new(Layers { convolutions, last, dropout: self.dropout }))
    }
}

impl Classifier for Layers {
    fn forward(&self, inputs: &[Tensor], mode: &mut Mode<'_>) -> Result<Tensor> {
        let mut x = inputs[0].transpose(1, 2)?.unsqueeze(2)?.contiguous()?;
        for conv in &self.convolutions {
            x = dropout(&conv.forward(&x)?, self.dropout, mode)?;
        }
        self.last.forward(&dropout(&x.flatten_from(1)?, self.dropout, mode)?)
    }
}
