//! `genre train` and `genre predict`.

use std::path::PathBuf;

use anyhow::bail;
use candle_core::Device;
use clap::Args;

use super::{Look, Recipe, predict_run};
use crate::genre::fit::{Figures, FitOptions, Predictions, fit};

/// Command line of `genre train`.
#[derive(Debug, Clone, Args)]
pub struct TrainArgs {
    /// Name of the model; one that does not exist lists them
    #[arg(long, value_name = "NAME")]
    pub model: String,
    /// Cache made by `genre prepare` or `genre render`
    #[arg(long, value_name = "CACHE_DIR")]
    pub cache: PathBuf,
    /// Folder of the run: checkpoints, log and loss curves [default: runs/NAME]
    #[arg(long, value_name = "RUN_DIR")]
    pub out: Option<PathBuf>,
    /// Two short epochs, to see that everything works
    #[arg(long)]
    pub quick: bool,
    /// Go on from the folder's last checkpoint, where there is one
    #[arg(long)]
    pub resume: bool,
    /// Most epochs
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Seed of the weights, the order and the augmentation
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Stop after so many epochs, to go on later with --resume
    #[arg(long, value_name = "N")]
    pub stop_after: Option<usize>,
    /// Change a setting, such as fit.learning_rate=0.001; a wrong one lists them. May be repeated
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub settings: Vec<String>,
    /// Device: cpu, cuda or metal (the latter two when built with that feature)
    #[arg(long, default_value = "cpu")]
    pub device: String,
}

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
    pub split: Look,
    /// Table to write: id, source, class, p0, p1 and so on
    #[arg(long, value_name = "FILE.csv")]
    pub out: Option<PathBuf>,
    /// Device: cpu, cuda or metal (the latter two when built with that feature)
    #[arg(long, default_value = "cpu")]
    pub device: String,
}

/// Runs `genre train`.
///
/// # Errors
/// When there is no such model, the cache cannot be read, or the training fails.
pub fn train(args: &TrainArgs) -> anyhow::Result<()> {
    let mut recipe = Recipe::named(&args.model)?;
    for setting in &args.settings {
        recipe = recipe.with(setting)?;
    }
    let config = &mut recipe.fit;
    config.seed = args.seed.unwrap_or(config.seed);
    config.epochs = args.epochs.unwrap_or(config.epochs);
    if args.quick {
        (config.epochs, config.examples) = (2, Some(4 * config.batch));
    }
    let train = recipe.model.examples(&args.cache, Look::Train)?;
    let valid = recipe.model.examples(&args.cache, Look::Valid)?;
    let network = recipe.model.network(train.classes().len());
    println!(
        "{}: {} parameters, {} examples to train on, {} to validate, {} classes",
        recipe.name,
        network.parameters(),
        train.len(),
        valid.len(),
        train.classes().len()
    );
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("runs").join(&recipe.name));
    let options = FitOptions {
        resume: args.resume,
        stop_after: args.stop_after,
        progress: true,
        device: crate::train::device(&args.device)?,
        ..FitOptions::new(&out)
    };
    let described = serde_json::json!({ "name": recipe.name, "model": recipe.model });
    let outcome = fit(&*network, &*train, &*valid, &recipe.fit, &described, &options)?;
    if !outcome.finished {
        println!(
            "Stopped after {} of {} epochs: go on with the same command and --resume",
            outcome.epochs, recipe.fit.epochs
        );
        return Ok(());
    }
    println!(
        "Done after {} epochs and {:.0} s. Kept: epoch {}, valid loss {:.4}, balanced accuracy {:.1} %, in {}",
        outcome.epochs,
        outcome.seconds,
        outcome.best_epoch,
        outcome.loss,
        100.0 * outcome.balanced,
        out.display()
    );
    Ok(())
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
    table(&predictions.classes, &mean.figures());
    if let Some(path) = &args.out {
        predictions.write(path)?;
        println!("Wrote {}.", path.display());
    }
    Ok(())
}

fn print(predictions: &Predictions, of: &str) {
    let f = predictions.figures();
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
fn table(classes: &[String], figures: &Figures) {
    println!("rows: true class; columns: class said");
    for (name, row) in classes.iter().zip(&figures.confusion) {
        let cells: Vec<String> = row.iter().map(|n| format!("{n:>4}")).collect();
        println!("  {name:<14}{}", cells.join(""));
    }
}
