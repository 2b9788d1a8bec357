//! One step of all four parts, beside the time that merely reading its weights takes and beside the same
//! arithmetic through candle.

use std::hint::black_box;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use criterion::{Criterion, criterion_main};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use sideman_models::band::{
    Band, Batch, Dials, GridSong, Lane, Moment, Network, NeuralBand, Place, Rests, Spoil,
};
use sideman_models::ops::LstmState;
use sideman_models::weights;
use sideman_music::{BandStep, PianoFrame};

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

fn moment(step: i64) -> Moment {
    let place = Place { step, in_bar: (step % 16) as u16, bar: step / 16, bar_steps: 16, half_steps: 8 };
    Moment {
        place,
        heard: frame(step),
        parts: [true; 4],
        bpm: 120.0,
        dials: Dials::default(),
        forced: None,
        rests: Rests::default(),
    }
}

fn benches(c: &mut Criterion) {
    let Ok(loaded) = weights::embedded() else {
        eprintln!("skipped: the built-in weights cannot be loaded");
        return;
    };
    let mut band = NeuralBand::new(loaded.kernel.clone(), &loaded.styles[0].code, 1);
    let mut step = 0;
    c.bench_function("step of all four parts, neural band", |b| {
        b.iter(|| {
            step += 1;
            black_box(band.decide(&moment(step)))
        });
    });

    let buffer = vec![1f32; loaded.kernel.bytes() / 4];
    c.bench_function("reading the bytes of its weights once", |b| {
        b.iter(|| {
            let mut sums = [0f32; 64];
            for chunk in black_box(&buffer).chunks_exact(64) {
                sums.iter_mut().zip(chunk).for_each(|(s, v)| *s += v);
            }
            black_box(sums)
        });
    });

    // The same sizes through candle, a step at a time, without drawing: losses of a batch of one step.
    let config = loaded.kernel.config();
    let mut rng = Pcg64::seed_from_u64(1);
    let tensors = config
        .initial(1)
        .into_iter()
        .filter_map(|(k, (shape, v))| Some((k, Tensor::from_vec(v, shape, &Device::Cpu).ok()?)))
        .collect();
    let Ok(network) = Network::new(config, tensors, &Device::Cpu) else { return };
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
    let mut lanes = vec![Lane::new(Arc::new(song), 0, 0, 0, &Spoil::NONE, &mut rng)];
    let batch = Batch::next(&mut lanes, 1, &Spoil::NONE, &mut rng);
    let Ok(codes) = Tensor::zeros((1, config.style), candle_core::DType::F32, &Device::Cpu) else { return };
    let state = LstmState::zeros(1, config.hidden);
    c.bench_function("step through candle, trunk and heads", |b| {
        b.iter(|| black_box(network.losses(&batch, &codes, &state, None).map(|l| l.terms.len())));
    });
}

// The macro makes a public function without a comment.
#[allow(missing_docs)]
mod group {
    criterion::criterion_group!(group, super::benches);
}
criterion_main!(group::group);
