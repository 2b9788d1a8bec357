//! What the band as a whole is to do: enter, play, come down, end, rest.
//!
//! Decided step by step from what the piano did so far, and from nothing else. Silence is counted from
//! the last step at which a key was down, in bars of the metre then in force:
//! - up to two bars of it are the pianist's own business, the band plays on;
//! - after that it comes down, in loudness and in density;
//! - at the last bar line that leaves room for it, it ends together, on that bar line;
//! - four bars after the last key came up nothing sounds any more, whatever the metre did meanwhile.
//!
//! Where the pianist plainly ends, see `crate::ending`, the band ends with him a bar or two after his last
//! chord, whether he holds it or not.
//!
//! A key that is held without another one being struck counts as playing for [`HELD_BARS`] at most, so
//! that a stuck key cannot keep the band going for ever.
//!
//! While the band is held or frozen no silence is counted.

use sideman_inference::band::{Dials, StepPosition};
use sideman_music::{PianoFrame, Pulse};

use crate::controls::Controls;
use crate::plan::ending::Endings;
use crate::plan::energy::{Energy, EnergyMeter};
use crate::position::step_pulse;

/// Bars of silence that the band plays through.
pub const PATIENT_BARS: i64 = 2;
/// Bars of silence after which nothing sounds.
pub const SILENT_BARS: i64 = 4;
/// Bars for which held keys count as playing.
pub const HELD_BARS: i64 = 8;
/// Bars without piano after which the band is put to sleep, to be woken by the piano.
pub const ASLEEP_BARS: i64 = 32;

/// Power of the pianist's loudness, against how loudly he has played so far, that the band follows at most:
/// less than all of it, as people do.
const FOLLOWS: f32 = 0.8;
/// Change of that loudness that is followed, from a bar line on: hands that repeat a figure repeat its velocities.
const NOTICED: f32 = 0.08;

/// Factor on velocities while an ending is expected.
const COMES_DOWN: f32 = 0.88;

/// What the band is to do at a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Doing {
    /// Nothing, and nothing sounds.
    Rest,
    /// Play.
    Play(Level),
    /// Let go of everything that sounds, and close together with notes that end by `until`.
    End {
        /// Pulse by which the closing notes have ended.
        until: Pulse,
        /// How loudly.
        level: Level,
    },
    /// Let go of everything that sounds and rest.
    Stop,
}

/// How much the band is to give.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Factor on velocities.
    pub gain: f32,
    /// Whether only the beats are to be played.
    pub thin: bool,
    /// The dials to tell the band.
    pub dials: Dials,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No piano yet, or none for so long that it would be a new entry.
    Waiting,
    /// Listens until the bar line of this bar.
    Listening(i64),
    Playing,
    /// Has ended, and comes back with the piano.
    Ended,
}

/// Decides what the band does. Sees steps in ascending order; no allocation.
#[derive(Debug, Clone)]
pub struct Planner {
    listen_bars: u16,
    dials: Dials,
    /// Whether silence is not counted.
    held: bool,
    /// How far the loudness follows the pianist's, 0 to 1.
    dynamics: f32,
    meter: EnergyMeter,
    energy: Energy,
    /// Factor on the loudness since the last bar line at which the pianist's had changed.
    follows: f32,
    endings: Endings,
    state: State,
    /// Last step at which the piano sounded or was struck.
    active: i64,
    /// Last step at which it was struck.
    struck: i64,
    /// Steps in a bar of silence, from the metre at the last active step.
    bar: i64,
    /// Whether the piano was ever heard.
    heard: bool,
    /// First step that was planned.
    first: Option<i64>,
}

impl Planner {
    /// A planner that enters as many bars after the first note as the controls say, at a bar line, or with
    /// the first note if 0. Controls must be in their ranges.
    pub fn new(controls: &Controls) -> Self {
        Self {
            listen_bars: controls.listen_bars,
            dials: controls.dials(),
            held: controls.hold || controls.freeze,
            dynamics: controls.dynamics,
            meter: EnergyMeter::default(),
            energy: Energy::default(),
            follows: 1.0,
            endings: Endings::default(),
            state: State::Waiting,
            active: 0,
            struck: 0,
            bar: 16,
            heard: false,
            first: None,
        }
    }

    /// Other controls from the next step on.
    pub fn control(&mut self, controls: &Controls) {
        let Self { listen_bars, dials, held, dynamics, .. } = Self::new(controls);
        *self = Self { listen_bars, dials, held, dynamics, ..*self };
    }

    /// Forgets everything but the controls.
    pub fn reset(&mut self) {
        let fresh = Self::new(&Controls::default());
        let Self { listen_bars, dials, held, dynamics, .. } = *self;
        *self = Self { listen_bars, dials, held, dynamics, ..fresh };
    }

    /// How the pianist plays just now against how he has played so far.
    pub fn energy(&self) -> Energy {
        self.energy
    }

    /// Decides a step.
    pub fn step(&mut self, place: &StepPosition, frame: &PianoFrame) -> Doing {
        let step = place.step;
        self.energy = self.meter.step(frame);
        self.endings.hear(place, frame);
        self.first.get_or_insert(step);
        if self.notice(place, frame) {
            self.state = match self.state {
                State::Waiting if self.listen_bars > 0 => {
                    State::Listening(place.bar + i64::from(self.listen_bars))
                }
                State::Waiting => State::Playing,
                // The last chord may still be held.
                State::Ended if frame.struck_count > 0 => State::Playing,
                other => other,
            };
        }
        if let State::Listening(bar) = self.state {
            let silent = step - self.active;
            if silent >= PATIENT_BARS * self.bar {
                self.state = State::Waiting;
            } else if place.bar >= bar && is_bar_line(place) {
                self.state = State::Playing;
            }
        }
        if self.state != State::Playing {
            return Doing::Rest;
        }
        if self.held {
            // As if the piano had played: when the band is let go it waits for it as long as ever.
            self.active = step;
            self.bar = bar_of_silence(place);
        }
        self.play(place)
    }

    /// Takes in a frame; returns whether the piano plays.
    fn notice(&mut self, place: &StepPosition, frame: &PianoFrame) -> bool {
        if frame.struck_count > 0 {
            self.struck = place.step;
            self.heard = true;
        }
        let held = self.heard && place.step - self.struck < HELD_BARS * bar_of_silence(place);
        let plays = frame.keys > 0 && held;
        if plays {
            self.active = place.step;
            self.bar = bar_of_silence(place);
        }
        plays
    }

    fn play(&mut self, place: &StepPosition) -> Doing {
        let follows = self.energy.loudness.powf(FOLLOWS * self.dynamics);
        if is_bar_line(place) && (follows / self.follows - 1.0).abs() > NOTICED {
            self.follows = follows;
        }
        let silent = place.step - self.active;
        // The piano's last sound was after the step before the last active one, and may have ended right
        // there; and the band may lean back by less than a step.
        let deadline = self.active - 2 + SILENT_BARS * self.bar;
        let mut level = self.level(silent);
        if silent > 0 && place.step >= deadline {
            self.state = State::Ended;
            return Doing::Stop;
        }
        // However it ends, the close goes on no longer than the band waits.
        let until = step_pulse(deadline.min(place.step + self.bar));
        if !self.held
            && let Some(ends) = self.endings.expected(place)
        {
            if is_bar_line(place) && place.step >= ends {
                self.state = State::Ended;
                return Doing::End { until, level };
            }
            level.gain *= COMES_DOWN;
        }
        let next_bar_line = place.step + i64::from(place.bar_steps);
        let last_chance = next_bar_line + self.bar / 2 > deadline;
        if is_bar_line(place) && silent >= PATIENT_BARS * self.bar && last_chance {
            self.state = State::Ended;
            return Doing::End { until, level };
        }
        Doing::Play(level)
    }

    /// Loudness follows the intensity, and comes down in a long silence.
    fn level(&self, silent: i64) -> Level {
        let bars = silent as f32 / self.bar as f32;
        let over = bars - PATIENT_BARS as f32;
        let thin = over >= 0.0;
        let down = if thin { 0.7 - 0.1 * over } else { 1.0 };
        let loud = 0.65 + 0.7 * self.dials.intensity;
        let intensity = if thin { self.dials.intensity * 0.5 } else { self.dials.intensity };
        Level { gain: loud * self.follows * down, thin, dials: Dials { intensity, ..self.dials } }
    }

    /// Whether the piano has been away for so long that the band need not be stepped until it is back.
    pub fn asleep(&self, place: &StepPosition) -> bool {
        let since = if self.heard { self.active } else { self.first.unwrap_or(place.step) };
        matches!(self.state, State::Waiting | State::Ended) && place.step - since >= ASLEEP_BARS * self.bar
    }

    /// Whether the band neither plays nor waits to come in.
    pub fn rests(&self) -> bool {
        matches!(self.state, State::Waiting | State::Ended)
    }
}

/// Steps of a bar for counting silence. Bars shorter than a half note are counted by twos or more, and
/// bars longer than two whole notes count as two whole notes, so that silence lasts about as long in
/// every metre.
fn bar_of_silence(place: &StepPosition) -> i64 {
    let steps = i64::from(place.bar_steps.max(1));
    (steps * ((8 + steps - 1) / steps)).min(32)
}

/// Whether a bar, or a part of a very long bar, begins.
fn is_bar_line(place: &StepPosition) -> bool {
    place.in_bar == 0 || (place.bar_steps > 32 && place.in_bar.is_multiple_of(16))
}
