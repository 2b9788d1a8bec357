//! What the style classifier sees of eight bars: the drums, the bass, and the guitar and strings as one, neither
//! key nor tempo.
//!
//! Neither, because the piano brings both. Guitar and strings together, since few of people's bands have both.
//! Everything lies on the 16th grid with triplets, which every band writes alike.

use sideman_music::encoding::grid::drum_class;
use sideman_music::family::Part;
use sideman_music::score::Note;
use sideman_music::time::{STEP_TICKS, pulse_to_tick};

use crate::eval::song::{BAR_PULSES, BAR_STEPS, Parts, step_of};

/// Bars of an excerpt.
pub(super) const BARS: usize = 8;
/// Drum classes that get a profile over the bar: kick; snares and clap; rim; closed hats and shakers; ride.
const PROFILES: [&[usize]; 5] = [&[0], &[1, 2, 4], &[3], &[5, 6, 13], &[8]];
/// Drum classes of which only the number of hits counts: open hat, crash, toms, tambourine, other percussion.
const COUNTS: [&[usize]; 5] = [&[7], &[9], &[10, 11, 12], &[14], &[15]];
/// Fewest notes of each of the three.
const LEAST: usize = 8;

/// The numbers of bars `first..first + 8`; `None` where the drums, the bass, or guitar and strings hardly
/// play.
pub(super) fn describe(parts: &Parts, first: usize) -> Option<Vec<f32>> {
    let start = (first as i64) * BAR_STEPS;
    let inside = |part: Part| -> Vec<&Note> {
        let end = start + BARS as i64 * BAR_STEPS;
        parts[part.index()].iter().filter(|n| (start..end).contains(&step_of(n.onset))).collect()
    };
    let [drums, bass, guitar, strings] = Part::ALL.map(inside);
    let chords = [guitar, strings].concat();
    if [&drums, &bass, &chords].iter().any(|p| p.len() < LEAST) {
        return None;
    }
    let mut out = Vec::new();
    for classes in PROFILES {
        profile(drums.iter().filter(|n| classes.contains(&drum_class(n.pitch))), &mut out);
    }
    let bars = BARS as f32;
    for classes in COUNTS {
        let hits = drums.iter().filter(|n| classes.contains(&drum_class(n.pitch))).count();
        out.push((hits as f32 / bars).min(16.0));
    }
    out.push(drums.len() as f32 / bars);
    out.push(swing([&drums[..], &bass, &chords].concat().iter()));
    for part in [&bass, &chords] {
        profile(part.iter(), &mut out);
        pitched(part, &mut out);
    }
    Some(out)
}

/// At each 16th of the bar, in what share of the bars something starts.
fn profile<'a>(notes: impl Iterator<Item = &'a &'a Note>, out: &mut Vec<f32>) {
    let mut steps: Vec<i64> = notes.map(|n| step_of(n.onset)).collect();
    steps.sort_unstable();
    steps.dedup();
    let mut counts = [0f32; BAR_STEPS as usize];
    for step in steps {
        counts[step.rem_euclid(BAR_STEPS) as usize] += 1.0 / BARS as f32;
    }
    out.extend(counts);
}

/// Share of the off-beat eighths that are played as the last triplet; a half where there are none.
fn swing<'a>(notes: impl Iterator<Item = &'a &'a Note>) -> f32 {
    let (mut late, mut straight) = (0.5, 0.5);
    for n in notes {
        match pulse_to_tick(n.onset).rem_euclid(4 * STEP_TICKS) {
            15..=17 => late += 1.0,
            11..=13 => straight += 1.0,
            _ => {}
        }
    }
    late / (late + straight)
}

/// Notes and onsets a bar, chord size, lengths, register, and how the lowest of each onset moves.
fn pitched(notes: &[&Note], out: &mut Vec<f32>) {
    let mut sorted: Vec<(i64, u8)> = notes.iter().map(|n| (step_of(n.onset), n.pitch)).collect();
    sorted.sort_unstable();
    let lowest: Vec<u8> = sorted.chunk_by(|a, b| a.0 == b.0).map(|onset| onset[0].1).collect();
    let (n, onsets) = (notes.len() as f32, lowest.len() as f32);
    let mean = |f: &dyn Fn(&Note) -> f32| notes.iter().map(|n| f(n)).sum::<f32>() / n;
    let length = |n: &Note| (n.length as f32 / BAR_PULSES as f32 * 16.0).min(32.0);
    let short = mean(&|n| f32::from(u8::from(n.length < 90)));
    out.extend([onsets / BARS as f32, n / onsets, mean(&length), short, mean(&|n| f32::from(n.pitch))]);
    // Repeats, steps, thirds and fourths, fifths, octaves, anything else.
    let mut moves = [0f32; 6];
    for pair in lowest.windows(2) {
        let kind = match pair[0].abs_diff(pair[1]) {
            0 => 0,
            1 | 2 => 1,
            3..=5 => 2,
            6 | 7 => 3,
            12 => 4,
            _ => 5,
        };
        moves[kind] += 1.0 / onsets;
    }
    out.extend(moves);
    let mut classes: Vec<(i64, u8)> =
        sorted.iter().map(|&(step, pitch)| (step / BAR_STEPS, pitch % 12)).collect();
    classes.sort_unstable();
    classes.dedup();
    out.push(classes.len() as f32 / BARS as f32);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::fixtures;

    #[test]
    fn key_and_place_do_not_matter_and_the_groove_does() {
        let songs = fixtures::songs(2, 16, 1);
        let parts = &songs[0].people;
        let a = describe(parts, 0).unwrap();
        let mut later = parts.clone();
        for n in later.iter_mut().flatten() {
            n.onset += 4 * BAR_PULSES;
        }
        assert_eq!(a, describe(&later, 4).unwrap());
        let mut up = parts.clone();
        up[1..].iter_mut().flatten().for_each(|n| n.pitch += 1);
        let b = describe(&up, 0).unwrap();
        // Nothing but the two means of pitch.
        assert_eq!(a.iter().zip(&b).filter(|(x, y)| x != y).count(), 2);
        let other = describe(&songs[1].people, 0).unwrap();
        assert_eq!(a.len(), other.len());
        assert!(a.iter().zip(&other).filter(|(x, y)| x != y).count() > 10);
        let mut silent = parts.clone();
        silent[2].clear();
        assert!(describe(&silent, 0).is_some());
        silent[3].clear();
        assert_eq!(describe(&silent, 0), None);
    }

    #[test]
    fn swing_is_read_from_off_beat_eighths() {
        let at = |onset| Note { onset, pitch: 42, length: 50, velocity: 80 };
        let straight: Vec<Note> = (0..40).map(|i| at(i * 240)).collect();
        let swung: Vec<Note> = (0..40).map(|i| at(i * 240 + i % 2 * 80)).collect();
        let of = |notes: &[Note]| swing(notes.iter().collect::<Vec<_>>().iter());
        assert!(of(&straight) < 0.05 && of(&swung) > 0.95 && of(&[]) == 0.5);
    }
}
