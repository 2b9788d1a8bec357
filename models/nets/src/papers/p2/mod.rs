//! P2's networks that make music (PopMusicNet, sections 4.2 and 4.3): a GRU on the rolls as they are, autoencoders of
//! windows, and recurrent networks on what these make of them.

mod gru;
mod memory;
mod rnn;
#[cfg(test)]
mod tests;
mod vae;

pub use gru::{RollGru, WIDTH};
pub use memory::{Recurrent, State};
pub use vae::{Code, VaeLayers};
