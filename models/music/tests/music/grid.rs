//! The band grid and its inverse.

use proptest::prelude::*;
use sideman_music::encoding::grid::{
    self, BASS_HIGH, BASS_LOW, BASS_SPAN, BandStep, BassNote, CHORD_HIGH, CHORD_LOW, CHORD_NOTES, Chord,
    DRUM_CLASSES, DRUM_KEYS, LENGTH_BINS, LENGTH_TICKS, OFFSET_MAX, OFFSET_MIN, VELOCITY_BINS, VelocityTable,
};
use sideman_music::score::BandScore;
use sideman_music::{Note, PULSES_PER_TICK, Part, STEP_PULSES};

fn chord() -> impl Strategy<Value = Chord> {
    let notes =
        proptest::collection::btree_map(CHORD_LOW..=CHORD_HIGH, 0..LENGTH_BINS as u8, 0..=CHORD_NOTES);
    (notes, 0..VELOCITY_BINS as u8).prop_map(|(notes, velocity)| {
        let mut chord = Chord::default();
        for (pitch, length) in notes {
            assert!(chord.push(pitch, length));
        }
        chord.velocity = if chord.is_empty() { 0 } else { velocity };
        chord
    })
}

fn bass() -> impl Strategy<Value = Option<BassNote>> {
    let above = prop_oneof![2 => Just(0u8), 1 => 1..=BASS_SPAN];
    let note = (BASS_LOW..=BASS_HIGH, 0..LENGTH_BINS as u8, 0..VELOCITY_BINS as u8, above);
    proptest::option::of(note).prop_map(|n| {
        n.map(|(pitch, length, velocity, above)| BassNote {
            pitch,
            length,
            velocity,
            above: above.min(BASS_HIGH - pitch),
        })
    })
}

/// A step as the encoding makes it: no offset where a part rests.
fn step() -> impl Strategy<Value = BandStep> {
    let drums = proptest::array::uniform16(prop_oneof![3 => Just(0u8), 1 => 1..=VELOCITY_BINS as u8]);
    let offsets = proptest::array::uniform4(OFFSET_MIN..=OFFSET_MAX);
    (drums, bass(), chord(), chord(), offsets).prop_map(|(drums, bass, guitar, strings, offsets)| {
        let mut step = BandStep { drums, bass, guitar, strings, offsets };
        for part in Part::ALL {
            if !step.plays(part) {
                step.offsets[part.index()] = 0;
            }
        }
        step
    })
}

/// A grid; its first step cannot start before the music does.
fn a_grid() -> impl Strategy<Value = Vec<BandStep>> {
    proptest::collection::vec(step(), 1..24).prop_map(|mut steps| {
        steps[0].offsets = steps[0].offsets.map(|o| o.max(0));
        steps
    })
}

/// Notes of which no two fall into one step.
fn sparse_notes() -> impl Strategy<Value = Vec<Note>> {
    let note = (-60i64..60, 0u8..128, 1i64..5000, 1u8..128);
    proptest::collection::vec(note, 0..24).prop_map(|notes| {
        notes
            .into_iter()
            .enumerate()
            .map(|(i, (offset, pitch, length, velocity))| Note {
                onset: (i as i64 * 2 + 1) * STEP_PULSES + offset,
                pitch,
                length,
                velocity,
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(crate::config())]

    #[test]
    fn decoding_then_encoding_gives_the_grid_back(steps in a_grid()) {
        let band = grid::decode(&steps, &VelocityTable::default());
        prop_assert_eq!(grid::encode(&band, steps.len()), steps);
    }

    #[test]
    fn encoding_then_decoding_stays_within_the_grid(notes in sparse_notes()) {
        let steps = notes.len() * 2 + 2;
        for part in Part::ALL {
            let mut band = BandScore::default();
            band.parts[part.index()].clone_from(&notes);
            let back = grid::decode(&grid::encode(&band, steps), &VelocityTable::default());
            let back = back.part(part);
            prop_assert_eq!(back.len(), notes.len());
            for (a, b) in notes.iter().zip(back) {
                prop_assert!((a.onset - b.onset).abs() <= PULSES_PER_TICK / 2, "{:?} {:?}", a, b);
                prop_assert!(a.velocity.abs_diff(b.velocity) <= 2, "{:?} {:?}", a, b);
                if part == Part::Drums {
                    prop_assert_eq!(grid::drum_class(a.pitch), grid::drum_class(b.pitch));
                } else {
                    prop_assert_eq!(a.pitch % 12, b.pitch % 12);
                    prop_assert_eq!(grid::length_bin(a.length), grid::length_bin(b.length));
                }
            }
        }
    }

    #[test]
    fn encoding_takes_anything(
        notes in proptest::collection::vec((-5000i64..50_000, 0u8..=255, 1i64..100_000, 0u8..=255), 0..200),
        steps in 0usize..300,
    ) {
        let notes: Vec<Note> = notes
            .into_iter()
            .map(|(onset, pitch, length, velocity)| Note { onset, pitch, length, velocity })
            .collect();
        let mut band = BandScore { piano: vec![], parts: std::array::from_fn(|_| notes.clone()) };
        band.sort();
        let encoded = grid::encode(&band, steps);
        prop_assert_eq!(encoded.len(), steps);
        let mut kept = grid::decode(&encoded, &VelocityTable::default());
        if steps > 0 && encoded[0].offsets.iter().all(|&o| o >= 0) {
            // Encoding once more changes nothing: the grid is a projection.
            prop_assert_eq!(&grid::encode(&kept, steps), &encoded);
        }
        kept.parts.iter_mut().flatten().for_each(|n| n.onset -= 60);
        prop_assert!(kept.parts.iter().flatten().all(|n| n.onset < steps as i64 * STEP_PULSES));
    }

    #[test]
    fn the_length_bin_is_the_nearest_by_ratio(length in 1i64..8000) {
        let ratio = |bin: usize| {
            let (a, b) = ((length as f64 / PULSES_PER_TICK as f64).max(0.5), f64::from(LENGTH_TICKS[bin]));
            (a / b).max(b / a)
        };
        let found = usize::from(grid::length_bin(length));
        for bin in 0..LENGTH_BINS {
            prop_assert!(ratio(found) <= ratio(bin) + 1e-12, "bin {} for {}, better {}", found, length, bin);
        }
        if length < 8000 - 1 {
            prop_assert!(grid::length_bin(length) <= grid::length_bin(length + 1));
        }
    }

    #[test]
    fn folding_keeps_the_pitch_class(pitch in 0u8..128, low in 0u8..100, span in 11u8..28) {
        let folded = grid::fold_pitch(pitch, low, low + span);
        prop_assert!((low..=low + span).contains(&folded));
        prop_assert_eq!(folded % 12, pitch % 12);
        if (low..=low + span).contains(&pitch) {
            prop_assert_eq!(folded, pitch);
        }
    }

    #[test]
    fn a_chord_takes_ascending_pitches_until_it_is_full(
        pushes in proptest::collection::vec((0u8..128, 0u8..40), 0..20),
    ) {
        let mut chord = Chord::default();
        let mut model: Vec<u8> = Vec::new();
        for (pitch, length) in pushes {
            let fits = model.len() < CHORD_NOTES
                && (CHORD_LOW..=CHORD_HIGH).contains(&pitch)
                && model.last().is_none_or(|&p| p < pitch);
            let before = chord;
            prop_assert_eq!(chord.push(pitch, length), fits);
            if fits { model.push(pitch) } else { prop_assert_eq!(before, chord) }
            prop_assert_eq!(chord.pitches(), &model[..]);
            prop_assert!(chord.notes().all(|n| usize::from(n.1) < LENGTH_BINS));
        }
        prop_assert_eq!(chord.is_empty(), model.is_empty());
    }
}

#[test]
fn the_tables_are_their_own_inverse() {
    for (bin, &ticks) in LENGTH_TICKS.iter().enumerate() {
        assert_eq!(usize::from(grid::length_bin(i64::from(ticks) * PULSES_PER_TICK)), bin);
    }
    for class in 0..DRUM_CLASSES {
        assert_eq!(grid::drum_class(DRUM_KEYS[class]), class);
    }
    for part in 0..4 {
        for bin in 0..VELOCITY_BINS {
            assert_eq!(usize::from(VelocityTable::default().0[part][bin] / 4), bin);
        }
    }
}
