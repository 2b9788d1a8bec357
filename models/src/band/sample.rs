//! Drawing from what the heads say.

use rand::Rng;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

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
    /// What the pitches of a bar ago gain, moved with the reference: bass, chords.
    pub repeat: [f32; 2],
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
            repeat: [0.0, 0.0],
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
        let draws =
            [self.bass_pitch, self.above, self.chord_pitch, self.length, self.velocity, self.drum_velocity, self.offset];
        let shares = [self.certain[0], self.certain[1], self.certain_new, self.certain_early];
        draws.iter().all(|d| d.temperature > 0.0 && (0.0..=1.0).contains(&d.top))
            && shares.iter().all(|s| (0.0..0.5).contains(s))
            && self.harmony.iter().chain(&self.repeat).chain(&self.early).all(|h| h.is_finite())
    }
}

/// Draws yes or no from a logit.
pub(super) fn yes(logit: f32, temperature: f32, certain: f32, rng: &mut Pcg64) -> bool {
    let p = 1.0 / (1.0 + (-logit / temperature).exp());
    // Drawn in any case, so that the stream of random numbers does not depend on the weights.
    let at: f32 = rng.random();
    if p < certain {
        false
    } else if p > 1.0 - certain {
        true
    } else {
        at < p
    }
}

/// Draws a class from logits, at most 64 of them; those at -1e9 or less are never drawn.
pub(super) fn class(logits: &[f32], draw: Draw, dial: f32, rng: &mut Pcg64) -> usize {
    let n = logits.len().min(64);
    let temperature = (draw.temperature * dial).max(0.01);
    let best = logits[..n].iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut p = [0f32; 64];
    let mut order: [u8; 64] = std::array::from_fn(|i| i as u8);
    let mut total = 0.0;
    for i in 0..n {
        p[i] = if logits[i] > -1e8 { ((logits[i] - best) / temperature).exp() } else { 0.0 };
        total += p[i];
    }
    order[..n].sort_unstable_by(|&a, &b| p[usize::from(b)].total_cmp(&p[usize::from(a)]).then(a.cmp(&b)));
    // The classes before which less than `top` has gone by.
    let (mut kept, mut mass) = (0, 0.0);
    while kept < n && mass <= draw.top * total && p[usize::from(order[kept])] > 0.0 {
        mass += p[usize::from(order[kept])];
        kept += 1;
    }
    let mut at = rng.random::<f32>() * mass;
    for &i in &order[..kept] {
        at -= p[usize::from(i)];
        if at < 0.0 {
            return usize::from(i);
        }
    }
    usize::from(order[kept.saturating_sub(1)])
}
