//! Drum fills that the player asks for, over whatever band plays.
//!
//! Up to two beats before the bar line time is kept and the fill is played on top; then the hands leave
//! the cymbals, and only the kick of the groove and the foot on the hi-hat go on. A crash and a kick land
//! on the bar line. What is hit when is drawn from the seed and from the step at which the fill begins.

use sideman_inference::band::{Decision, StepPosition};
use sideman_music::{BandStep, Part};

use super::takes::{Spot, Takes};
use crate::controls::Controls;
use crate::kit::{CLAP, CRASH, HAT, HIGH_TOM, KICK, LOW_TOM, MID_TOM, OPEN, PEDAL, RIDE, RIM, SNARE};
use crate::play::feel::draw;
use crate::position::{Beat, is_compound};
use crate::style::StyleChoice;

/// Loudest velocity of a fill in a band of medium loudness.
const LOUD: f32 = 108.0;
/// Velocity bin of the loudest drum of a step, on average, that counts as medium loudness.
const MEDIUM: f32 = 22.0;

/// Rhythms of a beat: three beats or more before the bar line, in the last beat but one, and in the last. A
/// character a cell; `X` is hit with both hands.
type Rhythms = [&'static [&'static str]; 3];

/// What the fills of some styles are made of.
#[derive(Debug)]
pub(crate) struct FillPatterns {
    /// Drums from the first hit to the last, evenly.
    paths: &'static [&'static [usize]],
    /// Beats of sixteenths.
    straight: Rhythms,
    /// Beats of eighth triplets.
    triplets: Rhythms,
    /// Dotted beats, six sixteenths.
    compound: Rhythms,
    loud: f32,
}

pub(crate) const STICKS: FillPatterns = FillPatterns {
    paths: &[
        &[SNARE, SNARE, HIGH_TOM, LOW_TOM],
        &[SNARE, HIGH_TOM, MID_TOM, LOW_TOM],
        &[HIGH_TOM, MID_TOM, LOW_TOM],
        &[SNARE, SNARE, SNARE, LOW_TOM],
        &[SNARE, HIGH_TOM, SNARE, LOW_TOM],
        &[SNARE],
    ],
    straight: [
        &["x..x", "..xx", "x.x.", ".xx.", "..x.", "x.xx"],
        &["xxxx", "xxXx", "x.xx", "xXxx", "xx.x"],
        &["xxxx", "xxxX", "XxxX", "x.xX", "xxX."],
    ],
    triplets: [&["x.x", "..x", "xx.", ".xx"], &["xxx", "x.x", "xXx"], &["xxx", "xxX", "Xxx"]],
    compound: [
        &["x..x..", "....xx", "x.x.x."],
        &["x.x.xx", "xxx.x.", "x.xxxx"],
        &["xxxxxx", "x.xxxX", "xxx.xX"],
    ],
    loud: 1.0,
};

pub(crate) const GENTLE: FillPatterns = FillPatterns {
    paths: &[
        &[HIGH_TOM, MID_TOM, LOW_TOM],
        &[RIM, HIGH_TOM, LOW_TOM],
        &[SNARE, HIGH_TOM, MID_TOM, LOW_TOM],
        &[HIGH_TOM, HIGH_TOM, LOW_TOM],
        &[SNARE, SNARE, LOW_TOM],
    ],
    straight: [
        &["..x.", "x...", "x.x.", "...x"],
        &["x.x.", "..xx", "x.xx", "x..x"],
        &["x.xx", "xxx.", "x.x.", "xxxx"],
    ],
    triplets: [&["..x", "x..", "x.x"], &["x.x", ".xx", "xx."], &["xxx", "x.x", "xx."]],
    compound: [&["....x.", "x....."], &["x...x.", "x.x.x."], &["x.x.x.", "x.x.xx"]],
    loud: 0.84,
};

pub(crate) const MACHINE: FillPatterns = FillPatterns {
    paths: &[
        &[SNARE],
        &[CLAP, SNARE],
        &[SNARE, SNARE, SNARE, LOW_TOM],
        &[CLAP, CLAP, SNARE, SNARE],
        &[SNARE, MID_TOM, SNARE, LOW_TOM],
    ],
    straight: [
        &["x...", "x.x.", "..x.", "x..x"],
        &["x.x.", "x.xx", "xxxx"],
        &["xxxx", "xxxX", "xXxX", "xx.X"],
    ],
    triplets: [&["x..", "x.x"], &["x.x", "xxx"], &["xxx", "xxX"]],
    compound: [&["x.....", "x..x.."], &["x.x.x.", "x..x.x"], &["xxxxxx", "x.xxxx"]],
    loud: 0.95,
};

pub(crate) const OFFBEAT: FillPatterns = FillPatterns {
    paths: &[
        &[RIM, RIM, HIGH_TOM, LOW_TOM],
        &[SNARE, HIGH_TOM, SNARE, LOW_TOM],
        &[HIGH_TOM, HIGH_TOM, MID_TOM, LOW_TOM],
        &[RIM, SNARE, SNARE, HIGH_TOM],
    ],
    straight: [
        &["..x.", "x..x", ".x.x", "..xx"],
        &["x.xx", "xx.x", "..xx", "xxx."],
        &["x.xX", "xxx.", "xx.X", "xxxx"],
    ],
    triplets: [&["..x", "x.x"], &["x.x", "xx."], &["xxx", ".xx", "xxX"]],
    compound: [&["....x.", "x..x.."], &["x.x.x.", "..x.xx"], &["x.x.xX", "xxx.x."]],
    loud: 0.95,
};

impl FillPatterns {
    /// Those of the style; where none is chosen, gentle ones in a soft band.
    fn of(style: StyleChoice, loudness: f32) -> &'static Self {
        match style {
            StyleChoice::Fixed(style) => style.data().asked_fills,
            StyleChoice::Auto if loudness < 0.75 => &GENTLE,
            StyleChoice::Auto => &STICKS,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    /// Waits for the next bar.
    NextBar,
    /// Waits for this step of the bar.
    From(u16),
    Playing(Fill),
}

/// A fill that is being played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fill {
    /// Step at which it began.
    first: i64,
    /// The same within the bar.
    from: u16,
}

/// Plays fills when asked to.
#[derive(Debug, Clone)]
pub(super) struct Fills {
    /// Fills that were asked for so far.
    asked: u32,
    wanted: bool,
    state: State,
    /// Whether a bar begins that a fill led to.
    lands: bool,
}

impl Fills {
    /// Counts from a number of fills on.
    pub(super) fn new(asked: u32) -> Self {
        Self { asked, wanted: false, state: State::Idle, lands: false }
    }

    /// One more is wanted when the number has changed; whether it has.
    pub(super) fn ask(&mut self, asked: u32) -> bool {
        let changed = std::mem::replace(&mut self.asked, asked) != asked;
        self.wanted |= changed;
        changed
    }

    /// Fills the last beats of the bar that begins, unless something else is under way.
    pub(super) fn lead(&mut self, place: &StepPosition, beats: u16) {
        let length = Spot::of(place).length;
        let beat = if is_compound(place) { 6 } else { 4 };
        if self.state == State::Idle && !self.wanted && length > beats * beat {
            self.state = State::From(length - beats * beat);
        }
    }

    /// Gives up on any fill.
    pub(super) fn reset(&mut self) {
        *self = Self::new(self.asked);
    }

    /// Goes on to a step in which the drums play. Returns whether they play a fill or its landing.
    pub(super) fn step(&mut self, place: &StepPosition) -> bool {
        let spot = Spot::of(place);
        let beat = if is_compound(place) { 6 } else { 4 };
        self.lands = false;
        if spot.at == 0 {
            self.state = match self.state {
                State::NextBar => State::From(spot.length / beat / 2 * beat),
                State::Playing(_) => {
                    self.lands = true;
                    State::Idle
                }
                // A bar that was shorter than it was said to be.
                State::From(_) => State::From(0),
                State::Idle => State::Idle,
            };
        }
        if std::mem::take(&mut self.wanted) && self.state == State::Idle {
            let enough = spot.length.saturating_sub(spot.at) >= beat;
            self.state = if enough { State::From(spot.at) } else { State::NextBar };
        }
        if let State::From(from) = self.state
            && spot.at >= from
        {
            self.state = State::Playing(Fill { first: place.step, from: spot.at });
        }
        self.lands || matches!(self.state, State::Playing(_))
    }

    /// Plays what [`Fills::step`] said over what the drums would have played.
    pub(super) fn play(
        &self,
        place: &StepPosition,
        seed: u64,
        controls: &Controls,
        takes: &Takes,
        step: &mut Decision,
    ) {
        let loudness = loudness(takes);
        if let State::Playing(fill) = self.state {
            let patterns = FillPatterns::of(controls.style, loudness);
            let triplets = in_triplets(takes)
                .unwrap_or(matches!(controls.style, StyleChoice::Fixed(style) if style.data().swings()));
            fill.play(place, seed, patterns, triplets, loudness, step);
        }
        if self.lands {
            let drums = &mut step.now.drums;
            for class in [HAT, OPEN, RIDE] {
                drums[class] = 0;
            }
            for class in [CRASH, KICK] {
                drums[class] = drums[class].max(bin(LOUD * loudness));
            }
        }
    }
}

impl Fill {
    fn play(
        &self,
        place: &StepPosition,
        seed: u64,
        patterns: &FillPatterns,
        triplets: bool,
        loudness: f32,
        step: &mut Decision,
    ) {
        let spot = Spot::of(place);
        let (beat, compound) = (Beat::at(place), is_compound(place));
        let cell = place.in_bar - beat.start.min(place.in_bar);
        let beats_left = spot.length.saturating_sub(spot.at + 1) / if compound { 6 } else { 4 };
        let triplets = triplets && !compound && beat.steps == 4;
        let rhythms = match (compound, triplets) {
            (true, _) => &patterns.compound,
            (_, true) => &patterns.triplets,
            _ => &patterns.straight,
        };
        let choose = |lane: u64, n: usize| (draw(seed, self.first as u64, lane) * n as f64) as usize;
        let rhythm = rhythms[2 - usize::from(beats_left.min(2))];
        let rhythm = rhythm[choose(1 + u64::from(beats_left), rhythm.len())].as_bytes();

        let keeps_time = beats_left >= 2;
        clear(&mut step.now, keeps_time);
        clear(&mut step.early, keeps_time);
        if !keeps_time && (cell == 0 || (!triplets && cell.is_multiple_of(2))) {
            step.now.drums[PEDAL] = step.now.drums[PEDAL].max(bin(0.6 * LOUD * loudness));
        }
        // The third triplet lies ahead of the fourth sixteenth.
        let (cell, half, offset) = match (triplets, cell) {
            (true, 1) => (1, &mut step.now, 2),
            (true, 2) => (2, &mut step.early, -2),
            (true, 3..) => return,
            _ => (cell, &mut step.now, 0),
        };
        let letter = rhythm[usize::from(cell) % rhythm.len()];
        if letter == b'.' {
            return;
        }
        let done = f32::from(spot.at - self.from.min(spot.at));
        let done = done / f32::from(spot.length.saturating_sub(self.from).max(1));
        let path = patterns.paths[choose(0, patterns.paths.len())];
        let drum = path[((done * path.len() as f32) as usize).min(path.len() - 1)];
        let accent = match cell {
            0 => 1.0,
            _ if letter == b'X' => 1.0,
            _ if cell.is_multiple_of(2) => 0.92,
            _ => 0.84,
        };
        let velocity = bin(LOUD * (0.8 + 0.2 * done) * accent * patterns.loud * loudness);
        half.drums[drum] = velocity;
        if letter == b'X' {
            let other = if drum == SNARE { LOW_TOM } else { SNARE };
            half.drums[other] = velocity;
        }
        half.offsets[Part::Drums.index()] = offset;
    }
}

/// Takes out what the hands no longer play; in time only what would be confused with the fill.
fn clear(step: &mut BandStep, keeps_time: bool) {
    let kept = |class: usize| match class {
        KICK => true,
        SNARE | RIM | CLAP | LOW_TOM | MID_TOM | HIGH_TOM | CRASH => false,
        _ => keeps_time,
    };
    (0..step.drums.len()).filter(|&c| !kept(c)).for_each(|c| step.drums[c] = 0);
}

/// Velocity bin plus one, as a step has it.
fn bin(velocity: f32) -> u8 {
    (velocity / 4.0).clamp(1.0, 31.0) as u8 + 1
}

/// How loudly the drums played in their last bars, against medium.
fn loudness(takes: &Takes) -> f32 {
    let loudest = |d: &Decision| d.now.drums.iter().copied().max().filter(|&d| d > 0);
    let (mut sum, mut count) = (0.0, 0.0f32);
    for bin in takes.last_bars(Part::Drums).filter_map(loudest) {
        sum += f32::from(bin);
        count += 1.0;
    }
    if count == 0.0 { 1.0 } else { (sum / count / MEDIUM).clamp(0.65, 1.15) }
}

/// Whether the drums played eighth triplets rather than sixteenths in their last bars, if they played
/// either.
fn in_triplets(takes: &Takes) -> Option<bool> {
    let drums = Part::Drums.index();
    let (mut triplets, mut straight) = (0, 0);
    for (step, d) in takes.last_bars(Part::Drums).enumerate() {
        triplets += u32::from(d.early.plays(Part::Drums) && d.early.offsets[drums] == -2);
        if step % 2 == 1 && d.now.plays(Part::Drums) {
            match d.now.offsets[drums] {
                2 => triplets += 1,
                0 => straight += 1,
                _ => {}
            }
        }
    }
    (triplets + straight >= 4).then_some(triplets > straight)
}
