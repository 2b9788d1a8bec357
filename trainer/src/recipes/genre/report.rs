//! What became of a labelled collection: by genre, source and split.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::data::Split;

/// Items by split: train, valid, test.
pub type BySplit = [usize; 3];

/// What is kept of a genre from a source, and what is not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Items kept, by split.
    pub kept: BySplit,
    /// Of these, symbolic items whose piano has a window of eight bars.
    pub piano: BySplit,
    /// Of these, items in which a piano plays alone.
    pub solo: BySplit,
    /// Items kept whose labels do not agree with one another.
    pub doubtful: usize,
    /// Symbolic items kept that have nothing but drums: those who hear pitches have nothing to go by.
    pub drums: usize,
    /// Items left out, by reason.
    pub left_out: BTreeMap<String, usize>,
}

/// Figures by genre, then source.
pub type ByGenre = BTreeMap<String, BTreeMap<String, Cell>>;

/// What `genre prepare` did; written to `report.json` in the cache, with the items one by one in
/// `left_out.csv`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Fingerprint of data and options, hexadecimal.
    pub fingerprint: String,
    /// Whether the cache was up to date and nothing was done; the other figures are then those of the run
    /// that made it.
    #[serde(skip)]
    pub up_to_date: bool,
    /// By kind, then set, then genre, then source.
    pub kinds: BTreeMap<String, BTreeMap<String, ByGenre>>,
    /// The first items of each reason for which items are left out, or are kept but noted, each with what is
    /// known of it; `left_out.csv` has all that are left out.
    pub named: BTreeMap<String, Vec<String>>,
    /// What went wrong with whole archives and folders.
    pub warnings: Vec<String>,
}

/// Items that are named for each reason.
const NAMED: usize = 3;
/// What is noted of items that are kept.
pub(super) const DOUBTFUL: &str = "labels do not agree";
/// See [`DOUBTFUL`].
pub(super) const DRUMS: &str = "drums alone";

impl Report {
    /// The figures of a genre from a source.
    pub(super) fn cell(&mut self, kind: &str, set: &str, genre: &str, source: &str) -> &mut Cell {
        let genre = if genre.is_empty() { "(none)" } else { genre };
        let genres = self.kinds.entry(kind.to_string()).or_default().entry(set.to_string()).or_default();
        genres.entry(genre.to_string()).or_default().entry(source.to_string()).or_default()
    }

    /// Names an item, where there are not enough for this reason yet.
    pub(super) fn name(&mut self, reason: &str, id: &str, detail: &str) {
        let names = self.named.entry(reason.to_string()).or_default();
        if names.len() < NAMED {
            names.push(if detail.is_empty() { id.to_string() } else { format!("{id} ({detail})") });
        }
    }

    /// ", such as" and the items named.
    fn such_as(&self, reason: &str) -> String {
        self.named.get(reason).map_or_else(String::new, |names| format!(", such as {}", names.join(", ")))
    }

    /// All figures, as (kind, set, genre, source, figures).
    pub fn cells(&self) -> impl Iterator<Item = (&str, &str, &str, &str, &Cell)> {
        self.kinds.iter().flat_map(|(kind, sets)| {
            sets.iter().flat_map(move |(set, genres)| {
                genres.iter().flat_map(move |(genre, sources)| {
                    let row = (kind.as_str(), set.as_str(), genre.as_str());
                    sources.iter().map(move |(source, cell)| (row.0, row.1, row.2, source.as_str(), cell))
                })
            })
        })
    }

    /// Items kept.
    pub fn kept(&self) -> usize {
        self.cells().map(|c| c.4.kept.iter().sum::<usize>()).sum()
    }

    /// Items left out, by reason.
    pub fn left_out(&self) -> BTreeMap<&str, usize> {
        let mut all = BTreeMap::new();
        for (reason, n) in self.cells().flat_map(|c| &c.4.left_out) {
            *all.entry(reason.as_str()).or_default() += n;
        }
        all
    }
}

/// Position of a split in a [`BySplit`].
pub(super) fn index(split: Split) -> usize {
    split as usize
}

/// "10/2/3", or "-" for nothing.
fn splits(counts: &BySplit) -> String {
    if *counts == [0; 3] { "-".to_string() } else { format!("{}/{}/{}", counts[0], counts[1], counts[2]) }
}

/// "3 this, 4 that".
fn reasons<'a>(counts: impl Iterator<Item = (&'a str, usize)>) -> String {
    counts.map(|(why, n)| format!("{n} {why}")).collect::<Vec<_>>().join(", ")
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut kind_before = "";
        let mut of_genre: BTreeMap<(&str, &str), [BySplit; 3]> = BTreeMap::new();
        // Sets of which nothing is kept need no table.
        let mut in_vain: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
        for (kind, set, genre, source, cell) in self.cells() {
            if cell.kept == [0; 3] {
                for (reason, n) in &cell.left_out {
                    *in_vain.entry(set).or_default().entry(reason).or_default() += n;
                }
                continue;
            }
            if kind != kind_before {
                writeln!(f, "{kind} (train/valid/test; piano: with eight bars of piano; solo: piano alone)")?;
                let [a, b, c, d, e, g] = ["set", "genre", "source", "kept", "piano", "solo"];
                writeln!(f, "  {a:28} {b:14} {c:45} {d:>13} {e:>13} {g:>13}  left out")?;
                kind_before = kind;
            }
            let total = of_genre.entry((kind, genre)).or_default();
            for (sum, own) in total.iter_mut().zip([&cell.kept, &cell.piano, &cell.solo]) {
                sum.iter_mut().zip(own).for_each(|(s, o)| *s += o);
            }
            let left = reasons(cell.left_out.iter().map(|(why, n)| (why.as_str(), *n)));
            let [kept, piano, solo] = [&cell.kept, &cell.piano, &cell.solo].map(splits);
            let line = format!("  {set:28} {genre:14} {source:45} {kept:>13} {piano:>13} {solo:>13}  {left}");
            writeln!(f, "{}", line.trim_end())?;
        }
        for ((kind, genre), counts) in &of_genre {
            let [kept, piano, solo] = [&counts[0], &counts[1], &counts[2]].map(splits);
            let what = format!("all {kind}");
            writeln!(f, "  {what:28} {genre:14} {:45} {kept:>13} {piano:>13} {solo:>13}", "")?;
        }
        for (set, why) in &in_vain {
            writeln!(
                f,
                "  {set}, genres of which nothing is kept: {}",
                reasons(why.iter().map(|(w, n)| (*w, *n)))
            )?;
        }
        for (reason, n) in self.left_out() {
            writeln!(f, "{n:6}  left out: {reason}{}", self.such_as(reason))?;
        }
        let sum = |of: fn(&Cell) -> usize| self.cells().map(|c| of(c.4)).sum::<usize>();
        for (noted, n) in [(DOUBTFUL, sum(|c| c.doubtful)), (DRUMS, sum(|c| c.drums))] {
            if n > 0 {
                writeln!(f, "{n:6}  kept, but {noted}{}", self.such_as(noted))?;
            }
        }
        writeln!(f, "{:6}  kept", self.kept())?;
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        Ok(())
    }
}
