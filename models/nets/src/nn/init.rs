//! Initial values of weights.

use rand::Rng;
use rand_pcg::Pcg64;

use sideman_inference::band::normal;

/// What a tensor begins with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// One value.
    Constant(f32),
    /// Normal with this deviation.
    Normal(f32),
    /// Uniform within sqrt(6 / (inputs + outputs)), Keras's own choice for weights (Glorot & Bengio 2010).
    Glorot {
        /// Values that go into an output.
        inputs: usize,
        /// Outputs that a value goes into.
        outputs: usize,
    },
    /// Columns that are at right angles, of length 1 (Saxe et al. 2014), for (rows, columns) with at least as
    /// many rows: Keras's own choice for recurrent weights.
    Orthogonal,
    /// Zero but for the second quarter, which is one: biases of i, f, g, o with an open forget gate.
    ForgetBias,
}

impl Init {
    /// Values of a tensor, row-major.
    pub fn draw(self, shape: &[usize], rng: &mut Pcg64) -> Vec<f32> {
        let n: usize = shape.iter().product();
        match self {
            Self::Constant(v) => vec![v; n],
            Self::Normal(deviation) => (0..n).map(|_| deviation * normal(rng)).collect(),
            Self::Glorot { inputs, outputs } => {
                let bound = (6.0 / (inputs + outputs) as f32).sqrt();
                (0..n).map(|_| rng.random_range(-bound..bound)).collect()
            }
            Self::Orthogonal => orthogonal(shape, rng),
            Self::ForgetBias => (0..n).map(|i| if i / (n / 4).max(1) == 1 { 1.0 } else { 0.0 }).collect(),
        }
    }
}

/// Columns at right angles by Gram and Schmidt's way, row-major.
fn orthogonal(shape: &[usize], rng: &mut Pcg64) -> Vec<f32> {
    let (rows, columns) = (shape[0], shape[1]);
    let mut found: Vec<Vec<f64>> = Vec::with_capacity(columns);
    for _ in 0..columns {
        let mut v: Vec<f64> = (0..rows).map(|_| f64::from(normal(rng))).collect();
        // Twice, for what rounding left over the first time.
        for _ in 0..2 {
            for other in &found {
                let along: f64 = v.iter().zip(other).map(|(a, b)| a * b).sum();
                v.iter_mut().zip(other).for_each(|(a, b)| *a -= along * b);
            }
        }
        let length = v.iter().map(|a| a * a).sum::<f64>().sqrt().max(1e-12);
        v.iter_mut().for_each(|a| *a /= length);
        found.push(v);
    }
    (0..rows * columns).map(|i| found[i % columns][i / columns] as f32).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn recurrent_weights_are_orthogonal() {
        let (rows, columns) = (12, 4);
        let w = orthogonal(&[rows, columns], &mut Pcg64::seed_from_u64(1));
        for a in 0..columns {
            for b in 0..columns {
                let product: f32 = (0..rows).map(|r| w[r * columns + a] * w[r * columns + b]).sum();
                let expected = if a == b { 1.0 } else { 0.0 };
                assert!((product - expected).abs() < 1e-5, "{a} {b} {product}");
            }
        }
    }
}
