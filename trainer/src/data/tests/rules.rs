//! Which pieces can teach.

use sideman_music::{Meter, MeterMap, Score};

use crate::data::files::meta;
use crate::data::fixtures::*;
use crate::data::qualify::{qualify, remarks};
use crate::data::source::Meta;
use crate::data::*;

fn some_meta() -> Meta {
    meta("x".into(), "s", Tier::Open, Split::Train, None, "g".into())
}

fn tried(score: &Score) -> Result<Song, LeftOut> {
    qualify(score, some_meta(), None)
}

fn in_meters(bars: i64, changes: &[(i64, Meter)]) -> Score {
    Score { meters: MeterMap::new(changes), ..piece(bars, 0) }
}

const WALTZ: Meter = Meter { numerator: 3, denominator: 4 };
const FIVE: Meter = Meter { numerator: 5, denominator: 4 };

#[test]
fn each_part_needs_its_notes() {
    let cut_to = |track: usize, notes: usize| {
        let mut score = piece(20, 0);
        score.tracks[track].notes.truncate(notes);
        tried(&score)
    };
    assert_eq!(cut_to(0, 63).unwrap_err(), LeftOut::Piano(63));
    assert!(cut_to(0, 64).is_ok());
    assert_eq!(cut_to(4, 63).unwrap_err(), LeftOut::Drums(63));
    assert_eq!(cut_to(1, 31).unwrap_err(), LeftOut::Bass(31));
    let mut score = piece(20, 0);
    score.tracks[2].notes.truncate(20);
    score.tracks[3].notes.truncate(11);
    assert_eq!(tried(&score).unwrap_err(), LeftOut::GuitarAndStrings(31));
    let song = cut_to(2, 0).unwrap();
    assert_eq!(song.parts_present, [true, true, false, true]);
    assert_eq!(song.programs[2], None);
}

#[test]
fn other_metres_are_flagged_or_left_out() {
    assert_eq!(tried(&in_meters(20, &[(0, WALTZ)])).unwrap().meter, WALTZ);
    assert_eq!(tried(&in_meters(20, &[(0, WALTZ)])).unwrap().bars(), 27);
    assert_eq!(tried(&in_meters(20, &[(0, FIVE)])).unwrap_err(), LeftOut::Meter("5/4".into()));
    // A change behind the music changes nothing.
    let song = tried(&in_meters(20, &[(20 * 1920, FIVE)])).unwrap();
    assert_eq!((song.meter, song.bars(), song.excerpt), (Meter::COMMON, 20, false));
}

#[test]
fn the_longest_stretch_in_one_metre_is_kept_from_its_own_bar_line() {
    // 10 bars of 3/4, then 4/4 to the end: 40 bars of 4/4 hold 160 beats, 30 of them are the waltz's.
    let start = 10 * 3 * 480;
    let song = tried(&in_meters(40, &[(0, WALTZ), (start, Meter::COMMON)])).unwrap();
    assert!(song.excerpt);
    assert_eq!((song.meter, song.bars()), (Meter::COMMON, 33));
    assert_eq!(song.band.piano[0].onset, 0);
    assert_eq!(song.band.piano.len(), 130);
    assert!(remarks(&song)[0].contains("longest stretch"));

    // The other way round: 17 bars and a beat of 4/4, of which 17 count.
    let end = (17 * 4 + 1) * 480;
    let song = tried(&in_meters(20, &[(0, Meter::COMMON), (end, WALTZ)])).unwrap();
    assert_eq!((song.bars(), song.band.piano.len()), (17, 68));
    assert!(song.band.piano.iter().all(|n| n.end() <= 17 * 1920));

    let often: Vec<(i64, Meter)> =
        (0..40).map(|i| (i * 7 * 480, if i % 2 == 0 { Meter::COMMON } else { WALTZ })).collect();
    assert!(matches!(tried(&in_meters(40, &often)).unwrap_err(), LeftOut::MeterChanges(_)));
}

#[test]
fn a_short_bar_before_the_music_moves_the_bar_lines() {
    // An upbeat of an eighth in a bar of its own, as notation programs write it; the music begins after it,
    // a little early.
    let mut score = in_meters(20, &[(0, Meter { numerator: 1, denominator: 8 }), (240, Meter::COMMON)]);
    for n in score.tracks.iter_mut().flat_map(|t| &mut t.notes) {
        n.onset += 230;
    }
    let song = tried(&score).unwrap();
    assert!(!song.excerpt);
    assert_eq!((song.band.piano[0].onset, song.band.piano[1].onset), (0, 470));
    assert_eq!(song.bars(), 20);
}

#[test]
fn lengths_are_bounded() {
    assert_eq!(tried(&piece(20, 0)).unwrap().steps, 320);
    let mut score = piece(17, 0);
    score.tracks[0].notes.last_mut().unwrap().length = 1_000_000;
    assert_eq!(tried(&score).unwrap().bars(), 18, "a held note adds a bar at most");
    score.tracks[0].notes.push(note(2000 * 1920, 60));
    assert_eq!(tried(&score).unwrap_err(), LeftOut::Long(2001));
    let mut dense = piece(20, 0);
    for n in dense.tracks.iter_mut().flat_map(|t| &mut t.notes) {
        n.onset /= 2;
    }
    assert_eq!(tried(&dense).unwrap_err(), LeftOut::Short(10));
}

#[test]
fn free_playing_and_shifted_bar_lines_are_remarked() {
    assert_eq!(remarks(&tried(&piece(20, 0)).unwrap()), Vec::<&str>::new());
    let mut free = piece(20, 0);
    for (i, n) in free.tracks.iter_mut().flat_map(|t| &mut t.notes).enumerate() {
        n.onset += (i as i64 * 37) % 120;
    }
    let song = tried(&free).unwrap();
    assert!(song.on_grid < 0.5 && song.on_grid > 0.1, "{}", song.on_grid);
    assert!(remarks(&song)[0].contains("freely"));
    let mut late = piece(40, 0);
    assert_eq!(remarks(&tried(&late).unwrap()), Vec::<&str>::new(), "as much on each beat");
    late.tracks[1].notes.retain(|n| (n.onset / 480) % 2 == 1);
    assert!(remarks(&tried(&late).unwrap())[0].contains("beats two and four"));
}
