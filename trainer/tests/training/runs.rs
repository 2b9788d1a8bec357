//! Whole runs.

use sideman_trainer::data::Split;
use sideman_trainer::recipes::band::{self, Library, PlotArgs, TrainArgs, TrainConfig};

use crate::bench::{Bench, bits, files, last, log, message};

#[test]
fn a_resumed_run_is_the_unbroken_run_bit_for_bit() {
    let bench = Bench::new();
    let whole = last(&bench.train("whole"));

    let mut args = bench.args("broken");
    args.segments = Some(1);
    band::run(&args).unwrap();
    let half = last(&args.out);
    assert_eq!((half.segments, half.updates), (1, 3));
    args.resume = true;
    band::run(&args).unwrap();
    let resumed = last(&args.out);

    assert_eq!((whole.segments, whole.updates), (2, 6));
    assert_eq!((resumed.segments, resumed.updates, resumed.seen), (2, 6, whole.seen));
    assert_eq!((resumed.best, resumed.stale), (whole.best, whole.stale));
    let moments = |k: &str| bits(&whole).iter().filter(|b| b.0.starts_with(k)).count();
    assert_eq!((moments("p.") > 40, moments("m.") > 40), (true, true));
    for (one, other) in bits(&whole).into_iter().zip(bits(&resumed)) {
        assert_eq!(one, other);
    }
    assert_eq!(whole.tensors.len(), resumed.tensors.len());
    assert_ne!(bits(&half), bits(&resumed), "the second segment changed something");

    let mut other = bench.args("other");
    other.config = bench.config(&[("seed = 1", "seed = 2")]);
    band::run(&other).unwrap();
    assert_ne!(bits(&last(&other.out)), bits(&whole), "the seed matters");
}

#[test]
fn a_finished_run_stays_as_it_is_when_resumed() {
    let bench = Bench::new();
    let run = bench.train("run");
    let before = files(&run);
    band::run(&TrainArgs { resume: true, ..bench.args("run") }).unwrap();
    assert_eq!(files(&run), before);
}

#[test]
fn a_run_leaves_its_log_its_curves_and_its_checkpoints() {
    let bench = Bench::new();
    let run = bench.train("run");
    let names: Vec<String> = files(&run).into_iter().map(|f| f.0).collect();
    assert_eq!(names, ["best.safetensors", "last.safetensors", "log.jsonl", "loss.png"]);

    let log = log(&run);
    let of = |key: &str| log.iter().filter_map(|l| l[key].as_f64()).collect::<Vec<_>>();
    assert_eq!(of("batch"), [3.0, 3.0, 6.0, 6.0]);
    let (loss, valid) = (of("loss"), of("valid"));
    assert_eq!((loss.len(), valid.len()), (2, 2));
    assert!(log[1]["terms"]["bass pitch"].as_f64().unwrap() > 0.0);
    let sum: f64 = log[1]["terms"].as_object().unwrap().values().map(|v| v.as_f64().unwrap()).sum();
    assert!((sum - valid[0]).abs() < 1e-9);

    let picture = image::open(run.join("loss.png")).unwrap().to_rgb8();
    assert!(picture.width() >= 1000 && picture.height() >= 700);
    let red = |p: &image::Rgb<u8>| p.0[0] > 180 && p.0[1] < 90 && p.0[2] < 70;
    assert!(picture.pixels().filter(|p| red(p)).count() > 100, "the valid loss is drawn");

    // `plot` draws the same again, or elsewhere.
    let drawn = std::fs::read(run.join("loss.png")).unwrap();
    let elsewhere = bench.path("curves.png");
    band::plot(&PlotArgs { run, out: Some(elsewhere.clone()) }).unwrap();
    assert_eq!(std::fs::read(elsewhere).unwrap(), drawn);
}

#[test]
fn the_loss_falls() {
    let bench = Bench::new();
    let mut args = bench.args("run");
    args.config = bench.config(&[("batches = 6", "batches = 24"), ("segment = 3", "segment = 12")]);
    band::run(&args).unwrap();
    let of = |key: &str| log(&args.out).iter().filter_map(|l| l[key].as_f64()).collect::<Vec<_>>();
    let (train, valid) = (of("loss"), of("valid"));
    // A look at the end of each segment: four songs are soon known by heart.
    assert_eq!((train.len(), valid.len()), (2, 2));
    assert!(train[1] < 0.7 * train[0], "{train:?}");
    // Fresh weights lose over ten nats on such a song.
    assert!(valid[1] < valid[0] && valid[1] < 1.0, "{valid:?}");
    assert_eq!(last(&args.out).best, valid[1]);
}

#[test]
fn training_ends_when_patience_does() {
    let bench = Bench::new();
    let mut args = bench.args("run");
    // Steps so small that nothing gets better.
    args.config = bench.config(&[
        ("batches = 6", "batches = 60"),
        ("patience = 8", "patience = 2"),
        ("learning_rate = 5e-3", "learning_rate = 1e-12"),
        ("weight_decay = 0.01", "weight_decay = 0.0"),
    ]);
    band::run(&args).unwrap();
    let end = last(&args.out);
    assert_eq!((end.segments, end.stale), (3, 2));
}

#[test]
fn a_folder_with_a_run_is_refused() {
    let bench = Bench::new();
    let run = bench.train("run");
    let before = files(&run);
    let error = message(band::run(&bench.args("run")));
    assert!(error.contains("holds a run already: add --resume"), "{error}");
    assert_eq!(files(&run), before);
}

#[test]
fn only_the_same_run_is_resumed() {
    let bench = Bench::new();
    let error = message(band::run(&TrainArgs { resume: true, ..bench.args("none") }));
    assert!(error.contains("no run to go on with"), "{error}");

    let run = bench.train("run");
    let before = files(&run);
    let mut args = TrainArgs { resume: true, ..bench.args("run") };
    args.config = bench.config(&[("clip = 1.0", "clip = 2.0")]);
    let error = message(band::run(&args));
    assert!(error.contains("made with another configuration"), "{error}");
    assert_eq!(files(&run), before);
}

#[test]
fn devices_that_are_not_there_are_named() {
    let bench = Bench::new();
    let error = message(band::run(&TrainArgs { device: "abacus".into(), ..bench.args("run") }));
    assert!(error.contains("unknown device 'abacus': choose cpu, cuda or metal"), "{error}");
    if cfg!(not(feature = "cuda")) {
        let error = message(band::run(&TrainArgs { device: "cuda".into(), ..bench.args("run") }));
        assert!(error.contains("build with --features cuda"), "{error}");
    }
    assert!(!bench.path("run").exists());
}

#[test]
fn the_test_split_is_not_for_training() {
    let bench = Bench::new();
    let config = TrainConfig::read(&bench.config(&[])).unwrap();
    let load = |split| Library::load(&bench.cache(), &config, split, None);
    assert_eq!(load(Split::Train).unwrap().songs.len(), 4);
    assert_eq!(load(Split::Valid).unwrap().songs.len(), 1);
    let error = message(load(Split::Test));
    assert!(error.contains("the test split is for evaluation alone"), "{error}");
}

#[test]
fn a_mix_without_songs_is_named() {
    let bench = Bench::new();
    let mut args = bench.args("run");
    args.config = bench.config(&[("\"research\"", "\"open\"")]);
    let error = message(band::run(&args));
    assert!(error.contains("no song of tier Open"), "{error}");
    args.cache = bench.path("nowhere");
    let error = message(band::run(&args));
    assert!(error.contains("no corpus cache at") && error.contains("prepare"), "{error}");
}

#[test]
fn a_folder_without_a_run_has_no_curves() {
    let bench = Bench::new();
    let plot = |run| message(band::plot(&PlotArgs { run, out: None }));
    let error = plot(bench.path("nowhere"));
    assert!(error.contains("log.jsonl") && error.contains("--run"), "{error}");
    std::fs::create_dir(bench.path("empty")).unwrap();
    std::fs::write(bench.path("empty/log.jsonl"), "no log\n").unwrap();
    let error = plot(bench.path("empty"));
    assert!(error.contains("holds no losses yet"), "{error}");
    assert!(!bench.path("empty/loss.png").exists());
}
