//! Sideman's networks as the product runs them: no training framework, no threads, no allocation in a step.
//!
//! - [`band`] decides what drums, bass, guitar and strings play at each 16th,
//! - [`genre`] tells the genre of notes and of sound,
//! - [`papers`] has the networks of the papers that can be played,
//! - [`weights`] reads and writes weights files,
//! - [`kernel`] has the products, convolutions and activation functions under them.
//!
//! The networks that are trained are in `sideman-nets`, which compares its own results with those of this crate.

pub mod band;
pub mod genre;
pub mod kernel;
pub mod papers;
pub mod weights;
