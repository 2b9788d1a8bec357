//! Our build on the paper's categories: trained at every step of its windows.

use candle_core::{Device, Tensor};
use rand::Rng;
use rand_pcg::Pcg64;
use sideman_nets::genre::{Network, Parameters, Pass, Specs};
use sideman_nets::papers::{EveryStep, WINDOW};

use super::windows::Score as Told;
use crate::train::{FitConfig, Loss, Objective, Score, Step};

/// Lines to learn, and lines to stop by.
pub(super) struct Every<'a> {
    pub(super) net: EveryStep,
    pub(super) names: &'a [String],
    pub(super) train: &'a [(String, Vec<usize>)],
    pub(super) valid: &'a [(String, Vec<usize>)],
    /// Steps of a window.
    pub(super) steps: usize,
    /// Share of the target that goes to all categories alike.
    pub(super) smoothing: f64,
}

impl Every<'_> {
    /// Where a window of the train lines begins: anywhere, every category as often.
    fn place(&self, rng: &mut Pcg64) -> (usize, usize) {
        let free = |line: &[usize]| line.len().saturating_sub(self.steps);
        let all: usize = self.train.iter().map(|l| free(&l.1)).sum();
        let mut draw = rng.random_range(0..all.max(1));
        for (i, line) in self.train.iter().enumerate() {
            match draw.checked_sub(free(&line.1)) {
                Some(rest) => draw = rest,
                None => return (i, draw),
            }
        }
        (0, 0)
    }
}

impl Objective for Every<'_> {
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
            let (line, at) = self.place(rng);
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
        let wanted = inputs[0].narrow(1, 1, self.steps)?.t()?.contiguous()?.flatten_all()?;
        let wanted: Vec<u32> = wanted.to_vec1::<f32>()?.into_iter().map(|v| v as u32).collect();
        let logits = self.net.every(&mut step.pass(), &x)?;
        let rows = (batch.len() * self.steps) as f64;
        let said: Vec<u32> = logits.argmax(1)?.to_vec1()?;
        let right = said.iter().zip(&wanted).filter(|(a, b)| a == b).count() as f64 / rows;
        let mut mean = (sideman_nets::ops::cross_entropy(&logits, &wanted)? / rows)?;
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
        let told = score(&self.net, parameters, self.valid, WINDOW.min(self.steps))?;
        Ok(Score { loss: told.loss, accuracy: Some(told.accuracy), balanced: None })
    }
}

/// What it says of lines, from the category on that has so many before it. It hears a line from its beginning, so
/// that later ones have more before them than the paper's hundred.
pub(super) fn score(
    net: &EveryStep,
    parameters: &Parameters,
    lines: &[(String, Vec<usize>)],
    from: usize,
) -> anyhow::Result<Told> {
    let mut sums = Told::default();
    for (_, line) in lines.iter().filter(|l| l.1.len() > from) {
        let ids: Vec<f32> = line[..line.len() - 1].iter().map(|&c| c as f32).collect();
        let x = Tensor::from_vec(ids, (1, line.len() - 1), &Device::Cpu)?;
        let logits = net.every(&mut Pass::inference(parameters), &x)?;
        let logits = logits.narrow(0, from - 1, line.len() - from)?.contiguous()?;
        let rows = softmax(logits.to_vec2()?);
        let told = Told::of(rows.iter().map(Vec::as_slice).zip(line[from..].iter().copied()));
        let n = told.count as f64;
        sums.loss += told.loss * n;
        sums.figure3 += told.figure3 * n;
        sums.accuracy += told.accuracy * n;
        sums.count += told.count;
    }
    let n = sums.count.max(1) as f64;
    Ok(Told { loss: sums.loss / n, figure3: sums.figure3 / n, accuracy: sums.accuracy / n, ..sums })
}

/// Softmax of each row.
pub(super) fn softmax(mut rows: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    for row in &mut rows {
        let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.iter_mut().for_each(|v| *v = (*v - top).exp());
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|v| *v /= sum);
    }
    rows
}
