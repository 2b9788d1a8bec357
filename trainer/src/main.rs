//! `sideman-trainer`: corpora, training, evaluation and export of the networks.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "sideman-trainer", version, about = "Trains, evaluates and exports the networks of Sideman")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read a corpus into a cache of songs to train on
    Prepare(sideman_trainer::data::PrepareOptions),
    /// Train the band's network
    Train(sideman_trainer::recipes::band::TrainArgs),
    /// Draw the loss curves of a run, also while it is going on
    Plot(sideman_trainer::recipes::band::PlotArgs),
    /// Measure a model beside people and controls, on songs that training never saw
    #[command(subcommand)]
    Eval(Eval),
    /// Quantise a checkpoint into a weights file with its card
    Export(sideman_trainer::recipes::band::export::ExportArgs),
    /// Labelled music for the classifiers of genre
    #[command(subcommand)]
    Genre(sideman_trainer::recipes::genre::Command),
    /// The five papers, from their data to their tables
    #[command(subcommand)]
    Papers(sideman_trainer::recipes::papers::PapersCommand),
    /// What a collection of MIDI files is like: genres, notes, instruments
    Analyse(sideman_trainer::recipes::papers::AnalyseArgs),
}

#[derive(Subcommand)]
enum Eval {
    /// The band against people's own, controls and the rule band
    Band(sideman_trainer::eval::EvalBandArgs),
    /// Classifiers of genre, of notes and of sound, beside the majority class and a baseline
    Genre(sideman_trainer::recipes::genre::EvalGenreArgs),
}

/// Tells candle and its matrix product how many threads there are, unless the user has. Unset, the latter
/// looks it up anew at every product, and candle's own pool spins beside it.
fn set_threads() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from).to_string();
    for (name, value) in [("RAYON_NUM_THREADS", cores.as_str()), ("CANDLE_NUM_THREADS", "1")] {
        if std::env::var_os(name).is_none() {
            // SAFETY: called first thing in main, while there is no other thread.
            unsafe { std::env::set_var(name, value) };
        }
    }
}

fn main() -> ExitCode {
    set_threads();
    sideman_trainer::memory::keep();
    let done = match Args::parse().command {
        Command::Prepare(args) => sideman_trainer::data::run(&args),
        Command::Train(args) => sideman_trainer::recipes::band::run(&args),
        Command::Plot(args) => sideman_trainer::recipes::band::plot(&args),
        Command::Eval(Eval::Band(args)) => sideman_trainer::eval::bands::eval(&args),
        Command::Eval(Eval::Genre(args)) => sideman_trainer::recipes::genre::eval::run(&args),
        Command::Export(args) => sideman_trainer::recipes::band::export::run(&args),
        Command::Genre(command) => sideman_trainer::recipes::genre::run(&command),
        Command::Analyse(args) => sideman_trainer::recipes::papers::analyse(&args),
        Command::Papers(command) => sideman_trainer::recipes::papers::run(&command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
