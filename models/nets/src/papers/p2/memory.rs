//! A recurrent network whose state is carried from call to call.

use candle_core::{Module, Result, Tensor, bail};
use sideman_inference::papers::p2::Cell;

use crate::nn::{Gru, Linear, Lstm, VarBuilder};
use crate::ops::{Activation, LstmState};

/// What a layer remembers of some lanes; no gradient flows through it.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Outputs, (lanes, hidden) row-major.
    Gru(Vec<f32>),
    /// Outputs and cells.
    Lstm(LstmState),
}

impl State {
    /// The state before the first step.
    pub fn blank(cell: Cell, lanes: usize, hidden: usize) -> Self {
        match cell {
            Cell::Gru => Self::Gru(vec![0.0; lanes * hidden]),
            Cell::Lstm => Self::Lstm(LstmState::zeros(lanes, hidden)),
        }
    }
}

#[derive(Debug, Clone)]
enum Memory {
    Gru(Gru),
    Lstm(Lstm),
}

/// A recurrent layer, `memory`, and a dense one, `next`: all that P2's recurrent networks are.
#[derive(Debug, Clone)]
pub struct Recurrent {
    memory: Memory,
    next: Linear,
}

impl Recurrent {
    /// From the tensors of both layers.
    pub(super) fn new(
        cell: Cell,
        [inputs, hidden, outputs]: [usize; 3],
        vb: &VarBuilder<'_>,
    ) -> Result<Self> {
        let own = vb.pp("memory");
        let memory = match cell {
            Cell::Gru => Memory::Gru(Gru::new(inputs, hidden, own)?),
            Cell::Lstm => Memory::Lstm(Lstm::new(inputs, hidden, own)?),
        };
        Ok(Self { memory, next: Linear::new(hidden, outputs, Activation::None, vb.pp("next"))? })
    }

    /// Goes on from a state, which it moves: (steps * lanes, inputs) to (steps * lanes, outputs), time-major.
    ///
    /// # Errors
    /// When the shapes do not fit, or the state is of another kind.
    pub fn forward(&self, x: &Tensor, state: &mut State) -> Result<Tensor> {
        let h = match (&self.memory, state) {
            (Memory::Gru(gru), State::Gru(h)) => {
                let (out, last) = gru.sequence(x, h)?;
                *h = last;
                out
            }
            (Memory::Lstm(lstm), State::Lstm(before)) => {
                let (out, last) = lstm.sequence(x, before)?;
                *before = last;
                out
            }
            _ => bail!("the state is of another kind of layer"),
        };
        self.next.forward(&h)
    }
}
