//! Piano rolls, cell by cell, and rolls made to do harm.

use sideman_music::Note;

use crate::data::fixtures::*;
use crate::data::roll::read;

const INFO: &str = r#"{"resolution": 24, "name": "x", "0": {"program": 33, "is_drum": false, "name": "B"}}"#;

/// A roll of one track, with members replaced or added.
fn one_track(cells: &[(i32, u8, u8)], others: &[Member<'_>]) -> Vec<u8> {
    let mut members = sparse(0, 960, cells);
    members.push(("info.json".to_string(), INFO.as_bytes().to_vec()));
    for (name, bytes) in others {
        members.retain(|m| m.0 != *name);
        members.push((name.to_string(), bytes.clone()));
    }
    let borrowed: Vec<Member<'_>> = members.iter().map(|m| (m.0.as_str(), m.1.clone())).collect();
    npz(&borrowed)
}

#[test]
fn neighbouring_cells_are_one_note_and_a_gap_parts_them() {
    let cells = [(0, 40, 100), (1, 40, 50), (2, 40, 60), (4, 40, 80), (24, 41, 10)];
    let score = read(&one_track(&cells, &[])).unwrap();
    let track = &score.tracks[0];
    assert_eq!((track.program, track.name.as_str(), track.is_drums), (33, "B", false));
    let note = |onset, pitch, length, velocity| Note { onset, pitch, length, velocity };
    assert_eq!(track.notes, [note(0, 40, 60, 70), note(80, 40, 20, 80), note(480, 41, 20, 10)]);
    assert_eq!(score.tempos.bpm_at(0), 120.0, "no tempo array");
}

#[test]
fn rolls_of_true_and_false_have_a_middling_velocity() {
    let data = npy("|b1", "(2,)", &[1, 1]);
    let score = read(&one_track(&[(0, 40, 9), (9, 40, 9)], &[("pianoroll_0_csc_data.npy", data)])).unwrap();
    assert_eq!(score.tracks[0].notes.iter().map(|n| n.velocity).collect::<Vec<_>>(), [64, 64]);
}

#[test]
fn bars_follow_the_downbeats() {
    let meters = |marked: &[usize], shape: &str| {
        let mut marks = vec![0u8; 960];
        marked.iter().for_each(|&m| marks[m] = 1);
        let score = read(&one_track(&[(0, 40, 9)], &[("downbeat.npy", npy("|b1", shape, &marks))])).unwrap();
        score.meters.changes().map(|(at, m)| format!("{at} {m}")).collect::<Vec<_>>()
    };
    assert_eq!(meters(&[0, 72, 144], "(960,)"), ["0 3/4"]);
    assert_eq!(meters(&[0], "(960, 1)"), ["0 4/4"], "later versions mark only the first");
    assert_eq!(meters(&[0, 96, 192, 264], "(960,)"), ["0 4/4", "3840 3/4"]);
    assert_eq!(meters(&[48, 144], "(960,)"), ["0 4/4", "960 4/4"], "a pickup of two beats");
    assert_eq!(meters(&[0, 84], "(960,)"), ["0 14/16"]);
}

#[test]
fn harmful_and_faulty_rolls_are_refused_with_the_member_named() {
    let array = "pianoroll_0_csc_indptr.npy";
    let bounds = |edit: &dyn Fn(&mut Vec<i32>)| {
        let mut b: Vec<i32> = (0..129).map(|p| i32::from(p > 40)).collect();
        edit(&mut b);
        let shape = format!("({},)", b.len());
        npy("<i4", &shape, &b.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>())
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        (array, bounds(&|b| b[128] = 1_000_000)),
        (array, bounds(&|b| b[50] = -7)),
        (array, bounds(&|b| b[0] = 1)),
        (array, bounds(&|b| b.truncate(100))),
        (array, b"\x93NUMPY".to_vec()),
        (array, npy("<i4", "(999999999, 999999999, 999999999)", &[0; 8])),
        (array, npy("<i4", "(99999999999999999999,)", &[0; 8])),
        (array, npy("<i4", &"(".repeat(30_000), &[])),
        (array, npy("<i4", "(129,)", &[0; 8])),
        (array, npy("|O", "(129,)", &[0; 999])),
        ("pianoroll_0_csc_indices.npy", npy("<i8", "(1,)", &i64::MAX.to_le_bytes())),
        ("pianoroll_0_csc_indices.npy", npy("<i8", "(1,)", &(-1i64).to_le_bytes())),
        ("info.json", b"{".to_vec()),
        ("info.json", br#"{"resolution": 0}"#.to_vec()),
        ("downbeat.npy", npy("|b1", "(3,)", &[7, 7, 7])),
        ("tempo.npy", vec![0; (16 << 20) + 1]),
    ];
    for (i, (name, bytes)) in cases.into_iter().enumerate() {
        let error = read(&one_track(&[(0, 40, 9)], &[(name, bytes)])).unwrap_err().to_string();
        let named = error.contains(name) || error.contains("indptr");
        assert!(named, "case {i}: {error}");
    }
    assert!(read(b"").is_err());
    assert!(read(&npz(&[])).unwrap_err().to_string().contains("info.json"));
}
