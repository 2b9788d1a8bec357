//! The curves of a run as a picture, drawn from its log.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::figure;
use super::history::History;
use crate::report::picture::write;
use crate::train::run::{LOG, PICTURE};

/// Draws the curves of a run, also while it is going on.
#[derive(Debug, clap::Args)]
pub struct PlotArgs {
    /// Folder of the run
    #[arg(long, default_value = "runs/band")]
    pub run: PathBuf,
    /// Picture to write [default: loss.png in the run's folder]
    #[arg(long, value_name = "FILE.png")]
    pub out: Option<PathBuf>,
}

/// Runs `plot`.
///
/// # Errors
/// When the folder holds no log with figures in it, or the picture cannot be written.
pub fn plot(args: &PlotArgs) -> anyhow::Result<()> {
    let out = args.out.clone().unwrap_or_else(|| args.run.join(PICTURE));
    draw(&args.run, &out)?;
    println!("Wrote {}.", out.display());
    Ok(())
}

/// Draws the log of a run's folder into a PNG file, whole or not at all.
pub(super) fn draw(run: &Path, out: &Path) -> anyhow::Result<()> {
    let log = run.join(LOG);
    let text = std::fs::read_to_string(&log)
        .with_context(|| format!("cannot read {}: name the folder of a run with --run", log.display()))?;
    let history = History::parse(&text);
    ensure!(!history.is_empty(), "{} holds no losses yet: try again when some have come", log.display());
    let name = run.file_name().map_or_else(|| "run".into(), |n| n.to_string_lossy());
    let picture = figure::draw(&name, &history)?;
    write(&picture, out)
}
