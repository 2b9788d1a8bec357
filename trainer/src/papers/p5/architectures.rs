//! The eight builds.

use anyhow::Context;
use candle_core::Device;
use sideman_nets::genre::Network;
use sideman_nets::papers::{Layer, NextNote};

use super::ngram::{NGram, again};
use super::settings::{Protocol, Settings};
use super::songs::{Line, Lines, Song, of, vocabulary};
use super::windows::{Score, Windows};
use super::{PAPER, long, short};
use crate::corpus::Split;
use crate::evaluate::table::Table;
use crate::evaluate::write_whole;
use crate::papers::{PaperRun, Report, draw};
use crate::train::Rule;
use crate::train::{Choice, Examples, FitCheckpoint, FitConfig, Outcome, curves, fit, predict};

/// Share of the windows that the program validates by.
const HELD_OUT: f64 = 0.05;
/// Categories that are generated.
const GENERATED: usize = 200;
/// Windows and epochs of the paper's protocol (section 3.1 says 10,000 to 30,000; 5.1: 200).
const PAPER_WINDOWS: f64 = 20_000.0;
const PAPER_EPOCHS: f64 = 200.0;

/// The paper's program: Keras's RMSprop and the last weights.
fn config(job: &PaperRun, (epochs, batch): (usize, usize), examples: Option<usize>) -> FitConfig {
    FitConfig {
        seed: job.seed,
        epochs,
        batch,
        examples,
        rule: Rule::RmsProp,
        choice: Choice::Last,
        ..FitConfig::default()
    }
}

/// What became of a training.
struct Trained {
    network: NextNote,
    checkpoint: FitCheckpoint,
    outcome: Outcome,
    log: Vec<curves::Line>,
}

fn trained(
    job: &PaperRun,
    name: &str,
    (build, shrink): (usize, usize),
    config: &FitConfig,
    (train, valid): (&Windows<'_>, &Windows<'_>),
) -> anyhow::Result<Trained> {
    job.say(&format!("Training {name}: {} windows of {} categories", train.len(), train.names.len()));
    let network = NextNote::build(build, train.steps, train.names.len()).shrunk(shrink);
    let recipe = serde_json::json!({ "paper": "p5", "build": build, "settings": shrink });
    let options = job.options(name);
    let outcome = fit(&network, train, valid, config, &recipe, &options)?;
    let checkpoint = FitCheckpoint::best_of(&job.run(name))?;
    Ok(Trained { network, checkpoint, outcome, log: curves::read(&job.run(name))? })
}

impl Trained {
    fn score(&self, windows: &Windows<'_>, most: usize) -> anyhow::Result<Score> {
        let some = windows.thinned(most);
        let parameters = &self.checkpoint.parameters;
        Ok(Score::of_predictions(&predict(&self.network, parameters, &some, 100, &Device::Cpu)?))
    }

    /// Lowest valid loss and its epoch.
    fn lowest(&self) -> (f64, usize) {
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

/// What the paper says of sizes, and what follows from it.
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

/// The song of the one-song protocol.
fn chosen<'a>(settings: &Settings, songs: &'a [Song]) -> anyhow::Result<&'a Song> {
    let named = songs.iter().find(|s| !settings.song.is_empty() && s.name.contains(&settings.song));
    let first =
        || songs.iter().find(|s| s.split == Split::Train && s.sonorities.len() > settings.window + 40);
    named.or_else(first).context("no song of the paper's set is long enough for a window")
}

/// A training on one song.
struct Run<'a> {
    name: String,
    build: usize,
    protocol: &'a Protocol,
    long: bool,
    random: bool,
}

fn runs(settings: &Settings) -> Vec<Run<'_>> {
    let run = |build: usize, long: bool, random: bool| {
        let kind = if long { "long" } else { "song" };
        let name = format!("{kind}-{}{}", short(build), if random { "-random" } else { "" });
        Run { name, build, protocol: if long { &settings.long } else { &settings.short }, long, random }
    };
    let short = settings.short.builds.iter().map(|&b| run(b, false, false));
    let long = settings.long.builds.iter().flat_map(|&b| [run(b, true, false), run(b, true, true)]);
    short.chain(long).collect()
}

fn scores(s: &Score) -> [String; 3] {
    [format!("{:.4}", s.loss), format!("{:.4}", s.figure3), format!("{:.3}", s.accuracy)]
}

/// All builds on the windows of one song, and some with windows held out at random.
pub(super) fn one_song(
    job: &PaperRun,
    settings: &Settings,
    songs: &[Song],
    report: &mut Report,
) -> anyhow::Result<()> {
    let song = chosen(settings, songs)?;
    let vocabulary = vocabulary([song]);
    let names: Vec<String> = vocabulary.categories().iter().map(|c| c.name()).collect();
    let lines = [(song.name.clone(), song.numbers(&vocabulary))];
    let all = Windows::all(&names, &lines, settings.window, 1);
    let mut table = Table::new(
        format!("One song ({}), {} categories", song.name, names.len()),
        [
            "build",
            "held out",
            "sizes",
            "epochs",
            "parameters",
            "paper: train",
            "test",
            "train loss",
            "accuracy",
            "held-out loss",
            "figure 3",
            "accuracy",
            "lowest held-out loss",
            "at epoch",
            "ms a window",
        ],
    )
    .names(3);
    let mut losses = vec![];
    let mut speeds = vec![];
    for run in runs(settings) {
        let (build, protocol) = (run.build, run.protocol);
        let config = config(job, (protocol.epochs, protocol.batch), None);
        let (train, held_out) = if run.random { all.random(HELD_OUT, job.seed) } else { all.last(HELD_OUT) };
        let how = if run.random { "random 5 %" } else { "last 5 %" };
        let t = trained(job, &run.name, (build, protocol.shrink), &config, (&train, &held_out))?;
        let (a, b) = (t.score(&train, settings.scored)?, t.score(&held_out, settings.scored)?);
        let (low, epoch) = t.lowest();
        // The windows of an epoch are whole batches.
        let seen = (train.len() / config.batch).max(1) * config.batch.min(train.len());
        let speed = t.outcome.seconds / (t.outcome.epochs * seen).max(1) as f64;
        if !run.long {
            speeds.push((build, speed));
        }
        let paper = PAPER[build.min(7)];
        let [train_loss, _, train_right] = scores(&a);
        let [loss, figure3, right] = scores(&b);
        let plain = |v: f64| if run.long { String::new() } else { format!("{v:.4}") };
        table.push([
            long(build).to_owned(),
            how.to_owned(),
            if protocol.shrink == 1 { "whole".into() } else { format!("1/{}", protocol.shrink) },
            protocol.epochs.to_string(),
            t.network.parameters().to_string(),
            plain(paper.0),
            plain(paper.1),
            train_loss,
            train_right,
            loss,
            figure3,
            right,
            format!("{low:.3}"),
            epoch.to_string(),
            if job.is_quick() { String::new() } else { format!("{:.1}", 1e3 * speed) },
        ]);
        let curve = t.log.iter().map(|l| (l.epoch as f64, l.valid_loss)).collect();
        losses.push((format!("{} ({how})", run.name), curve));
        if run.long {
            let caption = format!("{}: {how} of the windows held out", long(build));
            report.curves(&run.name, &caption, &job.run(&run.name))?;
        }
        if run.long && !run.random && build == settings.long.builds[0] {
            generate(job, settings, &t, &all, &vocabulary, report)?;
        }
    }
    report.section(
        "One song, as the paper's program does it",
        "The published program reads one song, takes every hundred categories of it with the next one, and gives the \
         last 5 % of these windows to Keras to validate by. Train loss is taken without dropout at the end. 'Figure 3' is \
         the paper's formula, which adds the logarithm of 1 - p of all that did not come. A random 5 % share nearly all \
         of what they see with windows that are trained on.",
    );
    report.table("one-song", &table)?;
    baselines(&lines, &all.last(HELD_OUT).1, names.len(), report)?;
    report.figure(
        "held-out",
        "Loss on the held-out windows by epoch",
        &draw::lines("Held-out loss", "epoch", &losses)?,
    )?;
    if !job.is_quick() && !speeds.is_empty() {
        costs(&speeds, report)?;
    }
    by_heart(settings, songs, report)
}

/// What learning by heart gets right of the held-out windows of every song: no network, so all songs can be done.
fn by_heart(settings: &Settings, songs: &[Song], report: &mut Report) -> anyhow::Result<()> {
    const ORDER: usize = 4;
    let mut table = Table::new(
        "Counts of what followed the last 4, song by song",
        [
            "song",
            "categories",
            "last 5 %: loss",
            "figure 3",
            "accuracy",
            "random 5 %: loss",
            "figure 3",
            "accuracy",
        ],
    );
    let mut sums = [Score::default(); 2];
    for song in songs {
        let vocabulary = vocabulary([song]);
        let names: Vec<String> = vocabulary.categories().iter().map(|c| c.name()).collect();
        let lines = [(song.name.clone(), song.numbers(&vocabulary))];
        let all = Windows::all(&names, &lines, settings.window, 1);
        if all.len() < 40 {
            continue;
        }
        let mut row = vec![song.name.clone(), names.len().to_string()];
        for (i, (train, held_out)) in [all.last(HELD_OUT), all.random(HELD_OUT, 1)].into_iter().enumerate() {
            let line = lines[0].1.as_slice();
            // All that training is shown: what the first window sees, and the answer of each.
            let first = (0..settings.window).map(|at| (line, at));
            let answers = train.at.iter().map(|&(_, at)| (line, at + settings.window));
            let g = NGram::of_places(names.len(), ORDER, first.chain(answers));
            let told: Vec<(Vec<f32>, usize)> = held_out
                .at
                .iter()
                .map(|&(_, at)| at + settings.window)
                .map(|at| (g.after(&line[..at]), line[at]))
                .collect();
            let s = Score::of(told.iter().map(|t| (t.0.as_slice(), t.1)));
            row.extend(scores(&s));
            sums[i].loss += s.loss;
            sums[i].figure3 += s.figure3;
            sums[i].accuracy += s.accuracy;
            sums[i].count += 1;
        }
        table.push(row);
    }
    let mut row = vec!["mean of the songs".to_owned(), String::new()];
    for s in sums {
        let n = s.count.max(1) as f64;
        let mean =
            Score { loss: s.loss / n, figure3: s.figure3 / n, accuracy: s.accuracy / n, count: s.count };
        row.extend(scores(&mean));
    }
    table.push(row);
    report.table("by-heart", &table)
}

/// What needs no network, on the held-out windows.
fn baselines(
    lines: &[Line],
    held_out: &Windows<'_>,
    classes: usize,
    report: &mut Report,
) -> anyhow::Result<()> {
    let Some(&(_, first)) = held_out.at.first() else { return Ok(()) };
    let line = &lines[0].1;
    // What windows before the first that is held out have seen, and their answers.
    let known = &line[..first + held_out.steps];
    let mut table = Table::new(
        "What needs no network, on the same held-out windows",
        ["from", "loss", "figure 3", "accuracy"],
    );
    let often = NGram::new(classes, 0, [known]);
    let mut add = |name: &str, after: &dyn Fn(usize) -> Vec<f32>| {
        let told: Vec<(Vec<f32>, usize)> = held_out
            .at
            .iter()
            .map(|&(_, at)| {
                let at = at + held_out.steps;
                (after(at), line[at])
            })
            .collect();
        let s = Score::of(told.iter().map(|t| (t.0.as_slice(), t.1)));
        let [loss, figure3, right] = scores(&s);
        table.push([name.to_owned(), loss, figure3, right]);
    };
    add("how often each is", &|_| often.after(&[]));
    add("the same again", &|at| again(&often, &line[..at]));
    for order in [1, 2, 4] {
        let g = NGram::new(classes, order, [known]);
        add(&format!("the last {order}"), &|at| g.after(&line[..at]));
    }
    report.table("one-song-baselines", &table)
}

/// What the paper's protocol would take.
fn costs(speeds: &[(usize, f64)], report: &mut Report) -> anyhow::Result<()> {
    let mut table = Table::new(
        "Time that the paper's protocol would take at these sizes: 20,000 windows, 200 epochs",
        ["build", "ms a window", "days"],
    );
    for &(build, speed) in speeds {
        let days = speed * PAPER_WINDOWS * PAPER_EPOCHS / 86_400.0;
        table.push([long(build).to_owned(), format!("{:.1}", 1e3 * speed), format!("{days:.1}")]);
    }
    report.table("costs", &table)
}

/// As the paper's program goes on: from a window of the song, always with the likeliest.
fn generate(
    job: &PaperRun,
    settings: &Settings,
    trained: &Trained,
    windows: &Windows<'_>,
    vocabulary: &sideman_music::encoding::note_tokens::Vocabulary,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut line = windows.seen(windows.len() / 3).to_vec();
    let count = if job.is_quick() { 20 } else { GENERATED };
    for _ in 0..count {
        let seen = [("".to_owned(), line[line.len() - settings.window..].to_vec())];
        let one = Windows { songs: &seen, at: vec![(0, 0)], ..windows.clone() };
        let x = one.inputs(&[0], None)?;
        let mut pass = sideman_nets::genre::Pass::inference(&trained.checkpoint.parameters);
        let logits: Vec<f32> = trained.network.logits(&mut pass, &x)?.flatten_all()?.to_vec1()?;
        line.push((0..logits.len()).fold(0, |b, i| if logits[i] > logits[b] { i } else { b }));
    }
    let notes = vocabulary.play(&line, 60, 80);
    let cut = vocabulary.play(&line[..settings.window], 60, 80).len();
    let picture = super::roll::draw(&notes[..cut], &notes[cut..]);
    let track = sideman_music::Track { name: "Piano".into(), source_track: 1, notes, ..Default::default() };
    let score = sideman_music::Score { tracks: vec![track], ..Default::default() };
    write_whole(&job.out.join("generated.mid"), &sideman_music::smf::write(&score))?;
    report.figure(
        "generated",
        "A build goes on (blue) from a window of its song (grey), as the paper's program does: one category after \
         another, so that two hands are played in turn",
        &picture,
    )
}

/// Some builds on the ten songs: songs that they never saw beside those that they did.
pub(super) fn ten_songs(
    job: &PaperRun,
    settings: &Settings,
    songs: &[Song],
    report: &mut Report,
) -> anyhow::Result<()> {
    let Lines { names, train, dev, test } = Lines::new(songs);
    let all = |lines| Windows::all(&names, lines, settings.window, 1);
    let (train, dev, test) = (all(&train), all(&dev), all(&test));
    let config = config(job, (settings.ten_epochs, settings.ten_batch), Some(settings.ten_examples));
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
        let t = trained(job, &name, (build, settings.ten_shrink), &config, (&train, &small))?;
        let mut row = vec![long(build).to_owned(), t.network.parameters().to_string()];
        for windows in [&train, &dev] {
            let [loss, _, right] = scores(&t.score(windows, settings.scored)?);
            row.extend([loss, right]);
        }
        row.extend(scores(&t.score(&test, settings.scored)?));
        table.push(row);
        report.curves(&name, &format!("{} on the ten songs", long(build)), &job.run(&name))?;
        if job.is_quick() {
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
