//! All sizes of the band's network that its parts have in common.

use sideman_music::encoding::grid::{BASS_SPAN, DRUM_CLASSES, LENGTH_BINS, VELOCITY_BINS};
use sideman_music::{PARTS, Part};

/// Positions in a bar that are told apart: a bar of 12/8 has 24 steps. Longer bars begin again.
pub const POSITIONS: usize = 24;
/// Steps that a part looks back at to copy from: one, two and four bars ago, and where the piano played
/// before what it plays now.
pub const LAGS: usize = 4;

/// Number of plans: the whole bar at each lag, the rhythm of the bar at each lag, a new bar.
pub const PLANS: usize = 2 * LAGS + 1;
/// Number of inputs about them.
pub(super) const REPEAT_INPUTS: usize = 2 * 4 * PLANS;
/// A bar that is like none of the earlier ones.
pub const NEW: u8 = 2 * LAGS as u8;
/// Nothing is planned, or nothing is left of it.
pub const UNPLANNED: u8 = PLANS as u8;
/// Steps before a bar at which it is planned: what comes of it is an input of the last step before the bar
/// line, which decides what is played ahead of it.
pub const AHEAD: usize = 2;

/// The inputs about the piano, and how many of each. A new one is a row here and a line in
/// [`PianoFeatures::write`](super::PianoFeatures::write), at the same place.
const PIANO_INPUTS: [(&str, usize); 10] = [
    ("pitch classes: now, struck, in four windows, in this half-bar and the one before", 8 * 12),
    ("strokes, loudness, register", 17),
    ("reference before, and a bar ago", 2 * 12),
    ("position in the bar", POSITIONS),
    ("bar of eight", 8),
    ("parts that play", PARTS),
    ("how long since the beginning", 1),
    ("tier of the song", 1),
    ("whether the bar has 16 steps", 1),
    ("tempo", 1),
];

/// Number of inputs about the piano.
pub const EARS_INPUTS: usize = {
    let (mut sum, mut i) = (0, 0);
    while i < PIANO_INPUTS.len() {
        sum += PIANO_INPUTS[i].1;
        i += 1;
    }
    sum
};

/// Number of inputs about the band's own past.
pub const MEMORY_INPUTS: usize = DRUM_INPUTS + BASS_INPUTS + 2 * CHORD_INPUTS + 4 + 8 + 2 + 3 + REPEAT_INPUTS;
const DRUM_INPUTS: usize = DRUM_CLASSES * 8 + 1 + 8;
const COMMON_INPUTS: usize = 13 + 2 + 9 + 12 + 12 + ENDS.len() + 1;
const BASS_INPUTS: usize = COMMON_INPUTS + 6 + 2 * 13 + 1;
const CHORD_INPUTS: usize = COMMON_INPUTS + 2 * 12 + 6 + 6 + 7;
/// Limits between the classes of how far off the end of the last note is, in steps.
pub(super) const ENDS: [f32; 9] = [-4.0, -2.0, -1.0, -0.35, 0.35, 1.0, 2.0, 4.0, 8.0];

/// Inputs of the trunk without the style code.
pub const INPUTS: usize = EARS_INPUTS + MEMORY_INPUTS;

/// Number of inputs about the parts before, by part: early flag; drums; bass onset and pitch class above
/// the reference; guitar onset and chroma.
pub const fn extra_inputs(part: Part) -> usize {
    [1, 1 + DRUM_CLASSES, 1 + DRUM_CLASSES + 13, 1 + DRUM_CLASSES + 26][part as usize]
}

/// Candidate sets of the bass: sounding, struck, since the half-bar began, lasting, the pitch class above
/// the reference of a bar ago, the pitches at each lag, and all of the last four bars of 4/4.
pub const BASS_MASKS: usize = 10;

/// Candidate sets of guitar and strings: sounding, struck, since the half-bar began, lasting, the last
/// chord, the chords at each lag, the one a bar ago moved with the reference, the bass's pitch class, and all
/// pitches of the last four bars of 4/4.
pub const CHORD_MASKS: usize = 12;

/// Most candidate sets of a head.
pub const MOST_MASKS: usize = 12;

/// Intervals to a second note of the bass, the first one being none.
pub(super) const ABOVE: usize = BASS_SPAN as usize + 1;

/// A length that is not known.
pub(super) const NO_LENGTH: u8 = LENGTH_BINS as u8;
/// A velocity that is not known.
pub(super) const NO_VELOCITY: u8 = VELOCITY_BINS as u8;

const COMMON_STATISTICS: usize = 1 + 16 + 2 + 1 + 2 + 2 + 12;
/// Number of statistics of a song.
pub const STATISTICS: usize =
    6 * 16 + DRUM_CLASSES + 3 + 4 + COMMON_STATISTICS + 2 * (COMMON_STATISTICS + 8) + 4 + 4;
