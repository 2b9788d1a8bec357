//! The band live: an audio thread that is never kept waiting, and a thread that listens and decides.
//!
//! [`Performer`] belongs to the audio thread. Each block it turns the host's transport into musical time,
//! tells the band's thread which keys moved when, takes the notes that were decided, and gives out what is
//! due. The band's thread, one for each performer and named `sideman-band`, runs the same
//! [`crate::player::Player`] as the offline renderer, at the same decision points. Between the two there are
//! rings only; between them and an editor there is [`Shared`].

mod block;
mod capture;
mod desk;
mod editor_feed;
mod intake;
mod learn;
mod overlay;
mod performer;
mod preview;
mod priority;
mod queues;
mod shared;
#[cfg(test)]
mod tests;
mod thread;

pub use block::{
    Block, ClockChoice, ClockSource, Input, LiveSettings, MidiMessage, Output, Route, Sending, Transport,
    Voice,
};
pub use learn::{ACTIONS, Action, Trigger};
pub use performer::Performer;
pub use shared::{EditorState, Expected, RollNote, Shared, Status, Task, TempoPoint};
