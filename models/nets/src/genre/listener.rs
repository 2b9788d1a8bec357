//! The product's classifier of audio: a small convolutional network on mel columns that can run live.
//!
//! Input: (clips, 128 bands, columns), a column every 77.5 ms, in decibels brought to mean 0 and deviation 1 over
//! the clip: neither the gain nor an unknown range of decibels changes anything.
//!
//! No convolution is padded in time, so that every value depends on its own columns only, however long the
//! sound is: live, each layer keeps its last two columns and computes one when enough new ones have come, and the
//! numbers are those of the whole sound at once. What is pooled over time at the end are sums, to which a
//! column is added and from which an old one is taken.
//!
//! Stages of 3x3 convolutions halve the bands (after VGG, Simonyan & Zisserman 2015); the last one sees all
//! that are left of them. The mean and the deviation over time of several stages, not of the last alone, go to the
//! classes: genre is in timbre as well as in what happens over seconds (after Lee & Nam, "Multi-Level and
//! Multi-Scale Feature Aggregation", 2017).

use candle_core::{D, Result, Tensor, bail};
use sideman_inference::genre::audio::{LEAST_VARIANCE, ListenerKernel, MelClassifier};
use sideman_inference::weights::Shaped;

use super::Classifier;
use crate::nn::{
    BatchNorm, Conv2d, Linear, Mode, Module, Network, NormConfig, Parameters, VarBuilder, dropout,
};
use crate::ops::{Activation, Window, max_pool2d};

/// Of every batch normalisation in the network.
pub(super) const NORM: NormConfig = NormConfig::TORCH;

/// Mean and deviation over time of (clips, channels, rows, columns), the rows taken as more of the same:
/// (clips, 2 * channels).
fn mean_and_deviation(x: &Tensor) -> Result<Tensor> {
    let x = x.flatten_from(2)?;
    let mean = x.mean_keepdim(D::Minus1)?;
    let variance = x.broadcast_sub(&mean)?.sqr()?.mean(D::Minus1)?;
    Tensor::cat(&[mean.squeeze(D::Minus1)?, (variance + LEAST_VARIANCE)?.sqrt()?], 1)
}

struct Layers {
    stages: Vec<((usize, usize), Conv2d, BatchNorm)>,
    conv: Conv2d,
    norm: BatchNorm,
    pooled: BatchNorm,
    hidden: Option<Linear>,
    last: Linear,
    levels: usize,
    dropout: f32,
    least_columns: usize,
}

impl Network for MelClassifier {
    type Layers = Box<dyn Classifier>;

    fn build(&self, vb: &VarBuilder<'_>) -> Result<Self::Layers> {
        let conv = |sizes, kernel, window, name: &str| {
            Conv2d::new(sizes, kernel, window, Activation::None, vb.pp(name))
        };
        let norm = |channels, activation, name: &str| BatchNorm::new(channels, NORM, activation, vb.pp(name));
        let window = Window { stride: (1, 1), padding: (1, 0) };
        let (mut inputs, mut stages) = (1, vec![]);
        for (i, stage) in self.stages.iter().enumerate() {
            stages.push((
                stage.pool,
                conv((inputs, stage.channels), (3, 3), window, &format!("conv{i}"))?,
                norm(stage.channels, Activation::Relu, &format!("norm{i}"))?,
            ));
            inputs = stage.channels;
        }
        let features = self.features();
        let dense = |outputs, activation, name| Linear::new(features, outputs, activation, vb.pp(name));
        let (conv, norm, pooled) = (
            conv((inputs, self.width), (self.rows(), 3), Window::default(), "conv")?,
            norm(self.width, Activation::Relu, "norm")?,
            norm(features, Activation::None, "pooled")?,
        );
        let (hidden, last) = if self.hidden > 0 {
            let hidden = dense(self.hidden, Activation::Relu, "hidden")?;
            (Some(hidden), Linear::new(self.hidden, self.classes, Activation::None, vb.pp("last"))?)
        } else {
            (None, dense(self.classes, Activation::None, "last")?)
        };
        let (levels, dropout, least_columns) = (self.levels, self.dropout, self.least_columns());
        Ok(Box::new(Layers { stages, conv, norm, pooled, hidden, last, levels, dropout, least_columns }))
    }
}

impl Classifier for Layers {
    fn forward(&self, inputs: &[Tensor], mode: &mut Mode<'_>) -> Result<Tensor> {
        let columns = inputs[0].dim(2)?;
        if columns < self.least_columns {
            bail!("{columns} columns are too few to tell a genre: at least {}", self.least_columns);
        }
        let mut x = inputs[0].unsqueeze(1)?;
        let mut pooled = vec![];
        for (i, (pool, conv, norm)) in self.stages.iter().enumerate() {
            x = norm.forward(&conv.forward(&x)?, mode)?;
            x = max_pool2d(&x, *pool, *pool)?;
            if i + self.levels >= self.stages.len() {
                pooled.push(mean_and_deviation(&x)?);
            }
        }
        x = self.norm.forward(&self.conv.forward(&x)?, mode)?;
        pooled.push(mean_and_deviation(&x)?);
        let mut x = self.pooled.forward(&Tensor::cat(&pooled, 1)?, mode)?;
        x = dropout(&x, self.dropout, mode)?;
        if let Some(hidden) = &self.hidden {
            x = dropout(&hidden.forward(&x)?, self.dropout, mode)?;
        }
        self.last.forward(&x)
    }
}

/// Folds the batch normalisations of a trained network into its convolutions and into the dense layer behind the
/// last: the tensors that [`ListenerKernel::new`] takes.
///
/// # Errors
/// When the parameters are not the network's.
pub fn fold(config: &MelClassifier, parameters: &Parameters) -> Result<Shaped> {
    parameters.check(&config.specs())?;
    let values = |name: &str| parameters.tensors[name].flatten_all()?.to_vec1::<f32>();
    let mut out = Shaped::new();
    let convolutions = (0..config.stages.len())
        .map(|i| i.to_string())
        .chain([String::new()])
        .map(|i| (format!("conv{i}"), format!("norm{i}")));
    for (conv, norm) in convolutions {
        let (mut w, mut b) = (values(&format!("{conv}.w"))?, values(&format!("{conv}.b"))?);
        let (gamma, beta) = (values(&format!("{norm}.gamma"))?, values(&format!("{norm}.beta"))?);
        parameters.running[&norm].fold(&mut w, &mut b, &gamma, &beta, NORM.epsilon);
        let shape = parameters.tensors[&format!("{conv}.w")].dims().to_vec();
        out.insert(format!("{conv}.w"), (shape, w));
        out.insert(format!("{conv}.b"), (vec![b.len()], b));
    }
    for layer in dense_layers(config) {
        let (mut w, mut b) = (values(&format!("{layer}.w"))?, values(&format!("{layer}.b"))?);
        // The normalisation of what was pooled comes before the first of them: w (s x + t) = (w s) x + w t.
        if *layer == dense_layers(config)[0] {
            let (gamma, beta) = (values("pooled.gamma")?, values("pooled.beta")?);
            let running = &parameters.running["pooled"];
            for (w, b) in w.chunks_exact_mut(gamma.len()).zip(&mut b) {
                let mut shift = 0f64;
                for (i, w) in w.iter_mut().enumerate() {
                    let scale = gamma[i] / (running.variance[i] + NORM.epsilon).sqrt();
                    shift += f64::from(*w) * f64::from(beta[i] - running.mean[i] * scale);
                    *w *= scale;
                }
                *b += shift as f32;
            }
        }
        let shape = parameters.tensors[&format!("{layer}.w")].dims().to_vec();
        out.insert(format!("{layer}.w"), (shape, w));
        out.insert(format!("{layer}.b"), (vec![b.len()], b));
    }
    Ok(out)
}

fn dense_layers(config: &MelClassifier) -> &'static [&'static str] {
    if config.hidden > 0 { &["hidden", "last"] } else { &["last"] }
}

/// Ready to run what was trained.
///
/// # Errors
/// When the parameters are not the network's.
pub fn kernel_of(config: &MelClassifier, parameters: &Parameters) -> Result<ListenerKernel> {
    let tensors = fold(config, parameters)?.into_iter().map(|(name, (_, values))| (name, values)).collect();
    ListenerKernel::new(config.clone(), &tensors).map_err(candle_core::Error::wrap)
}
