//! The paper's program: every architecture on the windows of one song, and what its held-out loss measures.

use anyhow::Context;
use sideman_music::encoding::note_tokens::Vocabulary;
use sideman_nets::nn::{Mode, Network};

use super::architectures::{Trained, config, scores, trained};
use super::ngram::{NGram, again};
use super::settings::{Protocol, Settings};
use super::songs::{Line, Song, vocabulary};
use super::windows::{Score, Windows};
use super::{PAPER, long, short};
use crate::data::Split;
use crate::recipes::papers::{PaperRun, Report, draw};
use crate::report::table::Table;
use crate::report::write_whole;
use crate::train::Examples;

/// Share of the windows that the program validates by.
const HELD_OUT: f64 = 0.05;
/// Categories that are generated.
const GENERATED: usize = 200;
/// Windows and epochs of the paper's protocol (section 3.1 says 10,000 to 30,000; 5.1: 200).
const PAPER_WINDOWS: f64 = 20_000.0;
const PAPER_EPOCHS: f64 = 200.0;

/// The song of the one-song protocol.
fn one_song_of<'a>(settings: &Settings, songs: &'a [Song]) -> anyhow::Result<&'a Song> {
    let named = songs.iter().find(|s| !settings.song.is_empty() && s.name.contains(&settings.song));
    let first =
        || songs.iter().find(|s| s.split == Split::Train && s.sonorities.len() > settings.window + 40);
    named.or_else(first).context("no song of the paper's set is long enough for a window")
}

/// A training on one song.
struct Training<'a> {
    name: String,
    build: usize,
    protocol: &'a Protocol,
    long: bool,
    random: bool,
}

fn trainings(settings: &Settings) -> Vec<Training<'_>> {
    let training = |build: usize, long: bool, random: bool| {
        let kind = if long { "long" } else { "song" };
        let name = format!("{kind}-{}{}", short(build), if random { "-random" } else { "" });
        Training { name, build, protocol: if long { &settings.long } else { &settings.short }, long, random }
    };
    let short = settings.short.builds.iter().map(|&b| training(b, false, false));
    let long = settings.long.builds.iter().flat_map(|&b| [training(b, true, false), training(b, true, true)]);
    short.chain(long).collect()
}

/// All builds on the windows of one song, and some with windows held out at random.
pub(super) fn one_song(
    run: &PaperRun,
    settings: &Settings,
    songs: &[Song],
    report: &mut Report,
) -> anyhow::Result<()> {
    let song = one_song_of(settings, songs)?;
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
    for training in trainings(settings) {
        let (build, protocol) = (training.build, training.protocol);
        let config = config(run, (protocol.epochs, protocol.batch), None);
        let (train, held_out) =
            if training.random { all.random(HELD_OUT, run.seed) } else { all.last(HELD_OUT) };
        let how = if training.random { "random 5 %" } else { "last 5 %" };
        let t = trained(run, &training.name, (build, protocol.shrink), &config, (&train, &held_out))?;
        let (a, b) = (t.score(&train, settings.scored)?, t.score(&held_out, settings.scored)?);
        let (low, epoch) = t.lowest();
        // The windows of an epoch are whole batches.
        let seen = (train.len() / config.batch).max(1) * config.batch.min(train.len());
        let speed = t.outcome.seconds / (t.outcome.epochs * seen).max(1) as f64;
        if !training.long {
            speeds.push((build, speed));
        }
        let paper = PAPER[build.min(7)];
        let [train_loss, _, train_right] = scores(&a);
        let [loss, figure3, right] = scores(&b);
        let plain = |v: f64| if training.long { String::new() } else { format!("{v:.4}") };
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
            if run.is_quick() { String::new() } else { format!("{:.1}", 1e3 * speed) },
        ]);
        let curve = t.log.iter().map(|l| (l.epoch as f64, l.valid_loss)).collect();
        losses.push((format!("{} ({how})", training.name), curve));
        if training.long {
            let caption = format!("{}: {how} of the windows held out", long(build));
            report.curves(&training.name, &caption, &run.training_dir(&training.name))?;
        }
        if training.long && !training.random && build == settings.long.builds[0] {
            generate(run, settings, &t, &all, &vocabulary, report)?;
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
    if !run.is_quick() && !speeds.is_empty() {
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
            let targets = held_out.at.iter().map(|&(_, at)| at + settings.window);
            let s = Score::of(targets.map(|at| (g.after(&line[..at]), line[at])));
            row.extend(scores(&s));
            sums[i].add(&s, 1.0);
            sums[i].count += 1;
        }
        table.push(row);
    }
    let mut row = vec!["mean of the songs".to_owned(), String::new()];
    for s in sums {
        row.extend(scores(&s.mean_of(s.count)));
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
    let unigram = NGram::new(classes, 0, [known]);
    let mut add = |name: &str, after: &dyn Fn(usize) -> Vec<f32>| {
        let targets = held_out.at.iter().map(|&(_, at)| at + held_out.steps);
        let s = Score::of(targets.map(|at| (after(at), line[at])));
        let [loss, figure3, right] = scores(&s);
        table.push([name.to_owned(), loss, figure3, right]);
    };
    add("how often each is", &|_| unigram.after(&[]));
    add("the same again", &|at| again(&unigram, &line[..at]));
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

/// Continues a window of the song as the paper's program does: always with the likeliest category.
fn generate(
    run: &PaperRun,
    settings: &Settings,
    trained: &Trained,
    windows: &Windows<'_>,
    vocabulary: &Vocabulary,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut line = windows.seen(windows.len() / 3).to_vec();
    let layers = trained.network.load(&trained.checkpoint.parameters)?;
    let count = if run.is_quick() { 20 } else { GENERATED };
    for _ in 0..count {
        let seen = [("".to_owned(), line[line.len() - settings.window..].to_vec())];
        let one = Windows { songs: &seen, at: vec![(0, 0)], ..windows.clone() };
        let x = one.inputs(&[0], None)?;
        let logits: Vec<f32> = layers.forward(&x, &mut Mode::Inference)?.flatten_all()?.to_vec1()?;
        line.push((0..logits.len()).fold(0, |b, i| if logits[i] > logits[b] { i } else { b }));
    }
    let notes = vocabulary.play(&line, 60, 80);
    let cut = vocabulary.play(&line[..settings.window], 60, 80).len();
    let picture = super::roll::draw(&notes[..cut], &notes[cut..]);
    let track = sideman_music::Track { name: "Piano".into(), source_track: 1, notes, ..Default::default() };
    let score = sideman_music::Score { tracks: vec![track], ..Default::default() };
    write_whole(&run.out.join("generated.mid"), &sideman_music::smf::write(&score))?;
    report.figure(
        "generated",
        "A build goes on (blue) from a window of its song (grey), as the paper's program does: one category after \
         another, so that two hands are played in turn",
        &picture,
    )
}
