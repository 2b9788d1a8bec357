//! Measuring a band: how close what it plays is to what people play, with controls and intervals.
//!
//! Every figure is taken of people's own band and of shuffled pairs as well, because a raw figure alone
//! says little: shuffled music scores well on several.
//!
//! - [`mod@measure`] has the figures, [`controls`] the bands that need no model, [`interval`] the intervals by
//!   song, [`mod@discriminator`] the classifiers, [`key_change`] the recovery after a jump of the piano; [`mod@compare`]
//!   puts them together;
//! - [`memorization`] looks for training songs in what a band plays, [`styles`] asks whether its styles can be told,
//!   [`control_response`] what its controls move, [`seeds`] how two seeds differ, [`breakdown`] where it is good;
//! - [`targets`] says what a band is to reach; [`report`] writes all that down, [`page`] with pictures;
//! - [`command`] has the arguments and the songs, [`mod@run`] does it all.

pub mod accompanist;
pub mod bands;
pub mod breakdown;
pub mod classify;
pub mod command;
pub mod compare;
pub mod control_response;
pub mod controls;
pub mod discriminator;
pub mod engine_band;
pub mod features;
pub mod figures;
#[cfg(test)]
mod fixtures;
pub mod interval;
pub mod key_change;
pub mod measure;
pub mod memorization;
pub mod page;
pub mod report;
pub mod run;
pub mod seeds;
pub mod song;
pub mod styles;
pub mod targets;

pub use accompanist::{Accompanist, Request};
pub use command::EvalBandArgs;
pub use compare::{Comparison, Options, Played, Row, compare, play_all};
pub use engine_band::EngineBand;
pub use figures::{Metric, Tally};
pub use measure::measure;
pub use run::{BandReport, run};
pub use song::{EvalSong, Parts};
