//! The command line.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::libraries::Libraries;
use crate::load::{self, Format};
use crate::{deadlines, decision, figures, process, share};

/// Benchmarks of the plugin at the pace of music.
#[derive(Debug, Parser)]
struct Cli {
    /// What to measure; without it a short round of everything.
    #[command(subcommand)]
    what: Option<What>,
    /// Given by cargo bench.
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// What a block costs, beside an empty plugin
    Process {
        /// How long to measure
        #[arg(long, default_value_t = 60.0)]
        seconds: f64,
    },
    /// From a key to the decision that heard it
    Decision {
        /// How long to measure, twice
        #[arg(long, default_value_t = 300.0)]
        seconds: f64,
        /// As where the system gives the band's thread no priority
        #[arg(long)]
        ordinary: bool,
    },
    /// Notes that come too late in a long time of fast playing
    Deadlines {
        /// How long to play
        #[arg(long, default_value_t = 60.0)]
        minutes: f64,
        /// As while an editor is open
        #[arg(long)]
        watched: bool,
        /// As where the system gives the band's thread no priority
        #[arg(long)]
        ordinary: bool,
    },
    /// What share of a core one and eight instances take
    Share {
        /// How long to measure each case
        #[arg(long, default_value_t = 30.0)]
        seconds: f64,
    },
    /// How long loading takes, and what memory
    Load {
        /// Processes for each case
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    #[command(hide = true)]
    ShareOf {
        library: PathBuf,
        instances: usize,
        seconds: f64,
        #[arg(long)]
        stopped: bool,
    },
    #[command(hide = true)]
    LoadOf { library: PathBuf, format: Format, instances: usize },
}

pub(crate) fn main() -> Result<()> {
    let what = Cli::parse().what;
    match what {
        Some(What::ShareOf { library, instances, seconds, stopped }) => {
            return share::one(&library, instances, seconds, stopped);
        }
        Some(What::LoadOf { library, format, instances }) => return load::one(&library, format, instances),
        _ => println!("{}\n", figures::machine()),
    }
    match what {
        Some(What::Decision { seconds, ordinary }) => decision::run(seconds, ordinary),
        Some(What::Deadlines { minutes, watched, ordinary }) => deadlines::run(minutes, watched, ordinary),
        Some(What::Process { seconds }) => {
            let l = Libraries::build()?;
            process::run(&l.sideman, &l.empty, seconds)
        }
        Some(What::Share { seconds }) => {
            let l = Libraries::build()?;
            share::run(&l.sideman, &l.empty, seconds)
        }
        Some(What::Load { rounds }) => {
            let l = Libraries::build()?;
            load::run(&l.sideman, &l.empty, rounds)
        }
        _ => {
            let l = Libraries::build()?;
            process::run(&l.sideman, &l.empty, 20.0)?;
            println!();
            share::run(&l.sideman, &l.empty, 5.0)?;
            println!();
            load::run(&l.sideman, &l.empty, 1)?;
            println!();
            decision::run(20.0, false)?;
            println!();
            deadlines::run(1.0, false, false)
        }
    }
}
