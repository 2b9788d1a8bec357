//! From runs to a weights file and what it says.

use std::path::{Path, PathBuf};

use candle_core::Device;
use sideman_inference::genre::weights::AudioWeights;

use super::{Listening, Tracks, predict};
use crate::data::Split;
use crate::export::Origin;
use crate::recipes::genre::sound::tests::{SMALL_LISTENER, tracks};
use crate::recipes::genre::sound::{ExampleSet, predict_run};
use crate::recipes::genre::symbolic::ExportArgs;
use crate::recipes::genre::train::{self, TrainArgs};
use crate::recipes::genre::{Command, EvalGenreArgs, eval, run};

fn trained(model: &str, seed: u64, data: &Path, out: PathBuf) -> PathBuf {
    let args = TrainArgs {
        epochs: Some(6),
        seed: Some(seed),
        settings: SMALL_LISTENER.map(String::from).into(),
        ..TrainArgs::new(model, data, &out)
    };
    train::run(&args).unwrap();
    out
}

#[test]
fn runs_are_exported_together_and_measured() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("cache");
    std::fs::create_dir(&data).unwrap();
    tracks(&data);
    let watched = trained("listener", 3, &data, dir.path().join("watched"));
    let all = trained("listener-all", 4, &data, dir.path().join("all"));
    let export = |runs: &[&PathBuf], calibrate_by: &[&PathBuf], name: &str| {
        let out = dir.path().join(name);
        let args = ExportArgs {
            run: runs.iter().map(|r| (*r).clone()).collect(),
            calibrate_by: calibrate_by.iter().map(|r| (*r).clone()).collect(),
            cache: data.clone(),
            out: out.clone(),
            origin: Origin { commit: "abc".into(), commands: vec!["train".into()] },
            scores: vec!["elsewhere 1.0".into()],
        };
        run(&Command::Export(args))
            .map(|()| (AudioWeights::load(&std::fs::read(&out).unwrap()).unwrap(), out))
    };

    let (one, _) = export(&[&watched], &[], "one.gguf").unwrap();
    assert_eq!((one.kernels.len(), one.head.classes.len()), (1, 10));
    assert!(one.head.temperature != 1.0 && one.head.unsure > 0.0);
    // The product's way says what training's does, but for 8 bits.
    let valid = Tracks::load(&data, Split::Valid).unwrap();
    let said = predict(&one, &valid, Listening::Whole).unwrap();
    let (_, expected) = predict_run(&watched, &data, ExampleSet::Valid, &Device::Cpu).unwrap();
    assert_eq!(said.of_items.len(), 12);
    for (said, (id, expected)) in said.of_items.iter().zip(expected.ids.iter().zip(&expected.probabilities)) {
        assert_eq!(&said.id, id);
        let most = said.probabilities.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(most < 0.03, "{id}: {most}");
    }
    let live = predict(&one, &valid, Listening::Live).unwrap();
    assert!(live != said && live.of_items.len() == 12);

    // What was trained on all has nothing of its own to be calibrated by.
    let alone = export(&[&all], &[], "none.gguf").unwrap_err().to_string();
    assert!(alone.contains("--calibrate-by"), "{alone}");
    assert!(export(&[&all], &[&all], "none.gguf").is_err());
    let (two, path) = export(&[&all, &watched], &[&watched], "two.gguf").unwrap();
    assert_eq!((two.kernels.len(), two.head.temperature), (2, one.head.temperature));
    let card = std::fs::read_to_string(path.with_extension("toml")).unwrap();
    assert!(card.contains("are those of watched") && card.contains("elsewhere 1.0"), "{card}");

    let json = dir.path().join("eval.json");
    let args = EvalGenreArgs {
        models: vec![path],
        redraws: 10,
        no_baseline: true,
        json: Some(json.clone()),
        ..EvalGenreArgs::new(&data)
    };
    eval::run(&args).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let names: Vec<&str> =
        report["figures"].as_array().unwrap().iter().filter_map(|f| f["name"].as_str()).collect();
    assert_eq!(names, ["two", "two, live"]);
}
