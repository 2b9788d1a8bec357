//! Any tree with a folder for each genre, of MIDI files or of audio.
//!
//! `root/<genre>/.../file`. The source is the folder below the genre, when files lie that deep, else the
//! root's name. Splits go by file name ([`Split::by_name`]), so that a file of the same name in two places is in
//! one split; versions of a piece under other names are not recognised.

use std::path::Path;

use super::collection::{Loose, Reading};
use super::labelled::Facts;
use crate::data::files::{MIDI_ENDINGS, stem, walk};
use crate::data::source::CorpusError;
use crate::data::{Split, Tier};

/// Endings of audio files.
pub const AUDIO_ENDINGS: [&str; 10] = ["wav", "au", "snd", "flac", "mp3", "ogg", "oga", "m4a", "aac", "aiff"];

/// Reads a tree. Files that lie in the root itself have no genre and are a warning.
///
/// # Errors
/// When the folder cannot be read, or no folder in it has music.
pub fn open(root: &Path, tier: Tier) -> Result<Loose, CorpusError> {
    let mut warnings = Vec::new();
    let mut found: Vec<_> = walk(root, &MIDI_ENDINGS, &mut warnings)?
        .into_iter()
        .map(|(id, path)| (id, path, Reading::Midi))
        .collect();
    found.extend(
        walk(root, &AUDIO_ENDINGS, &mut Vec::new())?.into_iter().map(|(id, path)| (id, path, Reading::Audio)),
    );
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let set = root.file_name().map_or_else(|| "tree".into(), |n| n.to_string_lossy().into_owned());
    let mut without = 0;
    let mut listed = Vec::new();
    for (id, path, reading) in found {
        let folders: Vec<&str> = id.split('/').collect();
        let &[genre, .., _] = folders.as_slice() else {
            without += 1;
            continue;
        };
        let source = if folders.len() > 2 { folders[1] } else { &set };
        let name = stem(&path);
        let facts = Facts {
            set: set.clone(),
            tier,
            source: source.to_string(),
            group: name.to_lowercase(),
            split: Split::by_name(&name),
            genre: genre.to_string(),
            doubtful: false,
            id,
        };
        listed.push((facts, Ok((path, reading))));
    }
    if without > 0 {
        warnings.push(format!("{without} files lie in no folder of a genre and were passed over"));
    }
    if listed.is_empty() {
        return Err(CorpusError::Empty {
            path: root.to_path_buf(),
            hint: "expected a folder for each genre with MIDI files or audio in it or below",
        });
    }
    Ok(Loose::new(listed, warnings))
}
