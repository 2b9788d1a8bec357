//! The loop of training that all networks but the band's share.
//!
//! [`learn`] trains what an [`Objective`] says under a [`FitConfig`], with a log of JSON lines, curves as a
//! picture, and checkpoints from which it goes on to the same weights as if it had never stopped. [`fit()`] does so
//! for classifiers: a [`Classifier`](sideman_nets::genre::Classifier) on [`Examples`]. [`predict`] runs the result over
//! examples; [`Predictions`] are what is measured.

mod checkpoint;
mod classifier;
mod config;
pub(crate) mod curves;
mod examples;
mod mixing;
mod objective;
mod predictions;
mod run;

pub use checkpoint::FitCheckpoint;
pub use classifier::fit;
pub use config::{Choice, FitConfig, Schedule};
pub use examples::{Examples, Named};
pub use objective::{Loss, Objective, Score, Step};
pub use predictions::{Figures, Predictions, predict};
pub use run::{FitOptions, Outcome, learn};

#[cfg(test)]
mod tests;
