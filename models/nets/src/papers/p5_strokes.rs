//! P5 taken on: strokes instead of categories, so that what comes out can be played.
//!
//! A category does not say when the next one begins, nor how a chord lies, and a network that is given its number has
//! to learn 26 million weights to read it. A [`StrokeNet`] sees a stroke (see `sideman_music::encoding::note_tokens`) as the sum of
//! embeddings of its gap, lowest pitch, shape, length and place in the bar. Two memories of the last strokes lead to the
//! next one in four draws, each knowing those before it: when, what lowest pitch, what chord on it, how long. It is
//! trained at every step of its windows, in all keys.

use candle_core::{DType, Result, Tensor, bail};
use rand::Rng;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};
use sideman_music::encoding::note_tokens::{GAPS, LENGTHS, PITCHES, POSITIONS, Stroke};
use std::collections::BTreeMap;

use crate::nn::{Embedding, Init, Linear, Lstm, Mode, Module, Network, VarBuilder, dropout};
use crate::ops::{Activation, cross_entropy};

/// The network's sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrokeNet {
    /// Shapes of chords, the single note included.
    pub shapes: usize,
    /// Units of each of the two memories, and of everything else.
    pub hidden: usize,
}

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

impl StrokeNet {
    /// Columns of a window's step: gap, lowest pitch, shape, length, place in the bar.
    pub const COLUMNS: usize = 5;
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

/// How strokes are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draws {
    /// What logits are divided by: below 1 more of the likely, above 1 less; above 0.
    pub temperature: f32,
    /// Only the likeliest that together have this share of the probability are drawn from, above 0 to 1 (Holtzman et
    /// al. 2020).
    pub share: f32,
}

impl Default for Draws {
    fn default() -> Self {
        Self { temperature: 1.0, share: 0.92 }
    }
}

/// A stroke that was drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawn {
    /// The stroke.
    pub stroke: Stroke,
    /// Its logarithm of probability before temperature and share, in nats.
    pub log_probability: f32,
}

/// A network that plays: weights as they are, a step at a time, in plain loops. For the CPU, offline: it allocates.
#[derive(Debug, Clone)]
pub struct StrokePlayer {
    net: StrokeNet,
    values: BTreeMap<String, Vec<f32>>,
    /// h and c of both memories.
    state: [(Vec<f32>, Vec<f32>); 2],
    /// What the memories lead to.
    y: Vec<f32>,
}

/// out = w x + b, of a row-major matrix.
fn dense(w: &[f32], b: &[f32], x: &[f32]) -> Vec<f32> {
    let dot = |row: &[f32]| {
        // Eight sums side by side, so that the compiler may use wide registers.
        let mut sums = [0f32; 8];
        let (a, c) = (row.chunks_exact(8), x.chunks_exact(8));
        let rest: f32 = a.remainder().iter().zip(c.remainder()).map(|(a, c)| a * c).sum();
        for (a, c) in a.zip(c) {
            (0..8).for_each(|i| sums[i] += a[i] * c[i]);
        }
        sums.iter().sum::<f32>() + rest
    };
    w.chunks_exact(x.len()).zip(b).map(|(row, b)| dot(row) + b).collect()
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

impl StrokePlayer {
    /// From the values of the network's tensors by name, row-major.
    ///
    /// # Errors
    /// When one is missing or of another size; the message names it.
    pub fn new(net: StrokeNet, values: BTreeMap<String, Vec<f32>>) -> std::result::Result<Self, String> {
        for spec in net.specs().trained {
            let wanted: usize = spec.shape.iter().product();
            match values.get(&spec.name) {
                Some(v) if v.len() == wanted => {}
                Some(v) => return Err(format!("{} has {} values, not {wanted}", spec.name, v.len())),
                None => return Err(format!("{} is missing", spec.name)),
            }
        }
        let zeros = || vec![0f32; net.hidden];
        let state = [(zeros(), zeros()), (zeros(), zeros())];
        Ok(Self { net, values, state, y: zeros() })
    }

    fn get(&self, name: &str) -> &[f32] {
        // All names are those of the specs, which `new` has checked.
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    fn row(&self, table: &str, id: usize) -> &[f32] {
        let h = self.net.hidden;
        let all = self.get(table);
        let id = id.min((all.len() / h).saturating_sub(1));
        &all[id * h..(id + 1) * h]
    }

    fn linear(&self, name: &str, x: &[f32]) -> Vec<f32> {
        dense(self.get(&format!("{name}.w")), self.get(&format!("{name}.b")), x)
    }

    fn memory(&self, layer: usize, x: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let h = self.net.hidden;
        let (before, cell) = &self.state[layer];
        let mut z = self.linear(&format!("lstm{layer}"), x);
        let own = dense(self.get(&format!("lstm{layer}.r")), &vec![0.0; 4 * h], before);
        z.iter_mut().zip(own).for_each(|(z, o)| *z += o);
        let c: Vec<f32> =
            (0..h).map(|j| sigmoid(z[h + j]) * cell[j] + sigmoid(z[j]) * z[2 * h + j].tanh()).collect();
        let out = (0..h).map(|j| sigmoid(z[3 * h + j]) * c[j].tanh()).collect();
        (out, c)
    }

    /// Takes in a stroke that begins at a place in its bar.
    pub fn hear(&mut self, stroke: Stroke, place: usize) {
        let parts = [
            self.row("in.gap.w", stroke.gap),
            self.row("in.low.w", stroke.low),
            self.row("in.shape.w", stroke.shape),
            self.row("in.length.w", stroke.length),
            self.row("in.place.w", place),
        ];
        let x: Vec<f32> = (0..self.net.hidden).map(|j| parts.iter().map(|p| p[j]).sum()).collect();
        self.state[0] = self.memory(0, &x);
        self.state[1] = self.memory(1, &self.state[0].0);
        self.y = self.state[0].0.iter().zip(&self.state[1].0).map(|(a, b)| a + b).collect();
    }

    /// Draws the stroke that comes next; `place` gives the place in its bar of a stroke after a gap. Nothing is heard
    /// by it: give it to [`StrokePlayer::hear`].
    pub fn draw(&self, place: impl Fn(usize) -> usize, draws: Draws, rng: &mut Pcg64) -> Drawn {
        let mut log_probability = 0.0;
        let mut pick = |logits: &[f32]| {
            let (choice, log) = pick(logits, draws, rng);
            log_probability += log;
            choice
        };
        let gap = pick(&self.linear("gap", &self.y));
        let follow = |y: &[f32], name: &str, rows: &[&[f32]]| -> Vec<f32> {
            let mut z = self.linear(name, y);
            for row in rows {
                z.iter_mut().zip(*row).for_each(|(z, r)| *z += r);
            }
            z.iter_mut().for_each(|z| *z = z.max(0.0));
            z
        };
        let when = [self.row("at.gap.w", gap), self.row("at.place.w", place(gap))];
        let y = follow(&self.y, "to.low", &when);
        let low = pick(&self.linear("low", &y));
        let y = follow(&y, "to.shape", &[self.row("at.low.w", low)]);
        let shape = pick(&self.linear("shape", &y));
        let y = follow(&y, "to.length", &[self.row("at.shape.w", shape)]);
        let length = pick(&self.linear("length", &y));
        Drawn { stroke: Stroke { gap, low, shape, length }, log_probability }
    }
}

/// A draw, and the logarithm of its probability before temperature and share.
fn pick(logits: &[f32], draws: Draws, rng: &mut Pcg64) -> (usize, f32) {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let all: f32 = logits.iter().map(|l| (l - top).exp()).sum();
    let mut ranked: Vec<(usize, f32)> =
        logits.iter().map(|l| ((l - top) / draws.temperature.max(1e-3)).exp()).enumerate().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let sum: f32 = ranked.iter().map(|r| r.1).sum();
    let mut kept = 0.0;
    let count = ranked
        .iter()
        .take_while(|r| {
            let go = kept < draws.share * sum;
            kept += r.1;
            go
        })
        .count();
    ranked.truncate(count.max(1));
    let kept: f32 = ranked.iter().map(|r| r.1).sum();
    let mut left = rng.random::<f32>() * kept;
    let choice = ranked
        .iter()
        .find(|r| {
            left -= r.1;
            left < 0.0
        })
        .or(ranked.last())
        .map_or(0, |r| r.0);
    (choice, logits.get(choice).map_or(0.0, |l| l - top - all.ln()))
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use rand::SeedableRng;

    use super::*;
    use crate::nn::Parameters;

    fn net() -> (StrokeNet, Parameters) {
        let net = StrokeNet { shapes: 7, hidden: 12 };
        let parameters = Parameters::fresh(&net.specs(), 3).unwrap();
        (net, parameters)
    }

    fn values(parameters: &Parameters) -> BTreeMap<String, Vec<f32>> {
        let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1().unwrap();
        parameters.tensors.iter().map(|(k, v)| (k.clone(), flat(v))).collect()
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

    /// The loops that play give the logits that training sees.
    #[test]
    fn the_player_is_the_network() {
        let (net, parameters) = net();
        let line = line(9);
        let layers = net.load(&parameters).unwrap();
        let targets = layers.forward(&tensor(&line), 1, 0.5, &mut Mode::Inference).unwrap();
        let mut player = StrokePlayer::new(net, values(&parameters)).unwrap();
        let mut total = 0.0;
        for (step, pair) in line.windows(2).enumerate() {
            player.hear(pair[0].0, pair[0].1);
            let gap = targets.logits[0].get(step).unwrap().to_vec1::<f32>().unwrap();
            for (a, b) in player.linear("gap", &player.y).iter().zip(&gap) {
                assert!((a - b).abs() < 1e-4);
            }
            // A likely stroke is drawn with the probability that the losses say.
            let mut rng = Pcg64::seed_from_u64(step as u64);
            let drawn = player.draw(|_| pair[1].1, Draws { temperature: 1e-3, share: 1e-6 }, &mut rng);
            let same = [(pair[0]), (drawn.stroke, pair[1].1)];
            let mut whole: Vec<(Stroke, usize)> = line[..=step].to_vec();
            whole.push(same[1]);
            let t = layers.forward(&tensor(&whole), step + 1, 0.0, &mut Mode::Inference).unwrap();
            let loss: f32 = t.losses().unwrap().iter().map(|l| l.to_scalar::<f32>().unwrap()).sum();
            assert!((loss + drawn.log_probability).abs() < 1e-3, "{loss} {}", drawn.log_probability);
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

    #[test]
    fn draws_are_fair_and_keep_to_the_likely() {
        let logits = [1.0f32, 3.0, 2.0, -5.0];
        let mut rng = Pcg64::seed_from_u64(1);
        let mut counts = [0; 4];
        for _ in 0..20_000 {
            counts[pick(&logits, Draws { temperature: 1.0, share: 1.0 }, &mut rng).0] += 1;
        }
        let sum: f32 = logits.iter().map(|l| l.exp()).sum();
        for (count, logit) in counts.iter().zip(logits) {
            assert!((*count as f32 / 20_000.0 - logit.exp() / sum).abs() < 0.012, "{counts:?}");
        }
        for _ in 0..200 {
            // The first two have 0.91 of it.
            let (choice, log) = pick(&logits, Draws { temperature: 1.0, share: 0.9 }, &mut rng);
            assert!(choice == 1 || choice == 2);
            assert!((log - (logits[choice] - sum.ln())).abs() < 1e-5);
            assert_eq!(pick(&logits, Draws { temperature: 0.01, share: 1.0 }, &mut rng).0, 1);
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let (net, parameters) = net();
        let mut short = values(&parameters);
        short.remove("low.b");
        assert_eq!(StrokePlayer::new(net, short).unwrap_err(), "low.b is missing");
        let mut long = values(&parameters);
        long.insert("low.b".into(), vec![0.0]);
        assert!(StrokePlayer::new(net, long).unwrap_err().contains("1 values"));
    }
}
