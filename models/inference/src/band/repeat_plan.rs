//! RepeatPlan planned ahead: which earlier bar of its own a part's next bar repeats, if any.
//!
//! People's bands repeat whole bars: half of what a bass plays was there before, note for note. A band that
//! draws every onset by itself hardly ever repeats one whole, however sure it is of each (docs/band.md). So
//! each part decides near the end of a bar what the next one is: an earlier bar, the rhythm of one, or a new
//! one. In training it is read off the song.

use sideman_music::Part;

use super::inputs::Inputs;
use super::sizes::{AHEAD, LAGS, PLANS, UNPLANNED};

/// Whether the next bar is planned at a step.
pub fn is_planned_at(in_bar: u16, bar_steps: u16) -> bool {
    usize::from(in_bar) + AHEAD == usize::from(bar_steps)
}

/// What the parts' bars repeat. No allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepeatPlan {
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
    pub fn turn(&mut self) {
        *self = Self { now: self.next, ..Self::default() };
    }

    /// Plans a part's next bar.
    pub fn plan(&mut self, part: Part, what: u8) {
        self.next[part.index()] = what;
    }

    /// Of a whole bar that a part was to repeat next, keeps the rhythm.
    pub fn keep_rhythm(&mut self, part: Part) {
        let next = &mut self.next[part.index()];
        *next = if usize::from(*next) < LAGS { *next + LAGS as u8 } else { *next };
    }

    /// Plans what a part's bar that has begun repeats.
    pub fn set(&mut self, part: Part, what: u8) {
        self.now[part.index()] = what;
    }

    /// The plans of the positions that are decided next, of this bar or, on its last step, of the next one.
    pub fn of(&self, of_next: bool) -> [u8; 4] {
        if of_next { self.next } else { self.now }
    }

    /// The lag whose whole bar a part repeats now.
    pub fn whole(&self, part: Part) -> Option<usize> {
        Some(usize::from(self.now[part.index()])).filter(|&k| k < LAGS)
    }

    /// Gives up what a part repeats: of a whole bar the rhythm is left, of anything else nothing.
    pub fn give_up(&mut self, part: Part) {
        let now = &mut self.now[part.index()];
        *now = if usize::from(*now) < LAGS && part != Part::Drums { *now + LAGS as u8 } else { UNPLANNED };
    }

    /// Forgets what a part meant to play.
    pub fn forget(&mut self, part: Part) {
        (self.now[part.index()], self.next[part.index()]) = (UNPLANNED, UNPLANNED);
    }

    /// Writes all inputs about them.
    pub fn write(&self, x: &mut Inputs<'_>) {
        self.now.iter().chain(&self.next).for_each(|&plan| x.one_hot(usize::from(plan), PLANS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
