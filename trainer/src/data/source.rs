//! What a corpus is to the rest of the trainer: files with what is known about them, in any order.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What may be done with a song and with what is learned from it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// A stated licence that allows use, change and redistribution.
    Open,
    /// Study and research only: measure with it, ship nothing that was derived from it without a decision.
    Research,
}

impl Tier {
    /// Both tiers.
    pub const ALL: [Self; 2] = [Self::Open, Self::Research];

    /// The name in manifests and file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Research => "research",
        }
    }
}

impl std::fmt::Display for Tier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Which use a song is reserved for. There is no default and no "all": whoever reads test songs says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// For learning.
    Train,
    /// For choosing settings and for stopping.
    Valid,
    /// For the final figures only.
    Test,
}

impl Split {
    /// The name in manifests and file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }

    /// The split that a corpus without splits of its own gives to a name: 85 % train, 5 % valid, 10 % test,
    /// by SHA-256 of the name in lower case, so that it stays when files are added or moved.
    pub fn by_name(name: &str) -> Self {
        use sha2::Digest;
        let digest = sha2::Sha256::digest(name.to_lowercase().as_bytes());
        let draw = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) % 100;
        match draw {
            0..85 => Self::Train,
            85..90 => Self::Valid,
            _ => Self::Test,
        }
    }
}

impl std::fmt::Display for Split {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Split {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s.trim().to_ascii_lowercase().as_str() {
            "train" => Ok(Self::Train),
            "valid" | "validation" => Ok(Self::Valid),
            "test" => Ok(Self::Test),
            other => Err(format!("unknown split '{other}': choose from train, valid, test")),
        }
    }
}

/// How the tracks of a file become the piano and the parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collect {
    /// By General MIDI program, programs 0 to 23 being the piano.
    ByProgram,
    /// By track name: PIANO, DRUMS, BASS, GUITAR, STRINGS; every other track is neither heard nor learned.
    ByTrackName,
}

/// What is known about a file before it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Meta {
    /// Path within the corpus; the identity of the song.
    pub id: String,
    /// Name of the set within the corpus.
    pub set: String,
    /// Licence tier.
    pub tier: Tier,
    /// Split.
    pub split: Split,
    /// Genre label.
    pub genre: Option<String>,
    /// Style of the band, where the corpus names it.
    pub style: Option<String>,
    /// Songs that are versions of one another share a group.
    pub group: String,
    /// How the tracks are to be read.
    pub collect: Collect,
    /// Bars before the bar that the corpus counts as the first; a pickup lies in them.
    pub lead_in_bars: u16,
    /// Share of downbeats whose bass pitch class sounds in the piano, where the corpus measured it.
    pub agreement: Option<f32>,
}

/// The content of a file.
#[derive(Debug, Clone)]
pub enum Payload {
    /// A Standard MIDI File.
    Midi(Vec<u8>),
    /// A piano roll, see [`super::roll`].
    Roll(Vec<u8>),
    /// The file could not be fetched, and why.
    Missing(String),
}

/// A file of a corpus.
#[derive(Debug, Clone)]
pub struct Item {
    /// What is known about it.
    pub meta: Meta,
    /// What is in it.
    pub payload: Payload,
}

/// Most bytes of a file; larger ones are no music.
pub const MAX_FILE: u64 = 128 << 20;

/// A corpus that can be read once through.
pub trait Source: Sync {
    /// Identifies the content; a cache made from other content is stale.
    fn fingerprint(&self) -> [u8; 32];
    /// Number of items that [`Source::visit`] will yield.
    fn len(&self) -> usize;
    /// Whether there is nothing to read.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Whether the same music may be there twice, in two splits; then all but the first by id are left out.
    fn may_repeat(&self) -> bool;
    /// Yields every item once, in any order, until `yield_item` returns false. A damaged or missing file is
    /// an item with [`Payload::Missing`] or with the damaged bytes. Returns warnings for the report.
    fn visit(&self, yield_item: &mut dyn FnMut(Item) -> bool) -> Vec<String>;
}

/// Why a corpus cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// A file that the layout requires cannot be read.
    #[error("cannot read {path}; {hint}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
        /// What to do.
        hint: &'static str,
    },
    /// A table lacks a column or has a value that means nothing.
    #[error("{path}, line {line}: {what}")]
    Table {
        /// The file.
        path: PathBuf,
        /// Line number from 1; 0 when it concerns the whole file.
        line: u64,
        /// What is wrong, and what is expected.
        what: String,
    },
    /// Nothing was found.
    #[error("no music found in {path}: {hint}")]
    Empty {
        /// The folder.
        path: PathBuf,
        /// What is expected there.
        hint: &'static str,
    },
}

/// Rows of a CSV table with their line numbers.
pub(crate) fn table<T: serde::de::DeserializeOwned>(
    path: &Path,
    bytes: &[u8],
) -> Result<Vec<(u64, T)>, CorpusError> {
    let mut reader = csv::Reader::from_reader(bytes);
    let fault = |line, what| CorpusError::Table { path: path.to_path_buf(), line, what };
    let header = reader.headers().map_err(|e| fault(1, e.to_string()))?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| fault(e.position().map_or(0, csv::Position::line), e.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push((line, record.deserialize(Some(&header)).map_err(|e| fault(line, e.to_string()))?));
    }
    Ok(rows)
}
