//! What the audio thread owns: from planned notes to note messages.
//!
//! Nothing here allocates, locks, waits or looks at a clock; all structures have a fixed size. The
//! offline renderer runs the same code, so that both give the same notes.

#![deny(clippy::disallowed_types, clippy::disallowed_methods, clippy::disallowed_macros)]

mod clock;
mod echo;
mod line;
mod router;
mod scheduler;
mod sounding;
mod timeline;

pub use clock::{Bar, Clock, ClockChoice, ClockSource, Transport, Turn};
pub use echo::BarFallback;
pub use router::{RoutedNote, Router, Routing};
pub use scheduler::{Counts, Scheduler};
pub use sounding::Sounding;
pub use timeline::{Due, TIMELINE_CAPACITY, Timeline};

use sideman_music::{Note, Part, Pulse};

/// What the player asks of the audio thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Play a note.
    Play(Part, Note),
    /// Let go of every note that sounds at this pulse; notes that begin there are not meant.
    Release(Pulse),
    /// Forget all that is planned from this pulse on.
    CancelFrom(Pulse),
}

/// A note message, to be sent in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// When, in pulses.
    pub at: Pulse,
    /// Whose note.
    pub part: Part,
    /// MIDI pitch.
    pub pitch: u8,
    /// Velocity 1 to 127 for a note-on, 0 for a note-off.
    pub velocity: u8,
}
