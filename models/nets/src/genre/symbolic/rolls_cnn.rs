//! P2's CNN on piano-rolls (PopMusicNet, section 4.1), linear and non-linear.
//!
//! The paper has five convolutions "long in width (time step) and x-stride and short in height (pitches) and
//! y-stride" over the rolls of bass, piano and drums, 5000 steps of a 24th of a beat by 128 pitches, ten classes
//! weighted by N_total / N_genre, and a second variant with an activation and regularisation.
//!
//! Deviations, that is, choices where the paper is silent: channels 8, 16, 32, 64 and 64; kernels of (24, 4),
//! (12, 3), (12, 3), (6, 3) and (4, 3) steps by pitches; strides of (8, 2), (4, 2), (4, 1), (2, 1) and (2, 1), which
//! turn 5000 x 128 into 7 x 25; one dense layer to the classes behind the flattened result. The non-linear
//! variant has batch normalisation and ReLU behind each convolution, as this order is the usual one, dropout of
//! 0.25 behind each but the first, and of 0.5 before the dense layer. The linear one has none of these, so that it
//! is one linear map of 1.9 million inputs, in a factored form.

use candle_core::{Result, Tensor, bail};
use sideman_music::encoding::bar_features::{ROLL_PITCHES, ROLL_STEPS, ROLL_TRACKS};

use crate::genre::Classifier;
use crate::nn::{BatchNorm, Conv2d, Linear, Mode, Module, Network, NormConfig, VarBuilder, dropout};
use crate::ops::{Activation, Window};

type Layer = (usize, (usize, usize), (usize, usize));

/// Channels, kernel and stride (steps, pitches) of each convolution.
const LAYERS: [Layer; 5] = [
    (8, (24, 4), (8, 2)),
    (16, (12, 3), (4, 2)),
    (32, (12, 3), (4, 1)),
    (64, (6, 3), (2, 1)),
    (64, (4, 3), (2, 1)),
];

/// P2's CNN. Input: rolls (examples, 3, 5000, 128), see [`sideman_music::encoding::bar_features::Rolls::rasterise`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RollsCnn {
    /// With ReLU, batch normalisation and dropout.
    pub non_linear: bool,
    /// Number of classes.
    pub classes: usize,
}

impl RollsCnn {
    /// Values of the last convolution's result.
    fn flat() -> usize {
        let mut size = (ROLL_STEPS, ROLL_PITCHES);
        for (_, kernel, stride) in LAYERS {
            size = ((size.0 - kernel.0) / stride.0 + 1, (size.1 - kernel.1) / stride.1 + 1);
        }
        LAYERS[4].0 * size.0 * size.1
    }
}

struct Layers {
    convolutions: Vec<(Conv2d, Option<BatchNorm>)>,
    dense: Linear,
}

impl Network for RollsCnn {
    type Layers = Box<dyn Classifier>;

    fn build(&self, vb: &VarBuilder<'_>) -> Result<Self::Layers> {
        let (mut inputs, mut convolutions) = (ROLL_TRACKS, vec![]);
        for (i, (channels, kernel, stride)) in LAYERS.into_iter().enumerate() {
            let (sizes, window) = ((inputs, channels), Window { stride, padding: (0, 0) });
            let conv = Conv2d::new(sizes, kernel, window, Activation::None, vb.pp(format!("conv{i}")))?;
            let norm =
                || BatchNorm::new(channels, NormConfig::TORCH, Activation::Relu, vb.pp(format!("norm{i}")));
            convolutions.push((conv, self.non_linear.then(norm).transpose()?));
            inputs = channels;
        }
        let dense = Linear::new(Self::flat(), self.classes, Activation::None, vb.pp("dense"))?;
        Ok(Box::new(Layers { convolutions, dense }))
    }
}

impl Classifier for Layers {
    fn forward(&self, inputs: &[Tensor], mode: &mut Mode<'_>) -> Result<Tensor> {
        let [rolls] = inputs else { bail!("P2's CNN has one input, not {}", inputs.len()) };
        let mut x = rolls.clone();
        for (i, (conv, norm)) in self.convolutions.iter().enumerate() {
            x = conv.forward(&x)?;
            if let Some(norm) = norm {
                x = norm.forward(&x, mode)?;
                // Half behind the last one, before the dense layer, beside its own quarter.
                if i > 0 {
                    x = dropout(&x, 0.25, mode)?;
                }
                if i + 1 == LAYERS.len() {
                    x = dropout(&x, 0.5, mode)?;
                }
            }
        }
        self.dense.forward(&x.flatten_from(1)?)
    }
}
