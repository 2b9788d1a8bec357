//! What reading makes of files that are right, and of those that are nearly so.

use sideman_music::hostile::{END, NOTE, Track, chunk, file, header, song};
use sideman_music::smf::{MAX_HANG_BEATS, MidiFile, PianoChoice, Repair, SmfError};
use sideman_music::summary::Summary;
use sideman_music::{Note, Score};

fn read(bytes: &[u8]) -> (Score, Vec<(Repair, usize)>) {
    let file = MidiFile::parse(bytes).unwrap();
    let repairs = file.warnings().iter().map(|w| (w.repair, w.count)).collect();
    (file.into_score(), repairs)
}

fn note(onset: i64, pitch: u8, length: i64, velocity: u8) -> Note {
    Note { onset, pitch, length, velocity }
}

#[test]
fn a_right_file_needs_no_repair() {
    let (score, repairs) = read(&song(&[NOTE]));
    assert_eq!(repairs, []);
    assert_eq!(score.tracks[0].notes, [note(0, 60, 480, 80)]);
    assert_eq!((score.tracks[0].source_track, score.tracks[0].channel, score.tracks[0].program), (0, 0, 0));
}

#[test]
fn tracks_are_separated_by_chunk_channel_and_program() {
    let mut one = Track::default();
    one.meta(0, 3, b" Keys ");
    for (program, pitch) in [(0u8, 60), (19, 62), (0, 64)] {
        one.event(0, &[0xC2, program]).event(0, &[0x92, pitch, 80]).event(480, &[0x82, pitch, 0]);
    }
    one.event(0, &[0x99, 36, 100]).event(120, &[0x99, 36, 0]);
    let mut two = Track::default();
    two.meta(0, 4, b"Violin").event(0, &[0x92, 70, 80]).event(480, &[0x82, 70, 0]);
    let (score, repairs) = read(&file(&[&one.ended(), &two.ended()]));
    assert_eq!(repairs, []);
    let found: Vec<_> = score
        .tracks
        .iter()
        .map(|t| (t.name.as_str(), t.source_track, t.channel, t.program, t.notes.len()))
        .collect();
    // The second chunk sets no program: it has the one that its channel has from the first.
    assert_eq!(
        found,
        [("Keys", 0, 2, 0, 2), ("Keys", 0, 2, 19, 1), ("Keys", 0, 9, 0, 1), ("Violin", 1, 2, 0, 1)]
    );
    assert!(score.tracks[2].is_drums && !score.tracks[1].is_drums);
}

#[test]
fn a_setup_track_gives_programs_unless_the_port_differs() {
    let mut setup = Track::default();
    setup.event(0, &[0xC0, 33]).event(960, &[0xC0, 40]);
    let mut music = Track::default();
    music.event(0, &[0x90, 40, 80]).event(960, &[0x80, 40, 0]);
    music.event(0, &[0x90, 41, 80]).event(960, &[0x80, 41, 0]);
    let mut elsewhere = Track::default();
    elsewhere.meta(0, 0x21, &[1]).event(0, &[0x90, 42, 80]).event(480, &[0x80, 42, 0]);
    let (score, _) = read(&file(&[&setup.ended(), &music.ended(), &elsewhere.ended()]));
    let found: Vec<_> = score.tracks.iter().map(|t| (t.source_track, t.program)).collect();
    assert_eq!(found, [(1, 33), (1, 40), (2, 0)]);
}

#[test]
fn times_are_rounded_to_pulses() {
    for (division, tick, pulse) in
        [(96u16, 5u32, 25i64), (960, 3, 2), (960, 1, 1), (1024, 100, 47), (7, 1, 69)]
    {
        let mut track = Track::default();
        track.event(tick, &[0x90, 60, 80]).event(u32::from(division), &[0x80, 60, 0]);
        let bytes = [header(0, 1, division), chunk(b"MTrk", &track.ended())].concat();
        let (score, _) = read(&bytes);
        assert_eq!(score.tracks[0].notes[0].onset, pulse, "tick {tick} of {division}");
    }
}

#[test]
fn an_open_note_ends_with_the_track_or_after_sixteen_beats() {
    let mut track = Track::default();
    track.event(0, &[0x90, 60, 80]).event(480 * 100, &[0x90, 62, 80]).event(240, &[0xB0, 64, 0]);
    let (score, repairs) = read(&track.file());
    assert_eq!(repairs, [(Repair::HangingNotes, 2)]);
    assert_eq!(score.tracks[0].notes, [note(0, 60, 480 * MAX_HANG_BEATS, 80), note(48_000, 62, 240, 80)]);
}

#[test]
fn a_new_stroke_ends_the_old_note() {
    let mut track = Track::default();
    track.event(0, &[0x90, 60, 80]).event(100, &[0x90, 60, 90]).event(100, &[0x80, 60, 0]);
    track.event(50, &[0x80, 60, 0]);
    let (score, repairs) = read(&track.file());
    assert_eq!(score.tracks[0].notes, [note(0, 60, 100, 80), note(100, 60, 100, 90)]);
    assert_eq!(repairs, [(Repair::OverlappingNotes, 1)]);
    // The old note's own note-off comes late, at the same tick.
    let mut track = Track::default();
    track.event(0, &[0x90, 60, 80]).event(100, &[0x90, 60, 90]).event(0, &[0x80, 60, 0]);
    track.event(50, &[0x80, 60, 0]);
    let (score, repairs) = read(&track.file());
    assert_eq!(score.tracks[0].notes, [note(0, 60, 100, 80), note(100, 60, 50, 90)]);
    assert_eq!(repairs, []);
}

#[test]
fn doubled_strokes_become_one_as_loud_as_the_louder() {
    let (score, repairs) =
        read(&song(&[&[0, 0x90, 60, 99, 0, 0x90, 60, 50, 100, 0x80, 60, 0, 20, 0x80, 60, 0]]));
    assert_eq!(score.tracks[0].notes, [note(0, 60, 100, 99)]);
    assert_eq!(repairs, [(Repair::OverlappingNotes, 1)]);
}

#[test]
fn a_note_of_no_length_gets_the_shortest() {
    let (score, repairs) = read(&song(&[&[0, 0x90, 60, 99, 0, 0x80, 60, 0]]));
    assert_eq!(score.tracks[0].notes, [note(0, 60, 1, 99)]);
    assert_eq!(repairs, [(Repair::ZeroLengthNotes, 1)]);
}

#[test]
fn tempos_metres_and_markers_come_from_all_tracks() {
    let mut one = Track::default();
    one.meta(0, 0x51, &[0x09, 0x27, 0xC0]).meta(0, 0x58, &[3, 2, 24, 8]).meta(480, 6, "Strophe é".as_bytes());
    let mut two = Track(NOTE.to_vec());
    two.meta(0, 7, b"Refr\xE4n").meta(960, 0x51, &[0x06, 0x1A, 0x80]).meta(0, 0x58, &[6, 3, 24, 8]);
    let (score, repairs) = read(&file(&[&one.ended(), &two.ended()]));
    assert_eq!(repairs, []);
    assert_eq!(score.tempos.changes().collect::<Vec<_>>(), [(0, 600_000), (1440, 400_000)]);
    let meters: Vec<_> = score.meters.changes().map(|(at, m)| (at, m.to_string())).collect();
    assert_eq!(meters, [(0, "3/4".to_owned()), (1440, "6/8".to_owned())]);
    // Text that is not UTF-8 is Latin-1.
    assert_eq!(score.markers, [(480, "Strophe é".to_owned()), (480, "Refrän".to_owned())]);
}

#[test]
fn repairs_are_counted_and_described() {
    let bytes =
        song(&[NOTE, &[0, 0xF8, 0, 0xF8], &[0, 0xFF, 0x51, 3, 0, 0, 0], &[0, 0xFF, 0x58, 4, 0, 2, 24, 8]]);
    let file = MidiFile::parse(&bytes).unwrap();
    let words: Vec<String> = file.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        [
            "2 events malformed or out of place, skipped",
            "1 tempo of zero, ignored",
            "1 metre impossible, ignored"
        ]
    );
}

#[test]
fn errors_name_what_they_found() {
    for (bytes, part) in [
        (&b"PK\x03\x04abc"[..], "zip"),
        (&b"RIFF\x04\0\0\0WAVE"[..], "WAV"),
        (&b"hello, this is text"[..], "text"),
        (&b"MThd\0\0\0\x06\0\x01\0\x01\xE7\x28"[..], "25 a second"),
        (&b"MThd\0\0\0\x06\0\x02\0\x05\x01\xE0"[..], "format 2"),
    ] {
        let text = MidiFile::parse(bytes).unwrap_err().to_string();
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn what_is_odd_in_the_source_reads_the_same_in_the_output() {
    let odd: [&[&[u8]]; 4] = [
        // Struck again and never let go but at that very tick.
        &[&[0, 0x90, 60, 80, 100, 0x90, 60, 90, 0, 0x80, 60, 0]],
        // A stroke at the very end.
        &[NOTE, &[0, 0x90, 60, 80]],
        // The program, and with it the piano, changes under a held key.
        &[&[0, 0x90, 60, 80, 10, 0xC0, 73, 10, 0x90, 60, 80, 0, 0x80, 60, 0, 100, 0x80, 60, 0]],
        &[&[0, 0xC0, 73, 0, 0x90, 60, 80, 10, 0xC0, 0, 10, 0x90, 60, 80, 0, 0x80, 60, 0, 100, 0x80, 60, 0]],
    ];
    for pieces in odd {
        let source = MidiFile::parse(&song(pieces)).unwrap();
        let out = MidiFile::parse(&source.accompany(&PianoChoice::Auto, &[]).unwrap()).unwrap();
        let piano = PianoChoice::Name("piano".into());
        assert_eq!(out.piano_notes(&piano), source.piano_notes(&PianoChoice::Auto), "{pieces:?}");
    }
    // Metres at different ticks of different tracks, but at one pulse: the later tick holds.
    let metre = |tick: u32, beats: u8| {
        let mut track = Track(NOTE.to_vec());
        track.meta(tick, 0x58, &[beats, 2, 24, 8]);
        chunk(b"MTrk", &track.ended())
    };
    let bytes = [header(1, 2, 9600), metre(9602, 3), metre(9601, 5)].concat();
    let source = MidiFile::parse(&bytes).unwrap();
    assert_eq!(source.score().meters.position(1000).meter.numerator, 3);
    let out = MidiFile::parse(&source.accompany(&PianoChoice::Auto, &[]).unwrap()).unwrap();
    assert_eq!(out.score().meters, source.score().meters);
}

/// A file with a bass, two keyboards, a flute and drums.
fn band_file() -> MidiFile {
    let track = |name: &str, channel: u8, program: u8, notes: u8| {
        let mut t = Track::default();
        t.meta(0, 3, name.as_bytes()).event(0, &[0xC0 | channel, program]);
        for i in 0..notes {
            t.event(0, &[0x90 | channel, 50 + i, 80]).event(120, &[0x80 | channel, 50 + i, 0]);
        }
        t.ended()
    };
    let tracks = [
        track("E-Bass", 1, 33, 4),
        track("Grand Piano", 0, 0, 3),
        track("Rhodes", 2, 4, 2),
        track("Flute", 3, 73, 9),
        track("Drums", 9, 0, 12),
    ];
    let tracks: Vec<&[u8]> = tracks.iter().map(Vec::as_slice).collect();
    MidiFile::parse(&file(&tracks)).unwrap()
}

#[test]
fn the_piano_is_chosen_by_family_name_or_number() {
    let file = band_file();
    let pick = |s: &str| file.pick_piano(&s.parse().unwrap()).map(|p| p.tracks);
    assert_eq!(pick("auto"), Ok(vec![1, 2]));
    assert_eq!(pick("rhodes"), Ok(vec![2]));
    assert_eq!(pick("PIANO"), Ok(vec![1]));
    assert_eq!(pick("4"), Ok(vec![3]));
    let text = |s: &str| pick(s).unwrap_err().to_string();
    let names = "1 'E-Bass', 2 'Grand Piano', 3 'Rhodes', 4 'Flute', 5 'Drums'";
    assert_eq!(text("organ"), format!("no track is called 'organ'; the tracks are {names}"));
    assert_eq!(text("0"), format!("there is no track 0; the tracks are {names}"));
    assert_eq!(text("6"), format!("there is no track 6; the tracks are {names}"));
    assert!(text("5").starts_with("track 5 (Drums) is percussion"));
    assert!(text("drums").starts_with("track 5 (Drums) is percussion"));
    assert!(pick("").is_err());
    assert_eq!(file.piano_notes(&PianoChoice::Auto).unwrap().len(), 3);
    assert_eq!(file.piano_notes(&PianoChoice::Number(4)).unwrap().len(), 9);
}

#[test]
fn without_a_keyboard_the_fullest_pitched_track_is_taken_with_a_warning() {
    let mut bass = Track::default();
    bass.event(0, &[0xC1, 33]).event(0, &[0x91, 40, 80]).event(480, &[0x81, 40, 0]);
    let mut flute = Track::default();
    flute.meta(0, 3, b"Solo").event(0, &[0xC3, 73]);
    for _ in 0..3 {
        flute.event(0, &[0x93, 70, 80]).event(480, &[0x83, 70, 0]);
    }
    let midi = MidiFile::parse(&file(&[&bass.ended(), &flute.ended()])).unwrap();
    let pick = midi.pick_piano(&PianoChoice::Auto).unwrap();
    assert_eq!(pick.tracks, [1]);
    assert!(pick.warning.unwrap().contains("track 2, 'Solo'"));
    let drums = MidiFile::parse(&song(&[&[0, 0x99, 36, 90, 120, 0x89, 36, 0]])).unwrap();
    assert_eq!(drums.pick_piano(&PianoChoice::Auto), Err(SmfError::NoPiano));
}

#[test]
fn a_summary_says_what_is_there() {
    let mut track = Track::default();
    track.meta(0, 3, b"Piano").meta(0, 0x51, &[0x09, 0x27, 0xC0]).meta(0, 0x58, &[3, 2, 24, 8]);
    // C major: C E G, F A C, G B D, C, a bar each at 100 beats a minute, the last bar twice as fast.
    for (i, bar) in [[48, 52, 55], [53, 57, 60], [55, 59, 62], [48, 60, 64]].iter().enumerate() {
        if i == 3 {
            track.meta(0, 0x51, &[0x04, 0x93, 0xE0]);
        }
        for &key in bar {
            track.event(0, &[0x90, key, 80]);
        }
        for (j, &key) in bar.iter().enumerate() {
            track.event(if j == 0 { 1440 } else { 0 }, &[0x80, key, 0]);
        }
    }
    let summary = Summary::of(&MidiFile::parse(&track.file()).unwrap());
    assert_eq!((summary.bars, summary.beats, summary.notes), (4, 12.0, 12));
    assert!((summary.seconds - (9.0 * 0.6 + 3.0 * 0.3)).abs() < 1e-9);
    let t = summary.tempo;
    assert_eq!((t.median.round(), t.min.round(), t.max.round(), t.count), (100.0, 100.0, 200.0, 2));
    assert_eq!(summary.meters.len(), 1);
    assert_eq!(summary.key.as_ref().unwrap().name, "C major");
    let only = &summary.tracks[0];
    assert_eq!((only.number, only.channel, only.instrument), (1, 1, "Acoustic Grand Piano"));
    assert_eq!((only.family, only.notes, only.lowest, only.highest), (Some("piano"), 12, Some(48), Some(64)));
    let text = summary.to_string();
    for part in ["0:06 min, 4 bars", "100.0 beats a minute (100.0 to 200.0, 1 changes)", "3/4", "C3 to E4"] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    let empty = Summary::of(&MidiFile::parse(&file(&[END])).unwrap());
    assert_eq!((empty.bars, empty.notes, empty.key), (0, 0, None));
}
