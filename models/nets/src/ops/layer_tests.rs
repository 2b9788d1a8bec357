//! Pooling, normalisation, dropout and the gated recurrent unit: finite differences over every gradient, and
//! fused against composed.

use candle_core::{Device, Tensor, Var};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

use super::tests::{assert_close, check_gradient, weigh};
use super::*;

fn random(rng: &mut Pcg64, shape: &[usize]) -> Var {
    let v: Vec<f32> = (0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect();
    Var::from_tensor(&Tensor::from_vec(v, shape, &Device::Cpu).unwrap()).unwrap()
}

fn flat(t: &Tensor) -> Vec<f32> {
    t.flatten_all().unwrap().to_vec1().unwrap()
}

/// Values in random order, far enough apart that a finite difference does not change which is the largest.
fn apart(rng: &mut Pcg64, shape: &[usize]) -> Var {
    let n: usize = shape.iter().product();
    let mut v: Vec<f32> = (0..n).map(|i| i as f32 * 0.02 - 1.0).collect();
    v.shuffle(rng);
    Var::from_tensor(&Tensor::from_vec(v, shape, &Device::Cpu).unwrap()).unwrap()
}

#[test]
fn pooling_gradient_and_composition() {
    let mut rng = Pcg64::seed_from_u64(11);
    // Kernel, stride: apart, overlapping, with gaps, the whole input; rows and columns left over.
    for (kernel, stride) in
        [((2, 2), (2, 2)), ((3, 2), (1, 2)), ((1, 2), (2, 3)), ((7, 5), (1, 1)), ((4, 1), (4, 1))]
    {
        let x = apart(&mut rng, &[2, 3, 7, 5]);
        let largest = max_pool2d(&x, kernel, stride).unwrap();
        assert_eq!(largest.dims(), x.max_pool2d_with_stride(kernel, stride).unwrap().dims());
        assert_close(&largest, &x.max_pool2d_with_stride(kernel, stride).unwrap());
        let (_, _, rows, columns) = largest.dims4().unwrap();
        assert_close(&largest, &pool::composed(&x, kernel, stride, (rows, columns)).unwrap());
        check_gradient(std::slice::from_ref(&x), || weigh(&max_pool2d(&x, kernel, stride)?));
    }
    let x = random(&mut rng, &[1, 1, 3, 3]);
    assert!(max_pool2d(&x, (4, 1), (1, 1)).is_err());
    assert!(max_pool2d(&x, (2, 2), (0, 1)).is_err());
    assert!(max_pool2d(&x, (0, 1), (1, 1)).is_err());
}

/// After a ReLU most windows are all zeros; the gradient must not multiply.
#[test]
fn pooling_gradient_of_equals_goes_to_one() {
    let x = Var::from_tensor(&Tensor::zeros((1, 1, 4, 4), candle_core::DType::F32, &Device::Cpu).unwrap())
        .unwrap();
    let grads = max_pool2d(&x, (2, 2), (2, 2)).unwrap().sum_all().unwrap().backward().unwrap();
    let first = [1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    assert_eq!(flat(grads.get(&x).unwrap()), [first, first].concat());
}

#[test]
fn batch_norm_gradient_and_composition() {
    let mut rng = Pcg64::seed_from_u64(12);
    for shape in [&[3, 2, 4, 5][..], &[7, 3], &[2, 3, 5], &[1, 2, 3, 3]] {
        let vars = [random(&mut rng, shape), random(&mut rng, &shape[1..2]), random(&mut rng, &shape[1..2])];
        let [x, gamma, beta] = &vars;
        check_gradient(&vars, || weigh(&batch_norm(x, gamma, beta, 1e-3, Activation::None)?.0));
        for activation in [Activation::None, Activation::Relu, Activation::Elu] {
            let (y, statistics) = batch_norm(x, gamma, beta, 1e-3, activation).unwrap();
            let (reference, expected) = norm::composed(x, gamma, beta, 1e-3, activation).unwrap();
            assert_close(&y, &reference);
            assert_eq!(statistics.count, expected.count);
            let both = statistics.mean.iter().chain(&statistics.variance);
            for (a, b) in both.zip(expected.mean.iter().chain(&expected.variance)) {
                assert!((a - b).abs() < 1e-5, "{a} and {b}");
            }
            let grads = weigh(&y).unwrap().backward().unwrap();
            let exact = weigh(&reference).unwrap().backward().unwrap();
            for var in &vars {
                assert_close(
                    &(grads.get(var).unwrap() / 10.0).unwrap(),
                    &(exact.get(var).unwrap() / 10.0).unwrap(),
                );
            }
        }
    }
    let one = random(&mut rng, &[1, 3]);
    let channels = random(&mut rng, &[3]);
    assert!(batch_norm(&one, &channels, &channels, 1e-3, Activation::None).is_err());
    let other = random(&mut rng, &[2]);
    assert!(batch_norm(&random(&mut rng, &[4, 3]), &other, &channels, 1e-3, Activation::None).is_err());
}

/// A mean far from zero takes most of a float's digits; one pass over squares would lose the variance.
#[test]
fn batch_norm_of_values_far_from_zero() {
    let v: Vec<f32> = (0..4000).map(|i| 3000.0 + (i % 7) as f32 * 0.25).collect();
    let x = Tensor::from_vec(v.clone(), (4, 1, 1000), &Device::Cpu).unwrap();
    let one = Tensor::ones(1, candle_core::DType::F32, &Device::Cpu).unwrap();
    let (_, s) = batch_norm(&x, &one, &one, 1e-5, Activation::None).unwrap();
    let mean = v.iter().map(|&v| f64::from(v)).sum::<f64>() / 4000.0;
    let variance = v.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / 4000.0;
    assert!((f64::from(s.mean[0]) - mean).abs() < 3e-4);
    assert!((f64::from(s.variance[0]) / variance - 1.0).abs() < 1e-4, "{} and {variance}", s.variance[0]);
}

#[test]
fn batch_norm_in_inference() {
    let mut rng = Pcg64::seed_from_u64(13);
    let vars = [random(&mut rng, &[3, 2, 4, 3]), random(&mut rng, &[2]), random(&mut rng, &[2])];
    let [x, gamma, beta] = &vars;
    // With a batch's own statistics both forms agree.
    let (y, batch) = batch_norm(x, gamma, beta, 1e-3, Activation::Elu).unwrap();
    let mut running = RunningStatistics { mean: batch.mean.clone(), variance: batch.variance.clone() };
    assert_close(&y, &batch_norm_inference(x, gamma, beta, &running, 1e-3, Activation::Elu).unwrap());
    check_gradient(&vars, || weigh(&batch_norm_inference(x, gamma, beta, &running, 1e-3, Activation::None)?));
    // PyTorch's rule: a tenth of the way, towards the variance that n - 1 divides.
    running = RunningStatistics::new(2);
    running.update(&batch, 0.1);
    assert!((running.mean[1] - 0.1 * batch.mean[1]).abs() < 1e-7);
    assert!((running.variance[1] - (0.9 + 0.1 * batch.variance[1] * 36.0 / 35.0)).abs() < 1e-6);
    let short = RunningStatistics::new(1);
    assert!(batch_norm_inference(x, gamma, beta, &short, 1e-3, Activation::None).is_err());
}

#[test]
fn batch_norm_folds_into_a_convolution() {
    let mut rng = Pcg64::seed_from_u64(14);
    let (x, w, b) =
        (random(&mut rng, &[2, 3, 6, 6]), random(&mut rng, &[4, 3, 3, 3]), random(&mut rng, &[4]));
    let (gamma, beta) = (random(&mut rng, &[4]), random(&mut rng, &[4]));
    let running = RunningStatistics { mean: vec![0.3, -0.2, 0.0, 1.0], variance: vec![0.5, 2.0, 1.0, 0.1] };
    let y = conv2d(&x, &w, &b, Window::default(), Activation::None).unwrap();
    let y = batch_norm_inference(&y, &gamma, &beta, &running, 1e-3, Activation::Relu).unwrap();
    let (mut folded_w, mut folded_b) = (flat(&w), flat(&b));
    running.fold(&mut folded_w, &mut folded_b, &flat(&gamma), &flat(&beta), 1e-3);
    let w = Tensor::from_vec(folded_w, w.shape(), &Device::Cpu).unwrap();
    let b = Tensor::from_vec(folded_b, 4, &Device::Cpu).unwrap();
    assert_close(&y, &conv2d(&x, &w, &b, Window::default(), Activation::Relu).unwrap());
}

#[test]
fn gru_gradient_and_composition() {
    let mut rng = Pcg64::seed_from_u64(15);
    let (steps, lanes, hidden) = (5, 3, 4);
    let vars = [
        random(&mut rng, &[steps * lanes, 3 * hidden]),
        random(&mut rng, &[3 * hidden, hidden]),
        random(&mut rng, &[3 * hidden]),
    ];
    let [gates, w, b] = &vars;
    let h: Vec<f32> = (0..lanes * hidden).map(|_| rng.random_range(-1.0..1.0)).collect();
    check_gradient(&vars, || weigh(&gru_sequence(gates, w, b, &h)?.0));
    let (whole, end) = gru_sequence(gates, w, b, &h).unwrap();
    assert_close(&whole, &gru::composed(gates, w, b, &h).unwrap());
    // In two chunks, with the state carried over.
    let cut = 2 * lanes;
    let (first, middle) = gru_sequence(&gates.narrow(0, 0, cut).unwrap(), w, b, &h).unwrap();
    let rest = gates.narrow(0, cut, (steps - 2) * lanes).unwrap();
    let (second, last) = gru_sequence(&rest, w, b, &middle).unwrap();
    assert_close(&whole, &Tensor::cat(&[first, second], 0).unwrap());
    assert_eq!(end, last);
    assert!(gru_sequence(gates, w, b, &h[1..]).is_err());
    assert!(gru_sequence(gates, w, &b.narrow(0, 0, 4).unwrap(), &h).is_err());
}

/// One unit by hand: the reset gate multiplies the recurrent product with its bias, not the state.
#[test]
fn gru_resets_after_the_product() {
    let t = |v: Vec<f32>, shape: &[usize]| Tensor::from_vec(v, shape, &Device::Cpu).unwrap();
    let (gates, w, b) =
        (t(vec![0.3, -0.4, 0.2], &[1, 3]), t(vec![0.5, 0.6, 0.7], &[3, 1]), t(vec![0.1, 0.2, 0.3], &[3]));
    let y = flat(&gru_sequence(&gates, &w, &b, &[0.8]).unwrap().0)[0];
    let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
    let (r, z) = (sigmoid(0.3 + 0.4 + 0.1), sigmoid(-0.4 + 0.48 + 0.2));
    let n = (0.2 + r * (0.56 + 0.3)).tanh();
    assert!((y - ((1.0 - z) * n + z * 0.8)).abs() < 1e-6);
}

/// Three layers over (steps, lanes, width) inputs, as papers P3 and P4 stack them, with dropout between.
#[test]
fn three_recurrent_layers() {
    let mut rng = Pcg64::seed_from_u64(16);
    let (steps, lanes, width, hidden) = (4, 2, 5, 3);
    let x = random(&mut rng, &[steps, lanes, width]);
    let mut vars = vec![x.clone()];
    for layer in 0..3 {
        let inputs = if layer == 0 { width } else { hidden };
        vars.push(random(&mut rng, &[4 * hidden, inputs]));
        vars.push(random(&mut rng, &[4 * hidden]));
        vars.push(random(&mut rng, &[4 * hidden, hidden]));
    }
    check_gradient(&vars, || {
        let mut rng = Pcg64::seed_from_u64(1);
        let mut h = x.reshape((steps * lanes, width))?;
        for layer in vars[1..].chunks(3) {
            let gates = linear(&h, &layer[0], &layer[1], Activation::None)?;
            h = lstm_sequence(&gates, &layer[2], &LstmState::zeros(lanes, hidden))?.0;
            h = dropout(&h, 0.25, &mut rng)?;
        }
        weigh(&h)
    });
}

#[test]
fn dropout_keeps_its_share_and_the_mean() {
    let x =
        Var::from_tensor(&Tensor::ones((400, 50), candle_core::DType::F32, &Device::Cpu).unwrap()).unwrap();
    for share in [0.1f32, 0.5, 0.8] {
        let y = dropout(&x, share, &mut Pcg64::seed_from_u64(17)).unwrap();
        let values = flat(&y);
        let kept = values.iter().filter(|&&v| v != 0.0).count() as f32 / 20_000.0;
        assert!((kept - (1.0 - share)).abs() < 0.015, "{kept} kept of {share}");
        assert!(values.iter().all(|&v| v == 0.0 || (v - 1.0 / (1.0 - share)).abs() < 1e-6));
        // The gradient passes where the value did: the mask itself, as the input is ones.
        let grads = y.sum_all().unwrap().backward().unwrap();
        assert_eq!(flat(grads.get(&x).unwrap()), values);
    }
    let mut rng = Pcg64::seed_from_u64(18);
    assert_eq!(flat(&dropout(&x, 0.0, &mut rng).unwrap()), flat(&x));
    assert!(dropout(&x, 1.0, &mut rng).is_err());
    assert!(dropout(&x, f32::NAN, &mut rng).is_err());
}

/// candle's own operations that networks use between these.
#[test]
fn candle_gradients_in_use_between_layers() {
    let mut rng = Pcg64::seed_from_u64(19);
    let x = random(&mut rng, &[2, 3, 2, 4]);
    check_gradient(std::slice::from_ref(&x), || {
        let sequence = x.permute((3, 0, 1, 2))?.contiguous()?.reshape((8, 6))?;
        let elu = (sequence.elu(1.0)? * 0.5)?;
        (weigh(&elu)? + weigh(&x.mean((2, 3))?)?)? + weigh(&x.transpose(1, 2)?.flatten_from(1)?.tanh()?)?
    });
    check_gradient(std::slice::from_ref(&x), || weigh(&x.pad_with_zeros(3, 1, 2)?.narrow(3, 0, 4)?));
}
