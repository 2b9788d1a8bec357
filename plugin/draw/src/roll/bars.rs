//! The bars of a piece, and how they are spread over rows.

use sideman_music::chord::{Quality, Reading};
use sideman_music::{MeterMap, Note, Pulse};

/// A bar, or a piece of a bar that is too long for a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Bar number from 1.
    pub(super) number: i64,
    /// Whether the bar starts here.
    pub(super) is_start: bool,
    pub(super) start: Pulse,
    pub(super) end: Pulse,
    /// Pulses of a written beat.
    pub(super) beat: Pulse,
}

/// All bars until `end`, none longer than `longest` pulses; at most `most`.
pub(super) fn spans(meters: &MeterMap, end: Pulse, longest: Pulse, most: usize) -> Vec<Span> {
    let changes: Vec<Pulse> = meters.changes().map(|c| c.0).collect();
    let mut out = Vec::new();
    let mut at = 0;
    while at < end.max(1) && out.len() < most {
        let place = meters.position(at);
        // A change of metre in the middle of a bar ends it.
        let next_change = changes.get(changes.partition_point(|&c| c <= at)).copied();
        let bar_end = place.bar_start + place.meter.bar_pulses();
        let until = bar_end.min(next_change.unwrap_or(Pulse::MAX)).min(at + longest);
        let beat = place.meter.bar_pulses() / i64::from(place.meter.numerator.max(1));
        out.push(Span {
            number: place.bar + 1,
            is_start: place.offset == 0,
            start: at,
            end: until,
            beat: beat.max(1),
        });
        at = until;
    }
    out
}

/// Groups spans into rows of at most `longest` pulses, by index.
pub(super) fn rows(spans: &[Span], longest: Pulse) -> Vec<std::ops::Range<usize>> {
    let mut out: Vec<std::ops::Range<usize>> = Vec::new();
    for (i, span) in spans.iter().enumerate() {
        match out.last_mut() {
            Some(row) if span.end - spans[row.start].start <= longest => row.end = i + 1,
            _ => out.push(i..i + 1),
        }
    }
    out
}

/// Names the chords of a span, by half-bar where it has an even number of beats: (pulse, name). A chord
/// that goes on is named once a span.
pub(super) fn chords(notes: &[Note], span: &Span) -> Vec<(Pulse, String)> {
    let length = span.end - span.start;
    let half = if length % (2 * span.beat) == 0 { length / 2 } else { length };
    let mut out: Vec<(Pulse, String)> = Vec::new();
    for start in (span.start..span.end).step_by(half.max(1) as usize) {
        let Some(reading) = reading(notes, start, (start + half).min(span.end)) else { continue };
        let name = reading.name();
        if out.last().is_none_or(|(_, last)| *last != name) {
            out.push((start, name));
        }
    }
    out
}

/// The chord of what sounds in a stretch of time, each pitch class weighted by how long it sounds.
fn reading(notes: &[Note], start: Pulse, end: Pulse) -> Option<Reading> {
    let mut weights = [0.0f32; 12];
    let mut lowest = None;
    // Notes are sorted by onset; one that began long before is not looked for.
    let first = notes.partition_point(|n| n.onset < start - 8 * 1920);
    for note in notes[first..].iter().take_while(|n| n.onset < end) {
        let sounds = note.end().min(end) - note.onset.max(start);
        // A note that merely begins early or ends late belongs to the neighbour.
        if sounds > (end - start) / 16 {
            weights[usize::from(note.pitch % 12)] += sounds as f32;
            lowest = Some(lowest.map_or(note.pitch, |l: u8| l.min(note.pitch)));
        }
    }
    // A single note is no chord.
    Reading::weighted(&weights, lowest?).filter(|r| r.quality != Quality::Single)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sideman_music::Meter;

    #[test]
    fn bars_follow_the_metre_and_cover_the_piece() {
        let meters = MeterMap::new(&[
            (1920, Meter { numerator: 3, denominator: 4 }),
            (1920 + 1440 + 480, Meter::COMMON),
        ]);
        let spans = spans(&meters, 9000, 10_000, 100);
        assert_eq!(spans.iter().map(|s| s.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
        assert_eq!(
            spans.iter().map(|s| s.end - s.start).collect::<Vec<_>>(),
            [1920, 1440, 480, 1920, 1920, 1920]
        );
        assert!(spans.windows(2).all(|w| w[0].end == w[1].start));
        assert!(spans.last().unwrap().end >= 9000);
    }

    #[test]
    fn bars_longer_than_a_row_are_cut() {
        let meters = MeterMap::new(&[(0, Meter { numerator: 255, denominator: 1 })]);
        let spans = spans(&meters, 255 * 1920, 5000, 1000);
        assert!(spans.iter().all(|s| s.end - s.start <= 5000 && s.number == 1));
        assert_eq!(spans.iter().filter(|s| s.is_start).count(), 1);
        assert_eq!(rows(&spans, 5000).len(), spans.len());
    }

    #[test]
    fn rows_hold_what_fits() {
        let spans = spans(&MeterMap::default(), 10 * 1920, 9999, 100);
        assert_eq!(rows(&spans, 4 * 1920), [0..4, 4..8, 8..10]);
    }

    #[test]
    fn chords_are_named_once_and_by_half_bar() {
        let note = |onset, pitch, length| Note { onset, pitch, length, velocity: 80 };
        let mut notes = Vec::new();
        for pitch in [48, 64, 67] {
            notes.push(note(0, pitch, 960));
        }
        for pitch in [43, 59, 62, 65] {
            notes.push(note(960, pitch, 960));
        }
        notes.sort_unstable();
        let span = spans(&MeterMap::default(), 1920, 9999, 1)[0];
        let named: Vec<(Pulse, String)> = chords(&notes, &span);
        assert_eq!(named, [(0, "C".to_string()), (960, "G7".to_string())]);
    }
}
