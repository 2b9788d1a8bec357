//! The band on the 16th grid: what the networks read and write, and its inverse.
//!
//! Each part plays at most once a step, at an offset of -3 to +2 ticks from it, which holds straight,
//! swung and triplet time. Velocities fall into 32 bins of four, lengths into 23 bins from a 32nd
//! triplet to two bars.

use crate::family::Part;
use crate::score::{BandScore, Note};
use crate::time::{PULSES_PER_TICK, Pulse, STEP_TICKS, pulse_to_tick};

/// Number of drum classes.
pub const DRUM_CLASSES: usize = 16;
/// Names of the drum classes.
pub const DRUM_NAMES: [&str; DRUM_CLASSES] = [
    "kick",
    "snare",
    "snare2",
    "rim",
    "clap",
    "hat",
    "pedal hat",
    "open hat",
    "ride",
    "crash",
    "low tom",
    "mid tom",
    "high tom",
    "shaker",
    "tambourine",
    "other",
];
/// General MIDI key that each drum class is played on.
pub const DRUM_KEYS: [u8; DRUM_CLASSES] = [36, 38, 40, 37, 39, 42, 44, 46, 51, 49, 41, 45, 48, 70, 54, 56];

/// Drum class of a General MIDI percussion key.
pub fn drum_class(key: u8) -> usize {
    match key {
        35 | 36 => 0,
        38 => 1,
        40 => 2,
        37 => 3,
        39 => 4,
        42 => 5,
        44 => 6,
        46 => 7,
        51 | 53 | 59 => 8,
        49 | 52 | 55 | 57 => 9,
        41 | 43 => 10,
        45 | 47 => 11,
        48 | 50 => 12,
        69 | 70 | 82 => 13,
        54 => 14,
        _ => 15,
    }
}

/// Number of velocity bins; bin `b` holds velocities `4b` to `4b + 3`.
pub const VELOCITY_BINS: usize = 32;
/// Number of length bins.
pub const LENGTH_BINS: usize = 23;
/// Length of each bin in ticks of a 24th of a quarter note.
pub const LENGTH_TICKS: [u16; LENGTH_BINS] =
    [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 21, 24, 30, 36, 42, 48, 60, 72, 84, 96, 144, 192];

/// The length bin nearest to a duration in pulses, by ratio.
pub fn length_bin(length: Pulse) -> u8 {
    let ticks = (length as f64 / PULSES_PER_TICK as f64).max(0.5);
    let upper = LENGTH_TICKS.partition_point(|&t| f64::from(t) < ticks).min(LENGTH_BINS - 1);
    if upper == 0 {
        return 0;
    }
    let (a, b) = (f64::from(LENGTH_TICKS[upper - 1]), f64::from(LENGTH_TICKS[upper]));
    if ticks * ticks < a * b { (upper - 1) as u8 } else { upper as u8 }
}

/// Lowest bass pitch of the encoding; lower notes are moved up by octaves.
pub const BASS_LOW: u8 = 23;
/// Highest bass pitch of the encoding; higher notes are moved down by octaves.
pub const BASS_HIGH: u8 = 60;
/// Number of bass pitches.
pub const BASS_PITCHES: usize = (BASS_HIGH - BASS_LOW + 1) as usize;
/// Lowest guitar and strings pitch of the encoding.
pub const CHORD_LOW: u8 = 36;
/// Highest guitar and strings pitch of the encoding.
pub const CHORD_HIGH: u8 = 96;
/// Number of guitar and strings pitches.
pub const CHORD_PITCHES: usize = (CHORD_HIGH - CHORD_LOW + 1) as usize;
/// Most notes that guitar or strings start in one step.
pub const CHORD_NOTES: usize = 7;
/// Earliest offset from the step, in ticks.
pub const OFFSET_MIN: i8 = -3;
/// Latest offset from the step, in ticks.
pub const OFFSET_MAX: i8 = 2;
/// Number of offsets.
pub const OFFSETS: usize = 6;

/// Moves a pitch by octaves into `low..=high`.
pub fn fold_pitch(pitch: u8, low: u8, high: u8) -> u8 {
    let mut p = pitch;
    while p < low {
        p += 12;
    }
    while p > high {
        p -= 12;
    }
    p
}

/// Widest interval between the two notes of a bass, in semitones.
pub const BASS_SPAN: u8 = 24;

/// A bass note of a step, with the one above it when two are struck together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BassNote {
    /// MIDI pitch in [`BASS_LOW`]`..=`[`BASS_HIGH`].
    pub pitch: u8,
    /// Length bin, see [`LENGTH_TICKS`].
    pub length: u8,
    /// Velocity bin.
    pub velocity: u8,
    /// A second note so many semitones above, as long and as loud: 1 to [`BASS_SPAN`], or 0 for none.
    pub above: u8,
}

impl BassNote {
    /// Pitches, ascending: one or two.
    pub fn pitches(&self) -> impl Iterator<Item = u8> + use<> {
        let second = (self.above > 0).then(|| self.pitch.saturating_add(self.above).min(127));
        std::iter::once(self.pitch).chain(second)
    }
}

/// The notes that guitar or strings start in a step, ascending, at most [`CHORD_NOTES`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Chord {
    /// MIDI pitches in [`CHORD_LOW`]`..=`[`CHORD_HIGH`]; only the first `count` count.
    pitches: [u8; CHORD_NOTES],
    /// Length bins.
    lengths: [u8; CHORD_NOTES],
    count: u8,
    /// Velocity bin of the whole chord.
    pub velocity: u8,
}

impl Chord {
    /// Whether nothing starts.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Number of notes.
    pub fn len(&self) -> usize {
        usize::from(self.count)
    }

    /// Pitches, ascending.
    pub fn pitches(&self) -> &[u8] {
        &self.pitches[..self.len()]
    }

    /// (pitch, length bin), ascending.
    pub fn notes(&self) -> impl Iterator<Item = (u8, u8)> + '_ {
        self.pitches().iter().copied().zip(self.lengths.iter().copied())
    }

    /// Takes all notes out; the velocity stays.
    pub fn clear(&mut self) {
        (self.pitches, self.lengths, self.count) = ([0; CHORD_NOTES], [0; CHORD_NOTES], 0);
    }

    /// Appends a note above all others. Returns false, and changes nothing, when the chord is full, the
    /// pitch is outside the range or not above the last one.
    pub fn push(&mut self, pitch: u8, length: u8) -> bool {
        let n = self.len();
        if n == CHORD_NOTES
            || !(CHORD_LOW..=CHORD_HIGH).contains(&pitch)
            || (n > 0 && self.pitches[n - 1] >= pitch)
        {
            return false;
        }
        self.pitches[n] = pitch;
        self.lengths[n] = length.min(LENGTH_BINS as u8 - 1);
        self.count += 1;
        true
    }
}

/// What the band starts in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BandStep {
    /// Velocity bin plus one of each drum class; 0 for no hit.
    pub drums: [u8; DRUM_CLASSES],
    /// The bass note.
    pub bass: Option<BassNote>,
    /// What the guitar starts.
    pub guitar: Chord,
    /// What the strings start.
    pub strings: Chord,
    /// Offset of each part in ticks, [`OFFSET_MIN`] to [`OFFSET_MAX`]; 0 where a part rests.
    pub offsets: [i8; 4],
}

impl Default for BandStep {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl BandStep {
    /// Nothing starts.
    pub const EMPTY: Self = Self {
        drums: [0; DRUM_CLASSES],
        bass: None,
        guitar: Chord { pitches: [0; CHORD_NOTES], lengths: [0; CHORD_NOTES], count: 0, velocity: 0 },
        strings: Chord { pitches: [0; CHORD_NOTES], lengths: [0; CHORD_NOTES], count: 0, velocity: 0 },
        offsets: [0; 4],
    };

    /// Whether a part starts anything.
    pub fn plays(&self, part: Part) -> bool {
        match part {
            Part::Drums => self.drums.iter().any(|&d| d > 0),
            Part::Bass => self.bass.is_some(),
            Part::Guitar => !self.guitar.is_empty(),
            Part::Strings => !self.strings.is_empty(),
        }
    }

    /// Takes a part out.
    pub fn silence(&mut self, part: Part) {
        match part {
            Part::Drums => self.drums = [0; DRUM_CLASSES],
            Part::Bass => self.bass = None,
            Part::Guitar => self.guitar = Chord::default(),
            Part::Strings => self.strings = Chord::default(),
        }
        self.offsets[part.index()] = 0;
    }

    /// Has a part do what it does in another step.
    pub fn copy(&mut self, part: Part, from: &Self) {
        match part {
            Part::Drums => self.drums = from.drums,
            Part::Bass => self.bass = from.bass,
            Part::Guitar => self.guitar = from.guitar,
            Part::Strings => self.strings = from.strings,
        }
        self.offsets[part.index()] = from.offsets[part.index()];
    }

    /// Guitar or strings; empty for the other parts.
    pub fn chord(&self, part: Part) -> Chord {
        match part {
            Part::Guitar => self.guitar,
            Part::Strings => self.strings,
            Part::Drums | Part::Bass => Chord::default(),
        }
    }
}

/// Step and offset in ticks of a pulse.
fn place(onset: Pulse) -> (i64, i8) {
    let tick = pulse_to_tick(onset);
    let step = (tick - i64::from(OFFSET_MIN)).div_euclid(STEP_TICKS);
    (step, (tick - step * STEP_TICKS) as i8)
}

/// Puts a band onto the grid: steps `0..steps`. Notes outside are left out.
///
/// The notes of drums, guitar and strings in a step share their mean offset. Of several bass notes in a step
/// the lowest is kept, with the lowest of those up to [`BASS_SPAN`] above that begin within a tick of it; of several equal pitches the longest; of more than [`CHORD_NOTES`] the lowest.
pub fn encode(band: &BandScore, steps: usize) -> Vec<BandStep> {
    let mut grid = vec![BandStep::EMPTY; steps];
    let inside = |onset: Pulse| {
        let (step, offset) = place(onset);
        usize::try_from(step).ok().filter(|&s| s < steps).map(|s| (s, offset))
    };
    let velocity_bin = |n: &Note| (n.velocity / 4).min(VELOCITY_BINS as u8 - 1);

    for part in Part::ALL.into_iter().filter(|&p| p != Part::Bass) {
        let mut sums = vec![(0i32, 0i32); steps];
        for n in band.part(part) {
            let Some((step, offset)) = inside(n.onset) else { continue };
            sums[step].0 += i32::from(offset);
            sums[step].1 += 1;
        }
        for (cell, (sum, count)) in grid.iter_mut().zip(sums).filter(|(_, s)| s.1 > 0) {
            cell.offsets[part.index()] = (f64::from(sum) / f64::from(count)).round() as i8;
        }
    }
    for n in band.part(Part::Drums) {
        let Some((step, _)) = inside(n.onset) else { continue };
        let cell = &mut grid[step].drums[drum_class(n.pitch)];
        *cell = (*cell).max(velocity_bin(n) + 1);
    }
    for n in band.part(Part::Bass) {
        let Some((step, offset)) = inside(n.onset) else { continue };
        let note = BassNote {
            pitch: fold_pitch(n.pitch, BASS_LOW, BASS_HIGH),
            length: length_bin(n.length),
            velocity: velocity_bin(n),
            above: 0,
        };
        let cell = &mut grid[step];
        // The lowest of several, so the offset is its own.
        if cell.bass.is_none_or(|b| note.pitch < b.pitch) {
            cell.bass = Some(note);
            cell.offsets[1] = offset;
        }
    }
    for n in band.part(Part::Bass) {
        let Some((step, offset)) = inside(n.onset) else { continue };
        let together = (offset - grid[step].offsets[1]).abs() <= 1;
        let Some(low) = grid[step].bass.as_mut().filter(|_| together) else { continue };
        let above = fold_pitch(n.pitch, BASS_LOW, BASS_HIGH).saturating_sub(low.pitch);
        if (1..=BASS_SPAN).contains(&above) && (low.above == 0 || above < low.above) {
            low.above = above;
        }
    }
    for part in [Part::Guitar, Part::Strings] {
        // Length bin plus one by pitch, the velocity and the offset of each step.
        let mut cells: Vec<Option<Box<[u8; CHORD_PITCHES]>>> = vec![None; steps];
        let mut loudest = vec![0u8; steps];
        for n in band.part(part) {
            let Some((step, _)) = inside(n.onset) else { continue };
            let cell = cells[step].get_or_insert_with(|| Box::new([0; CHORD_PITCHES]));
            let i = usize::from(fold_pitch(n.pitch, CHORD_LOW, CHORD_HIGH) - CHORD_LOW);
            cell[i] = cell[i].max(length_bin(n.length) + 1);
            loudest[step] = loudest[step].max(velocity_bin(n));
        }
        for (step, cell) in cells.iter().enumerate() {
            let Some(cell) = cell else { continue };
            let mut chord = Chord { velocity: loudest[step], ..Chord::default() };
            for (i, &length) in cell.iter().enumerate().filter(|c| *c.1 > 0) {
                chord.push(CHORD_LOW + i as u8, length - 1);
            }
            match part {
                Part::Guitar => grid[step].guitar = chord,
                _ => grid[step].strings = chord,
            }
        }
    }
    grid
}

/// Velocities that bins are played with: the most common raw value of each bin in the training music.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VelocityTable(pub [[u8; VELOCITY_BINS]; 4]);

impl Default for VelocityTable {
    /// The middle of each bin.
    fn default() -> Self {
        Self([std::array::from_fn(|b| (b * 4 + 2).clamp(1, 127) as u8); 4])
    }
}

/// Length given to drum notes, in pulses.
pub const DRUM_LENGTH: Pulse = 48;

/// Plays one step of one part: calls `emit` with each note, `delay_pulses` after its place on the grid
/// (microtiming within a tick). No allocation.
pub fn play(
    step: &BandStep,
    index: i64,
    part: Part,
    table: &VelocityTable,
    delay_pulses: Pulse,
    mut emit: impl FnMut(Note),
) {
    let offset = i64::from(step.offsets[part.index()]);
    let onset = (index * STEP_TICKS + offset) * PULSES_PER_TICK + delay_pulses;
    let velocity = |bin: u8| table.0[part.index()][usize::from(bin).min(VELOCITY_BINS - 1)].clamp(1, 127);
    let length = |bin: u8| i64::from(LENGTH_TICKS[usize::from(bin).min(LENGTH_BINS - 1)]) * PULSES_PER_TICK;
    match part {
        Part::Drums => {
            for (class, &v) in step.drums.iter().enumerate().filter(|d| *d.1 > 0) {
                let key = DRUM_KEYS[class];
                emit(Note { onset, pitch: key, length: DRUM_LENGTH, velocity: velocity(v - 1) });
            }
        }
        Part::Bass => {
            for (b, pitch) in step.bass.iter().flat_map(|b| b.pitches().map(move |p| (b, p))) {
                emit(Note { onset, pitch, length: length(b.length), velocity: velocity(b.velocity) });
            }
        }
        Part::Guitar | Part::Strings => {
            let chord = step.chord(part);
            for (pitch, bin) in chord.notes() {
                emit(Note { onset, pitch, length: length(bin), velocity: velocity(chord.velocity) });
            }
        }
    }
}

/// The inverse of [`encode`]: a band from its grid, without microtiming below a tick. The piano is empty.
/// A note that would begin before the music does is moved to its start.
pub fn decode(grid: &[BandStep], table: &VelocityTable) -> BandScore {
    let mut band = BandScore::default();
    for (index, step) in grid.iter().enumerate() {
        for part in Part::ALL {
            play(step, index as i64, part, table, 0, |mut n| {
                n.onset = n.onset.max(0);
                band.parts[part.index()].push(n);
            });
        }
    }
    band.sort();
    band
}
