//! As little of a CLAP host as there can be: what is timed is the plugin.

use std::ffi::{CStr, c_char, c_void};
use std::path::Path;
use std::ptr::{null, null_mut};

use anyhow::{Context, Result, bail, ensure};
use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::entry::clap_plugin_entry;
use clap_sys::events::{
    CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_NOTE_OFF, CLAP_EVENT_NOTE_ON, CLAP_EVENT_PARAM_VALUE,
    CLAP_EVENT_TRANSPORT, CLAP_TRANSPORT_HAS_BEATS_TIMELINE, CLAP_TRANSPORT_HAS_TEMPO,
    CLAP_TRANSPORT_HAS_TIME_SIGNATURE, CLAP_TRANSPORT_IS_PLAYING, clap_event_header, clap_event_note,
    clap_event_param_value, clap_event_transport, clap_input_events, clap_output_events,
};
use clap_sys::ext::params::{CLAP_EXT_PARAMS, clap_param_info, clap_plugin_params};
use clap_sys::factory::plugin_factory::{CLAP_PLUGIN_FACTORY_ID, clap_plugin_factory};
use clap_sys::fixedpoint::CLAP_BEATTIME_FACTOR;
use clap_sys::host::clap_host;
use clap_sys::plugin::clap_plugin;
use clap_sys::process::{CLAP_PROCESS_ERROR, clap_process};
use clap_sys::version::CLAP_VERSION;

use crate::card::{BLOCK, RATE};
use crate::piano::{Key, Playing};

unsafe extern "C" fn no_extension(_host: *const clap_host, _id: *const c_char) -> *const c_void {
    null()
}

unsafe extern "C" fn no_request(_host: *const clap_host) {}

static HOST: clap_host = clap_host {
    clap_version: CLAP_VERSION,
    host_data: null_mut(),
    name: c"Sideman benchmarks".as_ptr(),
    vendor: c"Sideman".as_ptr(),
    url: c"".as_ptr(),
    version: c"1".as_ptr(),
    get_extension: Some(no_extension),
    request_restart: Some(no_request),
    request_process: Some(no_request),
    request_callback: Some(no_request),
};

/// A loaded bundle. It stays loaded until the program ends.
pub(crate) struct Bundle {
    factory: *const clap_plugin_factory,
}

impl Bundle {
    pub(crate) fn load(path: &Path) -> Result<Self> {
        // SAFETY: the library is ours, just built; the symbol has the type that CLAP gives it, and since the
        // library is never unloaded, what it points to stays.
        unsafe {
            let library = libloading::Library::new(path).with_context(|| path.display().to_string())?;
            let entry: *const clap_plugin_entry = *library.get(b"clap_entry\0")?;
            std::mem::forget(library);
            let init = (*entry).init.context("no init")?;
            ensure!(init(c"benchmark".as_ptr()), "the CLAP does not initialise");
            let factory = (*entry).get_factory.context("no get_factory")?(CLAP_PLUGIN_FACTORY_ID.as_ptr());
            ensure!(!factory.is_null(), "the CLAP has no factory");
            Ok(Self { factory: factory.cast() })
        }
    }

    /// A new instance, active and processing from its first block on.
    pub(crate) fn start(&self) -> Result<Instance> {
        // SAFETY: calls in the order that CLAP asks for; the host is static.
        unsafe {
            let describe = (*self.factory).get_plugin_descriptor.context("no descriptor")?;
            let id = (*describe(self.factory, 0)).id;
            let create = (*self.factory).create_plugin.context("no create_plugin")?;
            let plugin = create(self.factory, &HOST, id);
            ensure!(!plugin.is_null(), "no plugin");
            ensure!((*plugin).init.context("no init")?(plugin), "the plugin does not initialise");
            let activate = (*plugin).activate.context("no activate")?;
            ensure!(activate(plugin, RATE, 1, BLOCK), "the plugin does not activate");
            let process = (*plugin).process.context("no process")?;
            let silence = || vec![0.0; BLOCK as usize];
            Ok(Instance {
                plugin,
                process,
                started: false,
                events: Vec::with_capacity(64),
                notes: 0,
                left: silence(),
                right: silence(),
                peak: 0.0,
            })
        }
    }
}

#[derive(Clone, Copy)]
#[repr(C)]
union Event {
    header: clap_event_header,
    note: clap_event_note,
    value: clap_event_param_value,
}

/// An active instance.
pub(crate) struct Instance {
    plugin: *const clap_plugin,
    process: unsafe extern "C" fn(*const clap_plugin, *const clap_process) -> i32,
    started: bool,
    events: Vec<Event>,
    /// Notes that the band began so far.
    pub(crate) notes: u64,
    left: Vec<f32>,
    right: Vec<f32>,
    /// Loudest sample so far.
    pub(crate) peak: f32,
}

// SAFETY: made on the main thread, then used by the audio thread alone until that has ended, as CLAP has it.
unsafe impl Send for Instance {}

fn header<T>(at: u32, kind: u16) -> clap_event_header {
    clap_event_header {
        size: size_of::<T>() as u32,
        time: at,
        space_id: CLAP_CORE_EVENT_SPACE_ID,
        type_: kind,
        flags: 0,
    }
}

/// What the host says about time.
pub(crate) fn transport(playing: &Playing<'_>, sample: u64, bpm: f64, runs: bool) -> clap_event_transport {
    let beats = playing.beats(sample);
    let fixed = |beats: f64| (beats * CLAP_BEATTIME_FACTOR as f64).round() as i64;
    let bar = (beats / 4.0 + 1e-9).floor();
    let running = if runs { CLAP_TRANSPORT_IS_PLAYING } else { 0 };
    clap_event_transport {
        header: header::<clap_event_transport>(0, CLAP_EVENT_TRANSPORT),
        flags: CLAP_TRANSPORT_HAS_TEMPO
            | CLAP_TRANSPORT_HAS_BEATS_TIMELINE
            | CLAP_TRANSPORT_HAS_TIME_SIGNATURE
            | running,
        song_pos_beats: fixed(beats),
        song_pos_seconds: 0,
        tempo: bpm,
        tempo_inc: 0.0,
        loop_start_beats: 0,
        loop_end_beats: 0,
        loop_start_seconds: 0,
        loop_end_seconds: 0,
        bar_start: fixed(bar * 4.0),
        bar_number: bar as i32,
        tsig_num: 4,
        tsig_denom: 4,
    }
}

unsafe extern "C" fn size(list: *const clap_input_events) -> u32 {
    // SAFETY: the context is the instance's list of events.
    unsafe { (*(*list).ctx.cast::<Vec<Event>>()).len() as u32 }
}

unsafe extern "C" fn get(list: *const clap_input_events, index: u32) -> *const clap_event_header {
    // SAFETY: as above.
    let events = unsafe { &*(*list).ctx.cast::<Vec<Event>>() };
    events.get(index as usize).map_or(null(), |e| std::ptr::from_ref(e).cast())
}

unsafe extern "C" fn push(list: *const clap_output_events, event: *const clap_event_header) -> bool {
    // SAFETY: the context is the instance's count, and what begins a note is a note.
    unsafe {
        let band = (*event).type_ == CLAP_EVENT_NOTE_ON && (*event.cast::<clap_event_note>()).channel != 0;
        *(*list).ctx.cast::<u64>() += u64::from(band);
    }
    true
}

impl Instance {
    /// Sets a parameter at the start of the next block.
    pub(crate) fn set(&mut self, name: &str, value: f64) -> Result<()> {
        // SAFETY: the type of the extension; the plugin fills in what it is handed.
        unsafe {
            let extension = (*self.plugin).get_extension.context("no get_extension")?;
            let params = extension(self.plugin, CLAP_EXT_PARAMS.as_ptr()).cast::<clap_plugin_params>();
            let params = params.as_ref().context("no parameters")?;
            let (count, info) = (params.count.context("no count")?, params.get_info.context("no get_info")?);
            for i in 0..count(self.plugin) {
                let mut found: clap_param_info = std::mem::zeroed();
                if info(self.plugin, i, &mut found)
                    && CStr::from_ptr(found.name.as_ptr()) == cstring(name).as_ref()
                {
                    let value = clap_event_param_value {
                        header: header::<clap_event_param_value>(0, CLAP_EVENT_PARAM_VALUE),
                        param_id: found.id,
                        cookie: null_mut(),
                        note_id: -1,
                        port_index: -1,
                        channel: -1,
                        key: -1,
                        value,
                    };
                    self.events.push(Event { value });
                    return Ok(());
                }
            }
        }
        bail!("no parameter is named {name}")
    }

    /// Hands in a key for the next block.
    pub(crate) fn key(&mut self, at: u32, key: Key) {
        let kind = if key.velocity > 0 { CLAP_EVENT_NOTE_ON } else { CLAP_EVENT_NOTE_OFF };
        let note = clap_event_note {
            header: header::<clap_event_note>(at, kind),
            note_id: -1,
            port_index: 0,
            channel: 0,
            key: i16::from(key.pitch),
            velocity: f64::from(key.velocity) / 127.0,
        };
        self.events.push(Event { note });
    }

    /// Processes a block with what was handed in. What goes before and after the call of the plugin is small
    /// and the same for every plugin.
    pub(crate) fn process(&mut self, sample: u64, transport: &clap_event_transport) -> Result<()> {
        let mut channels = [self.left.as_mut_ptr(), self.right.as_mut_ptr()];
        let mut buffer = clap_audio_buffer {
            data32: channels.as_mut_ptr(),
            data64: null_mut(),
            channel_count: 2,
            latency: 0,
            constant_mask: 0,
        };
        let events = (&raw mut self.events).cast::<c_void>();
        let in_events = clap_input_events { ctx: events, size: Some(size), get: Some(get) };
        let count = (&raw mut self.notes).cast::<c_void>();
        let out_events = clap_output_events { ctx: count, try_push: Some(push) };
        let block = clap_process {
            steady_time: sample as i64,
            frames_count: BLOCK,
            transport,
            audio_inputs: null(),
            audio_outputs: &mut buffer,
            audio_inputs_count: 0,
            audio_outputs_count: 1,
            in_events: &in_events,
            out_events: &out_events,
        };
        // SAFETY: the plugin is active, this is its only audio thread, and the block lives through the call.
        let status = unsafe {
            if !self.started {
                let start = (*self.plugin).start_processing.context("no start_processing")?;
                ensure!(start(self.plugin), "the plugin does not start to process");
                self.started = true;
            }
            (self.process)(self.plugin, &block)
        };
        ensure!(status != CLAP_PROCESS_ERROR, "processing failed");
        self.events.clear();
        Ok(())
    }

    /// Takes the last block into the account of how loud it was.
    pub(crate) fn listen(&mut self) {
        self.peak = self.left.iter().chain(&self.right).fold(self.peak, |peak, s| peak.max(s.abs()));
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: the audio thread has ended; then the order that CLAP asks for.
        unsafe {
            let plugin = &*self.plugin;
            if self.started
                && let Some(stop) = plugin.stop_processing
            {
                stop(self.plugin);
            }
            if let (Some(deactivate), Some(destroy)) = (plugin.deactivate, plugin.destroy) {
                deactivate(self.plugin);
                destroy(self.plugin);
            }
        }
    }
}

fn cstring(text: &str) -> std::ffi::CString {
    std::ffi::CString::new(text).unwrap_or_default()
}
