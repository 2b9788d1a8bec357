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
use sideman_inference::band::{Config, INPUTS, LAGS, PLANS, POSITIONS};
use sideman_music::Part;
use sideman_music::encoding::grid::DRUM_CLASSES;

use super::bass::Bass;
use super::batch::Batch;
use super::chords::Chords;
use super::drums::Drums;
use super::part::{Named, pick};
use crate::nn::{Linear, Lstm, Module};
use crate::ops::{Activation, LstmState, binary_cross_entropy, cross_entropy, dropout};

/// Summed losses of a batch.
pub struct Losses {
    /// Terms by name ("bass pitch", ...), scalars in nats; a term without rows may be absent.
    pub terms: Vec<(String, Tensor)>,
    /// State after the batch.
    pub state: LstmState,
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

impl Network {
    /// A network over tensors that must be exactly those of the configuration.
    ///
    /// # Errors
    /// When one is missing, too many or of another shape.
    pub fn new(config: Config, tensors: BTreeMap<String, Tensor>, device: &Device) -> Result<Self> {
        let specs = config.tensors();
        let all = Named::all(&tensors);
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
