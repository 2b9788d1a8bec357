//! Many lives of an instance, a thousand in `cargo xtask soak`: created, automated, played, saved, loaded, destroyed.

use rand::Rng;
use rand_pcg::Pcg64;

use super::song::{Blocks, Song};
use super::stage::Stage;
use super::{Event, Format, Instance, Library, Message, Setup, Transport, child};
use crate::soak;

/// Growth of memory once it is warm that is no leak, in kilobytes: what all rounds leave behind is far more if every
/// round leaves anything.
const SLACK: i64 = 8 * 1024;

/// Rounds that each test plays, and those after which memory is as it stays.
fn numbers() -> (usize, usize) {
    (soak(1000, 120), soak(200, 60))
}

/// Runs a test of this module in a process of its own; in that process, says so.
fn in_child(test: &str) -> bool {
    if !child::is_child() && Library::get(Format::Clap).is_some() {
        child::run(module_path!(), test, &[]);
    }
    child::is_child()
}

/// Memory in use in kilobytes.
fn memory() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).expect("a line on memory");
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number")
}

/// Names of the threads of this process.
fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
    let name = |path: std::path::PathBuf| std::fs::read_to_string(path.join("comm")).ok();
    let mut names: Vec<String> =
        tasks.filter_map(|t| name(t.ok()?.path())).map(|n| n.trim().to_owned()).collect();
    names.sort();
    names
}

/// One life of some instances side by side.
fn round(library: &Library, song: &Song, instances: usize, number: usize) {
    let mut chance = Pcg64::new(number as u128, 77);
    let setup = Setup {
        rate: [44_100.0, 48_000.0, 96_000.0][number % 3],
        max_block: [64, 256, 512, 1024][number % 4],
        offline: number % 5 == 4,
    };
    let mut all: Vec<Box<dyn Instance>> = (0..instances).map(|_| library.create()).collect();
    let parameters = all[0].parameters();
    let stages: Vec<Stage> = all.iter_mut().map(|i| Stage::new(i.activate(setup), setup.rate)).collect();
    // The audio thread automates and plays; meanwhile the main thread saves and loads.
    std::thread::scope(|scope| {
        let audio = scope.spawn(|| {
            let mut stages = stages;
            let keys = song.keys(setup.rate);
            let mut at = song.sample(1920 * (number as i64 % 8), setup.rate);
            let mut blocks = Blocks::random(setup.max_block, number as u64);
            for _ in 0..24 {
                let frames = blocks.next();
                let mut events: Vec<Event> = super::song::within(&keys, at, frames).collect();
                for _ in 0..4 {
                    let p = &parameters[chance.random_range(0..parameters.len())];
                    let set = Message::Set { id: p.id, value: chance.random_range(0.0..=1.0) };
                    events.push(Event { at: chance.random_range(0..frames.max(1)), message: set });
                }
                events.sort_by_key(|e| e.at);
                let transport = song.transport(at, setup.rate);
                for stage in &mut stages {
                    stage.block(frames, Some(&transport), &events);
                }
                at += i64::from(frames);
            }
            if number.is_multiple_of(2) {
                for stage in &mut stages {
                    stage.block(64, Some(&Transport::stopped(120.0)), &[]);
                }
            }
        });
        for instance in &mut all {
            let state = instance.save();
            assert!(instance.load(&state), "its own state");
            instance.idle();
        }
        audio.join().expect("the audio thread");
    });
    for instance in &mut all {
        instance.deactivate();
        let state = instance.save();
        assert!(instance.load(&state));
        if number.is_multiple_of(7) {
            drop(instance.activate(setup));
            instance.deactivate();
        }
        instance.idle();
    }
    // The newest goes first, or the oldest.
    if number.is_multiple_of(2) {
        all.reverse();
    }
}

fn rounds(format: Format, instances: usize) {
    let song = Song::ballad(450_000);
    let before = threads();
    let ((rounds, warm_up), mut warm) = (numbers(), 0);
    {
        let library = Library::load(format).expect("looked for by the parent");
        for number in 0..rounds {
            if number == warm_up {
                warm = memory();
            }
            round(&library, &song, instances, number);
        }
    }
    let grown = memory() - warm;
    // A thread that was asked to end may take a moment.
    let mut left = threads();
    for _ in 0..100 {
        if left.len() == before.len() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
        left = threads();
    }
    println!("shown: {format:?}, {instances} at once: {rounds} rounds, {warm} kB, then {grown:+} kB");
    assert_eq!(left, before, "threads are left over");
    assert!(grown < SLACK, "memory grew by {grown} kB from {warm} kB in {} rounds", rounds - warm_up);
}

#[test]
fn clap_alone() {
    if in_child("clap_alone") {
        rounds(Format::Clap, 1);
    }
}

#[test]
fn vst3_alone() {
    if in_child("vst3_alone") {
        rounds(Format::Vst3, 1);
    }
}

#[test]
fn clap_eight_side_by_side() {
    if in_child("clap_eight_side_by_side") {
        rounds(Format::Clap, 8);
    }
}

#[test]
fn vst3_eight_side_by_side() {
    if in_child("vst3_eight_side_by_side") {
        rounds(Format::Vst3, 8);
    }
}

/// Hosts that scan load a bundle, look, and unload it; some do so for every instance.
#[test]
fn bundles_load_and_unload() {
    if in_child("bundles_load_and_unload") {
        let song = Song::ballad(450_000);
        for number in 0..soak(40, 12) {
            for format in Format::ALL {
                let library = Library::load(format).expect("looked for by the parent");
                if number % 4 > 0 {
                    round(&library, &song, number % 4, number);
                }
            }
        }
    }
}
