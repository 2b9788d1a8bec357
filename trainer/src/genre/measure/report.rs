//! All figures of a classifier on a set, with 95 % intervals by song, and as tables.

use std::collections::BTreeMap;

use super::calibrate::{Calibration, Unsure};
use super::figures::{Confusion, calibration_error};
use super::predictions::Predictions;
use crate::evaluate::interval::{Estimate, Resamples};
use crate::evaluate::table::{Table, estimate, percent};

/// Fewest items of a source that is given a line.
pub const LEAST_OF_SOURCE: usize = 5;

/// The figures of a classifier on a set.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Measured {
    /// The classifier.
    pub name: String,
    /// The set, such as "valid" or "imacj/MIDIFiles, unseen".
    pub set: String,
    /// Items, songs (groups) and files.
    pub items: usize,
    /// Groups.
    pub songs: usize,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Share of the items whose class was told.
    pub accuracy: Option<Estimate>,
    /// Mean recall of the classes with items.
    pub balanced: Option<Estimate>,
    /// Mean F1.
    pub macro_f1: Option<Estimate>,
    /// Top-1 by file: the mean of the probabilities of its windows.
    pub by_file: Option<Estimate>,
    /// Balanced accuracy by file.
    pub balanced_by_file: Option<Estimate>,
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
    /// By source: items, accuracy, and balanced accuracy over the classes that it has.
    pub sources: BTreeMap<String, (usize, f64, f64)>,
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
    let files = scaled.by_file();
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
    let of_source = |source: &str| {
        let own = Confusion::new(&scaled.filtered(|p| p.source == source), None);
        (own.accuracy().unwrap_or(0.0), own.balanced_accuracy().unwrap_or(0.0))
    };
    let sources = scaled.sources().into_iter().map(|(source, n)| {
        let (accuracy, balanced) = of_source(source);
        (source.to_owned(), (n, accuracy, balanced))
    });
    Measured {
        name: name.to_owned(),
        set: set.to_owned(),
        items: scaled.of_items.len(),
        songs: groups.len(),
        classes: scaled.classes.clone(),
        accuracy: interval(&scaled, &Confusion::accuracy),
        balanced: interval(&scaled, &Confusion::balanced_accuracy),
        macro_f1: interval(&scaled, &Confusion::macro_f1),
        by_file: interval(&files, &Confusion::accuracy),
        balanced_by_file: interval(&files, &Confusion::balanced_accuracy),
        ece_raw: calibration_error(&predictions.of_items, None),
        ece: calibration_error(&scaled.of_items, None),
        majority: confusion.majority(),
        calibration,
        unsure: Unsure::of(&scaled.of_items, calibration.unsure),
        sources: sources.collect(),
        confusion,
    }
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
        "by file",
        "balanced by file",
        "ECE as is",
        "ECE",
        "unsure below",
        "answered",
        "right of these",
    ];
    let mut table = Table::new("Genre: figures with 95 % intervals by song", head).names(2);
    let mut last = None;
    let plain = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| format!("{v:.3}"));
    for m in all {
        if last != Some(&m.set) {
            let (accuracy, balanced) = m.majority.unzip();
            let mut row =
                vec![m.set.clone(), "majority class".to_owned(), m.items.to_string(), m.songs.to_string()];
            row.extend([plain(accuracy), plain(balanced)]);
            table.push(row);
            last = Some(&m.set);
        }
        table.push([
            m.set.clone(),
            m.name.clone(),
            m.items.to_string(),
            m.songs.to_string(),
            estimate(m.accuracy.as_ref()),
            estimate(m.balanced.as_ref()),
            estimate(m.macro_f1.as_ref()),
            estimate(m.by_file.as_ref()),
            estimate(m.balanced_by_file.as_ref()),
            plain(m.ece_raw),
            plain(m.ece),
            format!("{:.2}", m.calibration.unsure),
            percent(m.unsure.answered),
            plain(m.unsure.accuracy),
        ]);
    }
    table
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

/// Accuracy by source, of sources with at least [`LEAST_OF_SOURCE`] items.
pub fn sources(m: &Measured) -> Table {
    let mut table = Table::new(
        format!("{}, {}: by source", m.name, m.set),
        ["source", "items", "accuracy", "balanced over its classes"],
    );
    for (source, (items, accuracy, balanced)) in &m.sources {
        if *items >= LEAST_OF_SOURCE {
            table.push([
                source.clone(),
                items.to_string(),
                format!("{accuracy:.3}"),
                format!("{balanced:.3}"),
            ]);
        }
    }
    table
}
