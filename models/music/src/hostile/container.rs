//! Headers, chunks and their lengths.

use super::build::{END, NOTE, chunk, file, header, song};
use super::{Case, notes, refused};

fn one() -> Vec<u8> {
    song(&[NOTE])
}

fn two() -> Vec<u8> {
    let content = [NOTE, END].concat();
    file(&[&content, &content])
}

/// `bytes` with some replaced from `at` on.
fn patched(mut bytes: Vec<u8>, at: usize, by: &[u8]) -> Vec<u8> {
    bytes[at..at + by.len()].copy_from_slice(by);
    bytes
}

pub(super) const CASES: &[Case] = &[
    refused("empty", Vec::new),
    refused("one-byte", || b"M".to_vec()),
    refused("magic-only", || b"MThd".to_vec()),
    refused("header-cut-off", || header(1, 1, 480)[..11].to_vec()),
    refused("header-only", || header(1, 1, 480)),
    refused("header-and-half-a-chunk-name", || [header(1, 1, 480), b"MT".to_vec()].concat()),
    refused("header-length-five", || patched(one(), 4, &[0, 0, 0, 5])),
    refused("header-length-zero", || patched(one(), 4, &[0, 0, 0, 0])),
    notes("header-length-four-gigabytes", 1, || patched(one(), 4, &[0xFF; 4])),
    notes("header-longer-than-six", 1, || {
        let mut bytes = patched(one(), 4, &[0, 0, 0, 10]);
        bytes.splice(14..14, [1, 2, 3, 4]);
        bytes
    }),
    refused("wrong-magic", || patched(one(), 0, b"MThx")),
    refused("lower-case-magic", || patched(one(), 0, b"mthd")),
    refused("track-before-header", || [chunk(b"MTrk", END), header(0, 1, 480)].concat()),
    refused("division-zero", || patched(one(), 12, &[0, 0])),
    refused("division-smpte-25", || patched(one(), 12, &[0xE7, 40])),
    refused("division-smpte-drop-frame", || patched(one(), 12, &[0xE3, 80])),
    refused("division-smpte-of-no-rate", || patched(one(), 12, &[0xFF, 0xFF])),
    notes("division-one", 1, || patched(one(), 12, &[0, 1])),
    notes("division-32767", 1, || patched(one(), 12, &[0x7F, 0xFF])),
    refused("format-two-of-two-tracks", || patched(two(), 8, &[0, 2])),
    refused("format-two-that-says-one-track", || patched(two(), 8, &[0, 2, 0, 1])),
    notes("format-two-of-one-track", 1, || patched(one(), 8, &[0, 2])),
    refused("format-seven", || patched(one(), 8, &[0, 7])),
    refused("format-65535", || patched(one(), 8, &[0xFF, 0xFF])),
    notes("format-zero-of-two-tracks", 2, || patched(two(), 8, &[0, 0])),
    notes("track-count-too-high", 1, || patched(one(), 10, &[0xFF, 0xFF])),
    notes("track-count-zero", 2, || patched(two(), 10, &[0, 0])),
    notes("chunk-length-beyond-the-file", 1, || patched(one(), 18, &[0, 0, 1, 0])),
    notes("chunk-length-four-gigabytes-over-the-next", 2, || patched(two(), 18, &[0xFF; 4])),
    notes("every-chunk-length-four-gigabytes", 300, || {
        let mut bytes = header(1, 300, 480);
        for _ in 0..300 {
            bytes.extend(patched(chunk(b"MTrk", &[NOTE, END].concat()), 4, &[0xFF; 4]));
        }
        bytes
    }),
    notes("chunk-length-too-short", 2, || patched(two(), 18, &[0, 0, 0, 3])),
    notes("chunk-length-zero-with-content", 2, || patched(two(), 18, &[0; 4])),
    notes("chunk-length-zero-and-nothing-else", 0, || [header(0, 1, 480), chunk(b"MTrk", &[])].concat()),
    notes("no-end-of-track", 1, || file(&[NOTE])),
    notes("notes-after-end-of-track", 1, || song(&[NOTE, END, NOTE])),
    notes("two-ends-of-track", 1, || song(&[NOTE, END])),
    notes("cut-in-the-middle-of-an-event", 2, || {
        let bytes = two();
        bytes[..bytes.len() - 6].to_vec()
    }),
    notes("alien-chunks-between", 1, || {
        [
            header(1, 1, 480),
            chunk(b"XFIH", &[1, 2, 3]),
            chunk(b"MTrk", &[NOTE, END].concat()),
            chunk(b"JUNK", NOTE),
        ]
        .concat()
    }),
    notes("alien-chunk-of-four-gigabytes", 1, || {
        [one(), patched(chunk(b"XFKM", NOTE), 4, &[0xFF; 4])].concat()
    }),
    refused("alien-chunks-only", || [header(1, 1, 480), chunk(b"XFIH", NOTE)].concat()),
    notes("track-chunk-inside-a-track-chunk", 1, || {
        let inner = chunk(b"MTrk", &[NOTE, END].concat());
        file(&[&[NOTE, &inner, END].concat()])
    }),
    notes("two-files-in-one", 2, || [one(), one()].concat()),
    notes("garbage-after-the-last-chunk", 1, || [one(), vec![0xA5; 999]].concat()),
    notes("text-after-the-last-chunk", 1, || [one(), b"Sequenced by somebody in 1994".to_vec()].concat()),
    refused("garbage-before-the-header", || [vec![0xA5; 128], one()].concat()),
    notes("tracks-65535-empty", 0, || [header(1, 65_535, 480), chunk(b"MTrk", END).repeat(65_535)].concat()),
    refused("tracks-65535-with-notes", || {
        [header(1, 65_535, 480), chunk(b"MTrk", &[NOTE, END].concat()).repeat(65_535)].concat()
    }),
    notes("tracks-9999-with-notes", 9999, || {
        [header(1, 9999, 480), chunk(b"MTrk", &[NOTE, END].concat()).repeat(9999)].concat()
    }),
    notes("chunk-name-inside-a-track-name", 1, || song(&[&[0, 0xFF, 3, 8], b"MTrkMThd", NOTE])),
    notes("rmi", 1, || {
        let inner = [b"RMID".to_vec(), little(b"data", &one())].concat();
        little(b"RIFF", &inner)
    }),
    notes("rmi-with-wrong-lengths", 1, || {
        let inner =
            [b"RMID".to_vec(), little(b"DISP", &[1, 2, 3]), vec![0], little(b"data", &one())].concat();
        let mut bytes = patched(little(b"RIFF", &inner), 4, &[0xFF; 4]);
        bytes.truncate(bytes.len() - 2);
        bytes
    }),
    refused("rmi-without-data", || little(b"RIFF", b"RMIDINFO\xff\xff\xff\xff")),
    refused("rmi-with-foreign-data", || {
        little(b"RIFF", &[b"RMID".to_vec(), little(b"data", b"nothing")].concat())
    }),
];

/// A RIFF chunk, whose length is little-endian.
fn little(id: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut out = id.to_vec();
    out.extend_from_slice(&(content.len() as u32).to_le_bytes());
    out.extend_from_slice(content);
    out
}
