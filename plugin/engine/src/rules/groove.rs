//! The language in which patterns are written, and how a bar of any metre reads them.
//!
//! A pattern is a text of one character a cell. A quarter-note beat has four cells (sixteenths) or three
//! (eighth triplets), a dotted-quarter beat six (sixteenths) or three (eighths). `.` is nothing.
//!
//! - Drums: `X` strong, `x` plain, `o` soft, `g` a ghost note.
//! - Fills, one text for all drums: `s` snare, `g` its ghost, `h` `m` `l` the toms from high to low, `r` rim,
//!   `c` clap, `k` kick, `F` snare and low tom together; a capital letter is an accent.
//! - Bass: `R` the root, struck firmly, `r` the root, `3`, `5`, `6` and `7` tones above it, `8` the octave, `w` a
//!   step of a walking line, `a` a step that leads to the next root as far as it can be known, `n` that root
//!   itself ahead of time, `g` a short dead note.
//! - Chords: `X` strong, `x` plain, `o` soft, `M` and `m` short, `k` a scratch, `u` an upstroke (the upper
//!   strings), `1` to `4` single voices from below, `b` and `f` the bass string on root and fifth, `B` the bass
//!   string with the upper two, `P` and `p` root, fifth and octave, `d` the two top voices, `t` the top one.

use sideman_inference::band::StepPosition;

use crate::play::feel::Half;
use crate::play::fill::FillPatterns;
use crate::position::{Beat, is_compound};

/// When a line of the drums plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bars {
    All,
    /// The first, third ... bar of a phrase.
    Even,
    /// Every other bar.
    Odd,
    /// The last of four.
    Fourth,
    /// The second four of eight.
    Second,
}

/// A line of the drums.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// Drum class, see [`sideman_music::encoding::grid::DRUM_NAMES`].
    pub(super) class: usize,
    /// Energy in percent from which it plays, and up to which (excluded).
    pub(super) from: u8,
    pub(super) until: u8,
    pub(super) bars: Bars,
    pub(super) hits: &'static str,
}

/// A line that plays from an energy (in percent) upwards.
pub(super) const fn line(class: usize, from: u8, hits: &'static str) -> Line {
    Line { class, from, until: 101, bars: Bars::All, hits }
}

impl Line {
    /// The line in some bars only.
    pub(super) const fn on(self, bars: Bars) -> Self {
        Self { bars, ..self }
    }

    /// The line below an energy only.
    pub(super) const fn below(self, until: u8) -> Self {
        Self { until, ..self }
    }

    /// Whether it plays at an energy from 0 to 1, in a bar of a phrase.
    pub(super) fn sounds(&self, energy: f32, phrase_bar: i64) -> bool {
        let percent = energy * 100.0;
        let bar = match self.bars {
            Bars::All => true,
            Bars::Even => phrase_bar % 2 == 0,
            Bars::Odd => phrase_bar % 2 == 1,
            Bars::Fourth => phrase_bar % 4 == 3,
            Bars::Second => phrase_bar >= 4,
        };
        bar && percent >= f32::from(self.from) && percent < f32::from(self.until)
    }
}

/// Fills: what takes the place of all that the hands play in the last beats of a phrase, for a short one of
/// four bars and a long one of eight. Each is written for as many whole beats as it takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fills {
    pub(super) short: &'static [&'static str],
    pub(super) long: &'static [&'static str],
}

/// Patterns of a part for little, usual and much energy; a text may hold several bars.
pub(super) type Levels = [&'static str; 3];

/// All patterns of a style in one kind of metre. Of what there are several of, each is a variation, and those
/// of equal number go together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Groove {
    /// Beats in a bar as written.
    pub(super) beats: u16,
    /// Cells in a beat: 3, 4 or 6.
    pub(super) cells: u16,
    /// What the drums play in every variation, and what each one adds to it.
    pub(super) time: &'static [Line],
    pub(super) drums: &'static [&'static [Line]],
    pub(super) fills: &'static Fills,
    pub(super) bass: &'static [Levels],
    /// How the bass leads into a phrase, in the last beats of a bar.
    pub(super) lead: &'static str,
    pub(super) guitar: &'static [Levels],
    /// What the strings play; empty for held chords.
    pub(super) strings: &'static [&'static str],
}

/// A cell of a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) beat: u16,
    /// Beats in the bar.
    pub(super) beats: u16,
    pub(super) index: u16,
    /// Steps of the beat.
    pub(super) steps: u16,
}

impl Groove {
    fn triplets(&self) -> bool {
        self.cells == 3
    }

    /// The cell that is decided at a step, and whether it sounds now or ahead of the next step; `None`
    /// where nothing falls between this step and the next.
    pub(super) fn cell(&self, place: &StepPosition) -> Option<(Cell, Half)> {
        let beat = Beat::at(place);
        let step = place.in_bar - beat.start.min(place.in_bar);
        let cell = |index| Cell { beat: beat.index, beats: beat.count, index, steps: beat.steps };
        if !self.triplets() {
            return Some((cell(step), Half::Now));
        }
        match (beat.steps, step) {
            // In three steps of a beat of four lie three triplets, the last ahead of the fourth step.
            (4, 0 | 1) => Some((cell(step), Half::Now)),
            (4, 2) => Some((cell(2), Half::Early)),
            (4, _) => None,
            // Odd beats are played in straight eighths.
            _ => step.is_multiple_of(2).then(|| (cell(step / 2), Half::Now)),
        }
    }

    /// Offset from the grid, in ticks, of a cell in `half`. Fast triplets are played less unevenly.
    pub(super) fn offset(&self, cell: Cell, half: Half, bpm: f32) -> i8 {
        match half {
            Half::Early if bpm > 170.0 => -3,
            Half::Early => -2,
            Half::Now if self.triplets() && cell.steps == 4 && cell.index == 1 => 2,
            Half::Now => 0,
        }
    }

    /// The next cell of the bar.
    pub(super) fn next(&self, cell: Cell, place: &StepPosition) -> Option<Cell> {
        let cells = match (self.triplets(), cell.steps) {
            (true, 4) => 3,
            (true, steps) => steps.div_ceil(2),
            (false, steps) => steps,
        };
        if cell.index + 1 < cells {
            return Some(Cell { index: cell.index + 1, ..cell });
        }
        if cell.beat + 1 == cell.beats {
            return None;
        }
        let start = Beat::at(&StepPosition { in_bar: 0, ..*place }).steps * (cell.beat + 1);
        let steps = Beat::at(&StepPosition { in_bar: start, ..*place }).steps;
        Some(Cell { beat: cell.beat + 1, index: 0, steps, ..cell })
    }

    /// Length of a cell in pulses.
    pub(super) fn cell_pulses(&self, cell: Cell) -> i64 {
        match (self.triplets(), cell.steps) {
            (true, 4) => 160,
            (true, _) => 240,
            (false, _) => 120,
        }
    }

    /// What a pattern has in a cell of a bar. Bars with fewer or more beats than written keep its first
    /// and last beat and go back and forth between those in the middle; a beat that is longer by an
    /// eighth repeats its second half.
    pub(super) fn read(&self, pattern: &str, bar: i64, cell: Cell) -> u8 {
        let bar_cells = usize::from(self.beats * self.cells);
        let bars = (pattern.len() / bar_cells).max(1);
        let beat = match cell.beat {
            b if cell.beats == self.beats => b,
            // Bars of half the length take turns.
            b if cell.beats * 2 == self.beats && self.cells != 6 => {
                b + cell.beats * u16::from(bar.rem_euclid(2) == 1)
            }
            0 => 0,
            b if b + 1 == cell.beats => self.beats - 1,
            b if self.beats > 3 => 2 - b % 2,
            b => b % self.beats,
        };
        let index = if cell.index < self.cells { cell.index } else { self.cells - 2 + cell.index % 2 };
        let at = bar.rem_euclid(bars as i64) as usize * bar_cells + usize::from(beat * self.cells + index);
        pattern.as_bytes().get(at).copied().unwrap_or(b'.')
    }
}

/// All that a style is: its names, its instruments, a groove for each kind of metre, and what holds in all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StyleData {
    /// Name as users write it, in commands, presets and weights.
    pub(crate) name: &'static str,
    /// Name as hosts show it.
    pub(crate) title: &'static str,
    /// General MIDI programs from 0 of bass, guitar and strings. Picked, fingered, fretless, slap, synth and upright
    /// basses are programs 34, 33, 35, 36, 38 and 32; nylon, steel, jazz, clean and muted guitars 24 to 28;
    /// strings 48, slow strings 49, synth strings 50, solo violin 40, plucked strings 45.
    pub(crate) programs: [u8; 3],
    /// Genres of the classifiers, in small letters, that the style suits at any tempo and in any metre.
    pub(crate) genres: &'static [&'static str],
    /// Labels of the style in training collections whose bands were made by rules.
    pub(crate) labels: &'static [&'static str],
    /// Wider labels there that may mean it, too.
    pub(crate) broad_labels: &'static [&'static str],
    /// The fills that users ask for.
    pub(crate) asked_fills: &'static FillPatterns,
    /// Bars of quarter notes.
    pub(super) common: &'static Groove,
    /// Bars of three quarter notes.
    pub(super) waltz: &'static Groove,
    /// Bars of one, two or three dotted quarters.
    pub(super) six: &'static Groove,
    /// Bars of four dotted quarters.
    pub(super) twelve: &'static Groove,
    /// Delay of the second and fourth sixteenth of a beat, in ticks from 0 to 2.
    pub(super) late: i8,
    /// Delay of the drums on the second and fourth beat, in ticks from 0 to 2.
    pub(super) lag: i8,
    /// Share of the time to the next note that a bass note sounds.
    pub(super) bass_gate: f32,
    /// Energy in percent from which the strings tend to play.
    pub(super) strings_from: u8,
    /// Whether the hat gives way to the ride in the second half of sixteen bars.
    pub(super) rides: bool,
    /// Whether the drums come from a machine, whose hats know no limits.
    pub(super) machine: bool,
    /// Energy in percent from which a crash begins a phrase of eight; above 100 for none.
    pub(super) crash_from: u8,
    /// Tempo, in quarter notes a minute, from which the drums play at half of it.
    pub(super) half_time_from: f32,
    /// Most voices of a chord of the guitar.
    pub(super) guitar_voices: usize,
}

impl StyleData {
    /// Whether it divides beats into three.
    pub(crate) fn swings(&self) -> bool {
        self.common.triplets()
    }

    /// The groove for a bar.
    pub(super) fn groove(&self, place: &StepPosition) -> &'static Groove {
        match Beat::at(place) {
            Beat { count: 4, .. } if is_compound(place) => self.twelve,
            _ if is_compound(place) => self.six,
            Beat { count: 3, steps: 4, .. } if place.bar_steps == 12 => self.waltz,
            _ => self.common,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::position::place_of;
    use sideman_music::{Meter, MeterMap};

    const COMMON: Groove = Groove {
        beats: 4,
        cells: 4,
        time: &[],
        drums: &[],
        fills: &Fills { short: &[], long: &[] },
        bass: &[],
        lead: "",
        guitar: &[],
        strings: &[],
    };
    const PATTERN: &str = "0123456789abcdef";

    fn played(groove: &Groove, numerator: u8, denominator: u8, pattern: &str) -> String {
        let meters = MeterMap::new(&[(0, Meter { numerator, denominator })]);
        let steps = i64::from(place_of(0, &meters).bar_steps);
        (0..steps)
            .map(|s| place_of(s, &meters))
            .map(|p| groove.cell(&p).map_or('-', |(c, _)| char::from(groove.read(pattern, p.bar, c))))
            .collect()
    }

    #[test]
    fn any_metre_reads_a_pattern() {
        assert_eq!(played(&COMMON, 4, 4, PATTERN), PATTERN);
        assert_eq!(played(&COMMON, 5, 4, PATTERN), "0123456789ab4567cdef");
        assert_eq!(played(&COMMON, 7, 8, PATTERN), "01234567cdefef");
        assert_eq!(played(&COMMON, 2, 4, PATTERN), "01234567");
        let triplets = Groove { cells: 3, ..COMMON };
        assert_eq!(played(&triplets, 4, 4, "0123456789ab"), "012-345-678-9ab-");
        let compound = Groove { cells: 6, beats: 2, ..COMMON };
        assert_eq!(played(&compound, 6, 8, "0123456789ab"), "0123456789ab");
        assert_eq!(played(&compound, 9, 8, "0123456789ab"), "0123456789ab6789ab");
        assert_eq!(played(&compound, 12, 8, "0123456789ab"), "0123456789ab0123456789ab");
        assert_eq!(played(&triplets, 12, 8, "0123456789ab"), "0-1-2-3-4-5-6-7-8-9-a-b-");
    }

    #[test]
    fn next_visits_every_cell() {
        for (n, d) in [(4, 4), (3, 4), (7, 8), (5, 8), (6, 8), (15, 16), (1, 16)] {
            let meters = MeterMap::new(&[(0, Meter { numerator: n, denominator: d })]);
            for cells in [3, 4] {
                let groove = Groove { cells, ..COMMON };
                let bar = i64::from(place_of(0, &meters).bar_steps);
                let cells: Vec<Cell> =
                    (0..bar).filter_map(|s| groove.cell(&place_of(s, &meters))).map(|c| c.0).collect();
                for pair in cells.windows(2) {
                    assert_eq!(groove.next(pair[0], &place_of(0, &meters)), Some(pair[1]), "{n}/{d}");
                }
                assert_eq!(groove.next(*cells.last().unwrap(), &place_of(0, &meters)), None);
            }
        }
    }
}
