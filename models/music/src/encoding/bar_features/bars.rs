//! The bars of a piece, and the notes that begin in each.

use std::ops::Range;

use crate::score::Note;
use crate::time::{Meter, MeterMap, PULSES_PER_BEAT, Pulse};

/// Most bars that are looked at: more than ten hours of 4/4 at 120 beats a minute.
pub const MOST_BARS: usize = 20_000;

/// A bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// First pulse.
    pub start: Pulse,
    /// First pulse after it; a change of metre may end a bar early.
    pub end: Pulse,
    /// The metre in force.
    pub meter: Meter,
}

impl Bar {
    /// Length in quarter notes; more than 0.
    pub fn beats(&self) -> f32 {
        (self.end - self.start).max(1) as f32 / PULSES_PER_BEAT as f32
    }

    /// Whether the metre counts in threes: 3, 6, 9, 12 in the numerator.
    pub fn is_triple(&self) -> bool {
        self.meter.numerator.is_multiple_of(3)
    }
}

/// The bars that begin before `end`, [`MOST_BARS`] at most.
pub fn bars(meters: &MeterMap, end: Pulse) -> Vec<Bar> {
    let changes: Vec<(Pulse, Meter)> = meters.changes().collect();
    let mut out = Vec::new();
    for (i, &(from, meter)) in changes.iter().enumerate() {
        let until = changes.get(i + 1).map_or(Pulse::MAX, |c| c.0);
        let mut start = from;
        while start < until.min(end) {
            if out.len() == MOST_BARS {
                return out;
            }
            let stop = start.saturating_add(meter.bar_pulses()).min(until);
            out.push(Bar { start, end: stop, meter });
            start = stop;
        }
    }
    out
}

/// For each bar the range of notes that begin in it. `notes` are sorted by onset; a note before the first bar
/// belongs to it, one behind the last to none.
pub fn notes_by_bar(notes: &[Note], bars: &[Bar]) -> Vec<Range<usize>> {
    let mut from = 0;
    bars.iter()
        .map(|bar| {
            let to = from + notes[from..].partition_point(|n| n.onset < bar.end);
            let range = from..to;
            from = to;
            range
        })
        .collect()
}

/// A tempo as a feature: octaves above 120 beats a minute, -3 to 3.
pub fn tempo_feature(bpm: f32) -> f32 {
    (bpm.max(1.0) / 120.0).log2().clamp(-3.0, 3.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_change_of_metre_ends_a_bar_early() {
        let three = Meter { numerator: 3, denominator: 4 };
        let map = MeterMap::new(&[(0, Meter::COMMON), (1920 + 960, three)]);
        let found = bars(&map, 1920 + 960 + 1441);
        let spans: Vec<(Pulse, Pulse)> = found.iter().map(|b| (b.start, b.end)).collect();
        assert_eq!(spans, [(0, 1920), (1920, 2880), (2880, 4320), (4320, 5760)]);
        assert!(found[2].is_triple() && !found[0].is_triple());
        assert!((found[1].beats() - 2.0).abs() < 1e-6);
    }

    #[test]
    fn endless_music_has_bounded_bars() {
        let tiny = Meter { numerator: 1, denominator: 64 };
        assert_eq!(bars(&MeterMap::new(&[(0, tiny)]), Pulse::MAX).len(), MOST_BARS);
        assert!(bars(&MeterMap::default(), 0).is_empty());
    }

    proptest! {
        #[test]
        fn every_note_lies_in_one_bar(
            mut onsets in proptest::collection::vec(0i64..40_000, 0..60),
            numerator in 1u8..13,
            change in 0i64..20_000,
        ) {
            onsets.sort_unstable();
            let notes: Vec<Note> =
                onsets.iter().map(|&onset| Note { onset, pitch: 60, length: 10, velocity: 80 }).collect();
            let other = Meter { numerator, denominator: 8 };
            let found = bars(&MeterMap::new(&[(change, other)]), 40_000);
            prop_assert!(found.windows(2).all(|w| w[0].end == w[1].start));
            let ranges = notes_by_bar(&notes, &found);
            prop_assert_eq!(ranges.iter().map(|r| r.len()).sum::<usize>(), notes.len());
            for (range, bar) in ranges.into_iter().zip(&found) {
                prop_assert!(notes[range].iter().all(|n| (bar.start..bar.end).contains(&n.onset)));
            }
        }
    }
}
