//! A test song cut to the bars that are measured, and the harmony of its piano.

use std::collections::BTreeSet;

use sideman_music::encoding::grid::OFFSET_MIN;
use sideman_music::family::Part;
use sideman_music::score::{BandScore, Note};
use sideman_music::time::{Pulse, STEP_PULSES, STEP_TICKS, pulse_to_tick};

/// Steps in a 4/4 bar.
pub const BAR_STEPS: i64 = 16;
/// Pulses in a 4/4 bar.
pub const BAR_PULSES: Pulse = BAR_STEPS * STEP_PULSES;
/// Pulses in half a 4/4 bar, the span over which harmony is compared.
pub const HALF_PULSES: Pulse = BAR_PULSES / 2;
/// Pulses in a 32nd note.
pub const THIRTY_SECOND: Pulse = STEP_PULSES / 2;
/// Fewest notes in the measured bars with which a part counts as being in the song.
pub const MIN_PART_NOTES: usize = 16;

/// The notes of the four parts, in the order of [`Part::ALL`].
pub type Parts = [Vec<Note>; 4];

/// The 16th that an onset belongs to on the band's grid, counted from the start of the music: a note up
/// to three ticks early belongs to the step that it anticipates, as in [`sideman_music::encoding::grid`].
pub fn step_of(onset: Pulse) -> i64 {
    (pulse_to_tick(onset) - i64::from(OFFSET_MIN)).div_euclid(STEP_TICKS)
}

/// The 4/4 bar that an onset belongs to, by [`step_of`].
pub fn bar_of(onset: Pulse) -> i64 {
    step_of(onset).div_euclid(BAR_STEPS)
}

/// The notes that begin in the first `bars` bars, their ends cut at the last bar line.
pub fn cut(notes: &[Note], bars: usize) -> Vec<Note> {
    let end = bars as i64 * BAR_PULSES;
    notes
        .iter()
        .filter(|n| n.onset < end && (0..bars as i64).contains(&bar_of(n.onset)))
        .map(|n| Note { length: n.length.clamp(1, (end - n.onset).max(1)), ..*n })
        .collect()
}

/// [`cut`] of all parts; parts outside `present` come out empty.
pub fn cut_parts(parts: &Parts, bars: usize, present: [bool; 4]) -> Parts {
    std::array::from_fn(|i| if present[i] { cut(&parts[i], bars) } else { Vec::new() })
}

/// A song as evaluation sees it: 4/4 throughout, bar lines at multiples of 1920 pulses.
#[derive(Debug, Clone)]
pub struct EvalSong {
    /// What to call it in messages.
    pub name: String,
    /// Versions of one piece share a group; folds and shuffled pairs never mix within one.
    pub group: String,
    /// The piano over the measured bars.
    pub piano: Vec<Note>,
    /// What people played over the measured bars; empty where `present` is false.
    pub people: Parts,
    /// Number of measured bars.
    pub bars: usize,
    /// Quarter notes a minute.
    pub bpm: f64,
    /// Which parts are in the song.
    pub present: [bool; 4],
    /// What it is grouped by in breakdowns: (axis, label), such as ("tier", "open").
    pub labels: Vec<(&'static str, String)>,
}

impl EvalSong {
    /// Cuts a song to at most `max_bars` whole bars. `steps` is its length in 16ths; `present` says which
    /// parts the source counts as there. A part with fewer than [`MIN_PART_NOTES`] notes in the bars that
    /// are left counts as absent: a few stray notes are no part to be compared with.
    pub fn new(
        name: impl Into<String>,
        group: impl Into<String>,
        band: &BandScore,
        steps: usize,
        bpm: f64,
        present: [bool; 4],
        max_bars: usize,
    ) -> Self {
        let bars = (steps / BAR_STEPS as usize).min(max_bars);
        let people = cut_parts(&band.parts, bars, present);
        let present = std::array::from_fn(|i| people[i].len() >= MIN_PART_NOTES);
        Self {
            name: name.into(),
            group: group.into(),
            piano: cut(&band.piano, bars),
            people: cut_parts(&people, bars, present),
            bars,
            bpm,
            present,
            labels: Vec::new(),
        }
    }

    /// The first bars of the song.
    pub fn shortened(&self, bars: usize) -> Self {
        let bars = bars.min(self.bars);
        let (piano, people) = (cut(&self.piano, bars), cut_parts(&self.people, bars, self.present));
        Self { piano, people, bars, ..self.clone() }
    }

    /// Length in 16ths.
    pub fn steps(&self) -> usize {
        self.bars * BAR_STEPS as usize
    }

    /// Whether a part is in the song.
    pub fn has(&self, part: Part) -> bool {
        self.present[part.index()]
    }
}

/// What the piano sounds in half a bar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Half {
    /// Pitch classes that sound at any time in the half-bar; bit 0 is C.
    pub classes: u16,
    /// Lowest pitch that sounds in it.
    pub lowest: Option<u8>,
}

impl Half {
    /// Whether a pitch's class sounds.
    pub fn holds(&self, pitch: u8) -> bool {
        self.classes & (1 << (pitch % 12)) != 0
    }

    /// Semitones up from the lowest pitch to this one, 0 to 11; `None` while the piano is silent.
    pub fn above_lowest(&self, pitch: u8) -> Option<usize> {
        self.lowest.map(|low| usize::from((pitch % 12 + 12 - low % 12) % 12))
    }
}

/// The piano of half-bars `0..2 * bars`.
pub fn halves(piano: &[Note], bars: usize) -> Vec<Half> {
    let mut out = vec![Half::default(); bars * 2];
    for n in piano {
        for (h, _) in spans(n, HALF_PULSES) {
            if let Some(half) = usize::try_from(h).ok().and_then(|h| out.get_mut(h)) {
                half.classes |= 1 << (n.pitch % 12);
                half.lowest = Some(half.lowest.map_or(n.pitch, |low| low.min(n.pitch)));
            }
        }
    }
    out
}

/// The windows of `width` pulses that a note sounds in, each with the pulses that it sounds there.
pub fn spans(note: &Note, width: Pulse) -> impl Iterator<Item = (i64, Pulse)> + use<> {
    let (start, end) = (note.onset, note.end().max(note.onset + 1));
    (start.div_euclid(width)..=(end - 1).div_euclid(width))
        .map(move |w| (w, end.min((w + 1) * width) - start.max(w * width)))
}

/// What a part plays in each bar, on the 16th grid: (step in the bar, pitch or drum class), ascending,
/// without repeats. Two bars are equal where these are.
pub fn bar_contents(part: Part, notes: &[Note], bars: usize) -> Vec<Vec<(u8, u8)>> {
    let mut sets = vec![BTreeSet::new(); bars];
    for n in notes {
        let step = step_of(n.onset);
        if let Some(set) = usize::try_from(step / BAR_STEPS).ok().and_then(|b| sets.get_mut(b)) {
            set.insert((step.rem_euclid(BAR_STEPS) as u8, symbol(part, n.pitch)));
        }
    }
    sets.into_iter().map(|s| s.into_iter().collect()).collect()
}

/// What tells one note of a part from another: the drum class, or the pitch.
pub fn symbol(part: Part, pitch: u8) -> u8 {
    match part {
        Part::Drums => sideman_music::encoding::grid::drum_class(pitch) as u8,
        Part::Bass | Part::Guitar | Part::Strings => pitch,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(onset: Pulse, pitch: u8, length: Pulse) -> Note {
        Note { onset, pitch, length, velocity: 80 }
    }

    #[test]
    fn early_notes_belong_to_the_step_they_anticipate() {
        assert_eq!([step_of(0), step_of(49), step_of(50), step_of(69), step_of(120)], [0, 0, 1, 1, 1]);
        assert_eq!([bar_of(1849), bar_of(1850), bar_of(1920)], [0, 1, 1]);
    }

    #[test]
    fn cutting_drops_what_begins_later_and_shortens_what_ends_later() {
        let notes = [note(0, 60, 5000), note(1800, 62, 10), note(1880, 64, 100), note(1920, 65, 100)];
        assert_eq!(cut(&notes, 1), [note(0, 60, 1920), note(1800, 62, 10)]);
        assert_eq!(cut(&notes, 2).len(), 4);
    }

    #[test]
    fn halves_hold_all_that_sounds_in_them_and_the_lowest() {
        let piano = [note(0, 48, 961), note(480, 64, 480), note(960, 67, 100)];
        let h = halves(&piano, 1);
        assert_eq!(h[0], Half { classes: 1 | 1 << 4, lowest: Some(48) });
        assert_eq!(h[1], Half { classes: 1 | 1 << 7, lowest: Some(48) });
        assert_eq!(halves(&[], 1)[1].above_lowest(60), None);
        assert_eq!(h[1].above_lowest(31), Some(7));
    }

    #[test]
    fn spans_share_out_a_note() {
        let s: Vec<_> = spans(&note(900, 60, 1100), 960).collect();
        assert_eq!(s, [(0, 60), (1, 960), (2, 80)]);
        assert_eq!(spans(&note(0, 60, 960), 960).count(), 1);
    }

    #[test]
    fn a_part_with_hardly_a_note_is_absent() {
        let mut band = BandScore::default();
        band.parts[0] = (0..16).map(|i| note(i * 120, 36, 10)).collect();
        band.parts[1] = (0..15).map(|i| note(i * 120, 36, 10)).collect();
        let song = EvalSong::new("a", "a", &band, 35, 120.0, [true; 4], 64);
        assert_eq!((song.bars, song.steps(), song.present), (2, 32, [true, false, false, false]));
        assert!(song.people[1].is_empty());
        let song = EvalSong::new("a", "a", &band, 32, 120.0, [false, true, true, true], 64);
        assert_eq!(song.present, [false; 4]);
    }

    #[test]
    fn equal_bars_have_equal_contents() {
        let notes = [note(0, 35, 10), note(10, 36, 10), note(1900, 36, 99), note(2400, 42, 1)];
        let c = bar_contents(Part::Drums, &notes, 3);
        assert_eq!(c, [vec![(0, 0)], vec![(0, 0), (4, 5)], vec![]]);
        assert_eq!(bar_contents(Part::Bass, &notes, 1), [vec![(0, 35), (0, 36)]]);
    }
}
