//! Files that are something else, and MIDI files that something else went over.

use super::build::{NOTE, Track, song};
use super::{Case, notes, refused};

/// A few bars with tempo, name and program, to be mangled.
fn piece() -> Vec<u8> {
    let mut track = Track::default();
    track.meta(0, 3, b"Piano").meta(0, 0x51, &[0x07, 0xA1, 0x20]).event(0, &[0xC0, 0]);
    for i in 0..64u8 {
        track.event(0, &[0x90, 48 + i % 24, 80]).event(240, &[0x80, 48 + i % 24, 64]);
    }
    track.file()
}

/// Bytes that look random, the same each time (xorshift).
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_F491u32;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    })
    .take(length)
    .collect()
}

pub(super) const CASES: &[Case] = &[
    refused("zip", || [b"PK\x03\x04\x14\0\0\0\x08\0".to_vec(), noise(300)].concat()),
    refused("gzip", || [vec![0x1F, 0x8B, 8, 0], noise(300)].concat()),
    refused("zstd", || [vec![0x28, 0xB5, 0x2F, 0xFD], noise(300)].concat()),
    refused("png", || [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), noise(300)].concat()),
    refused("jpeg", || [vec![0xFF, 0xD8, 0xFF, 0xE0], noise(300)].concat()),
    refused("pdf", || [b"%PDF-1.7\n".to_vec(), noise(300)].concat()),
    refused("wav", || [b"RIFF\x24\x08\0\0WAVEfmt \x10\0\0\0".to_vec(), noise(300)].concat()),
    refused("ogg", || [b"OggS".to_vec(), noise(300)].concat()),
    refused("mp3", || [b"ID3\x04".to_vec(), noise(300)].concat()),
    refused("weights", || [b"GGUF\x03\0\0\0".to_vec(), noise(300)].concat()),
    refused("text", || b"There was no MIDI file at this address.\n".to_vec()),
    refused("html", || b"<!DOCTYPE html><html><head><title>404 Not Found</title></head></html>".to_vec()),
    refused("musicxml", || b"<?xml version=\"1.0\"?><score-partwise version=\"4.0\"/>".to_vec()),
    refused("utf-16-text", || "\u{FEFF}MThd and so on".encode_utf16().flat_map(u16::to_le_bytes).collect()),
    refused("utf-16-of-a-midi-file", || piece().iter().flat_map(|&b| u16::from(b).to_be_bytes()).collect()),
    refused("base64-of-a-midi-file", || b"TVRoZAAAAAYAAAABAeBNVHJrAAAADQCQPFCDYIA8AAD/LwA=".to_vec()),
    refused("zeros", || vec![0; 5000]),
    refused("ones", || vec![0xFF; 5000]),
    refused("noise", || noise(5000)),
    refused("header-then-noise", || [song(&[])[..14].to_vec(), noise(5000)].concat()),
    notes("half-of-a-file", 30, || {
        let bytes = piece();
        bytes[..bytes.len() / 2].to_vec()
    }),
    notes("last-byte-missing", 64, || {
        let mut bytes = piece();
        bytes.pop();
        bytes
    }),
    refused("line-ends-converted", || {
        // 0x0A became 0x0D 0x0A; here in the header's length of the division, so nothing fits any more.
        let mut bytes = vec![0x4D, 0x54, 0x68, 0x64, 0x0D, 0x0A, 0, 0, 6];
        bytes.extend_from_slice(&piece()[8..]);
        bytes
    }),
    notes("top-bits-stripped", 0, || {
        let mut bytes = piece();
        for byte in &mut bytes[22..] {
            *byte &= 0x7F;
        }
        bytes
    }),
    // Zeros are note-offs by running status; 250 bytes hold 28 of the 64 notes.
    notes("middle-overwritten-with-zeros", 36, || {
        let mut bytes = piece();
        let (from, to) = (150, 400);
        bytes[from..to].fill(0);
        bytes
    }),
    // What was a velocity and a delta time becomes a stroke more.
    notes("a-byte-lost-in-the-middle", 65, || {
        let mut bytes = piece();
        bytes.remove(200);
        bytes
    }),
    notes("noise-after-a-note", 1, || song(&[NOTE, &[0, 0xF9, 0xF4], &[0x80; 4], &noise(50)])),
];
