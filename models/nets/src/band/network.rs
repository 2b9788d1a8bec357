//! The network of the band, for training and as the reference of the step kernel.
//!
//! A causal recurrent player in the line of paper P1's network per instrument, brought up to date: one
//! trunk over what is heard and what was played, heads for four parts that decide in turn, copy gates
//! that hold a groove, and a style code with a pattern table (docs/band.md). Every step decides
//! what starts now, from what the piano has struck up to now, and what starts ahead of the next step, so
//! that swung and triplet notes stay possible without hearing the future.

use std::collections::BTreeMap;

use candle_core::{Device, Result, Tensor};
use rand_pcg::Pcg64;
use sideman_inference::band::{
    BASS_SHAPE, BassRow, CHORD_SHAPE, ChordRow, Config, DrumRow, INPUTS, LAGS, PLANS, POSITIONS, Span,
    bass_candidates, chord_candidates, climb, extra_inputs, part_key, span,
};
use sideman_music::Part;
use sideman_music::encoding::grid::{DRUM_CLASSES, OFFSETS};

use super::batch::{Batch, PartRows};
use crate::ops::{
    Activation, LstmState, binary_cross_entropy, candidate_logits, cross_entropy, dropout, linear,
    lstm_sequence,
};

/// Summed losses of a batch.
pub struct Losses {
    /// Terms by name ("bass pitch", ...), scalars in nats; a term without rows may be absent.
    pub terms: Vec<(String, Tensor)>,
    /// State after the batch.
    pub state: LstmState,
}

/// The network's tensors by name.
pub struct Network {
    /// Sizes.
    pub config: Config,
    tensors: BTreeMap<String, Tensor>,
    device: Device,
}

impl Network {
    /// A network over tensors that must be exactly those of the configuration.
    ///
    /// # Errors
    /// When one is missing, too many or of another shape.
    pub fn new(config: Config, tensors: BTreeMap<String, Tensor>, device: &Device) -> Result<Self> {
        for spec in config.tensors() {
            match tensors.get(&spec.name) {
                None => candle_core::bail!("the tensor {} is missing", spec.name),
                Some(t) if t.dims() != spec.shape => {
                    candle_core::bail!(
                        "the tensor {} is {:?} and should be {:?}",
                        spec.name,
                        t.dims(),
                        spec.shape
                    )
                }
                Some(_) => {}
            }
        }
        if tensors.len() != config.tensors().len() {
            candle_core::bail!("{} tensors where {} belong", tensors.len(), config.tensors().len());
        }
        Ok(Self { config, tensors, device: device.clone() })
    }

    fn t(&self, name: &str) -> &Tensor {
        &self.tensors[name]
    }

    fn part(&self, part: Part, name: &str) -> &Tensor {
        &self.tensors[&format!("{}.{name}", part_key(part))]
    }

    fn index(&self, rows: &[u32]) -> Result<Tensor> {
        Tensor::from_slice(rows, rows.len(), &self.device)
    }

    fn pick(&self, t: &Tensor, rows: &[u32]) -> Result<Tensor> {
        t.index_select(&self.index(rows)?, 0)
    }

    /// Mean and log variance of the style codes (songs, style) of song statistics (songs, statistics).
    ///
    /// # Errors
    /// When the width is not that of the statistics.
    pub fn style(&self, statistics: &Tensor) -> Result<(Tensor, Tensor)> {
        let h = linear(statistics, self.t("style.in.w"), self.t("style.in.b"), Activation::Relu)?;
        let out = linear(&h, self.t("style.out.w"), self.t("style.out.b"), Activation::None)?;
        let n = self.config.style;
        Ok((out.narrow(1, 0, n)?, (out.narrow(1, n, n)?.clamp(-6.0, 2.0)? - 1.0)?))
    }

    /// The trunk: (trunk rows, hidden + input) from the batch's inputs and a style code a lane.
    fn trunk(&self, batch: &Batch, codes: &Tensor, state: &LstmState) -> Result<(Tensor, LstmState)> {
        let (steps, lanes, width) = (batch.steps, batch.lanes, self.config.input);
        let x = Tensor::from_slice(&batch.inputs, (steps * lanes, INPUTS), &self.device)?;
        let x = linear(&x, self.t("trunk.in.w"), self.t("trunk.in.b"), Activation::None)?;
        let style = codes.matmul(&self.t("trunk.style.w").t()?)?;
        let x = x
            .reshape((steps, lanes, width))?
            .broadcast_add(&style)?
            .reshape((steps * lanes, width))?
            .relu()?;
        let gates = linear(&x, self.t("lstm.wx"), self.t("lstm.b"), Activation::None)?;
        let (h, state) = lstm_sequence(&gates, self.t("lstm.wh"), state)?;
        Ok((Tensor::cat(&[&h, &x], 1)?, state))
    }

    /// All losses of a batch under given style codes (lanes, style). In training, `drop` zeroes that
    /// share of the trunk's outputs.
    ///
    /// # Errors
    /// When the batch does not fit the network.
    pub fn losses(
        &self,
        batch: &Batch,
        codes: &Tensor,
        state: &LstmState,
        drop: Option<(f32, &mut Pcg64)>,
    ) -> Result<Losses> {
        let (mut trunk, state) = self.trunk(batch, codes, state)?;
        if let Some((share, rng)) = drop {
            trunk = dropout(&trunk, share, rng)?;
        }
        let patterns = linear(codes, self.t("pattern.w"), self.t("pattern.b"), Activation::None)?
            .reshape((batch.lanes * POSITIONS, DRUM_CLASSES + 3))?;
        let zero = Tensor::zeros(4 * self.config.context, candle_core::DType::F32, &self.device)?;
        let contexts = linear(&trunk, self.t("context.w"), &zero, Activation::None)?;
        let mut terms = vec![("early".to_owned(), self.early(batch, &trunk)?)];
        if !batch.repeat_rows.is_empty() {
            let plans = linear(&trunk, self.t("repeats.w"), self.t("repeats.b"), Activation::None)?;
            let plans = self.pick(&plans.reshape(((), PLANS))?, &batch.repeat_rows)?;
            terms.push(("repeats".to_owned(), cross_entropy(&plans, &batch.repeat_targets)?));
        }
        self.drums(&batch.drums, &contexts, &patterns, &mut terms)?;
        self.bass(&batch.bass, &contexts, &patterns, &mut terms)?;
        for part in [Part::Guitar, Part::Strings] {
            self.chords(part, &batch.chords[part.index() - 2], &contexts, &patterns, &mut terms)?;
        }
        Ok(Losses { terms, state })
    }

    fn early(&self, batch: &Batch, trunk: &Tensor) -> Result<Tensor> {
        let logits = linear(trunk, self.t("early.w"), self.t("early.b"), Activation::None)?;
        let copies = Tensor::from_slice(&batch.early_copies, (trunk.dim(0)?, 4, 2 * LAGS), &self.device)?;
        let copied = copies.broadcast_mul(self.t("early.copy"))?.sum(2)?;
        binary_cross_entropy(&(logits + copied)?, &batch.early_target, &batch.early_weight)
    }

    /// Context (rows, context) and outputs (rows, outputs) of a part.
    fn outputs<R>(&self, part: Part, rows: &PartRows<R>, contexts: &Tensor) -> Result<(Tensor, Tensor)> {
        let k = self.config.context;
        let extra = Tensor::from_slice(&rows.extra, (rows.trunk.len(), extra_inputs(part)), &self.device)?;
        let extra = linear(&extra, self.part(part, "extra.w"), self.part(part, "extra.b"), Activation::None)?;
        let own = self.pick(&contexts.narrow(1, part.index() * k, k)?.contiguous()?, &rows.trunk)?;
        let context = (own + extra)?.relu()?;
        let out = linear(&context, self.part(part, "out.w"), self.part(part, "out.b"), Activation::None)?;
        Ok((context, out))
    }

    /// How firmly each lag is copied (rows, lags): as the context says and as was planned.
    fn gates(&self, part: Part, out: &Tensor, plans: &[u32]) -> Result<Tensor> {
        (cut(out, part, "copy")? + self.pick(self.part(part, "copy.plan"), plans)?)? + 0.3
    }

    /// Onset logits of bass, guitar or strings (rows).
    fn onsets(
        &self,
        part: Part,
        out: &Tensor,
        patterns: &Tensor,
        (pattern_rows, plans): (&[u32], &[u32]),
        copies: &[[f32; LAGS]],
    ) -> Result<Tensor> {
        let n = copies.len();
        let signs = Tensor::from_slice(copies.as_flattened(), (n, LAGS), &self.device)?;
        let gates = self.gates(part, out, plans)?;
        let pattern = patterns.narrow(1, DRUM_CLASSES + part.index() - 1, 1)?.contiguous()?;
        let logits = (cut(out, part, "onset")? + self.pick(&pattern, pattern_rows)?)?;
        (logits + (signs * gates)?.sum_keepdim(1)?)?.squeeze(1)
    }

    /// Logits of a class that tends to stay: what the context says, and embeddings of the last value and
    /// the one a bar ago, each behind a gate.
    fn recall(
        &self,
        part: Part,
        name: &str,
        out: &Tensor,
        last: &[u32],
        bar: Option<&[u32]>,
    ) -> Result<Tensor> {
        let gates = (cut(out, part, &format!("{name} gate"))? + 1.0)?;
        let embedded = self.pick(self.part(part, &format!("{name}.last")), last)?;
        let mut logits = (cut(out, part, name)? + embedded.broadcast_mul(&gates.narrow(1, 0, 1)?)?)?;
        if let Some(bar) = bar {
            let embedded = self.pick(self.part(part, &format!("{name}.bar")), bar)?;
            logits = (logits + embedded.broadcast_mul(&gates.narrow(1, 1, 1)?)?)?;
        }
        Ok(logits)
    }

    fn offsets<R>(
        &self,
        part: Part,
        out: &Tensor,
        rows: &PartRows<R>,
        chosen: &[u32],
        last: impl Fn(&R) -> u8,
    ) -> Result<Tensor> {
        let lasts: Vec<u32> = chosen.iter().map(|&i| u32::from(last(&rows.row[i as usize]))).collect();
        let targets: Vec<u32> =
            chosen.iter().map(|&i| (rows.target[i as usize].offsets[part.index()] + 3) as u32).collect();
        let mut forbidden = vec![0f32; chosen.len() * OFFSETS];
        for (f, &i) in forbidden.chunks_exact_mut(OFFSETS).zip(chosen) {
            let closed = if rows.early[i as usize] { 3..6 } else { 0..3 };
            f[closed].fill(-1e9);
        }
        let forbidden = Tensor::from_vec(forbidden, (chosen.len(), OFFSETS), &self.device)?;
        cross_entropy(&(self.recall(part, "offset", out, &lasts, None)? + forbidden)?, &targets)
    }

    fn drums(
        &self,
        rows: &PartRows<DrumRow>,
        contexts: &Tensor,
        patterns: &Tensor,
        terms: &mut Vec<(String, Tensor)>,
    ) -> Result<()> {
        let part = Part::Drums;
        let n = rows.trunk.len();
        if n == 0 {
            return Ok(());
        }
        let (_, out) = self.outputs(part, rows, contexts)?;
        let played: Vec<f32> =
            rows.target.iter().flat_map(|t| t.drums.map(|d| if d > 0 { 1.0 } else { 0.0 })).collect();
        let signs: Vec<f32> = rows.row.iter().flat_map(|r| r.copies.as_flattened()).copied().collect();
        let signs = Tensor::from_vec(signs, (n, LAGS, DRUM_CLASSES), &self.device)?;
        let gates = self.gates(part, &out, &rows.plan)?.unsqueeze(2)?;
        let copied = signs.broadcast_mul(self.part(part, "copy.class"))?.broadcast_mul(&gates)?.sum(1)?;
        let pattern = self.pick(&patterns.narrow(1, 0, DRUM_CLASSES)?.contiguous()?, &rows.pattern)?;
        // Each class sees the ones before it.
        let y = Tensor::from_slice(&played, (n, DRUM_CLASSES), &self.device)?;
        let before = (self.part(part, "chain") * lower_triangle(&self.device)?)?;
        let logits = (((cut(&out, part, "onset")? + copied)? + pattern)? + y.matmul(&before.t()?)?)?;
        terms.push(("drum onset".into(), binary_cross_entropy(&logits, &played, &vec![1.0; played.len()])?));

        let (mut at, mut classes, mut last, mut bar, mut targets) = (vec![], vec![], vec![], vec![], vec![]);
        for (i, (row, target)) in rows.row.iter().zip(&rows.target).enumerate() {
            for c in (0..DRUM_CLASSES).filter(|&c| target.drums[c] > 0) {
                at.push(i as u32);
                classes.push(c as u32);
                last.push(u32::from(row.last[c]));
                bar.push(u32::from(row.bar[c]));
                targets.push(u32::from(target.drums[c] - 1));
            }
        }
        if at.is_empty() {
            return Ok(());
        }
        let hits = self.pick(&out, &at)?;
        let by_class = self.pick(self.part(part, "velocity.class"), &classes)?;
        let logits = (self.recall(part, "velocity", &hits, &last, Some(&bar))? + by_class)?;
        terms.push(("drum velocity".into(), cross_entropy(&logits, &targets)?));

        at.dedup();
        let out = self.pick(&out, &at)?;
        terms.push(("drum offset".into(), self.offsets(part, &out, rows, &at, |r| r.offset)?));
        Ok(())
    }

    fn bass(
        &self,
        rows: &PartRows<BassRow>,
        contexts: &Tensor,
        patterns: &Tensor,
        terms: &mut Vec<(String, Tensor)>,
    ) -> Result<()> {
        let part = Part::Bass;
        if rows.trunk.is_empty() {
            return Ok(());
        }
        let (context, out) = self.outputs(part, rows, contexts)?;
        let copies: Vec<[f32; LAGS]> = rows.row.iter().map(|r| r.copies).collect();
        let logits = self.onsets(part, &out, patterns, (&rows.pattern, &rows.plan), &copies)?;
        terms.push(("bass onset".into(), onset_loss(&logits, rows, part)?));

        let at = chosen(rows, part);
        if at.is_empty() {
            return Ok(());
        }
        let (context, out) = (self.pick(&context, &at)?, self.pick(&out, &at)?);
        let h =
            linear(&context, self.part(part, "pitch.in.w"), self.part(part, "pitch.in.b"), Activation::Relu)?;
        let c = linear(&h, self.part(part, "pitch.out.w"), self.part(part, "pitch.out.b"), Activation::None)?;
        let plans: Vec<u32> = at.iter().map(|&i| rows.plan[i as usize]).collect();
        let c = (c + self.pick(self.part(part, "pitch.plan"), &plans)?)?;
        let (mut candidates, mut pitches, mut degrees, mut lengths, mut velocities) =
            (vec![], vec![], vec![], vec![], vec![]);
        let (mut last_length, mut bar_length, mut last_velocity, mut bar_velocity) =
            (vec![], vec![], vec![], vec![]);
        let (mut above, mut last_above, mut bar_above) = (vec![], vec![], vec![]);
        for &i in &at {
            let (row, (reference, before)) = (&rows.row[i as usize], rows.references[i as usize]);
            let Some(note) = rows.target[i as usize].bass else { continue };
            candidates.push(bass_candidates(row, (reference, before)));
            pitches.push(u32::from(note.pitch) - BASS_SHAPE.low as u32);
            degrees.push(u32::from((12 + note.pitch % 12 - reference) % 12));
            lengths.push(u32::from(note.length));
            velocities.push(u32::from(note.velocity));
            above.push(u32::from(note.above));
            last_above.push(u32::from(row.above[0]));
            bar_above.push(u32::from(row.above[1]));
            last_length.push(u32::from(row.lengths[0]));
            bar_length.push(u32::from(row.lengths[1]));
            last_velocity.push(u32::from(row.velocities[0]));
            bar_velocity.push(u32::from(row.velocities[1]));
        }
        let logits = candidate_logits(&c, BASS_SHAPE, &candidates)?;
        terms.push(("bass pitch".into(), cross_entropy(&logits, &pitches)?));
        let logits = self.recall(part, "length", &out, &last_length, Some(&bar_length))?;
        let logits = (logits + self.pick(self.part(part, "length.degree"), &degrees)?)?;
        terms.push(("bass length".into(), cross_entropy(&logits, &lengths)?));
        let logits = self.recall(part, "above", &out, &last_above, Some(&bar_above))?;
        terms.push(("bass above".into(), cross_entropy(&logits, &above)?));
        let logits = self.recall(part, "velocity", &out, &last_velocity, Some(&bar_velocity))?;
        terms.push(("bass velocity".into(), cross_entropy(&logits, &velocities)?));
        terms.push(("bass offset".into(), self.offsets(part, &out, rows, &at, |r| r.offset)?));
        Ok(())
    }

    fn chords(
        &self,
        part: Part,
        rows: &PartRows<ChordRow>,
        contexts: &Tensor,
        patterns: &Tensor,
        terms: &mut Vec<(String, Tensor)>,
    ) -> Result<()> {
        if rows.trunk.is_empty() {
            return Ok(());
        }
        let key = part_key(part);
        let (context, out) = self.outputs(part, rows, contexts)?;
        let copies: Vec<[f32; LAGS]> = rows.row.iter().map(|r| r.copies).collect();
        let logits = self.onsets(part, &out, patterns, (&rows.pattern, &rows.plan), &copies)?;
        terms.push((format!("{key} onset"), onset_loss(&logits, rows, part)?));

        let at = chosen(rows, part);
        if at.is_empty() {
            return Ok(());
        }
        let (context, out) = (self.pick(&context, &at)?, self.pick(&out, &at)?);
        // One row a note and one for stopping.
        let (mut of, mut candidates, mut pitches, mut climbs, mut ranks) =
            (vec![], vec![], vec![], vec![], vec![]);
        let (mut note_of, mut note_ranks, mut lengths, mut last_length, mut bar_length) =
            (vec![], vec![], vec![], vec![], vec![]);
        let (mut velocities, mut last_velocity, mut bar_velocity) = (vec![], vec![], vec![]);
        for (j, &i) in at.iter().enumerate() {
            let (row, (reference, before)) = (&rows.row[i as usize], rows.references[i as usize]);
            let chord = rows.target[i as usize].chord(part);
            velocities.push(u32::from(chord.velocity));
            last_velocity.push(u32::from(row.velocities[0]));
            bar_velocity.push(u32::from(row.velocities[1]));
            let mut length_before = row.lengths[0];
            let mut so_far: &[u8] = &[];
            for (rank, (pitch, length)) in chord.notes().enumerate() {
                of.push(j as u32);
                candidates.push(chord_candidates(row, (reference, before), so_far));
                pitches.push(u32::from(pitch) - CHORD_SHAPE.low as u32);
                climbs.push(climb(so_far));
                ranks.push(rank as u32);
                note_of.push(j as u32);
                note_ranks.push(rank as u32);
                lengths.push(u32::from(length));
                last_length.push(u32::from(length_before));
                bar_length.push(u32::from(row.lengths[1]));
                length_before = length;
                so_far = &chord.pitches()[..=rank];
            }
            of.push(j as u32);
            candidates.push(chord_candidates(row, (reference, before), so_far));
            pitches.push(CHORD_SHAPE.pitches as u32);
            climbs.push(climb(so_far));
            ranks.push(so_far.len() as u32);
        }
        let own =
            linear(&context, self.part(part, "pitch.in.w"), self.part(part, "pitch.in.b"), Activation::None)?;
        let h = (self.pick(&own, &of)? + self.pick(self.part(part, "pitch.climb"), &climbs)?)?;
        let h = (h + self.pick(self.part(part, "pitch.rank"), &ranks)?)?.relu()?;
        let c = linear(&h, self.part(part, "pitch.out.w"), self.part(part, "pitch.out.b"), Activation::None)?;
        let plans: Vec<u32> = of.iter().map(|&j| rows.plan[at[j as usize] as usize]).collect();
        let c = (c + self.pick(self.part(part, "pitch.plan"), &plans)?)?;
        let logits = candidate_logits(&c, CHORD_SHAPE, &candidates)?;
        terms.push((format!("{key} pitch"), cross_entropy(&logits, &pitches)?));

        let by_note = self.pick(&out, &note_of)?;
        let logits = self.recall(part, "length", &by_note, &last_length, Some(&bar_length))?;
        let logits = (logits + self.pick(self.part(part, "length.rank"), &note_ranks)?)?;
        terms.push((format!("{key} length"), cross_entropy(&logits, &lengths)?));
        let logits = self.recall(part, "velocity", &out, &last_velocity, Some(&bar_velocity))?;
        terms.push((format!("{key} velocity"), cross_entropy(&logits, &velocities)?));
        terms.push((format!("{key} offset"), self.offsets(part, &out, rows, &at, |r| r.offset)?));
        Ok(())
    }
}

/// Columns of a part's outputs.
fn cut(out: &Tensor, part: Part, name: &str) -> Result<Tensor> {
    let Span { start, width } = span(part, name);
    out.narrow(1, start, width)
}

/// Rows in which a part starts something.
fn chosen<R>(rows: &PartRows<R>, part: Part) -> Vec<u32> {
    (0..rows.trunk.len() as u32).filter(|&i| rows.target[i as usize].plays(part)).collect()
}

/// Rows that are decided early are known to play.
fn onset_loss<R>(logits: &Tensor, rows: &PartRows<R>, part: Part) -> Result<Tensor> {
    let targets: Vec<f32> = rows.target.iter().map(|t| f32::from(u8::from(t.plays(part)))).collect();
    let weights: Vec<f32> = rows.early.iter().map(|&e| f32::from(u8::from(!e))).collect();
    binary_cross_entropy(logits, &targets, &weights)
}

fn lower_triangle(device: &Device) -> Result<Tensor> {
    let n = DRUM_CLASSES;
    let v: Vec<f32> = (0..n * n).map(|i| f32::from(u8::from(i % n < i / n))).collect();
    Tensor::from_vec(v, (n, n), device)
}
