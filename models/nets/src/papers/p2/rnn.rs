//! P2's recurrent networks on latent values (section 4.3): that of the piano tells its next window from its past; one
//! for each other track tells its window from the piano's windows up to the same one.
//!
//! Input: (steps * lanes, latent), time-major, a step being a window; output likewise.
//!
//! Deviations and choices: the paper gives no sizes. One layer of 256 units and a dense layer: 722,944 parameters with
//! the paper's GRU, 919,040 with its future work's LSTM. The loss is the mean squared error, which the paper does not
//! say.

use candle_core::Result;
use serde::{Deserialize, Serialize};

use super::memory::{Cell, Recurrent, State};
use crate::nn::{Network, VarBuilder};

/// A network on latent values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatentRnn {
    /// What remembers.
    pub cell: Cell,
    /// Values of a window.
    pub latent: usize,
    /// Units.
    pub hidden: usize,
}

impl LatentRnn {
    /// The paper's latent size with our number of units.
    pub fn paper(cell: Cell) -> Self {
        Self { cell, latent: 512, hidden: 256 }
    }

    /// Whether its sizes make sense.
    pub fn is_sound(&self) -> bool {
        [self.latent, self.hidden].iter().all(|s| (1..=4096).contains(s))
    }

    /// The state before the first step.
    pub fn blank(&self, lanes: usize) -> State {
        self.cell.blank(lanes, self.hidden)
    }
}

impl Network for LatentRnn {
    type Layers = Recurrent;

    fn build(&self, vb: &VarBuilder<'_>) -> Result<Recurrent> {
        Recurrent::new(self.cell, [self.latent, self.hidden, self.latent], vb)
    }
}
