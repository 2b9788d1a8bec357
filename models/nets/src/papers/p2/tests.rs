//! Sizes, shapes, states, files, and how the band plays.

use candle_core::{Device, Tensor};
use sideman_music::encoding::piano_roll::{CELLS, FiveRolls, RollTrack, Threshold, WINDOW_PULSES};
use sideman_music::score::{BandScore, Note};

use super::*;
use crate::nn::{Network, Parameters};
use sideman_inference::weights::{Card, WeightsError};

const LATENT: LatentRnn = LatentRnn { cell: Cell::Gru, latent: 16, hidden: 8 };

fn voice(track: RollTrack, one_key: bool) -> Voice {
    let vae = Vae::QUICK;
    let head = VoiceHead {
        track: track.name().to_owned(),
        vae,
        rnn: LATENT,
        threshold: Threshold { start: 0.9, hold: 0.8, least: 2 },
        decoded: Threshold { start: 0.9, hold: 0.8, least: 2 },
        loudest: 100,
        noise: 1.0,
        one_key,
    };
    let card = Card { name: format!("p2-{}", track.name()), ..Card::default() };
    let seed = track.index() as u64;
    let mut vae = Parameters::fresh(&vae.specs(), seed).unwrap();
    // Fresh ones draw everything at one half: so much larger, cells differ.
    for (name, by) in [("open.w", 8.0), ("draw.w", 24.0)] {
        let larger = (vae.tensors[name].clone() * by).unwrap();
        vae.tensors.insert(name.to_owned(), larger);
    }
    let rnn = Parameters::fresh(&LATENT.specs(), 7 + seed).unwrap();
    Voice::new(head, card, vae, rnn, vec![0.5; 16])
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
fn sizes_are_those_of_the_headers() {
    assert_eq!(Vae::PAPER.parameters(), 1_707_072);
    assert_eq!(LatentRnn::paper(Cell::Gru).parameters(), 722_944);
    assert_eq!(LatentRnn::paper(Cell::Lstm).parameters(), 919_040);
    assert_eq!(RollGru::PAPER.parameters(), 854_144);
    assert!(Vae::PAPER.is_sound() && Vae::QUICK.is_sound());
    assert!(!Vae { patch: 24, ..Vae::PAPER }.is_sound());
}

#[test]
fn a_window_becomes_512_values_and_a_window_again() {
    let vae = Vae::PAPER;
    let parameters = Parameters::fresh(&vae.specs(), 1).unwrap();
    let vae = vae.load(&parameters).unwrap();
    let x = Tensor::ones((2, CELLS), candle_core::DType::F32, &Device::Cpu).unwrap();
    let code = vae.encode(&x).unwrap();
    assert_eq!((code.mean.dims(), code.log_variance.dims()), (&[2, 512][..], &[2, 512][..]));
    assert_eq!(vae.decode(&code.mean).unwrap().dims(), [2, CELLS]);
    let mean: Vec<Vec<f32>> = vae.mean(&x).unwrap().to_vec2().unwrap();
    assert_eq!(mean, code.mean.to_vec2::<f32>().unwrap());
}

#[test]
fn the_divergence_is_that_of_normal_distributions() {
    let of = |v: &[f32]| Tensor::from_slice(v, (1, v.len()), &Device::Cpu).unwrap();
    let code = Code { mean: of(&[0.0, 0.0]), log_variance: of(&[0.0, 0.0]) };
    assert_eq!(code.divergence().unwrap().to_scalar::<f32>().unwrap(), 0.0);
    // (1 + m^2 + v - 1 - ln v) / 2 with m = 2, v = e: (4 + e - 1 - 1) / 2.
    let code = Code { mean: of(&[2.0]), log_variance: of(&[1.0]) };
    let found = code.divergence().unwrap().to_scalar::<f32>().unwrap();
    assert!((found - (3.0 + std::f32::consts::E - 1.0) / 2.0).abs() < 1e-5, "{found}");
    let drawn: Vec<f32> = code.drawn(&of(&[-1.0])).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    assert!((drawn[0] - (2.0 - 0.5f32.exp())).abs() < 1e-6);
}

#[test]
fn a_state_goes_on_as_if_there_had_been_no_break() {
    for cell in [Cell::Gru, Cell::Lstm] {
        let rnn = LatentRnn { cell, latent: 3, hidden: 5 };
        let parameters = Parameters::fresh(&rnn.specs(), 1).unwrap();
        let layers = rnn.load(&parameters).unwrap();
        let values: Vec<f32> = (0..6 * 2 * 3).map(|i| (i as f32).sin()).collect();
        let x = Tensor::from_vec(values, (12, 3), &Device::Cpu).unwrap();
        let whole = layers.forward(&x, &mut rnn.blank(2)).unwrap();
        let mut state = rnn.blank(2);
        let parts =
            [(0, 4), (4, 8)].map(|(at, n)| layers.forward(&x.narrow(0, at, n).unwrap(), &mut state).unwrap());
        let joined = Tensor::cat(&parts, 0).unwrap();
        let apart = (whole - joined).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(apart < 1e-6, "{apart}");
    }
}

#[test]
fn files_come_back_and_strange_ones_do_not() {
    let original = voice(RollTrack::Guitar, true);
    let bytes = original.write().unwrap();
    let read = Voice::read(&bytes).unwrap();
    assert_eq!((&read.head, read.track()), (&original.head, RollTrack::Guitar));
    assert_eq!(read.noise, original.noise);
    let cells: Vec<f32> = (0..CELLS).map(|i| if i % 97 == 0 { 1.0 } else { 0.0 }).collect();
    let (a, b) = (original.encode(&cells).unwrap(), read.encode(&cells).unwrap());
    let apart = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart < 0.1, "what 8 bits leave: {apart}");
    assert_eq!(read.write().unwrap(), bytes, "storing twice loses nothing more");
    assert!(sideman_inference::weights::card(&bytes).unwrap().name == "p2-guitar");

    let mut damaged = bytes.clone();
    damaged[4000] ^= 1;
    assert!(matches!(Voice::read(&damaged), Err(WeightsError::Damaged)));
    assert!(matches!(Voice::read(b"MThd"), Err(WeightsError::Foreign)));
    let band = sideman_inference::weights::BUILT_IN[0].bytes;
    assert!(matches!(Voice::read(band), Err(WeightsError::Content(_))));
    assert!(sideman_inference::weights::load(&bytes).is_err());
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
        let parts = band.play(&piano, &live).unwrap();
        assert!(parts == band.play(&piano, &live).unwrap());
        assert!(parts.iter().all(|p| !p.is_empty()));
        let mut backwards = piano.clone();
        backwards.reverse();
        assert!(parts == band.play(&backwards, &live).unwrap(), "in any order");
        assert!(parts != band.play(&piano, &Live { seed: 2, ..live }).unwrap());
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
            let changed = band.play(&other, &live).unwrap();
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
    let parts = band.play(&piano(32), &some).unwrap();
    assert!(parts[0].is_empty() && !parts[1].is_empty() && parts[2].is_empty() && parts[3].is_empty());
    assert_eq!(band.play(&[], &Live::default()).unwrap(), <[Vec<Note>; 4]>::default());
    // These weights are so large that cells round to 1: nothing reaches more.
    let nothing = Live { threshold: Some(1.1), ..live };
    assert!(band.play(&piano(32), &nothing).unwrap().iter().all(Vec::is_empty));
    // A piano that begins again after a long while, and a key that nobody lets go.
    let mut far = piano(16);
    far.extend(piano(16).into_iter().map(|n| Note { onset: n.onset + 1_000_000 * WINDOW_PULSES, ..n }));
    far.push(Note { onset: 0, pitch: 20, length: i64::MAX / 4, velocity: 1 });
    let parts = band.play(&far, &live).unwrap();
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
    let morphed = band.morph(&a, &b, &how).unwrap();
    assert!(morphed == band.morph(&a, &b, &how).unwrap());
    let onsets = |notes: &[Note], range: std::ops::Range<i64>| -> Vec<(i64, u8)> {
        notes.iter().filter(|n| range.contains(&n.onset)).map(|n| (n.onset - range.start, n.pitch)).collect()
    };
    let alone = |rolls: &FiveRolls| band.morph(rolls, rolls, &how).unwrap();
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
