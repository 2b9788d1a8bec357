//! The network of strokes: trained on piano music under open licences, in all keys.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use sideman_inference::papers::p5::{Continuing, Draws, StrokeNet, StrokePlayer, continued};
use sideman_music::encoding::note_tokens::{GAPS, LENGTHS, PITCHES, Shapes, Sonority};
use sideman_music::{MeterMap, Note, Score, Track};
use sideman_nets::nn::Parameters;

use super::settings::Settings;
use super::songs::{self, Song, of};
use super::strokes::{Line, StrokeObjective, StrokeScore, score};
use crate::data::Split;
use crate::recipes::papers::{PaperRun, Report};
use crate::report::table::Table;
use crate::report::write_whole;
use crate::train::{Choice, FitCheckpoint, FitConfig, Schedule, learn};

/// Folder of the run.
pub(super) const RUN: &str = "strokes";
/// Notes and chords that the examples of the report give, and that they add.
const GIVEN: usize = 120;
const ADDED: usize = 200;
/// Examples.
const EXAMPLES: usize = 3;
const DROPOUT: f32 = 0.15;

/// Music, and the sizes that follow from it.
pub(super) struct Data {
    pub(super) songs: Vec<Song>,
    pub(super) shapes: Shapes,
    pub(super) net: StrokeNet,
}

impl Data {
    /// Reads the open sets.
    pub(super) fn read(run: &PaperRun, settings: &Settings, paper_songs: &[Song]) -> anyhow::Result<Self> {
        // Versions of the paper's dev and test songs are not learned from, so that these measure something.
        let apart: Vec<&str> =
            paper_songs.iter().filter(|s| s.split != Split::Train).map(|s| s.group.as_str()).collect();
        let mut songs = songs::open(run)?;
        if run.data.is_some() {
            songs.retain(|s| !apart.contains(&s.group.as_str()));
        }
        let train = of(&songs, Split::Train);
        ensure!(
            !train.is_empty() && !of(&songs, Split::Valid).is_empty(),
            "there is too little open piano music"
        );
        let shapes = Shapes::frequent(train.iter().flat_map(|s| &s.sonorities), settings.stroke_shapes);
        let net = StrokeNet { shapes: shapes.count(), hidden: settings.stroke_hidden };
        Ok(Self { songs, shapes, net })
    }

    pub(super) fn lines(&self, split: Split, set: Option<&str>) -> Vec<Line> {
        let wanted = of(&self.songs, split).into_iter().filter(|s| set.is_none_or(|set| s.set == set));
        wanted.map(|s| Line::new(s, &self.shapes)).collect()
    }

    /// Names of the sets.
    pub(super) fn sets(&self) -> Vec<String> {
        let mut sets: Vec<String> = self.songs.iter().map(|s| s.set.clone()).collect();
        sets.sort();
        sets.dedup();
        sets
    }
}

fn config(run: &PaperRun, settings: &Settings) -> FitConfig {
    FitConfig {
        seed: run.seed,
        epochs: settings.stroke_epochs,
        batch: 16,
        examples: Some(settings.stroke_examples),
        learning_rate: 3e-3,
        warmup: 0.3,
        schedule: Schedule::Cosine,
        weight_decay: 0.02,
        beta2: 0.98,
        clip: 1.0,
        choice: Choice::Loss,
        ..FitConfig::default()
    }
}

/// How often each gap, pitch, shape and length is in the train lines: the losses of knowing that alone.
fn often(train: &[Line], lines: &[Line]) -> [f64; 4] {
    let sizes = [GAPS, PITCHES, usize::MAX, LENGTHS];
    let mut counts: [BTreeMap<usize, f64>; 4] = Default::default();
    let of = |l: &Line| -> Vec<[usize; 4]> {
        l.strokes.iter().map(|(s, _)| [s.gap, s.low, s.shape, s.length]).collect()
    };
    for stroke in train.iter().flat_map(of) {
        (0..4).for_each(|i| *counts[i].entry(stroke[i]).or_default() += 1.0);
    }
    let totals = [0, 1, 2, 3].map(|i| counts[i].values().sum::<f64>() + counts[i].len().min(sizes[i]) as f64);
    let (mut sums, mut n) = ([0.0; 4], 0.0f64);
    for stroke in lines.iter().flat_map(of) {
        n += 1.0;
        for i in 0..4 {
            sums[i] -= ((counts[i].get(&stroke[i]).copied().unwrap_or(0.0) + 1.0) / totals[i]).ln();
        }
    }
    sums.map(|s| s / n.max(1.0))
}

/// Trains it, measures it, and lets it go on from three pieces that it never saw.
pub(super) fn strokes(
    run: &PaperRun,
    settings: &Settings,
    paper_songs: &[Song],
    report: &mut Report,
) -> anyhow::Result<()> {
    let data = Data::read(run, settings, paper_songs)?;
    let (train, valid) = (data.lines(Split::Train, None), data.lines(Split::Valid, None));
    run.log(&format!(
        "Training {RUN}: {} pieces, {} notes and chords",
        train.len(),
        train.iter().map(|l| l.strokes.len()).sum::<usize>()
    ));
    let objective = StrokeObjective {
        net: data.net,
        train: &train,
        valid: &valid,
        steps: settings.stroke_steps,
        dropout: DROPOUT,
        keys: true,
    };
    let recipe = serde_json::json!({
        "paper": "p5", "network": data.net, "shapes": data.shapes.masks(), "steps": settings.stroke_steps,
    });
    learn(&objective, &config(run, settings), &recipe, &run.options(RUN))?;
    let best = FitCheckpoint::best_of(&run.training_dir(RUN))?;
    let mut table = Table::new(
        "Strokes, nats each",
        [
            "music",
            "strokes",
            "when",
            "lowest pitch",
            "chord",
            "how long",
            "together",
            "pitch right",
            "counts alone",
        ],
    );
    let mut add = |name: &str, lines: &[Line]| -> anyhow::Result<()> {
        let scored = score(&data.net, &best.parameters, lines, settings.stroke_steps)?;
        if scored.count > 0 {
            table.push(row(name, &scored, often(&train, lines).iter().sum()));
        }
        Ok(())
    };
    for split in [Split::Valid, Split::Test] {
        for set in data.sets() {
            add(&format!("{set}, {}", split.name()), &data.lines(split, Some(&set)))?;
        }
        add(&format!("all, {}", split.name()), &data.lines(split, None))?;
    }
    for split in [Split::Valid, Split::Test] {
        let lines: Vec<Line> =
            of(paper_songs, split).into_iter().map(|s| Line::new(s, &data.shapes)).collect();
        add(&format!("the paper's {} songs", split.name()), &lines)?;
    }
    report.section(
        "Strokes: what `sideman continue` plays from",
        "A stroke is a note or a chord with the time since the one before, its lowest pitch, the shape of the chord above it \
         and its length. Trained on piano music under open licences, every window moved to another key; stopped by the \
         valid split. What a category of the paper says is contained in a stroke, so 'together' bounds the loss on \
         categories from above, for music never seen and without any that are unknown.",
    );
    report.table("strokes", &table)?;
    report.curves(RUN, "The network of strokes", &run.training_dir(RUN))?;
    examples(run, settings, &data, &best.parameters, report)
}

fn row(name: &str, scored: &StrokeScore, counts: f64) -> Vec<String> {
    let mut row = vec![name.to_owned(), scored.count.to_string()];
    row.extend(scored.losses.iter().map(|l| format!("{l:.3}")));
    row.extend([format!("{:.3}", scored.loss()), format!("{:.3}", scored.pitches), format!("{counts:.3}")]);
    row
}

/// A player of trained weights.
pub(super) fn player(net: StrokeNet, parameters: &Parameters) -> anyhow::Result<StrokePlayer> {
    Ok(StrokePlayer::new(net, &parameters.values("")?)?)
}

/// Lets it go on from pieces of the valid split, one of each set, then more.
fn examples(
    run: &PaperRun,
    settings: &Settings,
    data: &Data,
    parameters: &Parameters,
    report: &mut Report,
) -> anyhow::Result<()> {
    let player = player(data.net, parameters)?;
    let (given_count, added_count) =
        if run.is_quick() { (settings.stroke_steps, 20) } else { (GIVEN, ADDED) };
    let long = |s: &&Song| s.sonorities.len() >= given_count;
    let mut pieces: Vec<&Song> = vec![];
    for set in data.sets() {
        pieces.extend(of(&data.songs, Split::Valid).into_iter().filter(long).find(|s| s.set == set));
    }
    pieces.truncate(EXAMPLES);
    for (i, song) in pieces.iter().enumerate() {
        let given = &song.sonorities[..given_count];
        let wanted = Continuing { count: added_count, draws: Draws::default(), seed: run.seed };
        let more = continued(&player, &data.shapes, given, &song.meters, wanted);
        let name = format!("continued-{}", i + 1);
        let notes = |s: &[Sonority]| -> Vec<Note> { s.iter().flat_map(Sonority::notes).collect() };
        let (given, more) = (notes(given), notes(&more));
        write(run, &name, &given, &more, &song.meters)?;
        let caption = format!(
            "{} ({}): {given_count} notes and chords (grey), and how it goes on (blue)",
            song.name, song.set
        );
        report.figure(&name, &caption, &super::roll::draw(&given, &more))?;
    }
    Ok(())
}

fn write(run: &PaperRun, name: &str, given: &[Note], more: &[Note], meters: &MeterMap) -> anyhow::Result<()> {
    let mut notes = [given, more].concat();
    notes.sort_unstable();
    let track = Track { name: "Piano".into(), source_track: 1, notes, ..Track::default() };
    let score = Score { tracks: vec![track], meters: meters.clone(), ..Score::default() };
    let path = run.out.join(format!("{name}.mid"));
    write_whole(&path, &sideman_music::smf::write(&score))
        .with_context(|| format!("cannot write {}", path.display()))
}
