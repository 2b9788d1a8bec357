//! The neural band: listens, decides and remembers, step by step.

use std::sync::Arc;

use rand::SeedableRng;
use rand_pcg::Pcg64;
use sideman_music::encoding::grid::{
    BASS_HIGH, BASS_LOW, BASS_PITCHES, BassNote, CHORD_LOW, CHORD_NOTES, CHORD_PITCHES, DRUM_CLASSES,
};
use sideman_music::{BandStep, Part};

use super::dials::shaped;
use super::history::bar_lag;
use super::inputs::{Inputs, write_extra};
use super::layout::{bass_candidates, chord_candidates, climb};
use super::network::{MOST_CANDIDATES, MOST_EXTRA, State, StepNetwork};
use super::repeat_bias::RepeatBias;
use super::repeat_plan::{RepeatPlan, is_planned_at};
use super::sample::{Sampling, class, yes};
use super::sizes::{AHEAD, LAGS, PLANS, UNPLANNED, extra_inputs};
use super::{Band, BandHistory, Decision, PianoFeatures, StepContext, StepPosition, Weight};

/// A band that plays from the network. Stepping allocates nothing.
#[derive(Clone)]
pub struct NeuralBand {
    kernel: Arc<StepNetwork>,
    state: State,
    piano: PianoFeatures,
    history: BandHistory,
    repeat_bias: RepeatBias,
    repeats: RepeatPlan,
    /// What the next or, once it has begun, this bar's repeats were drawn from.
    odds: [[f32; PLANS]; 4],
    /// How far the piano is from where it was, fading.
    away: f32,
    sampling: Sampling,
    /// What each part draws from: a stream of its own, so that one that is drawn anew leaves the others be.
    rngs: [Pcg64; 4],
    /// What was already played ahead of the next step.
    ahead: BandStep,
    blend: Option<Blend>,
}

/// Two styles and how far the band is from the first to the second. As wide as the configuration says.
#[derive(Clone)]
struct Blend {
    codes: [Vec<f32>; 2],
    mixed: Vec<f32>,
    /// In [`BLENDS`]ths.
    at: u8,
}

/// Steps from a style to another: finer ones make no difference, and the style is worked out anew at each.
const BLENDS: f32 = 64.0;

/// The streams of random numbers of the parts.
fn streams(seed: u64) -> [Pcg64; 4] {
    Part::ALL.map(|p| stream(p, seed))
}

/// The stream of a part: seeds of neighbouring parts and takes are spread apart.
fn stream(part: Part, seed: u64) -> Pcg64 {
    Pcg64::seed_from_u64(seed ^ (part.index() as u64).wrapping_mul(0xD1B5_4A32_D192_ED03))
}

/// What a bar that differs from the one at a lag on its bar line, or agrees with it, adds to the odds that the
/// whole bar is repeated: in the web-collected songs four of five repeated bars agree and one of five others,
/// one of three at four bars, and six of ten where the piano was found to play the same.
const AGREES: [[f32; 2]; LAGS] = [[-1.0, 1.2], [-1.6, 1.35], [-1.8, 1.0], [-1.5, 0.4]];
/// What is left a step later of having gone away: half of it after a bar and a half.
const AWAY_FADES: f32 = 0.97;
/// How much more freely a part that is tired of its bar draws at the end of a phrase.
const RESTLESS: f32 = 2.2;

/// How far back drums and the other parts count as playing, in steps.
const LATELY: [usize; 2] = [32, 16];

impl NeuralBand {
    /// A band of a style code, as wide as the network's configuration says; other widths are cut or filled
    /// with zeros.
    pub fn new(kernel: Arc<StepNetwork>, code: &[f32], seed: u64) -> Self {
        let mut state = kernel.state();
        kernel.set_style(&fitted(code, &kernel), &mut state);
        Self {
            kernel,
            state,
            piano: PianoFeatures::default(),
            history: BandHistory::default(),
            repeat_bias: RepeatBias::default(),
            repeats: RepeatPlan::default(),
            odds: [[0.0; PLANS]; 4],
            away: 0.0,
            sampling: Sampling::default(),
            rngs: streams(seed),
            ahead: BandStep::EMPTY,
            blend: None,
        }
    }

    /// The same band between two styles: its own code's and another's, as far as [`super::Dials::morph`] says.
    pub fn with_other(mut self, code: &[f32], other: &[f32]) -> Self {
        let codes = [fitted(code, &self.kernel), fitted(other, &self.kernel)];
        self.blend = Some(Blend { mixed: codes[0].clone(), codes, at: 0 });
        self
    }

    /// Goes between the styles as far as it is asked.
    fn morph(&mut self, to: f32) {
        let Some(blend) = &mut self.blend else { return };
        let at = (to.clamp(0.0, 1.0) * BLENDS).round() as u8;
        if at == blend.at {
            return;
        }
        blend.at = at;
        let share = f32::from(at) / BLENDS;
        let [from, to] = &blend.codes;
        for ((mixed, from), to) in blend.mixed.iter_mut().zip(from).zip(to) {
            *mixed = from + (to - from) * share;
        }
        self.kernel.set_style(&blend.mixed, &mut self.state);
    }

    /// The same band, drawing otherwise.
    pub fn with_sampling(mut self, sampling: Sampling) -> Self {
        self.sampling = sampling;
        self
    }

    /// Draws what a part starts at the next position; true in `early` makes sure that it starts something.
    fn part(&mut self, part: Part, early: bool, in_bar: usize, context: &StepContext, now: &mut BandStep) {
        let mut extra = [0f32; MOST_EXTRA];
        let width = extra_inputs(part);
        write_extra(part, early, now, self.piano.reference(), &mut Inputs::new(&mut extra[..width]));
        self.kernel.outputs(part, &extra[..width], &mut self.state);
        let offset = match part {
            Part::Drums => self.drums(early, in_bar, context, now),
            Part::Bass => self.bass(early, in_bar, context, now),
            Part::Guitar | Part::Strings => self.chord(part, early, in_bar, context, now),
        };
        if let Some(last) = offset {
            let logits = self.kernel.offset(part, last, early, &self.state);
            let drawn =
                class(&logits, self.sampling.offset, context.dials.temperature, &mut self.rngs[part.index()]);
            now.offsets[part.index()] = drawn as i8 - 3;
        }
    }

    /// What complexity and density add to the logit of an onset on a step of the bar.
    fn shape(part: Part, in_bar: usize, context: &StepContext) -> f32 {
        context.dials.shape(part, Weight::of(&context.place, in_bar as u16))
    }

    fn drums(&mut self, early: bool, in_bar: usize, context: &StepContext, now: &mut BandStep) -> Option<u8> {
        let row = self.history.drum_row(&self.piano, context.place.bar_steps);
        let plan = self.planned(Part::Drums, early, in_bar);
        let mut logits = self.kernel.drum_onsets(&row, in_bar, plan, &self.state);
        let steady = context.dials.steady();
        let push = context.dials.push();
        let shape = Self::shape(Part::Drums, in_bar, context);
        let mut hit = [false; DRUM_CLASSES];
        let restless = self.restless(Part::Drums, &context.place);
        let habit = self.kept(Part::Drums, plan, self.repeat_bias.onsets(Part::Drums), 0);
        for c in 0..DRUM_CLASSES {
            logits[c] += (0..c).filter(|&b| hit[b]).map(|b| self.kernel.chain(c, b)).sum::<f32>();
            let lately = self.history.recently_hit(c, LATELY[0]);
            logits[c] += habit.map_or(0.0, |(lag, firm)| firm * row.copies[lag][c]);
            // More is played on the drums that are in use, not on all there are.
            logits[c] = shaped(logits[c] + push, if lately { shape } else { shape.min(0.0) });
            let certain = if lately { self.sampling.certain[0] } else { self.sampling.certain_new };
            let (dial, certain) =
                if lately && restless { (steady * RESTLESS, 0.0) } else { (steady, certain) };
            hit[c] = yes(logits[c], dial, certain, &mut self.rngs[Part::Drums.index()]);
        }
        if early && !hit.contains(&true) {
            let best = (0..DRUM_CLASSES).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap_or(0);
            hit[best] = true;
        }
        for c in (0..DRUM_CLASSES).filter(|&c| hit[c]) {
            let logits = self.kernel.velocity(Part::Drums, [row.last[c], row.bar[c]], c, &self.state);
            now.drums[c] = class(
                &logits,
                self.sampling.drum_velocity,
                context.dials.steady(),
                &mut self.rngs[Part::Drums.index()],
            ) as u8
                + 1;
        }
        hit.contains(&true).then_some(row.offset)
    }

    /// Whether a part has played one bar for long, so that something else is due.
    fn restless(&self, part: Part, place: &StepPosition) -> bool {
        2 * place.in_bar >= place.bar_steps && self.repeat_bias.stuck(part, place.bar)
    }

    /// Whether bass, guitar or strings start something.
    fn starts(
        &mut self,
        part: Part,
        copies: [f32; LAGS],
        early: bool,
        in_bar: usize,
        context: &StepContext,
    ) -> bool {
        let plan = self.planned(part, early, in_bar);
        let mut logit = self.kernel.onset(part, copies, in_bar, plan, &self.state) + context.dials.push();
        if let Some((lag, firm)) = self.kept(part, plan, self.repeat_bias.onsets(part), 1) {
            logit += firm * copies[lag];
        }
        logit = shaped(logit, Self::shape(part, in_bar, context));
        let lately = self.history.recently(part, LATELY[1]);
        let certain = if lately { self.sampling.certain[1] } else { self.sampling.certain_new };
        let (dial, restless) = (context.dials.steady(), self.restless(part, &context.place));
        let (dial, certain) = if restless { (dial * RESTLESS, 0.0) } else { (dial, certain) };
        let drawn = yes(logit, dial, certain, &mut self.rngs[part.index()]);
        early || drawn
    }

    /// What a part's bar repeats, of the position that is decided: early decisions on the bar's last step are
    /// about the next bar.
    fn planned(&self, part: Part, early: bool, in_bar: usize) -> u8 {
        self.repeats.of(early && in_bar == 0)[part.index()]
    }

    /// The lag that a part keeps to and what that gains: of the bar that it repeats, or else of its habit.
    fn kept(&self, part: Part, plan: u8, habit: Option<(usize, f32)>, what: usize) -> Option<(usize, f32)> {
        if usize::from(plan) < LAGS {
            return Some((usize::from(plan), self.sampling.follow[what]));
        }
        if what < 2 && usize::from(plan) < 2 * LAGS && part != Part::Drums {
            return Some((usize::from(plan) - LAGS, self.sampling.follow[what]));
        }
        habit.map(|(lag, firm)| (lag, firm * self.sampling.habit[what]))
    }

    /// Goes on to the next bar's plans where one begins, and gives up what the piano no longer goes with.
    fn follow_plans(&mut self, place: &StepPosition, dial: f32) {
        if place.in_bar == 0 {
            self.repeats.turn();
        }
        let lags = self.history.lags_ahead(&self.piano, bar_lag(place.bar_steps), 0);
        for part in [Part::Bass, Part::Guitar, Part::Strings] {
            if place.in_bar == 0 {
                self.reconsider(part, lags, dial);
            }
            let lag = self.repeats.whole(part).and_then(|k| lags[k]);
            if lag.is_some_and(|lag| self.piano.differs(lag, place)) {
                self.repeats.give_up(part);
            }
        }
    }

    /// Draws anew what a part's bar repeats once the piano is heard on its bar line.
    fn reconsider(&mut self, part: Part, lags: [Option<usize>; LAGS], dial: f32) {
        let mut logits = self.odds[part.index()];
        let mut heard = false;
        for (k, lag) in lags.into_iter().enumerate() {
            if let Some(agrees) = lag.and_then(|lag| self.piano.agrees(lag)) {
                logits[k] += AGREES[k][usize::from(agrees)];
                heard = true;
            }
        }
        let drawn = class(&logits, self.sampling.repeats, dial, &mut self.rngs[part.index()]) as u8;
        if heard && self.repeats.of(false)[part.index()] != UNPLANNED {
            self.repeats.set(part, drawn);
        }
    }

    /// Plans what each part's next bar repeats.
    fn plan(&mut self, context: &StepContext) {
        let lags = self.history.lags_ahead(&self.piano, bar_lag(context.place.bar_steps), AHEAD);
        let plans = self.kernel.repeats(&mut self.state);
        for part in Part::ALL {
            let logits = &mut self.odds[part.index()];
            *logits = plans[part.index()];
            let (whole, rhythm) = logits.split_at_mut(LAGS);
            for k in 0..LAGS {
                whole[k] += self.sampling.whole[part.index()];
                if lags[k].is_none() {
                    (whole[k], rhythm[k]) = (-1e9, -1e9);
                }
            }
            // Who has played one bar for long plays another one.
            if self.repeat_bias.stuck(part, context.place.bar + 1) {
                whole.fill(-1e9);
            }
            let rng = &mut self.rngs[part.index()];
            let drawn = class(logits, self.sampling.repeats, context.dials.steady(), rng) as u8;
            let plays = context.parts[part.index()] && !context.rests.next[part.index()];
            self.repeats.plan(part, if plays { drawn } else { UNPLANNED });
        }
    }

    /// Whether a part leaves out what comes next, the last that it played in the bar before, because it has played
    /// that bar for too long.
    fn leaves_out(&self, part: Part, in_bar: usize, bar_steps: u16) -> bool {
        let bar = bar_lag(bar_steps);
        self.repeat_bias.worn_out(part)
            && self.history.at(bar).plays(part)
            && (in_bar + 1..bar).all(|later| !self.history.at(bar - (later - in_bar)).plays(part))
    }

    fn references(&self) -> (u8, u8) {
        (self.piano.reference(), self.piano.reference_before())
    }

    fn bass(&mut self, early: bool, in_bar: usize, context: &StepContext, now: &mut BandStep) -> Option<u8> {
        let row = self.history.bass_row(&self.piano, context.place.bar_steps);
        if !self.starts(Part::Bass, row.copies, early, in_bar, context) {
            return None;
        }
        let dial = context.dials.temperature;
        let candidates = bass_candidates(&row, self.references());
        let mut scores = [0f32; MOST_CANDIDATES];
        let harmony = self.sampling.harmony[0] + self.sampling.away[0] * self.away;
        let plan = self.planned(Part::Bass, early, in_bar);
        self.kernel.bass_pitches(&candidates, plan, &mut self.state, &mut scores);
        for (p, score) in scores[..BASS_PITCHES].iter_mut().enumerate() {
            *score += harmony * (row.masks[2] >> p & 1) as f32;
        }
        if let Some((lag, firm)) = self.kept(Part::Bass, plan, self.repeat_bias.pitches(Part::Bass), 2) {
            // The masks of the lags begin at the sixth; what the piano does not sound is no habit.
            let whole = usize::from(plan) < LAGS;
            let then = row.masks[5 + lag] & if whole { u64::MAX } else { row.masks[2] };
            for (p, score) in scores[..BASS_PITCHES].iter_mut().enumerate() {
                *score += firm * (then >> p & 1) as f32;
            }
        }
        let rng = &mut self.rngs[Part::Bass.index()];
        let drawn = class(&scores[..BASS_PITCHES], self.sampling.bass_pitch, dial, rng);
        let pitch = BASS_LOW + drawn as u8;
        let degree = usize::from((12 + pitch % 12 - self.piano.reference()) % 12);
        let logits = self.kernel.length(Part::Bass, row.lengths, degree, &self.state);
        let length = class(&logits, self.sampling.length, dial, rng) as u8;
        let logits = self.kernel.velocity(Part::Bass, row.velocities, 0, &self.state);
        let velocity = class(&logits, self.sampling.velocity, context.dials.steady(), rng) as u8;
        let mut logits = self.kernel.above(row.above, &self.state);
        let room = usize::from(BASS_HIGH - pitch);
        logits.iter_mut().skip(room + 1).for_each(|l| *l = -1e9);
        let above = class(&logits, self.sampling.above, dial, rng) as u8;
        now.bass = Some(BassNote { pitch, length, velocity, above });
        Some(row.offset)
    }

    fn chord(
        &mut self,
        part: Part,
        early: bool,
        in_bar: usize,
        context: &StepContext,
        now: &mut BandStep,
    ) -> Option<u8> {
        let bass = now.bass.map(|b| b.pitch);
        let row = self.history.chord_row(part, &self.piano, context.place.bar_steps, bass);
        if !self.starts(part, row.copies, early, in_bar, context) {
            return None;
        }
        let dial = context.dials.temperature;
        let logits = self.kernel.velocity(part, row.velocities, 0, &self.state);
        let mut chord = now.chord(part);
        chord.velocity =
            class(&logits, self.sampling.velocity, context.dials.steady(), &mut self.rngs[part.index()])
                as u8;
        let harmony = self.sampling.harmony[1] + self.sampling.away[1] * self.away;
        self.kernel.begin_chord(part, &mut self.state);
        let plan = self.planned(part, early, in_bar);
        let mut lengths = row.lengths;
        for rank in 0..CHORD_NOTES {
            let candidates = chord_candidates(&row, self.references(), chord.pitches());
            let mut scores = [0f32; MOST_CANDIDATES];
            let climbed = climb(chord.pitches()) as usize;
            let (row_plan, at) = ((&candidates, plan), (climbed, rank));
            self.kernel.chord_pitches(part, row_plan, at, &mut self.state, &mut scores);
            for (p, score) in scores[..CHORD_PITCHES].iter_mut().enumerate() {
                *score += harmony * (row.masks[2] >> p & 1) as f32;
            }
            if let Some((lag, firm)) = self.kept(part, plan, self.repeat_bias.pitches(part), 3) {
                let then = row.masks[5 + lag];
                let left = match chord.pitches().last() {
                    None => then,
                    Some(&p) => then & !((2u64 << (p - CHORD_LOW)) - 1),
                };
                // Whole chords only where the piano's lowest note is the same, so that harmony comes first.
                let whole = usize::from(plan) < LAGS;
                if (whole || then & row.masks[2] == then) && then != 0 {
                    let next = if left == 0 { CHORD_PITCHES } else { left.trailing_zeros() as usize };
                    scores[next] += firm;
                }
            }
            let drawn = class(&scores, self.sampling.chord_pitch, dial, &mut self.rngs[part.index()]);
            if drawn == CHORD_PITCHES {
                break;
            }
            let logits = self.kernel.length(part, lengths, rank, &self.state);
            lengths[0] = class(&logits, self.sampling.length, dial, &mut self.rngs[part.index()]) as u8;
            chord.push(CHORD_LOW + drawn as u8, lengths[0]);
        }
        match part {
            Part::Guitar => now.guitar = chord,
            _ => now.strings = chord,
        }
        Some(row.offset)
    }
}

/// A style code as wide as a network's: cut, or filled with zeros.
fn fitted(code: &[f32], kernel: &StepNetwork) -> Vec<f32> {
    let mut own = code.to_vec();
    own.resize(kernel.config().style, 0.0);
    own
}

impl Band for NeuralBand {
    /// It fills now and then; but it does not know where the phrases of the sections end.
    fn fills(&self) -> bool {
        false
    }

    fn duplicate(&self) -> Option<Box<dyn Band>> {
        Some(Box::new(self.clone()))
    }

    fn reset(&mut self, seed: u64) {
        self.kernel.reset(&mut self.state);
        self.piano.reset();
        self.history.reset();
        self.repeat_bias = RepeatBias::default();
        self.repeats = RepeatPlan::default();
        self.away = 0.0;
        self.rngs = streams(seed);
        self.ahead = BandStep::EMPTY;
    }

    fn redraw(&mut self, part: Part, seed: u64) {
        self.history.forget(part);
        self.repeats.forget(part);
        self.rngs[part.index()] = stream(part, seed);
    }

    fn decide(&mut self, context: &StepContext) -> Decision {
        self.morph(context.dials.morph);
        let place = &context.place;
        self.piano.hear(&context.heard, place);
        self.away = (AWAY_FADES * self.away).max(self.piano.away());
        let ahead = std::mem::take(&mut self.ahead);
        let early = Part::ALL.map(|p| ahead.plays(p));
        self.follow_plans(place, context.dials.steady());
        self.state.inputs.fill(0.0);
        let mut x = Inputs::new(&mut self.state.inputs);
        // The last of the piano's inputs says whose band this is: people's.
        self.piano.write(place, context.parts, context.bpm, 1.0, &mut x);
        self.history.write(&self.piano, place.bar_steps, early, &context.rests, &self.repeats, &mut x);
        self.kernel.trunk(&mut self.state);
        if is_planned_at(place.in_bar, place.bar_steps) {
            self.plan(context);
        }

        let mut now = ahead;
        let forced = context.forced.unwrap_or_default();
        // What is forced is played in a rest, too.
        let plays = |p: Part, rests: [bool; 4]| {
            context.parts[p.index()] && (forced.parts[p.index()] || !rests[p.index()])
        };
        for part in Part::ALL.into_iter().filter(|&p| plays(p, context.rests.now) && !early[p.index()]) {
            if forced.parts[part.index()] {
                now.copy(part, &forced.what.now);
            } else if !self.leaves_out(part, usize::from(place.in_bar), place.bar_steps) {
                self.part(part, false, usize::from(place.in_bar), context, &mut now);
            }
        }
        self.repeat_bias.push(&now, self.history.then(&self.piano, place.bar_steps), place.in_bar == 0);
        self.history.push(&now, place.bar_steps);
        Part::ALL.into_iter().filter(|p| early[p.index()]).for_each(|p| now.silence(p));

        let in_bar = usize::from(if place.in_bar + 1 >= place.bar_steps { 0 } else { place.in_bar + 1 });
        let mut next = BandStep::EMPTY;
        let rests = if in_bar == 0 { context.rests.next } else { context.rests.now };
        for part in Part::ALL.into_iter().filter(|&p| plays(p, rests)) {
            if forced.parts[part.index()] {
                next.copy(part, &forced.what.early);
                continue;
            }
            if self.leaves_out(part, in_bar, place.bar_steps) {
                continue;
            }
            let copies = self.history.early_copies(part, &self.piano, place.bar_steps);
            let mut logit = self.kernel.early(part, copies, &self.state) + self.sampling.early[part.index()];
            logit = shaped(logit, Self::shape(part, in_bar, context));
            if yes(logit, context.dials.steady(), self.sampling.certain_early, &mut self.rngs[part.index()]) {
                self.part(part, true, in_bar, context, &mut next);
            }
        }
        self.ahead = next;
        Decision { now, early: next }
    }
}
