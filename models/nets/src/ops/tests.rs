//! Finite differences over every operation that a network here trains through, and fused against composed.

use candle_core::{Device, Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

use sideman_inference::band::{CandidateRow, CandidateShape};

use super::*;

fn random(rng: &mut Pcg64, shape: (usize, usize)) -> Tensor {
    let v: Vec<f32> = (0..shape.0 * shape.1).map(|_| rng.random_range(-1.0..1.0)).collect();
    Tensor::from_vec(v, shape, &Device::Cpu).unwrap()
}

/// Compares the gradient of `f` (a scalar) at every element of every variable with central differences.
pub(super) fn check_gradient(vars: &[Var], f: impl Fn() -> Result<Tensor>) {
    let grads = f().unwrap().backward().unwrap();
    for (which, var) in vars.iter().enumerate() {
        let exact: Vec<f32> = grads.get(var).expect("a gradient").flatten_all().unwrap().to_vec1().unwrap();
        let start = var.as_tensor().copy().unwrap();
        let base: Vec<f32> = start.flatten_all().unwrap().to_vec1().unwrap();
        let step = 4e-3;
        for i in 0..base.len() {
            let at = |delta: f32| {
                let mut v = base.clone();
                v[i] += delta;
                var.set(&Tensor::from_vec(v, start.shape(), &Device::Cpu).unwrap()).unwrap();
                f().unwrap().to_scalar::<f32>().unwrap()
            };
            let numeric = (at(step) - at(-step)) / (2.0 * step);
            let bound = 2e-2 * (1.0 + numeric.abs());
            assert!(
                (numeric - exact[i]).abs() < bound,
                "variable {which}[{i}]: {numeric} against {}",
                exact[i]
            );
        }
        var.set(&start).unwrap();
    }
}

pub(super) fn assert_close(a: &Tensor, b: &Tensor) {
    let d = (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
    assert!(d < 2e-5, "differs by {d}");
}

/// A scalar that weighs every element differently.
pub(super) fn weigh(t: &Tensor) -> Result<Tensor> {
    let n = t.elem_count();
    let w: Vec<f32> = (0..n).map(|i| ((i * 7 % 11) as f32 - 5.0) / 5.0).collect();
    (t * Tensor::from_vec(w, t.shape(), t.device())?)?.sum_all()
}

#[test]
fn linear_gradient() {
    let mut rng = Pcg64::seed_from_u64(1);
    for activation in [Activation::None, Activation::Relu] {
        let x = Var::from_tensor(&random(&mut rng, (5, 7))).unwrap();
        let w = Var::from_tensor(&random(&mut rng, (4, 7))).unwrap();
        let b = Var::from_tensor(&random(&mut rng, (1, 4)).flatten_all().unwrap()).unwrap();
        check_gradient(&[x.clone(), w.clone(), b.clone()], || {
            weigh(&linear(x.as_tensor(), w.as_tensor(), b.as_tensor(), activation)?)
        });
        let y = x.matmul(&w.t().unwrap()).unwrap().broadcast_add(&b).unwrap();
        let y = if activation == Activation::Relu { y.relu().unwrap() } else { y };
        assert_close(&y, &linear(x.as_tensor(), w.as_tensor(), b.as_tensor(), activation).unwrap());
    }
}

#[test]
fn lstm_gradient_and_composition() {
    let mut rng = Pcg64::seed_from_u64(2);
    let (steps, lanes, hidden) = (5, 3, 4);
    let gates = Var::from_tensor(&random(&mut rng, (steps * lanes, 4 * hidden))).unwrap();
    let w = Var::from_tensor(&random(&mut rng, (4 * hidden, hidden))).unwrap();
    let mut state = LstmState::zeros(lanes, hidden);
    state.h.iter_mut().chain(&mut state.c).for_each(|v| *v = rng.random_range(-1.0..1.0));
    check_gradient(&[gates.clone(), w.clone()], || weigh(&lstm_sequence(&gates, &w, &state)?.0));
    let (fused, last) = lstm_sequence(&gates, &w, &state).unwrap();
    let (reference, reference_last) = lstm::composed(&gates, &w, &state).unwrap();
    assert_close(&fused, &reference);
    for (a, b) in last.h.iter().chain(&last.c).zip(reference_last.h.iter().chain(&reference_last.c)) {
        assert!((a - b).abs() < 1e-5);
    }
}

#[test]
fn lstm_state_carries_over() {
    let mut rng = Pcg64::seed_from_u64(3);
    let (lanes, hidden) = (2, 3);
    let gates = random(&mut rng, (6 * lanes, 4 * hidden));
    let w = random(&mut rng, (4 * hidden, hidden));
    let zero = LstmState::zeros(lanes, hidden);
    let (whole, end) = lstm_sequence(&gates, &w, &zero).unwrap();
    let (first, middle) = lstm_sequence(&gates.narrow(0, 0, 3 * lanes).unwrap(), &w, &zero).unwrap();
    let (second, end2) = lstm_sequence(&gates.narrow(0, 3 * lanes, 3 * lanes).unwrap(), &w, &middle).unwrap();
    assert_close(&whole, &Tensor::cat(&[first, second], 0).unwrap());
    assert_eq!(end, end2);
}

#[test]
fn cross_entropy_gradient() {
    let mut rng = Pcg64::seed_from_u64(4);
    let x = Var::from_tensor(&random(&mut rng, (4, 6))).unwrap();
    let targets = [0, 5, 2, 2];
    check_gradient(std::slice::from_ref(&x), || cross_entropy(&x, &targets)? * 1.5);
    let log = candle_nn::ops::log_softmax(x.as_tensor(), 1).unwrap();
    let index = Tensor::new(&targets[..], &Device::Cpu).unwrap().reshape((4, 1)).unwrap();
    let reference = log.gather(&index, 1).unwrap().sum_all().unwrap().neg().unwrap();
    assert_close(&cross_entropy(&x, &targets).unwrap(), &reference);
    assert!(cross_entropy(&x, &[6, 0, 0, 0]).is_err());
}

#[test]
fn binary_cross_entropy_gradient() {
    let mut rng = Pcg64::seed_from_u64(5);
    let x = Var::from_tensor(&(random(&mut rng, (3, 4)) * 4.0).unwrap()).unwrap();
    let y: Vec<f32> = (0..12).map(|i| (i % 3) as f32 / 2.0).collect();
    let w: Vec<f32> = (0..12).map(|i| (i % 4) as f32).collect();
    check_gradient(std::slice::from_ref(&x), || binary_cross_entropy(&x, &y, &w));
    assert!(binary_cross_entropy(&x, &y[1..], &w).is_err());
}

#[test]
fn candidate_gradient_and_composition() {
    let mut rng = Pcg64::seed_from_u64(6);
    let shape = CandidateShape { low: 28, pitches: 28, intervals: 9, masks: 3 };
    let rows: Vec<CandidateRow> = (0..4)
        .map(|_| CandidateRow {
            reference: rng.random_range(0..12),
            reference_before: rng.random_range(0..12),
            previous: rng.random_range(0..28),
            masks: std::array::from_fn(|k| if k < 3 { rng.random::<u64>() & 0xFFF_FFFF } else { 0 }),
            allowed: rng.random::<u64>() | 1,
        })
        .collect();
    let c = Var::from_tensor(&random(&mut rng, (4, shape.coefficients()))).unwrap();
    let open = |t: Tensor| t.clamp(-100.0, 100.0);
    check_gradient(std::slice::from_ref(&c), || {
        let t = candidate_logits(&c, shape, &rows)?;
        // Forbidden candidates are a constant and would drown the sum.
        let mask = t.ge(-1e8)?.to_dtype(candle_core::DType::F32)?;
        weigh(&(t * mask)?)
    });
    let fused = open(candidate_logits(&c, shape, &rows).unwrap()).unwrap();
    assert_close(&fused, &open(candidates::composed(&c, shape, &rows).unwrap()).unwrap());
}

/// candle's own operations that the networks use between the fused ones.
#[test]
fn candle_gradients_in_use() {
    let mut rng = Pcg64::seed_from_u64(7);
    let a = Var::from_tensor(&random(&mut rng, (4, 6))).unwrap();
    let b = Var::from_tensor(&random(&mut rng, (4, 3))).unwrap();
    let index = Tensor::new(&[3u32, 0, 0, 2, 1], &Device::Cpu).unwrap();
    check_gradient(&[a.clone(), b.clone()], || {
        let rows = a.index_select(&index, 0)?;
        let cut = rows.narrow(1, 1, 3)?;
        let other = b.index_select(&index, 0)?.narrow(1, 0, 1)?;
        let gated = cut.broadcast_mul(&(other + 1.0)?)?;
        let joined = Tensor::cat(&[&gated, &b.index_select(&index, 0)?], 1)?;
        weigh(&joined)? + (joined.sqr()?.exp()?.sum_all()? * 0.1)?
    });
    check_gradient(std::slice::from_ref(&a), || {
        let x = a.reshape((2, 2, 6))?.sum(1)?;
        weigh(&x.clamp(-0.9, 0.9)?)
    });
    let w = Var::from_tensor(&random(&mut rng, (3, 6))).unwrap();
    check_gradient(&[a.clone(), w.clone(), b.clone()], || {
        let product = a.matmul(&w.t()?)?;
        let shifted =
            product.reshape((2, 2, 3))?.broadcast_add(&b.narrow(0, 0, 2)?)?.reshape((4, 3))?.relu()?;
        let summed = product.mul(&shifted)?.sum_keepdim(1)?.squeeze(1)?;
        let wide = product
            .narrow(1, 0, 2)?
            .contiguous()?
            .unsqueeze(2)?
            .broadcast_mul(&b.narrow(1, 1, 1)?.unsqueeze(2)?)?;
        weigh(&summed)? + weigh(&wide)?
    });
    check_gradient(&[a.clone(), b.clone()], || {
        let tables = b.t()?.contiguous()?;
        let gated = (tables.matmul(a.as_tensor())? - a.narrow(0, 0, 3)?)?.neg()?;
        weigh(&(gated * 0.5)?)
    });
}
