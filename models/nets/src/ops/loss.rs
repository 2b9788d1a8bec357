//! Losses that are summed over their rows, with the gradient made in the forward pass.

use std::sync::Mutex;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use rayon::prelude::*;

use super::values;
use sideman_inference::kernel::activation::{exp, ln_1p};
use sideman_inference::wide;

/// Values that a thread does at once.
const CHUNK: usize = 1 << 14;

/// Sum over rows of the cross-entropy in nats of softmax(logits) (rows, classes) against a class each.
///
/// # Errors
/// When the number of targets is not the number of rows, or a target is not a class.
pub fn cross_entropy(logits: &Tensor, targets: &[u32]) -> Result<Tensor> {
    let (rows, classes) = logits.dims2()?;
    if rows != targets.len() || targets.iter().any(|&t| t as usize >= classes) {
        candle_core::bail!("cross entropy: {} targets for {rows} rows of {classes} classes", targets.len());
    }
    if rows == 0 {
        return Tensor::zeros((), logits.dtype(), logits.device());
    }
    if logits.device().is_cpu() {
        return logits
            .contiguous()?
            .apply_op1(SoftmaxLoss { targets: targets.to_vec(), gradient: Mutex::default() });
    }
    let log = candle_nn::ops::log_softmax(logits, 1)?;
    log.gather(&Tensor::from_slice(targets, (rows, 1), logits.device())?, 1)?.sum_all()?.neg()
}

/// Sum over all elements of `weight * cross-entropy` in nats of sigmoid(logits) against targets of 0 to 1.
/// Targets and weights are in the order of the logits.
///
/// # Errors
/// When the sizes differ.
pub fn binary_cross_entropy(logits: &Tensor, targets: &[f32], weights: &[f32]) -> Result<Tensor> {
    let n = logits.elem_count();
    if targets.len() != n || weights.len() != n {
        candle_core::bail!(
            "binary cross entropy: {} targets, {} weights for {n}",
            targets.len(),
            weights.len()
        );
    }
    if n == 0 {
        return Tensor::zeros((), logits.dtype(), logits.device());
    }
    if logits.device().is_cpu() {
        let op =
            SigmoidLoss { targets: targets.to_vec(), weights: weights.to_vec(), gradient: Mutex::default() };
        return logits.contiguous()?.apply_op1(op);
    }
    let y = Tensor::from_slice(targets, logits.shape(), logits.device())?;
    let w = Tensor::from_slice(weights, logits.shape(), logits.device())?;
    // max(x, 0) - x y + log(1 + exp(-|x|))
    let soft = (logits.abs()?.neg()?.exp()? + 1.0)?.log()?;
    (w * ((logits.relu()? - (logits * y)?)? + soft)?)?.sum_all()
}

/// The gradient stored by the forward pass, times the gradient of the sum.
fn scaled(stored: &Mutex<Vec<f32>>, like: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
    let scale = grad.to_scalar::<f32>()?;
    let mut g = std::mem::take(&mut *stored.lock().unwrap_or_else(|e| e.into_inner()));
    if g.len() != like.elem_count() {
        candle_core::bail!("a second backward pass through the same loss");
    }
    g.iter_mut().for_each(|v| *v *= scale);
    Ok(Some(Tensor::from_vec(g, like.shape(), like.device())?))
}

wide! {
    /// Turns rows of logits into gradients, and returns the sum of their losses.
    fn softmax_rows(p: &mut [f32], targets: &[u32]) -> f64 {
        let classes = p.len() / targets.len().max(1);
        let mut sum = 0f64;
        for (row, &target) in p.chunks_exact_mut(classes.max(1)).zip(targets) {
            let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let own = row[target as usize] - top;
            row.iter_mut().for_each(|v| *v = exp(*v - top));
            let mut sums = [0f32; 8];
            let (groups, rest) = row.as_chunks::<8>();
            groups.iter().for_each(|g| sums.iter_mut().zip(g).for_each(|(s, v)| *s += v));
            let total = sums.iter().sum::<f32>() + rest.iter().sum::<f32>();
            row.iter_mut().for_each(|v| *v /= total);
            row[target as usize] -= 1.0;
            sum += f64::from(total.ln() - own);
        }
        sum
    }
}

wide! {
    /// Turns logits into gradients, and returns the weighted sum of their losses.
    fn sigmoid_cells(g: &mut [f32], targets: &[f32], weights: &[f32]) -> f64 {
        let mut sums = [0f32; 8];
        let cell = |sum: &mut f32, v: &mut f32, y: f32, w: f32| {
            let x = *v;
            let e = exp(-x.abs());
            // x y rather than the exponential carries NaN into the sum.
            *sum += w * (x.max(0.0) - x * y + ln_1p(e));
            *v = w * ((if x < 0.0 { e } else { 1.0 }) / (1.0 + e) - y);
        };
        let (groups, rest) = g.as_chunks_mut::<8>();
        let whole = groups.len() * 8;
        for (i, group) in groups.iter_mut().enumerate() {
            let (y, w) = (&targets[8 * i..8 * i + 8], &weights[8 * i..8 * i + 8]);
            for k in 0..8 {
                cell(&mut sums[k], &mut group[k], y[k], w[k]);
            }
        }
        for (k, v) in rest.iter_mut().enumerate() {
            cell(&mut sums[k], v, targets[whole + k], weights[whole + k]);
        }
        sums.iter().map(|&s| f64::from(s)).sum()
    }
}

struct SoftmaxLoss {
    targets: Vec<u32>,
    gradient: Mutex<Vec<f32>>,
}

impl CustomOp1 for SoftmaxLoss {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut p = values(logits, layout)?.to_vec();
        let classes = layout.shape().dims2()?.1;
        let rows = (CHUNK / classes).max(1);
        let sums = p
            .par_chunks_mut(rows * classes)
            .zip(self.targets.par_chunks(rows))
            .map(|(p, targets)| softmax_rows(p, targets));
        // In one order, whatever the number of threads.
        let sum: f64 = sums.collect::<Vec<f64>>().into_iter().sum();
        *self.gradient.lock().unwrap_or_else(|e| e.into_inner()) = p;
        Ok((CpuStorage::F32(vec![sum as f32]), Shape::from(())))
    }

    fn bwd(&self, logits: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        scaled(&self.gradient, logits, grad)
    }
}

struct SigmoidLoss {
    targets: Vec<f32>,
    weights: Vec<f32>,
    gradient: Mutex<Vec<f32>>,
}

impl CustomOp1 for SigmoidLoss {
    fn name(&self) -> &'static str {
        "binary-cross-entropy"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut g = values(logits, layout)?.to_vec();
        let chunks =
            g.par_chunks_mut(CHUNK).zip(self.targets.par_chunks(CHUNK)).zip(self.weights.par_chunks(CHUNK));
        let sums = chunks.map(|((g, targets), weights)| sigmoid_cells(g, targets, weights));
        let sum: f64 = sums.collect::<Vec<f64>>().into_iter().sum();
        *self.gradient.lock().unwrap_or_else(|e| e.into_inner()) = g;
        Ok((CpuStorage::F32(vec![sum as f32]), Shape::from(())))
    }

    fn bwd(&self, logits: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        scaled(&self.gradient, logits, grad)
    }
}
