//! `sideman-trainer genre train`: every classifier by its name, with one set of options.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::ValueEnum;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sideman_nets::genre::DynClassifier;

use super::sound::{ExampleSet, Recipe};
use super::symbolic;
use crate::train::{Examples, FitConfig, FitOptions, fit};

/// Command line of `genre train`.
#[derive(Debug, Clone, clap::Args)]
pub struct TrainArgs {
    /// Name of the model: band, piano, p2, p2-linear, p3-cnn-30s, p4-bach, listener and so on; one that does not
    /// exist lists them all
    #[arg(long, value_name = "NAME")]
    pub model: String,
    /// Cache made by `genre prepare` or `genre render`
    #[arg(long, value_name = "CACHE_DIR", default_value = "genre-cache")]
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
    /// Most epochs [default: the model's own]
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Seed of the weights, the order and the augmentation [default: 1]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Stop after so many epochs, to go on later with --resume
    #[arg(long, value_name = "N")]
    pub stop_after: Option<usize>,
    /// Keep a source out of training, by a part of its name, so that `eval genre` can measure on it; for models
    /// of notes
    #[arg(long, value_name = "SOURCE")]
    pub hold_out: Option<String>,
    /// Change a setting, such as fit.learning_rate=0.001; a wrong one lists them. May be repeated
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub settings: Vec<String>,
    /// Device: cpu, cuda or metal (the latter two when built with that feature)
    #[arg(long, default_value = "cpu")]
    pub device: String,
}

impl TrainArgs {
    /// A model with its own settings, out of a cache into a folder.
    pub fn new(model: &str, cache: &Path, out: &Path) -> Self {
        Self {
            model: model.to_owned(),
            cache: cache.to_owned(),
            out: Some(out.to_owned()),
            quick: false,
            resume: false,
            epochs: None,
            seed: None,
            stop_after: None,
            hold_out: None,
            settings: vec![],
            device: "cpu".to_owned(),
        }
    }
}

/// The name of a classifier of notes.
fn name(model: symbolic::Model) -> String {
    model.to_possible_value().map_or_else(String::new, |v| v.get_name().to_owned())
}

/// A model and how it is trained.
#[derive(Debug, Clone, PartialEq)]
pub enum Training {
    /// Of notes.
    Notes(symbolic::Training),
    /// Of sound.
    Sound(Recipe),
}

/// A model with its examples.
pub struct Ready {
    /// The network.
    pub network: Box<DynClassifier>,
    /// To train on.
    pub train: Box<dyn Examples>,
    /// To watch the training by.
    pub valid: Box<dyn Examples>,
    /// What is trained on what, for the checkpoints.
    pub described: serde_json::Value,
}

impl Training {
    /// All of them.
    pub fn all() -> Vec<Self> {
        let notes = symbolic::Model::value_variants().iter().map(|&m| Self::Notes(symbolic::Training::of(m)));
        notes.chain(Recipe::all().into_iter().map(Self::Sound)).collect()
    }

    /// The one of a name.
    ///
    /// # Errors
    /// When there is none; the message names those that there are.
    pub fn named(wanted: &str) -> anyhow::Result<Self> {
        let all = Self::all();
        let known = all.iter().map(Self::name).collect::<Vec<_>>().join(", ");
        let found = all.into_iter().find(|t| t.name() == wanted);
        found.with_context(|| format!("no model is called '{wanted}': choose from {known}"))
    }

    /// Its name.
    pub fn name(&self) -> String {
        match self {
            Self::Notes(training) => name(training.model),
            Self::Sound(recipe) => recipe.name.clone(),
        }
    }

    /// With one of its settings changed, see [`changed`].
    ///
    /// # Errors
    /// When there is no such setting, or the value does not fit.
    pub fn with(&self, setting: &str) -> anyhow::Result<Self> {
        Ok(match self {
            Self::Notes(training) => Self::Notes(changed(training, setting)?),
            Self::Sound(recipe) => Self::Sound(recipe.with(setting)?),
        })
    }

    /// How it is fitted.
    pub fn fit(&mut self) -> &mut FitConfig {
        match self {
            Self::Notes(training) => &mut training.fit,
            Self::Sound(recipe) => &mut recipe.fit,
        }
    }

    /// With a source kept out.
    fn without(self, source: &str) -> anyhow::Result<Self> {
        let Self::Notes(training) = self else {
            anyhow::bail!("{} has no sources to hold out: --hold-out is for models of notes", self.name())
        };
        Ok(Self::Notes(symbolic::Training { hold_out: Some(source.to_owned()), ..training }))
    }

    /// Its network and examples, from a cache.
    ///
    /// # Errors
    /// When the cache cannot be read or holds nothing for it.
    pub fn ready(&self, cache: &Path) -> anyhow::Result<Ready> {
        let ready = match self {
            Self::Notes(training) => training.ready(cache)?,
            Self::Sound(recipe) => {
                let [train, valid] =
                    [ExampleSet::Train, ExampleSet::Valid].map(|which| recipe.model.examples(cache, which));
                let train = train?;
                Ready {
                    network: recipe.model.network(train.classes().len()),
                    train,
                    valid: valid?,
                    described: serde_json::json!({ "name": recipe.name, "model": recipe.model }),
                }
            }
        };
        for (split, examples) in [("train", &ready.train), ("valid", &ready.valid)] {
            ensure!(
                !examples.is_empty(),
                "the {split} split of {} holds nothing for {}: prepare more music",
                cache.display(),
                self.name()
            );
        }
        Ok(ready)
    }
}

/// A value with one part of its JSON form changed, such as `fit.epochs=3`: the path to it, and JSON.
///
/// # Errors
/// When there is no such part, or the value does not fit.
pub fn changed<T: Serialize + DeserializeOwned>(of: &T, setting: &str) -> anyhow::Result<T> {
    let (path, value) =
        setting.split_once('=').with_context(|| format!("'{setting}' is not of the form path=value"))?;
    let value: serde_json::Value =
        serde_json::from_str(value).with_context(|| format!("'{value}' is not JSON"))?;
    let mut json = serde_json::to_value(of)?;
    let all = json.to_string();
    let place = json.pointer_mut(&format!("/{}", path.replace('.', "/")));
    *place.with_context(|| format!("there is no setting '{path}'; the settings are {all}"))? = value;
    serde_json::from_value(json).with_context(|| format!("'{setting}' does not fit; the settings are {all}"))
}

/// Runs `genre train`.
///
/// # Errors
/// When there is no such model or setting, the cache cannot be read, or the training fails.
pub fn run(args: &TrainArgs) -> anyhow::Result<()> {
    let mut training = Training::named(&args.model)?;
    for setting in &args.settings {
        training = training.with(setting)?;
    }
    if let Some(source) = &args.hold_out {
        training = training.without(source)?;
    }
    let config = training.fit();
    config.seed = args.seed.unwrap_or(config.seed);
    config.epochs = args.epochs.unwrap_or(config.epochs);
    if args.quick {
        (config.epochs, config.examples) = (2, Some(4 * config.batch));
    }
    let config = config.clone();
    let device = crate::train::device(&args.device)?;
    let ready = training.ready(&args.cache)?;
    println!(
        "{}: {} parameters, {} examples an epoch, {} to validate on, {} classes",
        training.name(),
        ready.network.parameters(),
        config.examples.unwrap_or(usize::MAX).min(ready.train.len()),
        ready.valid.len(),
        ready.train.classes().len()
    );
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("runs").join(training.name()));
    let options = FitOptions {
        resume: args.resume,
        stop_after: args.stop_after,
        progress: true,
        device,
        ..FitOptions::new(&out)
    };
    let outcome = fit(&*ready.network, &*ready.train, &*ready.valid, &config, &ready.described, &options)?;
    if !outcome.finished {
        println!(
            "Stopped after {} of {} epochs: go on with the same command and --resume",
            outcome.epochs, config.epochs
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
    println!(
        "Measure it with `sideman-trainer eval genre --cache {} {}`",
        args.cache.display(),
        out.display()
    );
    Ok(())
}
