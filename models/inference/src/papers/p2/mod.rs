//! P2's generator as it is played (PopMusicNet, section 4.3): autoencoders of windows, and recurrent networks on what
//! these make of them.

mod band;
mod networks;
#[cfg(test)]
mod tests;
mod voice;

pub use band::{Live, Morph, VaeRnn};
pub use networks::{Cell, LatentRnn, State, Vae};
pub use voice::{Voice, VoiceHead, WINDOWS_VERSION, WrongVoices};
