//! What a trained classifier says: from the folder of a run, through the network, or from a weights file, through
//! the code that the product runs.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, ensure};
use candle_core::Device;
use sideman_inference::genre::symbolic::BarPool;
use sideman_inference::genre::weights::{BarWeights, InputKind, head};
use sideman_nets::genre::DynClassifier;
use sideman_nets::nn::Parameters;

use super::recipe::{Labels, Model, Recipe};
use crate::recipes::genre::measure::predictions::WINDOW_MARK;
use crate::recipes::genre::measure::{Prediction, Predictions};
use crate::train::{self, FitCheckpoint};

/// A classifier to measure.
pub enum Classifier {
    /// The best checkpoint of a run.
    Run {
        /// What was trained on what.
        recipe: Recipe,
        /// The network.
        network: Box<DynClassifier>,
        /// Its weights.
        parameters: Parameters,
    },
    /// A weights file.
    File {
        /// What it is.
        model: Model,
        /// The weights.
        weights: BarWeights,
    },
}

impl Classifier {
    /// Opens the folder of a run or a weights file.
    ///
    /// # Errors
    /// When it is neither, or damaged.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        if path.is_dir() {
            let best = FitCheckpoint::best_of(path)?;
            let recipe: Recipe = serde_json::from_value(best.recipe).with_context(|| {
                format!("the run in {} is not that of a classifier of notes", path.display())
            })?;
            let network = recipe.network()?;
            best.parameters
                .check(&network.specs())
                .with_context(|| format!("the run in {} was made by another version", path.display()))?;
            return Ok(Self::Run { recipe, network, parameters: best.parameters });
        }
        let bytes = std::fs::read(path).with_context(|| {
            format!("cannot read {}: name a weights file or the folder of a run", path.display())
        })?;
        Self::of_bytes(&bytes).with_context(|| format!("{}", path.display()))
    }

    /// Opens the bytes of a weights file.
    ///
    /// # Errors
    /// When it is damaged or listens to something else.
    pub fn of_bytes(bytes: &[u8]) -> anyhow::Result<Self> {
        let hears = head(bytes)?.hears;
        let model = match hears {
            InputKind::Band => Model::Band,
            InputKind::Piano => Model::Piano,
            InputKind::Audio => anyhow::bail!("it listens to sound, not to notes"),
        };
        Ok(Self::File { model, weights: BarWeights::load(bytes, hears)? })
    }

    /// The model.
    pub fn model(&self) -> Model {
        match self {
            Self::Run { recipe, .. } => recipe.model,
            Self::File { model, .. } => *model,
        }
    }

    /// A source that it was not trained on, if one was held out.
    pub fn held_out(&self) -> Option<&str> {
        match self {
            Self::Run { recipe, .. } => recipe.held_out.as_deref(),
            Self::File { .. } => None,
        }
    }
}

/// What a classifier says of labelled items, without temperature. Windows are numbered within their file.
///
/// # Errors
/// When the classes are not its own.
pub fn predict(classifier: &Classifier, labels: &Labels) -> anyhow::Result<Predictions> {
    let examples = classifier.model().examples(labels);
    let said = match classifier {
        Classifier::Run { network, parameters, .. } => {
            train::predict(network.as_ref(), parameters, examples.as_ref(), 32, &Device::Cpu)?.probabilities
        }
        Classifier::File { weights, .. } => {
            ensure!(
                weights.head.classes == labels.names,
                "the weights tell {}, the labels are {}",
                weights.head.classes.join(", "),
                labels.names.join(", ")
            );
            let kernel = &weights.kernel;
            let config = kernel.config();
            let (mut pool, mut normal, mut units) =
                (BarPool::new(kernel), vec![0.0; config.features], vec![0.0; config.hidden]);
            let mut all = vec![];
            for example in 0..examples.len() {
                let bars: Vec<f32> = examples.inputs(&[example], None)?[0].flatten_all()?.to_vec1()?;
                pool.clear();
                for bar in bars.chunks_exact(config.features) {
                    kernel.bar(bar, &mut normal, &mut units);
                    pool.add(&units);
                }
                let mut probabilities = vec![0.0; config.classes];
                kernel.classify(&mut pool, 1.0, &mut probabilities);
                all.push(probabilities);
            }
            all
        }
    };
    let groups: HashMap<&str, &str> =
        labels.set.items.iter().map(|i| (i.facts.id.as_str(), i.facts.group.as_str())).collect();
    let mut windows: HashMap<String, usize> = HashMap::new();
    let of_items = said.into_iter().enumerate().map(|(example, probabilities)| {
        let named = examples.named(example);
        let window = windows.entry(named.id.to_owned()).or_default();
        *window += 1;
        Prediction {
            id: format!("{}{WINDOW_MARK}{}", named.id, *window - 1),
            source: named.source.to_owned(),
            group: groups.get(named.id).map_or_else(|| named.id.to_owned(), |g| (*g).to_owned()),
            class: examples.class(example),
            probabilities,
        }
    });
    Ok(Predictions { classes: labels.names.clone(), of_items: of_items.collect() })
}
