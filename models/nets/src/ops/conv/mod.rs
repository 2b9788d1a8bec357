//! Convolution over one and two axes, for training and for inference.

mod engine;
mod frame;
mod kernel;

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Tensor, bail};

use super::linear::with;
use super::vector::Instructions;
use super::{Activation, values};

pub(super) use engine::total;

/// How a kernel moves over its input: (down, across), that is (rows, columns), each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Input rows and columns an output row and column, 1 or more.
    pub stride: (usize, usize),
    /// Zeros on either side.
    pub padding: (usize, usize),
}

impl Default for Window {
    /// Stride 1, no padding.
    fn default() -> Self {
        Self { stride: (1, 1), padding: (0, 0) }
    }
}

impl Window {
    /// Outputs (rows, columns) of a kernel over an input of so many; `None` where the kernel is larger than
    /// the padded input, or a stride or the kernel zero.
    pub fn outputs(&self, size: (usize, usize), kernel: (usize, usize)) -> Option<(usize, usize)> {
        let one = |size: usize, kernel: usize, stride: usize, padding: usize| {
            if kernel == 0 {
                return None;
            }
            ((size + 2 * padding).checked_sub(kernel)?.checked_div(stride)).map(|n| n + 1)
        };
        Some((
            one(size.0, kernel.0, self.stride.0, self.padding.0)?,
            one(size.1, kernel.1, self.stride.1, self.padding.1)?,
        ))
    }
}

/// Convolves images with a kernel (as a cross-correlation, like every framework): x is (images, inputs,
/// rows, columns), w (outputs, inputs, kernel rows, kernel columns), b (outputs); the result (images, outputs,
/// rows, columns), rows and columns by [`Window::outputs`].
///
/// # Errors
/// When the shapes do not fit or the padded input is smaller than the kernel.
pub fn conv2d(
    x: &Tensor,
    w: &Tensor,
    b: Option<&Tensor>,
    window: Window,
    activation: Activation,
) -> Result<Tensor> {
    let (shape, device) = (Shape::new(x.dims4()?, w.dims4()?, window)?, x.device());
    let zeros;
    let b = match b {
        Some(b) if b.elem_count() != shape.outputs => {
            bail!("convolution: {} biases for {} outputs", b.elem_count(), shape.outputs)
        }
        Some(b) => b,
        None => {
            zeros = Tensor::zeros(shape.outputs, x.dtype(), device)?;
            &zeros
        }
    };
    if !device.is_cpu() {
        return composed(x, w, b, window, activation);
    }
    let op = Convolve { shape, window, activation, instructions: Instructions::best() };
    x.contiguous()?.apply_op3(&w.contiguous()?, &b.contiguous()?, op)
}

/// Convolves sequences: x is (sequences, inputs, steps), w (outputs, inputs, kernel), b (outputs); the result
/// (sequences, outputs, steps). Otherwise as [`conv2d`] with one row.
///
/// # Errors
/// As [`conv2d`].
pub fn conv1d(
    x: &Tensor,
    w: &Tensor,
    b: Option<&Tensor>,
    stride: usize,
    padding: usize,
    activation: Activation,
) -> Result<Tensor> {
    let window = Window { stride: (1, stride), padding: (0, padding) };
    conv2d(&x.unsqueeze(2)?, &w.unsqueeze(2)?, b, window, activation)?.squeeze(2)
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
    activation.composed(&y.broadcast_add(&b.reshape((1, (), 1, 1))?)?)
}

/// Sizes of a convolution.
#[derive(Debug, Clone, Copy)]
struct Shape {
    images: usize,
    inputs: usize,
    outputs: usize,
    /// Rows and columns of the input.
    size: (usize, usize),
    kernel: (usize, usize),
    /// Rows and columns of the output.
    out: (usize, usize),
}

impl Shape {
    fn new(
        (images, inputs, rows, columns): (usize, usize, usize, usize),
        (outputs, w_inputs, kh, kw): (usize, usize, usize, usize),
        window: Window,
    ) -> Result<Self> {
        if inputs != w_inputs {
            bail!("convolution: {inputs} input channels, and weights for {w_inputs}");
        }
        let Some(out) = window.outputs((rows, columns), (kh, kw)) else {
            bail!("convolution: a {kh}x{kw} kernel with {window:?} does not fit {rows}x{columns}");
        };
        Ok(Self { images, inputs, outputs, size: (rows, columns), kernel: (kh, kw), out })
    }

    fn result(&self) -> (usize, usize, usize, usize) {
        (self.images, self.outputs, self.out.0, self.out.1)
    }
}

struct Convolve {
    shape: Shape,
    window: Window,
    activation: Activation,
    instructions: Instructions,
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
        let y = engine::forward(&self.shape, self.window, self.activation, x, w, b, self.instructions);
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
        let (shape, window, instructions) = (&self.shape, self.window, self.instructions);
        let grad = grad.contiguous()?;
        let (changed, bias) =
            with(&grad, |grad| with(y, |y| engine::before_activation(shape, self.activation, grad, y)))??;
        let (dx, dw) = with(&grad, |grad| {
            let g = changed.as_deref().unwrap_or(grad);
            let dx = match x.track_op() {
                true => Some(with(w, |w| engine::input_gradient(shape, window, g, w, instructions))?),
                false => None,
            };
            let dw = match w.track_op() {
                true => Some(with(x, |x| engine::weight_gradient(shape, window, x, g, instructions))?),
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

/// A convolution ready for inference without candle, to be shared by all who run it: starts no thread. What it
/// writes to in between is its caller's [`ConvolutionWork`].
#[derive(Debug, Clone)]
pub struct Convolution {
    packed: engine::Packed,
    inputs: usize,
    outputs: usize,
    kernel: (usize, usize),
    window: Window,
    activation: Activation,
}

/// Memory that [`Convolution::run`] computes in, one for each caller; several convolutions may take turns with it.
/// It grows until it has seen the largest input, or is made as large at once, see [`ConvolutionWork::reserve`].
#[derive(Debug, Clone, Default)]
pub struct ConvolutionWork(engine::Work);

impl ConvolutionWork {
    /// Makes it large enough for images of up to `rows` rows of so many columns.
    pub fn reserve(&mut self, convolution: &Convolution, rows: usize, columns: usize) {
        // Images of different heights are cut into portions differently, so that none stands for all.
        for rows in 1..=rows {
            let Ok(shape) = convolution.shape((rows, columns)) else { continue };
            let frame = engine::forward_frame(&shape, convolution.window);
            self.0.reserve(&frame, frame.portion(1, LEAST_ROWS));
        }
    }
}

/// Rows of an image that are worth a portion of their own.
const LEAST_ROWS: usize = 4;

impl Convolution {
    /// From weights (outputs, inputs, kernel rows, kernel columns), row-major, of the given shape, and biases
    /// (outputs).
    ///
    /// # Errors
    /// When there are not as many weights or biases as the shape says, or a stride or the kernel is zero.
    pub fn new(
        w: &[f32],
        [outputs, inputs, kh, kw]: [usize; 4],
        b: &[f32],
        window: Window,
        activation: Activation,
    ) -> Result<Self> {
        let depth = inputs * kh * kw;
        if w.len() != outputs * depth || b.len() != outputs || window.outputs((kh, kw), (kh, kw)).is_none() {
            bail!(
                "convolution: {} weights and {} biases for {outputs}x{inputs}x{kh}x{kw} with {window:?}",
                w.len(),
                b.len()
            );
        }
        let instructions = Instructions::best();
        let packed = engine::Packed::new(outputs, depth, |c, t| w[c * depth + t], Some(b), instructions);
        Ok(Self { packed, inputs, outputs, kernel: (kh, kw), window, activation })
    }

    fn shape(&self, size: (usize, usize)) -> Result<Shape> {
        let (image, weights) =
            ((1, self.inputs, size.0, size.1), (self.outputs, self.inputs, self.kernel.0, self.kernel.1));
        Shape::new(image, weights, self.window)
    }

    /// Rows and columns that come of an input of so many; `None` where it is too small.
    pub fn outputs(&self, size: (usize, usize)) -> Option<(usize, usize)> {
        self.window.outputs(size, self.kernel)
    }

    /// Convolves one image x (inputs, rows, columns) of `size` (rows, columns) into y, which becomes (outputs,
    /// rows, columns). Returns its rows and columns. Allocates nothing where `y` and `work` have the room.
    ///
    /// # Errors
    /// When x has another size or is smaller than the kernel.
    pub fn run(
        &self,
        x: &[f32],
        size: (usize, usize),
        y: &mut Vec<f32>,
        work: &mut ConvolutionWork,
    ) -> Result<(usize, usize)> {
        if x.len() != self.inputs * size.0 * size.1 {
            bail!("convolution: {} values for {} channels of {size:?}", x.len(), self.inputs);
        }
        let shape = self.shape(size)?;
        let frame = engine::forward_frame(&shape, self.window);
        let whole = engine::Placement::whole(shape.out);
        // Every place is written, so what is there need not be cleared.
        y.resize(self.outputs * shape.out.0 * shape.out.1, 0.0);
        let portion = frame.portion(1, LEAST_ROWS);
        engine::correlate(&frame, portion, &self.packed, self.activation, x, y, whole, &mut work.0);
        Ok(shape.out)
    }
}

#[cfg(test)]
mod tests;
