//! Files, and how the band plays.

use sideman_music::encoding::piano_roll::{CELLS, FiveRolls, RollTrack, Threshold, WINDOW_PULSES};
use sideman_music::score::{BandScore, Note};

use super::voice::shapes;
use super::*;
use crate::papers::tests::{random, values};
use crate::weights::{Card, WeightsError};

const LATENT: LatentRnn = LatentRnn { cell: Cell::Gru, latent: 16, hidden: 8 };

fn voice(track: RollTrack, one_key: bool) -> Voice {
    let head = VoiceHead {
        track: track.name().to_owned(),
        vae: Vae::QUICK,
        rnn: LATENT,
        threshold: Threshold { start: 0.9, hold: 0.8, least: 2 },
        decoded: Threshold { start: 0.9, hold: 0.8, least: 2 },
        loudest: 100,
        noise: 1.0,
        one_key,
    };
    let card = Card { name: format!("p2-{}", track.name()), ..Card::default() };
    let mut values = values(&random(&shapes(&head), track.index() as u64));
    // Fresh ones draw everything at one half: so much larger, cells differ.
    for (name, by) in [("vae.open.w", 8.0), ("vae.draw.w", 24.0)] {
        values.get_mut(name).unwrap().iter_mut().for_each(|v| *v *= by);
    }
    values.remove("noise");
    Voice::new(head, card, values, vec![0.5; 16]).unwrap()
}

fn band(one_key: bool) -> VaeRnn {
    VaeRnn::new(RollTrack::ALL.map(|t| voice(t, one_key)).to_vec()).unwrap()
}

/// Chords, a beat each, a semitone higher every 16.
fn piano(beats: i64) -> Vec<Note> {
    let chord = |beat: i64| {
        [0u8, 4, 7].map(|tone| Note {
            onset: beat * 480,
            pitch: 60 + tone + (beat / 16 % 5) as u8 + if beat % 4 > 1 { 5 } else { 0 },
            length: 460,
            velocity: 60 + (beat % 8) as u8,
        })
    };
    (0..beats).flat_map(chord).collect()
}

#[test]
fn files_come_back_and_strange_ones_do_not() {
    let original = voice(RollTrack::Guitar, true);
    let bytes = original.write().unwrap();
    let read = Voice::read(&bytes).unwrap();
    assert_eq!((&read.head, read.track()), (&original.head, RollTrack::Guitar));
    assert_eq!(read.noise, original.noise);
    let cells: Vec<f32> = (0..CELLS).map(|i| if i % 97 == 0 { 1.0 } else { 0.0 }).collect();
    let (a, b) = (original.encode(&cells), read.encode(&cells));
    let apart = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart < 0.1, "what 8 bits leave: {apart}");
    assert_eq!(read.write().unwrap(), bytes, "storing twice loses nothing more");
    assert!(crate::weights::card(&bytes).unwrap().name == "p2-guitar");

    let mut damaged = bytes.clone();
    damaged[4000] ^= 1;
    assert!(matches!(Voice::read(&damaged), Err(WeightsError::Damaged)));
    assert!(matches!(Voice::read(b"MThd"), Err(WeightsError::Foreign)));
    let band = crate::weights::BUILT_IN[0].bytes;
    assert!(matches!(Voice::read(band), Err(WeightsError::Content(_))));
    assert!(crate::weights::load(&bytes).is_err());
    let mut absurd = original;
    absurd.head.loudest = 0;
    assert!(matches!(Voice::read(&absurd.write().unwrap()), Err(WeightsError::Content(_))));
}

#[test]
fn five_files_of_one_band_make_one() {
    let mut files: Vec<Vec<u8>> = RollTrack::ALL.map(|t| voice(t, true).write().unwrap()).to_vec();
    let load = |files: &[Vec<u8>]| VaeRnn::load(std::array::from_fn(|i| files[i].as_slice()));
    assert!(load(&files).is_ok());
    files.swap(0, 1);
    assert!(load(&files).unwrap_err().to_string().contains("drums"));
    files.swap(0, 1);
    files[4] = voice(RollTrack::Strings, false).write().unwrap();
    assert!(load(&files).unwrap_err().to_string().contains("strings"));
    files[4].truncate(100);
    assert!(load(&files).unwrap_err().to_string().contains("strings"));
}

#[test]
fn the_band_plays_what_it_can_know_and_nothing_hangs() {
    for one_key in [false, true] {
        // Not in C: what is heard first moves the key.
        let piano: Vec<Note> = piano(64).into_iter().map(|n| Note { pitch: n.pitch + 2, ..n }).collect();
        let band = band(one_key);
        let live = Live { temperature: 1.0, ..Live::default() };
        let parts = band.play(&piano, &live);
        assert!(parts == band.play(&piano, &live));
        assert!(parts.iter().all(|p| !p.is_empty()));
        let mut backwards = piano.clone();
        backwards.reverse();
        assert!(parts == band.play(&backwards, &live), "in any order");
        assert!(parts != band.play(&piano, &Live { seed: 2, ..live }));
        let end = piano.iter().map(Note::end).max().unwrap() + 10;
        for part in &parts {
            assert!(part.iter().all(|n| n.onset >= WINDOW_PULSES && n.end() <= end && n.length > 0));
            for pitch in 0..128 {
                let own: Vec<&Note> = part.iter().filter(|n| n.pitch == pitch).collect();
                assert!(own.windows(2).all(|w| w[0].end() <= w[1].onset), "{pitch}");
            }
        }
        // Whatever comes after an edge changes nothing of what starts before the next edge.
        for edge in [2, 3, 5] {
            let at = edge * WINDOW_PULSES;
            let mut other = piano.clone();
            other.iter_mut().filter(|n| n.onset >= at - 10).for_each(|n| (n.pitch, n.velocity) = (40, 127));
            let changed = band.play(&other, &live);
            let before = |parts: &[Vec<Note>; 4]| -> Vec<(i64, u8, u8)> {
                let known = parts.iter().flatten().filter(|n| n.onset < at + WINDOW_PULSES);
                known.map(|n| (n.onset, n.pitch, n.velocity)).collect()
            };
            assert!(before(&parts) == before(&changed), "{one_key} {edge}");
            assert!(parts != changed);
        }
    }
}

#[test]
fn parts_that_do_not_play_and_pianos_that_rest_are_left_alone() {
    let band = band(true);
    let live = Live { temperature: 1.0, ..Live::default() };
    let some = Live { parts: [false, true, false, false], ..live };
    let parts = band.play(&piano(32), &some);
    assert!(parts[0].is_empty() && !parts[1].is_empty() && parts[2].is_empty() && parts[3].is_empty());
    assert_eq!(band.play(&[], &Live::default()), <[Vec<Note>; 4]>::default());
    // These weights are so large that cells round to 1: nothing reaches more.
    let nothing = Live { threshold: Some(1.1), ..live };
    assert!(band.play(&piano(32), &nothing).iter().all(Vec::is_empty));
    // A piano that begins again after a long while, and a key that nobody lets go.
    let mut far = piano(16);
    far.extend(piano(16).into_iter().map(|n| Note { onset: n.onset + 1_000_000 * WINDOW_PULSES, ..n }));
    far.push(Note { onset: 0, pitch: 20, length: i64::MAX / 4, velocity: 1 });
    let parts = band.play(&far, &live);
    let silent = 40 * WINDOW_PULSES..1_000_000 * WINDOW_PULSES;
    assert!(parts.iter().flatten().all(|n| !silent.contains(&n.onset)));
    assert!(parts.iter().flatten().any(|n| n.onset > silent.end));
}

#[test]
fn a_morph_begins_with_the_one_piece_and_ends_with_the_other() {
    let band = band(true);
    let rolls = |up: u8| {
        let piano: Vec<Note> = piano(32).into_iter().map(|n| Note { pitch: n.pitch + up, ..n }).collect();
        let parts =
            [vec![Note { onset: 0, pitch: 36, length: 60, velocity: 90 }], piano.clone(), vec![], vec![]];
        FiveRolls::of(&BandScore { piano, parts })
    };
    let (a, b) = (rolls(0), rolls(3));
    let how = Morph { steps: 5, seed: 1, temperature: 0.0, threshold: None };
    let morphed = band.morph(&a, &b, &how);
    assert!(morphed == band.morph(&a, &b, &how));
    let onsets = |notes: &[Note], range: std::ops::Range<i64>| -> Vec<(i64, u8)> {
        notes.iter().filter(|n| range.contains(&n.onset)).map(|n| (n.onset - range.start, n.pitch)).collect()
    };
    let alone = |rolls: &FiveRolls| band.morph(rolls, rolls, &how);
    let bass = RollTrack::Bass.index();
    let first = |notes: &[Vec<Note>; 5]| onsets(&notes[bass], 0..WINDOW_PULSES);
    assert!(first(&morphed) == first(&alone(&a)), "the first window is of the first piece");
    let last = 4 * WINDOW_PULSES..5 * WINDOW_PULSES;
    // Notes that are held over the edge begin elsewhere: only what begins within the window is compared.
    let within = |notes: &[Note]| -> Vec<(i64, u8)> {
        onsets(notes, last.clone()).into_iter().filter(|o| o.0 > 0).collect()
    };
    assert!(within(&morphed[bass]) == within(&alone(&b)[bass]));
    assert!(!within(&morphed[bass]).is_empty());
    assert!(morphed[RollTrack::Strings.index()].is_empty(), "where both rest nobody plays");
    assert!(morphed.iter().flatten().all(|n| n.end() <= 5 * WINDOW_PULSES));
}
