//! What the losses are to be read beside: distributions that know nothing of the music before, or only its last 15 s.

use sideman_music::encoding::note_cells::{FAMILY_COLUMNS, FEATURES, SEQUENCE, VALUES};

use super::loss::WindowLoss;
use super::songs::{Song, Window};

/// Counted on the train split.
pub(super) struct Baselines {
    /// Probability of each value in each column: (30, 200).
    columns: Vec<[f64; VALUES]>,
    /// Share of empty cells.
    empty: f64,
    /// By feature, how far the cell of 15 s ago is trusted.
    trust: [f64; FEATURES],
}

/// A distribution that is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Baseline {
    /// Empty with the share that cells are, any other value alike.
    Empty,
    /// The values of each column with their shares.
    Column,
    /// The value of 15 s earlier in the same place, mixed with the column's shares.
    Copy,
}

impl Baseline {
    pub(super) const ALL: [Self; 3] = [Self::Empty, Self::Column, Self::Copy];

    pub(super) fn name(self) -> &'static str {
        ["empty or anything", "shares by column", "15 s earlier"][self as usize]
    }
}

/// Pairs of cells, 15 s apart, of a window's family, (60, 30).
fn pairs<'a>(songs: &'a [Song], w: &Window, family: usize) -> impl Iterator<Item = (u8, u8)> + Clone + 'a {
    let rows = &songs[w.song].cells.rows[w.start..w.start + 2 * SEQUENCE];
    (0..SEQUENCE).flat_map(move |step| {
        let columns = family * FAMILY_COLUMNS..(family + 1) * FAMILY_COLUMNS;
        columns.map(move |c| (rows[step][c], rows[step + SEQUENCE][c]))
    })
}

impl Baselines {
    /// Counts the windows to train on. Every value is counted a twentieth of a time more than it
    /// occurs.
    pub(super) fn count(songs: &[Song], train: &[Window], family: usize) -> Self {
        let mut columns = vec![[0.05; VALUES]; FAMILY_COLUMNS];
        let (mut empty, mut all) = (0.5, 1.0);
        for w in train {
            for (i, (_, cell)) in pairs(songs, w, family).enumerate() {
                columns[i % FAMILY_COLUMNS][usize::from(cell)] += 1.0;
                empty += f64::from(u8::from(cell == 0));
                all += 1.0;
            }
        }
        for column in &mut columns {
            let sum: f64 = column.iter().sum();
            column.iter_mut().for_each(|v| *v /= sum);
        }
        let mut out = Self { columns, empty: empty / all, trust: [0.0; FEATURES] };
        let places: Vec<f64> = (0..20).map(|t| f64::from(t) / 20.0).collect();
        let mut sums = vec![[0.0; FEATURES]; places.len()];
        for w in train {
            for (i, pair) in pairs(songs, w, family).enumerate() {
                for (t, sum) in places.iter().zip(&mut sums) {
                    sum[i % FEATURES] += out.mixed(i % FAMILY_COLUMNS, pair, *t);
                }
            }
        }
        for f in 0..FEATURES {
            let best = (0..places.len()).min_by(|&a, &b| sums[a][f].total_cmp(&sums[b][f])).unwrap_or(0);
            out.trust[f] = places[best];
        }
        out
    }

    /// Loss of a cell when the one before it is trusted so far.
    fn mixed(&self, column: usize, (before, cell): (u8, u8), trust: f64) -> f64 {
        let same = if before == cell { trust } else { 0.0 };
        -(same + (1.0 - trust) * self.columns[column][usize::from(cell)]).ln()
    }

    /// The losses of windows under one of the distributions.
    pub(super) fn losses(
        &self,
        which: Baseline,
        songs: &[Song],
        windows: &[Window],
        family: usize,
    ) -> Vec<WindowLoss> {
        let one = |column: usize, pair: (u8, u8)| match which {
            Baseline::Empty if pair.1 == 0 => -self.empty.ln(),
            Baseline::Empty => -((1.0 - self.empty) / (VALUES - 1) as f64).ln(),
            Baseline::Column => self.mixed(column, pair, 0.0),
            Baseline::Copy => self.mixed(column, pair, self.trust[column % FEATURES]),
        };
        let of = |w: &Window| {
            let found = pairs(songs, w, family);
            let losses = found.clone().enumerate().map(|(i, pair)| one(i % FAMILY_COLUMNS, pair));
            WindowLoss::of(w.song, losses, found.map(|p| p.1))
        };
        windows.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::songs::{tests::songs, windows};
    use super::*;

    #[test]
    fn knowing_more_costs_less() {
        let songs = songs();
        let all = windows(&songs, |s| s.genre == 0);
        for family in 0..4 {
            let counted = Baselines::count(&songs, &all, family);
            let loss = |b| WindowLoss::mean(&counted.losses(b, &songs, &all, family), None).unwrap();
            let [empty, column, copy] = Baseline::ALL.map(loss);
            assert!(empty > column && column >= copy && copy > 0.0, "{empty} {column} {copy}");
            let shares: f64 = counted.columns[0].iter().sum();
            assert!((shares - 1.0).abs() < 1e-9 && counted.empty > 0.5);
        }
    }
}
