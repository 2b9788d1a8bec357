//! A classifier of several classes: for each one against all others, boosted trees and logistic regression.

use super::super::classify::one_against_all::OneAgainstAll;

/// Numbers and their class.
pub(super) struct Example<'a> {
    pub(super) row: &'a [f32],
    pub(super) class: usize,
}

/// Learned from examples; classes without any are never told.
pub(super) struct Learner(OneAgainstAll);

impl Learner {
    /// Learns `classes` classes.
    pub(super) fn fit(examples: &[Example<'_>], classes: usize, seed: u64) -> Self {
        let rows: Vec<&[f32]> = examples.iter().map(|e| e.row).collect();
        let of_rows: Vec<usize> = examples.iter().map(|e| e.class).collect();
        Self(OneAgainstAll::fit(&rows, &of_rows, classes, seed))
    }

    /// The class that a row is most likely of, were all classes equally common.
    pub(super) fn tell(&self, row: &[f32]) -> usize {
        let scores = self.0.scores(row).enumerate().filter_map(|(i, score)| Some((i, score?)));
        scores.max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |s| s.0)
    }
}
