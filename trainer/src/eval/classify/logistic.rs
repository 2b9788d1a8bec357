//! Logistic regression with an L2 penalty, on columns brought to mean 0 and deviation 1.

use super::{Matrix, sigmoid};

/// Iterations of the accelerated gradient method (Nesterov 1983); the penalty makes it converge well before.
const ITERATIONS: usize = 150;
/// The penalty, as a share of the mean loss: weights are shrunk as by so many rows' worth of evidence.
const PENALTY: f32 = 0.01;
/// Standardised values are cut to this many deviations, so that a single odd row does not steer the fit.
const LIMIT: f32 = 4.0;

/// Weights fitted to a training set.
#[derive(Debug, Clone)]
pub struct Logistic {
    /// Mean and inverse deviation of each column in the training set; 0 for constant columns.
    scale: Vec<(f32, f32)>,
    weights: Vec<f32>,
    bias: f32,
}

impl Logistic {
    /// Fits weights to rows and whether each is of the class to be found.
    pub fn fit(x: &Matrix, y: &[bool]) -> Self {
        let (n, d) = (x.rows(), x.columns());
        let scale = scale(x);
        let mut fitted = Self { scale, weights: vec![0.0; d], bias: 0.0 };
        if n == 0 {
            return fitted;
        }
        let standard: Vec<f32> = (0..n).flat_map(|r| fitted.standardised(x.row(r))).collect();
        let z = Matrix { values: standard, columns: d };
        // The loss is a quarter as curved as the largest eigenvalue of the columns' second moments.
        let rate = 1.0 / (0.25 * (largest_eigenvalue(&z) + 1.0) + PENALTY);
        let mut ahead = (fitted.weights.clone(), 0.0f32);
        let mut t = 1.0f32;
        for _ in 0..ITERATIONS {
            let mut gradient: Vec<f32> = ahead.0.iter().map(|w| PENALTY * w).collect();
            let mut bias_gradient = 0.0;
            for r in 0..n {
                let row = z.row(r);
                let error = (sigmoid(dot(row, &ahead.0) + ahead.1) - f32::from(u8::from(y[r]))) / n as f32;
                for (g, v) in gradient.iter_mut().zip(row) {
                    *g += error * v;
                }
                bias_gradient += error;
            }
            let next_t = (1.0 + (1.0 + 4.0 * t * t).sqrt()) / 2.0;
            let momentum = (t - 1.0) / next_t;
            t = next_t;
            for ((w, a), g) in fitted.weights.iter_mut().zip(&mut ahead.0).zip(&gradient) {
                let next = *a - rate * g;
                *a = next + momentum * (next - *w);
                *w = next;
            }
            let next = ahead.1 - rate * bias_gradient;
            ahead.1 = next + momentum * (next - fitted.bias);
            fitted.bias = next;
        }
        fitted
    }

    fn standardised(&self, row: &[f32]) -> Vec<f32> {
        row.iter().zip(&self.scale).map(|(v, (m, s))| ((v - m) * s).clamp(-LIMIT, LIMIT)).collect()
    }

    /// Log odds that a row is of the class.
    pub fn score(&self, row: &[f32]) -> f32 {
        dot(&self.standardised(row), &self.weights) + self.bias
    }
}

/// Mean and inverse deviation of each column; an inverse of 0 for constant columns.
fn scale(x: &Matrix) -> Vec<(f32, f32)> {
    let n = x.rows() as f64;
    (0..x.columns())
        .map(|c| {
            let mean = (0..x.rows()).map(|r| f64::from(x.row(r)[c])).sum::<f64>() / n;
            let variance = (0..x.rows()).map(|r| (f64::from(x.row(r)[c]) - mean).powi(2)).sum::<f64>() / n;
            (mean as f32, if variance > 1e-12 { (1.0 / variance.sqrt()) as f32 } else { 0.0 })
        })
        .collect()
}

/// Largest eigenvalue of the mean outer product of the rows, by power iteration.
fn largest_eigenvalue(z: &Matrix) -> f32 {
    let n = z.rows() as f32;
    let mut v = vec![1.0 / (z.columns().max(1) as f32).sqrt(); z.columns()];
    let mut value = 0.0;
    for _ in 0..20 {
        let mut next = vec![0.0; v.len()];
        for r in 0..z.rows() {
            let row = z.row(r);
            let along = dot(row, &v) / n;
            for (x, y) in next.iter_mut().zip(row) {
                *x += along * y;
            }
        }
        value = dot(&next, &next).sqrt();
        if value < 1e-9 {
            return 0.0;
        }
        v = next.iter().map(|x| x / value).collect();
    }
    // Power iteration comes from below; a little more keeps the steps safe.
    value * 1.1
}

/// Dot product in eight lanes, in an order that does not depend on the machine.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 8];
    let (mut x, mut y) = (a.chunks_exact(8), b.chunks_exact(8));
    for (p, q) in (&mut x).zip(&mut y) {
        for i in 0..8 {
            lanes[i] += p[i] * q[i];
        }
    }
    let rest: f32 = x.remainder().iter().zip(y.remainder()).map(|(p, q)| p * q).sum();
    lanes.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_pcg::Pcg64;

    #[test]
    fn dot_products_cover_the_rest() {
        let a: Vec<f32> = (0..11).map(|i| i as f32).collect();
        assert_eq!(dot(&a, &a), 385.0);
    }

    #[test]
    fn a_line_between_two_clouds_is_found() {
        let mut rng = Pcg64::seed_from_u64(4);
        let y: Vec<bool> = (0..600).map(|i| i % 2 == 0).collect();
        // The first column is far off in scale, the third constant, the fourth noise.
        let rows: Vec<[f32; 4]> = y
            .iter()
            .map(|&y| {
                let side = if y { 1.0 } else { -1.0 };
                let noise = rng.random_range(-1.0..1.0);
                [1e4 + 300.0 * (side + noise), -side + rng.random_range(-1.5..1.5), 7.0, noise]
            })
            .collect();
        let x = Matrix::from_rows(rows[..400].iter().map(|r| r.as_slice()));
        let fitted = Logistic::fit(&x, &y[..400]);
        let right = (400..600).filter(|&r| (fitted.score(&rows[r]) > 0.0) == y[r]).count();
        assert!(right >= 190, "{right} of 200");
        assert_eq!(fitted.weights[2], 0.0);
    }

    #[test]
    fn the_fit_is_where_the_gradient_vanishes() {
        let rows = [[0.0f32, 1.0], [1.0, 0.5], [2.0, -1.0], [3.0, 2.0], [4.0, 0.0], [5.0, 1.5]];
        let y = [false, true, false, true, true, true];
        let x = Matrix::from_rows(rows.iter().map(|r| r.as_slice()));
        let fitted = Logistic::fit(&x, &y);
        for c in 0..2 {
            let slope: f32 = (0..6)
                .map(|r| {
                    let z = fitted.standardised(x.row(r));
                    (sigmoid(fitted.score(x.row(r))) - f32::from(u8::from(y[r]))) * z[c] / 6.0
                })
                .sum::<f32>()
                + PENALTY * fitted.weights[c];
            assert!(slope.abs() < 2e-3, "column {c}: {slope}");
        }
    }
}
