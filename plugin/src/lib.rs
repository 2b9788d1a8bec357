//! Sideman as a plugin: CLAP through nice-plug, VST3 and AUv2 through clap-wrapper, and the editor.
//!
//! Only this crate names the framework, and in it only `plugin`, `params`, `choices`, `keep`, `soundfont`,
//! `entry` and `editor` do. Everything that listens and plays is in `sideman-engine`.

pub mod choices;
pub mod editor;
mod entry;
pub mod instance;
pub mod keep;
pub mod params;
pub mod plugin;
pub mod soundfont;

pub use plugin::Sideman;

clap_wrapper::export_vst3!();
#[cfg(target_os = "macos")]
clap_wrapper::export_auv2!();
