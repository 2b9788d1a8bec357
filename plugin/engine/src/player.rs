//! Plays the band: from a step of the piano to orders for the audio thread.
//!
//! Belongs to the inference thread, or to the offline renderer. Deterministic: the orders follow from the
//! controls, the band, and what was heard, step by step.
//!
//! What is heard of a part comes from the band, from what the part played before when it is locked
//! (`takes`), or, for the drums, from a fill that was asked for (`fill`).

mod fill;
mod rehearsal;
mod takes;

use sideman_models::band::{Band, Decision, Forced, Moment, Place, Rests};
use sideman_music::grid::{self, BASS_HIGH, BASS_LOW, DRUM_LENGTH, VelocityTable};
use sideman_music::listen::Lean;
use sideman_music::{BandStep, Chord, Note, Part, PianoFrame, Pulse};

use crate::clock::{Beat, step_pulse};
use crate::controls::Controls;
use crate::feel::{Feel, Half};
use crate::listen::Heard;
use crate::planner::{Doing, Level, Planner};
use crate::rt::Order;
use crate::settings::Settings;
use fill::Fills;
use rehearsal::Rehearsal;
use takes::Takes;

/// Velocity of closing notes at neutral intensity.
const CLOSING_VELOCITY: f32 = 84.0;
/// A part that has not played for this many steps does not join in the close.
const OUT_OF_PLAY: i64 = 96;
/// General MIDI keys of the close: kick and crash cymbal.
const CLOSING_DRUMS: [u8; 2] = [36, 49];

/// Turns what a band decides into orders. No allocation after construction.
#[derive(Debug, Clone)]
pub struct Player {
    controls: Controls,
    velocities: VelocityTable,
    /// Seed that the band and the feel draw from.
    seed: u64,
    planner: Planner,
    feel: Feel,
    memory: Memory,
    takes: Takes,
    fills: Fills,
    rehearsal: Rehearsal,
    /// What a band that took over would have played ahead of its first step.
    missed: BandStep,
    /// Whom each part was last played from.
    sources: [Source; 4],
    /// Whether each part has played the coming step ahead of it.
    ahead: [bool; 4],
    asleep: bool,
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
struct Memory {
    /// Pitch classes and lowest pitch of the last half-bar in which the piano sounded, and of the last
    /// but one.
    last: (u16, Option<u8>),
    before: (u16, Option<u8>),
    /// Whether a half-bar has begun since.
    turned: bool,
    bass: Option<u8>,
    chords: [Chord; 2],
    /// Step at which each part played last.
    played: [Option<i64>; 4],
}

impl Player {
    /// A player with settings that have been checked.
    pub fn new(settings: Settings) -> Self {
        let Settings { controls, velocities } = settings;
        let seed = controls.drawn_seed();
        Self {
            planner: Planner::new(&controls),
            feel: Feel::new(seed, controls.swing, controls.humanize),
            memory: Memory::default(),
            takes: Takes::default(),
            fills: Fills::new(controls.fills),
            rehearsal: Rehearsal::default(),
            missed: BandStep::EMPTY,
            sources: [Source::Band; 4],
            ahead: [false; 4],
            asleep: false,
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
        self.fills.ask(controls.fills);
        self.controls = *controls;
    }

    /// Forgets the past and starts the band anew, as after a stop or a jump. What locked parts repeat is
    /// kept.
    pub fn reset(&mut self, band: &mut dyn Band) {
        self.planner.reset();
        self.feel.reset();
        self.memory = Memory::default();
        self.takes.reset();
        self.fills.reset();
        self.rehearsal.reset();
        self.missed = BandStep::EMPTY;
        self.ahead = [false; 4];
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

    /// Plays the bins of the band with other velocities from the next step on.
    pub fn change_velocities(&mut self, velocities: &VelocityTable) {
        self.velocities.clone_from(velocities);
    }

    fn start(&mut self, band: &mut dyn Band) {
        self.seed = self.controls.drawn_seed();
        self.feel.reseed(self.seed);
        band.reset(self.seed);
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
        place: &Place,
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
            band.reset(self.seed);
        }
        self.memory.hear(place, &frame);
        let dials = match doing {
            Doing::Play(level) | Doing::End { level, .. } => level.dials,
            Doing::Rest | Doing::Stop => self.controls.dials(),
        };
        // The band is stepped even while it rests, so that it comes back in the groove.
        let parts = self.controls.on();
        let locked = Part::ALL.map(|p| self.controls.locked(p));
        let forced = self.takes.begin(place, locked);
        let moment =
            Moment { place: *place, heard: frame, parts, bpm, dials, rests: Rests::default(), forced };
        let decision = band.decide(&moment);
        self.rehearsal.push(moment);
        let playing = matches!(doing, Doing::Play(_));
        let decision = self.cast(place, decision, forced, playing);
        let now = step_pulse(place.step) + lean;
        match doing {
            Doing::Rest => {}
            Doing::Play(level) => {
                // Behind a piano that is late throughout the whole band sits back. Otherwise only what would
                // come before its decision is late, by too little to be heard.
                let back = if lean > Lean::LITTLE { lean } else { 0 };
                let late = |o: Order| match o {
                    Order::Play(part, n) => Order::Play(part, Note { onset: (n.onset + back).max(now), ..n }),
                    other => other,
                };
                self.play(place, &decision, level, &mut |o| order(late(o)));
            }
            Doing::End { until, level } => {
                self.ahead = [false; 4];
                order(Order::Withdraw(now));
                order(Order::Release(now));
                self.close(place, now, until, level, order);
            }
            Doing::Stop => {
                self.ahead = [false; 4];
                order(Order::Withdraw(now));
                order(Order::Release(now));
            }
        }
    }

    /// What each part plays, from whom it is to come.
    fn cast(&mut self, place: &Place, decided: Decision, forced: Option<Forced>, playing: bool) -> Decision {
        let mut decision = decided;
        let missed = std::mem::take(&mut self.missed);
        let mut sources = Part::ALL.map(|part| {
            if let Some(forced) = forced.filter(|f| f.parts[part.index()]) {
                decision.now.copy(part, &forced.what.now);
                decision.early.copy(part, &forced.what.early);
                return Source::Take;
            }
            if missed.plays(part) && !decision.now.plays(part) {
                decision.now.copy(part, &missed);
                decision.now.offsets[part.index()] = 0;
            }
            Source::Band
        });
        for part in Part::ALL {
            let played = playing && self.controls.part(part).on;
            self.takes.record(part, &decision, played);
        }
        if !playing || !self.controls.part(Part::Drums).on {
            self.fills.reset();
        } else if self.fills.step(place) {
            self.fills.play(place, self.seed, &self.controls, &self.takes, &mut decision);
            sources[Part::Drums.index()] = Source::Fill;
        }
        // A step is not played once ahead of it and then again by someone who does not know.
        for part in Part::ALL.into_iter().map(|p| p.index()) {
            if self.ahead[part] && sources[part] != self.sources[part] {
                decision.now.silence(Part::ALL[part]);
            }
        }
        (self.sources, self.ahead) = (sources, [false; 4]);
        decision
    }

    fn play(&mut self, place: &Place, decision: &Decision, level: Level, order: &mut impl FnMut(Order)) {
        let on_beat = Beat::at(place).start == place.in_bar;
        for (half, step) in [(Half::Now, &decision.now), (Half::Early, &decision.early)] {
            for part in Part::ALL {
                let thin = level.thin && self.sources[part.index()] != Source::Fill;
                let meant = !thin || (on_beat && half == Half::Now);
                if meant && self.controls.part(part).on && step.plays(part) {
                    self.play_half(place, half, part, step, level, order);
                }
            }
        }
    }

    fn play_half(
        &mut self,
        place: &Place,
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
    fn close(&self, place: &Place, onset: Pulse, until: Pulse, level: Level, order: &mut impl FnMut(Order)) {
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

impl Memory {
    fn hear(&mut self, place: &Place, heard: &PianoFrame) {
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

    fn play(&mut self, place: &Place, part: Part, step: &BandStep) {
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

fn scaled(velocity: f32, gain: f32) -> u8 {
    (velocity * gain).round().clamp(1.0, 127.0) as u8
}

/// The bass pitch of a pitch class that is nearest to another bass pitch, the lower one of two.
fn nearest(pc: u8, to: u8) -> u8 {
    (BASS_LOW..=BASS_HIGH).filter(|p| p % 12 == pc).min_by_key(|p| p.abs_diff(to)).unwrap_or(to)
}
