use candle_core::Device;
use rand::SeedableRng;
use rand_pcg::Pcg64;
use sideman_inference::genre::symbolic::{BarKernel, BarListener, BarNetConfig};
use sideman_music::encoding::bar_features::{BAND_FEATURES, PIANO_FEATURES};
use sideman_music::{Note, Score, Track};

use super::band::BandExamples;
use super::piano::PianoExamples;
use super::recipe::{BarRecipe, Labels, Scale};
use super::slots::Slots;
use super::steadiness::steadiness;
use super::*;
use crate::data::{Split, Tier};
use crate::recipes::genre::labelled::{Content, Facts, Kind, Labelled, LabelledSet};
use crate::recipes::genre::measure::{Calibration, Confusion};
use crate::train::{Examples, FitCheckpoint, FitOptions, fit};

/// A piano that plays quarters of a triad (class 0) or eighths of a scale (class 1), each piece in another key.
fn score(class: usize, number: usize) -> Score {
    let root = 48 + (number * 5 % 12) as u8;
    let notes = (0..192i64).filter_map(|eighth| {
        let step = if class == 0 {
            [0, 4, 7, 12][(eighth / 2 % 4) as usize]
        } else {
            [0, 2, 3, 5, 7, 8, 10, 12][(eighth % 8) as usize]
        };
        let pitch = root + step + if class == 1 { 12 } else { 0 };
        let velocity = 60 + ((eighth as usize * 7 + number) % 40) as u8;
        (class == 1 || eighth % 2 == 0).then_some(Note { onset: eighth * 240, pitch, length: 200, velocity })
    });
    let track = Track { program: 0, notes: notes.collect(), ..Track::default() };
    Score { tracks: vec![track], ..Score::default() }
}

fn labels(count: usize) -> Labels {
    let items: Vec<Labelled> = (0..count)
        .map(|i| {
            let facts = Facts {
                id: format!("{i:03}"),
                set: "fixtures".into(),
                tier: Tier::Open,
                source: if i % 8 < 6 { "large" } else { "small" }.into(),
                group: format!("{i:03}"),
                split: Split::Train,
                genre: ["Classical", "Jazz"][i % 2].into(),
                doubtful: false,
            };
            Labelled { facts, content: Content::Score(Box::new(score(i % 2, i))) }
        })
        .collect();
    let set = LabelledSet { kind: Kind::Symbolic, items };
    let names = crate::recipes::genre::scheme::PIANO.map(String::from).to_vec();
    Labels { set, names, of_items: (0..count).map(|i| i % 2).collect() }
}

#[test]
fn classes_are_drawn_alike_and_sources_nearly_so() {
    // Class 0: 90 files of a, 10 of b; class 1: 5 of c.
    let files: Vec<(usize, &str)> = std::iter::repeat_n((0, "a"), 90)
        .chain(std::iter::repeat_n((0, "b"), 10))
        .chain(std::iter::repeat_n((1, "c"), 5))
        .collect();
    let count = |power| {
        let slots = Slots::new(&files, power, 1000);
        slots
            .cells
            .iter()
            .enumerate()
            .map(|(i, _)| (0..slots.len()).filter(|&e| slots.cell(e) == &slots.cells[i]).count())
            .collect::<Vec<_>>()
    };
    assert_eq!(count(0.0), [450, 50, 500]);
    assert_eq!(count(1.0), [250, 250, 500]);
    assert_eq!(count(0.5), [375, 125, 500]);
    let slots = Slots::new(&files, 0.5, 1000);
    let mut rng = Pcg64::seed_from_u64(1);
    for example in 0..slots.len() {
        let file = slots.draw(example, Some(&mut rng));
        assert_eq!(files[file], (slots.cell(example).class, slots.cell(example).source.as_str()));
    }
}

#[test]
fn figures_are_scaled_and_what_is_not_to_be_seen_is_not() {
    let pieces: [&[f32]; 2] = [&[1.0, 5.0, 7.0, 1.0, 5.0, 7.0], &[3.0, 5.0, 9.0]];
    let scale = Scale::of(pieces.into_iter(), 3, std::slice::from_ref(&(2..3)));
    assert_eq!(scale.mean(), [2.0, 5.0, 8.0]);
    assert_eq!(scale.scale(), [1.0, 50.0, 0.0]);
    let text = serde_json::to_string(&scale).unwrap();
    assert_eq!(serde_json::from_str::<Scale>(&text).unwrap(), scale);
}

#[test]
fn examples_to_measure_on_stay_and_those_to_train_on_vary() {
    let labels = labels(12);
    let values = |examples: &dyn Examples, rng: Option<&mut Pcg64>| -> Vec<f32> {
        examples.inputs(&[0, 3], rng).unwrap()[0].flatten_all().unwrap().to_vec1().unwrap()
    };
    let piano = Model::Piano.examples(&labels);
    assert_eq!((piano.len(), values(&*piano, None).len()), (12 * 3, 2 * 8 * PIANO_FEATURES));
    assert_eq!(values(&*piano, None), values(&*piano, None));
    let band = Model::Band.examples(&labels);
    assert_eq!((band.len(), band.class(3), values(&*band, None).len()), (12, 1, 2 * 24 * BAND_FEATURES));

    let mut rng = Pcg64::seed_from_u64(2);
    let training = PianoExamples::new(&labels.set, &labels.names, &labels.of_items, 1).for_training(0.5, 40);
    let [a, b] = [0; 2].map(|_| values(&training, Some(&mut rng)));
    assert!(a != b && a.iter().all(|v| v.is_finite()));
    let all = BandExamples::new(&labels.set, &labels.names, &labels.of_items);
    let scale = all.scale();
    let training = all.for_training(&scale, 0.5, 40);
    let mut there = vec![];
    for _ in 0..20 {
        let inputs = training.inputs(&[0, 1], Some(&mut rng)).unwrap();
        let bars: Vec<f32> = inputs[1].sum(1).unwrap().to_vec1().unwrap();
        assert!(bars.iter().all(|&n| (8.0..=24.0).contains(&n)), "{bars:?}");
        there.extend(bars);
    }
    assert!(there.iter().any(|n| *n != there[0]), "excerpts of all lengths");
}

#[test]
fn a_window_is_what_a_listener_has_heard() {
    let labels = labels(2);
    let examples = PianoExamples::new(&labels.set, &labels.names, &labels.of_items, 8);
    let piece = &examples.pieces[1];
    let mut heard = vec![];
    piece.play(0..piece.len(), |figures, _| heard.extend_from_slice(figures));
    // The third window of the second piece: bars 16 to 23.
    let window: Vec<f32> = examples.inputs(&[5], None).unwrap()[0].flatten_all().unwrap().to_vec1().unwrap();
    assert_eq!(window, heard[16 * PIANO_FEATURES..24 * PIANO_FEATURES]);
}

#[test]
fn a_toy_is_learned_exported_and_told_steadily() {
    let (train, valid) = (labels(48), labels(12));
    let all = PianoExamples::new(&train.set, &train.names, &train.of_items, 1);
    let recipe = Recipe {
        model: Model::Piano,
        cache: String::new(),
        held_out: None,
        bars: Some(BarRecipe {
            net: BarNetConfig { features: PIANO_FEATURES, hidden: 16, dense: 8, classes: 5 },
            dropout: [0, 0, 10],
            by_source: 50,
            scale: all.scale(),
        }),
    };
    let dir = tempfile::tempdir().unwrap();
    let network = recipe.network().unwrap();
    let config = crate::train::FitConfig { epochs: 12, batch: 16, average: 0.0, ..settings(Model::Piano) };
    let (training, measured) = (all.for_training(0.5, 200), Model::Piano.examples(&valid));
    let json = serde_json::to_value(&recipe).unwrap();
    fit(&*network, &training, &*measured, &config, &json, &FitOptions::new(dir.path())).unwrap();

    let run = Classifier::open(dir.path()).unwrap();
    let said = predict(&run, &valid).unwrap();
    assert_eq!(said.of_items.len(), 36);
    assert_eq!((said.of_items[4].id.as_str(), said.of_items[4].file()), ("001#1", "001"));
    let accuracy = Confusion::new(&said, None).accuracy().unwrap();
    assert!(accuracy > 0.9, "{accuracy}");

    // The same weights in plain code say the same.
    let best = FitCheckpoint::best_of(dir.path()).unwrap();
    let bars = recipe.bars.unwrap();
    let mut tensors: std::collections::BTreeMap<String, Vec<f32>> = best
        .parameters
        .tensors
        .iter()
        .map(|(n, t)| {
            (n.clone(), t.to_device(&Device::Cpu).unwrap().flatten_all().unwrap().to_vec1().unwrap())
        })
        .collect();
    tensors.insert("input.mean".into(), bars.scale.mean());
    tensors.insert("input.scale".into(), bars.scale.scale());
    let kernel = std::sync::Arc::new(BarKernel::new(bars.net, &tensors).unwrap());
    let mut listener = BarListener::new(kernel.clone(), 1.0, 8, 6);
    let pieces = PianoExamples::new(&valid.set, &valid.names, &valid.of_items, 8).pieces;
    let mut windows = vec![];
    let mut bar = 0;
    pieces[0].play(0..24, |figures, sounds| {
        bar += 1;
        if let (Some(p), true) = (listener.push(figures, sounds), bar % 8 == 0) {
            windows.push(p.to_vec());
        }
    });
    assert_eq!(windows.len(), 3);
    for (window, expected) in windows.iter().zip(&said.of_items) {
        assert!(window.iter().zip(&expected.probabilities).all(|(a, b)| (a - b).abs() < 1e-4));
    }
    let steady = steadiness(&kernel, Calibration::default(), &valid);
    assert_eq!((steady.pieces, steady.bars, steady.within_phrases), (12, 12 * 17, 0));
    assert_eq!(steady.answered, steady.bars);
    assert!(steady.right > steady.bars * 9 / 10, "{steady:?}");
}
