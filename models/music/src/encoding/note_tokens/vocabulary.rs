//! Categories by number.

use std::collections::BTreeMap;

use super::{Category, Sonority, UNIT};
use crate::score::Note;

/// The categories that occur somewhere, numbered in the order of their names, as P5's program numbers them: its
/// networks are given that number, so its order matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vocabulary {
    categories: Vec<Category>,
    numbers: BTreeMap<Category, usize>,
}

impl Vocabulary {
    /// The categories that occur.
    pub fn of(categories: impl IntoIterator<Item = Category>) -> Self {
        let mut named: Vec<(String, Category)> = categories
            .into_iter()
            .map(|c| (c, ()))
            .collect::<BTreeMap<_, ()>>()
            .into_keys()
            .map(|c| (c.name(), c))
            .collect();
        named.sort();
        let categories: Vec<Category> = named.into_iter().map(|c| c.1).collect();
        let numbers = categories.iter().enumerate().map(|(i, c)| (*c, i)).collect();
        Self { categories, numbers }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.categories.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.categories.is_empty()
    }

    /// The categories by number.
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    /// The number of a category; none when it is unknown.
    pub fn number(&self, category: &Category) -> Option<usize> {
        self.numbers.get(category).copied()
    }

    /// The number of a category, or else of the one of its kind that is nearest: in semitones of a note, in pitch
    /// classes that differ of a chord, then in duration, then the first. Where there is none of its kind, 0; none
    /// when the vocabulary is empty.
    pub fn nearest(&self, category: &Category) -> Option<usize> {
        if let Some(known) = self.number(category) {
            return Some(known);
        }
        let unlike = |i: &usize| category.unlike(&self.categories[*i]);
        let same_kind = (0..self.len()).filter(|i| unlike(i).is_some());
        same_kind.min_by_key(unlike).or((!self.is_empty()).then_some(0))
    }

    /// Plays categories one after another, each as long as its plain duration type, chords near `near`: the paper's
    /// own way back to music. Numbers that are none are left out.
    pub fn play(&self, numbers: &[usize], near: u8, velocity: u8) -> Vec<Note> {
        let mut notes = vec![];
        let mut onset = 0;
        for category in numbers.iter().filter_map(|&n| self.categories.get(n)) {
            let length = category.value.units();
            let sonority =
                Sonority { onset, pitches: category.pitches(near), length, velocity: velocity.clamp(1, 127) };
            notes.extend(sonority.notes());
            onset += length;
        }
        debug_assert!(notes.iter().all(|n| n.length >= UNIT));
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, NoteValue, PitchSet, sonorities};
    use super::*;
    use crate::score::Track;

    fn note(pitch: u8, value: NoteValue) -> Category {
        Category { kind: Kind::Note(pitch), value }
    }

    fn chord(pitches: &[u8], value: NoteValue) -> Category {
        Category { kind: Kind::Chord(PitchSet::of(pitches)), value }
    }

    #[test]
    fn numbers_follow_the_names() {
        let v = Vocabulary::of([
            note(60, NoteValue::Quarter),
            chord(&[60, 64, 67], NoteValue::Half),
            note(57, NoteValue::Quarter),
            note(60, NoteValue::Quarter),
        ]);
        let names: Vec<String> = v.categories().iter().map(Category::name).collect();
        assert_eq!(names, ["0.4.7_half", "A3_quarter", "C4_quarter"]);
        assert_eq!(v.number(&note(57, NoteValue::Quarter)), Some(1));
        assert_eq!(v.number(&note(58, NoteValue::Quarter)), None);
        // The nearest pitch of the kind, then the nearest duration.
        assert_eq!(v.nearest(&note(59, NoteValue::Whole)), Some(2));
        assert_eq!(v.nearest(&chord(&[2, 5, 9, 0], NoteValue::Half)), Some(0));
        assert_eq!(Vocabulary::default().nearest(&note(59, NoteValue::Whole)), None);
    }

    #[test]
    fn what_is_played_is_read_back() {
        // A line of one thing after another loses nothing but complex durations.
        let line: Vec<Category> = (0..200u32)
            .map(|i| {
                let value = NoteValue::ALL[(i % 6) as usize];
                let pitch = 30 + (i * 37 % 60) as u8;
                let third = pitch + 3 + (i % 2) as u8;
                if i % 3 == 0 { chord(&[pitch, third, pitch + 7], value) } else { note(pitch, value) }
            })
            .collect();
        let v = Vocabulary::of(line.iter().copied());
        let numbers: Vec<usize> = line.iter().filter_map(|c| v.number(c)).collect();
        assert_eq!(numbers.len(), line.len());
        let notes = v.play(&numbers, 60, 80);
        let read = sonorities([&Track { notes, ..Track::default() }]);
        let back: Vec<Category> = read.iter().map(Category::of).collect();
        assert_eq!(back, line);
    }
}
