//! The cache of songs: those of one tier and split in one file.
//!
//! A record is a block with JSON of the facts, then five lists of notes: piano, drums, bass, guitar, strings.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::Digest;
use sideman_music::Meter;
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

/// SHA-256 of the notes of a band.
pub(crate) fn notes_digest(band: &BandScore) -> [u8; 32] {
    let mut bytes = Vec::new();
    lists(band).for_each(|l| push_notes(&mut bytes, l));
    sha2::Sha256::digest(&bytes).into()
}
