//! A training run from its configuration to its best checkpoint.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use candle_core::{DType, Device, Tensor, Var};
use indicatif::{ProgressBar, ProgressStyle};
use rand::SeedableRng;
use rand_pcg::Pcg64;
use sideman_inference::band::normal;
use sideman_nets::band::Network;
use sideman_nets::ops::LstmState;

use super::plot::{self, LOG, PICTURE};
use super::{Checkpoint, Library, Optimizer, TrainConfig};
use crate::corpus::Split;

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

/// Runs a training to its end, its patience's end, or from where it stopped.
///
/// # Errors
/// When the data, the configuration or the disk do not allow it.
pub fn run(args: &TrainArgs) -> anyhow::Result<()> {
    let device = device(&args.device)?;
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot make the folder {}", args.out.display()))?;
    let (last, best) = (args.out.join("last.safetensors"), args.out.join("best.safetensors"));
    if args.resume && !last.exists() {
        bail!("{} holds no run to go on with: leave out --resume to begin one", args.out.display());
    }
    let resumed = if args.resume { Some(Checkpoint::load(&last)?) } else { None };
    if resumed.is_none() && last.exists() {
        bail!(
            "{} holds a run already: add --resume to go on with it, or choose another --out",
            args.out.display()
        );
    }
    let config = TrainConfig::read(&args.config)?;
    if let Some(r) = &resumed {
        ensure!(
            TrainConfig { patience: config.patience, ..r.config.clone() } == config,
            "the checkpoint was made with another configuration than {}",
            args.config.display()
        );
    }
    let begun = match &args.from {
        Some(folder) => Some(Checkpoint::load(&folder.join("last.safetensors"))?),
        None => None,
    };
    if let Some(b) = &begun {
        ensure!(
            b.config.network == config.network,
            "the network in --from has other sizes than {}",
            args.config.display()
        );
    }
    let known = resumed.as_ref().or(begun.as_ref());
    let scale = known.map(|r| (&r.mean[..], &r.deviation[..]));
    let train = Library::load(&args.cache, &config, Split::Train, scale)?;
    let valid = Library::load(&args.cache, &config, Split::Valid, Some((&train.mean, &train.deviation)))?;
    eprintln!("{} songs to train on, {} to validate", train.songs.len(), valid.songs.len());

    let fresh = || config.network.initial(config.seed);
    let tensors = match (&resumed, &begun) {
        (Some(r), _) => r.under("p."),
        (None, Some(b)) => grown(b.under("p."), fresh())?,
        (None, None) => grown(BTreeMap::new(), fresh())?,
    };
    let mut vars = BTreeMap::new();
    for (name, tensor) in tensors {
        vars.insert(name, Var::from_tensor(&tensor.to_device(&device)?)?);
    }
    let tensors = vars.iter().map(|(k, v)| (k.clone(), v.as_tensor().clone())).collect();
    let network = Network::new(config.network, tensors, &device)?;
    let mut optimizer = Optimizer::new(config.weight_decay, config.clip);
    let mut progress = match resumed {
        Some(r) => {
            let (m, v) = (r.under("m."), r.under("v."));
            optimizer.updates = r.updates;
            for (name, m) in m {
                let v = v.get(&name).with_context(|| format!("the checkpoint lacks a moment of {name}"))?;
                optimizer.moments.insert(name, (m.to_device(&device)?, v.to_device(&device)?));
            }
            r
        }
        None => Checkpoint {
            config: config.clone(),
            segments: 0,
            updates: 0,
            best: f64::INFINITY,
            stale: 0,
            seconds: 0.0,
            seen: 0,
            mean: train.mean.clone(),
            deviation: train.deviation.clone(),
            tensors: BTreeMap::new(),
        },
    };

    let bar = ProgressBar::new(config.batches as u64).with_style(ProgressStyle::with_template(
        "{bar:30} {pos}/{len} batches, {elapsed} gone, {eta} left, {msg}",
    )?);
    bar.set_position((progress.segments * config.segment) as u64);
    bar.reset_eta();
    let mut log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(args.out.join(LOG))
        .context("cannot write the log")?;
    let mut last_valid = f64::NAN;
    let end = args.segments.map_or(usize::MAX, |n| progress.segments.saturating_add(n));
    let unfinished =
        |p: &Checkpoint| p.segments * config.segment < config.batches && p.stale < config.patience;
    while unfinished(&progress) && progress.segments < end {
        let segment = progress.segments;
        let began = Instant::now();
        let mut state = LstmState::zeros(config.lanes, config.network.hidden);
        let mut noise = Pcg64::seed_from_u64(config.seed ^ (segment as u64) << 20 ^ 0x5DEE_CE66);
        let (sender, receiver) = crossbeam::channel::bounded(2);
        let mut average = Average::default();
        std::thread::scope(|scope| -> anyhow::Result<()> {
            let (train, config) = (&train, &config);
            scope.spawn(move || {
                for batch in train.segment(config, segment) {
                    if sender.send(batch).is_err() {
                        break;
                    }
                }
            });
            for batch in receiver {
                let n = progress.segments * config.segment + average.batches;
                for (lane, _) in batch.fresh.iter().enumerate().filter(|f| *f.1) {
                    state.clear_lane(lane, config.network.hidden);
                }
                let rows: Vec<f32> =
                    batch.styles.iter().flat_map(|&s| train.statistics[s as usize].iter().copied()).collect();
                let rows = Tensor::from_vec(rows, (config.lanes, train.mean.len()), &device)?;
                let (mean, log_variance) = network.style(&rows)?;
                let eps: Vec<f32> = (0..mean.elem_count()).map(|_| normal(&mut noise)).collect();
                let eps = Tensor::from_vec(eps, mean.shape(), &device)?;
                let codes = (&mean + (eps * (&log_variance * 0.5)?.exp()?)?)?;
                let divergence = (((mean.sqr()? + log_variance.exp()?)? - 1.0)? - &log_variance)?;
                let divergence = (divergence.sum_all()? * (0.5 / config.lanes as f64))?;
                let losses = network.losses(&batch, &codes, &state, Some((config.dropout, &mut noise)))?;
                state = losses.state;
                let steps = batch.counts[0].max(1);
                let mut total = Tensor::zeros((), DType::F32, &device)?;
                for (name, term) in &losses.terms {
                    let weight = if name.ends_with("velocity") { config.velocities } else { 1.0 };
                    total = (total + (term * weight)?)?;
                }
                let total = (total / steps as f64)?;
                let objective = (&total + (&divergence * config.divergence)?)?;
                let grads = objective.backward()?;
                let norm = optimizer.step(&vars, &grads, config.learning_rate_at(n))?;
                let loss = f64::from(total.to_scalar::<f32>()?);
                ensure!(
                    loss.is_finite() && norm.is_finite(),
                    "the loss is {loss} and its gradient {norm} at batch {n}: lower the learning rate"
                );
                average.add(loss, norm, f64::from(divergence.to_scalar::<f32>()?), steps);
                bar.inc(1);
                bar.set_message(format!(
                    "loss {:.4}, valid {last_valid:.4}, {:.0} 16ths/s",
                    average.recent,
                    average.seen as f64 / began.elapsed().as_secs_f64()
                ));
                if average.batches % 25 == 0 || average.batches == config.segment {
                    let line = serde_json::json!({
                        "batch": n + 1, "loss": average.recent, "norm": average.norm,
                        "divergence": average.divergence, "learning_rate": config.learning_rate_at(n),
                        "seconds": progress.seconds + began.elapsed().as_secs_f64(),
                    });
                    writeln!(log, "{line}").context("cannot write the log")?;
                }
            }
            Ok(())
        })?;
        progress.segments += 1;
        progress.seen += average.seen;
        progress.updates = optimizer.updates;
        let scores = score(&network, &valid, &config, &device)?;
        last_valid = scores.total;
        progress.seconds += began.elapsed().as_secs_f64();
        let line = serde_json::json!({
            "batch": progress.segments * config.segment, "valid": scores.total, "terms": scores.terms,
            "seen": progress.seen, "seconds": progress.seconds,
        });
        writeln!(log, "{line}").context("cannot write the log")?;
        let better = scores.total < progress.best;
        (progress.best, progress.stale) =
            if better { (scores.total, 0) } else { (progress.best, progress.stale + 1) };
        progress.tensors = vars.iter().map(|(k, v)| (format!("p.{k}"), v.as_tensor().clone())).collect();
        if better {
            progress.save(&best)?;
        }
        for (name, (m, v)) in &optimizer.moments {
            progress.tensors.insert(format!("m.{name}"), m.clone());
            progress.tensors.insert(format!("v.{name}"), v.clone());
        }
        progress.save(&last)?;
        // A picture that cannot be drawn is no reason to end a training.
        if let Err(e) = plot::draw(&args.out, &args.out.join(PICTURE)) {
            bar.suspend(|| eprintln!("the loss curves were not drawn: {e:#}"));
        }
        if !bar.is_hidden() {
            bar.println(format!(
                "segment {}: train {:.4}, valid {:.4}",
                progress.segments, average.recent, scores.total
            ));
        } else {
            eprintln!(
                "batch {}: train {:.4}, valid {:.4}, {:.0} s, {:.0} 16ths/s",
                progress.segments * config.segment,
                average.recent,
                scores.total,
                progress.seconds,
                average.seen as f64 / began.elapsed().as_secs_f64()
            );
        }
    }
    bar.finish();
    if unfinished(&progress) {
        println!(
            "Stopped after {} of {} batches: go on with the same command and --resume",
            progress.segments * config.segment,
            config.batches
        );
        return Ok(());
    }
    println!(
        "Done after {} batches and {:.0} s: best valid loss {:.4} nats a 16th. Export it with: sideman-trainer export --run {}",
        progress.segments * config.segment,
        progress.seconds,
        progress.best,
        args.out.display()
    );
    Ok(())
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
