//! Mean and deviation over the last columns of a layer.

use super::LEAST_VARIANCE;

/// The last columns, as many as there is room for: of each channel the mean over the rows and the mean square of
/// the differences from it. They are put together anew each time someone asks (after Chan et al. 1979), so that
/// nothing drifts however long it goes on.
#[derive(Debug, Clone)]
pub(super) struct TimePool {
    channels: usize,
    /// (columns, channels) each, a ring.
    mean: Vec<f32>,
    scatter: Vec<f32>,
    next: usize,
    columns: usize,
    /// Room to add up in.
    sums: Vec<f64>,
    squares: Vec<f64>,
}

impl TimePool {
    /// Room for `columns` columns.
    pub(super) fn new(channels: usize, columns: usize) -> Self {
        let (all, one) = (vec![0.0; columns * channels], vec![0.0; channels]);
        Self {
            channels,
            mean: all.clone(),
            scatter: all,
            next: 0,
            columns: 0,
            sums: one.clone(),
            squares: one,
        }
    }

    pub(super) fn clear(&mut self) {
        (self.next, self.columns) = (0, 0);
    }

    /// Takes in values (channels, columns, rows) of so many columns; the oldest fall out.
    pub(super) fn push(&mut self, values: &[f32], columns: usize) {
        let rows = values.len() / self.channels / columns;
        let (share, room) = (1.0 / rows as f32, self.mean.len() / self.channels);
        for column in 0..columns {
            let at = self.next * self.channels;
            for (c, plane) in values.chunks_exact(columns * rows).enumerate() {
                let rows = &plane[column * rows..(column + 1) * rows];
                let mean = rows.iter().sum::<f32>() * share;
                self.mean[at + c] = mean;
                self.scatter[at + c] = rows.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() * share;
            }
            self.next = (self.next + 1) % room;
            self.columns = (self.columns + 1).min(room);
        }
    }

    /// Means of all channels, then deviations.
    pub(super) fn features(&mut self, out: &mut [f32]) {
        let (means, deviations) = out.split_at_mut(self.channels);
        let used = self.columns * self.channels;
        let share = 1.0 / self.columns.max(1) as f64;
        self.sums.fill(0.0);
        for column in self.mean[..used].chunks_exact(self.channels) {
            self.sums.iter_mut().zip(column).for_each(|(s, m)| *s += f64::from(*m));
        }
        self.sums.iter_mut().for_each(|s| *s *= share);
        self.squares.fill(0.0);
        let columns = self.mean[..used].chunks_exact(self.channels);
        for (column, scatter) in columns.zip(self.scatter[..used].chunks_exact(self.channels)) {
            for (((square, m), s), mean) in self.squares.iter_mut().zip(column).zip(scatter).zip(&self.sums) {
                let d = f64::from(*m) - mean;
                *square += f64::from(*s) + d * d;
            }
        }
        means.iter_mut().zip(&self.sums).for_each(|(out, m)| *out = *m as f32);
        for (out, square) in deviations.iter_mut().zip(&self.squares) {
            *out = (square * share + LEAST_VARIANCE).sqrt() as f32;
        }
    }
}
