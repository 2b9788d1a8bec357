//! The built-in band as it is heard: pitch, length, loudness and range at every sample rate.

use super::common::{cents_off, decibels, frequency, listen, loudness, peak};
use sideman_sound::Ensemble;

const RATE: f32 = 44_100.0;

/// One note of `held` seconds on a channel with a program, heard for `seconds`.
fn note(rate: f32, program: u8, pitch: u8, velocity: u8, held: f32, seconds: f32) -> [Vec<f32>; 2] {
    let mut ensemble = Ensemble::built_in(rate);
    ensemble.program(0, program);
    ensemble.note_on(0, pitch, velocity);
    let mut sound = listen(&mut ensemble, rate, held);
    ensemble.note_off(0, pitch);
    let rest = listen(&mut ensemble, rate, seconds - held);
    sound.iter_mut().zip(rest).for_each(|(side, rest)| side.extend(rest));
    sound
}

fn drum(key: u8, velocity: u8, seconds: f32) -> [Vec<f32>; 2] {
    let mut ensemble = Ensemble::built_in(RATE);
    ensemble.note_on(9, key, velocity);
    listen(&mut ensemble, RATE, seconds)
}

#[test]
fn every_instrument_is_in_tune() {
    // (program, pitches, cents allowed); neighbours of a pitch that has a sound of its own are among them.
    let cases: [(u8, &[u8], f64); 13] = [
        (0, &[36, 37, 60, 61, 84], 3.0),
        (4, &[48, 72, 75], 3.0),
        (11, &[60, 84], 3.0),
        (19, &[48, 50, 72], 4.0),
        (24, &[40, 52, 64, 76], 4.0),
        (25, &[40, 41, 55, 69, 84], 4.0),
        (27, &[45, 64, 79], 4.0),
        (29, &[45, 64], 4.0),
        (32, &[31, 43], 4.0),
        (33, &[31, 32, 43, 55], 4.0),
        (38, &[36, 48], 4.0),
        (48, &[48, 60, 72, 84], 6.0),
        (73, &[60, 72], 4.0),
    ];
    for (program, pitches, allowed) in cases {
        let players = program == 48;
        for &pitch in pitches {
            // The players of the section drift against each other: hear them for a whole loop.
            let (held, until) = if players { (2.2, 88_000) } else { (1.0, 40_000) };
            let [left, right] = note(RATE, program, pitch, 90, held, held);
            let both: Vec<f32> =
                left.iter().zip(&right).map(|(l, r)| if players { *l } else { l + r }).collect();
            let off = cents_off(&both[4410..until], frequency(pitch), RATE, players);
            assert!(off.abs() <= allowed, "program {program}, pitch {pitch}: {off} cents off");
        }
    }
}

#[test]
fn pitch_and_decay_are_the_same_at_every_rate() {
    let level = |x: &[f32], rate: f32, from: f32, to: f32| {
        decibels(loudness(&x[(from * rate) as usize..(to * rate) as usize]))
    };
    for (program, pitch) in [(0, 57), (25, 52), (33, 33), (48, 60)] {
        let reference = &note(RATE, program, pitch, 90, 1.2, 2.0)[0];
        for rate in
            [8_000.0, 11_025.0, 16_000.0, 22_050.0, 32_000.0, 48_000.0, 88_200.0, 192_000.0, 384_000.0]
        {
            let sound = &note(rate, program, pitch, 90, 1.2, 2.0)[0];
            let off = cents_off(
                &sound[(0.1 * rate) as usize..(0.9 * rate) as usize],
                frequency(pitch),
                rate,
                false,
            );
            let here = cents_off(&reference[4410..39_690], frequency(pitch), RATE, false);
            assert!((off - here).abs() <= 2.0, "program {program} at {rate}: {off} cents against {here}");
            for (from, to) in [(0.1, 0.3), (0.8, 1.1), (1.25, 1.35), (1.5, 1.8)] {
                let (a, b) = (level(sound, rate, from, to), level(reference, RATE, from, to));
                assert!(
                    (a - b).abs() < 1.5,
                    "program {program} at {rate}, {from} s: {a:.1} dB against {b:.1}"
                );
            }
        }
    }
}

#[test]
fn every_program_and_drum_sounds_stays_in_range_and_ends() {
    let check = |sound: [Vec<f32>; 2], what: &str| {
        for side in &sound {
            assert!(side.iter().all(|x| x.is_finite() && x.abs() <= 1.0), "{what} leaves its range");
            assert!(peak(side) > 0.008, "{what} is not heard");
            assert!(side[0].abs() < 1e-3, "{what} begins with a click");
            assert!(peak(&side[side.len() - 500..]) < 4e-3, "{what} is cut off at the end");
        }
    };
    for program in 0..128 {
        let pitch = if (32..40).contains(&program) { 36 } else { 60 };
        check(note(RATE, program, pitch, 100, 0.5, 3.0), &format!("program {program}"));
    }
    for key in 0..128 {
        check(drum(key, 100, 4.0), &format!("drum {key}"));
    }
}

#[test]
fn the_lowest_and_highest_keys_sound_at_every_velocity() {
    for program in [0, 4, 11, 19, 24, 29, 33, 48, 73] {
        for (pitch, velocity) in [(0, 1), (0, 127), (127, 127), (108, 64), (21, 30)] {
            let sound = note(RATE, program, pitch, velocity, 0.3, 0.6);
            assert!(sound.iter().flatten().all(|x| x.is_finite() && x.abs() <= 1.0));
            assert!(peak(&sound[0]) > 1e-6, "program {program}, pitch {pitch}, velocity {velocity}");
        }
    }
}

#[test]
fn a_released_note_ends_without_a_click() {
    // A click is a sudden bend of the curve: more than what the sound itself does anywhere before.
    let bend = |x: &[f32]| x.windows(3).fold(0.0f32, |m, w| m.max((w[2] - 2.0 * w[1] + w[0]).abs()));
    for (program, pitch) in [(0, 48), (19, 60), (25, 52), (33, 36), (48, 55), (73, 67)] {
        let sound = &note(RATE, program, pitch, 100, 0.68, 2.0)[0];
        let release = (0.68 * RATE) as usize;
        let (before, after) = (bend(&sound[..release - 200]), bend(&sound[release - 200..]));
        assert!(after <= before * 1.05, "program {program}: bend {after} after {before}");
    }
}

#[test]
fn loops_are_seamless() {
    // Held beyond the recorded part, a sound goes on falling without a bend or a jump in level.
    let bend = |x: &[f32]| x.windows(3).fold(0.0f32, |m, w| m.max((w[2] - 2.0 * w[1] + w[0]).abs()));
    for (program, pitch) in
        [(4, 60), (11, 72), (24, 45), (25, 52), (27, 64), (33, 33), (38, 40), (48, 60), (19, 60)]
    {
        let sound = &note(RATE, program, pitch, 100, 4.0, 4.0)[0];
        let at = |s: f32| (s * RATE) as usize;
        let (early, late) = (bend(&sound[at(0.5)..at(0.8)]), bend(&sound[at(0.8)..]));
        assert!(late <= early * 1.3, "program {program}: bend {late} after {early}");
        let level = |s: f32| decibels(loudness(&sound[at(s)..at(s + 0.2)]));
        for i in 3..18 {
            let s = i as f32 * 0.2;
            let step = level(s + 0.2) - level(s);
            let allowed = if program == 48 { -8.0..8.0 } else { -6.0..0.8 };
            assert!(allowed.contains(&step), "program {program}, {s} s: {step:.1} dB");
        }
    }
}

#[test]
fn loudness_follows_velocity_and_the_mix_is_even() {
    let heard = |channel: u8, program, pitch, velocity| {
        let mut ensemble = Ensemble::built_in(RATE);
        ensemble.program(channel, program);
        let mut power = 0.0;
        for _ in 0..8 {
            ensemble.note_on(channel, pitch, velocity);
            let held = listen(&mut ensemble, RATE, 0.22);
            ensemble.note_off(channel, pitch);
            let rest = listen(&mut ensemble, RATE, 0.03);
            for sound in [held, rest] {
                power += sound.iter().map(|s| loudness(s).powi(2) * s.len() as f32).sum::<f32>();
            }
        }
        decibels((power / (2.0 * RATE) / 2.0).sqrt())
    };
    let parts = [
        ("piano", heard(0, 0, 60, 80)),
        ("kick", heard(9, 0, 36, 80)),
        ("snare", heard(9, 0, 38, 80)),
        ("hat", heard(9, 0, 42, 80)),
        ("bass", heard(1, 33, 36, 80)),
        ("guitar", heard(2, 25, 55, 80)),
        ("strings", heard(3, 48, 60, 80)),
    ];
    for (name, level) in parts {
        let range = if name == "hat" { -62.0..-32.0 } else { -38.0..-17.0 };
        assert!(range.contains(&level), "{name} at {level:.1} dB");
    }
    for (channel, program, pitch) in [(0, 0, 60), (1, 33, 36), (2, 25, 55), (3, 48, 60), (9, 0, 38)] {
        let mut last = -200.0;
        for velocity in (4..=127).step_by(3) {
            let level = heard(channel, program, pitch, velocity);
            // A sampled layer may begin a little softer than the one before ended.
            assert!(level > last - 0.7, "channel {channel}: {level:.1} dB at {velocity} after {last:.1}");
            last = level;
        }
        assert!(last > heard(channel, program, pitch, 50) + 6.0);
    }
}

#[test]
fn soft_notes_are_darker() {
    let brightness = |program, pitch, velocity| {
        let x = &note(RATE, program, pitch, velocity, 0.4, 0.4)[0];
        // The slope of the curve against the curve: a mean frequency.
        let slope: Vec<f32> = x.windows(2).map(|w| w[1] - w[0]).collect();
        loudness(&slope) / loudness(x)
    };
    for (program, pitch) in [(0, 48), (0, 60), (0, 76), (4, 60), (25, 52), (33, 36), (48, 60)] {
        let (soft, hard) = (brightness(program, pitch, 30), brightness(program, pitch, 120));
        assert!(hard > soft * 1.05, "program {program}, pitch {pitch}: {hard} against {soft}");
    }
}

#[test]
fn a_closed_hat_silences_the_open_one() {
    let after = |close: bool| {
        let mut ensemble = Ensemble::built_in(RATE);
        ensemble.note_on(9, 46, 100);
        listen(&mut ensemble, RATE, 0.3);
        if close {
            ensemble.note_on(9, 44, 1);
        }
        loudness(&listen(&mut ensemble, RATE, 0.4)[0][8000..])
    };
    let (open, closed) = (after(false), after(true));
    assert!(closed < open * 0.5, "{closed} against {open}");
}
