//! The networks of Sideman, their weights and their step kernels.

pub mod band;
pub mod genre;
pub mod ops;
pub mod papers;
pub mod weights;
