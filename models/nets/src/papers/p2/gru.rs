//! P2's first attempt (section 4.2): a GRU that reads the five rolls as they are, step by step, and tells which of the
//! 640 pitches sound at the next step.
//!
//! Input: (steps * lanes, 640), time-major, 0 or 1: five tracks of 128 pitches side by side; output: logits likewise.
//!
//! Deviations and choices: the paper gives no sizes. One layer of 256 units and a dense layer: 854,144 parameters.

use candle_core::Result;
use serde::{Deserialize, Serialize};
use sideman_inference::papers::p2::Cell;
use sideman_music::encoding::piano_roll::PITCHES;

use super::memory::{Recurrent, State};
use crate::nn::{Network, VarBuilder};

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

    /// The state before the first step.
    pub fn blank(&self, lanes: usize) -> State {
        State::blank(Cell::Gru, lanes, self.hidden)
    }
}

impl Network for RollGru {
    type Layers = Recurrent;

    fn build(&self, vb: &VarBuilder<'_>) -> Result<Recurrent> {
        Recurrent::new(Cell::Gru, [WIDTH, self.hidden, WIDTH], vb)
    }
}
