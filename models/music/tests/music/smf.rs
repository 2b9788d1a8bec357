//! Reading and writing of MIDI files: round trips, and bytes of all sorts.

use proptest::prelude::*;
use sideman_music::hostile::corpus;
use sideman_music::smf::{self, MidiFile};
use sideman_music::{MeterMap, TempoMap};
use sideman_music::{Note, Pulse, Score, Track};

use crate::hostile::{assert_usable, renumbered};
use crate::time::{meter_changes, tempo_changes};

/// Sorts notes and takes out those that overlap another of their pitch.
fn apart(mut notes: Vec<Note>) -> Vec<Note> {
    notes.sort_unstable();
    let mut until = [0 as Pulse; 128];
    notes.retain(|n| {
        let free = until[usize::from(n.pitch)] <= n.onset;
        if free {
            until[usize::from(n.pitch)] = n.end();
        }
        free
    });
    notes
}

fn track() -> impl Strategy<Value = Track> {
    let note = (0i64..20_000, 0u8..128, 1i64..2000, 1u8..128)
        .prop_map(|(onset, pitch, length, velocity)| Note { onset, pitch, length, velocity });
    ("[ -~äéЖ漢𝄞]{0,40}", 0u8..16, 0u8..128, proptest::collection::vec(note, 1..80)).prop_map(
        |(name, channel, program, notes)| Track {
            name: name.trim().to_owned(),
            source_track: 0,
            channel,
            program,
            is_drums: channel == 9,
            notes: apart(notes),
        },
    )
}

fn score() -> impl Strategy<Value = Score> {
    let markers = proptest::collection::vec((0i64..20_000, "[ -~é]{0,20}"), 0..6);
    (tempo_changes(), meter_changes(), markers, proptest::collection::vec(track(), 0..6)).prop_map(
        |(tempos, meters, markers, tracks)| {
            let mut markers: Vec<(Pulse, String)> =
                markers.into_iter().map(|(at, text)| (at, text.trim().to_owned())).collect();
            markers.sort_by_key(|m| m.0);
            let (tempos, meters) = (TempoMap::new(&tempos), MeterMap::new(&meters));
            renumbered(&Score { tempos, meters, markers, tracks })
        },
    )
}

/// Damage to a file.
#[derive(Debug, Clone)]
enum Damage {
    Cut(prop::sample::Index),
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    /// Puts a piece of the file elsewhere.
    Splice(prop::sample::Index, prop::sample::Index, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        1 => at().prop_map(Damage::Cut),
        4 => (at(), any::<u8>()).prop_map(|(i, b)| Damage::Flip(i, b)),
        2 => (at(), proptest::collection::vec(any::<u8>(), 1..6)).prop_map(|(i, b)| Damage::Insert(i, b)),
        2 => (at(), 1usize..6).prop_map(|(i, n)| Damage::Remove(i, n)),
        1 => (at(), at(), 1usize..200).prop_map(|(i, j, n)| Damage::Splice(i, j, n)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    if bytes.is_empty() {
        return;
    }
    let end = |start: usize, n: usize, len: usize| (start + n).min(len);
    match damage {
        Damage::Cut(i) => bytes.truncate(i.index(bytes.len())),
        Damage::Flip(i, b) => {
            let i = i.index(bytes.len());
            bytes[i] ^= b;
        }
        Damage::Insert(i, b) => {
            let i = i.index(bytes.len());
            bytes.splice(i..i, b.iter().copied());
        }
        Damage::Remove(i, n) => {
            let i = i.index(bytes.len());
            bytes.drain(i..end(i, *n, bytes.len()));
        }
        Damage::Splice(i, j, n) => {
            let (i, j) = (i.index(bytes.len()), j.index(bytes.len()));
            let piece = bytes[i..end(i, *n, bytes.len())].to_vec();
            bytes.splice(j..j, piece);
        }
    }
}

/// Reads bytes that may be anything, and uses what comes of it.
fn survive(bytes: &[u8], what: &str) {
    if let Ok(file) = MidiFile::parse(bytes) {
        assert_usable(&file, what);
    }
}

proptest! {
    #![proptest_config(crate::config())]

    #[test]
    fn a_written_score_is_read_back(score in score()) {
        let bytes = smf::write(&score);
        let file = MidiFile::parse(&bytes).unwrap();
        prop_assert_eq!(file.warnings(), &[]);
        prop_assert_eq!(file.score(), &score);
    }

    #[test]
    fn midly_reads_what_is_written(score in score()) {
        let bytes = smf::write(&score);
        let theirs = midly::Smf::parse(&bytes).unwrap();
        prop_assert_eq!(theirs.tracks.len(), score.tracks.len() + 1);
        for (theirs, ours) in theirs.tracks[1..].iter().zip(&score.tracks) {
            let strokes = theirs.iter().filter(|e| matches!(
                e.kind,
                midly::TrackEventKind::Midi { message: midly::MidiMessage::NoteOn { vel, .. }, .. } if vel > 0
            ));
            prop_assert_eq!(strokes.count(), ours.notes.len());
            prop_assert_eq!(
                theirs.last().map(|e| e.kind),
                Some(midly::TrackEventKind::Meta(midly::MetaMessage::EndOfTrack))
            );
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        survive(&bytes, "a damaged file");
    }

    #[test]
    fn any_bytes_in_a_track_are_survived(
        division in prop_oneof![Just(480u16), 1u16..0x8000],
        tracks in proptest::collection::vec(proptest::collection::vec(
            prop_oneof![any::<u8>(), 0u8..4, 0x80u8..0xA0, Just(0xFF)], 0..200), 1..4),
    ) {
        use sideman_music::hostile::{chunk, header};
        let mut bytes = header(1, tracks.len() as u16, division);
        for t in &tracks {
            bytes.extend(chunk(b"MTrk", t));
        }
        survive(&bytes, "a damaged file");
    }

    #[test]
    fn damaged_files_are_survived(score in score(), damages in proptest::collection::vec(damage(), 1..8)) {
        let mut bytes = smf::write(&score);
        for d in &damages {
            apply(&mut bytes, d);
        }
        survive(&bytes, "a damaged file");
    }

    #[test]
    fn damaged_hostile_files_are_survived(
        case in any::<prop::sample::Index>(), damages in proptest::collection::vec(damage(), 1..5),
    ) {
        let cases = corpus();
        let case = cases[case.index(cases.len())];
        let mut bytes = (case.make)();
        // The big ones are tested as they are; a thousand times over they would take too long.
        bytes.truncate(4000);
        for d in &damages {
            apply(&mut bytes, d);
        }
        survive(&bytes, case.name);
    }
}
