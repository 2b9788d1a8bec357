//! A classifier of several classes: for each one against all others, boosted trees and logistic regression.

use super::super::classify::Matrix;
use super::super::classify::boosting::{Boosted, Settings};
use super::super::classify::logistic::Logistic;

/// Numbers and their class.
pub(super) struct Example<'a> {
    pub(super) row: &'a [f32],
    pub(super) class: usize,
}

struct Class {
    trees: Boosted,
    logistic: Logistic,
    /// Log odds of the class among the examples.
    prior: f32,
}

/// Learned from examples; classes without any are never told.
pub(super) struct Learner(Vec<Option<Class>>);

impl Learner {
    /// Learns `classes` classes.
    pub(super) fn fit(examples: &[Example<'_>], classes: usize, seed: u64) -> Self {
        let x = Matrix::from_rows(examples.iter().map(|e| e.row));
        let fit = |class: usize| {
            let y: Vec<bool> = examples.iter().map(|e| e.class == class).collect();
            let of_class = y.iter().filter(|&&y| y).count() as f32;
            (of_class > 0.0).then(|| Class {
                trees: Boosted::fit(&x, &y, Settings { least: 2.0, ..Settings::default() }, seed),
                logistic: Logistic::fit(&x, &y),
                prior: (of_class / (y.len() as f32 - of_class).max(1.0)).ln(),
            })
        };
        Self((0..classes).map(fit).collect())
    }

    /// The class that a row is most likely of, were all classes equally common.
    pub(super) fn tell(&self, row: &[f32]) -> usize {
        let score = |c: &Class| (c.trees.score(row) + c.logistic.score(row)) / 2.0 - c.prior;
        let scores = self.0.iter().enumerate().filter_map(|(i, c)| Some((i, score(c.as_ref()?))));
        scores.max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |s| s.0)
    }
}
