//! The labelled MIDI of a data folder: `manifest.csv` with `open.tar.zst` and `research.tar.zst`.
//!
//! A genre counts where it is that of the music: in the sets whose files have votes (`genre_labelled` and
//! `web_multitrack+genre_labelled`; the manifest has their majority) and in those that are of one genre by
//! what they are (piano-midi.de, OpenScore Lieder, Mutopia). POP909 is pop by what it is; of each of its songs
//! one rendition of the paired set is taken, whose bars are right, and of that the track PIANO alone, for the
//! band is rule-made. The genres of the other paired sets name the style of that band, so they do not count,
//! nor do chorales that a model wrote.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use sha2::Digest;

use super::collection::{Collection, LeftOut, Raw, RawContent};
use super::labelled::Facts;
use crate::data::source::{CorpusError, Payload, table};
use crate::data::{Dataset, Source};

/// Sets whose manifest genre is a majority of votes on each file.
pub const VOTED: [&str; 2] = ["genre_labelled", "web_multitrack+genre_labelled"];
/// Sets that are of one genre by what they are.
pub const OF_ONE_GENRE: [&str; 4] = ["classicalpiano", "cademay", "lieder_piano", "mutopia_piano"];
/// The set of which the pianist is human and the rest is not.
pub const HUMAN_PIANO: &str = "pairs_mma_pop909";

/// A data folder's labelled files.
#[derive(Debug)]
pub struct Voted {
    dataset: Dataset,
    /// Repository by path.
    sources: HashMap<String, String>,
    /// Renditions of POP909 that are taken, one a song.
    renditions: HashSet<String>,
    /// Paths whose votes do not agree.
    doubtful: HashSet<String>,
    /// Paths with a genre or in a set of one.
    listed: usize,
    fingerprint: [u8; 32],
}

/// A row of `labels/genre_votes.csv`.
#[derive(serde::Deserialize)]
struct Vote {
    path: String,
    label: String,
}

/// A row of `manifest.csv`, as far as it is needed here.
#[derive(serde::Deserialize)]
struct Row {
    path: String,
    set: String,
    source: String,
    group: String,
    genre: Option<String>,
}

impl Voted {
    /// Reads the manifest of a data folder.
    ///
    /// # Errors
    /// When the manifest cannot be read or has a row that means nothing.
    pub fn open(folder: &Path) -> Result<Self, CorpusError> {
        let dataset = Dataset::open(folder)?;
        let manifest = folder.join("manifest.csv");
        let bytes = std::fs::read(&manifest).map_err(|source| CorpusError::Read {
            path: manifest.clone(),
            source,
            hint: "check the permissions",
        })?;
        let mut sources = HashMap::new();
        let mut renditions: HashMap<String, String> = HashMap::new();
        let mut listed = 0;
        for (_, row) in table::<Row>(&manifest, &bytes)? {
            listed += usize::from(row.genre.as_deref().is_some_and(|g| !g.is_empty()));
            if row.set == HUMAN_PIANO {
                let first = renditions.entry(row.group).or_insert_with(|| row.path.clone());
                if row.path < *first {
                    first.clone_from(&row.path);
                }
            }
            let repository = row.source.split('@').next().unwrap_or_default().trim().to_string();
            sources.insert(row.path, repository);
        }
        let mut digest = sha2::Sha256::new();
        digest.update(dataset.fingerprint());
        let doubtful = disagreements(&folder.join("labels/genre_votes.csv"), &mut digest)?;
        let renditions = renditions.into_values().collect();
        Ok(Self { dataset, sources, renditions, doubtful, listed, fingerprint: digest.finalize().into() })
    }

    /// The content of a file, or why it does not count.
    fn content(&self, id: &str, set: &str, genre: &str, payload: Payload) -> RawContent {
        let not_of_the_music = |why| RawContent::LeftOut(LeftOut::NotOfTheMusic(why));
        let bytes = match payload {
            Payload::Missing(why) => return RawContent::LeftOut(LeftOut::Missing(why)),
            Payload::Midi(bytes) | Payload::Roll(bytes) => bytes,
        };
        match set {
            HUMAN_PIANO if self.renditions.contains(id) => RawContent::PianoTrack(bytes),
            HUMAN_PIANO => not_of_the_music("another rendition of a song"),
            "pop909" => not_of_the_music("a song that the paired set has on a bar grid"),
            "js_fakes" => not_of_the_music("written by a model"),
            s if VOTED.contains(&s) || OF_ONE_GENRE.contains(&s) => {
                if genre.is_empty() {
                    RawContent::LeftOut(LeftOut::NoGenre)
                } else {
                    RawContent::Midi(bytes)
                }
            }
            _ => not_of_the_music("genre of the band's style"),
        }
    }
}

/// Paths with votes for more than one genre. Without the table nothing is doubtful.
fn disagreements(path: &Path, digest: &mut sha2::Sha256) -> Result<HashSet<String>, CorpusError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(HashSet::new()),
        Err(source) => {
            return Err(CorpusError::Read {
                path: path.to_path_buf(),
                source,
                hint: "check the permissions",
            });
        }
    };
    digest.update(&bytes);
    let mut first: HashMap<String, String> = HashMap::new();
    let mut doubtful = HashSet::new();
    for (_, vote) in table::<Vote>(path, &bytes)? {
        match first.get(&vote.path) {
            Some(label) if *label != vote.label => {
                doubtful.insert(vote.path);
            }
            Some(_) => {}
            None => {
                first.insert(vote.path, vote.label);
            }
        }
    }
    Ok(doubtful)
}

impl Collection for Voted {
    fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    fn len(&self) -> usize {
        self.listed
    }

    /// The manifest keeps versions of a song in one split by itself.
    fn may_repeat(&self) -> bool {
        false
    }

    /// Files without a genre are not yielded: most of the corpus has none and was never meant to.
    fn visit(&self, yield_item: &mut dyn FnMut(Raw) -> bool) -> Vec<String> {
        self.dataset.visit(&mut |item| {
            let meta = item.meta;
            let Some(genre) = meta.genre else { return true };
            let content = self.content(&meta.id, &meta.set, &genre, item.payload);
            let genre = if meta.set == HUMAN_PIANO { "Pop".to_string() } else { genre };
            let source = self.sources.get(&meta.id).cloned().unwrap_or_else(|| meta.set.clone());
            yield_item(Raw {
                facts: Facts {
                    doubtful: self.doubtful.contains(&meta.id),
                    id: meta.id,
                    set: meta.set,
                    tier: meta.tier,
                    source,
                    group: meta.group,
                    split: meta.split,
                    genre,
                },
                content,
            })
        })
    }
}
