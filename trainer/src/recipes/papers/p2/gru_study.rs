//! The GRU on rolls, measured: its loss beside that of predictors without music, and how static its continuations are.

use std::collections::{BTreeMap, BTreeSet};

use sideman_music::encoding::piano_roll::PITCHES;
use sideman_nets::papers::p2::WIDTH;

use super::Setup;
use super::data::{Keys, Music, Piece};
use super::gru::{Prediction, Sampling, cross_entropy, generate, joined, predictions};
use super::predictions::CellCounts;
use super::training::Trained;
use crate::data::Split;
use crate::report::table::{Table, number};

/// Steps of the prelude and of its continuation: four bars and eight.
const PRELUDE: usize = 384;
const CONTINUATION: usize = 768;
/// Pieces that are continued.
const PRELUDES: usize = 12;

/// What the GRU's study found.
pub(super) struct GruStudy {
    pub(super) tables: Vec<Table>,
    /// A prelude with what the network went on with, and with what people did: (steps, 640).
    pub(super) example: Option<[Vec<f32>; 2]>,
}

/// The GRU against baselines, and how static its music is.
pub(super) fn gru_study(setup: Setup<'_>, trained: &Trained) -> anyhow::Result<GruStudy> {
    let baselines = Baselines::learn(setup.music);
    let mut losses = Table::new(
        "GRU: nats of binary cross-entropy, a step of 640 cells, and a thousandth of a nat a cell (the paper's L)",
        ["predictor", "valid", "test", "test, 1/1000 a cell"],
    );
    let valid = predictions(setup.music, setup.sizes.gru, &trained.gru, Split::Valid)?;
    let test = predictions(setup.music, setup.sizes.gru, &trained.gru, Split::Test)?;
    let mean = |all: &[Prediction]| all.iter().map(Prediction::nats).sum::<f64>() / all.len().max(1) as f64;
    let ([alone, again], [alone_test, again_test]) = (baselines.nats(&valid), baselines.nats(&test));
    for (name, a, b) in [
        ("how often each pitch sounds at all", alone, alone_test),
        ("as the step before (two frequencies a track)", again, again_test),
        ("GRU", mean(&valid), mean(&test)),
    ] {
        losses.push([name.to_owned(), number(a), number(b), number(b / WIDTH as f64 * 1e3)]);
    }

    // Thresholds by the next-step predictions of the valid split.
    let mut all = CellCounts::default();
    valid.iter().for_each(|t| all.add(&t.probability, &t.truth));
    let by_f1 = all.by_f1();
    let by_density = all.by_density();
    let mut still = Table::new(
        "GRU: what it goes on with after four bars of test pieces, eight bars, beside what people do",
        [
            "music",
            "steps unchanged",
            "cells kept",
            "notes > 4 beats",
            "onsets a beat",
            "pitches",
            "cells a step",
        ],
    );
    let mut made: Vec<(String, Vec<Stagnation>)> = vec![("people".to_owned(), vec![])];
    let methods = [
        (format!("GRU, threshold {by_f1:.3} (by F1)"), Sampling::Threshold(by_f1)),
        (format!("GRU, threshold {by_density:.3} (by density)"), Sampling::Threshold(by_density)),
        ("GRU, threshold 0.5".to_owned(), Sampling::Threshold(0.5)),
        ("GRU, every cell drawn".to_owned(), Sampling::Draw),
    ];
    made.extend(methods.iter().map(|(name, _)| (name.clone(), vec![])));
    let mut example = None;
    let most = if setup.run.is_quick() { 1 } else { PRELUDES };
    let long = |p: &&Piece| p.rolls(Keys::Own).steps >= PRELUDE + CONTINUATION;
    for piece in setup.music.of(Split::Test).filter(long).take(most) {
        let cells = joined(piece.rolls(Keys::Own), 0, PRELUDE + CONTINUATION);
        let (prelude, people) = cells.split_at(PRELUDE * WIDTH);
        made[0].1.push(Stagnation::of(people));
        for (i, (_, sampling)) in methods.iter().enumerate() {
            let own =
                generate(setup.sizes.gru, &trained.gru, prelude, CONTINUATION, *sampling, setup.run.seed)?;
            made[i + 1].1.push(Stagnation::of(&own));
            if example.is_none() && i == 0 {
                example = Some([[prelude, &own].concat(), cells.clone()]);
            }
        }
    }
    for (name, found) in &made {
        let s = Stagnation::mean(found);
        let share = |v: f64| format!("{:.3}", v);
        still.push([
            name.clone(),
            share(s.unchanged),
            share(s.kept),
            share(s.long),
            share(s.onsets),
            number(s.pitches),
            number(s.cells),
        ]);
    }
    Ok(GruStudy { tables: vec![losses, still], example })
}

/// Baselines that need no network: how often each pitch of each track sounds at all, and how often it does
/// after a step in which it did and one in which it did not.
pub(super) struct Baselines {
    /// Steps counted.
    steps: f64,
    sounding: Vec<f64>,
    /// By track: after silence, after sounding: steps and those of them that sound next.
    after: [[(f64, f64); 2]; 5],
}

impl Baselines {
    /// Learned from the beginnings of training pieces.
    pub(super) fn learn(music: &Music) -> Self {
        let mut all = Self { steps: 1.0, sounding: vec![0.5; WIDTH], after: [[(1.0, 0.5); 2]; 5] };
        for piece in music.of(Split::Train).step_by(4) {
            let rolls = piece.rolls(Keys::Own);
            let cells = joined(rolls, 0, rolls.steps.min(1920));
            let rows: Vec<&[f32]> = cells.chunks_exact(WIDTH).collect();
            for pair in rows.windows(2) {
                all.steps += 1.0;
                for (i, (&a, &b)) in pair[0].iter().zip(pair[1]).enumerate() {
                    all.sounding[i] += f64::from(b);
                    let after = &mut all.after[i / PITCHES][usize::from(a > 0.5)];
                    after.0 += 1.0;
                    after.1 += f64::from(b);
                }
            }
        }
        all
    }

    /// Nats a step on what comes: of the frequency of each pitch alone; of "as the step before".
    pub(super) fn nats(&self, predictions: &[Prediction]) -> [f64; 2] {
        let mut sums = [0.0; 2];
        for t in predictions {
            let steps = (t.truth.len() / WIDTH).max(1) as f64;
            let alone: Vec<f32> =
                (0..t.truth.len()).map(|i| (self.sounding[i % WIDTH] / self.steps) as f32).collect();
            let again: Vec<f32> = t
                .before
                .iter()
                .enumerate()
                .map(|(i, &b)| {
                    let (all, sounding) = self.after[i % WIDTH / PITCHES][usize::from(b > 0.5)];
                    (sounding / all) as f32
                })
                .collect();
            sums[0] += cross_entropy(&alone, &t.truth) / steps;
            sums[1] += cross_entropy(&again, &t.truth) / steps;
        }
        sums.map(|s| s / predictions.len().max(1) as f64)
    }
}

/// How static music is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stagnation {
    /// Share of steps that sound exactly as the one before.
    pub(super) unchanged: f64,
    /// Share of sounding cells that sound at the next step, too.
    pub(super) kept: f64,
    /// Share of notes longer than a bar of four beats.
    pub(super) long: f64,
    /// Notes that begin, a beat.
    pub(super) onsets: f64,
    /// Distinct pitches, tracks apart.
    pub(super) pitches: f64,
    /// Cells that sound, a step.
    pub(super) cells: f64,
}

impl Stagnation {
    /// Of music (steps, 640).
    pub(super) fn of(cells: &[f32]) -> Self {
        let rows: Vec<&[f32]> = cells.chunks_exact(WIDTH).collect();
        let (mut unchanged, mut kept, mut sounding) = (0usize, 0usize, 0usize);
        let (mut notes, mut long) = (0usize, 0usize);
        let mut seen: BTreeMap<usize, usize> = BTreeMap::new();
        let mut pitches = BTreeSet::new();
        for (step, row) in rows.iter().enumerate() {
            let next = rows.get(step + 1);
            unchanged += usize::from(next.is_some_and(|n| n == row));
            for (i, &v) in row.iter().enumerate() {
                if v < 0.5 {
                    continue;
                }
                pitches.insert(i);
                sounding += 1;
                let length = seen.remove(&i).unwrap_or(0) + 1;
                notes += usize::from(length == 1);
                long += usize::from(length == 97);
                if next.is_some_and(|n| n[i] > 0.5) {
                    kept += 1;
                    seen.insert(i, length);
                }
            }
        }
        let share = |n: usize, of: usize| n as f64 / of.max(1) as f64;
        Self {
            unchanged: share(unchanged, rows.len().saturating_sub(1)),
            kept: share(kept, sounding),
            long: share(long, notes),
            onsets: share(notes, rows.len()) * 24.0,
            pitches: pitches.len() as f64,
            cells: share(sounding, rows.len()),
        }
    }

    /// Mean of some.
    pub(super) fn mean(all: &[Self]) -> Self {
        let n = all.len().max(1) as f64;
        let of = |f: fn(&Self) -> f64| all.iter().map(f).sum::<f64>() / n;
        Self {
            unchanged: of(|s| s.unchanged),
            kept: of(|s| s.kept),
            long: of(|s| s.long),
            onsets: of(|s| s.onsets),
            pitches: of(|s| s.pitches),
            cells: of(|s| s.cells),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn music_that_stands_still_is_told_from_music_that_moves() {
        let mut still = vec![0.0; 200 * WIDTH];
        (0..200).for_each(|step| still[step * WIDTH + 60] = 1.0);
        let s = Stagnation::of(&still);
        assert_eq!((s.unchanged, s.long, s.pitches, s.cells), (1.0, 1.0, 1.0, 1.0));
        assert!((s.kept - 199.0 / 200.0).abs() < 1e-9 && (s.onsets - 24.0 / 200.0).abs() < 1e-9);
        let mut moving = vec![0.0; 200 * WIDTH];
        (0..200).for_each(|step| moving[step * WIDTH + 60 + step / 10 % 4] = 1.0);
        let m = Stagnation::of(&moving);
        assert_eq!((m.long, m.pitches), (0.0, 4.0));
        assert!(m.unchanged < 0.92 && (m.onsets - 2.4).abs() < 1e-9, "{m:?}");
        assert_eq!(Stagnation::of(&[]).cells, 0.0);
    }
}
