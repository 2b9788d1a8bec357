//! What is trained on what.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};
use sideman_inference::genre::symbolic::BarNetConfig;
use sideman_inference::genre::weights::InputKind;
use sideman_nets::genre::DynClassifier;
use sideman_nets::genre::symbolic::{BarNet, RollsCnn};

use super::band::BandExamples;
use super::piano::{HOP, PianoExamples};
use super::rolls::RollExamples;
use crate::data::Split;
use crate::recipes::genre::labelled::{Kind, LabelledSet};
use crate::recipes::genre::scheme::Scheme;
use crate::recipes::genre::{cache, voted};
use crate::train::Examples;

/// A classifier of notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// The product's over a whole band, eight classes.
    Band,
    /// The product's over eight bars of piano, five classes.
    Piano,
    /// P2's CNN with ReLU, batch normalisation and dropout, ten classes.
    P2,
    /// P2's CNN without them.
    P2Linear,
}

impl Model {
    /// Its classes.
    pub fn scheme(self) -> Scheme {
        match self {
            Self::Band => Scheme::Band,
            Self::Piano => Scheme::Piano,
            Self::P2 | Self::P2Linear => Scheme::Topmagd,
        }
    }

    /// What it listens to in the product; none for the papers' models.
    pub fn hears(self) -> Option<InputKind> {
        match self {
            Self::Band => Some(InputKind::Band),
            Self::Piano => Some(InputKind::Piano),
            _ => None,
        }
    }

    /// Examples of a labelled set to measure on.
    pub fn examples(self, set: &Labels) -> Box<dyn Examples> {
        let (items, names, of_items) = (&set.set, &set.names, &set.of_items);
        match self {
            Self::Band => Box::new(BandExamples::new(items, names, of_items)),
            Self::Piano => Box::new(PianoExamples::new(items, names, of_items, HOP)),
            Self::P2 | Self::P2Linear => Box::new(RollExamples::new(items, names, of_items)),
        }
    }
}

/// How figures are normalised, in decimals that JSON keeps exactly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// Mean of each figure.
    mean: Vec<f64>,
    /// 1 / deviation; 0 for figures that are not to be seen.
    scale: Vec<f64>,
}

/// Least deviation: figures that are nearly always the same would be blown up by their exceptions.
const LEAST_DEVIATION: f64 = 0.02;

impl Scale {
    /// Of pieces, each (bars, features) and counting alike.
    pub(super) fn of<'a>(
        pieces: impl Iterator<Item = &'a [f32]>,
        features: usize,
        hidden: &[Range<usize>],
    ) -> Self {
        let (mut sum, mut square, mut count) = (vec![0f64; features], vec![0f64; features], 0.0);
        for piece in pieces {
            let share = features as f64 / piece.len().max(1) as f64;
            count += 1.0;
            for bar in piece.chunks_exact(features) {
                for ((s, q), &v) in sum.iter_mut().zip(&mut square).zip(bar) {
                    *s += share * f64::from(v);
                    *q += share * f64::from(v).powi(2);
                }
            }
        }
        let rounded = |v: f64| (v * 1e6).round() / 1e6;
        let mean: Vec<f64> = sum.iter().map(|s| s / f64::max(count, 1.0)).collect();
        let deviation = |i: usize| (square[i] / f64::max(count, 1.0) - mean[i].powi(2)).max(0.0).sqrt();
        let seen = |i: usize| !hidden.iter().any(|h| h.contains(&i));
        let scale = (0..features)
            .map(|i| if seen(i) { rounded(1.0 / deviation(i).max(LEAST_DEVIATION)) } else { 0.0 })
            .collect();
        Self { mean: mean.into_iter().map(rounded).collect(), scale }
    }

    /// Mean of each figure.
    pub fn mean(&self) -> Vec<f32> {
        self.mean.iter().map(|&v| v as f32).collect()
    }

    /// 1 / deviation of each figure.
    pub fn scale(&self) -> Vec<f32> {
        self.scale.iter().map(|&v| v as f32).collect()
    }
}

/// The product's network in a recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BarRecipe {
    /// Sizes.
    pub net: BarNetConfig,
    /// See [`BarNet::dropout`], in hundredths.
    pub dropout: [u8; 3],
    /// How much sources count alike rather than files, in hundredths.
    pub by_source: u8,
    /// Normalisation.
    pub scale: Scale,
}

/// What is trained on what: what a checkpoint says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// The classifier.
    pub model: Model,
    /// Fingerprint of the cache.
    pub cache: String,
    /// A source that training does not see, named by a part of its name.
    pub held_out: Option<String>,
    /// For the product's networks.
    pub bars: Option<BarRecipe>,
}

impl Recipe {
    /// The network.
    ///
    /// # Errors
    /// When the recipe lacks what the network needs.
    pub fn network(&self) -> anyhow::Result<Box<DynClassifier>> {
        let classes = self.model.scheme().classes().map_or(0, <[_]>::len);
        match self.model {
            Model::P2 | Model::P2Linear => {
                Ok(Box::new(RollsCnn { non_linear: self.model == Model::P2, classes }))
            }
            Model::Band | Model::Piano => {
                let b = self.bars.as_ref().context("the recipe lacks its sizes: train the model again")?;
                ensure!(b.net.classes == classes, "the run tells {} classes, not {classes}", b.net.classes);
                let dropout = b.dropout.map(|d| f32::from(d) / 100.0);
                Ok(Box::new(BarNet { config: b.net, mean: b.scale.mean(), scale: b.scale.scale(), dropout }))
            }
        }
    }
}

/// Labelled items with the numbers of their classes.
#[derive(Debug, Clone)]
pub struct Labels {
    /// The items.
    pub set: LabelledSet,
    /// Names of the classes.
    pub names: Vec<String>,
    /// Class of each item.
    pub of_items: Vec<usize>,
}

/// The items of a model.
#[derive(Debug, Clone)]
pub struct Data {
    /// To train on.
    pub train: Labels,
    /// To choose and calibrate by.
    pub valid: Labels,
    /// Items of the train and valid splits that come from the held-out source; empty without one.
    pub held_out: Labels,
}

impl Data {
    /// Reads the train and valid splits of a cache. The test split is never read here.
    ///
    /// # Errors
    /// When the cache cannot be read or has no such source.
    pub fn load(path: &Path, model: Model, held_out: Option<&str>) -> anyhow::Result<Self> {
        let mut set = cache::load(path, Kind::Symbolic, Split::Train)?;
        set.append(cache::load(path, Kind::Symbolic, Split::Valid)?);
        let mut held = LabelledSet { kind: Kind::Symbolic, items: vec![] };
        if let Some(part) = held_out {
            let sources: Vec<String> =
                set.sources().into_keys().filter(|s| s.contains(part)).map(str::to_owned).collect();
            ensure!(
                !sources.is_empty(),
                "no source of the cache has '{part}' in its name; see `genre prepare`"
            );
            for source in &sources {
                let (rest, own) = set.hold_out_source(source);
                set = rest;
                held.append(own);
            }
        }
        let (mut train, mut valid) = (set.clone(), set);
        train.retain(|f| f.split == Split::Train);
        valid.retain(|f| f.split == Split::Valid);
        Ok(Self { train: labels(model, train), valid: labels(model, valid), held_out: labels(model, held) })
    }

    /// The test split: to be read once, when everything is chosen.
    ///
    /// # Errors
    /// When the cache cannot be read.
    pub fn test(path: &Path, model: Model) -> anyhow::Result<Labels> {
        Ok(labels(model, cache::load(path, Kind::Symbolic, Split::Test)?))
    }
}

/// Applies a model's scheme. P2's CNN wants a band, so that sets of piano alone are left to the others.
fn labels(model: Model, mut set: LabelledSet) -> Labels {
    if matches!(model, Model::P2 | Model::P2Linear) {
        let piano = |set: &str| set == voted::HUMAN_PIANO || voted::OF_ONE_GENRE.contains(&set);
        set.retain(|f| !piano(&f.set));
    }
    let classes = model.scheme().apply(&mut set);
    Labels { set, names: classes.names, of_items: classes.of_items }
}
