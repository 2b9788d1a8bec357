//! The product's network over the features of bars: each bar through one layer, their mean and maximum through
//! another. No allocation once it is made, no threads, the same sums in the same order.

use serde::{Deserialize, Serialize};

use crate::kernel::Dense;
use crate::weights::{TensorError, Values, take};

/// Normalised features are cut off here: so many deviations from the mean.
pub const MOST_DEVIATIONS: f32 = 5.0;

/// Sizes of the network.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BarNetConfig {
    /// Features of a bar.
    pub features: usize,
    /// Units of the layer of a bar.
    pub hidden: usize,
    /// Units of the layer behind the pooling.
    pub dense: usize,
    /// Number of classes.
    pub classes: usize,
}

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
    pub fn new(config: BarNetConfig, tensors: &Values) -> Result<Self, TensorError> {
        let BarNetConfig { features, hidden, dense: wide, classes } = config;
        let sound = |n: usize| (1..=8192).contains(&n);
        if ![features, hidden, wide, classes].into_iter().all(sound) || classes > super::MOST_CLASSES {
            return Err(TensorError::Sizes(format!("{config:?}")));
        }
        let dense = |name: &str, outputs: usize, inputs: usize| {
            let w = take(tensors, &format!("{name}.w"), &[outputs, inputs])?;
            Ok::<_, TensorError>(Dense::new(inputs, w, take(tensors, &format!("{name}.b"), &[outputs])?))
        };
        Ok(Self {
            config,
            mean: take(tensors, "input.mean", &[features])?,
            scale: take(tensors, "input.scale", &[features])?,
            bar: dense("bar", hidden, features)?,
            dense: dense("dense", wide, 2 * hidden)?,
            out: dense("out", classes, wide)?,
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
    pub fn classify(&self, pool: &mut BarPool, temperature: f32, probabilities: &mut [f32]) {
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
