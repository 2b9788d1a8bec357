//! What the heads of the network read about a position beside the trunk.

use sideman_music::encoding::grid::DRUM_CLASSES;
#[cfg(doc)]
use sideman_music::encoding::grid::{BASS_LOW, CHORD_LOW, LENGTH_BINS, VELOCITY_BINS};

use super::sizes::{BASS_MASKS, CHORD_MASKS, LAGS, MOST_MASKS};

/// What the drums' heads read about a position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DrumRow {
    /// Onset by class at each lag: 1 for played, -1 for not, 0 where there is nothing to look back at.
    pub copies: [[f32; DRUM_CLASSES]; LAGS],
    /// Last velocity bin by class, [`VELOCITY_BINS`] for none.
    pub last: [u8; DRUM_CLASSES],
    /// Velocity bin by class a bar ago.
    pub bar: [u8; DRUM_CLASSES],
    /// Last offset plus three.
    pub offset: u8,
}

/// What the bass's heads read about a position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BassRow {
    /// Onset at each lag: 1 for played, -1 for not, 0 where there is nothing to look back at.
    pub copies: [f32; LAGS],
    /// Last pitch, from [`BASS_LOW`].
    pub last_pitch: u8,
    /// Last length bin, and the one a bar ago ([`LENGTH_BINS`] for none).
    pub lengths: [u8; 2],
    /// Last velocity bin, and the one a bar ago ([`VELOCITY_BINS`] for none).
    pub velocities: [u8; 2],
    /// Last interval to a second note, and the one a bar ago; 0 for none.
    pub above: [u8; 2],
    /// Candidate sets, in the order of `BASS_MASKS`.
    pub masks: [u64; BASS_MASKS],
    /// Last offset plus three.
    pub offset: u8,
}

/// What the guitar's and the strings' heads read about a position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChordRow {
    /// Onset at each lag: 1 for played, -1 for not, 0 where there is nothing to look back at.
    pub copies: [f32; LAGS],
    /// Lowest pitch of the last chord, from [`CHORD_LOW`].
    pub last_low: u8,
    /// Last length bin, and the one a bar ago ([`LENGTH_BINS`] for none), of the lowest note.
    pub lengths: [u8; 2],
    /// Last velocity bin, and the one a bar ago ([`VELOCITY_BINS`] for none).
    pub velocities: [u8; 2],
    /// Candidate sets, in the order of `CHORD_MASKS`.
    pub masks: [u64; CHORD_MASKS],
    /// Last offset plus three.
    pub offset: u8,
}

/// What is known about the candidates of one choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CandidateRow {
    /// Pitch class of the reference.
    pub reference: u8,
    /// Pitch class of the reference of the half-bar before.
    pub reference_before: u8,
    /// Previous pitch, from the lowest.
    pub previous: u8,
    /// Candidate sets: bit `i` is the pitch `low + i`. Bits of pitches outside must be 0.
    pub masks: [u64; MOST_MASKS],
    /// Which candidates may be chosen; the bit above the pitches is "stop".
    pub allowed: u64,
}
