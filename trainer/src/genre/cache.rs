//! The cache: items of one kind and split in one file, and `genre.json` that ties the files together.
//!
//! An `.items` file, all integers little-endian: 8 bytes magic, `u32` format version, 32 bytes fingerprint of
//! what the items were made from, 32 bytes SHA-256 of everything after it, then `u32` number of items and,
//! for each, `u32` length and the record.

use std::io::Write;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::Digest;

use super::codec::{Cursor, decode, push_block};
use super::labelled::{Kind, LabelledSet};
use crate::corpus::Split;
use crate::corpus::cache::hex;

/// Version of the file format and of the rules that make items, the MIDI reader among them. Raise it when
/// either changes. 2: facts have `doubtful`.
pub const FORMAT: u32 = 2;
const MAGIC: &[u8; 8] = b"SMGENRE\n";
const HEADER: usize = 8 + 4 + 32 + 32;
/// Name of the file that describes a cache.
pub const INDEX: &str = "genre.json";

/// Why a cache cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// There is no cache.
    #[error(
        "no cache of labelled music at {0}: run `sideman-trainer genre prepare --data DIR --out {0}` first"
    )]
    None(PathBuf),
    /// A file cannot be read or written.
    #[error("cannot read or write {path}; check the permissions and the free space")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file is something else.
    #[error(
        "{0} is not a cache of labelled music: point to a folder made by `sideman-trainer genre prepare`"
    )]
    Foreign(PathBuf),
    /// The file was written by another version.
    #[error(
        "{path} has cache format {found}, this program reads {FORMAT}: run `sideman-trainer genre prepare` again"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// The file is of another run than its neighbours.
    #[error("{0} was made from other data or options: run `sideman-trainer genre prepare` again")]
    Stale(PathBuf),
    /// The content does not match its checksum or cannot be decoded.
    #[error("{path} is damaged ({what}): delete the folder and run `sideman-trainer genre prepare` again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: &'static str,
    },
}

/// What `genre.json` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// [`FORMAT`] of the writer.
    pub format: u32,
    /// Fingerprint of data and options, hexadecimal.
    pub fingerprint: String,
}

/// Path of the file of a kind and split.
pub fn file(cache: &Path, kind: Kind, split: Split) -> PathBuf {
    cache.join(format!("{}-{split}.items", kind.name()))
}

/// Reads the items of one kind and split, in the order of their ids. A cache without any is an empty set. The
/// test split is read when, and only when, the caller asks for [`Split::Test`].
///
/// # Errors
/// When there is no cache there, or it is damaged, of another version, or cannot be read.
pub fn load(cache: &Path, kind: Kind, split: Split) -> Result<LabelledSet, CacheError> {
    let index = read_index(cache)?;
    let path = file(cache, kind, split);
    let bytes = std::fs::read(&path).map_err(|source| CacheError::Io { path: path.clone(), source })?;
    let damaged = |what| CacheError::Damaged { path: path.clone(), what };
    if bytes.len() < 12 || &bytes[..8] != MAGIC {
        return Err(CacheError::Foreign(path));
    }
    let found = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
    if found != FORMAT {
        return Err(CacheError::Version { path, found });
    }
    if bytes.len() < HEADER + 4 {
        return Err(damaged("it ends within the header"));
    }
    if hex(&bytes[12..44]) != index.fingerprint {
        return Err(CacheError::Stale(path));
    }
    if sha2::Sha256::digest(&bytes[HEADER..])[..] != bytes[44..HEADER] {
        return Err(damaged("the checksum does not match"));
    }
    let mut cursor = Cursor { bytes: &bytes[HEADER..] };
    let count = cursor.u32().ok_or_else(|| damaged("no number of items"))?;
    let mut records = Vec::new();
    for _ in 0..count {
        records.push(cursor.block().ok_or_else(|| damaged("it ends within an item"))?);
    }
    let items = records
        .into_par_iter()
        .map(|r| {
            decode(r).filter(|i| i.content.kind() == kind).ok_or_else(|| damaged("an item cannot be decoded"))
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(LabelledSet { kind, items })
}

/// Reads and checks `genre.json`.
///
/// # Errors
/// When there is none, or it is damaged, of another version, or cannot be read.
pub fn read_index(cache: &Path) -> Result<Index, CacheError> {
    let path = cache.join(INDEX);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(CacheError::None(cache.to_path_buf()));
        }
        Err(source) => return Err(CacheError::Io { path, source }),
    };
    let index: Index = serde_json::from_slice(&text).map_err(|_| CacheError::Foreign(path.clone()))?;
    if index.format != FORMAT {
        return Err(CacheError::Version { path, found: index.format });
    }
    Ok(index)
}

/// Writes the file of one kind and split from encoded items. Whole or not at all.
pub(super) fn write_items(path: &Path, fingerprint: &[u8; 32], records: &[&[u8]]) -> Result<(), CacheError> {
    let mut body = Vec::with_capacity(4 + records.iter().map(|r| r.len() + 4).sum::<usize>());
    body.extend_from_slice(&(records.len() as u32).to_le_bytes());
    for record in records {
        push_block(&mut body, record);
    }
    let mut head = Vec::with_capacity(HEADER);
    head.extend_from_slice(MAGIC);
    head.extend_from_slice(&FORMAT.to_le_bytes());
    head.extend_from_slice(fingerprint);
    head.extend_from_slice(&sha2::Sha256::digest(&body));
    write_whole(path, &[&head, &body])
}

/// Writes a file beside its place and moves it there.
pub(super) fn write_whole(path: &Path, parts: &[&[u8]]) -> Result<(), CacheError> {
    let partial = path.with_extension("partial");
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(&partial)?;
        for part in parts {
            file.write_all(part)?;
        }
        file.sync_all()?;
        std::fs::rename(&partial, path)
    };
    write().map_err(|source| CacheError::Io { path: path.to_path_buf(), source })
}
