//! Notes, musical time, scores, chords, encodings and Standard MIDI Files.
//!
//! Everything here is plain data and arithmetic: no networks, no threads, no host. The encodings live
//! in this crate because the player must decode what the trainer wrote.

pub mod chord;
pub mod encoding;
pub mod family;
#[cfg(feature = "hostile")]
#[doc(hidden)]
pub mod hostile;
pub mod key;
pub mod listen;
pub mod score;
pub mod smf;
pub mod summary;
pub mod time;

pub use encoding::grid::{BandStep, Chord};
pub use family::{Family, PARTS, Part};
pub use listen::{Listener, PianoFrame};
pub use score::{Note, Score, Track};
pub use time::{Meter, MeterMap, PULSES_PER_BEAT, PULSES_PER_TICK, Pulse, STEP_PULSES, TempoMap, Tick};
