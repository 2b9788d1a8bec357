//! What the plugin, its editor and the wrapper around it share.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, Weak};

use sideman_engine::live::Shared;
use sideman_sound::Ensemble;

use crate::guard::{Report, ReportCell};
use crate::instrument_slot::{Inbox, Sound};
use crate::params::SidemanParams;

/// Asks the host to call back on its main thread. Any thread; never waits.
type Callback = Box<dyn Fn() + Send + Sync>;

/// One for each loaded plugin, behind an `Arc`. The editor reads and writes here; the audio thread touches
/// only atomics and the inbox.
pub struct Instance {
    /// The parameters and what is kept with them.
    pub params: Arc<SidemanParams>,
    /// What the engine shows.
    pub shared: Arc<Shared>,
    /// The next instrument for the audio thread.
    pub(crate) inbox: Inbox,
    this: Weak<Self>,
    /// Samples a second, as the bits of an `f32`; 0 before activation.
    rate: AtomicU32,
    /// Whether the host renders faster than real time: as it said last, whatever the framework remembers.
    offline: AtomicBool,
    /// The latency that holds, in samples.
    latency: AtomicU32,
    /// Whether an editor is open.
    watched: AtomicBool,
    /// Whether something that is kept with a project changed, and the host does not know.
    touched: AtomicBool,
    /// Note-offs and other messages of the host that were too many at once.
    crowded: AtomicBool,
    /// Whether the soundfont that plays turned out to be damaged.
    damaged: AtomicBool,
    /// Where and why the audio thread panicked.
    panic: ReportCell,
    callback: OnceLock<Callback>,
    /// Has the next block panic.
    #[cfg(test)]
    pub(crate) break_next: AtomicBool,
    /// What is to hear the genre of sound from the next activation on.
    #[cfg(test)]
    pub(crate) make_classifier: std::sync::Mutex<Option<sideman_engine::genre::MakeAudioClassifier>>,
}

thread_local! {
    /// The instance made last on this thread: the framework makes plugins by `default()` alone, and the
    /// wrapper around it has no other way to learn which instance is its own.
    static NEWEST: RefCell<Weak<Instance>> = const { RefCell::new(Weak::new()) };
}

impl Instance {
    /// A new one, which the wrapper around the framework is given next.
    pub fn new() -> Arc<Self> {
        let shared = Arc::new(Shared::default());
        let params = Arc::new(SidemanParams::new(shared.clone()));
        let instance = Arc::new_cyclic(|this| Self {
            params,
            shared,
            inbox: Inbox::new(1),
            this: this.clone(),
            rate: AtomicU32::new(0),
            offline: AtomicBool::new(false),
            latency: AtomicU32::new(0),
            watched: AtomicBool::new(false),
            touched: AtomicBool::new(false),
            crowded: AtomicBool::new(false),
            damaged: AtomicBool::new(false),
            panic: ReportCell::default(),
            callback: OnceLock::new(),
            #[cfg(test)]
            break_next: AtomicBool::new(false),
            #[cfg(test)]
            make_classifier: std::sync::Mutex::new(None),
        });
        crate::startup::apply(&instance);
        NEWEST.with_borrow_mut(|newest| *newest = Arc::downgrade(&instance));
        instance
    }

    /// The instance made last on this thread, once.
    pub(crate) fn take_newest() -> Option<Arc<Self>> {
        NEWEST.with_borrow_mut(std::mem::take).upgrade()
    }

    /// Whether the host renders faster than real time. Any thread; never waits.
    pub fn offline(&self) -> bool {
        self.offline.load(Relaxed)
    }

    /// Notes whether the host renders faster than real time. The main thread.
    pub(crate) fn set_offline(&self, offline: bool) {
        self.offline.store(offline, Relaxed);
    }

    /// The latency that holds, in samples. Any thread; never waits.
    pub(crate) fn latency(&self) -> u32 {
        self.latency.load(Relaxed)
    }

    /// Notes the latency that holds; whether it is another than before. Any thread; never waits.
    pub(crate) fn set_latency(&self, samples: u32) -> bool {
        self.latency.swap(samples, Relaxed) != samples
    }

    /// Samples a second; 0 before activation. Any thread; never waits.
    pub(crate) fn rate(&self) -> f32 {
        f32::from_bits(self.rate.load(Relaxed))
    }

    /// Notes the sample rate. The main thread.
    pub(crate) fn set_rate(&self, rate: f32) {
        self.rate.store(rate.to_bits(), Relaxed);
    }

    /// Says whether an editor is open: what only it shows is worked out then. Any thread; never waits.
    pub fn set_watched(&self, watched: bool) {
        self.watched.store(watched, Relaxed);
        self.shared.set_watched(watched);
    }

    /// Whether an editor is open. Any thread; never waits.
    pub(crate) fn watched(&self) -> bool {
        self.watched.load(Relaxed)
    }

    /// Says that something changed that is kept with a project and is no parameter, such as a learned
    /// control: the host marks the project as changed. Any thread; never waits.
    pub fn touch(&self) {
        self.touched.store(true, Relaxed);
        if let Some(call) = self.callback.get() {
            call();
        }
    }

    /// Whether something changed since the last call.
    pub(crate) fn take_touched(&self) -> bool {
        self.touched.swap(false, Relaxed)
    }

    /// Sets what asks the host to call back on its main thread.
    pub(crate) fn set_callback(&self, callback: Callback) {
        let _ = self.callback.set(callback);
    }

    /// Notes that the host sent more at once than there is room for. Any thread; never waits.
    pub(crate) fn note_crowd(&self) {
        self.crowded.store(true, Relaxed);
    }

    /// Notes that the soundfont turned out to be damaged. Any thread; never waits.
    pub(crate) fn note_damage(&self) {
        self.damaged.store(true, Relaxed);
    }

    /// Notes where and why the audio thread panicked. Any thread; never waits.
    pub(crate) fn note_panic(&self, report: &Report) {
        self.panic.put(report);
        self.shared.set_panicked();
    }

    /// Puts into words what the audio thread could only note, as notices. The editor calls it as it draws, the
    /// wrapper when the host calls on its main thread. Not for the audio thread.
    pub fn update_notices(&self) {
        if let Some(report) = self.panic.take() {
            self.shared.notice(format!(
                "Something broke inside Sideman and it fell silent ({report}). Switch it off and on again to go \
                 on playing, and please report these words."
            ));
        }
        if self.crowded.swap(false, Relaxed) {
            self.shared.notice("The host sent more notes at once than Sideman takes; some were left out.");
        }
        if self.damaged.swap(false, Relaxed) {
            self.shared
                .notice("The soundfont is damaged and fell silent: pick another, or the built-in sound.");
        }
    }

    /// Picks a soundfont, or none for the built-in sound; it is loaded by the band's thread. What goes wrong
    /// comes as a notice, and the built-in sound plays. Not for the audio thread.
    pub fn pick_soundfont(&self, path: Option<PathBuf>) {
        self.params.soundfont.pick(path);
        self.touch();
        self.load_sound();
    }

    /// Has the band's thread make the instrument that is wanted.
    pub(crate) fn load_sound(&self) {
        let this = self.this.clone();
        let wanted = self.params.soundfont.changes();
        self.shared.submit(Box::new(move || {
            let Some(this) = this.upgrade() else { return Box::new(()) };
            // Another was picked meanwhile, whose job comes next.
            if this.params.soundfont.changes() != wanted || this.rate() == 0.0 {
                return Box::new(());
            }
            // What was in the inbox goes back to be freed here.
            Box::new(this.inbox.force_push(this.make_sound()))
        }));
    }

    /// Makes the instrument that is wanted; where its soundfont cannot be read, the built-in one, with a notice.
    /// Not for the audio thread.
    pub(crate) fn make_sound(&self) -> Box<Sound> {
        let (rate, font) = (self.rate(), self.params.soundfont.path());
        if let Some(path) = &font {
            match Ensemble::soundfont(path, rate) {
                Ok(ensemble) => return Box::new(Sound { ensemble, font, rate }),
                Err(e) => self.shared.notice(format!(
                    "The soundfont {} cannot be used: {e}. The built-in sound plays.",
                    path.display()
                )),
            }
        }
        Box::new(Sound { ensemble: Ensemble::built_in(rate), font, rate })
    }

    /// Makes the built-in instrument. Not for the audio thread.
    pub(crate) fn make_built_in(&self) -> Box<Sound> {
        let rate = self.rate();
        Box::new(Sound { ensemble: Ensemble::built_in(rate), font: None, rate })
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    #[test]
    fn troubles_are_worded_once() {
        let instance = Instance::new();
        let mut report = Report::default();
        write!(report, "plugin/src/x.rs:7: on purpose").unwrap();
        instance.note_panic(&report);
        assert!(instance.shared.status().panicked);
        instance.note_crowd();
        instance.update_notices();
        instance.update_notices();
        let notices = instance.shared.editor_state(|b| b.notices.clone());
        assert_eq!(notices.len(), 2, "{notices:?}");
        assert!(notices[0].contains("plugin/src/x.rs:7"), "{notices:?}");
    }

    #[test]
    fn a_soundfont_that_cannot_be_read_leaves_the_built_in_sound() {
        let instance = Instance::new();
        instance.set_rate(48_000.0);
        instance.pick_soundfont(Some(PathBuf::from("/nowhere/at all.sf2")));
        assert!(instance.take_touched() && !instance.take_touched());
        let mut sound = instance.make_sound();
        sound.ensemble.note_on(0, 60, 100);
        assert!(!sound.ensemble.is_silent());
        let notices = instance.shared.editor_state(|b| b.notices.clone());
        assert!(
            notices.iter().any(|n| n.contains("/nowhere/at all.sf2") && n.contains("built-in")),
            "{notices:?}"
        );
    }

    #[test]
    fn the_newest_instance_is_given_out_once_and_not_kept_alive() {
        let a = Instance::new();
        assert!(Arc::ptr_eq(&a, &Instance::take_newest().unwrap()));
        assert!(Instance::take_newest().is_none());
        drop(Instance::new());
        assert!(Instance::take_newest().is_none());
    }
}
