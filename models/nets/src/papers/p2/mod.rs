//! P2's networks that make music (PopMusicNet, sections 4.2 and 4.3): a GRU on the rolls as they are, autoencoders of
//! windows, and recurrent networks on what these make of them.

mod band;
mod gru;
mod memory;
mod rnn;
#[cfg(test)]
mod tests;
mod vae;
mod weights;

pub use band::{Live, Morph, VaeRnn};
pub use gru::{RollGru, WIDTH};
pub use memory::{Cell, Recurrent, State};
pub use rnn::LatentRnn;
pub use vae::{Code, Vae, VaeLayers};
pub use weights::{Voice, VoiceHead, WINDOWS_VERSION, WrongVoices};
