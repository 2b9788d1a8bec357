//! P2's recurrent networks on latent values (section 4.3): that of the piano tells its next window from its past; one
//! for each other track tells its window from the piano's windows up to the same one.
//!
//! Input: (steps * lanes, latent), time-major, a step being a window; output likewise.
//!
//! Deviations and choices: the paper gives no sizes. One layer of 256 units and a dense layer: 722,944 parameters with
//! the paper's GRU, 919,040 with its future work's LSTM. The loss is the mean squared error, which the paper does not
//! say.

use candle_core::Result;
use sideman_inference::papers::p2::LatentRnn;

use super::memory::Recurrent;
use crate::nn::{Network, VarBuilder};

impl Network for LatentRnn {
    type Layers = Recurrent;

    fn build(&self, vb: &VarBuilder<'_>) -> Result<Recurrent> {
        Recurrent::new(self.cell, [self.latent, self.hidden, self.latent], vb)
    }
}
