//! `sideman-trainer papers`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, ensure};
use clap::{ArgGroup, Args, Subcommand};

use super::{Paper, PaperRun, Size, all};

/// Subcommands of `papers`.
#[derive(Debug, Clone, Subcommand)]
pub enum PapersCommand {
    /// What each paper is, what data it wants, and how long it takes
    List,
    /// Prepare, train, evaluate and report a paper
    #[command(after_help = "Examples:
  sideman-trainer papers run p5 --quick
  sideman-trainer papers run p1 --data DATA --full
A run that was stopped goes on with the same command.")]
    Run(RunArgs),
    /// Write weights files that `sideman` plays, of a paper's finished run
    #[command(subcommand)]
    Export(ExportCommand),
}

/// Papers whose networks are played.
#[derive(Debug, Clone, Subcommand)]
pub enum ExportCommand {
    /// The five tracks of the VAE-RNN
    P2(super::p2::ExportP2Args),
    /// The network that `sideman continue` plays from
    P5(super::p5::ExportArgs),
}

/// Command line of `papers run`.
#[derive(Debug, Clone, Args)]
#[command(group(ArgGroup::new("size").args(["quick", "full"])))]
pub struct RunArgs {
    /// p1, p2, p3, p4 or p5
    #[arg(value_name = "PAPER")]
    pub paper: String,
    /// Folder of the data [default with --quick: a small collection made by code]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Folder of the report, the trainings and what was prepared [default: report/PAPER]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// A few pieces and updates, to see that everything works; the default
    #[arg(long)]
    pub quick: bool,
    /// The paper's protocol, as far as two cores go
    #[arg(long, requires = "data")]
    pub full: bool,
    /// P1 alone: networks of the paper's own size, 21.6 million weights; takes days
    #[arg(long, requires = "full")]
    pub paper_size: bool,
    /// Seed of everything that is drawn
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// Runs a subcommand.
///
/// # Errors
/// When there is no such paper, or its run fails.
pub fn run(command: &PapersCommand) -> anyhow::Result<()> {
    match command {
        PapersCommand::List => {
            for paper in all() {
                let a = paper.info();
                println!("{}  {}", a.id, a.title);
                println!("    {}", a.what);
                println!("    data: {}", a.data);
                println!("    time on two cores: {} with --quick, {} with --full\n", a.quick, a.full);
            }
            Ok(())
        }
        PapersCommand::Run(args) => run_one(args),
        PapersCommand::Export(ExportCommand::P2(args)) => super::p2::export(args),
        PapersCommand::Export(ExportCommand::P5(args)) => super::p5::export(args),
    }
}

fn named(id: &str) -> anyhow::Result<&'static dyn Paper> {
    let known: Vec<&str> = all().iter().map(|p| p.info().id).collect();
    let found = all().into_iter().find(|p| p.info().id == id.to_lowercase());
    found.with_context(|| format!("no paper is called '{id}': choose from {}", known.join(", ")))
}

fn run_one(args: &RunArgs) -> anyhow::Result<()> {
    let paper = named(&args.paper)?;
    let info = paper.info();
    let size = if args.full { Size::Full } else { Size::Quick };
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("report").join(info.id));
    if let Some(data) = &args.data {
        ensure!(data.is_dir(), "{} is no folder: name the folder of the data", data.display());
    }
    let (data, paper_size) = (args.data.clone(), args.paper_size);
    let run = PaperRun { data, out, size, paper_size, seed: args.seed, progress: true };
    let began = Instant::now();
    let mut report = run.report(&info)?;
    paper.run(&run, &mut report)?;
    let (page, text) = report.finish()?;
    println!("\n{text}");
    println!("Done after {:.0} s; the report is {}", began.elapsed().as_secs_f64(), page.display());
    Ok(())
}
