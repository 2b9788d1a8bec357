//! Corpora that are loose files on disk: any folder of MIDI files, and what the layouts of [`super::lakh`]
//! have in common with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::Digest;

use super::source::{Collect, CorpusError, Item, MAX_FILE, Meta, Payload, Source, Split, Tier};

/// Endings of Standard MIDI Files.
pub const MIDI_ENDINGS: [&str; 5] = ["mid", "midi", "kar", "rmi", "smf"];

/// What the files contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Standard MIDI Files.
    Midi,
    /// Piano rolls, see [`super::roll`].
    Roll,
}

/// A file with what is known about it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// What is known.
    pub meta: Meta,
    /// Where it is.
    pub path: PathBuf,
}

/// Loose files.
#[derive(Debug)]
pub struct Files {
    listed: Vec<Listed>,
    content: Content,
    warnings: Vec<String>,
    fingerprint: [u8; 32],
}

impl Files {
    /// A corpus of listed files.
    pub fn new(listed: Vec<Listed>, content: Content, warnings: Vec<String>) -> Self {
        let mut digest = sha2::Sha256::new();
        for l in &listed {
            let m = &l.meta;
            let facts = (
                &m.id,
                &m.set,
                m.tier,
                m.split,
                &m.genre,
                &m.group,
                std::fs::metadata(&l.path).ok().as_ref().map(stamp),
            );
            digest.update(serde_json::to_vec(&facts).expect("plain data is always JSON"));
        }
        Self { listed, content, warnings, fingerprint: digest.finalize().into() }
    }

    /// Any folder of MIDI files, recursively.
    ///
    /// Songs go to the splits by their file names ([`Split::by_name`]), unless `split.csv` in the folder
    /// (columns `path`, `split`, optionally `genre`) says otherwise.
    ///
    /// # Errors
    /// When the folder cannot be read, has no MIDI files, or `split.csv` has a row that means nothing.
    pub fn folder(root: &Path, tier: Tier) -> Result<Self, CorpusError> {
        let mut warnings = Vec::new();
        let found = walk(root, &MIDI_ENDINGS, &mut warnings)?;
        if found.is_empty() {
            return Err(CorpusError::Empty {
                path: root.to_path_buf(),
                hint: "no MIDI files in it or below",
            });
        }
        let mut table = split_table(&root.join("split.csv"))?;
        let set = root.file_name().map_or_else(|| "folder".into(), |n| n.to_string_lossy().into_owned());
        let listed = found
            .into_iter()
            .map(|(id, path)| {
                let row = table.remove(&id);
                let name = stem(&path);
                let split = row.as_ref().map_or_else(|| Split::by_name(&name), |r| r.0);
                Listed { meta: meta(id, &set, tier, split, row.and_then(|r| r.1), name), path }
            })
            .collect();
        if !table.is_empty() {
            let some: Vec<&str> = table.keys().take(3).map(String::as_str).collect();
            warnings.push(format!(
                "split.csv lists {} missing files, such as {}",
                table.len(),
                some.join(", ")
            ));
        }
        Ok(Self::new(listed, Content::Midi, warnings))
    }
}

/// What is known about a loose file.
pub(crate) fn meta(
    id: String,
    set: &str,
    tier: Tier,
    split: Split,
    genre: Option<String>,
    group: String,
) -> Meta {
    Meta {
        id,
        set: set.to_string(),
        tier,
        split,
        genre,
        style: None,
        group,
        collect: Collect::ByProgram,
        lead_in_bars: 0,
        agreement: None,
    }
}

impl Source for Files {
    fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    fn len(&self) -> usize {
        self.listed.len()
    }

    fn may_repeat(&self) -> bool {
        true
    }

    fn visit(&self, yield_item: &mut dyn FnMut(Item) -> bool) -> Vec<String> {
        for Listed { meta, path } in &self.listed {
            let payload = match std::fs::metadata(path) {
                Ok(m) if m.len() > MAX_FILE => {
                    Payload::Missing(format!("{} bytes, over the limit of {MAX_FILE}", m.len()))
                }
                _ => match (std::fs::read(path), self.content) {
                    (Ok(bytes), Content::Midi) => Payload::Midi(bytes),
                    (Ok(bytes), Content::Roll) => Payload::Roll(bytes),
                    (Err(e), _) => Payload::Missing(e.to_string()),
                },
            };
            if !yield_item(Item { meta: meta.clone(), payload }) {
                break;
            }
        }
        self.warnings.clone()
    }
}

/// File name without its ending.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Files below a folder with one of the endings (in any case), as (path within it with `/`, path), sorted.
/// Links to folders are not followed; a folder that cannot be read is a warning, unless it is the first.
pub(crate) fn walk(
    root: &Path,
    endings: &[&str],
    warnings: &mut Vec<String>,
) -> Result<Vec<(String, PathBuf)>, CorpusError> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(source) if folder == root => {
                return Err(CorpusError::Read {
                    path: folder,
                    source,
                    hint: "name the folder of the corpus",
                });
            }
            Err(e) => {
                warnings.push(format!("{}: {e}", folder.display()));
                continue;
            }
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|t| t.is_dir()) {
                folders.push(path);
                continue;
            }
            let fits = path
                .extension()
                .and_then(|e| e.to_str())
                .is_some_and(|e| endings.iter().any(|w| w.eq_ignore_ascii_case(e)));
            if fits && path.is_file() {
                let inner = path.strip_prefix(root).unwrap_or(&path);
                let parts: Vec<_> = inner.iter().map(|p| p.to_string_lossy()).collect();
                found.push((parts.join("/"), path.clone()));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Size and time of change: enough to notice that a file is another one.
fn stamp(m: &std::fs::Metadata) -> (u64, Option<u128>) {
    let changed = m.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
    (m.len(), changed.map(|d| d.as_nanos()))
}

/// Split and genre by path.
type SplitTable = BTreeMap<String, (Split, Option<String>)>;

/// `split.csv`; empty when there is none.
fn split_table(path: &Path) -> Result<SplitTable, CorpusError> {
    #[derive(serde::Deserialize)]
    struct Row {
        path: String,
        split: String,
        #[serde(default)]
        genre: Option<String>,
    }
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(SplitTable::new()),
        Err(source) => {
            return Err(CorpusError::Read {
                path: path.to_path_buf(),
                source,
                hint: "check the permissions",
            });
        }
    };
    let mut table = SplitTable::new();
    for (line, row) in super::source::table::<Row>(path, &bytes)? {
        let split =
            row.split.parse().map_err(|what| CorpusError::Table { path: path.to_path_buf(), line, what })?;
        table.insert(row.path, (split, row.genre.filter(|g| !g.is_empty())));
    }
    Ok(table)
}
