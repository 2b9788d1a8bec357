//! RepeatBias: a bar that began as another one did goes on as that one did.
//!
//! Each onset is drawn by itself, so a bar that the network would repeat with a chance of nine in ten an
//! onset is rarely repeated as a whole, while people's bands repeat whole bars (docs/band.md). While a
//! part's bar so far equals the one at a lag, following it to the end is made likelier.

use sideman_music::{BandStep, Part};

use super::history::same;
use super::sizes::LAGS;

/// Whether a part's bar so far is the one at each lag. No allocation.
#[derive(Debug, Clone, Default)]
pub(super) struct RepeatBias {
    /// Steps in which something began alike, by part and lag; negative once something differed.
    onsets: [[i8; LAGS]; 4],
    /// The same of pitches.
    pitches: [[i8; LAGS]; 4],
    /// Bars in a row that were the bar before, by part.
    stuck: [u8; 4],
}

/// Steps alike after which a habit is at its strongest.
const SETTLED: i8 = 4;
/// Bars in a row after which a part has played one bar long enough.
const ENOUGH: u8 = 7;
/// Bars in a row after which it should play another one where a phrase of four bars ends, and anywhere.
const STUCK: [u8; 2] = [11, 13];
/// Bars in a row after which it plays another one, come what may.
const LONGEST: u8 = 14;

/// One step further: `alike` or not.
fn count(n: &mut i8, alike: bool) {
    *n = match (*n, alike) {
        (n, true) if n >= 0 => (n + 1).min(SETTLED),
        _ => -1,
    };
}

impl RepeatBias {
    /// Takes in what was played in a step, and what was played at each lag before it; `starts_bar` says whether
    /// the step is the first of its bar.
    pub(super) fn push(&mut self, now: &BandStep, then: [Option<&BandStep>; LAGS], starts_bar: bool) {
        for part in Part::ALL {
            let i = part.index();
            if starts_bar {
                self.stuck[i] = if self.onsets[i][0] > 0 { (self.stuck[i] + 1).min(LONGEST) } else { 0 };
                // A bar that was another one to its end leaves some habit to the next.
                for n in self.onsets[i].iter_mut().chain(&mut self.pitches[i]) {
                    *n = i8::from(*n > 0);
                }
            }
            for (k, then) in then.iter().enumerate() {
                let Some(then) = then else {
                    (self.onsets[i][k], self.pitches[i][k]) = (-1, -1);
                    continue;
                };
                if !now.plays(part) && !then.plays(part) {
                    continue;
                }
                let alike = same(now, then, part);
                // Drums have no pitches: what they hit is when they play.
                let onsets = if part == Part::Drums { alike } else { now.plays(part) == then.plays(part) };
                count(&mut self.onsets[i][k], onsets);
                count(&mut self.pitches[i][k], alike);
            }
        }
    }

    /// Whether a part has played one bar for so long that it should play another in the bar of a number.
    pub(super) fn stuck(&self, part: Part, bar: i64) -> bool {
        let ends = bar.rem_euclid(4) == 3;
        self.stuck[part.index()] >= STUCK[usize::from(!ends)]
    }

    /// Whether a part has played one bar for as long as it may, and this bar is the same so far.
    pub(super) fn worn_out(&self, part: Part) -> bool {
        self.stuck[part.index()] >= LONGEST && self.onsets[part.index()][0] > 0
    }

    /// The lag that a part keeps to, and how firmly, 0 to 1.
    pub(super) fn onsets(&self, part: Part) -> Option<(usize, f32)> {
        let i = part.index();
        self.firmest(part, &self.onsets[i])
    }

    /// The same for its pitches.
    pub(super) fn pitches(&self, part: Part) -> Option<(usize, f32)> {
        let i = part.index();
        self.firmest(part, &self.pitches[i])
    }

    fn firmest(&self, part: Part, counts: &[i8; LAGS]) -> Option<(usize, f32)> {
        if self.stuck[part.index()] >= ENOUGH {
            return None;
        }
        let best = (0..LAGS).filter(|&k| counts[k] > 0).max_by_key(|&k| counts[k])?;
        Some((best, f32::from(counts[best]) / f32::from(SETTLED)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sideman_music::encoding::grid::DRUM_CLASSES;

    fn hit(class: usize) -> BandStep {
        let mut step = BandStep::EMPTY;
        if class < DRUM_CLASSES {
            step.drums[class] = 20;
        }
        step
    }

    #[test]
    fn a_bar_that_goes_on_alike_settles_and_one_note_breaks_it() {
        let mut habit = RepeatBias::default();
        let play = |habit: &mut RepeatBias, now: usize, then: usize, first: bool| {
            habit.push(&hit(now), [Some(&hit(then)), None, None, None], first);
        };
        assert_eq!(habit.onsets(Part::Drums), None);
        play(&mut habit, 0, 0, true);
        assert_eq!(habit.onsets(Part::Drums), Some((0, 0.25)));
        (0..5).for_each(|_| play(&mut habit, 5, 5, false));
        assert_eq!(habit.onsets(Part::Drums), Some((0, 1.0)));
        play(&mut habit, 99, 5, false);
        assert_eq!(habit.onsets(Part::Drums), None);
        play(&mut habit, 5, 5, false);
        assert_eq!(habit.onsets(Part::Drums), None, "until the bar ends");
        play(&mut habit, 0, 0, true);
        assert_eq!(habit.onsets(Part::Drums), Some((0, 0.25)));
    }

    #[test]
    fn nobody_is_kept_to_one_bar_for_ever() {
        let mut habit = RepeatBias::default();
        // The first bar repeats none.
        for bar in 0..18 {
            for step in 0..4 {
                habit.push(&hit(1), [Some(&hit(1)), None, None, None], step == 0);
            }
            assert_eq!(habit.onsets(Part::Drums).is_some(), bar < 7, "bar {bar}");
            assert_eq!(habit.worn_out(Part::Drums), bar >= 14, "bar {bar}");
        }
    }
}
