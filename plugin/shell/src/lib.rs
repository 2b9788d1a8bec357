//! Sideman as a plugin: CLAP through nice-plug, VST3 and AUv2 through clap-wrapper, and the editor.
//!
//! Only this crate names the framework, and in it only `plugin`, `params`, `persist`, `soundfont`,
//! `entry` and `editor` do. Everything that listens and plays is in `sideman-engine`.

mod audio_classifier;
mod clap_shim;
pub mod convert;
pub mod editor;
mod entry;
mod guard;
mod host_note_tracker;
pub mod instance;
pub mod instrument_slot;
mod logging;
pub mod params;
pub mod persist;
pub mod plugin;
pub mod presets;
pub mod soundfont;
pub mod startup;
pub mod state;
mod triggers;

pub use entry::clap_entry;
pub use plugin::Sideman;

/// Runs the standalone program with its arguments, the program's name first, until it is closed. Whether it ran.
#[cfg(feature = "standalone")]
pub fn run_standalone(arguments: Vec<String>) -> bool {
    nice_plug::prelude::nice_export_standalone_with_args::<Sideman, _>(arguments)
}

clap_wrapper::export_vst3!();
#[cfg(target_os = "macos")]
clap_wrapper::export_auv2!();
