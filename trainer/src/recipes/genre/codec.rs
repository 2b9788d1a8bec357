//! Items as bytes, for the cache.
//!
//! A record is a block with JSON of the facts, one byte of kind, then the content. A score: number of tempo changes, for each the distance from the one before and the
//! microseconds a quarter note; number of metre changes, for each the distance, numerator and denominator;
//! number of tracks, for each channel, program, one byte for drums, number of notes, and for each note the
//! distance from the onset before, pitch, velocity, length. A mel image: columns and its values. Audio: the
//! path in UTF-8.

use std::path::PathBuf;

use sideman_music::{Meter, MeterMap, Score, TempoMap, Track};

use super::labelled::{Content, Facts, Labelled, MelImage};
use crate::data::bytes::{Cursor, push_block, push_notes, push_number};

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
        push_notes(out, &track.notes);
    }
}

impl Cursor<'_> {
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
}
