//! Networks that tell genres apart by notes.
//!
//! - [`RollsCnn`] is P2's, over piano-rolls of bass, piano and drums, for comparison;
//! - [`BarNet`] is the product's, over the figures of bars, of a whole band or of a piano alone; [`BarKernel`]
//!   runs it without allocating, [`BarListener`] bar by bar as they are played;
//! - [`GenreTracker`] makes a steady answer of what a listener says from bar to bar.

mod bar_net;
mod kernel;
mod listener;
mod rolls_cnn;
mod tracker;

#[cfg(test)]
mod tests;

pub use bar_net::{BarNet, BarNetConfig};
pub(super) use kernel::tensor_shapes;
pub use kernel::{BarKernel, BarPool};
pub use listener::BarListener;
pub use rolls_cnn::RollsCnn;
pub use tracker::{GenreTracker, MOST_CLASSES, PHRASE_BARS, Verdict};
