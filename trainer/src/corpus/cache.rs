//! The cache: songs of one tier and split in one file, and `cache.json` that ties the files together.
//!
//! A `.songs` file, all integers little-endian: 8 bytes magic, `u32` format version, 32 bytes fingerprint of
//! what the songs were made from, 32 bytes SHA-256 of everything after it, then `u32` number of songs and,
//! for each, `u32` length and the record. A record is `u32` length and JSON of the facts, then five lists of
//! notes (piano, drums, bass, guitar, strings): the number of notes, then for each the onset as the zigzag
//! difference from the one before, one byte pitch, one byte velocity, the length. Numbers in lists are
//! LEB128.

use std::io::Write;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::Digest;
use sideman_music::score::BandScore;
use sideman_music::{Meter, Note};

use super::song::{Song, lists};
use super::source::{Split, Tier};

/// Version of the file format and of the rules that make songs, the MIDI reader among them. Raise it when
/// either changes.
pub const FORMAT: u32 = 2;
const MAGIC: &[u8; 8] = b"SMSONGS\n";
const HEADER: usize = 8 + 4 + 32 + 32;
/// Name of the file that describes a cache.
pub const INDEX: &str = "cache.json";

/// Why a cache cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// There is no cache.
    #[error("no corpus cache at {0}: run `sideman-trainer prepare --data DIR --out {0}` first")]
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
    #[error("{0} is not a corpus cache of this program: point to a folder made by `sideman-trainer prepare`")]
    Foreign(PathBuf),
    /// The file was written by another version.
    #[error(
        "{path} has cache format {found}, this program reads {FORMAT}: run `sideman-trainer prepare` again"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// The file is of another `prepare` run than its neighbours, or the data have changed since.
    #[error("{0} was made from other data or options: run `sideman-trainer prepare` again")]
    Stale(PathBuf),
    /// The content does not match its checksum or cannot be decoded.
    #[error("{path} is damaged ({what}): delete the folder and run `sideman-trainer prepare` again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: &'static str,
    },
}

/// What `cache.json` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// [`FORMAT`] of the writer.
    pub format: u32,
    /// Fingerprint of data and options, hexadecimal.
    pub fingerprint: String,
}

/// The facts of a song beside its notes.
#[derive(Serialize, Deserialize)]
struct Facts {
    id: String,
    set: String,
    tier: Tier,
    split: Split,
    genre: Option<String>,
    style: Option<String>,
    group: String,
    bpm: f32,
    steps: usize,
    meter: (u8, u8),
    excerpt: bool,
    lead_in_bars: u16,
    parts_present: [bool; 4],
    programs: [Option<u8>; 4],
    agreement: Option<f32>,
    on_grid: f32,
}

/// Hexadecimal digits of a digest.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Path of the file of a tier and split.
pub fn file(cache: &Path, tier: Tier, split: Split) -> PathBuf {
    cache.join(format!("{tier}-{split}.songs"))
}

/// Reads the songs of one tier and split, in the order of their ids.
///
/// A cache of this tier and split without songs is an empty list. The test split is read when, and only
/// when, the caller asks for [`Split::Test`].
///
/// # Errors
/// When there is no cache there, or it is damaged, of another version, or cannot be read.
pub fn load(cache: &Path, tier: Tier, split: Split) -> Result<Vec<Song>, CacheError> {
    let index = read_index(cache)?;
    let path = file(cache, tier, split);
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
    let count = cursor.u32().ok_or_else(|| damaged("no number of songs"))?;
    let mut records = Vec::new();
    for _ in 0..count {
        let record = cursor.block().ok_or_else(|| damaged("it ends within a song"))?;
        records.push(record);
    }
    records.into_par_iter().map(|r| decode(r).ok_or_else(|| damaged("a song cannot be decoded"))).collect()
}

/// Reads and checks `cache.json`.
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

/// Writes the file of one tier and split from encoded songs. Whole or not at all.
pub(crate) fn write_songs(path: &Path, fingerprint: &[u8; 32], records: &[&[u8]]) -> Result<(), CacheError> {
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
pub(crate) fn write_whole(path: &Path, parts: &[&[u8]]) -> Result<(), CacheError> {
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

/// The record of a song.
pub(crate) fn encode(song: &Song) -> Vec<u8> {
    let facts = Facts {
        id: song.id.clone(),
        set: song.set.clone(),
        tier: song.tier,
        split: song.split,
        genre: song.genre.clone(),
        style: song.style.clone(),
        group: song.group.clone(),
        bpm: song.bpm,
        steps: song.steps,
        meter: (song.meter.numerator, song.meter.denominator),
        excerpt: song.excerpt,
        lead_in_bars: song.lead_in_bars,
        parts_present: song.parts_present,
        programs: song.programs,
        agreement: song.agreement,
        on_grid: song.on_grid,
    };
    let mut out = Vec::new();
    push_block(&mut out, &serde_json::to_vec(&facts).expect("plain data is always JSON"));
    lists(&song.band).for_each(|l| push_notes(&mut out, l));
    out
}

/// The song of a record; `None` when it is damaged.
fn decode(record: &[u8]) -> Option<Song> {
    let mut cursor = Cursor { bytes: record };
    let facts: Facts = serde_json::from_slice(cursor.block()?).ok()?;
    let piano = cursor.notes()?;
    let parts = [cursor.notes()?, cursor.notes()?, cursor.notes()?, cursor.notes()?];
    if !cursor.bytes.is_empty() {
        return None;
    }
    Some(Song {
        id: facts.id,
        set: facts.set,
        tier: facts.tier,
        split: facts.split,
        genre: facts.genre,
        style: facts.style,
        group: facts.group,
        bpm: facts.bpm,
        steps: facts.steps,
        meter: Meter { numerator: facts.meter.0, denominator: facts.meter.1 },
        excerpt: facts.excerpt,
        lead_in_bars: facts.lead_in_bars,
        parts_present: facts.parts_present,
        programs: facts.programs,
        agreement: facts.agreement,
        on_grid: facts.on_grid,
        band: BandScore { piano, parts },
    })
}

fn push_block(out: &mut Vec<u8>, block: &[u8]) {
    out.extend_from_slice(&(block.len() as u32).to_le_bytes());
    out.extend_from_slice(block);
}

fn push_number(out: &mut Vec<u8>, mut n: u64) {
    while n >= 128 {
        out.push(n as u8 | 128);
        n >>= 7;
    }
    out.push(n as u8);
}

/// SHA-256 of the notes of a band.
pub(crate) fn notes_digest(band: &BandScore) -> [u8; 32] {
    let mut bytes = Vec::new();
    lists(band).for_each(|l| push_notes(&mut bytes, l));
    sha2::Sha256::digest(&bytes).into()
}

fn push_notes(out: &mut Vec<u8>, notes: &[Note]) {
    push_number(out, notes.len() as u64);
    let mut before = 0;
    for n in notes {
        let d = n.onset - before;
        before = n.onset;
        push_number(out, ((d << 1) ^ (d >> 63)) as u64);
        out.push(n.pitch);
        out.push(n.velocity);
        push_number(out, n.length.max(0) as u64);
    }
}

/// Reads a record from its front; every method returns `None` at the end of the bytes.
struct Cursor<'a> {
    bytes: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.bytes.split_at_checked(n)?;
        self.bytes = rest;
        Some(head)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn block(&mut self) -> Option<&'a [u8]> {
        let n = self.u32()? as usize;
        self.take(n)
    }

    fn number(&mut self) -> Option<u64> {
        let mut n = 0u64;
        for shift in (0..64).step_by(7) {
            let &[byte] = self.take(1)? else { return None };
            n |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Some(n);
            }
        }
        None
    }

    fn notes(&mut self) -> Option<Vec<Note>> {
        let count = self.number()? as usize;
        // A note takes four bytes or more: a damaged count cannot ask for more memory than the file has.
        let mut notes = Vec::with_capacity(count.min(self.bytes.len() / 4));
        let mut onset = 0i64;
        for _ in 0..count {
            let d = self.number()?;
            onset = onset.checked_add((d >> 1) as i64 ^ -((d & 1) as i64))?;
            let &[pitch, velocity] = self.take(2)? else { return None };
            let length = i64::try_from(self.number()?).ok()?;
            notes.push(Note { onset, pitch, length, velocity });
        }
        Some(notes)
    }
}
