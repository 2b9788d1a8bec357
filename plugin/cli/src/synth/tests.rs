use sideman_music::{Note, TempoMap, Track};

use super::*;

/// A score of one track at 120 beats a minute: (onset in beats, pitch, beats, velocity).
fn score(program: u8, is_drums: bool, notes: &[(f64, u8, f64, u8)]) -> Score {
    let pulses = |beats: f64| (beats * 480.0) as i64;
    let notes = notes
        .iter()
        .map(|&(onset, pitch, length, velocity)| Note {
            onset: pulses(onset),
            pitch,
            length: pulses(length),
            velocity,
        })
        .collect();
    Score { tracks: vec![Track { program, is_drums, notes, ..Track::default() }], ..Score::default() }
}

/// Both sides of a whole render.
fn render(score: &Score) -> [Vec<f32>; 2] {
    let mut synth = Synth::new(score);
    let mut block = [vec![0.0; BLOCK], vec![0.0; BLOCK]];
    let mut out = [Vec::new(), Vec::new()];
    loop {
        let n = synth.fill(&mut block).unwrap();
        if n == 0 {
            assert_eq!(out[0].len() as u64, synth.frames());
            return out;
        }
        for side in 0..2 {
            out[side].extend_from_slice(&block[side][..n]);
        }
    }
}

fn peak(x: &[f32]) -> f32 {
    x.iter().fold(0.0, |m, v| m.max(v.abs()))
}

fn loudness(x: &[f32]) -> f32 {
    (x.iter().map(|v| v * v).sum::<f32>() / x.len().max(1) as f32).sqrt()
}

/// Strength of a frequency in Hz (Goertzel), with a window that keeps neighbours apart.
fn strength(x: &[f32], freq: f64) -> f64 {
    let w = std::f64::consts::TAU * freq / f64::from(RATE);
    let (mut re, mut im) = (0.0, 0.0);
    for (i, v) in x.iter().enumerate() {
        let window = 0.5 - 0.5 * (std::f64::consts::TAU * i as f64 / x.len() as f64).cos();
        let (sin, cos) = (w * i as f64).sin_cos();
        re += f64::from(*v) * window * cos;
        im += f64::from(*v) * window * sin;
    }
    (re * re + im * im).sqrt()
}

/// Distance in cents of the strongest frequency near `freq` from it; of an ensemble, whose players lie on
/// both sides of the pitch and move, the centre of its power.
fn cents_off(x: &[f32], freq: f64, ensemble: bool) -> f64 {
    let at = |cents: i32| strength(x, freq * 2f64.powf(f64::from(cents) / 1200.0));
    if ensemble {
        let power: Vec<(f64, f64)> = (-80..=80).step_by(4).map(|c| (f64::from(c), at(c).powi(2))).collect();
        return power.iter().map(|p| p.0 * p.1).sum::<f64>() / power.iter().map(|p| p.1).sum::<f64>();
    }
    let best = (-60..=60).step_by(4).max_by(|&a, &b| at(a).total_cmp(&at(b))).unwrap();
    let best = (best - 4..=best + 4).max_by(|&a, &b| at(a).total_cmp(&at(b))).unwrap();
    f64::from(best)
}

#[test]
fn every_instrument_is_in_tune() {
    // (program, pitches, cents allowed); the ensemble's spread blurs its pitch a little.
    let cases: [(u8, &[u8], f64); 13] = [
        (0, &[36, 60, 84], 3.0),
        (4, &[48, 72], 3.0),
        (11, &[60, 84], 3.0),
        (19, &[48, 72], 4.0),
        (24, &[40, 52, 64, 76], 4.0),
        (25, &[40, 55, 69, 84], 4.0),
        (27, &[45, 64, 79], 4.0),
        (29, &[45, 64], 4.0),
        (32, &[31, 43], 4.0),
        (33, &[31, 43, 55], 4.0),
        (38, &[36, 48], 4.0),
        (48, &[48, 60, 72, 84], 5.0),
        (73, &[60, 72], 4.0),
    ];
    for (program, pitches, allowed) in cases {
        for &pitch in pitches {
            // The players of the ensemble drift against each other: hear them for a whole loop.
            let (beats, until) = if program == 48 { (6.0, 114_000) } else { (2.0, 40_000) };
            let sound = render(&score(program, false, &[(0.0, pitch, beats, 90)]));
            let off = cents_off(&sound[0][4410..until], f64::from(frequency(pitch)), program == 48);
            assert!(off.abs() <= allowed, "program {program}, pitch {pitch}: {off} cents off");
        }
    }
}

#[test]
fn every_program_and_drum_sounds_stays_in_range_and_ends_in_silence() {
    let check = |sound: [Vec<f32>; 2], what: &str| {
        for side in &sound {
            assert!(side.iter().all(|x| x.is_finite() && x.abs() <= 1.0), "{what} leaves its range");
            assert!(peak(side) > 0.01, "{what} is not heard");
            assert!(side[0].abs() < 1e-3, "{what} begins with a click");
            assert!(peak(&side[side.len() - 500..]) < 4e-3, "{what} is cut off at the end");
        }
    };
    for program in (0..128).step_by(3) {
        let pitch = if (32..40).contains(&program) { 36 } else { 60 };
        check(render(&score(program, false, &[(0.0, pitch, 1.0, 100)])), &format!("program {program}"));
    }
    for key in 27..=87 {
        check(render(&score(0, true, &[(0.0, key, 0.1, 100)])), &format!("drum {key}"));
    }
}

#[test]
fn a_released_note_ends_without_a_click() {
    // A click is a sudden bend of the curve: more than what the sound itself does anywhere before.
    for (program, pitch) in [(0, 48), (19, 60), (25, 52), (33, 36), (48, 55), (73, 67)] {
        let sound = render(&score(program, false, &[(0.0, pitch, 1.37, 100)]));
        let bend = |x: &[f32]| x.windows(3).fold(0.0f32, |m, w| m.max((w[2] - 2.0 * w[1] + w[0]).abs()));
        let release = (1.37 * 0.5 * RATE) as usize;
        let (before, after) = (bend(&sound[0][..release - 200]), bend(&sound[0][release - 200..]));
        assert!(after <= before * 1.05, "program {program}: bend {after} after {before}");
    }
}

#[test]
fn loudness_follows_velocity_and_the_mix_is_even() {
    let heard = |program, is_drums, pitch, velocity| {
        let notes: Vec<_> = (0..8).map(|i| (f64::from(i) * 0.5, pitch, 0.45, velocity)).collect();
        let s = render(&score(program, is_drums, &notes));
        20.0 * (loudness(&s[0][..88_200]) + loudness(&s[1][..88_200])).log10()
    };
    let parts = [
        ("piano", heard(0, false, 60, 80)),
        ("kick", heard(0, true, 36, 80)),
        ("snare", heard(0, true, 38, 80)),
        ("hat", heard(0, true, 42, 80)),
        ("bass", heard(33, false, 36, 80)),
        ("guitar", heard(25, false, 55, 80)),
        ("strings", heard(48, false, 60, 80)),
    ];
    for (name, level) in parts {
        let range = if name == "hat" { -58.0..-28.0 } else { -34.0..-14.0 };
        assert!(range.contains(&level), "{name} at {level:.1} dB");
    }
    assert!(heard(0, false, 60, 110) > heard(0, false, 60, 50) + 6.0);
}

#[test]
fn a_closed_hat_silences_the_open_one() {
    let after = |notes: &[(f64, u8, f64, u8)]| {
        let s = render(&score(0, true, notes));
        loudness(&s[0][24_000..30_000])
    };
    // At half a second the open hat still rings, unless the pedal closed it just before.
    let open = after(&[(0.0, 46, 0.1, 100)]);
    let closed = after(&[(0.0, 46, 0.1, 100), (0.6, 44, 0.1, 1)]);
    assert!(closed < open * 0.5, "{closed} against {open}");
}

#[test]
fn rendering_is_deterministic_and_survives_a_thousand_notes_at_once() {
    let notes: Vec<_> = (0..1000).map(|i| (f64::from(i % 7) * 0.001, (i % 128) as u8, 2.0, 127)).collect();
    let s = score(48, false, &notes);
    let a = render(&s);
    assert!(a.iter().flatten().all(|x| x.is_finite() && x.abs() <= 1.0));
    assert_eq!(a, render(&s));
}

#[test]
fn notes_start_where_the_tempo_map_says() {
    let mut s = score(0, false, &[(4.0, 60, 1.0, 100)]);
    s.tempos = TempoMap::new(&[(0, 1_000_000), (960, 250_000)]);
    let sound = render(&s);
    // Two beats of a second, two of a quarter of it.
    let first = sound[0].iter().position(|x| x.abs() > 1e-3).unwrap() as f32 / RATE;
    assert!((2.5..2.52).contains(&first), "{first}");
}
