//! Activations out of candle's operations.

use candle_core::{Result, Tensor};

pub use sideman_inference::kernel::Activation;

/// The same as [`Activation::apply`], on any device.
pub(super) fn composed(activation: Activation, x: &Tensor) -> Result<Tensor> {
    match activation {
        Activation::None => Ok(x.clone()),
        Activation::Relu => x.relu(),
        Activation::Elu => x.elu(1.0),
    }
}
