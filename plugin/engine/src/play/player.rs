//! Plays the band: from a step of the piano to orders for the audio thread.
//!
//! Belongs to the inference thread, or to the offline renderer. Deterministic: the orders follow from the
//! controls, the band, and what was heard, step by step.
//!
//! What is heard of a part comes from the band, from what the part played before when it is locked
//! (`takes`), or, for the drums, from a fill that was asked for (`fill`).

use sideman_inference::band::{Activity, Band, Decision, Forced, Rests, StepContext, StepPosition};
use sideman_music::encoding::grid::{self, BASS_HIGH, BASS_LOW, DRUM_LENGTH, VelocityTable};
use sideman_music::listen::Lean;
use sideman_music::{BandStep, Chord, Note, PARTS, Part, PianoFrame, Pulse};

use super::fill::Fills;
use super::pitch_classes::RecentPitchClasses;
use super::rehearsal::Rehearsal;
use super::takes::Takes;
use crate::controls::Controls;
use crate::listen::Heard;
use crate::loaded_band::LoadedBand;
use crate::messages::Order;
use crate::plan::sections::Sections;
use crate::plan::{Doing, Level, Planner};
use crate::play::feel::{Feel, Half, draw, mix};
use crate::play::pattern::Patterns;
use crate::position::{Beat, step_pulse};
use crate::settings::Settings;

/// Velocity of closing notes at neutral intensity.
const CLOSING_VELOCITY: f32 = 84.0;
/// A part that has not played for this many steps does not join in the close.
const OUT_OF_PLAY: i64 = 96;
/// General MIDI keys of the close: kick and crash cymbal.
const CLOSING_DRUMS: [u8; 2] = [36, 49];
/// First lane of [`draw`] for fills that lead out of phrases, and how many of those are of the last beat alone.
const FILL_LANE: u64 = 0xF177;
const SHORT: f32 = 0.6;

/// Turns what a band decides into orders. No allocation after construction.
#[derive(Debug, Clone)]
pub struct Player {
    controls: Controls,
    velocities: VelocityTable,
    /// Seed that the band and the feel draw from.
    seed: u64,
    planner: Planner,
    feel: Feel,
    memory: ClosingHarmony,
    takes: Takes,
    fills: Fills,
    sections: Sections,
    /// What parts keep to.
    patterns: Patterns,
    /// How often each part was drawn anew.
    redraws: [u32; PARTS],
    rehearsal: Rehearsal,
    key: RecentPitchClasses,
    /// What a band that took over would have played ahead of its first step.
    missed: BandStep,
    /// Whom each part was last played from.
    sources: [Source; PARTS],
    /// Whether each part has played the coming step ahead of it.
    ahead: [bool; PARTS],
    asleep: bool,
    /// Whether the band fills where phrases end by itself.
    band_fills: bool,
}

/// Whom a part is played from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The band.
    Band,
    /// The band before this one.
    OtherBand,
    /// What it played before.
    Take,
    /// A fill.
    Fill,
}

/// What the close needs to know.
#[derive(Debug, Clone, Copy, Default)]
struct ClosingHarmony {
    /// Pitch classes and lowest pitch of the last half-bar in which the piano sounded, and of the last
    /// but one.
    last: (u16, Option<u8>),
    before: (u16, Option<u8>),
    /// Whether a half-bar has begun since.
    turned: bool,
    bass: Option<u8>,
    chords: [Chord; 2],
    /// Step at which each part played last.
    played: [Option<i64>; PARTS],
}

impl Player {
    /// A player with settings that have been checked.
    pub fn new(settings: Settings) -> Self {
        let Settings { controls, velocities, activity, patterns } = settings;
        let seed = controls.drawn_seed();
        let mut sections = Sections::new(seed, activity);
        sections.control(controls.sections);
        Self {
            sections,
            patterns,
            redraws: controls.parts.map(|p| p.redraws),
            planner: Planner::new(&controls),
            feel: Feel::new(seed, controls.swing, controls.humanize),
            memory: ClosingHarmony::default(),
            takes: Takes::default(),
            fills: Fills::new(controls.fills),
            rehearsal: Rehearsal::default(),
            key: RecentPitchClasses::default(),
            missed: BandStep::EMPTY,
            sources: [Source::Band; PARTS],
            ahead: [false; PARTS],
            asleep: false,
            band_fills: true,
            controls,
            velocities,
            seed,
        }
    }

    /// Other controls, in their ranges, from the next step on. Style, variation and seed are for whoever makes
    /// the band; the seed is drawn from after the next [`Player::reset`] or [`Player::change_band`].
    pub fn control(&mut self, controls: &Controls) {
        self.planner.control(controls);
        self.feel.control(controls.swing, controls.humanize);
        let fills = self.fills.ask(controls.fills);
        self.sections.control(controls.sections);
        if fills {
            // Who is asked for a fill does not rest after it.
            self.sections.bring(Part::Drums);
        }
        self.controls = *controls;
    }

    /// Forgets the past and starts the band anew, as after a stop or a jump. What locked parts repeat is
    /// kept.
    pub fn reset(&mut self, band: &mut dyn Band) {
        self.planner.reset();
        self.feel.reset();
        self.memory = ClosingHarmony::default();
        self.takes.reset();
        self.fills.reset();
        self.sections.reset();
        self.rehearsal.reset();
        self.key.reset();
        self.missed = BandStep::EMPTY;
        self.ahead = [false; PARTS];
        self.asleep = false;
        self.start(band);
    }

    /// Has another band go on from the next step, which should be the first of a bar. It is reset, and plays
    /// along with up to two bars that were heard last without being heard itself: about 3 ms.
    pub fn change_band(&mut self, band: &mut dyn Band) {
        self.start(band);
        self.missed = self.rehearsal.play(band);
        for source in &mut self.sources {
            if *source == Source::Band {
                *source = Source::OtherBand;
            }
        }
    }

    /// Has another band go on from the next step, with its own velocities and comings and goings.
    pub fn take_over(&mut self, loaded: &mut LoadedBand) {
        self.change_velocities(&loaded.velocities);
        self.change_activity(loaded.activity);
        self.change_band(&mut *loaded.band);
    }

    /// Plays the bins of the band with other velocities from the next step on.
    pub fn change_velocities(&mut self, velocities: &VelocityTable) {
        self.velocities.clone_from(velocities);
    }

    /// Has parts keep to other patterns from the next step on, or to none.
    pub fn change_patterns(&mut self, patterns: Patterns) {
        self.patterns = patterns;
    }

    /// Has the parts come and go otherwise from the next bar on.
    pub fn change_activity(&mut self, activity: Activity) {
        self.sections.change(activity);
    }

    fn start(&mut self, band: &mut dyn Band) {
        self.seed = self.controls.drawn_seed();
        self.feel.reseed(self.seed);
        self.sections.reseed(self.seed);
        self.start_band(band);
    }

    /// Starts the band as it was drawn last: with the parts anew that were drawn anew.
    fn start_band(&mut self, band: &mut dyn Band) {
        band.reset(self.seed);
        self.feel.stray_always(band.is_exact());
        self.band_fills = band.fills();
        self.redraws = self.controls.parts.map(|p| p.redraws);
        for part in Part::ALL.into_iter().filter(|p| self.redraws[p.index()] > 0) {
            band.redraw(part, self.redrawn_seed(part));
        }
    }

    /// Has the parts forget what they played that are asked to play something else.
    fn redraw(&mut self, band: &mut dyn Band) {
        for part in Part::ALL {
            let asked = self.controls.part(part).redraws;
            if std::mem::replace(&mut self.redraws[part.index()], asked) != asked {
                band.redraw(part, self.redrawn_seed(part));
                self.sections.bring(part);
            }
        }
    }

    /// What a part draws from: of every count another seed, and always the same one.
    fn redrawn_seed(&self, part: Part) -> u64 {
        mix(self.seed ^ mix(u64::from(self.redraws[part.index()])))
    }

    /// Whether the band sleeps, because the piano has been away for long. Steps in which the piano does
    /// nothing may be left out then.
    pub fn is_asleep(&self) -> bool {
        self.asleep
    }

    /// Whether the band has ended, or has not entered: with no more piano nothing will be ordered.
    pub fn rests(&self) -> bool {
        self.planner.rests()
    }

    /// Plays one step: to be called with each step once, in ascending order, with what was heard at its
    /// decision point. Nothing that is ordered begins before that point.
    pub fn step(
        &mut self,
        band: &mut dyn Band,
        place: &StepPosition,
        heard: Heard,
        bpm: f32,
        order: &mut impl FnMut(Order),
    ) {
        let Heard { frame, lean } = heard;
        let doing = self.planner.step(place, &frame);
        if self.planner.asleep(place) {
            self.asleep = true;
            return;
        }
        if std::mem::take(&mut self.asleep) {
            self.start_band(band);
        }
        self.redraw(band);
        self.memory.hear(place, &frame);
        let leaves = self.key.leaves(&frame);
        let dials = match doing {
            Doing::Play(level) | Doing::End { level, .. } => level.dials,
            Doing::Rest | Doing::Stop => self.controls.dials(),
        };
        // The band is stepped even while it rests, so that it comes back in the groove.
        let parts = self.controls.on();
        let locked = Part::ALL.map(|p| self.controls.locked(p));
        let repeated = self.takes.begin(place, locked);
        let forced = self.patterned(place, repeated);
        let rests = match doing {
            Doing::Play(_) => self.resting(place, forced.as_ref()),
            _ => Rests::default(),
        };
        let context = StepContext { place: *place, heard: frame, parts, bpm, dials, rests, forced };
        let decision = band.decide(&context);
        self.rehearsal.push(context);
        let playing = matches!(doing, Doing::Play(_));
        let decision = self.cast(&context, decision, playing);
        let now = step_pulse(place.step) + lean;
        match doing {
            Doing::Rest => {}
            Doing::Play(level) => {
                if leaves {
                    order(Order::Release(now));
                }
                // Behind a piano that is late throughout the whole band sits back. Otherwise only what would
                // come before its decision is late, by too little to be heard.
                let back = if lean > Lean::LITTLE { lean } else { 0 };
                let late = |o: Order| match o {
                    Order::Play(part, n) => Order::Play(part, Note { onset: (n.onset + back).max(now), ..n }),
                    other => other,
                };
                let level = Level { gain: level.gain * swell(place, &rests, parts), ..level };
                self.play(&context, &decision, level, &mut |o| order(late(o)));
            }
            Doing::End { until, level } => {
                self.ahead = [false; PARTS];
                order(Order::CancelFrom(now));
                order(Order::Release(now));
                self.close(place, now, until, level, order);
            }
            Doing::Stop => {
                self.ahead = [false; PARTS];
                order(Order::CancelFrom(now));
                order(Order::Release(now));
            }
        }
    }

    /// What parts play anyway, with those that keep to a pattern.
    fn patterned(&self, place: &StepPosition, forced: Option<Forced>) -> Option<Forced> {
        if self.patterns.iter().all(Option::is_none) {
            return forced;
        }
        let mut all = forced.unwrap_or_default();
        let harmony = self.memory.now();
        for part in Part::ALL {
            if let Some(pattern) = &self.patterns[part.index()] {
                let played = pattern.play(place, harmony);
                all.parts[part.index()] = true;
                all.what.now.copy(part, &played.now);
                all.what.early.copy(part, &played.early);
            }
        }
        Some(all)
    }

    /// Which parts rest in this bar and the next: forced parts do not.
    fn resting(&mut self, place: &StepPosition, forced: Option<&Forced>) -> Rests {
        let mut rests = self.sections.step(place, self.controls.on(), self.planner.energy().lift());
        for part in forced.into_iter().flat_map(|f| Part::ALL.into_iter().filter(|p| f.parts[p.index()])) {
            (rests.now[part.index()], rests.next[part.index()]) = (false, false);
        }
        rests
    }

    /// Whether the drums play a fill now: one that was asked for, or one that leads out of a phrase.
    fn fill(&mut self, context: &StepContext) -> bool {
        let StepContext { place, rests, forced, .. } = context;
        let filled = self.fills.step(place);
        let drums_forced = forced.is_some_and(|f| f.parts[Part::Drums.index()]);
        if place.in_bar == 0 && !self.band_fills && !drums_forced {
            // Who plays softly fills less.
            let odds = self.sections.fill(place, rests, self.controls.on())
                * (2.0 * self.controls.intensity).min(1.5);
            let drawn = |lane: u64| draw(self.seed, place.bar as u64, FILL_LANE + lane) as f32;
            if drawn(0) < odds {
                self.fills.lead(place, if drawn(1) < SHORT { 1 } else { 2 });
            }
        }
        filled
    }

    /// What each part plays, from whom it is to come.
    fn cast(&mut self, context: &StepContext, decided: Decision, playing: bool) -> Decision {
        let StepContext { place, rests, forced, .. } = context;
        let mut decision = decided;
        let missed = std::mem::take(&mut self.missed);
        let last = place.in_bar + 1 >= place.bar_steps;
        let mut sources = Part::ALL.map(|part| {
            let i = part.index();
            if let Some(forced) = forced.filter(|f| f.parts[i]) {
                decision.now.copy(part, &forced.what.now);
                decision.early.copy(part, &forced.what.early);
                return Source::Take;
            }
            if missed.plays(part) && !decision.now.plays(part) {
                decision.now.copy(part, &missed);
                decision.now.offsets[i] = 0;
            }
            // Whatever a band makes of it: who rests starts nothing.
            if rests.now[i] {
                decision.now.silence(part);
            }
            if if last { rests.next[i] } else { rests.now[i] } {
                decision.early.silence(part);
            }
            Source::Band
        });
        for part in Part::ALL {
            // A bar that was rested is none to repeat.
            let played = playing && self.controls.part(part).on && !rests.now[part.index()];
            self.takes.record(part, &decision, played);
        }
        if !playing || !self.controls.part(Part::Drums).on {
            self.fills.reset();
        } else if self.fill(context) {
            self.fills.play(place, self.seed, &self.controls, &self.takes, &mut decision);
            sources[Part::Drums.index()] = Source::Fill;
        }
        // A step is not played once ahead of it and then again by someone who does not know.
        for part in Part::ALL.into_iter().map(|p| p.index()) {
            if self.ahead[part] && sources[part] != self.sources[part] {
                decision.now.silence(Part::ALL[part]);
            }
        }
        (self.sources, self.ahead) = (sources, [false; PARTS]);
        decision
    }

    fn play(
        &mut self,
        context: &StepContext,
        decision: &Decision,
        level: Level,
        order: &mut impl FnMut(Order),
    ) {
        let place = &context.place;
        let on_beat = Beat::at(place).start == place.in_bar;
        for (half, step) in [(Half::Now, &decision.now), (Half::Early, &decision.early)] {
            for part in Part::ALL {
                let thin = level.thin && self.sources[part.index()] != Source::Fill;
                let meant = !thin || (on_beat && half == Half::Now);
                if meant && self.controls.part(part).on && step.plays(part) {
                    // What is to rest in the next bar rings on into its first beat at most.
                    let left = i64::from(place.bar_steps.saturating_sub(place.in_bar));
                    let last = step_pulse(place.step + left + i64::from(Beat::at(place).steps));
                    let until = if context.rests.next[part.index()] { last } else { Pulse::MAX };
                    self.play_half(place, half, part, step, level, &mut |o| order(shortened(o, until)));
                }
            }
        }
    }

    fn play_half(
        &mut self,
        place: &StepPosition,
        half: Half,
        part: Part,
        step: &BandStep,
        level: Level,
        order: &mut impl FnMut(Order),
    ) {
        self.ahead[part.index()] |= half == Half::Early;
        let offset = step.offsets[part.index()];
        let timing = match self.sources[part.index()] {
            Source::Band | Source::OtherBand => self.feel.time(place, half, part, offset),
            Source::Take => {
                self.feel.again(place, half, offset, self.takes.stray(part, half).unwrap_or_default())
            }
            Source::Fill => self.feel.again(place, half, offset, 0.0),
        };
        if self.sources[part.index()] != Source::Fill {
            self.takes.strays(part, half, timing.stray);
        }
        self.memory.play(place, part, step);
        grid::play(step, place.step, part, &self.velocities, 0, |n| {
            let end = self.feel.end(place, timing, n.length);
            order(Order::Play(
                part,
                Note {
                    onset: timing.onset,
                    length: end - timing.onset,
                    velocity: scaled(f32::from(n.velocity), level.gain),
                    ..n
                },
            ));
        });
    }

    /// The last notes: all parts that were playing, on the harmony that the piano left.
    fn close(
        &self,
        place: &StepPosition,
        onset: Pulse,
        until: Pulse,
        level: Level,
        order: &mut impl FnMut(Order),
    ) {
        let velocity = scaled(CLOSING_VELOCITY, level.gain);
        let mut strike = |part, pitch, length: Pulse| {
            order(Order::Play(part, Note { onset, pitch, length: length.max(1), velocity }));
        };
        let (pcs, low) = self.memory.harmony();
        for part in Part::ALL.into_iter().filter(|&p| self.controls.part(p).on) {
            if self.memory.played[part.index()].is_none_or(|s| place.step - s > OUT_OF_PLAY) {
                continue;
            }
            match part {
                Part::Drums => CLOSING_DRUMS.into_iter().for_each(|key| strike(part, key, DRUM_LENGTH)),
                Part::Bass => {
                    if let (Some(low), Some(last)) = (low, self.memory.bass) {
                        strike(part, nearest(low % 12, last), until - onset);
                    }
                }
                Part::Guitar | Part::Strings => {
                    for &pitch in self.memory.chords[part.index() - 2].pitches() {
                        if pcs >> (pitch % 12) & 1 == 1 {
                            strike(part, pitch, until - onset);
                        }
                    }
                }
            }
        }
    }
}

impl ClosingHarmony {
    fn hear(&mut self, place: &StepPosition, heard: &PianoFrame) {
        self.turned |= place.in_bar.is_multiple_of(place.half_steps.max(1));
        if heard.keys == 0 {
            return;
        }
        if std::mem::take(&mut self.turned) {
            self.before = self.last;
            self.last = (0, None);
        }
        self.last.0 |= heard.sounding;
        self.last.1 = Some(self.last.1.map_or(heard.lowest, |low| low.min(heard.lowest)));
    }

    fn play(&mut self, place: &StepPosition, part: Part, step: &BandStep) {
        self.played[part.index()] = Some(place.step);
        match part {
            Part::Drums => {}
            Part::Bass => self.bass = step.bass.map(|b| b.pitch),
            // Single notes are a figure, not a chord to end on.
            Part::Guitar | Part::Strings => {
                let chord = step.chord(part);
                let kept = &mut self.chords[part.index() - 2];
                if chord.len() > 1 || kept.is_empty() {
                    *kept = chord;
                }
            }
        }
    }

    /// Pitch classes and lowest pitch since the half-bar began, or of the one before while there is nothing.
    fn now(&self) -> (u16, Option<u8>) {
        if self.last.0 == 0 { self.before } else { self.last }
    }

    /// Pitch classes and lowest pitch to end on: of the last half-bar with piano, or of two if there was
    /// but a single note in it.
    fn harmony(&self) -> (u16, Option<u8>) {
        if self.last.0.count_ones() > 1 || self.before.0 == 0 {
            return self.last;
        }
        let low = self.last.1.into_iter().chain(self.before.1).min();
        (self.last.0 | self.before.0, low)
    }
}

/// Most that the band swells into a bar in which more parts play.
const SWELL: f32 = 0.12;

/// Factor on velocities with which the parts lead up to a bar in which more of them play: from 1 in the middle
/// of the bar on.
fn swell(place: &StepPosition, rests: &Rests, on: [bool; PARTS]) -> f32 {
    let playing = |rests: &[bool; PARTS]| (0..PARTS).filter(|&i| on[i] && !rests[i]).count();
    let (now, next) = (playing(&rests.now), playing(&rests.next));
    let done = f32::from(place.in_bar) / f32::from(place.bar_steps.max(1));
    if next > now { 1.0 + SWELL * (2.0 * done - 1.0).max(0.0) } else { 1.0 }
}

/// An order of a note that has ended by a pulse.
fn shortened(order: Order, until: Pulse) -> Order {
    match order {
        Order::Play(part, n) => {
            Order::Play(part, Note { length: n.length.min(until.saturating_sub(n.onset).max(1)), ..n })
        }
        other => other,
    }
}

fn scaled(velocity: f32, gain: f32) -> u8 {
    (velocity * gain).round().clamp(1.0, 127.0) as u8
}

/// The bass pitch of a pitch class that is nearest to another bass pitch, the lower one of two.
fn nearest(pc: u8, to: u8) -> u8 {
    (BASS_LOW..=BASS_HIGH).filter(|p| p % 12 == pc).min_by_key(|p| p.abs_diff(to)).unwrap_or(to)
}
