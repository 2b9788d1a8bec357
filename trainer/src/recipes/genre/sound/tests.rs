//! Recipes by name, and their examples out of small caches.

use std::path::Path;

use rand::SeedableRng;
use rand_pcg::Pcg64;
use sha2::Digest;

use super::mel_examples::normalise;
use super::*;
use crate::data::{Split, Tier};
use crate::recipes::genre::cache::{ITEMS, file};
use crate::recipes::genre::codec::encode;
use crate::recipes::genre::{Content, Facts, Kind, Labelled, MelImage, TrainArgs, train};

fn facts(id: &str, genre: &str, split: Split) -> Facts {
    Facts {
        id: id.into(),
        set: "fixtures".into(),
        tier: Tier::Open,
        source: "fixtures".into(),
        group: id.into(),
        split,
        genre: genre.into(),
        doubtful: false,
    }
}

/// Settings of a listener that learns from a few seconds of sound.
pub(crate) const SMALL_LISTENER: [&str; 5] = [
    "model.mel.input.crops.columns=40",
    "model.mel.input.crops.bands=0",
    "fit.batch=14",
    "fit.average=0",
    "fit.warmup=0",
];

/// A cache of some items.
fn cache(folder: &Path, items: &[Labelled]) {
    let fingerprint: [u8; 32] = sha2::Sha256::digest("fixtures").into();
    for kind in Kind::ALL {
        for split in [Split::Train, Split::Valid, Split::Test] {
            let own = |i: &&Labelled| i.content.kind() == kind && i.facts.split == split;
            let records: Vec<Vec<u8>> = items.iter().filter(own).map(encode).collect();
            let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
            ITEMS.write(&file(folder, kind, split), &fingerprint, &records).unwrap();
        }
    }
    ITEMS.write_index(folder, &crate::data::cache::hex(&fingerprint)).unwrap();
}

/// Tracks of two genres: one sounds low, the other high.
pub(in crate::recipes::genre) fn tracks(folder: &Path) {
    let mut items = vec![];
    for n in 0..40usize {
        let genre = ["blues", "metal"][n % 2];
        let number = if n < 20 { n } else { 60 + n };
        let columns = 80;
        let values = (0..128 * columns)
            .map(|i| {
                let loud = (i / columns < 64) == (n % 2 == 0);
                (if loud { 200 } else { 60 }) + ((i * 31 + n * 17) % 40) as u8
            })
            .collect();
        let split = if n % 10 < 7 { Split::Train } else { Split::Valid };
        let content = Content::Mel(MelImage { columns, values });
        items.push(Labelled { facts: facts(&format!("{genre}.{number:05}"), genre, split), content });
    }
    items.sort_by(|a, b| a.facts.id.cmp(&b.facts.id));
    cache(folder, &items);
}

#[test]
fn recipes_have_names_and_settings() {
    let all = Recipe::all();
    let mut names: Vec<&str> = all.iter().map(|r| r.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all.len());
    for recipe in &all {
        recipe.fit.check().unwrap();
        assert_eq!(Recipe::named(&recipe.name).unwrap(), *recipe);
        assert!(recipe.model.network(10).parameters() > 100_000);
    }
    assert!(Recipe::named("nothing").unwrap_err().to_string().contains("p3-cnn-30s"));
    let listener = Recipe::named("listener").unwrap();
    let changed = listener.with("fit.epochs=3").unwrap().with("model.mel.network.listener.width=64").unwrap();
    assert_eq!(changed.fit.epochs, 3);
    assert!(changed.model.network(10).parameters() < listener.model.network(10).parameters());
    assert!(listener.with("fit.epoch=3").unwrap_err().to_string().contains("learning_rate"));
    assert!(listener.with("fit.epochs=many").is_err() && listener.with("fit.epochs").is_err());
    assert!(listener.with("fit.epochs=\"3\"").is_err());
}

#[test]
fn the_splits_are_those_of_the_protocols() {
    let dir = tempfile::tempdir().unwrap();
    tracks(dir.path());
    let count = |name: &str, which: ExampleSet| {
        Recipe::named(name).unwrap().model.examples(dir.path(), which).map(|e| e.len()).unwrap_or(0)
    };
    assert_eq!((count("listener", ExampleSet::Train), count("listener", ExampleSet::Valid)), (28, 12));
    assert_eq!(
        (count("listener-all", ExampleSet::Train), count("listener-all", ExampleSet::Valid)),
        (40, 12)
    );
    assert_eq!(count("listener", ExampleSet::Test), 0);
    // Numbers 90 to 99 are the test; none of them is trained on.
    let recipe = Recipe::named("p3-cnn-5s").unwrap();
    let ids = |which| -> Vec<String> {
        let examples = recipe.model.examples(dir.path(), which).unwrap();
        (0..examples.len()).map(|i| examples.named(i).id.to_owned()).collect()
    };
    let (train, test) = (ids(ExampleSet::Train), ids(ExampleSet::Test));
    assert_eq!((train.len(), test.len()), (30, 10));
    assert!(test.iter().all(|id| id.contains(".0009") && !train.contains(id)));
}

#[test]
fn clips_do_not_depend_on_gain_and_floor() {
    let values: Vec<u8> = (0..128 * 200).map(|i| ((i * 7919) % 101) as u8).collect();
    let quiet = MelImage { columns: 200, values: values.clone() };
    let loud = MelImage { columns: 200, values: values.iter().map(|v| v * 2 + 40).collect() };
    let augmentation = Augmentation::default();
    let clip = |image: &MelImage, seed| augmentation.clip(image, &mut Pcg64::seed_from_u64(seed));
    let (a, b) = (clip(&quiet, 1), clip(&loud, 1));
    assert_eq!(a.len(), 128 * augmentation.columns);
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-4));
    assert!(clip(&quiet, 2) != a);
    let mut silence = vec![0.3; 100];
    normalise(&mut silence);
    assert!(silence.iter().all(|&v| v == 0.0));
}

#[test]
fn short_tracks_are_repeated_and_scoring_is_always_the_same() {
    let values: Vec<u8> = (0..128 * 10).map(|i| (i % 10) as u8 * 20).collect();
    let item = Labelled {
        facts: facts("blues.00001", "blues", Split::Train),
        content: Content::Mel(MelImage { columns: 10, values }),
    };
    let set = crate::recipes::genre::LabelledSet { kind: Kind::Mel, items: vec![item] };
    let clips =
        MelExamples::new(set, crate::recipes::genre::Scheme::Gtzan, MelInput::Clip { columns: 13 }).unwrap();
    let input = clips.inputs(&[0], None).unwrap();
    assert_eq!(input[0].dims(), [1, 128, 13]);
    let row: Vec<f32> = input[0].flatten_all().unwrap().to_vec1().unwrap();
    let expected: Vec<f32> = (0..13).map(|c| (c % 10) as f32 * 20.0 / 255.0).collect();
    assert_eq!(row[13..26], expected);
    let again = clips.inputs(&[0], Some(&mut Pcg64::seed_from_u64(1))).unwrap();
    assert_eq!(again[0].flatten_all().unwrap().to_vec1::<f32>().unwrap(), row);
}

#[test]
fn a_listener_learns_low_from_high_and_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let (data, run) = (dir.path().join("cache"), dir.path().join("run"));
    std::fs::create_dir(&data).unwrap();
    tracks(&data);
    let args = TrainArgs {
        epochs: Some(4),
        seed: Some(3),
        settings: SMALL_LISTENER.map(String::from).into(),
        ..TrainArgs::new("listener", &data, &run)
    };
    train::run(&args).unwrap();
    let (recipe, predictions) = predict_run(&run, &data, ExampleSet::Train, &Device::Cpu).unwrap();
    assert_eq!((recipe.name.as_str(), recipe.fit.epochs), ("listener", 4));
    assert_eq!(predictions.classes.len(), 10);
    assert!(predictions.metrics().accuracy > 0.9, "{:?}", predictions.metrics());
    let table = dir.path().join("p.csv");
    let args = PredictArgs {
        run,
        cache: data,
        split: ExampleSet::Valid,
        out: Some(table.clone()),
        device: "cpu".into(),
    };
    predict(&args).unwrap();
    assert_eq!(std::fs::read_to_string(table).unwrap().lines().count(), 13);
    let missing = PredictArgs { run: dir.path().join("none"), ..args };
    assert!(predict(&missing).unwrap_err().to_string().contains("genre train"));
}

#[test]
fn parts_of_training_songs_validate_and_whole_songs_test() {
    let dir = tempfile::tempdir().unwrap();
    let mut items = vec![];
    for (n, split) in [Split::Train, Split::Train, Split::Train, Split::Valid].into_iter().enumerate() {
        let path = dir.path().join(format!("{n}.wav"));
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: crate::recipes::genre::render::RATE,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut wav = hound::WavWriter::create(&path, spec).unwrap();
        // Each part has its own value.
        for i in 0..660_000usize {
            wav.write_sample((i / 6600 + 1000 * n) as i16).unwrap();
        }
        wav.finalize().unwrap();
        items.push(Labelled {
            facts: facts(&format!("song {n}"), "Jazz", split),
            content: Content::Audio(path),
        });
    }
    cache(dir.path(), &items);
    let model = Model::Wave(WaveModel { network: WaveNetwork::Bach, songs: 2 });
    let parts = |which| -> std::collections::BTreeSet<(String, i64)> {
        let examples = model.examples(dir.path(), which).unwrap();
        let all: Vec<usize> = (0..examples.len()).collect();
        let input = &examples.inputs(&all, None).unwrap()[0];
        assert_eq!(input.dims(), [all.len(), 60, 110]);
        let rows: Vec<Vec<f32>> = input.flatten_from(1).unwrap().to_vec2().unwrap();
        let value = |r: &[f32]| (r[0] * 32_768.0).round() as i64;
        assert!(rows.iter().all(|r| value(r) == value(&r[6599..])));
        all.iter().map(|&i| (examples.named(i).id.to_owned(), value(&rows[i]))).collect()
    };
    let (train, valid, songs) =
        (parts(ExampleSet::Train), parts(ExampleSet::Valid), parts(ExampleSet::Songs));
    assert_eq!((train.len(), valid.len(), songs.len()), (160, 40, 100));
    assert!(train.is_disjoint(&valid));
    let names = |parts: &std::collections::BTreeSet<(String, i64)>| -> std::collections::BTreeSet<String> {
        parts.iter().map(|p| p.0.clone()).collect()
    };
    assert_eq!(names(&train), names(&valid));
    assert!(names(&train).is_disjoint(&names(&songs)));
}
