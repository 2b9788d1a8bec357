//! Strokes drawn one after another.

use std::collections::BTreeMap;

use rand::Rng;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};
use sideman_music::encoding::note_tokens::{GAPS, LENGTHS, PITCHES, POSITIONS, Stroke};

use crate::kernel::Dense;
use crate::weights::{TensorError, Values, take};

/// The network's sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrokeNet {
    /// Shapes of chords, the single note included.
    pub shapes: usize,
    /// Units of each of the two memories, and of everything else.
    pub hidden: usize,
}

impl StrokeNet {
    /// Columns of a window's step in training: gap, lowest pitch, shape, length, place in the bar.
    pub const COLUMNS: usize = 5;

    /// Embeddings and how many rows each has, as wide as the network.
    fn tables(&self) -> [(&'static str, usize); 9] {
        [
            ("in.gap", GAPS),
            ("in.low", PITCHES),
            ("in.shape", self.shapes),
            ("in.length", LENGTHS),
            ("in.place", POSITIONS),
            ("at.gap", GAPS),
            ("at.place", POSITIONS),
            ("at.low", PITCHES),
            ("at.shape", self.shapes),
        ]
    }

    /// Dense layers and how many outputs each has, with the input's side of the two memories.
    fn layers(&self) -> [(&'static str, usize); 9] {
        let h = self.hidden;
        [
            ("lstm0", 4 * h),
            ("lstm1", 4 * h),
            ("gap", GAPS),
            ("to.low", h),
            ("low", PITCHES),
            ("to.shape", h),
            ("shape", self.shapes),
            ("to.length", h),
            ("length", LENGTHS),
        ]
    }

    /// Names and shapes of all tensors, in a fixed order.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let h = self.hidden;
        let mut all: Vec<_> =
            self.tables().into_iter().map(|(name, count)| (format!("{name}.w"), vec![count, h])).collect();
        for (name, outputs) in self.layers() {
            all.push((format!("{name}.w"), vec![outputs, h]));
            if name.starts_with("lstm") {
                all.push((format!("{name}.r"), vec![outputs, h]));
            }
            all.push((format!("{name}.b"), vec![outputs]));
        }
        all
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

/// Weights that play, a step at a time, in plain loops. For the CPU, offline: it allocates.
#[derive(Debug, Clone)]
pub struct StrokePlayer {
    net: StrokeNet,
    tables: BTreeMap<&'static str, Vec<f32>>,
    layers: BTreeMap<&'static str, Dense>,
    /// h and c of both memories.
    state: [(Vec<f32>, Vec<f32>); 2],
    /// What the memories lead to.
    y: Vec<f32>,
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

impl StrokePlayer {
    /// From the values of the tensors by name, row-major.
    ///
    /// # Errors
    /// Names the tensor that is missing or of another size.
    pub fn new(net: StrokeNet, values: &Values) -> Result<Self, TensorError> {
        let h = net.hidden;
        let mut tables = BTreeMap::new();
        for (name, count) in net.tables() {
            tables.insert(name, take(values, &format!("{name}.w"), &[count, h])?);
        }
        let mut layers = BTreeMap::new();
        for (name, outputs) in net.layers() {
            let w = take(values, &format!("{name}.w"), &[outputs, h])?;
            layers.insert(name, Dense::new(h, w, take(values, &format!("{name}.b"), &[outputs])?));
        }
        for name in ["lstm0.r", "lstm1.r"] {
            layers.insert(name, Dense::new(h, take(values, name, &[4 * h, h])?, vec![0.0; 4 * h]));
        }
        let zeros = || vec![0f32; h];
        Ok(Self { net, tables, layers, state: [(zeros(), zeros()), (zeros(), zeros())], y: zeros() })
    }

    fn row(&self, table: &str, id: usize) -> &[f32] {
        // All names are those of `StrokeNet::tables`.
        let (h, all) = (self.net.hidden, &self.tables[table]);
        let id = id.min((all.len() / h).saturating_sub(1));
        &all[id * h..(id + 1) * h]
    }

    /// A dense layer's outputs.
    fn linear(&self, name: &str, x: &[f32]) -> Vec<f32> {
        let layer = &self.layers[name];
        let mut y = vec![0.0; layer.outputs()];
        layer.run(x, false, &mut y);
        y
    }

    /// Logits of the gap before the next stroke.
    pub fn gap_logits(&self) -> Vec<f32> {
        self.linear("gap", &self.y)
    }

    fn memory(&self, layer: usize, x: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let h = self.net.hidden;
        let (before, cell) = &self.state[layer];
        let [input, own] = [["lstm0", "lstm0.r"], ["lstm1", "lstm1.r"]][layer];
        let mut z = self.linear(input, x);
        z.iter_mut().zip(self.linear(own, before)).for_each(|(z, o)| *z += o);
        let c: Vec<f32> =
            (0..h).map(|j| sigmoid(z[h + j]) * cell[j] + sigmoid(z[j]) * z[2 * h + j].tanh()).collect();
        let out = (0..h).map(|j| sigmoid(z[3 * h + j]) * c[j].tanh()).collect();
        (out, c)
    }

    /// Takes in a stroke that begins at a place in its bar.
    pub fn hear(&mut self, stroke: Stroke, place: usize) {
        let parts = [
            self.row("in.gap", stroke.gap),
            self.row("in.low", stroke.low),
            self.row("in.shape", stroke.shape),
            self.row("in.length", stroke.length),
            self.row("in.place", place),
        ];
        let x: Vec<f32> = (0..self.net.hidden).map(|j| parts.iter().map(|p| p[j]).sum()).collect();
        self.state[0] = self.memory(0, &x);
        self.state[1] = self.memory(1, &self.state[0].0);
        self.y = self.state[0].0.iter().zip(&self.state[1].0).map(|(a, b)| a + b).collect();
    }

    /// Draws the stroke that comes next; `place` gives the place in its bar of a stroke after a gap. It is not
    /// taken in: give it to [`StrokePlayer::hear`].
    pub fn draw(&self, place: impl Fn(usize) -> usize, draws: Draws, rng: &mut Pcg64) -> Drawn {
        let mut log_probability = 0.0;
        let mut pick = |logits: &[f32]| {
            let (choice, log) = pick(logits, draws, rng);
            log_probability += log;
            choice
        };
        let gap = pick(&self.gap_logits());
        let follow = |y: &[f32], name: &str, rows: &[&[f32]]| -> Vec<f32> {
            let mut z = self.linear(name, y);
            for row in rows {
                z.iter_mut().zip(*row).for_each(|(z, r)| *z += r);
            }
            z.iter_mut().for_each(|z| *z = z.max(0.0));
            z
        };
        let when = [self.row("at.gap", gap), self.row("at.place", place(gap))];
        let y = follow(&self.y, "to.low", &when);
        let low = pick(&self.linear("low", &y));
        let y = follow(&y, "to.shape", &[self.row("at.low", low)]);
        let shape = pick(&self.linear("shape", &y));
        let y = follow(&y, "to.length", &[self.row("at.shape", shape)]);
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
    use rand::SeedableRng;

    use super::*;
    use crate::papers::tests::{random, values};

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
        let net = StrokeNet { shapes: 7, hidden: 12 };
        let values = values(&random(&net.tensors(), 3));
        let mut short = values.clone();
        short.remove("low.b");
        assert_eq!(StrokePlayer::new(net, &short).unwrap_err(), TensorError::Missing("low.b".into()));
        let mut long = values;
        long.insert("low.b".into(), vec![0.0]);
        assert!(
            matches!(StrokePlayer::new(net, &long), Err(TensorError::Shape { found, .. }) if found == [1])
        );
    }
}
