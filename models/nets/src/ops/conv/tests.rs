//! Convolutions against candle's, their gradients against finite differences, on every set of simd.

use candle_core::{Device, Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

use super::super::tests::{assert_close, check_gradient, weigh};
use super::*;

fn random(rng: &mut Pcg64, shape: &[usize]) -> Tensor {
    let v: Vec<f32> = (0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect();
    Tensor::from_vec(v, shape, &Device::Cpu).unwrap()
}

/// (images, inputs, outputs), input size, kernel, stride, padding.
type Case = ((usize, usize, usize), (usize, usize), (usize, usize), (usize, usize), (usize, usize));

/// Small enough for finite differences: odd sizes, strides beyond the kernel, padding beyond the kernel.
const SMALL: [Case; 8] = [
    ((2, 3, 5), (5, 7), (3, 3), (1, 1), (1, 1)),
    ((3, 2, 3), (7, 6), (3, 2), (2, 3), (1, 0)),
    ((1, 1, 9), (4, 9), (1, 5), (1, 2), (0, 2)),
    ((2, 2, 2), (9, 4), (4, 1), (3, 1), (2, 0)),
    ((2, 1, 2), (6, 5), (2, 2), (3, 4), (0, 0)),
    ((1, 2, 2), (3, 3), (2, 2), (1, 1), (3, 2)),
    ((9, 2, 1), (2, 2), (2, 2), (2, 2), (0, 0)),
    ((1, 3, 4), (5, 5), (5, 5), (1, 1), (2, 2)),
];

/// Large enough for several bands, whole tiles and grouped images.
const LARGE: [Case; 6] = [
    ((2, 16, 24), (19, 300), (3, 3), (1, 1), (1, 1)),
    ((1, 3, 17), (128, 200), (12, 4), (3, 2), (5, 1)),
    ((20, 30, 11), (1, 60), (1, 5), (1, 1), (0, 0)),
    ((1, 64, 8), (9, 2500), (3, 3), (1, 2), (1, 1)),
    ((9, 8, 10), (6, 5), (3, 3), (2, 2), (1, 1)),
    ((3, 5, 8), (40, 33), (1, 1), (2, 3), (0, 0)),
];

fn parts((sizes, size, kernel, stride, padding): Case, seed: u64) -> (Tensor, Tensor, Tensor, Window) {
    let mut rng = Pcg64::seed_from_u64(seed);
    let x = random(&mut rng, &[sizes.0, sizes.1, size.0, size.1]);
    let w = random(&mut rng, &[sizes.2, sizes.1, kernel.0, kernel.1]);
    (x, w, random(&mut rng, &[sizes.2]), Window { stride, padding })
}

/// The operation with given simd.
fn with_instructions(
    x: &Tensor,
    w: &Tensor,
    b: &Tensor,
    window: Window,
    activation: Activation,
    simd: Simd,
) -> Result<Tensor> {
    let shape = shape_of(x, w, window)?;
    x.apply_op3(w, b, Convolve { shape, window, activation, simd })
}

#[test]
fn gradients_are_finite_differences() {
    for (i, case) in SMALL.into_iter().enumerate() {
        let (x, w, b, window) = parts(case, i as u64);
        let vars = [&x, &w, &b].map(|t| Var::from_tensor(t).unwrap());
        check_gradient(&vars, || weigh(&conv2d(&vars[0], &vars[1], &vars[2], window, Activation::None)?));
    }
}

/// The kinks of activations make finite differences coarse; so exactly against candle's gradients, which are
/// right for these operations.
#[test]
fn all_simd_and_activations_equal_candle() {
    for (i, case) in SMALL.into_iter().chain(LARGE).enumerate() {
        let (x, w, b, window) = parts(case, i as u64);
        let vars = [&x, &w, &b].map(|t| Var::from_tensor(t).unwrap());
        for activation in [Activation::None, Activation::Relu, Activation::Elu] {
            // Sums of more terms round more.
            let scale = 1.0 / (w.elem_count() as f64 / w.dims()[0] as f64).sqrt();
            let reference =
                (composed(&vars[0], &vars[1], &vars[2], window, activation).unwrap() * scale).unwrap();
            let exact = weigh(&reference).unwrap().backward().unwrap();
            for simd in Simd::all() {
                let y = with_instructions(&vars[0], &vars[1], &vars[2], window, activation, simd);
                let y = (y.unwrap() * scale).unwrap();
                assert_close(&y, &reference);
                let grads = weigh(&y).unwrap().backward().unwrap();
                for var in &vars {
                    let (a, b) = (grads.get(var).unwrap(), exact.get(var).unwrap());
                    let size = b.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap().max(1.0);
                    let size = f64::from(size);
                    assert_close(&(a / size).unwrap(), &(b / size).unwrap());
                }
            }
        }
    }
}

#[test]
fn inference_equals_training() {
    for (i, case) in SMALL.into_iter().chain(LARGE).enumerate() {
        let (x, w, b, window) = parts(case, i as u64);
        let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let shape: [usize; 4] = w.dims().try_into().unwrap();
        let ready = Convolution::new(&flat(&w), shape, &flat(&b), window, Activation::Elu);
        let expected = conv2d(&x, &w, &b, window, Activation::Elu).unwrap();
        let mut y = vec![f32::NAN; 3];
        let mut work = ConvolutionWork::default();
        for image in 0..x.dims()[0] {
            let size = ready.run(&flat(&x.get(image).unwrap()), case.1, &mut y, &mut work).unwrap();
            assert_eq!(Some(size), ready.outputs(case.1));
            // An image alone is cut into other tiles, in which a product may be rounded before it is added.
            let expected = flat(&expected.get(image).unwrap());
            assert!(y.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-4), "case {i}");
            assert_eq!(y.len(), expected.len());
        }
    }
}

/// Training must give the same bits wherever it runs.
#[test]
fn the_number_of_threads_changes_nothing() {
    let (x, w, b, window) = parts(LARGE[2], 7);
    let run = |threads| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let vars = [&x, &w, &b].map(|t| Var::from_tensor(t).unwrap());
            let y = conv2d(&vars[0], &vars[1], &vars[2], window, Activation::Relu).unwrap();
            let grads = weigh(&y).unwrap().backward().unwrap();
            vars.map(|v| grads.get(&v).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap())
        })
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn what_does_not_fit_is_an_error() {
    let (x, w, b, window) = parts(SMALL[0], 0);
    let other = Tensor::zeros((5, 2, 3, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
    assert!(conv2d(&x, &other, &b, window, Activation::None).is_err());
    let stuck = Window { stride: (0, 1), ..window };
    assert!(conv2d(&x, &w, &b, stuck, Activation::None).is_err());
    assert!(conv2d(&x, &w, &b.narrow(0, 0, 4).unwrap(), window, Activation::None).is_err());
    let small = x.narrow(2, 0, 2).unwrap();
    assert!(conv2d(&small, &w, &b, Window::default(), Activation::None).is_err());
}
