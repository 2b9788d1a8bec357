//! What a note or a chord is called.

use super::{NoteValue, Sonority};

/// Names of the pitch classes in categories, with the accidentals that music21 gives them.
const NAMES: [&str; 12] = ["C", "C#", "D", "E-", "E", "F", "F#", "G", "G#", "A", "B-", "B"];

/// A set of pitch classes, a bit each from C.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PitchSet(u16);

impl PitchSet {
    /// The pitch classes of pitches.
    pub fn of(pitches: &[u8]) -> Self {
        Self(pitches.iter().fold(0, |set, p| set | 1 << (p % 12)))
    }

    /// How many there are.
    pub fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// How many are in one of two sets but not in the other.
    pub fn unlike(self, other: Self) -> u32 {
        (self.0 ^ other.0).count_ones()
    }

    /// The classes in normal order: the rotation that spans least, and of such the one whose lower classes lie
    /// closest to the first (compared from the last but one down), then that with the lowest first class.
    pub fn normal_order(self) -> Vec<u8> {
        let classes: Vec<u8> = (0..12).filter(|c| self.0 >> c & 1 == 1).collect();
        let turned = |from: usize| -> Vec<u8> {
            (0..classes.len()).map(|i| classes[(from + i) % classes.len()]).collect()
        };
        let spans = |order: &[u8]| -> Vec<u8> {
            order.iter().skip(1).rev().map(|c| (12 + c - order[0]) % 12).collect()
        };
        (0..classes.len()).map(turned).min_by_key(|order| (spans(order), order[0])).unwrap_or_default()
    }
}

/// What sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// One pitch, 0 to 127.
    Note(u8),
    /// Several pitches, of which the pitch classes are kept.
    Chord(PitchSet),
}

/// The category of a note or a chord.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Category {
    /// What sounds.
    pub kind: Kind,
    /// The type of its duration.
    pub value: NoteValue,
}

impl Category {
    /// The category of a sonority.
    pub fn of(sonority: &Sonority) -> Self {
        let kind = match sonority.pitches.as_slice() {
            [pitch] => Kind::Note(*pitch),
            several => Kind::Chord(PitchSet::of(several)),
        };
        Self { kind, value: NoteValue::of(sonority.length) }
    }

    /// The name as the paper has it: a pitch with its octave (C4 is middle C) or the pitch classes in normal order
    /// with full stops between them; then an underscore and the type of the duration.
    pub fn name(&self) -> String {
        let sound = match self.kind {
            Kind::Note(pitch) => {
                // E-1 would be an E flat; music21 leaves that open, and no piano goes so low.
                let octave = (pitch / 12).checked_sub(1).map_or("~1".into(), |o| o.to_string());
                format!("{}{octave}", NAMES[usize::from(pitch % 12)])
            }
            Kind::Chord(set) => set.normal_order().iter().map(u8::to_string).collect::<Vec<_>>().join("."),
        };
        format!("{sound}_{}", self.value.name())
    }

    /// The category of that name; none when the text is no name of one.
    pub fn named(name: &str) -> Option<Self> {
        let (sound, value) = name.rsplit_once('_')?;
        let value = NoteValue::named(value)?;
        if sound.starts_with(|c: char| c.is_ascii_digit()) {
            let classes: Option<Vec<u8>> =
                sound.split('.').map(|c| c.parse().ok().filter(|&c: &u8| c < 12)).collect();
            return Some(Self { kind: Kind::Chord(PitchSet::of(&classes?)), value });
        }
        // The longer names first: C# is no C.
        let class = (0..12).filter(|&c| sound.starts_with(NAMES[c])).max_by_key(|&c| NAMES[c].len())?;
        let octave: u8 = match &sound[NAMES[class].len()..] {
            "~1" => 0,
            above => above.parse::<u8>().ok()?.checked_add(1)?,
        };
        let pitch = octave.checked_mul(12)?.checked_add(class as u8).filter(|&p| p < 128)?;
        Some(Self { kind: Kind::Note(pitch), value })
    }

    /// Pitches to play: a note's own; a chord's classes in normal order upwards from that octave of the first one
    /// whose middle lies nearest to `near` (the paper plays every chord from middle C up: 60).
    pub fn pitches(&self, near: u8) -> Vec<u8> {
        let set = match self.kind {
            Kind::Note(pitch) => return vec![pitch],
            Kind::Chord(set) => set,
        };
        let order = set.normal_order();
        let Some(&first) = order.first() else { return vec![] };
        let span = |c: &u8| i32::from((12 + c - first) % 12);
        let width = order.iter().map(span).max().unwrap_or(0);
        let low = (0..11)
            .map(|octave| i32::from(first) + 12 * octave)
            .filter(|low| low + width < 128)
            .min_by_key(|low| (2 * low + width - 2 * i32::from(near)).abs())
            .unwrap_or(0);
        order.iter().filter_map(|c| u8::try_from(low + span(c)).ok()).filter(|&p| p < 128).collect()
    }

    /// How unlike another category of the same kind is: semitones or pitch classes that differ, then durations;
    /// none for the other kind.
    pub(super) fn unlike(&self, other: &Self) -> Option<(u32, i64)> {
        let sound = match (self.kind, other.kind) {
            (Kind::Note(a), Kind::Note(b)) => u32::from(a.abs_diff(b)),
            (Kind::Chord(a), Kind::Chord(b)) => a.unlike(b),
            _ => return None,
        };
        Some((sound, (self.value.units() - other.value.units()).abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_order_is_the_closest() {
        let order = |pitches: &[u8]| PitchSet::of(pitches).normal_order();
        assert_eq!(order(&[60, 64, 67]), [0, 4, 7]);
        // First inversion, an octave doubled.
        assert_eq!(order(&[64, 67, 72, 76]), [0, 4, 7]);
        // G7: of its rotations B D F G spans least.
        assert_eq!(order(&[55, 59, 62, 65]), [11, 2, 5, 7]);
        // All rotations of a diminished seventh are alike.
        assert_eq!(order(&[59, 62, 65, 68]), [2, 5, 8, 11]);
        assert_eq!(order(&[36, 48]), [0]);
    }

    #[test]
    fn every_name_is_read_back() {
        for value in NoteValue::ALL {
            for pitch in 0..128 {
                let note = Category { kind: Kind::Note(pitch), value };
                assert_eq!(Category::named(&note.name()), Some(note), "{}", note.name());
            }
            for set in 1..4096 {
                let chord = Category { kind: Kind::Chord(PitchSet(set)), value };
                assert_eq!(Category::named(&chord.name()), Some(chord), "{}", chord.name());
                for near in [0, 48, 60, 127] {
                    let pitches = chord.pitches(near);
                    assert_eq!(PitchSet::of(&pitches), PitchSet(set), "{} near {near}", chord.name());
                    assert!(pitches.is_sorted());
                }
            }
        }
        let c = Category { kind: Kind::Note(60), value: NoteValue::Quarter };
        assert_eq!(c.name(), "C4_quarter");
        assert_eq!(Category { kind: Kind::Note(63), value: NoteValue::Half }.name(), "E-4_half");
        for wrong in ["", "C4", "H4_half", "C4_third", "12_half", "C99_half", "C-9_half", "0.._half", "_half"]
        {
            assert_eq!(Category::named(wrong), None, "{wrong}");
        }
    }
}
