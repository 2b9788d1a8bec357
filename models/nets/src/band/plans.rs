//! What a part's bars repeat, read off songs for training.

use rand::Rng;
use rand_pcg::Pcg64;
use sideman_inference::band::{LAGS, NEW, RepeatPlan, UNPLANNED, same};
use sideman_music::{BandStep, Part};

/// Drum classes that make the rhythm of a bar: kick, snares, rim and clap.
const BACKBONE: std::ops::Range<usize> = 0..5;
/// Share of the bars that are learnt without a plan, and of those whose plan is given up on the way.
const HIDDEN: f64 = 0.15;
const GIVEN_UP: f64 = 0.2;

/// Whether two steps are the same in rhythm.
fn in_time(a: &BandStep, b: &BandStep, part: Part) -> bool {
    match part {
        Part::Drums => BACKBONE.into_iter().all(|c| (a.drums[c] > 0) == (b.drums[c] > 0)),
        _ => a.plays(part) == b.plays(part),
    }
}

/// What a part's bar repeats; `then` gives the step at a lag before the bar's `i`th, none where nothing is
/// known. [`UNPLANNED`] when nothing is played.
pub(super) fn repeated<'a>(
    part: Part,
    bar: &[BandStep],
    then: impl Fn(usize, usize) -> Option<&'a BandStep>,
) -> u8 {
    if !bar.iter().any(|s| s.plays(part)) {
        return UNPLANNED;
    }
    let find = |alike: fn(&BandStep, &BandStep, Part) -> bool| {
        (0..LAGS)
            .find(|&k| bar.iter().enumerate().all(|(i, s)| then(k, i).is_some_and(|t| alike(s, t, part))))
    };
    if let Some(k) = find(same) {
        return k as u8;
    }
    // Without a kick or a snare there is no rhythm to keep.
    let has_rhythm = part != Part::Drums || bar.iter().any(|s| s.drums[BACKBONE].iter().any(|&d| d > 0));
    find(in_time).filter(|_| has_rhythm).map_or(NEW, |k| (k + LAGS) as u8)
}

/// How a lane's plans are shown in training: some not at all, some given up on the way, as it happens in playing.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown {
    pub(super) repeats: RepeatPlan,
    /// Steps until each part's plan is given up; 0 for never.
    left: [u16; 4],
}

impl Shown {
    /// Shows a part's plan for the next bar, or not.
    pub(super) fn plan(&mut self, part: Part, what: u8, rng: &mut Pcg64) {
        self.repeats.plan(part, if rng.random_bool(HIDDEN) { UNPLANNED } else { what });
    }

    /// What is planned for the bar that begins was planned in another key.
    pub(super) fn moved(&mut self) {
        for part in [Part::Bass, Part::Guitar, Part::Strings] {
            self.repeats.keep_rhythm(part);
        }
    }

    /// One step of a bar of `bar` steps further.
    pub(super) fn step(&mut self, in_bar: usize, bar: usize, rng: &mut Pcg64) {
        if in_bar == 0 {
            self.repeats.turn();
            for left in &mut self.left {
                *left = if rng.random_bool(GIVEN_UP) { rng.random_range(1..=bar as u16) } else { 0 };
            }
        }
        for part in Part::ALL {
            let left = &mut self.left[part.index()];
            if *left == 1 {
                self.repeats.give_up(part);
            }
            *left = left.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use sideman_music::encoding::grid::BassNote;

    use super::*;

    fn bass(pitches: &[u8]) -> Vec<BandStep> {
        let note = |&pitch: &u8| (pitch > 0).then_some(BassNote { pitch, length: 3, velocity: 9, above: 0 });
        pitches.iter().map(|p| BandStep { bass: note(p), ..BandStep::EMPTY }).collect()
    }

    #[test]
    fn a_bar_repeats_the_nearest_that_it_equals_or_else_a_rhythm() {
        let song = [bass(&[40, 0, 40, 0]), bass(&[43, 0, 0, 45]), bass(&[38, 0, 38, 0])];
        // The bars at lags of one, two and four bars.
        let of = |bar: &[BandStep]| repeated(Part::Bass, bar, |k, i| song.get(k).map(|then| &then[i]));
        assert_eq!(of(&bass(&[40, 0, 40, 0])), 0);
        assert_eq!(of(&bass(&[38, 0, 38, 0])), 2);
        assert_eq!(of(&bass(&[36, 0, 36, 0])), LAGS as u8, "the rhythm of a bar ago");
        assert_eq!(of(&bass(&[43, 0, 0, 43])), LAGS as u8 + 1);
        assert_eq!(of(&bass(&[40, 40, 40, 0])), NEW);
        assert_eq!(of(&bass(&[0; 4])), UNPLANNED);
        assert_eq!(repeated(Part::Bass, &song[0], |_, _| None), NEW, "nothing is known yet");
    }

    #[test]
    fn drums_keep_a_rhythm_by_kick_and_snare() {
        let beat = |hat: u8, snare: u8| {
            let mut bar = vec![BandStep::EMPTY; 4];
            (bar[0].drums[0], bar[2].drums[1]) = (20, snare);
            bar.iter_mut().for_each(|s| s.drums[5] = hat);
            bar
        };
        let then = beat(9, 20);
        let of = |bar: &[BandStep]| repeated(Part::Drums, bar, |k, i| (k == 0).then(|| &then[i]));
        assert_eq!(of(&beat(3, 9)), 0, "however loud");
        assert_eq!(of(&beat(0, 9)), LAGS as u8);
        assert_eq!(of(&beat(9, 0)), NEW);
    }
}
