//! Training of the recurrent networks on latent values.

use std::sync::Arc;

use candle_core::{Device, Tensor};
use rand_pcg::Pcg64;
use serde_json::json;
use sideman_inference::papers::p2::{Cell, LatentRnn, Vae};
use sideman_music::encoding::piano_roll::{CELLS, FiveRolls, RollTrack};
use sideman_nets::nn::{Network, Parameters, Specs};
use sideman_nets::papers::p2::State;

use super::Setup;
use super::data::Keys;
use crate::data::Split;
use crate::train::{Choice, FitConfig, Loss, Objective, Schedule, Score, Step};

/// Windows of a training sequence.
const STRETCH: usize = 32;
/// Sequences of a batch.
const LANES: usize = 16;

/// Latent values of a track, piece by piece, (windows, latent) row-major.
pub(super) struct Latents {
    pub(super) pieces: Vec<Vec<f32>>,
    pub(super) latent: usize,
}

/// Encodes the first `most` windows of a track of a piece.
fn encode(
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
    for chunk in numbers.chunks(64) {
        let mut cells = vec![0.0; chunk.len() * CELLS];
        for (&number, out) in chunk.iter().zip(cells.chunks_exact_mut(CELLS)) {
            rolls.window(track, number, out);
        }
        let x = Tensor::from_vec(cells, (chunk.len(), CELLS), &Device::Cpu)?;
        out.extend(layers.mean(&x)?.flatten_all()?.to_vec1::<f32>()?);
    }
    Ok(out)
}

impl Latents {
    /// Encodes a track of all pieces of a split, the beginnings of long ones.
    pub(super) fn of(
        setup: Setup<'_>,
        parameters: &Parameters,
        (track, keys, split): (RollTrack, Keys, Split),
    ) -> anyhow::Result<Self> {
        let pieces: anyhow::Result<Vec<Vec<f32>>> = setup
            .music
            .of(split)
            .map(|p| encode(&setup.sizes.vae, parameters, p.rolls(keys), track, setup.sizes.windows))
            .collect();
        Ok(Self { pieces: pieces?, latent: setup.sizes.vae.latent })
    }

    pub(super) fn windows(&self, piece: usize) -> usize {
        self.pieces[piece].len() / self.latent
    }

    /// Window of a piece.
    pub(super) fn at(&self, piece: usize, window: usize) -> &[f32] {
        &self.pieces[piece][window * self.latent..(window + 1) * self.latent]
    }
}

/// Latent values of the piano, and of the track that is predicted from them.
#[derive(Clone)]
pub(super) struct Pair {
    pub(super) piano: Arc<Latents>,
    pub(super) target: Arc<Latents>,
}

/// Sequences of windows: the track's window, [`ahead`] windows later, from the piano's windows so far.
pub(super) struct Sequences {
    rnn: LatentRnn,
    track: RollTrack,
    train: Pair,
    valid: Pair,
    /// Piece and first window of each stretch.
    stretches: Vec<(usize, usize)>,
}

impl Sequences {
    pub(super) fn new(rnn: LatentRnn, track: RollTrack, train: Pair, valid: Pair) -> Self {
        let of = |piece: usize| (0..train.piano.windows(piece)).step_by(STRETCH).map(move |at| (piece, at));
        let stretches = (0..train.piano.pieces.len()).flat_map(of).collect();
        Self { rnn, track, train, valid, stretches }
    }
}

/// Runs a network over each piece of the piano: predicted and true latent values of the target, row-major.
pub(super) fn predictions<'a>(
    rnn: LatentRnn,
    parameters: &Parameters,
    track: RollTrack,
    piano: &Latents,
    target: &'a Latents,
) -> anyhow::Result<Vec<(Vec<f32>, &'a [f32])>> {
    let (layers, ahead) = (rnn.load(parameters)?, ahead(track));
    let mut out = vec![];
    for (piece, x) in piano.pieces.iter().enumerate().filter(|(i, _)| piano.windows(*i) > ahead) {
        let x = Tensor::from_slice(x, (piano.windows(piece), piano.latent), &Device::Cpu)?;
        let predicted =
            layers.forward(&x, &mut State::blank(rnn.cell, 1, rnn.hidden))?.flatten_all()?.to_vec1()?;
        out.push((predicted, &target.pieces[piece][ahead * target.latent..]));
    }
    Ok(out)
}

/// Squared errors of a network on all pieces, summed, and the number of values.
pub(super) fn errors(
    rnn: LatentRnn,
    parameters: &Parameters,
    track: RollTrack,
    piano: &Latents,
    target: &Latents,
) -> anyhow::Result<(f64, usize)> {
    let (mut sum, mut count) = (0.0, 0);
    for (predicted, truth) in predictions(rnn, parameters, track, piano, target)? {
        sum += predicted.iter().zip(truth).map(|(a, b)| f64::from((a - b).powi(2))).sum::<f64>();
        count += truth.len();
    }
    Ok((sum, count))
}

impl Objective for Sequences {
    fn specs(&self) -> Specs {
        self.rnn.specs()
    }

    fn examples(&self) -> usize {
        self.stretches.len()
    }

    /// Piano, target, and what counts, time-major.
    fn inputs(&self, batch: &[usize], _: &mut Pcg64) -> anyhow::Result<Vec<Tensor>> {
        let (lanes, latent) = (batch.len(), self.rnn.latent);
        let mut x = vec![0f32; STRETCH * lanes * latent];
        let (mut y, mut counts) = (x.clone(), vec![0f32; STRETCH * lanes]);
        for (lane, &b) in batch.iter().enumerate() {
            let (piece, from) = self.stretches[b];
            for step in 0..STRETCH.min(self.train.piano.windows(piece) - from) {
                let row = step * lanes + lane;
                x[row * latent..(row + 1) * latent].copy_from_slice(self.train.piano.at(piece, from + step));
                let later = from + step + ahead(self.track);
                if later < self.train.target.windows(piece) {
                    let truth = self.train.target.at(piece, later);
                    y[row * latent..(row + 1) * latent].copy_from_slice(truth);
                    counts[row] = 1.0;
                }
            }
        }
        let rows = STRETCH * lanes;
        Ok(vec![
            Tensor::from_vec(x, (rows, latent), &Device::Cpu)?,
            Tensor::from_vec(y, (rows, latent), &Device::Cpu)?,
            Tensor::from_vec(counts, (rows, 1), &Device::Cpu)?,
        ])
    }

    fn loss(&self, step: Step<'_>, inputs: &[Tensor], batch: &[usize]) -> anyhow::Result<Loss> {
        let predicted = step
            .layers(&self.rnn)?
            .forward(&inputs[0], &mut State::blank(self.rnn.cell, batch.len(), self.rnn.hidden))?;
        let count = f64::from(inputs[2].sum_all()?.to_scalar::<f32>()?).max(1.0) * self.rnn.latent as f64;
        let errors = (predicted - &inputs[1])?.broadcast_mul(&inputs[2])?.sqr()?.sum_all()?;
        Ok(Loss { mean: (errors / count)?, right: None })
    }

    fn valid(&self, parameters: &Parameters, _: &FitConfig, _: &Device) -> anyhow::Result<Score> {
        let (sum, count) = errors(self.rnn, parameters, self.track, &self.valid.piano, &self.valid.target)?;
        Ok(Score::of_loss(sum / count.max(1) as f64))
    }
}

/// Name of the run of a track's network.
pub(super) fn name(track: RollTrack, keys: Keys, cell: Cell) -> String {
    format!("p2-rnn-{}-{}-{}", track.name(), keys.name(), cell.name())
}

/// The network of a track: trained on what `sequences` makes, unless it is trained already.
pub(super) fn train(
    setup: Setup<'_>,
    (track, keys, cell): (RollTrack, Keys, Cell),
    sequences: impl FnOnce(LatentRnn) -> anyhow::Result<Sequences>,
) -> anyhow::Result<Parameters> {
    let rnn = LatentRnn { cell, ..setup.sizes.rnn };
    let config = FitConfig {
        seed: setup.run.seed,
        epochs: setup.sizes.rnn_epochs,
        batch: LANES,
        learning_rate: 1e-3,
        warmup: 0.5,
        schedule: Schedule::Cosine,
        weight_decay: 0.01,
        clip: 1.0,
        choice: Choice::Loss,
        ..FitConfig::default()
    };
    let recipe = json!({ "paper": "p2", "net": rnn, "of": setup.sizes.vae, "track": track.name(), "keys": keys.name() });
    let name = name(track, keys, cell);
    Ok(setup.run.trained(&name, &config, &recipe, || sequences(rnn))?.parameters)
}

/// Windows from the last one read to the one that is predicted: 1 for the piano, 0 for the tracks that accompany it.
fn ahead(track: RollTrack) -> usize {
    usize::from(track == RollTrack::Piano)
}
