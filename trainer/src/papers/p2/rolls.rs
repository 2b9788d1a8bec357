//! Rolls that are told and rolls that are played, against people's: by cells, track by track.

use rayon::prelude::*;
use sideman_music::encoding::piano_roll::{
    CELLS, FiveRolls, Held, RollTrack, Threshold, WINDOW, draw, found,
};
use sideman_inference::papers::p2::VaeRnn;

use super::music::{Keys, Music, Piece};
use crate::corpus::Split;

/// Bins of probabilities.
const BINS: usize = 1000;

/// How cells that are told compare with cells that sound.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    /// Cells of each probability that sound, and that do not.
    bins: Vec<[f64; 2]>,
    /// Nats of binary cross-entropy against whether they sound, summed.
    nats: f64,
    windows: f64,
}

impl Default for Cells {
    fn default() -> Self {
        Self { bins: vec![[0.0; 2]; BINS], nats: 0.0, windows: 0.0 }
    }
}

impl Cells {
    /// Adds a window.
    pub(super) fn add(&mut self, told: &[f32], truth: &[f32]) {
        for (&p, &y) in told.iter().zip(truth) {
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

    /// At a threshold: F1 of the cells, and the told ones over those that sound.
    pub(super) fn at(&self, threshold: f32) -> (f64, f64) {
        let from = (f64::from(threshold) * BINS as f64).ceil() as usize;
        let (mut right, mut told) = (0.0, 0.0);
        for bin in self.bins.iter().skip(from) {
            right += bin[0];
            told += bin[0] + bin[1];
        }
        let sounding: f64 = self.bins.iter().map(|b| b[0]).sum();
        (2.0 * right / (told + sounding).max(1.0), told / sounding.max(1.0))
    }

    /// The threshold with the highest F1.
    pub(super) fn by_f1(&self) -> f32 {
        let all = (1..BINS).map(|b| b as f32 / BINS as f32);
        all.max_by(|a, b| self.at(*a).0.total_cmp(&self.at(*b).0)).unwrap_or(0.5)
    }
}

impl Cells {
    /// The threshold at which as many cells are told as sound.
    pub(super) fn by_density(&self) -> f32 {
        let all = (1..BINS).map(|b| b as f32 / BINS as f32);
        let off = |t: f32| self.at(t).1.max(1e-9).ln().abs();
        all.min_by(|a, b| off(*a).total_cmp(&off(*b))).unwrap_or(0.5)
    }
}

/// Which cells are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Encoded and decoded.
    Again,
    /// By the recurrent networks, the piano's next window being told, too.
    Live,
    /// By the recurrent networks from the piano as it goes on.
    Hindsight,
}

/// Cells of a track of a piece, window by window from the second on, (windows, 128 * 128).
pub(super) fn cells(
    band: &VaeRnn,
    rolls: &FiveRolls,
    track: RollTrack,
    way: Way,
    most: usize,
) -> anyhow::Result<Vec<f32>> {
    let windows = rolls.windows().min(most);
    let drawn = |track: RollTrack| {
        let mut cells = vec![0.0; windows * CELLS];
        draw(rolls.track(track), 0, &mut cells);
        cells
    };
    let voice = band.voice(track);
    if way == Way::Again {
        let codes = voice.encode(&drawn(track))?;
        let wide = voice.head.vae.latent;
        return Ok(voice.decode(codes.get(wide..).unwrap_or_default())?);
    }
    let piano = band.voice(RollTrack::Piano);
    let codes = piano.encode(&drawn(RollTrack::Piano))?;
    let wide = piano.head.rnn.latent;
    let mut own = piano.blank();
    let next = piano.predict(&codes, &mut own)?;
    let mut state = voice.blank();
    let mut told = vec![];
    for w in 0..windows.saturating_sub(1) {
        let row = w * wide..(w + 1) * wide;
        if track == RollTrack::Piano {
            told.extend_from_slice(&next[row]);
            continue;
        }
        voice.predict(&codes[row.clone()], &mut state)?;
        let coming = if way == Way::Live { &next[row] } else { &codes[(w + 1) * wide..(w + 2) * wide] };
        told.extend(voice.predict(coming, &mut state.clone())?);
    }
    Ok(voice.decode(&told)?)
}

/// Cells of a piece that are told and those that sound, from its second window on.
pub(super) struct Told {
    pub(super) told: Vec<f32>,
    pub(super) truth: Vec<f32>,
}

/// Told cells of a track in a split; `limits` are the most pieces and windows of each.
pub(super) fn told(
    band: &VaeRnn,
    music: &Music,
    (split, keys): (Split, Keys),
    (track, way): (RollTrack, Way),
    (pieces, windows): (usize, usize),
) -> anyhow::Result<Vec<Told>> {
    let each = spread(music, split, pieces, track).into_par_iter().map(|piece| {
        let rolls = piece.rolls(keys);
        let told = cells(band, rolls, track, way, windows)?;
        let mut truth = vec![0.0; told.len()];
        draw(rolls.track(track), WINDOW as i64, &mut truth);
        Ok(Told { told, truth })
    });
    each.collect()
}

/// How cells that are told compare with those that sound.
pub(super) fn tally(all: &[Told]) -> Cells {
    let mut sum = Cells::default();
    for t in all {
        for (a, b) in t.told.chunks_exact(CELLS).zip(t.truth.chunks_exact(CELLS)) {
            sum.add(a, b);
        }
    }
    sum
}

/// F1 of the cells of the notes that a rule reads, and these cells over those that sound.
pub(super) fn as_read(all: &[Told], rule: Threshold) -> (f64, f64) {
    let (mut right, mut told, mut sounding) = (0.0, 0.0, 0.0);
    for t in all {
        let mut drawn = vec![0.0; t.told.len()];
        draw(&found(&t.told, 0, rule), 0, &mut drawn);
        for (&p, &y) in drawn.iter().zip(&t.truth) {
            right += f64::from(u8::from(p > 0.0 && y > 0.0));
            told += f64::from(u8::from(p > 0.0));
            sounding += f64::from(u8::from(y > 0.0));
        }
    }
    (2.0 * right / f64::max(told + sounding, 1.0), told / f64::max(sounding, 1.0))
}

/// The rule's start at which as many cells are read as sound.
pub(super) fn by_density(all: &[Told], rule: Threshold) -> f32 {
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

/// Cells from a step to another that sound in both of two rolls, in the first, and in the second.
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
        let mut cells = Cells::default();
        // Three sound at .8, one at .3; two that do not at .5, many at .1.
        cells.add(&[0.8, 0.8, 0.8, 0.3, 0.5, 0.5], &[1.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
        cells.add(&[0.1; 50], &[0.0; 50]);
        assert_eq!(cells.at(0.6), (6.0 / 7.0, 0.75));
        assert!((0.5..=0.8).contains(&cells.by_f1()), "{}", cells.by_f1());
        let (mut told, mut truth) = (vec![0.0; CELLS], vec![0.0; CELLS]);
        for step in 0..40 {
            told[step * 128 + 60] = 0.9 - 0.02 * step as f32;
            truth[step * 128 + 60] = f32::from(u8::from(step < 20));
        }
        let all = [Told { told, truth }];
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
