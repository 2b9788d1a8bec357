//! A [`MelClassifier`](super::MelClassifier) on columns as they come.

use std::sync::Arc;

use super::kernel::{ListenerKernel, TAPS};
use super::pool::TimePool;
use crate::kernel::{Convolution, ConvolutionWork};

/// Columns that a layer keeps for the next ones: all but one that its kernel sees.
const KEPT: usize = TAPS - 1;

/// What goes on in one layer from piece to piece. All values lie as (channels, columns, rows).
#[derive(Debug, Clone)]
struct Layer {
    /// Channels and rows of what comes in.
    inputs: (usize, usize),
    /// Channels and rows that the convolution makes, and rows after pooling.
    outputs: (usize, usize, usize),
    pool: (usize, usize),
    /// The last columns that came in (channels, [`KEPT`], rows), the first `kept` of each channel.
    last: Vec<f32>,
    kept: usize,
    /// Largest values (channels, rows after pooling) of the columns that wait to be pooled with the next.
    held: Vec<f32>,
    waiting: usize,
    /// Where the result is pooled over time.
    level: Option<TimePool>,
}

/// Runs one sound through the network, each layer over the new columns only. Allocates when it is made and never
/// after; one owner, any thread.
#[derive(Debug, Clone)]
pub struct ListenerStream {
    kernel: Arc<ListenerKernel>,
    layers: Vec<Layer>,
    /// Most columns that are run through at once.
    most: usize,
    /// Columns that came, as far as it matters.
    heard: usize,
    /// What comes into a layer, with the columns before it; what its convolution makes; what is left of that.
    joined: Vec<f32>,
    made: Vec<f32>,
    piece: Vec<f32>,
    work: ConvolutionWork,
    features: Vec<f32>,
    hidden: Vec<f32>,
    logits: Vec<f32>,
}

impl ListenerStream {
    /// Nothing heard yet. The classification is of the last `window` columns, at least the network's fewest; up to
    /// `most` columns are run through at once.
    ///
    /// # Panics
    /// When `window` is less than the network needs, or `most` is 0.
    pub fn new(kernel: Arc<ListenerKernel>, window: usize, most: usize) -> Self {
        let config = kernel.config().clone();
        assert!(window >= config.least_columns(), "a window of {window} columns");
        assert!(most > 0, "pieces of no columns");
        let (mut layers, mut inputs, mut columns) = (vec![], (1, config.bands), window);
        for (i, stage) in config.stages.iter().enumerate() {
            let outputs = (stage.channels, inputs.1, inputs.1 / stage.pool.0);
            columns = (columns - KEPT) / stage.pool.1;
            let level =
                (i + config.levels >= config.stages.len()).then(|| TimePool::new(stage.channels, columns));
            layers.push(Layer::new(inputs, outputs, stage.pool, level));
            inputs = (stage.channels, outputs.2);
        }
        let last = Some(TimePool::new(config.width, columns - KEPT));
        layers.push(Layer::new(inputs, (config.width, 1, 1), (1, 1), last));

        let (mut joined, mut made, mut work) =
            (config.bands * most, config.bands * most, ConvolutionWork::default());
        for (layer, convolution) in layers.iter().zip(convolutions(&kernel)) {
            joined = joined.max(layer.inputs.0 * layer.inputs.1 * (most + KEPT));
            made = made.max(layer.outputs.0 * layer.outputs.1 * most);
            work.reserve(convolution, most + KEPT, layer.inputs.1);
        }
        Self {
            most,
            heard: 0,
            joined: Vec::with_capacity(joined),
            made: Vec::with_capacity(made),
            piece: Vec::with_capacity(made),
            work,
            features: vec![0.0; config.features()],
            hidden: vec![0.0; config.hidden],
            logits: vec![0.0; config.classes],
            layers,
            kernel,
        }
    }

    /// Takes in columns, one after the other, each of all bands, the lowest first. How they are split over calls
    /// changes nothing but the speed: pieces of some ten columns take less for each.
    ///
    /// # Panics
    /// When there is part of a column.
    pub fn push(&mut self, columns: &[f32]) {
        let bands = self.kernel.config().bands;
        assert!(columns.len().is_multiple_of(bands), "columns of {bands} bands");
        for piece in columns.chunks(self.most * bands) {
            let count = piece.len() / bands;
            self.piece.clear();
            self.piece.extend_from_slice(piece);
            self.run(count);
            self.heard = (self.heard + count).min(self.kernel.config().least_columns());
        }
    }

    /// Runs the new columns, which lie in `piece`, through all layers or as far as they reach.
    fn run(&mut self, mut count: usize) {
        for (layer, convolution) in self.layers.iter_mut().zip(convolutions(&self.kernel)) {
            let width = layer.join(&self.piece, count, &mut self.joined);
            if width < TAPS {
                return;
            }
            let done = convolution.run(&self.joined, (width, layer.inputs.1), &mut self.made, &mut self.work);
            debug_assert!(done.is_ok(), "the sizes are the network's own");
            count = layer.pool(&self.made, width - KEPT, &mut self.piece);
            if count == 0 {
                return;
            }
            if let Some(level) = &mut layer.level {
                level.push(&self.piece, count);
            }
        }
    }

    /// The network's output for the last columns; none before there are [`MelClassifier::least_columns`].
    ///
    /// [`MelClassifier::least_columns`]: super::MelClassifier::least_columns
    pub fn logits(&mut self) -> Option<&[f32]> {
        if self.heard < self.kernel.config().least_columns() {
            return None;
        }
        let mut rest = self.features.as_mut_slice();
        for layer in &mut self.layers {
            if let Some(level) = &mut layer.level {
                let (own, others) = rest.split_at_mut(2 * layer.outputs.0);
                level.features(own);
                rest = others;
            }
        }
        let mut x = &self.features;
        if let Some(hidden) = &self.kernel.hidden {
            hidden.run(x, true, &mut self.hidden);
            x = &self.hidden;
        }
        self.kernel.out.run(x, false, &mut self.logits);
        Some(&self.logits)
    }

    /// The weights.
    pub fn kernel(&self) -> &Arc<ListenerKernel> {
        &self.kernel
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        self.heard = 0;
        for layer in &mut self.layers {
            (layer.kept, layer.waiting) = (0, 0);
            if let Some(level) = &mut layer.level {
                level.clear();
            }
        }
    }
}

/// The convolutions, one a layer.
fn convolutions(kernel: &ListenerKernel) -> impl Iterator<Item = &Convolution> {
    kernel.stages.iter().chain([&kernel.last])
}

impl Layer {
    fn new(
        inputs: (usize, usize),
        outputs: (usize, usize, usize),
        pool: (usize, usize),
        level: Option<TimePool>,
    ) -> Self {
        let last = vec![0.0; inputs.0 * inputs.1 * KEPT];
        let held = vec![0.0; if pool.1 > 1 { outputs.0 * outputs.2 } else { 0 }];
        Self { inputs, outputs, pool, last, kept: 0, held, waiting: 0, level }
    }

    /// Puts the last columns before the new ones, and keeps the last of all. Returns how many columns there are.
    fn join(&mut self, piece: &[f32], count: usize, joined: &mut Vec<f32>) -> usize {
        let (rows, width) = (self.inputs.1, self.kept + count);
        let keep = width.min(KEPT);
        joined.clear();
        for (last, new) in self.last.chunks_exact_mut(KEPT * rows).zip(piece.chunks_exact(count * rows)) {
            joined.extend_from_slice(&last[..self.kept * rows]);
            joined.extend_from_slice(new);
            last[..keep * rows].copy_from_slice(&joined[joined.len() - keep * rows..]);
        }
        self.kept = keep;
        width
    }

    /// Pools what the convolution made, first over rows, then over columns. Returns the number of columns that are
    /// left.
    fn pool(&mut self, made: &[f32], columns: usize, piece: &mut Vec<f32>) -> usize {
        let (channels, rows, pooled) = self.outputs;
        let (down, across) = self.pool;
        let largest = |a: f32, b: f32| if a > b { a } else { b };
        piece.clear();
        for column in made.chunks_exact(rows) {
            let column = &column[..pooled * down];
            match down {
                1 => piece.extend_from_slice(column),
                2 => piece.extend(column.chunks_exact(2).map(|v| largest(v[0], v[1]))),
                _ => piece.extend(column.chunks_exact(down).map(|v| v.iter().copied().fold(v[0], largest))),
            }
        }
        if across == 1 {
            return columns;
        }
        let left = (self.waiting + columns) / across;
        for (channel, held) in self.held.chunks_exact_mut(pooled).enumerate() {
            let (mut waiting, mut to) = (self.waiting, channel * left * pooled);
            for column in 0..columns {
                let from = (channel * columns + column) * pooled;
                let column = &piece[from..from + pooled];
                if waiting == 0 {
                    held.copy_from_slice(column);
                } else {
                    held.iter_mut().zip(column).for_each(|(h, v)| *h = largest(*h, *v));
                }
                waiting += 1;
                if waiting == across {
                    // Before what is still to be read, or on top of what has just been.
                    piece[to..to + pooled].copy_from_slice(held);
                    (to, waiting) = (to + pooled, 0);
                }
            }
        }
        self.waiting = (self.waiting + columns) % across;
        piece.truncate(channels * left * pooled);
        left
    }
}
