//! Sideman's networks as they are trained, and as the reference of what `sideman-inference` runs.

pub mod band;
pub mod genre;
pub mod nn;
pub mod ops;
pub mod papers;
