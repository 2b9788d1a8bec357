//! From a decision of the band to notes with their time, length and velocity.

pub mod feel;
pub(crate) mod fill;
mod key;
pub mod pattern;
mod player;
mod rehearsal;
mod takes;

pub use player::Player;
