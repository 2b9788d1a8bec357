//! Classifiers as what is trained: cross-entropy of softmax against a class an example.

use candle_core::{Device, Tensor};
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;
use sideman_nets::genre::DynClassifier;
use sideman_nets::nn::{Mode, Parameters, Specs};

use super::mixing::{Targets, class_weights, mix};
use super::objective::{Loss, Objective, Score, Step};
use super::predictions::right;
use super::{Examples, FitConfig, FitOptions, Outcome, learn, predict};

/// Trains a classifier to its last epoch, to the end of its patience, or from where it stopped; see [`learn`].
///
/// # Errors
/// As [`learn`]; and when a split has no examples.
pub fn fit(
    network: &DynClassifier,
    train: &dyn Examples,
    valid: &dyn Examples,
    config: &FitConfig,
    recipe: &serde_json::Value,
    options: &FitOptions,
) -> anyhow::Result<Outcome> {
    anyhow::ensure!(!valid.is_empty(), "the valid split has no examples: prepare more music");
    anyhow::ensure!(train.classes() == valid.classes(), "the train and the valid split have other classes");
    let mut counts = vec![0; train.classes().len()];
    (0..train.len()).for_each(|i| counts[train.class(i)] += 1);
    let weights = class_weights(&counts, config.class_weights);
    learn(&Classifier { network, train, valid, config, weights }, config, recipe, options)
}

/// A network with its examples.
struct Classifier<'a> {
    network: &'a DynClassifier,
    train: &'a dyn Examples,
    valid: &'a dyn Examples,
    config: &'a FitConfig,
    /// By class.
    weights: Vec<f32>,
}

impl Objective for Classifier<'_> {
    fn specs(&self) -> Specs {
        self.network.specs()
    }

    fn classes(&self) -> &[String] {
        self.train.classes()
    }

    fn examples(&self) -> usize {
        self.train.len()
    }

    fn inputs(&self, batch: &[usize], rng: &mut Pcg64) -> anyhow::Result<Vec<Tensor>> {
        self.train.inputs(batch, Some(rng))
    }

    fn loss(&self, step: Step<'_>, inputs: &[Tensor], batch: &[usize]) -> anyhow::Result<Loss> {
        let of: Vec<usize> = batch.iter().map(|&i| self.train.class(i)).collect();
        let mut targets = Targets::new(&of, &self.weights, self.config.smoothing);
        let inputs = mix(inputs.to_vec(), &mut targets, self.config, step.rng)?;
        let logits = step.layers(self.network)?.forward(&inputs, &mut step.mode())?;
        let hits = right(&logits, &of)? as f64;
        Ok(Loss { mean: targets.loss(&logits)?, right: Some(hits / of.len().max(1) as f64) })
    }

    fn calibrate(
        &self,
        parameters: &mut Parameters,
        config: &FitConfig,
        rng: &mut Pcg64,
        device: &Device,
    ) -> anyhow::Result<()> {
        let layers = self.network.load(parameters)?;
        // Always the same examples: what differs between epochs is then the weights.
        let mut some: Vec<usize> = (0..self.train.len()).collect();
        some.shuffle(rng);
        some.truncate(config.calibration);
        for (n, batch) in some.chunks(config.batch).filter(|b| b.len() > 1).enumerate() {
            let inputs = self.train.inputs(batch, None)?;
            let inputs =
                inputs.iter().map(|t| t.to_device(device)).collect::<candle_core::Result<Vec<_>>>()?;
            let share = 1.0 / (n + 1) as f32;
            layers.forward(&inputs, &mut Mode::Calibration { running: &mut parameters.running, share })?;
        }
        Ok(())
    }

    fn valid(&self, parameters: &Parameters, config: &FitConfig, device: &Device) -> anyhow::Result<Score> {
        let f = predict(self.network, parameters, self.valid, config.batch, device)?.metrics();
        Ok(Score { loss: f.loss, accuracy: Some(f.accuracy), balanced: Some(f.balanced) })
    }
}
