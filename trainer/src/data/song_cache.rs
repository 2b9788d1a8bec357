//! The cache of songs: those of one tier and split in one file.
//!
//! A record is a block with JSON of the facts, then five lists of notes: piano, drums, bass, guitar, strings.

use std::path::{Path, PathBuf};

use sha2::Digest;
use sideman_music::score::BandScore;

use super::song::{Song, lists};
use super::source::{Split, Tier};
use crate::data::bytes::{Cursor, push_block, push_notes};
use crate::data::cache::{CacheError, Format};

/// The cache of songs. Raise the version when the file format or the rules that make songs change.
pub(crate) static SONGS: Format =
    Format { magic: b"SMSONGS\n", version: 2, index: "cache.json", name: "corpus cache", command: "prepare" };

/// Path of the file of a tier and split.
pub(crate) fn file(cache: &Path, tier: Tier, split: Split) -> PathBuf {
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
    SONGS.load(file(cache, tier, split), decode)
}

/// The record of a song.
pub(crate) fn encode(song: &Song) -> Vec<u8> {
    let mut out = Vec::new();
    push_block(&mut out, &serde_json::to_vec(song).expect("plain data is always JSON"));
    lists(&song.band).for_each(|l| push_notes(&mut out, l));
    out
}

/// The song of a record; `None` when it is damaged.
fn decode(record: &[u8]) -> Option<Song> {
    let mut cursor = Cursor { bytes: record };
    let facts: Song = serde_json::from_slice(cursor.block()?).ok()?;
    let piano = cursor.notes()?;
    let parts = [cursor.notes()?, cursor.notes()?, cursor.notes()?, cursor.notes()?];
    cursor.bytes.is_empty().then_some(Song { band: BandScore { piano, parts }, ..facts })
}

/// SHA-256 of the notes of a band.
pub(crate) fn notes_digest(band: &BandScore) -> [u8; 32] {
    let mut bytes = Vec::new();
    lists(band).for_each(|l| push_notes(&mut bytes, l));
    sha2::Sha256::digest(&bytes).into()
}
