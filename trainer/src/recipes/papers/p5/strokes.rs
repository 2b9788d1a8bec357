//! Training of the network of strokes.

use candle_core::{Device, Tensor};
use rand::Rng;
use rand_pcg::Pcg64;
use sideman_inference::papers::p5::StrokeNet;
use sideman_music::encoding::note_tokens::{BarPlace, PITCHES, Shapes, Stroke, strokes};
use sideman_nets::nn::{Mode, Network, Parameters, Specs};

use super::songs::Song;
use super::windows::draw_window;
use crate::train::{FitConfig, Loss, Objective, Score, Step};

/// Strokes of a window that are context alone, of at most half of it, when it is scored.
const KNOWN: usize = 28;

/// A song as strokes, each with its place in the bar.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) strokes: Vec<(Stroke, usize)>,
    /// Semitones that it can be transposed down and up without leaving the piano, at most 6 and 5.
    moves: (usize, usize),
}

impl Line {
    pub(super) fn new(song: &Song, shapes: &Shapes) -> Self {
        let place = BarPlace(&song.meters);
        let coded = strokes(&song.sonorities, shapes);
        let moves = (
            coded.iter().map(|s| s.low).min().unwrap_or(0).min(6),
            (PITCHES - 1 - coded.iter().map(|s| s.low).max().unwrap_or(PITCHES - 1)).min(5),
        );
        let places = song.sonorities.iter().map(|s| place.of(s.onset));
        Self { strokes: coded.into_iter().zip(places).collect(), moves }
    }
}

/// Lines to train on, and lines that choose the epoch.
pub(super) struct StrokeObjective<'a> {
    pub(super) net: StrokeNet,
    pub(super) train: &'a [Line],
    pub(super) valid: &'a [Line],
    /// Strokes of a window that are predicted.
    pub(super) steps: usize,
    pub(super) dropout: f32,
    /// Whether every window is transposed at random.
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

/// Mean losses a stroke of its four values, in nats, and the accuracy of the lowest pitch.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct StrokeScore {
    pub(super) losses: [f64; 4],
    pub(super) pitches: f64,
    pub(super) count: usize,
}

impl StrokeScore {
    pub(super) fn loss(&self) -> f64 {
        self.losses.iter().sum()
    }
}

/// Scores lines in windows of `steps` + 1 strokes; the first [`KNOWN`] of each are context alone.
pub(super) fn score(
    net: &StrokeNet,
    parameters: &Parameters,
    lines: &[Line],
    steps: usize,
) -> anyhow::Result<StrokeScore> {
    let from = KNOWN.min(steps / 2).max(1);
    let (layers, mut scored) = (net.load(parameters)?, StrokeScore::default());
    for chunk in cut(lines, steps + 1).chunks(16) {
        let windows: Vec<Vec<(Stroke, usize)>> = chunk.iter().map(|w| w.to_vec()).collect();
        let t = layers.forward(&tensor(&windows)?, from, 0.0, &mut Mode::Inference)?;
        for (sum, loss) in scored.losses.iter_mut().zip(t.losses()?) {
            *sum += f64::from(loss.to_scalar::<f32>()?);
        }
        let predicted: Vec<u32> = t.logits[1].argmax(1)?.to_vec1()?;
        // Time-major, as the logits are.
        let truth = (from..=steps).flat_map(|s| windows.iter().map(move |w| w[s].0.low));
        scored.pitches += predicted.iter().zip(truth).filter(|(a, b)| **a as usize == *b).count() as f64;
        scored.count += predicted.len();
    }
    let n = scored.count.max(1) as f64;
    scored.losses.iter_mut().for_each(|l| *l /= n);
    scored.pitches /= n;
    Ok(scored)
}

impl Objective for StrokeObjective<'_> {
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
        anyhow::ensure!(
            self.train.iter().any(|l| l.strokes.len() >= width),
            "no piece is as long as a window of {width} strokes"
        );
        let mut windows = vec![];
        for _ in batch {
            let (line, at) = draw_window(self.train.iter().map(|l| l.strokes.len()), self.steps, rng);
            let line = &self.train[line];
            let mut window = line.strokes[at..at + width].to_vec();
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
        let scored = score(&self.net, parameters, self.valid, self.steps)?;
        Ok(Score { loss: scored.loss(), accuracy: Some(scored.pitches), balanced: None })
    }
}
