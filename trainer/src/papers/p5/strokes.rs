//! Training of the network of strokes.

use candle_core::{Device, Tensor};
use rand::Rng;
use rand_pcg::Pcg64;
use sideman_music::encoding::note_tokens::{PITCHES, Place, Shapes, Stroke, strokes};
use sideman_nets::nn::{Mode, Network, Parameters, Specs};
use sideman_inference::papers::p5::StrokeNet;

use super::songs::Song;
use crate::fit::{FitConfig, Loss, Objective, Score, Step};

/// Strokes of a window that come before the first that is scored on the valid split.
const KNOWN: usize = 28;

/// A song as strokes, each with its place in the bar.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) strokes: Vec<(Stroke, usize)>,
    /// How far it may be moved down and up without leaving the piano, at most six semitones.
    moves: (usize, usize),
}

impl Line {
    pub(super) fn new(song: &Song, shapes: &Shapes) -> Self {
        let place = Place(&song.meters);
        let coded = strokes(&song.sonorities, shapes);
        let moves = (
            coded.iter().map(|s| s.low).min().unwrap_or(0).min(6),
            (PITCHES - 1 - coded.iter().map(|s| s.low).max().unwrap_or(PITCHES - 1)).min(5),
        );
        let places = song.sonorities.iter().map(|s| place.of(s.onset));
        Self { strokes: coded.into_iter().zip(places).collect(), moves }
    }
}

/// Lines to learn, and lines to stop by.
pub(super) struct Strokes<'a> {
    pub(super) net: StrokeNet,
    pub(super) train: &'a [Line],
    pub(super) valid: &'a [Line],
    /// Strokes of a window that are predicted.
    pub(super) steps: usize,
    pub(super) dropout: f32,
    /// Whether every window is moved to another key.
    pub(super) keys: bool,
}

/// Windows of lines, end to end, with the same number of strokes each.
fn cut(lines: &[Line], width: usize) -> Vec<&[(Stroke, usize)]> {
    lines.iter().flat_map(|l| l.strokes.chunks_exact(width)).collect()
}

fn tensor(windows: &[Vec<(Stroke, usize)>]) -> candle_core::Result<Tensor> {
    let width = windows.first().map_or(0, Vec::len);
    let flat: Vec<f32> = windows
        .iter()
        .flatten()
        .flat_map(|(s, place)| [s.gap, s.low, s.shape, s.length, *place].map(|v| v as f32))
        .collect();
    Tensor::from_vec(flat, (windows.len(), width, StrokeNet::COLUMNS), &Device::Cpu)
}

/// Mean losses a stroke of the four draws, in nats, and the share of lowest pitches that were the likeliest.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Told {
    pub(super) losses: [f64; 4],
    pub(super) pitches: f64,
    pub(super) count: usize,
}

impl Told {
    pub(super) fn loss(&self) -> f64 {
        self.losses.iter().sum()
    }
}

/// What it says of lines, in windows of `steps` + 1 of whose strokes the last ones count.
pub(super) fn score(
    net: &StrokeNet,
    parameters: &Parameters,
    lines: &[Line],
    steps: usize,
) -> anyhow::Result<Told> {
    let from = KNOWN.min(steps / 2).max(1);
    let (layers, mut told) = (net.load(parameters)?, Told::default());
    for some in cut(lines, steps + 1).chunks(16) {
        let windows: Vec<Vec<(Stroke, usize)>> = some.iter().map(|w| w.to_vec()).collect();
        let t = layers.forward(&tensor(&windows)?, from, 0.0, &mut Mode::Inference)?;
        for (sum, loss) in told.losses.iter_mut().zip(t.losses()?) {
            *sum += f64::from(loss.to_scalar::<f32>()?);
        }
        let said: Vec<u32> = t.logits[1].argmax(1)?.to_vec1()?;
        // Time-major, as the logits are.
        let truth = (from..=steps).flat_map(|s| windows.iter().map(move |w| w[s].0.low));
        told.pitches += said.iter().zip(truth).filter(|(a, b)| **a as usize == *b).count() as f64;
        told.count += said.len();
    }
    let n = told.count.max(1) as f64;
    told.losses.iter_mut().for_each(|l| *l /= n);
    told.pitches /= n;
    Ok(told)
}

impl Objective for Strokes<'_> {
    fn specs(&self) -> Specs {
        self.net.specs()
    }

    /// As many windows as cover the lines once.
    fn examples(&self) -> usize {
        let all: usize = self.train.iter().map(|l| l.strokes.len()).sum();
        (all / self.steps.max(1)).max(2)
    }

    fn inputs(&self, batch: &[usize], rng: &mut Pcg64) -> anyhow::Result<Vec<Tensor>> {
        let width = self.steps + 1;
        let free = |l: &Line| (l.strokes.len() + 1).saturating_sub(width);
        let all: usize = self.train.iter().map(free).sum();
        anyhow::ensure!(all > 0, "no piece is as long as a window of {width} strokes");
        let mut windows = vec![];
        for _ in batch {
            let mut draw = rng.random_range(0..all);
            let mut line = &self.train[0];
            for l in self.train {
                line = l;
                match draw.checked_sub(free(l)) {
                    Some(rest) => draw = rest,
                    None => break,
                }
            }
            let mut window = line.strokes[draw..draw + width].to_vec();
            if self.keys {
                let (down, up) = line.moves;
                let by = rng.random_range(0..=down + up);
                window.iter_mut().for_each(|(s, _)| s.low = (s.low + by).saturating_sub(down));
            }
            windows.push(window);
        }
        Ok(vec![tensor(&windows)?])
    }

    fn loss(&self, step: Step<'_>, inputs: &[Tensor], batch: &[usize]) -> anyhow::Result<Loss> {
        let t = step.layers(&self.net)?.forward(&inputs[0], 1, self.dropout, &mut step.mode())?;
        let rows = (batch.len() * self.steps) as f64;
        let sum = Tensor::stack(&t.losses()?, 0)?.sum_all()?;
        Ok(Loss { mean: (sum / rows)?, right: None })
    }

    fn valid(&self, parameters: &Parameters, _: &FitConfig, _: &Device) -> anyhow::Result<Score> {
        let told = score(&self.net, parameters, self.valid, self.steps)?;
        Ok(Score { loss: told.loss(), accuracy: Some(told.pitches), balanced: None })
    }
}
