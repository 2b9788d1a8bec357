//! The product's network over bars: each bar through one layer, their mean and maximum through another.
//!
//! Pooling makes it the same network for eight bars and for a whole song, and what a bar adds can be computed once,
//! when it ends.

use candle_core::{Result, Tensor, bail};
use sideman_inference::genre::symbolic::{BarNetConfig, MOST_DEVIATIONS};

use crate::genre::{Network, Pass, Specs};
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

impl Network for BarNet {
    fn specs(&self) -> Specs {
        let BarNetConfig { features, hidden, dense, classes } = self.config;
        let mut specs = Specs::default();
        specs
            .linear("bar", features, hidden)
            .linear("dense", 2 * hidden, dense)
            .linear("out", dense, classes);
        specs
    }

    fn logits(&self, pass: &mut Pass<'_>, inputs: &[Tensor]) -> Result<Tensor> {
        let [bars, there] = inputs else {
            bail!(
                "the network over bars has two inputs, figures and which bars there are, not {}",
                inputs.len()
            )
        };
        let (examples, count, features) = bars.dims3()?;
        let (hidden, device) = (self.config.hidden, bars.device());
        if features != self.config.features || self.mean.len() != features || self.scale.len() != features {
            bail!("{features} figures a bar instead of {}", self.config.features);
        }
        let x = bars.reshape((examples * count, features))?;
        let x = x.broadcast_sub(&Tensor::from_slice(&self.mean, (1, features), device)?)?;
        let x = x.broadcast_mul(&Tensor::from_slice(&self.scale, (1, features), device)?)?;
        let x = x.clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS)?;
        let x = pass.dropout(&x, self.dropout[0])?;
        let h = pass.linear("bar", &x, Activation::Relu)?;
        let h = pass.dropout(&h, self.dropout[1])?.reshape((examples, count, hidden))?;
        // Rectified units are not negative, so that bars that are not there change no maximum.
        let h = h.broadcast_mul(&there.reshape((examples, count, 1))?)?;
        let mean = h.sum(1)?.broadcast_div(&there.sum_keepdim(1)?)?;
        let pooled = Tensor::cat(&[mean, h.max(1)?], 1)?;
        let pooled = pass.dropout(&pooled, self.dropout[2])?;
        let y = pass.linear("dense", &pooled, Activation::Relu)?;
        let y = pass.dropout(&y, self.dropout[2])?;
        pass.linear("out", &y, Activation::None)
    }
}
