//! Music with a genre.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sideman_music::Score;

use crate::data::{Split, Tier};

/// What a collection consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Notes.
    Symbolic,
    /// Images of mel spectrograms.
    Mel,
    /// Files of audio.
    Audio,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Symbolic, Self::Mel, Self::Audio];

    /// The name in files and reports.
    pub fn name(self) -> &'static str {
        ["symbolic", "mel", "audio"][self as usize]
    }
}

/// What is known about an item beside its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Path within the collection, unique in it.
    pub id: String,
    /// Set within the collection.
    pub set: String,
    /// Licence tier.
    pub tier: Tier,
    /// Repository or collection that the file came from, to test on sources that training never saw.
    pub source: String,
    /// Items that are versions of one another share a group; a split never cuts a group.
    pub group: String,
    /// Split.
    pub split: Split,
    /// Genre as the collection names it.
    pub genre: String,
    /// Whether those who labelled it did not agree; the genre is then that of the most.
    pub doubtful: bool,
}

/// A mel spectrogram as an image of 8 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MelImage {
    /// Columns in time.
    pub columns: usize,
    /// Values, row-major (bands, columns), the lowest band first. Decibels are linear in the value: 255 is 0
    /// dB (the loudest), 0 the floor, mostly -80 dB.
    pub values: Vec<u8>,
}

impl MelImage {
    /// Mel bands.
    pub const BANDS: usize = 128;
}

/// The content of an item.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Notes with their tempo and metre maps; track names and markers are left out.
    Score(Box<Score>),
    /// A mel spectrogram.
    Mel(MelImage),
    /// A file of audio.
    Audio(PathBuf),
}

impl Content {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Score(_) => Kind::Symbolic,
            Self::Mel(_) => Kind::Mel,
            Self::Audio(_) => Kind::Audio,
        }
    }
}

/// An item of a collection.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    /// What is known about it.
    pub facts: Facts,
    /// The music.
    pub content: Content,
}

/// Items of one kind, in the order of their ids.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledSet {
    /// What the items are.
    pub kind: Kind,
    /// The items.
    pub items: Vec<Labelled>,
}

impl LabelledSet {
    /// Number of items by genre.
    pub fn genres(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for item in &self.items {
            *counts.entry(item.facts.genre.as_str()).or_default() += 1;
        }
        counts
    }

    /// Number of items by source.
    pub fn sources(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for item in &self.items {
            *counts.entry(item.facts.source.as_str()).or_default() += 1;
        }
        counts
    }

    /// Keeps the items of which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&Facts) -> bool) {
        self.items.retain(|item| keep(&item.facts));
    }

    /// Moves items of another set of the same kind into this one, as to split them otherwise.
    ///
    /// # Panics
    /// When the kinds differ.
    pub fn append(&mut self, mut other: Self) {
        assert_eq!(self.kind, other.kind, "sets of two kinds");
        self.items.append(&mut other.items);
        self.items.sort_by(|a, b| a.facts.id.cmp(&b.facts.id));
    }

    /// Takes out a source: the rest, then the items of the source. Groups with a member on both sides leave
    /// the rest, so that no version of a held-out piece is trained on.
    pub fn hold_out_source(self, source: &str) -> (Self, Self) {
        let kind = self.kind;
        let (held, mut rest): (Vec<_>, Vec<_>) =
            self.items.into_iter().partition(|item| item.facts.source == source);
        let groups: std::collections::HashSet<&str> = held.iter().map(|i| i.facts.group.as_str()).collect();
        rest.retain(|item| !groups.contains(item.facts.group.as_str()));
        (Self { kind, items: rest }, Self { kind, items: held })
    }

    /// Groups that lie in more than one split; a sound set has none.
    pub fn cut_groups(&self) -> Vec<&str> {
        let mut splits: BTreeMap<&str, (Split, bool)> = BTreeMap::new();
        for item in &self.items {
            let entry = splits.entry(&item.facts.group).or_insert((item.facts.split, false));
            entry.1 |= entry.0 != item.facts.split;
        }
        splits.into_iter().filter(|s| s.1.1).map(|s| s.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(id: &str, source: &str, group: &str, split: Split) -> Labelled {
        let text = str::to_string;
        let facts = Facts {
            id: text(id),
            set: text("s"),
            tier: Tier::Open,
            source: text(source),
            group: text(group),
            split,
            genre: text("Jazz"),
            doubtful: false,
        };
        Labelled { facts, content: Content::Audio(PathBuf::from(id)) }
    }

    #[test]
    fn a_held_out_source_leaves_no_version_behind() {
        let items = vec![
            item("a", "x", "1", Split::Train),
            item("b", "y", "1", Split::Train),
            item("c", "y", "2", Split::Train),
            item("d", "x", "3", Split::Test),
        ];
        let set = LabelledSet { kind: Kind::Audio, items };
        assert!(set.cut_groups().is_empty());
        let ids = |s: &LabelledSet| s.items.iter().map(|i| i.facts.id.clone()).collect::<Vec<_>>();
        let (rest, held) = set.hold_out_source("x");
        assert_eq!((ids(&rest), ids(&held)), (vec!["c".to_string()], vec!["a".to_string(), "d".to_string()]));
    }

    #[test]
    fn groups_in_two_splits_are_found() {
        let items = vec![item("a", "x", "1", Split::Train), item("b", "x", "1", Split::Test)];
        assert_eq!(LabelledSet { kind: Kind::Audio, items }.cut_groups(), ["1"]);
    }
}
