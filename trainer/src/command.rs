//! The command line: a subcommand a stage.

use clap::{Parser, Subcommand};

/// The command line.
#[derive(Parser)]
#[command(name = "sideman-trainer", version, about = "Trains, evaluates and exports the networks of Sideman")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read a corpus into a cache of songs to train on
    Prepare(crate::data::PrepareArgs),
    /// Train the band's network
    Train(crate::recipes::band::TrainArgs),
    /// Draw the loss curves of a run, also while it is going on
    Plot(crate::recipes::band::PlotArgs),
    /// Measure a model beside people and controls, on songs that training never saw
    #[command(subcommand)]
    Eval(Eval),
    /// Quantise a checkpoint into a weights file with its card
    Export(crate::recipes::band::export::ExportArgs),
    /// Labelled music for the classifiers of genre
    #[command(subcommand)]
    Genre(crate::recipes::genre::Command),
    /// The five papers, from their data to their tables
    #[command(subcommand)]
    Papers(crate::recipes::papers::PapersCommand),
    /// What a collection of MIDI files is like: genres, notes, instruments
    Analyse(crate::recipes::papers::AnalyseArgs),
}

#[derive(Subcommand)]
enum Eval {
    /// The band against people's own, controls and the rule band
    Band(crate::eval::EvalBandArgs),
    /// Classifiers of genre, of notes and of sound, beside the majority class and a baseline
    Genre(crate::recipes::genre::EvalGenreArgs),
}

impl Args {
    /// Does what is asked.
    ///
    /// # Errors
    /// When the data, the arguments or the disk do not allow it.
    pub fn run(&self) -> anyhow::Result<()> {
        match &self.command {
            Command::Prepare(args) => crate::data::run(args),
            Command::Train(args) => crate::recipes::band::run(args),
            Command::Plot(args) => crate::recipes::band::plot(args),
            Command::Eval(Eval::Band(args)) => crate::eval::bands::eval(args),
            Command::Eval(Eval::Genre(args)) => crate::recipes::genre::eval::run(args),
            Command::Export(args) => crate::recipes::band::export::run(args),
            Command::Genre(command) => crate::recipes::genre::run(command),
            Command::Analyse(args) => crate::recipes::papers::analyse(args),
            Command::Papers(command) => crate::recipes::papers::run(command),
        }
    }
}
