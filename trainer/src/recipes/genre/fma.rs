//! FMA as published (M. Defferrard et al., "FMA: A Dataset for Music Analysis", ISMIR 2017): `tracks.csv`
//! with three header rows, and audio under `NNN/NNNNNN.mp3`.
//!
//! The genre is the one at the top of the track's tree (`track, genre_top`), the split the official one
//! (`set, split`), which keeps an artist in one split; the group is the artist.

use std::path::{Path, PathBuf};

use super::collection::{LeftOut, Listed, Loose, Reading};
use super::labelled::Facts;
use crate::data::source::CorpusError;
use crate::data::{Split, Tier};

/// Where the table may lie in the folder.
const TABLES: [&str; 2] = ["fma_metadata/tracks.csv", "tracks.csv"];
/// Folders of audio, and the subsets of the table that each holds.
const AUDIO: [(&str, &[&str]); 5] = [
    ("fma_small", &["small"]),
    ("fma_medium", &["small", "medium"]),
    ("fma_large", &["small", "medium", "large"]),
    ("fma_full", &["small", "medium", "large", "full"]),
    (".", &["small", "medium", "large", "full"]),
];

/// The table of a folder in FMA's layout.
pub fn table_of(root: &Path) -> Option<PathBuf> {
    TABLES.iter().map(|t| root.join(t)).find(|t| t.is_file())
}

/// Which columns the reader needs.
struct Columns {
    split: usize,
    subset: Option<usize>,
    genre: usize,
    artist: Option<usize>,
}

/// Reads FMA. Of the folders of audio the first of small, medium, large, full that is there is taken; rows of
/// other subsets are not yielded.
///
/// # Errors
/// When there is no table, its header rows are not FMA's, or there is no folder of audio.
pub fn open(root: &Path, tier: Tier) -> Result<Loose, CorpusError> {
    let path = table_of(root).ok_or_else(|| CorpusError::Empty {
        path: root.to_path_buf(),
        hint: "expected fma_metadata/tracks.csv",
    })?;
    let is_bucket = |p: &Path| (0..160).any(|n| p.join(format!("{n:03}")).is_dir());
    let (name, subsets) = AUDIO.iter().copied().find(|a| is_bucket(&root.join(a.0))).ok_or_else(|| {
        CorpusError::Empty { path: root.to_path_buf(), hint: "expected audio as fma_small/000/000002.mp3" }
    })?;
    let fault = |line, what: String| CorpusError::Table { path: path.clone(), line, what };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_path(&path)
        .map_err(|e| fault(0, e.to_string()))?;
    let mut rows = reader.byte_records();
    let mut header = || -> Result<Vec<String>, CorpusError> {
        let row = rows.next().ok_or_else(|| fault(1, "fewer than three header rows".to_string()))?;
        let row = row.map_err(|e| fault(1, e.to_string()))?;
        Ok(row.iter().map(|c| String::from_utf8_lossy(c).trim().to_string()).collect())
    };
    let (top, sub, _ids) = (header()?, header()?, header()?);
    let find = |a: &str, b: &str| (0..top.len().min(sub.len())).find(|&i| top[i] == a && sub[i] == b);
    let need = |a: &str, b: &str| {
        find(a, b).ok_or_else(|| fault(2, format!("no column '{a}, {b}' in the header rows")))
    };
    let columns = Columns {
        split: need("set", "split")?,
        subset: find("set", "subset"),
        genre: need("track", "genre_top")?,
        artist: find("artist", "id"),
    };

    let mut listed = Vec::new();
    for (line, row) in (4u64..).zip(rows) {
        let set = if name == "." { "fma" } else { name };
        let row = match row {
            Ok(row) => row,
            Err(e) => {
                listed.push(bad_row(set, tier, line, e.to_string()));
                continue;
            }
        };
        let cell = |i: usize| row.get(i).map(|c| String::from_utf8_lossy(c).trim().to_string());
        let cell = |i: usize| cell(i).unwrap_or_default();
        if columns.subset.is_some_and(|i| !subsets.contains(&cell(i).as_str())) {
            continue;
        }
        let Ok(id) = cell(0).parse::<u32>() else {
            listed.push(bad_row(set, tier, line, format!("track id '{}' is no number", cell(0))));
            continue;
        };
        // FMA calls it "training", "validation" and "test".
        let split = match cell(columns.split).as_str() {
            "training" => Ok(Split::Train),
            other => other.parse::<Split>(),
        };
        let genre = cell(columns.genre);
        let place = root.join(name).join(format!("{:03}", id / 1000)).join(format!("{id:06}.mp3"));
        let content = match &split {
            Err(what) => Err(LeftOut::BadRow(what.clone())),
            Ok(_) if genre.is_empty() => Err(LeftOut::NoGenre),
            Ok(_) => Ok((place, Reading::Audio)),
        };
        let artist = columns.artist.map(cell).filter(|a| !a.is_empty());
        let facts = Facts {
            id: format!("{id:06}"),
            set: set.to_string(),
            tier,
            source: "fma".to_string(),
            group: artist.map_or_else(|| format!("track {id}"), |a| format!("artist {a}")),
            split: split.unwrap_or(Split::Train),
            genre,
            doubtful: false,
        };
        listed.push((facts, content));
    }
    if listed.is_empty() {
        return Err(CorpusError::Empty { path, hint: "no row of tracks.csv is of the subset that is there" });
    }
    Ok(Loose::new(listed, Vec::new()))
}

/// An entry for a row that cannot be read.
fn bad_row(set: &str, tier: Tier, line: u64, what: String) -> Listed {
    let id = format!("tracks.csv, line {line}");
    let facts = Facts {
        group: id.clone(),
        id,
        set: set.to_string(),
        tier,
        source: "fma".to_string(),
        split: Split::Train,
        genre: String::new(),
        doubtful: false,
    };
    (facts, Err(LeftOut::BadRow(what)))
}
