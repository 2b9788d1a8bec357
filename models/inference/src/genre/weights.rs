//! Weights files of the product's classifiers: GGUF with quantised matrices, the names of the classes, how sure it
//! may be, a card, and a checksum at the end. Loaded as strictly as [`crate::weights`]'s, without threads.
//!
//! Convolutions are stored as matrices, a row an output channel.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sideman_music::encoding::bar_features::{BAND_FEATURES, PIANO_FEATURES};

use super::audio::{self, ListenerKernel, MelClassifier};
use super::symbolic::{BarKernel, BarNetConfig, MOST_CLASSES, tensor_shapes};
use crate::weights::{
    Card, Shaped, TensorError, Values, WeightsError, WeightsFile, fingerprint, json, sealed,
};

/// Version of what the classifiers are given: raise it when the figures of bars or the mel front end change their
/// meaning.
const INPUTS: u32 = 1;

/// What a classifier listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputKind {
    /// All parts of a piece of notes.
    Band,
    /// A piano alone.
    Piano,
    /// Sound.
    Audio,
}

impl InputKind {
    /// The name in files.
    pub fn name(self) -> &'static str {
        ["band", "piano", "audio"][self as usize]
    }
}

/// What a weights file says beside its tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// What the classifier listens to.
    pub hears: InputKind,
    /// Names of the classes by number.
    pub classes: Vec<String>,
    /// What logits are divided by before the softmax.
    pub temperature: f32,
    /// Probability of the best class below which the answer is "unsure".
    pub unsure: f32,
    /// Card.
    pub card: Card,
}

#[derive(Serialize, Deserialize)]
struct Calibration {
    temperature: f32,
    unsure: f32,
}

fn encoding(hears: InputKind, shapes: &[(String, Vec<usize>)]) -> String {
    let matrices: Vec<Vec<usize>> = shapes.iter().map(|(_, shape)| as_matrix(shape)).collect();
    let named = shapes.iter().zip(&matrices).map(|((name, _), shape)| (name.as_str(), shape.as_slice()));
    fingerprint(&format!("genre of {} 1, inputs {INPUTS};", hears.name()), named)
}

/// A shape of more than two axes as (first, all others).
fn as_matrix(shape: &[usize]) -> Vec<usize> {
    if shape.len() > 2 { vec![shape[0], shape[1..].iter().product()] } else { shape.to_vec() }
}

/// Writes a file. `config` is whatever the network has to know; `tensors` are shapes and values by name.
///
/// # Errors
/// When a value is not finite.
pub fn write<C: Serialize>(head: &Head, config: &C, tensors: &Shaped) -> Result<Vec<u8>, TensorError> {
    let shapes: Vec<(String, Vec<usize>)> = tensors.iter().map(|(n, t)| (n.clone(), t.0.clone())).collect();
    let texts = [
        ("general.architecture", "sideman-genre".to_owned()),
        ("general.name", head.card.name.clone()),
        ("sideman.encoding", encoding(head.hears, &shapes)),
        ("sideman.hears", json(&head.hears)),
        ("sideman.config", json(config)),
        ("sideman.classes", json(&head.classes)),
        ("sideman.sureness", json(&Calibration { temperature: head.temperature, unsure: head.unsure })),
        ("sideman.card", json(&head.card)),
    ];
    let matrices =
        tensors.iter().map(|(n, (shape, values))| (n.clone(), (as_matrix(shape), values.clone()))).collect();
    sealed(&texts, &matrices)
}

/// What a file listens to, its classes and its card, without its tensors.
///
/// # Errors
/// When the file is damaged or not a classifier of ours.
pub fn head(bytes: &[u8]) -> Result<Head, WeightsError> {
    head_of(&WeightsFile::read(bytes)?)
}

fn head_of(parsed: &WeightsFile<'_>) -> Result<Head, WeightsError> {
    if parsed.text("general.architecture")? != "sideman-genre" {
        return Err(WeightsError::Content(
            "it is no classifier of genre, see `sideman-trainer genre export`".into(),
        ));
    }
    let sureness: Calibration = parsed.json("sideman.sureness")?;
    let head = Head {
        hears: parsed.json("sideman.hears")?,
        classes: parsed.json("sideman.classes")?,
        temperature: sureness.temperature,
        unsure: sureness.unsure,
        card: parsed.card()?,
    };
    if head.classes.is_empty()
        || head.classes.len() > MOST_CLASSES
        || head.classes.iter().any(String::is_empty)
    {
        return Err(WeightsError::Content(format!("{} classes, or one without a name", head.classes.len())));
    }
    if !(0.01..=100.0).contains(&head.temperature) || !(0.0..=1.0).contains(&head.unsure) {
        return Err(WeightsError::Content(format!(
            "a temperature of {} and a threshold of {}",
            head.temperature, head.unsure
        )));
    }
    Ok(head)
}

/// Reads a file that listens to `hears`: `shapes` tells the names and shapes of the tensors that belong to a config.
/// Gives the config and the values of the tensors by name, row-major in their own shapes.
///
/// # Errors
/// When the file is damaged, foreign, of another encoding, listens to something else, or lacks something.
pub fn read<C: for<'d> Deserialize<'d>>(
    bytes: &[u8],
    hears: InputKind,
    shapes: impl FnOnce(&C) -> Result<Vec<(String, Vec<usize>)>, TensorError>,
) -> Result<(Head, C, Values), WeightsError> {
    let parsed = WeightsFile::read(bytes)?;
    let head = head_of(&parsed)?;
    if head.hears != hears {
        let (found, wanted) = (head.hears.name(), hears.name());
        return Err(WeightsError::Content(format!("it listens to {found}, where {wanted} is wanted")));
    }
    let config: C = parsed.json("sideman.config")?;
    let mut shapes = shapes(&config)?;
    shapes.sort();
    parsed.expect_encoding(encoding(hears, &shapes))?;
    let matrices: Vec<_> = shapes.into_iter().map(|(n, s)| (n, as_matrix(&s))).collect();
    let tensors = parsed.tensors(&matrices)?;
    Ok((head, config, tensors))
}

/// A classifier of notes, ready to listen.
#[derive(Debug, Clone)]
pub struct BarWeights {
    /// What it listens to, its classes, how sure it may be, its card.
    pub head: Head,
    /// The network.
    pub kernel: Arc<BarKernel>,
}

impl BarWeights {
    /// Loads a classifier of a band or a piano. Allocates; for any thread but the audio thread.
    ///
    /// # Errors
    /// As [`read`].
    pub fn load(bytes: &[u8], hears: InputKind) -> Result<Self, WeightsError> {
        let features = match hears {
            InputKind::Band => BAND_FEATURES,
            InputKind::Piano => PIANO_FEATURES,
            InputKind::Audio => return Err(WeightsError::Content("sound has no bars".into())),
        };
        let (head, config, tensors) = read(bytes, hears, |config: &BarNetConfig| {
            let sizes = [config.features, config.hidden, config.dense, config.classes];
            if config.features != features || sizes.iter().any(|&n| n == 0 || n > 8192) {
                return Err(TensorError::Sizes(format!("{config:?} for {features} features a bar")));
            }
            Ok(tensor_shapes(config))
        })?;
        if head.classes.len() != config.classes {
            return Err(WeightsError::Content("it names another number of classes than it tells".into()));
        }
        let kernel = BarKernel::new(config, &tensors)?;
        Ok(Self { head, kernel: Arc::new(kernel) })
    }
}

/// Most networks that may answer together.
const MOST_MEMBERS: usize = 8;

/// What a file of sound says of its networks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioConfig {
    /// Networks whose logarithms of probabilities are averaged.
    pub members: Vec<MelClassifier>,
}

/// A classifier of sound, ready to listen.
#[derive(Debug, Clone)]
pub struct AudioWeights {
    /// What it listens to, its classes, how sure it may be, its card.
    pub head: Head,
    /// Its networks.
    pub kernels: Vec<Arc<ListenerKernel>>,
}

impl AudioWeights {
    /// Writes a file of networks with their tensors, batch normalisation folded in.
    ///
    /// # Errors
    /// When a value is not finite.
    pub fn write(head: &Head, members: &[(MelClassifier, Shaped)]) -> Result<Vec<u8>, TensorError> {
        let config = AudioConfig { members: members.iter().map(|m| m.0.clone()).collect() };
        let own = |(i, (_, tensors)): (usize, &(MelClassifier, Shaped))| {
            tensors.iter().map(move |(name, t)| (format!("{i}.{name}"), t.clone())).collect::<Vec<_>>()
        };
        write(head, &config, &members.iter().enumerate().flat_map(own).collect())
    }

    /// Loads a classifier of sound. Allocates; for any thread but the audio thread.
    ///
    /// # Errors
    /// As [`read`].
    pub fn load(bytes: &[u8]) -> Result<Self, WeightsError> {
        let (head, config, mut tensors) = read(bytes, InputKind::Audio, |config: &AudioConfig| {
            if !(1..=MOST_MEMBERS).contains(&config.members.len()) {
                return Err(TensorError::Sizes(format!("of {} networks", config.members.len())));
            }
            config.members.iter().try_for_each(audio::check)?;
            let own = |(i, member): (usize, &MelClassifier)| {
                audio::tensor_shapes(member).into_iter().map(move |(name, s)| (format!("{i}.{name}"), s))
            };
            Ok(config.members.iter().enumerate().flat_map(own).collect())
        })?;
        if config.members.iter().any(|m| m.classes != head.classes.len()) {
            return Err(WeightsError::Content("it names another number of classes than it tells".into()));
        }
        if config.members.iter().any(|m| m.least_columns() > audio::LEAST_COLUMNS) {
            return Err(WeightsError::Content(
                "a network needs more sound than the program waits for".into(),
            ));
        }
        let mut kernels = vec![];
        for (i, member) in config.members.into_iter().enumerate() {
            let mut own = Values::new();
            for (name, _) in audio::tensor_shapes(&member) {
                own.extend(tensors.remove(&format!("{i}.{name}")).map(|values| (name, values)));
            }
            kernels.push(Arc::new(ListenerKernel::new(member, &own)?));
        }
        Ok(Self { head, kernels })
    }
}
