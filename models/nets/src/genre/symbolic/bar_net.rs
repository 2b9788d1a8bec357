//! The product's network over bars: each bar through one layer, their mean and maximum through another.
//!
//! Pooling makes it the same network for eight bars and for a whole song, and what a bar adds can be computed once,
//! when it ends.

use candle_core::{Result, Tensor, bail};
use sideman_inference::genre::symbolic::{BarNetConfig, MOST_DEVIATIONS};

use crate::genre::Classifier;
use crate::nn::{Linear, Mode, Module, Network, VarBuilder, dropout};
use crate::ops::Activation;

/// The network. Inputs: figures (examples, bars, features) as they come, and which bars there are (examples, bars), 1
/// or 0; an example has at least one bar.
#[derive(Debug, Clone, PartialEq)]
pub struct BarNet {
    /// Sizes.
    pub config: BarNetConfig,
    /// Mean of each figure over the training bars.
    pub mean: Vec<f32>,
    /// 1 / deviation of each figure over the training bars; 0 for figures that the network shall not see.
    pub scale: Vec<f32>,
    /// Share of the normalised figures, of the units of a bar and of the pooled units that training zeroes.
    pub dropout: [f32; 3],
}

struct Layers {
    net: BarNet,
    bar: Linear,
    dense: Linear,
    out: Linear,
}

impl Network for BarNet {
    type Layers = Box<dyn Classifier>;

    fn build(&self, vb: &VarBuilder<'_>) -> Result<Self::Layers> {
        let BarNetConfig { features, hidden, dense, classes } = self.config;
        Ok(Box::new(Layers {
            net: self.clone(),
            bar: Linear::new(features, hidden, Activation::Relu, vb.pp("bar"))?,
            dense: Linear::new(2 * hidden, dense, Activation::Relu, vb.pp("dense"))?,
            out: Linear::new(dense, classes, Activation::None, vb.pp("out"))?,
        }))
    }
}

impl Classifier for Layers {
    fn forward(&self, inputs: &[Tensor], mode: &mut Mode<'_>) -> Result<Tensor> {
        let [bars, there] = inputs else {
            bail!(
                "the network over bars has two inputs, figures and which bars there are, not {}",
                inputs.len()
            )
        };
        let BarNet { config, mean, scale, dropout: [share_input, share_bar, share_pooled] } = &self.net;
        let (examples, count, features) = bars.dims3()?;
        let (hidden, device) = (config.hidden, bars.device());
        if features != config.features || mean.len() != features || scale.len() != features {
            bail!("{features} figures a bar instead of {}", config.features);
        }
        let x = bars.reshape((examples * count, features))?;
        let x = x.broadcast_sub(&Tensor::from_slice(mean, (1, features), device)?)?;
        let x = x.broadcast_mul(&Tensor::from_slice(scale, (1, features), device)?)?;
        let x = x.clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS)?;
        let h = self.bar.forward(&dropout(&x, *share_input, mode)?)?;
        let h = dropout(&h, *share_bar, mode)?.reshape((examples, count, hidden))?;
        // Rectified units are not negative, so that bars that are not there change no maximum.
        let h = h.broadcast_mul(&there.reshape((examples, count, 1))?)?;
        let mean = h.sum(1)?.broadcast_div(&there.sum_keepdim(1)?)?;
        let pooled = Tensor::cat(&[mean, h.max(1)?], 1)?;
        let y = self.dense.forward(&dropout(&pooled, *share_pooled, mode)?)?;
        self.out.forward(&dropout(&y, *share_pooled, mode)?)
    }
}
