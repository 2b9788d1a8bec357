use super::*;
use crate::eval::fixtures;
use crate::eval::song::Parts;
use sideman_music::score::Note;

fn lines(songs: &[EvalSong]) -> [Vec<Line>; 4] {
    std::array::from_fn(|p| songs.iter().map(|s| Line::new(Part::ALL[p], &s.people[p], BAR_STEPS)).collect())
}

fn checked(training: &[EvalSong], songs: &[EvalSong], played: &[Played]) -> Memorization {
    let names: Vec<String> = training.iter().map(|s| s.name.clone()).collect();
    let rows: Vec<&Played> = played.iter().collect();
    check_lines(&lines(training), &names, songs, &rows, &Resamples::new(songs.len(), 200, 1))
}

fn of<'a>(quotes: &'a Memorization, band: &str, part: Option<Part>) -> &'a Distribution {
    quotes.distributions.iter().find(|d| d.band == band && d.part == part.map(Part::name)).unwrap()
}

/// Songs that never repeat themselves, so that their lengths are known: a random walk a part.
fn wandering(count: usize, bars: usize, seed: u64) -> Vec<EvalSong> {
    use rand::{Rng, SeedableRng};
    let mut rng = rand_pcg::Pcg64::seed_from_u64(seed);
    let mut songs = fixtures::songs(count, bars, seed);
    for song in &mut songs {
        for (p, part) in song.people.iter_mut().enumerate() {
            *part = (0..bars as i64 * 4)
                .map(|i| {
                    let onset = i * 480 + 120 * rng.random_range(0..4);
                    let pitch =
                        if p == 0 { [35, 38, 42][rng.random_range(0..3)] } else { rng.random_range(40..44) };
                    Note { onset, pitch, length: 100, velocity: 80 }
                })
                .collect();
        }
    }
    songs
}

#[test]
fn a_copied_training_song_is_found_in_any_key_and_an_independent_one_is_not() {
    let (training, songs) = (wandering(20, 32, 1), wandering(12, 32, 2));
    let people: Vec<Parts> = songs.iter().map(|s| s.people.clone()).collect();
    // The thief plays eight bars of a training song in the midst of each, a fourth up, four bars later.
    let mut thief = people.clone();
    for (i, parts) in thief.iter_mut().enumerate() {
        for (p, part) in parts.iter_mut().enumerate() {
            part.retain(|n| !(12 * 1920..20 * 1920).contains(&n.onset));
            let up = if p == 0 { 0 } else { 5 };
            part.extend(
                training[i].people[p]
                    .iter()
                    .filter(|n| (8 * 1920..16 * 1920).contains(&n.onset))
                    .map(|n| Note { onset: n.onset + 4 * 1920, pitch: n.pitch + up, ..*n }),
            );
            part.sort_unstable();
        }
    }
    let played = [Played::new("people", people), Played::new("thief", thief)];
    let quotes = checked(&training, &songs, &played);
    assert_eq!(quotes.training_songs, 20);
    for part in Part::ALL {
        let (honest, stolen) = (of(&quotes, "people", Some(part)), of(&quotes, "thief", Some(part)));
        assert!(honest.notes[0] >= 3.0 && honest.notes[2] < 14.0, "{part}: {:?}", honest.notes);
        // Thirty-two onsets, give or take one that fits by chance at either end or that is an ostinato.
        assert!((28.0..=36.0).contains(&stolen.notes[0]), "{part}: {:?}", stolen.notes);
        assert!((28.0..=36.0).contains(&stolen.beats[0]), "{part}: {:?}", stolen.beats);
        assert!(stolen.median_ratio.unwrap().low > 2.0 && stolen.high_ratio.unwrap().low > 1.5);
        assert_eq!(honest.median_ratio.unwrap().value, 1.0);
        let thief_of: usize = songs.iter().position(|s| s.name == stolen.example.song).unwrap();
        assert_eq!(stolen.example.training, training[thief_of].name);
    }
    assert!(of(&quotes, "thief", None).notes[0] >= of(&quotes, "thief", Some(Part::Bass)).notes[0]);
}

#[test]
fn a_groove_that_everyone_plays_says_next_to_nothing() {
    // Everyone plays the same four beats for ever.
    let songs = fixtures::songs(4, 32, 2);
    let beats = fixtures::metronome(&songs);
    let mut common = fixtures::songs(4, 32, 1);
    for (song, parts) in common.iter_mut().zip(&beats) {
        song.people = parts.clone();
    }
    let quotes = checked(&common, &songs, &[Played::new("people", beats)]);
    for part in Part::ALL {
        let d = of(&quotes, "people", Some(part));
        assert!(d.bits[2] < 4.0 && d.notes[2] <= 4.0, "{part}: {:?} {:?}", d.bits, d.notes);
    }
}

#[test]
fn rare_turns_weigh_more_than_common_ones() {
    let token = |t: Token| Line { tokens: vec![t], gaps: vec![1] };
    let training: Vec<Line> = (0..8).map(|i| token(u32::from(i == 0))).collect();
    let surprise = Surprise::new(&training);
    assert_eq!(surprise.bits(1), 3.0);
    assert!((surprise.bits(0) - (8.0f64 / 7.0).log2()).abs() < 1e-12);
    assert_eq!(surprise.bits(2), 0.0);
}

#[test]
fn quantiles_weigh_songs() {
    let values = [Some(1.0), None, Some(3.0), Some(2.0)];
    assert_eq!(quantile(&values, &[1.0; 4], 0.5), Some(2.0));
    assert_eq!(quantile(&values, &[1.0; 4], 1.0), Some(3.0));
    assert_eq!(quantile(&values, &[2.0, 9.0, 0.0, 1.0], 0.5), Some(1.0));
    assert_eq!(quantile(&[None], &[1.0], 0.5), None);
}
