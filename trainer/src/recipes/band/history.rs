//! What a log says about a run.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::train::panel::Points;

/// A line of the log: either a look at the training (`loss`) or a validation (`valid`).
#[derive(Debug, Clone, Deserialize)]
struct Line {
    batch: f64,
    #[serde(default)]
    seconds: f64,
    loss: Option<f64>,
    norm: Option<f64>,
    learning_rate: Option<f64>,
    valid: Option<f64>,
    #[serde(default)]
    terms: BTreeMap<String, Option<f64>>,
}

/// The curves of a run. Values that were no numbers are left out.
#[derive(Debug, Default, PartialEq)]
pub(super) struct History {
    /// Training loss in nats a 16th, a moving mean.
    pub(super) train: Points,
    /// Norm of the gradient before clipping, a moving mean.
    pub(super) norm: Points,
    /// Learning rate.
    pub(super) learning_rate: Points,
    /// Loss on the valid split in nats a 16th.
    pub(super) valid: Points,
    /// Valid loss by the first word of the term's name: the part.
    pub(super) by_part: BTreeMap<String, Points>,
    /// Valid loss by the rest of the term's name: what is decided.
    pub(super) by_kind: BTreeMap<String, Points>,
    /// Last batch.
    pub(super) batches: f64,
    /// Seconds up to it.
    pub(super) seconds: f64,
}

impl History {
    /// Reads a log. A run that was killed may leave half a line, which is passed over, and lines after its
    /// last checkpoint, which the resumed run wrote anew: the later ones count.
    pub(super) fn parse(text: &str) -> Self {
        let mut lines: Vec<Line> = vec![];
        for line in text.lines().filter_map(|l| serde_json::from_str::<Line>(l).ok()) {
            let done_again = |old: &Line| {
                old.batch > line.batch
                    || old.batch == line.batch && old.valid.is_some() >= line.valid.is_some()
            };
            while lines.last().is_some_and(done_again) {
                lines.pop();
            }
            lines.push(line);
        }
        let mut out = Self::default();
        for line in &lines {
            let at = line.batch;
            let push = |points: &mut Points, value: Option<f64>| {
                points.extend(value.filter(|v| v.is_finite()).map(|v| (at, v)));
            };
            push(&mut out.train, line.loss);
            push(&mut out.norm, line.norm);
            push(&mut out.learning_rate, line.learning_rate);
            push(&mut out.valid, line.valid);
            let (mut parts, mut kinds) = (BTreeMap::new(), BTreeMap::new());
            for (name, value) in &line.terms {
                let Some(value) = value.filter(|v| v.is_finite()) else { continue };
                let (part, kind) = name.split_once(' ').unwrap_or((name, name));
                *parts.entry(part).or_insert(0.0) += value;
                *kinds.entry(kind).or_insert(0.0) += value;
            }
            for (sums, curves) in [(parts, &mut out.by_part), (kinds, &mut out.by_kind)] {
                for (name, sum) in sums {
                    curves.entry(name.to_owned()).or_default().push((at, sum));
                }
            }
            (out.batches, out.seconds) = (at, line.seconds);
        }
        out
    }

    pub(super) fn is_empty(&self) -> bool {
        self.train.is_empty() && self.valid.is_empty()
    }

    /// The validation with the lowest loss.
    pub(super) fn best(&self) -> Option<(f64, f64)> {
        self.valid.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resumed_run_counts_from_where_it_was_resumed() {
        let log = r#"
            {"batch":25,"loss":9.0,"norm":2.0,"learning_rate":0.001,"seconds":1}
            {"batch":50,"loss":8.0,"norm":null,"learning_rate":0.001,"seconds":2}
            {"batch":50,"valid":7.5,"terms":{"early":0.5,"bass onset":3.0,"bass pitch":4.0},"seconds":3}
            {"batch":75,"loss":7.0,"norm":1.0,"learning_rate":0.001,"seconds":4}
            {"batch":100,"loss":6.0,"no{"batch":75,"loss":7.1,"norm":1.5,"learning_rate":0.001,"seconds":5}
            {"batch":100,"loss":6.1,"norm":1.5,"learning_rate":0.001,"seconds":6}
            {"batch":75,"loss":7.2,"norm":1.5,"learning_rate":0.001,"seconds":5}"#;
        let history = History::parse(log);
        assert_eq!(history.train, [(25.0, 9.0), (50.0, 8.0), (75.0, 7.2)]);
        assert_eq!(history.norm, [(25.0, 2.0), (75.0, 1.5)]);
        assert_eq!(history.valid, [(50.0, 7.5)]);
        assert_eq!(history.by_part["bass"], [(50.0, 7.0)]);
        assert_eq!(history.by_kind.keys().collect::<Vec<_>>(), ["early", "onset", "pitch"]);
        assert_eq!((history.batches, history.seconds), (75.0, 5.0));
    }

    #[test]
    fn nothing_comes_of_nothing() {
        assert!(History::parse("").is_empty());
        assert!(History::parse("not a log\n{\"batch\":25,\"loss\":null}").is_empty());
    }
}
