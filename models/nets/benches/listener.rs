//! The classifier of audio: a second of sound live, a clip of 30 s, and how long an hour takes; each beside what
//! would be done without streaming or through candle, in turns.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use candle_core::{Device, Tensor};
use criterion::{Criterion, criterion_main};
use sideman_inference::genre::CLIP_COLUMNS;
use sideman_inference::genre::audio::MelClassifier;
use sideman_inference::genre::audio::{AudioClassifier, AudioListener, ListenerStream};
use sideman_inference::genre::weights::{AudioWeights, Head, InputKind};
use sideman_inference::weights::Card;
use sideman_nets::nn::{Mode, Network, Parameters};

/// Mel bands.
const BANDS: usize = 128;
/// Columns of a second, or a little more.
const NEW: usize = 13;
/// Rate of most sound.
const RATE: u32 = 44_100;
/// Times that each is measured for the ratios.
const TURNS: usize = 25;

fn weights(config: &MelClassifier, members: usize) -> (AudioWeights, Parameters) {
    let fresh = Parameters::fresh(&config.specs(), 1).expect("parameters");
    let kernel = Arc::new(sideman_nets::genre::kernel_of(config, &fresh).expect("a kernel"));
    let classes = (0..config.classes).map(|c| c.to_string()).collect();
    let head =
        Head { hears: InputKind::Audio, classes, temperature: 1.0, unsure: 0.0, card: Card::default() };
    (AudioWeights { head, kernels: vec![kernel; members] }, fresh)
}

fn sound(seconds: u32) -> Vec<f32> {
    let mut seed = 1u32;
    let mut noise = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    (0..RATE * seconds).map(|i| 0.3 * (i as f32 * 0.05).sin() + 0.1 * noise()).collect()
}

fn median(mut v: Vec<f64>) -> f64 {
    v.sort_by(f64::total_cmp);
    v[v.len() / 2]
}

fn benches(c: &mut Criterion) {
    let config = MelClassifier::product(10);
    let (one, fresh) = weights(&config, 1);
    let (three, _) = weights(&config, 3);
    let columns: Vec<f32> = (0..BANDS * CLIP_COLUMNS).map(|i| (i as f32 * 0.37).sin()).collect();
    let (new, minute) = (&columns[..BANDS * NEW], sound(60));
    let second = &minute[..RATE as usize];
    let mut stream = ListenerStream::new(one.kernels[0].clone(), CLIP_COLUMNS, 32);
    let mut live = AudioListener::new(&one, RATE).expect("a listener");
    let mut live3 = AudioListener::new(&three, RATE).expect("a listener");
    // A full window, as it is from then on.
    stream.push(&columns);
    live.push(&minute);
    live3.push(&minute);
    let x = Tensor::from_slice(&columns, (1, CLIP_COLUMNS, BANDS), &Device::Cpu)
        .and_then(|x| x.transpose(1, 2)?.contiguous())
        .expect("a clip");

    let layers = config.load(&fresh).expect("layers");
    let mut group = c.benchmark_group("listener");
    group.sample_size(20);
    group.bench_function("13 new columns of one network", |b| {
        b.iter(|| {
            stream.push(new);
            black_box(stream.logits().map(|l| l[0]))
        });
    });
    group.bench_function("a second of samples live, one network", |b| {
        b.iter(|| {
            live.push(second);
            black_box(live.probabilities().map(|p| p[0]))
        });
    });
    group.bench_function("a second of samples live, three networks", |b| {
        b.iter(|| {
            live3.push(second);
            black_box(live3.probabilities().map(|p| p[0]))
        });
    });
    group.bench_function("a clip of 387 columns of one network", |b| {
        b.iter(|| {
            stream.reset();
            stream.push(&columns);
            black_box(stream.logits().map(|l| l[0]))
        });
    });
    group.bench_function("the same through candle", |b| {
        b.iter(|| black_box(layers.forward(std::slice::from_ref(&x), &mut Mode::Inference).expect("logits")));
    });
    group.finish();

    let mut times = [const { vec![] }; 4];
    for _ in 0..TURNS {
        let mut time = |i: usize, run: &mut dyn FnMut()| {
            let start = Instant::now();
            run();
            let times: &mut Vec<f64> = &mut times[i];
            times.push(start.elapsed().as_secs_f64() * 1e3);
        };
        time(0, &mut || {
            stream.push(new);
            black_box(stream.logits());
        });
        time(1, &mut || {
            stream.reset();
            stream.push(&columns);
            black_box(stream.logits());
        });
        time(2, &mut || {
            live3.push(second);
            black_box(live3.probabilities());
        });
        time(3, &mut || {
            let mut whole = AudioClassifier::new(&three, RATE).expect("a classifier");
            whole.push(&minute);
            black_box(whole.finish().is_ok());
        });
    }
    let again = median(times[1].iter().zip(&times[0]).map(|(a, b)| a / b).collect());
    let [new, clip, live, minute] = times.map(median);
    println!("medians of {TURNS} turns, one thread:");
    println!("  13 new columns of one network   {new:.2} ms; the clip anew {clip:.2} ms, {again:.1} times");
    println!("  a second live, three networks   {live:.2} ms, mel spectrogram included");
    println!("  an hour of 44,100 Hz, likewise  {:.1} s, by a minute of it", minute * 60.0 / 1e3);
}

// The macro makes a public function without a comment.
#[allow(missing_docs)]
mod group {
    criterion::criterion_group!(group, super::benches);
}
criterion_main!(group::group);
