//! RepeatPlan planned ahead: which earlier bar of its own a part's next bar repeats, if any.
//!
//! People's bands repeat whole bars: half of what a bass plays was there before, note for note. A band that
//! draws every onset by itself hardly ever repeats one whole, however sure it is of each (docs/band.md). So
//! each part decides near the end of a bar what the next one is: an earlier bar, the rhythm of one, or a new
//! one. In training it is read off the song.

use rand::Rng;
use rand_pcg::Pcg64;
use sideman_music::{BandStep, Part};

use super::history::same;
use super::inputs::Inputs;
use super::layout::LAGS;

/// Number of plans: the whole bar at each lag, the rhythm of the bar at each lag, a new bar.
pub(super) const PLANS: usize = 2 * LAGS + 1;
/// Number of inputs about them.
pub(super) const REPEAT_INPUTS: usize = 2 * 4 * PLANS;
/// A bar that is like none of the earlier ones.
pub(super) const NEW: u8 = 2 * LAGS as u8;
/// Nothing is planned, or nothing is left of it.
pub(super) const UNPLANNED: u8 = PLANS as u8;
/// Drum classes that make the rhythm of a bar: kick, snares, rim and clap.
const BACKBONE: std::ops::Range<usize> = 0..5;
/// Share of the bars that are learnt without a plan, and of those whose plan is given up on the way.
const HIDDEN: f64 = 0.15;
const GIVEN_UP: f64 = 0.2;

/// Steps before a bar at which it is planned: what comes of it is an input of the last step before the bar
/// line, which decides what is played ahead of it.
pub(super) const AHEAD: usize = 2;

/// Whether the next bar is planned at a step.
pub(super) fn is_planned_at(in_bar: u16, bar_steps: u16) -> bool {
    usize::from(in_bar) + AHEAD == usize::from(bar_steps)
}

/// What the parts' bars repeat. No allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RepeatPlan {
    /// This bar.
    now: [u8; 4],
    /// The next bar; unplanned before the last step of a bar.
    next: [u8; 4],
}

impl Default for RepeatPlan {
    fn default() -> Self {
        Self { now: [UNPLANNED; 4], next: [UNPLANNED; 4] }
    }
}

impl RepeatPlan {
    /// Goes on to the next bar.
    pub(super) fn turn(&mut self) {
        *self = Self { now: self.next, ..Self::default() };
    }

    /// Plans a part's next bar.
    pub(super) fn plan(&mut self, part: Part, what: u8) {
        self.next[part.index()] = what;
    }

    /// Plans what a part's bar that has begun repeats.
    pub(super) fn set(&mut self, part: Part, what: u8) {
        self.now[part.index()] = what;
    }

    /// The plans of the positions that are decided next, of this bar or, on its last step, of the next one.
    pub(super) fn of(&self, of_next: bool) -> [u8; 4] {
        if of_next { self.next } else { self.now }
    }

    /// The lag whose whole bar a part repeats now.
    pub(super) fn whole(&self, part: Part) -> Option<usize> {
        Some(usize::from(self.now[part.index()])).filter(|&k| k < LAGS)
    }

    /// Gives up what a part repeats: of a whole bar the rhythm is left, of anything else nothing.
    pub(super) fn give_up(&mut self, part: Part) {
        let now = &mut self.now[part.index()];
        *now = if usize::from(*now) < LAGS && part != Part::Drums { *now + LAGS as u8 } else { UNPLANNED };
    }

    /// Forgets what a part meant to play.
    pub(super) fn forget(&mut self, part: Part) {
        (self.now[part.index()], self.next[part.index()]) = (UNPLANNED, UNPLANNED);
    }

    /// Writes the [`REPEAT_INPUTS`] inputs.
    pub(super) fn write(&self, x: &mut Inputs<'_>) {
        self.now.iter().chain(&self.next).for_each(|&plan| x.one_hot(usize::from(plan), PLANS));
    }
}

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
            let next = &mut self.repeats.next[part.index()];
            *next = if usize::from(*next) < LAGS { *next + LAGS as u8 } else { *next };
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

    #[test]
    fn what_is_given_up_leaves_the_rhythm_of_all_but_drums() {
        let mut repeats = RepeatPlan::default();
        Part::ALL.into_iter().for_each(|p| repeats.plan(p, 1));
        assert_eq!(repeats.whole(Part::Bass), None, "not yet");
        repeats.turn();
        assert_eq!(repeats.whole(Part::Bass), Some(1));
        Part::ALL.into_iter().for_each(|p| repeats.give_up(p));
        assert_eq!(repeats.now, [UNPLANNED, LAGS as u8 + 1, LAGS as u8 + 1, LAGS as u8 + 1]);
        repeats.give_up(Part::Bass);
        assert_eq!(repeats.now[1], UNPLANNED);
    }
}
