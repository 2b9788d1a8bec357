//! Supervised training of classifiers: the loop that all of them share.
//!
//! [`fit()`] trains a [`Network`](sideman_models::genre::Network) on [`Examples`] under a [`FitConfig`], with a
//! log of JSON lines, curves as a picture, and checkpoints from which it goes on to the same weights as if it
//! had never stopped. [`predict`] runs the result over examples; [`Predictions`] are what is measured.

mod checkpoint;
mod config;
pub(crate) mod curves;
mod examples;
mod mixing;
mod predictions;
mod run;

pub use checkpoint::FitCheckpoint;
pub use config::{Choice, FitConfig, Schedule};
pub use examples::{Examples, Named};
pub use predictions::{Figures, Predictions, predict};
pub use run::{FitOptions, Outcome, fit};

#[cfg(test)]
mod tests;
