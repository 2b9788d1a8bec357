//! Examples out of images of mel spectrograms.
//!
//! An image has a column every 77.5 ms, each one frame of 512 samples at 22,050 Hz out of 3.34 and no average;
//! [`frame_of`](sideman_inference::genre::frame_of) picks the same of a live spectrogram. What is not known of an image is its floor (its decibels may be stretched): mean and deviation of the clip
//! taken out, neither that nor the gain is left.

use candle_core::{Device, Tensor};
use rand::Rng;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};
use sideman_inference::band::normal;

use super::mel::MelInput;
use crate::recipes::genre::{Classes, Content, LabelledSet, MelImage, Scheme};
use crate::train::{Examples, Named};

/// How clips are varied in training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Augmentation {
    /// Columns of a clip, from anywhere in the track.
    pub columns: usize,
    /// Most that the tempo is changed, as a share: 0.2 for 0.83 to 1.2 times.
    pub tempo: f64,
    /// Most bands that everything is moved up or down.
    pub bands: usize,
    /// Deviation of a filter over the bands, in deviations of the clip.
    pub filter: f32,
    /// Masks over bands (Park et al., "SpecAugment", 2019).
    pub band_masks: usize,
    /// Widest of them.
    pub band_width: usize,
    /// Masks over columns.
    pub time_masks: usize,
    /// Widest of them.
    pub time_width: usize,
}

impl Default for Augmentation {
    fn default() -> Self {
        Self {
            columns: 128,
            tempo: 0.15,
            bands: 2,
            filter: 0.15,
            band_masks: 2,
            band_width: 16,
            time_masks: 2,
            time_width: 12,
        }
    }
}

/// Tracks as examples.
#[derive(Debug)]
pub struct MelExamples {
    classes: Classes,
    names: Vec<(String, String)>,
    images: Vec<MelImage>,
    input: MelInput,
    /// Columns when not in training.
    columns: usize,
}

impl MelExamples {
    /// The items of a set that have a class.
    ///
    /// # Errors
    /// When the set is of another kind, or an image has no columns.
    pub fn new(mut set: LabelledSet, scheme: Scheme, input: MelInput) -> anyhow::Result<Self> {
        let classes = scheme.apply(&mut set);
        let (mut names, mut images) = (vec![], vec![]);
        for item in set.items {
            let Content::Mel(image) = item.content else {
                anyhow::bail!("{} is no mel spectrogram", item.facts.id)
            };
            anyhow::ensure!(image.columns > 0, "{} has no columns", item.facts.id);
            names.push((item.facts.id, item.facts.source));
            images.push(image);
        }
        let columns = match &input {
            MelInput::Clip { columns } => *columns,
            MelInput::Crops(_) => images.iter().map(|i| i.columns).max().unwrap_or(0),
        };
        Ok(Self { classes, names, images, input, columns })
    }

    /// The first columns of an image, repeated where it has fewer.
    fn plain(&self, image: &MelImage) -> Vec<f32> {
        let rows = image.values.chunks_exact(image.columns);
        rows.flat_map(|row| row.iter().cycle().take(self.columns).map(|&v| f32::from(v) / 255.0)).collect()
    }
}

impl Examples for MelExamples {
    fn classes(&self) -> &[String] {
        &self.classes.names
    }

    fn len(&self) -> usize {
        self.images.len()
    }

    fn class(&self, example: usize) -> usize {
        self.classes.of_items[example]
    }

    fn named(&self, example: usize) -> Named<'_> {
        let (id, source) = &self.names[example];
        Named { id, source }
    }

    fn inputs(&self, examples: &[usize], rng: Option<&mut Pcg64>) -> anyhow::Result<Vec<Tensor>> {
        let mut values = vec![];
        let columns = match (&self.input, rng) {
            (MelInput::Crops(augmentation), Some(rng)) => {
                for &example in examples {
                    values.extend(augmentation.clip(&self.images[example], rng));
                }
                augmentation.columns
            }
            (input, _) => {
                for &example in examples {
                    let mut clip = self.plain(&self.images[example]);
                    if matches!(input, MelInput::Crops(_)) {
                        normalise(&mut clip);
                    }
                    values.extend(clip);
                }
                self.columns
            }
        };
        let shape = (examples.len(), MelImage::BANDS, columns);
        Ok(vec![Tensor::from_vec(values, shape, &Device::Cpu)?])
    }
}

/// Takes out mean and deviation. Silence, and whatever else has no deviation, becomes zeros.
pub(super) fn normalise(values: &mut [f32]) {
    let n = values.len().max(1) as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
    let scale = if variance > 1e-8 { 1.0 / variance.sqrt() } else { 0.0 };
    values.iter_mut().for_each(|v| *v = ((f64::from(*v) - mean) * scale) as f32);
}

impl Augmentation {
    /// A clip of an image, (bands, columns).
    pub(super) fn clip(&self, image: &MelImage, rng: &mut Pcg64) -> Vec<f32> {
        let (bands, columns) = (MelImage::BANDS, self.columns);
        let speed = (1.0 + self.tempo).powf(rng.random_range(-1.0..=1.0));
        let room = image.columns as f64 - 1.0 - speed * (columns as f64 - 1.0);
        let start = if room > 0.0 { rng.random_range(0.0..room) } else { 0.0 };
        // Single frames, as they are in the images: none is made of two.
        let places: Vec<usize> =
            (0..columns).map(|c| (start + speed * c as f64).round() as usize % image.columns).collect();
        let shift = rng.random_range(-(self.bands as i64)..=self.bands as i64);
        let mut clip = Vec::with_capacity(bands * columns);
        for band in 0..bands as i64 {
            let from = (band - shift).clamp(0, bands as i64 - 1) as usize;
            let row = &image.values[from * image.columns..(from + 1) * image.columns];
            clip.extend(places.iter().map(|&p| f32::from(row[p])));
        }
        normalise(&mut clip);
        let filter = self.curve(rng);
        for (row, &gain) in clip.chunks_exact_mut(columns).zip(&filter) {
            row.iter_mut().for_each(|v| *v += gain);
        }
        for _ in 0..self.band_masks {
            let (from, to) = stretch(bands, self.band_width, rng);
            clip[from * columns..to * columns].fill(0.0);
        }
        for _ in 0..self.time_masks {
            let (from, to) = stretch(columns, self.time_width, rng);
            clip.chunks_exact_mut(columns).for_each(|row| row[from..to].fill(0.0));
        }
        clip
    }

    /// A smooth curve over the bands, as of an equaliser: straight between five points.
    fn curve(&self, rng: &mut Pcg64) -> Vec<f32> {
        let points: [f32; 5] = std::array::from_fn(|_| self.filter * normal(rng));
        (0..MelImage::BANDS)
            .map(|band| {
                let at = band as f32 / (MelImage::BANDS - 1) as f32 * 4.0;
                let i = (at as usize).min(3);
                points[i] + (at - i as f32) * (points[i + 1] - points[i])
            })
            .collect()
    }
}

/// A stretch of at most `widest` somewhere in `all`.
fn stretch(all: usize, widest: usize, rng: &mut Pcg64) -> (usize, usize) {
    let width = rng.random_range(0..=widest.min(all));
    let from = rng.random_range(0..=all - width);
    (from, from + width)
}
