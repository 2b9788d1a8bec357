//! Generalisation to unseen songs: our network on the paper's categories, and n-gram counts.

use sideman_nets::papers::EveryStep;

use super::every_step::{EveryStepObjective, score};
use super::ngram::{NGram, again};
use super::settings::Settings;
use super::songs::{Line, Lines, Song};
use super::windows::Score;
use crate::recipes::papers::{PaperRun, Report, draw};
use crate::report::table::Table;
use crate::train::{Choice, FitCheckpoint, FitConfig, curves, learn};

/// Regularisation of a training.
struct Variant {
    name: &'static str,
    file: &'static str,
    dropout: f32,
    smoothing: f64,
    decay: f64,
}

const VARIANTS: [Variant; 3] = [
    Variant {
        name: "nothing against overfitting",
        file: "own-plain",
        dropout: 0.0,
        smoothing: 0.0,
        decay: 0.0,
    },
    Variant { name: "dropout 0.5", file: "own-dropout", dropout: 0.5, smoothing: 0.0, decay: 0.0 },
    Variant {
        name: "dropout 0.5, decay, smoothing 0.1",
        file: "own-all",
        dropout: 0.5,
        smoothing: 0.1,
        decay: 0.1,
    },
];

/// Our network with more and more regularisation, and counts, on the 10, 3 and 3 songs.
pub(super) fn unseen_songs(
    run: &PaperRun,
    settings: &Settings,
    songs: &[Song],
    report: &mut Report,
) -> anyhow::Result<()> {
    let Lines { names, train, dev, test } = Lines::new(songs);
    let mut table = Table::new(
        format!("Songs never seen, {} categories of all 16 songs", names.len()),
        [
            "what",
            "train loss, last epoch",
            "dev loss",
            "at epoch",
            "dev loss, last epoch",
            "test loss",
            "figure 3",
            "accuracy",
        ],
    );
    let mut shown = vec![];
    for v in &VARIANTS {
        run.log(&format!("Training {}: {}", v.file, v.name));
        let net = EveryStep {
            classes: names.len(),
            embedding: settings.own_hidden / 2,
            hidden: settings.own_hidden,
            layers: 1,
            dropout: v.dropout,
        };
        let objective = EveryStepObjective {
            net,
            names: &names,
            train: &train,
            valid: &dev,
            steps: settings.window,
            smoothing: v.smoothing,
        };
        let config = FitConfig {
            seed: run.seed,
            epochs: settings.own_epochs,
            batch: settings.own_batch,
            learning_rate: 2e-3,
            weight_decay: v.decay,
            clip: 1.0,
            choice: Choice::Loss,
            ..FitConfig::default()
        };
        let recipe = serde_json::json!({ "paper": "p5", "own": v.file, "hidden": settings.own_hidden });
        let outcome = learn(&objective, &config, &recipe, &run.options(v.file))?;
        let best = FitCheckpoint::best_of(&run.training_dir(v.file))?;
        let log = curves::read(&run.training_dir(v.file))?;
        let predictions = score(&net, &best.parameters, &test, settings.window)?;
        let last = log.last();
        table.push([
            format!("ours, {}", v.name),
            last.map_or_else(String::new, |l| format!("{:.3}", l.loss)),
            format!("{:.3}", outcome.loss),
            outcome.best_epoch.to_string(),
            last.map_or_else(String::new, |l| format!("{:.3}", l.valid_loss)),
            format!("{:.3}", predictions.loss),
            format!("{:.3}", predictions.figure3),
            format!("{:.3}", predictions.accuracy),
        ]);
        for (what, value) in [("train", false), ("dev", true)] {
            let points = log.iter().map(|l| (l.epoch as f64, if value { l.valid_loss } else { l.loss }));
            shown.push((format!("{what}: {}", v.name), points.collect()));
        }
    }
    let known: Vec<&[usize]> = train.iter().map(|l| l.1.as_slice()).collect();
    let unigram = NGram::new(names.len(), 0, known.iter().copied());
    let mut add = |name: &str, after: &dyn Fn(&[usize]) -> Vec<f32>| {
        let predictions = |lines: &[Line]| counted(lines, settings.window, after);
        let (d, t) = (predictions(&dev), predictions(&test));
        table.push([
            name.to_owned(),
            String::new(),
            format!("{:.3}", d.loss),
            String::new(),
            String::new(),
            format!("{:.3}", t.loss),
            format!("{:.3}", t.figure3),
            format!("{:.3}", t.accuracy),
        ]);
    };
    add("how often each is", &|_| unigram.after(&[]));
    add("the same again", &|line| again(&unigram, line));
    for order in [1, 2, 3] {
        let g = NGram::new(names.len(), order, known.iter().copied());
        add(&format!("the last {order}"), &|line| g.after(line));
    }
    report.section(
        "Songs never seen, and what keeps from learning by heart",
        "Our build sees a category through an embedding, has one memory and is trained at every step. The weights are those \
         of the epoch with the lowest dev loss; the test songs chose nothing. Train losses are those of training, with \
         dropout and smoothing where there is any. Moving to other keys is left out here: the paper's set is in one key, \
         and its categories would not be known in another.",
    );
    report.table("never-seen", &table)?;
    report.figure(
        "own",
        "Our build by what is done against overfitting",
        &draw::lines("Loss in nats", "epoch", &shown)?,
    )
}

/// Scores of counts on lines, from a position on.
fn counted(lines: &[Line], from: usize, after: &dyn Fn(&[usize]) -> Vec<f32>) -> Score {
    let positions =
        lines.iter().flat_map(|(_, line)| (from..line.len()).map(move |at| (&line[..at], line[at])));
    Score::of(positions.map(|(before, truth)| (after(before), truth)))
}
