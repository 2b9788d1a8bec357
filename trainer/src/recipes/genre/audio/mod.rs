//! The product's classifier of audio: from runs of `genre train` to a weights file, and what such a file says.

pub mod export;
pub mod predict;
#[cfg(test)]
mod tests;

pub use predict::{Listening, Tracks, predict};
