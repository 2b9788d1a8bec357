//! P2, PopMusicNet: genre CNNs (see `super::genre`), a GRU on rolls, and the VAE-RNN with its future work.
//!
//! `data` is what is learned from; `gru`, `vae` and `rnn` train, in the order of `training`; `bands` assembles bands
//! and their thresholds; `predictions` compares cells; `gru_study`, `tables` and `comparison` measure; `study` does
//! all of it and fills the report; [`export`] writes weights files.

mod bands;
mod comparison;
mod data;
mod export;
mod gru;
mod gru_study;
mod predictions;
mod rnn;
mod study;
mod tables;
mod training;
mod vae;

use sideman_inference::papers::p2::{Cell, LatentRnn, Vae};
use sideman_nets::papers::p2::RollGru;

use data::Music;
pub use export::{ExportP2Args, export};

use super::{Paper, PaperInfo, PaperRun, Report};

/// P2.
pub(super) struct P2;

/// A run with its music and sizes.
#[derive(Clone, Copy)]
struct Setup<'a> {
    run: &'a PaperRun,
    music: &'a Music,
    sizes: &'a Sizes,
}

/// How large everything is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) vae: Vae,
    pub(crate) rnn: LatentRnn,
    pub(crate) gru: RollGru,
    pub(crate) vae_epochs: usize,
    /// Windows of an epoch of an autoencoder.
    pub(crate) vae_examples: usize,
    pub(crate) rnn_epochs: usize,
    pub(crate) gru_epochs: usize,
    /// Windows of 48 steps of an epoch, 16 side by side.
    pub(crate) gru_windows: usize,
    /// Most windows of a piece that the recurrent networks learn from.
    pub(crate) windows: usize,
    /// Most windows of a track that reconstruction is measured on.
    pub(crate) measured: usize,
    /// Most pieces that predictions are measured on.
    pub(crate) pieces: usize,
}

impl Sizes {
    pub(crate) fn of(run: &PaperRun) -> Self {
        if run.is_quick() {
            return Self {
                vae: Vae::QUICK,
                rnn: LatentRnn { cell: Cell::Gru, latent: Vae::QUICK.latent, hidden: 8 },
                gru: RollGru { hidden: 8 },
                vae_epochs: 1,
                vae_examples: 64,
                rnn_epochs: 1,
                gru_epochs: 1,
                gru_windows: 2,
                windows: 8,
                measured: 16,
                pieces: 2,
            };
        }
        Self {
            vae: Vae::PAPER,
            rnn: LatentRnn::paper(Cell::Gru),
            gru: RollGru::PAPER,
            vae_epochs: 8,
            vae_examples: 8000,
            rnn_epochs: 4,
            gru_epochs: 5,
            gru_windows: 200,
            windows: 48,
            measured: 800,
            pieces: 40,
        }
    }
}

impl Paper for P2 {
    fn info(&self) -> PaperInfo {
        PaperInfo {
            id: "p2",
            title: "PopMusicNet: genre CNNs, a GRU on piano-rolls, and VAE-RNN",
            what: "rolls of five tracks; a GRU that is shown to fail; autoencoders of windows of 128 steps and recurrent \
                   networks on their latent values, in their own keys and in one, GRU and LSTM; the band that they make \
                   beside the one that ships",
            data: "a data folder with manifest.csv and its archives",
            quick: "a minute",
            full: "an hour and a half",
        }
    }

    fn run(&self, run: &PaperRun, report: &mut Report) -> anyhow::Result<()> {
        study::run(run, report)
    }
}
