use std::sync::Arc;

use candle_core::{Device, Tensor};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use sideman_audio::Column;
use sideman_audio::mel::{BANDS, Reference, mel_spectrogram, power_to_db};

use sideman_inference::genre::audio::{
    AudioClassifier, AudioListener, AudioVerdict, ClassifyError, ColumnListener, Ensemble, HOP_COLUMNS,
    LEAST_COLUMNS, ListenerStage, ListenerStream, MelClassifier, classify,
};
use sideman_inference::genre::weights::{AudioWeights, BarWeights, Head, InputKind, head};
use sideman_inference::genre::{CLIP_COLUMNS, COLUMN_SECONDS, frame_of};
use sideman_inference::weights::{Card, Shaped, WeightsError};

use super::{fold, kernel_of};
use crate::nn::{Mode, Network, Parameters};

/// Trained parameters could be anything: weights that matter and statistics that are not those of a beginning.
fn random(config: &MelClassifier, seed: u64) -> Parameters {
    let mut parameters = Parameters::fresh(&config.specs(), seed).unwrap();
    let mut rng = Pcg64::seed_from_u64(seed + 1);
    for (name, t) in &mut parameters.tensors {
        let n = t.elem_count();
        let (low, high) = match name.rsplit('.').next() {
            Some("gamma") => (0.5, 1.5),
            Some("w") => continue,
            _ => (-0.3, 0.3),
        };
        let values: Vec<f32> = (0..n).map(|_| rng.random_range(low..high)).collect();
        *t = Tensor::from_vec(values, t.dims(), &Device::Cpu).unwrap();
    }
    for running in parameters.running.values_mut() {
        running.mean.iter_mut().for_each(|m| *m = rng.random_range(-0.2..0.2));
        running.variance.iter_mut().for_each(|v| *v = rng.random_range(0.3..2.0));
    }
    parameters
}

/// One column after the other.
fn noise(columns: usize, seed: u64) -> Vec<f32> {
    let mut rng = Pcg64::seed_from_u64(seed);
    (0..columns * BANDS).map(|_| rng.random_range(-2.0..2.0)).collect()
}

/// The network's own answer.
fn whole(config: &MelClassifier, parameters: &Parameters, columns: &[f32]) -> Vec<f32> {
    let x = Tensor::from_slice(columns, (1, columns.len() / BANDS, BANDS), &Device::Cpu).unwrap();
    let x = x.transpose(1, 2).unwrap().contiguous().unwrap();
    let layers = config.load(parameters).unwrap();
    layers.forward(&[x], &mut Mode::Inference).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn assert_close(a: &[f32], b: &[f32], what: &str) {
    assert_eq!(a.len(), b.len());
    let most = a.iter().zip(b).map(|(a, b)| (a - b).abs() / (1.0 + b.abs())).fold(0.0, f32::max);
    assert!(most < 1e-4, "{what}: {most} apart, {a:?} and {b:?}");
}

/// The product's, and others whose stages are pooled otherwise.
fn configs() -> Vec<MelClassifier> {
    let stage = |channels, pool| ListenerStage { channels, pool };
    vec![
        MelClassifier::product(10),
        MelClassifier { hidden: 24, levels: 3, ..MelClassifier::product(5) },
        MelClassifier {
            stages: vec![stage(5, (3, 1)), stage(9, (2, 3)), stage(12, (1, 2)), stage(7, (4, 1))],
            width: 17,
            levels: 4,
            ..MelClassifier::product(3)
        },
        MelClassifier { stages: vec![stage(3, (8, 1))], width: 4, levels: 0, ..MelClassifier::product(2) },
    ]
}

#[test]
fn however_it_is_cut_the_numbers_are_the_networks() {
    let mut rng = Pcg64::seed_from_u64(1);
    for (i, config) in configs().into_iter().enumerate() {
        let parameters = random(&config, 10 + i as u64);
        let kernel = Arc::new(kernel_of(&config, &parameters).unwrap());
        for columns in [config.least_columns(), 61, 200] {
            let x = noise(columns, 20 + columns as u64);
            let expected = whole(&config, &parameters, &x);
            for most in [1, 7, 48] {
                let mut stream = ListenerStream::new(kernel.clone(), 200, most);
                // Twice, the second time after something else.
                for _ in 0..2 {
                    let mut rest = x.as_slice();
                    while !rest.is_empty() {
                        let (now, later) =
                            rest.split_at(BANDS * rng.random_range(0..=(rest.len() / BANDS).min(23)));
                        stream.push(now);
                        rest = later;
                    }
                    assert_close(
                        stream.logits().unwrap(),
                        &expected,
                        &format!("network {i}, {columns} columns"),
                    );
                    stream.push(&noise(5, 3));
                    stream.reset();
                    assert_eq!(stream.logits(), None);
                }
            }
        }
    }
}

#[test]
fn a_window_forgets_what_is_older() {
    for (i, config) in configs().into_iter().enumerate() {
        let parameters = random(&config, 30 + i as u64);
        let mut stream = ListenerStream::new(Arc::new(kernel_of(&config, &parameters).unwrap()), 90, 13);
        // As many as the pooling in time goes into, so that a window begins where one of its columns does.
        let across: usize = config.stages.iter().map(|s| s.pool.1).product();
        let older = 500 * across;
        let mut x = noise(older, 4);
        x.iter_mut().for_each(|v| *v *= 50.0);
        x.extend(noise(90, 5));
        stream.push(&x);
        let last = &x[older * BANDS..];
        assert_close(stream.logits().unwrap(), &whole(&config, &parameters, last), &format!("network {i}"));
    }
}

#[test]
fn too_few_columns_say_nothing() {
    let config = MelClassifier::product(4);
    let kernel = Arc::new(kernel_of(&config, &random(&config, 1)).unwrap());
    let mut stream = ListenerStream::new(kernel, 100, 10);
    stream.push(&noise(config.least_columns() - 1, 1));
    assert_eq!(stream.logits(), None);
    stream.push(&noise(1, 2));
    assert!(stream.logits().is_some());
}

fn two_members(temperature: f32) -> (AudioWeights, Vec<(MelClassifier, Parameters)>) {
    let configs =
        [MelClassifier::product(4), MelClassifier { levels: 3, hidden: 8, ..MelClassifier::product(4) }];
    let members: Vec<(MelClassifier, Parameters)> =
        configs.into_iter().map(|c| (c.clone(), random(&c, 7))).collect();
    let kernels = members.iter().map(|(c, p)| Arc::new(kernel_of(c, p).unwrap())).collect();
    let head = Head {
        hears: InputKind::Audio,
        classes: ["blues", "jazz", "metal", "pop"].map(String::from).to_vec(),
        temperature,
        unsure: 0.4,
        card: Card::default(),
    };
    (AudioWeights { head, kernels }, members)
}

#[test]
fn members_answer_as_one() {
    let (weights, members) = two_members(2.0);
    let x = noise(120, 9);
    let mut ensemble = Ensemble::new(&weights.kernels, CLIP_COLUMNS, 16);
    ensemble.push(&x);
    let said = ensemble.probabilities(2.0).unwrap().to_vec();
    let mut mean = [0f64; 4];
    for (config, parameters) in &members {
        let logits = whole(config, parameters, &x);
        let all: f64 = logits.iter().map(|l| f64::from(*l).exp()).sum();
        mean.iter_mut().zip(&logits).for_each(|(m, l)| *m += (f64::from(*l).exp() / all).ln() / 2.0);
    }
    let expected: Vec<f64> = mean.iter().map(|m| (m / 2.0).exp()).collect();
    let all: f64 = expected.iter().sum();
    let expected: Vec<f32> = expected.iter().map(|e| (e / all) as f32).collect();
    assert_close(&said, &expected, "mean");
}

/// A tune of changing notes over some noise.
fn sound(rate: u32, seconds: f64, gain: f32) -> Vec<f32> {
    let mut rng = Pcg64::seed_from_u64(3);
    let samples = (f64::from(rate) * seconds) as usize;
    (0..samples)
        .map(|i| {
            let t = i as f64 / f64::from(rate);
            let hz = [220.0, 330.0, 277.0, 440.0, 165.0][(t * 3.0) as usize % 5];
            let tone = (t * hz * std::f64::consts::TAU).sin() * (1.0 - (t * 3.0).fract());
            gain * (0.3 * tone as f32 + rng.random_range(-0.01..0.01))
        })
        .collect()
}

/// Columns of a sound at 22,050 Hz in decibels, by librosa's definition and [`frame_of`].
fn columns_of(sound: &[f32]) -> Vec<Column> {
    let mut mel = mel_spectrogram(sound);
    power_to_db(mel.columns.as_flattened_mut(), Reference::Power(1.0), None);
    (0..).map_while(|c| mel.columns.get(frame_of(c)).copied()).collect()
}

/// What training does to a clip.
fn normalised(columns: &[Column]) -> Vec<f32> {
    let mut values = columns.as_flattened().to_vec();
    power_to_db_of_db(&mut values);
    let n = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
    values.iter().map(|v| ((f64::from(*v) - mean) / variance.sqrt()) as f32).collect()
}

fn power_to_db_of_db(values: &mut [f32]) {
    let floor = values.iter().copied().fold(f32::NEG_INFINITY, f32::max) - 80.0;
    values.iter_mut().for_each(|v| *v = v.max(floor));
}

#[test]
fn a_clip_is_heard_as_in_training() {
    let (weights, members) = two_members(1.0);
    let sound = sound(22_050, 29.9, 1.0);
    let report = classify(&weights, &sound, 22_050).unwrap();
    assert_eq!(report.windows.len(), 1);
    let x = normalised(&columns_of(&sound));
    let mut mean = vec![0f32; 4];
    for (config, parameters) in &members {
        let logits = whole(config, parameters, &x);
        mean.iter_mut().zip(&logits).for_each(|(m, l)| *m += l / 2.0);
    }
    sideman_inference::kernel::activation::softmax(&mut mean);
    assert_close(report.windows[0].probabilities.as_ref().unwrap(), &mean, "the clip");
    assert_close(report.whole.as_ref().unwrap(), &mean, "the whole");
}

#[test]
fn long_sounds_have_windows_every_15_seconds() {
    let (weights, _) = two_members(1.5);
    let mut long = sound(44_100, 70.0, 0.5);
    // From 20 to 60 s nothing.
    long[20 * 44_100..60 * 44_100].fill(0.0);
    let report = classify(&weights, &long, 44_100).unwrap();
    let near = |a: f64, b: f64| (a - b).abs() < 0.3;
    let hop = HOP_COLUMNS as f64 * COLUMN_SECONDS;
    assert_eq!(report.windows.len(), 4);
    for (i, w) in report.windows.iter().enumerate() {
        let (from, to) = (i as f64 * hop, (i as f64 * hop + 30.0).min(70.0));
        assert!(near(w.seconds.0, from) && near(w.seconds.1, to), "{i}: {:?}", w.seconds);
        let sounding = (20.0 - from).max(0.0) + (to - 60.0).max(0.0);
        assert!(near(w.sounding, sounding), "{i}: {} s sound, not {sounding}", w.sounding);
        assert_eq!(w.probabilities.is_some(), sounding > 2.5, "{i}");
    }
    // The silence takes no part: 20 s and 3 s of a pause give what they give alone.
    let alone = classify(&weights, &long[..23 * 44_100], 44_100).unwrap();
    assert_close(
        report.windows[0].probabilities.as_ref().unwrap(),
        alone.whole.as_ref().unwrap(),
        "without the silence",
    );
    // The whole lies between the windows, nearer to the longer ones.
    let sum: f32 = report.whole.as_ref().unwrap().iter().sum();
    assert!((sum - 1.0).abs() < 1e-5);

    // In chunks, and again with the same classifier.
    let mut classifier = AudioClassifier::new(&weights, 44_100).unwrap();
    for _ in 0..2 {
        long.chunks(7_777).for_each(|c| classifier.push(c));
        assert_eq!(classifier.finish().unwrap(), report);
    }
}

#[test]
fn neither_gain_nor_rate_tells_anything() {
    let (weights, _) = two_members(1.0);
    let of = |rate, gain| classify(&weights, &sound(rate, 12.0, gain), rate).unwrap().whole.unwrap();
    let reference = of(22_050, 1.0);
    assert_close(&of(22_050, 0.1), &reference, "20 dB less");
    // Silence apart: this is below what counts as sound.
    let faint = classify(&weights, &sound(22_050, 12.0, 0.002), 22_050).unwrap();
    assert_eq!((faint.verdict(), faint.whole), (AudioVerdict::Silent, None));
}

#[test]
fn what_cannot_be_told_is_said() {
    let (weights, _) = two_members(1.0);
    let error = |samples: &[f32], rate| classify(&weights, samples, rate).unwrap_err();
    assert!(matches!(error(&[0.1; 100], 1), ClassifyError::Rate(_)));
    let short = error(&sound(22_050, 2.0, 1.0), 22_050);
    assert!(matches!(short, ClassifyError::TooShort { seconds } if (seconds - 2.0).abs() < 0.1), "{short}");
    assert!(short.to_string().contains("at least 2.4 s"), "{short}");
    assert!(matches!(error(&[], 22_050), ClassifyError::TooShort { seconds } if seconds == 0.0));
    // Nothing but silence, an offset, damage, the noise of a converter.
    let mut rng = Pcg64::seed_from_u64(3);
    let hiss: Vec<f32> = (0..400_000).map(|_| rng.random_range(-3e-4..3e-4)).collect();
    for silence in [vec![0.0; 400_000], vec![0.3; 400_000], vec![f32::NAN; 400_000], hiss] {
        let report = classify(&weights, &silence, 22_050).unwrap();
        assert_eq!((report.verdict(), report.windows[0].probabilities.clone()), (AudioVerdict::Silent, None));
        let mut live = AudioListener::new(&weights, 22_050).unwrap();
        live.push(&silence);
        assert_eq!((live.verdict(), live.probabilities()), (AudioVerdict::Silent, None));
    }
}

#[test]
fn live_it_listens_and_falls_silent() {
    let (mut weights, _) = two_members(1.0);
    weights.head.unsure = 0.0;
    let mut live = AudioListener::new(&weights, 48_000).unwrap();
    let second = |seconds: f64| (48_000.0 * seconds) as usize;
    let tune = sound(48_000, 50.0, 0.5);
    assert_eq!(live.verdict(), AudioVerdict::Silent);
    live.push(&vec![0.0; second(10.0)]);
    assert_eq!(live.verdict(), AudioVerdict::Silent);
    live.push(&tune[..second(1.5)]);
    assert_eq!(live.verdict(), AudioVerdict::Listening);
    live.push(&tune[second(1.5)..second(3.0)]);
    let classified = |v| matches!(v, AudioVerdict::Genre(_));
    assert!(classified(live.verdict()));
    let early = live.probabilities().unwrap().to_vec();
    live.push(&tune[second(3.0)..]);
    let late = live.probabilities().unwrap().to_vec();
    assert_ne!(early, late);
    // A pause is music; silence is not, and after it nothing of before is left.
    live.push(&vec![0.0; second(2.0)]);
    assert!(classified(live.verdict()));
    live.push(&vec![0.0; second(1.5)]);
    assert_eq!((live.verdict(), live.probabilities()), (AudioVerdict::Silent, None));
    live.push(&tune[..second(3.0)]);
    let again = live.probabilities().unwrap().to_vec();
    // The tune meets the columns a little elsewhere.
    assert!(again.iter().zip(&early).all(|(a, b)| (a - b).abs() < 0.1), "{again:?} {early:?}");

    // Cut otherwise, asked at other times.
    let mut cut = AudioListener::new(&weights, 48_000).unwrap();
    cut.push(&vec![0.0; second(10.0)]);
    for chunk in tune.chunks(1000) {
        cut.push(chunk);
        cut.verdict();
    }
    assert_close(cut.probabilities().unwrap(), &late, "in chunks");
    cut.reset();
    assert_eq!(cut.verdict(), AudioVerdict::Silent);
}

#[test]
fn live_normalisation_is_that_of_the_past() {
    let (weights, members) = two_members(1.0);
    let columns = columns_of(&sound(22_050, 45.0, 1.0));
    let mut live = ColumnListener::new(&weights);
    columns.iter().for_each(|c| live.push(c, true));
    // Each column by the 30 s up to it, those before there was enough by the first that were enough.
    let mut x = vec![];
    for i in 0..columns.len() {
        let end = (i + 1).max(LEAST_COLUMNS);
        let past = normalised(&columns[end.saturating_sub(CLIP_COLUMNS)..end]);
        let at = i - end.saturating_sub(CLIP_COLUMNS);
        x.extend_from_slice(&past[at * BANDS..(at + 1) * BANDS]);
    }
    let mut mean = vec![0f32; 4];
    for (config, parameters) in &members {
        let kernel = Arc::new(kernel_of(config, parameters).unwrap());
        let mut stream = ListenerStream::new(kernel, CLIP_COLUMNS, 50);
        stream.push(&x);
        mean.iter_mut().zip(stream.logits().unwrap()).for_each(|(m, l)| *m += l / 2.0);
    }
    sideman_inference::kernel::activation::softmax(&mut mean);
    assert_close(live.probabilities().unwrap(), &mean, "live");
}

#[test]
fn files_come_back_and_what_does_not_fit_is_refused() {
    let (weights, members) = two_members(1.25);
    let folded: Vec<(MelClassifier, Shaped)> =
        members.iter().map(|(c, p)| (c.clone(), fold(c, p).unwrap())).collect();
    let bytes = AudioWeights::write(&weights.head, &folded).unwrap();
    assert_eq!(head(&bytes).unwrap().hears, InputKind::Audio);
    let loaded = AudioWeights::load(&bytes).unwrap();
    assert_eq!((loaded.head.temperature, loaded.head.classes.len(), loaded.kernels.len()), (1.25, 4, 2));
    let x = noise(150, 2);
    let of = |weights: &AudioWeights| {
        let mut ensemble = Ensemble::new(&weights.kernels, CLIP_COLUMNS, 16);
        ensemble.push(&x);
        ensemble.probabilities(1.0).unwrap().to_vec()
    };
    // What 8 bits cost.
    let (before, after) = (of(&weights), of(&loaded));
    assert!(
        before != after && before.iter().zip(&after).all(|(a, b)| (a - b).abs() < 0.05),
        "{before:?} {after:?}"
    );

    assert!(BarWeights::load(&bytes, InputKind::Band).unwrap_err().to_string().contains("listens to audio"));
    assert!(matches!(
        AudioWeights::load(&bytes[..bytes.len() - 1]),
        Err(WeightsError::Foreign | WeightsError::Damaged)
    ));
    let refused = |head: &Head, members: &[(MelClassifier, Shaped)]| {
        AudioWeights::load(&AudioWeights::write(head, members).unwrap()).unwrap_err().to_string()
    };
    assert!(refused(&weights.head, &[]).contains("0 networks"));
    let three = Head { classes: ["a", "b", "c"].map(String::from).to_vec(), ..weights.head.clone() };
    assert!(refused(&three, &folded).contains("another number of classes"));
    let mut other = folded.clone();
    other[1].0.stages[2].pool.0 = 0;
    assert!(refused(&weights.head, &other).contains("sizes"));
    let mut other = folded.clone();
    other[0].0.width += 1;
    assert!(refused(&weights.head, &other).contains("encoding"));
    let mut other = folded;
    other[1].1.remove("conv2.b");
    assert!(refused(&weights.head, &other).contains("encoding"));
    let mut slow = configs()[0].clone();
    slow.stages[0].pool.1 = 2;
    slow.classes = 4;
    let tensors = fold(&slow, &random(&slow, 1)).unwrap();
    assert!(refused(&weights.head, &[(slow, tensors)]).contains("more sound"));
}
