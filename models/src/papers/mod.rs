//! Networks of the papers that are neither the band's nor classifiers of genre, for the trainer.

mod p1_lstm;

pub use p1_lstm::{P1Lstm, all_places};
