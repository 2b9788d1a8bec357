//! Convolution over two axes.

mod correlate;
mod frame;
mod tiles;

pub use correlate::{Packed, Placement, Work, correlate, forward_frame};
pub use frame::{Band, Frame};

use super::{Activation, Simd};

/// Sizes that do not fit each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// The input has other channels than the weights.
    #[error("convolution: {inputs} input channels, and weights for {weights}")]
    Channels {
        /// Channels of the input.
        inputs: usize,
        /// Channels that the weights are for.
        weights: usize,
    },
    /// The kernel is larger than the padded input.
    #[error("convolution: a {kernel:?} kernel with {window:?} does not fit {size:?}")]
    Kernel {
        /// Rows and columns of the kernel.
        kernel: (usize, usize),
        /// How it moves.
        window: Window,
        /// Rows and columns of the input.
        size: (usize, usize),
    },
    /// The input has another number of values than its size says.
    #[error("convolution: {values} values for {channels} channels of {size:?}")]
    Input {
        /// Values of the input.
        values: usize,
        /// Channels that the weights are for.
        channels: usize,
        /// Rows and columns that the input should have.
        size: (usize, usize),
    },
}

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

/// Sizes of a convolution.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Images.
    pub images: usize,
    /// Channels of the input.
    pub inputs: usize,
    /// Channels of the output.
    pub outputs: usize,
    /// Rows and columns of the input.
    pub size: (usize, usize),
    /// Rows and columns of the kernel.
    pub kernel: (usize, usize),
    /// Rows and columns of the output.
    pub out: (usize, usize),
}

impl Shape {
    /// Of images (images, inputs, rows, columns) and weights (outputs, inputs, kernel rows, kernel columns).
    ///
    /// # Errors
    /// When the channels differ, or the kernel is larger than the padded image.
    pub fn new(
        (images, inputs, rows, columns): (usize, usize, usize, usize),
        (outputs, w_inputs, kh, kw): (usize, usize, usize, usize),
        window: Window,
    ) -> Result<Self, ShapeError> {
        if inputs != w_inputs {
            return Err(ShapeError::Channels { inputs, weights: w_inputs });
        }
        let Some(out) = window.outputs((rows, columns), (kh, kw)) else {
            return Err(ShapeError::Kernel { kernel: (kh, kw), window, size: (rows, columns) });
        };
        Ok(Self { images, inputs, outputs, size: (rows, columns), kernel: (kh, kw), out })
    }

    /// (images, outputs, rows, columns) of the result.
    pub fn result(&self) -> (usize, usize, usize, usize) {
        (self.images, self.outputs, self.out.0, self.out.1)
    }
}

/// A convolution ready for inference to be shared by all who run it: starts no thread. What it
/// writes to in between is its caller's [`ConvolutionWork`].
#[derive(Debug, Clone)]
pub struct Convolution {
    packed: Packed,
    inputs: usize,
    outputs: usize,
    kernel: (usize, usize),
    window: Window,
    activation: Activation,
}

/// Memory that [`Convolution::run`] computes in, one for each caller; several convolutions may take turns with it.
/// It grows until it has seen the largest input, or is made as large at once, see [`ConvolutionWork::reserve`].
#[derive(Debug, Clone, Default)]
pub struct ConvolutionWork(Work);

impl ConvolutionWork {
    /// Makes it large enough for images of up to `rows` rows of so many columns.
    pub fn reserve(&mut self, convolution: &Convolution, rows: usize, columns: usize) {
        // Images of different heights are cut into portions differently, so that none stands for all.
        for rows in 1..=rows {
            let Ok(shape) = convolution.shape((rows, columns)) else { continue };
            let frame = forward_frame(&shape, convolution.window);
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
    /// # Panics
    /// When there are not as many weights or biases as the shape says, or a stride or the kernel is zero.
    pub fn new(
        w: &[f32],
        [outputs, inputs, kh, kw]: [usize; 4],
        b: &[f32],
        window: Window,
        activation: Activation,
    ) -> Self {
        let depth = inputs * kh * kw;
        assert_eq!((w.len(), b.len()), (outputs * depth, outputs), "weights and biases");
        assert!(window.outputs((kh, kw), (kh, kw)).is_some(), "a {kh}x{kw} kernel with {window:?}");
        let simd = Simd::best();
        let packed = Packed::new(outputs, depth, |c, t| w[c * depth + t], Some(b), simd);
        Self { packed, inputs, outputs, kernel: (kh, kw), window, activation }
    }

    fn shape(&self, size: (usize, usize)) -> Result<Shape, ShapeError> {
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
    ) -> Result<(usize, usize), ShapeError> {
        if x.len() != self.inputs * size.0 * size.1 {
            return Err(ShapeError::Input { values: x.len(), channels: self.inputs, size });
        }
        let shape = self.shape(size)?;
        let frame = forward_frame(&shape, self.window);
        let whole = Placement::whole(shape.out);
        // Every place is written, so what is there need not be cleared.
        y.resize(self.outputs * shape.out.0 * shape.out.1, 0.0);
        let portion = frame.portion(1, LEAST_ROWS);
        correlate(&frame, portion, &self.packed, self.activation, x, y, whole, &mut work.0);
        Ok(shape.out)
    }
}
