//! What becomes of files, also when a run fails.

use std::process::Stdio;
use std::time::Duration;

use super::{Bench, ENGINES, song, song_bytes, track};

const RULES: [&str; 2] = ["--engine", "rules"];

#[test]
fn every_kind_of_output_is_valid() {
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(12));
    let args =
        ["render", "a.mid", "-o", "b.mid", "--stems", "stems", "--wav", "b.wav", "--png", "b.png", "--json"];
    let ran = bench.run(&[&args[..], &RULES].concat()).ok();

    let json: serde_json::Value = serde_json::from_str(ran.text()).unwrap();
    let whole = bench.score("b.mid");
    for part in ["drums", "bass", "guitar", "strings"] {
        let stem = bench.score(&format!("stems/{part}.mid"));
        let name = part[..1].to_uppercase() + &part[1..];
        assert_eq!(json["parts"][part]["notes"], track(&whole, &name).notes.len(), "{part}");
        let alone = stem.tracks.iter().find(|t| !t.notes.is_empty()).map(|t| &t.notes);
        assert_eq!(alone, Some(&track(&whole, &name).notes), "{part}");
        assert_eq!((&stem.tempos, &stem.meters), (&whole.tempos, &whole.meters), "{part}");
    }
    assert_eq!(track(&bench.score("stems/piano.mid"), "Piano").notes, song(12).tracks[0].notes);
    assert_eq!(json["files"]["stems"].as_array().unwrap().len(), 5);
    assert_eq!(json["piano"]["notes"], 12 * 12);
    let warnings = json["warnings"].to_string();
    assert!(warnings.contains("left out 1 of 2 tracks"), "{warnings}");
    assert!(json["times_real_time"].as_f64().unwrap() > 1.0);

    let mut wav = hound::WavReader::open(bench.path("b.wav")).unwrap();
    let loudest = wav.samples::<i16>().map(|s| i32::from(s.unwrap()).abs()).max().unwrap();
    assert!((3000..=32_767).contains(&loudest), "{loudest}");
    let picture = image::load_from_memory(&bench.get("b.png")).unwrap().to_rgb8();
    for colour in sideman_music::Part::ALL.map(|p| p.colour()) {
        assert!(picture.pixels().any(|p| p.0 == colour));
    }
    assert_eq!(bench.names(), ["a.mid", "b.mid", "b.png", "b.wav", "stems"], "nothing temporary stays");
}

#[test]
fn a_failed_run_leaves_what_was_there() {
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(4));
    bench.put("b.mid", b"precious");
    bench.put("b.png", b"precious, too");
    // The MIDI file and the picture are finished when the sound fails.
    let args = ["render", "a.mid", "-o", "b.mid", "--png", "b.png", "--stems", "new", "--wav", "no/b.wav"];
    bench.run(&[&args[..], &RULES].concat()).fails(1, &["no does not exist"]);
    bench.put("cut.mid", &song_bytes(4)[..9]);
    bench.run(&[&["render", "cut.mid", "-o", "b.mid"], &RULES[..]].concat()).fails(1, &["cut.mid"]);
    assert_eq!(bench.get("b.mid"), b"precious");
    assert_eq!(bench.get("b.png"), b"precious, too");
    assert_eq!(bench.names(), ["a.mid", "b.mid", "b.png", "cut.mid"]);
}

#[test]
fn a_file_may_be_rendered_onto_itself() {
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(4));
    bench.run(&[&["render", "a.mid", "-o", "a.mid", "--sections", "0"], &RULES[..]].concat()).ok();
    assert_eq!(bench.score("a.mid").tracks.len(), 5);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named_with_a_way_out() {
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(4));
    for kind in ["-o", "--wav", "--png"] {
        let args = ["render", "a.mid", kind, "/dev/full"];
        bench.run(&[&args[..], &RULES].concat()).fails(1, &["/dev/full", "free some space"]);
    }
    assert_eq!(bench.names(), ["a.mid"]);
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_not_replaced() {
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(4));
    bench.put("target.mid", b"old");
    std::os::unix::fs::symlink("target.mid", bench.path("link.mid")).unwrap();
    bench.run(&[&["render", "a.mid", "-o", "link.mid", "--sections", "0"], &RULES[..]].concat()).ok();
    assert!(std::fs::symlink_metadata(bench.path("link.mid")).unwrap().is_symlink());
    assert_eq!(bench.score("target.mid").tracks.len(), 5);
}

#[test]
fn foreign_soundfonts_are_refused_with_a_reason() {
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(2));
    bench.put("text.sf2", b"not a font, but long enough to look at");
    let compressed = [
        b"RIFF\x5c\0\0\0sfbk".as_slice(),
        b"LIST\x10\0\0\0INFOifil\x04\0\0\0\x03\0\x01\0",
        b"LIST\x14\0\0\0sdtasmpl\x08\0\0\0OggS\0\x02\0\0",
    ]
    .concat();
    bench.put("new.sf3", &compressed);
    for (font, says) in
        [("text.sf2", "not a SoundFont"), ("new.sf3", ".sf2"), ("missing.sf2", "No such file")]
    {
        let args = ["render", "a.mid", "-o", "b.mid", "--wav", "b.wav", "--soundfont", font];
        bench.run(&[&args[..], &RULES].concat()).fails(1, &[font, says]);
    }
    assert!(!bench.path("b.mid").exists() && !bench.path("b.wav").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_render_takes_less_than_200_mb() {
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(240));
    for engine in ENGINES {
        let args = ["render", "a.mid", "-o", "b.mid", "--wav", "b.wav", "--png", "b.png", "--engine", engine];
        let mut child = bench
            .command(&args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command runs");
        let status = format!("/proc/{}/status", child.id());
        let mut most_kb = 0;
        let ended = loop {
            // The high-water mark so far; the file has none once the process is at its end.
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:"));
            let kb = line.and_then(|l| l.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0u64);
            most_kb = most_kb.max(kb);
            if let Some(ended) = child.try_wait().unwrap() {
                break ended;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        assert!(ended.success(), "{engine}");
        assert!((2_000..200_000).contains(&most_kb), "{engine}: {most_kb} kB");
    }
}
