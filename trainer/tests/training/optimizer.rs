//! The optimizer against figures worked out by hand.

use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};
use sideman_trainer::train::Optimizer;

/// A matrix of one value and a vector of one value.
fn vars(matrix: f32, vector: f32) -> BTreeMap<String, Var> {
    let var = |v: f32, shape: &[usize]| Var::from_vec(vec![v], shape, &Device::Cpu).unwrap();
    [("matrix".to_owned(), var(matrix, &[1, 1])), ("vector".to_owned(), var(vector, &[1]))].into()
}

/// Gradients of that size.
fn gradients(vars: &BTreeMap<String, Var>, matrix: f32, vector: f32) -> GradStore {
    let part = |name: &str, g: f32| (vars[name].sum_all().unwrap() * f64::from(g)).unwrap();
    (part("matrix", matrix) + part("vector", vector)).unwrap().backward().unwrap()
}

fn value(tensor: &Tensor) -> f32 {
    tensor.sum_all().unwrap().to_scalar().unwrap()
}

fn near(found: f32, expected: f32) {
    assert!((found - expected).abs() < 2e-6 * expected.abs().max(1.0), "{found} instead of {expected}");
}

#[test]
fn two_steps_are_as_worked_out_by_hand() {
    let vars = vars(1.0, -2.0);
    let mut optimizer = Optimizer::new(0.5, 1000.0);
    let norm = optimizer.step(&vars, &gradients(&vars, 3.0, 4.0), 0.1).unwrap();
    assert!((norm - 5.0).abs() < 1e-6);
    // m / (1 - 0.9) = g and v / (1 - 0.98) = g^2: a step of the learning rate against the sign. The matrix
    // decays by 0.1 * 0.5 of itself first, the vector does not.
    near(value(&vars["matrix"]), 0.95 - 0.1);
    near(value(&vars["vector"]), -2.1);

    optimizer.step(&vars, &gradients(&vars, -1.0, 4.0), 0.1).unwrap();
    // Matrix: m = 0.9 * 0.3 - 0.1 = 0.17, over 0.19 is 0.894737; v = 0.98 * 0.18 + 0.02 = 0.1964, over
    // 0.0396 is 4.959596, its root 2.227015; 0.894737 / 2.227015 = 0.401765.
    near(value(&vars["matrix"]), 0.85 * 0.95 - 0.1 * 0.401765);
    near(value(&vars["vector"]), -2.2);
    assert_eq!(optimizer.updates, 2);
    near(value(&optimizer.moments["matrix"].0), 0.17);
    near(value(&optimizer.moments["matrix"].1), 0.1964);
}

#[test]
fn a_long_gradient_is_clipped_and_a_short_one_is_not() {
    for (clip, scale) in [(1.0, 0.2), (5.0, 1.0), (10.0, 1.0)] {
        let vars = vars(1.0, 1.0);
        let mut optimizer = Optimizer::new(0.0, clip);
        let norm = optimizer.step(&vars, &gradients(&vars, 3.0, 4.0), 0.1).unwrap();
        assert!((norm - 5.0).abs() < 1e-6, "the norm before clipping");
        near(value(&optimizer.moments["matrix"].0), 0.1 * 3.0 * scale);
        near(value(&optimizer.moments["vector"].0), 0.1 * 4.0 * scale);
        near(value(&optimizer.moments["vector"].1), 0.02 * 16.0 * scale * scale);
    }
}

#[test]
fn a_gradient_that_is_no_number_moves_nothing() {
    let vars = vars(1.5, -2.5);
    let mut optimizer = Optimizer::new(0.5, 1.0);
    optimizer.step(&vars, &gradients(&vars, 1.0, 1.0), 0.1).unwrap();
    let before = (value(&vars["matrix"]), value(&vars["vector"]), value(&optimizer.moments["matrix"].0));
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let norm = optimizer.step(&vars, &gradients(&vars, 1.0, bad), 0.1).unwrap();
        assert!(!norm.is_finite());
        let after = (value(&vars["matrix"]), value(&vars["vector"]), value(&optimizer.moments["matrix"].0));
        assert_eq!(after, before);
        assert_eq!(optimizer.updates, 1);
    }
    optimizer.step(&vars, &gradients(&vars, 1.0, 1.0), 0.1).unwrap();
    assert_ne!(value(&vars["matrix"]), before.0, "and it goes on afterwards");
}

#[test]
fn variables_without_a_gradient_stay() {
    let vars = vars(1.5, -2.5);
    let grads = vars["matrix"].sum_all().unwrap().backward().unwrap();
    let mut optimizer = Optimizer::new(0.5, 1.0);
    optimizer.step(&vars, &grads, 0.1).unwrap();
    assert_eq!(value(&vars["vector"]), -2.5);
    assert_ne!(value(&vars["matrix"]), 1.5);
}
