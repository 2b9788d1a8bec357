//! Several classes: for each one against all others, boosted trees and logistic regression.

use super::Matrix;
use super::boosting::{Boosted, Settings};
use super::logistic::Logistic;

/// Each class against all others, the mean of both classifiers' scores, less the class's log odds among the
/// examples, so that classes count alike however common they are.
pub struct OneAgainstAll(Vec<Option<Class>>);

struct Class {
    trees: Boosted,
    logistic: Logistic,
    /// Log odds among the examples.
    prior: f32,
}

impl OneAgainstAll {
    /// Learns from rows of equal width and their classes, numbers below `classes`. Deterministic.
    ///
    /// # Panics
    /// When the rows differ in width, or there is not a class for each row.
    pub fn fit(rows: &[&[f32]], of_rows: &[usize], classes: usize, seed: u64) -> Self {
        assert_eq!(rows.len(), of_rows.len(), "a class for each row");
        let x = Matrix::from_rows(rows.iter().copied());
        let fit = |class: usize| {
            let y: Vec<bool> = of_rows.iter().map(|&c| c == class).collect();
            let of_class = y.iter().filter(|&&y| y).count() as f32;
            (of_class > 0.0).then(|| Class {
                trees: Boosted::fit(&x, &y, Settings { least: 2.0, ..Settings::default() }, seed),
                logistic: Logistic::fit(&x, &y),
                prior: (of_class / (y.len() as f32 - of_class).max(1.0)).ln(),
            })
        };
        Self((0..classes).map(fit).collect())
    }

    /// The score of each class for a row; none for classes without examples.
    pub fn scores(&self, row: &[f32]) -> impl Iterator<Item = Option<f32>> {
        let score = |c: &Class| f32::midpoint(c.trees.score(row), c.logistic.score(row)) - c.prior;
        self.0.iter().map(move |c| c.as_ref().map(score))
    }
}
