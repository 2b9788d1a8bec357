//! Models that hear: runs of `genre train`, and weights files.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::Device;
use sideman_models::genre::weights::{AudioWeights, Hears, head};

use super::EvalGenreArgs;
use crate::corpus::Split;
use crate::genre::audio::{Tracks, Way, predict};
use crate::genre::baseline::mean_and_deviation;
use crate::genre::fit;
use crate::genre::labelled::{Content, Kind};
use crate::genre::measure::{Baseline, Calibration, Measured, Prediction, Predictions, measure};
use crate::genre::recipes::{Look, Model, Recipe, predict_run};
use crate::genre::{Facts, cache};

/// Measures the run in a folder, beside mean and deviation of the mel bands where its cache has images.
pub(super) fn one(path: &Path, name: &str, args: &EvalGenreArgs) -> anyhow::Result<Vec<Measured>> {
    let device = Device::Cpu;
    let facts = facts(args)?;
    // P4's valid parts are of songs that it trains on; whole songs of the valid split are not.
    let (recipe, valid) = predict_run(path, &args.cache, Look::Songs, &device)?;
    let valid = converted(&valid, &facts);
    let (said, set) = if args.split == Split::Test {
        (converted(&predict_run(path, &args.cache, Look::Test, &device)?.1, &facts), "test")
    } else {
        (valid.clone(), "valid")
    };
    let figures = |name: &str, said: &Predictions, valid: &Predictions| {
        measure(name, set, said, Calibration::fit(valid), args.redraws, args.seed)
    };
    let mut out = vec![figures(name, &said, &valid)];
    if !args.no_baseline
        && let Some((baseline, rows)) = baseline(&recipe, args)?
    {
        let like = |said: &Predictions| {
            let of = |p: &Prediction| {
                let row = rows.get(p.file())?;
                Some(Prediction { probabilities: baseline.probabilities(row), ..p.clone() })
            };
            Predictions {
                of_items: said.of_items.iter().filter_map(of).collect(),
                classes: said.classes.clone(),
            }
        };
        out.push(figures("mean and deviation of mel bands", &like(&said), &like(&valid)));
    }
    if let Some(dir) = &args.csv {
        super::table(dir, name, set, &said)?;
    }
    Ok(out)
}

/// Whether this is a weights file of sound.
pub(super) fn is_file(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|bytes| head(&bytes).is_ok_and(|h| h.hears == Hears::Audio))
}

/// Measures a weights file of sound on images of mel spectrograms: each track as a whole, and live.
pub(super) fn file(path: &Path, name: &str, args: &EvalGenreArgs) -> anyhow::Result<Vec<Measured>> {
    let weights = AudioWeights::load(&std::fs::read(path)?)?;
    let calibration = Calibration { temperature: weights.head.temperature, unsure: weights.head.unsure };
    let (split, set) =
        if args.split == Split::Test { (Split::Test, "test") } else { (Split::Valid, "valid") };
    let tracks = Tracks::load(&args.cache, split)?;
    let mut out = vec![];
    for (way, name) in [(Way::Whole, name.to_owned()), (Way::Live, format!("{name}, live"))] {
        let said = predict(&weights, &tracks, way)?;
        out.push(measure(&name, set, &said, calibration, args.redraws, args.seed));
        if let Some(dir) = &args.csv {
            super::table(dir, &name, set, &said)?;
        }
    }
    Ok(out)
}

/// The splits that may be read.
fn splits(args: &EvalGenreArgs) -> Vec<Split> {
    let mut out = vec![Split::Train, Split::Valid];
    out.extend((args.split == Split::Test).then_some(Split::Test));
    out
}

/// What is known about the items of the cache, by id.
fn facts(args: &EvalGenreArgs) -> anyhow::Result<HashMap<String, Facts>> {
    let mut out = HashMap::new();
    for kind in [Kind::Mel, Kind::Audio] {
        for split in splits(args) {
            out.extend(
                cache::load(&args.cache, kind, split)?
                    .items
                    .into_iter()
                    .map(|i| (i.facts.id.clone(), i.facts)),
            );
        }
    }
    Ok(out)
}

/// With the groups of the items, and their parts numbered.
fn converted(said: &fit::Predictions, facts: &HashMap<String, Facts>) -> Predictions {
    let of_items = said.probabilities.iter().enumerate().map(|(i, probabilities)| {
        let id = &said.ids[i];
        Prediction {
            id: id.clone(),
            source: said.sources[i].clone(),
            group: facts.get(id).map_or_else(|| id.clone(), |f| f.group.clone()),
            class: said.truth[i],
            probabilities: probabilities.clone(),
        }
    });
    Predictions { classes: said.classes.clone(), of_items: of_items.collect() }
}

type Rows = BTreeMap<String, Vec<f32>>;

/// The baseline, learned from what the run was trained on, and the figures of every image by id.
fn baseline(recipe: &Recipe, args: &EvalGenreArgs) -> anyhow::Result<Option<(Baseline, Rows)>> {
    if !matches!(recipe.model, Model::Mel(_)) {
        return Ok(None);
    }
    let mut rows = Rows::new();
    for split in splits(args) {
        for item in cache::load(&args.cache, Kind::Mel, split)?.items {
            if let Content::Mel(image) = &item.content {
                rows.insert(item.facts.id, mean_and_deviation(image).to_vec());
            }
        }
    }
    let train = recipe.model.examples(&args.cache, Look::Train)?;
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    (0..train.len()).for_each(|i| {
        classes.insert(train.named(i).id, train.class(i));
    });
    classes.retain(|id, _| rows.contains_key(*id));
    let of_train: Vec<Vec<f32>> = classes.keys().map(|id| rows[*id].clone()).collect();
    let of_rows: Vec<usize> = classes.values().copied().collect();
    Ok(Some((Baseline::fit(&of_train, &of_rows, train.classes().len(), args.seed), rows)))
}
