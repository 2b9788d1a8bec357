//! The drums of the band's network.

use std::collections::BTreeMap;

use candle_core::{Device, Result, Tensor};
use sideman_inference::band::{DrumRow, LAGS};
use sideman_music::Part;
use sideman_music::encoding::grid::DRUM_CLASSES;

use super::batch::PartRows;
use super::part::{Named, PartLayers, Terms, column, cut, pick};
use crate::nn::Embedding;
use crate::ops::{binary_cross_entropy, cross_entropy};

/// Which drums are struck, each class knowing those before it; how loud; and when.
pub(super) struct Drums {
    part: PartLayers,
    velocity_class: Embedding,
    copy_class: Tensor,
    chain: Tensor,
    /// Ones below the diagonal: each class sees the ones before it.
    before: Tensor,
}

impl Drums {
    pub(super) fn new(tensors: &BTreeMap<String, Tensor>, device: &Device) -> Result<Self> {
        let (n, part) = (DRUM_CLASSES, Part::Drums);
        let named = Named::of_part(tensors, part);
        let before: Vec<f32> = (0..n * n).map(|i| f32::from(u8::from(i % n < i / n))).collect();
        Ok(Self {
            part: PartLayers::new(&named, part)?,
            velocity_class: named.table("velocity.class")?,
            copy_class: named.get("copy.class")?,
            chain: named.get("chain")?,
            before: Tensor::from_vec(before, (n, n), device)?,
        })
    }

    pub(super) fn losses(
        &self,
        rows: &PartRows<DrumRow>,
        contexts: &Tensor,
        patterns: &Tensor,
        terms: &mut Terms,
    ) -> Result<()> {
        let n = rows.trunk.len();
        if n == 0 {
            return Ok(());
        }
        let device = contexts.device();
        let (_, out) = self.part.outputs(rows, contexts)?;
        let played: Vec<f32> =
            rows.target.iter().flat_map(|t| t.drums.map(|d| if d > 0 { 1.0 } else { 0.0 })).collect();
        let signs: Vec<f32> = rows.row.iter().flat_map(|r| r.copies.as_flattened()).copied().collect();
        let signs = Tensor::from_vec(signs, (n, LAGS, DRUM_CLASSES), device)?;
        let gates = self.part.gates(&out, &rows.plan)?.unsqueeze(2)?;
        let copied = signs.broadcast_mul(&self.copy_class)?.broadcast_mul(&gates)?.sum(1)?;
        let pattern = pick(&patterns.narrow(1, 0, DRUM_CLASSES)?.contiguous()?, &rows.pattern)?;
        let y = Tensor::from_slice(&played, (n, DRUM_CLASSES), device)?;
        let before = (&self.chain * &self.before)?;
        let logits = (((cut(&out, self.part.onset)? + copied)? + pattern)? + y.matmul(&before.t()?)?)?;
        terms.push(("drum onset".into(), binary_cross_entropy(&logits, &played, &vec![1.0; played.len()])?));

        let mut hits: Vec<(usize, usize)> = vec![];
        for (i, target) in rows.target.iter().enumerate() {
            hits.extend((0..DRUM_CLASSES).filter(|&c| target.drums[c] > 0).map(|c| (i, c)));
        }
        if hits.is_empty() {
            return Ok(());
        }
        let mut at = column(&hits, |&(i, _)| i as u32);
        let by_class = self.velocity_class.rows(&column(&hits, |&(_, c)| c as u32))?;
        let last = column(&hits, |&(i, c)| u32::from(rows.row[i].last[c]));
        let bar = column(&hits, |&(i, c)| u32::from(rows.row[i].bar[c]));
        let logits = (self.part.velocity.logits(&pick(&out, &at)?, &last, &bar)? + by_class)?;
        let targets = column(&hits, |&(i, c)| u32::from(rows.target[i].drums[c] - 1));
        terms.push(("drum velocity".into(), cross_entropy(&logits, &targets)?));

        at.dedup();
        let out = pick(&out, &at)?;
        terms.push(("drum offset".into(), self.part.offsets(&out, rows, &at, |r| r.offset)?));
        Ok(())
    }
}
