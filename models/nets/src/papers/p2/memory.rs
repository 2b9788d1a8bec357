//! A recurrent layer whose state is carried from call to call.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use crate::genre::{Pass, Specs};
use crate::ops::{self, Activation, LstmState};

/// What remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cell {
    /// A gated recurrent unit, the paper's.
    Gru,
    /// A long short-term memory, of the paper's section 6.3.
    Lstm,
}

impl Cell {
    /// Name in files and tables.
    pub fn name(self) -> &'static str {
        ["gru", "lstm"][self as usize]
    }
}

/// A recurrent layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// What remembers.
    pub cell: Cell,
    /// Its inputs.
    pub inputs: usize,
    /// Its units.
    pub hidden: usize,
}

/// What a layer remembers of some lanes; no gradient flows through it.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Outputs, (lanes, hidden) row-major.
    Gru(Vec<f32>),
    /// Outputs and cells.
    Lstm(LstmState),
}

/// A recurrent layer, `memory`, and a dense one, `next`: all that P2's recurrent networks are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Telling {
    pub(super) memory: Memory,
    pub(super) outputs: usize,
}

impl Telling {
    pub(super) fn specs(&self) -> Specs {
        let mut specs = Specs::default();
        self.memory.specs(&mut specs, "memory");
        specs.linear("next", self.memory.hidden, self.outputs);
        specs
    }

    /// Goes on from a state, which it moves.
    pub(super) fn run(&self, pass: &Pass<'_>, x: &Tensor, state: &mut State) -> Result<Tensor> {
        let h = self.memory.run(pass, "memory", x, state)?;
        pass.linear("next", &h, Activation::None)
    }
}

impl Memory {
    /// Adds its tensors under a name.
    pub fn specs(&self, specs: &mut Specs, name: &str) {
        match self.cell {
            Cell::Gru => specs.gru(name, self.inputs, self.hidden),
            Cell::Lstm => specs.lstm(name, self.inputs, self.hidden),
        };
    }

    /// Remembers nothing.
    pub fn blank(&self, lanes: usize) -> State {
        match self.cell {
            Cell::Gru => State::Gru(vec![0.0; lanes * self.hidden]),
            Cell::Lstm => State::Lstm(LstmState::zeros(lanes, self.hidden)),
        }
    }

    /// Goes on from a state, which it moves: (steps * lanes, inputs) to (steps * lanes, hidden), time-major.
    ///
    /// # Errors
    /// When the shapes do not fit, or the state is of another kind.
    pub fn run(&self, pass: &Pass<'_>, name: &str, x: &Tensor, state: &mut State) -> Result<Tensor> {
        let of = |part: &str| pass.tensor(&format!("{name}.{part}"));
        let gates = ops::linear(x, of("w")?, of("b")?, Activation::None)?;
        match state {
            State::Gru(h) => {
                let (out, last) = ops::gru_sequence(&gates, of("r")?, of("rb")?, h)?;
                *h = last;
                Ok(out)
            }
            State::Lstm(before) => {
                let (out, last) = ops::lstm_sequence(&gates, of("r")?, before)?;
                *before = last;
                Ok(out)
            }
        }
    }
}
