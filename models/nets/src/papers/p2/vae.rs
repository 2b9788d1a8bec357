//! P2's variational autoencoder of a track's windows (section 4.3): 128 steps of 128 pitches to 512 latent values and
//! back. There is one for each of five tracks.
//!
//! Input: (windows, 128 * 128), row-major (steps, pitches), values 0 to 1.
//!
//! Deviations and choices: the paper gives the window and the latent size and no layers. Ours cuts the window into 16
//! patches of 8 steps (a third of a beat) and sees each through one shared dense layer, which is a convolution over time
//! whose stride is its width; one dense layer each gives mean and logarithm of the variance; the decoder is the
//! mirror. 1,707,072 parameters, of which generation needs all but the variance's 524,800. A fully connected one of
//! the same latent size would have ten times as many.

use candle_core::{Result, Tensor, bail};
use sideman_inference::papers::p2::Vae;
use sideman_music::encoding::piano_roll::{CELLS, PITCHES};

use crate::nn::{Linear, Module, Network, VarBuilder};
use crate::ops::Activation;

/// What the encoder says of windows: a normal distribution each, (windows, latent).
pub struct Code {
    /// Mean.
    pub mean: Tensor,
    /// Natural logarithm of the variance, within -8 to 8.
    pub log_variance: Tensor,
}

/// Most that the logarithm of the variance is away from 0.
const MOST_LOG_VARIANCE: f64 = 8.0;

/// Its layers.
pub struct VaeLayers {
    vae: Vae,
    see: Linear,
    mean: Linear,
    /// Only training needs it: weights that play lack it.
    log_variance: Option<Linear>,
    open: Linear,
    draw: Linear,
}

impl Network for Vae {
    type Layers = VaeLayers;

    fn build(&self, vb: &VarBuilder<'_>) -> Result<VaeLayers> {
        let (patch, all) = (self.patch * PITCHES, self.patches() * self.features);
        let linear =
            |inputs, outputs, activation, name: &str| Linear::new(inputs, outputs, activation, vb.pp(name));
        let log_variance = || linear(all, self.latent, Activation::None, "log_variance");
        Ok(VaeLayers {
            vae: *self,
            see: linear(patch, self.features, Activation::Relu, "see")?,
            mean: linear(all, self.latent, Activation::None, "mean")?,
            log_variance: vb.contains("log_variance.w").then(log_variance).transpose()?,
            open: linear(self.latent, all, Activation::Relu, "open")?,
            draw: linear(self.features, patch, Activation::None, "draw")?,
        })
    }
}

impl VaeLayers {
    fn seen(&self, x: &Tensor) -> Result<Tensor> {
        let (windows, Vae { patch, features, .. }) = (x.dim(0)?, self.vae);
        let patches = x.reshape((windows * self.vae.patches(), patch * PITCHES))?;
        self.see.forward(&patches)?.reshape((windows, self.vae.patches() * features))
    }

    /// Mean of windows (windows, 128 * 128): (windows, latent).
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn mean(&self, x: &Tensor) -> Result<Tensor> {
        self.mean.forward(&self.seen(x)?)
    }

    /// Mean and variance of windows (windows, 128 * 128).
    ///
    /// # Errors
    /// When the shapes do not fit, or the weights are for playing alone.
    pub fn encode(&self, x: &Tensor) -> Result<Code> {
        let Some(log_variance) = &self.log_variance else { bail!("the weights have no variance") };
        let seen = self.seen(x)?;
        let mean = self.mean.forward(&seen)?;
        let raw = log_variance.forward(&seen)?;
        let log_variance = ((raw / MOST_LOG_VARIANCE)?.tanh()? * MOST_LOG_VARIANCE)?;
        Ok(Code { mean, log_variance })
    }

    /// Logits of the cells, (windows, 128 * 128), of latent values (windows, latent).
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn decode(&self, z: &Tensor) -> Result<Tensor> {
        let windows = z.dim(0)?;
        let patches = self.open.forward(z)?.reshape((windows * self.vae.patches(), self.vae.features))?;
        self.draw.forward(&patches)?.reshape((windows, CELLS))
    }
}

impl Code {
    /// Latent values drawn with `noise`, values of a standard normal distribution (windows, latent).
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn drawn(&self, noise: &Tensor) -> Result<Tensor> {
        &self.mean + ((&self.log_variance * 0.5)?.exp()? * noise)?
    }

    /// Divergence from the standard normal distribution in nats, summed over windows and values.
    ///
    /// # Errors
    /// None that sound shapes give rise to.
    pub fn divergence(&self) -> Result<Tensor> {
        let inner = ((self.mean.sqr()? + self.log_variance.exp()?)? - &self.log_variance)?;
        (inner - 1.0)?.sum_all()? * 0.5
    }
}
