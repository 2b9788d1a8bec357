//! How soon a band follows when the piano jumps to the far end of the circle of fifths.

use indicatif::ProgressBar;
use sideman_music::score::Note;
use sideman_music::time::PULSES_PER_BEAT;

use super::accompanist::{Accompanist, Request};
use super::figures::Ratio;
use super::interval::{Estimate, Resamples};
use super::song::{EvalSong, HALF_PULSES, Half, Parts, cut_parts, halves, spans};

/// Beats after the jump that are looked at.
pub const BEATS: usize = 32;
/// Beats of the window that counts as "back".
pub const WINDOW: usize = 4;
/// Share of coupling that counts as back.
pub const BACK: f64 = 0.95;
/// Semitones of the jump: a tritone.
const TRITONE: u8 = 6;

/// Coupling after the piano jumps by a tritone at the middle bar line and stays there.
///
/// Of every beat, the share of bass, guitar and string sounding time on a pitch class that the piano sounds
/// in that half-bar is taken three times: of the band that heard the jump, of the same band without the
/// jump (1: as tied as ever), and of the latter against the piano that jumped (0: as if it had not heard).
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Recovery {
    /// The band.
    pub name: String,
    /// Coupling of each beat after the jump.
    pub beats: Vec<Option<Estimate>>,
    /// Coupling of the window of [`WINDOW`] beats that begins at each beat.
    pub windows: Vec<Option<Estimate>>,
    /// First beat after the jump whose window has [`BACK`] of coupling; `None` when none has.
    pub back_after: Option<usize>,
}

/// The piano with everything from a pulse on moved by a tritone: up, or down where that leaves the
/// keyboard. Notes that are held over the jump end there.
pub fn jumped(piano: &[Note], at: i64) -> Vec<Note> {
    let mut out: Vec<Note> = piano
        .iter()
        .map(|n| {
            if n.onset < at {
                Note { length: n.length.min(at - n.onset), ..*n }
            } else if n.pitch + TRITONE <= 108 {
                Note { pitch: n.pitch + TRITONE, ..*n }
            } else {
                Note { pitch: n.pitch - TRITONE, ..*n }
            }
        })
        .collect();
    out.sort_unstable();
    out
}

/// Measures how a band recovers, on the songs with [`BEATS`] beats after their middle bar line.
///
/// # Errors
/// When the band cannot play a song.
pub fn after_jump(
    band: &mut dyn Accompanist,
    songs: &[EvalSong],
    resamples: &Resamples,
    progress: &ProgressBar,
) -> anyhow::Result<Recovery> {
    // By beat, then song.
    let empty = || vec![vec![Ratio::default(); songs.len()]; BEATS];
    let (mut heard, mut plain, mut deaf) = (empty(), empty(), empty());
    for (i, song) in songs.iter().enumerate() {
        progress.inc(1);
        let middle = song.bars / 2;
        if (song.bars - middle) * 4 < BEATS {
            continue;
        }
        let at = middle as i64 * 4 * PULSES_PER_BEAT;
        let moved = jumped(&song.piano, at);
        let mut play = |piano: &[Note]| -> anyhow::Result<Parts> {
            let parts = band.play(&Request { piano, ..Request::new(i, song) })?;
            Ok(cut_parts(&parts, song.bars, song.present))
        };
        let (with, without) = (play(&moved)?, play(&song.piano)?);
        let (there, here) = (halves(&moved, song.bars), halves(&song.piano, song.bars));
        for (sums, parts, piano) in
            [(&mut heard, &with, &there), (&mut plain, &without, &here), (&mut deaf, &without, &there)]
        {
            tied(parts, piano, at, |beat, inside, pulses| sums[beat][i].add(inside, pulses));
        }
    }
    let beats = (0..BEATS).map(|k| resamples.pooled_coupling(&heard[k], &deaf[k], &plain[k])).collect();
    let over = |sums: &[Vec<Ratio>], from: usize| -> Vec<Ratio> {
        (0..songs.len())
            .map(|i| {
                let mut total = Ratio::default();
                for beat in &sums[from..from + WINDOW] {
                    total.add(beat[i].sum, beat[i].weight);
                }
                total
            })
            .collect()
    };
    let windows: Vec<Option<Estimate>> = (0..=BEATS - WINDOW)
        .map(|k| resamples.pooled_coupling(&over(&heard, k), &over(&deaf, k), &over(&plain, k)))
        .collect();
    let back_after = windows.iter().position(|w| w.is_some_and(|w| w.value >= BACK));
    Ok(Recovery { name: band.name().to_owned(), beats, windows, back_after })
}

/// Calls back with (beat after `at`, pulses on the piano's classes, pulses) for what the pitched parts
/// sound in the beats after a moment, where the piano sounds anything.
fn tied(parts: &Parts, piano: &[Half], at: i64, mut add: impl FnMut(usize, f64, f64)) {
    for n in parts[1..].iter().flatten() {
        for (beat, pulses) in spans(n, PULSES_PER_BEAT) {
            let after = beat - at / PULSES_PER_BEAT;
            let half = usize::try_from(beat * PULSES_PER_BEAT / HALF_PULSES).ok().and_then(|h| piano.get(h));
            let (Ok(after), Some(half)) = (usize::try_from(after), half) else { continue };
            if after < BEATS && half.classes != 0 {
                add(after, if half.holds(n.pitch) { pulses as f64 } else { 0.0 }, pulses as f64);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::fixtures;

    /// Holds, from beat to beat, what the piano sounded some beats before.
    struct Late(i64);

    impl Accompanist for Late {
        fn name(&self) -> &str {
            "late"
        }

        fn play(&mut self, request: &Request<'_>) -> anyhow::Result<Parts> {
            let Request { piano, steps, .. } = *request;
            let mut parts = Parts::default();
            for beat in 0..steps as i64 / 4 {
                let heard = (beat - self.0).max(0) * PULSES_PER_BEAT;
                for n in piano.iter().filter(|n| n.onset <= heard && n.end() > heard) {
                    parts[2].push(Note { onset: beat * PULSES_PER_BEAT, length: PULSES_PER_BEAT, ..*n });
                }
            }
            Ok(parts)
        }
    }

    /// Plays what people played, whatever the piano does.
    struct Deaf(Vec<Parts>);

    impl Accompanist for Deaf {
        fn name(&self) -> &str {
            "deaf"
        }

        fn play(&mut self, request: &Request<'_>) -> anyhow::Result<Parts> {
            Ok(self.0[request.song].clone())
        }
    }

    #[test]
    fn the_piano_jumps_at_the_bar_line_and_stays_on_its_keys() {
        let at = |onset, pitch, length| Note { onset, pitch, length, velocity: 80 };
        let out = jumped(&[at(0, 60, 3000), at(1900, 62, 10), at(1920, 64, 50), at(1920, 104, 50)], 1920);
        assert_eq!(out, [at(0, 60, 1920), at(1900, 62, 10), at(1920, 70, 50), at(1920, 98, 50)]);
    }

    #[test]
    fn a_band_is_back_as_late_as_it_hears() {
        let songs = fixtures::songs(6, 32, 3);
        let resamples = Resamples::new(6, 50, 1);
        let bar = ProgressBar::hidden();
        for late in [0, 2, 6] {
            let r = after_jump(&mut Late(late), &songs, &resamples, &bar).unwrap();
            assert_eq!(r.back_after, Some(late as usize), "{late}");
            for (k, e) in r.beats.iter().enumerate() {
                let expected = if k < late as usize { 0.0 } else { 1.0 };
                let value = e.unwrap().value;
                assert!((value - expected).abs() < 1e-9, "{late} beats late, beat {k}: {value}");
            }
        }
    }

    #[test]
    fn a_deaf_band_never_comes_back() {
        let songs = fixtures::songs(6, 32, 4);
        let people = songs.iter().map(|s| s.people.clone()).collect();
        let resamples = Resamples::new(6, 50, 1);
        let r = after_jump(&mut Deaf(people), &songs, &resamples, &ProgressBar::hidden()).unwrap();
        assert_eq!(r.back_after, None);
        assert!(r.beats.iter().flatten().all(|e| e.value == 0.0));
        // Songs too short for the window after their middle are left out.
        let short = fixtures::songs(3, 12, 4);
        let mut late = Late(0);
        let r = after_jump(&mut late, &short, &Resamples::new(3, 5, 1), &ProgressBar::hidden()).unwrap();
        assert!(r.beats.iter().all(Option::is_none));
    }
}
