//! A cache: files of records, and an index that ties them together.
//!
//! A file of records, all integers little-endian: 8 bytes magic, `u32` format version, 32 bytes fingerprint of
//! what the records were made from, 32 bytes SHA-256 of everything after it, then `u32` number of records and
//! each as a block of [`super::bytes`]. The index is JSON.

use std::path::{Path, PathBuf};

use anyhow::Context;
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::Digest;

use super::bytes::{Cursor, push_block};
use crate::report::{replace, write_whole};

const HEADER: usize = 8 + 4 + 32 + 32;

/// What tells one kind of cache from another.
#[derive(Debug, PartialEq, Eq)]
pub struct Format {
    /// First bytes of a file of records.
    pub(crate) magic: &'static [u8; 8],
    /// Version of the file format and of the rules that make records, the MIDI reader among them.
    pub(crate) version: u32,
    /// Name of the index.
    pub(crate) index: &'static str,
    /// What messages call such a cache.
    pub(crate) name: &'static str,
    /// The command that makes it.
    pub(crate) command: &'static str,
}

/// Why a cache cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// There is no cache.
    #[error("no {} at {path}: run `sideman-trainer {} --data DIR --out {path}` first", .format.name, .format.command)]
    None {
        /// The folder.
        path: PathBuf,
        /// The kind of cache that was looked for.
        format: &'static Format,
    },
    /// A file cannot be read or written.
    #[error("cannot read or write {path}; check the permissions and the free space")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file is something else.
    #[error("{path} is not a {}: point to a folder made by `sideman-trainer {}`", .format.name, .format.command)]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The kind of cache that was looked for.
        format: &'static Format,
    },
    /// The file was written by another version.
    #[error(
        "{path} has cache format {found}, this program reads {}: run `sideman-trainer {}` again",
        .format.version, .format.command
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The format that is read.
        format: &'static Format,
    },
    /// The file is of another run than its neighbours, or the data have changed since.
    #[error("{path} was made from other data or options: run `sideman-trainer {}` again", .format.command)]
    Stale {
        /// The file.
        path: PathBuf,
        /// The kind of cache.
        format: &'static Format,
    },
    /// The content does not match its checksum or cannot be decoded.
    #[error("{path} is damaged ({what}): delete the folder and run `sideman-trainer {}` again", .format.command)]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: &'static str,
        /// The kind of cache.
        format: &'static Format,
    },
}

/// What an index says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Index {
    /// Version of the format.
    pub format: u32,
    /// Fingerprint of data and options, hexadecimal.
    pub fingerprint: String,
}

/// Hexadecimal digits of a digest.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

impl Format {
    /// Reads and checks the index of a folder.
    ///
    /// # Errors
    /// When there is none, or it is damaged, of another version, or cannot be read.
    pub(crate) fn read_index(&'static self, cache: &Path) -> Result<Index, CacheError> {
        let path = cache.join(self.index);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(CacheError::None { path: cache.to_path_buf(), format: self });
            }
            Err(source) => return Err(CacheError::Io { path, source }),
        };
        let index: Index = serde_json::from_slice(&text)
            .map_err(|_| CacheError::Foreign { path: path.clone(), format: self })?;
        if index.format != self.version {
            return Err(CacheError::Version { path, found: index.format, format: self });
        }
        Ok(index)
    }

    /// Writes the index of a folder, after all its files.
    pub(crate) fn write_index(&self, cache: &Path, fingerprint: &str) -> anyhow::Result<()> {
        let index = Index { format: self.version, fingerprint: fingerprint.to_owned() };
        write_whole(&cache.join(self.index), &serde_json::to_vec_pretty(&index)?)
    }

    /// Makes the folder, and removes the index of an earlier cache in it: without one a half-written cache is
    /// refused.
    pub(crate) fn begin(&self, cache: &Path) -> anyhow::Result<()> {
        std::fs::create_dir_all(cache)
            .with_context(|| format!("cannot make the cache folder {}", cache.display()))?;
        let index = cache.join(self.index);
        if index.exists() {
            std::fs::remove_file(&index).with_context(|| format!("cannot replace {}", index.display()))?;
        }
        Ok(())
    }

    /// The report `name` of a finished cache with this fingerprint.
    pub(crate) fn finished<R: DeserializeOwned>(
        &'static self,
        cache: &Path,
        fingerprint: &[u8; 32],
        name: &str,
    ) -> Option<R> {
        let index = self.read_index(cache).ok()?;
        if index.fingerprint != hex(fingerprint) {
            return None;
        }
        serde_json::from_slice(&std::fs::read(cache.join(name)).ok()?).ok()
    }

    /// Reads and decodes the records of a file, in their order; `decode` gives `None` for a damaged one.
    ///
    /// # Errors
    /// When there is no cache there, or it is damaged, of another version, or cannot be read.
    pub(crate) fn load<T: Send>(
        &'static self,
        path: PathBuf,
        decode: impl Fn(&[u8]) -> Option<T> + Sync,
    ) -> Result<Vec<T>, CacheError> {
        let index = self.read_index(path.parent().unwrap_or(&path))?;
        let bytes = std::fs::read(&path).map_err(|source| CacheError::Io { path: path.clone(), source })?;
        let damaged = |what| CacheError::Damaged { path: path.clone(), what, format: self };
        if bytes.len() < 12 || &bytes[..8] != self.magic {
            return Err(CacheError::Foreign { path, format: self });
        }
        let found = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
        if found != self.version {
            return Err(CacheError::Version { path, found, format: self });
        }
        if bytes.len() < HEADER + 4 {
            return Err(damaged("it ends within the header"));
        }
        if hex(&bytes[12..44]) != index.fingerprint {
            return Err(CacheError::Stale { path, format: self });
        }
        if sha2::Sha256::digest(&bytes[HEADER..])[..] != bytes[44..HEADER] {
            return Err(damaged("the checksum does not match"));
        }
        let mut cursor = Cursor { bytes: &bytes[HEADER..] };
        let count = cursor.u32().ok_or_else(|| damaged("no number of records"))?;
        let mut records = Vec::new();
        for _ in 0..count {
            records.push(cursor.block().ok_or_else(|| damaged("it ends within a record"))?);
        }
        let decoded = records.into_par_iter().map(&decode);
        decoded.map(|item| item.ok_or_else(|| damaged("a record cannot be decoded"))).collect()
    }

    /// Writes a file of encoded records, whole or not at all.
    pub(crate) fn write(
        &self,
        path: &Path,
        fingerprint: &[u8; 32],
        records: &[&[u8]],
    ) -> Result<(), CacheError> {
        let size = HEADER + 4 + records.iter().map(|r| r.len() + 4).sum::<usize>();
        let mut bytes = Vec::with_capacity(size);
        bytes.extend_from_slice(self.magic);
        bytes.extend_from_slice(&self.version.to_le_bytes());
        bytes.extend_from_slice(fingerprint);
        bytes.resize(HEADER, 0);
        bytes.extend_from_slice(&(records.len() as u32).to_le_bytes());
        for record in records {
            push_block(&mut bytes, record);
        }
        let checksum = sha2::Sha256::digest(&bytes[HEADER..]);
        bytes[HEADER - 32..HEADER].copy_from_slice(&checksum);
        replace(path, &bytes).map_err(|source| CacheError::Io { path: path.to_path_buf(), source })
    }
}
