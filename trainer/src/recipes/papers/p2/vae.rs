//! Training of the autoencoders.

use candle_core::{Device, Tensor};
use rand_pcg::Pcg64;
use serde_json::json;
use sideman_inference::band::normal;
use sideman_inference::papers::p2::Vae;
use sideman_music::encoding::piano_roll::{CELLS, RollTrack};
use sideman_nets::nn::{Network, Parameters, Specs};
use sideman_nets::ops::binary_cross_entropy;
use sideman_nets::papers::p2::{Code, VaeLayers};

use super::Setup;
use super::data::{Keys, Music, WindowId};
use crate::data::Split;
use crate::train::{Choice, FitConfig, Loss, Objective, Schedule, Score, Step};

/// Weight of the divergence.
pub(super) const BETA: f64 = 0.2;
/// One in this many windows in which the track rests is trained on.
const RESTS: usize = 20;
/// Windows of the valid split that score an epoch.
const SCORED: usize = 640;

/// Windows of one track.
struct Windows<'a> {
    music: &'a Music,
    track: RollTrack,
    keys: Keys,
    vae: Vae,
    train: Vec<WindowId>,
    valid: Vec<WindowId>,
}

/// Nats of the cells and of the divergence, summed.
struct Cost {
    cells: Tensor,
    divergence: Tensor,
}

impl Windows<'_> {
    fn cells(&self, windows: &[WindowId]) -> Vec<f32> {
        let mut cells = vec![0.0; windows.len() * CELLS];
        for (w, out) in windows.iter().zip(cells.chunks_exact_mut(CELLS)) {
            self.music.piece(w.piece).rolls(self.keys).window(self.track, w.number, out);
        }
        cells
    }
}

impl Cost {
    fn of(vae: &VaeLayers, x: &Tensor, noise: Option<&Tensor>) -> candle_core::Result<Self> {
        let code: Code = vae.encode(x)?;
        let z = match noise {
            Some(noise) => code.drawn(noise)?,
            None => code.mean.clone(),
        };
        let logits = vae.decode(&z)?;
        let targets: Vec<f32> = x.flatten_all()?.to_vec1()?;
        let cells = binary_cross_entropy(&logits, &targets, &vec![1.0; targets.len()])?;
        Ok(Self { cells, divergence: code.divergence()? })
    }
}

impl Objective for Windows<'_> {
    fn specs(&self) -> Specs {
        self.vae.specs()
    }

    fn examples(&self) -> usize {
        self.train.len()
    }

    fn inputs(&self, batch: &[usize], rng: &mut Pcg64) -> anyhow::Result<Vec<Tensor>> {
        let windows: Vec<WindowId> = batch.iter().map(|&i| self.train[i]).collect();
        let noise: Vec<f32> = (0..batch.len() * self.vae.latent).map(|_| normal(rng)).collect();
        Ok(vec![
            Tensor::from_vec(self.cells(&windows), (batch.len(), CELLS), &Device::Cpu)?,
            Tensor::from_vec(noise, (batch.len(), self.vae.latent), &Device::Cpu)?,
        ])
    }

    fn loss(&self, step: Step<'_>, inputs: &[Tensor], batch: &[usize]) -> anyhow::Result<Loss> {
        let cost = Cost::of(&step.layers(&self.vae)?, &inputs[0], Some(&inputs[1]))?;
        let mean = ((cost.cells + (cost.divergence * BETA)?)? / batch.len() as f64)?;
        Ok(Loss { mean, right: None })
    }

    fn valid(&self, parameters: &Parameters, config: &FitConfig, _: &Device) -> anyhow::Result<Score> {
        let (layers, mut sum) = (self.vae.load(parameters)?, 0.0);
        for chunk in self.valid.chunks(config.batch) {
            let x = Tensor::from_vec(self.cells(chunk), (chunk.len(), CELLS), &Device::Cpu)?;
            let cost = Cost::of(&layers, &x, None)?;
            sum += f64::from(cost.cells.to_scalar::<f32>()?)
                + BETA * f64::from(cost.divergence.to_scalar::<f32>()?);
        }
        Ok(Score::of_loss(sum / self.valid.len().max(1) as f64))
    }
}

/// Name of the run of a track's autoencoder.
pub(super) fn name(track: RollTrack, keys: Keys) -> String {
    match track {
        // Drums have no key.
        RollTrack::Drums => "p2-vae-drums".to_owned(),
        _ => format!("p2-vae-{}-{}", track.name(), keys.name()),
    }
}

/// The autoencoder of a track, trained unless it is already.
pub(super) fn train(setup: Setup<'_>, track: RollTrack, keys: Keys) -> anyhow::Result<Parameters> {
    let name = name(track, keys);
    let config = FitConfig {
        seed: setup.run.seed,
        epochs: setup.sizes.vae_epochs,
        batch: 32,
        examples: Some(setup.sizes.vae_examples),
        learning_rate: 2e-3,
        warmup: 0.5,
        schedule: Schedule::Cosine,
        clip: 1e4,
        choice: Choice::Loss,
        ..FitConfig::default()
    };
    let recipe = json!({ "paper": "p2", "net": setup.sizes.vae, "track": track.name(), "keys": keys.name(), "beta": BETA });
    let objective = || {
        let all = setup.music.windows(Split::Valid, track, RESTS);
        let stride = all.len().div_ceil(SCORED).max(1);
        let valid = all.into_iter().step_by(stride).collect();
        Ok(Windows {
            music: setup.music,
            track,
            keys,
            vae: setup.sizes.vae,
            train: setup.music.windows(Split::Train, track, RESTS),
            valid,
        })
    };
    Ok(setup.run.trained(&name, &config, &recipe, objective)?.parameters)
}

/// Nats a window of cells and divergence on all windows of a split in which the track sounds, without noise.
pub(super) fn cost(
    setup: Setup<'_>,
    parameters: &Parameters,
    (track, keys, split): (RollTrack, Keys, Split),
) -> anyhow::Result<(f64, f64)> {
    let all = setup.music.windows(split, track, usize::MAX);
    let stride = all.len().div_ceil(setup.sizes.measured).max(1);
    let measured: Vec<WindowId> = all.into_iter().step_by(stride).collect();
    let windows =
        Windows { music: setup.music, track, keys, vae: setup.sizes.vae, train: vec![], valid: vec![] };
    let (layers, mut sum) = (setup.sizes.vae.load(parameters)?, (0.0, 0.0));
    for chunk in measured.chunks(64) {
        let x = Tensor::from_vec(windows.cells(chunk), (chunk.len(), CELLS), &Device::Cpu)?;
        let cost = Cost::of(&layers, &x, None)?;
        sum.0 += f64::from(cost.cells.to_scalar::<f32>()?);
        sum.1 += f64::from(cost.divergence.to_scalar::<f32>()?);
    }
    let n = measured.len().max(1) as f64;
    Ok((sum.0 / n, sum.1 / n))
}
