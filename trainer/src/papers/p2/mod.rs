//! P2, PopMusicNet: genre CNNs (see `super::genre`), a GRU on rolls, and the VAE-RNN with its future work.
//!
//! `music` is what is learned from; `gru`, `vae` and `rnn` train; `rolls` and `band` play and measure the rolls that
//! are told and the accompaniment that is played; `measure` makes the tables, `figures` the pictures, `study` does everything; [`export`] makes
//! weights files.

mod band;
mod export;
mod figures;
mod gru;
mod measure;
mod music;
mod rnn;
mod rolls;
mod study;
mod vae;

use std::path::Path;

use sideman_inference::papers::p2::{Cell, LatentRnn, Vae};
use sideman_nets::papers::p2::RollGru;

pub use export::{ExportP2Args, export};

use super::{Paper, PaperInfo, PaperRun, Report};
use crate::fit::{FitCheckpoint, FitConfig};

/// P2.
pub(super) struct P2;

/// How large everything is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) vae: Vae,
    pub(crate) rnn: LatentRnn,
    pub(crate) gru: RollGru,
    pub(crate) vae_epochs: usize,
    /// Windows of an epoch.
    pub(crate) vae_examples: usize,
    pub(crate) rnn_epochs: usize,
    pub(crate) gru_epochs: usize,
    /// Windows of 48 steps of an epoch, each of 16 places.
    pub(crate) gru_windows: usize,
    /// Most windows of a piece that the recurrent networks learn from.
    pub(crate) windows: usize,
    /// Most windows of a track that reconstruction is measured on.
    pub(crate) measured: usize,
    /// Most pieces that told rolls are measured on.
    pub(crate) pieces: usize,
}

impl Sizes {
    pub(crate) fn of(job: &PaperRun) -> Self {
        if job.is_quick() {
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

/// Whether a training is done, so that its data need not be made.
fn finished(job: &PaperRun, name: &str, config: &FitConfig, recipe: &serde_json::Value) -> bool {
    let last = job.run(name).join("last.safetensors");
    let load = |path: &Path| FitCheckpoint::load(path).ok();
    last.exists()
        && load(&last)
            .is_some_and(|at| at.epochs >= config.epochs && at.config == *config && at.recipe == *recipe)
}

impl Paper for P2 {
    fn about(&self) -> PaperInfo {
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

    fn run(&self, job: &PaperRun, report: &mut Report) -> anyhow::Result<()> {
        study::run(job, report)
    }
}
