//! The band's network for training, and songs as it is trained on.

mod bass;
mod batch;
mod chords;
mod drums;
mod network;
mod part;
mod plans;
mod statistics;
#[cfg(test)]
mod tests;

pub use batch::{Batch, GridSong, HistoryCorruption, Lane, PartRows};
pub use network::{Losses, Network};
pub use statistics::statistics;
