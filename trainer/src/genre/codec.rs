//! Items as bytes, for the cache.
//!
//! A record is `u32` length and JSON of the facts, one byte of kind, then the content. Numbers are LEB128,
//! signed ones zigzag. A score: number of tempo changes, for each the distance from the one before and the
//! microseconds a quarter note; number of metre changes, for each the distance, numerator and denominator;
//! number of tracks, for each channel, program, one byte for drums, number of notes, and for each note the
//! distance from the onset before, pitch, velocity, length. A mel image: columns and its values. Audio: the
//! path in UTF-8.

use std::path::PathBuf;

use sideman_music::{Meter, MeterMap, Note, Score, TempoMap, Track};

use super::labelled::{Content, Facts, Labelled, MelImage};

/// The record of an item.
pub(super) fn encode(item: &Labelled) -> Vec<u8> {
    let mut out = Vec::new();
    push_block(&mut out, &serde_json::to_vec(&item.facts).expect("plain data is always JSON"));
    out.push(item.content.kind() as u8);
    match &item.content {
        Content::Score(score) => push_score(&mut out, score),
        Content::Mel(image) => {
            push_number(&mut out, image.columns as u64);
            out.extend_from_slice(&image.values);
        }
        Content::Audio(path) => out.extend_from_slice(path.to_string_lossy().as_bytes()),
    }
    out
}

/// The item of a record; `None` when it is damaged.
pub(super) fn decode(record: &[u8]) -> Option<Labelled> {
    let mut cursor = Cursor { bytes: record };
    let facts: Facts = serde_json::from_slice(cursor.block()?).ok()?;
    let content = match cursor.byte()? {
        0 => {
            let score = cursor.score()?;
            if !cursor.bytes.is_empty() {
                return None;
            }
            Content::Score(Box::new(score))
        }
        1 => {
            let columns = cursor.number()? as usize;
            let values = cursor.bytes.to_vec();
            if columns.checked_mul(MelImage::BANDS)? != values.len() {
                return None;
            }
            Content::Mel(MelImage { columns, values })
        }
        2 => Content::Audio(PathBuf::from(std::str::from_utf8(cursor.bytes).ok()?)),
        _ => return None,
    };
    Some(Labelled { facts, content })
}

/// The notes, tempos and metres of a score as bytes.
pub(super) fn push_score(out: &mut Vec<u8>, score: &Score) {
    let tempos: Vec<_> = score.tempos.changes().collect();
    push_number(out, tempos.len() as u64);
    let mut before = 0;
    for (at, tempo) in tempos {
        push_number(out, (at - before) as u64);
        push_number(out, u64::from(tempo));
        before = at;
    }
    let meters: Vec<_> = score.meters.changes().collect();
    push_number(out, meters.len() as u64);
    before = 0;
    for (at, meter) in meters {
        push_number(out, (at - before) as u64);
        out.extend_from_slice(&[meter.numerator, meter.denominator]);
        before = at;
    }
    push_number(out, score.tracks.len() as u64);
    for track in &score.tracks {
        out.extend_from_slice(&[track.channel, track.program, u8::from(track.is_drums)]);
        push_number(out, track.notes.len() as u64);
        before = 0;
        for n in &track.notes {
            let d = n.onset - before;
            push_number(out, ((d << 1) ^ (d >> 63)) as u64);
            out.extend_from_slice(&[n.pitch, n.velocity]);
            push_number(out, n.length.max(0) as u64);
            before = n.onset;
        }
    }
}

pub(super) fn push_block(out: &mut Vec<u8>, block: &[u8]) {
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

/// Reads from the front of bytes; every method returns `None` at their end.
pub(super) struct Cursor<'a> {
    /// What is left.
    pub(super) bytes: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.bytes.split_at_checked(n)?;
        self.bytes = rest;
        Some(head)
    }

    fn byte(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(super) fn block(&mut self) -> Option<&'a [u8]> {
        let n = self.u32()? as usize;
        self.take(n)
    }

    fn number(&mut self) -> Option<u64> {
        let mut n = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            n |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Some(n);
            }
        }
        None
    }

    /// Moves a time on by a distance.
    fn later(&mut self, at: &mut i64) -> Option<i64> {
        *at = at.checked_add(i64::try_from(self.number()?).ok()?)?;
        Some(*at)
    }

    fn score(&mut self) -> Option<Score> {
        let (mut tempos, mut meters, mut tracks) = (Vec::new(), Vec::new(), Vec::new());
        let mut at = 0;
        for _ in 0..self.number()? {
            tempos.push((self.later(&mut at)?, u32::try_from(self.number()?).ok()?));
        }
        at = 0;
        for _ in 0..self.number()? {
            let start = self.later(&mut at)?;
            meters.push((start, Meter { numerator: self.byte()?, denominator: self.byte()? }));
        }
        for source_track in 0..self.number()? as usize {
            let (channel, program, is_drums) = (self.byte()?, self.byte()?, self.byte()? != 0);
            let notes = self.notes()?;
            tracks.push(Track { name: String::new(), source_track, channel, program, is_drums, notes });
        }
        Some(Score {
            tempos: TempoMap::new(&tempos),
            meters: MeterMap::new(&meters),
            markers: Vec::new(),
            tracks,
        })
    }

    fn notes(&mut self) -> Option<Vec<Note>> {
        let count = self.number()? as usize;
        // A note takes four bytes or more: a damaged count cannot ask for more memory than the file has.
        let mut notes = Vec::with_capacity(count.min(self.bytes.len() / 4));
        let mut onset = 0i64;
        for _ in 0..count {
            let d = self.number()?;
            onset = onset.checked_add((d >> 1) as i64 ^ -((d & 1) as i64))?;
            let (pitch, velocity) = (self.byte()?, self.byte()?);
            let length = i64::try_from(self.number()?).ok()?;
            notes.push(Note { onset, pitch, length, velocity });
        }
        Some(notes)
    }
}
