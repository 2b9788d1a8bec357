//! Layers with their tensors, and what networks are built from.
//!
//! A [`Network`] is a description, sizes without weights. [`Network::build`] gives its layers: structs that hold
//! their tensors and compute with them, as in candle-nn, whose [`Module`] the stateless ones are. candle-nn's own
//! layers and `VarBuilder` are not used: several of its gradients are wrong on the CPU (see [`crate::ops`]), and it
//! knows neither our initial values nor an order in which they are drawn.

mod builder;
mod init;
mod layers;
mod parameters;
mod recurrent;

use std::collections::BTreeMap;

use candle_core::Result;
use rand_pcg::Pcg64;

pub use builder::VarBuilder;
pub use candle_core::Module;
pub use init::Init;
pub use layers::{BatchNorm, Conv2d, Embedding, Linear, NormConfig, dropout};
pub use parameters::{Parameters, Spec, Specs};
pub use recurrent::{Gru, Lstm};

use crate::ops::RunningStatistics;

/// The description of a network, from which its layers are built.
pub trait Network {
    /// Its layers.
    type Layers;

    /// Builds the layers, in the order in which initial values are drawn.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape; for no other reason.
    fn build(&self, vb: &VarBuilder<'_>) -> Result<Self::Layers>;

    /// The layers with weights.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape.
    fn load(&self, parameters: &Parameters) -> Result<Self::Layers> {
        self.build(&VarBuilder::new(&parameters.tensors, &parameters.running))
    }

    /// Names and shapes of its tensors.
    fn specs(&self) -> Specs {
        Specs::of(|vb| self.build(vb))
    }

    /// Number of trained values.
    fn parameters(&self) -> usize {
        self.specs().values()
    }
}

/// How a forward pass treats dropout and batch normalisation.
pub enum Mode<'a> {
    /// No dropout, batch normalisation by its running statistics.
    Inference,
    /// Dropout, and batch normalisation by the batch, whose statistics move the running ones.
    Training {
        /// By the name of their layer.
        running: &'a mut BTreeMap<String, RunningStatistics>,
        /// For dropout.
        rng: &'a mut Pcg64,
    },
    /// To take the statistics of batch normalisation anew: as in training but without dropout. With shares of 1, 1/2,
    /// 1/3 and so on they end as the mean over the batches.
    Calibration {
        /// By the name of their layer.
        running: &'a mut BTreeMap<String, RunningStatistics>,
        /// How far they move towards the batch, whatever the momentum of the layer.
        share: f32,
    },
}
