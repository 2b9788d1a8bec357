//! Layers without a state of their own.

use candle_core::{Module, Result, Tensor, bail};

use super::{Init, Mode, VarBuilder};
use crate::ops::{self, Activation, RunningStatistics, Window, batch_norm, batch_norm_inference};

/// A fully connected layer, then an activation: `w` (outputs, inputs) and `b`.
#[derive(Debug, Clone)]
pub struct Linear {
    w: Tensor,
    b: Tensor,
    activation: Activation,
}

impl Linear {
    /// From `w` and `b`.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape.
    pub fn new(inputs: usize, outputs: usize, activation: Activation, vb: VarBuilder<'_>) -> Result<Self> {
        Ok(Self {
            w: vb.get(&[outputs, inputs], "w", Init::Glorot { inputs, outputs })?,
            b: vb.get(&[outputs], "b", Init::Constant(0.0))?,
            activation,
        })
    }

    /// Of weights (outputs, inputs) and biases (outputs).
    pub fn of(w: Tensor, b: Tensor, activation: Activation) -> Self {
        Self { w, b, activation }
    }
}

impl Module for Linear {
    /// (rows, inputs) to (rows, outputs).
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        ops::linear(x, &self.w, &self.b, self.activation)
    }
}

/// A table of vectors: `w` (rows, width).
#[derive(Debug, Clone)]
pub struct Embedding {
    w: Tensor,
}

impl Embedding {
    /// From `w`.
    ///
    /// # Errors
    /// When the tensor is missing or has another shape.
    pub fn new(rows: usize, width: usize, init: Init, vb: VarBuilder<'_>) -> Result<Self> {
        Ok(Self { w: vb.get(&[rows, width], "w", init)? })
    }

    /// Of a table (rows, width).
    pub fn of(w: Tensor) -> Self {
        Self { w }
    }

    /// The table.
    pub fn table(&self) -> &Tensor {
        &self.w
    }

    /// The rows of these numbers, (n, width).
    ///
    /// # Errors
    /// When a number is too high.
    pub fn rows(&self, ids: &[u32]) -> Result<Tensor> {
        self.forward(&Tensor::from_slice(ids, ids.len(), self.w.device())?)
    }
}

impl Module for Embedding {
    /// Row numbers (n), u32, to (n, width).
    fn forward(&self, ids: &Tensor) -> Result<Tensor> {
        self.w.index_select(ids, 0)
    }
}

/// A convolution, then an activation: `w` (outputs, inputs, rows, columns) and `b`.
#[derive(Debug, Clone)]
pub struct Conv2d {
    w: Tensor,
    b: Tensor,
    window: Window,
    activation: Activation,
}

impl Conv2d {
    /// From `w` and `b`, of a kernel of (rows, columns).
    ///
    /// # Errors
    /// When a tensor is missing or has another shape.
    pub fn new(
        (inputs, outputs): (usize, usize),
        (rows, columns): (usize, usize),
        window: Window,
        activation: Activation,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        let area = rows * columns;
        let init = Init::Glorot { inputs: inputs * area, outputs: outputs * area };
        Ok(Self {
            w: vb.get(&[outputs, inputs, rows, columns], "w", init)?,
            b: vb.get(&[outputs], "b", Init::Constant(0.0))?,
            window,
            activation,
        })
    }
}

impl Module for Conv2d {
    /// (images, inputs, rows, columns) to (images, outputs, rows, columns).
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        ops::conv2d(x, &self.w, &self.b, self.window, self.activation)
    }
}

/// Constants of batch normalisation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormConfig {
    /// Added to the variance.
    pub epsilon: f32,
    /// How far the running statistics move towards each batch.
    pub momentum: f32,
}

impl NormConfig {
    /// Those of Keras, whose momentum of 0.99 is the rest.
    pub const KERAS: Self = Self { epsilon: 1e-3, momentum: 0.01 };
    /// Those of PyTorch.
    pub const TORCH: Self = Self { epsilon: 1e-5, momentum: 0.1 };
}

/// Batch normalisation over channels, then an activation: `gamma`, `beta` and running statistics.
#[derive(Debug, Clone)]
pub struct BatchNorm {
    name: String,
    gamma: Tensor,
    beta: Tensor,
    running: RunningStatistics,
    config: NormConfig,
    activation: Activation,
}

impl BatchNorm {
    /// From `gamma`, `beta` and the running statistics under the prefix of `vb`.
    ///
    /// # Errors
    /// When something is missing or of another number of channels.
    pub fn new(
        channels: usize,
        config: NormConfig,
        activation: Activation,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        Ok(Self {
            name: vb.prefix().to_owned(),
            running: vb.running(channels)?,
            gamma: vb.get(&[channels], "gamma", Init::Constant(1.0))?,
            beta: vb.get(&[channels], "beta", Init::Constant(0.0))?,
            config,
            activation,
        })
    }

    /// (images, channels, ...) to the same shape.
    ///
    /// # Errors
    /// When the shapes do not fit, or `mode` lacks the statistics of this layer.
    pub fn forward(&self, x: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        let NormConfig { epsilon, momentum } = self.config;
        let (running, share) = match mode {
            Mode::Inference => {
                let (gamma, beta) = (&self.gamma, &self.beta);
                return batch_norm_inference(x, gamma, beta, &self.running, epsilon, self.activation);
            }
            Mode::Training { running, .. } => (running, momentum),
            Mode::Calibration { running, share } => (running, *share),
        };
        let (y, batch) = batch_norm(x, &self.gamma, &self.beta, epsilon, self.activation)?;
        match running.get_mut(&self.name) {
            Some(running) => running.update(&batch, share),
            None => bail!("the statistics of {} are missing", self.name),
        }
        Ok(y)
    }
}

/// Dropout of a share of 0 to below 1 in training; nothing otherwise.
///
/// # Errors
/// When the share is outside its range.
pub fn dropout(x: &Tensor, share: f32, mode: &mut Mode<'_>) -> Result<Tensor> {
    match mode {
        Mode::Training { rng, .. } => ops::dropout(x, share, rng),
        Mode::Inference | Mode::Calibration { .. } => Ok(x.clone()),
    }
}
