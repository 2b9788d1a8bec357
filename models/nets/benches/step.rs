//! One step of all four parts, beside the time that merely reading its weights takes and beside the same
//! network through candle; then the ratios, from all of them in turns.
//!
//! "Warm" is with the weights in the cache, as when steps follow each other. "Cold" is with weights that come
//! from memory, as between two 16ths in a busy host: something larger than the caches is read before each.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_core::{Device, Tensor};
use criterion::{Criterion, criterion_main};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use sideman_inference::band::{Band, Dials, NeuralBand, Rests, StepContext, StepPosition};
use sideman_inference::weights;
use sideman_music::{BandStep, PianoFrame};
use sideman_nets::band::{Batch, GridSong, HistoryCorruption, Lane, Network};
use sideman_nets::ops::LstmState;

/// A piano that strikes a triad on every beat and moves on every bar.
fn frame(step: i64) -> PianoFrame {
    let root = [48u8, 53, 55, 45][(step / 16 % 4) as usize];
    let pcs = [0, 4, 7].iter().fold(0u16, |m, i| m | 1 << ((root + i) % 12));
    let struck = step % 4 == 0;
    PianoFrame {
        sounding: pcs,
        struck: if struck { pcs } else { 0 },
        lowest: root,
        highest: root + 19,
        struck_lowest: if struck { root } else { 255 },
        struck_highest: if struck { root + 19 } else { 0 },
        struck_count: if struck { 4 } else { 0 },
        velocity: if struck { 80 } else { 0 },
        keys: 4,
    }
}

fn context(step: i64) -> StepContext {
    let place =
        StepPosition { step, in_bar: (step % 16) as u16, bar: step / 16, bar_steps: 16, half_steps: 8 };
    StepContext {
        place,
        heard: frame(step),
        parts: [true; 4],
        bpm: 120.0,
        dials: Dials::default(),
        forced: None,
        rests: Rests::default(),
    }
}

/// Reads everything once, as fast as the machine can.
#[inline(always)]
fn sums(words: &[u64]) -> u64 {
    let mut sums = [0u64; 64];
    for chunk in words.chunks_exact(64) {
        sums.iter_mut().zip(chunk).for_each(|(s, v)| *s = s.wrapping_add(*v));
    }
    sums.iter().fold(0, |a, b| a ^ b)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn sums_avx512(words: &[u64]) -> u64 {
    sums(words)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn sums_avx2(words: &[u64]) -> u64 {
    sums(words)
}

fn read(words: &[u64]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the machine has the instructions.
            return unsafe { sums_avx512(words) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the machine has the instructions.
            return unsafe { sums_avx2(words) };
        }
    }
    sums(words)
}

/// What is measured, one call after another.
struct Subjects {
    band: NeuralBand,
    step: i64,
    /// As many bytes as a step's weights.
    weights: Vec<u64>,
    /// Larger than the caches: where the next stretch of it is read.
    memory: Vec<u64>,
    at: usize,
    candle: Box<dyn Fn() -> usize>,
}

/// Bytes that no cache holds.
const MEMORY: usize = 256 << 20;

impl Subjects {
    fn new(loaded: &weights::BandWeights) -> Option<Self> {
        let words = loaded.kernel.bytes() / 8;
        Some(Self {
            band: NeuralBand::new(loaded.kernel.clone(), &loaded.styles[0].code, 1),
            step: 0,
            weights: vec![1; words],
            memory: vec![1; MEMORY / 8],
            at: 0,
            candle: candle(loaded)?,
        })
    }

    fn step(&mut self) {
        self.step += 1;
        black_box(self.band.decide(&context(self.step)));
    }

    fn warm_read(&mut self) {
        black_box(read(black_box(&self.weights)));
    }

    /// The next stretch of a buffer that is far larger than the caches.
    fn cold_read(&mut self) {
        if self.at + self.weights.len() > self.memory.len() {
            self.at = 0;
        }
        black_box(read(&self.memory[self.at..self.at + self.weights.len()]));
        self.at += self.weights.len();
    }

    /// Drives everything else out of the caches, then times a step.
    fn cold_step(&mut self) -> Duration {
        black_box(read(&self.memory));
        let start = Instant::now();
        self.step();
        start.elapsed()
    }
}

fn median(mut v: Vec<f64>) -> f64 {
    v.sort_by(f64::total_cmp);
    v[v.len() / 2]
}

/// Microseconds of each, measured in turns so that whatever else the machine does meets all alike.
fn ratios(s: &mut Subjects) {
    fn each(n: u32, mut f: impl FnMut()) -> f64 {
        let start = Instant::now();
        (0..n).for_each(|_| f());
        start.elapsed().as_secs_f64() * 1e6 / f64::from(n)
    }
    let mut times = [const { vec![] }; 5];
    for _ in 0..200 {
        times[0].push(each(40, || s.step()));
        times[1].push(each(40, || s.warm_read()));
        times[2].push(s.cold_step().as_secs_f64() * 1e6);
        times[3].push(each(10, || s.cold_read()));
        times[4].push(each(10, || {
            black_box((s.candle)());
        }));
    }
    let [step, read, cold_step, cold_read, candle] = times.map(median);
    println!("medians of 200 turns: {} bytes of weights", s.weights.len() * 8);
    println!("warm: step {step:.1} us, reading its weights {read:.1} us: {:.2} times the limit", step / read);
    println!(
        "cold: step {cold_step:.1} us, reading as much {cold_read:.1} us: {:.2} times the limit",
        cold_step / cold_read
    );
    println!("candle: {candle:.1} us: {:.1} times the step", candle / step);
}

fn benches(c: &mut Criterion) {
    let Some(mut s) = weights::embedded().ok().and_then(Subjects::new) else {
        eprintln!("skipped: the built-in weights cannot be loaded");
        return;
    };
    if let Ok(loaded) = weights::embedded() {
        println!("stepping with {} instructions", loaded.kernel.instructions());
    }
    c.bench_function("step of all four parts, warm", |b| b.iter(|| s.step()));
    c.bench_function("reading the bytes of its weights, warm", |b| b.iter(|| s.warm_read()));
    c.bench_function("step of all four parts, cold", |b| {
        b.iter_custom(|n| (0..n).map(|_| s.cold_step()).sum());
    });
    c.bench_function("reading as many bytes from memory", |b| b.iter(|| s.cold_read()));
    c.bench_function("step through candle, trunk and heads", |b| b.iter(|| black_box((s.candle)())));
    ratios(&mut s);
}

/// The same network through candle, a step at a time, without drawing: losses of a batch of one step.
fn candle(loaded: &weights::BandWeights) -> Option<Box<dyn Fn() -> usize>> {
    let config = loaded.kernel.config();
    let mut rng = Pcg64::seed_from_u64(1);
    let tensors = config
        .initial(1)
        .into_iter()
        .filter_map(|(k, (shape, v))| Some((k, Tensor::from_vec(v, shape, &Device::Cpu).ok()?)))
        .collect();
    let network = Network::new(config, tensors, &Device::Cpu).ok()?;
    let song = GridSong {
        frames: (0..4096).map(frame).collect(),
        band: (0..4096)
            .map(|_| {
                let mut s = BandStep::EMPTY;
                s.drums.iter_mut().for_each(|d| *d = u8::from(rng.random_bool(0.1)) * 20);
                s
            })
            .collect(),
        parts: [true; 4],
        bpm: 120.0,
        tier: 1.0,
        bar_steps: 16,
        half_steps: 8,
    };
    let mut lanes = vec![Lane::new(Arc::new(song), 0, 0, 0, &HistoryCorruption::NONE, &mut rng)];
    let batch = Batch::next(&mut lanes, 1, &HistoryCorruption::NONE, &mut rng);
    let codes = Tensor::zeros((1, config.style), candle_core::DType::F32, &Device::Cpu).ok()?;
    let state = LstmState::zeros(1, config.hidden);
    Some(Box::new(move || network.losses(&batch, &codes, &state, None).map_or(0, |l| l.terms.len())))
}

// The macro makes a public function without a comment.
#[allow(missing_docs)]
mod group {
    criterion::criterion_group!(group, super::benches);
}
criterion_main!(group::group);
