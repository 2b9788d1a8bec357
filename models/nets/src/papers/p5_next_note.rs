//! P5: the next note or chord from the hundred before it.
//!
//! "Music Generation Using Recurrent Neural Networks" (Mokobi, May, Voorhis-Allen; P5), section 4 and figure 2: eight
//! architectures of convolutions and recurrent layers that see 100 categories and name the 101st.
//!
//! # Deviations, and what the paper leaves open
//! - The paper does not say what a category is to the network, nor how the layers end. Its parameter counts do: "over
//!   5.4 million" for two layers of 256 and "2.5 million" for four of 128 are those of *one* number a step, and of a
//!   dense layer over the outputs of all steps (181 and 160 categories; with the last step alone, neither could come to
//!   a million). Its published program has it so, too: the category's number over the number of categories goes in,
//!   `Flatten` and `Dense` end it.
//! - Sizes and dropouts that figure 2 does not name are the program's: convolutions of 128 with ReLU and a dropout of 0.1
//!   after them, 0.3 after recurrent layers, 0.1 throughout build 6, the time-distributed dense layer of 256 and without
//!   an activation. Build 7 has no dropout, as its name has none.
//! - Gated recurrent units have the reset gate after the product and so a second bias, 768 values more a layer than
//!   Keras had in 2018. Gates are logistic, where Keras had a line in three pieces by default.
//!
//! [`EveryStep`] is ours: it sees categories through an embedding, and is trained at every one of its steps.

use candle_core::{DType, Result, Tensor};

use crate::genre::Classifier;
use crate::nn::{
    BatchNorm, Conv2d, Embedding, Gru, Init, Linear, Lstm, Mode, Module, Network, NormConfig, VarBuilder,
    dropout,
};
use crate::ops::{Activation, Window};

/// Notes and chords that a build sees (P5, section 3.3).
pub const WINDOW: usize = 100;
/// Width of the convolutions (P5, section 5.2, model 1).
const WIDTH: usize = 3;

/// A layer over a sequence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Layer {
    /// A convolution of width 3 without padding, with ReLU: so many filters.
    Conv(usize),
    /// A long short-term memory that gives out every step: so many units.
    Lstm(usize),
    /// A gated recurrent unit that gives out every step: so many units.
    Gru(usize),
    /// A dense layer at each step, without an activation: so many units.
    Dense(usize),
    /// Dropout of a share.
    Dropout(f32),
    /// Batch normalisation.
    Norm,
}

/// One of the architectures. Input: (examples, steps) of categories as numbers over how many there are.
#[derive(Debug, Clone, PartialEq)]
pub struct NextNote {
    /// Layers in order; dense to the categories comes after them.
    pub layers: Vec<Layer>,
    /// Steps that are seen.
    pub steps: usize,
    /// Categories.
    pub classes: usize,
}

impl NextNote {
    /// Names of the architectures as figure 2 has them.
    pub const NAMES: [&'static str; 8] = [
        "baseline: 4 LSTM-256, dropout",
        "1: Conv1D-256, 2 LSTM-256, dropout",
        "2: LSTM-256, dropout",
        "3: Conv1D-128, 2 GRU-256, dropout",
        "4: Conv1D-256, 3 LSTM-128, dropout",
        "5: Conv1D, 2 LSTM-256, batch norm",
        "6: Conv1D, time-dense, LSTM, dropout",
        "7: Conv1D, time-dense, LSTM, Conv1D, LSTM",
    ];

    /// A build by its number, 0 (the baseline) to 7.
    pub fn build(number: usize, steps: usize, classes: usize) -> Self {
        use Layer::{Conv, Dense, Dropout, Gru, Lstm, Norm};
        let layers = match number {
            0 => [Lstm(256), Dropout(0.3)].repeat(4),
            1 => [vec![Conv(256), Dropout(0.1)], [Lstm(256), Dropout(0.3)].repeat(2)].concat(),
            2 => vec![Lstm(256), Dropout(0.3)],
            3 => [vec![Conv(128), Dropout(0.1)], [Gru(256), Dropout(0.3)].repeat(2)].concat(),
            4 => [vec![Conv(256), Dropout(0.1)], [Lstm(128), Dropout(0.3)].repeat(3)].concat(),
            5 => [vec![Conv(128)], [Lstm(256), Norm].repeat(2)].concat(),
            6 => vec![Conv(128), Dropout(0.1), Dense(256), Dropout(0.1), Lstm(256), Dropout(0.1)],
            _ => vec![Conv(128), Dense(256), Lstm(256), Conv(128), Lstm(256)],
        };
        Self { layers, steps, classes }
    }

    /// The same with every size divided, for tests.
    pub fn shrunk(mut self, by: usize) -> Self {
        for layer in &mut self.layers {
            match layer {
                Layer::Conv(n) | Layer::Lstm(n) | Layer::Gru(n) | Layer::Dense(n) => *n = (*n / by).max(2),
                Layer::Dropout(_) | Layer::Norm => {}
            }
        }
        self
    }
}

struct NextNoteLayers {
    layers: Vec<AnyLayer>,
    out: Linear,
    steps: usize,
}

enum AnyLayer {
    Conv(Conv2d),
    /// Over (steps, examples, channels).
    Recurrent(Box<dyn Module>),
    Dense(Linear),
    Dropout(f32),
    Norm(BatchNorm),
}

impl Network for NextNote {
    type Layers = Box<dyn Classifier>;

    fn build(&self, vb: &VarBuilder<'_>) -> Result<Self::Layers> {
        let (mut channels, mut steps) = (1, self.steps);
        let mut layers = vec![];
        for (i, &layer) in self.layers.iter().enumerate() {
            let vb = vb.pp(format!("l{i}"));
            let inputs = channels;
            if let Layer::Conv(n) | Layer::Lstm(n) | Layer::Gru(n) | Layer::Dense(n) = layer {
                channels = n;
            }
            layers.push(match layer {
                Layer::Conv(n) => {
                    steps = steps.saturating_sub(WIDTH - 1);
                    let (window, relu) = (Window::default(), Activation::Relu);
                    AnyLayer::Conv(Conv2d::new((inputs, n), (1, WIDTH), window, relu, vb)?)
                }
                Layer::Lstm(n) => AnyLayer::Recurrent(Box::new(Lstm::new(inputs, n, vb)?)),
                Layer::Gru(n) => AnyLayer::Recurrent(Box::new(Gru::new(inputs, n, vb)?)),
                Layer::Dense(n) => AnyLayer::Dense(Linear::new(inputs, n, Activation::None, vb)?),
                Layer::Norm => {
                    AnyLayer::Norm(BatchNorm::new(inputs, NormConfig::KERAS, Activation::None, vb)?)
                }
                Layer::Dropout(share) => AnyLayer::Dropout(share),
            });
        }
        let out = Linear::new(channels * steps, self.classes, Activation::None, vb.pp("out"))?;
        Ok(Box::new(NextNoteLayers { layers, out, steps: self.steps }))
    }
}

impl Classifier for NextNoteLayers {
    /// Logits (examples, categories) of one input (examples, steps).
    fn forward(&self, inputs: &[Tensor], mode: &mut Mode<'_>) -> Result<Tensor> {
        let [x] = inputs else { candle_core::bail!("one input is wanted, not {}", inputs.len()) };
        let (lanes, steps) = x.dims2()?;
        if steps != self.steps {
            candle_core::bail!("{steps} steps, where {} are wanted", self.steps);
        }
        // (steps, examples, channels), as the recurrent layers have it.
        let mut x = x.t()?.contiguous()?.unsqueeze(2)?;
        for layer in &self.layers {
            x = match layer {
                AnyLayer::Conv(conv) => {
                    let images = x.permute((1, 2, 0))?.contiguous()?.unsqueeze(2)?;
                    conv.forward(&images)?.squeeze(2)?.permute((2, 0, 1))?.contiguous()?
                }
                AnyLayer::Recurrent(memory) => memory.forward(&x)?,
                AnyLayer::Dense(dense) => {
                    let (steps, _, inputs) = x.dims3()?;
                    dense.forward(&x.reshape((steps * lanes, inputs))?)?.reshape((steps, lanes, ()))?
                }
                AnyLayer::Dropout(share) => dropout(&x, *share, mode)?,
                AnyLayer::Norm(norm) => {
                    let images = x.permute((1, 2, 0))?.contiguous()?;
                    norm.forward(&images, mode)?.permute((2, 0, 1))?.contiguous()?
                }
            };
        }
        self.out.forward(&x.transpose(0, 1)?.contiguous()?.flatten_from(1)?)
    }
}

/// Our own build: an embedding of the category, memories, and the next category at every step. Input: (examples,
/// steps) of category numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EveryStep {
    /// Categories.
    pub classes: usize,
    /// Values of a category's embedding.
    pub embedding: usize,
    /// Units of each memory.
    pub hidden: usize,
    /// Memories over one another.
    pub layers: usize,
    /// Dropout of the embedding and after each memory.
    pub dropout: f32,
}

/// Its layers.
pub struct EveryStepLayers {
    embedding: Embedding,
    memories: Vec<Lstm>,
    out: Linear,
    net: EveryStep,
}

impl Network for EveryStep {
    type Layers = EveryStepLayers;

    fn build(&self, vb: &VarBuilder<'_>) -> Result<EveryStepLayers> {
        let &Self { classes, embedding, hidden, layers, .. } = self;
        let init = Init::Glorot { inputs: embedding, outputs: embedding };
        let inputs = |i| if i == 0 { embedding } else { hidden };
        let memory = |i| Lstm::new(inputs(i), hidden, vb.pp(format!("lstm{i}")));
        Ok(EveryStepLayers {
            embedding: Embedding::new(classes, embedding, init, vb.pp("embedding"))?,
            memories: (0..layers).map(memory).collect::<Result<_>>()?,
            out: Linear::new(hidden, classes, Activation::None, vb.pp("out"))?,
            net: *self,
        })
    }
}

impl EveryStepLayers {
    /// Logits (steps * examples, categories), time-major, of the category after each step.
    ///
    /// # Errors
    /// When the input has another shape.
    pub fn forward(&self, ids: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        let ((lanes, steps), EveryStep { embedding, hidden, dropout: share, .. }) = (ids.dims2()?, self.net);
        let ids = ids.t()?.contiguous()?.flatten_all()?.to_dtype(DType::U32)?;
        let x = dropout(&self.embedding.forward(&ids)?, share, mode)?;
        let mut x = x.reshape((steps, lanes, embedding))?;
        for memory in &self.memories {
            x = dropout(&memory.forward(&x)?, share, mode)?;
        }
        self.out.forward(&x.reshape((steps * lanes, hidden))?)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use rand::SeedableRng;
    use rand_pcg::Pcg64;

    use super::*;
    use crate::nn::Parameters;

    /// Keras's counts, by hand: 4 h (i + h + 1) of an LSTM, f (3 c + 1) of a convolution, and so on.
    #[test]
    fn parameters_are_keras_own() {
        let n = 170;
        let (first, next) = (4 * 256 * (1 + 256 + 1), 4 * 256 * (256 + 256 + 1));
        let expected = [
            first + 3 * next + n * (100 * 256 + 1),
            256 * 4 + 2 * next + n * (98 * 256 + 1),
            first + n * (100 * 256 + 1),
            // Of the gated recurrent units 3 h (i + h + 2): a bias more than in 2018.
            128 * 4 + 3 * 256 * (128 + 256 + 2) + 3 * 256 * (256 + 256 + 2) + n * (98 * 256 + 1),
            256 * 4 + 4 * 128 * (256 + 128 + 1) + 2 * 4 * 128 * (128 + 128 + 1) + n * (98 * 128 + 1),
            128 * 4 + 4 * 256 * (128 + 256 + 1) + next + 2 * 2 * 256 + n * (98 * 256 + 1),
            128 * 4 + 256 * 129 + next + n * (98 * 256 + 1),
            128 * 4 + 256 * 129 + next + 128 * (3 * 256 + 1) + 4 * 256 * (128 + 256 + 1) + n * (96 * 256 + 1),
        ];
        for (number, expected) in expected.into_iter().enumerate() {
            assert_eq!(NextNote::build(number, WINDOW, n).parameters(), expected, "build {number}");
        }
    }

    /// What the paper says of sizes (section 4.2) fits one number a step and a dense layer over all steps.
    #[test]
    fn the_papers_sizes_tell_how_many_categories_it_had() {
        use Layer::Lstm;
        let of = |layers: Vec<Layer>, classes| NextNote { layers, steps: WINDOW, classes }.parameters();
        let wide = |n| of(vec![Lstm(256); 2], n);
        let deep = |n| of(vec![Lstm(128); 4], n);
        assert!(wide(180) < 5_400_000 && (5_400_000..5_430_000).contains(&wide(181)));
        assert!(
            (2_450_000..2_550_000).contains(&deep(160)) && deep(155) < 2_450_000 && deep(164) > 2_550_000
        );
        // The last step alone leaves far too few, whatever the number of categories was.
        assert!(wide(200) - 200 * 99 * 256 < 900_000);
    }

    #[test]
    fn every_build_gives_a_logit_a_category() {
        for number in 0..8 {
            let net = NextNote::build(number, 12, 7).shrunk(32);
            let parameters = Parameters::fresh(&net.specs(), 1).unwrap();
            let x = Tensor::rand(0f32, 1.0, (3, 12), &Device::Cpu).unwrap();
            let layers = net.load(&parameters).unwrap();
            let logits = layers.forward(std::slice::from_ref(&x), &mut Mode::Inference).unwrap();
            assert_eq!(logits.dims(), [3, 7]);
            // Every step and every layer counts: moving the first input moves the logits, all gradients flow.
            let moved =
                x.slice_assign(&[0..1, 0..1], &Tensor::new(&[[5f32]], &Device::Cpu).unwrap()).unwrap();
            let other = layers.forward(&[moved], &mut Mode::Inference).unwrap();
            let changed = (other - logits).unwrap().abs().unwrap().sum(1).unwrap().to_vec1::<f32>().unwrap();
            assert!(changed[0] > 0.0 && changed[1] == 0.0, "build {number}");
            let vars: std::collections::BTreeMap<_, _> = parameters
                .tensors
                .iter()
                .map(|(k, v)| (k.clone(), candle_core::Var::from_tensor(v).unwrap()))
                .collect();
            let tensors = vars.iter().map(|(k, v)| (k.clone(), v.as_tensor().clone())).collect();
            let mut running = parameters.running.clone();
            let mut rng = Pcg64::seed_from_u64(1);
            let layers = net.build(&VarBuilder::new(&tensors, &parameters.running)).unwrap();
            let mut mode = Mode::Training { running: &mut running, rng: &mut rng };
            let loss = layers.forward(&[x], &mut mode).unwrap().sqr().unwrap().sum_all().unwrap();
            let grads = loss.backward().unwrap();
            for (name, var) in &vars {
                let g = grads.get(var).unwrap_or_else(|| panic!("build {number}: {name} has no gradient"));
                assert!(g.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap().is_finite());
            }
        }
        let net = NextNote::build(1, 12, 7).shrunk(32);
        let parameters = Parameters::fresh(&net.specs(), 1).unwrap();
        let short = Tensor::zeros((3, 11), DType::F32, &Device::Cpu).unwrap();
        assert!(net.load(&parameters).unwrap().forward(&[short], &mut Mode::Inference).is_err());
    }

    #[test]
    fn a_step_sees_nothing_that_comes_after_it() {
        let net = EveryStep { classes: 5, embedding: 4, hidden: 6, layers: 2, dropout: 0.5 };
        let layers = net.load(&Parameters::fresh(&net.specs(), 1).unwrap()).unwrap();
        let at = |ids: [f32; 4]| {
            let ids = Tensor::from_slice(&ids, (1, 4), &Device::Cpu).unwrap();
            layers.forward(&ids, &mut Mode::Inference).unwrap().to_vec2::<f32>().unwrap()
        };
        let (a, b) = (at([0.0, 1.0, 2.0, 3.0]), at([0.0, 1.0, 4.0, 3.0]));
        assert_eq!((a.len(), a[0].len()), (4, 5));
        assert_eq!(a[..2], b[..2]);
        assert_ne!(a[2], b[2]);
    }
}
