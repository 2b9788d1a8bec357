//! Events that are malformed or out of place.

use super::build::{END, NOTE, Track, file, song};
use super::{Case, notes};

pub(super) const CASES: &[Case] = &[
    notes("delta-cut-off", 1, || file(&[&[NOTE, &[0x81]].concat()])),
    notes("delta-of-five-bytes", 1, || song(&[NOTE, &[0x81, 0x80, 0x80, 0x80, 0x00, 0x90, 62, 80]])),
    notes("delta-all-ones", 1, || file(&[&[NOTE, &[0xFF; 64]].concat()])),
    notes("only-delta-bytes", 0, || file(&[&[0x80; 5000]])),
    notes("running-status-without-status", 0, || song(&[&[0, 60, 80, 10, 60, 0]])),
    notes("running-status-across-meta", 2, || {
        song(&[NOTE, &[0, 0x90, 62, 80], &[10, 0xFF, 1, 1, b'x'], &[10, 62, 0]])
    }),
    notes("running-status-across-sysex", 2, || {
        song(&[NOTE, &[0, 0x90, 62, 80], &[0, 0xF0, 2, 0x7E, 0xF7], &[10, 62, 0]])
    }),
    notes("status-alone-at-the-end", 1, || file(&[&[NOTE, &[0, 0x90]].concat()])),
    notes("data-byte-with-top-bit", 1, || song(&[NOTE, &[0, 0x90, 200, 80, 0, 0x80, 200, 0], NOTE])),
    notes("system-real-time-in-a-track", 2, || song(&[NOTE, &[0, 0xF8, 0, 0xFA, 0, 0xFE, 0, 0xFC], NOTE])),
    notes("system-common-in-a-track", 2, || {
        song(&[NOTE, &[0, 0xF1, 1, 0, 0xF2, 1, 2, 0, 0xF3, 1, 0, 0xF6, 0, 0xF4, 0, 0xF5], NOTE])
    }),
    notes("sysex-without-end", 1, || file(&[&[NOTE, &[0, 0xF0, 0x7F, 1, 2, 3]].concat()])),
    notes("sysex-of-256-megabytes-claimed", 1, || {
        file(&[&[NOTE, &[0, 0xF0, 0xFF, 0xFF, 0xFF, 0x7F, 1, 2, 3]].concat()])
    }),
    notes("sysex-of-a-megabyte", 1, || {
        let mut track = Track(NOTE.to_vec());
        track.event(0, &[0xF0]).event(1 << 20, &vec![0x11; 1 << 20]);
        track.file()
    }),
    notes("escape-with-note-bytes", 1, || song(&[NOTE, &[0, 0xF7, 3, 0x90, 64, 100]])),
    notes("meta-longer-than-the-track", 1, || file(&[&[NOTE, &[0, 0xFF, 1, 0x7F, b'x']].concat()])),
    notes("meta-type-alone-at-the-end", 1, || file(&[&[NOTE, &[0, 0xFF]].concat()])),
    notes("meta-of-unknown-types", 1, || {
        let mut track = Track::default();
        for kind in 0x60..=0x7E {
            track.meta(0, kind, b"what");
        }
        track.0.extend_from_slice(NOTE);
        track.file()
    }),
    notes("meta-type-with-top-bit", 2, || song(&[NOTE, &[0, 0xFF, 0x90, 2, 60, 80], NOTE])),
    notes("end-of-track-with-content", 1, || {
        file(&[&[NOTE, &[0, 0xFF, 0x2F, 3, 1, 2, 3], NOTE, END].concat()])
    }),
    notes("tempo-of-one-byte", 2, || song(&[NOTE, &[0, 0xFF, 0x51, 1, 7], NOTE])),
    notes("tempo-of-nothing", 2, || song(&[NOTE, &[0, 0xFF, 0x51, 0], NOTE])),
    notes("tempo-of-eight-bytes", 2, || song(&[NOTE, &[0, 0xFF, 0x51, 8, 7, 0, 0, 0, 0, 0, 0, 0], NOTE])),
    notes("metre-of-one-byte", 2, || song(&[NOTE, &[0, 0xFF, 0x58, 1, 4], NOTE])),
    notes("key-signature-of-nothing", 2, || song(&[NOTE, &[0, 0xFF, 0x59, 0], NOTE])),
    notes("key-signature-of-garbage", 2, || song(&[NOTE, &[0, 0xFF, 0x59, 2, 0x7F, 0xC8], NOTE])),
    notes("smpte-offset-impossible", 2, || song(&[NOTE, &[0, 0xFF, 0x54, 5, 0xFF, 99, 99, 99, 200], NOTE])),
    notes("smpte-offset-of-one-byte", 2, || song(&[NOTE, &[0, 0xFF, 0x54, 1, 0], NOTE])),
    notes("name-of-invalid-utf-8", 1, || song(&[&[0, 0xFF, 3, 5, b'K', 0xFC, 0xFF, 0xC0, 0x80], NOTE])),
    notes("name-of-controls-and-escapes", 1, || {
        let mut track = Track::default();
        track.meta(0, 3, b"\x1b[2J\x07\0\r\n\x1b]0;pwned\x07");
        track.0.extend_from_slice(NOTE);
        track.file()
    }),
    notes("name-that-is-a-path", 1, || {
        let mut track = Track::default();
        track.meta(0, 3, b"../../../../tmp/..\\..\\C:\\NUL");
        track.0.extend_from_slice(NOTE);
        track.file()
    }),
    notes("name-of-half-a-character-at-the-cut", 1, || {
        let mut track = Track::default();
        track.meta(0, 3, "a\u{1D11E}".repeat(400).as_bytes());
        track.0.extend_from_slice(NOTE);
        track.file()
    }),
    notes("text-of-five-megabytes", 1, || {
        let mut track = Track::default();
        for kind in [1, 3, 6] {
            track.meta(0, kind, &vec![b'x'; 5 << 20]);
        }
        track.0.extend_from_slice(NOTE);
        track.file()
    }),
    notes("markers-100000", 1, || {
        let mut track = Track(NOTE.to_vec());
        for _ in 0..100_000 {
            track.meta(1, 6, b"m");
        }
        track.file()
    }),
    notes("ports-and-channel-prefixes", 2, || {
        song(&[
            &[0, 0xFF, 0x21, 1, 0xFF, 0, 0xFF, 0x20, 1, 0xFF],
            NOTE,
            &[0, 0xFF, 0x21, 0, 0, 0xFF, 0x20, 0],
            NOTE,
        ])
    }),
    notes("every-kind-of-channel-event", 1, || {
        let mut track = Track(NOTE.to_vec());
        for channel in 0..16 {
            for (kind, data) in
                [(0xA0, &[60, 1][..]), (0xB0, &[123, 0]), (0xC0, &[127]), (0xD0, &[9]), (0xE0, &[0, 127])]
            {
                track.event(1, &[&[kind | channel], data].concat());
            }
        }
        track.file()
    }),
];
