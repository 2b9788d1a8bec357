//! Two minutes of music through the offline engine. The time of one run divided into 120 s is how many times
//! faster than real time a band is rendered; the project asks for 100 on one core.

// The lists in clippy.toml are for src/rt.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, clippy::disallowed_macros)]

use std::hint::black_box;

use criterion::{Criterion, criterion_main};
use sideman_engine::{Performance, RuleBand, Settings, Style};
use sideman_models::band::{Band, NeuralBand};
use sideman_models::weights;
use sideman_music::{MeterMap, Note, TempoMap};

/// Bars of 4/4, at 120 beats a minute two seconds each.
const BARS: i64 = 60;

/// Broken chords in eighths that move on every bar.
fn piano() -> Vec<Note> {
    let eighth = |i: i64| {
        let root = [48u8, 53, 55, 45][(i / 8 % 4) as usize];
        let pitch = root + [0, 7, 12, 16, 19, 16, 12, 7][(i % 8) as usize];
        Note { onset: i * 240, pitch, length: 220, velocity: 70 + (i % 5) as u8 * 6 }
    };
    (0..BARS * 8).map(eighth).collect()
}

fn benches(c: &mut Criterion) {
    let (piano, meters, tempos) = (piano(), MeterMap::default(), TempoMap::new(&[(0, 500_000)]));
    let mut bench = |name: &str, settings: Settings, band: &mut dyn Band| {
        let Ok(performance) = Performance::new(&piano, &meters, &tempos, settings) else { return };
        c.bench_function(name, |b| b.iter(|| black_box(performance.render(band, &mut |_| {}))));
    };
    bench("120 s of music, rule band", Settings::default(), &mut RuleBand::new(Style::PopRock));
    match weights::embedded() {
        Ok(loaded) => {
            let settings = Settings { velocities: loaded.velocities.clone(), ..Settings::default() };
            let mut band = NeuralBand::new(loaded.kernel.clone(), &loaded.styles[0].code, 1);
            bench("120 s of music, neural band", settings, &mut band);
        }
        Err(error) => eprintln!("skipped: the built-in weights cannot be loaded: {error}"),
    }
}

// The macro makes a public function without a comment.
#[allow(missing_docs)]
mod group {
    criterion::criterion_group!(group, super::benches);
}
criterion_main!(group::group);
