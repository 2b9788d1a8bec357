//! Music as a line of tokens in which a quote shows, whatever the key.

use std::collections::BTreeMap;

use sideman_music::encoding::grid::drum_class;
use sideman_music::family::Part;
use sideman_music::score::Note;

use super::automaton::Token;
use crate::eval::song::step_of;

/// Bars that a repetition may lie back: one, two and four.
const LAGS: [usize; 3] = [1, 2, 4];
/// Longer rests count as this many 16ths.
const LONGEST_REST: i64 = 63;

/// What a part plays, one token an onset.
///
/// A token of a pitched part is the time since the onset before it, in 16ths, and the interval from its
/// pitch; of a chord the top counts, of the bass the lowest. A token of the drums is the time and the set of
/// drums that are struck. What goes without saying is left out, so that a match of many tokens is a match of
/// much music:
///
/// - a bar in which the part plays exactly what it played one, two or four bars before: a loop says
///   something once;
/// - a pitch (or set of drums) that only goes on in the same time values: an ostinato does, too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// The tokens.
    pub(super) tokens: Vec<Token>,
    /// 16ths from the onset before each.
    pub(super) gaps: Vec<u8>,
}

impl Line {
    /// The line of a part's notes in bars of so many 16ths.
    pub(super) fn new(part: Part, notes: &[Note], bar_steps: i64) -> Self {
        let mut onsets: BTreeMap<i64, u16> = BTreeMap::new();
        for n in notes {
            let (step, pitch) = (step_of(n.onset), u16::from(n.pitch));
            let at = onsets.entry(step);
            match part {
                Part::Drums => *at.or_default() |= 1 << drum_class(n.pitch),
                Part::Bass => {
                    let lowest = at.or_insert(pitch);
                    *lowest = pitch.min(*lowest);
                }
                Part::Guitar | Part::Strings => {
                    let top = at.or_insert(pitch);
                    *top = pitch.max(*top);
                }
            }
        }
        let bars = onsets.keys().next_back().map_or(0, |s| s.div_euclid(bar_steps).max(0) as usize + 1);
        let mut content: Vec<Vec<(i64, u16)>> = vec![Vec::new(); bars];
        for (step, what) in onsets {
            if let Ok(bar) = usize::try_from(step.div_euclid(bar_steps)) {
                content[bar].push((step.rem_euclid(bar_steps), what));
            }
        }
        let mut line = Self::default();
        let (mut before, mut kept): (Option<(i64, u16)>, i64) = (None, 0);
        for bar in 0..bars {
            let again = LAGS.iter().any(|&lag| bar >= lag && content[bar] == content[bar - lag]);
            if again && !content[bar].is_empty() {
                continue;
            }
            for &(step, what) in &content[bar] {
                let at = kept * bar_steps + step;
                if let Some((last, was)) = before {
                    line.push(part, (at - last).min(LONGEST_REST), what, was);
                }
                before = Some((at, what));
            }
            kept += 1;
        }
        line
    }

    fn push(&mut self, part: Part, gap: i64, what: u16, was: u16) {
        // Pitches lie in 0 to 127, so that this is positive.
        let said = if part == Part::Drums { what } else { what + 128 - was };
        let token = (gap as Token) << 16 | Token::from(said);
        let goes_on = what == was && self.tokens.last() == Some(&token);
        if !goes_on {
            self.tokens.push(token);
            self.gaps.push(gap as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(step: i64, pitch: u8) -> Note {
        Note { onset: step * 120, pitch, length: 100, velocity: 80 }
    }

    fn line(part: Part, notes: &[(i64, u8)]) -> Line {
        let notes: Vec<Note> = notes.iter().map(|&(s, p)| note(s, p)).collect();
        Line::new(part, &notes, 16)
    }

    #[test]
    fn the_key_does_not_matter_and_the_rhythm_does() {
        let tune = [(0, 60), (4, 64), (6, 62), (8, 67)];
        let up: Vec<(i64, u8)> = tune.iter().map(|&(s, p)| (s, p + 5)).collect();
        let late: Vec<(i64, u8)> = tune.iter().map(|&(s, p)| (s * 2, p)).collect();
        let original = line(Part::Guitar, &tune);
        assert_eq!(original.tokens.len(), 3);
        assert_eq!(original, line(Part::Guitar, &up));
        assert_ne!(original, line(Part::Guitar, &late));
        // The drums have no key: other drums are other tokens.
        let shift = [(0, 36), (4, 38), (8, 42)];
        let other = [(0, 38), (4, 42), (8, 36)];
        assert_ne!(line(Part::Drums, &shift), line(Part::Drums, &other));
    }

    #[test]
    fn of_a_chord_the_top_counts_and_of_the_bass_the_lowest() {
        let chords = [(0, 60), (0, 67), (4, 55), (4, 69)];
        assert_eq!(line(Part::Strings, &chords), line(Part::Strings, &[(0, 67), (4, 69)]));
        assert_eq!(line(Part::Bass, &chords), line(Part::Bass, &[(0, 60), (4, 55)]));
    }

    #[test]
    fn loops_and_ostinati_say_something_once() {
        let riff = [(0, 40), (3, 43), (6, 45), (10, 40)];
        let again = |bars: i64| -> Vec<(i64, u8)> {
            (0..bars).flat_map(|b| riff.iter().map(move |&(s, p)| (b * 16 + s, p))).collect()
        };
        assert_eq!(line(Part::Bass, &again(1)), line(Part::Bass, &again(9)));
        // Bars in turn are a loop of two.
        let turns: Vec<(i64, u8)> =
            (0..12).flat_map(|b| [(b * 16, 40 + (b % 2) as u8), (b * 16 + 6, 50)]).collect();
        assert_eq!(line(Part::Bass, &turns).tokens.len(), 3);
        let eighths: Vec<(i64, u8)> = (0..8).map(|i| (i * 2, 40)).collect();
        assert_eq!(line(Part::Bass, &eighths).tokens.len(), 1);
    }
}
