//! Guitar and strings of the band's network.

use std::collections::BTreeMap;

use candle_core::{Result, Tensor};
use sideman_inference::band::{CHORD_SHAPE, CandidateRow, ChordRow, chord_candidates, climb, part_key};
use sideman_music::Part;

use super::batch::PartRows;
use super::part::{Named, Pitched, Terms, column, pick};
use crate::nn::{Embedding, Module};
use crate::ops::{Activation, candidate_logits, cross_entropy};

/// Whether the part plays; which notes from below, how long each, how loud; and when.
pub(super) struct Chords {
    pitched: Pitched,
    length_rank: Embedding,
    pitch_climb: Embedding,
    pitch_rank: Embedding,
}

/// A choice of a chord's next note, or to stop.
struct PitchChoice {
    /// Which of the chosen rows.
    of: u32,
    candidate: CandidateRow,
    pitch: u32,
    climb: u32,
    rank: u32,
}

/// A note of a chord.
struct ChordNote {
    /// Which of the chosen rows.
    of: u32,
    rank: u32,
    length: u32,
    /// The length before it, and that of a bar ago.
    before: (u32, u32),
}

impl Chords {
    pub(super) fn new(tensors: &BTreeMap<String, Tensor>, part: Part) -> Result<Self> {
        let named = Named::of_part(tensors, part);
        Ok(Self {
            pitched: Pitched::new(&named, part, Activation::None)?,
            length_rank: named.table("length.rank")?,
            pitch_climb: named.table("pitch.climb")?,
            pitch_rank: named.table("pitch.rank")?,
        })
    }

    pub(super) fn losses(
        &self,
        rows: &PartRows<ChordRow>,
        contexts: &Tensor,
        patterns: &Tensor,
        terms: &mut Terms,
    ) -> Result<()> {
        let Pitched { part, length, pitch_in, pitch_out, pitch_plan } = &self.pitched;
        if rows.trunk.is_empty() {
            return Ok(());
        }
        let key = part_key(part.part);
        let (context, out) = part.outputs(rows, contexts)?;
        terms.push((format!("{key} onset"), part.onsets(&out, patterns, rows, |r| r.copies)?));

        let at = part.chosen(rows);
        if at.is_empty() {
            return Ok(());
        }
        let (context, out) = (pick(&context, &at)?, pick(&out, &at)?);
        let (mut choices, mut notes) = (vec![], vec![]);
        for (of, &i) in at.iter().enumerate() {
            let (of, i) = (of as u32, i as usize);
            let row = &rows.row[i];
            let choice = |so_far: &[u8], pitch| PitchChoice {
                of,
                candidate: chord_candidates(row, rows.references[i], so_far),
                pitch,
                climb: climb(so_far),
                rank: so_far.len() as u32,
            };
            let chord = rows.target[i].chord(part.part);
            let mut last = row.lengths[0];
            for (rank, (pitch, length)) in chord.notes().enumerate() {
                choices.push(choice(&chord.pitches()[..rank], u32::from(pitch) - CHORD_SHAPE.low as u32));
                let before = (u32::from(last), u32::from(row.lengths[1]));
                notes.push(ChordNote { of, rank: rank as u32, length: u32::from(length), before });
                last = length;
            }
            choices.push(choice(chord.pitches(), CHORD_SHAPE.pitches as u32));
        }
        let own = pitch_in.forward(&context)?;
        let h = (pick(&own, &column(&choices, |c| c.of))?
            + self.pitch_climb.rows(&column(&choices, |c| c.climb))?)?;
        let h = (h + self.pitch_rank.rows(&column(&choices, |c| c.rank))?)?.relu()?;
        let plans = column(&choices, |c| rows.plan[at[c.of as usize] as usize]);
        let c = (pitch_out.forward(&h)? + pitch_plan.rows(&plans)?)?;
        let candidates: Vec<CandidateRow> = choices.iter().map(|c| c.candidate).collect();
        let logits = candidate_logits(&c, CHORD_SHAPE, &candidates)?;
        terms.push((format!("{key} pitch"), cross_entropy(&logits, &column(&choices, |c| c.pitch))?));

        let by_note = pick(&out, &column(&notes, |n| n.of))?;
        let logits =
            length.logits(&by_note, &column(&notes, |n| n.before.0), &column(&notes, |n| n.before.1))?;
        let logits = (logits + self.length_rank.rows(&column(&notes, |n| n.rank))?)?;
        terms.push((format!("{key} length"), cross_entropy(&logits, &column(&notes, |n| n.length))?));
        let before = |ago: usize| column(&at, |&i| u32::from(rows.row[i as usize].velocities[ago]));
        let logits = part.velocity.logits(&out, &before(0), &before(1))?;
        let velocities = column(&at, |&i| u32::from(rows.target[i as usize].chord(part.part).velocity));
        terms.push((format!("{key} velocity"), cross_entropy(&logits, &velocities)?));
        terms.push((format!("{key} offset"), part.offsets(&out, rows, &at, |r| r.offset)?));
        Ok(())
    }
}
