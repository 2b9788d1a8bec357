//! Predicted and played rolls against people's: cell by cell, track by track.

use rayon::prelude::*;
use sideman_inference::papers::p2::VaeRnn;
use sideman_music::encoding::piano_roll::{
    CELLS, FiveRolls, Held, RollTrack, Threshold, WINDOW, draw, found,
};

use super::data::{Keys, Music, Piece};
use crate::data::Split;

/// Bins of probabilities.
const BINS: usize = 1000;

/// Counts of predicted cells by probability and truth.
#[derive(Debug, Clone)]
pub(super) struct CellCounts {
    /// CellCounts of each probability that sound, and that do not.
    bins: Vec<[f64; 2]>,
    /// Nats of binary cross-entropy against whether they sound, summed.
    nats: f64,
    windows: f64,
}

impl Default for CellCounts {
    fn default() -> Self {
        Self { bins: vec![[0.0; 2]; BINS], nats: 0.0, windows: 0.0 }
    }
}

impl CellCounts {
    /// Adds a window.
    pub(super) fn add(&mut self, predicted: &[f32], truth: &[f32]) {
        for (&p, &y) in predicted.iter().zip(truth) {
            let bin = ((f64::from(p) * BINS as f64) as usize).min(BINS - 1);
            self.bins[bin][usize::from(y <= 0.0)] += 1.0;
            let p = f64::from(p).clamp(1e-6, 1.0 - 1e-6);
            self.nats -= if y > 0.0 { p.ln() } else { (1.0 - p).ln() };
        }
        self.windows += 1.0;
    }

    /// Nats a window.
    pub(super) fn nats(&self) -> f64 {
        self.nats / self.windows.max(1.0)
    }

    /// At a threshold: F1 of the cells, and predicted cells over cells that sound.
    pub(super) fn at(&self, threshold: f32) -> (f64, f64) {
        let from = (f64::from(threshold) * BINS as f64).ceil() as usize;
        let (mut right, mut predicted) = (0.0, 0.0);
        for bin in self.bins.iter().skip(from) {
            right += bin[0];
            predicted += bin[0] + bin[1];
        }
        let sounding: f64 = self.bins.iter().map(|b| b[0]).sum();
        (2.0 * right / (predicted + sounding).max(1.0), predicted / sounding.max(1.0))
    }

    /// The threshold with the highest F1.
    pub(super) fn by_f1(&self) -> f32 {
        let all = (1..BINS).map(|b| b as f32 / BINS as f32);
        all.max_by(|a, b| self.at(*a).0.total_cmp(&self.at(*b).0)).unwrap_or(0.5)
    }
}

impl CellCounts {
    /// The threshold at which as many cells are predicted as sound.
    pub(super) fn by_density(&self) -> f32 {
        let all = (1..BINS).map(|b| b as f32 / BINS as f32);
        let off = |t: f32| self.at(t).1.max(1e-9).ln().abs();
        all.min_by(|a, b| off(*a).total_cmp(&off(*b))).unwrap_or(0.5)
    }
}

/// What cells are predicted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// By the autoencoder alone: encoded and decoded.
    Again,
    /// By the recurrent networks, from the predicted next window of the piano: causal.
    Live,
    /// By the recurrent networks, from the true next window of the piano.
    Hindsight,
}

/// CellCounts of a track of a piece, window by window from the second on, (windows, 128 * 128).
pub(super) fn cells(band: &VaeRnn, rolls: &FiveRolls, track: RollTrack, mode: Mode, most: usize) -> Vec<f32> {
    let windows = rolls.windows().min(most);
    let drawn = |track: RollTrack| {
        let mut cells = vec![0.0; windows * CELLS];
        draw(rolls.track(track), 0, &mut cells);
        cells
    };
    let voice = band.voice(track);
    if mode == Mode::Again {
        let codes = voice.encode(&drawn(track));
        let latent = voice.head.vae.latent;
        return voice.decode(codes.get(latent..).unwrap_or_default());
    }
    let piano = band.voice(RollTrack::Piano);
    let codes = piano.encode(&drawn(RollTrack::Piano));
    let latent = piano.head.rnn.latent;
    let mut own = piano.blank();
    let next = piano.predict(&codes, &mut own);
    let mut state = voice.blank();
    let mut predicted = vec![];
    for w in 0..windows.saturating_sub(1) {
        let row = w * latent..(w + 1) * latent;
        if track == RollTrack::Piano {
            predicted.extend_from_slice(&next[row]);
            continue;
        }
        voice.predict(&codes[row.clone()], &mut state);
        let coming = if mode == Mode::Live { &next[row] } else { &codes[(w + 1) * latent..(w + 2) * latent] };
        predicted.extend(voice.predict(coming, &mut state.clone()));
    }
    voice.decode(&predicted)
}

/// Predicted cells of a piece and those that sound, from its second window on.
pub(super) struct PredictedCells {
    pub(super) predicted: Vec<f32>,
    pub(super) truth: Vec<f32>,
}

/// Told cells of a track in a split; `limits` are the most pieces and windows of each.
pub(super) fn predicted(
    band: &VaeRnn,
    music: &Music,
    (split, keys): (Split, Keys),
    (track, mode): (RollTrack, Mode),
    (pieces, windows): (usize, usize),
) -> anyhow::Result<Vec<PredictedCells>> {
    let each = spread(music, split, pieces, track).into_par_iter().map(|piece| {
        let rolls = piece.rolls(keys);
        let predicted = cells(band, rolls, track, mode, windows);
        let mut truth = vec![0.0; predicted.len()];
        draw(rolls.track(track), WINDOW as i64, &mut truth);
        Ok(PredictedCells { predicted, truth })
    });
    each.collect()
}

/// Counts over pieces.
pub(super) fn tally(all: &[PredictedCells]) -> CellCounts {
    let mut sum = CellCounts::default();
    for t in all {
        for (a, b) in t.predicted.chunks_exact(CELLS).zip(t.truth.chunks_exact(CELLS)) {
            sum.add(a, b);
        }
    }
    sum
}

/// F1 of the cells of the notes that a rule reads, and these cells over those that sound.
pub(super) fn as_read(all: &[PredictedCells], rule: Threshold) -> (f64, f64) {
    let (mut right, mut predicted, mut sounding) = (0.0, 0.0, 0.0);
    for t in all {
        let mut drawn = vec![0.0; t.predicted.len()];
        draw(&found(&t.predicted, 0, rule), 0, &mut drawn);
        for (&p, &y) in drawn.iter().zip(&t.truth) {
            right += f64::from(u8::from(p > 0.0 && y > 0.0));
            predicted += f64::from(u8::from(p > 0.0));
            sounding += f64::from(u8::from(y > 0.0));
        }
    }
    (2.0 * right / f64::max(predicted + sounding, 1.0), predicted / f64::max(sounding, 1.0))
}

/// The rule's start at which as many cells are read as sound.
pub(super) fn by_density(all: &[PredictedCells], rule: Threshold) -> f32 {
    let (mut low, mut high) = (0.0f32, 1.0f32);
    for _ in 0..10 {
        let middle = 0.5 * (low + high);
        if as_read(all, Threshold { start: middle, ..rule }).1 > 1.0 { low = middle } else { high = middle }
    }
    high
}

/// Some pieces of a split in which a track plays, spread over it.
pub(super) fn spread(music: &Music, split: Split, pieces: usize, track: RollTrack) -> Vec<&Piece> {
    let all: Vec<&Piece> = music.of(split).filter(|p| !p.rolls(Keys::Own).track(track).is_empty()).collect();
    let every = all.len().div_ceil(pieces.max(1)).max(1);
    all.into_iter().step_by(every).collect()
}

/// CellCounts from a step to another that sound in both of two rolls, in the first, and in the second.
pub(super) fn agreement(a: &[Held], b: &[Held], (from, to): (i64, i64)) -> (f64, f64, f64) {
    let (mut right, mut one, mut other) = (0.0, 0.0, 0.0);
    let (mut x, mut y) = (vec![0.0; CELLS], vec![0.0; CELLS]);
    let mut at = from;
    while at < to {
        draw(a, at, &mut x);
        draw(b, at, &mut y);
        let rows = (to - at).min(WINDOW as i64) as usize * 128;
        for (&p, &q) in x[..rows].iter().zip(&y[..rows]) {
            right += f64::from(u8::from(p > 0.0 && q > 0.0));
            one += f64::from(u8::from(p > 0.0));
            other += f64::from(u8::from(q > 0.0));
        }
        at += WINDOW as i64;
    }
    (right, one, other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_found_by_what_they_are_for() {
        let mut cells = CellCounts::default();
        // Three sound at .8, one at .3; two that do not at .5, many at .1.
        cells.add(&[0.8, 0.8, 0.8, 0.3, 0.5, 0.5], &[1.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
        cells.add(&[0.1; 50], &[0.0; 50]);
        assert_eq!(cells.at(0.6), (6.0 / 7.0, 0.75));
        assert!((0.5..=0.8).contains(&cells.by_f1()), "{}", cells.by_f1());
        let (mut predicted, mut truth) = (vec![0.0; CELLS], vec![0.0; CELLS]);
        for step in 0..40 {
            predicted[step * 128 + 60] = 0.9 - 0.02 * step as f32;
            truth[step * 128 + 60] = f32::from(u8::from(step < 20));
        }
        let all = [PredictedCells { predicted, truth }];
        let start = by_density(&all, Threshold::plain(0.0));
        let (f1, density) = as_read(&all, Threshold::plain(start));
        assert!(
            (0.5..0.54).contains(&start) && f1 > 0.97 && (density - 1.0).abs() < 0.06,
            "{start} {f1} {density}"
        );
    }

    #[test]
    fn agreement_counts_cells() {
        let h = |start, end, pitch| Held { start, end, pitch, level: 0.5 };
        let a = [h(0, 10, 60), h(130, 140, 62)];
        let b = [h(5, 10, 60), h(130, 145, 64)];
        assert_eq!(agreement(&a, &b, (0, 300)), (5.0, 20.0, 20.0));
        assert_eq!(agreement(&a, &b, (128, 135)), (0.0, 5.0, 5.0));
    }
}
