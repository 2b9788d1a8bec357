//! A fully connected layer with its bias and activation in one operation.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use super::{Activation, Matrix, activation, multiply, values};

/// `activation(x w^T + b)`: x is (rows, inputs), w (outputs, inputs), b (outputs); the result (rows, outputs).
///
/// # Errors
/// When the shapes do not fit.
pub fn linear(x: &Tensor, w: &Tensor, b: &Tensor, activation: Activation) -> Result<Tensor> {
    if x.device().is_cpu() {
        return x.contiguous()?.apply_op3(&w.contiguous()?, b, Linear { activation });
    }
    activation::composed(activation, &x.matmul(&w.t()?)?.broadcast_add(b)?)
}

struct Linear {
    activation: Activation,
}

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, inputs) = x_layout.shape().dims2()?;
        let (outputs, w_inputs) = w_layout.shape().dims2()?;
        if w_inputs != inputs || b_layout.shape().elem_count() != outputs {
            candle_core::bail!("linear: {rows}x{inputs} by {outputs}x{w_inputs} do not fit");
        }
        let (x, w, b) = (values(x, x_layout)?, values(w, w_layout)?, values(b, b_layout)?);
        let mut y = vec![0f32; rows * outputs];
        multiply(&mut y, Matrix::new(x, rows, inputs), Matrix::new(w, outputs, inputs).t(), false);
        for row in y.chunks_exact_mut(outputs.max(1)) {
            row.iter_mut().zip(b).for_each(|(v, b)| *v += b);
            self.activation.apply(row);
        }
        Ok((CpuStorage::F32(y), Shape::from((rows, outputs))))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let ((rows, inputs), outputs) = (x.dims2()?, w.dim(0)?);
        let device = x.device();
        let grad = grad.contiguous()?;
        let mut g = vec![];
        with(&grad, |v| g.extend_from_slice(v))?;
        with(y, |y| self.activation.chain(&mut g, y))?;
        let mut bias = vec![0f32; outputs];
        for row in g.chunks_exact(outputs.max(1)) {
            bias.iter_mut().zip(row).for_each(|(b, g)| *b += g);
        }
        let (mut dx, mut dw) = (vec![0f32; rows * inputs], vec![0f32; outputs * inputs]);
        let g = Matrix::new(&g, rows, outputs);
        if x.track_op() {
            with(w, |w| multiply(&mut dx, g, Matrix::new(w, outputs, inputs), false))?;
        }
        with(x, |x| multiply(&mut dw, g.t(), Matrix::new(x, rows, inputs), false))?;
        let dx = if x.track_op() { Some(Tensor::from_vec(dx, (rows, inputs), device)?) } else { None };
        let dw = Tensor::from_vec(dw, (outputs, inputs), device)?;
        Ok((dx, Some(dw), Some(Tensor::from_vec(bias, b.shape(), device)?)))
    }
}

/// Calls `f` with the values of a contiguous CPU tensor.
pub(super) fn with<R>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> R) -> Result<R> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        candle_core::Storage::Cpu(s) => Ok(f(values(s, layout)?)),
        _ => candle_core::bail!("a fused operation was called on another device than the CPU"),
    }
}
