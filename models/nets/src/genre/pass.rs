//! One pass through a network: its layers, in training or at inference.

use std::collections::BTreeMap;

use candle_core::{Result, Tensor, bail};
use rand_pcg::Pcg64;

use super::Parameters;
use crate::ops::{self, Activation, LstmState, RunningStatistics, Window, batch_norm, batch_norm_inference};

/// Constants of batch normalisation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormRule {
    /// Added to the variance.
    pub epsilon: f32,
    /// How far the running statistics move towards each batch.
    pub momentum: f32,
}

impl NormRule {
    /// Those of Keras, whose momentum of 0.99 is the rest.
    pub const KERAS: Self = Self { epsilon: 1e-3, momentum: 0.01 };
    /// Those of PyTorch.
    pub const TORCH: Self = Self { epsilon: 1e-5, momentum: 0.1 };
}

enum Mode<'a> {
    Inference(&'a BTreeMap<String, RunningStatistics>),
    Training { running: &'a mut BTreeMap<String, RunningStatistics>, rng: &'a mut Pcg64 },
    Calibration { running: &'a mut BTreeMap<String, RunningStatistics>, share: f32 },
}

/// A pass through a network. Layers are looked up by name, with the tensors that the methods of the same names
/// in [`super::Specs`] make. Allocates; for the trainer and as the reference of kernels, not for a live thread.
pub struct Pass<'a> {
    tensors: &'a BTreeMap<String, Tensor>,
    mode: Mode<'a>,
}

impl<'a> Pass<'a> {
    /// For inference: no dropout, batch normalisation by its running statistics.
    pub fn inference(parameters: &'a Parameters) -> Self {
        Self { tensors: &parameters.tensors, mode: Mode::Inference(&parameters.running) }
    }

    /// For training: dropout drawn from `rng`, batch normalisation by the batch, whose statistics move the
    /// running ones.
    pub fn training(
        tensors: &'a BTreeMap<String, Tensor>,
        running: &'a mut BTreeMap<String, RunningStatistics>,
        rng: &'a mut Pcg64,
    ) -> Self {
        Self { tensors, mode: Mode::Training { running, rng } }
    }

    /// To take the statistics of batch normalisation anew: as in training but without dropout, and the running
    /// statistics move by `share` towards the batch, whatever the rule of the layer. With 1, 1/2, 1/3 and so on
    /// they end as the mean over the batches.
    pub fn calibration(
        tensors: &'a BTreeMap<String, Tensor>,
        running: &'a mut BTreeMap<String, RunningStatistics>,
        share: f32,
    ) -> Self {
        Self { tensors, mode: Mode::Calibration { running, share } }
    }

    /// Whether this is a pass of training.
    pub fn is_training(&self) -> bool {
        matches!(self.mode, Mode::Training { .. })
    }

    /// A tensor by its full name.
    ///
    /// # Errors
    /// When there is none.
    pub fn tensor(&self, name: &str) -> Result<&'a Tensor> {
        match self.tensors.get(name) {
            Some(t) => Ok(t),
            None => bail!("the tensor {name} is missing"),
        }
    }

    /// The tensor `part` of a layer.
    fn of(&self, layer: &str, part: &str) -> Result<&'a Tensor> {
        self.tensor(&format!("{layer}.{part}"))
    }

    /// Dense: (rows, inputs) to (rows, outputs).
    ///
    /// # Errors
    /// When the layer is missing or the shapes do not fit.
    pub fn linear(&self, name: &str, x: &Tensor, activation: Activation) -> Result<Tensor> {
        ops::linear(x, self.of(name, "w")?, self.of(name, "b")?, activation)
    }

    /// Convolution: (images, inputs, rows, columns) to (images, outputs, rows, columns).
    ///
    /// # Errors
    /// When the layer is missing or the shapes do not fit.
    pub fn conv(&self, name: &str, x: &Tensor, window: Window, activation: Activation) -> Result<Tensor> {
        ops::conv2d(x, self.of(name, "w")?, Some(self.of(name, "b")?), window, activation)
    }

    /// Batch normalisation of (images, channels, ...), then the activation.
    ///
    /// # Errors
    /// When the layer is missing or the shapes do not fit.
    pub fn norm(&mut self, name: &str, x: &Tensor, rule: NormRule, activation: Activation) -> Result<Tensor> {
        let (gamma, beta) = (self.of(name, "gamma")?, self.of(name, "beta")?);
        let missing = || candle_core::Error::Msg(format!("the statistics of {name} are missing"));
        match &mut self.mode {
            Mode::Inference(running) => {
                let running = running.get(name).ok_or_else(missing)?;
                batch_norm_inference(x, gamma, beta, running, rule.epsilon, activation)
            }
            Mode::Training { running, .. } => {
                let (y, batch) = batch_norm(x, gamma, beta, rule.epsilon, activation)?;
                running.get_mut(name).ok_or_else(missing)?.update(&batch, rule.momentum);
                Ok(y)
            }
            Mode::Calibration { running, share } => {
                let (y, batch) = batch_norm(x, gamma, beta, rule.epsilon, activation)?;
                running.get_mut(name).ok_or_else(missing)?.update(&batch, *share);
                Ok(y)
            }
        }
    }

    /// Dropout of a share of 0 to below 1 in training; nothing at inference.
    ///
    /// # Errors
    /// When the share is outside its range.
    pub fn dropout(&mut self, x: &Tensor, share: f32) -> Result<Tensor> {
        match &mut self.mode {
            Mode::Inference(_) | Mode::Calibration { .. } => Ok(x.clone()),
            Mode::Training { rng, .. } => ops::dropout(x, share, rng),
        }
    }

    /// Long short-term memory from zeros: (steps, lanes, inputs) to (steps, lanes, hidden).
    ///
    /// # Errors
    /// When the layer is missing or the shapes do not fit.
    pub fn lstm(&self, name: &str, x: &Tensor) -> Result<Tensor> {
        let (steps, lanes, inputs) = x.dims3()?;
        let (w, r) = (self.of(name, "w")?, self.of(name, "r")?);
        let hidden = r.dim(1)?;
        let gates =
            ops::linear(&x.reshape((steps * lanes, inputs))?, w, self.of(name, "b")?, Activation::None)?;
        let (out, _) = ops::lstm_sequence(&gates, r, &LstmState::zeros(lanes, hidden))?;
        out.reshape((steps, lanes, hidden))
    }

    /// Gated recurrent unit from zeros: (steps, lanes, inputs) to (steps, lanes, hidden).
    ///
    /// # Errors
    /// When the layer is missing or the shapes do not fit.
    pub fn gru(&self, name: &str, x: &Tensor) -> Result<Tensor> {
        let (steps, lanes, inputs) = x.dims3()?;
        let (w, r, b) = (self.of(name, "w")?, self.of(name, "r")?, self.of(name, "rb")?);
        let hidden = r.dim(1)?;
        let gates =
            ops::linear(&x.reshape((steps * lanes, inputs))?, w, self.of(name, "b")?, Activation::None)?;
        let (out, _) = ops::gru_sequence(&gates, r, b, &vec![0.0; lanes * hidden])?;
        out.reshape((steps, lanes, hidden))
    }
}
