use super::*;
use crate::kit::{CRASH, HIGH_TOM, KICK, LOW_TOM, MID_TOM, RIDE, SNARE};
use crate::position::place_of;
use sideman_inference::band::{Dials, Rests};
use sideman_music::listen::frames;
use sideman_music::{Chord, Meter, MeterMap, Note};

/// C, Am, F, G, a bar each, in half notes with a bass note below, for `bars` bars.
fn piano(bars: i64, velocity: u8) -> Vec<Note> {
    let chords: [[u8; 4]; 4] = [[36, 60, 64, 67], [45, 60, 64, 69], [41, 60, 65, 69], [43, 59, 62, 67]];
    (0..bars * 2)
        .flat_map(|half| {
            chords[(half / 2 % 4) as usize].map(|pitch| Note {
                onset: half * 960,
                pitch,
                length: 900,
                velocity,
            })
        })
        .collect()
}

fn play(band: &mut RuleBand, piano: &[Note], steps: usize, meter: Meter, dials: Dials) -> Vec<Decision> {
    let meters = MeterMap::new(&[(0, meter)]);
    band.reset(7);
    frames(piano, steps)
        .into_iter()
        .enumerate()
        .map(|(s, heard)| {
            let place = place_of(s as i64, &meters);
            band.decide(&StepContext {
                place,
                heard,
                parts: [true; 4],
                bpm: 110.0,
                dials,
                forced: None,
                rests: Rests::default(),
            })
        })
        .collect()
}

fn common(style: Style, intensity: f32) -> Vec<Decision> {
    let dials = Dials { intensity, ..Dials::default() };
    play(&mut RuleBand::new(style), &piano(16, 80), 256, Meter::COMMON, dials)
}

pub(super) fn notes(decisions: &[Decision], part: Part) -> usize {
    let count = |s: &BandStep| match part {
        Part::Drums => s.drums.iter().filter(|&&d| d > 0).count(),
        Part::Bass => usize::from(s.bass.is_some()),
        _ => s.chord(part).len(),
    };
    decisions.iter().map(|d| count(&d.now) + count(&d.early)).sum()
}

#[test]
fn answers_a_new_chord_on_its_step() {
    for style in [Style::PopRock, Style::Ballad, Style::JazzSwing, Style::Country, Style::Reggae] {
        let decisions = common(style, 0.5);
        for (bar, root) in [0, 9, 5, 7, 0, 9, 5, 7].into_iter().enumerate() {
            let bass = decisions[bar * 16].now.bass.expect("a bass note on the one");
            assert_eq!(bass.pitch % 12, root, "{style}, bar {bar}");
        }
    }
}

#[test]
fn chords_are_of_what_the_piano_plays() {
    for style in Style::ALL {
        let decisions = common(style, 0.8);
        let chords: [u16; 4] = [0b1001_0001, 0b10_0001_0001, 0b10_0010_0001, 0b1000_1000_0100];
        let mut heard = 0;
        for (step, d) in decisions.iter().enumerate() {
            for chord in [d.now.guitar, d.now.strings, d.early.guitar, d.early.strings] {
                for p in chord.pitches() {
                    assert!(chords[step / 16 % 4] >> (p % 12) & 1 == 1, "{style}, step {step}, pitch {p}");
                    heard += 1;
                }
            }
        }
        assert!(heard > 50, "{style}: {heard}");
    }
}

#[test]
fn chord_voices_move_little() {
    let decisions = common(Style::PopRock, 0.8);
    let chords: Vec<Chord> = decisions.iter().map(|d| d.now.guitar).filter(|c| c.len() == 4).collect();
    for pair in chords.windows(2) {
        let moves: u32 =
            pair[0].pitches().iter().zip(pair[1].pitches()).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        assert!(moves <= 14, "{:?} to {:?}", pair[0].pitches(), pair[1].pitches());
    }
}

#[test]
fn more_intensity_is_more_notes_in_every_part() {
    for style in Style::ALL {
        for part in Part::ALL {
            let counts: Vec<usize> =
                [0.0, 0.25, 0.5, 0.75, 1.0].map(|i| notes(&common(style, i), part)).to_vec();
            assert!(counts.is_sorted(), "{style} {part}: {counts:?}");
            assert!(counts[0] < counts[4], "{style} {part}: {counts:?}");
        }
    }
}

#[test]
fn follows_the_loudness_of_the_piano() {
    let mean = |velocity| {
        let mut band = RuleBand::new(Style::Ballad);
        let d = play(&mut band, &piano(8, velocity), 128, Meter::COMMON, Dials::default());
        let bins: Vec<f32> = d.iter().filter_map(|d| d.now.bass).map(|b| f32::from(b.velocity)).collect();
        bins.iter().sum::<f32>() / bins.len() as f32
    };
    assert!(mean(40) + 2.0 < mean(75) && mean(75) + 2.0 < mean(110));
}

#[test]
fn fills_come_at_the_ends_of_phrases_and_a_crash_after_the_long_one() {
    let decisions = common(Style::PopRock, 0.5);
    let toms_and_snare = |bar: usize| {
        let last_beat = &decisions[bar * 16 + 13..bar * 16 + 16];
        last_beat
            .iter()
            .filter(|d| [SNARE, LOW_TOM, MID_TOM, HIGH_TOM].iter().any(|&c| d.now.drums[c] > 0))
            .count()
    };
    assert!(toms_and_snare(3) > 0 && toms_and_snare(7) > 0);
    assert_eq!((toms_and_snare(1), toms_and_snare(2)), (0, 0));
    let crashes: Vec<usize> =
        decisions.iter().enumerate().filter(|d| d.1.now.drums[CRASH] > 0).map(|d| d.0).collect();
    assert_eq!(crashes, [128]);
}

#[test]
fn bars_vary_and_styles_differ() {
    let drums = |style| common(style, 0.6).iter().map(|d| d.now.drums.map(|v| v > 0)).collect::<Vec<_>>();
    for (i, &a) in Style::ALL.iter().enumerate() {
        for &b in &Style::ALL[i + 1..] {
            assert_ne!(drums(a), drums(b), "{a} and {b}");
        }
        let distinct: std::collections::HashSet<Vec<[bool; 16]>> =
            drums(a).chunks(16).map(<[_]>::to_vec).collect();
        assert!(distinct.len() >= 3, "{a}: {} different bars of 16", distinct.len());
    }
}

#[test]
fn a_late_hand_is_answered() {
    // Every chord comes 40 pulses after the beat, too late for its step. The third bar has F.
    let late: Vec<Note> = piano(4, 80).iter().map(|n| Note { onset: n.onset + 40, ..*n }).collect();
    let mut band = RuleBand::new(Style::PopRock).with_patterns(0);
    let d = play(&mut band, &late, 48, Meter::COMMON, Dials { intensity: 0.9, ..Dials::default() });
    assert_eq!(d[32].now.bass.unwrap().pitch % 12, 9, "nothing new was heard on the bar line");
    assert_eq!(d[33].now.bass.unwrap().pitch % 12, 5);
    assert!(d[32].now.strings.is_empty());
    assert!(d[33].now.strings.pitches().iter().all(|p| [5, 9, 0].contains(&(p % 12))));
    assert!(!d[33].now.strings.is_empty());
}

#[test]
fn a_late_left_hand_is_answered() {
    let mut piano: Vec<Note> = Vec::new();
    for (pitch, onset) in [(67, 0), (64, 0), (60, 0), (45, 25)] {
        piano.push(Note { onset, pitch, length: 900, velocity: 80 });
    }
    let mut band = RuleBand::new(Style::PopRock);
    let d = play(&mut band, &piano, 8, Meter::COMMON, Dials::default());
    assert_eq!(d[0].now.bass.unwrap().pitch % 12, 0);
    assert_eq!(d[1].now.bass.unwrap().pitch % 12, 9);
}

#[test]
fn a_broken_chord_is_not_a_late_hand() {
    let arpeggio: Vec<Note> = (0..64)
        .map(|i| Note { onset: i * 120, pitch: [41, 57, 60, 65][i as usize % 4], length: 110, velocity: 80 })
        .collect();
    let mut band = RuleBand::new(Style::Country);
    let d = play(&mut band, &arpeggio, 64, Meter::COMMON, Dials::default());
    for half in 0..8 {
        assert!(d[half * 8].now.bass.is_some(), "a bass note on half-bar {half}");
        assert!(d[half * 8 + 1].now.bass.is_none() && d[half * 8 + 1].now.guitar.is_empty());
    }
}

#[test]
fn pads_come_on_time_under_held_chords() {
    // One chord for two bars, each bar.
    let held: Vec<Note> = (0..4)
        .flat_map(|i| {
            [36, 60, 64, 67].map(|pitch| Note { onset: i * 3840, pitch, length: 3800, velocity: 80 })
        })
        .collect();
    let mut band = RuleBand::new(Style::Ballad).with_patterns(0);
    let d = play(&mut band, &held, 128, Meter::COMMON, Dials { intensity: 0.9, ..Dials::default() });
    let pads: Vec<usize> = (0..128).filter(|&s| !d[s].now.strings.is_empty()).collect();
    assert!(pads.len() >= 14 && pads.iter().all(|s| s % 8 == 0), "{pads:?}");
}

#[test]
fn swings_on_triplets_and_stays_within_the_seam() {
    for style in Style::ALL {
        for d in common(style, 1.0) {
            for part in Part::ALL {
                assert!((0..=2).contains(&d.now.offsets[part.index()]));
                assert!((-3..=0).contains(&d.early.offsets[part.index()]));
                assert!(!d.early.plays(part) || d.early.offsets[part.index()] < 0);
            }
        }
    }
    let early = |style| common(style, 0.6).iter().any(|d| d.early.plays(Part::Drums));
    assert!(early(Style::JazzSwing) && early(Style::Blues) && !early(Style::PopRock));
}

#[test]
fn the_seed_varies_the_band_and_nothing_else_does() {
    let run = |seed: u64| {
        let mut band = RuleBand::new(Style::JazzSwing);
        let meters = MeterMap::default();
        band.reset(seed);
        let decide = |(s, heard)| {
            let place = place_of(s as i64, &meters);
            band.decide(&StepContext {
                place,
                heard,
                parts: [true; 4],
                bpm: 150.0,
                dials: Dials::default(),
                rests: Rests::default(),
                forced: None,
            })
        };
        frames(&piano(8, 80), 128).into_iter().enumerate().map(decide).collect::<Vec<_>>()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn other_metres_have_their_accents() {
    let kicks = |style, numerator, denominator| {
        let mut band = RuleBand::new(style);
        let d = play(&mut band, &piano(16, 80), 240, Meter { numerator, denominator }, Dials::default());
        let bar =
            usize::from(place_of(0, &MeterMap::new(&[(0, Meter { numerator, denominator })])).bar_steps);
        let downbeats =
            d.chunks(bar).filter(|b| b[0].now.drums[KICK] > 0 || b[0].now.drums[RIDE] > 0).count();
        (downbeats, d.chunks(bar).len())
    };
    for style in Style::ALL.into_iter().filter(|s| *s != Style::Reggae) {
        for (n, d) in [(3, 4), (6, 8), (5, 4), (7, 8), (9, 8), (12, 8)] {
            let (downbeats, bars) = kicks(style, n, d);
            assert_eq!(downbeats, bars, "{style} in {n}/{d}");
        }
    }
}

#[test]
fn parts_that_are_off_stay_silent() {
    let mut band = RuleBand::new(Style::Funk);
    let meters = MeterMap::default();
    for (s, heard) in frames(&piano(4, 80), 64).into_iter().enumerate() {
        let place = place_of(s as i64, &meters);
        let parts = [true, false, true, false];
        let d = band.decide(&StepContext {
            place,
            heard,
            parts,
            bpm: 100.0,
            dials: Dials::default(),
            forced: None,
            rests: Rests::default(),
        });
        assert!(!d.now.plays(Part::Bass) && !d.now.plays(Part::Strings) && !d.early.plays(Part::Bass));
    }
}
