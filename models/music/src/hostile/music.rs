//! Well-formed files whose music is impossible or excessive.

use super::build::{END, NOTE, Track, chunk, file, header, song};
use super::{Case, notes, refused};

/// The largest delta time.
const FAR: &[u8] = &[0xFF, 0xFF, 0xFF, 0x7F];

/// A file of one track at one tick a quarter note, where far is furthest.
fn coarse(pieces: &[&[u8]]) -> Vec<u8> {
    [header(0, 1, 1), chunk(b"MTrk", &[&pieces.concat(), END].concat())].concat()
}

pub(super) const CASES: &[Case] = &[
    notes("note-off-without-note-on", 1, || song(&[&[0, 0x80, 50, 0, 0, 0x90, 50, 0], NOTE])),
    notes("hanging-note", 2, || song(&[&[0, 0x90, 50, 80], NOTE])),
    notes("hanging-on-every-key-and-channel", 2048, || {
        let mut track = Track::default();
        for channel in 0..16u8 {
            for key in 0..128 {
                track.event(0, &[0x90 | channel, key, 1]);
            }
        }
        track.event(480, &[0xB0, 7, 100]);
        track.file()
    }),
    notes("hanging-at-the-very-end", 1, || file(&[&[0, 0x90, 60, 80]])),
    notes("same-key-100000-times-at-once", 1, || {
        let mut track = Track::default();
        for _ in 0..100_000 {
            track.event(0, &[0x90, 60, 80]);
        }
        for i in 0..100_000 {
            track.event(u32::from(i == 0) * 480, &[0x80, 60, 0]);
        }
        track.file()
    }),
    notes("all-keys-in-100000-strokes-at-once", 128, || {
        let mut track = Track::default();
        for i in 0..100_000u32 {
            track.event(0, &[0x90, (i % 128) as u8, 80]);
        }
        track.event(480, &[0xB0, 123, 0]);
        track.file()
    }),
    notes("same-key-again-and-again-without-note-off", 1000, || {
        let mut track = Track::default();
        for _ in 0..1000 {
            track.event(240, &[0x90, 60, 80]);
        }
        track.file()
    }),
    notes("new-stroke-before-the-old-note-off", 2, || {
        song(&[&[0, 0x90, 60, 80, 100, 0x90, 60, 90, 0, 0x80, 60, 0, 100, 0x80, 60, 0]])
    }),
    notes("notes-of-no-length", 64, || {
        let mut track = Track::default();
        for _ in 0..64 {
            track.event(120, &[0x90, 60, 80]).event(0, &[0x80, 60, 0]);
        }
        track.file()
    }),
    // 60 ticks are 0.9 pulses, so the strokes fall on two.
    notes("notes-shorter-than-a-pulse", 2, || {
        let mut track = Track::default();
        for _ in 0..30 {
            track.event(1, &[0x90, 60, 80]).event(1, &[0x80, 60, 0]);
        }
        [header(0, 1, 32_767), chunk(b"MTrk", &track.ended())].concat()
    }),
    refused("note-after-the-longest-delta", || coarse(&[NOTE, FAR, &NOTE[1..]])),
    refused("longest-delta-1000-times-then-notes", || {
        let mut track = Track(NOTE.to_vec());
        for _ in 0..1000 {
            track.event(0x0FFF_FFFF, &[0x90, 60, 80]).event(0x0FFF_FFFF, &[0x80, 60, 0]);
        }
        track.file()
    }),
    notes("longest-delta-100000-times-without-notes", 1, || {
        let mut track = Track(NOTE.to_vec());
        for _ in 0..100_000 {
            track.event(0x0FFF_FFFF, &[0xB0, 1, 1]);
        }
        track.file()
    }),
    notes("longest-delta-100000-times-in-bad-events", 1, || {
        let mut track = Track(NOTE.to_vec());
        for _ in 0..100_000 {
            track.event(0x0FFF_FFFF, &[0xF8]);
        }
        track.file()
    }),
    notes("end-of-track-after-the-longest-delta", 1, || coarse(&[NOTE, FAR, &END[1..]])),
    notes("note-off-after-the-longest-delta", 1, || coarse(&[&[0, 0x90, 60, 80], FAR, &[0x80, 60, 0]])),
    notes("tempo-after-the-longest-delta", 1, || coarse(&[NOTE, FAR, &[0xFF, 0x51, 3, 0, 0, 1]])),
    notes("metre-after-the-longest-delta", 1, || coarse(&[NOTE, FAR, &[0xFF, 0x58, 4, 1, 6, 24, 8]])),
    notes("tempo-zero", 1, || song(&[&[0, 0xFF, 0x51, 3, 0, 0, 0], NOTE])),
    notes("tempo-one-microsecond", 1, || song(&[&[0, 0xFF, 0x51, 3, 0, 0, 1], NOTE])),
    notes("tempo-slowest", 1, || song(&[&[0, 0xFF, 0x51, 3, 0xFF, 0xFF, 0xFF], NOTE])),
    refused("tempo-slowest-for-two-days", || {
        let mut track = Track::default();
        track.meta(0, 0x51, &[0xFF; 3]).event(0, &[0x90, 60, 80]).event(480 * 10_000, &[0x80, 60, 0]);
        track.file()
    }),
    notes("tempo-changes-100000", 1, || {
        let mut track = Track(NOTE.to_vec());
        for i in 0..100_000u32 {
            track.meta(i % 2, 0x51, &(i + 1).to_be_bytes()[1..]);
        }
        track.file()
    }),
    notes("metre-zero-four", 1, || song(&[&[0, 0xFF, 0x58, 4, 0, 2, 24, 8], NOTE])),
    notes("metre-zero-zero", 1, || song(&[&[0, 0xFF, 0x58, 4, 0, 0, 0, 0], NOTE])),
    notes("metre-255-over-2-to-the-255", 1, || song(&[&[0, 0xFF, 0x58, 4, 255, 255, 255, 255], NOTE])),
    notes("metre-4-over-128", 1, || song(&[&[0, 0xFF, 0x58, 4, 4, 7, 24, 8], NOTE])),
    notes("metre-255-over-1", 1, || song(&[&[0, 0xFF, 0x58, 4, 255, 0, 24, 8], NOTE])),
    notes("metre-1-over-64", 1, || song(&[&[0, 0xFF, 0x58, 4, 1, 6, 24, 8], NOTE])),
    notes("metre-255-over-64", 1, || song(&[&[0, 0xFF, 0x58, 4, 255, 6, 24, 8], NOTE])),
    notes("metre-changes-every-tick", 1, || {
        let mut track = Track(NOTE.to_vec());
        for i in 0..20_000u32 {
            track.meta(1, 0x58, &[(i % 255) as u8 + 1, (i % 7) as u8, 24, 8]);
        }
        track.file()
    }),
    notes("program-changes-on-the-drum-channel", 3, || {
        let mut track = Track::default();
        for kit in [0, 25, 127] {
            track.event(0, &[0xC9, kit]).event(0, &[0x99, 36, 90]).event(120, &[0x89, 36, 0]);
        }
        track.file()
    }),
    notes("program-change-before-every-note", 4096, || {
        let mut track = Track::default();
        for i in 0..4096u32 {
            let channel = (i % 16) as u8;
            track.event(0, &[0xC0 | channel, (i / 16 % 128) as u8]);
            track.event(0, &[0x90 | channel, 60, 80]).event(10, &[0x80 | channel, 60, 0]);
        }
        track.file()
    }),
    notes("sixteen-channels-in-one-track", 16, || {
        let mut track = Track::default();
        for channel in 0..16 {
            track.event(0, &[0xC0 | channel, channel * 8]).event(0, &[0x90 | channel, 60, 80]);
            track.event(480, &[0x80 | channel, 60, 0]);
        }
        track.file()
    }),
    notes("drums-only", 1, || song(&[&[0, 0x99, 36, 90, 120, 0x89, 36, 0]])),
    notes("no-notes-at-all", 0, || song(&[&[0, 0xFF, 0x51, 3, 7, 0xA1, 0x20]])),
    notes("velocity-zero-only", 0, || song(&[&[0, 0x90, 60, 0, 10, 60, 0]])),
    notes("controllers-100000", 1, || {
        let mut track = Track(NOTE.to_vec());
        for i in 0..100_000u32 {
            track.event(i % 2, &[0xB0, 64, (i % 128) as u8]);
        }
        track.file()
    }),
    notes("notes-at-the-longest-time", 1, || {
        let mut track = Track::default();
        track.event(179_000 * 480, &[0x90, 60, 80]).event(480, &[0x80, 60, 0]);
        // A fast tempo keeps it under the limit of hours.
        file(&[&[&[0, 0xFF, 0x51, 3, 3, 0, 0], &track.ended()[..]].concat()])
    }),
];
