//! Sizes of P2's networks and their layers without candle: products with matrices that are packed once.

use serde::{Deserialize, Serialize};
use sideman_music::encoding::piano_roll::{CELLS, PITCHES, WINDOW};

use crate::kernel::activation::{sigmoid, tanh};
use crate::kernel::{Activation, PackedMatrix};
use crate::weights::{TensorError, Values, take};

/// The autoencoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vae {
    /// Steps of a patch; a divisor of 128.
    pub patch: usize,
    /// Values that a patch becomes.
    pub features: usize,
    /// Latent values of a window.
    pub latent: usize,
}

impl Vae {
    /// The paper's window and latent size with the layers of our choice.
    pub const PAPER: Self = Self { patch: 8, features: 64, latent: 512 };
    /// One for tests.
    pub const QUICK: Self = Self { patch: 32, features: 8, latent: 16 };

    /// Whether its sizes make sense.
    pub fn is_sound(&self) -> bool {
        let sizes = [self.patch, self.features, self.latent];
        sizes.iter().all(|s| (1..=4096).contains(s)) && WINDOW.is_multiple_of(self.patch)
    }

    /// Patches of a window.
    pub fn patches(&self) -> usize {
        WINDOW / self.patch
    }
}

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
}

type Shape = (String, Vec<usize>);

fn dense_shapes(name: &str, inputs: usize, outputs: usize) -> [Shape; 2] {
    [(format!("{name}.w"), vec![outputs, inputs]), (format!("{name}.b"), vec![outputs])]
}

impl Vae {
    /// Layers that a voice needs, with their inputs and outputs.
    fn layers(&self) -> [(&'static str, usize, usize); 4] {
        let (patch, all) = (self.patch * PITCHES, self.patches() * self.features);
        [
            ("see", patch, self.features),
            ("mean", all, self.latent),
            ("open", self.latent, all),
            ("draw", self.features, patch),
        ]
    }

    /// Names and shapes of the tensors that a voice needs: all but those of the variance, which only training has.
    pub(super) fn tensors(&self) -> Vec<Shape> {
        self.layers().into_iter().flat_map(|(name, i, o)| dense_shapes(name, i, o)).collect()
    }
}

impl LatentRnn {
    /// Gates of its cell.
    fn gates(&self) -> usize {
        match self.cell {
            Cell::Gru => 3,
            Cell::Lstm => 4,
        }
    }

    /// Names and shapes of all tensors.
    pub(super) fn tensors(&self) -> Vec<Shape> {
        let gates = self.gates() * self.hidden;
        let mut all: Vec<Shape> = dense_shapes("memory", self.latent, gates).into();
        all.push(("memory.r".to_owned(), vec![gates, self.hidden]));
        if self.cell == Cell::Gru {
            all.push(("memory.rb".to_owned(), vec![gates]));
        }
        all.extend(dense_shapes("next", self.hidden, self.latent));
        all
    }
}

/// A dense layer over rows.
#[derive(Debug, Clone)]
struct Linear {
    w: PackedMatrix,
    b: Vec<f32>,
    activation: Activation,
}

/// A matrix (outputs, inputs), packed to be multiplied with rows of inputs.
fn packed(values: &Values, name: &str, [outputs, inputs]: [usize; 2]) -> Result<PackedMatrix, TensorError> {
    Ok(PackedMatrix::new(&take(values, name, &[outputs, inputs])?, inputs, outputs, (1, inputs)))
}

impl Linear {
    fn new(
        values: &Values,
        name: &str,
        (inputs, outputs): (usize, usize),
        activation: Activation,
    ) -> Result<Self, TensorError> {
        let w = packed(values, &format!("{name}.w"), [outputs, inputs])?;
        Ok(Self { w, b: take(values, &format!("{name}.b"), &[outputs])?, activation })
    }

    /// (rows, inputs) to (rows, outputs).
    fn run(&self, x: &[f32]) -> Vec<f32> {
        let mut y = vec![0.0; x.len() / self.w.depth() * self.w.columns()];
        self.w.multiply(&mut y, x, false);
        for row in y.chunks_exact_mut(self.b.len()) {
            row.iter_mut().zip(&self.b).for_each(|(v, b)| *v += b);
            self.activation.apply(row);
        }
        y
    }
}

/// An autoencoder with its weights.
#[derive(Debug, Clone)]
pub(super) struct VaeLayers {
    see: Linear,
    mean: Linear,
    open: Linear,
    draw: Linear,
}

impl VaeLayers {
    /// From the tensors of [`Vae::tensors`], each name behind `prefix`.
    pub(super) fn new(vae: &Vae, values: &Values, prefix: &str) -> Result<Self, TensorError> {
        let [see, mean, open, draw] = vae.layers().map(|(name, inputs, outputs)| {
            let activation = if matches!(name, "see" | "open") { Activation::Relu } else { Activation::None };
            Linear::new(values, &format!("{prefix}{name}"), (inputs, outputs), activation)
        });
        Ok(Self { see: see?, mean: mean?, open: open?, draw: draw? })
    }

    /// Windows (windows, 128 * 128) to latent values (windows, latent).
    pub(super) fn encode(&self, cells: &[f32]) -> Vec<f32> {
        debug_assert!(cells.len().is_multiple_of(CELLS));
        self.mean.run(&self.see.run(cells))
    }

    /// Latent values (windows, latent) to logits of cells (windows, 128 * 128).
    pub(super) fn decode(&self, latent: &[f32]) -> Vec<f32> {
        self.draw.run(&self.open.run(latent))
    }
}

/// What a recurrent layer remembers: its outputs and, of an LSTM, its cells.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    h: Vec<f32>,
    c: Vec<f32>,
}

/// A recurrent network with its weights.
#[derive(Debug, Clone)]
pub(super) struct RnnLayers {
    rnn: LatentRnn,
    input: Linear,
    own: PackedMatrix,
    /// Bias of `own`; a GRU's alone.
    own_bias: Vec<f32>,
    next: Linear,
}

impl RnnLayers {
    /// From the tensors of [`LatentRnn::tensors`], each name behind `prefix`.
    pub(super) fn new(rnn: &LatentRnn, values: &Values, prefix: &str) -> Result<Self, TensorError> {
        let gates = rnn.gates() * rnn.hidden;
        let name = |name: &str| format!("{prefix}{name}");
        Ok(Self {
            rnn: *rnn,
            input: Linear::new(values, &name("memory"), (rnn.latent, gates), Activation::None)?,
            own: packed(values, &name("memory.r"), [gates, rnn.hidden])?,
            own_bias: match rnn.cell {
                Cell::Gru => take(values, &name("memory.rb"), &[gates])?,
                Cell::Lstm => vec![],
            },
            next: Linear::new(values, &name("next"), (rnn.hidden, rnn.latent), Activation::None)?,
        })
    }

    /// The state before the first step.
    pub(super) fn blank(&self) -> State {
        let hidden = self.rnn.hidden;
        State { h: vec![0.0; hidden], c: vec![0.0; if self.rnn.cell == Cell::Lstm { hidden } else { 0 }] }
    }

    /// (steps, latent) to (steps, latent), from a state, which it moves.
    pub(super) fn run(&self, x: &[f32], state: &mut State) -> Vec<f32> {
        let n = self.rnn.hidden;
        let gates = self.input.run(x);
        let mut out = Vec::with_capacity(x.len() / self.rnn.latent * n);
        for gates in gates.chunks_exact(self.rnn.gates() * n) {
            match self.rnn.cell {
                Cell::Gru => self.gru(gates, &mut state.h),
                Cell::Lstm => self.lstm(gates, state),
            }
            out.extend_from_slice(&state.h);
        }
        self.next.run(&out)
    }

    /// One step of a GRU whose reset gate comes after the recurrent product; gates r, z, n.
    fn gru(&self, x: &[f32], h: &mut [f32]) {
        let n = h.len();
        let mut own = vec![0.0; 3 * n];
        self.own.multiply(&mut own, h, false);
        let b = &self.own_bias;
        for j in 0..n {
            let r = sigmoid(x[j] + own[j] + b[j]);
            let z = sigmoid(x[n + j] + own[n + j] + b[n + j]);
            let inner = own[2 * n + j] + b[2 * n + j];
            let a = tanh(x[2 * n + j] + r * inner);
            h[j] = (1.0 - z) * a + z * h[j];
        }
    }

    /// One step of an LSTM; gates i, f, g, o.
    fn lstm(&self, x: &[f32], State { h, c }: &mut State) {
        let n = h.len();
        let mut z = x.to_vec();
        self.own.multiply(&mut z, h, true);
        for j in 0..n {
            let (i, f) = (sigmoid(z[j]), sigmoid(z[n + j]));
            let (a, o) = (tanh(z[2 * n + j]), sigmoid(z[3 * n + j]));
            c[j] = f * c[j] + i * a;
            h[j] = o * tanh(c[j]);
        }
    }
}
