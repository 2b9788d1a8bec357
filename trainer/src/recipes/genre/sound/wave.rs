//! Models on waveforms: P4's.
//!
//! The paper holds five songs of each genre out for test and validates on parts of the songs it trains on. So
//! do these: [`ExampleSet::Valid`] are a fifth of the parts of training songs, [`ExampleSet::Songs`] and [`ExampleSet::Test`] all
//! parts of songs that training never saw. What lies between the two is what the paper's protocol hides.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::Digest;
use sideman_audio::wave::{COLUMNS, PART, PARTS, ROWS, SONG};
use sideman_nets::genre::{Bach, Beethoven, DynClassifier};

use super::{ExampleSet, Model, Recipe};
use crate::data::Split;
use crate::recipes::genre::render::read_clip;
use crate::recipes::genre::{Content, Kind, LabelledSet, Scheme, load};
use crate::train::{Examples, FitConfig, Named};

/// One in so many parts of a training song validates.
const VALID: usize = 5;
/// Songs of a class that are trained on: 95 of the paper's.
const SONGS: usize = 95;

/// A network on waveforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaveNetwork {
    /// P4's CNN.
    Bach,
    /// P4's RNN.
    Beethoven,
}

/// A network on waveforms with its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveModel {
    /// The network.
    pub network: WaveNetwork,
    /// Most songs of a class that are trained on.
    pub songs: usize,
}

pub(super) fn recipes() -> Vec<Recipe> {
    [("bach", WaveNetwork::Bach), ("beethoven", WaveNetwork::Beethoven)]
        .map(|(name, network)| Recipe {
            name: format!("p4-{name}"),
            model: Model::Wave(WaveModel { network, songs: SONGS }),
            // The paper names neither batch nor optimizer, and 100 to 600 epochs.
            fit: FitConfig { epochs: 100, batch: 128, ..FitConfig::default() },
        })
        .into()
}

impl WaveModel {
    pub(super) fn network(&self, classes: usize) -> Box<DynClassifier> {
        match self.network {
            WaveNetwork::Bach => Box::new(Bach::paper(classes)),
            WaveNetwork::Beethoven => Box::new(Beethoven::paper(classes)),
        }
    }

    pub(super) fn examples(&self, cache: &Path, which: ExampleSet) -> anyhow::Result<Box<dyn Examples>> {
        let split = match which {
            ExampleSet::Train | ExampleSet::Valid => Split::Train,
            ExampleSet::Songs => Split::Valid,
            ExampleSet::Test => Split::Test,
        };
        let set = load(cache, Kind::Audio, split)?;
        let scheme = scheme(&load(cache, Kind::Audio, Split::Train)?);
        let most = if split == Split::Train { self.songs } else { usize::MAX };
        Ok(Box::new(WaveExamples::new(set, scheme, most, which)?))
    }
}

/// The classes of a collection of sound: GTZAN's where it is that, else those of the labelled MIDI.
fn scheme(set: &LabelledSet) -> Scheme {
    let known = |scheme: Scheme| set.items.iter().filter(|i| scheme.class(&i.facts).is_some()).count();
    if known(Scheme::Gtzan) > known(Scheme::Band) { Scheme::Gtzan } else { Scheme::Band }
}

/// Parts of songs as examples.
#[derive(Debug)]
pub struct WaveExamples {
    classes: Vec<String>,
    /// Id, source, class and samples of each song.
    songs: Vec<(String, String, usize, Vec<i16>)>,
    /// Song and part of each example.
    parts: Vec<(usize, usize)>,
}

impl WaveExamples {
    /// At most `most` songs of each class of a set, those with the lowest digests of their ids; of them the
    /// parts of a set of examples.
    ///
    /// # Errors
    /// When a clip cannot be read or is too short.
    pub fn new(mut set: LabelledSet, scheme: Scheme, most: usize, which: ExampleSet) -> anyhow::Result<Self> {
        let classes = scheme.apply(&mut set);
        let mut wanted: Vec<(Vec<u8>, usize, String, String, PathBuf)> = vec![];
        for (item, &class) in set.items.into_iter().zip(&classes.of_items) {
            let Content::Audio(path) = item.content else {
                anyhow::bail!("{} is no file of audio", item.facts.id)
            };
            let key = sha2::Sha256::digest(&item.facts.id).to_vec();
            wanted.push((key, class, item.facts.id, item.facts.source, path));
        }
        wanted.sort();
        let mut counts = vec![0; classes.names.len()];
        wanted.retain(|w| {
            counts[w.1] += 1;
            counts[w.1] <= most
        });
        let songs = wanted
            .into_par_iter()
            .map(|(_, class, id, source, path)| {
                let samples = read_clip(&path)?;
                anyhow::ensure!(samples.len() >= SONG, "{} is shorter than 30 s", path.display());
                Ok((id, source, class, samples))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        let mut parts = vec![];
        for (song, (id, ..)) in songs.iter().enumerate() {
            let mut order: Vec<usize> = (0..PARTS).collect();
            let digest = sha2::Sha256::digest(id);
            let seed = digest[..8].iter().fold(0, |n, &b| n << 8 | u64::from(b));
            order.shuffle(&mut Pcg64::seed_from_u64(seed));
            let own = match which {
                ExampleSet::Train => &order[PARTS / VALID..],
                ExampleSet::Valid => &order[..PARTS / VALID],
                ExampleSet::Songs | ExampleSet::Test => &order[..],
            };
            parts.extend(own.iter().map(|&part| (song, part)));
        }
        Ok(Self { classes: classes.names, songs, parts })
    }
}

impl Examples for WaveExamples {
    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn len(&self) -> usize {
        self.parts.len()
    }

    fn class(&self, example: usize) -> usize {
        self.songs[self.parts[example].0].2
    }

    fn named(&self, example: usize) -> Named<'_> {
        let (id, source, ..) = &self.songs[self.parts[example].0];
        Named { id, source }
    }

    /// Nothing is augmented: the paper augments nothing.
    fn inputs(&self, examples: &[usize], _: Option<&mut Pcg64>) -> anyhow::Result<Vec<Tensor>> {
        let mut values = Vec::with_capacity(examples.len() * PART);
        for &example in examples {
            let (song, part) = self.parts[example];
            let samples = &self.songs[song].3[part * PART..(part + 1) * PART];
            values.extend(samples.iter().map(|&s| f32::from(s) / 32_768.0));
        }
        Ok(vec![Tensor::from_vec(values, (examples.len(), ROWS, COLUMNS), &Device::Cpu)?])
    }
}
