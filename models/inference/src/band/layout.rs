//! Sizes, tensors and output columns of the band's network, shared by training and the step kernel.

use serde::{Deserialize, Serialize};
use sideman_music::Part;
use sideman_music::encoding::grid::{
    BASS_LOW, BASS_PITCHES, CHORD_LOW, CHORD_NOTES, CHORD_PITCHES, DRUM_CLASSES, LENGTH_BINS, OFFSETS,
    VELOCITY_BINS,
};

use super::candidates::CandidateShape;
use super::rows::{BassRow, CandidateRow, ChordRow};
use super::sizes::{
    ABOVE, BASS_MASKS, CHORD_MASKS, INPUTS, LAGS, MOST_MASKS, PLANS, POSITIONS, STATISTICS, extra_inputs,
};

/// Sizes of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Width of the input layer.
    pub input: usize,
    /// Units of the recurrent layer.
    pub hidden: usize,
    /// Width of each part's context.
    pub context: usize,
    /// Width of the pitch heads.
    pub pitch: usize,
    /// Width of the style code.
    pub style: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { input: 256, hidden: 256, context: 160, pitch: 96, style: 48 }
    }
}

/// How a tensor starts out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// All the same.
    Constant(f32),
    /// Uniform within plus and minus the square root of 1 over the inputs.
    Uniform,
    /// Normal with this deviation.
    Normal(f32),
    /// Normal with deviation 0.02 plus this much on the diagonal.
    Diagonal(f32),
    /// Zero, but this much for the forget gate.
    ForgetBias(f32),
}

/// A tensor of the network.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Name in weights files and checkpoints.
    pub name: String,
    /// Shape.
    pub shape: Vec<usize>,
    /// How it starts out.
    pub init: Init,
    /// Whether it is only used in training and for making style codes, not when playing.
    pub training_only: bool,
}

/// Columns of a part's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub start: usize,
    /// How many.
    pub width: usize,
}

const DRUM_OUTPUTS: [(&str, usize); 6] = [
    ("onset", DRUM_CLASSES),
    ("copy", LAGS),
    ("velocity", VELOCITY_BINS),
    ("velocity gate", 2),
    ("offset", OFFSETS),
    ("offset gate", 1),
];
const PITCHED_OUTPUTS: [(&str, usize); 8] = [
    ("onset", 1),
    ("copy", LAGS),
    ("velocity", VELOCITY_BINS),
    ("velocity gate", 2),
    ("offset", OFFSETS),
    ("offset gate", 1),
    ("length", LENGTH_BINS),
    ("length gate", 2),
];

const BASS_OUTPUTS: [(&str, usize); 10] = {
    let p = PITCHED_OUTPUTS;
    [p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], ("above", ABOVE), ("above gate", 2)]
};
fn outputs(part: Part) -> &'static [(&'static str, usize)] {
    match part {
        Part::Drums => &DRUM_OUTPUTS,
        Part::Bass => &BASS_OUTPUTS,
        Part::Guitar | Part::Strings => &PITCHED_OUTPUTS,
    }
}

/// Columns of a named output of a part.
pub fn span(part: Part, name: &str) -> Span {
    let mut start = 0;
    for &(n, width) in outputs(part) {
        if n == name {
            return Span { start, width };
        }
        start += width;
    }
    unreachable!("no output called {name}")
}

/// Number of outputs of a part.
pub(super) fn output_count(part: Part) -> usize {
    outputs(part).iter().map(|o| o.1).sum()
}

/// Prefix of a part's tensors.
pub fn part_key(part: Part) -> &'static str {
    ["drums", "bass", "guitar", "strings"][part.index()]
}

/// The bass's candidates.
pub const BASS_SHAPE: CandidateShape =
    CandidateShape { low: BASS_LOW as usize, pitches: BASS_PITCHES, intervals: 49, masks: BASS_MASKS };
/// Candidates of guitar and strings.
pub const CHORD_SHAPE: CandidateShape =
    CandidateShape { low: CHORD_LOW as usize, pitches: CHORD_PITCHES, intervals: 49, masks: CHORD_MASKS };

/// The choice of a bass note: it never stops.
pub fn bass_candidates(row: &BassRow, (reference, before): (u8, u8)) -> CandidateRow {
    let mut masks = [0; MOST_MASKS];
    masks[..BASS_MASKS].copy_from_slice(&row.masks);
    CandidateRow {
        reference,
        reference_before: before,
        previous: row.last_pitch,
        masks,
        allowed: (1 << BASS_PITCHES) - 1,
    }
}

/// The choice of the next note above `so_far` (MIDI pitches), or to stop.
pub fn chord_candidates(row: &ChordRow, (reference, before): (u8, u8), so_far: &[u8]) -> CandidateRow {
    let all = (1u64 << CHORD_PITCHES) - 1;
    let stop = 1u64 << CHORD_PITCHES;
    let (previous, allowed) = match so_far.last() {
        None => (row.last_low, all),
        Some(_) if so_far.len() == CHORD_NOTES => (so_far[CHORD_NOTES - 1] - CHORD_LOW, stop),
        Some(&p) => (p - CHORD_LOW, (all & !((2u64 << (p - CHORD_LOW)) - 1)) | stop),
    };
    CandidateRow { reference, reference_before: before, previous, masks: row.masks, allowed }
}

/// How far a chord has climbed above its lowest note, at most 24; 25 before the first note.
pub fn climb(so_far: &[u8]) -> u32 {
    match (so_far.first(), so_far.last()) {
        (Some(a), Some(b)) => u32::from(b - a).min(24),
        _ => 25,
    }
}

impl Config {
    /// All tensors, in a fixed order.
    pub fn tensors(&self) -> Vec<Spec> {
        let mut specs = vec![];
        let mut add = |name: &str, shape: &[usize], init: Init, training_only: bool| {
            specs.push(Spec { name: name.to_owned(), shape: shape.to_vec(), init, training_only });
        };
        let (c, k, s) = (self.hidden + self.input, self.context, self.style);
        let zero = Init::Constant(0.0);
        add("style.in.w", &[64, STATISTICS], Init::Uniform, true);
        add("style.in.b", &[64], zero, true);
        add("style.out.w", &[2 * s, 64], Init::Uniform, true);
        add("style.out.b", &[2 * s], zero, true);
        add("trunk.in.w", &[self.input, INPUTS], Init::Uniform, false);
        add("trunk.in.b", &[self.input], zero, false);
        add("trunk.style.w", &[self.input, s], Init::Uniform, false);
        add("lstm.wx", &[4 * self.hidden, self.input], Init::Uniform, false);
        add("lstm.wh", &[4 * self.hidden, self.hidden], Init::Uniform, false);
        add("lstm.b", &[4 * self.hidden], Init::ForgetBias(1.0), false);
        add("pattern.w", &[POSITIONS * (DRUM_CLASSES + 3), s], Init::Uniform, false);
        add("pattern.b", &[POSITIONS * (DRUM_CLASSES + 3)], zero, false);
        add("context.w", &[4 * k, c], Init::Uniform, false);
        add("repeats.w", &[4 * PLANS, c], Init::Uniform, false);
        add("repeats.b", &[4 * PLANS], zero, false);
        add("early.w", &[4, c], Init::Uniform, false);
        add("early.b", &[4], Init::Constant(-4.0), false);
        add("early.copy", &[4, 2 * LAGS], zero, false);
        for part in Part::ALL {
            let mut add = |name: &str, shape: &[usize], init: Init| {
                add(&format!("{}.{name}", part_key(part)), shape, init, false)
            };
            add("extra.w", &[k, extra_inputs(part)], Init::Uniform);
            add("extra.b", &[k], zero);
            add("out.w", &[output_count(part), k], Init::Uniform);
            add("out.b", &[output_count(part)], zero);
            add("copy.plan", &[PLANS + 1, LAGS], zero);
            add("offset.last", &[OFFSETS, OFFSETS], Init::Diagonal(3.0));
            add("velocity.last", &[VELOCITY_BINS + 1, VELOCITY_BINS], Init::Diagonal(2.0));
            add("velocity.bar", &[VELOCITY_BINS + 1, VELOCITY_BINS], Init::Normal(0.02));
            if part == Part::Drums {
                add("velocity.class", &[DRUM_CLASSES, VELOCITY_BINS], zero);
                add("copy.class", &[LAGS, DRUM_CLASSES], Init::Constant(1.0));
                add("chain", &[DRUM_CLASSES, DRUM_CLASSES], zero);
                continue;
            }
            add("length.last", &[LENGTH_BINS + 1, LENGTH_BINS], Init::Diagonal(2.0));
            add("length.bar", &[LENGTH_BINS + 1, LENGTH_BINS], Init::Normal(0.02));
            add("pitch.in.w", &[self.pitch, k], Init::Uniform);
            add("pitch.in.b", &[self.pitch], zero);
            let shape = if part == Part::Bass { BASS_SHAPE } else { CHORD_SHAPE };
            add("pitch.out.w", &[shape.coefficients(), self.pitch], Init::Uniform);
            add("pitch.out.b", &[shape.coefficients()], zero);
            add("pitch.plan", &[PLANS + 1, shape.coefficients()], zero);
            if part == Part::Bass {
                add("length.degree", &[12, LENGTH_BINS], zero);
                add("above.last", &[ABOVE, ABOVE], Init::Diagonal(2.0));
                add("above.bar", &[ABOVE, ABOVE], Init::Normal(0.02));
            } else {
                add("length.rank", &[CHORD_NOTES + 1, LENGTH_BINS], zero);
                add("pitch.climb", &[26, self.pitch], Init::Normal(0.1));
                add("pitch.rank", &[CHORD_NOTES + 1, self.pitch], Init::Normal(0.1));
            }
        }
        specs
    }
}
