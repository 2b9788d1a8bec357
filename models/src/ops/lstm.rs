//! A long short-term memory layer over a whole sequence (Hochreiter & Schmidhuber 1997, with forget gate).

use std::sync::{Arc, Mutex};

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use super::linear::with;
use super::{Matrix, multiply, values};

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

pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// The hyperbolic tangent by way of exp, which vectorises; within 2e-7.
pub(super) fn tanh(x: f32) -> f32 {
    let e = (-2.0 * x.abs()).exp();
    ((1.0 - e) / (1.0 + e)).copysign(x)
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
        let w = Matrix::new(values(w, w_layout)?, 4 * hidden, hidden);
        let rows = z.len() / (4 * hidden);
        let mut out = vec![0f32; rows * hidden];
        let mut cells = vec![0f32; rows * hidden];
        for row in (0..rows).step_by(n) {
            let zs = &mut z[row * 4 * hidden..(row + n) * 4 * hidden];
            let (done, rest) = out.split_at_mut(row * hidden);
            let h = if row == 0 { &self.start.h[..] } else { &done[(row - n) * hidden..] };
            multiply(zs, Matrix::new(h, n, hidden), w.t(), true);
            let (c_done, c_rest) = cells.split_at_mut(row * hidden);
            let c_before = if row == 0 { &self.start.c[..] } else { &c_done[(row - n) * hidden..] };
            for lane in 0..n {
                let z = &mut zs[lane * 4 * hidden..(lane + 1) * 4 * hidden];
                let (zi, z) = z.split_at_mut(hidden);
                let (zf, z) = z.split_at_mut(hidden);
                let (zg, zo) = z.split_at_mut(hidden);
                let span = lane * hidden..(lane + 1) * hidden;
                let (c, h) = (&mut c_rest[span.clone()], &mut rest[span.clone()]);
                let before = &c_before[span];
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
            with(&grad, |grad| {
                for row in (0..rows).step_by(n).rev() {
                    let zs = &mut dz[row * 4 * hidden..(row + n) * 4 * hidden];
                    for lane in 0..n {
                        let z = &mut zs[lane * 4 * hidden..(lane + 1) * 4 * hidden];
                        let (zi, z) = z.split_at_mut(hidden);
                        let (zf, z) = z.split_at_mut(hidden);
                        let (zg, zo) = z.split_at_mut(hidden);
                        let at = (row + lane) * hidden;
                        let c = &saved.cells[at..at + hidden];
                        let before = match (row + lane).checked_sub(n) {
                            Some(r) => &saved.cells[r * hidden..(r + 1) * hidden],
                            None => &self.start.c[lane * hidden..(lane + 1) * hidden],
                        };
                        let g = &grad[at..at + hidden];
                        let dh = &dh[lane * hidden..(lane + 1) * hidden];
                        let dc = &mut dc[lane * hidden..(lane + 1) * hidden];
                        for j in 0..hidden {
                            let (i, f, a, o) = (zi[j], zf[j], zg[j], zo[j]);
                            let t = tanh(c[j]);
                            let h = g[j] + dh[j];
                            let d = dc[j] + h * o * (1.0 - t * t);
                            zo[j] = h * t * o * (1.0 - o);
                            zi[j] = d * a * i * (1.0 - i);
                            zf[j] = d * before[j] * f * (1.0 - f);
                            zg[j] = d * i * (1.0 - a * a);
                            dc[j] = d * f;
                        }
                    }
                    if row > 0 {
                        let w = Matrix::new(w, 4 * hidden, hidden);
                        multiply(&mut dh, Matrix::new(zs, n, 4 * hidden), w, false);
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
