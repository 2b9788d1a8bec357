use super::*;
use crate::eval::fixtures;
use crate::eval::song::Parts;
use sideman_music::score::Note;

/// A band whose style shows in where the kick lies: style `k` on the 16th `k` of each bar.
fn groove(style: usize, bars: usize, bass: u8) -> Parts {
    let note = |onset, pitch| Note { onset, pitch, length: 100, velocity: 80 };
    let mut parts = Parts::default();
    for bar in 0..bars as i64 {
        parts[0].push(note(bar * 1920 + style as i64 * 120, 36));
        parts[0].push(note(bar * 1920 + 960, 38));
        for beat in 0..4 {
            parts[1].push(note(bar * 1920 + beat * 480, bass));
            parts[2].push(note(bar * 1920 + beat * 480, bass + 20));
        }
    }
    parts.iter_mut().for_each(|p| p.sort_unstable());
    parts
}

fn labelled() -> Vec<Labelled> {
    (0..STYLES * 8)
        .map(|i| {
            let parts = groove(i % STYLES, 16, 36 + (i / STYLES) as u8);
            let excerpts = vec![describe(&parts, 0).unwrap(), describe(&parts, 8).unwrap()];
            Labelled { style: i % STYLES, group: format!("{i}"), excerpts }
        })
        .collect()
}

/// Plays the groove of the style asked for, or always the same one.
struct Groover(Option<usize>);

impl Accompanist for Groover {
    fn name(&self) -> &str {
        "groover"
    }

    fn play(&mut self, request: &Request<'_>) -> anyhow::Result<Parts> {
        let asked = Style::ALL.iter().position(|&s| request.controls.style == StyleChoice::Fixed(s)).unwrap();
        Ok(groove(self.0.unwrap_or(asked), request.steps / 16, 41))
    }
}

#[test]
fn styles_that_differ_are_told_and_one_for_all_is_at_chance() {
    let songs = labelled();
    let people = people(&songs, 1);
    assert!(people.accuracy.unwrap().value > 0.95, "{:?}", people.accuracy);
    let learner = Learner::fit(&examples(&songs, |_| true), STYLES, 1);
    let test = fixtures::songs(6, 16, 1);
    let pianos = pianos(&test, 1);
    assert_eq!(pianos.len(), 6);
    let told = |band: &mut dyn Accompanist| {
        recognise(band, &pianos, &test, &learner, 1, &ProgressBar::hidden()).unwrap()
    };
    let clear = told(&mut Groover(None));
    assert!(clear.accuracy.unwrap().low > 0.9, "{:?}", clear.confusion);
    assert!(clear.by_style.iter().all(|e| e.unwrap().low > 1.0 / STYLES as f64));
    assert_eq!(clear.confusion[3].iter().sum::<usize>(), 6 * TAKES as usize);
    let one = told(&mut Groover(Some(2)));
    assert!((one.accuracy.unwrap().value - 1.0 / STYLES as f64).abs() < 1e-9);
}

#[test]
fn labels_that_mean_nothing_are_not_learned() {
    let mut songs = labelled();
    let mut styles: Vec<usize> = songs.iter().map(|s| s.style).collect();
    styles.shuffle(&mut Pcg64::seed_from_u64(9));
    for (song, style) in songs.iter_mut().zip(styles) {
        song.style = style;
    }
    let accuracy = people(&songs, 1).accuracy.unwrap().value;
    assert!(accuracy < 0.25, "{accuracy}");
}

#[test]
fn pianos_that_do_not_play_are_not_played_to() {
    let mut songs = fixtures::songs(3, 16, 1);
    songs[0].piano.retain(|n| n.onset < 10 * 1920);
    songs[1] = songs[1].shortened(12);
    assert_eq!(pianos(&songs, 1), [2]);
}

#[test]
fn a_song_that_a_stored_style_comes_from_is_known() {
    let song = Song {
        id: "a".into(),
        set: "a".into(),
        tier: Tier::Research,
        split: Split::Train,
        genre: None,
        style: None,
        group: "a".into(),
        bpm: 100.3,
        steps: 64,
        meter: Meter::COMMON,
        excerpt: false,
        lead_in_bars: 0,
        parts_present: [true; 4],
        programs: [Some(0), Some(33), None, Some(48)],
        agreement: None,
        on_grid: 1.0,
        band: Default::default(),
    };
    let code = |bpm, programs| StoredStyle {
        style: "blues".into(),
        bpm,
        bar_steps: 16,
        programs,
        share: None,
        code: vec![],
    };
    assert!(is_code(&song, "blues", &[code(song.bpm, song.programs)]));
    assert!(!is_code(&song, "blues", &[code(song.bpm + 0.01, song.programs)]));
    assert!(!is_code(&song, "blues", &[code(song.bpm, [Some(99); 4])]));
    assert!(!is_code(&song, "funk", &[code(song.bpm, song.programs)]));
}
