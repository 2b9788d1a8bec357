//! Drawing from what the heads say.

use rand::Rng;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use crate::kernel::{exp, sigmoid};

/// A categorical draw: temperature and the share of probability kept from the top.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// Temperature.
    pub temperature: f32,
    /// Share of probability kept, from the most likely class down.
    pub top: f32,
}

/// How each kind of decision is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sampling {
    /// Onset probabilities below this, or above one minus this, are taken as certain: drums, other parts.
    pub certain: [f32; 2],
    /// The same for what has not played lately.
    pub certain_new: f32,
    /// The same for playing ahead of the step.
    pub certain_early: f32,
    /// What is added to the logit of playing ahead of the step, by part: left alone, the band's own past
    /// talks it out of it.
    pub early: [f32; 4],
    /// What pitch classes of this half-bar gain: bass, chords.
    pub harmony: [f32; 2],
    /// What the pitch classes of this half-bar gain beyond that when all of them are new: bass, chords.
    pub away: [f32; 2],
    /// What keeping to another bar gains while the bar so far equals it: onsets of
    /// drums, of the other parts, pitches of the bass, of chords.
    pub habit: [f32; 4],
    /// What keeping to another bar gains where it is planned to be repeated as a whole: onsets of drums, of the
    /// other parts, pitches of the bass, of chords.
    pub follow: [f32; 4],
    /// What repeating a whole bar gains when a part's next bar is planned, by part.
    pub whole: [f32; 4],
    /// What the next bar repeats.
    pub repeats: Draw,
    /// Bass pitches.
    pub bass_pitch: Draw,
    /// Second note of the bass.
    pub above: Draw,
    /// Guitar and strings pitches, and when to stop.
    pub chord_pitch: Draw,
    /// Lengths.
    pub length: Draw,
    /// Velocities of pitched parts.
    pub velocity: Draw,
    /// Velocities of drums.
    pub drum_velocity: Draw,
    /// Offsets.
    pub offset: Draw,
}

impl Default for Sampling {
    /// A little cooler than the network is sure of itself; weights files bring their own.
    fn default() -> Self {
        Self {
            certain: [0.05, 0.04],
            certain_new: 0.01,
            certain_early: 0.02,
            early: [0.0; 4],
            harmony: [0.7, 0.6],
            away: [0.0; 2],
            habit: [0.0; 4],
            follow: [0.0; 4],
            whole: [0.0; 4],
            repeats: Draw { temperature: 1.0, top: 1.0 },
            bass_pitch: Draw { temperature: 0.9, top: 0.95 },
            above: Draw { temperature: 0.9, top: 0.97 },
            chord_pitch: Draw { temperature: 0.95, top: 0.97 },
            length: Draw { temperature: 0.95, top: 0.97 },
            velocity: Draw { temperature: 0.95, top: 0.97 },
            drum_velocity: Draw { temperature: 0.7, top: 0.95 },
            offset: Draw { temperature: 1.0, top: 1.0 },
        }
    }
}

impl Sampling {
    /// Whether every value makes sense: temperatures above 0, shares within 0 and 1.
    pub fn is_sound(&self) -> bool {
        let draws = [
            self.bass_pitch,
            self.above,
            self.chord_pitch,
            self.length,
            self.velocity,
            self.drum_velocity,
            self.offset,
            self.repeats,
        ];
        let shares = [self.certain[0], self.certain[1], self.certain_new, self.certain_early];
        draws.iter().all(|d| d.temperature > 0.0 && (0.0..=1.0).contains(&d.top))
            && shares.iter().all(|s| (0.0..0.5).contains(s))
            && self
                .harmony
                .iter()
                .chain(&self.whole)
                .chain(&self.follow)
                .chain(&self.early)
                .chain(&self.habit)
                .chain(&self.away)
                .all(|h| h.is_finite())
    }
}

/// Draws yes or no from a logit. What is certain is so at any temperature.
pub(super) fn yes(logit: f32, temperature: f32, certain: f32, rng: &mut Pcg64) -> bool {
    let (p, known) = (sigmoid(logit / temperature), sigmoid(logit));
    // Drawn in any case, so that the stream of random numbers does not depend on the weights.
    let at: f32 = rng.random();
    if known < certain {
        false
    } else if known > 1.0 - certain {
        true
    } else {
        at < p
    }
}

/// Most classes that can be drawn from.
const CLASSES: usize = 64;
/// So many are looked at together.
const LANES: usize = 16;

/// The largest, in sixteen running maxima, then eight of them and so on, so that it vectorises.
fn largest(values: &[f32]) -> f32 {
    let mut most = [f32::NEG_INFINITY; LANES];
    for chunk in values.chunks_exact(LANES) {
        for i in 0..LANES {
            most[i] = if chunk[i] > most[i] { chunk[i] } else { most[i] };
        }
    }
    for width in [8, 4, 2, 1] {
        for i in 0..width {
            most[i] = if most[i + width] > most[i] { most[i + width] } else { most[i] };
        }
    }
    most[0]
}

/// Draws a class from logits, at most 64 of them; those at -1e8 or less are never drawn, unless all are.
pub(super) fn class(logits: &[f32], draw: Draw, dial: f32, rng: &mut Pcg64) -> usize {
    let n = logits.len().min(CLASSES);
    let wide = n.div_ceil(LANES) * LANES;
    // As below any other: what is forbidden, NaN, or not there.
    let mut rows = [f32::NEG_INFINITY; CLASSES];
    for (row, &logit) in rows.iter_mut().zip(logits) {
        *row = if logit > -1e8 { logit } else { f32::NEG_INFINITY };
    }
    let cold = 1.0 / (draw.temperature * dial).max(0.01);
    let best = largest(&rows[..wide]).min(f32::MAX);
    // The lowest six bits of a likelihood make room for the class, so that no two are equal and of equals the
    // first is the larger.
    let mut ranks = [0f32; CLASSES];
    for (i, (rank, &row)) in ranks.iter_mut().zip(&rows).enumerate().take(wide) {
        let p = exp((row - best) * cold).to_bits() & !63;
        *rank = f32::from_bits(if row > f32::NEG_INFINITY { p | (63 - i as u32) } else { 0 });
    }
    let likelihood = |rank: f32| f32::from_bits(rank.to_bits() & !63);
    let class = |rank: f32| 63 - (rank.to_bits() & 63) as usize;
    let mut totals = [0f32; LANES];
    for chunk in ranks[..wide].chunks_exact(LANES) {
        totals.iter_mut().zip(chunk).for_each(|(t, &r)| *t += likelihood(r));
    }
    let total: f32 = totals.iter().sum();
    // The classes before which less than `top` has gone by, from the likeliest down. There are few as a rule,
    // so that looking for the next one is quicker than sorting all.
    let mut kept = [0f32; CLASSES];
    let (mut count, mut mass) = (0, 0.0);
    while count < n && mass <= draw.top * total {
        let next = largest(&ranks[..wide]);
        if likelihood(next) == 0.0 {
            break;
        }
        ranks[class(next)] = 0.0;
        mass += likelihood(next);
        kept[count] = next;
        count += 1;
    }
    let mut at = rng.random::<f32>() * mass;
    for &rank in &kept[..count] {
        at -= likelihood(rank);
        if at < 0.0 {
            return class(rank);
        }
    }
    count.checked_sub(1).map_or(0, |last| class(kept[last]))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    /// How often each class comes, of `n` draws.
    fn shares(logits: &[f32], draw: Draw, dial: f32, n: usize) -> Vec<f64> {
        let mut rng = Pcg64::seed_from_u64(8);
        let mut counts = vec![0f64; logits.len()];
        for _ in 0..n {
            counts[class(logits, draw, dial, &mut rng)] += 1.0;
        }
        counts.into_iter().map(|c| c / n as f64).collect()
    }

    /// The same by sorting, in double precision.
    fn expected(logits: &[f32], draw: Draw, dial: f32) -> Vec<f64> {
        let temperature = f64::from(draw.temperature * dial);
        let p: Vec<f64> = logits.iter().map(|&l| (f64::from(l) / temperature).exp()).collect();
        let total: f64 = p.iter().sum();
        let mut order: Vec<usize> = (0..p.len()).collect();
        order.sort_by(|&a, &b| p[b].total_cmp(&p[a]));
        let (mut kept, mut mass) = (vec![0.0; p.len()], 0.0);
        for i in order {
            if mass <= f64::from(draw.top) * total {
                kept[i] = p[i];
                mass += p[i];
            }
        }
        kept.iter().map(|k| k / mass).collect()
    }

    #[test]
    fn classes_come_as_often_as_their_likelihood_says() {
        let mut rng = Pcg64::seed_from_u64(9);
        for (n, top, temperature, dial) in [
            (64, 1.0, 1.0, 1.0),
            (61, 0.95, 0.9, 1.3),
            (6, 0.97, 0.7, 1.0),
            (2, 0.5, 1.0, 0.5),
            (1, 0.0, 1.0, 1.0),
        ] {
            let logits: Vec<f32> = (0..n).map(|_| rng.random_range(-3.0..2.0)).collect();
            let draw = Draw { temperature, top };
            let (own, wanted) = (shares(&logits, draw, dial, 40_000), expected(&logits, draw, dial));
            for (a, b) in own.iter().zip(&wanted) {
                // Five deviations of a count.
                assert!((a - b).abs() <= 5.0 * (b / 40_000.0).sqrt(), "{own:?} instead of {wanted:?}");
            }
        }
    }

    #[test]
    fn what_is_forbidden_or_too_unlikely_is_never_drawn() {
        let all = Draw { temperature: 1.0, top: 1.0 };
        assert_eq!(shares(&[-1e9, 0.0, -1e9, f32::NAN], all, 1.0, 500), [0.0, 1.0, 0.0, 0.0]);
        assert_eq!(shares(&[0.0, 9.0, 0.1], Draw { top: 0.9, ..all }, 1.0, 500), [0.0, 1.0, 0.0]);
        // Nothing left: any class, but no panic.
        for logits in [[-1e9; 3], [f32::NAN; 3], [f32::NEG_INFINITY; 3], [f32::INFINITY; 3]] {
            assert_eq!(shares(&logits, all, 1.0, 50).len(), 3);
        }
        // Of equals the first is taken first.
        assert_eq!(shares(&[1.0, 1.0, 1.0], Draw { top: 0.0, ..all }, 1.0, 50), [1.0, 0.0, 0.0]);
        // More than can be drawn from.
        assert!(shares(&[0.0; 70], all, 1.0, 500)[CLASSES..].iter().all(|&s| s == 0.0));
    }

    #[test]
    fn yes_is_said_as_often_as_the_logit_says_and_always_when_certain() {
        let mut rng = Pcg64::seed_from_u64(10);
        let mut share = |logit, temperature, certain| {
            (0..20_000).filter(|_| yes(logit, temperature, certain, &mut rng)).count() as f64 / 20_000.0
        };
        assert!((share(0.5, 1.0, 0.0) - 0.622).abs() < 0.02);
        assert!((share(0.5, 0.5, 0.0) - 0.731).abs() < 0.02);
        for temperature in [0.1, 1.0, 2.0] {
            assert_eq!((share(-4.0, temperature, 0.05), share(4.0, temperature, 0.05)), (0.0, 1.0));
        }
    }
}
