//! Our build on the paper's categories, and what needs no network, by songs never seen.

use sideman_nets::papers::EveryStep;

use super::every::{Every, score};
use super::ngram::{NGram, again};
use super::settings::Settings;
use super::songs::{Lines, Song};
use super::windows::Score;
use crate::evaluate::table::Table;
use crate::papers::{PaperRun, Report, draw};
use crate::train::{Choice, FitCheckpoint, FitConfig, curves, learn};

/// How it is kept from learning by heart.
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

/// Our build, with more and more against overfitting, and counts, on the 10, 3 and 3 songs.
pub(super) fn ten_songs(
    job: &PaperRun,
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
        job.say(&format!("Training {}: {}", v.file, v.name));
        let net = EveryStep {
            classes: names.len(),
            embedding: settings.own_hidden / 2,
            hidden: settings.own_hidden,
            layers: 1,
            dropout: v.dropout,
        };
        let objective = Every {
            net,
            names: &names,
            train: &train,
            valid: &dev,
            steps: settings.window,
            smoothing: v.smoothing,
        };
        let config = FitConfig {
            seed: job.seed,
            epochs: settings.own_epochs,
            batch: settings.own_batch,
            learning_rate: 2e-3,
            weight_decay: v.decay,
            clip: 1.0,
            choice: Choice::Loss,
            ..FitConfig::default()
        };
        let recipe = serde_json::json!({ "paper": "p5", "own": v.file, "hidden": settings.own_hidden });
        let outcome = learn(&objective, &config, &recipe, &job.options(v.file))?;
        let best = FitCheckpoint::best_of(&job.run(v.file))?;
        let log = curves::read(&job.run(v.file))?;
        let told = score(&net, &best.parameters, &test, settings.window)?;
        let last = log.last();
        table.push([
            format!("ours, {}", v.name),
            last.map_or_else(String::new, |l| format!("{:.3}", l.loss)),
            format!("{:.3}", outcome.loss),
            outcome.best_epoch.to_string(),
            last.map_or_else(String::new, |l| format!("{:.3}", l.valid_loss)),
            format!("{:.3}", told.loss),
            format!("{:.3}", told.figure3),
            format!("{:.3}", told.accuracy),
        ]);
        for (what, value) in [("train", false), ("dev", true)] {
            let points = log.iter().map(|l| (l.epoch as f64, if value { l.valid_loss } else { l.loss }));
            shown.push((format!("{what}: {}", v.name), points.collect()));
        }
    }
    let known: Vec<&[usize]> = train.iter().map(|l| l.1.as_slice()).collect();
    let often = NGram::new(names.len(), 0, known.iter().copied());
    let mut add = |name: &str, after: &dyn Fn(&[usize]) -> Vec<f32>| {
        let told = |lines: &[(String, Vec<usize>)]| counted(lines, settings.window, after);
        let (d, t) = (told(&dev), told(&test));
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
    add("how often each is", &|_| often.after(&[]));
    add("the same again", &|line| again(&often, line));
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

/// What counts say of lines from a place on.
fn counted(lines: &[(String, Vec<usize>)], from: usize, after: &dyn Fn(&[usize]) -> Vec<f32>) -> Score {
    let told: Vec<(Vec<f32>, usize)> = lines
        .iter()
        .flat_map(|(_, line)| (from..line.len()).map(move |at| (&line[..at], line[at])))
        .map(|(before, truth)| (after(before), truth))
        .collect();
    Score::of(told.iter().map(|t| (t.0.as_slice(), t.1)))
}
