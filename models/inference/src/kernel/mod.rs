//! Products, convolutions and activation functions, by the instructions that a machine has.

pub mod activation;
pub mod conv;
mod dense;
mod functions;
mod packed;
mod quantised;
mod simd;
#[cfg(test)]
mod tests;
mod vector;

pub use activation::Activation;
pub use conv::{Convolution, ConvolutionWork, Window};
pub(crate) use dense::Dense;
pub(crate) use functions::{exp, sigmoid};
pub use packed::PackedMatrix;
pub(crate) use quantised::{Layer, Work};
pub use simd::Simd;
pub use vector::{Portable, Vector, WithVector};
