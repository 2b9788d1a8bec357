//! The mel front end against librosa's own figures (fixtures/librosa.txt), to 0.001 dB.

use std::f64::consts::TAU;

use sideman_audio::mel::{FilterBank, Reference, TOP_DB, mel_spectrogram, power_to_db};

const FIGURES: &str = include_str!("fixtures/librosa.txt");

/// 30,011 samples: three tones under white noise; from sample 20,000 on the noise is gone and the tones are half
/// as loud, so that the 80 dB range is reached.
fn signal() -> Vec<f32> {
    let mut state = 12_345u64;
    (0..30_011)
        .map(|i| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let noise = (state >> 40) as f64 / f64::from(1 << 23) - 1.0;
            let t = f64::from(i) / 22_050.0;
            let tones = 0.4 * (TAU * 110.0 * t).sin()
                + 0.2 * (TAU * 1234.5 * t).sin()
                + 0.1 * (TAU * 7000.0 * t).sin();
            (if i < 20_000 { tones + 0.02 * noise } else { 0.5 * tones }) as f32
        })
        .collect()
}

/// The numbers of the lines that begin with a letter.
fn figures(kind: &str) -> Vec<Vec<f64>> {
    let lines = FIGURES.lines().filter_map(|line| line.strip_prefix(kind));
    lines.map(|line| line.split_whitespace().map(|word| word.parse().unwrap()).collect()).collect()
}

#[test]
fn power_and_decibels_are_librosas() {
    let power = mel_spectrogram(&signal());
    assert_eq!(power.frames(), 59);
    let mut by_max = power.clone();
    by_max.to_db(Reference::Max, Some(TOP_DB));
    let mut by_one = power.columns.clone();
    power_to_db(by_one.as_flattened_mut(), Reference::Power(1.0), Some(TOP_DB));
    let lines = figures("p ");
    assert_eq!(lines.len(), 72);
    let (mut floors, mut worst) = (0, 0.0f64);
    for line in lines {
        let [band, frame, p, by_max_ref, by_one_ref] = line[..] else { panic!("{line:?}") };
        let (band, frame) = (band as usize, frame as usize);
        let ours = f64::from(by_max.columns[frame][band]);
        worst = worst.max((ours - by_max_ref).abs()).max((f64::from(by_one[frame][band]) - by_one_ref).abs());
        if by_max_ref <= -80.0 {
            floors += 1;
            continue;
        }
        let ours = f64::from(power.columns[frame][band]);
        assert!((ours / p - 1.0).abs() < 2e-4, "band {band}, frame {frame}: {ours} is {p} for librosa");
    }
    assert!(worst < 1e-3, "{worst} dB");
    assert!((5..40).contains(&floors), "{floors} figures lie on the floor: the signal shows little");
}

#[test]
fn filters_are_librosas() {
    let bank = FilterBank::new();
    for line in figures("f ") {
        let [band, sum, first, last] = line[..] else { panic!("{line:?}") };
        let (start, weights) = bank.band(band as usize);
        assert_eq!((start, start + weights.len() - 1), (first as usize, last as usize), "band {band}");
        let ours: f64 = weights.iter().map(|&w| f64::from(w)).sum();
        assert!((ours / sum - 1.0).abs() < 1e-6, "band {band}: {ours} is {sum} for librosa");
    }
}

#[test]
fn the_layout_is_librosas() {
    let power = mel_spectrogram(&signal());
    let flat = power.by_band();
    assert_eq!(flat.len(), 128 * 59);
    assert_eq!(flat[3 * 59 + 20], power.columns[20][3]);
}
