//! The plugin as the framework sees it.

use std::sync::Arc;

use nice_plug::prelude::*;
use sideman_engine::live::Performer;

use crate::editor;
use crate::instance::Instance;

/// An instance of Sideman in a host.
pub struct Sideman {
    instance: Arc<Instance>,
    performer: Performer,
}

impl Default for Sideman {
    fn default() -> Self {
        let instance = Instance::new();
        let performer = Performer::new(instance.shared.clone());
        Self { instance, performer }
    }
}

impl Plugin for Sideman {
    const NAME: &'static str = "Sideman";
    const VENDOR: &'static str = "The Sideman project";
    const URL: &'static str = "";
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] =
        &[AudioIOLayout { main_output_channels: NonZeroU32::new(2), ..AudioIOLayout::const_default() }];
    const MIDI_INPUT: MidiConfig = MidiConfig::MidiCCs;
    const MIDI_OUTPUT: MidiConfig = MidiConfig::MidiCCs;

    type Editor = editor::Editor;
    type SysExMessage = ();
    type BackgroundTask = ();

    fn params(&self) -> Arc<dyn Params> {
        self.instance.params.clone()
    }

    fn editor(&mut self, _async_executor: AsyncExecutor<Self>) -> Option<Self::Editor> {
        editor::create(self.instance.clone())
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        _aux: &mut AuxiliaryBuffers,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        for channel in buffer.as_slice() {
            channel.fill(0.0);
        }
        while let Some(event) = context.next_event() {
            let _ = context.try_send_event(event);
        }
        ProcessStatus::KeepAlive
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
}
