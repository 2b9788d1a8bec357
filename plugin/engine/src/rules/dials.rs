//! How density and complexity change what the patterns say.
//!
//! Density moves the energy of its part, which says how full its pattern is, and below neutral thins out
//! what is left, the lightest steps first. Complexity leaves out or adds what lies between the beats. What
//! goes and what comes is drawn once for each step of two bars, so that a groove stays one; more of either
//! only ever adds.

use sideman_inference::band::{Dials, StepPosition, Weight};
use sideman_music::Part;

/// Share of the notes, by weight, that a density of 0 leaves out.
const SPARSE: [f32; 5] = [0.0, 0.4, 0.85, 1.0, 1.0];
/// Share of the notes that a complexity of 0 leaves out; more than 1 is reached earlier.
const PLAIN: [f32; 5] = [0.0, 0.0, 0.0, 1.0, 1.6];

/// The dials at a step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turned {
    place: StepPosition,
    dials: Dials,
    energy: f32,
    weight: Weight,
    in_bar: u16,
}

impl Turned {
    /// `energy` is that of the band as a whole.
    pub(super) fn new(place: &StepPosition, dials: &Dials, energy: f32) -> Self {
        let weight = Weight::of(place, place.in_bar);
        Self { place: *place, dials: *dials, energy, weight, in_bar: place.in_bar }
    }

    /// The same for another step of the bar.
    pub(super) fn at(&self, in_bar: u16) -> Self {
        Self { weight: Weight::of(&self.place, in_bar), in_bar, ..*self }
    }

    /// How often a variation takes a pattern's place, 0 to 1: from a neutral temperature up.
    pub(super) fn ventures(&self) -> f32 {
        (self.dials.temperature - 1.0).clamp(0.0, 1.0)
    }

    /// How often a short fill is left out, 0 to 1: from a neutral temperature down.
    pub(super) fn holds_back(&self) -> f32 {
        (1.0 - self.dials.temperature).clamp(0.0, 1.0)
    }

    /// What draws about leaving out and adding are to follow from.
    pub(super) fn counter(&self) -> i64 {
        self.place.bar.rem_euclid(2) << 16 | i64::from(self.in_bar)
    }

    /// How much a part is to play, 0 to 1.
    pub(super) fn energy(&self, part: Part) -> f32 {
        let turn = self.dials.density[part.index()] - 0.5;
        // Downwards most is left to the thinning out, so that parts do not go all at once.
        (self.energy + if turn < 0.0 { 0.4 * turn } else { turn }).clamp(0.0, 1.0)
    }

    /// Whether a part plays what it has here; `draw` is from 0 to 1.
    pub(super) fn keeps(&self, part: Part, draw: f32) -> bool {
        let below = |value: f32| (1.0 - 2.0 * value).max(0.0);
        let sparse = below(self.dials.density[part.index()]) * SPARSE[self.weight as usize];
        let plain = below(self.dials.complexity) * PLAIN[self.weight as usize];
        draw < 1.0 - sparse && draw < 1.0 - plain
    }

    /// Whether something is added where there is nothing; `share` is how much of what lies between the
    /// beats a complexity of 1 fills.
    pub(super) fn adds(&self, share: f32, draw: f32) -> bool {
        let above = (2.0 * self.dials.complexity - 1.0).max(0.0);
        self.weight >= Weight::Eighth && draw < above * share
    }
}
