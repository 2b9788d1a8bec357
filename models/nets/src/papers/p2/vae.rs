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

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};
use sideman_music::encoding::piano_roll::{CELLS, PITCHES, WINDOW};

use crate::genre::{Pass, Specs};
use crate::ops::Activation;

/// The autoencoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vae {
    /// Steps of a patch; a divisor of 128.
    pub patch: usize,
    /// Values that a patch becomes.
    pub features: usize,
    /// Latent values of a window.
    pub latent: usize,
}

/// What the encoder says of windows: a normal distribution each, (windows, latent).
pub struct Code {
    /// Mean.
    pub mean: Tensor,
    /// Natural logarithm of the variance, within -8 to 8.
    pub log_variance: Tensor,
}

/// Most that the logarithm of the variance is away from 0.
const MOST_LOG_VARIANCE: f64 = 8.0;

impl Vae {
    /// The paper's window and latent size with the layers of our choice.
    pub const PAPER: Self = Self { patch: 8, features: 64, latent: 512 };
    /// One for tests.
    pub const QUICK: Self = Self { patch: 32, features: 8, latent: 16 };

    /// Whether its sizes make sense.
    pub fn is_sound(&self) -> bool {
        let sizes = [self.patch, self.features, self.latent];
        sizes.iter().all(|s| (1..=4096).contains(s)) && WINDOW.is_multiple_of(self.patch)
    }

    fn patches(&self) -> usize {
        WINDOW / self.patch
    }

    /// Every tensor that is trained.
    pub fn specs(&self) -> Specs {
        let (patch, all) = (self.patch * PITCHES, self.patches() * self.features);
        let mut specs = Specs::default();
        specs
            .linear("see", patch, self.features)
            .linear("mean", all, self.latent)
            .linear("log_variance", all, self.latent)
            .linear("open", self.latent, all)
            .linear("draw", self.features, patch);
        specs
    }

    /// Number of trained values.
    pub fn parameters(&self) -> usize {
        self.specs().values()
    }

    fn seen(&self, pass: &Pass<'_>, x: &Tensor) -> Result<Tensor> {
        let windows = x.dim(0)?;
        let patches = x.reshape((windows * self.patches(), self.patch * PITCHES))?;
        pass.linear("see", &patches, Activation::Relu)?.reshape((windows, self.patches() * self.features))
    }

    /// Mean of windows (windows, 128 * 128): (windows, latent).
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn mean(&self, pass: &Pass<'_>, x: &Tensor) -> Result<Tensor> {
        pass.linear("mean", &self.seen(pass, x)?, Activation::None)
    }

    /// Mean and variance of windows (windows, 128 * 128).
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn encode(&self, pass: &Pass<'_>, x: &Tensor) -> Result<Code> {
        let seen = self.seen(pass, x)?;
        let mean = pass.linear("mean", &seen, Activation::None)?;
        let raw = pass.linear("log_variance", &seen, Activation::None)?;
        let log_variance = ((raw / MOST_LOG_VARIANCE)?.tanh()? * MOST_LOG_VARIANCE)?;
        Ok(Code { mean, log_variance })
    }

    /// Logits of the cells, (windows, 128 * 128), of latent values (windows, latent).
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn decode(&self, pass: &Pass<'_>, z: &Tensor) -> Result<Tensor> {
        let windows = z.dim(0)?;
        let open = pass.linear("open", z, Activation::Relu)?;
        let patches = open.reshape((windows * self.patches(), self.features))?;
        pass.linear("draw", &patches, Activation::None)?.reshape((windows, CELLS))
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
