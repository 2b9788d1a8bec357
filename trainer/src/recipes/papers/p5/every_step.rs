//! Training of our network on the paper's categories, at every step of its windows.

use candle_core::{Device, Tensor};
use rand_pcg::Pcg64;
use sideman_nets::nn::{Mode, Network, Parameters, Specs};
use sideman_nets::papers::{EveryStep, WINDOW};

use super::songs::Line;
use super::windows::{Score as TokenScore, draw_window};
use crate::train::{FitConfig, Loss, Objective, Score, Step};

/// Lines to train on, and lines that choose the epoch.
pub(super) struct EveryStepObjective<'a> {
    pub(super) net: EveryStep,
    pub(super) names: &'a [String],
    pub(super) train: &'a [Line],
    pub(super) valid: &'a [Line],
    /// Steps of a window.
    pub(super) steps: usize,
    /// Share of the target that goes to all categories alike.
    pub(super) smoothing: f64,
}

impl Objective for EveryStepObjective<'_> {
    fn specs(&self) -> Specs {
        self.net.specs()
    }

    fn classes(&self) -> &[String] {
        self.names
    }

    /// As many windows as cover the lines once.
    fn examples(&self) -> usize {
        let all: usize = self.train.iter().map(|l| l.1.len()).sum();
        (all / self.steps.max(1)).max(2)
    }

    fn inputs(&self, batch: &[usize], rng: &mut Pcg64) -> anyhow::Result<Vec<Tensor>> {
        let mut ids = Vec::with_capacity(batch.len() * (self.steps + 1));
        for _ in batch {
            let (line, at) = draw_window(self.train.iter().map(|l| l.1.len()), self.steps, rng);
            let line = &self.train[line].1;
            let end = (at + self.steps + 1).min(line.len());
            let start = end.saturating_sub(self.steps + 1);
            ids.extend(line[start..end].iter().map(|&c| c as f32));
        }
        let width = ids.len() / batch.len().max(1);
        anyhow::ensure!(width == self.steps + 1, "the lines are shorter than a window of {}", self.steps);
        Ok(vec![Tensor::from_vec(ids, (batch.len(), width), &Device::Cpu)?])
    }

    fn loss(&self, step: Step<'_>, inputs: &[Tensor], batch: &[usize]) -> anyhow::Result<Loss> {
        let x = inputs[0].narrow(1, 0, self.steps)?;
        let targets = inputs[0].narrow(1, 1, self.steps)?.t()?.contiguous()?.flatten_all()?;
        let targets: Vec<u32> = targets.to_vec1::<f32>()?.into_iter().map(|v| v as u32).collect();
        let logits = step.layers(&self.net)?.forward(&x, &mut step.mode())?;
        let rows = (batch.len() * self.steps) as f64;
        let predicted: Vec<u32> = logits.argmax(1)?.to_vec1()?;
        let right = predicted.iter().zip(&targets).filter(|(a, b)| a == b).count() as f64 / rows;
        let mut mean = (sideman_nets::ops::cross_entropy(&logits, &targets)? / rows)?;
        if self.smoothing > 0.0 {
            // The cross-entropy against all categories alike: the logarithm of the sum less the mean logit.
            let top = logits.max_keepdim(1)?.detach();
            let all = (logits.broadcast_sub(&top)?.exp()?.sum_keepdim(1)?.log()? + top)?;
            let even = (all - logits.mean_keepdim(1)?)?.mean_all()?;
            mean = ((mean * (1.0 - self.smoothing))? + (even * self.smoothing)?)?;
        }
        Ok(Loss { mean, right: Some(right) })
    }

    fn valid(&self, parameters: &Parameters, _: &FitConfig, _: &Device) -> anyhow::Result<Score> {
        let scored = score(&self.net, parameters, self.valid, WINDOW.min(self.steps))?;
        Ok(Score { loss: scored.loss, accuracy: Some(scored.accuracy), balanced: None })
    }
}

/// Scores the categories of lines from number `from` on. Each line is read from its beginning, so that later
/// categories have a longer context than the paper's hundred.
pub(super) fn score(
    net: &EveryStep,
    parameters: &Parameters,
    lines: &[Line],
    from: usize,
) -> anyhow::Result<TokenScore> {
    let (layers, mut sums) = (net.load(parameters)?, TokenScore::default());
    for (_, line) in lines.iter().filter(|l| l.1.len() > from) {
        let ids: Vec<f32> = line[..line.len() - 1].iter().map(|&c| c as f32).collect();
        let x = Tensor::from_vec(ids, (1, line.len() - 1), &Device::Cpu)?;
        let logits = layers.forward(&x, &mut Mode::Inference)?;
        let logits = logits.narrow(0, from - 1, line.len() - from)?.contiguous()?;
        let scored = TokenScore::of(softmax(logits.to_vec2()?).into_iter().zip(line[from..].iter().copied()));
        sums.add(&scored, scored.count as f64);
        sums.count += scored.count;
    }
    Ok(sums.mean_of(sums.count))
}

/// Softmax of each row.
fn softmax(mut rows: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    for row in &mut rows {
        let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.iter_mut().for_each(|v| *v = (*v - top).exp());
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|v| *v /= sum);
    }
    rows
}
