//! Time of one block of 64 frames at 48 kHz, voices, room and limiter included.

#![allow(missing_docs, reason = "criterion's macro makes a function without any")]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use sideman_sound::Ensemble;

/// An ensemble with so many notes ringing, spread over the band.
fn playing(rate: f32, notes: u8) -> Ensemble {
    let mut ensemble = Ensemble::built_in(rate);
    for i in 0..notes {
        match i % 5 {
            0 | 1 => ensemble.note_on(0, 40 + i, 90),
            2 => ensemble.note_on(2, 45 + i, 80),
            3 => ensemble.note_on(3, 50 + i, 70),
            _ => ensemble.note_on(1, 30 + i / 2, 100),
        }
    }
    for key in [36, 42, 49] {
        ensemble.note_on(9, key, 100);
    }
    ensemble
}

fn blocks(c: &mut Criterion) {
    for (rate, notes) in [(48_000.0, 0), (48_000.0, 17), (48_000.0, 47), (192_000.0, 17)] {
        let name = format!("64 frames, {} voices, {} kHz", notes + 3, rate / 1000.0);
        c.bench_function(&name, |b| {
            b.iter_batched_ref(
                || {
                    let mut ensemble = playing(rate, notes);
                    let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
                    // Past the onsets, where all voices ring.
                    (0..20).for_each(|_| ensemble.render(&mut left, &mut right));
                    (ensemble, left, right)
                },
                |(ensemble, left, right)| {
                    // A quarter of a second at 48 kHz.
                    for _ in 0..100 {
                        ensemble.render(left, right);
                    }
                },
                BatchSize::LargeInput,
            );
        });
    }
}

criterion_group! { name = benches; config = Criterion::default().sample_size(30); targets = blocks }
criterion_main!(benches);
