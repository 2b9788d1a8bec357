//! Eight bars of piano as examples.

use std::ops::Range;

use candle_core::Tensor;
use rand::Rng;
use rand_pcg::Pcg64;
use rayon::prelude::*;
use sideman_music::encoding::bar_features::bars::{bars, notes_by_bar};
use sideman_music::encoding::bar_features::piano::TEMPO_AND_METER;
use sideman_music::encoding::bar_features::{
    Bar, PIANO_FEATURES, PianoBars, WINDOW_BARS, piano_notes, windows,
};
use sideman_music::encoding::grid::fold_pitch;
use sideman_music::{Note, Score};

use super::band::padded;
use super::recipe::Scale;
use super::slots::Slots;
use crate::recipes::genre::labelled::{Content, Facts, LabelledSet};
use crate::train::{Examples, Named};

/// Bars from one window to the next where windows are measured.
pub const HOP: usize = 8;
/// Most semitones by which training transposes.
const TRANSPOSE: i16 = 6;
/// Chance that training plays all notes equally loud, and that it moves them onto a grid of 24ths of a beat:
/// what is recorded and what is written must not tell the sources apart.
const FLAT: f64 = 0.25;
const SNAP: f64 = 0.25;
/// The grid, pulses.
const GRID: i64 = 20;

/// The piano of a piece.
#[derive(Debug, Clone)]
pub struct PianoPiece {
    /// What is known about it.
    pub facts: Facts,
    /// Number of its class.
    pub class: usize,
    notes: Vec<Note>,
    bars: Vec<Bar>,
    of_bars: Vec<Range<usize>>,
    /// First bars of its windows.
    pub windows: Vec<usize>,
}

impl PianoPiece {
    /// `None` when it has no window.
    fn new(facts: &Facts, class: usize, score: &Score, hop: usize) -> Option<Self> {
        let notes = piano_notes(score);
        let found = windows(&notes, &score.meters, &score.tempos, hop);
        if found.is_empty() {
            return None;
        }
        let bars = bars(&score.meters, notes.last()?.onset + 1);
        let of_bars = notes_by_bar(&notes, &bars);
        let windows = found.iter().map(|w| w.first_bar).collect();
        Some(Self { facts: facts.clone(), class, notes, bars, of_bars, windows })
    }

    /// Number of bars up to the last note.
    pub fn len(&self) -> usize {
        self.bars.len()
    }

    /// Whether it has no bars; it always has.
    pub fn is_empty(&self) -> bool {
        self.bars.is_empty()
    }

    /// Plays bars to `heard`: the figures of each and whether a note begins in it.
    pub fn play(&self, range: Range<usize>, mut heard: impl FnMut(&[f32; PIANO_FEATURES], bool)) {
        let (mut player, mut out) = (PianoBars::default(), [0.0; PIANO_FEATURES]);
        for b in range {
            let notes = &self.notes[self.of_bars[b].clone()];
            // The tempo is a figure that no model of the piano sees.
            player.push(notes, &self.bars[b], 120.0, &mut out);
            heard(&out, !notes.is_empty());
        }
    }

    /// The figures of a window as a player that has listened for longer has them: the key is that of the last
    /// eight bars.
    fn window(&self, first: usize, rng: Option<&mut Pcg64>) -> Vec<f32> {
        let changed;
        let before = first.saturating_sub(WINDOW_BARS - 1);
        let piece = match rng {
            None => self,
            Some(rng) => {
                changed = self.changed(before..first + WINDOW_BARS, rng);
                &changed
            }
        };
        let mut out = Vec::with_capacity(WINDOW_BARS * PIANO_FEATURES);
        let mut left = first - before;
        piece.play(before..first + WINDOW_BARS, |figures, _| {
            if left == 0 {
                out.extend_from_slice(figures);
            } else {
                left -= 1;
            }
        });
        out
    }

    /// The same piece with the notes of some bars transposed, louder or softer, flat, or on the grid.
    fn changed(&self, range: Range<usize>, rng: &mut Pcg64) -> Self {
        let up = rng.random_range(-TRANSPOSE..=TRANSPOSE);
        let loud: f32 = rng.random_range(0.75..1.25);
        let (flat, snap) = (rng.random_bool(FLAT), rng.random_bool(SNAP));
        let mut notes = Vec::new();
        let mut of_bars = vec![0..0; self.bars.len()];
        for b in range {
            let (from, bar) = (notes.len(), &self.bars[b]);
            for n in &self.notes[self.of_bars[b].clone()] {
                let mut n = *n;
                n.pitch = fold_pitch((i16::from(n.pitch) + up).clamp(0, 127) as u8, 12, 120);
                n.velocity = if flat { 80 } else { (f32::from(n.velocity) * loud).clamp(1.0, 127.0) as u8 };
                if snap {
                    let on_grid = (n.onset - bar.start + GRID / 2).div_euclid(GRID) * GRID + bar.start;
                    n.onset = on_grid.clamp(bar.start, bar.end - 1);
                }
                notes.push(n);
            }
            notes[from..].sort_unstable();
            of_bars[b] = from..notes.len();
        }
        Self {
            facts: self.facts.clone(),
            class: self.class,
            notes,
            bars: self.bars.clone(),
            of_bars,
            windows: vec![],
        }
    }
}

/// Windows of pianos of one split. An example is a window, or, in training, one of any piece that its slot draws.
pub struct PianoExamples {
    classes: Vec<String>,
    /// The pieces.
    pub pieces: Vec<PianoPiece>,
    /// Piece and first bar of each window.
    windows: Vec<(usize, usize)>,
    slots: Option<Slots>,
}

impl PianoExamples {
    /// The windows of a set's pieces, one every `hop` bars; `of_items` are the classes.
    pub fn new(set: &LabelledSet, classes: &[String], of_items: &[usize], hop: usize) -> Self {
        let pieces: Vec<PianoPiece> = set
            .items
            .par_iter()
            .zip(of_items)
            .filter_map(|(item, &class)| match &item.content {
                Content::Score(score) => PianoPiece::new(&item.facts, class, score, hop),
                _ => None,
            })
            .collect();
        let windows =
            pieces.iter().enumerate().flat_map(|(i, p)| p.windows.iter().map(move |&w| (i, w))).collect();
        Self { classes: classes.to_vec(), pieces, windows, slots: None }
    }

    /// Mean and deviation of the figures, each piece counting alike; tempo and metre are not to be seen, for they
    /// tell the sources apart rather than the genres.
    pub fn scale(&self) -> Scale {
        let rows: Vec<Vec<f32>> =
            self.pieces.par_iter().map(|p| p.window(p.windows[p.windows.len() / 2], None)).collect();
        Scale::of(rows.iter().map(Vec::as_slice), PIANO_FEATURES, &[TEMPO_AND_METER])
    }

    /// For training: about `count` examples an epoch, drawn by source to a power: 0 when files count alike, 1 when sources do.
    pub fn for_training(mut self, power: f64, count: usize) -> Self {
        let files: Vec<(usize, &str)> =
            self.pieces.iter().map(|p| (p.class, p.facts.source.as_str())).collect();
        self.slots = Some(Slots::new(&files, power, count));
        self
    }
}

impl Examples for PianoExamples {
    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn len(&self) -> usize {
        self.slots.as_ref().map_or(self.windows.len(), Slots::len)
    }

    fn class(&self, example: usize) -> usize {
        match &self.slots {
            Some(slots) => slots.cell(example).class,
            None => self.pieces[self.windows[example].0].class,
        }
    }

    fn named(&self, example: usize) -> Named<'_> {
        match &self.slots {
            Some(slots) => Named { id: "", source: &slots.cell(example).source },
            None => {
                let facts = &self.pieces[self.windows[example].0].facts;
                Named { id: &facts.id, source: &facts.source }
            }
        }
    }

    fn inputs(&self, examples: &[usize], mut rng: Option<&mut Pcg64>) -> anyhow::Result<Vec<Tensor>> {
        let rows: Vec<Vec<f32>> = examples
            .iter()
            .map(|&example| match (&self.slots, rng.as_deref_mut()) {
                (Some(slots), Some(rng)) => {
                    let piece = &self.pieces[slots.draw(example, Some(&mut *rng))];
                    let first = piece.windows[rng.random_range(0..piece.windows.len())];
                    piece.window(first, Some(rng))
                }
                (Some(slots), None) => {
                    let piece = &self.pieces[slots.draw(example, None)];
                    piece.window(piece.windows[0], None)
                }
                (None, rng) => {
                    let (piece, first) = self.windows[example];
                    self.pieces[piece].window(first, rng)
                }
            })
            .collect();
        padded(&rows, PIANO_FEATURES)
    }
}
