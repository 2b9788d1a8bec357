//! Weights files of P2's generator: one a track, with its autoencoder (without the variance, which only training needs),
//! its recurrent network, the threshold that its rolls are read by, and a card. Loaded as strictly as
//! [`crate::weights`]'s.

use serde::{Deserialize, Serialize};
use sideman_music::encoding::piano_roll::{CELLS, RollTrack, Threshold};

use super::networks::{LatentRnn, RnnLayers, State, Vae, VaeLayers};
use crate::weights::{
    Card, Shaped, TensorError, Values, WeightsError, WeightsFile, fingerprint, json, sealed, take,
};

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
    /// All tensors by their names in files, but `noise`.
    values: Values,
    vae: VaeLayers,
    rnn: RnnLayers,
}

/// Shapes of the tensors in a file, by name.
pub(super) fn shapes(head: &VoiceHead) -> Vec<(String, Vec<usize>)> {
    let of = |prefix: &'static str, tensors: Vec<(String, Vec<usize>)>| {
        tensors.into_iter().map(move |(name, shape)| (format!("{prefix}.{name}"), shape))
    };
    let mut all: Vec<(String, Vec<usize>)> =
        of("vae", head.vae.tensors()).chain(of("rnn", head.rnn.tensors())).collect();
    all.push(("noise".to_owned(), vec![head.vae.latent]));
    all.sort();
    all
}

fn encoding(shapes: &[(String, Vec<usize>)]) -> String {
    let named = shapes.iter().map(|(name, shape)| (name.as_str(), shape.as_slice()));
    fingerprint(&format!("p2, windows {WINDOWS_VERSION};"), named)
}

impl Voice {
    /// A voice of trained networks: all tensors by their names in files, those of the autoencoder behind `vae.`, of the
    /// recurrent network behind `rnn.`.
    ///
    /// # Errors
    /// Names the tensor that is missing or of another size.
    pub fn new(head: VoiceHead, card: Card, values: Values, noise: Vec<f32>) -> Result<Self, TensorError> {
        let (vae, rnn) =
            (VaeLayers::new(&head.vae, &values, "vae.")?, RnnLayers::new(&head.rnn, &values, "rnn.")?);
        Ok(Self { head, noise, card, values, vae, rnn })
    }

    /// Writes a file.
    ///
    /// # Errors
    /// When a value is not finite.
    pub fn write(&self) -> Result<Vec<u8>, TensorError> {
        let shapes = shapes(&self.head);
        let mut tensors = Shaped::new();
        for (name, shape) in &shapes {
            let values = if name == "noise" { self.noise.clone() } else { take(&self.values, name, shape)? };
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
        sealed(&metadata, &tensors)
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
        Ok(Self::new(head, parsed.card()?, tensors, noise)?)
    }

    /// The track that it is of.
    pub fn track(&self) -> RollTrack {
        RollTrack::ALL.into_iter().find(|t| t.name() == self.head.track).unwrap_or(RollTrack::Piano)
    }

    /// Latent values of windows, one after another: `cells` are whole windows of 128 * 128.
    ///
    /// # Panics
    /// When `cells` is no whole number of windows.
    pub fn encode(&self, cells: &[f32]) -> Vec<f32> {
        assert!(cells.len().is_multiple_of(CELLS), "whole windows");
        self.vae.encode(cells)
    }

    /// Cells of windows, 0 to 1, one after another.
    ///
    /// # Panics
    /// When `latent` is no whole number of windows.
    pub fn decode(&self, latent: &[f32]) -> Vec<f32> {
        assert!(latent.len().is_multiple_of(self.head.vae.latent), "latent values of whole windows");
        let mut cells = self.vae.decode(latent);
        cells.iter_mut().for_each(|v| *v = 1.0 / (1.0 + (-*v).exp()));
        cells
    }

    /// The state before the first window.
    pub fn blank(&self) -> State {
        self.rnn.blank()
    }

    /// What it predicts of windows of the piano, one after another from a state, which it moves.
    ///
    /// # Panics
    /// When `latent` is no whole number of windows.
    pub fn predict(&self, latent: &[f32], state: &mut State) -> Vec<f32> {
        assert!(latent.len().is_multiple_of(self.head.rnn.latent), "latent values of whole windows");
        self.rnn.run(latent, state)
    }
}
