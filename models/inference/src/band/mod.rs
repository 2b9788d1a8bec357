//! The band: four parts that decide every 16th what to play with the piano.

mod activity;
mod candidates;
mod dials;
mod features;
mod form;
mod history;
mod initial;
mod inputs;
mod layout;
mod network;
mod neural;
mod repeat_bias;
mod repeat_plan;
mod rows;
mod sample;
mod sizes;

pub use activity::{Activity, TURNS};
pub use candidates::CandidateShape;
pub use dials::{Dials, Weight};
pub use features::PianoFeatures;
pub use history::{BandHistory, bar_lag, same};
pub use initial::normal;
pub use inputs::{Inputs, write_extra};
pub use layout::{
    BASS_SHAPE, CHORD_SHAPE, Config, Init, Span, Spec, bass_candidates, chord_candidates, climb, part_key,
    span,
};
pub use network::{MOST_CANDIDATES, State, StepNetwork};
pub use neural::NeuralBand;
pub use repeat_plan::{RepeatPlan, is_planned_at};
pub use rows::{BassRow, CandidateRow, ChordRow, DrumRow};
pub use sample::{Draw, Sampling};
pub use sizes::{
    AHEAD, BASS_MASKS, CHORD_MASKS, EARS_INPUTS, INPUTS, LAGS, MEMORY_INPUTS, MOST_MASKS, NEW, PLANS,
    POSITIONS, STATISTICS, UNPLANNED, extra_inputs,
};

use sideman_music::{BandStep, PianoFrame};

/// Where a step lies in the bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepPosition {
    /// Step number (16ths) since the start of the music, may be negative in a pre-roll.
    pub step: i64,
    /// Step within the bar, from 0.
    pub in_bar: u16,
    /// Bar number from 0.
    pub bar: i64,
    /// Steps in this bar: 16 in 4/4, 12 in 3/4 and 6/8.
    pub bar_steps: u16,
    /// Steps from one harmony point to the next: half a bar where that is whole beats, else a bar.
    pub half_steps: u16,
}

/// What some parts play whatever the band would have decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forced {
    /// The parts that are meant, in the order of [`sideman_music::Part::ALL`].
    pub parts: [bool; 4],
    /// What they play; the other parts do not count.
    pub what: Decision,
}

/// Which parts rest, bar by bar, as it was planned ahead; in the order of [`sideman_music::Part::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rests {
    /// Those that start nothing in this bar.
    pub now: [bool; 4],
    /// Those that start nothing in the next bar.
    pub next: [bool; 4],
}

/// All that a band receives at a decision point.
#[derive(Debug, Clone, Copy)]
pub struct StepContext {
    /// Where the step lies.
    pub place: StepPosition,
    /// What the piano did since the decision point before, up to and including this one.
    pub heard: PianoFrame,
    /// Which parts take part at all, in the order of [`sideman_music::Part::ALL`].
    pub parts: [bool; 4],
    /// Quarter notes a minute now.
    pub bpm: f32,
    /// The dials.
    pub dials: Dials,
    /// Which parts rest.
    pub rests: Rests,
    /// What some parts play anyway. A band may remember it as its own and fit the other parts to it; what it
    /// decides for these parts does not count.
    pub forced: Option<Forced>,
}

/// What a band decides at pulse `step * 120`, of which nothing may sound before that pulse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Decision {
    /// What starts at this step, with offsets of 0 to +2 ticks.
    pub now: BandStep,
    /// What starts ahead of the next step, with offsets of -3 to -1 ticks from it.
    pub early: BandStep,
}

/// A band that can be stepped: the network or the rules. Stepping neither allocates nor waits; one
/// owner at a time, on any thread.
pub trait Band: Send {
    /// Forgets the past and draws anew from a seed.
    fn reset(&mut self, seed: u64);
    /// Decides one step. Steps must come in ascending order without gaps after a reset.
    fn decide(&mut self, context: &StepContext) -> Decision;
    /// Has a part forget what it played and play on from another seed; the others go on. Nothing is done
    /// by a band that cannot.
    fn redraw(&mut self, _part: sideman_music::Part, _seed: u64) {}
    /// Whether all that it decides lies exactly on the grid, so that nobody could have played it so.
    fn is_exact(&self) -> bool {
        false
    }
    /// Whether its drums fill where phrases end, so that nobody has to do it for them.
    fn fills(&self) -> bool {
        true
    }
    /// A copy that would decide the same from here on, to look ahead with; `None` where there is none.
    /// Allocates.
    fn duplicate(&self) -> Option<Box<dyn Band>> {
        None
    }
}
