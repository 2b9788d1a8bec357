//! Sizes, shapes, states, and that the code that plays computes what training does.

use candle_core::{Device, Tensor};
use sideman_inference::papers::p2::{Cell, LatentRnn, Vae, Voice, VoiceHead};
use sideman_inference::weights::Card;
use sideman_music::encoding::piano_roll::{CELLS, RollTrack, Threshold};

use super::*;
use crate::nn::{Network, Parameters};

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
        let whole = layers.forward(&x, &mut State::blank(cell, 2, 5)).unwrap();
        let mut state = State::blank(cell, 2, 5);
        let parts =
            [(0, 4), (4, 8)].map(|(at, n)| layers.forward(&x.narrow(0, at, n).unwrap(), &mut state).unwrap());
        let joined = Tensor::cat(&parts, 0).unwrap();
        let apart = (whole - joined).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(apart < 1e-6, "{apart}");
    }
}

/// Most by which a value that plays may differ from the reference's: sums in another order, of values near 1.
const TOLERANCE: f32 = 1e-4;

#[test]
fn what_plays_is_the_network_that_was_trained() {
    for cell in [Cell::Gru, Cell::Lstm] {
        let (vae, rnn) = (Vae::QUICK, LatentRnn { cell, latent: Vae::QUICK.latent, hidden: 8 });
        let own = Parameters::fresh(&vae.specs(), 1).unwrap();
        let memory = Parameters::fresh(&rnn.specs(), 2).unwrap();
        let rule = Threshold { start: 0.5, hold: 0.4, least: 1 };
        let head = VoiceHead {
            track: RollTrack::Bass.name().to_owned(),
            vae,
            rnn,
            threshold: rule,
            decoded: rule,
            loudest: 100,
            noise: 0.0,
            one_key: true,
        };
        let mut values = own.values("vae.").unwrap();
        values.extend(memory.values("rnn.").unwrap());
        let voice = Voice::new(head, Card::default(), values, vec![0.0; vae.latent]).unwrap();

        let cells: Vec<f32> =
            (0..3 * CELLS).map(|i| if i % 97 == 0 { (i % 7) as f32 / 7.0 } else { 0.0 }).collect();
        let layers = vae.load(&own).unwrap();
        let x = Tensor::from_slice(&cells, (3, CELLS), &Device::Cpu).unwrap();
        let code = layers.mean(&x).unwrap();
        let drawn =
            (layers.decode(&code).unwrap().neg().unwrap().exp().unwrap() + 1.0).unwrap().recip().unwrap();
        let mut state = State::blank(cell, 1, 8);
        let next = rnn.load(&memory).unwrap().forward(&code, &mut state).unwrap();

        let plain = voice.encode(&cells);
        let mut played = voice.blank();
        let mut steps = voice.predict(&plain[..vae.latent], &mut played);
        steps.extend(voice.predict(&plain[vae.latent..], &mut played));
        for (found, reference) in [(&plain, code), (&voice.decode(&plain), drawn), (&steps, next)] {
            let reference: Vec<f32> = reference.flatten_all().unwrap().to_vec1().unwrap();
            assert_eq!(found.len(), reference.len());
            assert!(reference.iter().any(|v| v.abs() > 100.0 * TOLERANCE), "there is something to compare");
            for (a, b) in found.iter().zip(reference) {
                assert!((a - b).abs() < TOLERANCE, "{a} and {b}");
            }
        }
    }
}
