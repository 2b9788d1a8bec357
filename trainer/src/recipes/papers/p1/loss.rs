//! Losses by window, feature and kind of cell: what all tables of P1 are made of.

use anyhow::Result;
use candle_core::Tensor;
use sideman_music::encoding::note_cells::{FAMILY_COLUMNS, FEATURES, SEQUENCE, VALUES};
use sideman_nets::nn::{Network, Parameters};
use sideman_nets::papers::{P1Lstm, all_places};

use super::objective::batch;
use super::songs::{Song, Window};

/// Sums of a window's losses in nats, by feature: pitch, duration, velocity.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct WindowLoss {
    /// Index of the song.
    pub(super) song: usize,
    /// Of all cells.
    pub(super) all: [f64; FEATURES],
    /// Of cells with a note.
    pub(super) onset: [f64; FEATURES],
    /// Notes.
    pub(super) notes: usize,
}

impl WindowLoss {
    /// The losses of a window's cells, (60, 30), beside the cells.
    pub(super) fn of(
        song: usize,
        losses: impl Iterator<Item = f64>,
        cells: impl Iterator<Item = u8>,
    ) -> Self {
        let mut out = Self { song, ..Self::default() };
        for (i, (loss, cell)) in losses.zip(cells).enumerate() {
            out.all[i % FEATURES] += loss;
            if cell > 0 {
                out.onset[i % FEATURES] += loss;
                out.notes += usize::from(i % FEATURES == 0);
            }
        }
        out
    }

    /// Mean of the window's cells, of one feature or all.
    pub(super) fn mean_cell(&self, feature: Option<usize>) -> f64 {
        let cells = (SEQUENCE * FAMILY_COLUMNS) as f64;
        match feature {
            Some(f) => self.all[f] / (cells / FEATURES as f64),
            None => self.all.iter().sum::<f64>() / cells,
        }
    }

    /// Mean of all cells of some windows, of one feature or all: the paper's loss.
    pub(super) fn mean<'a>(found: impl IntoIterator<Item = &'a Self>, feature: Option<usize>) -> Option<f64> {
        let (mut sum, mut n) = (0.0, 0usize);
        for w in found {
            (sum, n) = (sum + w.mean_cell(feature), n + 1);
        }
        (n > 0).then(|| sum / n as f64)
    }

    /// Mean of the cells with a note.
    pub(super) fn of_onsets<'a>(
        found: impl IntoIterator<Item = &'a Self>,
        feature: Option<usize>,
    ) -> Option<f64> {
        let (mut sum, mut n) = (0.0, 0usize);
        for w in found {
            let (loss, cells) = match feature {
                Some(f) => (w.onset[f], w.notes),
                None => (w.onset.iter().sum(), FEATURES * w.notes),
            };
            (sum, n) = (sum + loss, n + cells);
        }
        (n > 0).then(|| sum / n as f64)
    }
}

/// The losses of a network on windows, in their order.
///
/// # Errors
/// When the parameters are of another network.
pub(super) fn losses(
    network: &P1Lstm,
    parameters: &Parameters,
    songs: &[Song],
    windows: &[Window],
    family: usize,
    lanes: usize,
) -> Result<Vec<WindowLoss>> {
    let layers = network.load(parameters)?;
    let mut out = Vec::with_capacity(windows.len());
    for chunk in windows.chunks(lanes.max(1)) {
        let (cells, targets) = batch(songs, chunk, family);
        let states = layers.states(&cells, chunk.len())?;
        let logits = layers.logits(&states, all_places(chunk.len()))?;
        let found = each_loss(&logits, &targets)?;
        for (lane, window) in chunk.iter().enumerate() {
            let places = || {
                (0..SEQUENCE).flat_map(move |step| {
                    let first = (step * chunk.len() + lane) * FAMILY_COLUMNS;
                    first..first + FAMILY_COLUMNS
                })
            };
            let losses = places().map(|i| f64::from(found[i]));
            out.push(WindowLoss::of(window.song, losses, places().map(|i| targets[i])));
        }
    }
    Ok(out)
}

/// Cross-entropy in nats of each row of logits against its target.
fn each_loss(logits: &Tensor, targets: &[u8]) -> Result<Vec<f32>> {
    let values = logits.flatten_all()?.to_vec1::<f32>()?;
    let one = |(row, &target): (&[f32], &u8)| {
        let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = row.iter().map(|v| (v - top).exp()).sum();
        sum.ln() + top - row[usize::from(target)]
    };
    Ok(values.chunks_exact(VALUES).zip(targets).map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn losses_are_parted_by_feature_and_onset() {
        // Two notes: the first cells of the first two rows.
        let cells = |i: usize| u8::from(i % FAMILY_COLUMNS < 3 && i < 2 * FAMILY_COLUMNS);
        let n = SEQUENCE * FAMILY_COLUMNS;
        let window = WindowLoss::of(7, (0..n).map(|i| (i % 3) as f64), (0..n).map(cells));
        assert_eq!((window.notes, window.onset), (2, [0.0, 2.0, 4.0]));
        assert_eq!(
            (window.mean_cell(Some(0)), window.mean_cell(Some(2)), window.mean_cell(None)),
            (0.0, 2.0, 1.0)
        );
        let none = WindowLoss::default();
        assert_eq!(WindowLoss::mean([&window, &none], None), Some(0.5));
        assert_eq!(WindowLoss::of_onsets([&window, &none], Some(2)), Some(2.0));
        assert_eq!(WindowLoss::of_onsets([&none], None), None);
        assert_eq!(WindowLoss::mean([], None), None);
    }

    #[test]
    fn a_loss_is_the_one_that_is_trained() {
        let values: Vec<f32> = (0..3 * VALUES).map(|i| (i * 37 % 101) as f32 / 20.0).collect();
        let logits = Tensor::from_vec(values, (3, VALUES), &Device::Cpu).unwrap();
        let losses = each_loss(&logits, &[0, 61, 199]).unwrap();
        let sum = sideman_nets::ops::cross_entropy(&logits, &[0, 61, 199]).unwrap();
        assert!((losses.iter().sum::<f32>() - sum.to_scalar::<f32>().unwrap()).abs() < 1e-3);
    }
}
