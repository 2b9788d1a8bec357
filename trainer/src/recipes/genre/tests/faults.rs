//! Files with faults in a labelled collection: counted and named, and never a panic.

use sideman_music::{Note, Score, Track};

use crate::data::Split;
use crate::data::fixtures::{midi, note, piece, put};
use crate::recipes::genre::*;

/// A score of one track.
fn alone(program: u8, is_drums: bool, notes: Vec<Note>) -> Vec<u8> {
    let channel = if is_drums { 9 } else { 0 };
    midi(&Score {
        tracks: vec![Track { program, is_drums, channel, notes, ..Track::default() }],
        ..Score::default()
    })
}

#[test]
fn faults_are_counted_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("mine"), dir.path().join("cache"));
    let song = midi(&piece(12, 1));
    put(&data, "Jazz/good.mid", &song);
    put(&data, "Jazz/empty.mid", "");
    put(&data, "Jazz/no notes.mid", midi(&Score::default()));
    put(&data, "Jazz/one note.mid", alone(0, false, vec![note(0, 60)]));
    put(&data, "Jazz/text.mid", "Dear Sir,");
    put(&data, "Jazz/sound.mid", b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00");
    put(&data, "Jazz/header.mid", &song[..14]);
    put(&data, "Jazz/zeros.mid", vec![0; 4096]);
    let hits = (0..64).map(|i| note(i * 240, 36 + (i % 3) as u8)).collect();
    put(&data, "Rock/drums.mid", alone(0, true, hits));
    // A genre that no classifier tells.
    put(&data, "Polka/odd.mid", midi(&piece(12, 2)));
    let report = prepare(&PrepareOptions::new(&data, &out)).unwrap();
    let left = report.left_out();
    assert_eq!(left.values().sum::<usize>() + report.kept(), 10, "{report}");
    assert_eq!((report.kept(), left["fewer than 32 notes"]), (3, 2), "{report}");
    let text = report.to_string();
    let few =
        "2  left out: fewer than 32 notes, such as Jazz/no notes.mid (0 notes), Jazz/one note.mid (1 notes)";
    assert!(text.contains(few), "{text}");
    let damaged = text.lines().find(|l| l.contains("left out: damaged")).unwrap();
    assert!(damaged.contains("5  left out") && damaged.contains("Jazz/empty.mid"), "{damaged}");
    assert!(text.contains("1  kept, but drums alone, such as Rock/drums.mid (Rock)"), "{text}");
    assert!(!text.contains("labels do not agree"), "{text}");
    let listed = std::fs::read_to_string(out.join("left_out.csv")).unwrap();
    for name in ["empty", "no notes", "one note", "text", "sound", "header", "zeros"] {
        assert!(listed.contains(&format!("Jazz/{name}.mid")), "{name}: {listed}");
    }
    // What was named is still there when nothing has to be done.
    assert_eq!(prepare(&PrepareOptions::new(&data, &out)).unwrap().to_string(), text);

    // Drums alone and an unknown genre do no harm behind the cache either.
    let mut all = load(&out, Kind::Symbolic, Split::Train).unwrap();
    all.append(load(&out, Kind::Symbolic, Split::Valid).unwrap());
    all.append(load(&out, Kind::Symbolic, Split::Test).unwrap());
    let whole = ["Jazz/good.mid", "Rock/drums.mid"];
    for (model, heard) in [
        (symbolic::Model::Band, &whole[..]),
        (symbolic::Model::P2, &whole[..]),
        (symbolic::Model::Piano, &whole[..1]),
    ] {
        let mut set = all.clone();
        let classes = model.scheme().apply(&mut set);
        assert_eq!((classes.without, set.items.len()), (1, 2));
        let labels = symbolic::recipe::Labels { set, names: classes.names, of_items: classes.of_items };
        let found = model.examples(&labels);
        let ids: Vec<&str> = (0..found.len()).map(|i| found.named(i).id).collect();
        assert_eq!(ids, heard, "{model:?}");
        let numbers = found.inputs(&(0..found.len()).collect::<Vec<_>>(), None).unwrap();
        let all: Vec<f32> = numbers[0].flatten_all().unwrap().to_vec1().unwrap();
        assert!(all.iter().all(|v| v.is_finite()));
    }
}

#[test]
fn a_file_may_end_or_change_anywhere() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("mine"), dir.path().join("cache"));
    let song = midi(&piece(9, 3));
    put(&data, "Jazz/whole.mid", &song);
    for n in 0..60 {
        put(&data, &format!("Jazz/cut {n:02}.mid"), &song[..song.len() * n / 60]);
        let mut changed = song.clone();
        changed[(song.len() - 1) * n / 59] ^= 0xA5;
        put(&data, &format!("Rock/changed {n:02}.mid"), changed);
    }
    let report = prepare(&PrepareOptions::new(&data, &out)).unwrap();
    assert_eq!(report.kept() + report.left_out().values().sum::<usize>(), 121, "{report}");
    assert!(report.left_out()["fewer than 32 notes"] + report.left_out()["damaged or not readable"] > 2);
    for kind in [Split::Train, Split::Valid, Split::Test] {
        load(&out, Kind::Symbolic, kind).unwrap();
    }
}
