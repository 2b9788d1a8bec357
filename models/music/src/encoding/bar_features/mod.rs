//! Encodings of music for telling its genre: P2's piano-rolls, windows of a piano alone, and figures of a
//! whole band bar by bar.
//!
//! What these encodings share: time comes from the file's own metre and tempo maps, and every length is
//! bounded, so that a file of ten hours costs no more than its notes and [`MOST_BARS`] bars.

pub mod band;
pub mod bars;
pub mod baseline;
pub mod part;
pub mod piano;
pub mod rolls;

pub use band::{BAND_FEATURES, BandBars, band_bars};
pub use bars::{Bar, MOST_BARS, bars};
pub use baseline::{BASELINE_FEATURES, programs_and_tempo};
pub use part::PART_FEATURES;
pub use piano::{PIANO_FEATURES, PianoBars, PianoWindow, WINDOW_BARS, piano_notes, windows};
pub use rolls::{ROLL_PITCHES, ROLL_STEPS, ROLL_TRACKS, Rolls};
