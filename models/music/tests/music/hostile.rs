//! Every broken or hostile file is refused with advice or read sensibly.

use std::time::{Duration, Instant};

use sideman_music::hostile::{Case, Expect, corpus};
use sideman_music::smf::{self, MAX_BEATS, MidiFile, PartTrack, PianoChoice, SmfError};
use sideman_music::summary::Summary;
use sideman_music::{Note, Part, Pulse, Score};

/// What holds for every score that was read.
pub(crate) fn assert_sound(score: &Score, what: &str) {
    for t in &score.tracks {
        assert!(!t.notes.is_empty(), "{what}: a track without notes");
        assert!(t.notes.is_sorted(), "{what}: notes out of order");
        assert!(t.channel < 16 && t.program < 128 && t.is_drums == (t.channel == 9), "{what}");
        assert!(t.name.chars().count() <= smf::MAX_TEXT && !t.name.contains(char::is_control), "{what}");
        let mut until = [0 as Pulse; 128];
        for n in &t.notes {
            assert!(n.onset >= 0 && n.length >= 1 && (1..128).contains(&n.velocity), "{what}: {n:?}");
            assert!(until[usize::from(n.pitch)] <= n.onset, "{what}: {n:?} overlaps");
            until[usize::from(n.pitch)] = n.end();
        }
    }
    // A hanging note at the very end is a tick long, at most a quarter note.
    assert!(score.end() <= (MAX_BEATS as Pulse + 1) * 480, "{what}: ends at {}", score.end());
    assert!(score.tempos.seconds_at(score.end()).is_finite(), "{what}");
    assert!(score.markers.is_sorted_by_key(|m| m.0) && score.markers.len() <= smf::MAX_MARKERS, "{what}");
}

/// The score as `write` numbers its tracks.
pub(crate) fn renumbered(score: &Score) -> Score {
    let mut score = score.clone();
    for (i, t) in score.tracks.iter_mut().enumerate() {
        t.source_track = i + 1;
    }
    score
}

/// What can be done with a file that was read has to work, too.
pub(crate) fn assert_usable(file: &MidiFile, what: &str) {
    let score = file.score();
    assert_sound(score, what);
    assert_eq!(smf::read(&smf::write(score)).as_ref(), Ok(&renumbered(score)), "{what}: written and read");
    let summary = Summary::of(file);
    assert_eq!(summary.tracks.len(), score.tracks.len());
    assert!(!summary.to_string().chars().any(|c| c.is_control() && c != '\n'), "{what}: {summary}");
    assert!(summary.seconds.is_finite() && summary.tempo.median.is_finite() && summary.bars >= 0, "{what}");

    let bass = PartTrack::new(Part::Bass, 33, vec![Note { onset: 0, pitch: 40, length: 480, velocity: 80 }]);
    match file.piano_notes(&PianoChoice::Auto) {
        Err(e) => {
            assert_eq!(e, SmfError::NoPiano, "{what}");
            assert!(score.tracks.iter().all(|t| t.is_drums), "{what}: no piano among pitched tracks");
        }
        Ok(piano) => {
            let out = file.accompany(&PianoChoice::Auto, &[bass]).unwrap();
            let again = MidiFile::parse(&out).unwrap_or_else(|e| panic!("{what}: the output is broken: {e}"));
            let band = again.score();
            assert_sound(band, what);
            assert_eq!(band.tempos, score.tempos, "{what}: tempos of the output");
            assert_eq!(band.meters, score.meters, "{what}: metres of the output");
            let mut played: Vec<Note> = Vec::new();
            for t in band.tracks.iter().filter(|t| t.name == "Piano") {
                assert_eq!(t.channel, 0);
                played.extend(&t.notes);
            }
            played.sort_unstable();
            if file.pick_piano(&PianoChoice::Auto).unwrap().tracks.len() == 1 {
                let differs = played.iter().zip(&piano).find(|(a, b)| a != b);
                assert_eq!(differs, None, "{what}: the piano of the output");
                assert_eq!(played.len(), piano.len(), "{what}: the piano of the output");
            } else {
                // Merged tracks may cut one another's notes short, but every stroke is there.
                let strokes = |notes: &[Note]| notes.iter().map(|n| (n.onset, n.pitch)).collect::<Vec<_>>();
                assert_eq!(strokes(&played), strokes(&piano), "{what}: the piano of the output");
            }
        }
    }
}

/// Words of which every error message has one: what to do next.
const ADVICE: [&str; 8] = ["export", "give a", "unpack", "split", "cut it", "choose", "fetch", "merge"];

fn check(case: &Case) {
    let bytes = (case.make)();
    let start = Instant::now();
    match (MidiFile::parse(&bytes), case.expect) {
        (Err(e), Expect::Refused) => {
            let text = e.to_string();
            assert!(ADVICE.iter().any(|a| text.contains(a)), "{}: '{text}' gives no advice", case.name);
        }
        (Ok(file), Expect::Notes(notes)) => {
            let found: usize = file.score().tracks.iter().map(|t| t.notes.len()).sum();
            assert_eq!(found, notes, "{}: notes; {:?}", case.name, file.warnings());
            assert_usable(&file, case.name);
        }
        (Ok(file), Expect::Refused) => panic!("{} was read: {:?}", case.name, file.score()),
        (Err(e), Expect::Notes(_)) => panic!("{} was refused: {e}", case.name),
    }
    let took = start.elapsed();
    assert!(took < Duration::from_secs(10), "{} took {took:?}", case.name);
}

#[test]
fn every_case_is_refused_with_advice_or_read_sensibly() {
    let cases = corpus();
    let failed: Vec<&str> =
        cases.iter().filter(|c| std::panic::catch_unwind(|| check(c)).is_err()).map(|c| c.name).collect();
    assert!(failed.is_empty(), "{} of {} cases failed: {failed:?}", failed.len(), cases.len());
}

#[test]
fn the_corpus_is_large_and_its_names_are_unique() {
    let mut names: Vec<&str> = corpus().iter().map(|c| c.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), corpus().len());
    assert!(names.len() >= 60, "{}", names.len());
}
