//! Training of the GRU on rolls, what it is to be compared with, and what it makes.

use std::collections::BTreeMap;
use std::sync::Mutex;

use anyhow::Context;
use candle_core::{Device, Tensor};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use serde_json::json;
use sideman_music::encoding::piano_roll::{FiveRolls, PITCHES, RollTrack, draw};
use sideman_nets::genre::{Parameters, Pass, Specs};
use sideman_nets::ops::binary_cross_entropy;
use sideman_nets::papers::p2::{RollGru, State, WIDTH};

use super::music::{Keys, Music};
use super::{Sizes, finished};
use crate::corpus::Split;
use crate::papers::PaperRun;
use crate::train::{Choice, FitCheckpoint, FitConfig, Loss, Objective, Schedule, Score, Step, learn};

/// Steps of a window, two beats: the paper calls them "exactly 4 beats", which they would be at 12 steps a beat.
pub(super) const WINDOW: usize = 48;
/// Places in the long matrix that are read side by side.
const LANES: usize = 16;
/// Steps of each piece of the valid split that an epoch is scored by.
const SCORED: usize = 480;
/// Most pieces that are scored.
const PIECES: usize = 48;

/// Five tracks side by side, 0 or 1: (steps, 640) row-major.
pub(super) fn joined(rolls: &FiveRolls, from: i64, steps: usize) -> Vec<f32> {
    let mut out = vec![0.0; steps * WIDTH];
    let mut own = vec![0.0; steps * PITCHES];
    for track in RollTrack::ALL {
        draw(rolls.track(track), from, &mut own);
        for (step, row) in own.chunks_exact(PITCHES).enumerate() {
            let at = step * WIDTH + track.index() * PITCHES;
            for (to, &v) in out[at..at + PITCHES].iter_mut().zip(row) {
                *to = f32::from(u8::from(v > 0.0));
            }
        }
    }
    out
}

/// All pieces of the train split as one long matrix.
struct Long<'a> {
    music: &'a Music,
    net: RollGru,
    pieces: Vec<usize>,
    /// First step of each piece in the matrix, and the number of all steps.
    starts: Vec<usize>,
    state: Mutex<Option<State>>,
}

impl Long<'_> {
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

impl Objective for Long<'_> {
    fn specs(&self) -> Specs {
        self.net.specs()
    }

    fn examples(&self) -> usize {
        self.lane() / WINDOW
    }

    /// Windows in order from a place that is drawn, as the state is carried from each to the next.
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
        let pass = step.pass();
        let logits = self.net.run(&pass, &inputs[0], &mut state)?;
        *carried = Some(state);
        let targets: Vec<f32> = inputs[1].flatten_all()?.to_vec1()?;
        let nats = binary_cross_entropy(&logits, &targets, &vec![1.0; targets.len()])?;
        Ok(Loss { mean: (nats / (WINDOW * LANES) as f64)?, right: None })
    }

    fn valid(&self, parameters: &Parameters, _: &FitConfig, _: &Device) -> anyhow::Result<Score> {
        let told = told(self.music, self.net, parameters, Split::Valid)?;
        Ok(Score::of_loss(told.iter().map(Told::nats).sum::<f64>() / told.len().max(1) as f64))
    }
}

/// What the network tells of a piece, and what comes: (steps, 640) row-major.
pub(super) struct Told {
    pub(super) before: Vec<f32>,
    pub(super) truth: Vec<f32>,
    pub(super) probability: Vec<f32>,
}

impl Told {
    /// Nats a step of 640 cells.
    pub(super) fn nats(&self) -> f64 {
        let steps = self.truth.len() / WIDTH;
        cross_entropy(&self.probability, &self.truth) / steps.max(1) as f64
    }
}

/// Binary cross-entropy in nats, summed.
fn cross_entropy(told: &[f32], truth: &[f32]) -> f64 {
    let nats = |(p, y): (&f32, &f32)| {
        let p = f64::from(*p).clamp(1e-7, 1.0 - 1e-7);
        -(if *y > 0.5 { p.ln() } else { (1.0 - p).ln() })
    };
    told.iter().zip(truth).map(nats).sum()
}

/// Has the network read the beginnings of pieces.
pub(super) fn told(
    music: &Music,
    net: RollGru,
    parameters: &Parameters,
    split: Split,
) -> anyhow::Result<Vec<Told>> {
    let pass = Pass::inference(parameters);
    let mut out = vec![];
    for piece in music.of(split).take(PIECES) {
        let rolls = piece.rolls(Keys::Own);
        let steps = SCORED.min(rolls.steps.saturating_sub(1));
        let all = joined(rolls, 0, steps + 1);
        let (before, truth) = (all[..steps * WIDTH].to_vec(), all[WIDTH..].to_vec());
        let x = Tensor::from_slice(&before, (steps, WIDTH), &Device::Cpu)?;
        let mut probability: Vec<f32> = net.run(&pass, &x, &mut net.blank(1))?.flatten_all()?.to_vec1()?;
        probability.iter_mut().for_each(|v| *v = 1.0 / (1.0 + (-*v).exp()));
        out.push(Told { before, truth, probability });
    }
    Ok(out)
}

/// Name of the run.
pub(super) const NAME: &str = "p2-gru";

/// Trains the network, or finds it trained.
pub(super) fn train(job: &PaperRun, music: &Music, sizes: &Sizes) -> anyhow::Result<Parameters> {
    let config = FitConfig {
        seed: job.seed,
        epochs: sizes.gru_epochs,
        batch: LANES,
        examples: Some(sizes.gru_windows),
        learning_rate: 2e-3,
        schedule: Schedule::Cosine,
        clip: 5.0,
        choice: Choice::Loss,
        ..FitConfig::default()
    };
    let recipe = json!({ "paper": "p2", "net": sizes.gru });
    if !finished(job, NAME, &config, &recipe) {
        job.say(&format!("Training {NAME}"));
        let pieces = music.numbers(Split::Train);
        let mut starts = vec![0];
        for &p in &pieces {
            starts.push(starts[starts.len() - 1] + music.piece(p).rolls(Keys::Own).steps);
        }
        let long = Long { music, net: sizes.gru, pieces, starts, state: Mutex::default() };
        learn(&long, &config, &recipe, &job.options(NAME))?;
    }
    Ok(FitCheckpoint::best_of(&job.run(NAME))?.parameters)
}

/// Predictors that know nothing of music: how often each pitch of each track sounds at all, and how often it does
/// after a step in which it did and one in which it did not.
pub(super) struct Trivial {
    /// Steps counted.
    steps: f64,
    sounding: Vec<f64>,
    /// By track: after silence, after sounding: steps and those of them that sound next.
    after: [[(f64, f64); 2]; 5],
}

impl Trivial {
    /// Learned from the beginnings of training pieces.
    pub(super) fn learn(music: &Music) -> Self {
        let mut all = Self { steps: 1.0, sounding: vec![0.5; WIDTH], after: [[(1.0, 0.5); 2]; 5] };
        for piece in music.of(Split::Train).step_by(4) {
            let rolls = piece.rolls(Keys::Own);
            let cells = joined(rolls, 0, rolls.steps.min(1920));
            let rows: Vec<&[f32]> = cells.chunks_exact(WIDTH).collect();
            for pair in rows.windows(2) {
                all.steps += 1.0;
                for (i, (&a, &b)) in pair[0].iter().zip(pair[1]).enumerate() {
                    all.sounding[i] += f64::from(b);
                    let after = &mut all.after[i / PITCHES][usize::from(a > 0.5)];
                    after.0 += 1.0;
                    after.1 += f64::from(b);
                }
            }
        }
        all
    }

    /// Nats a step on what comes: of the frequency of each pitch alone; of "as the step before".
    pub(super) fn nats(&self, told: &[Told]) -> [f64; 2] {
        let mut sums = [0.0; 2];
        for t in told {
            let steps = (t.truth.len() / WIDTH).max(1) as f64;
            let alone: Vec<f32> =
                (0..t.truth.len()).map(|i| (self.sounding[i % WIDTH] / self.steps) as f32).collect();
            let again: Vec<f32> = t
                .before
                .iter()
                .enumerate()
                .map(|(i, &b)| {
                    let (all, sounding) = self.after[i % WIDTH / PITCHES][usize::from(b > 0.5)];
                    (sounding / all) as f32
                })
                .collect();
            sums[0] += cross_entropy(&alone, &t.truth) / steps;
            sums[1] += cross_entropy(&again, &t.truth) / steps;
        }
        sums.map(|s| s / told.len().max(1) as f64)
    }
}

/// How a step is made of probabilities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Choose {
    /// What is above a threshold sounds.
    Threshold(f32),
    /// Each pitch is drawn.
    Draw,
}

/// Goes on from a prelude (steps, 640) for `steps` steps.
pub(super) fn generate(
    net: RollGru,
    parameters: &Parameters,
    prelude: &[f32],
    steps: usize,
    choose: Choose,
    seed: u64,
) -> anyhow::Result<Vec<f32>> {
    let (pass, mut state) = (Pass::inference(parameters), net.blank(1));
    let mut rng = Pcg64::seed_from_u64(seed);
    let mut x = Tensor::from_slice(prelude, (prelude.len() / WIDTH, WIDTH), &Device::Cpu)?;
    let mut out = Vec::with_capacity(steps * WIDTH);
    for _ in 0..steps {
        let logits: Vec<f32> = net.run(&pass, &x, &mut state)?.flatten_all()?.to_vec1()?;
        let last = logits.get(logits.len().saturating_sub(WIDTH)..).context("the prelude is empty")?;
        let row: Vec<f32> = last
            .iter()
            .map(|&v| {
                let p = 1.0 / (1.0 + (-v).exp());
                let least = match choose {
                    Choose::Threshold(t) => t,
                    Choose::Draw => rng.random_range(0.0f32..1.0).max(1e-6),
                };
                f32::from(u8::from(p >= least))
            })
            .collect();
        x = Tensor::from_slice(&row, (1, WIDTH), &Device::Cpu)?;
        out.extend(row);
    }
    Ok(out)
}

/// How far music stands still.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stillness {
    /// Share of steps that sound exactly as the one before.
    pub(super) unchanged: f64,
    /// Share of sounding cells that sound at the next step, too.
    pub(super) kept: f64,
    /// Share of notes longer than a bar of four beats.
    pub(super) long: f64,
    /// Notes that begin, a beat.
    pub(super) onsets: f64,
    /// Distinct pitches, tracks apart.
    pub(super) pitches: f64,
    /// Cells that sound, a step.
    pub(super) cells: f64,
}

impl Stillness {
    /// Of music (steps, 640).
    pub(super) fn of(cells: &[f32]) -> Self {
        let rows: Vec<&[f32]> = cells.chunks_exact(WIDTH).collect();
        let (mut unchanged, mut kept, mut sounding) = (0usize, 0usize, 0usize);
        let (mut notes, mut long) = (0usize, 0usize);
        let mut seen: BTreeMap<usize, usize> = BTreeMap::new();
        let mut pitches = std::collections::BTreeSet::new();
        for (step, row) in rows.iter().enumerate() {
            let next = rows.get(step + 1);
            unchanged += usize::from(next.is_some_and(|n| n == row));
            for (i, &v) in row.iter().enumerate() {
                if v < 0.5 {
                    continue;
                }
                pitches.insert(i);
                sounding += 1;
                let length = seen.remove(&i).unwrap_or(0) + 1;
                notes += usize::from(length == 1);
                long += usize::from(length == 97);
                if next.is_some_and(|n| n[i] > 0.5) {
                    kept += 1;
                    seen.insert(i, length);
                }
            }
        }
        let share = |n: usize, of: usize| n as f64 / of.max(1) as f64;
        Self {
            unchanged: share(unchanged, rows.len().saturating_sub(1)),
            kept: share(kept, sounding),
            long: share(long, notes),
            onsets: share(notes, rows.len()) * 24.0,
            pitches: pitches.len() as f64,
            cells: share(sounding, rows.len()),
        }
    }

    /// Mean of some.
    pub(super) fn mean(all: &[Self]) -> Self {
        let n = all.len().max(1) as f64;
        let of = |f: fn(&Self) -> f64| all.iter().map(f).sum::<f64>() / n;
        Self {
            unchanged: of(|s| s.unchanged),
            kept: of(|s| s.kept),
            long: of(|s| s.long),
            onsets: of(|s| s.onsets),
            pitches: of(|s| s.pitches),
            cells: of(|s| s.cells),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn music_that_stands_still_is_told_from_music_that_moves() {
        let mut still = vec![0.0; 200 * WIDTH];
        (0..200).for_each(|step| still[step * WIDTH + 60] = 1.0);
        let s = Stillness::of(&still);
        assert_eq!((s.unchanged, s.long, s.pitches, s.cells), (1.0, 1.0, 1.0, 1.0));
        assert!((s.kept - 199.0 / 200.0).abs() < 1e-9 && (s.onsets - 24.0 / 200.0).abs() < 1e-9);
        let mut moving = vec![0.0; 200 * WIDTH];
        (0..200).for_each(|step| moving[step * WIDTH + 60 + step / 10 % 4] = 1.0);
        let m = Stillness::of(&moving);
        assert_eq!((m.long, m.pitches), (0.0, 4.0));
        assert!(m.unchanged < 0.92 && (m.onsets - 2.4).abs() < 1e-9, "{m:?}");
        assert_eq!(Stillness::of(&[]).cells, 0.0);
    }
}
