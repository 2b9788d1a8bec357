//! Networks of the papers that are neither the band's nor classifiers of genre.

mod p1_lstm;
pub mod p2;
mod p5_continue;
mod p5_next_note;
mod p5_strokes;
mod p5_weights;

pub use p1_lstm::{P1Layers, P1Lstm, all_places};
pub use p5_continue::{Continuing, continued};
pub use p5_next_note::{EveryStep, EveryStepLayers, Layer, NextNote, WINDOW};
pub use p5_strokes::{Drawn, Draws, StrokeLayers, StrokeLogits, StrokeNet, StrokePlayer};
pub use p5_weights::StrokeWeights;
