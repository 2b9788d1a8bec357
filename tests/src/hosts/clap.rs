//! A CLAP host on clack-host.

use std::ffi::{CStr, CString};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use clack_extensions::audio_ports::PluginAudioPorts;
use clack_extensions::gui::{GuiSize, HostGui, HostGuiImpl};
use clack_extensions::latency::{HostLatency, HostLatencyImpl, PluginLatency};
use clack_extensions::params::{
    HostParams, HostParamsImplMainThread, HostParamsImplShared, ParamClearFlags, ParamInfoBuffer,
    ParamInfoFlags, ParamRescanFlags, PluginParams,
};
use clack_extensions::render::{PluginRender, RenderMode};
use clack_extensions::state::{HostState, HostStateImpl, PluginState};
use clack_host::entry::EntryDescriptor;
use clack_host::events::event_types::{
    MidiEvent, NoteOffEvent, NoteOnEvent, ParamValueEvent, TransportEvent, TransportFlags,
};
use clack_host::events::spaces::CoreEventSpace;
use clack_host::events::{EventFlags, Match};
use clack_host::prelude::*;

use super::{Event as HostEvent, Instance, Message, Parameter, Processor, Setup, Transport};

/// The loaded bundle.
#[derive(Clone)]
pub(crate) struct Entry(PluginEntry);

impl Entry {
    pub(super) fn load(path: &Path) -> Self {
        // SAFETY: loading runs code of the bundle, which is ours and was just built.
        let entry = unsafe { PluginEntry::load(path) };
        Self(entry.unwrap_or_else(|e| panic!("{} does not load as a CLAP: {e}", path.display())))
    }

    /// The plugin as it is linked into this very program, so that its memory is this program's.
    pub(super) fn linked() -> Self {
        use sideman_plugin as _;
        unsafe extern "C" {
            static clap_entry: EntryDescriptor;
        }
        // SAFETY: the plugin's own entry, which lives as long as the program and is never written to.
        let entry = unsafe { PluginEntry::load_from_raw(&clap_entry, c"linked") };
        Self(entry.unwrap_or_else(|e| panic!("the linked plugin does not load: {e}")))
    }

    pub(super) fn create(&self) -> Clap {
        let factory = self.0.get_plugin_factory().expect("the CLAP has a plugin factory");
        assert_eq!(factory.plugin_count(), 1);
        let id = factory.plugin_descriptor(0).and_then(|d| d.id()).expect("the plugin has an id").to_owned();
        let info = HostInfo::new("Sideman tests", "Sideman", "https://example.org", "1").expect("no zeros");
        let instance = PluginInstance::<Host>::new(|()| Shared::default(), |_| Main, &self.0, &id, &info)
            .unwrap_or_else(|e| panic!("no instance of {id:?}: {e}"));
        let mut clap = Clap { instance, extensions: None, parameters: Vec::new() };
        let handle = clap.instance.plugin_handle();
        let handle = handle.shared();
        clap.extensions = Some(Extensions {
            state: handle.get_extension().expect("state"),
            params: handle.get_extension().expect("params"),
            render: handle.get_extension().expect("render"),
            ports: handle.get_extension().expect("audio ports"),
            latency: handle.get_extension().expect("latency"),
        });
        clap.parameters = clap.read_parameters();
        clap
    }
}

/// What the plugin may ask of the host.
struct Host;

impl HostHandlers for Host {
    type Shared<'a> = Shared;
    type MainThread<'a> = Main;
    type AudioProcessor<'a> = ();

    fn declare_extensions(builder: &mut HostExtensions<Self>, _shared: &Shared) {
        builder
            .register::<HostGui>()
            .register::<HostLatency>()
            .register::<HostParams>()
            .register::<HostState>();
    }
}

#[derive(Default)]
struct Shared {
    callback: AtomicBool,
}

impl SharedHandler<'_> for Shared {
    fn request_restart(&self) {}
    fn request_process(&self) {}
    fn request_callback(&self) {
        self.callback.store(true, Relaxed);
    }
}

impl HostGuiImpl for Shared {
    fn resize_hints_changed(&self) {}
    fn request_resize(&self, _size: GuiSize) -> Result<(), HostError> {
        Ok(())
    }
    fn request_show(&self) -> Result<(), HostError> {
        Ok(())
    }
    fn request_hide(&self) -> Result<(), HostError> {
        Ok(())
    }
    fn closed(&self, _was_destroyed: bool) {}
}

impl HostParamsImplShared for Shared {
    fn request_flush(&self) {}
}

struct Main;

impl MainThreadHandler<'_> for Main {}

impl HostParamsImplMainThread for Main {
    fn rescan(&self, _flags: ParamRescanFlags) {}
    fn clear(&self, _id: ClapId, _flags: ParamClearFlags) {}
}

impl HostStateImpl for Main {
    fn mark_dirty(&self) {}
}

impl HostLatencyImpl for Main {
    fn changed(&self) {}
}

#[derive(Clone, Copy)]
struct Extensions {
    state: PluginState,
    params: PluginParams,
    render: PluginRender,
    ports: PluginAudioPorts,
    latency: PluginLatency,
}

/// An instance.
pub(crate) struct Clap {
    instance: PluginInstance<Host>,
    extensions: Option<Extensions>,
    /// With their ranges; they never change.
    parameters: Vec<(Parameter, (f64, f64))>,
}

impl Clap {
    fn extensions(&self) -> Extensions {
        self.extensions.expect("set when the instance was made")
    }

    /// Range of a parameter in the plugin's own units.
    fn range(&self, id: u32) -> (f64, f64) {
        range(&self.parameters, id)
    }

    /// All parameters, with their ranges.
    fn read_parameters(&mut self) -> Vec<(Parameter, (f64, f64))> {
        let params = self.extensions().params;
        let handle = self.instance.plugin_handle();
        let read = |index| {
            let mut buffer = ParamInfoBuffer::new();
            let p = params.get_info(&handle, index, &mut buffer).expect("information on a parameter");
            let span = p.max_value - p.min_value;
            let parameter = Parameter {
                id: p.id.get(),
                name: String::from_utf8_lossy(p.name).into_owned(),
                default: (p.default_value - p.min_value) / span,
                bypass: p.flags.contains(ParamInfoFlags::IS_BYPASS),
            };
            (parameter, (p.min_value, p.max_value))
        };
        (0..params.count(&handle)).map(read).collect()
    }
}

fn range(parameters: &[(Parameter, (f64, f64))], id: u32) -> (f64, f64) {
    parameters.iter().find(|p| p.0.id == id).unwrap_or_else(|| panic!("no parameter {id}")).1
}

fn clap_id(id: u32) -> ClapId {
    ClapId::new(id)
}

impl Instance for Clap {
    fn activate(&mut self, setup: Setup) -> Box<dyn Processor> {
        let mode = if setup.offline { RenderMode::Offline } else { RenderMode::Realtime };
        let e = self.extensions();
        let handle = self.instance.plugin_handle();
        e.render.set(&handle, mode).expect("the plugin takes the render mode");
        assert_eq!((e.ports.count(&handle, true), e.ports.count(&handle, false)), (1, 1), "audio ports");
        let parameters = self.parameters.clone();
        let configuration = PluginAudioConfiguration {
            sample_rate: setup.rate,
            min_frames_count: 1,
            max_frames_count: setup.max_block,
        };
        let stopped = self.instance.activate(|_, _| (), configuration).expect("the plugin activates");
        let started = stopped.start_processing().unwrap_or_else(|_| panic!("the plugin starts processing"));
        let silence = vec![0.0; setup.max_block as usize];
        Box::new(ClapProcessor {
            started: Some(started),
            parameters,
            output: [silence.clone(), silence],
            frames: 0,
            steady: 0,
            // So large that they never grow while the plugin is watched.
            input: EventBuffer::with_capacity(4096),
            sent: EventBuffer::with_capacity(4096),
            allocations: 0,
        })
    }

    fn deactivate(&mut self) {
        self.instance.try_deactivate().expect("the processor was dropped before");
    }

    fn save(&mut self) -> Vec<u8> {
        let mut state = Vec::new();
        let e = self.extensions();
        e.state.save(&self.instance.plugin_handle(), &mut state).expect("the state is saved");
        state
    }

    fn load(&mut self, mut state: &[u8]) -> bool {
        let e = self.extensions();
        e.state.load(&self.instance.plugin_handle(), &mut state).is_ok()
    }

    fn parameters(&mut self) -> Vec<Parameter> {
        self.parameters.iter().map(|p| p.0.clone()).collect()
    }

    fn value(&mut self, id: u32) -> f64 {
        let (low, high) = self.range(id);
        let params = self.extensions().params;
        let value = params.get_value(&self.instance.plugin_handle(), clap_id(id)).expect("a value");
        (value - low) / (high - low)
    }

    fn text(&mut self, id: u32, value: f64) -> String {
        let (low, high) = self.range(id);
        let params = self.extensions().params;
        let mut buffer = [0; 256];
        let handle = self.instance.plugin_handle();
        let text = params.value_to_text(&handle, clap_id(id), low + value * (high - low), &mut buffer);
        let text = text.expect("a text").to_vec();
        String::from_utf8(text).expect("texts are UTF-8").trim_end_matches('\0').to_owned()
    }

    fn parse(&mut self, id: u32, text: &str) -> Option<f64> {
        let (low, high) = self.range(id);
        let params = self.extensions().params;
        let text = CString::new(text).expect("no zeros");
        let value = params.text_to_value(&self.instance.plugin_handle(), clap_id(id), &text)?;
        Some((value - low) / (high - low))
    }

    fn set(&mut self, id: u32, value: f64) {
        let (low, high) = self.range(id);
        let params = self.extensions().params;
        let mut input = EventBuffer::new();
        let value = low + value * (high - low);
        input.push(&ParamValueEvent::new(0, clap_id(id), Pckn::match_all(), value));
        let mut sent = EventBuffer::new();
        let mut handle = self.instance.inactive_plugin_handle().expect("set while active: use an event");
        params.flush(&mut handle, &input.as_input(), &mut sent.as_output());
    }

    fn latency(&mut self) -> u32 {
        let latency = self.extensions().latency;
        latency.get(&self.instance.plugin_handle())
    }

    fn idle(&mut self) {
        if self.instance.access_shared_handler(|s| s.callback.swap(false, Relaxed)) {
            self.instance.call_on_main_thread_callback();
        }
    }
}

struct ClapProcessor {
    /// Taken when dropped.
    started: Option<StartedPluginAudioProcessor<Host>>,
    parameters: Vec<(Parameter, (f64, f64))>,
    output: [Vec<f32>; 2],
    frames: usize,
    steady: u64,
    input: EventBuffer,
    sent: EventBuffer,
    allocations: usize,
}

impl ClapProcessor {
    fn range(&self, id: u32) -> (f64, f64) {
        range(&self.parameters, id)
    }

    fn put(&mut self, event: &HostEvent) {
        let key = |channel: u8, pitch: u8| Pckn::new(0u16, u16::from(channel), u16::from(pitch), Match::All);
        let at = event.at;
        match event.message {
            Message::On { channel, pitch, velocity } => {
                self.input.push(&NoteOnEvent::new(at, key(channel, pitch), f64::from(velocity) / 127.0));
            }
            Message::Off { channel, pitch } => {
                self.input.push(&NoteOffEvent::new(at, key(channel, pitch), 0.0));
            }
            Message::Midi(data) => self.input.push(&MidiEvent::new(at, 0, data)),
            Message::Set { id, value } => {
                let (low, high) = self.range(id);
                let value = low + value * (high - low);
                self.input.push(&ParamValueEvent::new(at, clap_id(id), Pckn::match_all(), value));
            }
        }
    }

    fn read(&self, event: &UnknownEvent) -> Option<HostEvent> {
        let at = event.header().time();
        let narrow = |m: Match<u16>| match m {
            Match::Specific(v) => u8::try_from(v).expect("channel and key are MIDI's"),
            Match::All => panic!("a note without channel or key: {event:?}"),
        };
        let message = match event.as_core_event()? {
            CoreEventSpace::NoteOn(e) => Message::on(narrow(e.channel()), narrow(e.key()), e.velocity()),
            CoreEventSpace::NoteOff(e) => {
                Message::Off { channel: narrow(e.channel()), pitch: narrow(e.key()) }
            }
            CoreEventSpace::Midi(e) => Message::from_midi(e.data()),
            CoreEventSpace::ParamValue(e) => {
                let id = e.param_id().expect("a parameter's id").get();
                let (low, high) = self.range(id);
                Message::Set { id, value: (e.value() - low) / (high - low) }
            }
            CoreEventSpace::NoteExpression(_) => panic!("note expressions have crashed hosts: {event:?}"),
            _ => return None,
        };
        Some(HostEvent { at, message })
    }
}

fn transport_event(t: &Transport) -> TransportEvent {
    let mut flags =
        TransportFlags::HAS_TEMPO | TransportFlags::HAS_BEATS_TIMELINE | TransportFlags::HAS_TIME_SIGNATURE;
    flags.set(TransportFlags::IS_PLAYING, t.playing);
    flags.set(TransportFlags::IS_LOOP_ACTIVE, t.cycle.is_some());
    let (start, end) = t.cycle.unwrap_or_default();
    TransportEvent {
        header: EventHeader::new_core(0, EventFlags::empty()),
        flags,
        song_pos_beats: t.beats.into(),
        song_pos_seconds: 0.0.into(),
        tempo: t.bpm,
        tempo_inc: 0.0,
        loop_start_beats: start.into(),
        loop_end_beats: end.into(),
        loop_start_seconds: 0.0.into(),
        loop_end_seconds: 0.0.into(),
        bar_start: t.bar_start.into(),
        bar_number: t.bar,
        time_signature_numerator: t.meter.0,
        time_signature_denominator: t.meter.1,
    }
}

impl Processor for ClapProcessor {
    fn process(
        &mut self,
        frames: u32,
        transport: Option<&Transport>,
        events: &[HostEvent],
        out: &mut Vec<HostEvent>,
    ) {
        self.input.clear();
        self.sent.clear();
        events.iter().for_each(|e| self.put(e));
        let transport = transport.map(transport_event);
        self.frames = frames as usize;
        let mut ports = AudioPorts::with_capacity(0, 0);
        let inputs = ports.with_input_buffers([] as [AudioPortBuffer<
            [InputChannel<'_, f32>; 0],
            [InputChannel<'_, f64>; 0],
        >; 0]);
        let [left, right] = &mut self.output;
        let mut ports = AudioPorts::with_capacity(2, 1);
        let mut outputs = ports.with_output_buffers([AudioPortBuffer {
            channels: AudioPortBufferType::f32_output_only([
                &mut left[..frames as usize],
                &mut right[..frames as usize],
            ]),
            latency: 0,
        }]);
        let started = self.started.as_mut().expect("taken by drop only");
        let (input, mut sent) = (self.input.as_input(), self.sent.as_output());
        let mut result = None;
        self.allocations += sideman_allocator::calls(|| {
            let steady = Some(self.steady);
            result =
                Some(started.process(&inputs, &mut outputs, &input, &mut sent, steady, transport.as_ref()));
        });
        result.expect("it was called").expect("processing succeeds");
        self.steady += u64::from(frames);
        let mut last = 0;
        for event in self.sent.iter().filter_map(|e| self.read(e)) {
            assert!(event.at >= last, "events out of order: {event:?} after sample {last}");
            assert!(event.at < frames.max(1), "{event:?} in a block of {frames}");
            last = event.at;
            out.push(event);
        }
    }

    fn audio(&self) -> [&[f32]; 2] {
        [&self.output[0][..self.frames], &self.output[1][..self.frames]]
    }

    fn allocations(&self) -> usize {
        self.allocations
    }

    fn reset(&mut self) {
        self.started.as_mut().expect("taken by drop only").reset();
    }
}

impl Drop for ClapProcessor {
    fn drop(&mut self) {
        if let Some(started) = self.started.take() {
            started.stop_processing();
        }
    }
}

/// Names and features, for what installs and lists plugins.
pub(crate) fn descriptor(entry: &Entry) -> (String, String, Vec<String>) {
    let factory = entry.0.get_plugin_factory().expect("the CLAP has a plugin factory");
    let d = factory.plugin_descriptor(0).expect("one plugin");
    let text = |s: Option<&CStr>| s.map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    (text(d.id()), text(d.name()), d.features().map(|f| text(Some(f))).collect())
}
