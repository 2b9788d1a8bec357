//! Convolution and its gradients over plain slices.

use rayon::prelude::*;

use sideman_inference::kernel::conv::{
    Band, Frame, Packed, Placement, Shape, Work, correlate, forward_frame,
};
use sideman_inference::kernel::{Activation, Simd, Window};

use super::products::Products;

/// Multiply-adds below which another thread costs more than it saves.
const WORTH_A_THREAD: usize = 200_000;
/// Sums of weight gradients that are made side by side, at most: fixed, so that the number of threads changes
/// no bit.
const GROUPS: usize = 8;
/// Positions below which adding up a vector's lanes costs too much beside filling it.
const LONG: usize = 1024;

/// Whether so many tasks of so many multiply-adds altogether go to rayon's threads.
fn parallel(tasks: usize, work: usize) -> bool {
    tasks > 1 && work > WORTH_A_THREAD && rayon::current_num_threads() > 1
}

/// All images, on rayon's threads where that pays.
fn correlate_all(
    frame: &Frame,
    packed: &Packed,
    activation: Activation,
    source: &[f32],
    destination: &mut [f32],
    placement: Placement,
) {
    let to = packed.channels() * placement.size.0 * placement.size.1;
    let one = frame.channels * frame.size.0 * frame.size.1;
    if destination.is_empty() || one == 0 {
        return;
    }
    let images = destination.len() / to;
    let work = images * packed.channels() * frame.depth() * frame.out.0 * frame.out.1;
    if !parallel(images, work) {
        let portion = frame.portion(images, 4);
        correlate(frame, portion, packed, activation, source, destination, placement, &mut Work::default());
        return;
    }
    let portion = frame.portion(images.div_ceil(rayon::current_num_threads()), 4);
    destination
        .par_chunks_mut(to * portion.images)
        .zip(source.par_chunks(one * portion.images))
        .for_each_init(Work::default, |work, (destination, source)| {
            correlate(frame, portion, packed, activation, source, destination, placement, work);
        });
}

/// `activation(x * w + b)`, as (images, outputs, rows, columns).
pub(super) fn forward(
    shape: &Shape,
    window: Window,
    activation: Activation,
    x: &[f32],
    w: &[f32],
    b: &[f32],
    simd: Simd,
) -> Vec<f32> {
    let frame = forward_frame(shape, window);
    let depth = frame.depth();
    let packed = Packed::new(shape.outputs, depth, |c, t| w[c * depth + t], Some(b), simd);
    let mut y = vec![0f32; shape.images * shape.outputs * shape.out.0 * shape.out.1];
    correlate_all(&frame, &packed, activation, x, &mut y, Placement::whole(shape.out));
    y
}

/// The gradient of the input from that of the results.
///
/// Each phase of the stride is a convolution without stride: of its rows and columns of the input with those
/// taps of the kernel that reach them, turned round.
pub(super) fn input_gradient(shape: &Shape, window: Window, g: &[f32], w: &[f32], simd: Simd) -> Vec<f32> {
    let mut dx = vec![0f32; shape.images * shape.inputs * shape.size.0 * shape.size.1];
    let (kh, kw) = shape.kernel;
    for down in 0..window.stride.0.min(kh) {
        for across in 0..window.stride.1.min(kw) {
            let vertical = Phase::new(shape.size.0, kh, window.stride.0, window.padding.0, down);
            let horizontal = Phase::new(shape.size.1, kw, window.stride.1, window.padding.1, across);
            if vertical.count == 0 || horizontal.count == 0 {
                continue;
            }
            let frame = Frame {
                channels: shape.outputs,
                size: shape.out,
                taps: (vertical.taps, horizontal.taps),
                stride: (1, 1),
                start: (vertical.start, horizontal.start),
                out: (vertical.count, horizontal.count),
            };
            let weight = |input: usize, tap: usize| {
                let (rest, x) = (tap / horizontal.taps, tap % horizontal.taps);
                let (output, y) = (rest / vertical.taps, rest % vertical.taps);
                let ky = down + window.stride.0 * (vertical.taps - 1 - y);
                let kx = across + window.stride.1 * (horizontal.taps - 1 - x);
                w[((output * shape.inputs + input) * kh + ky) * kw + kx]
            };
            let packed = Packed::new(shape.inputs, frame.depth(), weight, None, simd);
            let placement = Placement {
                size: shape.size,
                start: (vertical.place, horizontal.place),
                step: window.stride,
            };
            correlate_all(&frame, &packed, Activation::None, g, &mut dx, placement);
        }
    }
    dx
}

/// One phase of one axis: which inputs, and where they look into the gradient.
struct Phase {
    taps: usize,
    /// First output that the first tap sees; negative before the first.
    start: isize,
    /// First input.
    place: usize,
    /// Inputs.
    count: usize,
}

impl Phase {
    /// The inputs `stride * q + phase - padding` of `size`.
    fn new(size: usize, kernel: usize, stride: usize, padding: usize, phase: usize) -> Self {
        let taps = (kernel - phase).div_ceil(stride);
        let first = padding.saturating_sub(phase).div_ceil(stride);
        let count = match (size + padding).checked_sub(phase + 1) {
            Some(last) => (last / stride + 1).saturating_sub(first),
            None => 0,
        };
        Self {
            taps,
            start: first as isize - (taps as isize - 1),
            place: (stride * first + phase).saturating_sub(padding),
            count,
        }
    }
}

/// The gradient of the weights from that of the results.
pub(super) fn weight_gradient(shape: &Shape, window: Window, x: &[f32], g: &[f32], simd: Simd) -> Vec<f32> {
    let frame = forward_frame(shape, window);
    let (one, to) = (shape.inputs * shape.size.0 * shape.size.1, shape.outputs * shape.out.0 * shape.out.1);
    let length = shape.outputs * frame.depth();
    if shape.images == 0 || one == 0 || to == 0 || length == 0 {
        return vec![0.0; length];
    }
    let long = LONG.div_ceil(shape.out.0 * shape.out.1).min(shape.images.div_ceil(2));
    let group = shape.images.div_ceil(GROUPS).max(long);
    let portion = frame.portion(group, 1);
    let sums = |(x, g): (&[f32], &[f32])| {
        let mut sums = vec![0f32; length];
        let (mut source, mut gradient, mut offsets) = (vec![], vec![], vec![]);
        let images = g.len() / to;
        for image in (0..images).step_by(portion.images) {
            for first in (0..shape.out.0).step_by(portion.rows) {
                let band = Band {
                    images: portion.images.min(images - image),
                    first,
                    rows: portion.rows.min(shape.out.0 - first),
                };
                let (x, g) = (&x[image * one..], &g[image * to..]);
                frame.fill(x, band, &mut source);
                frame.offsets(band, &mut offsets);
                let stretch = frame.positions(band).next_multiple_of(16);
                frame.spread(g, shape.outputs, band, stretch, &mut gradient);
                let products = Products { gradient: &gradient, stretch, source: &source, offsets: &offsets };
                products.add(simd, &mut sums);
            }
        }
        sums
    };
    let groups = x.chunks(one * group).zip(g.chunks(to * group));
    let parts: Vec<Vec<f32>> = if parallel(shape.images, length * shape.images * shape.out.0 * shape.out.1) {
        groups.collect::<Vec<_>>().into_par_iter().map(sums).collect()
    } else {
        groups.map(sums).collect()
    };
    parts
        .into_iter()
        .reduce(|mut a, b| {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
            a
        })
        .unwrap_or_default()
}

/// The gradient before the activation, and its sum over all but the channels: that of the bias.
pub(super) fn before_activation(
    shape: &Shape,
    activation: Activation,
    gradient: &[f32],
    y: &[f32],
) -> (Option<Vec<f32>>, Vec<f32>) {
    let plane = shape.out.0 * shape.out.1;
    if plane == 0 {
        return (None, vec![0.0; shape.outputs]);
    }
    let mut sums = vec![0f32; shape.images * shape.outputs];
    let planes = sums.par_iter_mut().zip(gradient.par_chunks(plane));
    let mut changed = None;
    if activation == Activation::None {
        planes.for_each(|(sum, g)| *sum = total(g));
    } else {
        let to = changed.insert(vec![0f32; gradient.len()]);
        planes.zip(to.par_chunks_mut(plane)).zip(y.par_chunks(plane)).for_each(|(((sum, g), to), y)| {
            to.copy_from_slice(g);
            activation.chain(to, y);
            *sum = total(to);
        });
    }
    let mut bias = vec![0f32; shape.outputs];
    for sums in sums.chunks_exact(shape.outputs.max(1)) {
        bias.iter_mut().zip(sums).for_each(|(b, s)| *b += s);
    }
    (changed, bias)
}

/// A sum in sixteen parts, which vectorises and rounds less than one after the other.
pub(in super::super) fn total(values: &[f32]) -> f32 {
    let mut sums = [0f32; 16];
    let chunks = values.chunks_exact(16);
    let rest: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for i in 0..16 {
            sums[i] += chunk[i];
        }
    }
    sums.iter().sum::<f32>() + rest
}
