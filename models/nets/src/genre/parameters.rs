//! Tensors of a network by name, and what they begin with.

use std::collections::BTreeMap;

use candle_core::{Device, Result, Tensor, bail};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

use crate::ops::RunningStatistics;
use sideman_inference::band::normal;

/// What a tensor begins with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Initial {
    /// One value.
    Constant(f32),
    /// Uniform within sqrt(6 / (inputs + outputs)), Keras's own choice for weights (Glorot & Bengio 2010).
    Glorot {
        /// Values that go into an output.
        inputs: usize,
        /// Outputs that a value goes into.
        outputs: usize,
    },
    /// Normal with variance 2 / inputs, for what is rectified (He et al. 2015).
    He {
        /// Values that go into an output.
        inputs: usize,
    },
    /// Columns that are at right angles, of length 1 (Saxe et al. 2014), for (rows, columns) with at least as
    /// many rows: Keras's own choice for recurrent weights.
    Orthogonal,
    /// Zero but for the second quarter, which is one: biases of i, f, g, o with an open forget gate.
    ForgetBias,
}

/// A tensor that is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Name: layer, a dot, and what it is there.
    pub name: String,
    /// Shape.
    pub shape: Vec<usize>,
    /// What it begins with.
    pub initial: Initial,
}

impl Spec {
    /// Number of its values.
    pub fn values(&self) -> usize {
        self.shape.iter().product()
    }
}

/// The tensors of a network, layer by layer. The methods add what the layers of the same names in
/// [`super::Pass`] look up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Specs {
    /// What is trained.
    pub trained: Vec<Spec>,
    /// Layers of batch normalisation with their channels: their running statistics are kept but not trained.
    pub norms: Vec<(String, usize)>,
}

impl Specs {
    /// Number of values that are trained.
    pub fn values(&self) -> usize {
        self.trained.iter().map(Spec::values).sum()
    }

    /// Adds a tensor.
    pub fn tensor(&mut self, name: String, shape: &[usize], initial: Initial) -> &mut Self {
        self.trained.push(Spec { name, shape: shape.to_vec(), initial });
        self
    }

    /// A dense layer: `w` (outputs, inputs) and `b`.
    pub fn linear(&mut self, name: &str, inputs: usize, outputs: usize) -> &mut Self {
        self.tensor(format!("{name}.w"), &[outputs, inputs], Initial::Glorot { inputs, outputs }).tensor(
            format!("{name}.b"),
            &[outputs],
            Initial::Constant(0.0),
        )
    }

    /// A convolution with a kernel of (rows, columns): `w` (outputs, inputs, rows, columns) and `b`.
    pub fn conv(
        &mut self,
        name: &str,
        inputs: usize,
        outputs: usize,
        (rows, columns): (usize, usize),
    ) -> &mut Self {
        let area = rows * columns;
        let initial = Initial::Glorot { inputs: inputs * area, outputs: outputs * area };
        self.tensor(format!("{name}.w"), &[outputs, inputs, rows, columns], initial).tensor(
            format!("{name}.b"),
            &[outputs],
            Initial::Constant(0.0),
        )
    }

    /// A batch normalisation: `gamma` and `beta`, and running statistics.
    pub fn norm(&mut self, name: &str, channels: usize) -> &mut Self {
        self.norms.push((name.to_owned(), channels));
        self.tensor(format!("{name}.gamma"), &[channels], Initial::Constant(1.0)).tensor(
            format!("{name}.beta"),
            &[channels],
            Initial::Constant(0.0),
        )
    }

    /// A long short-term memory: `w` (4 * hidden, inputs), `r` (4 * hidden, hidden) and one bias `b`.
    pub fn lstm(&mut self, name: &str, inputs: usize, hidden: usize) -> &mut Self {
        let outputs = 4 * hidden;
        self.tensor(format!("{name}.w"), &[outputs, inputs], Initial::Glorot { inputs, outputs })
            .tensor(format!("{name}.r"), &[outputs, hidden], Initial::Orthogonal)
            .tensor(format!("{name}.b"), &[outputs], Initial::ForgetBias)
    }

    /// A gated recurrent unit: `w` (3 * hidden, inputs), `r` (3 * hidden, hidden), biases `b` and `rb`.
    pub fn gru(&mut self, name: &str, inputs: usize, hidden: usize) -> &mut Self {
        let outputs = 3 * hidden;
        self.tensor(format!("{name}.w"), &[outputs, inputs], Initial::Glorot { inputs, outputs })
            .tensor(format!("{name}.r"), &[outputs, hidden], Initial::Orthogonal)
            .tensor(format!("{name}.b"), &[outputs], Initial::Constant(0.0))
            .tensor(format!("{name}.rb"), &[outputs], Initial::Constant(0.0))
    }
}

/// Weights and running statistics of a network.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    /// Trained tensors by name.
    pub tensors: BTreeMap<String, Tensor>,
    /// Running statistics by the name of their layer.
    pub running: BTreeMap<String, RunningStatistics>,
}

impl Parameters {
    /// Fresh ones from a seed, on the CPU.
    ///
    /// # Errors
    /// When memory cannot be had.
    pub fn fresh(specs: &Specs, seed: u64) -> Result<Self> {
        let mut rng = Pcg64::seed_from_u64(seed);
        let mut tensors = BTreeMap::new();
        for spec in &specs.trained {
            let values = draw(spec, &mut rng);
            tensors.insert(spec.name.clone(), Tensor::from_vec(values, spec.shape.as_slice(), &Device::Cpu)?);
        }
        let running = specs.norms.iter().map(|(n, c)| (n.clone(), RunningStatistics::new(*c))).collect();
        Ok(Self { tensors, running })
    }

    /// Checks that these are exactly what a network wants.
    ///
    /// # Errors
    /// When a tensor is missing, too much, or of another shape.
    pub fn check(&self, specs: &Specs) -> Result<()> {
        for spec in &specs.trained {
            match self.tensors.get(&spec.name) {
                Some(t) if t.dims() == spec.shape => {}
                Some(t) => {
                    bail!("the tensor {} has the shape {:?}, not {:?}", spec.name, t.dims(), spec.shape)
                }
                None => bail!("the tensor {} is missing", spec.name),
            }
        }
        for (name, channels) in &specs.norms {
            match self.running.get(name) {
                Some(r) if r.mean.len() == *channels && r.variance.len() == *channels => {}
                Some(r) => bail!("the statistics of {name} are of {} channels, not {channels}", r.mean.len()),
                None => bail!("the statistics of {name} are missing"),
            }
        }
        if self.tensors.len() != specs.trained.len() || self.running.len() != specs.norms.len() {
            bail!("there are tensors that the network does not have");
        }
        Ok(())
    }
}

fn draw(spec: &Spec, rng: &mut Pcg64) -> Vec<f32> {
    let n = spec.values();
    match spec.initial {
        Initial::Constant(v) => vec![v; n],
        Initial::Glorot { inputs, outputs } => {
            let bound = (6.0 / (inputs + outputs) as f32).sqrt();
            (0..n).map(|_| rng.random_range(-bound..bound)).collect()
        }
        Initial::He { inputs } => {
            let deviation = (2.0 / inputs as f32).sqrt();
            (0..n).map(|_| deviation * normal(rng)).collect()
        }
        Initial::Orthogonal => orthogonal(&spec.shape, rng),
        Initial::ForgetBias => (0..n).map(|i| if i / (n / 4).max(1) == 1 { 1.0 } else { 0.0 }).collect(),
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

    #[test]
    fn what_does_not_fit_is_named() {
        let mut specs = Specs::default();
        specs.linear("dense", 3, 2).norm("norm", 2).lstm("memory", 2, 2);
        let fresh = Parameters::fresh(&specs, 1).unwrap();
        fresh.check(&specs).unwrap();
        let bias: Vec<f32> = fresh.tensors["memory.b"].to_vec1().unwrap();
        assert_eq!(bias, [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        let mut short = fresh.clone();
        short.tensors.remove("dense.b");
        assert!(short.check(&specs).unwrap_err().to_string().contains("dense.b is missing"));
        let mut wide = fresh.clone();
        wide.running.insert("norm".into(), RunningStatistics::new(3));
        assert!(wide.check(&specs).unwrap_err().to_string().contains("3 channels"));
        let mut more = fresh;
        more.tensors.insert("other".into(), more.tensors["dense.b"].clone());
        assert!(more.check(&specs).is_err());
    }
}
