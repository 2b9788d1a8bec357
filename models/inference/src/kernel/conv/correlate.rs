//! Convolution of images over plain slices, on this thread.

use super::frame::{Band, Frame};
use super::tiles::{Correlation, block};
use super::{Shape, Window};
use crate::kernel::{Activation, Simd};

/// Weights in the order of the inner loops.
#[derive(Debug, Clone)]
pub struct Packed {
    /// (blocks, taps, channels of a block), zero beyond the last channel.
    weights: Vec<f32>,
    /// In whole blocks.
    bias: Vec<f32>,
    channels: usize,
    simd: Simd,
}

impl Packed {
    /// `weight(channel, tap)` for every tap of a depth.
    pub fn new(
        channels: usize,
        depth: usize,
        weight: impl Fn(usize, usize) -> f32,
        bias: Option<&[f32]>,
        simd: Simd,
    ) -> Self {
        let rows = block(simd);
        let blocks = channels.div_ceil(rows);
        let mut weights = vec![0f32; blocks * depth * rows];
        for (b, weights) in weights.chunks_exact_mut((depth * rows).max(1)).enumerate() {
            for r in 0..rows.min(channels - b * rows) {
                for tap in 0..depth {
                    weights[tap * rows + r] = weight(b * rows + r, tap);
                }
            }
        }
        let mut whole = vec![0f32; blocks * rows];
        if let Some(bias) = bias {
            whole[..channels].copy_from_slice(bias);
        }
        Self { weights, bias: whole, channels, simd }
    }
}

impl Packed {
    /// Output channels.
    pub fn channels(&self) -> usize {
        self.channels
    }
}

/// Where outputs go in an image of the destination.
#[derive(Debug, Clone, Copy)]
pub struct Placement {
    /// Rows and columns of the destination.
    pub size: (usize, usize),
    /// Place of the first output.
    pub start: (usize, usize),
    /// From one output to the next.
    pub step: (usize, usize),
}

impl Placement {
    /// All of the destination.
    pub fn whole(size: (usize, usize)) -> Self {
        Self { size, start: (0, 0), step: (1, 1) }
    }
}

/// Memory that serves again and again.
#[derive(Debug, Clone, Default)]
pub struct Work {
    source: Vec<f32>,
    offsets: Vec<usize>,
    rows: Vec<(usize, usize)>,
}

impl Work {
    /// Makes it large enough for one image of a frame, cut into portions.
    pub fn reserve(&mut self, frame: &Frame, portion: Band) {
        let whole = |v: usize, has: usize| v.saturating_sub(has);
        self.source.reserve(whole(frame.copied(portion), self.source.len()));
        self.offsets.reserve(whole(frame.depth(), self.offsets.len()));
        self.rows.reserve(whole(portion.images * portion.rows, self.rows.len()));
    }
}

/// Some images, on this thread.
pub fn correlate(
    frame: &Frame,
    portion: Band,
    packed: &Packed,
    activation: Activation,
    source: &[f32],
    destination: &mut [f32],
    placement: Placement,
    work: &mut Work,
) {
    let plane = placement.size.0 * placement.size.1;
    let images = destination.len() / (packed.channels * plane).max(1);
    let one = frame.channels * frame.size.0 * frame.size.1;
    for image in (0..images).step_by(portion.images) {
        for first in (0..frame.out.0).step_by(portion.rows.max(1)) {
            let band = Band {
                images: portion.images.min(images - image),
                first,
                rows: portion.rows.min(frame.out.0 - first),
            };
            frame.fill(&source[image * one..(image + band.images) * one], band, &mut work.source);
            frame.offsets(band, &mut work.offsets);
            work.rows.clear();
            for i in 0..band.images {
                for row in 0..band.rows {
                    let y = placement.start.0 + (first + row) * placement.step.0;
                    let place = y * placement.size.1 + placement.start.1;
                    let place = (image + i) * packed.channels * plane + place;
                    work.rows.push((frame.at(band, i, row), place));
                }
            }
            let part = Correlation {
                source: &work.source,
                offsets: &work.offsets,
                weights: &packed.weights,
                bias: &packed.bias,
                activation,
                rows: &work.rows,
                width: frame.out.1,
                step: placement.step.1,
                channels: packed.channels,
                plane,
            };
            part.run(packed.simd, destination);
        }
    }
}

/// The frame of the forward pass.
pub fn forward_frame(shape: &Shape, window: Window) -> Frame {
    Frame {
        channels: shape.inputs,
        size: shape.size,
        taps: shape.kernel,
        stride: window.stride,
        start: (-(window.padding.0 as isize), -(window.padding.1 as isize)),
        out: shape.out,
    }
}
