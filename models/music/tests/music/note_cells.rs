//! P1's rows of cells, and their inverse.

use proptest::prelude::*;
use sideman_music::encoding::note_cells::{
    self, COLUMNS, Cells, FAMILY_COLUMNS, MOST_ROWS, Row, VALUES, family_of,
};
use sideman_music::{Note, Score, TempoMap, Track};

fn track(program: u8, is_drums: bool, notes: Vec<Note>) -> Track {
    Track { program, is_drums, channel: if is_drums { 9 } else { 0 }, notes, ..Track::default() }
}

fn note(onset: i64, pitch: u8, length: i64, velocity: u8) -> Note {
    Note { onset, pitch, length, velocity }
}

/// Rows as the encoding makes them: each family's notes from the left without gaps, the last row not empty.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let cell = (1u8..=128, 1u8..VALUES as u8, 1u8..=127);
    let family = proptest::collection::vec(cell, 0..=note_cells::NOTES);
    let row = proptest::array::uniform4(family).prop_map(|families| {
        let mut row = [0; COLUMNS];
        for (own, notes) in row.chunks_exact_mut(FAMILY_COLUMNS).zip(families) {
            for (cell, (pitch, duration, velocity)) in own.chunks_exact_mut(3).zip(notes) {
                cell.copy_from_slice(&[pitch, duration, velocity]);
            }
        }
        row
    });
    proptest::collection::vec(row, 0..12).prop_map(|mut rows| {
        while rows.last().is_some_and(|r| r.iter().all(|&v| v == 0)) {
            rows.pop();
        }
        rows
    })
}

proptest! {
    #![proptest_config(crate::config())]

    #[test]
    fn rows_come_back_from_their_notes(rows in rows()) {
        let cells = Cells { rows, crowded: [0; 4] };
        prop_assert_eq!(Cells::of(&cells.score(), family_of), cells);
    }

    #[test]
    fn any_score_gives_values_of_the_vocabulary_and_keeps_what_fits(
        list in proptest::collection::vec((0i64..40_000, 0u8..128, 1i64..20_000, 1u8..128), 0..80),
        tempo in 1u32..3_000_000,
    ) {
        let notes: Vec<Note> = list.iter().map(|n| note(n.0, n.1, n.2, n.3)).collect();
        let score = Score {
            tempos: TempoMap::new(&[(0, tempo), (9000, 400_000)]),
            tracks: vec![track(25, false, notes.clone())],
            ..Score::default()
        };
        let cells = Cells::of(&score, family_of);
        prop_assert!(cells.rows.iter().flatten().all(|&v| usize::from(v) < VALUES));
        let kept = cells.counts(0..cells.rows.len());
        let late = notes.iter().filter(|n| score.tempos.seconds_at(n.onset) * 4.0 + 1e-6 >= MOST_ROWS as f64);
        prop_assert_eq!(kept[1] + cells.crowded[1] + late.count(), notes.len());
        prop_assert_eq!(kept[0] + kept[2] + kept[3], 0);
    }
}

#[test]
fn time_is_in_seconds_of_the_tempo_map() {
    // A beat of 0.5 s, then, from the third, of 1 s.
    let score = Score {
        tempos: TempoMap::new(&[(0, 500_000), (960, 1_000_000)]),
        tracks: vec![
            track(0, false, vec![note(0, 60, 480, 80), note(960, 62, 480, 81), note(1440, 64, 9600, 82)]),
            track(19, false, vec![note(480, 59, 24, 1), note(1440, 59, 24, 127)]),
        ],
        ..Score::default()
    };
    let cells = Cells::of(&score, family_of);
    assert_eq!(cells.rows.len(), 9);
    let piano = |row: usize| &cells.rows[row][..9];
    assert_eq!(piano(0), [61, 10, 80, 0, 0, 0, 0, 0, 0]);
    assert_eq!(piano(2)[..3], [60, 1, 1], "25 ms are rounded up to a unit");
    assert_eq!(piano(4)[..3], [63, 20, 81]);
    // The organ is of the piano's family and of a later track; 20 s are cut to 9.95.
    assert_eq!(piano(8), [65, 199, 82, 60, 1, 127, 0, 0, 0]);
    assert_eq!(piano(1), [0; 9]);
}

#[test]
fn only_the_programs_of_figure_5_count() {
    let one = |program, is_drums| track(program, is_drums, vec![note(0, 60, 240, 80)]);
    for (program, drums, place) in [
        (8, false, Some(0)),
        (20, false, Some(0)),
        (31, false, Some(1)),
        (39, false, Some(2)),
        (77, true, Some(3)),
    ]
    .into_iter()
    .chain([9, 15, 21, 23, 40, 52, 127].map(|p| (p, false, None)))
    {
        let score = Score { tracks: vec![one(program, drums)], ..Score::default() };
        let cells = Cells::of(&score, family_of);
        let counts = cells.counts(0..cells.rows.len());
        let expected: [usize; 4] = std::array::from_fn(|i| usize::from(Some(i) == place));
        assert_eq!(counts, expected, "program {program}");
        assert!(!cells.is_whole());
    }
    let all = [one(0, false), one(24, false), one(32, false), one(0, true)];
    assert!(Cells::of(&Score { tracks: all.to_vec(), ..Score::default() }, family_of).is_whole());
}

#[test]
fn the_eleventh_note_of_a_row_is_left_out() {
    let chord = (0..12).rev().map(|i| note(i, 30 + i as u8, 480, 90)).collect();
    let score = Score { tracks: vec![track(0, false, chord)], ..Score::default() };
    let cells = Cells::of(&score, family_of);
    assert_eq!((cells.rows.len(), cells.crowded), (1, [2, 0, 0, 0]));
    let pitches: Vec<u8> = cells.rows[0][..30].chunks(3).map(|c| c[0]).collect();
    assert_eq!(pitches, (31..41).collect::<Vec<u8>>());
}
