//! Genres classified by notes.
//!
//! - [`BarKernel`] runs the product's network over the features of bars, of a whole band or of a piano alone, without
//!   allocating, [`BarListener`] bar by bar as they are played;
//! - [`GenreTracker`] makes a steady answer of what a listener says from bar to bar.

mod kernel;
mod listener;
mod tracker;

pub(super) use kernel::tensor_shapes;
pub use kernel::{BarKernel, BarNetConfig, BarPool, MOST_DEVIATIONS};
pub use listener::BarListener;
pub use tracker::{GenreTracker, MOST_CLASSES, PHRASE_BARS, Verdict};
