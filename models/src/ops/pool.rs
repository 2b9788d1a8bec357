//! Pooling over two axes: the largest and the mean of each window.

use std::sync::{Arc, Mutex};

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::conv::Window;
use super::linear::with;
use super::values;

/// Largest value of each window: x is (images, channels, rows, columns), kernel and stride (rows, columns);
/// the result (images, channels, rows, columns) with windows that would reach over the edge left out. The
/// gradient goes to the first of the largest.
///
/// # Errors
/// When the kernel or a stride is zero or the kernel larger than the input.
pub fn max_pool2d(x: &Tensor, kernel: (usize, usize), stride: (usize, usize)) -> Result<Tensor> {
    pool(x, kernel, stride, Kind::Largest)
}

/// Mean of each window; otherwise as [`max_pool2d`]. With the whole input as kernel the mean of each channel,
/// (images, channels, 1, 1).
///
/// # Errors
/// As [`max_pool2d`].
pub fn mean_pool2d(x: &Tensor, kernel: (usize, usize), stride: (usize, usize)) -> Result<Tensor> {
    pool(x, kernel, stride, Kind::Mean)
}

fn pool(x: &Tensor, kernel: (usize, usize), stride: (usize, usize), kind: Kind) -> Result<Tensor> {
    let (images, channels, rows, columns) = x.dims4()?;
    let Some(out) = (Window { stride, padding: (0, 0) }).outputs((rows, columns), kernel) else {
        bail!("pooling: a window of {kernel:?} by steps of {stride:?} does not fit {rows}x{columns}");
    };
    if !x.device().is_cpu() {
        return composed(x, kernel, stride, out, kind);
    }
    let chosen = Arc::new(Mutex::new(vec![]));
    let op = Pool {
        planes: images * channels,
        size: (rows, columns),
        out,
        kernel,
        stride,
        kind,
        // What inference has no use for is not kept.
        keep: x.track_op() && kind == Kind::Largest,
        chosen,
    };
    x.contiguous()?.apply_op1(op)?.reshape((images, channels, out.0, out.1))
}

/// The same out of candle's operations.
pub(super) fn composed(
    x: &Tensor,
    kernel: (usize, usize),
    stride: (usize, usize),
    out: (usize, usize),
    kind: Kind,
) -> Result<Tensor> {
    let every = |from: usize, step: usize, n: usize| {
        let places: Vec<u32> = (0..n).map(|i| (from + i * step) as u32).collect();
        Tensor::from_vec(places, n, x.device())
    };
    let mut y: Option<Tensor> = None;
    for ky in 0..kernel.0 {
        for kx in 0..kernel.1 {
            let tap = x.index_select(&every(ky, stride.0, out.0)?, 2)?;
            let tap = tap.index_select(&every(kx, stride.1, out.1)?, 3)?;
            y = Some(match (y, kind) {
                (None, _) => tap,
                (Some(y), Kind::Largest) => y.maximum(&tap)?,
                (Some(y), Kind::Mean) => (y + tap)?,
            });
        }
    }
    let Some(y) = y else { bail!("pooling: an empty window") };
    if kind == Kind::Largest { Ok(y) } else { y / (kernel.0 * kernel.1) as f64 }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Largest,
    Mean,
}

struct Pool {
    planes: usize,
    size: (usize, usize),
    out: (usize, usize),
    kernel: (usize, usize),
    stride: (usize, usize),
    kind: Kind,
    keep: bool,
    /// Place within its plane of each result, left by the forward pass.
    chosen: Arc<Mutex<Vec<u32>>>,
}

impl Pool {
    /// The mean of each window of a plane.
    fn means(&self, x: &[f32], y: &mut [f32]) {
        let share = 1.0 / (self.kernel.0 * self.kernel.1) as f32;
        for (row, y) in y.chunks_exact_mut(self.out.1).enumerate() {
            for (column, y) in y.iter_mut().enumerate() {
                let mut sum = 0.0;
                for ky in 0..self.kernel.0 {
                    let at = (row * self.stride.0 + ky) * self.size.1 + column * self.stride.1;
                    sum += super::conv::total(&x[at..at + self.kernel.1]);
                }
                *y = sum * share;
            }
        }
    }

    /// The largest of each window of a plane, and calls `chosen(result, place)`.
    #[inline(always)]
    fn largest(&self, x: &[f32], y: &mut [f32], mut chosen: impl FnMut(usize, usize)) {
        for row in 0..self.out.0 {
            for column in 0..self.out.1 {
                let first = row * self.stride.0 * self.size.1 + column * self.stride.1;
                let (mut best, mut place) = (x[first], first);
                for ky in 0..self.kernel.0 {
                    let at = first + ky * self.size.1;
                    for (kx, &v) in x[at..at + self.kernel.1].iter().enumerate() {
                        // What is not a number must show.
                        if v > best || v.is_nan() {
                            (best, place) = (v, at + kx);
                        }
                    }
                }
                y[row * self.out.1 + column] = best;
                chosen(row * self.out.1 + column, place);
            }
        }
    }
}

impl CustomOp1 for Pool {
    fn name(&self) -> &'static str {
        "pooling"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (from, to) = (self.size.0 * self.size.1, self.out.0 * self.out.1);
        let x = values(x, layout)?.par_chunks_exact(from);
        let mut y = vec![0f32; self.planes * to];
        let planes = x.zip(y.par_chunks_exact_mut(to)).with_min_len(4);
        match self.kind {
            Kind::Mean => planes.for_each(|(x, y)| self.means(x, y)),
            Kind::Largest if !self.keep => planes.for_each(|(x, y)| self.largest(x, y, |_, _| ())),
            Kind::Largest => {
                let mut chosen = vec![0u32; self.planes * to];
                planes.zip(chosen.par_chunks_exact_mut(to)).for_each(|((x, y), chosen)| {
                    self.largest(x, y, |i, place| chosen[i] = place as u32);
                });
                *self.chosen.lock().unwrap_or_else(|e| e.into_inner()) = chosen;
            }
        }
        Ok((CpuStorage::F32(y), Shape::from((self.planes, to))))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (from, to) = (self.size.0 * self.size.1, self.out.0 * self.out.1);
        let mut dx = vec![0f32; self.planes * from];
        let chosen = self.chosen.lock().unwrap_or_else(|e| e.into_inner());
        with(&grad.contiguous()?, |g| {
            let planes = dx.par_chunks_exact_mut(from).zip(g.par_chunks_exact(to)).with_min_len(4);
            if self.kind == Kind::Largest {
                planes.zip(chosen.par_chunks_exact(to)).for_each(|((dx, g), chosen)| {
                    g.iter().zip(chosen).for_each(|(g, &place)| dx[place as usize] += g);
                });
                return;
            }
            let share = 1.0 / (self.kernel.0 * self.kernel.1) as f32;
            planes.for_each(|(dx, g)| {
                for (i, g) in g.iter().enumerate() {
                    let first = i / self.out.1 * self.stride.0 * self.size.1 + i % self.out.1 * self.stride.1;
                    for ky in 0..self.kernel.0 {
                        let at = first + ky * self.size.1;
                        dx[at..at + self.kernel.1].iter_mut().for_each(|d| *d += g * share);
                    }
                }
            });
        })?;
        Ok(Some(Tensor::from_vec(dx, x.shape(), x.device())?))
    }
}
