//! Tensors of a network by name.

use std::cell::RefCell;
use std::collections::BTreeMap;

use candle_core::{Device, Result, Tensor, bail};
use rand::SeedableRng;
use rand_pcg::Pcg64;

use super::{Init, VarBuilder};
use crate::ops::RunningStatistics;

/// A tensor that is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Name: layer, a dot, and what it is there.
    pub name: String,
    /// Shape.
    pub shape: Vec<usize>,
    /// What it begins with.
    pub init: Init,
}

impl Spec {
    /// Number of its values.
    pub fn values(&self) -> usize {
        self.shape.iter().product()
    }
}

/// The tensors of a network, in the order in which its layers ask for them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Specs {
    /// What is trained.
    pub trained: Vec<Spec>,
    /// Layers of batch normalisation with their channels: their running statistics are kept but not trained.
    pub norms: Vec<(String, usize)>,
}

impl Specs {
    /// What building asks for.
    pub fn of<T>(build: impl FnOnce(&VarBuilder<'_>) -> Result<T>) -> Self {
        let specs = RefCell::default();
        // Nothing is missing in a recording, and a network refuses nothing else.
        let built = build(&VarBuilder::recording(&specs)).err();
        debug_assert!(built.is_none(), "{built:?}");
        specs.into_inner()
    }

    /// Number of values that are trained.
    pub fn values(&self) -> usize {
        self.trained.iter().map(Spec::values).sum()
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
    /// Initial ones from a seed, on the CPU.
    ///
    /// # Errors
    /// When memory cannot be had.
    pub fn fresh(specs: &Specs, seed: u64) -> Result<Self> {
        let mut rng = Pcg64::seed_from_u64(seed);
        let mut tensors = BTreeMap::new();
        for Spec { name, shape, init } in &specs.trained {
            let values = init.draw(shape, &mut rng);
            tensors.insert(name.clone(), Tensor::from_vec(values, shape.as_slice(), &Device::Cpu)?);
        }
        let running = specs.norms.iter().map(|(n, c)| (n.clone(), RunningStatistics::new(*c))).collect();
        Ok(Self { tensors, running })
    }

    /// Values of the trained tensors, row-major, by their names behind `prefix`: what `sideman-inference` runs from.
    ///
    /// # Errors
    /// When a tensor holds another type than f32.
    pub fn values(&self, prefix: &str) -> Result<BTreeMap<String, Vec<f32>>> {
        let one =
            |(name, t): (&String, &Tensor)| Ok((format!("{prefix}{name}"), t.flatten_all()?.to_vec1()?));
        self.tensors.iter().map(one).collect()
    }

    /// Checks that these are exactly what a network wants.
    ///
    /// # Errors
    /// When a tensor is missing, too much, or of another shape.
    pub fn check(&self, specs: &Specs) -> Result<()> {
        let vb = VarBuilder::new(&self.tensors, &self.running);
        for spec in &specs.trained {
            vb.get(&spec.shape, &spec.name, spec.init)?;
        }
        for (name, channels) in &specs.norms {
            vb.pp(name).running(*channels)?;
        }
        if self.tensors.len() != specs.trained.len() || self.running.len() != specs.norms.len() {
            bail!("there are tensors that the network does not have");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BatchNorm, Linear, Lstm, NormConfig};
    use super::*;
    use crate::ops::Activation;

    #[test]
    fn what_does_not_fit_is_named() {
        let specs = Specs::of(|vb| {
            Linear::new(3, 2, Activation::None, vb.pp("dense"))?;
            BatchNorm::new(2, NormConfig::KERAS, Activation::None, vb.pp("norm"))?;
            Lstm::new(2, 2, vb.pp("memory"))
        });
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
