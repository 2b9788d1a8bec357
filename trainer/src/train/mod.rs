//! The loop of training, with exact resume.
//!
//! `run` drives every training: batches prepared by another thread, updates, a score, checkpoints, a log of JSON
//! lines and its curves. [`learn`] trains what an [`Objective`] says under a [`FitConfig`]; [`fit()`] does so for
//! classifiers: a [`Classifier`](sideman_nets::genre::Classifier) on [`Examples`]. [`predict`] runs the result over
//! examples; [`Predictions`] are what is measured. The band's training is in [`crate::recipes::band`].

pub(crate) mod checkpoint;
mod classifier;
mod config;
pub(crate) mod curves;
mod examples;
mod learn;
mod mixing;
mod objective;
mod optimizer;
pub(crate) mod panel;
mod predictions;
pub(crate) mod run;

pub use checkpoint::{CheckpointError, FitCheckpoint};
pub use classifier::fit;
pub use config::{Choice, FitConfig, Schedule};
pub use examples::{Examples, Named};
pub use learn::{FitOptions, Outcome, learn};
pub use objective::{Loss, Objective, Score, Step};
pub use optimizer::{Optimizer, Rule};
pub use predictions::{Metrics, Predictions, predict};
pub(crate) use run::device;

#[cfg(test)]
mod tests;
