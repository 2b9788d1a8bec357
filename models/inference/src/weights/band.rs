//! Weights files of the band: the network, its styles, its velocities and how it draws.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use sideman_music::encoding::grid::{BASS_LOW, VELOCITY_BINS, VelocityTable};

use super::{Card, Shaped, TensorError, Values, WeightsError, WeightsFile, fingerprint, json, sealed};
use crate::band::{Config, INPUTS, NeuralBand, Sampling, StepNetwork};

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
    let tensors = config.tensors();
    let named = tensors.iter().map(|t| (t.name.as_str(), t.shape.as_slice()));
    fingerprint(&format!("band 2, {INPUTS} inputs, bass from {BASS_LOW}"), named)
}

/// Writes the tensors of a network (name to shape and values), quantised, with everything else a weights
/// file holds.
///
/// # Errors
/// When a value is not finite.
pub fn write(
    config: &Config,
    tensors: &Shaped,
    styles: &[StoredStyle],
    velocities: &VelocityTable,
    sampling: &Sampling,
    card: &Card,
) -> Result<Vec<u8>, TensorError> {
    let texts = [
        ("general.architecture", "sideman-band".to_owned()),
        ("general.name", card.name.clone()),
        ("sideman.encoding", encoding(config)),
        ("sideman.config", json(config)),
        ("sideman.sampling", json(sampling)),
        ("sideman.card", json(card)),
        ("sideman.styles", json(&styles)),
        ("sideman.velocities", json(&velocities.0.map(|t| t.to_vec()).to_vec())),
    ];
    sealed(&texts, tensors)
}

/// The configuration of a verified file and the values of its tensors by name, exactly those that belong.
fn tensors(file: &WeightsFile<'_>) -> Result<(Config, Values), WeightsError> {
    let config: Config = file.json("sideman.config")?;
    let sizes = [config.input, config.hidden, config.context, config.pitch, config.style];
    if sizes.iter().any(|&n| n == 0 || n > 8192) {
        return Err(TensorError::Sizes(format!("{config:?}")).into());
    }
    file.expect_encoding(encoding(&config))?;
    let shapes: Vec<(String, Vec<usize>)> =
        config.tensors().into_iter().filter(|s| !s.training_only).map(|s| (s.name, s.shape)).collect();
    Ok((config, file.tensors(&shapes)?))
}

/// The network's sizes and tensors in a weights file, as f32: to compare the step kernel with the network.
///
/// # Errors
/// As for [`load`].
pub fn read_tensors(bytes: &[u8]) -> Result<(Config, Values), WeightsError> {
    tensors(&WeightsFile::read(bytes)?)
}

/// Loads a weights file. Allocates and takes some milliseconds: not for the audio thread.
///
/// # Errors
/// When the file is damaged, foreign, of another encoding, or lacks something.
pub fn load(bytes: &[u8]) -> Result<BandWeights, WeightsError> {
    let parsed = WeightsFile::read(bytes)?;
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
    let kernel = StepNetwork::new(config, &tensors)?;
    Ok(BandWeights { kernel: Arc::new(kernel), styles, velocities, sampling, card: parsed.card()? })
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
    BuiltIn { name: "full", bytes: include_bytes!("../../../weights/band-full.gguf") },
    BuiltIn { name: "open", bytes: include_bytes!("../../../weights/band-open.gguf") },
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
