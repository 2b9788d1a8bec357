//! Networks of the papers that are neither the band's nor classifiers of genre.

mod p1_lstm;
pub mod p2;
mod p5_next_note;
mod p5_strokes;

pub use p1_lstm::{P1Layers, P1Lstm, all_places};
pub use p5_next_note::{EveryStep, EveryStepLayers, Layer, NextNote, WINDOW};
pub use p5_strokes::{StrokeLayers, StrokeLogits};
