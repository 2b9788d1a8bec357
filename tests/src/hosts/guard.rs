//! Processing allocates nothing and frees nothing, whatever the host does. The plugin is linked into this
//! program for it, so that the guard sees its every call of the allocator on the audio thread.

use super::fuzz::Chaos;
use super::stage::Stage;
use super::{Format, Library, Setup};
use crate::soak;

/// An instance lives for so many.
const LIFE: usize = 50_000;
const THREADS: usize = 2;

fn blocks_without_a_call(seed: u64, blocks: usize, setup: Setup) {
    let library = Library::linked();
    let mut done = 0;
    while done < blocks {
        let mut instance = library.create();
        let mut chaos = Chaos::new(&mut *instance, seed << 32 | done as u64);
        let mut stage = Stage::new(instance.activate(setup), setup.rate);
        for _ in 0..LIFE.min(blocks - done) {
            let (frames, transport, events) = chaos.block(&setup, Format::Clap);
            stage.block(frames, transport.as_ref(), &events);
            done += 1;
            assert_eq!(stage.allocations(), 0, "in block {done} of seed {seed}: {transport:?}, {events:?}");
        }
        assert!(stage.tracker.notes.len() > 100, "hardly a note: {}", stage.tracker.notes.len());
    }
}

#[test]
fn blocks_without_number_call_no_allocator() {
    let blocks = soak(10_000_000, 1_000_000);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            // Short blocks, so that there is time for many; what a block costs grows with its length.
            let setup = Setup { rate: 48_000.0, max_block: [12, 24][thread % 2], offline: false };
            scope.spawn(move || blocks_without_a_call(thread as u64, blocks / THREADS, setup));
        }
    });
    println!("guard: {blocks} blocks");
}

#[test]
fn blocks_of_every_length_call_no_allocator() {
    for (seed, offline) in [(10, false), (11, true)] {
        let setup = Setup { rate: 44_100.0, max_block: 2048, offline };
        blocks_without_a_call(seed, if offline { 2_000 } else { 8_000 }, setup);
    }
}

/// The guard sees what the plugin does: saving a state, which the plugin does in memory of its own, counts.
#[test]
fn the_guard_fires_in_the_plugin() {
    let library = Library::linked();
    let mut instance = library.create();
    let first = sideman_allocator::calls(|| drop(instance.save()));
    let empty = sideman_allocator::calls(|| drop(Vec::<u8>::with_capacity(1)));
    assert!(first > 50 && empty == 2, "saving calls the allocator {first} times");
}
