//! Weights files: GGUF with quantised matrices, the styles, a card, and a checksum at the end.
//!
//! A file is loaded strictly. The checksum is checked before anything is parsed, so that a damaged file
//! never reaches the parser; then the encoding's fingerprint, the set of tensors and every shape.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::{Arc, OnceLock};

use candle_core::Device;
use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Result as CandleResult, Tensor};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sideman_music::encoding::grid::{BASS_LOW, VELOCITY_BINS, VelocityTable};

use crate::band::{Config, INPUTS, NeuralBand, Sampling, StepNetwork};

/// What a file ends with, before the checksum of all that comes before.
const TRAILER: &[u8; 8] = b"SIDEMAN1";
/// No weights of ours come near this size.
const MOST_BYTES: usize = 256 << 20;

/// Why weights could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file is not one of ours.
    #[error("this is not a Sideman weights file; give a .gguf file that `sideman-trainer export` wrote")]
    Foreign,
    /// The file is cut off or altered.
    #[error("the weights file is damaged: its checksum does not fit; fetch or export it again")]
    Damaged,
    /// The file is of another version of the encoding.
    #[error(
        "the weights were made for another version of Sideman (encoding {found}, this one has {expected}); export them again with this version"
    )]
    Encoding {
        /// In the file.
        found: String,
        /// Of this program.
        expected: String,
    },
    /// Something in the file is missing, too much or of the wrong size.
    #[error("the weights file does not fit: {0}; export it again")]
    Content(String),
}

/// What a model saw and how well it does. Written by `sideman-trainer export`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Name of the model.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Version of the program that wrote it.
    pub version: String,
    /// Number of parameters.
    pub parameters: usize,
    /// How the matrices are stored.
    pub quantisation: String,
    /// Licence of the weights and what follows from the data.
    pub licence: String,
    /// What it was trained on: sets, tiers, numbers of songs.
    pub data: Vec<String>,
    /// Seed of the run.
    pub seed: u64,
    /// Commit that it was trained at.
    pub commit: String,
    /// Commands that make it again.
    pub commands: Vec<String>,
    /// Seconds of training and on what.
    pub training: String,
    /// Scores, with the data they were measured on.
    pub scores: Vec<String>,
    /// SHA-256 of the file; empty inside the file itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
}

/// A style that the band can play in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredStyle {
    /// Name of the style it belongs to, as `--style` takes it.
    pub style: String,
    /// Tempo of the song it comes from, in quarter notes a minute.
    pub bpm: f32,
    /// Steps in a bar of that song.
    pub bar_steps: u16,
    /// General MIDI programs of drums (kit), bass, guitar and strings there; parts that it lacks have none.
    pub programs: [Option<u8>; 4],
    /// Share of the bars in which each part plays there, in the order of [`sideman_music::Part::ALL`]; older
    /// files say nothing.
    #[serde(default)]
    pub share: Option<[f32; 4]>,
    /// Style code.
    pub code: Vec<f32>,
}

/// The weights of a band, ready to play.
#[derive(Debug, Clone)]
pub struct BandWeights {
    /// The network.
    pub kernel: Arc<StepNetwork>,
    /// Styles.
    pub styles: Vec<StoredStyle>,
    /// Velocities of the bins.
    pub velocities: VelocityTable,
    /// How the band draws.
    pub sampling: Sampling,
    /// Card.
    pub card: Card,
}

/// What is known of a performance before its first note.
#[derive(Debug, Clone, Copy)]
pub struct Occasion<'a> {
    /// Name of a style, or none to choose freely.
    pub style: Option<&'a str>,
    /// Quarter notes a minute.
    pub bpm: f64,
    /// Steps in a bar.
    pub bar_steps: i64,
    /// Which parts will play.
    pub parts: [bool; 4],
    /// Seed.
    pub seed: u64,
}

/// Name under which the codes are stored that are drawn when no style is asked for.
pub const AUTO: &str = "auto";

impl BandWeights {
    /// A band that plays in a style.
    pub fn band(&self, style: &StoredStyle, seed: u64) -> NeuralBand {
        NeuralBand::new(self.kernel.clone(), &style.code, seed).with_sampling(self.sampling)
    }

    /// Of the stored styles that suit an occasion best, one by the seed: the metre goes before the tempo,
    /// and both before parts that the stored song lacks. None when the style is not stored.
    pub fn choose(&self, occasion: &Occasion<'_>) -> Option<&StoredStyle> {
        let name = occasion.style.unwrap_or(AUTO);
        // So many are equally good; more would be too far off.
        let suitable = if name == AUTO { 12 } else { 5 };
        let unlike = |s: &StoredStyle| {
            let metre = if i64::from(s.bar_steps) == occasion.bar_steps { 0.0 } else { 10.0 };
            let tempo = (f64::from(s.bpm).max(1.0) / occasion.bpm.max(1.0)).log2().abs();
            let lacks = (0..4).filter(|&p| occasion.parts[p] && s.programs[p].is_none()).count();
            metre + tempo + 0.5 * lacks as f64
        };
        let mut ranked: Vec<&StoredStyle> = self.styles.iter().filter(|s| s.style == name).collect();
        ranked.sort_by(|a, b| unlike(a).total_cmp(&unlike(b)));
        let count = ranked.len().min(suitable);
        (count > 0).then(|| ranked[(occasion.seed % count as u64) as usize])
    }
}

/// What identifies the encoding that weights are made for: it changes with the inputs, the tensors or the
/// meaning of either.
pub fn encoding(config: &Config) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("band 2, {INPUTS} inputs, bass from {BASS_LOW}"));
    for spec in config.tensors() {
        hash.update(format!("{} {:?};", spec.name, spec.shape));
    }
    hash.finalize().iter().take(8).map(|b| format!("{b:02x}")).collect()
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// Whether a tensor is stored as 8-bit blocks: matrices of some size.
pub(crate) fn is_quantised(shape: &[usize]) -> bool {
    shape.len() == 2 && shape[0] * shape[1] >= 4096
}

/// The shape under which a tensor is stored: rows of a quantised one are filled up to whole blocks of 32.
fn stored_shape(shape: &[usize]) -> Vec<usize> {
    if is_quantised(shape) { vec![shape[0], shape[1].div_ceil(32) * 32] } else { shape.to_vec() }
}

/// A tensor as it is stored.
pub(crate) fn quantise(shape: &[usize], values: &[f32]) -> CandleResult<QTensor> {
    if !is_quantised(shape) {
        return QTensor::quantize(&Tensor::from_slice(values, shape, &Device::Cpu)?, GgmlDType::F32);
    }
    // Blocks of 32 along a row: the rest of the last one is zeros.
    let (rows, columns) = (shape[0], shape[1]);
    let wide = columns.div_ceil(32) * 32;
    let mut padded = vec![0f32; rows * wide];
    for (to, from) in padded.chunks_exact_mut(wide).zip(values.chunks_exact(columns)) {
        to[..columns].copy_from_slice(from);
    }
    QTensor::quantize(&Tensor::from_vec(padded, (rows, wide), &Device::Cpu)?, GgmlDType::Q8_0)
}

/// The values of a tensor as a stored one gives them back.
fn restored(stored: &QTensor, shape: &[usize]) -> CandleResult<Vec<f32>> {
    let values: Vec<f32> = stored.dequantize(&Device::Cpu)?.flatten_all()?.to_vec1()?;
    let columns = shape.last().copied().unwrap_or(1);
    let wide = stored.shape().dims().last().copied().unwrap_or(1);
    if wide == columns {
        return Ok(values);
    }
    Ok(values.chunks_exact(wide).flat_map(|row| row[..columns].iter().copied()).collect())
}

/// What is left of a tensor's values after storing them.
///
/// # Errors
/// When the tensor cannot be quantised.
pub fn rounded(shape: &[usize], values: &[f32]) -> CandleResult<Vec<f32>> {
    restored(&quantise(shape, values)?, shape)
}

/// Writes the tensors of a network (name to shape and values), quantised, with everything else a weights
/// file holds.
///
/// # Errors
/// When a tensor cannot be quantised.
pub fn write(
    config: &Config,
    tensors: &BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    styles: &[StoredStyle],
    velocities: &VelocityTable,
    sampling: &Sampling,
    card: &Card,
) -> CandleResult<Vec<u8>> {
    let metadata = [
        ("general.architecture", Value::String("sideman-band".into())),
        ("general.name", Value::String(card.name.clone())),
        ("sideman.encoding", Value::String(encoding(config))),
        ("sideman.config", json(config)),
        ("sideman.sampling", json(sampling)),
        ("sideman.card", json(card)),
        ("sideman.styles", json(&styles)),
        ("sideman.velocities", json(&velocities.0.map(|t| t.to_vec()).to_vec())),
    ];
    sealed(&metadata, tensors)
}

/// A file of metadata and quantised tensors with its checksum.
pub(crate) fn sealed(
    metadata: &[(&str, Value)],
    tensors: &BTreeMap<String, (Vec<usize>, Vec<f32>)>,
) -> CandleResult<Vec<u8>> {
    let mut stored = vec![];
    for (name, (shape, values)) in tensors {
        if values.iter().any(|v| !v.is_finite()) {
            candle_core::bail!("the tensor {name} holds values that are no numbers");
        }
        stored.push((name.as_str(), quantise(shape, values)?));
    }
    let mut out = Cursor::new(vec![]);
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(k, v)| (*k, v)).collect();
    let tensors: Vec<(&str, &QTensor)> = stored.iter().map(|(k, v)| (*k, v)).collect();
    gguf_file::write(&mut out, &metadata, &tensors)?;
    let mut bytes = out.into_inner();
    let sum = Sha256::digest(&bytes);
    bytes.extend_from_slice(TRAILER);
    bytes.extend_from_slice(&sum);
    Ok(bytes)
}

pub(crate) fn json<T: Serialize>(value: &T) -> Value {
    // Plain data with string keys always has a JSON form.
    Value::String(serde_json::to_string(value).unwrap_or_default())
}

/// The part of a file before the checksum, once that is found to fit.
fn verified(bytes: &[u8]) -> Result<&[u8], WeightsError> {
    let split = bytes.len().checked_sub(TRAILER.len() + 32).filter(|_| bytes.len() <= MOST_BYTES);
    let Some((body, tail)) = split.map(|at| bytes.split_at(at)) else { return Err(WeightsError::Foreign) };
    if &tail[..8] != TRAILER {
        // Ours but cut off, or not ours at all.
        let ours = bytes.starts_with(b"GGUF") && bytes.windows(8).take(4096).any(|w| w == b"sideman-");
        return Err(if ours { WeightsError::Damaged } else { WeightsError::Foreign });
    }
    if Sha256::digest(body).as_slice() != &tail[8..] {
        return Err(WeightsError::Damaged);
    }
    Ok(body)
}

/// A file whose checksum fits.
pub(crate) struct Parsed<'a> {
    content: gguf_file::Content,
    body: &'a [u8],
}

impl<'a> Parsed<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, WeightsError> {
        let body = verified(bytes)?;
        let content = gguf_file::Content::read(&mut Cursor::new(body))
            .map_err(|e| WeightsError::Content(e.to_string()))?;
        Ok(Self { content, body })
    }

    pub(crate) fn text(&self, key: &str) -> Result<&str, WeightsError> {
        match self.content.metadata.get(key) {
            Some(Value::String(s)) => Ok(s),
            _ => Err(WeightsError::Content(format!("{key} is missing"))),
        }
    }

    /// The card, with the checksum of the whole file.
    pub(crate) fn card(&self, bytes: &[u8]) -> Result<Card, WeightsError> {
        Ok(Card { sha256: sha256(bytes), ..self.json("sideman.card")? })
    }

    pub(crate) fn json<T: for<'d> Deserialize<'d>>(&self, key: &str) -> Result<T, WeightsError> {
        serde_json::from_str(self.text(key)?).map_err(|e| WeightsError::Content(format!("{key}: {e}")))
    }
}

impl Parsed<'_> {
    /// The values of the tensors by name: exactly these, of these shapes, all finite.
    pub(crate) fn tensors(
        &self,
        shapes: &[(String, Vec<usize>)],
    ) -> Result<BTreeMap<String, Vec<f32>>, WeightsError> {
        if let Some(extra) = self.content.tensor_infos.keys().find(|k| shapes.iter().all(|s| s.0 != **k)) {
            return Err(WeightsError::Content(format!("the tensor {extra} does not belong there")));
        }
        let mut tensors = BTreeMap::new();
        for (name, shape) in shapes {
            let content = |e: String| WeightsError::Content(format!("{name}: {e}"));
            let stored = stored_shape(shape);
            let info = self.content.tensor_infos.get(name).ok_or_else(|| content("missing".into()))?;
            if info.shape.dims() != stored {
                return Err(content(format!("has the shape {:?} instead of {stored:?}", info.shape.dims())));
            }
            let values = self
                .content
                .tensor(&mut Cursor::new(self.body), name, &Device::Cpu)
                .and_then(|t| restored(&t, shape))
                .map_err(|e| content(e.to_string()))?;
            if values.iter().any(|v| !v.is_finite()) {
                return Err(content("holds values that are no numbers".into()));
            }
            tensors.insert(name.clone(), values);
        }
        Ok(tensors)
    }
}

/// Reads only the card of a weights file.
///
/// # Errors
/// When the file is damaged or not one of ours.
pub fn card(bytes: &[u8]) -> Result<Card, WeightsError> {
    Parsed::new(bytes)?.card(bytes)
}

/// The configuration of a verified file and the values of its tensors by name, exactly those that belong.
fn tensors(parsed: &Parsed<'_>) -> Result<(Config, BTreeMap<String, Vec<f32>>), WeightsError> {
    let config: Config = parsed.json("sideman.config")?;
    let sizes = [config.input, config.hidden, config.context, config.pitch, config.style];
    if sizes.iter().any(|&n| n == 0 || n > 8192) {
        return Err(WeightsError::Content(format!("absurd sizes {config:?}")));
    }
    let (found, expected) = (parsed.text("sideman.encoding")?.to_owned(), encoding(&config));
    if found != expected {
        return Err(WeightsError::Encoding { found, expected });
    }
    let shapes: Vec<(String, Vec<usize>)> =
        config.tensors().into_iter().filter(|s| !s.training_only).map(|s| (s.name, s.shape)).collect();
    Ok((config, parsed.tensors(&shapes)?))
}

/// The network's sizes and tensors in a weights file, as f32: to compare the step kernel with the network.
///
/// # Errors
/// As for [`load`].
pub fn read_tensors(bytes: &[u8]) -> Result<(Config, BTreeMap<String, Vec<f32>>), WeightsError> {
    tensors(&Parsed::new(bytes)?)
}

/// Loads a weights file. Allocates and takes some milliseconds: not for the audio thread.
///
/// # Errors
/// When the file is damaged, foreign, of another encoding, or lacks something.
pub fn load(bytes: &[u8]) -> Result<BandWeights, WeightsError> {
    let parsed = Parsed::new(bytes)?;
    let (config, tensors) = tensors(&parsed)?;
    let styles: Vec<StoredStyle> = parsed.json("sideman.styles")?;
    // Codes are drawn towards a normal distribution of deviation 1 in training.
    let sound = |s: &StoredStyle| s.code.len() == config.style && s.code.iter().all(|v| v.abs() < 100.0);
    if styles.is_empty() || !styles.iter().all(sound) {
        return Err(WeightsError::Content("the styles are missing, of another width or absurd".into()));
    }
    let table: Vec<Vec<u8>> = parsed.json("sideman.velocities")?;
    let mut velocities = VelocityTable::default();
    if table.len() != 4 || table.iter().any(|t| t.len() != VELOCITY_BINS) {
        return Err(WeightsError::Content("the velocity table is of another size".into()));
    }
    for (to, from) in velocities.0.iter_mut().zip(&table) {
        to.copy_from_slice(from);
    }
    let sampling: Sampling = parsed.json("sideman.sampling")?;
    if !sampling.is_sound() {
        return Err(WeightsError::Content("the sampling makes no sense".into()));
    }
    let kernel = StepNetwork::new(config, &tensors).map_err(WeightsError::Content)?;
    Ok(BandWeights { kernel: Arc::new(kernel), styles, velocities, sampling, card: parsed.card(bytes)? })
}

/// A set of weights that is built in.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// Name, as `--weights` takes it.
    pub name: &'static str,
    /// The weights file.
    pub bytes: &'static [u8],
}

/// Every set that is built in; the first one is played unless another is asked for.
pub const BUILT_IN: &[BuiltIn] = &[
    BuiltIn { name: "full", bytes: include_bytes!("../../weights/band-full.gguf") },
    BuiltIn { name: "open", bytes: include_bytes!("../../weights/band-open.gguf") },
];

/// The weights file that is played unless another is asked for.
pub const EMBEDDED: &[u8] = BUILT_IN[0].bytes;

/// Why a built-in set could not be had.
#[derive(Debug, thiserror::Error)]
pub enum NamedError {
    /// There is no set of that name.
    #[error("no weights named '{name}' are built in: choose from {known}")]
    Unknown {
        /// The name given.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The program was built with a file that cannot be used.
    #[error("the built-in weights '{name}': {source}")]
    Unusable {
        /// Name of the set.
        name: &'static str,
        /// What is wrong with it.
        source: WeightsError,
    },
}

/// A built-in set of weights by its name: one copy for the whole process, loaded when first asked for, which
/// takes some milliseconds. Any thread but the audio thread.
///
/// # Errors
/// When there is no such set, or the program was built with a damaged file.
pub fn named(name: &str) -> Result<&'static BandWeights, NamedError> {
    static LOADED: [OnceLock<BandWeights>; BUILT_IN.len()] = [const { OnceLock::new() }; BUILT_IN.len()];
    let Some(i) = BUILT_IN.iter().position(|b| b.name == name) else {
        let known = BUILT_IN.iter().map(|b| b.name).collect::<Vec<_>>().join(", ");
        return Err(NamedError::Unknown { name: name.to_owned(), known });
    };
    if let Some(loaded) = LOADED[i].get() {
        return Ok(loaded);
    }
    let loaded =
        load(BUILT_IN[i].bytes).map_err(|source| NamedError::Unusable { name: BUILT_IN[i].name, source })?;
    Ok(LOADED[i].get_or_init(|| loaded))
}

/// The set that is played unless another is asked for.
///
/// # Errors
/// When the program was built with a damaged file.
pub fn embedded() -> Result<&'static BandWeights, NamedError> {
    named(BUILT_IN[0].name)
}
