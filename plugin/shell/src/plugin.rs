//! The plugin as the framework sees it.

use std::sync::Arc;
use std::time::Instant;

use nice_plug::context::PluginApi;
use nice_plug::prelude::*;
use sideman_engine::controls::{Control, SILENT_DB};
use sideman_engine::live::{Block, Input, LiveSettings, MidiMessage, Processor};
use sideman_music::{PARTS, Part};

use crate::convert;
use crate::guard::{self, guarded};
use crate::host_note_tracker::HostNoteTracker;
use crate::instance::Instance;
use crate::instrument_slot::InstrumentSlot;
use crate::{audio_classifier, editor, triggers};

/// Most notes and messages that the engine gets at once; a block with more is cut. More than all keys of all
/// channels, which one event can lift.
const INPUTS: usize = 16 * 128 + 512;
/// How fast the load that is shown falls back, a block.
const LOAD_DECAY: f32 = 0.99;

/// An instance of Sideman in a host.
pub struct Sideman {
    instance: Arc<Instance>,
    processor: Processor,
    instrument: InstrumentSlot,
    host_notes: HostNoteTracker,
    presses: triggers::Seen,
    inputs: Box<[Input; INPUTS]>,
    /// Keys of the host that are down, by channel: some hosts lift all keys with one event.
    down: [u128; 16],
    sample_rate: f64,
    /// Programs set on the instrument, by part.
    programs: [Option<u8>; PARTS],
    load: f32,
    /// Whether a panic was caught: silent until activated anew.
    broken: bool,
}

impl Default for Sideman {
    fn default() -> Self {
        guard::install();
        let instance = Instance::new();
        let processor =
            Processor::new(instance.shared.clone()).with_audio_classifier(audio_classifier::make());
        let nothing = Input { at: 0, channel: 0, message: MidiMessage::Note { pitch: 0, velocity: 0 } };
        Self {
            presses: triggers::Seen::new(&instance.params),
            instance,
            processor,
            instrument: InstrumentSlot::default(),
            host_notes: HostNoteTracker::default(),
            inputs: Box::new([nothing; INPUTS]),
            down: [0; 16],
            sample_rate: 48_000.0,
            programs: [None; PARTS],
            load: 0.0,
            broken: false,
        }
    }
}

impl Drop for Sideman {
    fn drop(&mut self) {
        // Hosts destroy without deactivating.
        self.processor.deactivate();
    }
}

impl Plugin for Sideman {
    const NAME: &'static str = "Sideman";
    const VENDOR: &'static str = "The Sideman project";
    const URL: &'static str = "";
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    // The input is a side input: nothing of it is passed on. Hosts may leave it unconnected, or choose the layout
    // without it.
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = &[
        AudioIOLayout {
            main_output_channels: NonZeroU32::new(2),
            aux_input_ports: &[new_nonzero_u32(2)],
            names: PortNames {
                layout: Some("Stereo, with an input to listen to"),
                aux_inputs: &["Listen"],
                ..PortNames::const_default()
            },
            ..AudioIOLayout::const_default()
        },
        AudioIOLayout { main_output_channels: NonZeroU32::new(2), ..AudioIOLayout::const_default() },
    ];
    // Pedals and learned controls come as controllers.
    const MIDI_INPUT: MidiConfig = MidiConfig::MidiCCs;
    const MIDI_OUTPUT: MidiConfig = MidiConfig::MidiCCs;
    // The framework's own splitting gets the position wrong after a change of transport or metre within a
    // block; `edge` splits instead.
    const SAMPLE_ACCURATE_AUTOMATION: bool = false;
    const INPUT_EVENT_CAPACITY: usize = crate::clap_shim::EVENTS;

    type Editor = editor::Editor;
    type SysExMessage = ();
    // None: a task that is queued as an instance goes away can abort the host.
    type BackgroundTask = ();

    fn params(&self) -> Arc<dyn Params> {
        self.instance.params.clone()
    }

    fn editor(&mut self, _async_executor: AsyncExecutor<Self>) -> Option<Self::Editor> {
        // Without a screen the standalone program goes on; the framework would call it a failure.
        if crate::startup::is_headless() { None } else { editor::create(self.instance.clone()) }
    }

    fn activate(
        &mut self,
        _layout: &AudioIOLayout,
        config: &BufferConfig,
        _context: &mut impl ActivateContext<Self>,
    ) -> bool {
        // A panic on the main thread must not reach the host either.
        guarded(|| self.begin(config)).map_err(|report| self.instance.note_panic(&report)).is_ok()
    }

    fn deactivate(&mut self) {
        let _ = guarded(|| self.processor.deactivate());
    }

    fn reset(&mut self) {
        self.processor.reset();
        self.instrument.silence();
        self.down = [0; 16];
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        aux: &mut AuxiliaryBuffers,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        // The clock is asked only while somebody looks: it may be a system call.
        let began = self.instance.watched().then(Instant::now);
        let frames = buffer.samples();
        let [left, right, ..] = buffer.as_slice() else { return ProcessStatus::KeepAlive };
        self.host_notes.begin(&mut |event| context.try_send_event(event).is_ok());
        if self.broken {
            while context.next_event().is_some() {}
            left.fill(0.0);
            right.fill(0.0);
            return ProcessStatus::KeepAlive;
        }
        let heard = match aux.inputs.first_mut().map(|input| &*input.as_slice()) {
            Some([heard_left, heard_right, ..]) => (&**heard_left, &**heard_right),
            _ => (&[][..], &[][..]),
        };
        let played = guarded(|| {
            self.processor.listen(heard.0, heard.1);
            self.play(left, right, context);
        });
        if let Err(report) = played {
            self.broken = true;
            self.instance.note_panic(&report);
            left.fill(0.0);
            right.fill(0.0);
            self.host_notes.end_all(&mut |event| context.try_send_event(event).is_ok());
        }
        if let Some(began) = began
            && frames > 0
        {
            let load = began.elapsed().as_secs_f64() * self.sample_rate / frames as f64;
            self.load = (self.load * LOAD_DECAY).max(load as f32);
            self.instance.shared.set_load(self.load);
        }
        ProcessStatus::KeepAlive
    }

    fn setup_logger() -> Option<bool> {
        // The framework's own writes to the host's console and hooks panics.
        crate::logging::install();
        Some(false)
    }
}

impl Sideman {
    fn begin(&mut self, config: &BufferConfig) {
        if std::mem::take(&mut self.broken) {
            // Nobody knows in which state it was left.
            self.processor.deactivate();
            self.processor =
                Processor::new(self.instance.shared.clone()).with_audio_classifier(audio_classifier::make());
            self.instrument.replace(None);
        }
        self.sample_rate = f64::from(config.sample_rate);
        self.instance.set_rate(config.sample_rate);
        #[cfg(test)]
        if let Some(make_classifier) = self.instance.make_classifier.lock().unwrap().take() {
            self.processor =
                Processor::new(self.instance.shared.clone()).with_audio_classifier(make_classifier);
        }
        self.processor.activate(self.sample_rate, config.max_buffer_size);
        self.instance.set_latency(self.processor.latency_samples(&convert::settings(&self.instance.params)));
        self.presses = triggers::Seen::new(&self.instance.params);
        self.load = 0.0;
        self.programs = [None; PARTS];

        let (rate, font) = (config.sample_rate, self.instance.params.soundfont.path());
        if self.instrument.sound().is_some_and(|s| s.rate == rate && s.font == font) {
            return;
        }
        self.instance.inbox.pop();
        if font.is_none() || self.instance.offline() {
            // What is bounced has the right sound from its first note.
            self.instrument.replace(Some(self.instance.make_sound()));
        } else {
            if self.instrument.sound().is_none_or(|s| s.rate != rate) {
                self.instrument.replace(Some(self.instance.make_built_in()));
            }
            self.instance.load_sound();
        }
    }

    /// Plays a block, cut where more came in than the engine takes at once.
    fn play(&mut self, left: &mut [f32], right: &mut [f32], context: &mut impl ProcessContext<Self>) {
        let frames = left.len() as u32;
        let params = self.instance.params.clone();
        let standalone = context.plugin_api() == PluginApi::Standalone;
        let controls = convert::controls(&params);
        let settings = convert::settings(&params);
        let transport = convert::transport(context.transport(), standalone);
        let bypass = params.value(Control::Bypass) >= 0.5;
        let piano = match params.value(Control::PianoSound) as u8 {
            0 => standalone,
            choice => choice == 1,
        };
        self.act_on_triggers();
        self.update_sound(&settings, context);

        let mut at = 0;
        let mut waiting = None;
        loop {
            let (count, end) = self.gather(at, frames, &mut waiting, context);
            let block = Block {
                frames: end - at,
                transport: convert::later(transport, at, self.sample_rate),
                controls: &controls,
                settings: &settings,
                offline: self.instance.offline(),
                bypass,
            };
            let (left, right) = (&mut left[at as usize..end as usize], &mut right[at as usize..end as usize]);
            let outputs = self.processor.process(&block, &self.inputs[..count]);
            let mut rendered = 0;
            for output in outputs {
                let now = (output.at as usize).min(left.len());
                if now > rendered {
                    self.instrument.render(&mut left[rendered..now], &mut right[rendered..now]);
                    rendered = now;
                }
                self.instrument.play(output, piano);
                if let Some(event) = output.channel.and_then(|c| convert::goes(output, at, c)) {
                    self.host_notes.send(event, &mut |event| context.try_send_event(event).is_ok());
                }
            }
            self.instrument.render(&mut left[rendered..], &mut right[rendered..]);
            #[cfg(test)]
            assert!(
                !self.instance.break_next.swap(false, std::sync::atomic::Ordering::Relaxed),
                "on purpose"
            );
            at = end;
            if waiting.is_none() {
                break;
            }
        }
    }

    /// Fills the inputs with what came in from sample `at` of the block on; how many, and up to which sample.
    fn gather(
        &mut self,
        at: u32,
        frames: u32,
        waiting: &mut Option<convert::HostNote>,
        context: &mut impl ProcessContext<Self>,
    ) -> (usize, u32) {
        let mut count = 0;
        loop {
            let note = match waiting.take() {
                Some(note) => note,
                None => match context.next_event() {
                    Some(event) => match convert::host_note(&event) {
                        Some(note) => note,
                        None => continue,
                    },
                    None => return (count, frames),
                },
            };
            // Times that run backwards are a host's mistake.
            let time = note.at.clamp(at, frames.saturating_sub(1).max(at));
            let needed = note.needs(&self.down);
            if count + needed > INPUTS {
                let end = time.min(frames);
                *waiting = Some(note);
                return (count, end);
            }
            note.each(&mut self.down, |channel, message| {
                self.inputs[count] = Input { at: time - at, channel, message };
                count += 1;
            });
        }
    }

    fn act_on_triggers(&mut self) {
        let (processor, instrument) = (&mut self.processor, &mut self.instrument);
        self.presses.each(&self.instance.params, |control| {
            processor.press(control);
            if control == Control::Panic {
                instrument.silence();
            }
        });
    }

    /// Instrument, volume, programs and latency as they are wanted now.
    fn update_sound(&mut self, settings: &LiveSettings, context: &mut impl ProcessContext<Self>) {
        let params = &self.instance.params;
        let db = params.value(Control::Volume);
        let gain = if db <= SILENT_DB { 0.0 } else { 10f32.powf(db / 20.0) };
        self.instrument.set(params.value(Control::Sound) >= 0.5, gain);
        if self.instrument.receive(&self.instance.inbox, self.sample_rate as f32) {
            self.programs = [None; PARTS];
        }
        if let Some(scrap) = self.instrument.scrap().take()
            && let Err(scrap) = self.processor.discard(scrap)
        {
            // No room: again in the next block. What is discarded is always a sound.
            *self.instrument.scrap() = scrap.downcast().ok();
        }
        if self.instrument.newly_damaged() {
            self.instance.note_damage();
        }
        // Zeros: the band has not said yet what it plays on.
        let wanted = self.instance.shared.programs();
        for part in Part::ALL.into_iter().filter(|_| wanted != [0; PARTS]) {
            let (sent, program) = (&mut self.programs[part.index()], wanted[part.index()]);
            if *sent != Some(program) {
                *sent = Some(program);
                self.instrument.program(part.channel(), program);
            }
        }
        if self.instance.set_latency(self.processor.latency_samples(settings)) {
            context.request_restart();
        }
    }
}

impl ClapPlugin for Sideman {
    const CLAP_ID: &'static str = "org.sideman.sideman";
    const CLAP_DESCRIPTION: Option<&'static str> =
        Some("Listens to a piano and plays drums, bass, guitar and strings along");
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] =
        &[ClapFeature::Instrument, ClapFeature::NoteEffect, ClapFeature::Stereo];

    fn remote_controls(&self, context: &mut impl RemoteControlsContext) {
        use Control::*;
        let pages = [
            ("Band", [Style, Variation, Intensity, Complexity, Swing, Humanize, Fill, Freeze].to_vec()),
            ("Shape", [[Morph, Sections, Dynamics, Temperature], Part::ALL.map(Redraw)].concat()),
            ("Mix", [Part::ALL.map(Level), Part::ALL.map(Mute)].concat()),
            ("Parts", [Part::ALL.map(Density), Part::ALL.map(Lock)].concat()),
        ];
        context.add_section("Sideman", |section| {
            for (name, controls) in pages {
                section.add_page(name, |page| {
                    for control in controls {
                        // SAFETY: the parameters live as long as the instance.
                        unsafe {
                            match self.instance.params.pointer(control) {
                                ParamPtr::FloatParam(p) => page.add_param(&*p),
                                ParamPtr::IntParam(p) => page.add_param(&*p),
                                ParamPtr::BoolParam(p) => page.add_param(&*p),
                                ParamPtr::EnumParam(p) => page.add_param(&*p),
                            }
                        }
                    }
                });
            }
        });
    }
}
