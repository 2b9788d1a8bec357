//! Tags of music, and the global sets of what shares one (P1, section 3.2).
//!
//! A piece has tags with a frequency each; divided by the largest of the piece they lie in 0 to 1, and those above 0.9
//! count. The paper's tags are of artists; here they may be of anything that names a piece.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, ensure};

use crate::data::source::table;

/// Above which normalised frequency the paper keeps a tag.
pub(super) const ABOVE: f64 = 0.9;

/// Tags with frequencies by piece.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Tags(pub(super) BTreeMap<String, BTreeMap<String, f64>>);

/// The pieces of each tag: the paper's global genre sets.
pub(super) type Sets = BTreeMap<String, BTreeSet<String>>;

impl Tags {
    /// Adds to the frequency of a piece's tag.
    pub(super) fn add(&mut self, piece: &str, tag: &str, frequency: f64) {
        if !tag.is_empty() {
            *self.0.entry(piece.to_owned()).or_default().entry(tag.to_owned()).or_default() += frequency;
        }
    }

    /// A table with the columns `piece`, `tag` and `frequency`; without the last every row counts once.
    pub(super) fn table(path: &Path) -> anyhow::Result<Self> {
        #[derive(serde::Deserialize)]
        struct Row {
            piece: String,
            tag: String,
            frequency: Option<f64>,
        }
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut tags = Self::default();
        for (line, row) in table::<Row>(path, &bytes)
            .context("a table of tags has the columns piece, tag and, if it likes, frequency")?
        {
            let frequency = row.frequency.unwrap_or(1.0);
            ensure!(
                frequency.is_finite() && frequency > 0.0,
                "{}, line {line}: the frequency {frequency} is not above 0",
                path.display()
            );
            tags.add(row.piece.trim(), row.tag.trim(), frequency);
        }
        ensure!(!tags.0.is_empty(), "{} has no tags: give a row a piece and tag", path.display());
        Ok(tags)
    }

    /// The votes of a data folder, each once; none where it has no such table.
    pub(super) fn votes(data: &Path) -> anyhow::Result<Self> {
        #[derive(serde::Deserialize)]
        struct Vote {
            path: String,
            label: String,
        }
        let path = data.join("labels/genre_votes.csv");
        let mut tags = Self::default();
        match std::fs::read(&path) {
            Ok(bytes) => {
                for (_, vote) in table::<Vote>(&path, &bytes)? {
                    tags.add(&vote.path, &vote.label, 1.0);
                }
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(e).with_context(|| format!("cannot read {}", path.display())),
        }
        Ok(tags)
    }

    /// Frequencies divided by the largest of the piece, and of them those above a bound.
    pub(super) fn above(&self, bound: f64) -> Self {
        let pieces = self.0.iter().map(|(piece, tags)| {
            let largest = tags.values().fold(0.0, |a: f64, &b| a.max(b));
            let kept = tags.iter().map(|(tag, f)| (tag.clone(), f / largest)).filter(|t| t.1 > bound);
            (piece.clone(), kept.collect())
        });
        Self(pieces.collect())
    }

    /// Mean number of tags of a piece.
    pub(super) fn mean(&self) -> f64 {
        self.0.values().map(BTreeMap::len).sum::<usize>() as f64 / self.0.len().max(1) as f64
    }

    /// The global sets. Of merged tags, (name, tags), there is the united set in place of theirs.
    pub(super) fn sets(&self, merged: &[(String, Vec<String>)]) -> Sets {
        let mut sets = Sets::new();
        for (piece, tags) in &self.0 {
            for tag in tags.keys() {
                let united = merged.iter().find(|m| m.1.iter().any(|t| t.eq_ignore_ascii_case(tag)));
                let name = united.map_or(tag, |m| &m.0);
                sets.entry(name.clone()).or_default().insert(piece.clone());
            }
        }
        sets
    }
}

/// Common pieces by all pieces of two sets; 0 for two that are empty.
pub(super) fn jaccard(a: &BTreeSet<String>, b: &BTreeSet<String>) -> f64 {
    let both = a.intersection(b).count();
    let any = a.len() + b.len() - both;
    if any == 0 { 0.0 } else { both as f64 / any as f64 }
}

/// Names of the largest sets, the largest first.
pub(super) fn largest(sets: &Sets, limit: usize) -> Vec<String> {
    let mut names: Vec<&String> = sets.keys().collect();
    names.sort_by_key(|&n| (std::cmp::Reverse(sets[n].len()), n));
    names.into_iter().take(limit).cloned().collect()
}

/// Similarity of each set with each, in the order of the names.
pub(super) fn matrix(sets: &Sets, names: &[String]) -> Vec<Vec<f64>> {
    let none = BTreeSet::new();
    let of = |n: &String| sets.get(n).unwrap_or(&none);
    names.iter().map(|a| names.iter().map(|b| jaccard(of(a), of(b))).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_far_below_the_most_frequent_do_not_count() {
        let mut tags = Tags::default();
        for (tag, n) in [("rock", 20.0), ("pop", 19.0), ("polka", 18.0), ("noise", 1.0)] {
            tags.add("a", tag, n);
        }
        tags.add("b", "polka", 1.0);
        tags.add("b", "polka", 2.0);
        tags.add("b", "", 9.0);
        assert_eq!(tags.mean(), 2.5);
        let kept = tags.above(ABOVE);
        // 18 of 20 is 0.9 and not above it.
        assert_eq!(kept.0["a"].keys().collect::<Vec<_>>(), ["pop", "rock"]);
        assert_eq!(kept.0["b"]["polka"], 1.0);
        let merged = [("pop rock".to_owned(), vec!["Rock".to_owned(), "pop".to_owned()])];
        let sets = kept.sets(&merged);
        assert_eq!(largest(&sets, 9), ["polka", "pop rock"]);
        assert_eq!(sets["pop rock"].len(), 1);
    }

    #[test]
    fn jaccard_is_common_by_all() {
        let set = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(jaccard(&set(&["a", "b", "c"]), &set(&["b", "c", "d"])), 0.5);
        assert_eq!(jaccard(&set(&["a"]), &set(&["a"])), 1.0);
        assert_eq!(jaccard(&set(&["a"]), &set(&["b"])), 0.0);
        assert_eq!(jaccard(&set(&[]), &set(&[])), 0.0);
        let sets = Sets::from([("x".to_owned(), set(&["a", "b"])), ("y".to_owned(), set(&["b"]))]);
        let names = ["x", "y", "z"].map(String::from);
        assert_eq!(matrix(&sets, &names), [[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0; 3]]);
    }

    #[test]
    fn tables_of_tags_say_what_is_wrong() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tags.csv");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Tags::table(&path)
        };
        let tags = read("piece,tag,frequency\na,rock,3\na,pop,1\n").unwrap();
        assert_eq!(tags.0["a"]["rock"], 3.0);
        assert_eq!(read("piece,tag\na,rock\na,rock\n").unwrap().0["a"]["rock"], 2.0);
        assert!(read("piece,tag,frequency\na,rock,0\n").unwrap_err().to_string().contains("line 2"));
        assert!(read("piece,tag\n").unwrap_err().to_string().contains("no tags"));
        assert!(format!("{:#}", read("song,tag\na,b\n").unwrap_err()).contains("columns piece"));
        assert!(Tags::votes(dir.path()).unwrap().0.is_empty());
    }
}
