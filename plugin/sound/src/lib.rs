//! The sound of the band, fit for the audio thread: built-in instruments computed from formulas, or a
//! SoundFont 2. The plugin plays an [`Ensemble`] live and `sideman render --wav` plays the same one offline.

mod band;
mod bank;
mod channels;
mod ensemble;
mod font;
mod master;
mod pace;

pub use ensemble::Ensemble;
pub use font::SoundfontError;
