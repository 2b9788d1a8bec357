//! Types of durations.

/// The type of a duration: the note sign that it is written with, whatever its dots or its triplet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NoteValue {
    /// A 16th.
    Sixteenth,
    /// An eighth.
    Eighth,
    /// A quarter.
    Quarter,
    /// A half note.
    Half,
    /// A whole note.
    Whole,
    /// Two whole notes.
    Breve,
    /// What no single sign stands for: it is written with ties.
    Complex,
}

impl NoteValue {
    /// All of them, the shortest first and complex ones last.
    pub const ALL: [Self; 7] =
        [Self::Sixteenth, Self::Eighth, Self::Quarter, Self::Half, Self::Whole, Self::Breve, Self::Complex];

    /// The type of a duration in units of a twelfth of a quarter note: plain, with up to four dots, or two thirds of
    /// it in a triplet; anything else is complex, nothing and what is longer than two whole notes with it.
    pub fn of(units: i64) -> Self {
        let fits = |value: &Self| {
            let plain = value.units();
            // With n dots it is twice as long, less a 2^n-th.
            let dotted = (0..=4).any(|n| units << n == plain * ((2 << n) - 1));
            dotted || units * 3 == plain * 2
        };
        // From the longest: of two readings the plainer sign is the longer one's triplet last.
        let plain = Self::ALL.into_iter().find(|v| *v != Self::Complex && v.units() == units);
        plain.or_else(|| Self::ALL[..6].iter().copied().find(fits)).unwrap_or(Self::Complex)
    }

    /// The plain length in units of a twelfth of a quarter note. Complex ones have none of their own: they count
    /// as a quarter and a 16th, the shortest of them.
    pub fn units(self) -> i64 {
        [3, 6, 12, 24, 48, 96, 15][self as usize]
    }

    /// The name in categories.
    pub fn name(self) -> &'static str {
        ["16th", "eighth", "quarter", "half", "whole", "breve", "complex"][self as usize]
    }

    /// The type of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_and_triplets_do_not_change_the_sign() {
        use NoteValue::*;
        for (units, expected) in [
            (3, Sixteenth),
            (4, Eighth),
            (6, Eighth),
            (8, Quarter),
            (9, Eighth),
            (12, Quarter),
            (15, Complex),
            (16, Half),
            (18, Quarter),
            (21, Quarter),
            (24, Half),
            (27, Complex),
            (36, Half),
            (42, Half),
            (45, Half),
            (48, Whole),
            (60, Complex),
            (64, Breve),
            (72, Whole),
            (96, Breve),
            (0, Complex),
            (400, Complex),
        ] {
            assert_eq!(NoteValue::of(units), expected, "{units}");
        }
        for value in NoteValue::ALL {
            assert_eq!(NoteValue::of(value.units()), value);
            assert_eq!(NoteValue::named(value.name()), Some(value));
        }
    }
}
