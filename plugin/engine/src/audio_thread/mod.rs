//! What runs on the audio thread: from decided notes to MIDI messages, and from a block of the host to messages
//! for the band thread.
//!
//! Nothing here allocates, locks, waits or reads a clock; all structures have a fixed size. What the main thread
//! does with them while nothing is processed is marked where it stands. The offline renderer schedules its notes
//! with the same code.

#![deny(clippy::disallowed_types, clippy::disallowed_methods, clippy::disallowed_macros)]

mod audio_end;
mod audio_input;
mod bar_fallback;
mod clock;
mod midi_learn;
mod output_mixer;
mod processor;
mod router;
mod scheduler;
mod sounding;
mod tempo_line;
mod timeline;

pub(crate) use audio_end::AudioEnd;
pub use bar_fallback::BarFallback;
pub use clock::{Bar, Clock, ClockChoice, ClockSource, Transport, Turn};
pub use processor::Processor;
pub use router::{RoutedNote, Router, Routing};
pub use scheduler::{Counts, Scheduler};
pub use sounding::Sounding;
pub use timeline::{Due, TIMELINE_CAPACITY, Timeline};
