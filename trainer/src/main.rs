//! `sideman-trainer`: corpora, training, evaluation and export of the networks.

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
    Prepare(sideman_trainer::corpus::PrepareArgs),
    /// Train the band's network
    Train(sideman_trainer::train::TrainArgs),
}

fn main() -> anyhow::Result<()> {
    match Args::parse().command {
        Command::Prepare(args) => sideman_trainer::corpus::run(&args),
        Command::Train(args) => sideman_trainer::train::run(&args),
    }
}
