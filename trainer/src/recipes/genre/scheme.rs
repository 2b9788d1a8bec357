//! Which genres a classifier tells apart, and which it takes as one.

use super::labelled::{Facts, LabelledSet};
use super::voted;

/// The ten classes of P2 (section 4.1), in its order.
pub const TOPMAGD_TEN: [&str; 10] =
    ["Country", "Electronic", "International", "Jazz", "Latin", "New-Age", "Rap", "RnB", "Rock", "Vocal"];
/// The product's classes for a whole band: those of the labelled corpus with at least 80 files.
pub const BAND: [&str; 8] =
    ["Classical", "Country", "Electronic", "Folk", "Hymn", "International", "Jazz", "Rock"];
/// The product's classes for eight bars of piano alone.
pub const PIANO: [&str; 5] = ["Classical", "Jazz", "Pop/Rock", "Folk/Country", "Hymn"];
/// The classes of GTZAN (G. Tzanetakis and P. Cook, "Musical Genre Classification of Audio Signals", 2002).
pub const GTZAN: [&str; 10] =
    ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"];

/// A scheme of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Scheme {
    /// P2's ten. The paper merges "similar labels into one general label such as blues, jazz, and reggae"
    /// and calls country and folk hard to tell apart: Blues and Reggae go to Jazz, Folk to Country, Pop_Rock
    /// (and Pop, where a corpus has it) to Rock. It counts 15 labels before; Top-MAGD has 13.
    Topmagd,
    /// The product's eight for a whole band. Only files whose own label was voted on.
    Band,
    /// The product's five for eight bars of piano: Classical; Jazz with Blues; Pop, Rock, Ballad and RnB;
    /// Folk with Country and International; Hymn.
    Piano,
    /// GTZAN's ten.
    Gtzan,
    /// Every genre of the collection, as it is.
    Own,
}

impl Scheme {
    /// The class of an item; `None` when the scheme has none for it.
    pub fn class(self, facts: &Facts) -> Option<&str> {
        match self {
            Self::Band if !voted::VOTED.contains(&facts.set.as_str()) && from_data_folder(facts) => None,
            Self::Own => Some(&facts.genre),
            named => named.class_of(&facts.genre),
        }
    }

    /// The class of a genre name; `None` when the scheme has none for it, and always in [`Scheme::Own`].
    pub fn class_of(self, genre: &str) -> Option<&'static str> {
        let name = plain(genre);
        let same = |classes: &'static [&'static str]| classes.iter().copied().find(|&c| plain(c) == name);
        match self {
            Self::Topmagd => match name.as_str() {
                "blues" | "reggae" => Some("Jazz"),
                "folk" => Some("Country"),
                "pop" | "poprock" => Some("Rock"),
                _ => same(&TOPMAGD_TEN),
            },
            Self::Band => match name.as_str() {
                "poprock" => Some("Rock"),
                _ => same(&BAND),
            },
            Self::Piano => match name.as_str() {
                "blues" => Some("Jazz"),
                "pop" | "rock" | "poprock" | "ballad" | "rnb" => Some("Pop/Rock"),
                "folk" | "country" | "international" => Some("Folk/Country"),
                _ => same(&PIANO),
            },
            Self::Gtzan => same(&GTZAN),
            Self::Own => None,
        }
    }

    /// The classes in order; `None` for [`Scheme::Own`], whose classes are what a set has.
    pub fn classes(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Topmagd => Some(&TOPMAGD_TEN),
            Self::Band => Some(&BAND),
            Self::Piano => Some(&PIANO),
            Self::Gtzan => Some(&GTZAN),
            Self::Own => None,
        }
    }

    /// Applies the scheme: takes the items without a class out of the set and numbers the classes of the
    /// rest. Classes that no item has keep their number.
    pub fn apply(self, set: &mut LabelledSet) -> Classes {
        let before = set.items.len();
        set.items.retain(|item| self.class(&item.facts).is_some());
        let mut names: Vec<String> = match self.classes() {
            Some(names) => names.iter().map(|n| (*n).to_string()).collect(),
            None => set.items.iter().map(|i| i.facts.genre.clone()).collect(),
        };
        if self == Self::Own {
            names.sort();
            names.dedup();
        }
        let number = |class: &str| names.iter().position(|n| n == class).unwrap_or(0);
        let of_items = set.items.iter().map(|i| number(self.class(&i.facts).unwrap_or_default())).collect();
        Classes { names, of_items, without: before - set.items.len() }
    }
}

/// Letters and digits in lower case: "New Age", "New-Age" and "NewAge" are one.
fn plain(genre: &str) -> String {
    genre.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether an item comes from a data folder with a manifest, whose sets have labels of different kinds.
fn from_data_folder(facts: &Facts) -> bool {
    voted::OF_ONE_GENRE.contains(&facts.set.as_str()) || facts.set == voted::HUMAN_PIANO
}

/// The classes of a set under a scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classes {
    /// Names by number.
    pub names: Vec<String>,
    /// Number of the class of each item.
    pub of_items: Vec<usize>,
    /// Items that were taken out for want of a class.
    pub without: usize,
}

impl Classes {
    /// Items by class.
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.names.len()];
        self.of_items.iter().for_each(|&c| counts[c] += 1);
        counts
    }

    /// P2's weight of each class, N_total / N_class (section 4.1); 0 for a class without items.
    pub fn weights(&self) -> Vec<f32> {
        let total = self.of_items.len() as f32;
        self.counts().into_iter().map(|n| if n == 0 { 0.0 } else { total / n as f32 }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::labelled::{Content, Kind, Labelled};
    use super::*;
    use crate::data::{Split, Tier};

    fn facts(set: &str, genre: &str) -> Facts {
        let text = str::to_string;
        Facts {
            id: text(genre),
            set: text(set),
            tier: Tier::Research,
            source: text("x"),
            group: text(genre),
            split: Split::Train,
            genre: text(genre),
            doubtful: false,
        }
    }

    #[test]
    fn thirteen_labels_become_ten() {
        let top = [
            "Pop_Rock",
            "Electronic",
            "Country",
            "RnB",
            "Jazz",
            "Latin",
            "International",
            "Rap",
            "Vocal",
            "New Age",
            "Folk",
            "Reggae",
            "Blues",
        ];
        let mut classes: Vec<&str> = top.iter().filter_map(|g| Scheme::Topmagd.class_of(g)).collect();
        assert_eq!(classes.len(), top.len());
        classes.sort_unstable();
        classes.dedup();
        assert_eq!(classes, TOPMAGD_TEN);
        assert_eq!(Scheme::Topmagd.class_of("Hymn"), None);
    }

    #[test]
    fn the_band_takes_only_labels_that_were_voted_on() {
        assert_eq!(Scheme::Band.class(&facts("genre_labelled", "Classical")), Some("Classical"));
        assert_eq!(Scheme::Band.class(&facts("classicalpiano", "Classical")), None);
        assert_eq!(Scheme::Band.class(&facts("a tree", "classical")), Some("Classical"));
        assert_eq!(Scheme::Piano.class(&facts("classicalpiano", "Classical")), Some("Classical"));
        assert_eq!(Scheme::Band.class(&facts("genre_labelled", "Rap")), None);
    }

    #[test]
    fn classes_are_numbered_and_weighted() {
        let items = ["Jazz", "Blues", "Rap", "Polka"]
            .map(|g| Labelled { facts: facts("t", g), content: Content::Audio(g.into()) });
        let mut set = LabelledSet { kind: Kind::Audio, items: items.to_vec() };
        let mut own = set.clone();
        let found = Scheme::Topmagd.apply(&mut set);
        assert_eq!((found.of_items.as_slice(), found.without, set.items.len()), (&[3, 3, 6][..], 1, 3));
        let weights = found.weights();
        assert_eq!((weights[3], weights[6], weights[0]), (1.5, 3.0, 0.0));
        let found = Scheme::Own.apply(&mut own);
        assert_eq!(found.names, ["Blues", "Jazz", "Polka", "Rap"]);
        assert_eq!(found.of_items, [1, 0, 3, 2]);
    }
}
