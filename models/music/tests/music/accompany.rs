//! The band beside the piano, checked with midly alone.

use midly::{MetaMessage, MidiMessage, Smf, Timing, TrackEventKind};
use proptest::prelude::*;
use sideman_music::hostile::{Track, chunk, file, header};
use sideman_music::smf::{MidiFile, PartTrack, PianoChoice};
use sideman_music::{Note, Part};

/// Absolute tick, channel and message of a track's channel events.
fn channel_events(track: &[midly::TrackEvent<'_>]) -> Vec<(u64, u8, MidiMessage)> {
    let mut tick = 0;
    let mut out = Vec::new();
    for e in track {
        tick += u64::from(e.delta.as_int());
        if let TrackEventKind::Midi { channel, message } = e.kind {
            out.push((tick, channel.as_int(), message));
        }
    }
    out
}

fn metas<'a>(track: &[midly::TrackEvent<'a>]) -> Vec<(u64, MetaMessage<'a>)> {
    let mut tick = 0;
    let mut out = Vec::new();
    for e in track {
        tick += u64::from(e.delta.as_int());
        if let TrackEventKind::Meta(m) = e.kind {
            out.push((tick, m));
        }
    }
    out
}

fn name<'a>(track: &[midly::TrackEvent<'a>]) -> &'a [u8] {
    metas(track)
        .iter()
        .find_map(|m| if let MetaMessage::TrackName(n) = m.1 { Some(n) } else { None })
        .unwrap_or(b"")
}

fn resolution(smf: &Smf<'_>) -> u16 {
    match smf.header.timing {
        Timing::Metrical(t) => t.as_int(),
        Timing::Timecode(..) => panic!("SMPTE"),
    }
}

fn band() -> Vec<PartTrack> {
    let note = |onset, pitch, length| Note { onset, pitch, length, velocity: 90 };
    let mut drums = PartTrack::new(Part::Drums, 8, vec![note(0, 36, 48), note(241, 38, 48)]);
    drums.volume = Some(100);
    let mut strings = PartTrack::new(Part::Strings, 48, vec![note(7, 60, 960), note(7, 64, 960)]);
    strings.pan = Some(30);
    // Out of order, to be put in order; notes of a pitch that overlap; one before the start.
    let bass = PartTrack::new(Part::Bass, 33, vec![note(0, 40, 480), note(240, 40, 480), note(-10, 43, 100)]);
    vec![strings, bass, drums]
}

#[test]
fn everything_is_in_its_place() {
    let mut first = Track::default();
    first.meta(0, 3, b"My Song").meta(0, 2, b"(c) me").meta(0, 0x54, &[0x21, 1, 2, 3, 4]);
    first.meta(0, 0x51, &[7, 0xA1, 0x20]).meta(0, 0x58, &[3, 2, 24, 8]).meta(0, 0x59, &[0xFE, 0]);
    first.meta(96, 6, b"A").meta(50, 0x51, &[6, 0, 0]).meta(7, 7, b"fade").meta(0, 1, b"a text");
    first.event(0, &[0xB2, 7, 77]).event(0, &[0xB5, 7, 55]).event(0, &[0xC2, 4]);
    let mut piano = Track::default();
    piano.meta(0, 3, b"Rhodes").meta(0, 0x21, &[0]).meta(0, 0x59, &[0xFE, 0]).meta(10, 5, b"la");
    piano.event(0, &[0xB2, 64, 127]).event(0, &[0x92, 60, 81]).event(5, &[0xE2, 1, 66]);
    piano.event(5, &[0xA2, 60, 9]).event(0, &[0xD2, 8]).event(80, &[0x92, 60, 0]).event(3, &[0xB2, 64, 0]);
    piano.meta(11, 0x51, &[5, 0, 0]).event(0, &[0xF0, 2, 0x7E, 0xF7]);
    let mut other = Track::default();
    other.meta(0, 3, b"Sax").event(0, &[0xC5, 65]).event(0, &[0x95, 70, 80]).event(96, &[0x85, 70, 0]);
    let source = [
        header(1, 3, 96),
        chunk(b"MTrk", &first.ended()),
        chunk(b"MTrk", &piano.ended()),
        chunk(b"MTrk", &other.ended()),
    ]
    .concat();
    let source = MidiFile::parse(&source).unwrap();
    let out = source.accompany(&PianoChoice::Auto, &band()).unwrap();
    let smf = Smf::parse(&out).unwrap();
    assert_eq!((smf.header.format, resolution(&smf)), (midly::Format::Parallel, 480));
    let names: Vec<&[u8]> = smf.tracks.iter().map(|t| name(t)).collect();
    assert_eq!(names, [&b"My Song"[..], b"Piano", b"Drums", b"Bass", b"Strings"]);

    let tempo = |t: u32| MetaMessage::Tempo(t.into());
    let smpte = midly::SmpteTime::new(1, 1, 2, 3, 4, midly::Fps::Fps25).unwrap();
    assert_eq!(
        metas(&smf.tracks[0]),
        [
            (0, MetaMessage::TrackName(b"My Song")),
            (0, MetaMessage::Copyright(b"(c) me")),
            (0, MetaMessage::SmpteOffset(smpte)),
            (0, tempo(500_000)),
            (0, MetaMessage::TimeSignature(3, 2, 24, 8)),
            (0, MetaMessage::KeySignature(-2, false)),
            (480, MetaMessage::Marker(b"A")),
            (570, tempo(0x05_0000)),
            (730, tempo(0x06_0000)),
            (765, MetaMessage::CuePoint(b"fade")),
            (765, MetaMessage::Text(b"a text")),
            (765, MetaMessage::EndOfTrack),
        ]
    );
    let key = midly::num::u7::from;
    let controller = |c: u8, v: u8| MidiMessage::Controller { controller: key(c), value: key(v) };
    assert_eq!(
        channel_events(&smf.tracks[1]),
        [
            (50, 0, controller(64, 127)),
            (50, 0, MidiMessage::NoteOn { key: key(60), vel: key(81) }),
            (75, 0, MidiMessage::PitchBend { bend: midly::PitchBend((66u16 << 7 | 1).into()) }),
            (100, 0, MidiMessage::Aftertouch { key: key(60), vel: key(9) }),
            (100, 0, MidiMessage::ChannelAftertouch { vel: key(8) }),
            (500, 0, MidiMessage::NoteOn { key: key(60), vel: key(0) }),
            (515, 0, controller(64, 0)),
            // What the first track sends to the piano's channel.
            (765, 0, controller(7, 77)),
            (765, 0, MidiMessage::ProgramChange { program: key(4) }),
        ]
    );
    assert!(metas(&smf.tracks[1]).contains(&(50, MetaMessage::Lyric(b"la"))));
    assert!(!out.windows(3).any(|w| w == [0xF0, 2, 0x7E]), "system-exclusive events are left out");

    let drums = channel_events(&smf.tracks[2]);
    assert_eq!(
        drums[..2],
        [(0, 9, MidiMessage::ProgramChange { program: key(8) }), (0, 9, controller(7, 100)),]
    );
    assert_eq!(drums.iter().map(|e| e.0).collect::<Vec<_>>(), [0, 0, 0, 48, 241, 289]);
    let bass = channel_events(&smf.tracks[3]);
    let on = |p: u8| MidiMessage::NoteOn { key: key(p), vel: key(90) };
    let off = |p: u8| MidiMessage::NoteOff { key: key(p), vel: key(64) };
    assert_eq!(
        bass[1..],
        [
            (0, 1, on(40)),
            (0, 1, on(43)),
            (90, 1, off(43)),
            (240, 1, off(40)),
            (240, 1, on(40)),
            (720, 1, off(40)),
        ]
    );
    assert!(channel_events(&smf.tracks[4]).iter().all(|e| e.1 == 3));

    let alone = source.part_alone(&band()[1]);
    let alone = Smf::parse(&alone).unwrap();
    assert_eq!(alone.tracks.len(), 2);
    assert_eq!(metas(&alone.tracks[0]), metas(&smf.tracks[0]));
    assert_eq!(channel_events(&alone.tracks[1]), bass);
    let alone = source.piano_alone(&PianoChoice::Auto).unwrap();
    assert_eq!(channel_events(&Smf::parse(&alone).unwrap().tracks[1]), channel_events(&smf.tracks[1]));
}

#[test]
fn one_track_of_all_channels_is_taken_apart() {
    let mut all = Track::default();
    all.meta(0, 3, b"Title").meta(0, 0x51, &[7, 0, 0]);
    all.event(0, &[0xC0, 0]).event(0, &[0xC1, 33]).event(0, &[0x91, 40, 80]).event(0, &[0x90, 60, 80]);
    all.event(240, &[0x80, 60, 5]).event(0, &[0x81, 40, 0]);
    // The piano's channel becomes a flute: those notes are not the piano's.
    all.event(0, &[0xC0, 73]).event(0, &[0x90, 72, 80]).event(0, &[0xA0, 72, 3]).event(240, &[0x80, 72, 0]);
    all.event(0, &[0xC0, 1]).event(0, &[0x90, 64, 80]).event(240, &[0x80, 64, 0]);
    let out = MidiFile::parse(&all.file()).unwrap().accompany(&PianoChoice::Auto, &[]).unwrap();
    let smf = Smf::parse(&out).unwrap();
    assert_eq!(name(&smf.tracks[0]), b"Title");
    let key = midly::num::u7::from;
    assert_eq!(
        channel_events(&smf.tracks[1]),
        [
            (0, 0, MidiMessage::ProgramChange { program: key(0) }),
            (0, 0, MidiMessage::NoteOn { key: key(60), vel: key(80) }),
            (240, 0, MidiMessage::NoteOff { key: key(60), vel: key(5) }),
            (480, 0, MidiMessage::ProgramChange { program: key(1) }),
            (480, 0, MidiMessage::NoteOn { key: key(64), vel: key(80) }),
            (720, 0, MidiMessage::NoteOff { key: key(64), vel: key(0) }),
        ]
    );
}

#[test]
fn a_program_that_another_track_sets_comes_along() {
    let mut sets = Track::default();
    sets.event(0, &[0xC0, 19]).event(0, &[0x90, 60, 80]).event(480, &[0x80, 60, 0]);
    let mut uses = Track::default();
    uses.event(0, &[0x90, 72, 80]).event(480, &[0x80, 72, 0]);
    let midi = MidiFile::parse(&file(&[&sets.ended(), &uses.ended()])).unwrap();
    let out = midi.accompany(&PianoChoice::Number(2), &[]).unwrap();
    let events = channel_events(&Smf::parse(&out).unwrap().tracks[1]);
    assert_eq!(events[0], (0, 0, MidiMessage::ProgramChange { program: 19.into() }));
    assert_eq!(events.len(), 3);
}

#[test]
fn hanging_notes_do_not_hang_in_the_output() {
    let mut track = Track::default();
    track.event(0, &[0x90, 60, 80]).event(480 * 30, &[0x90, 62, 80]).event(480, &[0x80, 62, 0]);
    let out = MidiFile::parse(&track.file()).unwrap().accompany(&PianoChoice::Auto, &[]).unwrap();
    let events = channel_events(&Smf::parse(&out).unwrap().tracks[1]);
    assert_eq!(events[1], (480 * 16, 0, MidiMessage::NoteOff { key: 60.into(), vel: 64.into() }));
    assert_eq!(MidiFile::parse(&out).unwrap().warnings(), &[]);
}

#[test]
fn the_resolution_is_kept_or_multiplied() {
    for (division, expected) in
        [(1, 480), (24, 480), (96, 480), (100, 500), (192, 576), (480, 480), (500, 500), (960, 960)]
    {
        let mut track = Track::default();
        track.event(1, &[0x90, 60, 80]).event(u32::from(division) * 4, &[0x80, 60, 0]);
        let bytes = [header(0, 1, division), chunk(b"MTrk", &track.ended())].concat();
        let out = MidiFile::parse(&bytes).unwrap().accompany(&PianoChoice::Auto, &band()).unwrap();
        let smf = Smf::parse(&out).unwrap();
        assert_eq!(resolution(&smf), expected, "from {division}");
        let ticks: Vec<u64> = channel_events(&smf.tracks[1]).iter().map(|e| e.0).collect();
        let factor = u64::from(expected / division);
        assert_eq!(ticks, [factor, factor * (1 + u64::from(division) * 4)]);
        // The band lies at its pulses, to the nearest tick.
        let drums = channel_events(&smf.tracks[2]);
        assert_eq!(drums[4].0, (241.0 * f64::from(expected) / 480.0).round() as u64, "from {division}");
    }
}

/// A channel event: delta, status without channel, data.
fn event() -> impl Strategy<Value = (u32, u8, Vec<u8>)> {
    let delta = prop_oneof![6 => 0u32..200, 1 => 0u32..20_000];
    let two = (
        prop_oneof![4 => Just(0x90u8), 3 => Just(0x80), 1 => Just(0xA0), 2 => Just(0xB0), 1 => Just(0xE0)],
        proptest::collection::vec(0u8..128, 2),
    );
    let one = (prop_oneof![1 => Just(0xC0u8), 1 => Just(0xD0)], proptest::collection::vec(0u8..24, 1));
    (delta, prop_oneof![9 => two, 1 => one]).prop_map(|(delta, (status, data))| (delta, status, data))
}

proptest! {
    #![proptest_config(crate::config())]

    /// The piano of any file goes through untouched: order, times and values of all channel events.
    #[test]
    fn the_piano_is_untouched(
        events in proptest::collection::vec(event(), 1..150), channel in 0u8..9, division in 24u16..2000,
    ) {
        let mut track = Track::default();
        // One note for sure.
        track.event(0, &[0x90 | channel, 0, 1]);
        let mut struck = [false; 128];
        struck[0] = true;
        for (delta, status, data) in &events {
            track.event(*delta, &[&[status | channel], &data[..]].concat());
            struck[usize::from(data[0])] |= *status == 0x90;
        }
        // Nothing is left hanging, so nothing is added.
        for (key, _) in struck.iter().enumerate().filter(|k| *k.1) {
            track.event(3, &[0x80 | channel, key as u8, 64]);
        }
        let source = [header(0, 1, division), chunk(b"MTrk", &track.ended())].concat();
        let out = MidiFile::parse(&source).unwrap().accompany(&PianoChoice::Auto, &band()).unwrap();
        let (source, out) = (Smf::parse(&source).unwrap(), Smf::parse(&out).unwrap());
        let factor = u64::from(resolution(&out) / resolution(&source));
        prop_assert_eq!(resolution(&out) % resolution(&source), 0);
        let expected: Vec<_> =
            channel_events(&source.tracks[0]).into_iter().map(|(t, _, m)| (t * factor, 0, m)).collect();
        prop_assert_eq!(channel_events(&out.tracks[1]), expected);
    }
}
