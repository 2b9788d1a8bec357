//! Models on images of mel spectrograms: P3's, and ours.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sideman_inference::genre::COLUMN_SECONDS;
use sideman_inference::genre::audio::MelClassifier;
use sideman_nets::genre::{DynClassifier, MelCnn, MelCrnn, MelRnn};

use super::mel_examples::{Augmentation, MelExamples};
use super::{ExampleSet, Model, Recipe};
use crate::data::Split;
use crate::recipes::genre::gtzan::split_last_ten;
use crate::recipes::genre::{Kind, LabelledSet, Scheme, load};
use crate::train::{Choice, Examples, FitConfig, Schedule};

/// Which tracks are trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MelSplit {
    /// As the cache has them: without faults, and with no artist in two splits.
    FaultFiltered,
    /// P3's: test are the last ten of each genre, of those that there are.
    LastTen,
    /// All of them, for a product that is measured elsewhere; the valid split is among them.
    All,
}

/// What a network gets of a track.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MelInput {
    /// Its first columns, 0 at the floor to 1 at the loudest.
    Clip {
        /// How many.
        columns: usize,
    },
    /// Mean 0 and deviation 1; in training a stretch of it, augmented; otherwise all of it.
    Crops(Augmentation),
}

/// A network on mel spectrograms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MelNetwork {
    /// P3's CNN.
    Cnn,
    /// P3's RNN.
    Rnn,
    /// P3's CRNN.
    Crnn,
    /// Ours; its classes are those of the data.
    #[serde(rename = "listener")]
    MelClassifier(MelClassifier),
}

/// A network on mel spectrograms with its data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MelModel {
    /// Tracks.
    pub split: MelSplit,
    /// What it gets of them.
    pub input: MelInput,
    /// The network.
    pub network: MelNetwork,
}

/// Columns of the first seconds of a track.
fn columns(seconds: usize) -> usize {
    (seconds as f64 / COLUMN_SECONDS).round() as usize
}

/// Every recipe on mel spectrograms.
pub(super) fn recipes() -> Vec<Recipe> {
    let mut all = vec![];
    for (ending, split) in [("", MelSplit::LastTen), ("-filtered", MelSplit::FaultFiltered)] {
        for (kind, network) in
            [("cnn", MelNetwork::Cnn), ("rnn", MelNetwork::Rnn), ("crnn", MelNetwork::Crnn)]
        {
            for seconds in [1, 5, 15, 30] {
                let input = MelInput::Clip { columns: columns(seconds) };
                all.push(Recipe {
                    name: format!("p3-{kind}-{seconds}s{ending}"),
                    model: Model::Mel(MelModel { split, input, network: network.clone() }),
                    // Adam as Keras has it, 30 epochs, the last weights (P3, section 2.2 and its program).
                    fit: FitConfig::default(),
                });
            }
        }
    }
    for (ending, split) in
        [("", MelSplit::FaultFiltered), ("-last-ten", MelSplit::LastTen), ("-all", MelSplit::All)]
    {
        all.push(Recipe {
            name: format!("listener{ending}"),
            model: Model::Mel(MelModel {
                split,
                input: MelInput::Crops(Augmentation::default()),
                network: MelNetwork::MelClassifier(MelClassifier::product(10)),
            }),
            fit: FitConfig {
                epochs: 120,
                batch: 32,
                learning_rate: 2e-3,
                warmup: 4.0,
                schedule: Schedule::Cosine,
                weight_decay: 0.05,
                clip: 5.0,
                smoothing: 0.1,
                mixup: 0.3,
                average: 0.98,
                calibration: 192,
                choice: Choice::Last,
                ..FitConfig::default()
            },
        });
    }
    all
}

impl MelModel {
    pub(super) fn network(&self, classes: usize) -> Box<DynClassifier> {
        match (&self.network, &self.input) {
            (MelNetwork::Cnn, MelInput::Clip { columns }) => Box::new(MelCnn::paper(*columns, classes)),
            (MelNetwork::Cnn, MelInput::Crops(a)) => Box::new(MelCnn::paper(a.columns, classes)),
            (MelNetwork::Rnn, _) => Box::new(MelRnn::paper(classes)),
            (MelNetwork::Crnn, _) => Box::new(MelCrnn::paper(classes)),
            (MelNetwork::MelClassifier(listener), _) => {
                Box::new(MelClassifier { classes, ..listener.clone() })
            }
        }
    }

    /// The tracks of a set of examples.
    fn tracks(&self, cache: &Path, which: ExampleSet) -> anyhow::Result<LabelledSet> {
        let both = || -> anyhow::Result<LabelledSet> {
            let mut set = load(cache, Kind::Mel, Split::Train)?;
            set.append(load(cache, Kind::Mel, Split::Valid)?);
            Ok(set)
        };
        Ok(match (self.split, which) {
            (MelSplit::All, ExampleSet::Train) => both()?,
            (MelSplit::LastTen, which) => {
                let mut set = both()?;
                split_last_ten(&mut set);
                let test = which == ExampleSet::Test;
                // The paper keeps none to choose by: those that validate are trained on as well, and only
                // those of the test are not.
                set.retain(|f| match which {
                    ExampleSet::Train => f.split != Split::Test,
                    _ if test => f.split == Split::Test,
                    _ => f.split == Split::Valid,
                });
                set
            }
            (_, ExampleSet::Train) => load(cache, Kind::Mel, Split::Train)?,
            (_, ExampleSet::Valid | ExampleSet::Songs) => load(cache, Kind::Mel, Split::Valid)?,
            (_, ExampleSet::Test) => load(cache, Kind::Mel, Split::Test)?,
        })
    }

    pub(super) fn examples(&self, cache: &Path, which: ExampleSet) -> anyhow::Result<Box<dyn Examples>> {
        let set = self.tracks(cache, which)?;
        Ok(Box::new(MelExamples::new(set, Scheme::Gtzan, self.input.clone())?))
    }
}
