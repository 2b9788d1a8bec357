//! What a labelled collection is to the rest: files with what is known about them, in any order.

use std::path::{Path, PathBuf};

use sha2::Digest;

use super::labelled::{Facts, MelImage};
use crate::data::source::MAX_FILE;

/// Why an item is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftOut {
    /// The collection has no genre for it.
    NoGenre,
    /// It has several, given here.
    SeveralGenres(String),
    /// The genre is that of a style, of a generator or of a whole set, not of the music.
    NotOfTheMusic(&'static str),
    /// The same music as another item, named here.
    Repeat(String),
    /// The lists of the chosen split do not name it.
    NotInSplit,
    /// It is listed but could not be found or fetched.
    Missing(String),
    /// It is damaged or not what its name says.
    Unreadable(String),
    /// A row of a table means nothing.
    BadRow(String),
    /// Fewer notes than [`MIN_NOTES`](super::prepare::MIN_NOTES), given here.
    FewNotes(usize),
    /// Rendered to audio it makes no sound.
    Silent,
    /// Rendered to audio it is shorter than a clip; its seconds.
    Short(u32),
}

impl LeftOut {
    /// The reason without the figures of the file, for counting.
    pub fn class(&self) -> &'static str {
        match self {
            Self::NoGenre => "no genre label",
            Self::SeveralGenres(_) => "several genres",
            Self::NotOfTheMusic(why) => why,
            Self::Repeat(_) => "same music as another item",
            Self::NotInSplit => "not in the lists of the split",
            Self::Missing(_) => "listed but missing",
            Self::Unreadable(_) => "damaged or not readable",
            Self::BadRow(_) => "bad row of a table",
            Self::FewNotes(_) => "fewer than 32 notes",
            Self::Silent => "no sound",
            Self::Short(_) => "shorter than a clip",
        }
    }

    /// The figures of the file.
    pub fn detail(&self) -> String {
        match self {
            Self::SeveralGenres(s) | Self::Repeat(s) | Self::Missing(s) => s.clone(),
            Self::Unreadable(s) | Self::BadRow(s) => s.clone(),
            Self::FewNotes(n) => format!("{n} notes"),
            Self::Short(s) => format!("{s} s"),
            Self::NoGenre | Self::NotOfTheMusic(_) | Self::NotInSplit | Self::Silent => String::new(),
        }
    }
}

/// The content of a raw item.
#[derive(Debug, Clone)]
pub enum RawContent {
    /// A Standard MIDI File.
    Midi(Vec<u8>),
    /// The same, of which only the track PIANO counts.
    PianoTrack(Vec<u8>),
    /// A piano roll of pypianoroll.
    Roll(Vec<u8>),
    /// A mel spectrogram.
    Mel(MelImage),
    /// A file of audio.
    Audio(PathBuf),
    /// None, and why. The genre of the facts may be empty.
    LeftOut(LeftOut),
}

/// An item as a collection yields it.
#[derive(Debug, Clone)]
pub struct Raw {
    /// What is known about it.
    pub facts: Facts,
    /// What is in it.
    pub content: RawContent,
}

/// A labelled collection that can be read once through.
pub trait Collection: Sync {
    /// Identifies the content; a cache made from other content is stale.
    fn fingerprint(&self) -> [u8; 32];
    /// Number of items that [`Collection::visit`] will yield.
    fn len(&self) -> usize;
    /// Whether there is nothing to read.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Whether the same music may be there twice, in two splits; then all but the first by id are left out.
    fn may_repeat(&self) -> bool {
        true
    }
    /// Yields every item once, in any order, until `yield_item` returns false. What is damaged or missing is
    /// an item, too. Returns warnings for the report.
    fn visit(&self, yield_item: &mut dyn FnMut(Raw) -> bool) -> Vec<String>;
}

/// How the content of a loose file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// As a Standard MIDI File.
    Midi,
    /// As a piano roll.
    Roll,
    /// Not now: the file is audio, and only its path is kept.
    Audio,
}

/// A loose file: what is known about it, and where it is and how it is read, or why it is left out.
pub type Listed = (Facts, Result<(PathBuf, Reading), LeftOut>);

/// Loose files with genres, as most layouts are.
#[derive(Debug)]
pub struct Loose {
    listed: Vec<Listed>,
    warnings: Vec<String>,
    fingerprint: [u8; 32],
}

impl Loose {
    /// A collection of listed files, each with where it is or why it is left out.
    pub fn new(listed: Vec<Listed>, warnings: Vec<String>) -> Self {
        let mut digest = sha2::Sha256::new();
        for (facts, place) in &listed {
            let stamp = place.as_ref().ok().and_then(|p| std::fs::metadata(&p.0).ok()).map(|m| {
                let changed = m.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
                (m.len(), changed.map(|d| d.as_nanos().to_string()))
            });
            digest.update(serde_json::to_vec(&(facts, stamp)).expect("plain data is always JSON"));
            digest.update(place.as_ref().err().map_or("", LeftOut::class));
        }
        Self { listed, warnings, fingerprint: digest.finalize().into() }
    }
}

impl Collection for Loose {
    fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    fn len(&self) -> usize {
        self.listed.len()
    }

    fn visit(&self, yield_item: &mut dyn FnMut(Raw) -> bool) -> Vec<String> {
        for (facts, place) in &self.listed {
            let content = match place {
                Ok((path, reading)) => fetch(path, *reading),
                Err(why) => RawContent::LeftOut(why.clone()),
            };
            if !yield_item(Raw { facts: facts.clone(), content }) {
                break;
            }
        }
        self.warnings.clone()
    }
}

/// The content of a loose file, or why there is none.
fn fetch(path: &Path, reading: Reading) -> RawContent {
    let missing = |why: String| RawContent::LeftOut(LeftOut::Missing(why));
    match (std::fs::metadata(path), reading) {
        (Err(e), _) => missing(e.to_string()),
        (Ok(m), _) if m.len() == 0 => RawContent::LeftOut(LeftOut::Unreadable("empty file".to_string())),
        (Ok(_), Reading::Audio) => RawContent::Audio(path.to_path_buf()),
        (Ok(m), _) if m.len() > MAX_FILE => {
            missing(format!("{} bytes, over the limit of {MAX_FILE}", m.len()))
        }
        (Ok(_), reading) => match std::fs::read(path) {
            Err(e) => missing(e.to_string()),
            Ok(bytes) if reading == Reading::Roll => RawContent::Roll(bytes),
            Ok(bytes) => RawContent::Midi(bytes),
        },
    }
}
