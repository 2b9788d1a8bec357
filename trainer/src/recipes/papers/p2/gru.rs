//! The GRU on rolls: training, next-step predictions and generation.

use std::sync::Mutex;

use anyhow::Context;
use candle_core::{Device, Tensor};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use serde_json::json;
use sideman_music::encoding::piano_roll::{FiveRolls, PITCHES, RollTrack, draw};
use sideman_nets::nn::{Network, Parameters, Specs};
use sideman_nets::ops::binary_cross_entropy;
use sideman_nets::papers::p2::{RollGru, State, WIDTH};

use super::Setup;
use super::data::{Keys, Music};
use crate::data::Split;
use crate::train::{Choice, FitConfig, Loss, Objective, Schedule, Score, Step};

/// Steps of a window, two beats: the paper calls them "exactly 4 beats", which they would be at 12 steps a beat.
pub(super) const WINDOW: usize = 48;
/// Positions in the long matrix that are read side by side.
const LANES: usize = 16;
/// Steps of each piece of the valid split that an epoch is scored by.
const SCORED: usize = 480;
/// Most pieces that are scored.
const PIECES: usize = 48;

/// Five tracks side by side, 0 or 1: (steps, 640) row-major.
pub(super) fn joined(rolls: &FiveRolls, from: i64, steps: usize) -> Vec<f32> {
    let mut out = vec![0.0; steps * WIDTH];
    let mut track_cells = vec![0.0; steps * PITCHES];
    for track in RollTrack::ALL {
        draw(rolls.track(track), from, &mut track_cells);
        for (step, row) in track_cells.chunks_exact(PITCHES).enumerate() {
            let at = step * WIDTH + track.index() * PITCHES;
            for (to, &v) in out[at..at + PITCHES].iter_mut().zip(row) {
                *to = f32::from(u8::from(v > 0.0));
            }
        }
    }
    out
}

/// All pieces of the train split as one long matrix.
struct Concatenated<'a> {
    music: &'a Music,
    net: RollGru,
    pieces: Vec<usize>,
    /// First step of each piece in the matrix, and the number of all steps.
    starts: Vec<usize>,
    state: Mutex<Option<State>>,
}

impl Concatenated<'_> {
    fn steps(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    fn lane(&self) -> usize {
        self.steps() / LANES
    }

    /// Steps of the matrix, going on at its beginning.
    fn read(&self, from: usize, steps: usize) -> Vec<f32> {
        let mut out = Vec::with_capacity(steps * WIDTH);
        let mut at = from % self.steps();
        while out.len() < steps * WIDTH {
            let piece = self.starts.partition_point(|&s| s <= at) - 1;
            let left = (self.starts[piece + 1] - at).min(steps - out.len() / WIDTH);
            let rolls = self.music.piece(self.pieces[piece]).rolls(Keys::Own);
            out.extend(joined(rolls, (at - self.starts[piece]) as i64, left));
            at = (at + left) % self.steps();
        }
        out
    }
}

impl Objective for Concatenated<'_> {
    fn specs(&self) -> Specs {
        self.net.specs()
    }

    fn examples(&self) -> usize {
        self.lane() / WINDOW
    }

    /// Windows in order from a random one, as the state is carried from each to the next.
    fn batches(&self, config: &FitConfig, rng: &mut Pcg64) -> Vec<Vec<usize>> {
        let all = self.examples().max(1);
        let from = rng.random_range(0..all);
        (0..config.examples.unwrap_or(all).min(all)).map(|i| vec![(from + i) % all]).collect()
    }

    fn inputs(&self, batch: &[usize], _: &mut Pcg64) -> anyhow::Result<Vec<Tensor>> {
        let at = batch.first().copied().unwrap_or(0) * WINDOW;
        let lanes: Vec<Vec<f32>> =
            (0..LANES).map(|lane| self.read(lane * self.lane() + at, WINDOW + 1)).collect();
        // Time first, as the layers want it.
        let rows = |from: usize| -> Vec<f32> {
            let row = |step: usize| {
                lanes.iter().flat_map(move |l| l[step * WIDTH..(step + 1) * WIDTH].iter().copied())
            };
            (from..from + WINDOW).flat_map(row).collect()
        };
        let tensor = |v: Vec<f32>| Tensor::from_vec(v, (WINDOW * LANES, WIDTH), &Device::Cpu);
        Ok(vec![tensor(rows(0))?, tensor(rows(1))?])
    }

    fn loss(&self, step: Step<'_>, inputs: &[Tensor], _: &[usize]) -> anyhow::Result<Loss> {
        let mut carried = self.state.lock().unwrap_or_else(|e| e.into_inner());
        let mut state = match carried.take() {
            Some(state) if step.number > 0 => state,
            _ => self.net.blank(LANES),
        };
        let logits = step.layers(&self.net)?.forward(&inputs[0], &mut state)?;
        *carried = Some(state);
        let targets: Vec<f32> = inputs[1].flatten_all()?.to_vec1()?;
        let nats = binary_cross_entropy(&logits, &targets, &vec![1.0; targets.len()])?;
        Ok(Loss { mean: (nats / (WINDOW * LANES) as f64)?, right: None })
    }

    fn valid(&self, parameters: &Parameters, _: &FitConfig, _: &Device) -> anyhow::Result<Score> {
        let predictions = predictions(self.music, self.net, parameters, Split::Valid)?;
        Ok(Score::of_loss(
            predictions.iter().map(Prediction::nats).sum::<f64>() / predictions.len().max(1) as f64,
        ))
    }
}

/// Predictions of a piece beside the truth: (steps, 640) row-major.
pub(super) struct Prediction {
    pub(super) before: Vec<f32>,
    pub(super) truth: Vec<f32>,
    pub(super) probability: Vec<f32>,
}

impl Prediction {
    /// Nats a step of 640 cells.
    pub(super) fn nats(&self) -> f64 {
        let steps = self.truth.len() / WIDTH;
        cross_entropy(&self.probability, &self.truth) / steps.max(1) as f64
    }
}

/// Binary cross-entropy in nats, summed.
pub(super) fn cross_entropy(predictions: &[f32], truth: &[f32]) -> f64 {
    let nats = |(p, y): (&f32, &f32)| {
        let p = f64::from(*p).clamp(1e-7, 1.0 - 1e-7);
        -(if *y > 0.5 { p.ln() } else { (1.0 - p).ln() })
    };
    predictions.iter().zip(truth).map(nats).sum()
}

/// Runs the network over the beginnings of pieces.
pub(super) fn predictions(
    music: &Music,
    net: RollGru,
    parameters: &Parameters,
    split: Split,
) -> anyhow::Result<Vec<Prediction>> {
    let layers = net.load(parameters)?;
    let mut out = vec![];
    for piece in music.of(split).take(PIECES) {
        let rolls = piece.rolls(Keys::Own);
        let steps = SCORED.min(rolls.steps.saturating_sub(1));
        let all = joined(rolls, 0, steps + 1);
        let (before, truth) = (all[..steps * WIDTH].to_vec(), all[WIDTH..].to_vec());
        let x = Tensor::from_slice(&before, (steps, WIDTH), &Device::Cpu)?;
        let mut probability: Vec<f32> = layers.forward(&x, &mut net.blank(1))?.flatten_all()?.to_vec1()?;
        probability.iter_mut().for_each(|v| *v = 1.0 / (1.0 + (-*v).exp()));
        out.push(Prediction { before, truth, probability });
    }
    Ok(out)
}

/// Name of the run.
pub(super) const NAME: &str = "p2-gru";

/// The network, trained unless it is already.
pub(super) fn train(setup: Setup<'_>) -> anyhow::Result<Parameters> {
    let config = FitConfig {
        seed: setup.run.seed,
        epochs: setup.sizes.gru_epochs,
        batch: LANES,
        examples: Some(setup.sizes.gru_windows),
        learning_rate: 2e-3,
        schedule: Schedule::Cosine,
        clip: 5.0,
        choice: Choice::Loss,
        ..FitConfig::default()
    };
    let recipe = json!({ "paper": "p2", "net": setup.sizes.gru });
    let objective = || {
        let pieces = setup.music.numbers(Split::Train);
        let mut starts = vec![0];
        for &p in &pieces {
            starts.push(starts[starts.len() - 1] + setup.music.piece(p).rolls(Keys::Own).steps);
        }
        Ok(Concatenated { music: setup.music, net: setup.sizes.gru, pieces, starts, state: Mutex::default() })
    };
    Ok(setup.run.trained(NAME, &config, &recipe, objective)?.parameters)
}

/// How a step is made from probabilities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Sampling {
    /// What is above a threshold sounds.
    Threshold(f32),
    /// Each pitch is drawn.
    Draw,
}

/// Continues a prelude (steps, 640) for `steps` steps.
pub(super) fn generate(
    net: RollGru,
    parameters: &Parameters,
    prelude: &[f32],
    steps: usize,
    sampling: Sampling,
    seed: u64,
) -> anyhow::Result<Vec<f32>> {
    let (layers, mut state) = (net.load(parameters)?, net.blank(1));
    let mut rng = Pcg64::seed_from_u64(seed);
    let mut x = Tensor::from_slice(prelude, (prelude.len() / WIDTH, WIDTH), &Device::Cpu)?;
    let mut out = Vec::with_capacity(steps * WIDTH);
    for _ in 0..steps {
        let logits: Vec<f32> = layers.forward(&x, &mut state)?.flatten_all()?.to_vec1()?;
        let last = logits.get(logits.len().saturating_sub(WIDTH)..).context("the prelude is empty")?;
        let row: Vec<f32> = last
            .iter()
            .map(|&v| {
                let p = 1.0 / (1.0 + (-v).exp());
                let least = match sampling {
                    Sampling::Threshold(t) => t,
                    Sampling::Draw => rng.random_range(0.0f32..1.0).max(1e-6),
                };
                f32::from(u8::from(p >= least))
            })
            .collect();
        x = Tensor::from_slice(&row, (1, WIDTH), &Device::Cpu)?;
        out.extend(row);
    }
    Ok(out)
}
