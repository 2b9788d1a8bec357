//! The container of a Standard MIDI File: header and track chunks, read leniently.

use std::ops::Range;

use super::error::{Repair, Repairs, SmfError};

/// Header fields that matter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) format: u16,
    pub(super) tracks: u16,
    pub(super) ticks_per_beat: u16,
    /// Offset of the first byte after the header chunk.
    pub(super) end: usize,
}

/// The Standard MIDI File inside: all of it, or the data chunk of a RIFF wrapper (.rmi).
pub(super) fn unwrap_riff(bytes: &[u8]) -> Result<&[u8], SmfError> {
    if !bytes.starts_with(b"RIFF") || bytes.get(8..12) != Some(b"RMID") {
        return Ok(bytes);
    }
    let mut at = 12;
    while let Some(head) = bytes.get(at..at + 8) {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let (start, end) = (at + 8, (at + 8).saturating_add(length).min(bytes.len()));
        if head.starts_with(b"data") {
            return Ok(&bytes[start..end]);
        }
        // RIFF pads chunks to even lengths.
        at = (at + 8).saturating_add(length).saturating_add(length % 2);
    }
    Err(SmfError::NotMidi { found: "a RIFF file (.rmi) without MIDI data" })
}

/// What bytes that are not MIDI look like.
fn sniff(bytes: &[u8]) -> &'static str {
    let known: [(&[u8], &str); 16] = [
        (b"PK\x03\x04", "a zip archive (unpack it first; .mscz and .mxl are zip archives too)"),
        (b"\x1f\x8b", "a gzip archive (unpack it first)"),
        (b"\x28\xb5\x2f\xfd", "a zstd archive (unpack it first)"),
        (b"7z\xbc\xaf", "a 7z archive (unpack it first)"),
        (b"Rar!", "a rar archive (unpack it first)"),
        (b"\x89PNG", "a PNG picture"),
        (b"\xff\xd8\xff", "a JPEG picture"),
        (b"%PDF", "a PDF document"),
        (b"RIFF", "a WAV sound or another RIFF file"),
        (b"OggS", "an Ogg sound"),
        (b"fLaC", "a FLAC sound"),
        (b"ID3", "an MP3 sound"),
        (b"GGUF", "a weights file"),
        (b"MTrk", "a MIDI track without the file's header"),
        (b"<!DOCTYPE", "a web page or XML text"),
        (b"<?xml", "XML text (MusicXML has to be exported as MIDI first)"),
    ];
    if let Some((_, name)) = known.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return name;
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return "UTF-16 text";
    }
    let head = &bytes[..bytes.len().min(512)];
    if head.iter().all(|&b| b == 0) {
        return "nothing but zeros";
    }
    if std::str::from_utf8(head).is_ok_and(|s| !s.contains('\0')) { "text" } else { "unknown data" }
}

/// Reads and checks the header chunk.
pub(super) fn header(bytes: &[u8]) -> Result<Header, SmfError> {
    if bytes.is_empty() {
        return Err(SmfError::Empty);
    }
    // Cut inside the magic, the file still says what it was meant to be.
    if !bytes.starts_with(b"MThd") && (bytes.len() >= 4 || !b"MThd".starts_with(bytes)) {
        return Err(SmfError::NotMidi { found: sniff(bytes) });
    }
    let Some(head) = bytes.get(..14) else { return Err(SmfError::ShortHeader { bytes: bytes.len() }) };
    let word = |i: usize| u16::from_be_bytes([head[i], head[i + 1]]);
    let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]) as usize;
    if length < 6 {
        return Err(SmfError::ShortHeader { bytes: 8 + length });
    }
    let (format, tracks, division) = (word(8), word(10), word(12));
    if format > 2 || (format == 2 && tracks > 1) {
        return Err(SmfError::Format { format });
    }
    if division & 0x8000 != 0 {
        // The frame rate is stored as a negative number.
        return Err(SmfError::Smpte { frames_per_second: ((division >> 8) as u8).wrapping_neg() });
    }
    if division == 0 {
        return Err(SmfError::ZeroResolution);
    }
    // A longer header is allowed and its surplus is skipped; an impossible length is not believed.
    let end = if bytes.get(14..18) == Some(b"MTrk") { 14 } else { 8usize.saturating_add(length) };
    Ok(Header { format, tracks, ticks_per_beat: division, end: end.min(bytes.len()) })
}

/// Most track chunks that are read: as many as the header could name.
pub(super) const MAX_CHUNKS: usize = 65_535;

/// Ranges of the contents of the track chunks in `within`, in order.
pub(super) fn tracks(bytes: &[u8], within: Range<usize>, repairs: &mut Repairs) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut at = within.start;
    while at + 8 <= within.end && out.len() < MAX_CHUNKS {
        let id = &bytes[at..at + 4];
        if !plausible_id(id) {
            // Lost: a chunk before had a wrong length. Find the next track.
            match find_track(bytes, at..within.end) {
                Some(next) => at = next,
                None => break,
            }
            continue;
        }
        let length =
            u32::from_be_bytes([bytes[at + 4], bytes[at + 5], bytes[at + 6], bytes[at + 7]]) as usize;
        let start = at + 8;
        let mut end = start.saturating_add(length);
        if id == b"MTrk" {
            if end > within.end {
                repairs.add(Repair::TruncatedChunks, 1);
                end = within.end;
            } else if within.end - end >= 8
                && !plausible_id(&bytes[end..end + 4])
                && !bytes[start..end].ends_with(&[0xFF, 0x2F, 0])
            {
                repairs.add(Repair::WrongChunkLengths, 1);
                end = find_track(bytes, end..within.end).unwrap_or(within.end);
            }
            out.push(start..end);
        }
        at = end.min(within.end);
    }
    out
}

/// Whether four bytes could name a chunk.
fn plausible_id(id: &[u8]) -> bool {
    id.iter().all(|b| b.is_ascii_graphic() || *b == b' ')
}

/// Where the next track chunk starts.
fn find_track(bytes: &[u8], within: Range<usize>) -> Option<usize> {
    let start = within.start;
    bytes[within].windows(4).position(|w| w == b"MTrk").map(|i| start + i)
}
