//! Classifiers of sound, beside a baseline of mean and deviation of the mel bands.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rayon::prelude::*;
use sideman_audio::mel::{Reference, TOP_DB, mel_spectrogram};

use sideman_inference::genre::built_in;
use sideman_inference::genre::weights::{AudioWeights, InputKind, head};

use super::{Evaluation, Names, like};
use crate::data::Split;
use crate::recipes::genre::audio::{Listening, Tracks, predict};
use crate::recipes::genre::baseline::mean_and_deviation;
use crate::recipes::genre::labelled::{Content, Kind, MelImage};
use crate::recipes::genre::measure::predictions::WINDOW_MARK;
use crate::recipes::genre::measure::{Baseline, Calibration, Prediction, Predictions, measure};
use crate::recipes::genre::render::read_clip;
use crate::recipes::genre::sound::{ExampleSet, MelSplit, Model, Run};
use crate::recipes::genre::{Facts, cache};
use crate::train;

/// Parts of songs that were trained on: what P4's paper validates by.
pub(super) const OF_TRAINING_SONGS: &str = "parts of training songs";
/// The last ten of each genre: P3's test.
pub(super) const LAST_TEN: &str = "last ten of each genre";
/// The valid split where the protocol trains on it as well.
const TRAINED_ON: &str = "valid, trained on";

/// The bytes of a weights file of sound, where this is one.
pub(super) fn file(path: &Path) -> Option<Vec<u8>> {
    let bytes = if path.is_file() { std::fs::read(path).ok()? } else { return None };
    head(&bytes).is_ok_and(|h| h.hears == InputKind::Audio).then_some(bytes)
}

/// Whether a cache holds spectrograms of a split.
pub(super) fn has(cache: &Path, split: Split) -> bool {
    cache::load(cache, Kind::Mel, split).is_ok_and(|set| !set.items.is_empty())
}

/// Measures a weights file on images of spectrograms: each track as a whole, and as it comes.
pub(super) fn add_file(evaluation: &mut Evaluation<'_>, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let args = evaluation.args;
    let weights = AudioWeights::load(bytes)?;
    let calibration = Calibration { temperature: weights.head.temperature, unsure: weights.head.unsure };
    let tracks = Tracks::load(args.cache_with(Kind::Mel)?, args.split)?;
    let set = match args.split {
        Split::Test => "test",
        // What is built in was trained on all tracks that there are.
        _ if bytes == built_in::AUDIO => TRAINED_ON,
        _ => "valid",
    };
    for (way, name) in [(Listening::Whole, name.to_owned()), (Listening::Live, format!("{name}, live"))] {
        let said = predict(&weights, &tracks, way)?;
        evaluation.add(Names { name: &name, model: "listener", held_out: None }, set, &said, calibration)?;
    }
    Ok(())
}

/// Measures a run.
pub(super) fn add(evaluation: &mut Evaluation<'_>, name: &str, run: &Run) -> anyhow::Result<()> {
    let args = evaluation.args;
    let model = &run.recipe.model;
    let kind = match model {
        Model::Mel(_) => Kind::Mel,
        Model::Wave(_) => Kind::Audio,
    };
    let cache = args.cache_with(kind)?;
    let names = Names { name, model: &run.recipe.name, held_out: None };
    let mut splits = vec![Split::Train, Split::Valid];
    splits.extend((args.split == Split::Test).then_some(Split::Test));
    let known = Known::of(cache, kind, &splits)?;
    let told = |which| -> anyhow::Result<Option<Predictions>> {
        let Some(examples) = model.find(cache, which)? else { return Ok(None) };
        Ok(Some(known.numbered(&run.predict(&*examples)?)))
    };
    // Whole songs of the valid split: P4's valid parts are of songs that it trains on.
    let valid = told(ExampleSet::Songs)?;
    // Some protocols train on the valid split, too. Then nothing is left to calibrate by.
    let trained_on = matches!(model, Model::Mel(m) if m.split != MelSplit::FaultFiltered);
    let calibration = match &valid {
        Some(valid) if !trained_on => Calibration::fit(valid),
        _ => Calibration::default(),
    };
    let (said, set) = match (args.split, model) {
        (Split::Test, Model::Mel(m)) if m.split == MelSplit::LastTen => (told(ExampleSet::Test)?, LAST_TEN),
        (Split::Test, _) => (told(ExampleSet::Test)?, "test"),
        _ if trained_on => (valid.clone(), TRAINED_ON),
        _ => (valid.clone(), "valid"),
    };
    let Some(said) = said else {
        eprintln!("{name} is left out: {} holds nothing of the {} split for it", cache.display(), args.split);
        return Ok(());
    };
    if matches!(model, Model::Wave(_))
        && let Some(parts) = told(ExampleSet::Valid)?
    {
        evaluation.add(names, OF_TRAINING_SONGS, &parts, calibration)?;
    }
    evaluation.add(names, set, &said, calibration)?;
    // What a baseline has learnt by heart says nothing.
    if args.no_baseline || set == TRAINED_ON {
        return Ok(());
    }
    // Runs of other protocols are trained on other tracks.
    let learnt_from = match model {
        Model::Mel(m) => format!("mel {:?}", m.split),
        Model::Wave(m) => format!("wave {}", m.songs),
    };
    evaluation.add_baseline(names, set, &format!("{learnt_from}, {set}"), || {
        let mut classes: BTreeMap<String, usize> = BTreeMap::new();
        let train = model.examples(cache, ExampleSet::Train)?;
        (0..train.len()).for_each(|i| {
            classes.insert(train.named(i).id.to_owned(), train.class(i));
        });
        let (said, valid) = (said.by_file(), valid.map(|v| v.by_file()));
        let wanted = |id: &str| {
            let among = |p: &Predictions| p.of_items.iter().any(|i| i.file() == id);
            classes.contains_key(id) || among(&said) || valid.as_ref().is_some_and(among)
        };
        let rows = rows(cache, kind, &splits, wanted)?;
        let of_train: Vec<Vec<f32>> = classes.keys().map(|id| rows[id].clone()).collect();
        let of_rows: Vec<usize> = classes.values().copied().collect();
        let baseline = Baseline::fit(&of_train, &of_rows, run.classes.len(), args.seed);
        let calibration = match valid {
            Some(valid) if !trained_on => Calibration::fit(&like(&valid, &baseline, &rows)),
            _ => Calibration::default(),
        };
        let name = match kind {
            Kind::Audio => "mel bands of whole songs",
            _ => "mean and deviation of mel bands",
        };
        Ok(measure(name, set, &like(&said, &baseline, &rows), calibration, args.redraws, args.seed))
    })
}

/// What is known about the items of a cache, by id.
struct Known(HashMap<String, Facts>);

impl Known {
    fn of(path: &Path, kind: Kind, splits: &[Split]) -> anyhow::Result<Self> {
        let mut all = HashMap::new();
        for &split in splits {
            let items = cache::load(path, kind, split)?.items;
            all.extend(items.into_iter().map(|i| (i.facts.id.clone(), i.facts)));
        }
        Ok(Self(all))
    }

    /// With the groups of the items, and their parts numbered.
    fn numbered(&self, said: &train::Predictions) -> Predictions {
        let mut parts: HashMap<&str, usize> = HashMap::new();
        let of_items = said.probabilities.iter().enumerate().map(|(i, probabilities)| {
            let id = &said.ids[i];
            let part = parts.entry(id).or_default();
            *part += 1;
            Prediction {
                id: format!("{id}{WINDOW_MARK}{}", *part - 1),
                source: said.sources[i].clone(),
                group: self.0.get(id).map_or_else(|| id.clone(), |f| f.group.clone()),
                class: said.truth[i],
                probabilities: probabilities.clone(),
            }
        });
        Predictions { of_items: of_items.collect(), classes: said.classes.clone() }
    }
}

/// Mean and deviation of the mel bands of wanted items, by id.
fn rows(
    path: &Path,
    kind: Kind,
    splits: &[Split],
    wanted: impl Fn(&str) -> bool + Sync,
) -> anyhow::Result<HashMap<String, Vec<f32>>> {
    let mut rows = HashMap::new();
    for &split in splits {
        let items = cache::load(path, kind, split)?.items;
        let some: Vec<(String, Vec<f32>)> = items
            .into_par_iter()
            .filter(|item| wanted(&item.facts.id))
            .map(|item| {
                let row = match &item.content {
                    Content::Mel(image) => mean_and_deviation(image),
                    Content::Audio(clip) => mean_and_deviation(&image_of(&read_clip(clip)?)),
                    Content::Score(_) => anyhow::bail!("{} has no sound", item.facts.id),
                };
                Ok((item.facts.id, row.to_vec()))
            })
            .collect::<anyhow::Result<_>>()?;
        rows.extend(some);
    }
    Ok(rows)
}

/// The mel spectrogram of a clip: 255 is the loudest, 0 is 80 dB below.
fn image_of(samples: &[i16]) -> MelImage {
    let sound: Vec<f32> = samples.iter().map(|&s| f32::from(s) / 32_768.0).collect();
    let mut mel = mel_spectrogram(&sound);
    mel.to_db(Reference::Max, Some(TOP_DB));
    let values = mel.by_band().into_iter().map(|db| ((db / TOP_DB + 1.0) * 255.0).round() as u8).collect();
    MelImage { columns: mel.frames(), values }
}
