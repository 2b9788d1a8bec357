//! Networks that tell genres apart by notes.
//!
//! - [`RollsCnn`] is P2's, over piano-rolls of bass, piano and drums, for comparison;
//! - [`BarNet`] is the product's, over the features of bars, of a whole band or of a piano alone.

mod bar_net;
mod rolls_cnn;

#[cfg(test)]
mod tests;

pub use bar_net::BarNet;
pub use rolls_cnn::RollsCnn;
