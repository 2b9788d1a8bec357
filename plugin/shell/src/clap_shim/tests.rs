//! The shim with the framework and the engine behind it, driven as a host does.

#![allow(clippy::undocumented_unsafe_blocks)] // every call here is a host's call on a plugin made right before

use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_void};
use std::mem::size_of;
use std::ptr::{null, null_mut};

use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::events::{
    CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_MIDI, CLAP_EVENT_NOTE_OFF, CLAP_EVENT_NOTE_ON,
    CLAP_EVENT_PARAM_VALUE, clap_event_header, clap_event_midi, clap_event_note, clap_event_param_value,
    clap_input_events, clap_output_events,
};
use clap_sys::ext::audio_ports::{
    CLAP_AUDIO_PORT_IS_MAIN, CLAP_EXT_AUDIO_PORTS, clap_audio_port_info, clap_plugin_audio_ports,
};
use clap_sys::ext::audio_ports_config::{CLAP_EXT_AUDIO_PORTS_CONFIG, clap_plugin_audio_ports_config};
use clap_sys::ext::gui::CLAP_EXT_GUI;
use clap_sys::ext::params::{CLAP_EXT_PARAMS, clap_param_info, clap_plugin_params};
use clap_sys::ext::render::{CLAP_EXT_RENDER, CLAP_RENDER_OFFLINE, clap_plugin_render};
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_plugin_state};
use clap_sys::host::clap_host;
use clap_sys::plugin::clap_plugin;
use clap_sys::process::{CLAP_PROCESS_CONTINUE, CLAP_PROCESS_ERROR, clap_process};
use clap_sys::stream::{clap_istream, clap_ostream};
use clap_sys::version::CLAP_VERSION;
use sideman_engine::genre::{AudioClassifier, Source};

use super::Shim;

unsafe extern "C" fn no_extension(_: *const clap_host, _: *const c_char) -> *const c_void {
    null()
}

unsafe extern "C" fn nothing(_: *const clap_host) {}

const TEMPLATE: clap_host = clap_host {
    clap_version: CLAP_VERSION,
    host_data: null_mut(),
    name: c"test".as_ptr(),
    vendor: c"".as_ptr(),
    url: c"".as_ptr(),
    version: c"".as_ptr(),
    get_extension: Some(no_extension),
    request_restart: Some(nothing),
    request_process: Some(nothing),
    request_callback: Some(nothing),
};

static HOST: clap_host = TEMPLATE;

/// What came out, as (time, note-on, channel, key).
type Out = Vec<(u32, bool, i16, i16)>;

/// A host's instance of the plugin.
struct Hosted(*const clap_plugin);

impl Hosted {
    fn new() -> Self {
        let plugin = unsafe { Shim::create(&HOST) };
        assert!(unsafe { (*plugin).init.unwrap()(plugin) });
        Self(plugin)
    }

    fn shim(&self) -> &Shim {
        unsafe { Shim::of(self.0) }
    }

    fn activate(&self, most: u32) {
        unsafe {
            assert!((*self.0).activate.unwrap()(self.0, 48_000.0, 1, most));
            assert!((*self.0).start_processing.unwrap()(self.0));
        }
    }

    fn extension<T>(&self, name: &CStr) -> *const T {
        unsafe { (*self.0).get_extension.unwrap()(self.0, name.as_ptr()).cast() }
    }

    /// Processes a block; what came out, and what it sounds like. Without channels there are no outputs.
    fn process(&self, frames: u32, events: &[Event], channels: usize) -> (i32, Out, Vec<Vec<f32>>) {
        self.process_hearing(frames, events, channels, &[])
    }

    /// The same, with the channels of an input.
    fn process_hearing(
        &self,
        frames: u32,
        events: &[Event],
        channels: usize,
        input: &[Vec<f32>],
    ) -> (i32, Out, Vec<Vec<f32>>) {
        let mut heard: Vec<*mut f32> = input.iter().map(|c| c.as_ptr().cast_mut()).collect();
        let heard = clap_audio_buffer {
            data32: heard.as_mut_ptr(),
            data64: null_mut(),
            channel_count: input.len() as u32,
            latency: 0,
            constant_mask: 0,
        };
        let mut audio = vec![vec![9.0f32; frames as usize]; channels];
        let mut pointers: Vec<*mut f32> = audio.iter_mut().map(|c| c.as_mut_ptr()).collect();
        let mut buffer = clap_audio_buffer {
            data32: pointers.as_mut_ptr(),
            data64: null_mut(),
            channel_count: channels as u32,
            latency: 0,
            constant_mask: 0,
        };
        let out: RefCell<Out> = RefCell::default();
        let incoming = incoming(&events);
        let outgoing =
            clap_output_events { ctx: (&raw const out).cast_mut().cast(), try_push: Some(take_out) };
        let process = clap_process {
            steady_time: -1,
            frames_count: frames,
            transport: null(),
            audio_inputs: if input.is_empty() { null() } else { &raw const heard },
            audio_outputs: if channels > 0 { &raw mut buffer } else { null_mut() },
            audio_inputs_count: u32::from(!input.is_empty()),
            audio_outputs_count: u32::from(channels > 0),
            in_events: &raw const incoming,
            out_events: &raw const outgoing,
        };
        let status = unsafe { (*self.0).process.unwrap()(self.0, &raw const process) };
        (status, out.into_inner(), audio)
    }

    fn params(&self) -> &clap_plugin_params {
        unsafe { &*self.extension(CLAP_EXT_PARAMS) }
    }

    fn save(&self) -> Vec<u8> {
        unsafe extern "C" fn write(stream: *const clap_ostream, bytes: *const c_void, size: u64) -> i64 {
            let into = unsafe { &mut *(*stream).ctx.cast::<Vec<u8>>() };
            // A host may take a few at a time.
            let n = size.min(100);
            into.extend_from_slice(unsafe { std::slice::from_raw_parts(bytes.cast(), n as usize) });
            n as i64
        }
        let mut chunk: Vec<u8> = Vec::new();
        let stream = clap_ostream { ctx: (&raw mut chunk).cast(), write: Some(write) };
        let state: *const clap_plugin_state = self.extension(CLAP_EXT_STATE);
        assert!(unsafe { (*state).save.unwrap()(self.0, &stream) });
        chunk
    }

    fn load(&self, mut chunk: &[u8]) -> bool {
        unsafe extern "C" fn read(stream: *const clap_istream, bytes: *mut c_void, size: u64) -> i64 {
            let from = unsafe { &mut *(*stream).ctx.cast::<&[u8]>() };
            let n = from.len().min(size as usize).min(7);
            unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), bytes.cast(), n) };
            *from = &from[n..];
            n as i64
        }
        let stream = clap_istream { ctx: (&raw mut chunk).cast(), read: Some(read) };
        let state: *const clap_plugin_state = self.extension(CLAP_EXT_STATE);
        unsafe { (*state).load.unwrap()(self.0, &stream) }
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        unsafe { (*self.0).destroy.unwrap()(self.0) };
    }
}

#[repr(C)]
#[derive(Clone, Copy)]
union Event {
    header: clap_event_header,
    note: clap_event_note,
    midi: clap_event_midi,
    param: clap_event_param_value,
}

fn header<T>(time: u32, type_: u16) -> clap_event_header {
    clap_event_header {
        size: size_of::<T>() as u32,
        time,
        space_id: CLAP_CORE_EVENT_SPACE_ID,
        type_,
        flags: 0,
    }
}

fn note(time: u32, on: bool, key: i16) -> Event {
    let type_ = if on { CLAP_EVENT_NOTE_ON } else { CLAP_EVENT_NOTE_OFF };
    let header = header::<clap_event_note>(time, type_);
    Event { note: clap_event_note { header, note_id: -1, port_index: 0, channel: 0, key, velocity: 0.7 } }
}

fn param(time: u32, id: u32, value: f64) -> Event {
    let header = header::<clap_event_param_value>(time, CLAP_EVENT_PARAM_VALUE);
    Event {
        param: clap_event_param_value {
            header,
            param_id: id,
            cookie: null_mut(),
            note_id: -1,
            port_index: -1,
            channel: -1,
            key: -1,
            value,
        },
    }
}

fn incoming(events: &&[Event]) -> clap_input_events {
    unsafe extern "C" fn size(list: *const clap_input_events) -> u32 {
        let events = unsafe { *(*list).ctx.cast::<&[Event]>() };
        events.len() as u32
    }
    unsafe extern "C" fn get(list: *const clap_input_events, i: u32) -> *const clap_event_header {
        let events = unsafe { *(*list).ctx.cast::<&[Event]>() };
        (&raw const events[i as usize]).cast()
    }
    clap_input_events { ctx: (&raw const *events).cast_mut().cast(), size: Some(size), get: Some(get) }
}

unsafe extern "C" fn take_out(list: *const clap_output_events, event: *const clap_event_header) -> bool {
    let out = unsafe { &*(*list).ctx.cast::<RefCell<Out>>() };
    let header = unsafe { *event };
    if matches!(header.type_, CLAP_EVENT_NOTE_ON | CLAP_EVENT_NOTE_OFF) {
        let note = unsafe { *event.cast::<clap_event_note>() };
        assert_eq!(note.note_id, -1);
        out.borrow_mut().push((header.time, header.type_ == CLAP_EVENT_NOTE_ON, note.channel, note.key));
    } else {
        assert!(matches!(header.type_, CLAP_EVENT_MIDI | CLAP_EVENT_PARAM_VALUE), "{}", header.type_);
    }
    true
}

/// What came out on the piano's channel. The band may come in within the same block, where its thread is quick.
fn of_piano(out: &Out) -> Out {
    out.iter().copied().filter(|o| o.2 == 0).collect()
}

/// The CLAP id of a parameter by its name.
fn id_of(hosted: &Hosted, name: &str) -> u32 {
    let params = hosted.params();
    for i in 0..unsafe { params.count.unwrap()(hosted.0) } {
        let mut info: clap_param_info = unsafe { std::mem::zeroed() };
        assert!(unsafe { params.get_info.unwrap()(hosted.0, i, &mut info) });
        if unsafe { CStr::from_ptr(info.name.as_ptr()) }.to_str() == Ok(name) {
            return info.id;
        }
    }
    panic!("no parameter {name}");
}

fn value_of(hosted: &Hosted, id: u32) -> f64 {
    let mut value = 0.0;
    assert!(unsafe { hosted.params().get_value.unwrap()(hosted.0, id, &mut value) });
    value
}

#[test]
fn the_piano_passes_at_its_samples_and_is_ended() {
    let hosted = Hosted::new();
    hosted.activate(64);
    let (status, out, audio) = hosted.process(64, &[note(5, true, 60), note(40, false, 60)], 2);
    assert_eq!(status, CLAP_PROCESS_CONTINUE);
    assert_eq!(of_piano(&out), [(5, true, 0, 60), (40, false, 0, 60)]);
    assert!(audio.iter().flatten().all(|s| s.abs() <= 1.0), "the output is written");
}

#[test]
fn notes_survive_blocks_that_the_framework_would_leave_out() {
    let hosted = Hosted::new();
    hosted.activate(64);
    // No outputs at all, more channels than asked for, and a single one.
    for (channels, key) in [(0, 60), (1, 61), (5, 62)] {
        let (_, out, audio) = hosted.process(32, &[note(3, true, key)], channels);
        assert_eq!(of_piano(&out), [(3, true, 0, key)], "{channels} channels");
        assert!(audio.iter().flatten().all(|s| s.abs() <= 1.0), "{channels} channels");
    }
    // A block of no samples, and a flush: what they bring comes out of the next block.
    hosted.process(0, &[note(0, false, 60)], 2);
    let events: &[Event] = &[note(0, false, 61)];
    unsafe { hosted.params().flush.unwrap()(hosted.0, &incoming(&events), null()) };
    let (_, out, _) = hosted.process(32, &[note(9, false, 62)], 2);
    assert_eq!(of_piano(&out), [(0, false, 0, 60), (0, false, 0, 61), (9, false, 0, 62)]);
    // Far more than was announced.
    let (_, out, audio) = hosted.process(1000, &[note(999, true, 50)], 2);
    assert_eq!(of_piano(&out), [(999, true, 0, 50)]);
    assert!(audio.iter().flatten().all(|s| s.abs() <= 1.0));
}

#[test]
fn a_changed_parameter_holds_from_its_sample_on() {
    let hosted = Hosted::new();
    hosted.activate(512);
    let thru = id_of(&hosted, "Piano through");
    let events = [
        note(10, true, 60),
        note(90, false, 60),
        param(100, thru, 0.0),
        note(110, true, 61),
        param(200, thru, 1.0),
        note(200, true, 62),
    ];
    let (_, out, _) = hosted.process(512, &events, 2);
    let ons: Vec<i16> = of_piano(&out).iter().filter(|o| o.1).map(|o| o.3).collect();
    assert_eq!(ons, [60, 62], "{out:?}");
    assert!(out.is_sorted_by_key(|o| o.0), "{out:?}");
    assert_eq!(value_of(&hosted, thru), 1.0);
}

#[test]
fn parameters_beyond_the_last_and_of_nonsense_are_refused() {
    let hosted = Hosted::new();
    let params = hosted.params();
    let count = unsafe { params.count.unwrap()(hosted.0) };
    let mut info: clap_param_info = unsafe { std::mem::zeroed() };
    for index in [count, count + 1, u32::MAX] {
        assert!(!unsafe { params.get_info.unwrap()(hosted.0, index, &mut info) });
    }
    let mut ids = std::collections::BTreeSet::new();
    for index in 0..count {
        assert!(unsafe { params.get_info.unwrap()(hosted.0, index, &mut info) });
        assert!(ids.insert(info.id), "two parameters have the number {}", info.id);
    }
    hosted.activate(64);
    let style = id_of(&hosted, "Style");
    for value in [f64::NAN, f64::INFINITY, -1e300, 1e300, 7.4] {
        hosted.process(64, &[param(0, style, value), param(0, 12345, 1.0)], 2);
        assert!((0.0..=11.0).contains(&value_of(&hosted, style)), "{value}");
    }
}

#[test]
fn state_goes_around_and_damage_is_told() {
    let hosted = Hosted::new();
    hosted.activate(64);
    let (tempo, fill) = (id_of(&hosted, "Tempo"), id_of(&hosted, "Fill"));
    hosted.process(64, &[param(0, tempo, 0.5), param(0, fill, 1.0)], 2);
    let saved = hosted.save();
    let other = Hosted::new();
    assert!(other.load(&saved));
    assert_eq!((value_of(&other, tempo), value_of(&other, fill)), (0.5, 1.0));
    assert_eq!(
        other.shim().instance.params.presses(sideman_engine::controls::Control::Fill),
        0,
        "nobody pressed"
    );
    assert!(other.shim().instance.shared.editor_state(|b| b.notices.is_empty()));
    assert_eq!(other.save(), saved);

    // While it plays, too.
    assert!(hosted.load(&saved[..saved.len() / 2]), "half of it can be read");
    assert!(
        hosted
            .shim()
            .instance
            .shared
            .editor_state(|b| b.notices.last().is_some_and(|n| n.contains("damaged")))
    );
    assert!(!hosted.load(&[0xAB; 300]));
    assert_ne!(value_of(&hosted, tempo), 0.5, "the default");
    assert!(
        hosted
            .shim()
            .instance
            .shared
            .editor_state(|b| b.notices.last().is_some_and(|n| n.contains("could not be read")))
    );
    let before = hosted.save();
    assert!(!hosted.load(&[]));
    assert_eq!(hosted.save(), before);
}

#[test]
fn a_panic_ends_the_notes_is_told_and_the_host_lives_on() {
    let hosted = Hosted::new();
    hosted.activate(64);
    hosted.process(64, &[note(0, true, 60)], 2);
    let instance = &hosted.shim().instance;
    instance.break_next.store(true, std::sync::atomic::Ordering::Relaxed);
    let (status, out, audio) = hosted.process(64, &[note(7, true, 61)], 2);
    assert_eq!(status, CLAP_PROCESS_CONTINUE);
    assert!(audio.iter().flatten().all(|&s| s == 0.0));
    // The second went out before it broke; both are ended.
    assert_eq!(out[0], (7, true, 0, 61));
    let mut ended: Vec<i16> = out[1..].iter().filter(|o| !o.1).map(|o| o.3).collect();
    ended.sort_unstable();
    assert_eq!(ended, [60, 61]);
    assert!(out.is_sorted_by_key(|o| o.0), "{out:?}");
    assert!(instance.shared.status().panicked);
    let (status, out, _) = hosted.process(64, &[note(0, true, 62)], 2);
    assert_eq!((status, out.len()), (CLAP_PROCESS_CONTINUE, 0), "silent from then on");
    unsafe {
        (*hosted.0).stop_processing.unwrap()(hosted.0);
        (*hosted.0).deactivate.unwrap()(hosted.0);
    }
    assert!(
        instance
            .shared
            .editor_state(|b| b.notices.iter().any(|n| n.contains("plugin.rs") && n.contains("on purpose")))
    );
    hosted.activate(64);
    assert!(!instance.shared.status().panicked);
    let (_, out, _) = hosted.process(64, &[note(3, true, 63)], 2);
    assert_eq!(of_piano(&out), [(3, true, 0, 63)], "afresh");
}

#[test]
fn the_render_mode_holds_at_once() {
    let hosted = Hosted::new();
    hosted.activate(64);
    let render: *const clap_plugin_render = hosted.extension(CLAP_EXT_RENDER);
    assert!(!hosted.shim().instance.offline());
    assert!(unsafe { (*render).set.unwrap()(hosted.0, CLAP_RENDER_OFFLINE) });
    assert!(hosted.shim().instance.offline());
    assert!(!unsafe { (*render).set.unwrap()(hosted.0, 99) });
}

#[test]
fn a_host_without_windows_is_offered_no_editor_and_one_that_only_destroys_is_forgiven() {
    let hosted = Hosted::new();
    assert!(hosted.extension::<u8>(CLAP_EXT_GUI).is_null());
    let (status, ..) = hosted.process(64, &[], 2);
    assert_eq!(status, CLAP_PROCESS_ERROR, "not activated");
    assert!(!unsafe { (*hosted.0).activate.unwrap()(hosted.0, f64::NAN, 1, 64) });
    hosted.activate(64);
    hosted.process(64, &[note(0, true, 60)], 2);
    // Dropped while it is active and a key is down.
}

/// Says how loud the last samples were, as if it were the probability of a genre.
struct Meter {
    classes: Vec<String>,
    said: [f32; 2],
}

impl AudioClassifier for Meter {
    fn push(&mut self, samples: &[f32], rate: f32) {
        assert_eq!(rate, 48_000.0);
        let last = samples.last().copied().unwrap_or_default();
        assert!(samples.iter().all(|s| (s - last).abs() < 1e-6), "a sample went astray at a cut");
        self.said = [last, 1.0 - last];
    }

    fn said(&mut self) -> Option<(&[f32], bool)> {
        Some((&self.said, self.said[0] == 0.0))
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn unsure(&self) -> f32 {
        0.6
    }
}

#[test]
fn an_input_is_heard_through_all_cuts_and_may_be_missing() {
    let channels = |levels: &[f32]| -> Vec<Vec<f32>> { levels.iter().map(|&l| vec![l; 1000]).collect() };
    // Two channels, one, more than asked for, and none.
    for (levels, wanted) in
        [(&[0.5f32, 0.25][..], 0.375f32), (&[0.5], 0.5), (&[1.0, 0.5, 9.0], 0.75), (&[], 0.0)]
    {
        let hosted = Hosted::new();
        let instance = &hosted.shim().instance;
        let make = || {
            let classes = ["a", "b"].map(str::to_owned).to_vec();
            Ok(Box::new(Meter { classes, said: [0.0; 2] }) as Box<dyn AudioClassifier>)
        };
        *instance.make_classifier.lock().unwrap() = Some(std::sync::Arc::new(make));
        // The host's blocks are larger than it said, and cut where a parameter changes.
        hosted.activate(480);
        let swing = id_of(&hosted, "Swing");
        let input = channels(levels);
        for i in 0..60 {
            let events = [param(100, swing, 0.5), param(700, swing, f64::from(i % 2))];
            let (status, _, audio) = hosted.process_hearing(1000, &events, 2, &input);
            assert_eq!(status, CLAP_PROCESS_CONTINUE);
            assert!(audio.iter().flatten().all(|s| s.abs() < 1e-6), "what is heard is not passed on");
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        std::thread::sleep(std::time::Duration::from_millis(300));
        let genre = instance.shared.editor_state(|b| b.genre.clone());
        assert_eq!(instance.shared.status().unheard, 0);
        assert!(instance.shared.editor_state(|b| b.notices.is_empty()), "{levels:?}");
        if wanted > 0.0 {
            assert_eq!(genre.source, Source::Audio, "{levels:?}");
            assert!((genre.probabilities[0] - wanted).abs() < 1e-6, "{levels:?}: {:?}", genre.probabilities);
        } else {
            assert_eq!(genre.source, Source::Piano);
        }
    }
}

#[test]
fn the_wrapper_is_not_offered_an_input() {
    static WRAPPER: clap_host =
        clap_host { vendor: c"The CLAP Wrapper Team".as_ptr(), version: c"0.15.0".as_ptr(), ..TEMPLATE };
    let plugin = unsafe { Shim::create(&WRAPPER) };
    assert!(unsafe { (*plugin).init.unwrap()(plugin) });
    let hosted = Hosted(plugin);
    let ports: &clap_plugin_audio_ports = unsafe { &*hosted.extension(CLAP_EXT_AUDIO_PORTS) };
    let count = |input| unsafe { ports.count.unwrap()(hosted.0, input) };
    assert_eq!((count(true), count(false)), (0, 1));
    hosted.activate(64);
    assert_eq!(hosted.process(64, &[], 2).0, CLAP_PROCESS_CONTINUE);
}

#[test]
fn hosts_are_offered_an_input_and_a_layout_without() {
    let hosted = Hosted::new();
    let ports: &clap_plugin_audio_ports = unsafe { &*hosted.extension(CLAP_EXT_AUDIO_PORTS) };
    let count = |input| unsafe { ports.count.unwrap()(hosted.0, input) };
    assert_eq!((count(true), count(false)), (1, 1));
    let mut info: clap_audio_port_info = unsafe { std::mem::zeroed() };
    assert!(unsafe { ports.get.unwrap()(hosted.0, 0, true, &mut info) });
    assert_eq!((info.channel_count, info.flags & CLAP_AUDIO_PORT_IS_MAIN), (2, 0), "a side input");
    let configs: &clap_plugin_audio_ports_config = unsafe { &*hosted.extension(CLAP_EXT_AUDIO_PORTS_CONFIG) };
    assert_eq!(unsafe { configs.count.unwrap()(hosted.0) }, 2);
    assert!(unsafe { configs.select.unwrap()(hosted.0, 1) });
    assert_eq!((count(true), count(false)), (0, 1));
    hosted.activate(64);
    let (status, out, _) = hosted.process(64, &[note(5, true, 60)], 2);
    assert_eq!((status, of_piano(&out)), (CLAP_PROCESS_CONTINUE, vec![(5, true, 0, 60)]));
}
