//! Training of an [`Objective`] under a [`FitConfig`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, ensure};
use candle_core::{Device, Tensor};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rand::SeedableRng;
use rand_pcg::Pcg64;
use sideman_nets::nn::Parameters;

use super::curves::{self, Line};
use super::objective::{Objective, Step};
use super::run::{BEST, Batches, Scored, Training, Weights, check_finite, open, run};
use super::{Choice, FitCheckpoint, FitConfig, Optimizer};

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

/// Trains an objective to its last epoch, to the end of its patience, or from where it stopped. `recipe` is stored
/// in the checkpoints: a run goes on only with the recipe and the configuration that it was begun with.
///
/// The same seed gives the same weights, whatever the number of threads and however often the run was stopped.
///
/// # Errors
/// When the configuration, the data, the folder or the disk do not allow it, or the loss is not finite.
pub fn learn(
    objective: &dyn Objective,
    config: &FitConfig,
    recipe: &serde_json::Value,
    options: &FitOptions,
) -> anyhow::Result<Outcome> {
    config.check()?;
    let examples = objective.examples();
    ensure!(examples > 1, "the train split has {examples} examples: prepare more music");
    let mut at = begin(objective, config, recipe, options)?;
    let mut optimizer =
        Optimizer::new(config.weight_decay, config.clip).with_beta2(config.beta2).with_rule(config.rule);
    optimizer.updates = at.updates;
    let (parameters, moments) = (std::mem::take(&mut at.parameters), std::mem::take(&mut at.moments));
    let mut weights = Weights::new(parameters, moments, optimizer, &options.device)?;
    weights.average = std::mem::take(&mut at.average);
    let mut training = Learning { objective, config, options, at, scored: Parameters::default() };
    run(&mut training, &mut weights, options.stop_after)?;
    let at = &training.at;
    let (loss, balanced) = at.best.unwrap_or((f64::NAN, f64::NAN));
    Ok(Outcome {
        epochs: at.epochs,
        best_epoch: at.best_epoch,
        loss,
        balanced,
        finished: !training.unfinished(),
        seconds: at.seconds,
    })
}

/// The folder's last checkpoint, or the initial state.
fn begin(
    objective: &dyn Objective,
    config: &FitConfig,
    recipe: &serde_json::Value,
    options: &FitOptions,
) -> anyhow::Result<FitCheckpoint> {
    let (out, specs) = (options.out.display(), objective.specs());
    let Some(last) = open(&options.out, options.resume)? else {
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
    };
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

/// A seed for one purpose in one epoch.
fn seed(config: &FitConfig, epoch: usize, purpose: u64) -> Pcg64 {
    Pcg64::seed_from_u64(
        config.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (epoch as u64) << 8 ^ purpose << 56 ^ 0x5DEE_CE66,
    )
}

/// A run of [`learn`].
struct Learning<'a> {
    objective: &'a dyn Objective,
    config: &'a FitConfig,
    options: &'a FitOptions,
    /// How far it is, without the tensors.
    at: FitCheckpoint,
    /// The weights that were last scored.
    scored: Parameters,
}

/// An epoch under way.
struct Epoch {
    number: usize,
    /// Batches in all.
    count: usize,
    /// Batches done.
    done: usize,
    rng: Pcg64,
    bar: ProgressBar,
    /// Mean loss of the batches so far, times their share of all.
    loss: f64,
    norm: f64,
    seen: usize,
    /// Examples that were right, where that means something.
    right: Option<f64>,
}

impl Training for Learning<'_> {
    type Batch = (Vec<usize>, Vec<Tensor>);
    type Epoch = Epoch;

    fn out(&self) -> &Path {
        &self.options.out
    }

    fn epochs(&self) -> usize {
        self.at.epochs
    }

    fn unfinished(&self) -> bool {
        let at = &self.at;
        at.epochs < self.config.epochs && self.config.patience.is_none_or(|p| at.epochs - at.best_epoch < p)
    }

    fn begin(&self, number: usize) -> anyhow::Result<(Epoch, Batches<'_, Self::Batch>)> {
        let (objective, config) = (self.objective, self.config);
        let batches = objective.batches(config, &mut seed(config, number, 1));
        let count = batches.len();
        let bar = ProgressBar::new(count as u64);
        bar.set_style(ProgressStyle::with_template("epoch {msg} {bar:30} {pos}/{len} batches, {eta} left")?);
        bar.set_message(format!("{}", number + 1));
        if !self.options.progress {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let rng = seed(config, number, 2);
        let mut noise = seed(config, number, 3);
        let inputs = batches.into_iter().map(move |batch| {
            let inputs = objective.inputs(&batch, &mut noise)?;
            Ok((batch, inputs))
        });
        let epoch = Epoch { number, count, done: 0, rng, bar, loss: 0.0, norm: 0.0, seen: 0, right: None };
        Ok((epoch, Box::new(inputs)))
    }

    fn update(&self, weights: &mut Weights, e: &mut Epoch, batch: Self::Batch) -> anyhow::Result<()> {
        let (batch, inputs) = batch;
        let share = (e.done + 1) as f64 / e.count as f64;
        let rate = self.config.learning_rate_at(e.number as f64 + share);
        let inputs = inputs
            .into_iter()
            .map(|t| t.to_device(&weights.device))
            .collect::<candle_core::Result<Vec<_>>>()?;
        let step = Step {
            tensors: &weights.tensors,
            running: &mut weights.running,
            rng: &mut e.rng,
            number: e.done,
        };
        let loss = self.objective.loss(step, &inputs, &batch)?;
        let norm = weights.update(&loss.mean, rate)?;
        if self.config.average > 0.0 {
            weights.move_average(self.config.average)?;
        }
        let mean = f64::from(loss.mean.to_scalar::<f32>()?);
        check_finite(mean, norm, format_args!("in epoch {}", e.number + 1))?;
        e.done += 1;
        e.seen += batch.len();
        if let Some(right) = loss.right {
            *e.right.get_or_insert(0.0) += right * batch.len() as f64;
        }
        e.loss += mean / e.count as f64;
        e.norm += norm / e.count as f64;
        e.bar.inc(1);
        Ok(())
    }

    fn score(&mut self, weights: &Weights, e: Epoch, began: Instant) -> anyhow::Result<Scored> {
        e.bar.finish_and_clear();
        let (config, device) = (self.config, &weights.device);
        self.at.epochs += 1;
        self.at.updates = weights.optimizer.updates;
        let tensors = if config.average > 0.0 { &weights.average } else { &weights.tensors };
        self.scored = Parameters { tensors: tensors.clone(), running: weights.running.clone() };
        self.objective.calibrate(&mut self.scored, config, &mut seed(config, 0, 4), device)?;
        let score = self.objective.valid(&self.scored, config, device)?;
        let at = &mut self.at;
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
        }
        let line = Line {
            epoch: at.epochs,
            loss: e.loss,
            accuracy: e.right.map(|r| r / e.seen.max(1) as f64),
            norm: e.norm,
            valid_loss: score.loss,
            valid_accuracy: score.accuracy,
            valid_balanced: score.balanced,
            learning_rate: config.learning_rate_at(at.epochs as f64),
            seconds: at.seconds,
        };
        let text = format!("{}{}", line.text(), if better { " *" } else { "" });
        Ok(Scored { better, line: serde_json::to_string(&line)?, text })
    }

    fn save(&self, weights: &Weights, path: &Path, best: bool) -> anyhow::Result<()> {
        let mut checkpoint = self.at.clone();
        if best {
            checkpoint.parameters = self.scored.clone();
        } else {
            let (tensors, running) = (weights.tensors.clone(), weights.running.clone());
            checkpoint.parameters = Parameters { tensors, running };
            checkpoint.average = weights.average.clone();
            checkpoint.moments = weights.optimizer.moments.clone();
        }
        checkpoint.save(path)
    }

    fn draw(&self) -> anyhow::Result<()> {
        curves::draw(self.out())
    }

    fn print(&self, text: &str) {
        if self.options.progress {
            println!("{text}");
        }
    }
}
