//! Tells a pianist's ending from a rest.
//!
//! An ending is a last chord on a bar line, of three keys or with a low one, after which nothing is struck for
//! much longer than this pianist ever paused lately. Two things make it more likely: his strikes became
//! slower towards it, and it lies where a phrase of four bars begins, or where one ended and the next does
//! not begin. With both the band ends a bar after the chord, with one of them two bars after; without either
//! it is a rest like any other. Nobody ends in the first phrase.

use sideman_inference::band::StepPosition;
use sideman_music::PianoFrame;

/// Gaps between strikes that are remembered.
const GAPS: usize = 48;
/// The last gaps, of which a slowing consists; those before say what is usual.
const LAST: usize = 3;
/// Gaps from which on there is something usual.
const ENOUGH: usize = 12;
/// Bars of a phrase.
const PHRASE: i64 = 4;
/// Bars before which nobody ends.
const YOUNG: i64 = 8;
/// Highest pitch of a low key.
const LOW: u8 = 52;
/// How much longer than what is usual a gap is to be.
const UNUSUAL: f32 = 1.5;

/// A chord that may be the last one.
#[derive(Debug, Clone, Copy)]
struct Landing {
    place: StepPosition,
    keys: u8,
    lowest: u8,
}

/// Follows the pianist's strikes. No allocation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Endings {
    /// Bar of the first strike; of the bar after an upbeat.
    first: i64,
    landing: Option<Landing>,
    /// Step of the last strike.
    last: i64,
    /// Steps between strikes, and how many there were.
    gaps: [u16; GAPS],
    count: usize,
}

impl Default for Endings {
    fn default() -> Self {
        Self { first: 0, landing: None, last: 0, gaps: [0; GAPS], count: 0 }
    }
}

impl Endings {
    /// Takes in a step.
    pub(crate) fn hear(&mut self, place: &StepPosition, frame: &PianoFrame) {
        if frame.struck_count == 0 {
            return;
        }
        let here = Landing { place: *place, keys: frame.keys, lowest: frame.lowest };
        let Some(landing) = &mut self.landing else {
            self.first = place.bar + i64::from(u32::from(place.in_bar) * 2 >= u32::from(place.bar_steps));
            (self.landing, self.last) = (Some(here), place.step);
            return;
        };
        if place.step - landing.place.step <= 2 && place.step - self.last <= 1 {
            // A chord that is rolled is one chord.
            landing.keys = landing.keys.max(here.keys);
            landing.lowest = landing.lowest.min(here.lowest);
        } else {
            *landing = here;
        }
        self.gaps[self.count % GAPS] = (place.step - self.last).clamp(0, i64::from(u16::MAX)) as u16;
        self.count += 1;
        self.last = place.step;
    }

    /// The step from which on an ending is one, while it is under way; `None` where nothing points to one.
    pub(crate) fn expected(&self, place: &StepPosition) -> Option<i64> {
        let landing = self.landing?;
        let (bar, still) = (i64::from(place.bar_steps.max(1)), place.step - self.last);
        let at = landing.place;
        let heavy = landing.keys >= 3 || (landing.keys >= 2 && landing.lowest <= LOW);
        let young = at.bar - self.first < YOUNG || self.count < ENOUGH + LAST;
        // A strike a step behind the bar line is on it.
        if young || !heavy || at.in_bar > 1 || still * 2 < bar {
            return None;
        }
        let [usual, longest] = self.usual();
        let ago = |i: usize| f32::from(self.gaps[(self.count - i) % GAPS]);
        let slowing = ago(1) >= ago(2) && ago(2) >= ago(3) && ago(1) >= 2.0 * usual;
        let begins = (at.bar - self.first).rem_euclid(PHRASE) == 0;
        let ended = (at.bar - self.first).rem_euclid(PHRASE) == PHRASE - 1 && place.bar > at.bar;
        let bars = match (slowing, begins || ended) {
            (true, true) => 1,
            (true, false) | (false, true) => 2,
            (false, false) => return None,
        };
        let long = (UNUSUAL * longest.max(usual)).round() as i64;
        Some(at.step - i64::from(at.in_bar) + (bars * bar).max(long))
    }

    /// The middle one and the longest of the gaps before the last ones.
    fn usual(&self) -> [f32; 2] {
        let known = self.count.min(GAPS) - LAST;
        let mut gaps = [0u16; GAPS];
        for (i, gap) in gaps[..known].iter_mut().enumerate() {
            *gap = self.gaps[(self.count - LAST - 1 - i) % GAPS];
        }
        let gaps = &mut gaps[..known];
        gaps.sort_unstable();
        [f32::from(gaps[known / 2]), f32::from(gaps[known - 1])]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::position::place_of;
    use sideman_music::MeterMap;

    /// Steps from the last of these strikes (step, keys) to where the ending is expected, asked at each step
    /// of the bars after it; `None` if it never is.
    fn ends(strikes: &[(i64, u8)]) -> Option<i64> {
        let meters = MeterMap::default();
        let mut endings = Endings::default();
        let last = strikes.last().unwrap().0;
        for step in 0..=last {
            let struck = strikes.iter().find(|s| s.0 == step);
            let keys = struck.map_or(0, |s| s.1);
            let frame = PianoFrame { struck_count: keys, keys, lowest: 60, ..PianoFrame::SILENT };
            endings.hear(&place_of(step, &meters), &frame);
        }
        let place = |step| place_of(step, &meters);
        (last + 1..last + 200)
            .find(|&s| endings.expected(&place(s)).is_some_and(|e| s >= e))
            .map(|s| s - last)
    }

    /// Eighths with chords on the bar lines, up to a bar.
    fn eighths(bars: i64) -> Vec<(i64, u8)> {
        (0..bars * 8).map(|i| (i * 2, if i % 8 == 0 { 4 } else { 1 })).collect()
    }

    /// A slowing: a quarter, a half.
    fn slowing(bars: i64) -> Vec<(i64, u8)> {
        let mut strikes = eighths(bars - 1);
        strikes.extend([(0, 4), (2, 1), (4, 1), (8, 1)].map(|(s, k)| ((bars - 1) * 16 + s, k)));
        strikes
    }

    fn and(mut strikes: Vec<(i64, u8)>, at: i64, keys: u8) -> Vec<(i64, u8)> {
        strikes.push((at, keys));
        strikes
    }

    #[test]
    fn a_slowing_into_a_phrase_ends_a_bar_after_and_one_of_both_two_bars_after() {
        assert_eq!(ends(&and(slowing(16), 256, 4)), Some(16));
        assert_eq!(ends(&and(eighths(16), 256, 4)), Some(32), "no slowing");
        assert_eq!(ends(&and(slowing(14), 224, 4)), Some(32), "in mid-phrase");
        // The last chord of a phrase, after which no phrase begins.
        assert_eq!(ends(&and(eighths(15), 240, 4)), Some(32));
    }

    #[test]
    fn a_rest_is_no_ending() {
        assert_eq!(ends(&eighths(16)), None, "broken off in mid-bar");
        assert_eq!(ends(&and(eighths(14), 224, 4)), None, "in mid-phrase, without slowing");
        assert_eq!(ends(&and(eighths(16), 256, 1)), None, "a single high key");
        assert_eq!(ends(&and(eighths(16), 264, 4)), None, "a chord off the bar line");
        assert_eq!(ends(&and(slowing(4), 64, 4)), None, "the song has hardly begun");
        // One who rests two bars in each phrase anyway.
        let resting: Vec<(i64, u8)> = eighths(64).into_iter().filter(|s| s.0 / 16 % 4 < 2).collect();
        let usual = ends(&and(resting, 64 * 16, 4));
        assert!(usual.is_some_and(|steps| steps > 48), "{usual:?}");
    }
}
