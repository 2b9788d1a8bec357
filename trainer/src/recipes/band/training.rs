//! The band's training: segments of batches that walk many songs side by side.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{bail, ensure};
use candle_core::{DType, Device, Tensor};
use indicatif::{ProgressBar, ProgressStyle};
use rand::SeedableRng;
use rand_pcg::Pcg64;
use sideman_inference::band::normal;
use sideman_nets::band::{Batch, Network};
use sideman_nets::nn::Parameters;
use sideman_nets::ops::LstmState;

use super::{Checkpoint, Library, TrainConfig, plot};
use crate::data::Split;
use crate::train::checkpoint::{add_moments, moments};
use crate::train::run::{self as train, Batches, LAST, Scored, Training, Weights};
use crate::train::{Optimizer, device};

/// Steps of each valid song that are scored.
const VALID_STEPS: usize = 1024;

/// Trains the band's network.
#[derive(Debug, clap::Args)]
pub struct TrainArgs {
    /// Configuration of the run
    #[arg(long, default_value = "trainer/configs/band-full.toml")]
    pub config: PathBuf,
    /// Cache made by `prepare`
    #[arg(long, default_value = "cache")]
    pub cache: PathBuf,
    /// Folder of the run: checkpoints, log and loss curves
    #[arg(long, default_value = "runs/band")]
    pub out: PathBuf,
    /// Go on from the folder's last checkpoint
    #[arg(long)]
    pub resume: bool,
    /// Begin with the network of another run's folder, at its end, instead of a fresh one
    #[arg(long, value_name = "RUN", conflicts_with = "resume")]
    pub from: Option<PathBuf>,
    /// Stop after so many segments, to go on later with --resume
    #[arg(long, value_name = "N")]
    pub segments: Option<usize>,
    /// Device: cpu, cuda or metal (the latter two when built with that feature)
    #[arg(long, default_value = "cpu")]
    pub device: String,
}

/// The network of a checkpoint.
///
/// # Errors
/// When its tensors do not fit its configuration.
pub fn network_of(checkpoint: &Checkpoint) -> anyhow::Result<Network> {
    Ok(Network::new(checkpoint.config.network, checkpoint.under("p."), &Device::Cpu)?)
}

/// Mean style codes of songs, (songs, style).
///
/// # Errors
/// When the statistics do not fit the network.
pub fn style_codes(network: &Network, statistics: &[Vec<f32>], device: &Device) -> anyhow::Result<Tensor> {
    let (n, width) = (statistics.len(), statistics.first().map_or(0, Vec::len));
    let rows = Tensor::from_vec(statistics.concat(), (n, width), device)?;
    Ok(network.style(&rows)?.0.contiguous()?)
}

/// Mean losses over songs under their own style codes, in nats a 16th: by term and in all. The tiers count
/// as the configuration mixes them.
///
/// # Errors
/// When the songs do not fit the network.
pub fn score(
    network: &Network,
    valid: &Library,
    config: &TrainConfig,
    device: &Device,
) -> anyhow::Result<Score> {
    let codes = style_codes(network, &valid.statistics, device)?.detach();
    let mut terms: BTreeMap<String, f64> = BTreeMap::new();
    for (tier, share) in valid.shares().into_iter().enumerate() {
        let mut sums: BTreeMap<String, f64> = BTreeMap::new();
        let mut steps = 0;
        for batches in valid.walk(tier, config.lanes, 256, VALID_STEPS) {
            let lanes = batches[0].lanes;
            let mut state = LstmState::zeros(lanes, config.network.hidden);
            for batch in &batches {
                let own = codes.index_select(&Tensor::from_slice(&batch.styles, lanes, device)?, 0)?;
                let losses = network.losses(batch, &own, &state, None)?;
                for (name, term) in losses.terms {
                    *sums.entry(name).or_default() += f64::from(term.to_scalar::<f32>()?);
                }
                steps += batch.counts[0];
                state = losses.state;
            }
        }
        for (name, sum) in sums {
            *terms.entry(name).or_default() += share * sum / steps.max(1) as f64;
        }
    }
    Ok(Score { total: terms.values().sum(), terms })
}

/// Losses in nats a 16th.
pub struct Score {
    /// All terms together.
    pub total: f64,
    /// By term.
    pub terms: BTreeMap<String, f64>,
}

/// The tensors that a run begins with: those of an earlier one where there are. Tensors that the earlier one
/// did not have start as fresh ones do, and columns that a tensor did not have, for inputs added since, at zero.
fn grown(
    mut known: BTreeMap<String, Tensor>,
    fresh: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
) -> anyhow::Result<BTreeMap<String, Tensor>> {
    let mut out = BTreeMap::new();
    for (name, (shape, values)) in fresh {
        let tensor = match known.remove(&name) {
            None => Tensor::from_vec(values, shape, &Device::Cpu)?,
            Some(t) if t.dims() == shape => t,
            Some(t) => {
                let ([rows, columns], &[wanted, width]) = (t.dims(), &shape[..]) else {
                    bail!("the tensor {name} of --from is {:?} and should be {shape:?}", t.dims())
                };
                ensure!(
                    *rows == wanted && *columns < width,
                    "the tensor {name} of --from is {:?} and should be {shape:?}",
                    t.dims()
                );
                t.pad_with_zeros(1, 0, width - columns)?
            }
        };
        out.insert(name, tensor);
    }
    Ok(out)
}

/// Trains to the last batch, to the end of the patience, or from where the run stopped.
///
/// # Errors
/// When the data, the configuration or the disk do not allow it.
pub fn run(args: &TrainArgs) -> anyhow::Result<()> {
    let device = device(&args.device)?;
    let last = train::open(&args.out, args.resume)?;
    if args.resume && last.is_none() {
        bail!("{} holds no run to go on with: leave out --resume to begin one", args.out.display());
    }
    let resumed = last.map(|path| Checkpoint::load(&path)).transpose()?;
    let config = TrainConfig::read(&args.config)?;
    if let Some(r) = &resumed {
        ensure!(
            TrainConfig { patience: config.patience, ..r.config.clone() } == config,
            "the checkpoint was made with another configuration than {}",
            args.config.display()
        );
    }
    let begun = args.from.as_ref().map(|folder| Checkpoint::load(&folder.join(LAST))).transpose()?;
    if let Some(b) = &begun {
        ensure!(
            b.config.network == config.network,
            "the network in --from has other sizes than {}",
            args.config.display()
        );
    }
    let scale = resumed.as_ref().or(begun.as_ref()).map(|r| (&r.mean[..], &r.deviation[..]));
    let songs = Library::load(&args.cache, &config, Split::Train, scale)?;
    let valid = Library::load(&args.cache, &config, Split::Valid, Some((&songs.mean, &songs.deviation)))?;
    eprintln!("{} songs to train on, {} to validate", songs.songs.len(), valid.songs.len());

    let tensors = match &resumed {
        Some(r) => r.under("p."),
        None => grown(begun.map(|b| b.under("p.")).unwrap_or_default(), config.network.initial(config.seed))?,
    };
    let progress = resumed.unwrap_or_else(|| Checkpoint {
        config: config.clone(),
        segments: 0,
        updates: 0,
        best: f64::INFINITY,
        stale: 0,
        seconds: 0.0,
        seen: 0,
        mean: songs.mean.clone(),
        deviation: songs.deviation.clone(),
        tensors: BTreeMap::new(),
    });
    let mut optimizer = Optimizer::new(config.weight_decay, config.clip);
    optimizer.updates = progress.updates;
    let parameters = Parameters { tensors, ..Parameters::default() };
    let mut weights = Weights::new(parameters, moments(&progress.tensors)?, optimizer, &device)?;
    let network = Network::new(config.network, weights.tensors.clone(), &device)?;
    let bar = ProgressBar::new(config.batches as u64).with_style(ProgressStyle::with_template(
        "{bar:30} {pos}/{len} batches, {elapsed} gone, {eta} left, {msg}",
    )?);
    bar.set_position((progress.segments * config.segment) as u64);
    bar.reset_eta();
    let out = args.out.clone();
    let mut band = Band { out, config, songs, valid, network, progress, last_valid: f64::NAN, bar };
    train::run(&mut band, &mut weights, args.segments)?;
    band.bar.finish();
    let (batches, of) = (band.progress.segments * band.config.segment, band.config.batches);
    if band.unfinished() {
        println!("Stopped after {batches} of {of} batches: go on with the same command and --resume");
        return Ok(());
    }
    println!(
        "Done after {batches} batches and {:.0} s: best valid loss {:.4} nats a 16th. Export it with: sideman-trainer export --run {}",
        band.progress.seconds,
        band.progress.best,
        args.out.display()
    );
    Ok(())
}

/// A training of the band. Its epochs are segments.
struct Band {
    out: PathBuf,
    config: TrainConfig,
    songs: Library,
    valid: Library,
    /// On the storage of the weights in training.
    network: Network,
    /// How far it is.
    progress: Checkpoint,
    last_valid: f64,
    bar: ProgressBar,
}

/// A segment under way: the lanes' state goes from batch to batch.
struct Segment {
    /// Number of the next batch in the whole training, from 0.
    batch: usize,
    state: LstmState,
    noise: Pcg64,
    average: Average,
    began: Instant,
}

impl Training for Band {
    type Batch = Batch;
    type Epoch = Segment;

    fn out(&self) -> &Path {
        &self.out
    }

    fn epochs(&self) -> usize {
        self.progress.segments
    }

    fn unfinished(&self) -> bool {
        let p = &self.progress;
        p.segments * self.config.segment < self.config.batches && p.stale < self.config.patience
    }

    fn begin(&self, segment: usize) -> anyhow::Result<(Segment, Batches<'_, Batch>)> {
        let config = &self.config;
        let begun = Segment {
            batch: segment * config.segment,
            state: LstmState::zeros(config.lanes, config.network.hidden),
            noise: Pcg64::seed_from_u64(config.seed ^ (segment as u64) << 20 ^ 0x5DEE_CE66),
            average: Average::default(),
            began: Instant::now(),
        };
        Ok((begun, Box::new(self.songs.segment(config, segment).map(Ok))))
    }

    fn update(&self, weights: &mut Weights, at: &mut Segment, batch: Batch) -> anyhow::Result<()> {
        let (config, network, device) = (&self.config, &self.network, &weights.device);
        let n = at.batch;
        for (lane, _) in batch.fresh.iter().enumerate().filter(|f| *f.1) {
            at.state.clear_lane(lane, config.network.hidden);
        }
        let rows: Vec<f32> =
            batch.styles.iter().flat_map(|&s| self.songs.statistics[s as usize].iter().copied()).collect();
        let rows = Tensor::from_vec(rows, (config.lanes, self.songs.mean.len()), device)?;
        let (mean, log_variance) = network.style(&rows)?;
        let eps: Vec<f32> = (0..mean.elem_count()).map(|_| normal(&mut at.noise)).collect();
        let eps = Tensor::from_vec(eps, mean.shape(), device)?;
        let codes = (&mean + (eps * (&log_variance * 0.5)?.exp()?)?)?;
        let divergence = (((mean.sqr()? + log_variance.exp()?)? - 1.0)? - &log_variance)?;
        let divergence = (divergence.sum_all()? * (0.5 / config.lanes as f64))?;
        let losses = network.losses(&batch, &codes, &at.state, Some((config.dropout, &mut at.noise)))?;
        at.state = losses.state;
        let steps = batch.counts[0].max(1);
        let mut total = Tensor::zeros((), DType::F32, device)?;
        for (name, term) in &losses.terms {
            let weight = if name.ends_with("velocity") { config.velocities } else { 1.0 };
            total = (total + (term * weight)?)?;
        }
        let total = (total / steps as f64)?;
        let objective = (&total + (&divergence * config.divergence)?)?;
        let norm = weights.update(&objective, config.learning_rate_at(n))?;
        let loss = f64::from(total.to_scalar::<f32>()?);
        train::check_finite(loss, norm, format_args!("at batch {n}"))?;
        let average = &mut at.average;
        average.add(loss, norm, f64::from(divergence.to_scalar::<f32>()?), steps);
        at.batch += 1;
        self.bar.inc(1);
        self.bar.set_message(format!(
            "loss {:.4}, valid {:.4}, {:.0} 16ths/s",
            average.recent,
            self.last_valid,
            average.seen as f64 / at.began.elapsed().as_secs_f64()
        ));
        if average.batches.is_multiple_of(25) || average.batches == config.segment {
            let line = serde_json::json!({
                "batch": n + 1, "loss": average.recent, "norm": average.norm,
                "divergence": average.divergence, "learning_rate": config.learning_rate_at(n),
                "seconds": self.progress.seconds + at.began.elapsed().as_secs_f64(),
            });
            train::append(&self.out, &line.to_string())?;
        }
        Ok(())
    }

    fn score(&mut self, weights: &Weights, at: Segment, began: Instant) -> anyhow::Result<Scored> {
        let scores = score(&self.network, &self.valid, &self.config, &weights.device)?;
        self.last_valid = scores.total;
        let (p, batch) = (&mut self.progress, at.batch);
        p.segments += 1;
        p.seen += at.average.seen;
        p.updates = weights.optimizer.updates;
        p.seconds += began.elapsed().as_secs_f64();
        let better = scores.total < p.best;
        (p.best, p.stale) = if better { (scores.total, 0) } else { (p.best, p.stale + 1) };
        let line = serde_json::json!({
            "batch": batch, "valid": scores.total, "terms": scores.terms,
            "seen": p.seen, "seconds": p.seconds,
        });
        let text = format!(
            "batch {batch}: train {:.4}, valid {:.4}, {:.0} s, {:.0} 16ths/s",
            at.average.recent,
            scores.total,
            p.seconds,
            at.average.seen as f64 / began.elapsed().as_secs_f64()
        );
        Ok(Scored { better, line: line.to_string(), text })
    }

    fn save(&self, weights: &Weights, path: &Path, best: bool) -> anyhow::Result<()> {
        let mut checkpoint = self.progress.clone();
        checkpoint.tensors = weights.tensors.iter().map(|(k, t)| (format!("p.{k}"), t.clone())).collect();
        if !best {
            add_moments(&mut checkpoint.tensors, &weights.optimizer.moments);
        }
        Ok(checkpoint.save(path)?)
    }

    fn draw(&self) -> anyhow::Result<()> {
        plot::draw(&self.out, &self.out.join(train::PICTURE))
    }

    fn print(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }
}

/// Running figures of a segment.
#[derive(Default)]
struct Average {
    batches: usize,
    seen: usize,
    recent: f64,
    norm: f64,
    divergence: f64,
}

impl Average {
    fn add(&mut self, loss: f64, norm: f64, divergence: f64, steps: usize) {
        let keep = if self.batches == 0 { 0.0 } else { 0.97 };
        self.recent = keep * self.recent + (1.0 - keep) * loss;
        self.norm = keep * self.norm + (1.0 - keep) * norm;
        self.divergence = keep * self.divergence + (1.0 - keep) * divergence;
        self.batches += 1;
        self.seen += steps;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_goes_on_with_more_inputs_and_tensors_than_it_had() {
        let tensor = |shape: &[usize], v: Vec<f32>| Tensor::from_vec(v, shape, &Device::Cpu).unwrap();
        let known = |w: Tensor| BTreeMap::from([("w".to_owned(), w)]);
        let fresh = || {
            BTreeMap::from([
                ("w".to_owned(), (vec![2, 3], vec![9.0; 6])),
                ("new".to_owned(), (vec![2], vec![0.5, 0.25])),
            ])
        };
        let own = grown(known(tensor(&[2, 2], vec![1.0, 2.0, 3.0, 4.0])), fresh()).unwrap();
        assert_eq!(own["w"].to_vec2::<f32>().unwrap(), [[1.0, 2.0, 0.0], [3.0, 4.0, 0.0]]);
        assert_eq!(own["new"].to_vec1::<f32>().unwrap(), [0.5, 0.25]);
        for shape in [&[3, 2][..], &[2, 4], &[6]] {
            let n = shape.iter().product();
            let error = grown(known(tensor(shape, vec![0.0; n])), fresh()).unwrap_err().to_string();
            assert!(error.contains("the tensor w of --from"), "{error}");
        }
    }
}
