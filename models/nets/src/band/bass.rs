//! The bass of the band's network.

use std::collections::BTreeMap;

use candle_core::{Result, Tensor};
use sideman_inference::band::{BASS_SHAPE, BassRow, bass_candidates};
use sideman_music::Part;

use super::batch::PartRows;
use super::part::{Named, Pitched, Recall, Terms, column, pick};
use crate::nn::{Embedding, Module};
use crate::ops::{Activation, candidate_logits, cross_entropy};

/// Whether the bass plays; which note, how long, whether another lies above it, how loud; and when.
pub(super) struct Bass {
    pitched: Pitched,
    length_degree: Embedding,
    above: Recall,
}

impl Bass {
    pub(super) fn new(tensors: &BTreeMap<String, Tensor>) -> Result<Self> {
        let part = Part::Bass;
        let named = Named::of_part(tensors, part);
        Ok(Self {
            pitched: Pitched::new(&named, part, Activation::Relu)?,
            length_degree: named.table("length.degree")?,
            above: Recall::new(&named, part, "above", true)?,
        })
    }

    pub(super) fn losses(
        &self,
        rows: &PartRows<BassRow>,
        contexts: &Tensor,
        patterns: &Tensor,
        terms: &mut Terms,
    ) -> Result<()> {
        let Pitched { part, length, pitch_in, pitch_out, pitch_plan } = &self.pitched;
        if rows.trunk.is_empty() {
            return Ok(());
        }
        let (context, out) = part.outputs(rows, contexts)?;
        terms.push(("bass onset".into(), part.onsets(&out, patterns, rows, |r| r.copies)?));

        let at = part.chosen(rows);
        if at.is_empty() {
            return Ok(());
        }
        let (context, out) = (pick(&context, &at)?, pick(&out, &at)?);
        let c = pitch_out.forward(&pitch_in.forward(&context)?)?;
        let c = (c + pitch_plan.rows(&column(&at, |&i| rows.plan[i as usize]))?)?;
        // The note of each chosen row, which has one as it plays.
        let notes: Vec<_> =
            at.iter().filter_map(|&i| Some((i as usize, rows.target[i as usize].bass?))).collect();
        let candidates: Vec<_> =
            notes.iter().map(|&(i, _)| bass_candidates(&rows.row[i], rows.references[i])).collect();
        let before = |of: fn(&BassRow) -> u8| column(&notes, |&(i, _)| u32::from(of(&rows.row[i])));

        let logits = candidate_logits(&c, BASS_SHAPE, &candidates)?;
        let pitches = column(&notes, |(_, n)| u32::from(n.pitch) - BASS_SHAPE.low as u32);
        terms.push(("bass pitch".into(), cross_entropy(&logits, &pitches)?));
        let logits = length.logits(&out, &before(|r| r.lengths[0]), &before(|r| r.lengths[1]))?;
        let degrees = column(&notes, |&(i, n)| u32::from((12 + n.pitch % 12 - rows.references[i].0) % 12));
        let logits = (logits + self.length_degree.rows(&degrees)?)?;
        terms.push((
            "bass length".into(),
            cross_entropy(&logits, &column(&notes, |(_, n)| u32::from(n.length)))?,
        ));
        let logits = self.above.logits(&out, &before(|r| r.above[0]), &before(|r| r.above[1]))?;
        terms.push((
            "bass above".into(),
            cross_entropy(&logits, &column(&notes, |(_, n)| u32::from(n.above)))?,
        ));
        let logits =
            part.velocity.logits(&out, &before(|r| r.velocities[0]), &before(|r| r.velocities[1]))?;
        terms.push((
            "bass velocity".into(),
            cross_entropy(&logits, &column(&notes, |(_, n)| u32::from(n.velocity)))?,
        ));
        terms.push(("bass offset".into(), part.offsets(&out, rows, &at, |r| r.offset)?));
        Ok(())
    }
}
