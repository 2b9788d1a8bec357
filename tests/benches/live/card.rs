//! A sound card that is not there: it asks for a block whenever one is due.

use std::time::{Duration, Instant};

/// Samples a second.
pub(crate) const RATE: f64 = 48_000.0;
/// Samples in a block.
pub(crate) const BLOCK: u32 = 64;
/// Blocks that a card holds ready: it falls silent when the host is later than that.
const HELD: u32 = 2;

/// Blocks at the pace of music.
pub(crate) struct Card {
    start: Instant,
    blocks: u64,
    /// Times at which the host came too late. As with a real card, the music then stood still for a while.
    pub(crate) overruns: u64,
}

impl Card {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), blocks: 0, overruns: 0 }
    }

    /// The first sample of the block that is due next.
    pub(crate) fn sample(&self) -> u64 {
        self.blocks * u64::from(BLOCK)
    }

    /// When the next block is due.
    pub(crate) fn due(&self) -> Instant {
        self.start + Duration::from_secs_f64(self.sample() as f64 / RATE)
    }

    /// Waits until the next block is due.
    pub(crate) fn wait(&mut self) {
        std::thread::sleep(self.due().saturating_duration_since(Instant::now()));
        let late = self.due().elapsed();
        if late > Duration::from_secs_f64(f64::from(HELD * BLOCK) / RATE) {
            self.overruns += 1;
            self.start += late;
        }
        self.blocks += 1;
    }
}

/// Runs the card and what it asks for on a thread with the priority that hosts give it, where the system lets
/// us. Says which it was.
pub(crate) fn as_audio_thread<R: Send>(work: impl FnOnce(&str) -> R + Send) -> R {
    let run = || {
        let parameter = libc::sched_param { sched_priority: 10 };
        // SAFETY: concerns this thread only; the parameter lives through the call.
        let given = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &parameter) } == 0;
        work(if given { "real-time" } else { "normal: the system refuses real-time" })
    };
    std::thread::scope(|scope| match scope.spawn(run).join() {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

/// Threads that keep all cores busy at normal priority until dropped.
pub(crate) struct Load {
    stop: std::sync::Arc<std::sync::atomic::AtomicBool>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Load {
    pub(crate) fn on(threads: usize) -> Self {
        use std::sync::atomic::Ordering::Relaxed;
        let stop = std::sync::Arc::<std::sync::atomic::AtomicBool>::default();
        let spin = || {
            let stop = stop.clone();
            std::thread::spawn(move || {
                let mut x = 1u64;
                while !stop.load(Relaxed) {
                    x = std::hint::black_box(x.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
                }
            })
        };
        let threads = (0..threads).map(|_| spin()).collect();
        Self { stop, threads }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
