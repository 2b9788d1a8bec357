//! The eight architectures of the paper: training, parameter counts, and the ten songs.

use candle_core::Device;
use sideman_nets::nn::Network;
use sideman_nets::papers::{Layer, NextNote};

use super::settings::Settings;
use super::songs::{Lines, Song, of, vocabulary};
use super::windows::{Score, Windows};
use super::{long, short};
use crate::data::Split;
use crate::recipes::papers::{PaperRun, Report};
use crate::report::table::Table;
use crate::train::Rule;
use crate::train::{Choice, Examples, FitCheckpoint, FitConfig, Outcome, curves, fit, predict};

/// The paper's program: Keras's RMSprop and the last weights.
pub(super) fn config(run: &PaperRun, (epochs, batch): (usize, usize), examples: Option<usize>) -> FitConfig {
    FitConfig {
        seed: run.seed,
        epochs,
        batch,
        examples,
        rule: Rule::RmsProp,
        choice: Choice::Last,
        ..FitConfig::default()
    }
}

/// A finished training.
pub(super) struct Trained {
    pub(super) network: NextNote,
    pub(super) checkpoint: FitCheckpoint,
    pub(super) outcome: Outcome,
    pub(super) log: Vec<curves::Line>,
}

pub(super) fn trained(
    run: &PaperRun,
    name: &str,
    (build, shrink): (usize, usize),
    config: &FitConfig,
    (train, valid): (&Windows<'_>, &Windows<'_>),
) -> anyhow::Result<Trained> {
    run.log(&format!("Training {name}: {} windows of {} categories", train.len(), train.names.len()));
    let network = NextNote::build(build, train.steps, train.names.len()).shrunk(shrink);
    let recipe = serde_json::json!({ "paper": "p5", "build": build, "settings": shrink });
    let options = run.options(name);
    let outcome = fit(&network, train, valid, config, &recipe, &options)?;
    let checkpoint = FitCheckpoint::best_of(&run.training_dir(name))?;
    Ok(Trained { network, checkpoint, outcome, log: curves::read(&run.training_dir(name))? })
}

impl Trained {
    pub(super) fn score(&self, windows: &Windows<'_>, limit: usize) -> anyhow::Result<Score> {
        let chunk = windows.thinned(limit);
        let parameters = &self.checkpoint.parameters;
        Ok(Score::of_predictions(&predict(&self.network, parameters, &chunk, 100, &Device::Cpu)?))
    }

    /// Lowest valid loss and its epoch.
    pub(super) fn lowest(&self) -> (f64, usize) {
        let lines = self.log.iter().map(|l| (l.valid_loss, l.epoch));
        lines.fold((f64::INFINITY, 0), |best, l| if l.0 < best.0 { l } else { best })
    }
}

/// The songs and how many categories they have.
pub(super) fn songs(settings: &Settings, songs: &[Song], report: &mut Report) -> anyhow::Result<()> {
    let mut table = Table::new(
        "The paper's set",
        ["song", "folder", "notes and chords", "categories", "windows", "unknown to the train songs %"],
    )
    .names(2);
    let known = vocabulary(of(songs, Split::Train));
    for split in [Split::Train, Split::Valid, Split::Test] {
        for song in of(songs, split) {
            let unknown = song.categories().filter(|c| known.number(c).is_none()).count();
            table.push([
                song.name.clone(),
                split.name().to_owned(),
                song.sonorities.len().to_string(),
                vocabulary([song]).len().to_string(),
                song.sonorities.len().saturating_sub(settings.window).to_string(),
                format!("{:.1}", 100.0 * unknown as f64 / song.sonorities.len().max(1) as f64),
            ]);
        }
    }
    let all = vocabulary(songs);
    report.section(
        "The data",
        &format!(
            "The folders of the paper's set in common time and C major are its split. Notes of a track that begin and end \
             together are a chord; onsets and lengths go to 16ths or eighth triplets. The train songs have {} \
             categories, all songs {}. As in the paper's program the vocabulary of what follows is that of all songs \
             that a training reads.",
            known.len(),
            all.len()
        ),
    );
    report.table("songs", &table)
}

/// Parameter counts beside the paper's, and what they imply.
pub(super) fn sizes(report: &mut Report) -> anyhow::Result<()> {
    let mut table = Table::new(
        "Parameters by the number of categories, one number a step, dense over all 100 steps",
        ["layers", "140", "160", "181", "200", "1000", "paper"],
    );
    for (name, layers, paper) in [
        ("2 LSTM-256", vec![Layer::Lstm(256); 2], "over 5.4 M"),
        ("4 LSTM-128", vec![Layer::Lstm(128); 4], "2.5 M"),
    ] {
        let of = |classes| NextNote { layers: layers.clone(), steps: 100, classes }.parameters();
        let mut row = vec![name.to_owned()];
        row.extend([140, 160, 181, 200, 1000].map(|n| format!("{:.2} M", of(n) as f64 / 1e6)));
        row.push(paper.to_owned());
        table.push(row);
    }
    report.section(
        "What the paper's parameter counts say",
        "Section 4.2 gives two counts. They fit a number a step as input and a dense layer over the outputs of all \
         hundred steps, with 181 and 160 categories. The ten songs have many times as many, one song has about as \
         many: the counts, and so the models that they are of, are those of one song.",
    );
    report.table("sizes", &table)
}

pub(super) fn scores(s: &Score) -> [String; 3] {
    [format!("{:.4}", s.loss), format!("{:.4}", s.figure3), format!("{:.3}", s.accuracy)]
}

/// Some builds on the ten songs: songs that they never saw beside those that they did.
pub(super) fn ten_songs(
    run: &PaperRun,
    settings: &Settings,
    songs: &[Song],
    report: &mut Report,
) -> anyhow::Result<()> {
    let Lines { names, train, dev, test } = Lines::new(songs);
    let all = |lines| Windows::all(&names, lines, settings.window, 1);
    let (train, dev, test) = (all(&train), all(&dev), all(&test));
    let config = config(run, (settings.ten_epochs, settings.ten_batch), Some(settings.ten_examples));
    let mut table = Table::new(
        format!(
            "Ten songs, {} categories: {} of {} windows an epoch, {} epochs",
            names.len(),
            settings.ten_examples.min(train.len()),
            train.len(),
            settings.ten_epochs
        ),
        [
            "build",
            "parameters",
            "train loss",
            "accuracy",
            "dev loss",
            "accuracy",
            "test loss",
            "figure 3",
            "accuracy",
        ],
    );
    for &build in &settings.ten_builds {
        let name = format!("ten-{}", short(build));
        let small = dev.thinned(settings.scored / 4);
        let t = trained(run, &name, (build, settings.ten_shrink), &config, (&train, &small))?;
        let mut row = vec![long(build).to_owned(), t.network.parameters().to_string()];
        for windows in [&train, &dev] {
            let [loss, _, right] = scores(&t.score(windows, settings.scored)?);
            row.extend([loss, right]);
        }
        row.extend(scores(&t.score(&test, settings.scored)?));
        table.push(row);
        report.curves(&name, &format!("{} on the ten songs", long(build)), &run.training_dir(&name))?;
        if run.is_quick() {
            break;
        }
    }
    if !settings.ten_builds.is_empty() {
        report.section(
            "Ten songs, songs never seen",
            "Trained on the windows of the ten songs of the train folder, measured on the songs of the other two. The dense \
             layer over all steps alone has 25 thousand weights a category.",
        );
        report.table("ten-songs", &table)?;
    }
    Ok(())
}
