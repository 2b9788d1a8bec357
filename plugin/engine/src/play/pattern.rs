//! A pattern that a part keeps to instead of what the band would play: one to four bars.
//!
//! Drums play it as it is. Bass, guitar and strings play it on the harmony of the piano: every bar of the
//! pattern has a root, what is played is moved from there to the root that is heard, and thirds, fifths, sixths
//! and sevenths take the kind that is heard. Steps between them stay as they are.

use std::sync::Arc;

use sideman_inference::band::{Decision, StepPosition};
use sideman_music::chord::Reading;
use sideman_music::encoding::grid::{
    BASS_HIGH, BASS_LOW, CHORD_HIGH, CHORD_LOW, DRUM_CLASSES, encode, fold_pitch,
};
use sideman_music::score::BandScore;
use sideman_music::smf::{SmfError, read};
use sideman_music::{BandStep, Chord, Note, PARTS, Part, Pulse, STEP_PULSES, Track};

/// Most bars of a pattern.
pub const MOST_BARS: usize = 4;
/// Most notes of a pattern.
pub const MOST_NOTES: usize = 1024;
/// Longest bar, in steps.
const LONGEST_BAR: i64 = 48;

/// Why something is no pattern.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// The file is no MIDI file.
    #[error("it cannot be read as a MIDI file: {0}")]
    File(#[from] SmfError),
    /// Nothing in it is for this part.
    #[error("it has no notes for the {part}: choose a MIDI file with a track of it, or with one track alone")]
    NoNotes {
        /// The part, as a word.
        part: String,
    },
    /// Too much for a pattern.
    #[error("it has {notes} notes in {MOST_BARS} bars, but a pattern has {MOST_NOTES} at most: thin it out")]
    TooMany {
        /// How many there are.
        notes: usize,
    },
    /// A metre that no pattern can have.
    #[error(
        "its bars are {steps} sixteenths long, but must be from 1 to {LONGEST_BAR}: write it in another metre"
    )]
    Bar {
        /// Length of its bars.
        steps: i64,
    },
}

/// The patterns that parts keep to, in the order of [`Part::ALL`].
pub type Patterns = [Option<Arc<Pattern>>; PARTS];

/// What is heard of the harmony: pitch classes, and the lowest pitch.
pub(crate) type Harmony = (u16, Option<u8>);

/// A pattern of a part. Made outside the audio thread and the decisions; playing from it allocates nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    part: Part,
    name: String,
    bar_steps: u16,
    notes: Vec<Note>,
    /// Every step of its bars.
    grid: Vec<BandStep>,
    /// Pitch class of the root of each bar.
    roots: Vec<u8>,
}

impl Pattern {
    /// A pattern of these notes, counted from the start of its first bar; what begins after [`MOST_BARS`] bars
    /// is left out. Bars are `bar_steps` sixteenths long.
    ///
    /// # Errors
    /// When there is nothing, or too much.
    pub fn new(
        part: Part,
        name: impl Into<String>,
        notes: &[Note],
        bar_steps: i64,
    ) -> Result<Self, PatternError> {
        if !(1..=LONGEST_BAR).contains(&bar_steps) {
            return Err(PatternError::Bar { steps: bar_steps });
        }
        let bar = bar_steps * STEP_PULSES;
        // What leads up to a bar line belongs to the step after it.
        let lead = STEP_PULSES / 2;
        let most = MOST_BARS as i64 * bar;
        let mut notes: Vec<Note> = notes
            .iter()
            .filter(|n| (-lead..most - lead).contains(&n.onset) && n.pitch < 128 && n.velocity > 0)
            .map(|n| Note { velocity: n.velocity.min(127), length: n.length.clamp(1, most), ..*n })
            .collect();
        if notes.is_empty() {
            return Err(PatternError::NoNotes { part: part.name().to_lowercase() });
        }
        if notes.len() > MOST_NOTES {
            return Err(PatternError::TooMany { notes: notes.len() });
        }
        notes.sort_unstable();
        let last = notes.iter().map(|n| n.onset).max().unwrap_or(0);
        let bars = last.max(0) / bar + 1;
        let mut band = BandScore::default();
        // A lead into the first bar comes at the end of the last one.
        band.parts[part.index()] = notes
            .iter()
            .map(|n| Note { onset: if n.onset < 0 { n.onset + bars * bar } else { n.onset }, ..*n })
            .collect();
        band.sort();
        let steps = (bars * bar_steps) as usize;
        let mut grid = encode(&band, steps + 1);
        if let Some(after) = grid.pop().filter(|s| s.plays(part) && !grid[0].plays(part)) {
            grid[0] = after;
        }
        let mut root = 0;
        let roots = (0..bars)
            .map(|b| {
                root = bar_root(part, &notes, b * bar - lead, (b + 1) * bar - lead).unwrap_or(root);
                root
            })
            .collect();
        Ok(Self { part, name: name.into(), bar_steps: bar_steps as u16, notes, grid, roots })
    }

    /// The pattern for a part in a MIDI file: of its first bars with notes, [`MOST_BARS`] at most. It comes from
    /// the tracks of this part, or from the only one there is.
    ///
    /// # Errors
    /// When it is no MIDI file, or holds nothing for the part, or too much.
    pub fn from_midi(part: Part, name: impl Into<String>, bytes: &[u8]) -> Result<Self, PatternError> {
        let score = read(bytes)?;
        let played: Vec<&Track> = score.tracks.iter().filter(|t| !t.notes.is_empty()).collect();
        let drums = part == Part::Drums;
        let own = |t: &&Track| t.is_drums == drums && (drums || t.family() == Some(part.family()));
        let mut notes: Vec<Note> =
            played.iter().copied().filter(own).flat_map(|t| t.notes.iter().copied()).collect();
        if let (true, [only]) = (notes.is_empty(), &played[..]) {
            notes = only.notes.clone();
        }
        let first = notes.iter().map(|n| n.onset).min().unwrap_or(0);
        let at = score.meters.position(first.saturating_add(STEP_PULSES / 2));
        notes.iter_mut().for_each(|n| n.onset -= at.bar_start);
        Self::new(part, name, &notes, at.meter.bar_steps())
    }

    /// The part that it is for.
    pub fn part(&self) -> Part {
        self.part
    }

    /// What it is called, such as the name of its file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bars.
    pub fn bars(&self) -> usize {
        self.roots.len()
    }

    /// Length of a bar in sixteenths.
    pub fn bar_steps(&self) -> i64 {
        self.bar_steps.into()
    }

    /// Its notes, counted from the start of its first bar.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// What the part plays at a place, on a harmony. Bars are counted from bar 0 of the music.
    pub(crate) fn play(&self, place: &StepPosition, harmony: Harmony) -> Decision {
        let (mut decision, ends) = (Decision::default(), place.in_bar + 1 >= place.bar_steps);
        let step = |bar: i64, at: u16| {
            let bar = bar.rem_euclid(self.roots.len() as i64) as usize;
            let step = &self.grid[bar * usize::from(self.bar_steps) + usize::from(at % self.bar_steps)];
            self.moved(step, self.roots[bar], harmony)
        };
        let now = step(place.bar, place.in_bar);
        if now.offsets[self.part.index()] >= 0 {
            decision.now = now;
        }
        let next = if ends { step(place.bar + 1, 0) } else { step(place.bar, place.in_bar + 1) };
        if next.offsets[self.part.index()] < 0 {
            decision.early = next;
        }
        decision
    }

    /// A step on a harmony.
    fn moved(&self, step: &BandStep, root: u8, harmony: Harmony) -> BandStep {
        let (pcs, Some(low)) = harmony else { return *step };
        let mut out = *step;
        match self.part {
            Part::Drums => debug_assert_eq!(out.drums.len(), DRUM_CLASSES),
            Part::Bass => {
                if let Some(note) = &mut out.bass {
                    let pitch = fitted(note.pitch, root, low % 12, pcs);
                    note.pitch = fold_pitch(pitch, BASS_LOW, BASS_HIGH);
                }
            }
            Part::Guitar | Part::Strings => {
                let to = Reading::of(pcs, low).map_or(low % 12, |r| r.root);
                let from = step.chord(self.part);
                let mut pitches = [0u8; 16];
                let count = from.len();
                for (to_pitch, pitch) in pitches.iter_mut().zip(from.pitches()) {
                    *to_pitch = fold_pitch(fitted(*pitch, root, to, pcs), CHORD_LOW, CHORD_HIGH);
                }
                let pitches = &mut pitches[..count];
                pitches.sort_unstable();
                let mut chord = Chord::default();
                chord.velocity = from.velocity;
                // Two that fall together are one; the lengths go by their order.
                for (pitch, (_, length)) in pitches.iter().zip(from.notes()) {
                    chord.push(*pitch, length);
                }
                if self.part == Part::Guitar { out.guitar = chord } else { out.strings = chord }
            }
        }
        out
    }
}

/// A pitch of a pattern on another root, with the kind of third, fifth, sixth or seventh that is heard.
fn fitted(pitch: u8, from: u8, to: u8, pcs: u16) -> u8 {
    let by = (i32::from(to) - i32::from(from) + 18).rem_euclid(12) - 6;
    let degree = (i32::from(pitch) - i32::from(from)).rem_euclid(12);
    let heard = |degree: i32| pcs >> ((i32::from(to) + degree).rem_euclid(12)) & 1 == 1;
    let kinds: &[i32] = match degree {
        3 | 4 => &[3, 4],
        6..=8 => &[7, 6, 8],
        9 => &[9, 8],
        10 | 11 => &[10, 11],
        _ => &[],
    };
    let fits = if heard(degree) { None } else { kinds.iter().find(|&&d| heard(d)) };
    let moved = i32::from(pitch) + by + fits.map_or(0, |d| d - degree);
    moved.clamp(0, 127) as u8
}

/// Pitch class of the root of what is played between two pulses: the first note of a bass, the root of the chord
/// that the others play.
fn bar_root(part: Part, notes: &[Note], from: Pulse, to: Pulse) -> Option<u8> {
    let inside = || notes.iter().filter(|n| (from..to).contains(&n.onset));
    let lowest = inside().map(|n| n.pitch).min()?;
    if part == Part::Bass {
        let first = inside().map(|n| n.onset).min()?;
        return inside().filter(|n| n.onset == first).map(|n| n.pitch % 12).min();
    }
    let mut weights = [0f32; 12];
    inside().for_each(|n| weights[usize::from(n.pitch % 12)] += n.length as f32);
    Reading::weighted(&weights, lowest).map(|r| r.root)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::position::place_of;
    use sideman_music::MeterMap;

    fn note(step: i64, pitch: u8, steps: i64) -> Note {
        Note { onset: step * STEP_PULSES, pitch, length: steps * STEP_PULSES, velocity: 90 }
    }

    fn played(pattern: &Pattern, steps: std::ops::Range<i64>, harmony: Harmony) -> Vec<(i64, Vec<u8>)> {
        let meters = MeterMap::default();
        let at = |s| {
            let d = pattern.play(&place_of(s, &meters), harmony);
            let mut pitches: Vec<u8> = d.now.bass.iter().map(|b| b.pitch).collect();
            pitches.extend(d.now.chord(pattern.part).pitches());
            pitches.extend((0..DRUM_CLASSES as u8).filter(|&c| d.now.drums[usize::from(c)] > 0));
            (s, pitches)
        };
        steps.map(at).filter(|p| !p.1.is_empty()).collect()
    }

    const C_MAJOR: u16 = 1 << 0 | 1 << 4 | 1 << 7;
    const A_MINOR: u16 = 1 << 9 | 1 << 0 | 1 << 4;

    #[test]
    fn a_bass_follows_the_root_and_the_kind_of_chord() {
        // C, E, G, and a step below the octave.
        let notes = [note(0, 36, 4), note(4, 40, 4), note(8, 43, 4), note(14, 47, 2)];
        let pattern = Pattern::new(Part::Bass, "walk", &notes, 16).unwrap();
        assert_eq!((pattern.bars(), pattern.bar_steps()), (1, 16));
        let on = |pcs, low| {
            played(&pattern, 16..32, (pcs, Some(low))).into_iter().map(|p| p.1[0]).collect::<Vec<_>>()
        };
        assert_eq!(on(C_MAJOR, 48), [36, 40, 43, 47]);
        assert_eq!(on(A_MINOR, 45), [33, 36, 40, 44], "a minor third");
        assert_eq!(played(&pattern, 0..16, (0, None))[0].1, [36], "as it is where nothing is heard");
    }

    #[test]
    fn chords_follow_and_each_bar_has_its_own_root() {
        // C major, then F major.
        let notes = [[48, 52, 55], [53, 57, 60]];
        let notes: Vec<Note> =
            (0..2).flat_map(|b| notes[b as usize].map(|p| note(b * 16 + 4, p, 4))).collect();
        let pattern = Pattern::new(Part::Guitar, "two", &notes, 16).unwrap();
        let on_a = played(&pattern, 0..32, (A_MINOR, Some(45)));
        assert_eq!(on_a.len(), 2);
        for (_, pitches) in on_a {
            assert!(pitches.iter().all(|p| A_MINOR >> (p % 12) & 1 == 1), "{pitches:?}");
        }
    }

    #[test]
    fn drums_are_literal_and_a_lead_comes_before_its_step() {
        let mut notes = vec![note(0, 36, 1), note(4, 38, 1), note(20, 38, 1)];
        notes.push(Note { onset: 32 * STEP_PULSES - 40, pitch: 36, length: 40, velocity: 100 });
        let pattern = Pattern::new(Part::Drums, "beat", &notes, 16).unwrap();
        assert_eq!(pattern.bars(), 2, "the lead begins no bar of its own");
        let pattern = Pattern::new(Part::Drums, "beat", &notes[..3], 16).unwrap();
        assert_eq!(
            played(&pattern, 32..64, (A_MINOR, Some(45))),
            [(32, vec![0]), (36, vec![1]), (52, vec![1])]
        );
        let early = Note { onset: -40, ..notes[3] };
        let pattern = Pattern::new(Part::Drums, "beat", &[early, notes[1]], 16).unwrap();
        let meters = MeterMap::default();
        let lead = pattern.play(&place_of(15, &meters), (0, None)).early;
        assert!(lead.drums[0] > 0 && lead.offsets[0] < 0, "{lead:?}");
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let error = |r: Result<Pattern, PatternError>| r.unwrap_err().to_string();
        assert!(error(Pattern::from_midi(Part::Bass, "x", b"hello")).contains("MIDI"));
        assert!(error(Pattern::new(Part::Bass, "x", &[], 16)).contains("bass"));
        assert!(error(Pattern::new(Part::Bass, "x", &[note(0, 40, 1)], 0)).contains("0 sixteenths"));
        let many: Vec<Note> = (0..2000).map(|i| note(i % 64, (i % 100) as u8, 1)).collect();
        assert!(error(Pattern::new(Part::Strings, "x", &many, 16)).contains("2000 notes"));
    }
}
