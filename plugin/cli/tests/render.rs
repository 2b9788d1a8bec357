//! What `sideman render` makes of a piano.

use sideman_music::smf::write;
use sideman_music::{Note, Score, Track};

use super::{Bench, ENGINES, note, piano_notes, song, song_bytes, track};

/// The parts of a rendered file: (channel, notes) by name.
fn parts(score: &Score) -> Vec<(String, Vec<Note>)> {
    score.tracks.iter().filter(|t| t.name != "Piano").map(|t| (t.name.clone(), t.notes.clone())).collect()
}

#[test]
fn the_file_keeps_its_time_and_its_piano() {
    for engine in ENGINES {
        let bench = Bench::new();
        let given = song(12);
        bench.put("a.mid", &write(&given));
        bench.run(&["render", "a.mid", "-o", "b.mid", "--engine", engine]).ok();
        let made = bench.score("b.mid");
        assert_eq!(made.tempos, given.tempos);
        assert_eq!(made.meters, given.meters);
        assert_eq!(made.markers, given.markers);
        let layout: Vec<(&str, u8)> = made.tracks.iter().map(|t| (t.name.as_str(), t.channel + 1)).collect();
        assert_eq!(layout, [("Piano", 1), ("Drums", 10), ("Bass", 2), ("Guitar", 3), ("Strings", 4)]);
        assert_eq!(track(&made, "Piano").notes, given.tracks[0].notes);
    }
}

#[test]
fn equal_seeds_give_equal_bytes_on_any_number_of_threads() {
    for engine in ENGINES {
        let bench = Bench::new();
        bench.put("a.mid", &song_bytes(16));
        let render = |seed: &str, out: &str, threads: &str| {
            let args = ["render", "a.mid", "-o", out, "--seed", seed, "--engine", engine];
            let status = bench
                .command(&args)
                .env("RAYON_NUM_THREADS", threads)
                .env("CANDLE_NUM_THREADS", threads)
                .output()
                .unwrap();
            assert!(status.status.success());
            bench.get(out)
        };
        let first = render("5", "one.mid", "1");
        assert_eq!(first, render("5", "two.mid", "2"));
        assert_ne!(first, render("6", "three.mid", "1"), "the seed has no effect");
    }
}

#[test]
fn a_transposed_band_is_the_band_moved_and_its_drums_are_not() {
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(16));
    let render = |by: &str| {
        bench.run(&["render", "a.mid", "-o", "b.mid", "--transpose", by, "--engine", "rules"]).ok();
        parts(&bench.score("b.mid"))
    };
    let (plain, moved) = (render("0"), render("-5"));
    for ((name, plain), (_, moved)) in plain.iter().zip(&moved) {
        let by = if name == "Drums" { 0 } else { 5 };
        let back: Vec<Note> = moved.iter().map(|n| Note { pitch: n.pitch + by, ..*n }).collect();
        assert_eq!(*plain, back, "{name}");
    }
    assert!(plain.iter().all(|(_, notes)| !notes.is_empty()));
}

#[test]
fn the_band_never_hears_ahead() {
    for engine in ENGINES {
        let bench = Bench::new();
        let mut score = song(20);
        score.tracks.truncate(1);
        bench.put("whole.mid", &write(&score));
        let render = |name: &str, notes: Vec<Note>| {
            let mut changed = score.clone();
            changed.tracks[0].notes = notes;
            bench.put(&format!("{name}.mid"), &write(&changed));
            let (from, to) = (format!("{name}.mid"), format!("{name}-band.mid"));
            bench.run(&["render", &from, "-o", &to, "--engine", engine, "--seed", "3"]).ok();
            parts(&bench.score(&to))
        };
        let whole = render("again", piano_notes(20));
        for cut in [3 * 1920 + 777, 9 * 1920, 14 * 1920 + 60] {
            let before: Vec<Note> = piano_notes(20)
                .into_iter()
                .filter(|n| n.onset < cut)
                .map(|n| Note { length: n.length.min(cut - n.onset), ..n })
                .collect();
            let mut other = before.clone();
            // From the cut on the piano plays something else altogether.
            other.extend((0..200).map(|i| note(cut + i * 90, 61 + (i % 24) as u8, 80, 120)));
            other.sort_unstable();
            for (name, notes) in [("cut", before), ("other", other)] {
                let made = render(name, notes);
                for part in ["Drums", "Bass", "Guitar", "Strings"] {
                    // A part that rests throughout has no track.
                    let of = |tracks: &[(String, Vec<Note>)]| {
                        tracks.iter().find(|t| t.0 == part).map_or(vec![], |t| t.1.clone())
                    };
                    let (a, b) = (of(&whole), of(&made));
                    let until = |notes: &[Note]| -> Vec<(i64, u8, u8, i64)> {
                        let heard = notes.iter().filter(|n| n.onset < cut);
                        // What still sounds at the cut may end differently.
                        heard.map(|n| (n.onset, n.pitch, n.velocity, n.length.min(cut - n.onset))).collect()
                    };
                    assert_eq!(until(&a), until(&b), "{engine}: {part} before {cut}, piano {name}");
                }
            }
        }
    }
}

#[test]
fn standard_input_and_output_carry_the_same_bytes() {
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(6));
    bench.run(&["render", "a.mid", "-o", "b.mid", "--engine", "rules"]).ok();
    let piped = bench.run_with(&["render", "-", "-o", "-", "--engine", "rules"], &song_bytes(6)).ok();
    assert_eq!(piped.stdout, bench.get("b.mid"));
    assert!(piped.stderr.contains("Wrote standard output"), "{}", piped.stderr);
    let quiet = bench.run(&["render", "a.mid", "-o", "c.mid", "--engine", "rules", "--quiet"]).ok();
    assert!(quiet.stdout.is_empty() && quiet.stderr.is_empty());
}

#[test]
fn the_options_do_what_they_say() {
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(16));
    let render = |options: &[&str]| {
        let args = [&["render", "a.mid", "-o", "b.mid", "--engine", "rules"], options].concat();
        bench.run(&args).ok();
        bench.score("b.mid")
    };
    let plain = render(&[]);
    let names = |s: &Score| s.tracks.iter().map(|t| t.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&render(&["--parts", "Strings,drums"])), ["Piano", "Drums", "Strings"]);
    assert_eq!(track(&render(&["--style", "jazz-swing"]), "Bass").program, 32);
    assert_eq!(track(&render(&["--style", "house"]), "Bass").program, 38);
    let loudness = |s: &Score| -> f64 {
        let all: Vec<f64> = parts(s).iter().flat_map(|p| &p.1).map(|n| f64::from(n.velocity)).collect();
        all.iter().sum::<f64>() / all.len() as f64
    };
    assert!(loudness(&render(&["--intensity", "1"])) > loudness(&render(&["--intensity", "0"])) + 5.0);
    let off_grid = |s: &Score| track(s, "Drums").notes.iter().filter(|n| n.onset % 20 != 0).count();
    assert_eq!(off_grid(&render(&["--humanize", "0"])), 0);
    let swung = render(&["--swing", "1", "--humanize", "0"]);
    assert_ne!(track(&swung, "Drums").notes, track(&plain, "Drums").notes);
    assert_eq!(track(&swung, "Piano").notes, track(&plain, "Piano").notes);
    // The second track is the flute.
    let other = render(&["--piano-track", "flute"]);
    assert_eq!(track(&other, "Piano").notes, song(16).tracks[1].notes);
    assert_eq!(track(&render(&["--piano-track", "2"]), "Piano").notes, song(16).tracks[1].notes);
}

#[test]
fn the_band_stops_with_the_piano_and_comes_back() {
    for engine in ENGINES {
        let bench = Bench::new();
        let mut score = song(8);
        score.tracks.truncate(1);
        score.meters = sideman_music::MeterMap::default();
        let later: Vec<Note> =
            piano_notes(8).into_iter().map(|n| Note { onset: n.onset + 40 * 1920, ..n }).collect();
        score.tracks[0].notes.extend(later);
        bench.put("a.mid", &write(&score));
        bench.run(&["render", "a.mid", "-o", "b.mid", "--engine", engine]).ok();
        let band = parts(&bench.score("b.mid"));
        let count = |from: i64, to: i64| {
            band.iter().flat_map(|p| &p.1).filter(|n| (from * 1920..to * 1920).contains(&n.onset)).count()
        };
        assert!(count(0, 8) > 40, "{engine} plays with the piano");
        assert_eq!(count(14, 40), 0, "{engine} plays on without a piano");
        assert!(count(40, 48) > 40, "{engine} does not come back");
    }
}

#[test]
fn a_part_keeps_to_a_pattern() {
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(8));
    let drums = Track {
        name: "Drums".into(),
        source_track: 1,
        channel: 9,
        is_drums: true,
        notes: vec![note(0, 36, 100, 100), note(960, 38, 100, 100), note(1440, 38, 100, 60)],
        ..Track::default()
    };
    let bass = Track {
        name: "Bass".into(),
        source_track: 2,
        channel: 1,
        program: 33,
        notes: vec![note(0, 36, 400, 90), note(960, 43, 400, 90)],
        ..Track::default()
    };
    bench.put("beat.mid", &write(&Score { tracks: vec![drums, bass], ..Score::default() }));
    for engine in ENGINES {
        let args = ["render", "a.mid", "-o", "b.mid", "--engine", engine];
        let kept = ["--pattern", "drums=beat.mid", "--pattern", "bass=beat.mid"];
        bench.run(&[&args[..], &kept].concat()).ok();
        let score = bench.score("b.mid");
        // Bars 1 to 3 of 4/4: the last bars may be a close, the first may come in late.
        let of = |name: &str| -> Vec<(i64, u8)> {
            let notes = track(&score, name).notes.iter().filter(|n| (1920..4 * 1920).contains(&n.onset));
            notes.map(|n| (n.onset % 1920, n.pitch)).collect()
        };
        assert_eq!(of("Drums"), [(0, 36), (960, 38), (1440, 38)].repeat(3), "{engine}");
        let bass: Vec<u8> = of("Bass").iter().map(|n| n.1 % 12).collect();
        // The piano's roots are A, F and G there.
        assert_eq!(bass, [9, 4, 5, 0, 7, 2], "{engine}");
    }
}
