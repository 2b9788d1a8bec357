//! Whether the band plays, how loudly, and which parts: decided over bars and phrases.

mod ending;
pub mod energy;
mod planner;
pub mod sections;

pub use planner::*;
