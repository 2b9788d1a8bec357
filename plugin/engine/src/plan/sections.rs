//! Which parts rest, bar by bar, drawn a bar ahead.
//!
//! Each part plays or rests, and changes between the two mostly where phrases of eight or four bars begin. What
//! happens at a bar line is drawn at the bar line before, from the seed and the number of the bar alone, so
//! that everybody can lead up to it. At the beginnings of phrases the pianist has a say: one who has become
//! louder or busier than he was calls parts in, one who has become softer or sparser sends them out.
//! Bars are counted from where the band begins.

use sideman_inference::band::{Activity, Rests, StepPosition};
use sideman_music::{PARTS, Part};

use crate::play::feel::draw;

/// Bars of a phrase, and of half of one.
const PHRASE: i64 = 8;
const HALF: i64 = 4;
/// How much of its share a part has in the very first bars: the drums and the bass are there, the others may
/// hold back.
const FIRST: [f32; PARTS] = [1.1, 1.15, 1.05, 0.7];
/// How much less likely parts are to leave in the first phrase.
const SETTLING: f32 = 0.3;
/// How much the pianist's energy moves the odds of entering and leaving, as a logit at full lift.
const SAY: f32 = 2.0;
/// Lift below which even drums and bass may both rest.
const VERY_SPARSE: f32 = -0.6;
/// How likely the drums fill at the end of a phrase, and where a part comes in.
const FILLS: [f32; 2] = [0.15, 0.5];
/// First lane of [`draw`] for what is drawn here.
const LANES: u64 = 0x5EC7;

/// Draws sections. One for each performance; no allocation.
#[derive(Debug, Clone, Copy)]
pub struct Sections {
    seed: u64,
    activity: Activity,
    /// How much of it all, 0 (everybody always plays) to 1.
    depth: f32,
    /// The bar from which bars are counted.
    origin: i64,
    /// The bar that was planned last.
    bar: Option<i64>,
    rests: Rests,
}

impl Sections {
    /// Sections of a seed.
    pub fn new(seed: u64, activity: Activity) -> Self {
        Self { seed, activity, depth: 1.0, origin: 0, bar: None, rests: Rests::default() }
    }

    /// How much of it all from the next bar that is drawn on, 0 to 1.
    pub fn control(&mut self, depth: f32) {
        self.depth = depth;
    }

    /// How likely a fill leads out of a bar, 0 to 1: where a phrase of eight bars ends, and above all where somebody
    /// comes in who is `on`; never where the drums rest.
    pub fn fill(&self, place: &StepPosition, rests: &Rests, on: [bool; PARTS]) -> f32 {
        let drums = Part::Drums.index();
        if rests.now[drums] || rests.next[drums] {
            return 0.0;
        }
        let enters = (0..PARTS).any(|p| on[p] && rests.now[p] && !rests.next[p]);
        let ends = (place.bar - self.origin).rem_euclid(PHRASE) == PHRASE - 1;
        self.depth
            * if enters {
                FILLS[1]
            } else if ends {
                FILLS[0]
            } else {
                0.0
            }
    }

    /// Draws from another seed from the next bar that is drawn on.
    pub fn reseed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// Draws as another band comes and goes from the next bar that is drawn on.
    pub fn change(&mut self, activity: Activity) {
        self.activity = activity;
    }

    /// Forgets where it was: the next step is the first one.
    pub fn reset(&mut self) {
        (self.bar, self.rests) = (None, Rests::default());
    }

    /// Has a part play from the next bar on, whatever was drawn.
    pub fn bring(&mut self, part: Part) {
        self.rests.next[part.index()] = false;
    }

    /// Which parts rest, to be asked at each step in which the band plays. After a gap it begins anew. `on` are
    /// the parts that take part at all; `lift` is the pianist's energy, see [`crate::plan::energy::Energy::lift`].
    pub fn step(&mut self, place: &StepPosition, on: [bool; PARTS], lift: f32) -> Rests {
        match self.bar {
            Some(bar) if bar == place.bar => return self.rests,
            Some(bar) if bar + 1 == place.bar => self.rests.now = self.rests.next,
            _ => self.begin(place, on),
        }
        self.bar = Some(place.bar);
        let next = place.bar + 1 - self.origin;
        self.rests.next = if next <= 0 {
            self.rests.now
        } else {
            self.kept(std::array::from_fn(|i| self.drawn(next, i, lift)), on, lift)
        };
        self.rests
    }

    /// The first bar. What begins with an upbeat, or after a few bars of nothing, counts from its first whole
    /// bar; what begins in the middle of a song counts as the song does.
    fn begin(&mut self, place: &StepPosition, on: [bool; PARTS]) {
        let upbeat = i64::from(u32::from(place.in_bar) * 2 >= u32::from(place.bar_steps));
        let first = place.bar + upbeat;
        self.origin = if (0..PHRASE).contains(&first) { first } else { 0 };
        let holds_back = |i: usize| {
            let plays = (self.activity.share[i] * FIRST[i]).min(1.0);
            self.chance(first - self.origin, i) < f64::from((1.0 - plays) * self.depth)
        };
        self.rests.now = self.kept(std::array::from_fn(holds_back), on, 0.0);
    }

    /// Whether a part rests in a bar, given what it does in the one before.
    fn drawn(&self, bar: i64, part: usize, lift: f32) -> bool {
        let turn = match bar {
            b if b.rem_euclid(PHRASE) == 0 => 0,
            b if b.rem_euclid(HALF) == 0 => 1,
            _ => 2,
        };
        let lift = if turn < 2 { lift } else { 0.0 };
        let settling = if bar < PHRASE { SETTLING } else { 1.0 };
        let chance = self.chance(bar, part);
        if self.rests.now[part] {
            let stays = (1.0 - moved(self.activity.enter[part][turn], lift)) * self.depth;
            chance < f64::from(stays)
        } else {
            chance < f64::from(moved(self.activity.leave[part][turn], -lift) * settling * self.depth)
        }
    }

    fn chance(&self, bar: i64, part: usize) -> f64 {
        draw(self.seed, bar as u64, LANES + part as u64)
    }

    /// Somebody always plays: bass or drums, unless the piano is very sparse, or else whoever there is.
    fn kept(&self, mut rests: [bool; PARTS], on: [bool; PARTS], lift: f32) -> [bool; PARTS] {
        let plays = |rests: &[bool; PARTS], of: &[usize]| of.iter().any(|&i| on[i] && !rests[i]);
        let calls = |of: &[usize]| {
            let known = of.iter().copied().filter(|&i| on[i]);
            known.max_by(|&a, &b| self.activity.share[a].total_cmp(&self.activity.share[b]))
        };
        let core = [Part::Drums.index(), Part::Bass.index()];
        if !plays(&rests, &core)
            && lift > VERY_SPARSE
            && let Some(part) = calls(&core)
        {
            rests[part] = false;
        }
        if !plays(&rests, &[0, 1, 2, 3])
            && let Some(part) = calls(&[0, 1, 2, 3])
        {
            rests[part] = false;
        }
        rests
    }
}

/// A share whose odds the pianist's energy moves; what never or always happens stays so.
fn moved(share: f32, lift: f32) -> f32 {
    let odds = share / (1.0 - share) * (SAY * lift).exp();
    if odds.is_finite() { odds / (1.0 + odds) } else { share }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::position::place_of;
    use sideman_music::MeterMap;

    const ALL: [bool; 4] = [true; 4];

    /// Which parts rest in each of so many bars.
    fn bars(sections: &mut Sections, from: i64, count: i64, on: [bool; 4], lift: f32) -> Vec<[bool; 4]> {
        let meters = MeterMap::default();
        let step = |s| sections.step(&place_of(s, &meters), on, lift);
        let rests: Vec<Rests> = (from * 16..(from + count) * 16).map(step).collect();
        for (bar, steps) in rests.chunks(16).enumerate() {
            assert!(steps.iter().all(|r| *r == steps[0]), "one plan a bar");
            if let Some(next) = rests.get((bar + 1) * 16) {
                assert_eq!(next.now, steps[0].next, "what was planned is what comes");
            }
        }
        rests.chunks(16).map(|steps| steps[0].now).collect()
    }

    fn drawn(seed: u64, count: i64) -> Vec<[bool; 4]> {
        bars(&mut Sections::new(seed, Activity::default()), 0, count, ALL, 0.0)
    }

    #[test]
    fn parts_play_their_share_in_stretches_and_change_by_the_phrase() {
        let (mut plays, mut changes, mut at_phrases) = ([0.0; 4], [0.0; 4], [0.0; 4]);
        let songs = 300;
        for seed in 0..songs {
            let bars = drawn(seed, 64);
            for (bar, rests) in bars.iter().enumerate() {
                assert!(!rests[0] || !rests[1], "somebody keeps time");
                for part in 0..4 {
                    plays[part] += f64::from(u8::from(!rests[part])) / (64 * songs) as f64;
                    if bar > 0 && bars[bar - 1][part] != rests[part] {
                        changes[part] += 1.0;
                        at_phrases[part] += f64::from(u8::from(bar % 4 == 0));
                    }
                }
            }
        }
        for (part, share) in Activity::default().share.into_iter().enumerate() {
            assert!((plays[part] - f64::from(share)).abs() < 0.06, "{part}: {} of {share}", plays[part]);
            assert!(at_phrases[part] > 0.6 * changes[part], "{part}");
            let dwell = 64.0 * songs as f64 / (changes[part] + songs as f64);
            assert!(dwell > 4.0, "{part}: {dwell} bars between changes");
        }
    }

    #[test]
    fn the_first_bars_have_drums_and_bass_and_the_strings_hold_back() {
        let first: Vec<[bool; 4]> = (0..200).map(|seed| drawn(seed, 1)[0]).collect();
        let rests = |part: usize| first.iter().filter(|r| r[part]).count();
        assert_eq!((rests(0), rests(1)), (0, 0));
        assert!(rests(3) > 100 && rests(2) < 60, "{} {}", rests(2), rests(3));
    }

    #[test]
    fn the_same_seed_draws_the_same_and_others_otherwise() {
        assert_eq!(drawn(3, 64), drawn(3, 64));
        let different: std::collections::HashSet<_> = (0..20).map(|seed| drawn(seed, 64)).collect();
        assert!(different.len() > 18);
        // Blocks of an upbeat and of empty bars before it make no difference.
        let mut late = Sections::new(3, Activity::default());
        assert_eq!(bars(&mut late, 2, 40, ALL, 0.0), drawn(3, 40));
    }

    #[test]
    fn energy_calls_in_and_lack_of_it_sends_out() {
        let count = |lift: f32| -> usize {
            let played = |seed| {
                let bars = bars(&mut Sections::new(seed, Activity::default()), 0, 32, ALL, lift);
                bars.iter().flatten().filter(|r| !**r).count()
            };
            (0..60).map(played).sum()
        };
        let (less, even, more) = (count(-0.5), count(0.0), count(0.5));
        assert!(less * 10 < even * 9 && even * 10 < more * 9, "{less} {even} {more}");
    }

    #[test]
    fn depth_zero_has_everybody_play_and_any_set_of_parts_has_somebody() {
        for seed in 0..50 {
            let mut sections = Sections::new(seed, Activity::default());
            sections.control(0.0);
            assert!(bars(&mut sections, 0, 40, ALL, -1.0).iter().all(|r| *r == [false; 4]));
            for on in [[false, false, true, true], [false, false, false, true], [true, false, true, true]] {
                let mut sections = Sections::new(seed, Activity::default());
                for rests in bars(&mut sections, 0, 40, on, 0.0) {
                    assert!((0..4).any(|i| on[i] && !rests[i]), "{on:?}");
                    assert!(!on[0] || !rests[0], "drums alone keep time");
                }
            }
        }
    }

    #[test]
    fn a_part_that_is_called_plays_from_the_next_bar_on() {
        let meters = MeterMap::default();
        for seed in 0..50 {
            let mut sections = Sections::new(seed, Activity::default());
            for step in 0..160 {
                sections.step(&place_of(step, &meters), ALL, 0.0);
            }
            sections.bring(Part::Strings);
            assert!(!sections.step(&place_of(160, &meters), ALL, 0.0).now[3]);
        }
    }
}
