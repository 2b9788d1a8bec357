//! Classifiers of notes, beside a baseline of programs and tempo.

use std::collections::HashMap;

use clap::ValueEnum;
use sideman_inference::genre::weights::InputKind;
use sideman_music::encoding::bar_features::programs_and_tempo;

use super::{Evaluation, Names, like};
use crate::data::Split;
use crate::recipes::genre::labelled::{Content, Kind, Labelled};
use crate::recipes::genre::measure::{Baseline, Calibration, measure};
use crate::recipes::genre::symbolic::recipe::{Data, Labels, Model};
use crate::recipes::genre::symbolic::steadiness::steadiness;
use crate::recipes::genre::symbolic::{Classifier, predict};

/// Name of the baseline.
const BASELINE: &str = "programs and tempo";

/// The name that `genre train` has for the model of a classifier.
pub(super) fn model_name(classifier: &Classifier) -> String {
    classifier.model().to_possible_value().map_or_else(String::new, |v| v.get_name().to_owned())
}

/// Measures a classifier on the split and, where a source was held out, on that.
pub(super) fn add(
    evaluation: &mut Evaluation<'_>,
    name: &str,
    classifier: &Classifier,
) -> anyhow::Result<()> {
    let args = evaluation.args;
    let (model, model_name) = (classifier.model(), model_name(classifier));
    let cache = args.cache_with(Kind::Symbolic)?;
    let data = Data::load(cache, model, classifier.held_out())?;
    let said_of_valid = predict(classifier, &data.valid)?;
    let calibration = match classifier {
        Classifier::File { weights, .. } => {
            Calibration { temperature: weights.head.temperature, unsure: weights.head.unsure }
        }
        Classifier::Run { .. } => Calibration::fit(&said_of_valid),
    };
    let test;
    let mut sets: Vec<(String, Option<&str>, &Labels)> = vec![];
    if args.split == Split::Test {
        test = Data::test(cache, model)?;
        sets.push(("test".into(), None, &test));
    } else {
        sets.push(("valid".into(), None, &data.valid));
    }
    if let Some(source) = classifier.held_out() {
        sets.push((format!("{source}, unseen"), Some(source), &data.held_out));
    }
    // P2's variants see the same music.
    let music = if model == Model::P2Linear { "p2" } else { model_name.as_str() };
    let mut learnt: Option<(Baseline, Calibration)> = None;
    for (set, held_out, labels) in sets {
        let names = Names { name, model: &model_name, held_out };
        let said = if set == "valid" { said_of_valid.clone() } else { predict(classifier, labels)? };
        evaluation.add(names, &set, &said, calibration)?;
        if !args.no_baseline {
            let key = format!("{music}, without {:?}, {set}", classifier.held_out());
            evaluation.add_baseline(names, &set, &key, || {
                let (baseline, calibration) = learnt.get_or_insert_with(|| {
                    let baseline = learn(&data.train, args.seed);
                    let valid = like(&said_of_valid, &baseline, &programs_of(&data.valid));
                    (baseline, Calibration::fit(&valid))
                });
                let said = like(&said, baseline, &programs_of(labels));
                Ok(measure(BASELINE, &set, &said, *calibration, args.redraws, args.seed))
            })?;
        }
        if let Classifier::File { weights, .. } = classifier
            && model.hears() == Some(InputKind::Piano)
        {
            let steady = steadiness(&weights.kernel, calibration, labels);
            evaluation.report.steadiness.push((format!("{name}, {set}"), steady));
        }
    }
    Ok(())
}

/// Programs and tempo by item.
fn programs_of(labels: &Labels) -> HashMap<String, Vec<f32>> {
    let of = |item: &Labelled| match &item.content {
        Content::Score(score) => Some((item.facts.id.clone(), programs_and_tempo(score).to_vec())),
        _ => None,
    };
    labels.set.items.iter().filter_map(of).collect()
}

fn learn(train: &Labels, seed: u64) -> Baseline {
    let programs = programs_of(train);
    let rows: Vec<Vec<f32>> = train.set.items.iter().map(|i| programs[&i.facts.id].clone()).collect();
    Baseline::fit(&rows, &train.of_items, train.names.len(), seed)
}
