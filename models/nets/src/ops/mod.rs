//! The operations that the networks train through, beyond candle's own.
//!
//! Each is a fused CPU operation with a hand-written backward pass, and a composition of candle's own
//! operations for other devices, which also serves as its reference in the tests. Fused, a recurrent
//! layer over a whole sequence is one node of the graph instead of some thirty a step.

mod activation;
mod candidates;
mod cells;
mod conv;
mod dropout;
mod gru;
mod linear;
mod loss;
mod lstm;
mod norm;
mod packed;
mod pool;

pub use activation::Activation;
pub use candidates::candidate_logits;
pub use cells::{embed_cells, gate_cells};
pub use conv::{Convolution, ConvolutionWork, Window, conv2d};
pub use dropout::dropout;
pub use gru::gru_sequence;
pub use linear::linear;
pub use loss::{binary_cross_entropy, cross_entropy};
pub use lstm::{LstmState, lstm_sequence};
pub use norm::{BatchStatistics, RunningStatistics, batch_norm, batch_norm_inference};
pub use pool::max_pool2d;

use candle_core::{CpuStorage, Layout, Result, bail};

/// The values of a contiguous f32 tensor on the CPU.
fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let (CpuStorage::F32(v), Some((start, end))) = (storage, layout.contiguous_offsets()) else {
        bail!("a fused operation needs contiguous f32 tensors");
    };
    Ok(&v[start..end])
}

/// A matrix as (values, rows, columns), row-major, or its transpose.
#[derive(Clone, Copy)]
struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    transposed: bool,
}

impl<'a> Matrix<'a> {
    fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        debug_assert_eq!(values.len(), rows * columns);
        Self { values, rows, columns, transposed: false }
    }

    fn t(self) -> Self {
        Self { transposed: !self.transposed, ..self }
    }

    /// (rows, columns, row stride, column stride) as seen.
    fn shape(&self) -> (usize, usize, isize, isize) {
        if self.transposed {
            (self.columns, self.rows, 1, self.columns as isize)
        } else {
            (self.rows, self.columns, self.columns as isize, 1)
        }
    }
}

/// `out = out * keep + a b`, with `keep` 0 or 1; `out` is row-major.
fn multiply(out: &mut [f32], a: Matrix<'_>, b: Matrix<'_>, keep: bool) {
    let (m, k, a_rs, a_cs) = a.shape();
    let (k2, n, b_rs, b_cs) = b.shape();
    assert_eq!(k, k2);
    assert_eq!(out.len(), m * n);
    if out.is_empty() {
        return;
    }
    if k == 0 {
        if !keep {
            out.fill(0.0);
        }
        return;
    }
    let work = m * n * k;
    let threads = if work < 200_000 { 1 } else { rayon::current_num_threads() };
    let parallelism = if threads > 1 { gemm::Parallelism::Rayon(threads) } else { gemm::Parallelism::None };
    // SAFETY: the strides describe exactly the slices, whose lengths were checked above and at
    // construction; `out` is borrowed mutably and so overlaps neither input.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            keep,
            a.values.as_ptr(),
            a_cs,
            a_rs,
            b.values.as_ptr(),
            b_cs,
            b_rs,
            if keep { 1.0 } else { 0.0 },
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

#[cfg(test)]
mod layer_tests;
#[cfg(test)]
mod tests;
