//! The product's classifiers, built into the program: one copy for the whole process, loaded when first asked for,
//! which takes some milliseconds. Any thread but the audio thread.

use std::sync::OnceLock;

use super::weights::{AudioWeights, BarWeights, InputKind};
use crate::weights::NamedError;

/// The weights file that tells the genre of a whole band from its notes.
pub const BAND: &[u8] = include_bytes!("../../../weights/genre-band.gguf");
/// The weights file that tells the genre of a piano from its notes.
pub const PIANO: &[u8] = include_bytes!("../../../weights/genre-piano.gguf");
/// The weights file that tells the genre of sound.
pub const AUDIO: &[u8] = include_bytes!("../../../weights/genre-audio.gguf");

fn bars(
    place: &'static OnceLock<BarWeights>,
    name: &'static str,
    bytes: &[u8],
    hears: InputKind,
) -> Result<&'static BarWeights, NamedError> {
    if let Some(loaded) = place.get() {
        return Ok(loaded);
    }
    let loaded = BarWeights::load(bytes, hears).map_err(|source| NamedError::Unusable { name, source })?;
    Ok(place.get_or_init(|| loaded))
}

/// Tells the genre of a whole band from its notes.
///
/// # Errors
/// When the program was built with a damaged file.
pub fn band() -> Result<&'static BarWeights, NamedError> {
    static LOADED: OnceLock<BarWeights> = OnceLock::new();
    bars(&LOADED, "genre-band", BAND, InputKind::Band)
}

/// Tells the genre of a piano from its notes, eight bars at a time.
///
/// # Errors
/// When the program was built with a damaged file.
pub fn piano() -> Result<&'static BarWeights, NamedError> {
    static LOADED: OnceLock<BarWeights> = OnceLock::new();
    bars(&LOADED, "genre-piano", PIANO, InputKind::Piano)
}

/// Tells the genre of sound, 30 s at a time or live.
///
/// # Errors
/// When the program was built with a damaged file.
pub fn audio() -> Result<&'static AudioWeights, NamedError> {
    static LOADED: OnceLock<AudioWeights> = OnceLock::new();
    if let Some(loaded) = LOADED.get() {
        return Ok(loaded);
    }
    let loaded =
        AudioWeights::load(AUDIO).map_err(|source| NamedError::Unusable { name: "genre-audio", source })?;
    Ok(LOADED.get_or_init(|| loaded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_can_be_used() {
        for head in [&band().unwrap().head, &piano().unwrap().head, &audio().unwrap().head] {
            let card = &head.card;
            assert!(
                !card.data.is_empty() && !card.commands.is_empty() && !card.scores.is_empty(),
                "{}",
                card.name
            );
        }
    }
}
