//! The weights of a [`MelClassifier`] ready for inference.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::genre::CLIP_COLUMNS;
use crate::genre::symbolic::MOST_CLASSES;
use crate::kernel::{Activation, Convolution, Dense, Window};
use crate::weights::{TensorError, Values, take};

/// Added to variances over time.
pub const LEAST_VARIANCE: f64 = 1e-4;
/// Columns that every convolution of the network sees.
pub(super) const TAPS: usize = 3;

/// A stage: convolution of 3 bands by 3 columns, batch normalisation, ReLU, max pooling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerStage {
    /// Channels.
    pub channels: usize,
    /// Bands and columns that are pooled into one.
    pub pool: (usize, usize),
}

/// The network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MelClassifier {
    /// Mel bands.
    pub bands: usize,
    /// Stages.
    pub stages: Vec<ListenerStage>,
    /// Channels of the last convolution, over all bands that are left and three columns.
    pub width: usize,
    /// Stages, from the last, whose channels are pooled beside those of the last convolution.
    pub levels: usize,
    /// Dropout before the hidden layer and before the classes.
    pub dropout: f32,
    /// Width of the hidden layer; none with 0.
    pub hidden: usize,
    /// Classes.
    pub classes: usize,
}

impl MelClassifier {
    /// The product's.
    pub fn product(classes: usize) -> Self {
        let stage = |channels, pool| ListenerStage { channels, pool };
        Self {
            bands: 128,
            stages: vec![
                stage(16, (2, 1)),
                stage(32, (2, 1)),
                stage(48, (2, 2)),
                stage(64, (2, 1)),
                stage(96, (2, 2)),
            ],
            width: 128,
            levels: 2,
            dropout: 0.4,
            hidden: 0,
            classes,
        }
    }

    /// Fewest columns that the network can hear.
    pub fn least_columns(&self) -> usize {
        // From the last convolution back: two results, for one has no deviation.
        self.stages.iter().rev().fold(4, |columns, stage| columns * stage.pool.1 + 2)
    }

    /// Bands that the stages leave.
    pub fn rows(&self) -> usize {
        self.stages.iter().fold(self.bands, |rows, stage| rows / stage.pool.0)
    }

    /// Means and deviations over time, of all levels.
    pub fn features(&self) -> usize {
        let below: usize = self.stages.iter().rev().take(self.levels).map(|s| s.channels).sum();
        2 * (self.width + below)
    }
}

/// The weights of a [`MelClassifier`], batch normalisation folded into them; immutable, shared by all who listen, used
/// without threads.
#[derive(Debug, Clone)]
pub struct ListenerKernel {
    config: MelClassifier,
    /// Those of the stages.
    pub(super) stages: Vec<Convolution>,
    /// The last one, over all bands that are left.
    pub(super) last: Convolution,
    pub(super) hidden: Option<Dense>,
    pub(super) out: Dense,
}

/// Names and shapes of the tensors, batch normalisation folded in.
pub(in crate::genre) fn tensor_shapes(config: &MelClassifier) -> Vec<(String, Vec<usize>)> {
    let mut shapes = vec![];
    let mut layer = |name: String, shape: Vec<usize>| {
        shapes.push((format!("{name}.b"), vec![shape[0]]));
        shapes.push((format!("{name}.w"), shape));
    };
    let mut inputs = 1;
    for (i, stage) in config.stages.iter().enumerate() {
        layer(format!("conv{i}"), vec![stage.channels, inputs, 3, 3]);
        inputs = stage.channels;
    }
    layer("conv".to_owned(), vec![config.width, inputs, config.rows(), 3]);
    let mut inputs = config.features();
    if config.hidden > 0 {
        layer("hidden".to_owned(), vec![config.hidden, inputs]);
        inputs = config.hidden;
    }
    layer("last".to_owned(), vec![config.classes, inputs]);
    shapes
}

/// Refuses sizes that make no sense, before anything is computed of them.
pub(in crate::genre) fn check(config: &MelClassifier) -> Result<(), TensorError> {
    let wide = |n: usize| (1..=4096).contains(&n);
    let sound = config.bands == sideman_audio::mel::BANDS
        && (1..=8).contains(&config.stages.len())
        && config
            .stages
            .iter()
            .all(|s| wide(s.channels) && (1..=8).contains(&s.pool.0) && (1..=8).contains(&s.pool.1))
        && config.rows() > 0
        && wide(config.width)
        && config.levels <= config.stages.len()
        && config.hidden <= 4096
        && (1..=MOST_CLASSES).contains(&config.classes)
        && config.least_columns() <= CLIP_COLUMNS;
    if sound { Ok(()) } else { Err(TensorError::Sizes(format!("{config:?}"))) }
}

/// A kernel (outputs, inputs, bands, columns) with its last two axes exchanged: streams hold column after column, so that
/// new ones follow the old ones in memory, and what is computed of a few of them still has long rows.
fn columns_first(w: &[f32], [outputs, inputs, bands, columns]: [usize; 4]) -> (Vec<f32>, [usize; 4]) {
    let kernel = |k: &[f32]| -> Vec<f32> {
        (0..bands * columns).map(|i| k[i % bands * columns + i / bands]).collect()
    };
    let turned = w.chunks_exact(bands * columns).flat_map(kernel).collect();
    (turned, [outputs, inputs, columns, bands])
}

impl ListenerKernel {
    /// From the values of the tensors by name, batch normalisation folded in.
    ///
    /// # Errors
    /// With the sizes that make no sense, or the name of the tensor that is missing or of another size.
    pub fn new(config: MelClassifier, tensors: &Values) -> Result<Self, TensorError> {
        check(&config)?;
        let shapes: BTreeMap<String, Vec<usize>> = tensor_shapes(&config).into_iter().collect();
        let get = |name: String| take(tensors, &name, &shapes[&name]);
        let convolution = |name: String, window: Window| {
            let shape = &shapes[&format!("{name}.w")];
            let (w, shape) =
                columns_first(&get(format!("{name}.w"))?, [shape[0], shape[1], shape[2], shape[3]]);
            // Kernels of no size were refused, and the lengths are those of the shapes.
            Ok::<_, TensorError>(Convolution::new(
                &w,
                shape,
                &get(format!("{name}.b"))?,
                window,
                Activation::Relu,
            ))
        };
        let dense = |name: &str| {
            let w = get(format!("{name}.w"))?;
            Ok::<_, TensorError>(Dense::new(shapes[&format!("{name}.w")][1], w, get(format!("{name}.b"))?))
        };
        let padded = Window { stride: (1, 1), padding: (0, 1) };
        Ok(Self {
            stages: (0..config.stages.len())
                .map(|i| convolution(format!("conv{i}"), padded))
                .collect::<Result<_, _>>()?,
            last: convolution("conv".into(), Window::default())?,
            hidden: if config.hidden > 0 { Some(dense("hidden")?) } else { None },
            out: dense("last")?,
            config,
        })
    }

    /// Sizes.
    pub fn config(&self) -> &MelClassifier {
        &self.config
    }
}
