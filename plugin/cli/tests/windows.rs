//! P2's band: `sideman render --engine vae-rnn`, and `sideman morph`.

use sideman_music::encoding::piano_roll::WINDOW_PULSES;
use sideman_music::smf::write;
use sideman_music::{Note, Score, Track};

use super::{Bench, note, piano_notes, song, song_bytes};

const VAE_RNN: [&str; 2] = ["--engine", "vae-rnn"];

fn render<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["render", "a.mid", "-o", "b.mid"], &VAE_RNN[..], more].concat()
}

#[test]
fn the_vae_rnn_plays_along_and_keeps_what_is_given() {
    let bench = Bench::new();
    let given = song(24);
    bench.put("a.mid", &write(&given));
    let more = ["--png", "b.png", "--wav", "b.wav", "--stems", "stems", "--json"];
    let json = bench.run(&render(&more)).ok();
    let json: serde_json::Value = serde_json::from_str(json.text()).unwrap();
    assert_eq!(json["engine"], "vae-rnn");
    let made = bench.score("b.mid");
    assert_eq!((&made.tempos, &made.meters), (&given.tempos, &given.meters));
    assert_eq!(made.tracks[0].notes, given.tracks[0].notes);
    let band: Vec<Note> = made.tracks[1..].iter().flat_map(|t| t.notes.clone()).collect();
    assert!(!band.is_empty(), "nobody plays");
    let end = given.tracks[0].notes.iter().map(Note::end).max().unwrap();
    assert!(band.iter().all(|n| n.onset >= WINDOW_PULSES && n.end() <= end + 20), "outside the music");
    assert!(bench.path("stems/piano.mid").exists() && bench.path("b.png").exists());
}

#[test]
fn the_vae_rnn_follows_its_seed_its_parts_and_nothing_that_is_to_come() {
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(24));
    let bytes = |more: &[&str]| {
        bench.run(&render(more)).ok();
        bench.get("b.mid")
    };
    let first = bytes(&[]);
    assert!(first == bytes(&[]), "equal seeds give equal bytes");
    assert!(first == bytes(&["--seed", "1", "--temperature", "1"]));
    assert!(first != bytes(&["--seed", "2"]), "the seed has no effect");
    bytes(&["--parts", "bass"]);
    assert!(bench.score("b.mid").tracks.iter().all(|t| t.name == "Piano" || t.name == "Bass"));

    let alone = |notes: Vec<Note>| -> Vec<(i64, u8, u8)> {
        let piano = Track { notes, ..song(1).tracks[0].clone() };
        bench.put("a.mid", &write(&Score { tracks: vec![piano], ..Score::default() }));
        bench.run(&render(&[])).ok();
        let made = bench.score("b.mid");
        let band = made.tracks.iter().filter(|t| t.name != "Piano").flat_map(|t| &t.notes);
        band.map(|n| (n.onset, n.pitch, n.velocity)).collect()
    };
    let edge = 4 * WINDOW_PULSES;
    let before = |mut all: Vec<(i64, u8, u8)>| {
        all.retain(|n| n.0 < edge + WINDOW_PULSES);
        all
    };
    let whole = before(alone(piano_notes(24)));
    let other: Vec<Note> = piano_notes(24)
        .into_iter()
        .map(|n| if n.onset >= edge - 20 { note(n.onset, n.pitch + 3, 100, 120) } else { n })
        .collect();
    assert!(!whole.is_empty() && whole == before(alone(other)), "it heard what was to come");
}

#[test]
fn options_that_the_vae_rnn_has_no_use_for_are_wrong_usage() {
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(4));
    for option in [["--style", "bossa"], ["--swing", "0.5"], ["--weights", "open"], ["--density", "bass=1"]] {
        bench.run(&render(&option)).fails(2, &[option[0], "--parts, --seed and --temperature"]);
    }
    assert!(!bench.path("b.mid").exists());
}

#[test]
fn a_morph_goes_from_one_piece_to_the_other() {
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(12));
    bench.run(&["render", "a.mid", "-o", "band.mid", "--engine", "rules"]).ok();
    let morph = ["morph", "a.mid", "band.mid", "-o", "m.mid", "--steps", "6"];
    let said = bench.run(&morph).ok();
    assert!(said.text().contains("6 windows"), "{}", said.text());
    let first = bench.get("m.mid");
    bench.run(&[&morph[..], &["--png", "m.png", "-q"]].concat()).ok();
    assert!(first == bench.get("m.mid") && bench.path("m.png").exists());
    let made = bench.score("m.mid");
    assert!(made.end() <= 6 * WINDOW_PULSES && !made.tracks.is_empty());
    assert_eq!(made.tempos.bpm_at(0), 100.0, "the tempo begins with the first piece's");
    let piped = bench.run(&["morph", "a.mid", "band.mid", "-o", "-", "--steps", "6"]).ok();
    assert!(piped.stdout == first);
    bench.run(&[&morph[..], &["--temperature", "2", "--seed", "3"]].concat()).ok();
    assert!(first != bench.get("m.mid"), "the seed has no effect");
    bench.run(&[&morph[..], &["--threshold", "1"]].concat()).ok();
    let quiet = bench.score("m.mid");
    assert!(quiet.tracks.iter().map(|t| t.notes.len()).sum::<usize>() < 12);
    let json = bench.run(&[&morph[..], &["--json"]].concat()).ok();
    let json: serde_json::Value = serde_json::from_str(json.text()).unwrap();
    assert_eq!((&json["steps"], &json["output"]), (&6.into(), &"m.mid".into()));
}

#[test]
fn what_cannot_be_morphed_is_refused_with_a_way_out() {
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(4));
    bench.put("broken.mid", b"MThd");
    let flute = Track { notes: vec![note(0, 79, 480, 90)], ..song(1).tracks[1].clone() };
    bench.put("flute.mid", &write(&Score { tracks: vec![flute], ..Score::default() }));
    let run = |from: &str, to: &str, more: &[&str]| {
        bench.run(&[&["morph", from, to, "-o", "m.mid"], more].concat())
    };
    run("a.mid", "broken.mid", &[]).fails(1, &["cannot read broken.mid"]);
    run("a.mid", "flute.mid", &[]).fails(1, &["flute.mid has no notes of drums", "choose another"]);
    run("a.mid", "none.mid", &[]).fails(1, &["cannot read none.mid"]);
    run("a.mid", "a.mid", &["--steps", "1"]).fails(2, &["--steps", "2..=512"]);
    run("a.mid", "a.mid", &["--steps", "100000"]).fails(2, &["--steps"]);
    run("a.mid", "a.mid", &["--threshold", "0"]).fails(2, &["from 0.01 to 1"]);
    run("a.mid", "-", &[]).fails(2, &["only the first file"]);
    run("a.mid", "a.mid", &["--png", "m.mid"]).fails(1, &["named twice"]);
    assert_eq!(bench.names(), ["a.mid", "broken.mid", "flute.mid"]);
}
