//! Genre: labelled collections of music, and what is made of them for the classifiers.
//!
//! The way of a file: a [`Collection`] yields raw files with what is known about them ([`voted`], [`gtzan`],
//! [`mels`], [`fma`], [`lakh`], [`tree`]); [`prepare()`] reads them over all cores and writes the [`cache`] with a
//! report of what was kept and left out; [`load`] reads one kind and split of it back as a [`LabelledSet`].
//! Which genres are told apart, and which are merged, is the business of a [`Scheme`], applied after loading.
//! [`mod@train`] trains every classifier by its name with the loop in [`crate::train`]: those of notes are described in
//! [`symbolic`], those of sound in [`sound`]. [`mod@eval`] measures them with what is in [`mod@measure`].
//! [`audio`] makes the product's classifier of sound of a run.
//! [`render`](mod@render) plays labelled MIDI into audio for models that hear.

pub mod audio;
pub mod baseline;
pub mod cache;
mod codec;
pub mod collection;
pub mod eval;
pub mod fma;
pub mod gtzan;
pub mod labelled;
pub mod lakh;
pub mod measure;
pub mod mels;
pub mod prepare;
pub mod render;
pub mod report;
pub mod scheme;
pub mod sound;
pub mod symbolic;
pub mod train;
pub mod tree;
pub mod voted;

#[cfg(test)]
mod tests;

pub use cache::load;
pub use collection::{Collection, LeftOut, Raw, RawContent};
pub use eval::EvalGenreArgs;
pub use labelled::{Content, Facts, Kind, Labelled, LabelledSet, MelImage};
pub use prepare::{Layout, PrepareOptions, prepare};
pub use render::{RenderOptions, render};
pub use report::Report;
pub use scheme::{Classes, Scheme};
pub use sound::{PredictArgs, Recipe};
pub use train::{TrainArgs, Training};

/// Subcommands of `genre`.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Command {
    /// Read labelled music into a cache for the classifiers
    Prepare(PrepareOptions),
    /// Play labelled MIDI through a soundfont into clips of audio
    Render(RenderOptions),
    /// Train a classifier of notes or of sound by its name
    Train(TrainArgs),
    /// Quantise and calibrate a run, of models that hear one or several, into a weights file with its card
    Export(symbolic::ExportArgs),
    /// What a trained classifier of sound says of labelled music, with its figures
    Predict(PredictArgs),
}

/// Runs a subcommand.
///
/// # Errors
/// As [`prepare()`], [`render()`], [`train::run`], [`symbolic::export::run`] and [`sound::predict`].
pub fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Prepare(args) => prepare::run(args),
        Command::Render(args) => render::run(args),
        Command::Export(args) if args.run.iter().any(|run| audio::export::hears(run)) => {
            audio::export::run(args)
        }
        Command::Export(args) => symbolic::export::run(args),
        Command::Train(args) => train::run(args),
        Command::Predict(args) => sound::predict(args),
    }
}
