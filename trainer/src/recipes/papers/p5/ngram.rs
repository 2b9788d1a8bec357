//! What needs no network: how often, the same again, and what followed the last few.

use std::collections::{BTreeMap, HashMap};

/// Counts of what followed each run of up to `order` categories, smoothed by the shorter runs (Witten & Bell 1991).
pub(super) struct NGram {
    classes: usize,
    order: usize,
    /// By run: what followed, how often.
    counts: HashMap<Vec<u32>, BTreeMap<usize, usize>>,
}

impl NGram {
    /// Counts in lines; order 0 is how often each category is.
    pub(super) fn new<'a>(
        classes: usize,
        order: usize,
        lines: impl IntoIterator<Item = &'a [usize]>,
    ) -> Self {
        Self::of_places(classes, order, lines.into_iter().flat_map(|l| (0..l.len()).map(move |at| (l, at))))
    }

    /// Counts of the categories at some places of lines alone.
    pub(super) fn of_places<'a>(
        classes: usize,
        order: usize,
        places: impl IntoIterator<Item = (&'a [usize], usize)>,
    ) -> Self {
        let mut counts: HashMap<Vec<u32>, BTreeMap<usize, usize>> = HashMap::new();
        for (line, at) in places {
            for n in 0..=order.min(at) {
                let run = line[at - n..at].iter().map(|&c| c as u32).collect();
                *counts.entry(run).or_default().entry(line[at]).or_default() += 1;
            }
        }
        Self { classes, order, counts }
    }

    /// Probabilities of the category after a line.
    pub(super) fn after(&self, line: &[usize]) -> Vec<f32> {
        let mut p = vec![1.0 / self.classes as f32; self.classes];
        for n in 0..=self.order.min(line.len()) {
            let run: Vec<u32> = line[line.len() - n..].iter().map(|&c| c as u32).collect();
            let Some(followed) = self.counts.get(&run) else { break };
            let (kinds, all) = (followed.len() as f32, followed.values().sum::<usize>() as f32);
            p.iter_mut().for_each(|p| *p *= kinds / (kinds + all));
            for (&c, &count) in followed {
                p[c] += count as f32 / (kinds + all);
            }
        }
        p
    }
}

/// The same again: half of the probability for it, the rest by how often each is.
pub(super) fn again(often: &NGram, line: &[usize]) -> Vec<f32> {
    let mut p = often.after(&[]);
    if let Some(&last) = line.last() {
        p.iter_mut().for_each(|p| *p *= 0.5);
        p[last] += 0.5;
    }
    p
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_runs_know_more_and_everything_sums_to_one() {
        let line: Vec<usize> = (0..60).map(|i| [0, 1, 0, 2][i % 4]).collect();
        for order in 0..4 {
            let g = NGram::new(4, order, [line.as_slice()]);
            for end in 0..8 {
                let p = g.after(&line[..end]);
                assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-5);
                assert!(p.iter().all(|&p| p > 0.0), "also what never came");
            }
            let p = g.after(&[1, 0]);
            // After 1, 0 comes 2, always; after 0 alone, 1 or 2.
            assert_eq!(p[2] > 0.8, order >= 2, "{order} {p:?}");
        }
        let often = NGram::new(4, 0, [line.as_slice()]);
        assert!((often.after(&[])[0] - 0.5).abs() < 0.05);
        let p = again(&often, &[2]);
        assert!(p[2] > 0.5 && (p.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
}
