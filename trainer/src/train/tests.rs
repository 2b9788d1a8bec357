//! The loop on a fixtures: points in the plane, three classes.

use candle_core::{Device, Result, Tensor};
use rand::Rng;
use rand_pcg::Pcg64;
use sideman_nets::genre::Classifier;
use sideman_nets::nn::{BatchNorm, Linear, Mode, Module, Network, NormConfig, VarBuilder, dropout};
use sideman_nets::ops::Activation;

use super::*;

/// A small net with batch normalisation and dropout.
struct Toy;

struct ToyLayers {
    first: Linear,
    norm: BatchNorm,
    last: Linear,
}

impl Network for Toy {
    type Layers = Box<dyn Classifier>;

    fn build(&self, vb: &VarBuilder<'_>) -> Result<Self::Layers> {
        Ok(Box::new(ToyLayers {
            first: Linear::new(2, 16, Activation::None, vb.pp("first"))?,
            norm: BatchNorm::new(16, NormConfig::TORCH, Activation::Relu, vb.pp("norm"))?,
            last: Linear::new(16, 3, Activation::None, vb.pp("last"))?,
        }))
    }
}

impl Classifier for ToyLayers {
    fn forward(&self, inputs: &[Tensor], mode: &mut Mode<'_>) -> Result<Tensor> {
        let x = self.norm.forward(&self.first.forward(&inputs[0])?, mode)?;
        self.last.forward(&dropout(&x, 0.1, mode)?)
    }
}

/// Points whose class is the third of the circle that they lie in.
struct Points {
    classes: Vec<String>,
    points: Vec<(f32, f32, usize)>,
    names: Vec<String>,
}

impl Points {
    fn new(seed: u64, count: usize) -> Self {
        let mut rng = rand::SeedableRng::seed_from_u64(seed);
        let rng: &mut Pcg64 = &mut rng;
        let points = (0..count)
            .map(|i| {
                let class = i % 3;
                let angle = (class as f32 + rng.random_range(0.05f32..0.95)) * std::f32::consts::TAU / 3.0;
                let radius = rng.random_range(0.5f32..1.5);
                (radius * angle.cos(), radius * angle.sin(), class)
            })
            .collect();
        let names = (0..count).map(|i| format!("point {i}")).collect();
        Self { classes: ["a", "b", "c"].map(String::from).into(), points, names }
    }
}

impl Examples for Points {
    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn len(&self) -> usize {
        self.points.len()
    }

    fn class(&self, example: usize) -> usize {
        self.points[example].2
    }

    fn named(&self, example: usize) -> Named<'_> {
        Named { id: &self.names[example], source: "fixtures" }
    }

    fn inputs(&self, examples: &[usize], rng: Option<&mut Pcg64>) -> anyhow::Result<Vec<Tensor>> {
        let mut values: Vec<f32> =
            examples.iter().flat_map(|&i| [self.points[i].0, self.points[i].1]).collect();
        if let Some(rng) = rng {
            values.iter_mut().for_each(|v| *v += rng.random_range(-0.02f32..0.02));
        }
        Ok(vec![Tensor::from_vec(values, (examples.len(), 2), &Device::Cpu)?])
    }
}

fn config() -> FitConfig {
    FitConfig {
        epochs: 6,
        batch: 16,
        learning_rate: 0.02,
        warmup: 1.0,
        schedule: Schedule::Cosine,
        weight_decay: 0.01,
        smoothing: 0.05,
        mixup: 0.2,
        class_weights: 1.0,
        average: 0.9,
        calibration: 40,
        choice: Choice::Loss,
        ..FitConfig::default()
    }
}

/// Every number of a checkpoint.
fn numbers(checkpoint: &FitCheckpoint) -> Vec<(String, Vec<f32>)> {
    let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let mut out = vec![];
    out.extend(checkpoint.parameters.tensors.iter().map(|(n, t)| (format!("p {n}"), flat(t))));
    out.extend(checkpoint.average.iter().map(|(n, t)| (format!("a {n}"), flat(t))));
    for (n, (m, v)) in &checkpoint.moments {
        out.push((format!("m {n}"), [flat(m), flat(v)].concat()));
    }
    for (n, r) in &checkpoint.parameters.running {
        out.push((format!("s {n}"), [r.mean.clone(), r.variance.clone()].concat()));
    }
    out
}

#[test]
fn a_toy_is_learnt() {
    let dir = tempfile::tempdir().unwrap();
    let (train, valid) = (Points::new(1, 300), Points::new(2, 90));
    let recipe = serde_json::json!("fixtures");
    let config = FitConfig { epochs: 25, ..config() };
    let options = FitOptions::new(&dir.path().join("run"));
    let outcome = fit(&Toy, &train, &valid, &config, &recipe, &options).unwrap();
    assert!(outcome.finished && outcome.epochs == 25);
    assert!(outcome.balanced > 0.9, "{outcome:?}");
    let best = FitCheckpoint::best_of(&options.out).unwrap();
    assert_eq!((best.epochs, best.classes.as_slice()), (outcome.best_epoch, train.classes()));
    let figures = predict(&Toy, &best.parameters, &valid, 7, &Device::Cpu).unwrap().metrics();
    // Batches of another size change nothing at inference.
    assert!((figures.loss - outcome.loss).abs() < 1e-6 && figures.balanced == outcome.balanced);
    assert!(options.out.join("loss.png").exists());
    let log = std::fs::read_to_string(options.out.join("log.jsonl")).unwrap();
    assert_eq!(curves::parse(&log).len(), 25);
}

#[test]
fn a_run_that_was_stopped_ends_with_the_same_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let (train, valid) = (Points::new(1, 100), Points::new(2, 30));
    let recipe = serde_json::json!("fixtures");
    let whole = FitOptions::new(&dir.path().join("whole"));
    fit(&Toy, &train, &valid, &config(), &recipe, &whole).unwrap();
    let mut broken = FitOptions::new(&dir.path().join("broken"));
    for _ in 0..3 {
        broken.stop_after = Some(2);
        let outcome = fit(&Toy, &train, &valid, &config(), &recipe, &broken).unwrap();
        assert_eq!(outcome.finished, outcome.epochs == 6);
        broken.resume = true;
    }
    for name in ["last.safetensors", "best.safetensors"] {
        let load = |o: &FitOptions| FitCheckpoint::load(&o.out.join(name)).unwrap();
        let (a, b) = (load(&whole), load(&broken));
        assert_eq!((a.epochs, a.updates, a.best_epoch, a.best), (b.epochs, b.updates, b.best_epoch, b.best));
        assert_eq!(numbers(&a), numbers(&b), "{name}");
    }
    // And another seed ends elsewhere.
    let other = FitOptions::new(&dir.path().join("other"));
    fit(&Toy, &train, &valid, &FitConfig { seed: 2, ..config() }, &recipe, &other).unwrap();
    let load = |o: &FitOptions| FitCheckpoint::load(&o.out.join("last.safetensors")).unwrap();
    assert_ne!(numbers(&load(&whole)), numbers(&load(&other)));
}

#[test]
fn a_checkpoint_that_cannot_be_written_leaves_the_last_one() {
    let dir = tempfile::tempdir().unwrap();
    let (train, valid) = (Points::new(1, 100), Points::new(2, 30));
    let recipe = serde_json::json!("fixtures");
    let whole = FitOptions::new(&dir.path().join("whole"));
    fit(&Toy, &train, &valid, &config(), &recipe, &whole).unwrap();
    let mut broken = FitOptions { stop_after: Some(2), ..FitOptions::new(&dir.path().join("broken")) };
    fit(&Toy, &train, &valid, &config(), &recipe, &broken).unwrap();
    (broken.resume, broken.stop_after) = (true, None);
    // A folder in the place of the new file stands for a disk that takes no more.
    let [last, in_the_way] = ["last.safetensors", "last.partial"].map(|n| broken.out.join(n));
    std::fs::create_dir(&in_the_way).unwrap();
    let error = format!("{:#}", fit(&Toy, &train, &valid, &config(), &recipe, &broken).unwrap_err());
    assert!(error.contains("cannot write the checkpoint") && error.contains("free space"), "{error}");
    assert_eq!(FitCheckpoint::load(&last).unwrap().epochs, 2);
    std::fs::remove_dir(&in_the_way).unwrap();
    fit(&Toy, &train, &valid, &config(), &recipe, &broken).unwrap();
    let numbers_of = |o: &FitOptions| numbers(&FitCheckpoint::load(&o.out.join("last.safetensors")).unwrap());
    assert_eq!(numbers_of(&whole), numbers_of(&broken));
}

#[test]
fn training_ends_when_patience_does() {
    let dir = tempfile::tempdir().unwrap();
    let (train, valid) = (Points::new(1, 60), Points::new(2, 30));
    // At this rate the weights are thrown about, and the valid loss soon stops falling.
    let config = FitConfig {
        epochs: 200,
        learning_rate: 3.0,
        patience: Some(3),
        schedule: Schedule::Constant,
        ..config()
    };
    let options = FitOptions::new(dir.path());
    let outcome = fit(&Toy, &train, &valid, &config, &serde_json::json!("fixtures"), &options).unwrap();
    assert!(outcome.finished && outcome.epochs < 200, "{outcome:?}");
    assert_eq!(outcome.epochs, outcome.best_epoch + 3);
}

#[test]
fn what_does_not_fit_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (train, valid) = (Points::new(1, 60), Points::new(2, 30));
    let (recipe, config) = (serde_json::json!("fixtures"), FitConfig { epochs: 1, ..config() });
    let mut options = FitOptions::new(&dir.path().join("run"));
    fit(&Toy, &train, &valid, &config, &recipe, &options).unwrap();
    let error = |config: &FitConfig, recipe: &serde_json::Value, options: &FitOptions| {
        format!("{:#}", fit(&Toy, &train, &valid, config, recipe, options).unwrap_err())
    };
    assert!(error(&config, &recipe, &options).contains("--resume"));
    options.resume = true;
    assert!(error(&config, &serde_json::json!("other"), &options).contains("another model"));
    assert!(error(&FitConfig { seed: 9, ..config }, &recipe, &options).contains("other settings"));
    let last = options.out.join("last.safetensors");
    let mut bytes = std::fs::read(&last).unwrap();
    let at = bytes.len() - 40;
    bytes[at] ^= 0x40;
    std::fs::write(&last, &bytes).unwrap();
    assert!(error(&config, &recipe, &options).contains("remove it to start anew"));
    let empty = Points::new(3, 0);
    let fresh = FitOptions::new(&dir.path().join("fresh"));
    let failed = fit(&Toy, &train, &empty, &config, &recipe, &fresh).unwrap_err();
    assert!(failed.to_string().contains("valid split has no examples"));
    // With a checkpoint that is sound, a loss that is no number is an error rather than a result.
    let wild = FitConfig { learning_rate: 1e30, warmup: 0.0, epochs: 3, ..config };
    assert!(error(&wild, &recipe, &fresh).contains("lower the learning rate"));
}
