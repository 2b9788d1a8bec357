//! All figures of a classifier on a set, with 95 % intervals by song, and as tables.

use std::collections::{BTreeMap, BTreeSet};

use super::calibrate::{Calibration, Unsure};
use super::figures::{Confusion, calibration_error};
use super::predictions::Predictions;
use crate::eval::interval::{Estimate, Resamples};
use crate::report::table::{Table, estimate, percent};

/// Fewest items of a source that is given a line.
pub const LEAST_OF_SOURCE: usize = 5;

/// The figures of a classifier on a set.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Measured {
    /// The classifier.
    pub name: String,
    /// Which model it is, by the name that `genre train` has for it.
    pub model: String,
    /// Of a baseline: the classifier that it stands beside.
    pub beside: Option<String>,
    /// The set, such as "valid" or "imacj, unseen".
    pub set: String,
    /// The source that the set consists of, where training was kept from it.
    pub held_out: Option<String>,
    /// Items: windows, parts or whole files.
    pub items: usize,
    /// Files that they are of.
    pub files: usize,
    /// Songs: groups of files that are versions of one another.
    pub songs: usize,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Share of the items whose class was told.
    pub accuracy: Option<Estimate>,
    /// Mean recall of the classes with items.
    pub balanced: Option<Estimate>,
    /// Mean F1.
    pub macro_f1: Option<Estimate>,
    /// Top-1 by file: the mean of the probabilities of its items.
    pub by_file: Option<Estimate>,
    /// Balanced accuracy by file.
    pub balanced_by_file: Option<Estimate>,
    /// Top-1 by file: the class that most of its items were told to be.
    pub by_vote: Option<Estimate>,
    /// Calibration error as the classifier comes.
    pub ece_raw: Option<f64>,
    /// With the temperature of the valid split.
    pub ece: Option<f64>,
    /// Accuracy and balanced accuracy of telling always the most common class of the set.
    pub majority: Option<(f64, f64)>,
    /// What was fitted on the valid split.
    pub calibration: Calibration,
    /// What the threshold of the valid split does here.
    pub unsure: Unsure,
    /// By true class and class told.
    pub confusion: Confusion,
    /// By source.
    pub sources: BTreeMap<String, OfSource>,
}

/// The figures of a classifier on the items of one source.
#[derive(Debug, Clone, serde::Serialize)]
pub struct OfSource {
    /// Items.
    pub items: usize,
    /// Songs: groups of files.
    pub songs: usize,
    /// Share of the items whose class was told.
    pub accuracy: Option<Estimate>,
    /// Mean recall of the classes that the source has.
    pub balanced: Option<Estimate>,
    /// Accuracy of telling always its most common class.
    pub majority: Option<f64>,
}

/// Measures predictions on a set. `calibration` was fitted on the valid split; `resamples` redraws of the
/// groups make the intervals, from a seed.
pub fn measure(
    name: &str,
    set: &str,
    predictions: &Predictions,
    calibration: Calibration,
    resamples: usize,
    seed: u64,
) -> Measured {
    let scaled = calibration.apply(predictions);
    let (files, votes) = (scaled.by_file(), scaled.by_vote());
    let mut groups = BTreeMap::new();
    for p in &scaled.of_items {
        let next = groups.len();
        groups.entry(p.group.as_str()).or_insert(next);
    }
    let draws = Resamples::new(groups.len(), resamples, seed);
    let interval = |of: &Predictions, figure: &dyn Fn(&Confusion) -> Option<f64>| {
        let places: Vec<usize> = of.of_items.iter().map(|p| groups[p.group.as_str()]).collect();
        draws.estimate(groups.len(), |w| {
            let weights: Vec<f64> = places.iter().map(|&g| w[g]).collect();
            figure(&Confusion::new(of, Some(&weights)))
        })
    };
    let confusion = Confusion::new(&scaled, None);
    let sources = scaled.sources().into_iter().map(|(source, items)| {
        let own = scaled.filtered(|p| p.source == source);
        let songs: BTreeSet<&str> = own.of_items.iter().map(|p| p.group.as_str()).collect();
        let figures = OfSource {
            items,
            songs: songs.len(),
            accuracy: interval(&own, &Confusion::accuracy),
            balanced: interval(&own, &Confusion::balanced_accuracy),
            majority: Confusion::new(&own, None).majority().map(|m| m.0),
        };
        (source.to_owned(), figures)
    });
    Measured {
        name: name.to_owned(),
        model: name.to_owned(),
        beside: None,
        set: set.to_owned(),
        held_out: None,
        items: scaled.of_items.len(),
        files: files.of_items.len(),
        songs: groups.len(),
        classes: scaled.classes.clone(),
        accuracy: interval(&scaled, &Confusion::accuracy),
        balanced: interval(&scaled, &Confusion::balanced_accuracy),
        macro_f1: interval(&scaled, &Confusion::macro_f1),
        by_file: interval(&files, &Confusion::accuracy),
        balanced_by_file: interval(&files, &Confusion::balanced_accuracy),
        by_vote: interval(&votes, &Confusion::accuracy),
        ece_raw: calibration_error(&predictions.of_items, None),
        ece: calibration_error(&scaled.of_items, None),
        majority: confusion.majority(),
        calibration,
        unsure: Unsure::of(&scaled.of_items, calibration.unsure),
        sources: sources.collect(),
        confusion,
    }
}

/// A figure without an interval; a dash where there is none.
fn plain(v: Option<f64>) -> String {
    v.map_or_else(|| "-".to_owned(), |v| format!("{v:.3}"))
}

/// One line each: the figures side by side. The majority class of each set is a line of its own.
pub fn summary(all: &[Measured]) -> Table {
    let head = [
        "set",
        "model",
        "items",
        "songs",
        "accuracy",
        "balanced",
        "macro-F1",
        "ECE as is",
        "ECE",
        "unsure below",
        "answered",
        "right of these",
    ];
    let mut table = Table::new("Genre: figures with 95 % intervals by song", head).names(2);
    let mut last = None;
    for m in all {
        let of_set = Some((&m.set, m.items, m.majority));
        // A baseline stands under its model.
        if last != of_set && m.beside.is_none() {
            let (accuracy, balanced) = m.majority.unzip();
            let mut row =
                vec![m.set.clone(), "majority class".to_owned(), m.items.to_string(), m.songs.to_string()];
            row.extend([plain(accuracy), plain(balanced)]);
            table.push(row);
            last = of_set;
        }
        table.push([
            m.set.clone(),
            m.name.clone(),
            m.items.to_string(),
            m.songs.to_string(),
            estimate(m.accuracy.as_ref()),
            estimate(m.balanced.as_ref()),
            estimate(m.macro_f1.as_ref()),
            plain(m.ece_raw),
            plain(m.ece),
            format!("{:.2}", m.calibration.unsure),
            percent(m.unsure.answered),
            plain(m.unsure.accuracy),
        ]);
    }
    table
}

/// Whole files, of classifiers that are given windows or parts of them.
pub fn files(all: &[Measured]) -> Table {
    let head = [
        "set",
        "model",
        "items",
        "files",
        "accuracy by item",
        "by file, mean",
        "by file, vote",
        "balanced by item",
        "by file, mean",
    ];
    let mut table = Table::new("Whole files: their windows or parts, joined", head).names(2);
    for m in all.iter().filter(|m| m.files < m.items) {
        table.push([
            m.set.clone(),
            m.name.clone(),
            m.items.to_string(),
            m.files.to_string(),
            estimate(m.accuracy.as_ref()),
            estimate(m.by_file.as_ref()),
            estimate(m.by_vote.as_ref()),
            estimate(m.balanced.as_ref()),
            estimate(m.balanced_by_file.as_ref()),
        ]);
    }
    table
}

/// Sources that training was kept from: how much of what was learnt holds there.
pub fn held_out(all: &[Measured]) -> Table {
    let head = [
        "source",
        "model",
        "items",
        "songs",
        "accuracy there",
        "balanced there",
        "majority",
        "baseline there",
        "balanced of other sources",
    ];
    let mut table =
        Table::new("Sources that training never saw; balanced: over the classes that the source has", head)
            .names(2);
    for m in all.iter().filter(|m| m.beside.is_none()) {
        let Some(source) = &m.held_out else { continue };
        let baseline = beside(all, m).and_then(|b| b.balanced);
        let others = all.iter().find(|o| o.name == m.name && o.beside.is_none() && o.held_out.is_none());
        table.push([
            source.clone(),
            m.name.clone(),
            m.items.to_string(),
            m.songs.to_string(),
            estimate(m.accuracy.as_ref()),
            estimate(m.balanced.as_ref()),
            plain(m.majority.map(|m| m.0)),
            estimate(baseline.as_ref()),
            estimate(others.and_then(|o| o.balanced).as_ref()),
        ]);
    }
    table
}

/// The baseline that stands beside a classifier.
pub fn beside<'a>(all: &'a [Measured], m: &Measured) -> Option<&'a Measured> {
    all.iter().find(|b| b.beside.as_ref() == Some(&m.name) && b.set == m.set)
}

/// The confusion matrix: a line a true class, its items, and the share of them that was told to be each class.
pub fn confusion(m: &Measured) -> Table {
    let mut head = vec!["true class".to_owned(), "items".to_owned()];
    head.extend(m.classes.iter().cloned());
    let mut table = Table::new(format!("{}, {}: class told, % of the true class", m.name, m.set), head);
    for (c, name) in m.classes.iter().enumerate() {
        let items = m.confusion.of_class(c);
        let mut row = vec![name.clone(), format!("{items:.0}")];
        row.extend(
            m.confusion.0[c]
                .iter()
                .map(|&n| if items > 0.0 { format!("{:.0}", 100.0 * n / items) } else { "-".to_owned() }),
        );
        table.push(row);
    }
    table
}

/// Accuracy by source, of sources with at least [`LEAST_OF_SOURCE`] items; beside it the baseline's, where there
/// is one.
pub fn sources(m: &Measured, baseline: Option<&Measured>) -> Table {
    let mut head = vec!["source", "items", "songs", "accuracy", "balanced over its classes", "majority"];
    head.extend(baseline.map(|b| b.name.as_str()));
    let mut table = Table::new(format!("{}, {}: by source", m.name, m.set), head);
    for (source, of) in m.sources.iter().filter(|s| s.1.items >= LEAST_OF_SOURCE) {
        let mut row = vec![
            source.clone(),
            of.items.to_string(),
            of.songs.to_string(),
            estimate(of.accuracy.as_ref()),
            estimate(of.balanced.as_ref()),
            plain(of.majority),
        ];
        row.extend(baseline.map(|b| estimate(b.sources.get(source).and_then(|s| s.accuracy.as_ref()))));
        table.push(row);
    }
    table
}
