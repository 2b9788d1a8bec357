//! Recurrent layers over whole sequences.

use candle_core::{Module, Result, Tensor};

use super::{Init, VarBuilder};
use crate::ops::{Activation, LstmState, gru_sequence, linear, lstm_sequence};

/// Long short-term memory: `w` (4 * hidden, inputs), `r` (4 * hidden, hidden) and one bias `b`.
#[derive(Debug, Clone)]
pub struct Lstm {
    w: Tensor,
    r: Tensor,
    b: Tensor,
}

impl Lstm {
    /// From `w`, `r` and `b`; forget gates begin open.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape.
    pub fn new(inputs: usize, hidden: usize, vb: VarBuilder<'_>) -> Result<Self> {
        let outputs = 4 * hidden;
        Ok(Self {
            w: vb.get(&[outputs, inputs], "w", Init::Glorot { inputs, outputs })?,
            r: vb.get(&[outputs, hidden], "r", Init::Orthogonal)?,
            b: vb.get(&[outputs], "b", Init::ForgetBias)?,
        })
    }

    /// Of weights for the input (4 * hidden, inputs), recurrent weights (4 * hidden, hidden) and biases.
    pub fn of(w: Tensor, r: Tensor, b: Tensor) -> Self {
        Self { w, r, b }
    }

    /// Goes on from a state: (steps * lanes, inputs), time-major, to (steps * lanes, hidden). No gradient flows
    /// through the state.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn sequence(&self, x: &Tensor, state: &LstmState) -> Result<(Tensor, LstmState)> {
        let gates = linear(x, &self.w, &self.b, Activation::None)?;
        lstm_sequence(&gates, &self.r, state)
    }
}

impl Module for Lstm {
    /// From zeros: (steps, lanes, inputs) to (steps, lanes, hidden).
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let ((steps, lanes, inputs), hidden) = (x.dims3()?, self.r.dim(1)?);
        let x = x.reshape((steps * lanes, inputs))?;
        self.sequence(&x, &LstmState::zeros(lanes, hidden))?.0.reshape((steps, lanes, hidden))
    }
}

/// Gated recurrent unit: `w` (3 * hidden, inputs), `r` (3 * hidden, hidden), biases `b` and `rb`.
#[derive(Debug, Clone)]
pub struct Gru {
    w: Tensor,
    r: Tensor,
    b: Tensor,
    rb: Tensor,
}

impl Gru {
    /// From `w`, `r`, `b` and `rb`.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape.
    pub fn new(inputs: usize, hidden: usize, vb: VarBuilder<'_>) -> Result<Self> {
        let outputs = 3 * hidden;
        Ok(Self {
            w: vb.get(&[outputs, inputs], "w", Init::Glorot { inputs, outputs })?,
            r: vb.get(&[outputs, hidden], "r", Init::Orthogonal)?,
            b: vb.get(&[outputs], "b", Init::Constant(0.0))?,
            rb: vb.get(&[outputs], "rb", Init::Constant(0.0))?,
        })
    }

    /// Goes on from outputs (lanes, hidden), row-major: (steps * lanes, inputs), time-major, to (steps * lanes,
    /// hidden). No gradient flows through the state.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn sequence(&self, x: &Tensor, state: &[f32]) -> Result<(Tensor, Vec<f32>)> {
        let gates = linear(x, &self.w, &self.b, Activation::None)?;
        gru_sequence(&gates, &self.r, &self.rb, state)
    }
}

impl Module for Gru {
    /// From zeros: (steps, lanes, inputs) to (steps, lanes, hidden).
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let ((steps, lanes, inputs), hidden) = (x.dims3()?, self.r.dim(1)?);
        let x = x.reshape((steps * lanes, inputs))?;
        self.sequence(&x, &vec![0.0; lanes * hidden])?.0.reshape((steps, lanes, hidden))
    }
}
