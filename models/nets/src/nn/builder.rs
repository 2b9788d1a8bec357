//! Where layers get their tensors from.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Display;

use candle_core::{DType, Device, Result, Tensor, bail};

use super::{Init, Spec, Specs};
use crate::ops::RunningStatistics;

/// Tensors by name, under a prefix: what layers are built from, like candle-nn's type of the same name.
#[derive(Clone)]
pub struct VarBuilder<'a> {
    source: Source<'a>,
    prefix: String,
}

#[derive(Clone, Copy)]
enum Source<'a> {
    Stored {
        tensors: &'a BTreeMap<String, Tensor>,
        running: &'a BTreeMap<String, RunningStatistics>,
    },
    /// Nothing is stored yet: writes down what is asked for.
    Specs(&'a RefCell<Specs>),
}

impl<'a> VarBuilder<'a> {
    /// Gives out tensors, and running statistics of batch normalisation, by name.
    pub fn new(
        tensors: &'a BTreeMap<String, Tensor>,
        running: &'a BTreeMap<String, RunningStatistics>,
    ) -> Self {
        Self { source: Source::Stored { tensors, running }, prefix: String::new() }
    }

    /// Writes down what is asked for, and gives out tensors of the right shape that take no memory.
    pub(super) fn recording(specs: &'a RefCell<Specs>) -> Self {
        Self { source: Source::Specs(specs), prefix: String::new() }
    }

    /// The tensors whose names go on with `name` and a dot.
    pub fn pp(&self, name: impl Display) -> Self {
        Self { source: self.source, prefix: self.path(name) }
    }

    /// The prefix, without a dot at its end.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    fn path(&self, name: impl Display) -> String {
        if self.prefix.is_empty() { name.to_string() } else { format!("{}.{name}", self.prefix) }
    }

    /// Whether there is a tensor of this name.
    pub fn contains(&self, name: &str) -> bool {
        match self.source {
            Source::Stored { tensors, .. } => tensors.contains_key(&self.path(name)),
            Source::Specs(_) => true,
        }
    }

    /// The tensor `name`, which begins with `init` before training.
    ///
    /// # Errors
    /// When it is missing or has another shape.
    pub fn get(&self, shape: &[usize], name: &str, init: Init) -> Result<Tensor> {
        let name = self.path(name);
        match self.source {
            Source::Stored { tensors, .. } => match tensors.get(&name) {
                Some(t) if t.dims() == shape => Ok(t.clone()),
                Some(t) => bail!("the tensor {name} has the shape {:?}, not {shape:?}", t.dims()),
                None => bail!("the tensor {name} is missing"),
            },
            Source::Specs(specs) => {
                specs.borrow_mut().trained.push(Spec { name, shape: shape.to_vec(), init });
                Tensor::zeros((), DType::F32, &Device::Cpu)?.broadcast_as(shape)
            }
        }
    }

    /// The running statistics of the layer that the prefix names.
    ///
    /// # Errors
    /// When they are missing or of another number of channels.
    pub fn running(&self, channels: usize) -> Result<RunningStatistics> {
        let name = &self.prefix;
        match self.source {
            Source::Stored { running, .. } => match running.get(name) {
                Some(r) if r.mean.len() == channels && r.variance.len() == channels => Ok(r.clone()),
                Some(r) => bail!("the statistics of {name} are of {} channels, not {channels}", r.mean.len()),
                None => bail!("the statistics of {name} are missing"),
            },
            Source::Specs(specs) => {
                specs.borrow_mut().norms.push((name.clone(), channels));
                Ok(RunningStatistics::new(channels))
            }
        }
    }
}
