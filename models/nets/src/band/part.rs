//! Layers that every part of the band's network has.

use std::collections::BTreeMap;

use candle_core::{Result, Tensor};
use sideman_inference::band::{LAGS, Span, extra_inputs, part_key, span};
use sideman_music::Part;
use sideman_music::encoding::grid::{DRUM_CLASSES, OFFSETS};

use super::batch::PartRows;
use crate::nn::{Embedding, Linear, Module};
use crate::ops::{Activation, binary_cross_entropy, cross_entropy};

/// Terms of a loss by name.
pub(super) type Terms = Vec<(String, Tensor)>;

/// The tensors of a network, or of one of its parts, by name.
pub(super) struct Named<'a> {
    tensors: &'a BTreeMap<String, Tensor>,
    prefix: String,
}

impl<'a> Named<'a> {
    pub(super) fn all(tensors: &'a BTreeMap<String, Tensor>) -> Self {
        Self { tensors, prefix: String::new() }
    }

    pub(super) fn of_part(tensors: &'a BTreeMap<String, Tensor>, part: Part) -> Self {
        Self { tensors, prefix: format!("{}.", part_key(part)) }
    }

    pub(super) fn get(&self, name: &str) -> Result<Tensor> {
        let name = format!("{}{name}", self.prefix);
        match self.tensors.get(&name) {
            Some(t) => Ok(t.clone()),
            None => candle_core::bail!("the tensor {name} is missing"),
        }
    }

    pub(super) fn linear(&self, name: &str, activation: Activation) -> Result<Linear> {
        Ok(Linear::of(self.get(&format!("{name}.w"))?, self.get(&format!("{name}.b"))?, activation))
    }

    pub(super) fn table(&self, name: &str) -> Result<Embedding> {
        Ok(Embedding::of(self.get(name)?))
    }
}

/// What every part has.
pub(super) struct PartLayers {
    pub(super) part: Part,
    extra: Linear,
    out: Linear,
    copy_plan: Embedding,
    pub(super) onset: Span,
    copy: Span,
    pub(super) velocity: Recall,
    offset: Recall,
}

/// A class that tends to stay: what the context says, and embeddings of the last value and the one a bar ago, each
/// behind a gate.
pub(super) struct Recall {
    values: Span,
    gates: Span,
    last: Embedding,
    bar: Option<Embedding>,
}

/// What bass, guitar and strings have.
pub(super) struct Pitched {
    pub(super) part: PartLayers,
    pub(super) length: Recall,
    pub(super) pitch_in: Linear,
    pub(super) pitch_out: Linear,
    pub(super) pitch_plan: Embedding,
}

impl PartLayers {
    pub(super) fn new(named: &Named<'_>, part: Part) -> Result<Self> {
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
    pub(super) fn outputs<R>(&self, rows: &PartRows<R>, contexts: &Tensor) -> Result<(Tensor, Tensor)> {
        let (extras, k) = ((rows.trunk.len(), extra_inputs(self.part)), contexts.dim(1)? / 4);
        let extra = self.extra.forward(&Tensor::from_slice(&rows.extra, extras, contexts.device())?)?;
        let own = pick(&contexts.narrow(1, self.part.index() * k, k)?.contiguous()?, &rows.trunk)?;
        let context = (own + extra)?.relu()?;
        let out = self.out.forward(&context)?;
        Ok((context, out))
    }

    /// How firmly each lag is copied (rows, lags): as the context says and as was planned.
    pub(super) fn gates(&self, out: &Tensor, plans: &[u32]) -> Result<Tensor> {
        (cut(out, self.copy)? + self.copy_plan.rows(plans)?)? + 0.3
    }

    /// Loss of the onsets of bass, guitar or strings. Rows that are decided early are known to play.
    pub(super) fn onsets<R>(
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
    pub(super) fn chosen<R>(&self, rows: &PartRows<R>) -> Vec<u32> {
        (0..rows.trunk.len() as u32).filter(|&i| rows.target[i as usize].plays(self.part)).collect()
    }

    /// Loss of the offsets of the chosen rows.
    pub(super) fn offsets<R>(
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
    pub(super) fn new(named: &Named<'_>, part: Part, name: &str, bar: bool) -> Result<Self> {
        Ok(Self {
            values: span(part, name),
            gates: span(part, &format!("{name} gate")),
            last: named.table(&format!("{name}.last"))?,
            bar: if bar { Some(named.table(&format!("{name}.bar"))?) } else { None },
        })
    }

    /// Logits (rows, classes) beside the last values and those a bar ago.
    pub(super) fn logits(&self, out: &Tensor, last: &[u32], bar: &[u32]) -> Result<Tensor> {
        let gates = (cut(out, self.gates)? + 1.0)?;
        let embedded = self.last.rows(last)?;
        let mut logits = (cut(out, self.values)? + embedded.broadcast_mul(&gates.narrow(1, 0, 1)?)?)?;
        if let Some(table) = &self.bar {
            logits = (logits + table.rows(bar)?.broadcast_mul(&gates.narrow(1, 1, 1)?)?)?;
        }
        Ok(logits)
    }
}

impl Pitched {
    /// `activation` follows the first layer of pitches.
    pub(super) fn new(named: &Named<'_>, part: Part, activation: Activation) -> Result<Self> {
        Ok(Self {
            part: PartLayers::new(named, part)?,
            length: Recall::new(named, part, "length", true)?,
            pitch_in: named.linear("pitch.in", activation)?,
            pitch_out: named.linear("pitch.out", Activation::None)?,
            pitch_plan: named.table("pitch.plan")?,
        })
    }
}

pub(super) fn column<T>(rows: &[T], of: impl Fn(&T) -> u32) -> Vec<u32> {
    rows.iter().map(of).collect()
}

/// Rows of a matrix by number.
pub(super) fn pick(t: &Tensor, rows: &[u32]) -> Result<Tensor> {
    t.index_select(&Tensor::from_slice(rows, rows.len(), t.device())?, 0)
}

/// Columns of a part's outputs.
pub(super) fn cut(out: &Tensor, Span { start, width }: Span) -> Result<Tensor> {
    out.narrow(1, start, width)
}
