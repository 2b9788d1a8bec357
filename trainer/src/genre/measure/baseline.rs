//! What a classifier is to beat: boosted trees and logistic regression over plain figures, such as programs and
//! tempo ([`sideman_music::genre::programs_and_tempo`]) or mean and deviation of the mel bands
//! ([`crate::genre::baseline::mean_and_deviation`]).

use crate::evaluate::classify::Matrix;
use crate::evaluate::classify::boosting::{Boosted, Settings};
use crate::evaluate::classify::logistic::Logistic;

/// Each class against all others, the mean of both classifiers' scores, less the class's log odds among the
/// examples, so that classes count alike however common they are.
pub struct Baseline(Vec<Option<Class>>);

struct Class {
    trees: Boosted,
    logistic: Logistic,
    /// Log odds among the examples.
    prior: f32,
}

impl Baseline {
    /// Learns from rows of equal width and their classes, numbers below `classes`. Deterministic.
    ///
    /// # Panics
    /// When the rows differ in width, or there are fewer classes given than rows.
    pub fn fit(rows: &[Vec<f32>], of_rows: &[usize], classes: usize, seed: u64) -> Self {
        assert_eq!(rows.len(), of_rows.len(), "a class for each row");
        let x = Matrix::from_rows(rows.iter().map(Vec::as_slice));
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

    /// Probabilities of a row's classes; 0 for classes without examples.
    pub fn probabilities(&self, row: &[f32]) -> Vec<f32> {
        let score = |c: &Class| f32::midpoint(c.trees.score(row), c.logistic.score(row)) - c.prior;
        let scores: Vec<f32> = self.0.iter().map(|c| c.as_ref().map_or(f32::NEG_INFINITY, score)).collect();
        let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut out: Vec<f32> = scores.iter().map(|s| (s - most).exp()).collect();
        let sum: f32 = out.iter().sum();
        out.iter_mut().for_each(|p| *p /= sum);
        out
    }
}
