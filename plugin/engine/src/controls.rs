//! What a player turns while the band plays.

use sideman_inference::band::Dials;
use sideman_music::Part;

use crate::play::feel::mix;
use crate::style::{Style, StyleChoice};

/// Who plays: which set of weights, or the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum WeightsChoice {
    /// The set that learned from open and research music.
    #[default]
    Full,
    /// The set that learned from openly licensed music alone.
    Open,
    /// No weights: the rule band.
    Rules,
}

impl WeightsChoice {
    /// All choices.
    pub const ALL: [Self; 3] = [Self::Full, Self::Open, Self::Rules];

    /// Name as users write it; that of a set is the one that it is built in under.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Open => "open",
            Self::Rules => "rules",
        }
    }
}

/// Controls of one part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PartControls {
    /// Whether the part takes part at all: the others do not count on it when it is off.
    pub on: bool,
    /// Plays on, unheard.
    pub mute: bool,
    /// When any part has this, only those that have it are heard.
    pub solo: bool,
    /// Keeps repeating what it played in the last two whole bars, or in the last one where there are no two
    /// alike; where there is none yet, from its first whole bar on.
    pub lock: bool,
    /// Octaves up or down, -2 to 2; the drums ignore it.
    pub octave: i8,
    /// Factor on velocities, 0 to 1.5; 1 is as played.
    pub level: f32,
    /// How much it plays, 0 to 1; 0.5 is as the band would.
    pub density: f32,
    /// Counts how often it was asked to play something else: when it changes, the part forgets what it played
    /// and plays on from another seed, and if it rests it comes back. The same count gives the same music.
    pub redraws: u32,
}

impl Default for PartControls {
    fn default() -> Self {
        Self {
            on: true,
            mute: false,
            solo: false,
            lock: false,
            octave: 0,
            level: 1.0,
            density: 0.5,
            redraws: 0,
        }
    }
}

/// Number of variations of a style: A to D.
pub const VARIATIONS: u8 = 4;

/// All that a player can turn while the band plays. Copied to the inference thread as a whole whenever
/// something changes; neutral values are the defaults.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Controls {
    /// Who plays.
    pub weights: WeightsChoice,
    /// Style, or to choose one.
    pub style: StyleChoice,
    /// Whether the style follows the genre of what is played, at phrase boundaries, where it is
    /// [`StyleChoice::Auto`].
    pub follow_genre: bool,
    /// Another style to go towards, if any.
    pub to: Option<Style>,
    /// How far the band has gone from its style to the other one, 0 to 1.
    pub morph: f32,
    /// Another band of the same style: 0 (A) to 3 (D).
    pub variation: u8,
    /// Everything drawn by chance follows from it.
    pub seed: u64,
    /// How much is played and how loudly, 0 to 1; 0.5 is as the band would.
    pub intensity: f32,
    /// How much is played off the beat, 0 to 1; 0.5 is as the band would.
    pub complexity: f32,
    /// How far the off-beats are delayed, 0 (as decided) to 1 (the second eighth on the last triplet).
    pub swing: f32,
    /// How human the timing is, 0 (everything exactly on the grid of sixteenths and eighth triplets) to 1 (as
    /// decided, and a little astray where a part is off the grid anyway, or where the rule band plays). Where the piano plays behind
    /// the beat, the grid of the band leans back with it whatever this says.
    pub humanize: f32,
    /// How daring the network is: a factor on its sampling temperature, 0.1 to 2; 1 is as tuned. The rule
    /// band plays other variations of its patterns now and then above that, and fewer fills below it.
    pub temperature: f32,
    /// How much parts rest, enter and leave by the phrase, 0 (everybody always plays) to 1.
    pub sections: f32,
    /// How far the loudness of the band follows the pianist's, 0 (not at all) to 1.
    pub dynamics: f32,
    /// Bars to listen before the band enters at a bar line, 0 to 16; 0 enters with the first note.
    pub listen_bars: u16,
    /// All parts keep repeating what they played last as if they were locked, and the band plays on however
    /// long the piano is silent.
    pub freeze: bool,
    /// The band does not come down or end while the piano is silent, but plays on. It does not enter by
    /// itself.
    pub hold: bool,
    /// Counts the fills asked for: when it changes, the drums play one up to the next bar line, or in the
    /// last half of the next bar when less than a beat is left of this one.
    pub fills: u32,
    /// Controls of the parts, in the order of [`Part::ALL`].
    pub parts: [PartControls; 4],
}

impl Default for Controls {
    fn default() -> Self {
        Self {
            weights: WeightsChoice::Full,
            style: StyleChoice::Auto,
            follow_genre: true,
            to: None,
            morph: 0.0,
            variation: 0,
            seed: 0,
            intensity: 0.5,
            complexity: 0.5,
            swing: 0.0,
            humanize: 1.0,
            temperature: 1.0,
            sections: 1.0,
            dynamics: 0.5,
            listen_bars: 0,
            freeze: false,
            hold: false,
            fills: 0,
            parts: [PartControls::default(); 4],
        }
    }
}

impl Controls {
    /// Controls of a part.
    pub fn part(&self, part: Part) -> &PartControls {
        &self.parts[part.index()]
    }

    /// Whether a part is heard: on, not muted, and not outdone by solos of others.
    pub fn audible(&self, part: Part) -> bool {
        let p = self.part(part);
        p.on && !p.mute && (p.solo || !self.parts.iter().any(|p| p.solo))
    }

    /// The same with each part on or off, in the order of [`Part::ALL`].
    pub fn with_parts(mut self, on: [bool; 4]) -> Self {
        self.parts.iter_mut().zip(on).for_each(|(part, on)| part.on = on);
        self
    }

    /// Which parts take part at all.
    pub fn on(&self) -> [bool; 4] {
        self.parts.map(|p| p.on)
    }

    /// Whether a part repeats what it played.
    pub fn locked(&self, part: Part) -> bool {
        self.freeze || self.part(part).lock
    }

    /// What a band is told.
    pub fn dials(&self) -> Dials {
        Dials {
            temperature: self.temperature,
            intensity: self.intensity,
            complexity: self.complexity,
            morph: self.morph,
            density: self.parts.map(|p| p.density),
        }
    }

    /// Seed of all that is drawn by chance: that of the variation A is the seed itself.
    pub fn drawn_seed(&self) -> u64 {
        if self.variation == 0 { self.seed } else { mix(self.seed ^ mix(u64::from(self.variation))) }
    }

    /// The same with every value brought into its range; what is not a number becomes neutral.
    pub fn clamped(mut self) -> Self {
        let neutral = Self::default();
        let fix = |v: &mut f32, low: f32, high: f32, neutral: f32| {
            *v = if v.is_nan() { neutral } else { v.clamp(low, high) };
        };
        fix(&mut self.intensity, 0.0, 1.0, neutral.intensity);
        fix(&mut self.complexity, 0.0, 1.0, neutral.complexity);
        fix(&mut self.swing, 0.0, 1.0, neutral.swing);
        fix(&mut self.humanize, 0.0, 1.0, neutral.humanize);
        fix(&mut self.temperature, 0.1, 2.0, neutral.temperature);
        fix(&mut self.morph, 0.0, 1.0, neutral.morph);
        fix(&mut self.sections, 0.0, 1.0, neutral.sections);
        fix(&mut self.dynamics, 0.0, 1.0, neutral.dynamics);
        self.variation = self.variation.min(VARIATIONS - 1);
        self.listen_bars = self.listen_bars.min(16);
        for p in &mut self.parts {
            p.octave = p.octave.clamp(-2, 2);
            fix(&mut p.level, 0.0, 1.5, 1.0);
            fix(&mut p.density, 0.0, 1.0, 0.5);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_solo_outdoes_the_others_and_a_mute_outdoes_a_solo() {
        let mut c = Controls::default();
        assert!(Part::ALL.iter().all(|&p| c.audible(p)));
        c.parts[1].solo = true;
        assert_eq!(Part::ALL.map(|p| c.audible(p)), [false, true, false, false]);
        c.parts[1].mute = true;
        assert_eq!(Part::ALL.map(|p| c.audible(p)), [false; 4]);
    }

    #[test]
    fn variations_draw_otherwise() {
        let drawn = |seed, variation| Controls { seed, variation, ..Controls::default() }.drawn_seed();
        assert_eq!(drawn(7, 0), 7);
        let seeds: std::collections::HashSet<u64> =
            (0..100).flat_map(|seed| (0..VARIATIONS).map(move |v| drawn(seed, v))).collect();
        assert_eq!(seeds.len(), 400);
    }

    #[test]
    fn hostile_values_are_brought_into_range() {
        let mut c = Controls { temperature: f32::NAN, swing: 9.0, variation: 77, ..Controls::default() };
        c.parts[2].octave = -100;
        c.parts[3].level = f32::INFINITY;
        let c = c.clamped();
        assert_eq!((c.temperature, c.swing, c.variation), (1.0, 1.0, 3));
        assert_eq!((c.parts[2].octave, c.parts[3].level), (-2, 1.5));
    }
}
