//! What a weights file of sound says of images of mel spectrograms, through the code that the product runs.

use std::path::Path;

use anyhow::ensure;
use rayon::prelude::*;
use sideman_audio::Column;
use sideman_audio::mel::{BANDS, TOP_DB};
use sideman_inference::genre::audio::{ColumnListener, WindowClassifier};
use sideman_inference::genre::weights::AudioWeights;

use crate::data::Split;
use crate::recipes::genre::measure::{Prediction, Predictions};
use crate::recipes::genre::{Classes, Content, Kind, LabelledSet, MelImage, Scheme, cache};

/// How it hears a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listening {
    /// As a whole, by its own mean and deviation.
    Whole,
    /// As it comes, each column by those before it; the answer is that at the end.
    Live,
}

/// Images of a split with their classes.
pub struct Tracks {
    set: LabelledSet,
    classes: Classes,
}

impl Tracks {
    /// Those of a cache.
    ///
    /// # Errors
    /// When the cache cannot be read or has none.
    pub fn load(dir: &Path, split: Split) -> anyhow::Result<Self> {
        let mut set = cache::load(dir, Kind::Mel, split)?;
        let classes = Scheme::Gtzan.apply(&mut set);
        ensure!(!set.items.is_empty(), "{} holds no mel spectrograms of that split", dir.display());
        Ok(Self { set, classes })
    }

    /// Predictions of these tracks, given the probabilities of each.
    pub(super) fn with(&self, probabilities: Vec<Vec<f32>>) -> Predictions {
        let tracks = self.set.items.iter().zip(&self.classes.of_items);
        let of_items = tracks.zip(probabilities).map(|((item, &class), probabilities)| Prediction {
            id: item.facts.id.clone(),
            source: item.facts.source.clone(),
            group: item.facts.group.clone(),
            class,
            probabilities,
        });
        Predictions { classes: self.classes.names.clone(), of_items: of_items.collect() }
    }
}

/// The columns of an image, in decibels below its loudest.
pub(super) fn columns(image: &MelImage) -> impl Iterator<Item = Column> + '_ {
    let value = |band: usize, column: usize| f32::from(image.values[band * image.columns + column]);
    (0..image.columns).map(move |column| {
        std::array::from_fn::<f32, BANDS, _>(|band| (value(band, column) / 255.0 - 1.0) * TOP_DB)
    })
}

/// What a weights file says of tracks, without temperature.
///
/// # Errors
/// When the classes are not its own, or a track is too short.
pub fn predict(weights: &AudioWeights, tracks: &Tracks, way: Listening) -> anyhow::Result<Predictions> {
    ensure!(
        weights.head.classes == tracks.classes.names,
        "the weights tell {}, the labels are {}",
        weights.head.classes.join(", "),
        tracks.classes.names.join(", ")
    );
    let mut plain = weights.clone();
    plain.head.temperature = 1.0;
    let said: anyhow::Result<Vec<Vec<f32>>> = tracks
        .set
        .items
        .par_iter()
        .map(|item| {
            let Content::Mel(image) = &item.content else {
                anyhow::bail!("{} is no mel spectrogram", item.facts.id)
            };
            // An image has no level: all of it is taken to sound.
            let told = match way {
                Listening::Whole => {
                    let mut classifier = WindowClassifier::new(&plain);
                    columns(image).for_each(|c| classifier.push(&c, true));
                    classifier.finish()?.whole
                }
                Listening::Live => {
                    let mut listener = ColumnListener::new(&plain);
                    columns(image).for_each(|c| listener.push(&c, true));
                    listener.probabilities().map(<[f32]>::to_vec)
                }
            };
            let classes = weights.head.classes.len();
            Ok(told.unwrap_or_else(|| vec![1.0 / classes as f32; classes]))
        })
        .collect();
    Ok(tracks.with(said?))
}
