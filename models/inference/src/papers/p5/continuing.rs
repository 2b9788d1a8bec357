//! Going on from where a pianist stopped.

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use sideman_music::MeterMap;
use sideman_music::encoding::note_tokens::{BarPlace, Shapes, Sonority, gap_units, strike, strokes};

use super::{Draws, StrokePlayer};

/// Middle C, where the hands part for their loudness.
const MIDDLE: u8 = 60;
/// Notes and chords whose loudness is taken over.
const RECENT: usize = 48;
/// How much louder a bar's beginning is struck, and how much every stroke may differ, in steps of MIDI velocity.
const ACCENT: i32 = 5;
const EVEN: i32 = 3;
/// Most notes and chords that begin together.
const HANDFUL: usize = 12;
/// What time goes on by where it would stand still: a 16th, in twelfths of a quarter note.
const AHEAD: i64 = 3;

/// What goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Continuing {
    /// Notes and chords to add.
    pub count: usize,
    /// How they are drawn.
    pub draws: Draws,
    /// Seed.
    pub seed: u64,
}

/// How loud each hand was lately: below and from middle C on; a hand that did not play is as loud as the other.
fn loudness(heard: &[Sonority]) -> [i32; 2] {
    let recent = &heard[heard.len().saturating_sub(RECENT)..];
    let mean = |hand: &dyn Fn(&Sonority) -> bool| {
        let own: Vec<i32> = recent.iter().filter(|s| hand(s)).map(|s| i32::from(s.velocity)).collect();
        (!own.is_empty()).then(|| own.iter().sum::<i32>() / own.len() as i32)
    };
    let below = |s: &Sonority| s.pitches.first().is_some_and(|&p| p < MIDDLE);
    let (low, high) = (mean(&below), mean(&|s| !below(s)));
    [low.or(high).unwrap_or(72), high.or(low).unwrap_or(72)]
}

/// The notes and chords that follow those that were heard, which are in the order of
/// `sideman_music::encoding::note_tokens::sonorities` and at least one. The same of everything gives the same.
///
/// The network hears all that is given: it is trained on windows of some hundred, so more than that is of little use.
pub fn continued(
    player: &StrokePlayer,
    shapes: &Shapes,
    heard: &[Sonority],
    meters: &MeterMap,
    wanted: Continuing,
) -> Vec<Sonority> {
    let Some(last) = heard.last() else { return vec![] };
    let place = BarPlace(meters);
    let mut player = player.clone();
    for (stroke, sonority) in strokes(heard, shapes).into_iter().zip(heard) {
        player.hear(stroke, place.of(sonority.onset));
    }
    let loud = loudness(heard);
    let mut rng = Pcg64::seed_from_u64(wanted.seed);
    let mut at = last.onset;
    let mut together: Vec<Sonority> = vec![];
    // Strokes in a row that were on keys that are down already.
    let mut idle = 0;
    let mut out: Vec<Sonority> = Vec::with_capacity(wanted.count);
    while out.len() + together.len() < wanted.count {
        let drawn = player.draw(|gap| place.of(at + gap_units(gap)), wanted.draws, &mut rng);
        let mut sonority = strike(drawn.stroke, at, shapes, 1);
        let hand = usize::from(sonority.pitches[0] >= MIDDLE);
        let accent = if place.of(sonority.onset) == 0 { ACCENT } else { 0 };
        let velocity = loud[hand] + accent + rng.random_range(-EVEN..=EVEN);
        sonority.velocity = velocity.clamp(1, 127) as u8;
        player.hear(drawn.stroke, place.of(sonority.onset));
        if together.first().is_some_and(|t| t.onset < sonority.onset) {
            out.append(&mut together);
        }
        at = sonority.onset;
        // A key that is down already is not struck again at the same time.
        sonority.pitches.retain(|p| !together.iter().any(|t| t.pitches.contains(p)));
        if sonority.pitches.is_empty() {
            idle += 1;
        } else {
            together.push(sonority);
            idle = 0;
        }
        if idle > 3 || together.len() > HANDFUL {
            // More than two hands can do at once: time has to go on.
            at += AHEAD;
            idle = 0;
        }
    }
    out.append(&mut together);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::papers::p5::StrokeNet;
    use crate::papers::tests::{random, values};

    fn player() -> (StrokePlayer, Shapes) {
        let shapes = Shapes::new(&[0b1000, 0b100_1000]);
        let net = StrokeNet { shapes: shapes.count(), hidden: 16 };
        let values = values(&random(&net.tensors(), 5));
        (StrokePlayer::new(net, &values).unwrap(), shapes)
    }

    fn heard(count: i64) -> Vec<Sonority> {
        let one = |i: i64| Sonority {
            onset: i * 6,
            pitches: vec![if i % 2 == 0 { 48 } else { 72 + (i % 5) as u8 }],
            length: 6,
            velocity: if i % 2 == 0 { 50 } else { 90 },
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn it_goes_on_from_the_last_onset_alike_by_seed() {
        let (player, shapes) = player();
        let heard = heard(40);
        let go = |seed, temperature| {
            let draws = Draws { temperature, ..Draws::default() };
            continued(&player, &shapes, &heard, &MeterMap::default(), Continuing { count: 60, draws, seed })
        };
        let a = go(1, 1.0);
        assert_eq!(a.len(), 60);
        assert_eq!(a, go(1, 1.0));
        assert_ne!(a, go(2, 1.0));
        assert!(a.is_sorted_by_key(|s| s.onset) && a[0].onset >= heard[39].onset);
        for s in &a {
            let near = if s.pitches[0] < 60 { 50 } else { 90 };
            assert!(i32::from(s.velocity).abs_diff(near) <= 8, "{s:?}");
            assert!(s.pitches.iter().all(|p| (21..=108).contains(p)) && s.length > 0);
        }
        // No key twice at once.
        for (i, s) in a.iter().enumerate() {
            for t in a[i + 1..].iter().take_while(|t| t.onset == s.onset) {
                assert!(s.pitches.iter().all(|p| !t.pitches.contains(p)));
            }
        }
    }

    #[test]
    fn it_ends_at_any_temperature() {
        let (player, shapes) = player();
        for temperature in [0.001, 100.0] {
            let draws = Draws { temperature, share: 1.0 };
            let wanted = Continuing { count: 200, draws, seed: 1 };
            assert_eq!(continued(&player, &shapes, &heard(1), &MeterMap::default(), wanted).len(), 200);
        }
        let wanted = Continuing { count: 5, draws: Draws::default(), seed: 1 };
        assert!(continued(&player, &shapes, &[], &MeterMap::default(), wanted).is_empty());
    }
}
