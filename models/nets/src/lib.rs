//! Sideman's networks as they are trained, and as the reference of what `sideman-inference` runs.

#![allow(clippy::needless_pass_by_value, reason = "layers take a VarBuilder by value, as in candle-nn")]

pub mod band;
pub mod genre;
pub mod nn;
pub mod ops;
pub mod papers;
