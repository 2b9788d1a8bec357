//! P2's first attempt (section 4.2): a GRU that reads the five rolls as they are, step by step, and tells which of the
//! 640 pitches sound at the next step.
//!
//! Input: (steps * lanes, 640), time-major, 0 or 1: five tracks of 128 pitches side by side; output: logits likewise.
//!
//! Deviations and choices: the paper gives no sizes. One layer of 256 units and a dense layer: 854,144 parameters.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};
use sideman_music::encoding::piano_roll::PITCHES;

use super::memory::{Cell, Memory, State, Telling};
use crate::genre::{Pass, Specs};

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

    fn telling(&self) -> Telling {
        let memory = Memory { cell: Cell::Gru, inputs: WIDTH, hidden: self.hidden };
        Telling { memory, outputs: WIDTH }
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
