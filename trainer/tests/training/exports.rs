//! From a run to a weights file.

use std::path::PathBuf;

use sideman_inference::band::Sampling;
use sideman_inference::weights::{self, Card};
use sideman_trainer::export::Origin;
use sideman_trainer::recipes::band::export::{self, ExportArgs};

use crate::bench::{Bench, last, message};

fn args(bench: &Bench, run: PathBuf) -> ExportArgs {
    ExportArgs {
        checkpoint: export::Which::Best,
        run,
        cache: bench.cache(),
        out: bench.path("band-test.gguf"),
        origin: Origin { commit: "0123abc".into(), commands: vec!["prepare".into(), "train".into()] },
        sampling: r#"{"certain_new": 0.02}"#.into(),
        scores: vec!["measured elsewhere: 1".into()],
    }
}

#[test]
fn a_run_becomes_weights_with_a_complete_card() {
    let bench = Bench::new();
    let args = args(&bench, bench.train("run"));
    export::run(&args).unwrap();
    let bytes = std::fs::read(&args.out).unwrap();
    let band = weights::load(&bytes).unwrap();
    assert!(band.styles.iter().all(|s| s.code.len() == 4 && s.bpm == 120.0 && s.bar_steps == 16));
    assert!(band.styles.iter().any(|s| s.style == weights::AUTO));
    assert_eq!(band.sampling, Sampling { certain_new: 0.02, ..Sampling::default() });

    let Card {
        name,
        description,
        version,
        parameters,
        quantisation,
        licence,
        data,
        seed,
        commit,
        commands,
        training,
        scores,
        sha256,
    } = weights::card(&bytes).unwrap();
    assert_eq!((name.as_str(), seed, commit.as_str()), ("band-test", 1, "0123abc"));
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    assert_eq!(commands, args.origin.commands);
    assert_eq!(sha256, weights::sha256(&bytes));
    assert!(!description.is_empty() && quantisation.contains("Q8_0"));
    assert!(licence.contains("without a stated licence"), "it saw the research tier: {licence}");
    assert!(data.iter().any(|l| l.contains("4 songs of the train split, 128 bars")), "{data:?}");
    assert!(training.starts_with("6 updates"), "{training}");
    assert!(scores[0].contains("1 songs") && scores[0].contains("quantised"), "{scores:?}");
    assert_eq!(scores[1], args.scores[0]);
    let played = last(&args.run).config.network.tensors().into_iter().filter(|s| !s.training_only);
    assert_eq!(parameters, played.map(|s| s.shape.iter().product::<usize>()).sum::<usize>());

    let beside = std::fs::read_to_string(args.out.with_extension("toml")).unwrap();
    assert_eq!(toml::from_str::<Card>(&beside).unwrap(), weights::card(&bytes).unwrap());
}

#[test]
fn the_same_run_gives_the_same_file() {
    let bench = Bench::new();
    let args = args(&bench, bench.train("run"));
    export::run(&args).unwrap();
    let first = std::fs::read(&args.out).unwrap();
    export::run(&args).unwrap();
    assert!(std::fs::read(&args.out).unwrap() == first);
}

#[test]
fn a_failed_export_leaves_the_older_file() {
    let bench = Bench::new();
    let run = bench.train("run");
    let mut args = args(&bench, run.clone());
    std::fs::write(&args.out, "older").unwrap();

    args.run = bench.path("nowhere");
    assert!(message(export::run(&args)).contains("best.safetensors"));
    args.run = run.clone();
    args.cache = bench.path("nowhere");
    assert!(message(export::run(&args)).contains("no corpus cache"));
    args.cache = bench.cache();
    args.sampling = r#"{"certainty": 0.02}"#.into();
    assert!(message(export::run(&args)).contains("unknown field `certainty`"));
    args.sampling = r#"{"certain_new": 2.0}"#.into();
    assert!(message(export::run(&args)).contains("the sampling makes no sense"));
    args.sampling = "{}".into();
    let best = run.join("best.safetensors");
    let bytes = std::fs::read(&best).unwrap();
    std::fs::write(&best, &bytes[..bytes.len() - 9]).unwrap();
    assert!(message(export::run(&args)).contains("is not a checkpoint"));

    assert_eq!(std::fs::read_to_string(&args.out).unwrap(), "older");
    assert!(!args.out.with_extension("toml").exists());
}
