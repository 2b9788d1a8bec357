//! What the plugin, its editor and the wrapper around it share.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use sideman_engine::live::Shared;

use crate::params::SidemanParams;

/// One for each loaded plugin, behind an `Arc`. The editor reads and writes here; the audio thread touches
/// only atomics.
pub struct Instance {
    /// The parameters and what is kept with them.
    pub params: Arc<SidemanParams>,
    /// What the engine shows.
    pub shared: Arc<Shared>,
    /// Whether the host renders faster than real time: as it said last, whatever the framework remembers.
    offline: AtomicBool,
}

thread_local! {
    /// The instance made last on this thread: the framework makes plugins by `default()` alone, and the
    /// wrapper around it has no other way to learn which instance is its own.
    static NEWEST: RefCell<Option<Arc<Instance>>> = const { RefCell::new(None) };
}

impl Instance {
    /// A new one, which [`Instance::take_newest`] gives out next.
    pub fn new() -> Arc<Self> {
        let shared = Arc::new(Shared::default());
        let params = Arc::new(SidemanParams::new(shared.clone()));
        let instance = Arc::new(Self { params, shared, offline: AtomicBool::new(false) });
        NEWEST.with_borrow_mut(|newest| *newest = Some(instance.clone()));
        instance
    }

    /// The instance made last on this thread, once.
    pub fn take_newest() -> Option<Arc<Self>> {
        NEWEST.with_borrow_mut(Option::take)
    }

    /// Whether the host renders faster than real time. Any thread; never waits.
    pub fn offline(&self) -> bool {
        self.offline.load(Relaxed)
    }

    /// Notes whether the host renders faster than real time. Any thread; never waits.
    pub fn set_offline(&self, offline: bool) {
        self.offline.store(offline, Relaxed);
    }

    /// Picks a soundfont, or none for the built-in sound; it is loaded off the audio thread. What goes wrong
    /// comes as a notice. Not for the audio thread.
    pub fn pick_soundfont(&self, path: Option<PathBuf>) {
        self.params.soundfont.pick(path);
    }
}
