//! Chords: what sounds, named.
//!
//! Every chord type on every root is matched against what sounds, and the best fit wins: notes that the
//! chord explains count for it, notes that it does not and chord tones that are missing count against
//! it, and the bass speaks for its own note as the root.

/// Type of a chord.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Quality {
    /// Major triad.
    Major,
    /// Minor triad.
    Minor,
    /// Diminished triad.
    Diminished,
    /// Augmented triad.
    Augmented,
    /// Root, second, fifth.
    Sus2,
    /// Root, fourth, fifth.
    Sus4,
    /// Root and fifth.
    Power,
    /// Major triad with minor seventh.
    Dominant7,
    /// Major triad with major seventh.
    Major7,
    /// Minor triad with minor seventh.
    Minor7,
    /// Minor triad with major seventh.
    MinorMajor7,
    /// Diminished triad with minor seventh.
    HalfDiminished7,
    /// Diminished triad with diminished seventh.
    Diminished7,
    /// Augmented triad with minor seventh.
    Augmented7,
    /// Suspended fourth with minor seventh.
    Dominant7Sus4,
    /// Major triad with sixth.
    Sixth,
    /// Minor triad with major sixth.
    MinorSixth,
    /// Major triad with ninth.
    Add9,
    /// Minor triad with ninth.
    MinorAdd9,
    /// Major triad with sixth and ninth.
    SixNine,
    /// Dominant seventh with ninth.
    Dominant9,
    /// Major seventh with ninth.
    Major9,
    /// Minor seventh with ninth.
    Minor9,
    /// Dominant seventh with flat ninth.
    Dominant7Flat9,
    /// A single pitch class.
    Single,
}

impl Quality {
    /// All types that more than one pitch class can have.
    pub const CHORDS: [Self; 24] = [
        Self::Major,
        Self::Minor,
        Self::Diminished,
        Self::Augmented,
        Self::Sus2,
        Self::Sus4,
        Self::Power,
        Self::Dominant7,
        Self::Major7,
        Self::Minor7,
        Self::MinorMajor7,
        Self::HalfDiminished7,
        Self::Diminished7,
        Self::Augmented7,
        Self::Dominant7Sus4,
        Self::Sixth,
        Self::MinorSixth,
        Self::Add9,
        Self::MinorAdd9,
        Self::SixNine,
        Self::Dominant9,
        Self::Major9,
        Self::Minor9,
        Self::Dominant7Flat9,
    ];

    /// Semitones above the root: the root, the third or what stands for it, the fifth, then the rest.
    pub fn intervals(self) -> &'static [u8] {
        match self {
            Self::Major => &[0, 4, 7],
            Self::Minor => &[0, 3, 7],
            Self::Diminished => &[0, 3, 6],
            Self::Augmented => &[0, 4, 8],
            Self::Sus2 => &[0, 2, 7],
            Self::Sus4 => &[0, 5, 7],
            Self::Power => &[0, 7],
            Self::Dominant7 => &[0, 4, 7, 10],
            Self::Major7 => &[0, 4, 7, 11],
            Self::Minor7 => &[0, 3, 7, 10],
            Self::MinorMajor7 => &[0, 3, 7, 11],
            Self::HalfDiminished7 => &[0, 3, 6, 10],
            Self::Diminished7 => &[0, 3, 6, 9],
            Self::Augmented7 => &[0, 4, 8, 10],
            Self::Dominant7Sus4 => &[0, 5, 7, 10],
            Self::Sixth => &[0, 4, 7, 9],
            Self::MinorSixth => &[0, 3, 7, 9],
            Self::Add9 => &[0, 4, 7, 2],
            Self::MinorAdd9 => &[0, 3, 7, 2],
            Self::SixNine => &[0, 4, 7, 9, 2],
            Self::Dominant9 => &[0, 4, 7, 10, 2],
            Self::Major9 => &[0, 4, 7, 11, 2],
            Self::Minor9 => &[0, 3, 7, 10, 2],
            Self::Dominant7Flat9 => &[0, 4, 7, 10, 1],
            Self::Single => &[0],
        }
    }

    /// What follows the root in the chord's name.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Major => "",
            Self::Minor => "m",
            Self::Diminished => "dim",
            Self::Augmented => "aug",
            Self::Sus2 => "sus2",
            Self::Sus4 => "sus4",
            Self::Power => "5",
            Self::Dominant7 => "7",
            Self::Major7 => "maj7",
            Self::Minor7 => "m7",
            Self::MinorMajor7 => "m(maj7)",
            Self::HalfDiminished7 => "m7b5",
            Self::Diminished7 => "dim7",
            Self::Augmented7 => "aug7",
            Self::Dominant7Sus4 => "7sus4",
            Self::Sixth => "6",
            Self::MinorSixth => "m6",
            Self::Add9 => "add9",
            Self::MinorAdd9 => "m(add9)",
            Self::SixNine => "6/9",
            Self::Dominant9 => "9",
            Self::Major9 => "maj9",
            Self::Minor9 => "m9",
            Self::Dominant7Flat9 => "7b9",
            Self::Single => " alone",
        }
    }

    /// How much rarer a type is than a plain triad: what counts against it at an equal fit.
    fn rarity(self) -> f32 {
        match self {
            Self::Major | Self::Minor | Self::Single => 0.0,
            Self::Dominant7 | Self::Minor7 | Self::Power => 0.01,
            Self::Major7 | Self::Sus4 => 0.02,
            Self::Diminished | Self::HalfDiminished7 | Self::Dominant7Sus4 => 0.03,
            Self::Sus2 | Self::Sixth | Self::Diminished7 | Self::Add9 => 0.04,
            Self::Augmented | Self::MinorSixth | Self::MinorAdd9 => 0.05,
            Self::Dominant9 | Self::Major9 | Self::Minor9 => 0.05,
            Self::MinorMajor7 | Self::SixNine | Self::Dominant7Flat9 => 0.06,
            Self::Augmented7 => 0.07,
        }
    }
}

/// Names of the pitch classes, as chord sheets spell them.
pub const PITCH_CLASS_NAMES: [&str; 12] = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];

/// A chord as read from what sounds. [`Display`](std::fmt::Display) writes its name, as in "Am7/G".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Pitch class of the root, 0 (C) to 11.
    pub root: u8,
    /// Type of the chord.
    pub quality: Quality,
    /// Pitch class of the lowest note, 0 to 11; may lie outside the chord.
    pub bass: u8,
    /// Share of what sounds that the chord explains, over 0 to 1.
    pub fit: f32,
}

/// The bass note counts this much for itself as the root; more than any difference in rarity, so that
/// of two names for the same notes the one on the bass is taken.
const BASS_IS_ROOT: f32 = 0.2;
/// The bass note counts this much for chords that contain it.
const BASS_IN_CHORD: f32 = 0.05;
/// A pitch class of this share of the strongest one's weight counts as fully there.
const PRESENT: f32 = 0.25;

impl Reading {
    /// Reads a set of pitch classes, bit 0 being C; `bass` is the lowest pitch or its pitch class, and
    /// counts as sounding. `None` when the set is empty. No allocation.
    pub fn of(mask: u16, bass: u8) -> Option<Self> {
        if mask & 0xFFF == 0 {
            return None;
        }
        let mask = mask | 1 << (bass % 12);
        Self::weighted(&std::array::from_fn(|pc| f32::from(mask >> pc & 1)), bass)
    }

    /// Reads weighted pitch classes, for instance how long each sounded; `bass` is the lowest pitch or
    /// its pitch class. Weights below 0 and not numbers count as 0. `None` when nothing sounds. No
    /// allocation.
    pub fn weighted(weights: &[f32; 12], bass: u8) -> Option<Self> {
        let bass = bass % 12;
        let largest = weights.iter().copied().filter(|w| w.is_finite()).fold(0.0f32, f32::max);
        if largest <= 0.0 {
            return None;
        }
        let weight = |pc: u8| {
            let w = weights[usize::from(pc % 12)];
            if w.is_finite() { (w / largest).max(0.0) } else { 0.0 }
        };
        let total: f32 = (0..12).map(weight).sum();
        let mut best: Option<(f32, Self)> = None;
        // Roots from the bass upwards, so that symmetrical chords are named after their bass.
        for step in 0..12 {
            let root = (bass + step) % 12;
            for quality in Quality::CHORDS.into_iter().chain([Quality::Single]) {
                let tones = quality.intervals();
                let explained: f32 = tones.iter().map(|i| weight(root + i)).sum::<f32>() / total;
                let missing: f32 = tones
                    .iter()
                    .enumerate()
                    .map(|(i, &t)| importance(tones, i) * (1.0 - (weight(root + t) / PRESENT).min(1.0)))
                    .sum();
                let bass_bonus = match step {
                    0 => BASS_IS_ROOT,
                    _ if tones.iter().any(|t| (root + t) % 12 == bass) => BASS_IN_CHORD,
                    _ => 0.0,
                };
                let score = 2.0 * explained - 1.0 - missing - quality.rarity() + bass_bonus;
                if best.is_none_or(|(s, _)| score > s) {
                    best = Some((score, Self { root, quality, bass, fit: explained.min(1.0) }));
                }
            }
        }
        best.map(|b| b.1)
    }

    /// Pitch classes of the chord, bit 0 being C; the bass only where it is a chord tone.
    pub fn pitch_classes(&self) -> u16 {
        self.quality.intervals().iter().fold(0, |mask, i| mask | 1 << ((self.root + i) % 12))
    }

    /// Name as chord sheets write it.
    pub fn name(&self) -> String {
        self.to_string()
    }
}

/// How much it counts against a chord that the tone at a place of [`Quality::intervals`] is missing.
fn importance(tones: &[u8], place: usize) -> f32 {
    match (place, tones[place]) {
        (0, _) => 0.8,
        // A perfect fifth is often left out and hardly missed beside a third.
        (2, 7) if matches!(tones[1], 3 | 4) => 0.1,
        (2, 7) => 0.3,
        _ => 0.5,
    }
}

impl std::fmt::Display for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = |pc: u8| PITCH_CLASS_NAMES[usize::from(pc % 12)];
        write!(f, "{}{}", name(self.root), self.quality.suffix())?;
        if self.bass % 12 != self.root % 12 {
            write!(f, "/{}", name(self.bass))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(pitches: &[u8]) -> String {
        let mask = pitches.iter().fold(0, |m, p| m | 1 << (p % 12));
        Reading::of(mask, *pitches.iter().min().unwrap()).unwrap().name()
    }

    #[test]
    fn names_what_musicians_call_it() {
        for (pitches, expected) in [
            (&[48, 52, 55][..], "C"),
            (&[52, 55, 60], "C/E"),
            (&[57, 60, 64], "Am"),
            (&[55, 57, 60, 64], "Am7/G"),
            (&[48, 52, 55, 57], "C6"),
            (&[57, 60, 64, 67], "Am7"),
            (&[55, 59, 62, 65], "G7"),
            (&[59, 62, 65, 69], "Bm7b5"),
            (&[50, 53, 57, 59], "Dm6"),
            (&[48, 55], "C5"),
            (&[55, 60], "C5/G"),
            (&[48, 52], "C"),
            (&[48, 51], "Cm"),
            (&[48, 52, 58], "C7"),
            (&[48, 50, 55], "Csus2"),
            (&[43, 48, 50], "Gsus4"),
            (&[48, 52, 56], "Caug"),
            (&[54, 57, 60, 63], "F#dim7"),
            (&[53, 57, 60, 64, 67], "Fmaj9"),
            (&[41, 55, 59, 62], "G7/F"),
            (&[50, 55, 59, 62], "G/D"),
            (&[49], "C# alone"),
        ] {
            assert_eq!(name(pitches), expected, "{pitches:?}");
        }
    }

    #[test]
    fn every_chord_on_its_root_is_found() {
        for quality in Quality::CHORDS {
            for root in 0..12 {
                let asked = Reading { root, quality, bass: root, fit: 1.0 };
                assert_eq!(Reading::of(asked.pitch_classes(), root), Some(asked), "{asked}");
            }
        }
    }

    #[test]
    fn a_short_passing_note_does_not_change_the_chord() {
        let mut weights = [0.0; 12];
        for (pc, w) in [(0, 4.0), (4, 2.0), (7, 2.0), (5, 0.25), (2, 0.25)] {
            weights[pc] = w;
        }
        assert_eq!(Reading::weighted(&weights, 36).unwrap().name(), "C");
        assert_eq!(Reading::weighted(&[0.0; 12], 36), None);
        assert_eq!(Reading::weighted(&[f32::NAN; 12], 36), None);
        assert_eq!(Reading::of(0, 36), None);
    }

    proptest! {
        #[test]
        fn readings_transpose(mask in 1u16..4096, bass in 0u8..12, by in 0u8..12) {
            let rotated = (mask << by | mask >> (12 - by)) & 0xFFF;
            let a = Reading::of(mask, bass).unwrap();
            let b = Reading::of(rotated, bass + by).unwrap();
            prop_assert_eq!((a.root + by) % 12, b.root);
            prop_assert_eq!(a.quality, b.quality);
        }

        #[test]
        fn scaling_weights_changes_nothing(
            weights in proptest::array::uniform12(0.0f32..8.0), bass in 0u8..128, power in -8i32..8,
        ) {
            // Powers of two scale floats exactly.
            let scaled = weights.map(|w| w * 2f32.powi(power));
            prop_assert_eq!(Reading::weighted(&weights, bass), Reading::weighted(&scaled, bass));
        }

        #[test]
        fn the_root_sounds_and_the_fit_is_a_share(mask in 1u16..4096, bass in 0u8..128) {
            let r = Reading::of(mask, bass).unwrap();
            let sounding = mask | 1 << (bass % 12);
            prop_assert!(sounding >> r.root & 1 == 1, "{} in {:012b}", r, sounding);
            let share = f32::from((sounding & r.pitch_classes()).count_ones() as u8)
                / f32::from(sounding.count_ones() as u8);
            prop_assert!((r.fit - share).abs() < 1e-5);
        }
    }
}
