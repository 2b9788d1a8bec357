//! The network of the band, for training and as the reference of the step kernel.
//!
//! A causal recurrent player in the line of paper P1's network per instrument, brought up to date: one
//! trunk over what is heard and what was played, heads for four parts that decide in turn, copy gates
//! that hold a groove, and a style code with a pattern table (docs/band.md). Every step decides
//! what starts now, from what the piano has struck up to now, and what starts ahead of the next step, so
//! that swung and triplet notes stay possible without hearing the future.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Result, Tensor};
use rand_pcg::Pcg64;
use sideman_inference::band::{
    BASS_SHAPE, BassRow, CHORD_SHAPE, CandidateRow, ChordRow, Config, DrumRow, INPUTS, LAGS, PLANS,
    POSITIONS, Span, bass_candidates, chord_candidates, climb, extra_inputs, part_key, span,
};
use sideman_music::Part;
use sideman_music::encoding::grid::{DRUM_CLASSES, OFFSETS};

use super::batch::{Batch, PartRows};
use crate::nn::{Embedding, Linear, Lstm, Module};
use crate::ops::{Activation, LstmState, binary_cross_entropy, candidate_logits, cross_entropy, dropout};

/// Summed losses of a batch.
pub struct Losses {
    /// Terms by name ("bass pitch", ...), scalars in nats; a term without rows may be absent.
    pub terms: Vec<(String, Tensor)>,
    /// State after the batch.
    pub state: LstmState,
}

/// Terms of a loss by name.
type Terms = Vec<(String, Tensor)>;

/// The tensors of a network, or of one of its parts, by name.
struct Named<'a> {
    tensors: &'a BTreeMap<String, Tensor>,
    prefix: String,
}

impl<'a> Named<'a> {
    fn of_part(tensors: &'a BTreeMap<String, Tensor>, part: Part) -> Self {
        Self { tensors, prefix: format!("{}.", part_key(part)) }
    }

    fn get(&self, name: &str) -> Result<Tensor> {
        let name = format!("{}{name}", self.prefix);
        match self.tensors.get(&name) {
            Some(t) => Ok(t.clone()),
            None => candle_core::bail!("the tensor {name} is missing"),
        }
    }

    fn linear(&self, name: &str, activation: Activation) -> Result<Linear> {
        Ok(Linear::of(self.get(&format!("{name}.w"))?, self.get(&format!("{name}.b"))?, activation))
    }

    fn table(&self, name: &str) -> Result<Embedding> {
        Ok(Embedding::of(self.get(name)?))
    }
}

/// The network: one trunk, and layers of four parts that decide in turn.
pub struct Network {
    /// Sizes.
    pub config: Config,
    device: Device,
    style_in: Linear,
    style_out: Linear,
    trunk_in: Linear,
    trunk_style: Tensor,
    lstm: Lstm,
    pattern: Linear,
    context: Linear,
    repeats: Linear,
    early: Linear,
    early_copy: Tensor,
    drums: Drums,
    bass: Bass,
    chords: [Chords; 2],
}

/// What every part has.
struct PartLayers {
    part: Part,
    extra: Linear,
    out: Linear,
    copy_plan: Embedding,
    onset: Span,
    copy: Span,
    velocity: Recall,
    offset: Recall,
}

/// A class that tends to stay: what the context says, and embeddings of the last value and the one a bar ago, each
/// behind a gate.
struct Recall {
    values: Span,
    gates: Span,
    last: Embedding,
    bar: Option<Embedding>,
}

struct Drums {
    part: PartLayers,
    velocity_class: Embedding,
    copy_class: Tensor,
    chain: Tensor,
    /// Ones below the diagonal: each class sees the ones before it.
    before: Tensor,
}

/// What bass, guitar and strings have.
struct Pitched {
    part: PartLayers,
    length: Recall,
    pitch_in: Linear,
    pitch_out: Linear,
    pitch_plan: Embedding,
}

struct Bass {
    pitched: Pitched,
    length_degree: Embedding,
    above: Recall,
}

struct Chords {
    pitched: Pitched,
    length_rank: Embedding,
    pitch_climb: Embedding,
    pitch_rank: Embedding,
}

impl Network {
    /// A network over tensors that must be exactly those of the configuration.
    ///
    /// # Errors
    /// When one is missing, too many or of another shape.
    pub fn new(config: Config, tensors: BTreeMap<String, Tensor>, device: &Device) -> Result<Self> {
        let specs = config.tensors();
        let all = Named { tensors: &tensors, prefix: String::new() };
        for spec in &specs {
            let found = all.get(&spec.name)?;
            if found.dims() != spec.shape {
                candle_core::bail!(
                    "the tensor {} is {:?} and should be {:?}",
                    spec.name,
                    found.dims(),
                    spec.shape
                )
            }
        }
        if tensors.len() != specs.len() {
            candle_core::bail!("{} tensors where {} belong", tensors.len(), specs.len());
        }
        let none = Activation::None;
        let unbiased = Tensor::zeros(4 * config.context, DType::F32, device)?;
        let chords = |part| Chords::new(&tensors, part);
        Ok(Self {
            config,
            device: device.clone(),
            style_in: all.linear("style.in", Activation::Relu)?,
            style_out: all.linear("style.out", none)?,
            trunk_in: all.linear("trunk.in", none)?,
            trunk_style: all.get("trunk.style.w")?,
            lstm: Lstm::of(all.get("lstm.wx")?, all.get("lstm.wh")?, all.get("lstm.b")?),
            pattern: all.linear("pattern", none)?,
            context: Linear::of(all.get("context.w")?, unbiased, none),
            repeats: all.linear("repeats", none)?,
            early: all.linear("early", none)?,
            early_copy: all.get("early.copy")?,
            drums: Drums::new(&tensors, device)?,
            bass: Bass::new(&tensors)?,
            chords: [chords(Part::Guitar)?, chords(Part::Strings)?],
        })
    }

    /// Mean and log variance of the style codes (songs, style) of song statistics (songs, statistics).
    ///
    /// # Errors
    /// When the width is not that of the statistics.
    pub fn style(&self, statistics: &Tensor) -> Result<(Tensor, Tensor)> {
        let out = self.style_out.forward(&self.style_in.forward(statistics)?)?;
        let n = self.config.style;
        Ok((out.narrow(1, 0, n)?, (out.narrow(1, n, n)?.clamp(-6.0, 2.0)? - 1.0)?))
    }

    /// The trunk: (trunk rows, hidden + input) from the batch's inputs and a style code a lane.
    fn trunk(&self, batch: &Batch, codes: &Tensor, state: &LstmState) -> Result<(Tensor, LstmState)> {
        let (steps, lanes, width) = (batch.steps, batch.lanes, self.config.input);
        let x = Tensor::from_slice(&batch.inputs, (steps * lanes, INPUTS), &self.device)?;
        let x = self.trunk_in.forward(&x)?;
        let style = codes.matmul(&self.trunk_style.t()?)?;
        let x = x
            .reshape((steps, lanes, width))?
            .broadcast_add(&style)?
            .reshape((steps * lanes, width))?
            .relu()?;
        let (h, state) = self.lstm.sequence(&x, state)?;
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
        let patterns = self.pattern.forward(codes)?.reshape((batch.lanes * POSITIONS, DRUM_CLASSES + 3))?;
        let contexts = self.context.forward(&trunk)?;
        let mut terms = vec![("early".to_owned(), self.early(batch, &trunk)?)];
        if !batch.repeat_rows.is_empty() {
            let plans = self.repeats.forward(&trunk)?.reshape(((), PLANS))?;
            let plans = pick(&plans, &batch.repeat_rows)?;
            terms.push(("repeats".to_owned(), cross_entropy(&plans, &batch.repeat_targets)?));
        }
        self.drums.losses(&batch.drums, &contexts, &patterns, &mut terms)?;
        self.bass.losses(&batch.bass, &contexts, &patterns, &mut terms)?;
        for (chords, rows) in self.chords.iter().zip(&batch.chords) {
            chords.losses(rows, &contexts, &patterns, &mut terms)?;
        }
        Ok(Losses { terms, state })
    }

    fn early(&self, batch: &Batch, trunk: &Tensor) -> Result<Tensor> {
        let logits = self.early.forward(trunk)?;
        let copies = Tensor::from_slice(&batch.early_copies, (trunk.dim(0)?, 4, 2 * LAGS), &self.device)?;
        let copied = copies.broadcast_mul(&self.early_copy)?.sum(2)?;
        binary_cross_entropy(&(logits + copied)?, &batch.early_target, &batch.early_weight)
    }
}

impl PartLayers {
    fn new(named: &Named<'_>, part: Part) -> Result<Self> {
        Ok(Self {
            part,
            extra: named.linear("extra", Activation::None)?,
            out: named.linear("out", Activation::None)?,
            copy_plan: named.table("copy.plan")?,
            onset: span(part, "onset"),
            copy: span(part, "copy"),
            velocity: Recall::new(named, part, "velocity", true)?,
            offset: Recall::new(named, part, "offset", false)?,
        })
    }

    /// Context (rows, context) and outputs (rows, outputs).
    fn outputs<R>(&self, rows: &PartRows<R>, contexts: &Tensor) -> Result<(Tensor, Tensor)> {
        let (extras, k) = ((rows.trunk.len(), extra_inputs(self.part)), contexts.dim(1)? / 4);
        let extra = self.extra.forward(&Tensor::from_slice(&rows.extra, extras, contexts.device())?)?;
        let own = pick(&contexts.narrow(1, self.part.index() * k, k)?.contiguous()?, &rows.trunk)?;
        let context = (own + extra)?.relu()?;
        let out = self.out.forward(&context)?;
        Ok((context, out))
    }

    /// How firmly each lag is copied (rows, lags): as the context says and as was planned.
    fn gates(&self, out: &Tensor, plans: &[u32]) -> Result<Tensor> {
        (cut(out, self.copy)? + self.copy_plan.rows(plans)?)? + 0.3
    }

    /// Loss of the onsets of bass, guitar or strings. Rows that are decided early are known to play.
    fn onsets<R>(
        &self,
        out: &Tensor,
        patterns: &Tensor,
        rows: &PartRows<R>,
        copies: impl Fn(&R) -> [f32; LAGS],
    ) -> Result<Tensor> {
        let copies: Vec<[f32; LAGS]> = rows.row.iter().map(copies).collect();
        let signs = Tensor::from_slice(copies.as_flattened(), (copies.len(), LAGS), out.device())?;
        let gates = self.gates(out, &rows.plan)?;
        let pattern = patterns.narrow(1, DRUM_CLASSES + self.part.index() - 1, 1)?.contiguous()?;
        let logits = (cut(out, self.onset)? + pick(&pattern, &rows.pattern)?)?;
        let logits = (logits + (signs * gates)?.sum_keepdim(1)?)?.squeeze(1)?;
        let targets: Vec<f32> = rows.target.iter().map(|t| f32::from(u8::from(t.plays(self.part)))).collect();
        let weights: Vec<f32> = rows.early.iter().map(|&e| f32::from(u8::from(!e))).collect();
        binary_cross_entropy(&logits, &targets, &weights)
    }

    /// Rows in which the part starts something.
    fn chosen<R>(&self, rows: &PartRows<R>) -> Vec<u32> {
        (0..rows.trunk.len() as u32).filter(|&i| rows.target[i as usize].plays(self.part)).collect()
    }

    /// Loss of the offsets of the chosen rows.
    fn offsets<R>(
        &self,
        out: &Tensor,
        rows: &PartRows<R>,
        chosen: &[u32],
        last: impl Fn(&R) -> u8,
    ) -> Result<Tensor> {
        let lasts = column(chosen, |&i| u32::from(last(&rows.row[i as usize])));
        let targets = column(chosen, |&i| (rows.target[i as usize].offsets[self.part.index()] + 3) as u32);
        let mut forbidden = vec![0f32; chosen.len() * OFFSETS];
        for (f, &i) in forbidden.chunks_exact_mut(OFFSETS).zip(chosen) {
            let closed = if rows.early[i as usize] { 3..6 } else { 0..3 };
            f[closed].fill(-1e9);
        }
        let forbidden = Tensor::from_vec(forbidden, (chosen.len(), OFFSETS), out.device())?;
        cross_entropy(&(self.offset.logits(out, &lasts, &[])? + forbidden)?, &targets)
    }
}

impl Recall {
    fn new(named: &Named<'_>, part: Part, name: &str, bar: bool) -> Result<Self> {
        Ok(Self {
            values: span(part, name),
            gates: span(part, &format!("{name} gate")),
            last: named.table(&format!("{name}.last"))?,
            bar: if bar { Some(named.table(&format!("{name}.bar"))?) } else { None },
        })
    }

    /// Logits (rows, classes) beside the last values and those a bar ago.
    fn logits(&self, out: &Tensor, last: &[u32], bar: &[u32]) -> Result<Tensor> {
        let gates = (cut(out, self.gates)? + 1.0)?;
        let embedded = self.last.rows(last)?;
        let mut logits = (cut(out, self.values)? + embedded.broadcast_mul(&gates.narrow(1, 0, 1)?)?)?;
        if let Some(table) = &self.bar {
            logits = (logits + table.rows(bar)?.broadcast_mul(&gates.narrow(1, 1, 1)?)?)?;
        }
        Ok(logits)
    }
}

impl Drums {
    fn new(tensors: &BTreeMap<String, Tensor>, device: &Device) -> Result<Self> {
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

    fn losses(
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

impl Pitched {
    /// `activation` follows the first layer of pitches.
    fn new(named: &Named<'_>, part: Part, activation: Activation) -> Result<Self> {
        Ok(Self {
            part: PartLayers::new(named, part)?,
            length: Recall::new(named, part, "length", true)?,
            pitch_in: named.linear("pitch.in", activation)?,
            pitch_out: named.linear("pitch.out", Activation::None)?,
            pitch_plan: named.table("pitch.plan")?,
        })
    }
}

impl Bass {
    fn new(tensors: &BTreeMap<String, Tensor>) -> Result<Self> {
        let part = Part::Bass;
        let named = Named::of_part(tensors, part);
        Ok(Self {
            pitched: Pitched::new(&named, part, Activation::Relu)?,
            length_degree: named.table("length.degree")?,
            above: Recall::new(&named, part, "above", true)?,
        })
    }

    fn losses(
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
    fn new(tensors: &BTreeMap<String, Tensor>, part: Part) -> Result<Self> {
        let named = Named::of_part(tensors, part);
        Ok(Self {
            pitched: Pitched::new(&named, part, Activation::None)?,
            length_rank: named.table("length.rank")?,
            pitch_climb: named.table("pitch.climb")?,
            pitch_rank: named.table("pitch.rank")?,
        })
    }

    fn losses(
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

fn column<T>(rows: &[T], of: impl Fn(&T) -> u32) -> Vec<u32> {
    rows.iter().map(of).collect()
}

/// Rows of a matrix by number.
fn pick(t: &Tensor, rows: &[u32]) -> Result<Tensor> {
    t.index_select(&Tensor::from_slice(rows, rows.len(), t.device())?, 0)
}

/// Columns of a part's outputs.
fn cut(out: &Tensor, Span { start, width }: Span) -> Result<Tensor> {
    out.narrow(1, start, width)
}
