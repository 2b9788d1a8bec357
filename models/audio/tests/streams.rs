//! Resampler, mel stream and both together: any chunking, the right length, no delay, no damage let through.

use std::f64::consts::TAU;

use proptest::prelude::*;
use sideman_audio::mel::{HOP, mel_spectrogram};
use sideman_audio::{Column, FrontEnd, MAX_RATE, MIN_RATE, MelStream, RateError, Resampler, resample};

fn tone(hz: f64, rate: u32, samples: usize) -> Vec<f32> {
    (0..samples).map(|i| (TAU * hz * i as f64 / f64::from(rate)).sin() as f32).collect()
}

/// Numbers between -1 and 1 that look random.
fn noise(samples: usize) -> Vec<f32> {
    let mut state = 9u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..samples).map(|_| next()).collect()
}

/// Calls `push` with the sound in chunks of the given lengths, over and over.
fn in_chunks(sound: &[f32], lengths: &[usize], mut push: impl FnMut(&[f32])) {
    let mut rest = sound;
    for &length in lengths.iter().cycle() {
        let (now, later) = rest.split_at(length.min(rest.len()));
        push(now);
        rest = later;
        if rest.is_empty() {
            return;
        }
    }
}

fn columns(front: &mut FrontEnd, sound: &[f32], lengths: &[usize]) -> Vec<Column> {
    let mut columns = vec![];
    in_chunks(sound, lengths, |chunk| front.push(chunk, |c| columns.push(*c)));
    front.finish(|c| columns.push(*c));
    columns
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn chunks_change_nothing(
        lengths in prop::collection::vec(0usize..3000, 1..8),
        samples in 0usize..20_000,
        rate in prop::sample::select(vec![8_000u32, 11_127, 22_050, 44_100, 48_000, 96_000]),
    ) {
        prop_assume!(lengths.iter().any(|&l| l > 0));
        let sound = noise(samples);
        let mut made = vec![];
        let mut resampler = Resampler::new(rate).unwrap();
        in_chunks(&sound, &lengths, |chunk| resampler.push(chunk, |m| made.extend_from_slice(m)));
        resampler.finish(|m| made.extend_from_slice(m));
        prop_assert_eq!(&made, &resample(&sound, rate).unwrap());
        prop_assert_eq!(made.len() as u64, (samples as u64 * 22_050).div_ceil(u64::from(rate)));

        let whole = mel_spectrogram(&made);
        prop_assert_eq!(whole.frames(), if made.is_empty() { 0 } else { 1 + made.len() / HOP });
        let mut front = FrontEnd::new(rate).unwrap();
        let first = columns(&mut front, &sound, &lengths);
        prop_assert_eq!(&first, &whole.columns);
        // Made once, used twice.
        prop_assert_eq!(columns(&mut front, &sound, &lengths), first);
    }

    #[test]
    fn no_rate_and_no_sample_breaks_it(rate in any::<u32>(), wild in prop::collection::vec(any::<f32>(), 0..3000)) {
        match Resampler::new(rate) {
            Ok(_) => prop_assert!((MIN_RATE..=MAX_RATE).contains(&rate)),
            Err(e) => prop_assert_eq!(e, RateError { rate }),
        }
        let rate = MIN_RATE + rate % 60_000;
        let mut front = FrontEnd::new(rate).unwrap();
        for column in columns(&mut front, &wild, &[777]) {
            prop_assert!(column.iter().all(|p| p.is_finite() && *p >= 0.0));
        }
    }
}

#[test]
fn a_tone_keeps_its_time_and_its_height() {
    for rate in [MIN_RATE, 8_000, 11_025, 16_000, 22_050, 44_100, 44_101, 48_000, 96_000, 192_000, MAX_RATE] {
        let made = resample(&tone(200.0, rate, rate as usize), rate).unwrap();
        let expected = tone(200.0, 22_050, 22_050);
        assert_eq!(made.len(), expected.len(), "{rate}");
        // Away from the ends, where the tone breaks off and the filter rings.
        let worst = (5_000..17_000).map(|i| (made[i] - expected[i]).abs()).fold(0.0, f32::max);
        assert!(worst < 2e-4, "{rate} Hz: {worst}");
    }
}

#[test]
fn what_22050_hz_cannot_hold_is_filtered_out() {
    let loudest = |hz: f64, rate: u32| {
        let made = resample(&tone(hz, rate, rate as usize), rate).unwrap();
        made[5_000..17_000].iter().fold(0.0f32, |a, s| a.max(s.abs()))
    };
    for rate in [44_100, 48_000, 96_000] {
        for hz in [11_500.0, 13_000.0, 20_000.0] {
            assert!(loudest(hz, rate) < 1e-4, "{hz} of {rate} Hz: {}", loudest(hz, rate));
        }
        assert!(loudest(10_700.0, rate) > 0.95, "{rate} Hz cuts into the treble");
    }
}

#[test]
fn damaged_samples_are_silence_and_do_no_more_harm() {
    let clean = noise(30_000);
    let (mut damaged, mut silent) = (clean.clone(), clean);
    for (at, bad) in [(9_000, f32::NAN), (9_001, f32::INFINITY), (9_002, f32::NEG_INFINITY), (9_003, 1e30)] {
        damaged[at] = bad;
        silent[at] = 0.0;
    }
    assert_eq!(mel_spectrogram(&damaged), mel_spectrogram(&silent));
    for rate in [22_050, 48_000] {
        assert_eq!(resample(&damaged, rate), resample(&silent, rate));
    }
}

#[test]
fn a_reset_forgets() {
    let sound = noise(10_000);
    let mut front = FrontEnd::new(44_100).unwrap();
    let fresh = columns(&mut front, &sound, &[512]);
    front.push(&noise(5_321), |_| {});
    front.reset();
    assert_eq!(columns(&mut front, &sound, &[512]), fresh);
}

#[test]
fn columns_come_as_soon_as_they_can() {
    let mut mel = MelStream::new();
    let mut count = 0;
    mel.push(&[0.1; 1023], |_| count += 1);
    assert_eq!(count, 0);
    mel.push(&[0.1], |_| count += 1);
    assert_eq!(count, 1, "the first column looks at samples 0 to 1,023");
    mel.push(&[0.1; 511], |_| count += 1);
    assert_eq!(count, 1);
    mel.push(&[0.1], |_| count += 1);
    assert_eq!(count, 2);
}

#[test]
fn the_latency_is_what_it_says() {
    for rate in [22_050, 44_100, 48_000, 96_000] {
        let mut resampler = Resampler::new(rate).unwrap();
        let (mut received, mut made, mut most) = (0u64, 0u64, 0.0f64);
        for _ in 0..rate {
            resampler.push(&[0.5], |m| made += m.len() as u64);
            received += 1;
            most = most.max(received as f64 * 22_050.0 / f64::from(rate) - made as f64);
        }
        let latency = resampler.latency() as f64;
        assert!(
            most <= latency && most > latency - 4.0,
            "{rate} Hz: {most} held back, a latency of {latency}"
        );
        assert!(latency < 22_050.0 * 0.1, "{rate} Hz: {latency}");
    }
}
