//! Training, measuring and exporting the classifiers of notes: the product's over a whole band and over eight
//! bars of piano, and P2's CNN.
//!
//! [`recipe`] says what is trained on what; [`band`], [`piano`] and [`rolls`] are the examples of each, the slots
//! how often which source is drawn; [`train`], [`mod@predict`] and [`export`] do what they say, [`steadiness`] asks
//! how the answer moves while a piece is played.

pub mod band;
pub mod export;
pub mod piano;
pub mod predict;
pub mod recipe;
pub mod rolls;
mod slots;
pub mod steadiness;
pub mod train;

#[cfg(test)]
mod tests;

pub use export::ExportArgs;
pub use predict::{Classifier, predict};
pub use recipe::{Data, Model, Recipe};
pub use train::{BarSettings, Training, settings};
