//! A gated recurrent unit layer over a whole sequence (Cho et al. 2014), in the form whose reset gate comes
//! after the recurrent product: PyTorch's, and Keras's with `reset_after`.

use std::sync::{Arc, Mutex};

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use super::linear::with;
use super::packed::Packed;
use super::{Matrix, multiply, values};
use sideman_inference::kernel::activation::{sigmoid, tanh};

/// Runs a sequence: `gates` is (steps * lanes, 3 * hidden), the input's share of the gates r, z, n with their
/// bias, time-major; `w` the recurrent weights (3 * hidden, hidden) and `b` their bias (3 * hidden), of which
/// that of n stands within the reset; `h` the output before, (lanes, hidden) row-major, through which no
/// gradient flows. Returns the outputs (steps * lanes, hidden); the last (lanes, hidden) of them are the `h` of
/// the next chunk.
///
/// r = sigmoid(Wr x + Ur h), z = sigmoid(Wz x + Uz h), n = tanh(Wn x + r (Un h + bn)), h' = (1 - z) n + z h.
///
/// # Errors
/// When the shapes do not fit.
pub fn gru_sequence(gates: &Tensor, w: &Tensor, b: &Tensor, h: &[f32]) -> Result<(Tensor, Vec<f32>)> {
    let hidden = w.dim(1)?;
    let lanes = h.len() / hidden.max(1);
    let (rows, width) = gates.dims2()?;
    if w.dim(0)? != 3 * hidden
        || width != 3 * hidden
        || b.elem_count() != 3 * hidden
        || lanes * hidden != h.len()
        || lanes == 0
        || rows % lanes != 0
        || rows == 0
    {
        candle_core::bail!(
            "gru: {rows}x{width} gates, {} biases, {lanes} lanes and {hidden} units do not fit",
            b.elem_count()
        );
    }
    let out = if gates.device().is_cpu() {
        let op = Gru { lanes, hidden, start: h.to_vec(), saved: Arc::default() };
        gates.contiguous()?.apply_op3(&w.contiguous()?, &b.contiguous()?, op)?
    } else {
        composed(gates, w, b, h)?
    };
    let last = out.narrow(0, rows - lanes, lanes)?.flatten_all()?.to_vec1()?;
    Ok((out, last))
}

/// The same out of candle's operations.
pub(super) fn composed(gates: &Tensor, w: &Tensor, b: &Tensor, h: &[f32]) -> Result<Tensor> {
    let (hidden, device) = (w.dim(1)?, gates.device());
    let lanes = h.len() / hidden;
    let mut h = Tensor::from_slice(h, (lanes, hidden), device)?;
    let wt = w.t()?;
    let mut out = vec![];
    for step in 0..gates.dim(0)? / lanes {
        let x = gates.narrow(0, step * lanes, lanes)?;
        let own = h.matmul(&wt)?.broadcast_add(b)?;
        let both = |i| x.narrow(1, i * hidden, hidden)? + own.narrow(1, i * hidden, hidden)?;
        let (r, z) = (candle_nn::ops::sigmoid(&both(0)?)?, candle_nn::ops::sigmoid(&both(1)?)?);
        let reset = (r * own.narrow(1, 2 * hidden, hidden)?)?;
        let n = (x.narrow(1, 2 * hidden, hidden)? + reset)?.tanh()?;
        h = (((1.0 - &z)? * n)? + (z * &h)?)?;
        out.push(h.clone());
    }
    Tensor::cat(&out, 0)
}

/// What the forward pass leaves for the backward pass: activated gates (rows, 3 * hidden), and what the reset
/// gate was multiplied with (rows, hidden).
#[derive(Default)]
struct Saved {
    gates: Vec<f32>,
    inner: Vec<f32>,
}

struct Gru {
    lanes: usize,
    hidden: usize,
    start: Vec<f32>,
    saved: Arc<Mutex<Saved>>,
}

impl CustomOp3 for Gru {
    fn name(&self) -> &'static str {
        "gru"
    }

    fn cpu_fwd(
        &self,
        gates: &CpuStorage,
        gates_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (n, hidden) = (self.lanes, self.hidden);
        let mut z = values(gates, gates_layout)?.to_vec();
        let w = Packed::new(values(w, w_layout)?, hidden, 3 * hidden, (1, hidden));
        let b = values(b, b_layout)?;
        let rows = z.len() / (3 * hidden);
        let (mut out, mut inner) = (vec![0f32; rows * hidden], vec![0f32; rows * hidden]);
        let mut own = vec![0f32; n * 3 * hidden];
        for row in (0..rows).step_by(n) {
            let (done, rest) = out.split_at_mut(row * hidden);
            let before = if row == 0 { &self.start[..] } else { &done[(row - n) * hidden..] };
            w.multiply(&mut own, &before[..n * hidden], false);
            for lane in 0..n {
                let own = &own[lane * 3 * hidden..(lane + 1) * 3 * hidden];
                let z = &mut z[(row + lane) * 3 * hidden..(row + lane + 1) * 3 * hidden];
                let (zr, z) = z.split_at_mut(hidden);
                let (zz, zn) = z.split_at_mut(hidden);
                let inner = &mut inner[(row + lane) * hidden..(row + lane + 1) * hidden];
                let span = lane * hidden..(lane + 1) * hidden;
                let (before, h) = (&before[span.clone()], &mut rest[span]);
                for j in 0..hidden {
                    zr[j] = sigmoid(zr[j] + own[j] + b[j]);
                    zz[j] = sigmoid(zz[j] + own[hidden + j] + b[hidden + j]);
                    inner[j] = own[2 * hidden + j] + b[2 * hidden + j];
                    zn[j] = tanh(zn[j] + zr[j] * inner[j]);
                    h[j] = (1.0 - zz[j]) * zn[j] + zz[j] * before[j];
                }
            }
        }
        *self.saved.lock().unwrap_or_else(|e| e.into_inner()) = Saved { gates: z, inner };
        Ok((CpuStorage::F32(out), Shape::from((rows, hidden))))
    }

    fn bwd(
        &self,
        gates: &Tensor,
        w: &Tensor,
        b: &Tensor,
        out: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (n, hidden) = (self.lanes, self.hidden);
        let saved = std::mem::take(&mut *self.saved.lock().unwrap_or_else(|e| e.into_inner()));
        let rows = saved.inner.len() / hidden;
        if rows == 0 {
            candle_core::bail!("gru: a second backward pass through the same forward pass");
        }
        // The gradients of the input's share and of the recurrent one differ in n only.
        let mut dz = saved.gates;
        let mut own = vec![0f32; rows * 3 * hidden];
        let (mut dh, mut through) = (vec![0f32; n * hidden], vec![0f32; n * hidden]);
        let grad = grad.contiguous()?;
        let mut dw = vec![0f32; 3 * hidden * hidden];
        with(out, |out| {
            with(w, |w| {
                let w = Packed::new(w, 3 * hidden, hidden, (hidden, 1));
                with(&grad, |grad| {
                    for row in (0..rows).step_by(n).rev() {
                        for lane in 0..n {
                            let at = (row + lane) * hidden;
                            let z = &mut dz[3 * at..3 * (at + hidden)];
                            let (zr, z) = z.split_at_mut(hidden);
                            let (zz, zn) = z.split_at_mut(hidden);
                            let own = &mut own[3 * at..3 * (at + hidden)];
                            let before = match (row + lane).checked_sub(n) {
                                Some(r) => &out[r * hidden..(r + 1) * hidden],
                                None => &self.start[lane * hidden..(lane + 1) * hidden],
                            };
                            let (inner, g) = (&saved.inner[at..at + hidden], &grad[at..at + hidden]);
                            let dh = &mut dh[lane * hidden..(lane + 1) * hidden];
                            let through = &mut through[lane * hidden..(lane + 1) * hidden];
                            for j in 0..hidden {
                                let (r, z, a) = (zr[j], zz[j], zn[j]);
                                let h = g[j] + dh[j];
                                let d = h * (1.0 - z) * (1.0 - a * a);
                                zn[j] = d;
                                zr[j] = d * inner[j] * r * (1.0 - r);
                                zz[j] = h * (before[j] - a) * z * (1.0 - z);
                                own[j] = zr[j];
                                own[hidden + j] = zz[j];
                                own[2 * hidden + j] = d * r;
                                through[j] = h * z;
                            }
                        }
                        if row > 0 {
                            dh.copy_from_slice(&through);
                            w.multiply(&mut dh, &own[3 * row * hidden..3 * (row + n) * hidden], true);
                        }
                    }
                })
            })?
        })??;
        with(out, |out| {
            let (first, rest) = own.split_at(3 * n * hidden);
            let start = Matrix::new(&self.start, n, hidden);
            multiply(&mut dw, Matrix::new(first, n, 3 * hidden).t(), start, false);
            if rows > n {
                let before = Matrix::new(&out[..(rows - n) * hidden], rows - n, hidden);
                multiply(&mut dw, Matrix::new(rest, rows - n, 3 * hidden).t(), before, true);
            }
        })?;
        let mut db = vec![0f32; 3 * hidden];
        for own in own.chunks_exact(3 * hidden) {
            db.iter_mut().zip(own).for_each(|(b, g)| *b += g);
        }
        let device = gates.device();
        Ok((
            Some(Tensor::from_vec(dz, (rows, 3 * hidden), device)?),
            Some(Tensor::from_vec(dw, (3 * hidden, hidden), device)?),
            Some(Tensor::from_vec(db, b.shape(), device)?),
        ))
    }
}
