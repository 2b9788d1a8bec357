//! Timing: from a step and its offset to the pulse on which a part plays, with swing and humanize.
//!
//! Whatever the settings, a note never sounds before the step that decided it. How far the whole band
//! leans behind the beat with the piano is added by the player.

use sideman_inference::band::StepPosition;
use sideman_music::encoding::grid::{OFFSET_MAX, OFFSET_MIN};
use sideman_music::{PARTS, PULSES_PER_BEAT, PULSES_PER_TICK, Part, Pulse, STEP_PULSES};

use crate::position::{Beat, step_pulse};

/// How far full swing delays the second eighth of a beat: from the half to the last triplet.
const FULL_SWING: Pulse = PULSES_PER_BEAT / 6;
/// Second and third triplet of a beat, in pulses.
const TRIPLETS: [Pulse; 2] = [PULSES_PER_BEAT / 3, PULSES_PER_BEAT * 2 / 3];
/// Largest stray from the tick grid: half a tick either way.
const STRAY: f64 = (PULSES_PER_TICK / 2) as f64;
/// A part of a band that does not play exactly strays only once more than this share of its last notes was off the grid.
const LOOSE: f32 = 0.25;
/// Weight of the newest onset in that share.
const FORGET: f32 = 0.06;

/// Which half of a decision a note comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// At the step, 0 to 2 ticks after it.
    Now,
    /// Ahead of the next step, 1 to 3 ticks before it.
    Early,
}

/// When a part plays what it decided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    /// Onset before swing.
    pub straight: Pulse,
    /// Onset.
    pub onset: Pulse,
    /// How far it is astray, in pulses, before humanize.
    pub stray: f64,
}

/// Gives the notes of the band their time. One for each performance; no allocation.
#[derive(Debug, Clone)]
pub struct Feel {
    seed: u64,
    swing: f64,
    humanize: f64,
    /// Whether all parts stray, however exactly they play.
    always: bool,
    /// Running share of onsets off the grid, for each part.
    loose: [f32; PARTS],
}

impl Feel {
    /// Swing and humanize are from 0 to 1, see [`crate::Controls`].
    pub fn new(seed: u64, swing: f32, humanize: f32) -> Self {
        Self {
            seed,
            swing: f64::from(swing),
            humanize: f64::from(humanize),
            always: false,
            loose: [0.0; PARTS],
        }
    }

    /// Other swing and humanize from now on.
    pub fn control(&mut self, swing: f32, humanize: f32) {
        (self.swing, self.humanize) = (f64::from(swing), f64::from(humanize));
    }

    /// Has all parts stray from now on, or only those that play loosely themselves.
    pub fn stray_always(&mut self, always: bool) {
        self.always = always;
    }

    /// Draws from another seed from now on.
    pub fn reseed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// Forgets how loosely the parts played.
    pub fn reset(&mut self) {
        self.loose = [0.0; PARTS];
    }

    /// Onset of what a part decided at a step with an offset in ticks. An offset outside the range of
    /// its half is brought into it. To be called once for each step, half and part that plays.
    pub fn time(&mut self, place: &StepPosition, half: Half, part: Part, offset: i8) -> Timing {
        let loose = &mut self.loose[part.index()];
        *loose += FORGET * (f32::from(u8::from(clamped(half, offset) != 0)) - *loose);
        let stray = if self.always || *loose > LOOSE { self.stray(place.step, half, part) } else { 0.0 };
        self.again(place, half, offset, stray)
    }

    /// The same for what is repeated: strays as it did the first time, and says nothing about how loosely
    /// the part plays.
    pub fn again(&self, place: &StepPosition, half: Half, offset: i8, stray: f64) -> Timing {
        let beat = Beat::at(place);
        let offset = clamped(half, offset);
        let ahead = if half == Half::Early { STEP_PULSES } else { 0 };
        let point = Pulse::from(place.in_bar.saturating_sub(beat.start)) * STEP_PULSES;
        let decided = point + ahead + Pulse::from(offset) * PULSES_PER_TICK;
        let strict = nearest_on_grid(point + ahead, decided, &beat);
        let human = self.humanize * ((decided - strict) as f64 + stray);
        let placed = (strict + human.round() as Pulse).max(point);
        // What is on a triplet swings already.
        let swung = if TRIPLETS.contains(&strict) { placed } else { self.swung(placed, &beat) };
        let beat_pulse = step_pulse(place.step) - point;
        Timing { straight: beat_pulse + placed, onset: beat_pulse + swung, stray }
    }

    /// End of a note of `length` pulses: ends swing as onsets do, so that what was legato stays so.
    pub fn end(&self, place: &StepPosition, timing: Timing, length: Pulse) -> Pulse {
        let beat = Beat::at(place);
        let point = Pulse::from(place.in_bar.saturating_sub(beat.start)) * STEP_PULSES;
        let beat_pulse = step_pulse(place.step) - point;
        let end = timing.straight + length - beat_pulse;
        (beat_pulse + self.swung(end, &beat)).max(timing.onset + 1)
    }

    /// Warps time within beats of a quarter note, piecewise linearly: the half moves to the last triplet
    /// as swing goes to 1, the beats stay. Never earlier. Other beats are left as they are.
    fn swung(&self, pulse: Pulse, beat: &Beat) -> Pulse {
        if i64::from(beat.steps) * STEP_PULSES != PULSES_PER_BEAT {
            return pulse;
        }
        let half = PULSES_PER_BEAT / 2;
        let delay = FULL_SWING as f64 * self.swing;
        let inside = pulse.rem_euclid(PULSES_PER_BEAT);
        let reach = if inside <= half { inside } else { PULSES_PER_BEAT - inside };
        pulse + (delay * reach as f64 / half as f64).round() as Pulse
    }

    /// Up to [`STRAY`] either way, drawn from seed, step, half and part alone.
    fn stray(&self, step: i64, half: Half, part: Part) -> f64 {
        let lane = part.index() as u64 * 2 + u64::from(half == Half::Early);
        (draw(self.seed, step as u64, lane) * 2.0 - 1.0) * STRAY
    }
}

/// An offset brought into the range of its half, in ticks.
fn clamped(half: Half, offset: i8) -> i8 {
    match half {
        Half::Now => offset.clamp(0, OFFSET_MAX),
        Half::Early => offset.clamp(OFFSET_MIN, -1),
    }
}

/// Where a note belongs on the grid without any freedom: its step, or a triplet of the beat if that is
/// nearer to where it was decided. Pulses from the start of the beat.
fn nearest_on_grid(step: Pulse, decided: Pulse, beat: &Beat) -> Pulse {
    let triplet = TRIPLETS.into_iter().find(|t| {
        beat.steps == 4 && (t - step).abs() < STEP_PULSES / 2 && (decided - t).abs() < (decided - step).abs()
    });
    triplet.unwrap_or(step)
}

/// A number from 0 (included) to 1 (excluded) that depends on its arguments alone.
pub fn draw(seed: u64, counter: u64, lane: u64) -> f64 {
    (mix(mix(mix(seed) ^ counter) ^ lane) >> 11) as f64 / (1u64 << 53) as f64
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
/// OOPSLA 2014, figure 17) after a step of its counter.
pub(crate) fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::position::place_of;
    use proptest::prelude::*;
    use sideman_music::{Meter, MeterMap};

    fn times(swing: f32, humanize: f32, offset: i8, half: Half) -> Vec<Pulse> {
        let meters = MeterMap::default();
        let mut feel = Feel::new(1, swing, humanize);
        (0..8).map(|s| feel.time(&place_of(s, &meters), half, Part::Guitar, offset).onset).collect()
    }

    #[test]
    fn straight_and_neutral_is_as_decided() {
        assert_eq!(times(0.0, 1.0, 0, Half::Now), [0, 120, 240, 360, 480, 600, 720, 840]);
        // The first notes off the grid do not stray yet: the share has to pass a quarter.
        assert_eq!(times(0.0, 1.0, 1, Half::Now)[..4], [20, 140, 260, 380]);
        assert_eq!(times(0.0, 1.0, -3, Half::Early)[..4], [60, 180, 300, 420]);
    }

    #[test]
    fn full_swing_puts_the_second_eighth_on_the_last_triplet() {
        assert_eq!(times(1.0, 1.0, 0, Half::Now), [0, 160, 320, 400, 480, 640, 800, 880]);
        assert_eq!(times(0.5, 1.0, 0, Half::Now)[..4], [0, 140, 280, 380]);
    }

    #[test]
    fn compound_beats_do_not_swing() {
        let meters = MeterMap::new(&[(0, Meter { numerator: 6, denominator: 8 })]);
        let mut feel = Feel::new(1, 1.0, 1.0);
        for s in 0..12 {
            let time = feel.time(&place_of(s, &meters), Half::Now, Part::Bass, 0);
            assert_eq!(time.onset, s * STEP_PULSES);
        }
    }

    #[test]
    fn humanize_zero_is_on_the_grid_or_its_triplets() {
        assert_eq!(times(0.0, 0.0, 1, Half::Now)[..4], [0, 120, 240, 360]);
        assert_eq!(times(0.0, 0.0, 2, Half::Now)[..4], [0, 160, 240, 360]);
        // Ahead of the fourth sixteenth, decided at the third: the last triplet of the beat.
        assert_eq!(times(0.0, 0.0, -2, Half::Early)[..4], [120, 240, 320, 480]);
        // A triplet swings already.
        assert_eq!(times(1.0, 0.0, -2, Half::Early)[2], 320);
    }

    #[test]
    fn only_a_loose_part_strays_and_never_by_more_than_half_a_tick() {
        let meters = MeterMap::default();
        let mut loose = Feel::new(9, 0.0, 1.0);
        let mut tight = Feel::new(9, 0.0, 1.0);
        let mut strays = Vec::new();
        for s in 0..200 {
            let place = place_of(s, &meters);
            strays.push(loose.time(&place, Half::Now, Part::Drums, 1).onset - s * STEP_PULSES - 20);
            let offset = i8::from(s % 8 == 0);
            let onset = tight.time(&place, Half::Now, Part::Drums, offset).onset;
            assert_eq!(onset, s * STEP_PULSES + 20 * i64::from(offset), "one in eight is not loose");
        }
        assert!(strays[..4].iter().all(|&d| d == 0));
        let late = &strays[20..];
        assert!(late.iter().all(|d| d.abs() <= 10));
        assert!(late.iter().any(|&d| d > 5) && late.iter().any(|&d| d < -5));
    }

    #[test]
    fn draws_are_even() {
        let mean = (0..10_000).map(|i| draw(3, i, 0)).sum::<f64>() / 1e4;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        assert!(draw(3, 1, 0) != draw(3, 0, 1) && draw(3, 1, 0) != draw(4, 1, 0));
    }

    proptest! {
        #[test]
        fn never_before_the_decision_point_and_swing_never_makes_it_earlier(
            seed in any::<u64>(), swing in 0f32..=1.0, humanize in 0f32..=1.0, step in -100i64..1000,
            offsets in prop::collection::vec((-5i8..=5, any::<bool>()), 1..60),
            numerator in 1u8..16, denominator in 0u32..6, length in 1i64..1000,
        ) {
            let meters = MeterMap::new(&[(0, Meter { numerator, denominator: 1 << denominator })]);
            let mut swung = Feel::new(seed, swing, humanize);
            let mut plain = Feel::new(seed, 0.0, humanize);
            for (i, (offset, early)) in offsets.into_iter().enumerate() {
                let place = place_of(step + i as i64, &meters);
                let half = if early { Half::Early } else { Half::Now };
                let a = plain.time(&place, half, Part::Bass, offset);
                let b = swung.time(&place, half, Part::Bass, offset);
                prop_assert_eq!(a.onset, a.straight);
                prop_assert_eq!(a.straight, b.straight);
                prop_assert!(a.onset >= step_pulse(place.step));
                prop_assert!(b.onset >= a.onset && b.onset <= a.onset + FULL_SWING);
                prop_assert!(swung.end(&place, b, length) > b.onset);
                prop_assert_eq!(plain.end(&place, a, length), a.onset + length);
            }
        }
    }
}
