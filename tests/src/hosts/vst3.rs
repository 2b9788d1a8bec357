//! A VST3 host on the bare interfaces of the format.

use std::collections::BTreeSet;
use std::ffi::{c_char, c_void};
use std::path::Path;
use std::sync::Arc;

use libloading::Library;
use vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, BusDirections_, ControllerNumbers_, Event, Event_::EventTypes_,
    Event__type0, IAudioProcessor, IAudioProcessorTrait, IComponent, IComponentHandler, IComponentTrait,
    IEditController, IEditControllerTrait, IEventList, IMidiMapping, IMidiMappingTrait, IParameterChanges,
    MediaTypes_, NoteOffEvent, NoteOnEvent, ParameterInfo, ParameterInfo_::ParameterFlags_, ProcessContext,
    ProcessContext_::StatesAndFlags_, ProcessData, ProcessModes_, ProcessSetup, String128,
    SymbolicSampleSizes_,
};
use vst3::Steinberg::{
    FUnknown, IBStream, IPluginBaseTrait, IPluginFactory, IPluginFactoryTrait, PClassInfo, TUID, kResultOk,
    tresult,
};
use vst3::{ComPtr, ComWrapper, Interface};

use super::vst3_objects::{Application, Changes, Events, Stream};
use super::{Event as HostEvent, Instance, Message, Parameter, Processor, Setup, Transport};

/// The loaded bundle.
pub(crate) struct Module {
    /// Taken before the library is unloaded.
    factory: Option<ComPtr<IPluginFactory>>,
    class: TUID,
    library: Library,
}

// SAFETY: the factory is only asked for instances, from one thread at a time in these tests.
unsafe impl Sync for Module {}

impl Module {
    pub(super) fn load(bundle: &Path) -> Arc<Self> {
        let path = bundle.join("Contents/x86_64-linux/Sideman.so");
        // SAFETY: loading runs code of the bundle, which is ours and was just built; the symbols have the
        // types that the format gives them.
        unsafe {
            let library = Library::new(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let entry = library.get::<unsafe extern "system" fn(*mut c_void) -> bool>(b"ModuleEntry\0");
            let handle = std::ptr::dangling_mut::<c_void>();
            assert!(entry.expect("ModuleEntry")(handle), "the module does not enter");
            let get =
                library.get::<unsafe extern "system" fn() -> *mut IPluginFactory>(b"GetPluginFactory\0");
            let factory = ComPtr::from_raw(get.expect("GetPluginFactory")()).expect("a factory");
            let mut info: PClassInfo = std::mem::zeroed();
            assert_eq!(factory.getClassInfo(0, &mut info), kResultOk);
            let category: Vec<u8> = info.category.iter().take_while(|c| **c != 0).map(|c| *c as u8).collect();
            assert_eq!(category, b"Audio Module Class");
            Arc::new(Self { factory: Some(factory), class: info.cid, library })
        }
    }

    pub(super) fn create(self: &Arc<Self>) -> Vst3 {
        let factory = self.factory.as_ref().expect("taken by drop only");
        let mut object: *mut c_void = std::ptr::null_mut();
        let host = ComWrapper::new(Application);
        // SAFETY: the calls go as the format has them; what is created belongs to the pointer made of it.
        unsafe {
            let class = self.class.as_ptr().cast::<c_char>();
            let interface = IComponent::IID.as_ptr().cast::<c_char>();
            ok(factory.createInstance(class, interface, &mut object), "createInstance");
            let component = ComPtr::from_raw(object.cast::<IComponent>()).expect("a component");
            let context = host.to_com_ptr::<FUnknown>().expect("the host");
            ok(component.initialize(context.as_ptr()), "initialize");
            let controller = component.cast::<IEditController>().expect("component and controller are one");
            let handler = host.to_com_ptr::<IComponentHandler>().expect("the host");
            ok(controller.setComponentHandler(handler.as_ptr()), "setComponentHandler");
            let audio = component.cast::<IAudioProcessor>().expect("an audio processor");
            let mapping = component.cast::<IMidiMapping>();
            let mut vst3 = Vst3 {
                component,
                controller,
                audio,
                mapping,
                parameters: Vec::new(),
                active: false,
                _host: host,
                _module: self.clone(),
            };
            vst3.parameters = vst3.read_parameters();
            vst3
        }
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        drop(self.factory.take());
        // SAFETY: nothing of the module is used any more.
        unsafe {
            let exit = self.library.get::<unsafe extern "system" fn() -> bool>(b"ModuleExit\0");
            assert!(exit.expect("ModuleExit")(), "the module does not exit");
        }
    }
}

/// Up to the first zero; what follows it is anything.
fn string(text: &String128) -> String {
    let end = text.iter().position(|c| *c == 0).unwrap_or(text.len());
    String::from_utf16(&text[..end]).expect("texts are UTF-16")
}

fn ok(result: tresult, what: &str) {
    assert_eq!(result, kResultOk, "{what} fails");
}

/// An instance.
pub(crate) struct Vst3 {
    component: ComPtr<IComponent>,
    controller: ComPtr<IEditController>,
    audio: ComPtr<IAudioProcessor>,
    mapping: Option<ComPtr<IMidiMapping>>,
    /// They never change.
    parameters: Vec<Parameter>,
    active: bool,
    _host: ComWrapper<Application>,
    _module: Arc<Module>,
}

impl Vst3 {
    /// What stands for MIDI controllers.
    fn midi_parameters(&self) -> BTreeSet<u32> {
        let Some(mapping) = &self.mapping else { return BTreeSet::new() };
        let all = (0..16).flat_map(|channel| (0..130).map(move |number| (channel, number)));
        all.filter_map(|(channel, number)| assigned(mapping, channel, number)).collect()
    }

    fn read_parameters(&self) -> Vec<Parameter> {
        let midi = self.midi_parameters();
        let mut all = Vec::new();
        // SAFETY: the controller fills in what it is handed.
        unsafe {
            for i in 0..self.controller.getParameterCount() {
                let mut info: ParameterInfo = std::mem::zeroed();
                ok(self.controller.getParameterInfo(i, &mut info), "getParameterInfo");
                let has = |flag| info.flags & flag != 0;
                let bypass = has(ParameterFlags_::kIsBypass);
                let program = has(ParameterFlags_::kIsProgramChange);
                if !has(ParameterFlags_::kIsHidden) && !program && !midi.contains(&info.id) {
                    let (name, default) = (string(&info.title), info.defaultNormalizedValue);
                    all.push(Parameter { id: info.id, name, default, bypass });
                }
            }
        }
        all
    }
}

/// The parameter that stands for a controller, a bend or a pressure.
fn assigned(mapping: &ComPtr<IMidiMapping>, channel: u8, number: u32) -> Option<u32> {
    let mut id = 0;
    // SAFETY: the plugin writes the id.
    let result = unsafe { mapping.getMidiControllerAssignment(0, channel.into(), number as i16, &mut id) };
    (result == kResultOk).then_some(id)
}

impl Instance for Vst3 {
    fn activate(&mut self, setup: Setup) -> Box<dyn Processor> {
        let mode = if setup.offline { ProcessModes_::kOffline } else { ProcessModes_::kRealtime };
        let mut process = ProcessSetup {
            processMode: mode as i32,
            symbolicSampleSize: SymbolicSampleSizes_::kSample32 as i32,
            maxSamplesPerBlock: setup.max_block as i32,
            sampleRate: setup.rate,
        };
        let (audio, event) = (MediaTypes_::kAudio as i32, MediaTypes_::kEvent as i32);
        let (input, output) = (BusDirections_::kInput as i32, BusDirections_::kOutput as i32);
        // SAFETY: as the format has it.
        unsafe {
            ok(self.audio.setupProcessing(&mut process), "setupProcessing");
            assert_eq!(self.component.getBusCount(audio, input), 0);
            for (kind, direction) in [(audio, output), (event, input), (event, output)] {
                assert_eq!(self.component.getBusCount(kind, direction), 1);
                ok(self.component.activateBus(kind, direction, 0, 1), "activateBus");
            }
            ok(self.component.setActive(1), "setActive");
            ok(self.audio.setProcessing(1), "setProcessing");
        }
        self.active = true;
        let silence = vec![0.0; setup.max_block as usize];
        Box::new(Vst3Processor {
            audio: self.audio.clone(),
            mapping: self.mapping.clone(),
            mode: mode as i32,
            rate: setup.rate,
            output: [silence.clone(), silence],
            frames: 0,
        })
    }

    fn deactivate(&mut self) {
        // SAFETY: the processor, which used the audio interface, has stopped.
        unsafe { ok(self.component.setActive(0), "setActive") };
        self.active = false;
    }

    fn save(&mut self) -> Vec<u8> {
        let stream = ComWrapper::new(Stream::default());
        let pointer = stream.to_com_ptr::<IBStream>().expect("a stream");
        // SAFETY: the stream lives through the call.
        unsafe { ok(self.component.getState(pointer.as_ptr()), "getState") };
        stream.bytes.borrow().clone()
    }

    fn load(&mut self, state: &[u8]) -> bool {
        let give = || ComWrapper::new(Stream::of(state)).to_com_ptr::<IBStream>().expect("a stream");
        // SAFETY: the streams live through the calls.
        unsafe {
            let taken = self.component.setState(give().as_ptr()) == kResultOk;
            self.controller.setComponentState(give().as_ptr());
            taken
        }
    }

    fn parameters(&mut self) -> Vec<Parameter> {
        self.parameters.clone()
    }

    fn value(&mut self, id: u32) -> f64 {
        // SAFETY: no pointers are involved.
        unsafe { self.controller.getParamNormalized(id) }
    }

    fn text(&mut self, id: u32, value: f64) -> String {
        let mut text: String128 = [0; 128];
        // SAFETY: the controller writes into the text.
        unsafe { ok(self.controller.getParamStringByValue(id, value, &mut text), "getParamStringByValue") };
        string(&text)
    }

    fn parse(&mut self, id: u32, text: &str) -> Option<f64> {
        let mut text: Vec<u16> = text.encode_utf16().chain([0]).collect();
        let mut value = 0.0;
        // SAFETY: the text ends with a zero, and the controller writes the value.
        let result = unsafe { self.controller.getParamValueByString(id, text.as_mut_ptr(), &mut value) };
        (result == kResultOk).then_some(value)
    }

    fn set(&mut self, id: u32, value: f64) {
        // SAFETY: no pointers are involved.
        unsafe { ok(self.controller.setParamNormalized(id, value), "setParamNormalized") };
    }

    fn latency(&mut self) -> u32 {
        // SAFETY: no pointers are involved.
        unsafe { self.audio.getLatencySamples() }
    }

    fn idle(&mut self) {}
}

impl Drop for Vst3 {
    fn drop(&mut self) {
        // SAFETY: as the format has it: inactive, then terminated, then released.
        unsafe {
            if self.active {
                self.component.setActive(0);
            }
            self.controller.setComponentHandler(std::ptr::null_mut());
            self.component.terminate();
        }
    }
}

struct Vst3Processor {
    audio: ComPtr<IAudioProcessor>,
    mapping: Option<ComPtr<IMidiMapping>>,
    mode: i32,
    rate: f64,
    output: [Vec<f32>; 2],
    frames: usize,
}

impl Vst3Processor {
    /// A controller, bend or pressure goes in as the parameter that stands for it.
    fn midi(&self, data: [u8; 3]) -> Option<(u32, f64)> {
        let (number, value) = match data[0] & 0xF0 {
            0xB0 => (u32::from(data[1]), f64::from(data[2]) / 127.0),
            0xD0 => (ControllerNumbers_::kAfterTouch, f64::from(data[1]) / 127.0),
            0xE0 => {
                let bend = u16::from(data[2]) << 7 | u16::from(data[1]);
                (ControllerNumbers_::kPitchBend, f64::from(bend) / 16383.0)
            }
            _ => return None,
        };
        Some((assigned(self.mapping.as_ref()?, data[0] & 15, number)?, value))
    }
}

fn note_event(at: u32, kind: u32, note: Event__type0) -> Event {
    Event {
        busIndex: 0,
        sampleOffset: at as i32,
        ppqPosition: 0.0,
        flags: 0,
        r#type: kind as u16,
        __field0: note,
    }
}

fn process_context(t: &Transport, rate: f64) -> ProcessContext {
    // SAFETY: numbers only; zero is a value of each.
    let mut context: ProcessContext = unsafe { std::mem::zeroed() };
    context.state = StatesAndFlags_::kTempoValid
        | StatesAndFlags_::kProjectTimeMusicValid
        | StatesAndFlags_::kBarPositionValid
        | StatesAndFlags_::kTimeSigValid;
    if t.playing {
        context.state |= StatesAndFlags_::kPlaying;
    }
    if let Some((start, end)) = t.cycle {
        context.state |= StatesAndFlags_::kCycleActive | StatesAndFlags_::kCycleValid;
        (context.cycleStartMusic, context.cycleEndMusic) = (start, end);
    }
    context.sampleRate = rate;
    context.projectTimeSamples = t.samples;
    context.projectTimeMusic = t.beats;
    context.barPositionMusic = t.bar_start;
    context.tempo = t.bpm;
    (context.timeSigNumerator, context.timeSigDenominator) = (i32::from(t.meter.0), i32::from(t.meter.1));
    context
}

fn read(event: &Event) -> Option<HostEvent> {
    let narrow = |v: i16| u8::try_from(v).expect("channel and pitch are MIDI's");
    let at = u32::try_from(event.sampleOffset).expect("an offset in the block");
    // SAFETY: the type says which of the fields is there.
    let message = unsafe {
        match u32::from(event.r#type) {
            EventTypes_::kNoteOnEvent => {
                let n = event.__field0.noteOn;
                Message::on(narrow(n.channel), narrow(n.pitch), f64::from(n.velocity))
            }
            EventTypes_::kNoteOffEvent => {
                let n = event.__field0.noteOff;
                Message::Off { channel: narrow(n.channel), pitch: narrow(n.pitch) }
            }
            EventTypes_::kLegacyMIDICCOutEvent => {
                let m = event.__field0.midiCCOut;
                Message::Midi([0xB0 | m.channel as u8, m.controlNumber, m.value as u8])
            }
            _ => return None,
        }
    };
    Some(HostEvent { at, message })
}

impl Processor for Vst3Processor {
    fn process(
        &mut self,
        frames: u32,
        transport: Option<&Transport>,
        events: &[HostEvent],
        out: &mut Vec<HostEvent>,
    ) {
        let (input, output) = (ComWrapper::new(Events::default()), ComWrapper::new(Events::default()));
        let (changes, changed) = (ComWrapper::new(Changes::default()), ComWrapper::new(Changes::default()));
        for event in events {
            let at = event.at;
            let note = match event.message {
                Message::On { channel, pitch, velocity } => {
                    let note = NoteOnEvent {
                        channel: i16::from(channel),
                        pitch: i16::from(pitch),
                        tuning: 0.0,
                        velocity: f32::from(velocity) / 127.0,
                        length: 0,
                        noteId: -1,
                    };
                    Some(note_event(at, EventTypes_::kNoteOnEvent, Event__type0 { noteOn: note }))
                }
                Message::Off { channel, pitch } => {
                    let note = NoteOffEvent {
                        channel: i16::from(channel),
                        pitch: i16::from(pitch),
                        velocity: 0.0,
                        noteId: -1,
                        tuning: 0.0,
                    };
                    Some(note_event(at, EventTypes_::kNoteOffEvent, Event__type0 { noteOff: note }))
                }
                Message::Midi(data) => {
                    if let Some((id, value)) = self.midi(data) {
                        changes.add(id, at as i32, value);
                    }
                    None
                }
                Message::Set { id, value } => {
                    changes.add(id, at as i32, value);
                    None
                }
            };
            input.0.borrow_mut().extend(note);
        }
        self.frames = frames as usize;
        let mut context = transport.map(|t| process_context(t, self.rate));
        let mut channels = self.output.each_mut().map(|c| c.as_mut_ptr());
        let mut bus = AudioBusBuffers {
            numChannels: 2,
            silenceFlags: 0,
            __field0: AudioBusBuffers__type0 { channelBuffers32: channels.as_mut_ptr() },
        };
        let events = |list: &ComWrapper<Events>| list.to_com_ptr::<IEventList>().expect("a list");
        let parameters = |list: &ComWrapper<Changes>| list.to_com_ptr::<IParameterChanges>().expect("a list");
        let (in_events, out_events) = (events(&input), events(&output));
        let (in_changes, out_changes) = (parameters(&changes), parameters(&changed));
        let mut data = ProcessData {
            processMode: self.mode,
            symbolicSampleSize: SymbolicSampleSizes_::kSample32 as i32,
            numSamples: frames as i32,
            numInputs: 0,
            numOutputs: 1,
            inputs: std::ptr::null_mut(),
            outputs: &mut bus,
            inputParameterChanges: in_changes.as_ptr(),
            outputParameterChanges: out_changes.as_ptr(),
            inputEvents: in_events.as_ptr(),
            outputEvents: out_events.as_ptr(),
            processContext: context.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut),
        };
        // SAFETY: all that the data points to lives through the call.
        unsafe { ok(self.audio.process(&mut data), "process") };
        let mut last = 0;
        for event in output.0.borrow().iter().filter_map(read) {
            assert!(event.at >= last, "events out of order: {event:?} after sample {last}");
            assert!(event.at < frames.max(1), "{event:?} in a block of {frames}");
            last = event.at;
            out.push(event);
        }
        for changed in changed.0.borrow().iter() {
            let points = changed.points.borrow();
            out.extend(points.iter().map(|&(at, value)| HostEvent {
                at: at as u32,
                message: Message::Set { id: changed.id, value },
            }));
        }
    }

    fn audio(&self) -> [&[f32]; 2] {
        [&self.output[0][..self.frames], &self.output[1][..self.frames]]
    }

    fn reset(&mut self) {
        // SAFETY: no pointers are involved. VST3 has no other reset.
        unsafe {
            self.audio.setProcessing(0);
            ok(self.audio.setProcessing(1), "setProcessing");
        }
    }
}

impl Drop for Vst3Processor {
    fn drop(&mut self) {
        // SAFETY: no pointers are involved.
        unsafe {
            self.audio.setProcessing(0);
        }
    }
}
