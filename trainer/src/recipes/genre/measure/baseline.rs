//! What a classifier is to beat: boosted trees and logistic regression over plain figures, such as programs and
//! tempo ([`sideman_music::encoding::bar_features::programs_and_tempo`]) or mean and deviation of the mel bands
//! ([`crate::recipes::genre::baseline::mean_and_deviation`]).

use crate::eval::classify::one_against_all::OneAgainstAll;

/// One class against all others, as probabilities.
pub struct Baseline(OneAgainstAll);

impl Baseline {
    /// As [`OneAgainstAll::fit`].
    ///
    /// # Panics
    /// When the rows differ in width, or there are fewer classes given than rows.
    pub fn fit(rows: &[Vec<f32>], of_rows: &[usize], classes: usize, seed: u64) -> Self {
        let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        Self(OneAgainstAll::fit(&rows, of_rows, classes, seed))
    }

    /// Probabilities of a row's classes; 0 for classes without examples.
    pub fn probabilities(&self, row: &[f32]) -> Vec<f32> {
        let scores: Vec<f32> = self.0.scores(row).map(|s| s.unwrap_or(f32::NEG_INFINITY)).collect();
        let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut out: Vec<f32> = scores.iter().map(|s| (s - most).exp()).collect();
        let sum: f32 = out.iter().sum();
        out.iter_mut().for_each(|p| *p /= sum);
        out
    }
}
