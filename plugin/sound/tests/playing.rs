//! Notes and controllers: what ends, what holds, and that it does not matter how blocks are cut.

use super::common::{FontPlan, decibels, font_file, listen, loudness, peak, soundfont};
use proptest::prelude::*;
use sideman_sound::Ensemble;

const RATE: f32 = 48_000.0;

#[derive(Debug, Clone, Copy)]
enum Act {
    On(u8, u8, u8),
    Off(u8, u8),
    Program(u8, u8),
    Control(u8, u8, u8),
    Bend(u8, u16),
    Gain(f32),
    Silence,
    Play(usize),
}

fn act(ensemble: &mut Ensemble, act: Act) {
    match act {
        Act::On(c, p, v) => ensemble.note_on(c, p, v),
        Act::Off(c, p) => ensemble.note_off(c, p),
        Act::Program(c, p) => ensemble.program(c, p),
        Act::Control(c, k, v) => ensemble.control(c, k, v),
        Act::Bend(c, v) => ensemble.bend(c, v),
        Act::Gain(g) => ensemble.gain(g),
        Act::Silence => ensemble.silence(),
        Act::Play(_) => {}
    }
}

/// All that `acts` make, in blocks that `cut` chooses: it is told what is left and says how many frames.
fn play(
    mut ensemble: Ensemble,
    acts: &[Act],
    mut cut: impl FnMut(usize) -> usize,
    skip: bool,
) -> Vec<[u32; 2]> {
    let mut out = Vec::new();
    for &a in acts {
        let Act::Play(mut left) = a else {
            act(&mut ensemble, a);
            continue;
        };
        while left > 0 {
            let n = cut(left).min(left);
            let (mut l, mut r) = (vec![7.0; n], vec![7.0; n]);
            if skip && ensemble.is_silent() {
                (l, r) = (vec![0.0; n], vec![0.0; n]);
            } else {
                ensemble.render(&mut l, &mut r);
            }
            out.extend(l.iter().zip(&r).map(|(l, r)| [l.to_bits(), r.to_bits()]));
            left -= n;
        }
    }
    out
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let channel = || prop_oneof![0..4u8, Just(9u8), 0..16u8];
    let one = prop_oneof![
        6 => (channel(), 20..110u8, 0..=127u8).prop_map(|(c, p, v)| Act::On(c, p, v)),
        4 => (channel(), 20..110u8).prop_map(|(c, p)| Act::Off(c, p)),
        1 => (channel(), 0..128u8).prop_map(|(c, p)| Act::Program(c, p)),
        2 => (channel(), prop_oneof![Just(64u8), Just(120), Just(121), Just(123), 0..128u8], 0..128u8)
            .prop_map(|(c, k, v)| Act::Control(c, k, v)),
        1 => (channel(), 0..16_384u16).prop_map(|(c, v)| Act::Bend(c, v)),
        1 => (0.0f32..2.0).prop_map(Act::Gain),
        1 => Just(Act::Silence),
        5 => (1..3000usize).prop_map(Act::Play),
        1 => (20_000..60_000usize).prop_map(Act::Play),
    ];
    proptest::collection::vec(one, 1..40)
}

fn check_cuts(make: impl Fn() -> Ensemble, acts: &[Act], seed: u64) -> Result<(), TestCaseError> {
    let whole = play(make(), acts, |left| left, false);
    let mut state = seed | 1;
    let random = |left: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        ((state >> 40) as usize % 200).min(left) + usize::from(state >> 63 == 1) * 64
    };
    prop_assert!(whole == play(make(), acts, |_| 64, false), "blocks of 64");
    prop_assert!(whole == play(make(), acts, |_| 37, true), "blocks of 37, silence skipped");
    let mut random = random;
    prop_assert!(whole == play(make(), acts, |left| random(left).max(1), false), "random blocks");
    for frame in whole.iter().flatten() {
        let x = f32::from_bits(*frame);
        prop_assert!(x.is_finite() && x.abs() <= 1.0, "{x}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_cut_into_blocks_gives_the_same_samples(acts in acts(), seed: u64, rate in 0..3usize) {
        let rate = [44_100.0, 11_025.0, 96_000.0][rate];
        check_cuts(|| Ensemble::built_in(rate), &acts, seed)?;
    }

    #[test]
    fn so_does_a_soundfont(acts in acts(), seed: u64, rate in 0..3usize) {
        let font = font_file(&soundfont(&FontPlan::default()));
        let rate = [44_100.0, 11_025.0, 384_000.0][rate];
        check_cuts(|| Ensemble::soundfont(&font.path, rate).unwrap(), &acts, seed)?;
    }
}

#[test]
fn single_frames_give_the_same_samples() {
    let acts = [Act::On(0, 60, 100), Act::On(3, 64, 90), Act::Play(700), Act::Off(0, 60), Act::Play(5_000)];
    let make = || Ensemble::built_in(RATE);
    assert!(play(make(), &acts, |left| left, false) == play(make(), &acts, |_| 1, false));
}

/// The built-in band, and a soundfont.
fn both(check: impl Fn(&mut dyn FnMut() -> Ensemble, &str)) {
    check(&mut || Ensemble::built_in(RATE), "built-in");
    let font = font_file(&soundfont(&FontPlan::default()));
    check(&mut || Ensemble::soundfont(&font.path, RATE).unwrap(), "soundfont");
}

#[test]
fn every_note_off_leads_to_silence() {
    both(|make, what| {
        let mut ensemble = make();
        assert!(ensemble.is_silent(), "{what} begins silent");
        for channel in [0, 1, 2, 3, 9] {
            for pitch in [36, 42, 49, 60] {
                ensemble.note_on(channel, pitch, 127);
            }
        }
        assert!(!ensemble.is_silent());
        assert!(peak(&listen(&mut ensemble, RATE, 1.0)[0]) > 0.05, "{what}");
        for channel in [0, 1, 2, 3, 9] {
            for pitch in [36, 42, 49, 60] {
                ensemble.note_off(channel, pitch);
            }
        }
        let rest = listen(&mut ensemble, RATE, 6.0);
        assert!(ensemble.is_silent(), "{what} still rings");
        assert!(rest.iter().all(|side| side[side.len() - 10_000..].iter().all(|x| *x == 0.0)));
    });
}

#[test]
fn a_note_with_velocity_zero_is_a_note_off() {
    both(|make, what| {
        let mut ensemble = make();
        ensemble.note_on(3, 60, 100);
        listen(&mut ensemble, RATE, 0.5);
        ensemble.note_on(3, 60, 0);
        listen(&mut ensemble, RATE, 6.0);
        assert!(ensemble.is_silent(), "{what}");
    });
}

#[test]
fn the_pedal_holds_what_keys_let_go() {
    both(|make, what| {
        let heard = |pedal: bool, act: &dyn Fn(&mut Ensemble), make: &mut dyn FnMut() -> Ensemble| {
            let mut ensemble = make();
            if pedal {
                ensemble.control(0, 64, 127);
            }
            ensemble.note_on(0, 57, 100);
            listen(&mut ensemble, RATE, 0.2);
            act(&mut ensemble);
            listen(&mut ensemble, RATE, 1.0);
            decibels(loudness(&listen(&mut ensemble, RATE, 0.3)[0]))
        };
        let off = |e: &mut Ensemble| e.note_off(0, 57);
        let (held, let_go) = (heard(true, &off, make), heard(false, &off, make));
        assert!(held > let_go + 20.0, "{what}: {held} against {let_go}");
        let all = heard(true, &|e| e.control(0, 123, 0), make);
        assert!((all - held).abs() < 1.0, "{what}: the pedal outlasts 'all notes off'");
        for up in [(64, 0), (121, 0), (120, 0)] {
            let after = heard(
                true,
                &|e| {
                    e.note_off(0, 57);
                    e.control(0, up.0, up.1);
                },
                make,
            );
            assert!(after < held - 20.0, "{what}: {after} after controller {}", up.0);
        }
        let other = heard(true, &|e| e.control(5, 120, 0), make);
        assert!((other - held).abs() < 1.0, "{what}: other channels are left alone");
    });
}

#[test]
fn silence_comes_within_milliseconds_and_without_a_click() {
    let bend = |x: &[f32]| x.windows(3).fold(0.0f32, |m, w| m.max((w[2] - 2.0 * w[1] + w[0]).abs()));
    both(|make, what| {
        let mut ensemble = make();
        for pitch in [40, 47, 52, 56, 59] {
            ensemble.note_on(0, pitch, 110);
            ensemble.note_on(3, pitch + 12, 110);
        }
        let before = listen(&mut ensemble, RATE, 0.7);
        ensemble.silence();
        let after = listen(&mut ensemble, RATE, 0.5);
        let joint: Vec<f32> = [&before[0][20_000..], &after[0]].concat();
        assert!(
            bend(&joint) <= 1.3 * bend(&before[0]),
            "{what}: {} after {}",
            bend(&joint),
            bend(&before[0])
        );
        assert!(peak(&after[0][(0.008 * RATE) as usize..]) < 2e-3 * peak(&before[0]).max(0.1), "{what}");
        assert!(ensemble.is_silent(), "{what}");
        // It plays on as before.
        ensemble.note_on(0, 60, 100);
        assert!(peak(&listen(&mut ensemble, RATE, 0.2)[0]) > 0.02, "{what}");
    });
}

#[test]
fn a_note_right_after_silence_is_heard() {
    both(|make, what| {
        let alone = {
            let mut ensemble = make();
            ensemble.note_on(0, 60, 100);
            loudness(&listen(&mut ensemble, RATE, 0.3)[0])
        };
        let mut ensemble = make();
        ensemble.note_on(3, 72, 100);
        listen(&mut ensemble, RATE, 0.3);
        ensemble.silence();
        ensemble.note_on(0, 60, 100);
        let heard = loudness(&listen(&mut ensemble, RATE, 0.3)[0]);
        assert!((0.8..1.25).contains(&(heard / alone)), "{what}: {heard} against {alone}");
    });
}

#[test]
fn the_gain_glides() {
    let mut ensemble = Ensemble::built_in(RATE);
    ensemble.program(0, 19);
    ensemble.note_on(0, 69, 100);
    let before = listen(&mut ensemble, RATE, 0.5);
    ensemble.gain(0.1);
    let after = listen(&mut ensemble, RATE, 0.5);
    let jump = |x: &[f32]| x.windows(2).fold(0.0f32, |m, w| m.max((w[1] - w[0]).abs()));
    let joint: Vec<f32> = [&before[0][10_000..], &after[0]].concat();
    assert!(jump(&joint) <= jump(&before[0]) * 1.02);
    let turned = decibels(loudness(&after[0][10_000..])) - decibels(loudness(&before[0][10_000..]));
    assert!((turned + 20.0).abs() < 1.0, "{turned}");
    ensemble.gain(f32::NAN);
    assert!(listen(&mut ensemble, RATE, 0.1)[0].iter().all(|x| x.is_finite()));
}

#[test]
fn too_many_notes_give_way_gracefully() {
    both(|make, what| {
        let mut ensemble = make();
        // A pad that is held, then a flood of short notes on top.
        ensemble.note_on(1, 33, 120);
        listen(&mut ensemble, RATE, 0.1);
        for i in 0..2_000u32 {
            ensemble.note_on((i % 4) as u8, (20 + i % 90) as u8, 127);
            let sound = listen(&mut ensemble, RATE, 0.001);
            assert!(sound.iter().flatten().all(|x| x.is_finite() && x.abs() <= 1.0), "{what}");
        }
        for channel in 0..16 {
            ensemble.control(channel, 123, 0);
        }
        listen(&mut ensemble, RATE, 6.0);
        assert!(ensemble.is_silent(), "{what}");
    });
}

#[test]
fn a_thousand_notes_at_once_are_survived() {
    both(|make, what| {
        let mut ensemble = make();
        for i in 0..1_000u32 {
            ensemble.note_on((i % 16) as u8, (i % 128) as u8, 127);
        }
        let sound = listen(&mut ensemble, RATE, 0.5);
        assert!(sound.iter().flatten().all(|x| x.is_finite() && x.abs() <= 1.0), "{what}");
        assert!(peak(&sound[0]) > 0.3, "{what}");
        // The limiter has caught it: no more than the bend lets through, and not flat at the top.
        assert!(loudness(&sound[0][5_000..]) < 0.8, "{what}");
    });
}

#[test]
fn buffers_of_any_length_are_filled() {
    let mut ensemble = Ensemble::built_in(RATE);
    ensemble.note_on(0, 60, 100);
    ensemble.render(&mut [], &mut []);
    let (mut left, mut right) = ([9.0; 100], [9.0; 40]);
    ensemble.render(&mut left, &mut right);
    assert!(left[40..].iter().all(|x| *x == 0.0) && left.iter().chain(&right).all(|x| x.abs() <= 1.0));
    for rate in [f32::NAN, 0.0, -1.0, f32::INFINITY] {
        let mut ensemble = Ensemble::built_in(rate);
        ensemble.note_on(0, 60, 100);
        ensemble.render(&mut left, &mut right);
        assert!(left.iter().all(|x| x.is_finite()));
    }
}

#[test]
fn an_ensemble_can_be_handed_to_the_audio_thread() {
    fn is_send<T: Send>(_: &T) {}
    let mut ensemble = Ensemble::built_in(RATE);
    is_send(&ensemble);
    let played = std::thread::spawn(move || {
        ensemble.note_on(0, 60, 100);
        peak(&listen(&mut ensemble, RATE, 0.1)[0])
    });
    assert!(played.join().unwrap() > 0.02);
}
