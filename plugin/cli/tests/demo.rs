//! `sideman demo`.

use super::{Bench, ENGINES, track};

#[test]
fn demo_writes_three_files_and_says_so() {
    for engine in ENGINES {
        let bench = Bench::new();
        let ran = bench.run(&["demo", "--engine", engine]).ok();
        assert_eq!(bench.names(), ["demo.mid", "demo.png", "demo.wav"]);
        let line = ran.text();
        assert!(
            line.contains("demo.mid, demo.wav and demo.png") && line.contains("faster than real time"),
            "{line}"
        );
        assert_eq!(line.lines().count(), 1);
        assert!(ran.stderr.is_empty(), "no progress bar where nobody looks: {}", ran.stderr);

        let score = bench.score("demo.mid");
        let names: Vec<&str> = score.tracks.iter().map(|t| t.name.as_str()).collect();
        assert_eq!(names, ["Piano", "Drums", "Bass", "Guitar", "Strings"]);
        assert!(score.tracks.iter().all(|t| t.notes.len() > 50), "everybody plays");
        let bars = track(&score, "Piano").notes.last().unwrap().onset / 1920 + 1;
        assert!(bars >= 32);

        let wav = hound::WavReader::open(bench.path("demo.wav")).unwrap();
        let spec = wav.spec();
        assert_eq!((spec.channels, spec.sample_rate, spec.bits_per_sample), (2, 44_100, 16));
        let seconds = score.tempos.seconds_at(score.end());
        let wav_seconds = f64::from(wav.duration()) / 44_100.0;
        assert!((seconds..seconds + 4.0).contains(&wav_seconds), "{wav_seconds} for {seconds}");
        let picture = image::load_from_memory(&bench.get("demo.png")).unwrap();
        assert!(picture.width() > 800 && picture.height() > 600);
    }
}

#[test]
fn demo_makes_its_folder_and_takes_options() {
    let bench = Bench::new();
    let options =
        ["demo", "--out", "new/place", "--engine", "rules", "--parts", "bass", "--json", "--style", "bossa"];
    let ran = bench.run(&options).ok();
    let json: serde_json::Value = serde_json::from_str(ran.text()).unwrap();
    assert_eq!(json["style"], "bossa");
    assert_eq!(json["parts"].as_object().unwrap().keys().collect::<Vec<_>>(), ["bass"]);
    assert!(ran.stderr.contains("faster than real time"));
    assert!(bench.path("new/place/demo.wav").is_file());
    assert_eq!(bench.score("new/place/demo.mid").tracks.len(), 2);

    let failing = ["demo", "--out", "other/place", "--engine", "rules", "--soundfont", "missing.sf2"];
    bench.run(&failing).fails(1, &["missing.sf2"]);
    assert_eq!(bench.names(), ["new"], "a failed run takes its folders away again");
}
