//! Measuring a band: how close what it plays is to what people play, with controls and intervals.
//!
//! Every figure is taken of people's own band and of shuffled pairs as well, because a raw figure alone
//! says little: shuffled music scores well on several. [`mod@measure`] has the figures, [`controls`] the bands
//! that need no model, [`interval`] the intervals by song, [`mod@told_apart`] the classifiers, [`jump`] the
//! recovery after a jump of the piano; [`mod@compare`] puts them together and [`report`] writes them down.

pub mod accompanist;
pub mod classify;
pub mod command;
pub mod compare;
pub mod controls;
pub mod engine_band;
pub mod features;
pub mod figures;
pub mod interval;
pub mod jump;
pub mod measure;
pub mod report;
pub mod song;
pub mod told_apart;
#[cfg(test)]
mod toy;

pub use accompanist::Accompanist;
pub use command::{EvalBandArgs, run};
pub use compare::{Comparison, Options, Row, compare};
pub use engine_band::EngineBand;
pub use figures::{Figure, Tally};
pub use measure::measure;
pub use report::write_whole;
pub use song::{EvalSong, Parts};
