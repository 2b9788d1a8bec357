//! Rolls that are told and rolls that are played, against people's: by cells, track by track.

use rayon::prelude::*;
use sideman_models::papers::p2::VaeRnn;
use sideman_music::windows::{CELLS, FiveRolls, Held, RollTrack, Threshold, WINDOW, draw, found};

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

    pub(super) fn merge(mut self, other: &Self) -> Self {
        for (a, b) in self.bins.iter_mut().zip(&other.bins) {
            (a[0], a[1]) = (a[0] + b[0], a[1] + b[1]);
        }
        (self.nats, self.windows) = (self.nats + other.nats, self.windows + other.windows);
        self
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

    /// The threshold at which as much is told as sounds.
    pub(super) fn by_density(&self) -> f32 {
        let all = (1..BINS).map(|b| b as f32 / BINS as f32);
        let off = |t: f32| (self.at(t).1.max(1e-9)).ln().abs();
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
pub(super) fn cells(band: &VaeRnn, rolls: &FiveRolls, track: RollTrack, way: Way, most: usize) -> anyhow::Result<Vec<f32>> {
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

/// All told cells of a track in a split, against people's.
pub(super) fn tally(
    band: &VaeRnn,
    music: &Music,
    (split, keys): (Split, Keys),
    track: RollTrack,
    way: Way,
    (pieces, windows): (usize, usize),
) -> anyhow::Result<Cells> {
    let some: Vec<&Piece> = spread(music, split, pieces, track);
    let each: anyhow::Result<Vec<Cells>> = some
        .into_par_iter()
        .map(|piece| {
            let rolls = piece.rolls(keys);
            let told = cells(band, rolls, track, way, windows)?;
            let mut truth = vec![0.0; told.len()];
            draw(rolls.track(track), WINDOW as i64, &mut truth);
            let mut sum = Cells::default();
            for (a, b) in told.chunks_exact(CELLS).zip(truth.chunks_exact(CELLS)) {
                sum.add(a, b);
            }
            Ok(sum)
        })
        .collect();
    Ok(each?.iter().fold(Cells::default(), Cells::merge))
}

/// Some pieces of a split in which a track plays, spread over it.
pub(super) fn spread<'a>(music: &'a Music, split: Split, pieces: usize, track: RollTrack) -> Vec<&'a Piece> {
    let all: Vec<&Piece> = music.of(split).filter(|p| !p.rolls(Keys::Own).track(track).is_empty()).collect();
    let every = all.len().div_ceil(pieces.max(1)).max(1);
    all.into_iter().step_by(every).collect()
}

/// F1 of cells that sound in two rolls from a step on, and how many sound in the first over those in the second.
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

/// What a track holds in cells that were told, as it is read.
pub(super) fn read(cells: &[f32], rule: Threshold) -> Vec<Held> {
    found(cells, WINDOW as i64, rule)
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
        let even = cells.at(cells.by_density()).1;
        assert!((0.75..=1.5).contains(&even), "{even}");
        let both = cells.clone().merge(&cells);
        assert_eq!((both.at(0.6), both.nats()), (cells.at(0.6), cells.nats()));
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
