//! `sideman classify` from outside.

use serde_json::Value;
use sideman_music::smf::write;
use sideman_music::{Score, Track};

use super::{Bench, note, piano_notes, song_bytes};

/// Only a piano, so many bars of it.
fn piano(bars: i64) -> Vec<u8> {
    write(&Score {
        tracks: vec![Track { name: "Piano".into(), notes: piano_notes(bars), ..Track::default() }],
        ..Score::default()
    })
}

/// Drums alone.
fn drums(bars: i64) -> Vec<u8> {
    let notes = (0..bars * 8).map(|e| note(e * 240, if e % 4 == 2 { 38 } else { 42 }, 60, 90)).collect();
    let track = Track { name: "Drums".into(), channel: 9, is_drums: true, notes, ..Track::default() };
    write(&Score { tracks: vec![track], ..Score::default() })
}

fn json(bench: &Bench, args: &[&str]) -> Value {
    let ran = bench.run(&[&["classify"], args, &["--json"]].concat()).ok();
    serde_json::from_str(ran.text()).expect("JSON on standard output")
}

#[track_caller]
fn is_sound(answer: &Value) {
    let all = answer["probabilities"].as_object().expect("probabilities by genre");
    let sum: f64 = all.values().map(|p| p.as_f64().expect("a number")).sum();
    assert!((sum - 1.0).abs() < 0.01, "{sum}");
    let best = all[answer["best"].as_str().expect("the likeliest")].as_f64().expect("a number");
    let confidence = answer["confidence"].as_f64().expect("a number");
    assert!((best - confidence).abs() < 1e-3, "{best} {confidence}");
    let unsure = answer["genre"] == "unsure";
    assert_eq!(answer["unsure"], unsure);
    assert!(unsure || answer["genre"] == answer["best"]);
    let mut end = 0.0;
    for stretch in answer["timeline"].as_array().expect("a timeline") {
        let (from, to) = (stretch["start"].as_f64().unwrap(), stretch["end"].as_f64().unwrap());
        assert!(from < to && from >= end - 1e-6, "{stretch}");
        end = from;
    }
}

#[test]
fn a_piano_and_a_band_are_told_apart_and_answered() {
    let bench = Bench::new();
    bench.put("piano.mid", &piano(24));
    bench.put("song.mid", &song_bytes(24));
    let alone = json(&bench, &["piano.mid"]);
    is_sound(&alone);
    assert_eq!((&alone["listened_to"], alone["timeline"].as_array().unwrap().len()), (&"piano".into(), 3));
    assert_eq!(alone["file"], "piano.mid");
    let band = json(&bench, &["song.mid"]);
    is_sound(&band);
    assert_eq!(band["listened_to"], "band");
    assert_ne!(
        alone["probabilities"].as_object().unwrap().len(),
        band["probabilities"].as_object().unwrap().len()
    );
    // As asked for, whatever plays.
    assert_eq!(json(&bench, &["song.mid", "--listen", "piano"])["listened_to"], "piano");
    assert_eq!(json(&bench, &["piano.mid", "--listen", "band"])["listened_to"], "band");
    // From standard input the same.
    let piped = bench.run_with(&["classify", "-", "--json"], &piano(24)).ok();
    let piped: Value = serde_json::from_str(piped.text()).unwrap();
    assert_eq!(piped["probabilities"], alone["probabilities"]);
    let text = bench.run(&["classify", "song.mid"]).ok();
    assert!(text.text().contains("song.mid: ") && text.text().contains("0:00 to "), "{}", text.text());
}

#[test]
fn too_little_and_drums_alone_are_no_genre() {
    let bench = Bench::new();
    let one = |track: Track| write(&Score { tracks: vec![track], ..Score::default() });
    let notes = vec![note(0, 60, 480, 90)];
    bench.put("one.mid", &one(Track { notes: notes.clone(), ..Track::default() }));
    bench.put("one-of-a-bass.mid", &one(Track { notes, program: 33, ..Track::default() }));
    bench.put("none.mid", &one(Track::default()));
    bench.put("short.mid", &piano(3));
    bench.put("drums.mid", &drums(32));
    for (file, why) in [
        ("one.mid", "too little"),
        ("one-of-a-bass.mid", "too little"),
        ("none.mid", "nothing to hear"),
        ("short.mid", "too little"),
        ("drums.mid", "drums alone"),
    ] {
        let answer = json(&bench, &[file]);
        is_sound(&answer);
        assert_eq!(answer["genre"], "unsure", "{file}");
        assert!(answer["reason"].as_str().unwrap().contains(why), "{file}: {answer}");
        assert!(bench.run(&["classify", file]).ok().text().contains("unsure"), "{file}");
    }
}

#[test]
fn folders_give_a_line_each_a_table_and_pictures() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("music/more")).unwrap();
    bench.put("music/b.mid", &piano(16));
    bench.put("music/more/a.mid", &song_bytes(16));
    bench.put("music/broken.mid", b"MThd\0\0\0\x06\0\x01");
    bench.put("music/readme.txt", b"no music");
    let ran = bench.run(&["classify", "music", "--csv", "all.csv", "--png", "pictures"]);
    let ran = ran.fails(1, &["broken.mid", "1 of 3 files"]);
    assert_eq!(ran.text().lines().count(), 2, "{}", ran.text());
    let table = String::from_utf8(bench.get("all.csv")).unwrap();
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows.len(), 4, "{table}");
    assert!(rows[0].starts_with("file,listened_to,genre,confidence,seconds,error,"));
    assert!(rows.iter().any(|r| r.contains("broken.mid") && r.contains("cannot read")));
    for name in ["a.mid.png", "b.mid.png"] {
        assert!(bench.get(&format!("pictures/{name}")).starts_with(b"\x89PNG"), "{name}");
    }
    let list = bench.run(&["classify", "music", "--json"]).fails(1, &[]);
    let list: Value = serde_json::from_str(list.text()).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 3);
    assert!(list[1]["error"].as_str().unwrap().contains("broken.mid"));
    // Nothing is overwritten by half: a picture that cannot be written leaves the table as it was.
    bench.put("all.csv", b"old");
    bench.put("file", b"x");
    let ran = bench.run(&["classify", "music/b.mid", "--csv", "all.csv", "--png", "file/x.png"]);
    ran.fails(1, &["file"]);
    assert_eq!(bench.get("all.csv"), b"old");
}

#[test]
fn what_is_no_music_is_refused_by_name() {
    let bench = Bench::new();
    bench.put("text.mid", b"This is no music at all, whatever its name says.");
    bench.put("empty.wav", b"");
    std::fs::create_dir(bench.path("empty")).unwrap();
    bench.run(&["classify", "text.mid"]).fails(1, &["text.mid"]);
    bench.run(&["classify", "empty.wav"]).fails(1, &["empty.wav"]);
    bench.run(&["classify", "none.mid"]).fails(1, &["none.mid"]);
    bench.run(&["classify", "empty"]).fails(1, &["no MIDI or sound files"]);
    bench.run(&["classify"]).fails(2, &["FILE|DIR"]);
}

/// A WAV file of 16 bits: some seconds of what `sample` says of a time in seconds.
fn wav(seconds: f64, rate: u32, channels: u16, sample: impl Fn(f64) -> f64) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(vec![]);
    let spec = hound::WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut to = hound::WavWriter::new(&mut bytes, spec).unwrap();
    for i in 0..(seconds * f64::from(rate)) as usize {
        let value = sample(i as f64 / f64::from(rate)).clamp(-1.0, 1.0);
        for _ in 0..channels {
            to.write_sample((value * 32_767.0) as i16).unwrap();
        }
    }
    to.finalize().unwrap();
    bytes.into_inner()
}

/// Two bars a second or so of something like music: chords that change, and a click on the beat.
fn music(t: f64) -> f64 {
    let root = [220.0, 174.6, 261.6, 196.0][(t / 2.0) as usize % 4];
    let chord: f64 = [1.0, 1.25, 1.5].iter().map(|r| (t * root * r * std::f64::consts::TAU).sin()).sum();
    let click = (-(t % 0.5) * 60.0).exp() * (t * 9000.0).sin();
    chord * 0.15 * (-(t % 2.0)).exp() + 0.4 * click
}

#[test]
fn sound_is_answered_at_any_rate_with_one_channel_or_two() {
    let bench = Bench::new();
    bench.put("a.wav", &wav(50.0, 44_100, 2, music));
    bench.put("b.wav", &wav(50.0, 16_000, 1, music));
    let (a, b) = (json(&bench, &["a.wav"]), json(&bench, &["b.wav", "--png", "b.png"]));
    for answer in [&a, &b] {
        is_sound(answer);
        assert_eq!((&answer["listened_to"], answer["seconds"].as_f64()), (&"audio".into(), Some(50.0)));
        assert_eq!(answer["probabilities"].as_object().unwrap().len(), 10);
        assert!(answer["timeline"].as_array().unwrap().len() >= 2, "{answer}");
    }
    assert!(bench.get("b.png").starts_with(b"\x89PNG"));
}

#[test]
fn silence_is_never_a_genre_and_damage_is_told() {
    let bench = Bench::new();
    bench.put("silence.wav", &wav(40.0, 22_050, 1, |_| 0.0));
    bench.put("hiss.wav", &wav(40.0, 22_050, 1, |t| ((t * 7919.0).sin() * 43_758.5).fract() * 2e-4));
    bench.put("short.wav", &wav(1.0, 22_050, 1, music));
    let whole = wav(60.0, 22_050, 1, music);
    bench.put("cut.wav", &whole[..whole.len() / 2]);
    bench.put("clipped.wav", &wav(40.0, 22_050, 1, |t| music(t) * 100.0));
    bench.put("noise.mp3", &whole[1000..9000]);
    for (file, why) in
        [("silence.wav", "nothing to hear"), ("hiss.wav", "nothing to hear"), ("short.wav", "too little")]
    {
        let answer = json(&bench, &[file]);
        is_sound(&answer);
        assert_eq!(answer["genre"], "unsure", "{file}");
        assert!(answer["reason"].as_str().unwrap().contains(why), "{file}: {answer}");
    }
    let cut = bench.run(&["classify", "cut.wav"]).ok();
    assert!(cut.stderr.contains("cut.wav"), "{}", cut.stderr);
    is_sound(&json(&bench, &["clipped.wav"]));
    bench.run(&["classify", "noise.mp3"]).fails(1, &["noise.mp3"]);
}
