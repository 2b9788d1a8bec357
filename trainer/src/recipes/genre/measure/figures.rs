//! The figures of predictions. Each counts an item as often as its weight says, so that intervals can draw
//! songs again.

use super::predictions::{Prediction, Predictions};

/// Bins of the calibration error.
pub const BINS: usize = 15;

/// Predictions counted by true class and by class told, (true, told).
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Confusion(pub Vec<Vec<f64>>);

impl Confusion {
    /// Counts, each item by its weight; every item once without weights.
    pub fn new(predictions: &Predictions, weights: Option<&[f64]>) -> Self {
        let n = predictions.classes.len();
        let mut counts = vec![vec![0.0; n]; n];
        for (i, p) in predictions.of_items.iter().enumerate() {
            counts[p.class][p.best()] += weights.map_or(1.0, |w| w[i]);
        }
        Self(counts)
    }

    fn total(&self) -> f64 {
        self.0.iter().flatten().sum()
    }

    /// Items of a class.
    pub fn of_class(&self, class: usize) -> f64 {
        self.0[class].iter().sum()
    }

    /// Share of the items whose class was told. `None` without items.
    pub fn accuracy(&self) -> Option<f64> {
        let right: f64 = (0..self.0.len()).map(|c| self.0[c][c]).sum();
        (self.total() > 0.0).then(|| right / self.total())
    }

    /// Mean over the classes that have items of the share that was told (recall). `None` without items.
    pub fn balanced_accuracy(&self) -> Option<f64> {
        self.mean(|c| (self.of_class(c) > 0.0).then(|| self.0[c][c] / self.of_class(c)))
    }

    /// Mean over the classes that have items or were told of 2 TP / (2 TP + FP + FN). `None` without items.
    pub fn macro_f1(&self) -> Option<f64> {
        self.mean(|c| {
            let told: f64 = self.0.iter().map(|row| row[c]).sum();
            let either = self.of_class(c) + told;
            (either > 0.0).then(|| 2.0 * self.0[c][c] / either)
        })
    }

    /// Accuracy and balanced accuracy of telling always the class with the most items.
    pub fn majority(&self) -> Option<(f64, f64)> {
        let most = (0..self.0.len()).map(|c| self.of_class(c)).fold(0.0, f64::max);
        let classes = (0..self.0.len()).filter(|&c| self.of_class(c) > 0.0).count();
        (most > 0.0).then(|| (most / self.total(), 1.0 / classes as f64))
    }

    fn mean(&self, of: impl Fn(usize) -> Option<f64>) -> Option<f64> {
        let values: Vec<f64> = (0..self.0.len()).filter_map(of).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }
}

/// Expected calibration error (Naeini et al. 2015; Guo et al. 2017, equation 3): the mean distance of
/// confidence from accuracy over [`BINS`] bins of equal width, weighted by their items. `None` without items.
pub fn calibration_error(items: &[Prediction], weights: Option<&[f64]>) -> Option<f64> {
    let mut bins = [(0.0f64, 0.0f64); BINS];
    let mut total = 0.0;
    for (i, p) in items.iter().enumerate() {
        let w = weights.map_or(1.0, |w| w[i]);
        let bin = &mut bins[((p.confidence() * BINS as f32) as usize).min(BINS - 1)];
        bin.0 += w * f64::from(p.confidence());
        bin.1 += if p.best() == p.class { w } else { 0.0 };
        total += w;
    }
    (total > 0.0)
        .then(|| bins.iter().map(|(confident, right)| (confident - right).abs()).sum::<f64>() / total)
}

/// Mean negative logarithm of the probability of the true class, nats, every item once. `None` without items.
pub fn cross_entropy(items: &[Prediction]) -> Option<f64> {
    let sum: f64 = items.iter().map(|p| -f64::from(p.probabilities[p.class]).max(1e-9).ln()).sum();
    (!items.is_empty()).then(|| sum / items.len() as f64)
}
