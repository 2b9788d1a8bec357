//! A performer without a plugin around it, so that one can see what the band's thread has decided.

use std::fs::DirEntry;
use std::sync::Arc;
use std::time::Duration;

use sideman_engine::Controls;
use sideman_engine::live::{Block, Input, LiveSettings, MidiMessage, Processor, Shared, Transport, Voice};
use sideman_music::Meter;

use crate::card::{BLOCK, RATE};
use crate::piano::{Key, Playing};

/// A band that is played live.
pub(crate) struct Live {
    performer: Processor,
    pub(crate) shared: Arc<Shared>,
    controls: Controls,
    settings: LiveSettings,
    bpm: f64,
    inputs: Vec<Input>,
    /// Notes of the band that sounded.
    pub(crate) notes: u64,
}

impl Live {
    /// To be made on a thread of ordinary priority, as a host's main thread is. `watched`: as while an editor is
    /// open. `ordinary`: as where the system gives the band's thread no priority.
    pub(crate) fn new(bpm: f64, watched: bool, ordinary: bool) -> Self {
        let shared = Arc::new(Shared::default());
        shared.set_watched(watched);
        let mut performer = Processor::new(shared.clone());
        performer.activate(RATE, BLOCK);
        // The thread asks for its priority itself, before anything else.
        std::thread::sleep(Duration::from_millis(200));
        if ordinary && let Some(thread) = band_thread() {
            let parameter = libc::sched_param { sched_priority: 0 };
            // SAFETY: concerns a thread of this process only; the parameter lives through the call.
            unsafe { libc::sched_setscheduler(thread, libc::SCHED_OTHER, &parameter) };
        }
        Self {
            performer,
            shared,
            controls: Controls::default(),
            settings: LiveSettings::default(),
            bpm,
            inputs: Vec::with_capacity(64),
            notes: 0,
        }
    }

    /// Processes the block from a sample on, with the keys that move in it.
    pub(crate) fn block(&mut self, playing: &mut Playing<'_>, sample: u64, mut heard: impl FnMut(Key)) {
        self.inputs.clear();
        let inputs = &mut self.inputs;
        playing.until(sample + u64::from(BLOCK), |at, key| {
            let message = MidiMessage::Note { pitch: key.pitch, velocity: key.velocity };
            inputs.push(Input { at: (at - sample) as u32, channel: 0, message });
            heard(key);
        });
        let transport = Transport {
            playing: true,
            bpm: Some(self.bpm),
            beats: Some(playing.beats(sample)),
            bar_start: None,
            bar: None,
            meter: Some(Meter::COMMON),
        };
        let block = Block {
            frames: BLOCK,
            transport,
            controls: &self.controls,
            settings: &self.settings,
            offline: false,
            bypass: false,
        };
        for output in self.performer.process(&block, &self.inputs) {
            let begins = matches!(output.message, MidiMessage::Note { velocity: 1.., .. });
            self.notes += u64::from(begins && output.inside && output.voice != Voice::Piano);
        }
    }
}

/// The thread that decides.
fn band_thread() -> Option<libc::pid_t> {
    let threads = std::fs::read_dir("/proc/self/task").ok()?.flatten();
    let is_band =
        |t: &DirEntry| std::fs::read_to_string(t.path().join("comm")).is_ok_and(|n| n == "sideman-band\n");
    threads.into_iter().find(is_band)?.file_name().to_str()?.parse().ok()
}

/// The priority of the thread that decides.
pub(crate) fn band_priority() -> &'static str {
    // SAFETY: only asks.
    match band_thread().map(|thread| unsafe { libc::sched_getscheduler(thread) }) {
        Some(libc::SCHED_FIFO | libc::SCHED_RR) => "real-time",
        Some(_) => "normal",
        None => "unknown",
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.performer.deactivate();
    }
}
