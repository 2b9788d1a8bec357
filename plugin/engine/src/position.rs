//! Where each step lies in the bars.
//!
//! Steps are counted in 16ths from pulse 0, whatever the metre; bars are laid over them. A bar that
//! starts between two steps (after a metre change in mid-16th, or in metres such as 7/32) begins at the
//! nearest step, so that every step belongs to exactly one bar and no bar line is lost.

use sideman_inference::band::StepPosition;
use sideman_music::time::BarPosition;
use sideman_music::{Meter, MeterMap, Pulse, STEP_PULSES};

/// Pulse of a step, which is also its decision point.
pub fn step_pulse(step: i64) -> Pulse {
    step.saturating_mul(STEP_PULSES)
}

/// The first step whose decision point is at or after a pulse: the one that hears what happens there.
pub fn step_hearing(pulse: Pulse) -> i64 {
    pulse.div_euclid(STEP_PULSES) + i64::from(pulse.rem_euclid(STEP_PULSES) > 0)
}

/// The step nearest to a pulse; halves go up.
fn nearest_step(pulse: Pulse) -> i64 {
    (pulse + STEP_PULSES / 2).div_euclid(STEP_PULSES)
}

/// Where a step lies.
///
/// `bar_steps` is the length of a whole bar of the metre in force, even if a later metre change cuts
/// this bar short: what comes is not known yet when a step is decided.
pub fn place_of(step: i64, meters: &MeterMap) -> StepPosition {
    place_in(step, |pulse| meters.position(pulse))
}

/// Where a step lies among bars that `position` knows.
pub fn place_in(step: i64, position: impl Fn(Pulse) -> BarPosition) -> StepPosition {
    // The last pulse that is not nearer to the next step: the bar that has begun by then is the one that
    // was rounded to this step or an earlier one.
    let at = position(step_pulse(step).saturating_add(STEP_PULSES / 2 - 1));
    let start = nearest_step(at.bar_start);
    let end = nearest_step(at.bar_start.saturating_add(at.meter.bar_pulses()));
    let narrow = |steps: i64| steps.clamp(0, i64::from(u16::MAX)) as u16;
    let bar_steps = narrow(end - start).max(1);
    StepPosition {
        step,
        in_bar: narrow(step - start),
        bar: at.bar,
        bar_steps,
        half_steps: half_steps(at.meter, bar_steps),
    }
}

/// Steps from one harmony point to the next: half the bar where both halves are whole beats and whole
/// steps, else the bar. 4/4 has 8, 3/4 all its 12, 6/8 has 6, 12/8 has 12, 5/4 all its 20.
fn half_steps(meter: Meter, bar_steps: u16) -> u16 {
    let whole_steps = meter.bar_pulses() == i64::from(bar_steps) * STEP_PULSES;
    let compound = meter.denominator >= 8 && meter.numerator > 3 && meter.numerator.is_multiple_of(3);
    let beats = if compound { meter.numerator / 3 } else { meter.numerator };
    let halves = whole_steps && bar_steps.is_multiple_of(2) && beats.is_multiple_of(2);
    if halves { bar_steps / 2 } else { bar_steps }
}

/// A beat of a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beat {
    /// Number of the beat in its bar, from 0.
    pub index: u16,
    /// Number of beats in the bar.
    pub count: u16,
    /// First step of the beat, counted from the start of the bar.
    pub start: u16,
    /// Steps in the beat: 4, or 6 in compound time, or what is left at the end of an odd bar.
    pub steps: u16,
}

impl Beat {
    /// The beat that a place lies in, from the length of bar and half-bar alone.
    ///
    /// Bars of one, two, three or four dotted quarters (3/8, 6/8, 9/8, 12/8) have beats of 6 steps. All
    /// others have beats of 4 steps, the last one longer by an eighth in bars like 7/8 (4 + 4 + 6), or
    /// shorter where less than that is left over.
    pub fn at(place: &StepPosition) -> Self {
        let steps = place.bar_steps.max(1);
        let (beat, rest) = if is_compound(place) { (6, 0) } else { (4, steps % 4) };
        let whole = steps / beat;
        // An eighth left over joins the beat before it; anything else is a beat of its own.
        let joined = rest == 2 && whole > 0;
        let count = (whole + u16::from(rest > 0 && !joined)).max(1);
        // A bar may be longer than announced only by rounding; what overhangs belongs to the last beat.
        let index = (place.in_bar / beat).min(count - 1);
        let start = index * beat;
        let length = if index + 1 == count { steps - start } else { beat };
        Self { index, count, start, steps: length }
    }
}

/// Whether a bar counts in dotted quarters: 3/8, 6/8, 9/8 and 12/8, which length of bar and half-bar tell.
pub fn is_compound(place: &StepPosition) -> bool {
    match (place.bar_steps, place.half_steps) {
        (_, 6) | (18, _) => true,
        bar => bar == (24, 12),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn meter(numerator: u8, denominator: u8) -> Meter {
        Meter { numerator, denominator }
    }

    fn shape(numerator: u8, denominator: u8) -> (u16, u16) {
        let p = place_of(0, &MeterMap::new(&[(0, meter(numerator, denominator))]));
        (p.bar_steps, p.half_steps)
    }

    #[test]
    fn bars_and_half_bars_of_common_metres() {
        let expected = [
            ((4, 4), (16, 8)),
            ((2, 2), (16, 8)),
            ((3, 4), (12, 12)),
            ((2, 4), (8, 4)),
            ((6, 8), (12, 6)),
            ((12, 8), (24, 12)),
            ((9, 8), (18, 18)),
            ((3, 8), (6, 6)),
            ((5, 4), (20, 20)),
            ((7, 8), (14, 14)),
            ((6, 4), (24, 12)),
            ((1, 4), (4, 4)),
            ((15, 16), (15, 15)),
        ];
        for ((n, d), steps) in expected {
            assert_eq!(shape(n, d), steps, "{n}/{d}");
        }
    }

    #[test]
    fn beats_of_odd_and_compound_bars() {
        let beats = |n, d| {
            let meters = MeterMap::new(&[(0, meter(n, d))]);
            let bar = place_of(0, &meters).bar_steps;
            let mut out: Vec<u16> = Vec::new();
            for step in 0..bar {
                let b = Beat::at(&place_of(i64::from(step), &meters));
                assert!((b.start..b.start + b.steps).contains(&step), "{n}/{d} step {step}: {b:?}");
                if b.start == step {
                    out.push(b.steps);
                }
                assert_eq!(usize::from(b.index), out.len() - 1);
            }
            assert_eq!(out.iter().sum::<u16>(), bar);
            out
        };
        assert_eq!(beats(4, 4), [4, 4, 4, 4]);
        assert_eq!(beats(6, 8), [6, 6]);
        assert_eq!(beats(9, 8), [6, 6, 6]);
        assert_eq!(beats(12, 8), [6, 6, 6, 6]);
        assert_eq!(beats(7, 8), [4, 4, 6]);
        assert_eq!(beats(5, 8), [4, 6]);
        assert_eq!(beats(15, 16), [4, 4, 4, 3]);
        assert_eq!(beats(1, 16), [1]);
        assert_eq!(beats(1, 8), [2]);
    }

    #[test]
    fn a_change_in_mid_bar_starts_a_bar_there() {
        // 4/4 is cut after three beats, at step 12; the 3/4 bars count on from there.
        let meters = MeterMap::new(&[(1440, meter(3, 4))]);
        let p = place_of(11, &meters);
        assert_eq!((p.in_bar, p.bar, p.bar_steps), (11, 0, 16));
        let p = place_of(12, &meters);
        assert_eq!((p.in_bar, p.bar, p.bar_steps), (0, 1, 12));
        assert_eq!(place_of(24, &meters).bar, 2);
    }

    #[test]
    fn bars_between_the_steps_begin_at_the_nearest_step() {
        // 7/32 is 420 pulses, three and a half steps: bars of 4 and 3 steps in turn.
        let meters = MeterMap::new(&[(0, meter(7, 32))]);
        let downbeats: Vec<i64> = (0..21).filter(|&s| place_of(s, &meters).in_bar == 0).collect();
        assert_eq!(downbeats, [0, 4, 7, 11, 14, 18]);
        // A change one pulse late, as conversion between resolutions makes it, costs nothing.
        let late = MeterMap::new(&[(1921, meter(3, 4))]);
        assert_eq!(place_of(16, &late).in_bar, 0);
        assert_eq!(place_of(16, &late).bar_steps, 12);
    }

    #[test]
    fn hearing_steps() {
        assert_eq!([-1, 0, 1, 120, 121].map(step_hearing), [0, 0, 1, 1, 2]);
    }

    proptest! {
        #[test]
        fn every_step_has_one_place(
            changes in prop::collection::vec((0i64..40_000, 1u8..=255, 0u32..7), 0..6),
            from in -500i64..20_000,
        ) {
            let changes: Vec<_> = changes.into_iter().map(|(at, n, d)| (at, meter(n, 1 << d))).collect();
            let meters = MeterMap::new(&changes);
            let mut before = place_of(from - 1, &meters);
            for step in from..from + 200 {
                let p = place_of(step, &meters);
                prop_assert!(p.bar_steps > 0 && p.half_steps > 0 && p.half_steps <= p.bar_steps);
                prop_assert!(p.bar >= before.bar);
                if p.bar == before.bar {
                    prop_assert_eq!(p.in_bar, before.in_bar + 1);
                } else {
                    // A new bar starts at its first step, and never later.
                    prop_assert_eq!(p.in_bar, 0);
                }
                let b = Beat::at(&p);
                prop_assert!(b.start <= p.in_bar && b.index < b.count && b.steps > 0);
                before = p;
            }
        }
    }
}
