//! `genre predict`.

use std::path::PathBuf;

use anyhow::bail;
use candle_core::Device;
use clap::Args;

use super::{ExampleSet, predict_run};
use crate::train::{Metrics, Predictions};

/// Command line of `genre predict`.
#[derive(Debug, Clone, Args)]
pub struct PredictArgs {
    /// Folder of the run
    #[arg(long, value_name = "RUN_DIR")]
    pub run: PathBuf,
    /// Cache made by `genre prepare` or `genre render`
    #[arg(long, value_name = "CACHE_DIR")]
    pub cache: PathBuf,
    /// Which examples
    #[arg(long, value_enum, default_value = "valid")]
    pub split: ExampleSet,
    /// Table to write: id, source, class, p0, p1 and so on
    #[arg(long, value_name = "FILE.csv")]
    pub out: Option<PathBuf>,
    /// Device: cpu, cuda or metal (the latter two when built with that feature)
    #[arg(long, default_value = "cpu")]
    pub device: String,
}

/// Runs `genre predict`.
///
/// # Errors
/// When the run or the cache cannot be read or do not fit each other, or the table cannot be written.
pub fn predict(args: &PredictArgs) -> anyhow::Result<()> {
    let device: Device = crate::train::device(&args.device)?;
    if !args.run.is_dir() {
        bail!("no run at {}: make one with `sideman-trainer genre train`", args.run.display());
    }
    let (recipe, predictions) = predict_run(&args.run, &args.cache, args.split, &device)?;
    println!("{}, {} examples:", recipe.name, predictions.ids.len());
    print(&predictions, "by example");
    let (mean, vote) = (predictions.by_piece(), predictions.by_vote());
    if mean.ids.len() < predictions.ids.len() {
        print(&mean, "by song, mean of its parts");
        print(&vote, "by song, vote of its parts");
    }
    table(&predictions.classes, &mean.metrics());
    if let Some(path) = &args.out {
        predictions.write(path)?;
        println!("Wrote {}.", path.display());
    }
    Ok(())
}

fn print(predictions: &Predictions, of: &str) {
    let f = predictions.metrics();
    println!(
        "{of}: accuracy {:.1} %, balanced {:.1} %, macro-F1 {:.3}, loss {:.3} ({} in all)",
        100.0 * f.accuracy,
        100.0 * f.balanced,
        f.macro_f1,
        f.loss,
        predictions.ids.len()
    );
}

/// Prints the confusion matrix.
fn table(classes: &[String], metrics: &Metrics) {
    println!("rows: true class; columns: class said");
    for (name, row) in classes.iter().zip(&metrics.confusion) {
        let cells: Vec<String> = row.iter().map(|n| format!("{n:>4}")).collect();
        println!("  {name:<14}{}", cells.join(""));
    }
}
