//! As little of a VST3 host as there can be: load, create, start, process.

use std::ffi::c_void;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, BusDirections_, IAudioProcessor, IAudioProcessorTrait,
    IComponent, IComponentTrait, IHostApplication, IHostApplicationTrait, MediaTypes_, ProcessContext,
    ProcessContext_::StatesAndFlags_, ProcessData, ProcessModes_, ProcessSetup, String128,
    SymbolicSampleSizes_,
};
use vst3::Steinberg::{
    FUnknown, IPluginBaseTrait, IPluginFactory, IPluginFactoryTrait, PClassInfo, TUID, kNotImplemented,
    kResultOk, tresult,
};
use vst3::{Class, ComPtr, ComWrapper, Interface};

use crate::card::{BLOCK, RATE};

struct Host;

impl Class for Host {
    type Interfaces = (IHostApplication,);
}

impl IHostApplicationTrait for Host {
    unsafe fn getName(&self, name: *mut String128) -> tresult {
        // SAFETY: the plugin hands in a place for a name.
        unsafe { name.cast::<[u16; 2]>().write([u16::from(b'B'), 0]) };
        kResultOk
    }

    unsafe fn createInstance(&self, _: *mut TUID, _: *mut TUID, _: *mut *mut c_void) -> tresult {
        kNotImplemented
    }
}

/// A loaded bundle. It stays loaded until the program ends.
pub(crate) struct Bundle {
    factory: ComPtr<IPluginFactory>,
    class: TUID,
    host: ComWrapper<Host>,
}

impl Bundle {
    pub(crate) fn load(path: &Path) -> Result<Self> {
        // SAFETY: the library is ours, just built; its symbols have the types that VST3 gives them. It is never
        // unloaded.
        unsafe {
            let library = libloading::Library::new(path).with_context(|| path.display().to_string())?;
            let enter = *library.get::<unsafe extern "system" fn(*mut c_void) -> bool>(b"ModuleEntry\0")?;
            let get =
                *library.get::<unsafe extern "system" fn() -> *mut IPluginFactory>(b"GetPluginFactory\0")?;
            std::mem::forget(library);
            ensure!(enter(std::ptr::dangling_mut::<c_void>()), "the module does not enter");
            let factory = ComPtr::from_raw(get()).context("no factory")?;
            let mut info: PClassInfo = std::mem::zeroed();
            ensure!(factory.getClassInfo(0, &mut info) == kResultOk, "no class");
            Ok(Self { factory, class: info.cid, host: ComWrapper::new(Host) })
        }
    }

    /// A new instance, active and processing.
    pub(crate) fn start(&self) -> Result<Instance> {
        let mut setup = ProcessSetup {
            processMode: ProcessModes_::kRealtime as i32,
            symbolicSampleSize: SymbolicSampleSizes_::kSample32 as i32,
            maxSamplesPerBlock: BLOCK as i32,
            sampleRate: RATE,
        };
        let mut object: *mut c_void = std::ptr::null_mut();
        let (audio, event) = (MediaTypes_::kAudio as i32, MediaTypes_::kEvent as i32);
        let (input, output) = (BusDirections_::kInput as i32, BusDirections_::kOutput as i32);
        // SAFETY: calls in the order that VST3 asks for; what is created belongs to the pointer made of it.
        unsafe {
            let (class, interface) = (self.class.as_ptr().cast(), IComponent::IID.as_ptr().cast());
            let created = self.factory.createInstance(class, interface, &mut object);
            ensure!(created == kResultOk, "no instance");
            let component = ComPtr::from_raw(object.cast::<IComponent>()).context("no component")?;
            let host = self.host.to_com_ptr::<FUnknown>().context("no host")?;
            ensure!(component.initialize(host.as_ptr()) == kResultOk, "the plugin does not initialise");
            let processor = component.cast::<IAudioProcessor>().context("no processor")?;
            ensure!(processor.setupProcessing(&mut setup) == kResultOk, "the plugin takes no setup");
            for (kind, direction) in [(audio, output), (event, input), (event, output)] {
                ensure!(component.activateBus(kind, direction, 0, 1) == kResultOk, "a bus is missing");
            }
            ensure!(component.setActive(1) == kResultOk, "the plugin does not activate");
            processor.setProcessing(1);
            Ok(Instance { component, processor })
        }
    }
}

/// An active instance.
pub(crate) struct Instance {
    component: ComPtr<IComponent>,
    processor: ComPtr<IAudioProcessor>,
}

impl Instance {
    /// Processes a block with a transport that runs from the start, at 120 BPM.
    pub(crate) fn process(&self, sample: u64) -> Result<()> {
        let mut samples = [[0.0f32; BLOCK as usize]; 2];
        let mut channels = samples.each_mut().map(|c| c.as_mut_ptr());
        let mut bus = AudioBusBuffers {
            numChannels: 2,
            silenceFlags: 0,
            __field0: AudioBusBuffers__type0 { channelBuffers32: channels.as_mut_ptr() },
        };
        // SAFETY: numbers only; zero is a value of each.
        let mut context: ProcessContext = unsafe { std::mem::zeroed() };
        context.state = StatesAndFlags_::kPlaying
            | StatesAndFlags_::kTempoValid
            | StatesAndFlags_::kProjectTimeMusicValid
            | StatesAndFlags_::kTimeSigValid;
        (context.sampleRate, context.tempo) = (RATE, 120.0);
        (context.timeSigNumerator, context.timeSigDenominator) = (4, 4);
        context.projectTimeSamples = sample as i64;
        context.projectTimeMusic = sample as f64 / RATE * 2.0;
        let mut data = ProcessData {
            processMode: ProcessModes_::kRealtime as i32,
            symbolicSampleSize: SymbolicSampleSizes_::kSample32 as i32,
            numSamples: BLOCK as i32,
            numInputs: 0,
            numOutputs: 1,
            inputs: std::ptr::null_mut(),
            outputs: &mut bus,
            inputParameterChanges: std::ptr::null_mut(),
            outputParameterChanges: std::ptr::null_mut(),
            inputEvents: std::ptr::null_mut(),
            outputEvents: std::ptr::null_mut(),
            processContext: &mut context,
        };
        // SAFETY: all that the data points to lives through the call.
        let done = unsafe { self.processor.process(&mut data) };
        ensure!(done == kResultOk, "processing failed");
        Ok(())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: in the order that VST3 asks for.
        unsafe {
            self.processor.setProcessing(0);
            self.component.setActive(0);
            self.component.terminate();
        }
    }
}
