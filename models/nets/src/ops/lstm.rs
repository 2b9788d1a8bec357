//! A long short-term memory layer over a whole sequence (Hochreiter & Schmidhuber 1997, with forget gate).

use std::sync::{Arc, Mutex};

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::linear::with;
use super::packed::Packed;
use super::{Matrix, multiply, values};
use sideman_inference::kernel::activation::{sigmoid, tanh};
use sideman_inference::wide;

/// The state that a layer carries from one chunk of a sequence to the next: h and c, (lanes, hidden) each,
/// row-major. No gradient flows through it.
#[derive(Debug, Clone, PartialEq)]
pub struct LstmState {
    /// Output of the last step.
    pub h: Vec<f32>,
    /// Cell of the last step.
    pub c: Vec<f32>,
}

impl LstmState {
    /// All zeros.
    pub fn zeros(lanes: usize, hidden: usize) -> Self {
        Self { h: vec![0.0; lanes * hidden], c: vec![0.0; lanes * hidden] }
    }

    /// Sets one lane to zeros, as at the start of a song.
    pub fn clear_lane(&mut self, lane: usize, hidden: usize) {
        self.h[lane * hidden..(lane + 1) * hidden].fill(0.0);
        self.c[lane * hidden..(lane + 1) * hidden].fill(0.0);
    }
}

/// Runs a sequence: `gates` is (steps * lanes, 4 * hidden), the input's share of the gates i, f, g, o with
/// their bias, time-major; `w` the recurrent weights (4 * hidden, hidden). Returns the outputs
/// (steps * lanes, hidden) and the state after the last step.
///
/// # Errors
/// When the shapes do not fit.
pub fn lstm_sequence(gates: &Tensor, w: &Tensor, state: &LstmState) -> Result<(Tensor, LstmState)> {
    let hidden = w.dim(1)?;
    let lanes = state.h.len() / hidden;
    let (rows, width) = gates.dims2()?;
    if w.dim(0)? != 4 * hidden || width != 4 * hidden || lanes == 0 || rows % lanes != 0 {
        candle_core::bail!("lstm: {rows}x{width} gates, {lanes} lanes and {hidden} units do not fit");
    }
    if !gates.device().is_cpu() {
        return composed(gates, w, state);
    }
    let saved = Arc::new(Mutex::new(Saved::default()));
    let op = Lstm { lanes, hidden, start: state.clone(), saved: saved.clone() };
    let out = gates.contiguous()?.apply_op2(&w.contiguous()?, op)?;
    let last = rows - lanes;
    let c = saved.lock().unwrap_or_else(|e| e.into_inner()).cells[last * hidden..].to_vec();
    let h = with(&out, |v| v[last * hidden..].to_vec())?;
    Ok((out, LstmState { h, c }))
}

/// The same out of candle's operations.
pub(super) fn composed(gates: &Tensor, w: &Tensor, state: &LstmState) -> Result<(Tensor, LstmState)> {
    let (hidden, device) = (w.dim(1)?, gates.device());
    let lanes = state.h.len() / hidden;
    let mut h = Tensor::from_vec(state.h.clone(), (lanes, hidden), device)?;
    let mut c = Tensor::from_vec(state.c.clone(), (lanes, hidden), device)?;
    let wt = w.t()?;
    let mut out = vec![];
    for step in 0..gates.dim(0)? / lanes {
        let z = (gates.narrow(0, step * lanes, lanes)? + h.matmul(&wt)?)?;
        let gate = |i| z.narrow(1, i * hidden, hidden);
        let (i, f, o) = (
            candle_nn::ops::sigmoid(&gate(0)?)?,
            candle_nn::ops::sigmoid(&gate(1)?)?,
            candle_nn::ops::sigmoid(&gate(3)?)?,
        );
        c = ((f * c)? + (i * gate(2)?.tanh()?)?)?;
        h = (o * c.tanh()?)?;
        out.push(h.clone());
    }
    let state = LstmState { h: h.flatten_all()?.to_vec1()?, c: c.flatten_all()?.to_vec1()? };
    Ok((Tensor::cat(&out, 0)?, state))
}

/// What the forward pass leaves for the backward pass: activated gates and cells.
#[derive(Default)]
struct Saved {
    gates: Vec<f32>,
    cells: Vec<f32>,
}

struct Lstm {
    lanes: usize,
    hidden: usize,
    start: LstmState,
    saved: Arc<Mutex<Saved>>,
}

/// Numbers of the lanes, in groups that are worth a thread.
fn lanes(n: usize, hidden: usize) -> impl IndexedParallelIterator<Item = usize> {
    (0..n).into_par_iter().with_min_len((1 << 13) / hidden.max(1) + 1)
}

wide! {
    /// A step of a lane: gates, which are activated in place, the cells before, and the cells and outputs after.
    fn forward(z: &mut [f32], before: &[f32], c: &mut [f32], h: &mut [f32]) {
        let hidden = c.len();
        let (zi, z) = z.split_at_mut(hidden);
        let (zf, z) = z.split_at_mut(hidden);
        let (zg, zo) = z.split_at_mut(hidden);
        let (zo, before, h) = (&mut zo[..hidden], &before[..hidden], &mut h[..hidden]);
        for j in 0..hidden {
            zi[j] = sigmoid(zi[j]);
            zf[j] = sigmoid(zf[j]);
            zg[j] = tanh(zg[j]);
            zo[j] = sigmoid(zo[j]);
            c[j] = zf[j] * before[j] + zi[j] * zg[j];
            h[j] = zo[j] * tanh(c[j]);
        }
    }
}

wide! {
    /// The same backward: activated gates, which become their gradients, the cells after and before, the gradients of
    /// the outputs from above and from the next step, and that of the cells, which becomes that of the step before.
    fn backward(z: &mut [f32], c: &[f32], before: &[f32], above: &[f32], dh: &[f32], dc: &mut [f32]) {
        let hidden = dc.len();
        let (zi, z) = z.split_at_mut(hidden);
        let (zf, z) = z.split_at_mut(hidden);
        let (zg, zo) = z.split_at_mut(hidden);
        let (zo, c, before) = (&mut zo[..hidden], &c[..hidden], &before[..hidden]);
        let (above, dh) = (&above[..hidden], &dh[..hidden]);
        for j in 0..hidden {
            let (i, f, a, o) = (zi[j], zf[j], zg[j], zo[j]);
            let t = tanh(c[j]);
            let h = above[j] + dh[j];
            let d = dc[j] + h * o * (1.0 - t * t);
            zo[j] = h * t * o * (1.0 - o);
            zi[j] = d * a * i * (1.0 - i);
            zf[j] = d * before[j] * f * (1.0 - f);
            zg[j] = d * i * (1.0 - a * a);
            dc[j] = d * f;
        }
    }
}

impl CustomOp2 for Lstm {
    fn name(&self) -> &'static str {
        "lstm"
    }

    fn cpu_fwd(
        &self,
        gates: &CpuStorage,
        gates_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (n, hidden) = (self.lanes, self.hidden);
        let mut z = values(gates, gates_layout)?.to_vec();
        let w = Packed::new(values(w, w_layout)?, hidden, 4 * hidden, (1, hidden));
        let rows = z.len() / (4 * hidden);
        let mut out = vec![0f32; rows * hidden];
        let mut cells = vec![0f32; rows * hidden];
        for row in (0..rows).step_by(n) {
            let zs = &mut z[row * 4 * hidden..(row + n) * 4 * hidden];
            let (done, rest) = out.split_at_mut(row * hidden);
            let h = if row == 0 { &self.start.h[..] } else { &done[(row - n) * hidden..] };
            w.multiply(zs, &h[..n * hidden], true);
            let (c_done, c_rest) = cells.split_at_mut(row * hidden);
            let c_before = if row == 0 { &self.start.c[..] } else { &c_done[(row - n) * hidden..] };
            let (c, h) = (&mut c_rest[..n * hidden], &mut rest[..n * hidden]);
            lanes(n, hidden)
                .zip(zs.par_chunks_mut(4 * hidden))
                .zip(c.par_chunks_mut(hidden).zip(h.par_chunks_mut(hidden)))
                .for_each(|((lane, z), (c, h))| {
                    forward(z, &c_before[lane * hidden..(lane + 1) * hidden], c, h);
                });
        }
        *self.saved.lock().unwrap_or_else(|e| e.into_inner()) = Saved { gates: z, cells };
        Ok((CpuStorage::F32(out), Shape::from((rows, hidden))))
    }

    fn bwd(
        &self,
        gates: &Tensor,
        w: &Tensor,
        out: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (n, hidden) = (self.lanes, self.hidden);
        let saved = std::mem::take(&mut *self.saved.lock().unwrap_or_else(|e| e.into_inner()));
        let rows = saved.cells.len() / hidden;
        if rows == 0 {
            candle_core::bail!("lstm: a second backward pass through the same forward pass");
        }
        let mut dz = saved.gates;
        let mut dh = vec![0f32; n * hidden];
        let mut dc = vec![0f32; n * hidden];
        let grad = grad.contiguous()?;
        with(w, |w| {
            let w = Packed::new(w, 4 * hidden, hidden, (hidden, 1));
            with(&grad, |grad| {
                for row in (0..rows).step_by(n).rev() {
                    let zs = &mut dz[row * 4 * hidden..(row + n) * 4 * hidden];
                    lanes(n, hidden)
                        .zip(zs.par_chunks_mut(4 * hidden))
                        .zip(dc.par_chunks_mut(hidden))
                        .for_each(|((lane, z), dc)| {
                            let at = (row + lane) * hidden;
                            let before = match (row + lane).checked_sub(n) {
                                Some(r) => &saved.cells[r * hidden..(r + 1) * hidden],
                                None => &self.start.c[lane * hidden..(lane + 1) * hidden],
                            };
                            let dh = &dh[lane * hidden..(lane + 1) * hidden];
                            backward(
                                z,
                                &saved.cells[at..at + hidden],
                                before,
                                &grad[at..at + hidden],
                                dh,
                                dc,
                            );
                        });
                    if row > 0 {
                        w.multiply(&mut dh, zs, false);
                    }
                }
            })
        })??;
        let mut dw = vec![0f32; 4 * hidden * hidden];
        with(out, |out| {
            let first = Matrix::new(&self.start.h, n, hidden);
            multiply(&mut dw, Matrix::new(&dz[..n * 4 * hidden], n, 4 * hidden).t(), first, false);
            if rows > n {
                let before = Matrix::new(&out[..(rows - n) * hidden], rows - n, hidden);
                multiply(&mut dw, Matrix::new(&dz[n * 4 * hidden..], rows - n, 4 * hidden).t(), before, true);
            }
        })?;
        let device = gates.device();
        let dz = Tensor::from_vec(dz, (rows, 4 * hidden), device)?;
        Ok((Some(dz), Some(Tensor::from_vec(dw, (4 * hidden, hidden), device)?)))
    }
}
