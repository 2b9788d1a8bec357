//! Targets of a batch: smoothed, mixed, weighed.

use candle_core::{Result, Tensor};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;

use super::FitConfig;

/// Weight of each class: the inverse of its frequency, 1 for an even share, to a power. A class without
/// examples has none.
pub(super) fn class_weights(counts: &[usize], power: f64) -> Vec<f32> {
    let present = counts.iter().filter(|&&n| n > 0).count();
    let even = counts.iter().sum::<usize>() as f64 / present.max(1) as f64;
    counts.iter().map(|&n| if n == 0 { 0.0 } else { (even / n as f64).powf(power) as f32 }).collect()
}

/// Targets of a batch, (examples, classes) row-major: rows sum to the weights of the examples.
pub(super) struct Targets {
    pub(super) values: Vec<f32>,
    pub(super) classes: usize,
}

impl Targets {
    pub(super) fn new(of: &[usize], weights: &[f32], smoothing: f64) -> Self {
        let classes = weights.len();
        let mut values = vec![0f32; of.len() * classes];
        for (row, &class) in values.chunks_exact_mut(classes).zip(of) {
            row.fill(smoothing as f32 / classes as f32);
            row[class] += 1.0 - smoothing as f32;
            row.iter_mut().for_each(|v| *v *= weights[class]);
        }
        Self { values, classes }
    }

    /// Sum over the examples of their weighted cross-entropies, divided by the sum of the weights.
    pub(super) fn loss(&self, logits: &Tensor) -> Result<Tensor> {
        let all: f64 = self.values.iter().map(|&v| f64::from(v)).sum();
        let rows = self.values.len() / self.classes;
        let targets = Tensor::from_slice(&self.values, (rows, self.classes), logits.device())?;
        // Composed, for candle's fused softmax has no gradient.
        let shifted = logits.broadcast_sub(&logits.max_keepdim(1)?.detach())?;
        let log = shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(1)?.log()?)?;
        (log * targets)?.sum_all()? * (-1.0 / all.max(1e-12))
    }
}

/// Mixes each example with another of the batch, inputs and targets alike (Zhang et al. 2018). The heavier one
/// of the two is always that of the row.
pub(super) fn mix(
    inputs: Vec<Tensor>,
    targets: &mut Targets,
    config: &FitConfig,
    rng: &mut Pcg64,
) -> Result<Vec<Tensor>> {
    if config.mixup == 0.0 {
        return Ok(inputs);
    }
    let rows = targets.values.len() / targets.classes;
    let mut partners: Vec<u32> = (0..rows as u32).collect();
    partners.shuffle(rng);
    let shares: Vec<f32> = (0..rows)
        .map(|_| {
            let share = beta(config.mixup, rng) as f32;
            share.max(1.0 - share)
        })
        .collect();
    let before = targets.values.clone();
    for (row, (&partner, &share)) in partners.iter().zip(&shares).enumerate() {
        for class in 0..targets.classes {
            let other = before[partner as usize * targets.classes + class];
            let own = &mut targets.values[row * targets.classes + class];
            *own = share * *own + (1.0 - share) * other;
        }
    }
    let mut out = Vec::with_capacity(inputs.len());
    for input in inputs {
        let device = input.device();
        let mut shape = vec![1; input.rank()];
        shape[0] = rows;
        let share = Tensor::from_slice(&shares, shape.as_slice(), device)?;
        let other = input.index_select(&Tensor::from_slice(&partners, rows, device)?, 0)?;
        let difference = (input - &other)?.broadcast_mul(&share)?;
        out.push((other + difference)?);
    }
    Ok(out)
}

/// A draw from the beta distribution with both parameters `alpha`, above 0 up to 1 (Jöhnk 1964).
fn beta(alpha: f64, rng: &mut Pcg64) -> f64 {
    loop {
        let (u, v): (f64, f64) = (rng.random(), rng.random());
        let (x, y) = (u.powf(1.0 / alpha), v.powf(1.0 / alpha));
        if x + y > 0.0 && x + y <= 1.0 {
            return x / (x + y);
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn the_beta_distribution_has_its_mean_and_variance() {
        let mut rng = Pcg64::seed_from_u64(1);
        for alpha in [0.2, 0.5, 1.0] {
            let draws: Vec<f64> = (0..20_000).map(|_| beta(alpha, &mut rng)).collect();
            let mean = draws.iter().sum::<f64>() / 20_000.0;
            let variance = draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 20_000.0;
            assert!((mean - 0.5).abs() < 0.01, "{alpha} {mean}");
            assert!((variance - 0.25 / (2.0 * alpha + 1.0)).abs() < 0.005, "{alpha} {variance}");
        }
    }

    #[test]
    fn the_loss_is_that_of_weighted_soft_targets() {
        let targets = Targets::new(&[0, 1], &[1.0, 3.0], 0.2);
        let expected = [0.9f32, 0.1, 0.3, 2.7];
        assert!(targets.values.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6));
        let logits = Tensor::from_slice(&[1f32, -1.0, 0.5, 2.0], (2, 2), &Device::Cpu).unwrap();
        let loss: f32 = targets.loss(&logits).unwrap().to_scalar().unwrap();
        let log = |a: f64, b: f64| a - (a.exp() + b.exp()).ln();
        let wanted =
            -(0.9 * log(1.0, -1.0) + 0.1 * log(-1.0, 1.0) + 0.3 * log(0.5, 2.0) + 2.7 * log(2.0, 0.5));
        assert!((f64::from(loss) - wanted / 4.0).abs() < 1e-6, "{loss}");
    }

    #[test]
    fn inputs_and_targets_are_mixed_alike() {
        let config = FitConfig { mixup: 0.5, ..FitConfig::default() };
        let classes = [0usize, 1, 2, 3];
        let mut targets = Targets::new(&classes, &[1.0; 4], 0.0);
        // The input of an example is its own target: mixed, it must still be.
        let input = Tensor::from_slice(&targets.values, (4, 1, 4), &Device::Cpu).unwrap();
        let before = targets.values.clone();
        let mixed = mix(vec![input], &mut targets, &config, &mut Pcg64::seed_from_u64(3)).unwrap();
        let mixed: Vec<f32> = mixed[0].flatten_all().unwrap().to_vec1().unwrap();
        assert!(mixed.iter().zip(&targets.values).all(|(a, b)| (a - b).abs() < 1e-6));
        assert_ne!(targets.values, before);
        for (row, &class) in targets.values.chunks_exact(4).zip(&classes) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6 && row[class] >= 0.5);
        }
    }

    #[test]
    fn rare_classes_weigh_more() {
        assert_eq!(class_weights(&[6, 3, 0], 1.0), [0.75, 1.5, 0.0]);
        assert_eq!(class_weights(&[6, 3, 0], 0.0), [1.0, 1.0, 0.0]);
    }
}
