//! The weights of a [`MelClassifier`] ready for inference.

use std::collections::BTreeMap;

use candle_core::Result as CandleResult;

use crate::genre::dense::Dense;
use crate::genre::listener::NORM;
use crate::genre::symbolic::MOST_CLASSES;
use crate::genre::{CLIP_COLUMNS, MelClassifier, Network, Parameters};
use crate::ops::{Activation, Convolution, Window};

/// Tensors by name: shape and values, row-major.
pub type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Columns that every convolution of the network sees.
pub(super) const TAPS: usize = 3;

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

/// Folds the batch normalisations of a trained network into its convolutions and into the dense layer behind the
/// last: the tensors that [`ListenerKernel::new`] takes.
///
/// # Errors
/// When the parameters are not the network's.
pub fn fold(config: &MelClassifier, parameters: &Parameters) -> CandleResult<Tensors> {
    parameters.check(&config.specs())?;
    let values = |name: &str| parameters.tensors[name].flatten_all()?.to_vec1::<f32>();
    let mut out = Tensors::new();
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

/// Names and shapes of the tensors that [`fold`] makes.
pub(in crate::genre) fn tensor_shapes(config: &MelClassifier) -> Vec<(String, Vec<usize>)> {
    // Those of the network, less the normalisations.
    let kept = |name: &str| name.ends_with(".w") || name.ends_with(".b");
    config.specs().trained.into_iter().filter(|s| kept(&s.name)).map(|s| (s.name, s.shape)).collect()
}

/// Refuses sizes that make no sense, before anything is computed of them.
pub(in crate::genre) fn check(config: &MelClassifier) -> Result<(), String> {
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
    if sound { Ok(()) } else { Err(format!("sizes {config:?}")) }
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
    /// From what [`fold`] makes: the values of the tensors by name.
    ///
    /// # Errors
    /// With the sizes that make no sense, or the name of the tensor that is missing or of another size.
    pub fn new(config: MelClassifier, tensors: &BTreeMap<String, Vec<f32>>) -> Result<Self, String> {
        check(&config)?;
        let shapes: BTreeMap<String, Vec<usize>> = tensor_shapes(&config).into_iter().collect();
        let take = |name: &str| match tensors.get(name) {
            Some(v) if v.len() == shapes[name].iter().product::<usize>() => Ok(v.as_slice()),
            Some(v) => Err(format!("{name}: {} values for {:?}", v.len(), shapes[name])),
            None => Err(format!("{name}: missing")),
        };
        let convolution = |name: String, window: Window| {
            let w = format!("{name}.w");
            let shape: [usize; 4] =
                shapes[&w].as_slice().try_into().map_err(|_| format!("{w}: no kernel"))?;
            let (turned, shape) = columns_first(take(&w)?, shape);
            Convolution::new(&turned, shape, take(&format!("{name}.b"))?, window, Activation::Relu)
                .map_err(|e| e.to_string())
        };
        let dense = |name: &str| {
            let w = format!("{name}.w");
            Ok::<_, String>(Dense::new(
                shapes[&w][1],
                take(&w)?.to_vec(),
                take(&format!("{name}.b"))?.to_vec(),
            ))
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

    /// Ready to run what was trained.
    ///
    /// # Errors
    /// When the parameters are not the network's.
    pub fn of(config: &MelClassifier, parameters: &Parameters) -> CandleResult<Self> {
        let tensors =
            fold(config, parameters)?.into_iter().map(|(name, (_, values))| (name, values)).collect();
        Self::new(config.clone(), &tensors).map_err(candle_core::Error::Msg)
    }

    /// Sizes.
    pub fn config(&self) -> &MelClassifier {
        &self.config
    }
}
