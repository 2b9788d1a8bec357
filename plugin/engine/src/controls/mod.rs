//! What a player turns while the band plays.

use sideman_inference::band::Dials;
use sideman_music::{PARTS, Part};

mod row;
mod table;

pub use row::{Acts, CONTROLS, Choices, Group, Kind, Panel, Row, Text};
pub use table::{CHOICES, Control, SILENT_DB};

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
    /// Semitones that the band is moved by, -12 to 12; the drums stay.
    pub transpose: i8,
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
    pub parts: [PartControls; PARTS],
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
            transpose: 0,
            listen_bars: 0,
            freeze: false,
            hold: false,
            fills: 0,
            parts: [PartControls::default(); PARTS],
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
    pub fn with_parts(mut self, on: [bool; PARTS]) -> Self {
        self.parts.iter_mut().zip(on).for_each(|(part, on)| part.on = on);
        self
    }

    /// Which parts take part at all.
    pub fn on(&self) -> [bool; PARTS] {
        self.parts.map(|p| p.on)
    }

    /// Pitch that a note of a part is sent at, live: octaves up or down, but for the drums. `None` where that is out of
    /// the range of MIDI.
    pub fn sent_pitch(&self, part: Part, pitch: u8) -> Option<u8> {
        let octave = if part == Part::Drums { 0 } else { self.part(part).octave };
        u8::try_from(i16::from(self.transposed(part, pitch)) + 12 * i16::from(octave))
            .ok()
            .filter(|&pitch| pitch < 128)
    }

    /// Pitch of a note of a part after transposing, an octave back where that is out of the range of MIDI. The
    /// drums stay.
    pub fn transposed(&self, part: Part, pitch: u8) -> u8 {
        let by = if part == Part::Drums { 0 } else { i16::from(self.transpose) };
        let moved = match i16::from(pitch) + by {
            low @ ..0 => low + 12,
            high @ 128.. => high - 12,
            moved => moved,
        };
        u8::try_from(moved).unwrap_or(pitch)
    }

    /// Whether a part repeats what it played.
    pub fn locked(&self, part: Part) -> bool {
        self.freeze || self.part(part).lock
    }

    /// The dials that the band receives at each step.
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
    fn octaves_move_all_parts_but_the_drums_and_never_out_of_range() {
        let mut c = Controls::default();
        c.parts.iter_mut().for_each(|p| p.octave = 2);
        assert_eq!(c.sent_pitch(Part::Drums, 36), Some(36));
        assert_eq!((c.sent_pitch(Part::Bass, 40), c.sent_pitch(Part::Bass, 110)), (Some(64), None));
    }

    #[test]
    fn transposing_moves_all_parts_but_the_drums_and_folds_what_leaves_the_range() {
        for (by, pitch, moved) in
            [(5, 60, 65), (-12, 40, 28), (12, 120, 120), (7, 125, 120), (-12, 3, 3), (-1, 0, 11)]
        {
            let c = Controls { transpose: by, ..Controls::default() };
            assert_eq!((c.transposed(Part::Bass, pitch), c.transposed(Part::Drums, pitch)), (moved, pitch));
            assert_eq!(c.sent_pitch(Part::Bass, pitch), Some(moved));
        }
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
    fn the_neutral_controls_are_the_defaults_of_the_table() {
        let (mut c, mut seen) = (Controls::default(), std::collections::HashSet::new());
        for (i, control) in (0..CONTROLS).map(|i| (i, Control::at(i).unwrap())) {
            assert_eq!(control.index(), i);
            assert!(seen.insert(control.id()), "{control:?}");
            if let Some(value) = c.get(control) {
                assert_eq!(value, control.row().range().2, "{control:?}");
                let max = control.row().range().1;
                c.set(control, max);
                assert_eq!(c.get(control), Some(max), "{control:?}");
            }
            if let Some(name) = control.learned_name() {
                assert_eq!(Control::of_learned_name(&name), Some(control));
            }
        }
        assert_eq!(Control::all().count(), CONTROLS - 1, "all but Hold are host parameters");
    }

    #[test]
    fn choices_are_those_of_the_engine() {
        let ids = |control: Control| control.row().choices().unwrap().ids;
        let styles: Vec<&str> = StyleChoice::all().map(StyleChoice::name).collect();
        assert_eq!(ids(Control::Style), styles);
        assert_eq!(ids(Control::MorphTo)[1..], styles[1..]);
        assert_eq!(ids(Control::Weights), WeightsChoice::ALL.map(WeightsChoice::name));
        let mut settings = crate::live::LiveSettings::default();
        for (i, id) in ids(Control::Meter).iter().enumerate() {
            settings.set(Control::Meter, i as f32);
            assert_eq!(settings.meter.to_string(), *id);
        }
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
