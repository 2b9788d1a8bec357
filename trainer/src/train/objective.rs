//! What is trained: a network with its music and its loss.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;
use sideman_nets::nn::{Mode, Network, Parameters, Specs, VarBuilder};
use sideman_nets::ops::RunningStatistics;

use super::FitConfig;

/// The weights of an update, and what it draws from.
pub struct Step<'a> {
    /// The weights by name.
    pub tensors: &'a BTreeMap<String, Tensor>,
    /// Statistics of batch normalisation, which the pass moves.
    pub running: &'a mut BTreeMap<String, RunningStatistics>,
    /// For dropout, noise and mixing.
    pub rng: &'a mut Pcg64,
    /// Which batch of the epoch it is, from 0. A state that is carried from batch to batch begins anew there.
    pub number: usize,
}

impl<'a> Step<'a> {
    /// The layers of a network with these weights.
    ///
    /// # Errors
    /// When the weights are of another network.
    pub fn layers<N: Network + ?Sized>(&self, network: &N) -> candle_core::Result<N::Layers> {
        network.build(&VarBuilder::new(self.tensors, self.running))
    }

    /// A forward pass in training.
    pub fn mode(self) -> Mode<'a> {
        Mode::Training { running: self.running, rng: self.rng }
    }
}

/// What a batch gave.
pub struct Loss {
    /// Mean loss, a scalar to be differentiated; in nats where it is a likelihood.
    pub mean: Tensor,
    /// How much of it was right, 0 to 1, where that means something.
    pub right: Option<f64>,
}

/// What the valid split gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Loss.
    pub loss: f64,
    /// Share that was right.
    pub accuracy: Option<f64>,
    /// Mean share over the classes.
    pub balanced: Option<f64>,
}

impl Score {
    /// A loss alone.
    pub fn of_loss(loss: f64) -> Self {
        Self { loss, accuracy: None, balanced: None }
    }
}

/// What [`super::learn`] trains.
pub trait Objective: Sync {
    /// Every tensor that is trained.
    fn specs(&self) -> Specs;

    /// Names that the checkpoints keep, such as those of classes; a run goes on only with the same.
    fn classes(&self) -> &[String] {
        &[]
    }

    /// Number of examples to train on.
    fn examples(&self) -> usize;

    /// Batches of an epoch, in order. Unless it is otherwise said they are drawn without replacement, and
    /// what is left over at the end is left out: it would weigh more an example, and batch normalisation cannot
    /// do with one.
    fn batches(&self, config: &FitConfig, rng: &mut Pcg64) -> Vec<Vec<usize>> {
        let mut order: Vec<usize> = (0..self.examples()).collect();
        order.shuffle(rng);
        order.truncate(config.examples.unwrap_or(usize::MAX));
        let count = (order.len() / config.batch).max(1);
        order.chunks(config.batch).take(count).map(<[usize]>::to_vec).collect()
    }

    /// What the loss of a batch is computed from, f32 on the CPU, with whatever is varied drawn from `rng`. Called
    /// from another thread than the training.
    ///
    /// # Errors
    /// When an example cannot be read.
    fn inputs(&self, batch: &[usize], rng: &mut Pcg64) -> anyhow::Result<Vec<Tensor>>;

    /// The loss of a batch.
    ///
    /// # Errors
    /// When the inputs do not fit the network.
    fn loss(&self, step: Step<'_>, inputs: &[Tensor], batch: &[usize]) -> anyhow::Result<Loss>;

    /// Takes the statistics of batch normalisation anew, see [`FitConfig::calibration`]. Nothing unless it is
    /// otherwise said.
    ///
    /// # Errors
    /// When an example cannot be read.
    fn calibrate(
        &self,
        _parameters: &mut Parameters,
        _config: &FitConfig,
        _rng: &mut Pcg64,
        _device: &Device,
    ) -> anyhow::Result<()> {
        Ok(())
    }

    /// The score on the valid split.
    ///
    /// # Errors
    /// When an example cannot be read.
    fn valid(&self, parameters: &Parameters, config: &FitConfig, device: &Device) -> anyhow::Result<Score>;
}
