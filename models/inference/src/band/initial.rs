//! Fresh weights.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

use super::layout::{Config, Init};

/// A draw from the normal distribution of deviation 1 (Box & Muller 1958).
pub fn normal(rng: &mut Pcg64) -> f32 {
    let (a, b): (f32, f32) = (rng.random_range(f32::MIN_POSITIVE..1.0), rng.random());
    (-2.0 * a.ln()).sqrt() * (std::f32::consts::TAU * b).cos()
}

impl Config {
    /// Fresh weights from a seed: shape and values by name.
    pub fn initial(&self, seed: u64) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
        let mut rng = Pcg64::seed_from_u64(seed);
        let mut out = BTreeMap::new();
        for spec in self.tensors() {
            let n: usize = spec.shape.iter().product();
            let columns = spec.shape.last().copied().unwrap_or(1);
            let values: Vec<f32> = match spec.init {
                Init::Constant(v) => vec![v; n],
                Init::ForgetBias(v) => (0..n).map(|i| if i / (n / 4) == 1 { v } else { 0.0 }).collect(),
                Init::Normal(deviation) => (0..n).map(|_| deviation * normal(&mut rng)).collect(),
                Init::Diagonal(v) => (0..n)
                    .map(|i| 0.02 * normal(&mut rng) + if i / columns == i % columns { v } else { 0.0 })
                    .collect(),
                Init::Uniform => {
                    let bound = (columns as f32).sqrt().recip();
                    (0..n).map(|_| rng.random_range(-bound..bound)).collect()
                }
            };
            out.insert(spec.name, (spec.shape, values));
        }
        out
    }
}
