//! P3 and P4, and the classifiers of P2: the models of [`crate::recipes::genre`], in the order that their papers need.

use std::path::{Path, PathBuf};

use super::Report;
use super::fixtures::Made;
use super::{Paper, PaperInfo, PaperRun};
use crate::data::Split;
use crate::recipes::genre::eval::{measured, overview, plain};
use crate::recipes::genre::{
    EvalGenreArgs, PrepareOptions, RenderOptions, TrainArgs, gtzan, prepare, render, train,
};

/// P3: CNN against RNN on mel spectrograms.
pub(super) struct P3;

impl Paper for P3 {
    fn info(&self) -> PaperInfo {
        PaperInfo {
            id: "p3",
            title: "CNN against RNN on mel spectrograms",
            what: "CNN, RNN and CRNN on 1, 5, 15 and 30 s of GTZAN's mel spectrograms, and the listener that ships, by \
                   the paper's protocol",
            data: "a data folder with gtzan_mel_train.npz",
            quick: "half a minute",
            full: "40 minutes",
        }
    }

    fn run(&self, run: &PaperRun, report: &mut Report) -> anyhow::Result<()> {
        let cache = run.out.join("cache");
        prepared(run, Made::Images, &cache)?;
        let seconds: &[usize] = if run.is_quick() { &[1, 5] } else { &[1, 5, 15, 30] };
        let mut names: Vec<String> = ["rnn", "cnn", "crnn"]
            .iter()
            .flat_map(|kind| seconds.iter().map(move |s| format!("p3-{kind}-{s}s")))
            .collect();
        names.push("listener-last-ten".to_owned());
        let runs = train_all(run, &names, &cache, &[])?;
        report.section(
            "Networks by the length of the clip",
            "Trained on all but the last ten tracks of each genre and tested on these, 30 epochs, the last weights, as \
             in the paper. The listener is the classifier that ships, trained by the same protocol.",
        );
        evaluate(run, report, runs, &cache)
    }
}

/// P4: CNN and RNN on raw waveforms.
pub(super) struct P4;

/// Songs of a genre and epochs of the full run: the paper has 95 and 100 to 600, some hours on two cores.
const SONGS: usize = 20;
const EPOCHS: usize = 15;

impl Paper for P4 {
    fn info(&self) -> PaperInfo {
        PaperInfo {
            id: "p4",
            title: "Bach and Beethoven on raw waveforms",
            what: "a CNN and an RNN on parts of 6600 samples: parts of songs that training knows beside songs that it \
                   does not",
            data: "GTZAN as published, or a data folder of labelled MIDI and a General MIDI soundfont (Debian: \
                   timgm6mb-soundfont)",
            quick: "a minute",
            full: "40 minutes",
        }
    }

    fn run(&self, run: &PaperRun, report: &mut Report) -> anyhow::Result<()> {
        let cache = run.out.join("cache");
        let data = run.data_dir(Made::Sound)?;
        if gtzan::genres_folder(&data).is_some() {
            prepared(run, Made::Sound, &cache)?;
        } else {
            run.log("Playing labelled MIDI through a soundfont, as there is no GTZAN audio");
            let per_class = Some(if run.is_quick() { 3 } else { 100 });
            let options =
                RenderOptions { progress: run.progress, per_class, ..RenderOptions::new(&data, &cache) };
            run.log(&render(&options)?.to_string());
        }
        let settings = [format!("model.wave.songs={SONGS}")];
        let runs = train_all(run, &["p4-bach".to_owned(), "p4-beethoven".to_owned()], &cache, &settings)?;
        report.section(
            "What validating by parts of training songs hides",
            &format!(
                "The paper validates on parts of songs that it also trains on. Beside that: all parts of songs that were \
                 never heard, and their vote. {SONGS} songs a genre and {EPOCHS} epochs; the paper has 95 songs and 100 \
                 to 600 epochs (genre train --model p4-bach --set model.wave.songs=95 --epochs 100)."
            ),
        );
        evaluate(run, report, runs, &cache)
    }
}

/// The classifiers of P2: the linear and the non-linear CNN on piano-rolls.
///
/// # Errors
/// When the data cannot be read or holds nothing for them.
pub(super) fn p2(run: &PaperRun, report: &mut Report) -> anyhow::Result<()> {
    let cache = run.out.join("genre-cache");
    prepared(run, Made::Notes, &cache)?;
    let runs = train_all(run, &["p2-linear".to_owned(), "p2".to_owned()], &cache, &[])?;
    report.section(
        "Genre CNN",
        "Bass, piano and drums at 24 steps a beat, 5000 steps, ten classes weighted by N_total / N_genre: once linear, \
         once with ReLU, batch normalisation and dropout (Figures 2 to 4).",
    );
    evaluate(run, report, runs, &cache)
}

/// Reads a collection into a cache, once.
fn prepared(run: &PaperRun, what: Made, cache: &Path) -> anyhow::Result<()> {
    let data = run.data_dir(what)?;
    let options = PrepareOptions { progress: run.progress, ..PrepareOptions::new(&data, cache) };
    run.log(&prepare(&options)?.to_string());
    Ok(())
}

/// Trains models by name, or resumes them.
fn train_all(
    run: &PaperRun,
    names: &[String],
    cache: &Path,
    settings: &[String],
) -> anyhow::Result<Vec<PathBuf>> {
    let mut runs = vec![];
    for name in names {
        let out = run.training_dir(name);
        run.log(&format!("Training {name}"));
        let epochs = (!settings.is_empty()).then_some(EPOCHS);
        train::run(&TrainArgs {
            quick: run.is_quick(),
            resume: true,
            seed: Some(run.seed),
            epochs,
            settings: settings.to_vec(),
            ..TrainArgs::new(name, cache, &out)
        })?;
        runs.push(out);
    }
    Ok(runs)
}

/// Measures runs on the test split and puts all of it into the report.
fn evaluate(run: &PaperRun, report: &mut Report, runs: Vec<PathBuf>, cache: &Path) -> anyhow::Result<()> {
    let redraws = if run.is_quick() { 20 } else { 1000 };
    let args = EvalGenreArgs {
        models: runs,
        split: Split::Test,
        redraws,
        seed: run.seed,
        ..EvalGenreArgs::new(cache)
    };
    let found = measured(&args)?;
    for (number, table) in found.papers.iter().chain(&overview(&found)).enumerate() {
        let name: String = plain(table.title.split([':', '(']).next().unwrap_or_default()).to_lowercase();
        report.table(&format!("{number}-{}", name.chars().take(40).collect::<String>()), table)?;
    }
    for (title, picture) in found.pictures()? {
        report.figure(&plain(&title), &title, &picture)?;
    }
    Ok(())
}
