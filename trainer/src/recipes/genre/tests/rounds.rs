//! The whole way of small collections: prepared, trained on by every name, measured.

use std::path::{Path, PathBuf};

use clap::Parser;

use super::rendering::{font, late_piece};
use crate::data::Split;
use crate::data::fixtures::{archive, manifest, midi, npy, npz, put, texts};
use crate::recipes::genre::*;

/// Songs: path, split, genre. Those under `b` are of another source than the rest.
fn songs() -> Vec<(String, &'static str, &'static str)> {
    let songs = (0..16).map(|n| {
        let split = ["train", "train", "train", "train", "train", "valid", "valid", "test"][n / 2];
        let folder = if n / 2 == 4 { "b" } else { "a" };
        (format!("research/{folder}/{n:02}.mid"), split, ["Jazz", "Rock"][n % 2])
    });
    songs.collect()
}

/// Jazz swings through the night; rock plays an octave lower, on the beat, and in another tempo.
fn song(n: usize) -> sideman_music::Score {
    let mut score = late_piece();
    for track in score.tracks.iter_mut().filter(|t| !t.is_drums) {
        for (i, note) in track.notes.iter_mut().enumerate() {
            note.pitch = note.pitch - 12 * (n % 2) as u8 + (n / 2) as u8;
            note.onset += if n.is_multiple_of(2) { 160 * (i % 2) as i64 } else { 0 };
        }
    }
    score
}

/// Tracks of two genres, numbered as GTZAN's are: 90 and 91 are among the last ten, 89 is held for validation.
fn tracks() -> Vec<u8> {
    const COLUMNS: usize = 40;
    let numbers = [0, 1, 2, 3, 4, 89, 90, 91];
    let names: Vec<String> =
        numbers.iter().flat_map(|n| [format!("jazz.{n:02}"), format!("rock.{n:02}")]).collect();
    let splits: Vec<&str> = (0..names.len()).map(|i| if i % 8 < 6 { "train" } else { "valid" }).collect();
    let pixels: Vec<u8> = (0..names.len() * 128 * COLUMNS)
        .map(|i| {
            let (track, band) = (i / (128 * COLUMNS), i / COLUMNS % 128);
            let loud = (band < 64) == (track % 2 == 0);
            (if loud { 180 } else { 40 }) + ((i * 31 + track * 7) % 60) as u8
        })
        .collect();
    let y: Vec<u8> = (0..names.len()).map(|i| (i % 2) as u8).collect();
    let n = names.len();
    npz(&[
        ("X.npy", npy("|u1", &format!("({n}, 128, {COLUMNS})"), &pixels)),
        ("y.npy", npy("|u1", &format!("({n},)"), &y)),
        ("genres.npy", texts(&["jazz", "rock"])),
        ("names.npy", texts(&names.iter().map(String::as_str).collect::<Vec<_>>())),
        ("split.npy", texts(&splits)),
    ])
}

/// Caches of notes and images, and of rendered sound.
fn caches(root: &Path) -> [PathBuf; 2] {
    let [data, cache, sound, sf2] = ["data", "cache", "sound", "font.sf2"].map(|n| root.join(n));
    let songs = songs();
    let rows: Vec<_> =
        songs.iter().map(|(p, split, genre)| (p.as_str(), "genre_labelled", *split, *genre)).collect();
    let rows: Vec<String> = manifest(&rows)
        .lines()
        .map(|l| if l.starts_with("research/b") { l.replace("x@1", "y@1") } else { l.to_string() })
        .collect();
    put(&data, "manifest.csv", rows.join("\n"));
    let members: Vec<_> = songs.iter().enumerate().map(|(n, s)| (s.0.as_str(), midi(&song(n)))).collect();
    put(&data, "open.tar.zst", archive(&[]));
    put(&data, "research.tar.zst", archive(&members));
    put(&data, mels::FILE, tracks());
    let options = PrepareOptions::new(&data, &cache);
    assert_eq!(prepare(&options).unwrap().kept(), 32);
    std::fs::write(&sf2, font()).unwrap();
    let options = RenderOptions { soundfont: Some(sf2), ..RenderOptions::new(&data, &sound) };
    assert_eq!(render(&options).unwrap().kept(), 16);
    [cache, sound]
}

/// Every figure of a report is one.
fn check(report: &serde_json::Value) {
    for m in report["figures"].as_array().unwrap() {
        let items = m["items"].as_u64().unwrap();
        let counted: f64 = m["confusion"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|r| r.as_array().unwrap())
            .filter_map(|c| c.as_f64())
            .sum();
        assert!(items > 0 && counted == items as f64, "{m}");
        for figure in ["accuracy", "balanced", "macro_f1", "by_file", "by_vote"] {
            let of = |key: &str| m[figure][key].as_f64().unwrap();
            assert!(0.0 <= of("low") && of("low") <= of("high") && of("high") <= 1.0, "{figure}: {m}");
            assert!((0.0..=1.0).contains(&of("value")), "{figure}: {m}");
        }
        assert!((0.0..=1.0).contains(&m["ece"].as_f64().unwrap()), "{m}");
        assert!(m["majority"][1] == 0.5, "two classes: {m}");
    }
}

#[test]
fn every_model_is_trained_and_measured_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let [cache, sound] = caches(dir.path());
    let mut runs = vec![];
    for training in Training::all() {
        let name = training.name();
        // The other protocols and lengths differ in their data alone.
        if ["-filtered", "-last-ten", "-all", "-5s", "-15s", "-30s"].iter().any(|e| name.ends_with(e)) {
            continue;
        }
        let out = dir.path().join("runs").join(&name);
        let from = if name.starts_with("p4") { &sound } else { &cache };
        train::run(&TrainArgs { quick: true, ..TrainArgs::new(&name, from, &out) }).unwrap();
        for file in ["best.safetensors", "last.safetensors", "log.jsonl", "loss.png"] {
            assert!(out.join(file).is_file(), "{name}: {file}");
        }
        runs.push(out);
    }
    assert_eq!(runs.len(), 4 + 3 + 1 + 2);
    let held_out = dir.path().join("runs/band-without-y");
    let args =
        TrainArgs { quick: true, hold_out: Some("y".into()), ..TrainArgs::new("band", &cache, &held_out) };
    train::run(&args).unwrap();
    runs.push(held_out);

    let [json, html, png, csv] = ["all.json", "all.html", "png", "csv"].map(|n| dir.path().join(n));
    let args = EvalGenreArgs {
        models: runs,
        cache: vec![cache.clone(), sound],
        redraws: 20,
        json: Some(json.clone()),
        html: Some(html.clone()),
        png: Some(png.clone()),
        csv: Some(csv.clone()),
        ..EvalGenreArgs::new(&cache)
    };
    eval::run(&args).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    check(&report);
    let rows = |model: &str, set: &str| {
        let all = report["figures"].as_array().unwrap().iter();
        all.filter(|m| m["model"] == model && m["set"] == set).count()
    };
    assert_eq!((rows("band", "valid"), rows("band", "y, unseen"), rows("p2-linear", "valid")), (2, 1, 1));
    assert_eq!((rows("p3-crnn-1s", "valid, trained on"), rows("listener", "valid")), (1, 1));
    assert_eq!((rows("p4-bach", "valid"), rows("p4-bach", "parts of training songs")), (1, 1));
    assert_eq!(rows("baseline", "valid"), 8, "of all but P3's");
    let page = std::fs::read_to_string(&html).unwrap();
    for part in ["P2: linear", "P4: what", "Sources that training never saw", "by source", "Losses in nats"] {
        assert!(page.contains(part), "{part}");
    }
    // Eleven runs with their curves; a matrix for each, for the source and for the parts of both of P4's.
    assert_eq!(page.matches("<figure>").count(), 11 + 11 + 1 + 2);
    let files = |dir: &Path| std::fs::read_dir(dir).unwrap().count();
    assert_eq!((files(&csv), files(&png)), (14, 11 + 14 + 9));

    // The test split: P3's last ten; of the images none are left for the listener.
    let args = EvalGenreArgs { split: Split::Test, html: None, png: None, csv: None, ..args };
    eval::run(&args).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    check(&report);
    let titles: Vec<&str> =
        report["papers"].as_array().unwrap().iter().filter_map(|t| t["title"].as_str()).collect();
    assert_eq!(titles.iter().map(|t| &t[..2]).collect::<Vec<_>>(), ["P2", "P3", "P4"]);
    assert!(report["figures"].as_array().unwrap().iter().all(|m| m["model"] != "listener"));
}

#[test]
fn without_a_name_the_built_in_weights_are_measured() {
    let dir = tempfile::tempdir().unwrap();
    let [cache, _] = caches(dir.path());
    let json = dir.path().join("built in.json");
    let args = EvalGenreArgs { redraws: 5, json: Some(json.clone()), ..EvalGenreArgs::new(&cache) };
    eval::run(&args).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    check(&report);
    let names: Vec<&str> =
        report["figures"].as_array().unwrap().iter().filter_map(|m| m["name"].as_str()).collect();
    let baseline = "programs and tempo";
    assert_eq!(names, ["genre-band", baseline, "genre-piano", baseline, "genre-audio", "genre-audio, live"]);
    assert_eq!(report["steadiness"].as_array().unwrap().len(), 1);
}

#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[test]
fn the_commands_of_the_cards_work() {
    use sideman_inference::genre::built_in::{AUDIO, BAND, PIANO};
    for weights in [BAND, PIANO, AUDIO] {
        let card = sideman_inference::genre::weights::head(weights).unwrap().card;
        for line in card.commands.iter().filter(|c| c.contains("genre train")) {
            let words = line.split(' ').skip_while(|w| *w != "genre");
            let Command::Train(args) = Line::parse_from(words).command else { panic!("{line}") };
            assert_eq!((args.cache.to_str(), args.settings.is_empty()), (Some("genre-cache"), true));
            assert!(Training::named(&args.model).is_ok(), "{line}");
        }
    }
}

#[test]
fn what_cannot_be_trained_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let error = |args: TrainArgs| format!("{:#}", train::run(&args).unwrap_err());
    let args = TrainArgs::new("nothing", dir.path(), dir.path());
    let all = error(args.clone());
    assert!(all.contains("band, piano, p2, p2-linear") && all.contains("p4-bach"), "{all}");
    let named = |name: &str| TrainArgs { model: name.into(), ..args.clone() };
    assert!(error(named("band")).contains("genre prepare"));
    let held = TrainArgs { hold_out: Some("x".into()), ..named("listener") };
    assert!(error(held).contains("for models of notes"));
    for (setting, what) in [
        ("bars.hiden=3", "the settings are"),
        ("bars.dropout=[1,2]", "does not fit"),
        ("fit.epochs", "path=value"),
        ("fit.epochs=many", "is not JSON"),
    ] {
        let wrong = TrainArgs { settings: vec![setting.into()], ..named("band") };
        assert!(error(wrong).contains(what), "{setting}");
    }
    let wrong = TrainArgs { settings: vec!["bars.dropout=[1,2,100]".into()], ..named("band") };
    assert!(error(wrong).contains("below 100"));
}
