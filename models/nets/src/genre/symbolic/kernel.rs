//! [`super::BarNet`] in plain code: no allocation once it is made, no threads, the same sums in the same order.

use std::collections::BTreeMap;

use super::bar_net::{BarNetConfig, MOST_DEVIATIONS};
use crate::genre::dense::Dense;

/// The weights, immutable and shared by all who listen.
#[derive(Debug, Clone, PartialEq)]
pub struct BarKernel {
    config: BarNetConfig,
    mean: Vec<f32>,
    scale: Vec<f32>,
    bar: Dense,
    dense: Dense,
    out: Dense,
}

/// Shapes of the tensors of a weights file, by name.
pub(in crate::genre) fn tensor_shapes(config: &BarNetConfig) -> Vec<(String, Vec<usize>)> {
    let BarNetConfig { features, hidden, dense, classes } = *config;
    let mut out = vec![("input.mean".to_owned(), vec![features]), ("input.scale".to_owned(), vec![features])];
    for (name, outputs, inputs) in
        [("bar", hidden, features), ("dense", dense, 2 * hidden), ("out", classes, dense)]
    {
        out.push((format!("{name}.w"), vec![outputs, inputs]));
        out.push((format!("{name}.b"), vec![outputs]));
    }
    out
}

impl BarKernel {
    /// From tensors by name: `input.mean`, `input.scale`, and `w` and `b` of `bar`, `dense` and `out`.
    ///
    /// # Errors
    /// With the name of the tensor that is missing or of another size.
    pub fn new(config: BarNetConfig, tensors: &BTreeMap<String, Vec<f32>>) -> Result<Self, String> {
        let sizes = [config.features, config.hidden, config.dense, config.classes];
        if sizes.iter().any(|&n| n == 0 || n > 8192) || config.classes > super::MOST_CLASSES {
            return Err(format!("absurd sizes {config:?}"));
        }
        let shapes: BTreeMap<String, Vec<usize>> = tensor_shapes(&config).into_iter().collect();
        let take = |name: String| match tensors.get(&name) {
            Some(v) if v.len() == shapes[&name].iter().product::<usize>() => Ok(v.clone()),
            Some(v) => Err(format!("{name}: {} values for {:?}", v.len(), shapes[&name])),
            None => Err(format!("{name}: missing")),
        };
        let dense = |name: &str| {
            let inputs = shapes[&format!("{name}.w")][1];
            Ok::<_, String>(Dense::new(inputs, take(format!("{name}.w"))?, take(format!("{name}.b"))?))
        };
        Ok(Self {
            config,
            mean: take("input.mean".into())?,
            scale: take("input.scale".into())?,
            bar: dense("bar")?,
            dense: dense("dense")?,
            out: dense("out")?,
        })
    }

    /// Sizes.
    pub fn config(&self) -> &BarNetConfig {
        &self.config
    }

    /// The units of a bar.
    ///
    /// # Panics
    /// When `figures`, `normal` or `units` have another length than the config's features, features and hidden units.
    pub fn bar(&self, figures: &[f32], normal: &mut [f32], units: &mut [f32]) {
        assert_eq!([figures.len(), normal.len()], [self.config.features; 2], "figures of a bar");
        assert_eq!(units.len(), self.config.hidden, "units of a bar");
        for (((n, x), mean), scale) in normal.iter_mut().zip(figures).zip(&self.mean).zip(&self.scale) {
            *n = ((x - mean) * scale).clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS);
        }
        self.bar.run(normal, true, units);
    }

    /// Probabilities of the classes for pooled bars, with the logits divided by `temperature`. All equal when no
    /// bar was pooled.
    ///
    /// # Panics
    /// When `pool` or `probabilities` are of other sizes.
    pub fn tell(&self, pool: &mut BarPool, temperature: f32, probabilities: &mut [f32]) {
        assert_eq!(probabilities.len(), self.config.classes, "classes");
        if pool.count == 0 {
            probabilities.fill(1.0 / self.config.classes as f32);
            return;
        }
        let hidden = self.config.hidden;
        let (mean, most) = pool.pooled.split_at_mut(hidden);
        mean.iter_mut().zip(&pool.sum).for_each(|(m, s)| *m = s / pool.count as f32);
        most.copy_from_slice(&pool.most);
        self.dense.run(&pool.pooled, true, &mut pool.dense);
        self.out.run(&pool.dense, false, probabilities);
        let most = probabilities.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        probabilities.iter_mut().for_each(|p| *p = ((*p - most) / temperature).exp());
        let sum: f32 = probabilities.iter().sum();
        probabilities.iter_mut().for_each(|p| *p /= sum);
    }
}

/// Bars put together. Allocates when it is made and never after.
#[derive(Debug, Clone, PartialEq)]
pub struct BarPool {
    sum: Vec<f32>,
    most: Vec<f32>,
    count: usize,
    pooled: Vec<f32>,
    dense: Vec<f32>,
}

impl BarPool {
    /// An empty one for a kernel.
    pub fn new(kernel: &BarKernel) -> Self {
        let (hidden, dense) = (kernel.config.hidden, kernel.config.dense);
        Self {
            sum: vec![0.0; hidden],
            most: vec![0.0; hidden],
            count: 0,
            pooled: vec![0.0; 2 * hidden],
            dense: vec![0.0; dense],
        }
    }

    /// Forgets all bars.
    pub fn clear(&mut self) {
        self.sum.fill(0.0);
        self.most.fill(0.0);
        self.count = 0;
    }

    /// Adds the units of a bar.
    pub fn add(&mut self, units: &[f32]) {
        self.sum.iter_mut().zip(units).for_each(|(s, u)| *s += u);
        self.most.iter_mut().zip(units).for_each(|(m, u)| *m = m.max(*u));
        self.count += 1;
    }

    /// Number of bars.
    pub fn bars(&self) -> usize {
        self.count
    }
}
