//! Once made, a front end asks for no memory, whatever it hears.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use sideman_audio::FrontEnd;

thread_local! {
    /// Requests of this thread to the allocator.
    static REQUESTS: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, counted.
struct Counting;

fn count() {
    let _ = REQUESTS.try_with(|r| r.set(r.get() + 1));
}

// SAFETY: every request goes on to the system's allocator as it came; the counter is a plain integer that needs
// no memory of its own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn hearing_asks_for_no_memory() {
    let sound: Vec<f32> = (0..40_000).map(|i| (i as f32 * 0.1).sin()).collect();
    for rate in [8_000, 22_050, 44_100, 48_000, 192_000] {
        let mut front = FrontEnd::new(rate).unwrap();
        let mut loudest = 0.0f32;
        let mut columns = 0;
        let before = REQUESTS.get();
        for block in [1, 64, 500, 8192] {
            for chunk in sound.chunks(block) {
                front.push(chunk, |column| {
                    columns += 1;
                    loudest = column.iter().copied().fold(loudest, f32::max);
                });
            }
            front.finish(|_| columns += 1);
        }
        front.reset();
        assert_eq!(REQUESTS.get() - before, 0, "at {rate} Hz");
        assert!(columns > 20 && loudest > 1.0);
    }
    let before = REQUESTS.get();
    drop(std::hint::black_box(vec![0u8; 100]));
    assert_eq!(REQUESTS.get() - before, 2, "the counter works");
}
