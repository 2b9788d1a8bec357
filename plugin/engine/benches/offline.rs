//! Two minutes of music through the offline engine. The time of one run divided into 120 s is how many times
//! faster than real time a band is rendered; the project asks for 200 on one core, and for any planning (the
//! slowest step of the player, another band in mid-song) within 10 ms.

// The lists in clippy.toml are for src/rt.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, clippy::disallowed_macros)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_main};
use sideman_engine::listen::Hearing;
use sideman_engine::loaded_band::{self, Music};
use sideman_engine::play::Player;
use sideman_engine::position::place_of;
use sideman_engine::{Controls, Performance, RuleBand, Settings, Style};
use sideman_inference::band::{Band, NeuralBand};
use sideman_inference::weights;
use sideman_music::{MeterMap, Note, TempoMap};

/// Passes over the same music: what a step costs is the least of them, so that the machine's other work is not
/// taken for the step's.
const PASSES: usize = 20;

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

/// Prints what steps of the player cost, planning, deciding and placing together, and what it costs to put
/// another band in its place.
fn steps(name: &str, settings: &Settings, band: &mut dyn Band) {
    let (piano, meters) = (piano(), MeterMap::default());
    let mut player = Player::new(settings.clone());
    let mut best = vec![Duration::MAX; (BARS * 16) as usize];
    let (mut slowest, mut change) = (Duration::ZERO, Duration::MAX);
    for _ in 0..PASSES {
        player.reset(band);
        let mut hearing = Hearing::new(&piano);
        for (step, best) in best.iter_mut().enumerate() {
            let place = place_of(step as i64, &meters);
            let heard = hearing.at(&place);
            let start = Instant::now();
            player.step(band, &place, heard, 120.0, &mut |note| {
                black_box(note);
            });
            let took = start.elapsed();
            *best = took.min(*best);
            slowest = slowest.max(took);
        }
        let start = Instant::now();
        player.change_band(band);
        change = change.min(start.elapsed());
    }
    best.sort_unstable();
    let of = |share: f64| best[((best.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    println!(
        "{name}: a step {:.1} us, 99 % within {:.1} us, the slowest {:.1} us",
        of(0.5),
        of(0.99),
        of(1.0)
    );
    println!("{name}: with what else the machine did {slowest:.1?}; another band in mid-song {change:.1?}");
}

fn benches(c: &mut Criterion) {
    let (piano, meters, tempos) = (piano(), MeterMap::default(), TempoMap::new(&[(0, 500_000)]));
    let mut bench = |name: &str, settings: Settings, band: &mut dyn Band| {
        let played = settings.clone();
        let Ok(performance) = Performance::new(&piano, &meters, &tempos, settings) else { return };
        c.bench_function(name, |b| b.iter(|| black_box(performance.render(band, &mut |_| {}))));
        let start = Instant::now();
        let runs = 20;
        (0..runs).for_each(|_| drop(black_box(performance.render(band, &mut |_| {}))));
        let times = 120.0 * f64::from(runs) / start.elapsed().as_secs_f64();
        println!("{name}: {times:.0} times real time");
        steps(name, &played, band);
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
    // What the band's thread does when another style is asked for: a code is chosen, a band made.
    let music = Music { bpm: 120.0, bar_steps: 16 };
    c.bench_function("choosing and seating a band", |b| {
        b.iter(|| black_box(loaded_band::load(&Controls::default(), music)).is_ok());
    });
}

// The macro makes a public function without a comment.
#[allow(missing_docs)]
mod group {
    criterion::criterion_group!(group, super::benches);
}
criterion_main!(group::group);
