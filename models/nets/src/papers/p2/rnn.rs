//! P2's recurrent networks on latent values (section 4.3): that of the piano tells its next window from its past; one
//! for each other track tells its window from the piano's windows up to the same one.
//!
//! Input: (steps * lanes, latent), time-major, a step being a window; output likewise.
//!
//! Deviations and choices: the paper gives no sizes. One layer of 256 units and a dense layer: 722,944 parameters with
//! the paper's GRU, 919,040 with its future work's LSTM. The loss is the mean squared error, which the paper does not
//! say.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::memory::{Cell, Memory, State, Telling};
use crate::genre::{Pass, Specs};

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

    fn telling(&self) -> Telling {
        let memory = Memory { cell: self.cell, inputs: self.latent, hidden: self.hidden };
        Telling { memory, outputs: self.latent }
    }

    /// Every tensor that is trained.
    pub fn specs(&self) -> Specs {
        self.telling().specs()
    }

    /// Number of trained values.
    pub fn parameters(&self) -> usize {
        self.specs().values()
    }

    /// Has heard nothing.
    pub fn blank(&self, lanes: usize) -> State {
        self.telling().memory.blank(lanes)
    }

    /// Goes on from a state, which it moves.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn run(&self, pass: &Pass<'_>, x: &Tensor, state: &mut State) -> Result<Tensor> {
        self.telling().run(pass, x, state)
    }
}
