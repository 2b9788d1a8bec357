//! What a player of the band may be asked from outside, and how the network is moved by it.

use sideman_music::Part;

use super::StepPosition;

/// What a player of the band may be asked from outside. Neutral values are the defaults.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dials {
    /// Sampling temperature factor, 0.1 to 2; 1 is as tuned.
    pub temperature: f32,
    /// How much is played and how loudly, 0 to 1; 0.5 is as the model would.
    pub intensity: f32,
    /// How much is played off the beat, 0 to 1; 0.5 is as the model would.
    pub complexity: f32,
    /// How far towards the other style of a band that has two, 0 to 1.
    pub morph: f32,
    /// How much each part plays, 0 to 1, in the order of [`Part::ALL`]; 0.5 is as the model would.
    pub density: [f32; 4],
}

impl Default for Dials {
    fn default() -> Self {
        Self { temperature: 1.0, intensity: 0.5, complexity: 0.5, morph: 0.0, density: [0.5; 4] }
    }
}

/// How heavy a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The first of the bar.
    Bar,
    /// The first of the second half of a bar that has halves.
    Half,
    /// Any other beat.
    Beat,
    /// An eighth between the beats.
    Eighth,
    /// A sixteenth between the eighths.
    Sixteenth,
}

impl Weight {
    /// Of a step within the bar of a place. Beats are quarters, or dotted quarters in compound metres, which
    /// the lengths of bar and half-bar tell.
    pub fn of(place: &StepPosition, in_bar: u16) -> Self {
        let compound = matches!((place.bar_steps, place.half_steps), (_, 6) | (18, _) | (24, 12));
        let beat = if compound { 6 } else { 4 };
        match in_bar {
            0 => Self::Bar,
            s if s.is_multiple_of(place.half_steps.max(1)) => Self::Half,
            s if s.is_multiple_of(beat) => Self::Beat,
            s if s.is_multiple_of(2) => Self::Eighth,
            _ => Self::Sixteenth,
        }
    }
}

/// What an intensity of 0 takes from every onset's logit, and what one of 1 adds: upwards there is more to gain
/// from the same step, since most onsets are unlikely.
const INTENSITY: [f32; 2] = [1.6, 1.2];
/// What a density of 0 takes from onset logits, by weight: the main beats go last.
const SPARSE: [f32; 5] = [0.6, 1.8, 3.0, 5.0, 6.0];
/// What a density of 1 adds to them.
const DENSE: [f32; 5] = [1.8, 1.8, 1.8, 1.8, 1.4];
/// What a complexity of 0 takes from them.
const PLAIN: [f32; 5] = [0.0, 0.0, 0.0, 2.2, 4.0];
/// What a complexity of 1 adds to them.
const COMPLEX: [f32; 5] = [0.0, 0.0, 0.0, 1.2, 1.7];
/// The same for each drum, of which there are many.
const DRUMS: f32 = 0.7;

/// Onsets with a logit of this or more lose twice what a dial takes, and those as unlikely as that gain twice what
/// it gives.
const LIKELY: f32 = 4.0;

/// An onset's logit, more or less likely by a shape. What is all but certain, because it was played so all along,
/// is taken away as surely as what is not, and what is all but impossible added.
pub(super) fn shaped(logit: f32, shape: f32) -> f32 {
    let against = if shape < 0.0 { logit } else { -logit };
    logit + shape * (1.0 + (against / LIKELY).clamp(0.0, 1.0))
}

impl Dials {
    /// What the intensity adds to the logit of any onset.
    pub(super) fn push(&self) -> f32 {
        let turn = 2.0 * (self.intensity - 0.5);
        turn * INTENSITY[usize::from(turn > 0.0)]
    }

    /// Temperature of what says how much and how loudly is played: half as far from 1 as the others, because
    /// most onsets are unlikely, and hot draws would fill every step.
    pub(super) fn steady(&self) -> f32 {
        self.temperature.sqrt()
    }

    /// What complexity and the density of a part add to the logit of an onset on a step of a weight; 0 when
    /// both are neutral.
    pub(super) fn shape(&self, part: Part, weight: Weight) -> f32 {
        let more = if part == Part::Drums { DRUMS } else { 1.0 };
        let turned = |value: f32, low: &[f32; 5], high: &[f32; 5]| {
            let turn = 2.0 * (value - 0.5);
            turn * if turn < 0.0 { low[weight as usize] } else { high[weight as usize] * more }
        };
        turned(self.density[part.index()], &SPARSE, &DENSE) + turned(self.complexity, &PLAIN, &COMPLEX)
    }
}
