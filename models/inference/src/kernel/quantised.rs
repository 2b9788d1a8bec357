//! Matrices of 8-bit weights times vectors, the same to the bit with whatever instructions.
//!
//! Weights are those of GGUF's Q8_0: along a row, blocks of 32 whole numbers with a common scale. A vector is
//! rounded to 16 bits with one scale. Then a row's product with it is, block by block in order,
//!
//! ```text
//! sum = 0;  for each block:  sum = sum + f32(whole products of the block) * scale of the block
//! out = sum * scale of the vector + bias
//! ```
//!
//! The products and their sum in a block are exact in 32 bits whatever the order, the conversion rounds to the
//! nearest even, and the f32 operations are separate ones in a fixed order. So every implementation in
//! [`Simd`] gives the same bits, and a seed the same notes on every machine.

use super::functions::ROUND;
use super::simd::Simd;
use crate::weights::{BLOCK, BLOCK_BYTES, Encoding, Stored, from_half};

/// Rows that lie side by side: a row is a lane of a vector register, and no sum runs across lanes.
pub(super) const ROWS: usize = 16;
/// Columns of a block, which share a scale in each row.
pub(super) const COLUMNS: usize = BLOCK;

/// [`ROWS`] rows by [`COLUMNS`] columns, nine lines of a cache.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub(super) struct Block {
    /// Scale by row.
    pub(super) scales: [f32; ROWS],
    /// By pair of columns: the pair in row 0, in row 1, and so on.
    pub(super) weights: [[i8; 2 * ROWS]; COLUMNS / 2],
}

/// A part of a vector that meets a [`Block`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(64))]
pub(super) struct Values(pub(super) [i16; COLUMNS]);

/// Room for a vector as it enters a product, and for what comes out of it. Allocated once.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    values: Vec<Values>,
    sums: Vec<[f32; ROWS]>,
}

impl Work {
    /// Room for every layer of these.
    pub(crate) fn new<'a>(layers: impl Iterator<Item = &'a Layer>) -> Self {
        let (rows, columns) = layers.fold((0, 0), |(r, c), layer| (r.max(layer.rows()), c.max(layer.inputs)));
        Self {
            values: vec![Values([0; COLUMNS]); columns.div_ceil(COLUMNS)],
            sums: vec![[0.0; ROWS]; rows.div_ceil(ROWS)],
        }
    }
}

/// Rounds a vector to 16 bits and gives its scale: the largest size is 32767 of it. NaN counts
/// as 0 and infinity as the largest number; a vector whose largest size is under 1e-30 is 0.
#[inline(always)]
pub(super) fn quantise(x: &[f32], out: &mut [Values]) -> f32 {
    let mut largest = [0f32; ROWS];
    let chunks = x.chunks_exact(ROWS);
    for (i, v) in chunks.remainder().iter().enumerate() {
        largest[i] = if v.abs() > largest[i] { v.abs() } else { largest[i] };
    }
    for chunk in chunks {
        for i in 0..ROWS {
            let v = chunk[i].abs();
            largest[i] = if v > largest[i] { v } else { largest[i] };
        }
    }
    let largest = largest.into_iter().fold(0f32, f32::max).min(f32::MAX);
    if largest < 1e-30 {
        out.fill(Values([0; COLUMNS]));
        return 0.0;
    }
    let steps = 32767.0 / largest;
    let round = |v: f32| {
        let v = v * steps;
        // Infinity times the small `steps` is infinity still.
        let v = if v < 32767.0 { v } else { 32767.0 };
        let v = if v > -32767.0 { v } else { -32767.0 };
        ((v + ROUND).to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32) as i16
    };
    let numbers = |v: f32| if v.is_nan() { 0.0 } else { v };
    let chunks = x.chunks_exact(COLUMNS);
    if let Some(last) = out.get_mut(x.len() / COLUMNS) {
        *last = Values([0; COLUMNS]);
        for (to, &v) in last.0.iter_mut().zip(chunks.remainder()) {
            *to = round(numbers(v));
        }
    }
    for (chunk, out) in chunks.zip(out) {
        for i in 0..COLUMNS {
            out.0[i] = round(numbers(chunk[i]));
        }
    }
    largest / 32767.0
}

/// A matrix.
#[derive(Debug, Clone)]
enum Weights {
    /// Small ones, row by row.
    Rows(Vec<f32>),
    /// Small ones with more rows than columns, column by column.
    Columns(Vec<f32>),
    /// Sixteen rows after sixteen rows, in each block by block; missing rows are zeros.
    Quantised(Vec<Block>),
}

/// A matrix with its bias.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    weights: Weights,
    bias: Vec<f32>,
    inputs: usize,
}

impl Default for Layer {
    fn default() -> Self {
        Self { weights: Weights::Rows(vec![]), bias: vec![], inputs: 1 }
    }
}

/// Sum of products, in sixteen running sums so that it vectorises the same way everywhere.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0f32; 16];
    let (a16, b16) = (a.chunks_exact(16), b.chunks_exact(16));
    let rest: f32 = a16.remainder().iter().zip(b16.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a16.zip(b16) {
        for i in 0..16 {
            sums[i] += x[i] * y[i];
        }
    }
    sums.iter().sum::<f32>() + rest
}

impl Layer {
    /// Small weights (rows, inputs), as they are.
    pub(crate) fn plain(weights: Vec<f32>, bias: Vec<f32>, inputs: usize) -> Self {
        let rows = bias.len();
        if rows <= inputs {
            return Self { weights: Weights::Rows(weights), bias, inputs };
        }
        let columns = (0..rows * inputs).map(|i| weights[i % rows * inputs + i / rows]).collect();
        Self { weights: Weights::Columns(columns), bias, inputs }
    }

    /// Weights (rows, inputs) as they are stored.
    ///
    /// # Panics
    /// When the shape is another one.
    pub(crate) fn stored(weights: &Stored<Vec<u8>>, bias: Vec<f32>, inputs: usize) -> Self {
        if weights.encoding == Encoding::F32 {
            return Self::plain(weights.values(), bias, inputs);
        }
        let (rows, across) = (bias.len(), inputs.div_ceil(COLUMNS));
        assert_eq!(weights.shape, [rows, across * COLUMNS], "rows and columns of a layer");
        let empty = Block { scales: [0.0; ROWS], weights: [[0; 2 * ROWS]; COLUMNS / 2] };
        let mut blocks = vec![empty; rows.div_ceil(ROWS) * across];
        for (i, stored) in weights.bytes.chunks_exact(BLOCK_BYTES).enumerate() {
            let (row, at) = (i / across, i % across);
            let block = &mut blocks[row / ROWS * across + at];
            let lane = row % ROWS;
            block.scales[lane] = from_half(u16::from_le_bytes([stored[0], stored[1]]));
            for (pair, w) in block.weights.iter_mut().zip(stored[2..].chunks_exact(2)) {
                pair[2 * lane..2 * lane + 2].copy_from_slice(&[w[0].cast_signed(), w[1].cast_signed()]);
            }
        }
        Self { weights: Weights::Quantised(blocks), bias, inputs }
    }

    pub(crate) fn rows(&self) -> usize {
        self.bias.len()
    }

    /// Bytes of weights and biases.
    pub(crate) fn bytes(&self) -> usize {
        let weights = match &self.weights {
            Weights::Rows(w) | Weights::Columns(w) => size_of_val(&w[..]),
            Weights::Quantised(blocks) => size_of_val(&blocks[..]),
        };
        weights + size_of_val(&self.bias[..])
    }

    /// `out = w x + b`.
    pub(crate) fn apply(&self, simd: Simd, x: &[f32], work: &mut Work, out: &mut [f32]) {
        self.product(simd, x, work, out, |_, product, bias| product + bias);
    }

    /// `out += w x + b`.
    pub(crate) fn add(&self, simd: Simd, x: &[f32], work: &mut Work, out: &mut [f32]) {
        self.product(simd, x, work, out, |before, product, bias| before + (product + bias));
    }

    #[inline(always)]
    fn product(
        &self,
        simd: Simd,
        x: &[f32],
        work: &mut Work,
        out: &mut [f32],
        put: impl Fn(f32, f32, f32) -> f32,
    ) {
        match &self.weights {
            Weights::Rows(w) => {
                for ((row, bias), out) in w.chunks_exact(self.inputs).zip(&self.bias).zip(out) {
                    *out = put(*out, dot(row, x), *bias);
                }
            }
            Weights::Columns(w) => {
                let rows = self.rows();
                let sums = &mut work.sums.as_flattened_mut()[..rows];
                sums.fill(0.0);
                // Mostly flags: columns of those that are not set need not be read.
                for (column, &x) in w.chunks_exact(rows).zip(x).filter(|(_, x)| **x != 0.0) {
                    sums.iter_mut().zip(column).for_each(|(sum, w)| *sum += w * x);
                }
                for ((sum, bias), out) in sums.iter().zip(&self.bias).zip(out) {
                    *out = put(*out, *sum, *bias);
                }
            }
            Weights::Quantised(blocks) => {
                let values = &mut work.values[..self.inputs.div_ceil(COLUMNS)];
                let sums = &mut work.sums[..self.rows().div_ceil(ROWS)];
                let scale = simd.quantise(x, values);
                simd.multiply(blocks, values, sums);
                for ((sum, bias), out) in sums.as_flattened().iter().zip(&self.bias).zip(out) {
                    *out = put(*out, sum * scale, *bias);
                }
            }
        }
    }
}
