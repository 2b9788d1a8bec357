//! P2's piano-rolls as examples.

use candle_core::{Device, Tensor};
use rand_pcg::Pcg64;
use rayon::prelude::*;
use sideman_music::encoding::bar_features::{ROLL_PITCHES, ROLL_STEPS, ROLL_TRACKS, Rolls};

use crate::recipes::genre::labelled::{Content, Facts, LabelledSet};
use crate::train::{Examples, Named};

/// Rolls of one split, without any augmentation, as in the paper. Pieces without bass, piano and drums in their
/// first 5000 steps are left out.
pub struct RollExamples {
    classes: Vec<String>,
    pieces: Vec<(Facts, usize, Rolls)>,
}

impl RollExamples {
    /// The rolls of a set's pieces, of which `of_items` are the classes.
    pub fn new(set: &LabelledSet, classes: &[String], of_items: &[usize]) -> Self {
        let pieces = set.items.par_iter().zip(of_items).filter_map(|(item, &class)| {
            let Content::Score(score) = &item.content else { return None };
            let rolls = Rolls::of(score);
            (!rolls.is_empty()).then(|| (item.facts.clone(), class, rolls))
        });
        Self { classes: classes.to_vec(), pieces: pieces.collect() }
    }
}

impl Examples for RollExamples {
    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn len(&self) -> usize {
        self.pieces.len()
    }

    fn class(&self, example: usize) -> usize {
        self.pieces[example].1
    }

    fn named(&self, example: usize) -> Named<'_> {
        let facts = &self.pieces[example].0;
        Named { id: &facts.id, source: &facts.source }
    }

    fn inputs(&self, examples: &[usize], _: Option<&mut Pcg64>) -> anyhow::Result<Vec<Tensor>> {
        let cells = Rolls::cells(1, 1);
        let mut values = vec![0f32; examples.len() * cells];
        for (out, &example) in values.chunks_exact_mut(cells).zip(examples) {
            self.pieces[example].2.rasterise(out);
        }
        let shape = (examples.len(), ROLL_TRACKS, ROLL_STEPS, ROLL_PITCHES);
        Ok(vec![Tensor::from_vec(values, shape, &Device::Cpu)?])
    }
}
