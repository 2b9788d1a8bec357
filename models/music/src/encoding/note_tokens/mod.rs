//! Notes and chords as categories, as paper P5 has them, with an inverse; and strokes, which keep more.
//!
//! "Music Generation Using Recurrent Neural Networks" (P5), section 3.2, reads a piece as one line of objects, notes
//! or chords, each named by what it is and by the type of its duration. [`sonorities`] finds the objects,
//! [`Category`] is the paper's name of one, [`Vocabulary`] numbers them. A category forgets when the next object
//! begins and how a chord lies, so that two hands come back one after the other; a [`Stroke`] keeps both.

mod category;
mod sonority;
mod strokes;
mod value;
mod vocabulary;

pub use category::{Category, Kind, PitchSet};
pub use sonority::{Sonority, sonorities};
pub use strokes::{
    BarPlace, GAPS, LENGTHS, LOWEST_PITCH, PITCHES, POSITIONS, Shapes, Stroke, gap_units, length_units,
    strike, strokes,
};
pub use value::NoteValue;
pub use vocabulary::Vocabulary;

use crate::time::{PULSES_PER_BEAT, Pulse};

/// Finest unit of both grids together: a twelfth of a quarter note, in pulses.
pub const UNIT: Pulse = PULSES_PER_BEAT / 12;
/// A 16th note in units.
const SIXTEENTH: i64 = 3;
/// An eighth note of a triplet in units.
const TRIPLET: i64 = 4;

/// A time or a duration in pulses on the nearer of two grids, 16ths and eighth triplets (what music21 reads MIDI
/// files by unless stated otherwise), in units; at the same distance the 16ths'.
pub fn quantise(pulses: Pulse) -> i64 {
    let nearest = |step: i64| {
        let step = step * UNIT;
        (pulses + step / 2).div_euclid(step) * step
    };
    let (even, triplet) = (nearest(SIXTEENTH), nearest(TRIPLET));
    let best = if (triplet - pulses).abs() < (even - pulses).abs() { triplet } else { even };
    best / UNIT
}
