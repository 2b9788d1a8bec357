//! Whole bands as examples: the figures of their bars.

use std::ops::Range;

use candle_core::{Device, Tensor};
use rand::Rng;
use rand_pcg::Pcg64;
use rayon::prelude::*;
use sideman_music::encoding::bar_features::band::{BAND_PARTS, PROGRAMS, TEMPO_AND_METER};
use sideman_music::encoding::bar_features::{BAND_FEATURES, PART_FEATURES, band_bars};

use super::recipe::Scale;
use super::slots::Slots;
use crate::recipes::genre::labelled::{Content, Facts, LabelledSet};
use crate::train::{Examples, Named};

/// Most bars of a piece that are looked at.
pub const MOST_BARS: usize = 400;
/// Bars of an excerpt that training draws.
const EXCERPT: Range<usize> = 8..65;
/// Chance that training hides the instruments, and that it hides tempo and metre: a piano playing alone or a file
/// with other programs shall not be lost on the model.
const HIDE_PROGRAMS: f64 = 0.5;
const HIDE_TEMPO: f64 = 0.5;
/// Chance that training leaves out a pitched part.
const HIDE_PART: f64 = 0.1;
/// Most semitones by which training transposes.
const TRANSPOSE: i32 = 6;

/// A piece.
struct Piece {
    facts: Facts,
    class: usize,
    /// (bars, [`BAND_FEATURES`]).
    bars: Vec<f32>,
}

/// Bands of one split. An example is a whole piece, or, in training, an excerpt of one that its slot draws.
pub struct BandExamples {
    classes: Vec<String>,
    pieces: Vec<Piece>,
    slots: Option<Slots>,
    /// What hidden figures are set to.
    mean: Vec<f32>,
}

impl BandExamples {
    /// The figures of a set's pieces, of which `of_items` are the classes.
    pub fn new(set: &LabelledSet, classes: &[String], of_items: &[usize]) -> Self {
        let pieces: Vec<Piece> = set
            .items
            .par_iter()
            .zip(of_items)
            .filter_map(|(item, &class)| {
                let Content::Score(score) = &item.content else { return None };
                let found = band_bars(score);
                let bars: Vec<f32> = found.bars.iter().take(MOST_BARS).flatten().copied().collect();
                (!bars.is_empty()).then(|| Piece { facts: item.facts.clone(), class, bars })
            })
            .collect();
        Self { classes: classes.to_vec(), pieces, slots: None, mean: vec![0.0; BAND_FEATURES] }
    }

    /// Mean and deviation of the figures, each piece counting alike.
    pub fn scale(&self) -> Scale {
        Scale::of(self.pieces.iter().map(|p| p.bars.as_slice()), BAND_FEATURES, &[])
    }

    /// For training: about `count` examples an epoch, drawn by source to a power: 0 when files count alike, 1 when sources do.
    pub fn for_training(mut self, scale: &Scale, power: f64, count: usize) -> Self {
        let files: Vec<(usize, &str)> =
            self.pieces.iter().map(|p| (p.class, p.facts.source.as_str())).collect();
        self.slots = Some(Slots::new(&files, power, count));
        self.mean = scale.mean();
        self
    }

    /// An excerpt, augmented.
    fn excerpt(&self, piece: &Piece, rng: &mut Pcg64) -> Vec<f32> {
        let all = piece.bars.len() / BAND_FEATURES;
        let count = rng.random_range(EXCERPT).min(all);
        let from = rng.random_range(0..=all - count);
        let mut out = piece.bars[from * BAND_FEATURES..(from + count) * BAND_FEATURES].to_vec();
        let up = rng.random_range(-TRANSPOSE..=TRANSPOSE) as f32 / 128.0;
        let hidden: Vec<Range<usize>> = [(HIDE_PROGRAMS, PROGRAMS), (HIDE_TEMPO, TEMPO_AND_METER)]
            .into_iter()
            .filter_map(|(chance, range)| rng.random_bool(chance).then_some(range))
            .collect();
        let silent: [bool; BAND_PARTS] = std::array::from_fn(|_| rng.random_bool(HIDE_PART));
        for bar in out.chunks_exact_mut(BAND_FEATURES) {
            for (p, part) in bar[..BAND_PARTS * PART_FEATURES].chunks_exact_mut(PART_FEATURES).enumerate() {
                if silent[p] {
                    part.fill(0.0);
                } else if part[0] > 0.0 {
                    // Mean, lowest and highest pitch: all else does not depend on the key.
                    part[3..6].iter_mut().for_each(|v| *v += up);
                }
            }
            for range in &hidden {
                bar[range.clone()].copy_from_slice(&self.mean[range.clone()]);
            }
        }
        out
    }
}

/// Examples of different lengths as (examples, bars, features) and which bars there are.
pub(super) fn padded(rows: &[Vec<f32>], features: usize) -> anyhow::Result<Vec<Tensor>> {
    let longest = rows.iter().map(|r| r.len() / features).max().unwrap_or(0);
    let mut values = vec![0f32; rows.len() * longest * features];
    let mut there = vec![0f32; rows.len() * longest];
    for (i, row) in rows.iter().enumerate() {
        values[i * longest * features..][..row.len()].copy_from_slice(row);
        there[i * longest..][..row.len() / features].fill(1.0);
    }
    Ok(vec![
        Tensor::from_vec(values, (rows.len(), longest, features), &Device::Cpu)?,
        Tensor::from_vec(there, (rows.len(), longest), &Device::Cpu)?,
    ])
}

impl Examples for BandExamples {
    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn len(&self) -> usize {
        self.slots.as_ref().map_or(self.pieces.len(), Slots::len)
    }

    fn class(&self, example: usize) -> usize {
        self.slots.as_ref().map_or_else(|| self.pieces[example].class, |s| s.cell(example).class)
    }

    fn named(&self, example: usize) -> Named<'_> {
        match &self.slots {
            Some(slots) => Named { id: "", source: &slots.cell(example).source },
            None => {
                let facts = &self.pieces[example].facts;
                Named { id: &facts.id, source: &facts.source }
            }
        }
    }

    fn inputs(&self, examples: &[usize], mut rng: Option<&mut Pcg64>) -> anyhow::Result<Vec<Tensor>> {
        let rows: Vec<Vec<f32>> = examples
            .iter()
            .map(|&example| {
                let file = self.slots.as_ref().map_or(example, |s| s.draw(example, rng.as_deref_mut()));
                let piece = &self.pieces[file];
                match rng.as_deref_mut() {
                    Some(rng) => self.excerpt(piece, rng),
                    None => piece.bars.clone(),
                }
            })
            .collect();
        padded(&rows, BAND_FEATURES)
    }
}
