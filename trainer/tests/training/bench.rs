//! A folder with a corpus, its cache, a configuration and runs.

use std::path::{Path, PathBuf};

use sideman_music::{Meter, MeterMap, Note, Score, TempoMap, Track, smf};
use sideman_trainer::data::{PrepareOptions, prepare};
use sideman_trainer::recipes::band::{self, Checkpoint, TrainArgs};

/// A run of two segments of three batches that takes less than a second.
pub(crate) const CONFIG: &str = "
seed = 1
lanes = 2
steps = 64
batches = 6
segment = 3
patience = 8
learning_rate = 5e-3
warmup = 2
weight_decay = 0.01
clip = 1.0
velocities = 0.5
dropout = 0.1
divergence = 2e-4
min_on_grid = 0.45
min_agreement = 0.35

[network]
input = 16
hidden = 16
context = 16
pitch = 16
style = 4

[[mix]]
tier = \"research\"
weight = 1.0

[spoil]
blank = 0.0025
blank_start = 0.15
shift = 0.001
drop_hit = 0.05
modulate = 0.05
";

/// Bars of each song.
const BARS: i64 = 32;

/// Onsets (quarter notes within the bar), pitches, length in pulses and velocity of what a bar repeats.
type Figure<'a> = (&'a [f64], &'a [u8], i64, u8);

fn track(
    name: &str,
    channel: u8,
    program: u8,
    bar: impl Fn(i64) -> Vec<(Vec<f64>, Vec<u8>, i64, u8)>,
) -> Track {
    let mut notes = vec![];
    for number in 0..BARS {
        for (onsets, pitches, length, velocity) in bar(number) {
            for &onset in &onsets {
                let onset = number * 1920 + (onset * 480.0) as i64;
                notes.extend(pitches.iter().map(|&pitch| Note { onset, pitch, length, velocity }));
            }
        }
    }
    notes.sort_by_key(|n| (n.onset, n.pitch));
    let source_track = usize::from(channel) + 1;
    Track { name: name.into(), source_track, channel, program, is_drums: channel == 9, notes }
}

fn own(figure: Figure<'_>) -> (Vec<f64>, Vec<u8>, i64, u8) {
    (figure.0.to_vec(), figure.1.to_vec(), figure.2, figure.3)
}

/// A song of four chords that go round, with a plain beat. `seed` chooses the chords.
fn song(seed: i64) -> Score {
    const BEATS: [f64; 4] = [0.0, 1.0, 2.0, 3.0];
    const EIGHTHS: [f64; 8] = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5];
    let root = move |bar: i64| 48 + ((bar % 4) * (5 + seed) + seed) as u8 % 12;
    let drums =
        [(&[0.0, 2.0][..], &[36][..], 100, 100), (&[1.0, 3.0], &[38], 100, 90), (&EIGHTHS, &[42], 100, 60)];
    Score {
        tempos: TempoMap::new(&[(0, 500_000)]),
        meters: MeterMap::new(&[(0, Meter::COMMON)]),
        markers: vec![],
        tracks: vec![
            track("Piano", 0, 0, |b| vec![own((&BEATS, &[root(b), root(b) + 4, root(b) + 7], 400, 70))]),
            track("Bass", 1, 33, |b| vec![own((&[0.0, 2.0], &[root(b) - 12], 800, 90))]),
            track("Guitar", 2, 25, |b| vec![own((&[1.0, 3.0], &[root(b) + 4, root(b) + 12], 200, 80))]),
            track("Strings", 3, 48, |b| vec![own((&[0.0], &[root(b) + 16, root(b) + 19], 1900, 50))]),
            track("Drums", 9, 0, |_| drums.map(own).to_vec()),
        ],
    }
}

/// The folder, which goes with the value.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    /// Four songs to train on, one to validate and one to test.
    pub(crate) fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        let data = bench.path("data");
        std::fs::create_dir(&data).unwrap();
        let mut splits = "path,split\n".to_owned();
        for (seed, split) in ["train", "train", "train", "train", "valid", "test"].into_iter().enumerate() {
            std::fs::write(data.join(format!("{seed}.mid")), smf::write(&song(seed as i64))).unwrap();
            splits += &format!("{seed}.mid,{split}\n");
        }
        std::fs::write(data.join("split.csv"), splits).unwrap();
        let report = prepare(&PrepareOptions::new(&data, &bench.cache())).unwrap();
        assert_eq!(report.songs["research-train"], 4, "{report}");
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.path("cache")
    }

    /// Writes [`CONFIG`] with some of its lines replaced.
    pub(crate) fn config(&self, changes: &[(&str, &str)]) -> PathBuf {
        let mut text = CONFIG.to_owned();
        for (old, new) in changes {
            assert!(text.contains(old), "{old} is not in the configuration");
            text = text.replace(old, new);
        }
        let path = self.path("config.toml");
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Arguments of a new run under a name with [`CONFIG`].
    pub(crate) fn args(&self, name: &str) -> TrainArgs {
        TrainArgs {
            from: None,
            config: self.config(&[]),
            cache: self.cache(),
            out: self.path(name),
            resume: false,
            segments: None,
            device: "cpu".into(),
        }
    }

    /// Runs [`CONFIG`] under a name.
    pub(crate) fn train(&self, name: &str) -> PathBuf {
        let args = self.args(name);
        band::run(&args).unwrap();
        args.out
    }
}

/// The checkpoint at the end of a run.
pub(crate) fn last(run: &Path) -> Checkpoint {
    Checkpoint::load(&run.join("last.safetensors")).unwrap()
}

/// All values of a checkpoint by tensor, as bits.
pub(crate) fn bits(checkpoint: &Checkpoint) -> Vec<(&str, Vec<u32>)> {
    let bits = |t: &candle_core::Tensor| {
        let values: Vec<f32> = t.flatten_all().unwrap().to_vec1().unwrap();
        values.into_iter().map(f32::to_bits).collect()
    };
    checkpoint.tensors.iter().map(|(k, t)| (k.as_str(), bits(t))).collect()
}

/// The lines of a run's log.
pub(crate) fn log(run: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(run.join("log.jsonl")).unwrap();
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// All that an error says.
pub(crate) fn message<T>(outcome: anyhow::Result<T>) -> String {
    format!("{:#}", outcome.err().expect("it should have failed"))
}

/// Names and contents of the files in a folder.
pub(crate) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap())
        .map(|e| (e.file_name().into_string().unwrap(), std::fs::read(e.path()).unwrap()))
        .collect();
    files.sort();
    files
}
