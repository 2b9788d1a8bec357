use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{Device, Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use sideman_music::encoding::bar_features::{PIANO_FEATURES, ROLL_PITCHES, ROLL_STEPS};

use super::*;
use crate::nn::{Mode, Network, Parameters};
use sideman_inference::genre::symbolic::{
    BarKernel, BarListener, BarNetConfig, BarPool, GenreTracker, PHRASE_BARS, Verdict,
};
use sideman_inference::genre::weights::{BarWeights, Head, InputKind, head, write};
use sideman_inference::weights::{Card, WeightsError};

fn net(features: usize, hidden: usize, dense: usize, classes: usize) -> BarNet {
    let mut rng = Pcg64::seed_from_u64(5);
    BarNet {
        config: BarNetConfig { features, hidden, dense, classes },
        mean: (0..features).map(|_| rng.random_range(-0.5..0.5)).collect(),
        // The first figure is not seen.
        scale: (0..features).map(|i| if i == 0 { 0.0 } else { rng.random_range(0.5..2.0) }).collect(),
        dropout: [0.0; 3],
    }
}

fn figures(seed: u64, bars: usize, features: usize) -> Vec<f32> {
    let mut rng = Pcg64::seed_from_u64(seed);
    (0..bars * features).map(|_| rng.random_range(-1.0f32..4.0)).collect()
}

/// All values of a network's tensors by name, with those of its input.
fn values(net: &BarNet, parameters: &Parameters) -> BTreeMap<String, Vec<f32>> {
    let mut out: BTreeMap<String, Vec<f32>> = parameters
        .tensors
        .iter()
        .map(|(n, t)| (n.clone(), t.flatten_all().unwrap().to_vec1().unwrap()))
        .collect();
    out.insert("input.mean".into(), net.mean.clone());
    out.insert("input.scale".into(), net.scale.clone());
    out
}

/// Probabilities by the network in candle.
fn reference(net: &BarNet, parameters: &Parameters, bars: &[f32]) -> Vec<f32> {
    let features = net.config.features;
    let count = bars.len() / features;
    let x = Tensor::from_slice(bars, (1, count, features), &Device::Cpu).unwrap();
    let there = Tensor::ones((1, count), candle_core::DType::F32, &Device::Cpu).unwrap();
    let logits = net.load(parameters).unwrap().forward(&[x, there], &mut Mode::Inference).unwrap();
    candle_nn::ops::softmax(&logits, 1).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn the_kernel_says_what_the_network_says() {
    let net = net(37, 24, 16, 5);
    let parameters = Parameters::fresh(&net.specs(), 3).unwrap();
    let kernel = Arc::new(BarKernel::new(net.config, &values(&net, &parameters)).unwrap());
    let bars = figures(1, 11, 37);
    let mut listener = BarListener::new(kernel.clone(), 1.0, 8, 0);
    for (i, bar) in bars.chunks_exact(37).enumerate() {
        let said = listener.push(bar, true).map(<[f32]>::to_vec);
        assert_eq!(said.is_some(), i >= 7, "bar {i}");
        if let Some(said) = said {
            let expected = reference(&net, &parameters, &bars[(i - 7) * 37..(i + 1) * 37]);
            for (a, b) in said.iter().zip(&expected) {
                assert!((a - b).abs() < 1e-5, "{said:?} {expected:?}");
            }
        }
    }
    // The whole at once, at another temperature.
    let (mut pool, mut normal, mut units) = (BarPool::new(&kernel), vec![0.0; 37], vec![0.0; 24]);
    let mut probabilities = vec![0.0; 5];
    kernel.classify(&mut pool, 1.0, &mut probabilities);
    assert_eq!(probabilities, [0.2; 5], "of nothing");
    for bar in bars.chunks_exact(37) {
        kernel.bar(bar, &mut normal, &mut units);
        pool.add(&units);
    }
    kernel.classify(&mut pool, 2.0, &mut probabilities);
    let mut expected: Vec<f32> = reference(&net, &parameters, &bars).iter().map(|p| p.sqrt()).collect();
    let sum: f32 = expected.iter().sum();
    expected.iter_mut().for_each(|p| *p /= sum);
    assert!(
        probabilities.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5),
        "{probabilities:?} {expected:?}"
    );
}

#[test]
fn bars_that_are_not_there_and_figures_that_are_not_seen_do_not_count() {
    let net = net(9, 12, 8, 3);
    let parameters = Parameters::fresh(&net.specs(), 4).unwrap();
    let bars = figures(2, 4, 9);
    let mut long = bars.clone();
    long.extend([99.0; 2 * 9]);
    for bar in long.chunks_exact_mut(9) {
        bar[0] = -77.0;
    }
    let x = Tensor::from_slice(&long, (1, 6, 9), &Device::Cpu).unwrap();
    let there = Tensor::from_slice(&[1f32, 1.0, 1.0, 1.0, 0.0, 0.0], (1, 6), &Device::Cpu).unwrap();
    let logits = net.load(&parameters).unwrap().forward(&[x, there], &mut Mode::Inference).unwrap();
    let masked: Vec<f32> =
        candle_nn::ops::softmax(&logits, 1).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    assert_eq!(masked, reference(&net, &parameters, &bars));
}

#[test]
fn gradients_of_the_network_over_bars_are_right() {
    let net = net(6, 5, 4, 3);
    let mut parameters = Parameters::fresh(&net.specs(), 6).unwrap();
    // Biases apart from zero, so that no unit lies on its corner.
    for (name, t) in &mut parameters.tensors {
        if name.ends_with(".b") {
            *t = (t.ones_like().unwrap() * 0.3).unwrap();
        }
    }
    let inputs = [
        Tensor::from_slice(&figures(3, 6, 6), (2, 3, 6), &Device::Cpu).unwrap(),
        Tensor::from_slice(&[1f32, 1.0, 1.0, 1.0, 1.0, 0.0], (2, 3), &Device::Cpu).unwrap(),
    ];
    let loss = |parameters: &Parameters| -> Tensor {
        let logits = net.load(parameters).unwrap().forward(&inputs, &mut Mode::Inference).unwrap();
        crate::ops::cross_entropy(&logits, &[2, 0]).unwrap()
    };
    for name in parameters.tensors.keys().cloned().collect::<Vec<_>>() {
        let var = Var::from_tensor(&parameters.tensors[&name]).unwrap();
        let mut own = parameters.clone();
        own.tensors.insert(name.clone(), var.as_tensor().clone());
        let gradient: Vec<f32> =
            loss(&own).backward().unwrap().get(&var).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        let values: Vec<f32> = var.flatten_all().unwrap().to_vec1().unwrap();
        for i in 0..values.len() {
            let at = |d: f32| -> f32 {
                let mut moved = values.clone();
                moved[i] += d;
                let mut own = parameters.clone();
                own.tensors.insert(name.clone(), Tensor::from_vec(moved, var.shape(), &Device::Cpu).unwrap());
                loss(&own).to_scalar().unwrap()
            };
            let found = (at(2e-3) - at(-2e-3)) / 4e-3;
            assert!((found - gradient[i]).abs() < 5e-3, "{name} {i}: {found} {}", gradient[i]);
        }
    }
}

#[test]
fn p2s_cnn_has_the_sizes_of_its_header() {
    let size = |non_linear| RollsCnn { non_linear, classes: 10 }.parameters();
    assert_eq!((size(false), size(true)), (LINEAR, NON_LINEAR));
    let net = RollsCnn { non_linear: true, classes: 10 };
    let parameters = Parameters::fresh(&net.specs(), 1).unwrap();
    let rolls =
        Tensor::zeros((1, 3, ROLL_STEPS, ROLL_PITCHES), candle_core::DType::F32, &Device::Cpu).unwrap();
    let logits = net.load(&parameters).unwrap().forward(&[rolls], &mut Mode::Inference).unwrap();
    assert_eq!(logits.dims(), [1, 10]);
}

/// Convolutions 2312 + 4624 + 18464 + 36928 + 49216 and 64 x 7 x 25 x 10 + 10.
const LINEAR: usize = 223_554;
/// And gamma and beta of 184 channels.
const NON_LINEAR: usize = LINEAR + 2 * 184;

#[test]
fn the_linear_variant_is_linear() {
    let net = RollsCnn { non_linear: false, classes: 4 };
    let parameters = Parameters::fresh(&net.specs(), 2).unwrap();
    let mut rng = Pcg64::seed_from_u64(1);
    let mut draw = || -> Tensor {
        let v: Vec<f32> = (0..3 * ROLL_STEPS * ROLL_PITCHES).map(|_| rng.random()).collect();
        Tensor::from_vec(v, (1, 3, ROLL_STEPS, ROLL_PITCHES), &Device::Cpu).unwrap()
    };
    let (a, b) = (draw(), draw());
    let run = |x: &Tensor| {
        net.load(&parameters).unwrap().forward(std::slice::from_ref(x), &mut Mode::Inference).unwrap()
    };
    let between = run(&((&a + &b).unwrap() * 0.5).unwrap());
    let mean = ((run(&a) + run(&b)).unwrap() * 0.5).unwrap();
    let off: f32 = (between - mean).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap();
    assert!(off < 1e-4, "{off}");
}

fn file(classes: usize) -> Vec<u8> {
    let net = net(PIANO_FEATURES, 48, 32, 5);
    let parameters = Parameters::fresh(&net.specs(), 8).unwrap();
    let mut tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)> = BTreeMap::new();
    for (name, v) in values(&net, &parameters) {
        let shape = parameters.tensors.get(&name).map_or(vec![v.len()], |t| t.dims().to_vec());
        tensors.insert(name, (shape, v));
    }
    let head = Head {
        hears: InputKind::Piano,
        classes: (0..classes).map(|i| format!("class {i}")).collect(),
        temperature: 1.5,
        unsure: 0.4,
        card: Card { name: "test".into(), ..Card::default() },
    };
    write(&head, &net.config, &tensors).unwrap()
}

#[test]
fn a_weights_file_comes_back_strictly() {
    let bytes = file(5);
    let loaded = BarWeights::load(&bytes, InputKind::Piano).unwrap();
    assert_eq!((loaded.head.temperature, loaded.head.unsure, loaded.head.classes.len()), (1.5, 0.4, 5));
    assert_eq!(loaded.head.card.sha256, sideman_inference::weights::sha256(&bytes));
    assert_eq!(head(&bytes).unwrap(), loaded.head);
    // The small matrices are exact, the large ones within a 254th of the largest of their block.
    let net = net(PIANO_FEATURES, 48, 32, 5);
    let exact =
        BarKernel::new(net.config, &values(&net, &Parameters::fresh(&net.specs(), 8).unwrap())).unwrap();
    let bars = figures(9, 8, PIANO_FEATURES);
    let classified = |kernel: &BarKernel| {
        let mut listener = BarListener::new(Arc::new(kernel.clone()), 1.0, 8, 0);
        bars.chunks_exact(PIANO_FEATURES)
            .filter_map(|b| listener.push(b, true).map(<[f32]>::to_vec))
            .next_back()
            .unwrap()
    };
    for (a, b) in classified(&loaded.kernel).iter().zip(classified(&exact)) {
        assert!((a - b).abs() < 0.03 && *a != b, "{a} {b}");
    }

    assert!(matches!(BarWeights::load(&bytes, InputKind::Band), Err(WeightsError::Content(_))));
    assert!(matches!(BarWeights::load(&file(4), InputKind::Piano), Err(WeightsError::Content(_))));
    for at in [40, bytes.len() / 2, bytes.len() - 3] {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        assert!(matches!(BarWeights::load(&bad, InputKind::Piano), Err(WeightsError::Damaged)), "{at}");
    }
    assert!(matches!(
        BarWeights::load(&bytes[..bytes.len() - 9], InputKind::Piano),
        Err(WeightsError::Damaged)
    ));
    assert!(matches!(BarWeights::load(b"GGUF", InputKind::Piano), Err(WeightsError::Foreign)));
    assert!(head(sideman_inference::weights::EMBEDDED).is_err(), "the band's weights");
    assert!(sideman_inference::weights::load(&bytes).is_err(), "not the band's");
}

/// Probabilities with one class ahead.
fn ahead(class: usize, p: f32) -> [f32; 3] {
    std::array::from_fn(|c| if c == class { p } else { (1.0 - p) / 2.0 })
}

#[test]
fn a_verdict_changes_at_phrases_only() {
    let mut rng = Pcg64::seed_from_u64(2);
    let mut tracker = GenreTracker::new(3, 0.4);
    let mut before = tracker.verdict();
    let mut changes = 0;
    for bar in 1..=4000u32 {
        // What a listener says wanders and jumps.
        let said = ahead(((bar / 40) % 3) as usize, rng.random_range(0.2..0.9));
        let now = tracker.bar((bar % 97 > 3).then_some(&said[..]));
        if now != before {
            assert!(before == Verdict::Listening || bar % PHRASE_BARS == 0, "bar {bar}: {before:?} {now:?}");
            changes += 1;
        }
        before = now;
    }
    // It follows the music, which changes 100 times, and not the noise.
    assert!((60..140).contains(&changes), "{changes}");
}

#[test]
fn a_change_of_music_is_followed_within_two_phrases_and_a_draw_is_not() {
    let mut tracker = GenreTracker::new(3, 0.4);
    assert_eq!(tracker.bar(None), Verdict::Listening);
    for _ in 1..16 {
        tracker.bar(Some(&ahead(0, 0.8)));
    }
    assert_eq!(tracker.verdict(), Verdict::Genre(0));
    for bar in 0..64 {
        let said = if bar % 2 == 0 { [0.47, 0.5, 0.03] } else { [0.5, 0.47, 0.03] };
        assert_eq!(tracker.bar(Some(&said)), Verdict::Genre(0), "two alike");
    }
    for _ in 0..16 {
        tracker.bar(Some(&ahead(2, 0.8)));
    }
    assert_eq!(tracker.verdict(), Verdict::Genre(2));
    for _ in 0..32 {
        tracker.bar(Some(&ahead(2, 0.36)));
    }
    assert_eq!(tracker.verdict(), Verdict::Genre(2), "only a little less than sure");
    for _ in 0..32 {
        tracker.bar(Some(&[0.33, 0.33, 0.34]));
    }
    assert_eq!(tracker.verdict(), Verdict::Unsure);
    for _ in 0..32 {
        tracker.bar(Some(&ahead(1, 0.44)));
    }
    assert_eq!(tracker.verdict(), Verdict::Unsure, "only a little surer");
    for _ in 0..PHRASE_BARS {
        tracker.bar(None);
    }
    assert_eq!((tracker.verdict(), tracker.probabilities()), (Verdict::Listening, &[0.0; 3][..]));
}

#[test]
fn too_little_music_says_nothing() {
    let net = net(4, 4, 4, 2);
    let parameters = Parameters::fresh(&net.specs(), 1).unwrap();
    let kernel = Arc::new(BarKernel::new(net.config, &values(&net, &parameters)).unwrap());
    let mut listener = BarListener::new(kernel, 1.0, 8, 6);
    let mut push = |sounds| listener.push(&[0.0; 4], sounds).is_some();
    assert!(!(0..8).any(|i| push(i < 5)), "five of eight bars");
    assert!((0..3).all(|_| !push(true)), "what sounded goes out as new bars come in");
    assert!((0..3).any(|_| push(true)));
}
