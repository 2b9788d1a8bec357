//! Pooling over two axes: the largest of each window.

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
    let (images, channels, rows, columns) = x.dims4()?;
    let Some(out) = (Window { stride, padding: (0, 0) }).outputs((rows, columns), kernel) else {
        bail!("pooling: a window of {kernel:?} by steps of {stride:?} does not fit {rows}x{columns}");
    };
    if !x.device().is_cpu() {
        return composed(x, kernel, stride, out);
    }
    let op = Pool { planes: images * channels, size: (rows, columns), out, kernel, stride };
    x.contiguous()?.apply_op1(op)?.reshape((images, channels, out.0, out.1))
}

/// The same out of candle's operations.
pub(super) fn composed(
    x: &Tensor,
    kernel: (usize, usize),
    stride: (usize, usize),
    out: (usize, usize),
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
            y = Some(match y {
                None => tap,
                Some(y) => y.maximum(&tap)?,
            });
        }
    }
    y.ok_or_else(|| candle_core::Error::Msg("pooling: an empty window".into()))
}

struct Pool {
    planes: usize,
    size: (usize, usize),
    out: (usize, usize),
    kernel: (usize, usize),
    stride: (usize, usize),
}

impl Pool {
    /// The largest of each window of a plane: first down, over whole rows, then across.
    fn largest(&self, x: &[f32], y: &mut [f32]) {
        let (kernel, step) = (self.kernel.1, self.stride.1);
        let width = (self.out.1 - 1) * step + kernel;
        let mut best = vec![0f32; width];
        for (row, y) in y.chunks_exact_mut(self.out.1).enumerate() {
            let lines = &x[row * self.stride.0 * self.size.1..];
            best.copy_from_slice(&lines[..width]);
            for line in lines.chunks(self.size.1).take(self.kernel.0).skip(1) {
                best.iter_mut().zip(line).for_each(|(best, v)| *best = best.max(*v));
            }
            if (kernel, step) == (2, 2) {
                y.iter_mut().zip(best.chunks_exact(2)).for_each(|(y, w)| *y = w[0].max(w[1]));
            } else {
                let windows = best.windows(kernel).step_by(step);
                y.iter_mut().zip(windows).for_each(|(y, w)| *y = w[1..].iter().fold(w[0], |b, v| b.max(*v)));
            }
        }
    }

    /// Adds the gradient to the first of the largest of each window of a plane. Without a branch: which value
    /// of a window is the largest is nothing that a processor could guess.
    fn to_largest(&self, x: &[f32], y: &[f32], g: &[f32], dx: &mut [f32]) {
        let step = self.stride.1;
        // All bits set while the largest of a window has not been met.
        let mut open = vec![0u32; self.out.1];
        for (row, (y, g)) in y.chunks_exact(self.out.1).zip(g.chunks_exact(self.out.1)).enumerate() {
            open.fill(u32::MAX);
            let results = || y.iter().zip(g);
            for ky in 0..self.kernel.0 {
                let line = (row * self.stride.0 + ky) * self.size.1;
                if (self.kernel.1, step) == (2, 2) {
                    let pairs = x[line..].chunks_exact(2).zip(dx[line..].chunks_exact_mut(2));
                    for (((x, dx), open), (y, g)) in pairs.zip(&mut open).zip(results()) {
                        meet(x[0], *y, *g, open, &mut dx[0]);
                        meet(x[1], *y, *g, open, &mut dx[1]);
                    }
                    continue;
                }
                for kx in 0..self.kernel.1 {
                    let at = line + kx;
                    let places = x[at..].iter().zip(&mut dx[at..]).step_by(step);
                    for (((x, dx), open), (y, g)) in places.zip(&mut open).zip(results()) {
                        meet(*x, *y, *g, open, dx);
                    }
                }
            }
        }
    }
}

/// Where a value `x` is the largest `y` of a window that is still open, adds the gradient and closes it.
#[inline(always)]
fn meet(x: f32, y: f32, g: f32, open: &mut u32, dx: &mut f32) {
    let met = *open & u32::from(x >= y).wrapping_neg();
    *open &= !met;
    *dx += f32::from_bits(g.to_bits() & met);
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
        planes.for_each(|(x, y)| self.largest(x, y));
        Ok((CpuStorage::F32(y), Shape::from((self.planes, to))))
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (from, to) = (self.size.0 * self.size.1, self.out.0 * self.out.1);
        let mut dx = vec![0f32; self.planes * from];
        let grad = grad.contiguous()?;
        with(x, |x| {
            with(y, |y| {
                with(&grad, |g| {
                    let results = y.par_chunks_exact(to).zip(g.par_chunks_exact(to));
                    let inputs = x.par_chunks_exact(from).zip(dx.par_chunks_exact_mut(from));
                    let planes = results.zip(inputs).with_min_len(4);
                    planes.for_each(|((y, g), (x, dx))| self.to_largest(x, y, g, dx));
                })
            })
        })???;
        Ok(Some(Tensor::from_vec(dx, x.shape(), x.device())?))
    }
}
