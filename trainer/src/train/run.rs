//! The loop of every training: epochs of batches that another thread prepares, a score and checkpoints after each.

use std::collections::BTreeMap;
use std::fmt::Arguments;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use candle_core::{Device, Tensor, Var};
use sideman_nets::nn::Parameters;
use sideman_nets::ops::RunningStatistics;

use super::Optimizer;
use super::optimizer::Moments;

/// Name of the checkpoint of the last epoch in the folder of a run.
pub(crate) const LAST: &str = "last.safetensors";
/// Name of the checkpoint that is to be used.
pub(crate) const BEST: &str = "best.safetensors";
/// Name of the log in the folder of a run.
pub(crate) const LOG: &str = "log.jsonl";
/// Name of the picture of the curves in the folder of a run.
pub(crate) const PICTURE: &str = "loss.png";

/// Batches of an epoch, prepared on another thread than the updates.
pub(crate) type Batches<'a, T> = Box<dyn Iterator<Item = anyhow::Result<T>> + Send + 'a>;

/// A training as [`run`] drives it. All randomness of an epoch is drawn from the seed and the epoch's number, so
/// that a run that was stopped ends with the same weights.
pub(crate) trait Training {
    /// What the loss of a batch is computed from.
    type Batch: Send;
    /// State carried from batch to batch; each epoch begins with a new one.
    type Epoch;

    /// Folder of the run.
    fn out(&self) -> &Path;

    /// Epochs finished.
    fn epochs(&self) -> usize;

    /// Whether another epoch is to follow.
    fn unfinished(&self) -> bool;

    /// The state and the batches of an epoch, counted from 0.
    fn begin(&self, epoch: usize) -> anyhow::Result<(Self::Epoch, Batches<'_, Self::Batch>)>;

    /// One update of the weights.
    fn update(
        &self,
        weights: &mut Weights,
        epoch: &mut Self::Epoch,
        batch: Self::Batch,
    ) -> anyhow::Result<()>;

    /// Counts the epoch as finished and scores its weights.
    fn score(&mut self, weights: &Weights, epoch: Self::Epoch, began: Instant) -> anyhow::Result<Scored>;

    /// Writes a checkpoint: of the weights just scored, or of all that going on needs.
    fn save(&self, weights: &Weights, path: &Path, best: bool) -> anyhow::Result<()>;

    /// Draws the curves of the log.
    fn draw(&self) -> anyhow::Result<()>;

    /// Prints the text of [`Scored`].
    fn print(&self, text: &str);
}

/// The end of an epoch.
pub(crate) struct Scored {
    /// Whether its weights are the best so far.
    pub(crate) better: bool,
    /// Line for the log, JSON.
    pub(crate) line: String,
    /// Line for the user.
    pub(crate) text: String,
}

/// Trains to the end, or for so many epochs.
///
/// # Errors
/// Those of the training; when the disk is full or the folder read-only.
pub(crate) fn run<T: Training>(
    training: &mut T,
    weights: &mut Weights,
    stop_after: Option<usize>,
) -> anyhow::Result<()> {
    let end = stop_after.map_or(usize::MAX, |n| training.epochs().saturating_add(n));
    while training.unfinished() && training.epochs() < end {
        let began = Instant::now();
        let (mut epoch, batches) = training.begin(training.epochs())?;
        let (sender, receiver) = crossbeam::channel::bounded(2);
        std::thread::scope(|scope| -> anyhow::Result<()> {
            scope.spawn(move || {
                for batch in batches {
                    if sender.send(batch).is_err() {
                        break;
                    }
                }
            });
            // Moved in here: when an update fails, the other thread must find the channel closed.
            let receiver = receiver;
            for batch in &receiver {
                training.update(weights, &mut epoch, batch?)?;
            }
            Ok(())
        })?;
        let scored = training.score(weights, epoch, began)?;
        if scored.better {
            training.save(weights, &training.out().join(BEST), true)?;
        }
        append(training.out(), &scored.line)?;
        training.save(weights, &training.out().join(LAST), false)?;
        training.print(&scored.text);
        // A picture that cannot be drawn is no reason to end a training.
        if let Err(e) = training.draw() {
            eprintln!("the loss curves were not drawn: {e:#}");
        }
    }
    Ok(())
}

/// Makes the folder of a run and returns the checkpoint to resume from, if there is one.
///
/// # Errors
/// When there is one and `resume` does not allow it, or the folder cannot be made.
pub(crate) fn open(out: &Path, resume: bool) -> anyhow::Result<Option<PathBuf>> {
    std::fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
    let last = out.join(LAST);
    if !last.exists() {
        return Ok(None);
    }
    if !resume {
        bail!(
            "{} holds a run already: add --resume to go on with it, or choose another --out",
            out.display()
        );
    }
    Ok(Some(last))
}

/// Adds a line to the log of a run.
pub(crate) fn append(run: &Path, line: &str) -> anyhow::Result<()> {
    let path = run.join(LOG);
    let file = std::fs::File::options().create(true).append(true).open(&path);
    file.and_then(|mut f| writeln!(f, "{line}")).with_context(|| format!("cannot write {}", path.display()))
}

/// Fails unless the loss and the norm of its gradient are finite.
pub(crate) fn check_finite(loss: f64, norm: f64, place: Arguments<'_>) -> anyhow::Result<()> {
    ensure!(
        loss.is_finite() && norm.is_finite(),
        "the loss is {loss} and its gradient {norm} {place}: lower the learning rate"
    );
    Ok(())
}

/// The device of a name.
pub(crate) fn device(name: &str) -> anyhow::Result<Device> {
    Ok(match name {
        "cpu" => Device::Cpu,
        "cuda" => {
            Device::new_cuda(0).context("no CUDA device: build with --features cuda, or use --device cpu")?
        }
        "metal" => Device::new_metal(0)
            .context("no Metal device: build with --features metal, or use --device cpu")?,
        other => bail!("unknown device '{other}': choose cpu, cuda or metal"),
    })
}

/// Weights in training, with the state of their optimizer.
pub(crate) struct Weights {
    /// The variables' own storage by name: an update moves it.
    pub(crate) tensors: BTreeMap<String, Tensor>,
    /// Statistics of batch normalisation.
    pub(crate) running: BTreeMap<String, RunningStatistics>,
    /// Moving average of the weights, where there is one.
    pub(crate) average: BTreeMap<String, Tensor>,
    /// The optimizer.
    pub(crate) optimizer: Optimizer,
    /// Where they lie.
    pub(crate) device: Device,
    vars: BTreeMap<String, Var>,
}

impl Weights {
    /// Weights and moments moved to a device.
    pub(crate) fn new(
        parameters: Parameters,
        moments: Moments,
        mut optimizer: Optimizer,
        device: &Device,
    ) -> candle_core::Result<Self> {
        let mut vars = BTreeMap::new();
        for (name, tensor) in parameters.tensors {
            vars.insert(name, Var::from_tensor(&tensor.to_device(device)?)?);
        }
        for (name, (m, v)) in moments {
            optimizer.moments.insert(name, (m.to_device(device)?, v.to_device(device)?));
        }
        Ok(Self {
            tensors: vars.iter().map(|(k, v)| (k.clone(), v.as_tensor().clone())).collect(),
            running: parameters.running,
            average: BTreeMap::new(),
            optimizer,
            device: device.clone(),
            vars,
        })
    }

    /// One update against the gradient of a loss, a scalar. Returns the norm of the gradient before clipping.
    pub(crate) fn update(&mut self, loss: &Tensor, learning_rate: f64) -> candle_core::Result<f64> {
        self.optimizer.step(&self.vars, &loss.backward()?, learning_rate)
    }

    /// Moves the average towards the weights, of which it keeps a share of at most `decay`.
    pub(crate) fn move_average(&mut self, decay: f64) -> candle_core::Result<()> {
        // At first it follows faster, or the initial weights would stay in it for long.
        let updates = self.optimizer.updates;
        let keep = decay.min(updates as f64 / (updates + 9) as f64);
        for (name, tensor) in &self.tensors {
            let next = match self.average.get(name) {
                Some(old) => ((old * keep)? + (tensor * (1.0 - keep))?)?.detach(),
                None => tensor.copy()?.detach(),
            };
            self.average.insert(name.clone(), next);
        }
        Ok(())
    }
}
