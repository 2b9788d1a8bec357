//! `sideman-trainer genre train-symbolic`.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use candle_core::Device;
use sideman_models::genre::symbolic::BarNetConfig;
use sideman_music::genre::{BAND_FEATURES, PIANO_FEATURES};

use super::band::BandExamples;
use super::piano::PianoExamples;
use super::recipe::{BarRecipe, Data, Model, Recipe};
use super::rolls::RollExamples;
use crate::genre::cache;
use crate::genre::fit::{Choice, Examples, FitConfig, FitOptions, Outcome, Schedule, fit};

/// Trains a classifier of notes.
#[derive(Debug, Clone, clap::Args)]
pub struct TrainArgs {
    /// The classifier
    #[arg(value_enum)]
    pub model: Model,
    /// Cache made by `genre prepare`
    #[arg(long, value_name = "DIR", default_value = "genre-cache")]
    pub cache: PathBuf,
    /// Folder of the run
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Keep a source out of training, by a part of its name, so that `eval genre` can measure on it
    #[arg(long, value_name = "SOURCE")]
    pub hold_out: Option<String>,
    /// Epochs [default: the model's own]
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Seed
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Go on with the run in the folder
    #[arg(long)]
    pub resume: bool,
    /// Stop after so many epochs, to go on later with --resume
    #[arg(long, value_name = "N")]
    pub stop_after: Option<usize>,
    /// Units of a bar [default: the model's own]
    #[arg(long, value_name = "N")]
    pub hidden: Option<usize>,
    /// Dropout of figures, units and pooled units in hundredths [default: the model's own]
    #[arg(long, value_name = "N,N,N", value_delimiter = ',')]
    pub dropout: Vec<u8>,
    /// How much sources count alike rather than files, in hundredths
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub by_source: u8,
}

/// How a model is trained.
pub fn settings(model: Model) -> FitConfig {
    let product = FitConfig {
        epochs: 40,
        batch: 64,
        learning_rate: 2e-3,
        warmup: 1.0,
        schedule: Schedule::Cosine,
        weight_decay: 0.05,
        clip: 5.0,
        smoothing: 0.05,
        average: 0.99,
        patience: None,
        choice: Choice::Loss,
        ..FitConfig::default()
    };
    match model {
        Model::Band | Model::Piano => product,
        // P2 names neither optimizer nor epochs: Adam as it comes, until the valid loss has not fallen for six.
        Model::P2 | Model::P2Linear => FitConfig {
            epochs: 20,
            batch: 16,
            learning_rate: if model == Model::P2 { 1e-3 } else { 1e-4 },
            clip: 5.0,
            class_weights: 1.0,
            patience: Some(6),
            choice: Choice::Loss,
            ..FitConfig::default()
        },
    }
}

/// Examples of an epoch.
fn per_epoch(model: Model) -> usize {
    if model == Model::Band { 3200 } else { 6400 }
}

/// Runs the training.
///
/// # Errors
/// When the cache, the folder or the settings do not allow it.
pub fn run(args: &TrainArgs) -> anyhow::Result<()> {
    ensure!(
        [0, 3].contains(&args.dropout.len()) && args.dropout.iter().all(|&d| d < 100),
        "--dropout takes three hundredths, such as 20,20,40"
    );
    let data = Data::load(&args.cache, args.model, args.hold_out.as_deref())?;
    let config = FitConfig {
        seed: args.seed,
        epochs: args.epochs.unwrap_or(settings(args.model).epochs),
        ..settings(args.model)
    };
    let options = FitOptions {
        resume: args.resume,
        stop_after: args.stop_after,
        progress: true,
        device: Device::Cpu,
        ..FitOptions::new(&args.out)
    };
    let outcome = train(&data, args, &config, &options)?;
    println!(
        "{} epochs in {:.0} s; kept epoch {}: valid loss {:.3}, balanced accuracy {:.3}.",
        outcome.epochs, outcome.seconds, outcome.best_epoch, outcome.loss, outcome.balanced
    );
    println!("Measure it with `sideman-trainer eval genre {}`.", args.out.display());
    Ok(())
}

fn train(data: &Data, args: &TrainArgs, config: &FitConfig, options: &FitOptions) -> anyhow::Result<Outcome> {
    let model = args.model;
    let mut recipe =
        Recipe { model, cache: fingerprint(&args.cache)?, held_out: args.hold_out.clone(), bars: None };
    let labels = &data.train;
    let power = f64::from(args.by_source) / 100.0;
    let bars = |features: usize, scale| BarRecipe {
        net: BarNetConfig {
            features,
            hidden: args.hidden.unwrap_or(if model == Model::Band { 96 } else { 128 }),
            dense: 64,
            classes: labels.names.len(),
        },
        dropout: <[u8; 3]>::try_from(args.dropout.as_slice()).unwrap_or([20, 20, 40]),
        by_source: args.by_source,
        scale,
    };
    let train: Box<dyn Examples> = match model {
        Model::Band => {
            let all = BandExamples::new(&labels.set, &labels.names, &labels.of_items);
            let scale = all.scale();
            let all = all.for_training(&scale, power, per_epoch(model));
            recipe.bars = Some(bars(BAND_FEATURES, scale));
            Box::new(all)
        }
        Model::Piano => {
            let all = PianoExamples::new(&labels.set, &labels.names, &labels.of_items, 1);
            recipe.bars = Some(bars(PIANO_FEATURES, all.scale()));
            Box::new(all.for_training(power, per_epoch(model)))
        }
        Model::P2 | Model::P2Linear => {
            Box::new(RollExamples::new(&labels.set, &labels.names, &labels.of_items))
        }
    };
    let valid = model.examples(&data.valid);
    let network = recipe.network()?;
    println!(
        "{} parameters, {} examples an epoch, {} to validate on",
        network.parameters(),
        train.len(),
        valid.len()
    );
    fit(network.as_ref(), train.as_ref(), valid.as_ref(), config, &serde_json::to_value(&recipe)?, options)
}

fn fingerprint(path: &Path) -> anyhow::Result<String> {
    Ok(cache::read_index(path)?.fingerprint)
}
