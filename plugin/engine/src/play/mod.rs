//! From a decision of the band to notes with their time, length and velocity.

pub mod feel;
pub(crate) mod fill;
pub mod pattern;
mod pitch_classes;
mod player;
mod rehearsal;
mod takes;

pub use player::Player;
