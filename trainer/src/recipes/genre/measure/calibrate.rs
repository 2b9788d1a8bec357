//! How sure a classifier may be: a temperature, and when to say "unsure". Both are fitted on the valid split.

use super::predictions::{Prediction, Predictions};

/// Accuracy that is asked of what is answered.
pub const WANTED_ACCURACY: f64 = 0.85;
/// The lowest threshold: what is less likely than this is no answer, however well the rest does.
pub const LEAST_THRESHOLD: f32 = 0.35;
/// Least share of the items that shall be answered.
pub const LEAST_ANSWERED: f64 = 0.5;

/// What was fitted on the valid split.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Calibration {
    /// The logarithms of the probabilities are divided by this (Guo et al. 2017, section 4.2); above 1 where a
    /// classifier is too sure.
    pub temperature: f32,
    /// Below this probability of the best class, after the temperature, the answer is "unsure".
    pub unsure: f32,
}

impl Default for Calibration {
    /// Probabilities as they are, always an answer.
    fn default() -> Self {
        Self { temperature: 1.0, unsure: 0.0 }
    }
}

/// What a threshold does.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Unsure {
    /// The threshold.
    pub threshold: f32,
    /// Share of the items that are answered.
    pub answered: f64,
    /// Accuracy of what is answered; `None` when nothing is.
    pub accuracy: Option<f64>,
}

impl Unsure {
    /// Counts the items whose best class reaches a threshold.
    pub fn of(items: &[Prediction], threshold: f32) -> Self {
        let answered: Vec<&Prediction> = items.iter().filter(|p| p.confidence() >= threshold).collect();
        let right = answered.iter().filter(|p| p.best() == p.class).count();
        Self {
            threshold,
            answered: answered.len() as f64 / items.len().max(1) as f64,
            accuracy: (!answered.is_empty()).then(|| right as f64 / answered.len() as f64),
        }
    }
}

impl Calibration {
    /// Fits the temperature by the cross-entropy, then the threshold: the lowest hundredth from [`LEAST_THRESHOLD`] on at which what is
    /// answered is right at least [`WANTED_ACCURACY`] of the time, but one that answers at least
    /// [`LEAST_ANSWERED`] of the items; where there is none, the most accurate of those. For the temperature each
    /// file counts alike, whatever the number of its windows.
    pub fn fit(valid: &Predictions) -> Self {
        let temperature = temperature(&valid.of_items);
        let scaled = Self { temperature, unsure: 0.0 }.apply(valid);
        let from = (LEAST_THRESHOLD * 100.0).round() as usize;
        let steps = (from..100).map(|i| Unsure::of(&scaled.of_items, i as f32 / 100.0));
        let allowed: Vec<Unsure> = steps.take_while(|u| u.answered >= LEAST_ANSWERED).collect();
        let reached = allowed.iter().find(|u| u.accuracy.is_some_and(|a| a >= WANTED_ACCURACY));
        let chosen = reached.or_else(|| {
            // The lowest of the most accurate.
            allowed
                .iter()
                .rev()
                .max_by(|a, b| a.accuracy.unwrap_or(0.0).total_cmp(&b.accuracy.unwrap_or(0.0)))
        });
        Self { temperature, unsure: chosen.map_or(LEAST_THRESHOLD, |u| u.threshold) }
    }

    /// The predictions with the temperature applied.
    pub fn apply(&self, predictions: &Predictions) -> Predictions {
        let mut out = predictions.clone();
        for p in &mut out.of_items {
            scale(&mut p.probabilities, self.temperature);
        }
        out
    }
}

/// Divides the logarithms of probabilities by a temperature.
fn scale(probabilities: &mut [f32], temperature: f32) {
    let logarithm = |p: f32| p.max(1e-12).ln() / temperature;
    let most = probabilities.iter().copied().map(logarithm).fold(f32::NEG_INFINITY, f32::max);
    probabilities.iter_mut().for_each(|p| *p = (logarithm(*p) - most).exp());
    let sum: f32 = probabilities.iter().sum();
    probabilities.iter_mut().for_each(|p| *p /= sum);
}

/// The temperature with the least cross-entropy, each file counting alike, between 0.05 and 20: a golden
/// section search of its logarithm, in which the cross-entropy has one minimum.
fn temperature(items: &[Prediction]) -> f32 {
    let mut windows = std::collections::BTreeMap::<&str, f64>::new();
    items.iter().for_each(|p| *windows.entry(p.file()).or_default() += 1.0);
    let cost = |log: f64| -> f64 {
        let of = |p: &Prediction| {
            let mut q = p.probabilities.clone();
            scale(&mut q, log.exp() as f32);
            -f64::from(q[p.class]).max(1e-30).ln() / windows[p.file()]
        };
        items.iter().map(of).sum()
    };
    if items.is_empty() {
        return 1.0;
    }
    let golden = (5f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (0.05f64.ln(), 20f64.ln());
    for _ in 0..40 {
        let (a, b) = (high - golden * (high - low), low + golden * (high - low));
        if cost(a) <= cost(b) { high = b } else { low = a }
    }
    f64::midpoint(low, high).exp() as f32
}
