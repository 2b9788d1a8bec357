//! Batch normalisation over channels (Ioffe & Szegedy 2015), with the activation that follows it.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::conv::total;
use super::linear::with;
use super::{Activation, activation, values};

/// Mean and variance of each channel of one batch.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchStatistics {
    /// Of each channel.
    pub mean: Vec<f32>,
    /// Of each channel, the mean square of the differences from the mean.
    pub variance: Vec<f32>,
    /// Values of a channel.
    pub count: usize,
}

/// Mean and variance of each channel over the batches of a training, for inference.
#[derive(Debug, Clone, PartialEq)]
pub struct RunningStatistics {
    /// Of each channel.
    pub mean: Vec<f32>,
    /// Of each channel.
    pub variance: Vec<f32>,
}

impl RunningStatistics {
    /// Means 0 and variances 1, as before the first batch.
    pub fn new(channels: usize) -> Self {
        Self { mean: vec![0.0; channels], variance: vec![1.0; channels] }
    }

    /// Moves by `momentum`, 0 to 1, towards a batch, as PyTorch defines it (0.1 there; Keras's 0.99 is 0.01
    /// here), with the variance that n - 1 divides.
    ///
    /// # Panics
    /// When the batch has another number of channels.
    pub fn update(&mut self, batch: &BatchStatistics, momentum: f32) {
        assert_eq!(self.mean.len(), batch.mean.len(), "channels");
        let unbiased = batch.count as f32 / (batch.count as f32 - 1.0).max(1.0);
        self.mean.iter_mut().zip(&batch.mean).for_each(|(r, m)| *r += momentum * (m - *r));
        self.variance.iter_mut().zip(&batch.variance).for_each(|(r, v)| *r += momentum * (v * unbiased - *r));
    }

    /// Folds an inference-time normalisation into the layer before it, whose weights are (channels, anything)
    /// row-major and whose biases (channels): afterwards that layer alone does both.
    ///
    /// # Panics
    /// When the sizes do not fit.
    pub fn fold(&self, w: &mut [f32], b: &mut [f32], gamma: &[f32], beta: &[f32], epsilon: f32) {
        let channels = self.mean.len();
        assert!(channels > 0 && w.len().is_multiple_of(channels), "weights");
        assert!([b.len(), gamma.len(), beta.len()] == [channels; 3], "channels");
        for (c, w) in w.chunks_exact_mut(w.len() / channels).enumerate() {
            let scale = gamma[c] / (self.variance[c] + epsilon).sqrt();
            w.iter_mut().for_each(|w| *w *= scale);
            b[c] = (b[c] - self.mean[c]) * scale + beta[c];
        }
    }
}

/// `activation(gamma * (x - mean) / sqrt(variance + epsilon) + beta)` with the statistics of this very batch,
/// through which the gradient flows: for training. x is (images, channels, ...), gamma and beta (channels).
///
/// # Errors
/// When the shapes do not fit, or a channel has fewer than two values.
pub fn batch_norm(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    epsilon: f32,
    activation: Activation,
) -> Result<(Tensor, BatchStatistics)> {
    let sizes = Sizes::new(x, gamma, beta)?;
    let count = sizes.images * sizes.plane;
    if count < 2 {
        bail!("batch normalisation: {count} values a channel, which have no variance; make the batch larger");
    }
    if !x.device().is_cpu() {
        return composed(x, gamma, beta, epsilon, activation);
    }
    let x = x.contiguous()?;
    let statistics = with(&x, |x| sizes.statistics(x))?;
    let op = Norm::new(sizes, &statistics.mean, &statistics.variance, epsilon, activation, true);
    Ok((x.apply_op3(&gamma.contiguous()?, &beta.contiguous()?, op)?, statistics))
}

/// The same with statistics that are constants: for inference, and for layers that are frozen.
///
/// # Errors
/// When the shapes do not fit.
pub fn batch_norm_inference(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    running: &RunningStatistics,
    epsilon: f32,
    activation: Activation,
) -> Result<Tensor> {
    let sizes = Sizes::new(x, gamma, beta)?;
    if running.mean.len() != sizes.channels || running.variance.len() != sizes.channels {
        bail!("batch normalisation: statistics of {} for {} channels", running.mean.len(), sizes.channels);
    }
    if x.device().is_cpu() {
        let op = Norm::new(sizes, &running.mean, &running.variance, epsilon, activation, false);
        return x.contiguous()?.apply_op3(&gamma.contiguous()?, &beta.contiguous()?, op);
    }
    let of = |v: &[f32]| Tensor::from_slice(v, (1, sizes.channels, 1), x.device());
    let flat = x.reshape((sizes.images, sizes.channels, sizes.plane))?;
    let deviation = (of(&running.variance)? + f64::from(epsilon))?.sqrt()?;
    let normal = flat.broadcast_sub(&of(&running.mean)?)?.broadcast_div(&deviation)?;
    let y = normal.broadcast_mul(&gamma.reshape((1, (), 1))?)?.broadcast_add(&beta.reshape((1, (), 1))?)?;
    activation::composed(activation, &y.reshape(x.shape())?)
}

/// The form for training out of candle's operations.
pub(super) fn composed(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    epsilon: f32,
    activation: Activation,
) -> Result<(Tensor, BatchStatistics)> {
    let sizes = Sizes::new(x, gamma, beta)?;
    let flat = x.reshape((sizes.images, sizes.channels, sizes.plane))?;
    let mean = flat.mean_keepdim((0, 2))?;
    let centred = flat.broadcast_sub(&mean)?;
    let variance = centred.sqr()?.mean_keepdim((0, 2))?;
    let normal = centred.broadcast_div(&(&variance + f64::from(epsilon))?.sqrt()?)?;
    let y = normal.broadcast_mul(&gamma.reshape((1, (), 1))?)?.broadcast_add(&beta.reshape((1, (), 1))?)?;
    let statistics = BatchStatistics {
        mean: mean.flatten_all()?.to_vec1()?,
        variance: variance.flatten_all()?.to_vec1()?,
        count: sizes.images * sizes.plane,
    };
    Ok((activation::composed(activation, &y.reshape(x.shape())?)?, statistics))
}

#[derive(Debug, Clone, Copy)]
struct Sizes {
    images: usize,
    channels: usize,
    /// Values of a channel of an image.
    plane: usize,
}

impl Sizes {
    fn new(x: &Tensor, gamma: &Tensor, beta: &Tensor) -> Result<Self> {
        let &[images, channels, ref rest @ ..] = x.dims() else {
            bail!("batch normalisation: {:?} has no channels", x.dims());
        };
        if gamma.elem_count() != channels || beta.elem_count() != channels {
            bail!(
                "batch normalisation: {} gammas and {} betas for {channels} channels",
                gamma.elem_count(),
                beta.elem_count()
            );
        }
        Ok(Self { images, channels, plane: rest.iter().product() })
    }

    /// Mean and variance of each channel, each plane's first and then put together (Chan et al. 1979), in one
    /// order whatever the threads.
    fn statistics(&self, x: &[f32]) -> BatchStatistics {
        let n = self.plane as f64;
        let each: Vec<(f64, f64)> = x
            .par_chunks_exact(self.plane.max(1))
            .with_min_len(self.least())
            .map(|x| {
                let mean = f64::from(total(x)) / n;
                let about = mean as f32;
                let (sum, square) = sums(x, x, |x, _| (x - about, (x - about) * (x - about)));
                // What rounding left of the mean.
                let rest = f64::from(sum) / n;
                (f64::from(about) + rest, f64::from(square) - n * rest * rest)
            })
            .collect();
        let mut mean = vec![0f64; self.channels];
        let mut square = vec![0f64; self.channels];
        for (image, each) in each.chunks_exact(self.channels.max(1)).enumerate() {
            let before = image as f64;
            for (c, &(m, s)) in each.iter().enumerate() {
                let d = m - mean[c];
                mean[c] += d / (before + 1.0);
                square[c] += s + d * d * n * before / (before + 1.0);
            }
        }
        let count = self.images * self.plane;
        BatchStatistics {
            mean: mean.iter().map(|&m| m as f32).collect(),
            variance: square.iter().map(|&s| (s / count as f64).max(0.0) as f32).collect(),
            count,
        }
    }

    /// Planes that are worth a thread of their own.
    fn least(&self) -> usize {
        (16_384 / self.plane.max(1)).max(1)
    }
}

/// Two sums over pairs, each in sixteen parts.
#[inline(always)]
fn sums(p: &[f32], q: &[f32], f: impl Fn(f32, f32) -> (f32, f32)) -> (f32, f32) {
    let (mut a, mut b) = ([0f32; 16], [0f32; 16]);
    let (ps, qs) = (p.chunks_exact(16), q.chunks_exact(16));
    for (i, (&p, &q)) in ps.remainder().iter().zip(qs.remainder()).enumerate() {
        (a[i], b[i]) = f(p, q);
    }
    for (p, q) in ps.zip(qs) {
        for i in 0..16 {
            let (first, second) = f(p[i], q[i]);
            a[i] += first;
            b[i] += second;
        }
    }
    (a.iter().sum(), b.iter().sum())
}

struct Norm {
    sizes: Sizes,
    mean: Vec<f32>,
    /// 1 / sqrt(variance + epsilon).
    inverse: Vec<f32>,
    activation: Activation,
    /// Whether the statistics depend on the input.
    training: bool,
}

impl Norm {
    fn new(
        sizes: Sizes,
        mean: &[f32],
        variance: &[f32],
        epsilon: f32,
        activation: Activation,
        training: bool,
    ) -> Self {
        let inverse = variance.iter().map(|v| 1.0 / (v + epsilon).sqrt()).collect();
        Self { sizes, mean: mean.to_vec(), inverse, activation, training }
    }
}

impl Norm {
    /// Gradients of input, gamma and beta.
    fn gradients(&self, x: &[f32], y: &[f32], grad: &[f32], gamma: &[f32]) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
        let Sizes { images, channels, plane } = self.sizes;
        let (plane, least) = (plane.max(1), self.sizes.least());
        let (mut dgamma, mut dbeta) = (vec![0f32; channels], vec![0f32; channels]);
        let mut dx = vec![0f32; x.len()];
        let normal = |c: usize, x: f32| (x - self.mean[c]) * self.inverse[c];
        // Of each plane: the sum of the gradient, and of the gradient times the normalised input.
        let each: Vec<(f32, f32)> = dx
            .par_chunks_exact_mut(plane)
            .zip(grad.par_chunks_exact(plane))
            .zip(y.par_chunks_exact(plane).zip(x.par_chunks_exact(plane)))
            .with_min_len(least)
            .enumerate()
            .map(|(i, ((g, grad), (y, x)))| {
                g.copy_from_slice(grad);
                self.activation.chain(g, y);
                sums(g, x, |g, x| (g, g * normal(i % channels, x)))
            })
            .collect();
        for each in each.chunks_exact(channels.max(1)) {
            for (c, &(sum, product)) in each.iter().enumerate() {
                dbeta[c] += sum;
                dgamma[c] += product;
            }
        }
        let share = if self.training { 1.0 / (images * plane) as f32 } else { 0.0 };
        let planes = dx.par_chunks_exact_mut(plane).zip(x.par_chunks_exact(plane));
        planes.with_min_len(least).enumerate().for_each(|(i, (g, x))| {
            let c = i % channels;
            let scale = gamma[c] * self.inverse[c];
            let (sum, product) = (dbeta[c] * share, dgamma[c] * share);
            g.iter_mut().zip(x).for_each(|(g, &x)| *g = scale * (*g - sum - normal(c, x) * product));
        });
        (dx, dgamma, dbeta)
    }
}

impl CustomOp3 for Norm {
    fn name(&self) -> &'static str {
        "batch-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gamma: &CpuStorage,
        gamma_layout: &Layout,
        beta: &CpuStorage,
        beta_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let Sizes { channels, plane, .. } = self.sizes;
        let (gamma, beta) = (values(gamma, gamma_layout)?, values(beta, beta_layout)?);
        let (x, plane) = (values(x, x_layout)?, plane.max(1));
        let mut y = vec![0f32; x.len()];
        let planes = y.par_chunks_exact_mut(plane).zip(x.par_chunks_exact(plane));
        planes.with_min_len(self.sizes.least()).enumerate().for_each(|(i, (y, x))| {
            let c = i % channels;
            let scale = gamma[c] * self.inverse[c];
            let shift = beta[c] - self.mean[c] * scale;
            y.iter_mut().zip(x).for_each(|(y, x)| *y = x * scale + shift);
            self.activation.apply(y);
        });
        Ok((CpuStorage::F32(y), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        gamma: &Tensor,
        beta: &Tensor,
        y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let (dx, dgamma, dbeta) = with(x, |x| {
            with(y, |y| with(&grad, |grad| with(gamma, |gamma| self.gradients(x, y, grad, gamma))))
        })????;
        let device = x.device();
        let dx = if x.track_op() { Some(Tensor::from_vec(dx, x.shape(), device)?) } else { None };
        let (dgamma, dbeta) = (
            Tensor::from_vec(dgamma, gamma.shape(), device)?,
            Tensor::from_vec(dbeta, beta.shape(), device)?,
        );
        Ok((dx, Some(dgamma), Some(dbeta)))
    }
}
