//! Between the host and the framework: a `clap_plugin` of our own before the framework's.
//!
//! It repairs what the framework does not do well (each point is in `notes` of the functions below):
//! - a damaged state reaches [`crate::state`] before the framework refuses it;
//! - blocks of 0 samples, blocks without outputs, with more channels than asked for or larger than announced
//!   would be left out or end in an abort; events that come with a parameter flush would be lost;
//! - parameter changes within a block are followed to the sample, with a position that is right ([`process`]);
//! - the render mode holds from the moment that the host sets it, not from the next activation;
//! - the latency changes without a task that a full queue could drop;
//! - a VST3 host that loads a state without a component handler would die in the VST3 wrapper ([`vst3`]);
//! - a VST3 host without a buffer for our input would die in the VST3 wrapper, so that only CLAP has one;
//! - a host without a window for us is not offered an editor; one that destroys while active is forgiven.
//!
//! The first field of [`Shim`] is the `clap_plugin` that the host sees, and its `plugin_data` is the
//! framework's: so the framework's extensions, which look at nothing else, can be given to the host as they are.

mod events;
mod extensions;
mod process;
#[cfg(test)]
mod tests;
mod vst3;

use std::cell::UnsafeCell;
use std::ffi::CStr;
use std::ptr::null;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use clap_sys::ext::audio_ports_config::{CLAP_EXT_AUDIO_PORTS_CONFIG, clap_plugin_audio_ports_config};
use clap_sys::ext::gui::CLAP_EXT_GUI;
use clap_sys::ext::latency::{CLAP_EXT_LATENCY, clap_host_latency};
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_host_state};
use clap_sys::host::clap_host;
use clap_sys::plugin::clap_plugin;
use nice_plug::wrapper::clap::Wrapper;

use crate::instance::Instance;
use crate::plugin::Sideman;
use process::Audio;

/// Number of the layout without an input.
const WITHOUT_INPUT: u32 = 1;

/// Events that a block can have without any being left out.
pub(crate) const EVENTS: usize = 4096;

/// A plugin as the host has it.
#[repr(C)]
pub(crate) struct Shim {
    /// What the host sees; first, because the host's pointer to it is our only way back.
    outer: clap_plugin,
    inner: *const clap_plugin,
    host: *const clap_host,
    instance: Arc<Instance>,
    /// Only for the thread that processes or flushes: hosts never do both at once.
    audio: UnsafeCell<Audio>,
    active: AtomicBool,
    /// Latency that was reported to the host.
    reported_latency: AtomicU32,
}

/// A host's pointer, for a closure that any thread may call.
struct HostPtr(*const clap_host);

// SAFETY: of the host only `request_callback` is called through it, which CLAP has for all threads.
unsafe impl Send for HostPtr {}
// SAFETY: as above.
unsafe impl Sync for HostPtr {}

impl HostPtr {
    fn request_callback(&self) {
        // SAFETY: the host outlives the plugin, and the instance's users do not call after its end.
        unsafe {
            if let Some(request) = (*self.0).request_callback {
                request(self.0);
            }
        }
    }
}

impl Shim {
    /// Makes a plugin for a host.
    ///
    /// # Safety
    /// `host` is a valid host that outlives the plugin. The main thread.
    pub(crate) unsafe fn create(host: *const clap_host) -> *const clap_plugin {
        // SAFETY: as this function's.
        unsafe { vst3::give_handler(host) };
        // SAFETY: as this function's.
        let wrapper = Arc::into_raw(unsafe { Wrapper::<Sideman>::new(host) });
        // SAFETY: just made, and not shared yet. The framework's `destroy` takes the count back.
        let inner: *const clap_plugin = unsafe { (*wrapper).clap_plugin.as_ptr() };
        let Some(instance) = Instance::take_newest() else { return inner };
        let pointer = HostPtr(host);
        instance.set_callback(Box::new(move || pointer.request_callback()));
        // SAFETY: the framework's plugin is valid.
        let theirs = unsafe { *inner };
        let outer = clap_plugin {
            init: Some(init),
            destroy: Some(destroy),
            activate: Some(activate),
            deactivate: Some(deactivate),
            process: Some(process::process),
            get_extension: Some(extensions::get_extension),
            on_main_thread: Some(on_main_thread),
            ..theirs
        };
        let shim = Box::new(Self {
            outer,
            inner,
            host,
            instance,
            audio: UnsafeCell::new(Audio::default()),
            active: AtomicBool::new(false),
            reported_latency: AtomicU32::new(0),
        });
        Box::into_raw(shim).cast()
    }

    /// The shim behind a host's pointer.
    ///
    /// # Safety
    /// `plugin` is what [`Shim::create`] returned, and has not been destroyed.
    unsafe fn of<'a>(plugin: *const clap_plugin) -> &'a Self {
        // SAFETY: `outer` is the first field of a `repr(C)` structure.
        unsafe { &*plugin.cast::<Self>() }
    }

    /// The host's extension of a name.
    ///
    /// # Safety
    /// `T` is the type of that extension. The main thread, from `init` on.
    unsafe fn host_extension<T>(&self, name: &CStr) -> Option<&T> {
        // SAFETY: the host is valid, and its extensions live as long as it.
        unsafe {
            let get = (*self.host).get_extension?;
            get(self.host, name.as_ptr()).cast::<T>().as_ref()
        }
    }

    /// Under clap-wrapper there is no input: its `ProcessAdapter::process` (0.3.1) reads the buffers of every
    /// input whether the host has any or not, and leaves out the block where a host has switched the input off, as
    /// most do with one that nothing is connected to.
    fn hide_input_from_wrapper(&self) {
        // SAFETY: the host is valid.
        if !unsafe { vst3::is_wrapper(&*self.host) } {
            return;
        }
        let theirs = inner!(self, get_extension, CLAP_EXT_AUDIO_PORTS_CONFIG.as_ptr());
        // SAFETY: the type of that extension, and the framework's own function; the plugin is not active.
        unsafe {
            let config = theirs.cast::<clap_plugin_audio_ports_config>().as_ref();
            if let Some(select) = config.and_then(|c| c.select) {
                select(self.inner, WITHOUT_INPUT);
            }
        }
    }

    /// Whether the host has a window for an editor.
    fn has_window(&self) -> bool {
        // SAFETY: only asked whether it is there.
        unsafe { self.host_extension::<u8>(CLAP_EXT_GUI).is_some() }
    }

    /// What is to be done whenever the host calls on the main thread.
    fn update_host(&self) {
        self.instance.update_notices();
        if self.instance.take_touched() {
            // SAFETY: the extension's type is right, and this is the main thread.
            unsafe {
                if let Some(mark) =
                    self.host_extension::<clap_host_state>(CLAP_EXT_STATE).and_then(|s| s.mark_dirty)
                {
                    mark(self.host);
                }
            }
        }
    }
}

/// Calls a function of the framework's plugin. Its table is complete.
macro_rules! inner {
    ($shim:expr, $function:ident $(, $argument:expr)*) => {
        // SAFETY: the framework's own plugin, called as the host called us.
        unsafe { ((*$shim.inner).$function.expect("the framework's table is complete"))($shim.inner $(, $argument)*) }
    };
}
use inner;

unsafe extern "C" fn init(plugin: *const clap_plugin) -> bool {
    // SAFETY: the host gives back what it got.
    let shim = unsafe { Shim::of(plugin) };
    inner!(shim, init) && {
        shim.hide_input_from_wrapper();
        true
    }
}

unsafe extern "C" fn destroy(plugin: *const clap_plugin) {
    // SAFETY: the host gives back what it got, for the last time.
    let shim = unsafe { Box::from_raw(plugin.cast_mut().cast::<Shim>()) };
    if shim.active.load(Relaxed) {
        inner!(shim, deactivate);
    }
    inner!(shim, destroy);
}

unsafe extern "C" fn activate(plugin: *const clap_plugin, sample_rate: f64, least: u32, most: u32) -> bool {
    // SAFETY: the host gives back what it got.
    let shim = unsafe { Shim::of(plugin) };
    // Some hosts call back on the main thread only while an editor is open; the framework's queue would fill.
    inner!(shim, on_main_thread);
    if !sample_rate.is_finite() || sample_rate <= 0.0 {
        return false;
    }
    // SAFETY: nothing is processed while a plugin is activated.
    unsafe { (*shim.audio.get()).prepare(sample_rate, most) };
    if !inner!(shim, activate, sample_rate, least, most) {
        return false;
    }
    shim.active.store(true, Relaxed);
    let latency = shim.instance.latency();
    if shim.reported_latency.swap(latency, Relaxed) != latency {
        // SAFETY: the extension's type is right; hosts take this call during activation.
        unsafe {
            if let Some(changed) =
                shim.host_extension::<clap_host_latency>(CLAP_EXT_LATENCY).and_then(|l| l.changed)
            {
                changed(shim.host);
            }
        }
    }
    shim.update_host();
    true
}

unsafe extern "C" fn deactivate(plugin: *const clap_plugin) {
    // SAFETY: the host gives back what it got.
    let shim = unsafe { Shim::of(plugin) };
    inner!(shim, deactivate);
    shim.active.store(false, Relaxed);
    shim.update_host();
}

unsafe extern "C" fn on_main_thread(plugin: *const clap_plugin) {
    // SAFETY: the host gives back what it got.
    let shim = unsafe { Shim::of(plugin) };
    inner!(shim, on_main_thread);
    shim.update_host();
}

/// A null pointer to nothing in particular.
fn nothing<T>() -> *const T {
    null()
}
