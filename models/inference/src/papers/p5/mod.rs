//! P5 as it is played: what follows on from a pianist, stroke by stroke.

mod continuing;
mod player;
mod weights;

pub use continuing::{Continuing, continued};
pub use player::{Drawn, Draws, StrokeNet, StrokePlayer};
pub use weights::StrokeWeights;
