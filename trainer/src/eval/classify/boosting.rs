//! Gradient-boosted trees for two classes (Friedman 2001, "Greedy function approximation: a gradient
//! boosting machine", section 4.4.1), with the second-order gain of Chen and Guestrin 2016 ("XGBoost",
//! section 2.2), columns cut into bins by quantiles, and rows and columns drawn for each tree.

use rand::SeedableRng;
use rand::seq::index;
use rand_pcg::Pcg64;

use super::{Matrix, sigmoid};

/// How the trees are grown.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Number of trees.
    pub trees: usize,
    /// Splits from the root to a leaf, at most.
    pub depth: usize,
    /// What each tree's leaves are multiplied by.
    pub rate: f64,
    /// Share of the columns that a tree may split on.
    pub columns: f64,
    /// Share of the rows that a tree is grown on.
    pub rows: f64,
    /// Added to the second derivatives of every leaf.
    pub l2: f64,
    /// Least sum of second derivatives in a leaf.
    pub least: f64,
}

impl Default for Settings {
    /// Twice the trees or two more splits changed no area on real bands by more than a hundredth.
    fn default() -> Self {
        Self { trees: 150, depth: 3, rate: 0.1, columns: 0.25, rows: 0.6, l2: 2.0, least: 4.0 }
    }
}

/// Most bins of a column.
const BINS: usize = 32;

#[derive(Debug, Clone, Copy)]
enum Node {
    Leaf(f32),
    /// Rows with `value < below` go to node `yes`, others to `yes + 1`.
    Split {
        column: usize,
        below: f32,
        yes: usize,
    },
}

/// Trees grown on a training set.
#[derive(Debug, Clone)]
pub struct Boosted {
    trees: Vec<Vec<Node>>,
    bias: f32,
    gains: Vec<f64>,
}

/// The columns in bins: `codes[column][row]`, and the values at which bins begin, from the second on.
struct Binned {
    codes: Vec<Vec<u8>>,
    edges: Vec<Vec<f32>>,
}

impl Binned {
    fn new(x: &Matrix) -> Self {
        let mut binned = Self { codes: Vec::new(), edges: Vec::new() };
        for c in 0..x.columns() {
            let values: Vec<f32> = (0..x.rows()).map(|r| x.row(r)[c]).collect();
            let mut sorted = values.clone();
            sorted.sort_by(f32::total_cmp);
            // Bins begin half-way between two values that differ, near the quantiles.
            let mut edges: Vec<f32> = (1..BINS)
                .filter_map(|q| {
                    let at = sorted[q * sorted.len() / BINS];
                    let before = sorted[..sorted.partition_point(|&v| v < at)].last()?;
                    Some(before + (at - before) / 2.0)
                })
                .collect();
            // The largest value's own bin, where a quantile does not begin it.
            if let Some(&last) = sorted.last()
                && let Some(&before) = sorted[..sorted.partition_point(|&v| v < last)].last()
            {
                edges.push(before + (last - before) / 2.0);
            }
            edges.dedup();
            binned.codes.push(values.iter().map(|v| edges.partition_point(|e| e <= v) as u8).collect());
            binned.edges.push(edges);
        }
        binned
    }
}

/// Sums of first and second derivatives.
#[derive(Clone, Copy, Default)]
struct Sums {
    g: f64,
    h: f64,
}

impl Sums {
    fn score(self, l2: f64) -> f64 {
        self.g * self.g / (self.h + l2)
    }
}

struct Grower<'a> {
    binned: &'a Binned,
    g: &'a [f32],
    h: &'a [f32],
    settings: Settings,
    columns: Vec<usize>,
    nodes: Vec<Node>,
    gains: &'a mut [f64],
}

impl Grower<'_> {
    fn grow(&mut self, at: usize, rows: &mut [u32], depth: usize) {
        let total = rows.iter().fold(Sums::default(), |mut s, &r| {
            s.g += f64::from(self.g[r as usize]);
            s.h += f64::from(self.h[r as usize]);
            s
        });
        let best = if depth == 0 { None } else { self.best_split(rows, total) };
        let Some((gain, column, code)) = best else {
            let value = -self.settings.rate * total.g / (total.h + self.settings.l2);
            self.nodes[at] = Node::Leaf(value as f32);
            return;
        };
        self.gains[column] += gain;
        let codes = &self.binned.codes[column];
        // Stable, so that the order of additions, and with it every bit of the result, is fixed.
        let (yes, no): (Vec<u32>, Vec<u32>) = rows.iter().partition(|&&r| codes[r as usize] < code);
        let (left, right) = rows.split_at_mut(yes.len());
        left.copy_from_slice(&yes);
        right.copy_from_slice(&no);
        let child = self.nodes.len();
        self.nodes.extend([Node::Leaf(0.0); 2]);
        let below = self.binned.edges[column][usize::from(code) - 1];
        self.nodes[at] = Node::Split { column, below, yes: child };
        self.grow(child, left, depth - 1);
        self.grow(child + 1, right, depth - 1);
    }

    /// (gain, column, first code of the other side) of the best split.
    fn best_split(&self, rows: &[u32], total: Sums) -> Option<(f64, usize, u8)> {
        let Settings { l2, least, .. } = self.settings;
        let mut best: Option<(f64, usize, u8)> = None;
        for &column in &self.columns {
            let bins = self.binned.edges[column].len() + 1;
            if bins < 2 {
                continue;
            }
            let codes = &self.binned.codes[column];
            let mut sums = [Sums::default(); BINS + 1];
            for &r in rows {
                let s = &mut sums[usize::from(codes[r as usize])];
                s.g += f64::from(self.g[r as usize]);
                s.h += f64::from(self.h[r as usize]);
            }
            let mut left = Sums::default();
            for code in 1..bins {
                left.g += sums[code - 1].g;
                left.h += sums[code - 1].h;
                let right = Sums { g: total.g - left.g, h: total.h - left.h };
                if left.h < least || right.h < least {
                    continue;
                }
                let gain = left.score(l2) + right.score(l2) - total.score(l2);
                if gain > best.map_or(1e-6, |b| b.0) {
                    best = Some((gain, column, code as u8));
                }
            }
        }
        best
    }
}

impl Boosted {
    /// Grows trees on rows and whether each is of the class to be found.
    pub fn fit(x: &Matrix, y: &[bool], settings: Settings, seed: u64) -> Self {
        let n = x.rows();
        let mut rng = Pcg64::seed_from_u64(seed);
        let binned = Binned::new(x);
        let of_class = y.iter().filter(|&&y| y).count() as f64;
        let bias = ((of_class + 1.0) / (n as f64 - of_class + 1.0)).ln() as f32;
        let mut fitted = Self { trees: Vec::new(), bias, gains: vec![0.0; x.columns()] };
        let mut scores = vec![bias; n];
        let draw = |share: f64, of: usize| ((share * of as f64).ceil() as usize).clamp(1, of.max(1));
        for _ in 0..settings.trees {
            if n == 0 || x.columns() == 0 {
                break;
            }
            let p: Vec<f32> = scores.iter().map(|&s| sigmoid(s)).collect();
            let g: Vec<f32> = p.iter().zip(y).map(|(p, &y)| p - f32::from(u8::from(y))).collect();
            let h: Vec<f32> = p.iter().map(|p| p * (1.0 - p)).collect();
            let mut rows: Vec<u32> =
                index::sample(&mut rng, n, draw(settings.rows, n)).into_iter().map(|r| r as u32).collect();
            rows.sort_unstable();
            let columns =
                index::sample(&mut rng, x.columns(), draw(settings.columns, x.columns())).into_vec();
            let mut grower = Grower {
                binned: &binned,
                g: &g,
                h: &h,
                settings,
                columns,
                nodes: vec![Node::Leaf(0.0)],
                gains: &mut fitted.gains,
            };
            grower.grow(0, &mut rows, settings.depth);
            let tree = grower.nodes;
            for (r, s) in scores.iter_mut().enumerate() {
                *s += leaf(&tree, x.row(r));
            }
            fitted.trees.push(tree);
        }
        fitted
    }

    /// Log odds that a row is of the class.
    pub fn score(&self, row: &[f32]) -> f32 {
        self.bias + self.trees.iter().map(|t| leaf(t, row)).sum::<f32>()
    }

    /// How much each column's splits gained in all.
    pub fn gains(&self) -> &[f64] {
        &self.gains
    }
}

fn leaf(tree: &[Node], row: &[f32]) -> f32 {
    let mut at = 0;
    loop {
        match tree[at] {
            Node::Leaf(value) => return value,
            Node::Split { column, below, yes } => at = if row[column] < below { yes } else { yes + 1 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    /// Rows of four numbers of which the first two decide by exclusive or, which no single column shows.
    fn exclusive_or(n: usize, seed: u64) -> (Matrix, Vec<bool>) {
        let mut rng = Pcg64::seed_from_u64(seed);
        let rows: Vec<[f32; 4]> =
            (0..n).map(|_| std::array::from_fn(|_| rng.random_range(-1.0..1.0))).collect();
        let y = rows.iter().map(|r| (r[0] > 0.1) != (r[1] > -0.2)).collect();
        (Matrix::from_rows(rows.iter().map(|r| r.as_slice())), y)
    }

    #[test]
    fn trees_learn_what_lies_between_columns() {
        let (x, y) = exclusive_or(1000, 1);
        let (test, truth) = exclusive_or(500, 2);
        let fitted = Boosted::fit(&x, &y, Settings { columns: 1.0, ..Settings::default() }, 3);
        let right = (0..500).filter(|&r| (fitted.score(test.row(r)) > 0.0) == truth[r]).count();
        assert!(right > 475, "{right} of 500");
        let gains = fitted.gains();
        assert!(gains[0] + gains[1] > 5.0 * (gains[2] + gains[3]), "{gains:?}");
    }

    #[test]
    fn the_seed_decides_everything() {
        let (x, y) = exclusive_or(300, 1);
        let scores = |seed| {
            let f = Boosted::fit(&x, &y, Settings::default(), seed);
            (0..300).map(|r| f.score(x.row(r))).collect::<Vec<_>>()
        };
        assert_eq!(scores(5), scores(5));
        assert_ne!(scores(5), scores(6));
    }

    #[test]
    fn rare_values_can_be_split_off() {
        let rows: Vec<[f32; 1]> = (0..200).map(|i| [if i < 8 { 1.0 } else { 0.0 }]).collect();
        let y: Vec<bool> = (0..200).map(|i| i < 8).collect();
        let x = Matrix::from_rows(rows.iter().map(|r| r.as_slice()));
        let fitted = Boosted::fit(&x, &y, Settings { least: 0.1, ..Settings::default() }, 1);
        assert!(fitted.score(&[1.0]) > 0.0 && fitted.score(&[0.0]) < 0.0);
    }

    #[test]
    fn constant_columns_and_nothing_at_all_are_survived() {
        let x = Matrix::from_rows([&[1.0f32, 2.0][..], &[1.0, 2.0]]);
        let even = Boosted::fit(&x, &[true, false], Settings::default(), 1);
        assert_eq!(even.score(&[1.0, 2.0]), 0.0);
        let none = Boosted::fit(&Matrix::from_rows([]), &[], Settings::default(), 1);
        assert_eq!(none.score(&[]), 0.0);
    }
}
