//! The five papers behind the networks, each reproduced from its data to its tables.
//!
//! A [`Paper`] knows its data, its networks and its figures. [`PaperRun`] is one run of it: where the music is, where
//! everything goes, how large. What comes out is a [`Report`]: an HTML page, its tables as CSV, its figures as PNG.
//! A stopped run resumes: every training within it keeps checkpoints (see [`crate::train`]).
//! `p1`, `p2` and `p5` train through [`crate::train`] themselves; P3, P4 and the classifiers of P2 are those of
//! [`crate::recipes::genre`], called in the order that their papers need.

mod command;
pub mod draw;
pub(crate) mod fixtures;
mod genre;
pub(crate) mod music;
mod p1;
pub mod p2;
pub mod p5;
mod run;
#[cfg(test)]
mod tests;

pub use crate::report::Report;
pub use command::{PapersCommand, run};
pub use music::Piece;
pub use p1::{AnalyseArgs, analyse};
pub use run::{PaperRun, Size};

/// What a paper is, for `papers list`.
#[derive(Debug, Clone, Copy)]
pub struct PaperInfo {
    /// p1 to p5.
    pub id: &'static str,
    /// Short title.
    pub title: &'static str,
    /// What is built and measured.
    pub what: &'static str,
    /// Data that the full run wants.
    pub data: &'static str,
    /// How long `--quick` takes on two cores.
    pub quick: &'static str,
    /// How long `--full` takes on two cores.
    pub full: &'static str,
}

/// A paper that can be run.
pub trait Paper: Sync {
    /// What it is.
    fn info(&self) -> PaperInfo;

    /// Prepares the data, trains, evaluates, and fills the report.
    ///
    /// # Errors
    /// When the data cannot be read or holds nothing for it, or the disk is full.
    fn run(&self, run: &PaperRun, report: &mut Report) -> anyhow::Result<()>;
}

/// All of them, in their order.
pub fn all() -> [&'static dyn Paper; 5] {
    [&p1::P1, &p2::P2, &genre::P3, &genre::P4, &p5::P5]
}
