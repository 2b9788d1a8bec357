//! `sideman-trainer genre export` of models that hear: one or several runs to one weights file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use candle_core::Device;
use sideman_inference::genre::audio::MelClassifier;
use sideman_inference::genre::weights::{AudioWeights, Head, InputKind};
use sideman_inference::weights::Card;
use sideman_inference::weights::Shaped;
use sideman_nets::genre::fold;
use sideman_nets::nn::Network;

use super::predict::{Listening, Tracks, predict};
use crate::data::Split;
use crate::export::{self, RESEARCH_LICENCE};
use crate::recipes::genre::measure::figures::cross_entropy;
use crate::recipes::genre::measure::{Calibration, Predictions, measure};
use crate::recipes::genre::sound::{ExampleSet, MelModel, MelNetwork, MelSplit, Model, predict_run};
use crate::recipes::genre::symbolic::export::{
    ExportArgs, MOST_QUANTISATION_LOSS, data_lines, note, valid_line,
};
use crate::train::FitCheckpoint;

/// Whether a run is one of a model that hears.
pub fn hears(run: &Path) -> bool {
    FitCheckpoint::best_of(run).is_ok_and(|best| best.recipe["model"].is_object())
}

/// A run to be a member.
struct Member {
    name: String,
    run: PathBuf,
    model: MelModel,
    best: FitCheckpoint,
    config: MelClassifier,
}

impl Member {
    fn open(run: &Path) -> anyhow::Result<Self> {
        let best = FitCheckpoint::best_of(run)?;
        let model = serde_json::from_value(best.recipe["model"].clone()).with_context(|| {
            format!("the run in {} is of a model that this version does not know", run.display())
        })?;
        let of_the_product = match model {
            Model::Mel(model) if model.split != MelSplit::LastTen => match model.network.clone() {
                MelNetwork::MelClassifier(listener) => Some((model, listener)),
                _ => None,
            },
            _ => None,
        };
        let (model, listener) = of_the_product.with_context(|| {
            format!(
                "the product has no use for {}: it is there for comparison; name runs of `genre train --model listener` or listener-all",
                run.display()
            )
        })?;
        let config = MelClassifier { classes: best.classes.len(), ..listener };
        let name =
            run.file_name().map_or_else(|| run.display().to_string(), |n| n.to_string_lossy().into_owned());
        Ok(Self { name, run: run.to_owned(), model, best, config })
    }

    fn folded(&self) -> anyhow::Result<(MelClassifier, Shaped)> {
        Ok((self.config.clone(), fold(&self.config, &self.best.parameters)?))
    }
}

/// Several runs, quantised.
struct Together {
    members: Vec<Member>,
    folded: Vec<(MelClassifier, Shaped)>,
}

impl Together {
    fn open(runs: &[PathBuf]) -> anyhow::Result<Self> {
        let members = runs.iter().map(|run| Member::open(run)).collect::<anyhow::Result<Vec<_>>>()?;
        ensure!(
            members.iter().all(|m| m.best.classes == members[0].best.classes),
            "the runs tell different classes"
        );
        let folded = members.iter().map(Member::folded).collect::<anyhow::Result<_>>()?;
        Ok(Self { members, folded })
    }

    fn weights(&self, head: &Head) -> anyhow::Result<(Vec<u8>, AudioWeights)> {
        let bytes = AudioWeights::write(head, &self.folded)?;
        let weights = AudioWeights::load(&bytes).context("the file just made cannot be loaded")?;
        Ok((bytes, weights))
    }

    fn names(&self) -> String {
        self.members.iter().map(|m| m.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// What the networks say through candle, before they are quantised.
    fn before(&self, cache: &Path, valid: &Tracks) -> anyhow::Result<Predictions> {
        let mut mean: Vec<Vec<f32>> = vec![];
        for member in &self.members {
            let (_, said) = predict_run(&member.run, cache, ExampleSet::Valid, &Device::Cpu)?;
            mean.resize(said.probabilities.len(), vec![0.0; said.classes.len()]);
            for (mean, said) in mean.iter_mut().zip(&said.probabilities) {
                mean.iter_mut()
                    .zip(said)
                    .for_each(|(m, p)| *m += p.max(1e-12).ln() / self.members.len() as f32);
            }
        }
        for row in &mut mean {
            row.iter_mut().for_each(|v| *v = v.exp());
            let sum: f32 = row.iter().sum();
            row.iter_mut().for_each(|v| *v /= sum);
        }
        Ok(valid.with(mean))
    }
}

/// Runs the export.
///
/// # Errors
/// When the runs, the cache or the disk do not allow it, quantising costs too much, or there is nothing to calibrate
/// by.
pub fn run(args: &ExportArgs) -> anyhow::Result<()> {
    let own = Together::open(&args.run)?;
    let all = |t: &Together| t.members.iter().any(|m| m.model.split == MelSplit::All);
    ensure!(
        !all(&own) || !args.calibrate_by.is_empty(),
        "{} were trained on the valid split, too, and cannot be calibrated by it: name with --calibrate-by the runs of \
         the same recipes that left it out",
        own.names()
    );
    let other = if args.calibrate_by.is_empty() { None } else { Some(Together::open(&args.calibrate_by)?) };
    ensure!(
        other.as_ref().is_none_or(|o| !all(o) && o.members[0].best.classes == own.members[0].best.classes),
        "--calibrate-by takes runs of the same classes that were not trained on the valid split"
    );
    let valid = Tracks::load(&args.cache, Split::Valid)?;

    let first = &own.members[0];
    let train = first.model_examples(&args.cache)?;
    let training = own.members.iter().map(|m| {
        let b = &m.best;
        format!(
            "{}: {} epochs, the weights of the {}th, seed {}, {:.0} seconds",
            m.name, b.epochs, b.best_epoch, b.config.seed, b.seconds
        )
    });
    let mut head = Head {
        hears: InputKind::Audio,
        classes: first.best.classes.clone(),
        temperature: 1.0,
        unsure: 0.0,
        card: Card {
            description: match own.members.len() {
                1 => "Genre of sound, 30 s at a time".to_owned(),
                n => format!("Genre of sound, 30 s at a time, by {n} networks together"),
            },
            parameters: own.members.iter().map(|m| m.config.parameters()).sum(),
            licence: RESEARCH_LICENCE.into(),
            data: data_lines(
                train.iter().map(|(class, source)| (*class, source.as_str())),
                &first.best.classes,
            ),
            seed: first.best.config.seed,
            training: training.collect::<Vec<_>>().join("; "),
            ..args.origin.card(&args.out)
        },
    };

    let (_, weights) = own.weights(&head)?;
    let loss = |p: &Predictions| cross_entropy(&p.of_items).unwrap_or(f64::NAN);
    let own_says = predict(&weights, &valid, Listening::Whole)?;
    let before = own.before(&args.cache, &valid)?;
    let cost = export::cost(loss(&before), loss(&own_says), MOST_QUANTISATION_LOSS, "file")?;
    let (by, said, weights) = match &other {
        None => (None, own_says, weights),
        Some(other) => {
            let (_, weights) = other.weights(&head)?;
            (Some(other.names()), predict(&weights, &valid, Listening::Whole)?, weights)
        }
    };
    let calibration = Calibration::fit(&said);
    (head.temperature, head.unsure) = (calibration.temperature, calibration.unsure);
    if let Some(by) = &by {
        head.card.scores.push(format!(
            "temperature {:.2} and threshold {:.2} are those of {by}, trained by the same recipes without the valid split; \
             so are the scores on it that follow: these weights were trained on it",
            calibration.temperature, calibration.unsure
        ));
    }
    for (way, how) in [(Listening::Whole, ""), (Listening::Live, ", heard live, at the end of each track")] {
        let m = measure(&head.card.name, "valid", &predict(&weights, &valid, way)?, calibration, 1000, 1);
        head.card.scores.push(format!("{}{how}", valid_line(&m)));
    }
    head.card.scores.extend(args.scores.iter().cloned());
    let (bytes, _) = own.weights(&head)?;
    export::save(&args.out, &bytes, head.card, &note(cost, calibration))
}

impl Member {
    /// Class and source of each track that it was trained on.
    fn model_examples(&self, cache: &Path) -> anyhow::Result<Vec<(usize, String)>> {
        let train = Model::Mel(self.model.clone()).examples(cache, ExampleSet::Train)?;
        let tracks: BTreeMap<String, (usize, String)> = (0..train.len())
            .map(|i| (train.named(i).id.to_owned(), (train.class(i), train.named(i).source.to_owned())))
            .collect();
        Ok(tracks.into_values().collect())
    }
}
