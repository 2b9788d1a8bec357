//! The band live: an audio thread that never waits, and a band thread that hears and decides.
//!
//! [`Processor`] belongs to the audio thread (`audio_thread`). Each block it turns the host's transport into
//! musical time, sends the band thread the piano's key movements with their times, receives the notes that were
//! decided, and outputs what is due. The band thread (`band_thread`), one for each processor and named
//! `sideman-band`, runs the same [`crate::play::Player`] as the offline renderer, at the same decision points. Between
//! the two threads there are queues only (`queues`); both share [`Shared`] with an editor.

mod capture;
mod learn;
pub(crate) mod queues;
mod shared;
#[cfg(test)]
mod tests;

pub use crate::audio_thread::Processor;
pub use crate::messages::{
    Block, ClockChoice, ClockSource, Input, LiveSettings, MidiMessage, Output, Route, Sending, TempoPoint,
    Transport, Voice,
};
pub use learn::Trigger;
pub use queues::Garbage;
pub(crate) use shared::KEPT;
pub use shared::{EditorState, Expected, RollNote, Shared, Status, Task};
