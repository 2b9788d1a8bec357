//! Weights files of P2's generator: one a track, with its autoencoder (without the variance, which only training needs),
//! its recurrent network, the threshold that its rolls are read by, and a card. Loaded as strictly as
//! [`crate::weights`]'s.

use std::collections::BTreeMap;

use candle_core::{Device, Result as CandleResult, Tensor};
use serde::{Deserialize, Serialize};
use sideman_music::encoding::piano_roll::{CELLS, RollTrack, Threshold};

use super::memory::State;
use super::{LatentRnn, Vae};
use crate::nn::{Network, Parameters, Specs};
use sideman_inference::weights::{Card, WeightsError, WeightsFile, fingerprint, json, sealed};

/// Version of what windows are drawn like: raise it when their cells change their meaning.
pub const WINDOWS_VERSION: u32 = 1;

const ARCHITECTURE: &str = "sideman-p2";

/// What a weights file says beside its tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VoiceHead {
    /// Name of the track.
    pub track: String,
    /// The autoencoder.
    pub vae: Vae,
    /// The recurrent network: of the piano it tells the next window, of others the same one.
    pub rnn: LatentRnn,
    /// How rolls of this track that were predicted are read.
    pub threshold: Threshold,
    /// How rolls that were only encoded and decoded are read.
    pub decoded: Threshold,
    /// Velocity that a level of 1 is played with.
    pub loudest: u8,
    /// Share of the deviations in the tensor `noise` that a temperature of 1 adds.
    pub noise: f32,
    /// Whether all music is brought to C major or A minor before it is encoded.
    pub one_key: bool,
}

/// Files that do not make a band.
#[derive(Debug, thiserror::Error)]
pub enum WrongVoices {
    /// A file cannot be used.
    #[error("the weights of the {track}: {source}")]
    Weights {
        /// Name of the track.
        track: &'static str,
        /// What is wrong.
        source: WeightsError,
    },
    /// The files belong to different bands.
    #[error(
        "the weights of the {0} belong to another band than those of the piano; export all five together"
    )]
    Mixed(&'static str),
}

/// A track's networks, ready to be used.
#[derive(Debug, Clone)]
pub struct Voice {
    /// What the file says.
    pub head: VoiceHead,
    /// Deviations of the predicted latent values from the true ones.
    pub noise: Vec<f32>,
    /// Card.
    pub card: Card,
    vae: Parameters,
    rnn: Parameters,
}

/// Shapes of the tensors in a file, by name.
fn shapes(head: &VoiceHead) -> Vec<(String, Vec<usize>)> {
    let of = |prefix: &'static str, specs: Specs| {
        specs.trained.into_iter().map(move |s| (format!("{prefix}.{}", s.name), s.shape))
    };
    let mut all: Vec<(String, Vec<usize>)> = of("vae", head.vae.specs())
        .filter(|(name, _)| !name.starts_with("vae.log_variance."))
        .chain(of("rnn", head.rnn.specs()))
        .collect();
    all.push(("noise".to_owned(), vec![head.vae.latent]));
    all.sort();
    all
}

fn encoding(shapes: &[(String, Vec<usize>)]) -> String {
    let named = shapes.iter().map(|(name, shape)| (name.as_str(), shape.as_slice()));
    fingerprint(&format!("p2, windows {WINDOWS_VERSION};"), named)
}

impl Voice {
    /// A voice of trained networks, as it would be read from a file but unquantised.
    pub fn new(head: VoiceHead, card: Card, vae: Parameters, rnn: Parameters, noise: Vec<f32>) -> Self {
        Self { head, noise, card, vae, rnn }
    }

    /// Writes a file.
    ///
    /// # Errors
    /// When a tensor is missing, or a value is no number.
    pub fn write(&self) -> CandleResult<Vec<u8>> {
        let shapes = shapes(&self.head);
        let mut tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)> = BTreeMap::new();
        for (name, shape) in &shapes {
            let tensor = match name.split_once('.') {
                Some(("vae", rest)) => self.vae.tensors.get(rest),
                Some((_, rest)) => self.rnn.tensors.get(rest),
                None => None,
            };
            let values = match tensor {
                Some(t) => t.flatten_all()?.to_vec1()?,
                None if name == "noise" => self.noise.clone(),
                None => candle_core::bail!("the tensor {name} is missing"),
            };
            tensors.insert(name.clone(), (shape.clone(), values));
        }
        let card = Card { sha256: String::new(), ..self.card.clone() };
        let metadata = [
            ("general.architecture", ARCHITECTURE.to_owned()),
            ("general.name", self.card.name.clone()),
            ("sideman.encoding", encoding(&shapes)),
            ("sideman.config", json(&self.head)),
            ("sideman.card", json(&card)),
        ];
        sealed(&metadata, &tensors).map_err(candle_core::Error::wrap)
    }

    /// Reads a file. Allocates and takes some ten milliseconds.
    ///
    /// # Errors
    /// When the file is damaged, foreign, of another version, or lacks something.
    pub fn read(bytes: &[u8]) -> Result<Self, WeightsError> {
        let parsed = WeightsFile::read(bytes)?;
        if parsed.text("general.architecture")? != ARCHITECTURE {
            return Err(WeightsError::Content("it is no track of P2's generator".into()));
        }
        let head: VoiceHead = parsed.json("sideman.config")?;
        let share = |v: f32| v.is_finite() && (0.0..=1.0).contains(&v);
        let rules = [head.threshold, head.decoded];
        if !head.vae.is_sound()
            || !head.rnn.is_sound()
            || head.vae.latent != head.rnn.latent
            || head.loudest == 0
            || head.loudest > 127
            || !(0.0..=10.0).contains(&head.noise)
            || rules.iter().any(|r| !share(r.start) || !share(r.hold))
            || RollTrack::ALL.iter().all(|t| t.name() != head.track)
        {
            return Err(WeightsError::Content(format!("absurd settings {head:?}")));
        }
        let shapes = shapes(&head);
        parsed.expect_encoding(encoding(&shapes))?;
        let mut tensors = parsed.tensors(&shapes)?;
        let noise = tensors.remove("noise").unwrap_or_default();
        let (mut vae, mut rnn) = (Parameters::default(), Parameters::default());
        for (name, shape) in shapes {
            let (Some(values), Some((kind, rest))) = (tensors.remove(&name), name.split_once('.')) else {
                continue;
            };
            let tensor = Tensor::from_vec(values, shape.as_slice(), &Device::Cpu)
                .map_err(|e| WeightsError::Content(e.to_string()))?;
            let to = if kind == "vae" { &mut vae } else { &mut rnn };
            to.tensors.insert(rest.to_owned(), tensor);
        }
        Ok(Self { noise, card: parsed.card()?, vae, rnn, head })
    }

    /// The track that it is of.
    pub fn track(&self) -> RollTrack {
        RollTrack::ALL.into_iter().find(|t| t.name() == self.head.track).unwrap_or(RollTrack::Piano)
    }

    /// Latent values of windows, one after another: `cells` are whole windows of 128 * 128.
    ///
    /// # Errors
    /// When `cells` is no whole number of windows.
    pub fn encode(&self, cells: &[f32]) -> CandleResult<Vec<f32>> {
        let x = Tensor::from_slice(cells, (cells.len() / CELLS, CELLS), &Device::Cpu)?;
        self.head.vae.load(&self.vae)?.mean(&x)?.flatten_all()?.to_vec1()
    }

    /// Cells of windows, 0 to 1, one after another.
    ///
    /// # Errors
    /// When `latent` is no whole number of windows.
    pub fn decode(&self, latent: &[f32]) -> CandleResult<Vec<f32>> {
        let wide = self.head.vae.latent;
        let z = Tensor::from_slice(latent, (latent.len() / wide, wide), &Device::Cpu)?;
        let mut cells: Vec<f32> = self.head.vae.load(&self.vae)?.decode(&z)?.flatten_all()?.to_vec1()?;
        cells.iter_mut().for_each(|v| *v = 1.0 / (1.0 + (-*v).exp()));
        Ok(cells)
    }

    /// The state before the first window.
    pub fn blank(&self) -> State {
        self.head.rnn.blank(1)
    }

    /// What it tells of windows of the piano, one after another from a state, which it moves.
    ///
    /// # Errors
    /// When `latent` is no whole number of windows.
    pub fn predict(&self, latent: &[f32], state: &mut State) -> CandleResult<Vec<f32>> {
        let wide = self.head.rnn.latent;
        let x = Tensor::from_slice(latent, (latent.len() / wide, wide), &Device::Cpu)?;
        self.head.rnn.load(&self.rnn)?.forward(&x, state)?.flatten_all()?.to_vec1()
    }
}
