//! `sideman-trainer genre export`: from a run to a quantised, calibrated weights file and its card.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, ensure};
use sideman_inference::genre::weights::{BarWeights, Head, InputKind, write};
use sideman_inference::weights::Card;

use super::predict::{Classifier, predict};
use super::recipe::{Data, Labels, Recipe};
use super::steadiness::steadiness;
use crate::export::{self, Origin, RESEARCH_LICENCE};
use crate::recipes::genre::measure::figures::cross_entropy;
use crate::recipes::genre::measure::{Calibration, Measured, measure};
use crate::train::FitCheckpoint;

/// Most nats that storing the matrices in 8 bits may cost on the valid split.
pub(in crate::recipes::genre) const MOST_QUANTISATION_LOSS: f64 = 0.01;

/// Quantises a run's best checkpoint, calibrates it on the valid split, and writes the weights file and its card.
#[derive(Debug, Clone, clap::Args)]
pub struct ExportArgs {
    /// Folder of the run; of models that hear several, to answer together
    #[arg(long, required = true)]
    pub run: Vec<PathBuf>,
    /// Runs whose temperature and threshold are taken, for models that hear and were trained on the valid split, too:
    /// those of the same recipes that left it out
    #[arg(long, value_name = "RUN")]
    pub calibrate_by: Vec<PathBuf>,
    /// Cache made by `genre prepare`, the one the run was trained on
    #[arg(long, value_name = "DIR", default_value = "genre-cache")]
    pub cache: PathBuf,
    /// Weights file to write; the card goes beside it, ending in .toml
    #[arg(long)]
    pub out: PathBuf,
    /// Where the weights come from, for the card
    #[command(flatten)]
    pub origin: Origin,
    /// A line about scores measured elsewhere, such as those of `eval genre` on the test split
    #[arg(long = "score", value_name = "LINE")]
    pub scores: Vec<String>,
}

/// Runs the export.
///
/// # Errors
/// When the run, the cache or the disk do not allow it, or quantising costs too much.
pub fn run(args: &ExportArgs) -> anyhow::Result<()> {
    let [from] = args.run.as_slice() else {
        anyhow::bail!("a classifier of notes is one run: name one --run")
    };
    ensure!(args.calibrate_by.is_empty(), "a classifier of notes is calibrated by its own valid split");
    let best = FitCheckpoint::best_of(from)?;
    let original = Classifier::open(from)?;
    let recipe: Recipe = serde_json::from_value(best.recipe.clone())?;
    let (Some(hears), Some(bars)) = (recipe.model.hears(), &recipe.bars) else {
        anyhow::bail!("the product has no use for {}: it is there for comparison", from.display())
    };
    ensure!(
        recipe.held_out.is_none(),
        "the run was not trained on all sources: train one without --hold-out"
    );
    let data = Data::load(&args.cache, recipe.model, None)?;

    let mut tensors = export::shaped(&best.parameters.tensors)?;
    tensors.insert("input.mean".into(), (vec![bars.net.features], bars.scale.mean()));
    tensors.insert("input.scale".into(), (vec![bars.net.features], bars.scale.scale()));
    let mut head = Head {
        hears,
        classes: best.classes.clone(),
        temperature: 1.0,
        unsure: 0.0,
        card: Card {
            description: describe(hears).into(),
            parameters: best.parameters.tensors.values().map(candle_core::Tensor::elem_count).sum(),
            licence: RESEARCH_LICENCE.into(),
            data: data_lines(sources_of(&data.train), &data.train.names),
            seed: best.config.seed,
            training: format!(
                "{} epochs, the weights of the {}th, {:.0} seconds",
                best.epochs, best.best_epoch, best.seconds
            ),
            ..args.origin.card(&args.out)
        },
    };

    let before = predict(&original, &data.valid)?;
    let weights = BarWeights::load(&write(&head, &bars.net, &tensors)?, hears)?;
    let quantised = Classifier::File { model: recipe.model, weights };
    let after = predict(&quantised, &data.valid)?;
    let loss =
        |p: &crate::recipes::genre::measure::Predictions| cross_entropy(&p.of_items).unwrap_or(f64::NAN);
    let cost = export::cost(loss(&before), loss(&after), MOST_QUANTISATION_LOSS, "file")?;
    let calibration = Calibration::fit(&after);
    (head.temperature, head.unsure) = (calibration.temperature, calibration.unsure);
    let m = measure(&head.card.name, "valid", &after, calibration, 1000, 1);
    head.card.scores.push(valid_line(&m));
    if let (InputKind::Piano, Classifier::File { weights, .. }) = (hears, &quantised) {
        let s = steadiness(&Arc::clone(&weights.kernel), calibration, &data.valid);
        head.card.scores.push(format!(
            "valid split, played bar by bar: {} changes of the answer in {} bars, {} of them within a phrase",
            s.changes, s.bars, s.within_phrases
        ));
    }
    head.card.scores.extend(args.scores.iter().cloned());
    let bytes = write(&head, &bars.net, &tensors)?;
    BarWeights::load(&bytes, hears).context("the file just made cannot be loaded")?;
    export::save(&args.out, &bytes, head.card, &note(cost, calibration))
}

/// Figures on the valid split as a line of the card.
pub(in crate::recipes::genre) fn valid_line(m: &Measured) -> String {
    let value = |e: Option<crate::eval::interval::Estimate>| e.map_or(f64::NAN, |e| e.value);
    format!(
        "valid split, {} examples of {} songs, by which the weights and the temperature were chosen: accuracy {:.3}, \
         balanced {:.3}, calibration error {:.3}; answers {:.0} % of them, {:.0} % of these rightly",
        m.items,
        m.songs,
        value(m.accuracy),
        value(m.balanced),
        m.ece.unwrap_or(f64::NAN),
        100.0 * m.unsure.answered,
        100.0 * m.unsure.accuracy.unwrap_or(f64::NAN),
    )
}

/// What the export says of what it did.
pub(in crate::recipes::genre) fn note(cost: f64, calibration: Calibration) -> String {
    format!(
        "quantising cost {cost:+.4} nats, the temperature is {:.2}, unsure below {:.2}",
        calibration.temperature, calibration.unsure
    )
}

fn describe(hears: InputKind) -> &'static str {
    match hears {
        InputKind::Band => "Genre of a whole band from its notes, bar by bar",
        InputKind::Piano => "Genre of the last eight bars of a piano alone",
        InputKind::Audio => "Genre of sound",
    }
}

/// Class and source of each item.
fn sources_of(train: &Labels) -> impl Iterator<Item = (usize, &str)> {
    train.set.items.iter().zip(&train.of_items).map(|(item, &class)| (class, item.facts.source.as_str()))
}

/// A line for each class: its files by source.
pub(in crate::recipes::genre) fn data_lines<'a>(
    train: impl Iterator<Item = (usize, &'a str)>,
    names: &[String],
) -> Vec<String> {
    let mut counts: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    train.for_each(|one| *counts.entry(one).or_default() += 1);
    let line = |(class, name): (usize, &String)| {
        let own =
            counts.iter().filter(|c| c.0.0 == class).map(|((_, source), n)| format!("{n} from {source}"));
        format!("{name}: {}", own.collect::<Vec<_>>().join(", "))
    };
    names.iter().enumerate().map(line).collect()
}
