//! Convolution over two axes, with gradients.

mod engine;
mod products;

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Tensor, bail};

use sideman_inference::kernel::Simd;
use sideman_inference::kernel::conv::Shape;
pub use sideman_inference::kernel::{Convolution, ConvolutionWork, Window};

use super::linear::with;
use super::{Activation, activation, values};

pub(super) use engine::total;

/// Convolves images with a kernel (as a cross-correlation, like every framework): x is (images, inputs,
/// rows, columns), w (outputs, inputs, kernel rows, kernel columns), b (outputs); the result (images, outputs,
/// rows, columns), rows and columns by [`Window::outputs`].
///
/// # Errors
/// When the shapes do not fit or the padded input is smaller than the kernel.
pub fn conv2d(x: &Tensor, w: &Tensor, b: &Tensor, window: Window, activation: Activation) -> Result<Tensor> {
    let (shape, device) = (shape_of(x, w, window)?, x.device());
    if b.elem_count() != shape.outputs {
        bail!("convolution: {} biases for {} outputs", b.elem_count(), shape.outputs);
    }
    if !device.is_cpu() {
        return composed(x, w, b, window, activation);
    }
    let op = Convolve { shape, window, activation, simd: Simd::best() };
    x.contiguous()?.apply_op3(&w.contiguous()?, &b.contiguous()?, op)
}

/// The same out of candle's operations, which know one stride for both axes: the rows and columns of a
/// convolution without stride that count.
pub(super) fn composed(
    x: &Tensor,
    w: &Tensor,
    b: &Tensor,
    window: Window,
    activation: Activation,
) -> Result<Tensor> {
    let ((down, across), (rows, columns)) = (window.stride, window.padding);
    let x = x.pad_with_zeros(2, rows, rows)?.pad_with_zeros(3, columns, columns)?;
    let y = if down == across {
        // Without the rows and columns that no output sees, for which candle has no gradient.
        let (_, _, rows, columns) = x.dims4()?;
        let (_, _, kh, kw) = w.dims4()?;
        let seen = |size: usize, kernel: usize| (size - kernel) / down * down + kernel;
        x.narrow(2, 0, seen(rows, kh))?
            .narrow(3, 0, seen(columns, kw))?
            .contiguous()?
            .conv2d(w, 0, down, 1, 1)?
    } else {
        let y = x.conv2d(w, 0, 1, 1, 1)?;
        let every = |n: usize, step: usize| -> Result<Tensor> {
            let kept: Vec<u32> = (0..n as u32).step_by(step).collect();
            Tensor::from_slice(&kept, kept.len(), y.device())
        };
        let (_, _, h, w) = y.dims4()?;
        y.index_select(&every(h, down)?, 2)?.index_select(&every(w, across)?, 3)?
    };
    activation::composed(activation, &y.broadcast_add(&b.reshape((1, (), 1, 1))?)?)
}

fn shape_of(x: &Tensor, w: &Tensor, window: Window) -> Result<Shape> {
    Shape::new(x.dims4()?, w.dims4()?, window).map_err(candle_core::Error::wrap)
}

struct Convolve {
    shape: Shape,
    window: Window,
    activation: Activation,
    simd: Simd,
}

impl CustomOp3 for Convolve {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, candle_core::Shape)> {
        let (x, w, b) = (values(x, x_layout)?, values(w, w_layout)?, values(b, b_layout)?);
        let y = engine::forward(&self.shape, self.window, self.activation, x, w, b, self.simd);
        Ok((CpuStorage::F32(y), self.shape.result().into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (shape, window, simd) = (&self.shape, self.window, self.simd);
        let grad = grad.contiguous()?;
        let (changed, bias) =
            with(&grad, |grad| with(y, |y| engine::before_activation(shape, self.activation, grad, y)))??;
        let (dx, dw) = with(&grad, |grad| {
            let g = changed.as_deref().unwrap_or(grad);
            let dx = match x.track_op() {
                true => Some(with(w, |w| engine::input_gradient(shape, window, g, w, simd))?),
                false => None,
            };
            let dw = match w.track_op() {
                true => Some(with(x, |x| engine::weight_gradient(shape, window, x, g, simd))?),
                false => None,
            };
            Result::Ok((dx, dw))
        })??;
        let tensor = |v: Option<Vec<f32>>, like: &Tensor| {
            v.map(|v| Tensor::from_vec(v, like.shape(), like.device())).transpose()
        };
        Ok((tensor(dx, x)?, tensor(dw, w)?, tensor(Some(bias), b)?))
    }
}

#[cfg(test)]
mod tests;
