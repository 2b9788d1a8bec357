//! Training of the band's network.

pub(crate) mod checkpoint;
mod config;
mod data;
mod optimizer;
pub(crate) mod plot;
mod run;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use config::{Mix, SpoilConfig, TrainConfig};
pub use data::{Library, grid_song};
pub use optimizer::{Optimizer, Rule};
pub use plot::{PlotArgs, plot};
pub(crate) use run::device;
pub use run::{Score, TrainArgs, network_of, run, score, style_codes};
