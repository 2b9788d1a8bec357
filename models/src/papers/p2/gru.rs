//! P2's first attempt (section 4.2): a GRU that reads the five rolls as they are, step by step, and tells which of the
//! 640 pitches sound at the next step.
//!
//! Input: (steps * lanes, 640), time-major, 0 or 1: five tracks of 128 pitches side by side; output: logits likewise.
//!
//! Deviations and choices: the paper gives no sizes. One layer of 256 units and a dense layer: 854,144 parameters.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};
use sideman_music::windows::PITCHES;

use super::memory::{Cell, Memory, State};
use crate::genre::{Pass, Specs};
use crate::ops::Activation;

/// Pitches of the five tracks together.
pub const WIDTH: usize = 5 * PITCHES;

/// The network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollGru {
    /// Units.
    pub hidden: usize,
}

impl RollGru {
    /// With our number of units.
    pub const PAPER: Self = Self { hidden: 256 };

    fn memory(&self) -> Memory {
        Memory { cell: Cell::Gru, inputs: WIDTH, hidden: self.hidden }
    }

    /// Every tensor that is trained.
    pub fn specs(&self) -> Specs {
        let mut specs = Specs::default();
        self.memory().specs(&mut specs, "memory");
        specs.linear("next", self.hidden, WIDTH);
        specs
    }

    /// Number of trained values.
    pub fn parameters(&self) -> usize {
        self.specs().trained.iter().map(|s| s.shape.iter().product::<usize>()).sum()
    }

    /// Has heard nothing.
    pub fn blank(&self, lanes: usize) -> State {
        self.memory().blank(lanes)
    }

    /// Goes on from a state, which it moves.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn run(&self, pass: &Pass<'_>, x: &Tensor, state: &mut State) -> Result<Tensor> {
        let h = self.memory().run(pass, "memory", x, state)?;
        pass.linear("next", &h, Activation::None)
    }
}
