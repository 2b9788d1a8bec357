//! What a classifier says of examples.

use std::path::Path;

use anyhow::Context;
use candle_core::{D, Device};
use rayon::prelude::*;
use sideman_nets::genre::DynClassifier;
use sideman_nets::nn::{Mode, Parameters};

use super::Examples;
use crate::report::write_whole;

/// Probabilities of the classes for each example.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Predictions {
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Piece of each example.
    pub ids: Vec<String>,
    /// Source of each example's piece.
    pub sources: Vec<String>,
    /// True class of each example.
    pub truth: Vec<usize>,
    /// Probabilities, (examples, classes).
    pub probabilities: Vec<Vec<f32>>,
}

/// Metrics of predictions.
#[derive(Debug, Clone, PartialEq)]
pub struct Metrics {
    /// Mean cross-entropy in nats.
    pub loss: f64,
    /// Share that is right.
    pub accuracy: f64,
    /// Mean over the classes that occur of the share of their examples that is right.
    pub balanced: f64,
    /// Mean over the classes that occur of their F1.
    pub macro_f1: f64,
    /// Examples by (true class, class said).
    pub confusion: Vec<Vec<usize>>,
}

/// Runs a network over examples, on the device that its tensors are on.
///
/// # Errors
/// When an example cannot be read or does not fit the network.
pub fn predict(
    network: &DynClassifier,
    parameters: &Parameters,
    examples: &dyn Examples,
    batch: usize,
    device: &Device,
) -> anyhow::Result<Predictions> {
    let mut out = Predictions { classes: examples.classes().to_vec(), ..Predictions::default() };
    let all: Vec<usize> = (0..examples.len()).collect();
    let layers = network.load(parameters)?;
    for some in all.chunks(batch.max(1)) {
        let inputs = examples
            .inputs(some, None)?
            .into_iter()
            .map(|t| t.to_device(device))
            .collect::<candle_core::Result<Vec<_>>>()?;
        let logits = layers.forward(&inputs, &mut Mode::Inference)?;
        let rows = logits.to_dtype(candle_core::DType::F32)?.to_device(&Device::Cpu)?;
        out.probabilities.extend(softmax(rows.to_vec2()?));
    }
    for &example in &all {
        let named = examples.named(example);
        out.ids.push(named.id.to_owned());
        out.sources.push(named.source.to_owned());
        out.truth.push(examples.class(example));
    }
    Ok(out)
}

/// Softmax of each row.
fn softmax(mut rows: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    rows.par_iter_mut().for_each(|row| {
        let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.iter_mut().for_each(|v| *v = (*v - top).exp());
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|v| *v /= sum);
    });
    rows
}

/// The class with the highest value; the first of equal ones.
pub(super) fn highest(values: &[f32]) -> usize {
    (0..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}

impl Predictions {
    /// One prediction a piece, where several examples are of one: the mean of their probabilities.
    pub fn by_piece(&self) -> Self {
        self.joined(|sum, row| sum.iter_mut().zip(row).for_each(|(s, p)| *s += p))
    }

    /// One prediction a piece: the share of its examples that said each class (P4's vote).
    pub fn by_vote(&self) -> Self {
        self.joined(|sum, row| sum[highest(row)] += 1.0)
    }

    fn joined(&self, add: impl Fn(&mut [f32], &[f32])) -> Self {
        let mut places = std::collections::BTreeMap::new();
        let mut out = Self { classes: self.classes.clone(), ..Self::default() };
        let mut counts: Vec<f32> = vec![];
        for (i, id) in self.ids.iter().enumerate() {
            let at = *places.entry(id.as_str()).or_insert_with(|| {
                out.ids.push(id.clone());
                out.sources.push(self.sources[i].clone());
                out.truth.push(self.truth[i]);
                out.probabilities.push(vec![0.0; self.classes.len()]);
                counts.push(0.0);
                counts.len() - 1
            });
            add(&mut out.probabilities[at], &self.probabilities[i]);
            counts[at] += 1.0;
        }
        for (row, count) in out.probabilities.iter_mut().zip(counts) {
            row.iter_mut().for_each(|p| *p /= count);
        }
        out
    }

    /// The figures; all zero where there is nothing.
    pub fn metrics(&self) -> Metrics {
        let classes = self.classes.len();
        let mut confusion = vec![vec![0; classes]; classes];
        let mut loss = 0.0;
        for (row, &truth) in self.probabilities.iter().zip(&self.truth) {
            confusion[truth][highest(row)] += 1;
            loss -= f64::from(row[truth].max(1e-30)).ln();
        }
        let said = |c: usize| confusion.iter().map(|row| row[c]).sum::<usize>();
        let ratio = |a: usize, b: usize| if b == 0 { 0.0 } else { a as f64 / b as f64 };
        let present: Vec<usize> = (0..classes).filter(|&c| confusion[c].iter().any(|&n| n > 0)).collect();
        let of = |c: usize| confusion[c].iter().sum::<usize>();
        let mean = |f: &dyn Fn(usize) -> f64| {
            present.iter().map(|&c| f(c)).sum::<f64>() / present.len().max(1) as f64
        };
        let right = (0..classes).map(|c| confusion[c][c]).sum();
        Metrics {
            loss: loss / self.truth.len().max(1) as f64,
            accuracy: ratio(right, self.truth.len()),
            balanced: mean(&|c| ratio(confusion[c][c], of(c))),
            macro_f1: mean(&|c| ratio(2 * confusion[c][c], of(c) + said(c))),
            confusion,
        }
    }

    /// Writes a table with the columns id, source, class, p0, p1 and so on: the true class by number, and the
    /// probabilities of the classes. Whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut table = csv::Writer::from_writer(vec![]);
        let mut head: Vec<String> = ["id", "source", "class"].map(String::from).into();
        head.extend((0..self.classes.len()).map(|c| format!("p{c}")));
        table.write_record(&head)?;
        for (i, row) in self.probabilities.iter().enumerate() {
            let mut record = vec![self.ids[i].clone(), self.sources[i].clone(), self.truth[i].to_string()];
            record.extend(row.iter().map(f32::to_string));
            table.write_record(&record)?;
        }
        let bytes = table.into_inner().context("cannot finish the table")?;
        write_whole(path, &bytes)
    }
}

/// Shares of right answers of a batch of logits (examples, classes).
pub(super) fn right(logits: &candle_core::Tensor, of: &[usize]) -> candle_core::Result<usize> {
    let said: Vec<u32> = logits.argmax(D::Minus1)?.to_vec1()?;
    Ok(said.iter().zip(of).filter(|(s, o)| **s as usize == **o).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Predictions {
        Predictions {
            classes: ["a", "b", "c"].map(String::from).into(),
            ids: ["x", "x", "y", "z"].map(String::from).into(),
            sources: vec!["s".into(); 4],
            truth: vec![0, 0, 1, 1],
            probabilities: vec![
                vec![0.9, 0.1, 0.0],
                vec![0.4, 0.6, 0.0],
                vec![0.2, 0.8, 0.0],
                vec![0.7, 0.2, 0.1],
            ],
        }
    }

    #[test]
    fn metrics_leave_out_classes_that_do_not_occur() {
        let f = three().metrics();
        assert_eq!((f.accuracy, f.balanced), (0.5, 0.5));
        assert_eq!(f.confusion, [[1, 1, 0], [1, 1, 0], [0, 0, 0]]);
        assert!((f.macro_f1 - 0.5).abs() < 1e-12);
        let expected = -[0.9f64, 0.4, 0.8, 0.2].iter().map(|p| p.ln()).sum::<f64>() / 4.0;
        assert!((f.loss - expected).abs() < 1e-6);
    }

    #[test]
    fn pieces_are_joined() {
        let mean = three().by_piece();
        assert_eq!(
            (mean.ids.as_slice(), mean.truth.as_slice()),
            (&["x", "y", "z"].map(String::from)[..], &[0, 1, 1][..])
        );
        assert!((mean.probabilities[0][0] - 0.65).abs() < 1e-6);
        assert_eq!(three().by_vote().probabilities[0], [0.5, 0.5, 0.0]);
    }

    #[test]
    fn the_table_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.csv");
        three().write(&path).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text.lines().next(), Some("id,source,class,p0,p1,p2"));
        assert_eq!(text.lines().nth(4), Some("z,s,1,0.7,0.2,0.1"));
    }
}
