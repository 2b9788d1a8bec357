//! P5 taken on: strokes instead of categories, so that what comes out can be played.
//!
//! A category does not say when the next one begins, nor how a chord lies, and a network that is given its number has
//! to learn 26 million weights to read it. A [`StrokeNet`] sees a stroke (see `sideman_music::encoding::note_tokens`) as the sum of
//! embeddings of its gap, lowest pitch, shape, length and place in the bar. Two memories of the last strokes lead to the
//! next one in four draws, each knowing those before it: when, what lowest pitch, what chord on it, how long. It is
//! trained at every step of its windows, in all keys.

use candle_core::{DType, Result, Tensor, bail};
use sideman_inference::papers::p5::StrokeNet;
use sideman_music::encoding::note_tokens::{GAPS, LENGTHS, PITCHES, POSITIONS};

use crate::nn::{Embedding, Init, Linear, Lstm, Mode, Module, Network, VarBuilder, dropout};
use crate::ops::{Activation, cross_entropy};

/// Logits of the four draws, when, what lowest pitch, what chord, how long: (rows, classes), rows time-major.
pub struct StrokeLogits {
    /// Of each draw.
    pub logits: [Tensor; 4],
    /// What was drawn: (rows), u32.
    drawn: [Tensor; 4],
}

/// The layers of a [`StrokeNet`].
pub struct StrokeLayers {
    /// Of the strokes that are read: gap, lowest pitch, shape, length, place in the bar.
    read: [Embedding; 5],
    /// Of what was drawn: the gap, and the place in the bar that it leads to, the lowest pitch, the shape.
    drawn: [Embedding; 4],
    memories: [Lstm; 2],
    /// Logits of the four draws; each but the first behind a layer that takes in the one before.
    gap: Linear,
    draws: [(Linear, Linear); 3],
    hidden: usize,
}

impl Network for StrokeNet {
    type Layers = StrokeLayers;

    fn build(&self, vb: &VarBuilder<'_>) -> Result<StrokeLayers> {
        let h = self.hidden;
        let init = Init::Glorot { inputs: h, outputs: h };
        let table = |rows, name: &str| Embedding::new(rows, h, init, vb.pp(name));
        let linear = |outputs, name: &str| Linear::new(h, outputs, Activation::None, vb.pp(name));
        Ok(StrokeLayers {
            read: [
                table(GAPS, "in.gap")?,
                table(PITCHES, "in.low")?,
                table(self.shapes, "in.shape")?,
                table(LENGTHS, "in.length")?,
                table(POSITIONS, "in.place")?,
            ],
            drawn: [
                table(GAPS, "at.gap")?,
                table(POSITIONS, "at.place")?,
                table(PITCHES, "at.low")?,
                table(self.shapes, "at.shape")?,
            ],
            memories: [Lstm::new(h, h, vb.pp("lstm0"))?, Lstm::new(h, h, vb.pp("lstm1"))?],
            gap: linear(GAPS, "gap")?,
            draws: [
                (linear(h, "to.low")?, linear(PITCHES, "low")?),
                (linear(h, "to.shape")?, linear(self.shapes, "shape")?),
                (linear(h, "to.length")?, linear(LENGTHS, "length")?),
            ],
            hidden: h,
        })
    }
}

impl StrokeLayers {
    /// Logits of every stroke but the first of windows (examples, strokes, [`StrokeNet::COLUMNS`]), each from those
    /// before it in its window, with a dropout in training. Only strokes from `from` on count, 1 for all.
    ///
    /// # Errors
    /// When the input has another shape.
    pub fn forward(
        &self,
        windows: &Tensor,
        from: usize,
        share: f32,
        mode: &mut Mode<'_>,
    ) -> Result<StrokeLogits> {
        let (lanes, strokes, columns) = windows.dims3()?;
        if columns != StrokeNet::COLUMNS || from == 0 || strokes <= from {
            bail!("windows of {strokes} strokes and {columns} columns, of which {from} are given");
        }
        let steps = strokes - 1;
        let h = self.hidden;
        // (strokes, examples, columns): time-major.
        let windows = windows.transpose(0, 1)?.contiguous()?.to_dtype(DType::U32)?;
        let column = |c: usize, start: usize, count: usize| {
            windows.narrow(0, start, count)?.narrow(2, c, 1)?.contiguous()?.flatten_all()
        };
        let mut x = self.read[0].forward(&column(0, 0, steps)?)?;
        for (c, table) in self.read.iter().enumerate().skip(1) {
            x = (x + table.forward(&column(c, 0, steps)?)?)?;
        }
        let count = steps + 1 - from;
        let ids = |c| column(c, from, count);
        let [gaps, lows, shapes, lengths, places] = [ids(0)?, ids(1)?, ids(2)?, ids(3)?, ids(4)?];
        let [at_gap, at_place, at_low, at_shape] = &self.drawn;
        let at = [
            (at_gap.forward(&gaps)? + at_place.forward(&places)?)?,
            at_low.forward(&lows)?,
            at_shape.forward(&shapes)?,
        ];
        let x = dropout(&x, share, mode)?.reshape((steps, lanes, h))?;
        let a = self.memories[0].forward(&x)?;
        let b = self.memories[1].forward(&dropout(&a, share, mode)?)?;
        let y = (a + b)?.narrow(0, from - 1, count)?.contiguous()?.reshape((count * lanes, h))?;
        let mut y = dropout(&y, share, mode)?;
        let gap = self.gap.forward(&y)?;
        let mut next = |(to, out): &(Linear, Linear), at: &Tensor| {
            y = dropout(&(to.forward(&y)? + at)?.relu()?, share, mode)?;
            out.forward(&y)
        };
        let [low, shape, length] = &self.draws;
        let logits = [gap, next(low, &at[0])?, next(shape, &at[1])?, next(length, &at[2])?];
        Ok(StrokeLogits { logits, drawn: [gaps, lows, shapes, lengths] })
    }
}

impl StrokeLogits {
    /// Losses of the four draws, each summed over its rows, in nats.
    ///
    /// # Errors
    /// When a stroke lies outside of what the network knows.
    pub fn losses(&self) -> Result<[Tensor; 4]> {
        let loss = |i: usize| cross_entropy(&self.logits[i], &self.drawn[i].to_vec1::<u32>()?);
        Ok([loss(0)?, loss(1)?, loss(2)?, loss(3)?])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use candle_core::Device;
    use rand::SeedableRng;
    use rand_pcg::Pcg64;
    use sideman_inference::papers::p5::{Draws, StrokePlayer};
    use sideman_music::encoding::note_tokens::Stroke;

    use super::*;
    use crate::nn::Parameters;

    fn net() -> (StrokeNet, Parameters) {
        let net = StrokeNet { shapes: 7, hidden: 12 };
        let parameters = Parameters::fresh(&net.specs(), 3).unwrap();
        (net, parameters)
    }

    fn line(count: usize) -> Vec<(Stroke, usize)> {
        (0..count)
            .map(|i| {
                let s =
                    Stroke { gap: i * 5 % GAPS, low: i * 7 % PITCHES, shape: i % 7, length: i * 3 % LENGTHS };
                (s, i * 11 % POSITIONS)
            })
            .collect()
    }

    fn tensor(line: &[(Stroke, usize)]) -> Tensor {
        let flat: Vec<f32> = line
            .iter()
            .flat_map(|(s, place)| [s.gap, s.low, s.shape, s.length, *place].map(|v| v as f32))
            .collect();
        Tensor::from_vec(flat, (1, line.len(), StrokeNet::COLUMNS), &Device::Cpu).unwrap()
    }

    /// Most by which a logit that plays may differ from the reference's, and a loss, which sums four of them.
    const TOLERANCE: f32 = 1e-4;
    const LOSS_TOLERANCE: f32 = 1e-3;

    /// The loops that play give the logits that training sees.
    #[test]
    fn the_player_is_the_network() {
        let (net, parameters) = net();
        let line = line(9);
        let layers = net.load(&parameters).unwrap();
        let targets = layers.forward(&tensor(&line), 1, 0.5, &mut Mode::Inference).unwrap();
        let mut player = StrokePlayer::new(net, &parameters.values("").unwrap()).unwrap();
        let mut total = 0.0;
        for (step, pair) in line.windows(2).enumerate() {
            player.hear(pair[0].0, pair[0].1);
            let gap = targets.logits[0].get(step).unwrap().to_vec1::<f32>().unwrap();
            for (a, b) in player.gap_logits().iter().zip(&gap) {
                assert!((a - b).abs() < TOLERANCE);
            }
            // A likely stroke is drawn with the probability that the losses say.
            let mut rng = Pcg64::seed_from_u64(step as u64);
            let drawn = player.draw(|_| pair[1].1, Draws { temperature: 1e-3, share: 1e-6 }, &mut rng);
            let same = [(pair[0]), (drawn.stroke, pair[1].1)];
            let mut whole: Vec<(Stroke, usize)> = line[..=step].to_vec();
            whole.push(same[1]);
            let t = layers.forward(&tensor(&whole), step + 1, 0.0, &mut Mode::Inference).unwrap();
            let loss: f32 = t.losses().unwrap().iter().map(|l| l.to_scalar::<f32>().unwrap()).sum();
            assert!(
                (loss + drawn.log_probability).abs() < LOSS_TOLERANCE,
                "{loss} {}",
                drawn.log_probability
            );
            total += loss;
        }
        assert!(total > 0.0);
    }

    #[test]
    fn all_tensors_are_trained() {
        let (net, parameters) = net();
        let vars: BTreeMap<_, _> = parameters
            .tensors
            .iter()
            .map(|(k, v)| (k.clone(), candle_core::Var::from_tensor(v).unwrap()))
            .collect();
        let tensors = vars.iter().map(|(k, v)| (k.clone(), v.as_tensor().clone())).collect();
        let (mut running, mut rng) = (BTreeMap::new(), Pcg64::seed_from_u64(1));
        let layers = net.build(&VarBuilder::new(&tensors, &running)).unwrap();
        let mut mode = Mode::Training { running: &mut running, rng: &mut rng };
        let targets = layers.forward(&tensor(&line(30)), 1, 0.1, &mut mode).unwrap();
        let loss = Tensor::stack(&targets.losses().unwrap(), 0).unwrap().sum_all().unwrap();
        let grads = loss.backward().unwrap();
        assert!(vars.iter().all(|(_, v)| grads.get(v).is_some()));
        assert!(layers.forward(&tensor(&line(4)), 4, 0.0, &mut Mode::Inference).is_err());
    }
}
