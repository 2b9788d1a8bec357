//! Training of the recurrent networks on latent values.

use candle_core::{Device, Tensor};
use rand_pcg::Pcg64;
use serde_json::json;
use sideman_music::encoding::piano_roll::{CELLS, FiveRolls, RollTrack};
use sideman_nets::nn::{Network, Parameters, Specs};
use sideman_inference::papers::p2::{Cell, LatentRnn, Vae};

use super::music::{Keys, Music};
use super::{Sizes, finished};
use crate::corpus::Split;
use crate::fit::{Choice, FitCheckpoint, FitConfig, Loss, Objective, Schedule, Score, Step, learn};
use crate::papers::PaperRun;

/// Windows of a stretch that is learned from in one go.
const STRETCH: usize = 32;
/// Stretches side by side.
const LANES: usize = 16;

/// Latent values of a track, piece by piece, (windows, latent) row-major.
pub(super) struct Latents {
    pub(super) pieces: Vec<Vec<f32>>,
    pub(super) latent: usize,
}

/// Encodes a track of a piece.
pub(super) fn encode(
    vae: &Vae,
    parameters: &Parameters,
    rolls: &FiveRolls,
    track: RollTrack,
    most: usize,
) -> anyhow::Result<Vec<f32>> {
    let layers = vae.load(parameters)?;
    let windows = rolls.windows().min(most);
    let mut out = Vec::with_capacity(windows * vae.latent);
    let numbers: Vec<usize> = (0..windows).collect();
    for some in numbers.chunks(64) {
        let mut cells = vec![0.0; some.len() * CELLS];
        for (&number, out) in some.iter().zip(cells.chunks_exact_mut(CELLS)) {
            rolls.window(track, number, out);
        }
        let x = Tensor::from_vec(cells, (some.len(), CELLS), &Device::Cpu)?;
        out.extend(layers.mean(&x)?.flatten_all()?.to_vec1::<f32>()?);
    }
    Ok(out)
}

impl Latents {
    /// Encodes a track of all pieces of a split, the beginnings of long ones.
    pub(super) fn of(
        music: &Music,
        sizes: &Sizes,
        parameters: &Parameters,
        (track, keys, split): (RollTrack, Keys, Split),
    ) -> anyhow::Result<Self> {
        let pieces: anyhow::Result<Vec<Vec<f32>>> = music
            .of(split)
            .map(|p| encode(&sizes.vae, parameters, p.rolls(keys), track, sizes.windows))
            .collect();
        Ok(Self { pieces: pieces?, latent: sizes.vae.latent })
    }

    pub(super) fn windows(&self, piece: usize) -> usize {
        self.pieces[piece].len() / self.latent
    }

    /// Window of a piece.
    pub(super) fn at(&self, piece: usize, window: usize) -> &[f32] {
        &self.pieces[piece][window * self.latent..(window + 1) * self.latent]
    }
}

/// What is told from what: windows of a piece up to one, and that one of a track or the next of the piano.
pub(super) struct Sequences<'a> {
    pub(super) rnn: LatentRnn,
    /// How many windows later the target is.
    pub(super) ahead: usize,
    pub(super) piano: &'a Latents,
    pub(super) target: &'a Latents,
    pub(super) valid: (&'a Latents, &'a Latents),
    /// Piece and first window of each stretch.
    stretches: Vec<(usize, usize)>,
}

impl<'a> Sequences<'a> {
    pub(super) fn new(
        rnn: LatentRnn,
        ahead: usize,
        train: (&'a Latents, &'a Latents),
        valid: (&'a Latents, &'a Latents),
    ) -> Self {
        let of = |piece: usize| (0..train.0.windows(piece)).step_by(STRETCH).map(move |at| (piece, at));
        let stretches = (0..train.0.pieces.len()).flat_map(of).collect();
        Self { rnn, ahead, piano: train.0, target: train.1, valid, stretches }
    }
}

/// Squared errors of what a network tells of a piece, summed, and how many values.
pub(super) fn errors(
    rnn: LatentRnn,
    parameters: &Parameters,
    ahead: usize,
    piano: &Latents,
    target: &Latents,
) -> anyhow::Result<(f64, usize)> {
    let (layers, mut sum, mut count) = (rnn.load(parameters)?, 0.0, 0);
    for piece in 0..piano.pieces.len() {
        let windows = piano.windows(piece);
        if windows <= ahead {
            continue;
        }
        let x = Tensor::from_slice(&piano.pieces[piece], (windows, piano.latent), &Device::Cpu)?;
        let told: Vec<f32> = layers.forward(&x, &mut rnn.blank(1))?.flatten_all()?.to_vec1()?;
        let truth = &target.pieces[piece][ahead * target.latent..];
        sum += told.iter().zip(truth).map(|(a, b)| f64::from((a - b).powi(2))).sum::<f64>();
        count += truth.len();
    }
    Ok((sum, count))
}

impl Objective for Sequences<'_> {
    fn specs(&self) -> Specs {
        self.rnn.specs()
    }

    fn examples(&self) -> usize {
        self.stretches.len()
    }

    /// Piano, target, and what counts, time-major.
    fn inputs(&self, batch: &[usize], _: &mut Pcg64) -> anyhow::Result<Vec<Tensor>> {
        let (lanes, wide) = (batch.len(), self.rnn.latent);
        let mut x = vec![0f32; STRETCH * lanes * wide];
        let (mut y, mut counts) = (x.clone(), vec![0f32; STRETCH * lanes]);
        for (lane, &b) in batch.iter().enumerate() {
            let (piece, from) = self.stretches[b];
            for step in 0..STRETCH.min(self.piano.windows(piece) - from) {
                let row = step * lanes + lane;
                x[row * wide..(row + 1) * wide].copy_from_slice(self.piano.at(piece, from + step));
                if from + step + self.ahead < self.target.windows(piece) {
                    let truth = self.target.at(piece, from + step + self.ahead);
                    y[row * wide..(row + 1) * wide].copy_from_slice(truth);
                    counts[row] = 1.0;
                }
            }
        }
        let rows = STRETCH * lanes;
        Ok(vec![
            Tensor::from_vec(x, (rows, wide), &Device::Cpu)?,
            Tensor::from_vec(y, (rows, wide), &Device::Cpu)?,
            Tensor::from_vec(counts, (rows, 1), &Device::Cpu)?,
        ])
    }

    fn loss(&self, step: Step<'_>, inputs: &[Tensor], batch: &[usize]) -> anyhow::Result<Loss> {
        let told = step.layers(&self.rnn)?.forward(&inputs[0], &mut self.rnn.blank(batch.len()))?;
        let count = f64::from(inputs[2].sum_all()?.to_scalar::<f32>()?).max(1.0) * self.rnn.latent as f64;
        let errors = (told - &inputs[1])?.broadcast_mul(&inputs[2])?.sqr()?.sum_all()?;
        Ok(Loss { mean: (errors / count)?, right: None })
    }

    fn valid(&self, parameters: &Parameters, _: &FitConfig, _: &Device) -> anyhow::Result<Score> {
        let (sum, count) = errors(self.rnn, parameters, self.ahead, self.valid.0, self.valid.1)?;
        Ok(Score::of_loss(sum / count.max(1) as f64))
    }
}

/// Name of the run of a track's network.
pub(super) fn name(track: RollTrack, keys: Keys, cell: Cell) -> String {
    format!("p2-rnn-{}-{}-{}", track.name(), keys.name(), cell.name())
}

/// How a network is trained, and the recipe that its run keeps.
pub(super) fn plan(
    job: &PaperRun,
    sizes: &Sizes,
    track: RollTrack,
    keys: Keys,
    cell: Cell,
) -> (LatentRnn, FitConfig, serde_json::Value) {
    let rnn = LatentRnn { cell, ..sizes.rnn };
    let config = FitConfig {
        seed: job.seed,
        epochs: sizes.rnn_epochs,
        batch: LANES,
        learning_rate: 1e-3,
        warmup: 0.5,
        schedule: Schedule::Cosine,
        weight_decay: 0.01,
        clip: 1.0,
        choice: Choice::Loss,
        ..FitConfig::default()
    };
    let recipe =
        json!({ "paper": "p2", "net": rnn, "of": sizes.vae, "track": track.name(), "keys": keys.name() });
    (rnn, config, recipe)
}

/// The network of a track, where it is trained already.
pub(super) fn trained(
    job: &PaperRun,
    sizes: &Sizes,
    track: RollTrack,
    keys: Keys,
    cell: Cell,
) -> anyhow::Result<Option<Parameters>> {
    let (_, config, recipe) = plan(job, sizes, track, keys, cell);
    let name = name(track, keys, cell);
    if !finished(job, &name, &config, &recipe) {
        return Ok(None);
    }
    Ok(Some(FitCheckpoint::best_of(&job.run(&name))?.parameters))
}

/// Trains the network of a track. `train` and `valid` are the piano and the track.
pub(super) fn train(
    job: &PaperRun,
    sizes: &Sizes,
    (track, keys, cell): (RollTrack, Keys, Cell),
    train: (&Latents, &Latents),
    valid: (&Latents, &Latents),
) -> anyhow::Result<Parameters> {
    let (rnn, config, recipe) = plan(job, sizes, track, keys, cell);
    let name = name(track, keys, cell);
    job.say(&format!("Training {name}"));
    let sequences = Sequences::new(rnn, ahead(track), train, valid);
    learn(&sequences, &config, &recipe, &job.options(&name))?;
    Ok(FitCheckpoint::best_of(&job.run(&name))?.parameters)
}

/// Windows from the last one heard to the one that a track's network tells: the piano's tells the next.
pub(super) fn ahead(track: RollTrack) -> usize {
    usize::from(track == RollTrack::Piano)
}
