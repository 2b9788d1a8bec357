//! The band's network: configuration, songs as lanes of batches, training, loss curves.

mod checkpoint;
mod config;
pub mod export;
mod figure;
mod history;
mod library;
mod plot;
mod training;

pub use checkpoint::Checkpoint;
pub use config::{Mix, SpoilConfig, TrainConfig};
pub use library::{Library, grid_song};
pub use plot::{PlotArgs, plot};
pub use training::{Score, TrainArgs, network_of, run, score, style_codes};
