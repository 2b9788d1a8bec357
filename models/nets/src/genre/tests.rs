//! Sizes of the networks, and what they must do whatever they are made of.

use candle_core::{Device, Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

use sideman_inference::genre::audio::MelClassifier;

use super::*;
use crate::nn::{Mode, Network, Parameters, Spec, VarBuilder};

fn noise(shape: &[usize], seed: u64) -> Tensor {
    let mut rng = Pcg64::seed_from_u64(seed);
    let n: usize = shape.iter().product();
    let values: Vec<f32> = (0..n).map(|_| rng.random_range(-1f32..1.0)).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// Every network with an input for two examples.
fn all() -> Vec<(&'static str, Box<DynClassifier>, Vec<usize>)> {
    vec![
        ("cnn 1 s", Box::new(MelCnn::paper(13, 10)), vec![2, 128, 13]),
        ("cnn 5 s", Box::new(MelCnn::paper(65, 10)), vec![2, 128, 65]),
        ("rnn", Box::new(MelRnn::paper(10)), vec![2, 128, 13]),
        ("crnn 1 s", Box::new(MelCrnn::paper(10)), vec![2, 128, 13]),
        ("crnn 5 s", Box::new(MelCrnn::paper(10)), vec![2, 128, 65]),
        ("bach", Box::new(Bach::paper(10)), vec![2, 60, 110]),
        ("beethoven", Box::new(Beethoven::paper(10)), vec![2, 60, 110]),
        ("listener", Box::new(MelClassifier::product(10)), vec![2, 128, 64]),
    ]
}

#[test]
fn parameters_are_as_many_as_the_papers_say() {
    assert_eq!(Bach::paper(10).parameters(), 348_990);
    assert_eq!(Beethoven::paper(10).parameters(), 246_210);
    let layers = |network: &DynClassifier, name: &str| -> usize {
        let own = |n: &str| n.split('.').next() == Some(name);
        let specs = network.specs();
        specs.trained.iter().filter(|s| own(&s.name)).map(Spec::values).sum()
    };
    let bach = Bach::paper(10);
    let by_layer = ["conv0", "conv1", "conv2", "last"].map(|n| layers(&bach, n));
    assert_eq!(by_layer, [55_100, 90_300, 108_180, 95_410]);
    let beethoven = Beethoven::paper(10);
    let by_layer = ["lstm0", "lstm1", "lstm2", "last"].map(|n| layers(&beethoven, n));
    assert_eq!(by_layer, [84_400, 80_400, 80_400, 1_010]);
}

#[test]
fn parameters_of_the_networks_on_mels() {
    // Of the clip of 30 s nine tenths are in the dense layer behind the convolutions.
    let cnn = [13, 65, 194, 387].map(|columns| MelCnn::paper(columns, 10).parameters());
    assert_eq!(cnn, [289_674, 748_426, 1_797_002, 3_369_866]);
    assert_eq!(MelRnn::paper(10).parameters(), 413_322);
    assert_eq!(MelCrnn::paper(10).parameters(), 393_034);
    let listener = MelClassifier::product(10);
    assert_eq!(listener.parameters(), 257_050);
    assert_eq!(listener.least_columns(), 30);
}

#[test]
fn every_network_trains_every_tensor() {
    for (name, network, shape) in all() {
        let fresh = Parameters::fresh(&network.specs(), 1).unwrap();
        fresh.check(&network.specs()).unwrap();
        let vars: Vec<(String, Var)> =
            fresh.tensors.iter().map(|(n, t)| (n.clone(), Var::from_tensor(t).unwrap())).collect();
        let tensors = vars.iter().map(|(n, v)| (n.clone(), v.as_tensor().clone())).collect();
        let mut running = fresh.running.clone();
        let mut rng = Pcg64::seed_from_u64(2);
        let layers = network.build(&VarBuilder::new(&tensors, &fresh.running)).unwrap();
        let mut mode = Mode::Training { running: &mut running, rng: &mut rng };
        let logits = layers.forward(&[noise(&shape, 3)], &mut mode).unwrap();
        assert_eq!(logits.dims(), [2, 10], "{name}");
        let grads = logits.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        for (tensor, var) in &vars {
            assert!(grads.get(var).is_some(), "{name}: {tensor} has no gradient");
        }
        assert_eq!(running == fresh.running, running.is_empty(), "{name}: the statistics did not move");
    }
}

/// Calibrated on one batch, inference gives for it what training does, but for the variance's n - 1.
#[test]
fn calibration_takes_the_statistics_of_the_batch() {
    let network = MelClassifier::product(4);
    let fresh = Parameters::fresh(&network.specs(), 1).unwrap();
    let layers = network.load(&fresh).unwrap();
    let (x, other) = (noise(&[8, 128, 48], 8), noise(&[8, 128, 48], 9));
    let calibrated = |batches: &[&Tensor]| {
        let mut running = fresh.running.clone();
        let mut last = None;
        for (i, x) in batches.iter().enumerate() {
            let mut mode = Mode::Calibration { running: &mut running, share: 1.0 / (i + 1) as f32 };
            last = Some(layers.forward(&[(*x).clone()], &mut mode).unwrap().to_vec2::<f32>().unwrap());
        }
        (running, last.unwrap())
    };
    let (running, in_training) = calibrated(&[&x]);
    let parameters = Parameters { tensors: fresh.tensors.clone(), running: running.clone() };
    let at_inference: Vec<Vec<f32>> = network
        .load(&parameters)
        .unwrap()
        .forward(std::slice::from_ref(&x), &mut Mode::Inference)
        .unwrap()
        .to_vec2()
        .unwrap();
    for (a, b) in in_training.iter().flatten().zip(at_inference.iter().flatten()) {
        // The pooled layer has eight values a channel: its deviation differs by the root of 8 / 7.
        assert!((a - b).abs() < 0.15 * (1.0 + a.abs()), "{a} {b}");
    }
    let (both, _) = calibrated(&[&x, &other]);
    let (second, _) = calibrated(&[&other]);
    let mean = |r: &std::collections::BTreeMap<String, crate::ops::RunningStatistics>| r["norm0"].mean[3];
    assert!((mean(&both) - (mean(&running) + mean(&second)) / 2.0).abs() < 1e-6);
}

/// What one example gives does not depend on its neighbours at inference.
#[test]
fn examples_of_a_batch_are_independent() {
    for (name, network, mut shape) in all() {
        let fresh = Parameters::fresh(&network.specs(), 1).unwrap();
        let layers = network.load(&fresh).unwrap();
        let both = noise(&shape, 5);
        let run = |x: &Tensor| -> Vec<Vec<f32>> {
            layers.forward(std::slice::from_ref(x), &mut Mode::Inference).unwrap().to_vec2().unwrap()
        };
        let together = run(&both);
        shape[0] = 1;
        for i in 0..2 {
            let alone = run(&both.narrow(0, i, 1).unwrap().contiguous().unwrap());
            let most = alone[0].iter().zip(&together[i]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(most < 1e-4, "{name}: {most}");
        }
    }
}

/// A gradient through a whole network against differences: every layer's own is tested with its operation.
#[test]
fn the_gradient_of_the_listener_is_right() {
    let network = MelClassifier { dropout: 0.0, ..MelClassifier::product(3) };
    let fresh = Parameters::fresh(&network.specs(), 4).unwrap();
    let (x, aim) = (noise(&[4, 128, 40], 6), noise(&[4, 3], 7));
    let loss = |tensors: &std::collections::BTreeMap<String, Tensor>| -> Tensor {
        let (mut running, mut rng) = (fresh.running.clone(), Pcg64::seed_from_u64(1));
        let layers = network.build(&VarBuilder::new(tensors, &fresh.running)).unwrap();
        let mut mode = Mode::Training { running: &mut running, rng: &mut rng };
        let logits = layers.forward(std::slice::from_ref(&x), &mut mode).unwrap();
        (logits * &aim).unwrap().sum_all().unwrap()
    };
    for name in ["last.w", "conv.w", "conv2.w", "norm4.gamma"] {
        let mut tensors = fresh.tensors.clone();
        let var = Var::from_tensor(&tensors[name]).unwrap();
        tensors.insert(name.into(), var.as_tensor().clone());
        let grads = loss(&tensors).backward().unwrap();
        let gradient = grads.get(&var).unwrap().clone();
        // Along one direction, that of the gradient itself, where the difference is largest.
        let length = gradient.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap().sqrt();
        let step = (&gradient * f64::from(2e-3 / length)).unwrap();
        let at = |sign: f64| -> f64 {
            let mut moved = fresh.tensors.clone();
            moved.insert(name.into(), (&fresh.tensors[name] + (&step * sign).unwrap()).unwrap());
            f64::from(loss(&moved).to_scalar::<f32>().unwrap())
        };
        let slope = (at(1.0) - at(-1.0)) / 4e-3;
        assert!((slope - f64::from(length)).abs() < 0.05 * f64::from(length), "{name}: {slope} and {length}");
    }
}

#[test]
fn too_short_a_sound_is_an_error() {
    let network = MelClassifier::product(10);
    let fresh = Parameters::fresh(&network.specs(), 1).unwrap();
    let least = network.least_columns();
    let layers = network.load(&fresh).unwrap();
    let run = |columns| layers.forward(&[noise(&[1, 128, columns], 1)], &mut Mode::Inference);
    assert!(run(least).is_ok());
    assert!(run(least - 1).unwrap_err().to_string().contains(&format!("at least {least}")));
}
