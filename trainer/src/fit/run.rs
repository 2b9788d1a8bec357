//! The loop.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use candle_core::{Device, Tensor, Var};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rand::SeedableRng;
use rand_pcg::Pcg64;
use sideman_nets::nn::Parameters;
use sideman_nets::ops::RunningStatistics;

use super::curves::{self, Line};
use super::objective::{Objective, Step};
use super::{Choice, FitCheckpoint, FitConfig};
use crate::train::Optimizer;

/// Name of the checkpoint of the last epoch in the folder of a run.
const LAST: &str = "last.safetensors";
/// Name of the checkpoint that is to be used.
const BEST: &str = "best.safetensors";

/// How a run is run.
#[derive(Debug, Clone)]
pub struct FitOptions {
    /// Folder of the run; made when it does not exist.
    pub out: PathBuf,
    /// Whether to go on from the folder's last checkpoint, where it has one.
    pub resume: bool,
    /// Epochs after which to stop, to go on later.
    pub stop_after: Option<usize>,
    /// Whether to draw a bar and print a line an epoch.
    pub progress: bool,
    /// Where it is computed.
    pub device: Device,
}

impl FitOptions {
    /// A new, quiet run on the CPU.
    pub fn new(out: &Path) -> Self {
        Self { out: out.to_owned(), resume: false, stop_after: None, progress: false, device: Device::Cpu }
    }
}

/// What came of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Epochs done in all.
    pub epochs: usize,
    /// Epoch whose weights were kept.
    pub best_epoch: usize,
    /// Valid loss of that epoch, in nats.
    pub loss: f64,
    /// Balanced accuracy on the valid split of that epoch; 0 where there is none.
    pub balanced: f64,
    /// Whether nothing is left to do.
    pub finished: bool,
    /// Seconds spent in all.
    pub seconds: f64,
}

impl FitCheckpoint {
    /// The checkpoint in a run's folder that is to be used.
    ///
    /// # Errors
    /// When there is none, or it is damaged.
    pub fn best_of(run: &Path) -> anyhow::Result<Self> {
        Self::load(&run.join(BEST))
    }
}

/// Trains what an objective says to its last epoch, to the end of its patience, or from where it stopped. `recipe` is stored
/// in the checkpoints: a run goes on only with the recipe and the configuration that it was begun with.
///
/// The same seed gives the same weights, whatever the number of threads and however often the run was stopped.
///
/// # Errors
/// When the configuration, the data, the folder or the disk do not allow it, or the loss is no number.
pub fn learn(
    objective: &dyn Objective,
    config: &FitConfig,
    recipe: &serde_json::Value,
    options: &FitOptions,
) -> anyhow::Result<Outcome> {
    config.check()?;
    let examples = objective.examples();
    ensure!(examples > 1, "the train split has {examples} examples: prepare more music");
    std::fs::create_dir_all(&options.out)
        .with_context(|| format!("cannot make the folder {}", options.out.display()))?;
    let mut at = begin(objective, config, recipe, options)?;
    let device = &options.device;
    let mut vars = BTreeMap::new();
    for (name, tensor) in &at.parameters.tensors {
        vars.insert(name.clone(), Var::from_tensor(&tensor.to_device(device)?)?);
    }
    let mut optimizer =
        Optimizer::new(config.weight_decay, config.clip).with_beta2(config.beta2).with_method(config.rule);
    optimizer.updates = at.updates;
    for (name, (m, v)) in std::mem::take(&mut at.moments) {
        optimizer.moments.insert(name, (m.to_device(device)?, v.to_device(device)?));
    }
    let mut state = State {
        objective,
        tensors: vars.iter().map(|(k, v)| (k.clone(), v.as_tensor().clone())).collect(),
        vars,
        optimizer,
        running: std::mem::take(&mut at.parameters.running),
        average: std::mem::take(&mut at.average),
        device: device.clone(),
    };
    let end = options.stop_after.map_or(usize::MAX, |n| at.epochs.saturating_add(n));
    while unfinished(&at, config) && at.epochs < end {
        let began = Instant::now();
        let mean = state.epoch(config, at.epochs, options)?;
        at.epochs += 1;
        at.updates = state.optimizer.updates;
        let scored = state.scored(config)?;
        let score = objective.valid(&scored, config, device)?;
        ensure!(
            score.loss.is_finite(),
            "the valid loss is {} after epoch {}: lower the learning rate",
            score.loss,
            at.epochs
        );
        at.seconds += began.elapsed().as_secs_f64();
        let now = (score.loss, score.balanced.unwrap_or(0.0));
        let better = match (config.choice, at.best) {
            (Choice::Last, _) | (_, None) => true,
            (Choice::Loss, Some(best)) => now.0 < best.0,
            (Choice::Accuracy, Some(best)) => now.1 > best.1 || now.1 == best.1 && now.0 < best.0,
        };
        if better {
            (at.best, at.best_epoch) = (Some(now), at.epochs);
            FitCheckpoint {
                parameters: scored,
                average: BTreeMap::new(),
                moments: BTreeMap::new(),
                ..at.clone()
            }
            .save(&options.out.join(BEST))?;
        }
        let line = Line {
            epoch: at.epochs,
            loss: mean.loss,
            accuracy: mean.accuracy,
            norm: mean.norm,
            valid_loss: score.loss,
            valid_accuracy: score.accuracy,
            valid_balanced: score.balanced,
            learning_rate: config.learning_rate_at(at.epochs as f64),
            seconds: at.seconds,
        };
        curves::add(&options.out, &line)?;
        FitCheckpoint {
            parameters: Parameters { tensors: state.tensors.clone(), running: state.running.clone() },
            average: state.average.clone(),
            moments: state.optimizer.moments.clone(),
            ..at.clone()
        }
        .save(&options.out.join(LAST))?;
        if options.progress {
            println!("{}{}", line.text(), if better { " *" } else { "" });
        }
        // A picture that cannot be drawn is no reason to end a training.
        if let Err(e) = curves::draw(&options.out) {
            eprintln!("the curves were not drawn: {e:#}");
        }
    }
    let (loss, balanced) = at.best.unwrap_or((f64::NAN, f64::NAN));
    Ok(Outcome {
        epochs: at.epochs,
        best_epoch: at.best_epoch,
        loss,
        balanced,
        finished: !unfinished(&at, config),
        seconds: at.seconds,
    })
}

fn unfinished(at: &FitCheckpoint, config: &FitConfig) -> bool {
    at.epochs < config.epochs && config.patience.is_none_or(|p| at.epochs - at.best_epoch < p)
}

/// The folder's last checkpoint, or a fresh one.
fn begin(
    objective: &dyn Objective,
    config: &FitConfig,
    recipe: &serde_json::Value,
    options: &FitOptions,
) -> anyhow::Result<FitCheckpoint> {
    let (out, specs) = (options.out.display(), objective.specs());
    let last = options.out.join(LAST);
    if !last.exists() {
        return Ok(FitCheckpoint {
            config: config.clone(),
            recipe: recipe.clone(),
            classes: objective.classes().to_vec(),
            epochs: 0,
            updates: 0,
            best: None,
            best_epoch: 0,
            seconds: 0.0,
            parameters: Parameters::fresh(&specs, config.seed)?,
            average: BTreeMap::new(),
            moments: BTreeMap::new(),
        });
    }
    if !options.resume {
        bail!("{out} holds a run already: add --resume to go on with it, or choose another --out");
    }
    let at = FitCheckpoint::load(&last)?;
    ensure!(
        at.recipe == *recipe && at.classes == objective.classes(),
        "the run in {out} is of another model or other classes: choose another --out"
    );
    ensure!(
        at.config == *config,
        "the run in {out} was begun with other settings (seed, epochs and so on): repeat them, or choose another --out"
    );
    at.parameters.check(&specs).with_context(|| format!("the run in {out} was made by another version"))?;
    Ok(at)
}

/// What changes from update to update.
struct State<'a> {
    objective: &'a dyn Objective,
    vars: BTreeMap<String, Var>,
    /// The variables' own storage.
    tensors: BTreeMap<String, Tensor>,
    optimizer: Optimizer,
    running: BTreeMap<String, RunningStatistics>,
    average: BTreeMap<String, Tensor>,
    device: Device,
}

/// Means over the batches of an epoch.
#[derive(Default)]
struct Mean {
    loss: f64,
    accuracy: Option<f64>,
    norm: f64,
}

/// A seed for one purpose in one epoch.
fn seed(config: &FitConfig, epoch: usize, purpose: u64) -> Pcg64 {
    Pcg64::seed_from_u64(
        config.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (epoch as u64) << 8 ^ purpose << 56 ^ 0x5DEE_CE66,
    )
}

impl State<'_> {
    /// One epoch. All its randomness is drawn from the seed and its number, so that a run can be resumed.
    fn epoch(&mut self, config: &FitConfig, epoch: usize, options: &FitOptions) -> anyhow::Result<Mean> {
        let objective = self.objective;
        let batches = objective.batches(config, &mut seed(config, epoch, 1));
        let count = batches.len();
        let bar = ProgressBar::new(count as u64);
        bar.set_style(ProgressStyle::with_template("epoch {msg} {bar:30} {pos}/{len} batches, {eta} left")?);
        bar.set_message(format!("{}", epoch + 1));
        if !options.progress {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let mut rng = seed(config, epoch, 2);
        let mut mean = Mean::default();
        let (mut seen, mut right) = (0, None);
        let (sender, receiver) = crossbeam::channel::bounded(2);
        std::thread::scope(|scope| -> anyhow::Result<()> {
            let batches = &batches;
            scope.spawn(move || {
                let mut noise = seed(config, epoch, 3);
                for batch in batches {
                    if sender.send(objective.inputs(batch, &mut noise)).is_err() {
                        break;
                    }
                }
            });
            for (n, (inputs, batch)) in receiver.iter().zip(batches).enumerate() {
                let rate = config.learning_rate_at(epoch as f64 + (n + 1) as f64 / count as f64);
                let step = (n, &mut rng);
                let (loss, hits, norm) = self.update(inputs?, batch, config, rate, step)?;
                ensure!(
                    loss.is_finite() && norm.is_finite(),
                    "the loss is {loss} and its gradient {norm} in epoch {}: lower the learning rate",
                    epoch + 1
                );
                seen += batch.len();
                if let Some(hits) = hits {
                    *right.get_or_insert(0.0) += hits * batch.len() as f64;
                }
                mean.loss += loss / count as f64;
                mean.norm += norm / count as f64;
                bar.inc(1);
            }
            Ok(())
        })?;
        bar.finish_and_clear();
        mean.accuracy = right.map(|r| r / seen.max(1) as f64);
        Ok(mean)
    }

    /// The weights that are scored and kept, with their statistics.
    fn scored(&self, config: &FitConfig) -> anyhow::Result<Parameters> {
        let tensors = if config.average > 0.0 { self.average.clone() } else { self.tensors.clone() };
        let mut scored = Parameters { tensors, running: self.running.clone() };
        self.objective.calibrate(&mut scored, config, &mut seed(config, 0, 4), &self.device)?;
        Ok(scored)
    }

    /// One update: loss, share that was right, norm of the gradient.
    fn update(
        &mut self,
        inputs: Vec<Tensor>,
        batch: &[usize],
        config: &FitConfig,
        rate: f64,
        (number, rng): (usize, &mut Pcg64),
    ) -> anyhow::Result<(f64, Option<f64>, f64)> {
        let inputs =
            inputs.into_iter().map(|t| t.to_device(&self.device)).collect::<candle_core::Result<Vec<_>>>()?;
        let step = Step { tensors: &self.tensors, running: &mut self.running, rng, number };
        let loss = self.objective.loss(step, &inputs, batch)?;
        let grads = loss.mean.backward()?;
        let norm = self.optimizer.step(&self.vars, &grads, rate)?;
        if config.average > 0.0 {
            // At first it follows faster, or the fresh weights would stay in it for long.
            let keep =
                config.average.min((self.optimizer.updates as f64) / (self.optimizer.updates + 9) as f64);
            for (name, tensor) in &self.tensors {
                let next = match self.average.get(name) {
                    Some(old) => ((old * keep)? + (tensor * (1.0 - keep))?)?.detach(),
                    None => tensor.copy()?.detach(),
                };
                self.average.insert(name.clone(), next);
            }
        }
        Ok((f64::from(loss.mean.to_scalar::<f32>()?), loss.right, norm))
    }
}
