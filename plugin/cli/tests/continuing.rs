//! What `sideman continue` adds to a piano.

use sideman_music::smf::write;
use sideman_music::{Note, Score, Track};

use super::{Bench, note, piano_notes, song, song_bytes, track};

#[test]
fn the_piano_stays_and_goes_on_in_its_time() {
    let bench = Bench::new();
    let given = song(12);
    bench.put("a.mid", &write(&given));
    let ran = bench.run(&["continue", "a.mid", "-o", "b.mid", "--png", "b.png"]).ok();
    assert!(ran.text().starts_with("Wrote b.mid: 200 notes and chords added from bar"), "{}", ran.text());
    let made = bench.score("b.mid");
    assert_eq!((&made.tempos, &made.meters, &made.markers), (&given.tempos, &given.meters, &given.markers));
    let names: Vec<&str> = made.tracks.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["Piano", "Continued"]);
    assert_eq!(track(&made, "Piano").notes, given.tracks[0].notes);
    let added = &track(&made, "Continued").notes;
    let last = given.tracks[0].notes.iter().map(|n| n.onset).max().unwrap();
    assert!(added.len() >= 200 && added.iter().all(|n| n.onset >= last));
    // It goes on at once, and at about the piano's pace: not all at one time, not for hours.
    assert!(added[0].onset <= last + 4 * 1920);
    let end = added.iter().map(Note::end).max().unwrap();
    assert!((last + 8 * 480..last + 400 * 1920).contains(&end), "{end}");
    assert!(added.iter().all(|n| (21..=108).contains(&n.pitch)));
    assert!(bench.get("b.png").starts_with(b"\x89PNG"));
}

#[test]
fn it_stays_in_the_key_of_the_piano() {
    let bench = Bench::new();
    for up in [0u8, 1, 6] {
        let notes: Vec<Note> =
            piano_notes(12).into_iter().map(|n| Note { pitch: n.pitch + up, ..n }).collect();
        let piano = Track { name: "Piano".into(), source_track: 1, notes, ..Track::default() };
        bench.put("a.mid", &write(&Score { tracks: vec![piano], ..Score::default() }));
        bench.run(&["continue", "a.mid", "-o", "b.mid", "--notes", "150"]).ok();
        let made = bench.score("b.mid");
        let added = &track(&made, "Continued").notes;
        let scale = [0, 2, 4, 5, 7, 9, 11];
        let within = added.iter().filter(|n| scale.contains(&((n.pitch + 12 - up) % 12))).count();
        // Of notes without a key seven in twelve would be.
        assert!(within * 100 >= added.len() * 75, "{within} of {} in the key {up} up", added.len());
    }
}

#[test]
fn equal_seeds_give_equal_bytes() {
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(8));
    let go = |seed: &str, out: &str| {
        bench.run(&["continue", "a.mid", "-o", out, "--seed", seed, "--notes", "50", "-q"]).ok();
        bench.get(out)
    };
    let first = go("5", "one.mid");
    assert_eq!(first, go("5", "two.mid"));
    assert_ne!(first, go("6", "three.mid"));
    let ran =
        bench.run_with(&["continue", "-", "-o", "-", "--seed", "5", "--notes", "50"], &song_bytes(8)).ok();
    assert_eq!(ran.stdout, first);
}

#[test]
fn what_it_did_is_said_to_scripts() {
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(8));
    let ran = bench.run(&["continue", "a.mid", "-o", "b.mid", "--notes", "3", "--json"]).ok();
    for wanted in ["\"heard\": 9", "\"notes_and_chords\": 3", "\"from_bar\": 10", "\"midi\": \"b.mid\""] {
        assert!(ran.text().contains(wanted), "{wanted}: {}", ran.text());
    }
}

#[test]
fn mistakes_are_explained_and_leave_nothing() {
    let bench = Bench::new();
    let few = vec![note(0, 60, 480, 80), note(480, 64, 480, 80)];
    let piano = |notes| Score {
        tracks: vec![Track { notes, source_track: 1, ..Track::default() }],
        ..Score::default()
    };
    bench.put("few.mid", &write(&piano(few)));
    bench.put("none.mid", &write(&Score::default()));
    bench.put("broken.mid", b"MThd nonsense");
    let names = bench.names();
    let fails = |input: &str, says: &[&str]| {
        bench.run(&["continue", input, "-o", "out.mid"]).fails(1, says);
    };
    fails("few.mid", &["few.mid has 2 notes and chords", "play 8 at least"]);
    fails("none.mid", &["no piano in none.mid"]);
    fails("broken.mid", &["cannot read broken.mid"]);
    fails("missing.mid", &["cannot read missing.mid"]);
    bench.put("a.mid", &song_bytes(4));
    bench.run(&["continue", "a.mid", "-o", "no/out.mid"]).fails(1, &["create the folder first"]);
    bench.run(&["continue", "a.mid", "-o", "out.mid", "--piano-track", "9"]).fails(1, &["9"]);
    for wrong in [["--notes", "0"], ["--temperature", "0"], ["--seed", "x"]] {
        bench.run(&["continue", "a.mid", "-o", "out.mid", wrong[0], wrong[1]]).fails(2, &[wrong[0]]);
    }
    bench.run(&["continue", "a.mid", "-o", "-", "--json"]).fails(2, &["standard output"]);
    assert_eq!(bench.names().len(), names.len() + 1);
}
