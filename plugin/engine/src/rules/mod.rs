//! The rule band: the chord of the piano's last half-bar, played in the patterns of a style.
//!
//! It is the fallback of the networks, the control that they have to beat, and a source of teaching
//! material. Energy, from the intensity dial and from how busily and loudly the piano plays, decides
//! which lines of a pattern sound; more energy only ever adds.

mod bass;
mod dials;
mod groove;
mod harmony;
mod tables;
mod voicing;

use sideman_models::band::{Band, Decision, Moment, Place};
use sideman_music::grid::length_bin;
use sideman_music::{BandStep, Chord, Part, PianoFrame, STEP_PULSES};

use crate::feel::{Half, draw};
use crate::kit::{CRASH, HAT, KICK, PEDAL, RIDE, SNARE};
use crate::style::Style;
use bass::BassLine;
use dials::Turned;
use groove::{Cell, Fill, Groove};
use harmony::Harmony;
use voicing::{Register, Voicing, voice};

/// Range of a bass with four strings.
const BASS_LOW: u8 = 28;
const BASS_HIGH: u8 = 55;
const GUITAR: Register = Register { low: 50, high: 76, centre: 60 };
const STRINGS: Register = Register { low: 55, high: 86, centre: 68 };
const GUITAR_VOICES: usize = 4;
/// Velocity of the piano that counts as neither loud nor soft.
const MEZZO: f32 = 72.0;
/// Share of sixteenths with a new piano note that counts as neither busy nor calm.
const MODERATE: f32 = 0.4;
/// Longest length the grid can hold, in steps.
const LONGEST_STEPS: i64 = 32;

/// What each kind of draw is for, so that one does not follow from another.
#[derive(Debug, Clone, Copy)]
enum Lane {
    Velocity(usize),
    Fill,
    Strings,
    Walk,
    Leave(usize),
    Add(usize),
}

impl Lane {
    fn number(self) -> u64 {
        match self {
            Self::Velocity(i) => 16 + i as u64,
            Self::Fill => 1,
            Self::Strings => 2,
            Self::Walk => 3,
            Self::Leave(i) => 200 + i as u64,
            Self::Add(i) => 300 + i as u64,
        }
    }
}

/// A band that plays by rules. Deterministic from its seed; no allocation while it plays.
#[derive(Debug, Clone)]
pub struct RuleBand {
    style: Style,
    seed: u64,
    harmony: Harmony,
    /// Running loudness of the piano, as a velocity, and share of steps with a new note.
    loudness: f32,
    busyness: f32,
    /// Bar in which the phrases begin to count.
    origin: Option<i64>,
    bass: BassLine,
    guitar: Voices,
    strings: Voices,
    /// Step at which each part played last.
    played: [Option<i64>; 4],
    /// Whether the piano struck something right on this half-bar.
    on_time: bool,
    /// Whether it struck a sixteenth after the half-bar rather than on it when it last did either.
    late: bool,
}

/// A chord part's present voicing and what it was made for.
#[derive(Debug, Clone, Default)]
struct Voices {
    voicing: Voicing,
    made_for: (u16, u8, usize),
}

impl RuleBand {
    /// A band that plays in a style, from seed 0.
    pub fn new(style: Style) -> Self {
        Self {
            style,
            seed: 0,
            harmony: Harmony::default(),
            loudness: MEZZO,
            busyness: MODERATE,
            origin: None,
            bass: BassLine::default(),
            guitar: Voices::default(),
            strings: Voices::default(),
            played: [None; 4],
            on_time: false,
            late: true,
        }
    }

    /// The style it plays in.
    pub fn style(&self) -> Style {
        self.style
    }

    fn draw(&self, counter: i64, lane: Lane) -> f32 {
        draw(self.seed, counter as u64, lane.number()) as f32
    }

    /// Takes in how the piano plays.
    fn follow(&mut self, place: &Place, heard: &PianoFrame) {
        let struck = heard.struck_count > 0;
        match in_half(place) {
            0 => self.on_time = struck,
            1 if self.on_time || struck => self.late = !self.on_time,
            _ => {}
        }
        self.busyness += (f32::from(u8::from(struck)) - self.busyness) / 16.0;
        if struck {
            self.loudness += 0.3 * (f32::from(heard.velocity) - self.loudness);
            // A pick-up in the second half of a bar leads into the first phrase.
            let pick_up = place.in_bar * 2 > place.bar_steps;
            self.origin.get_or_insert(place.bar + i64::from(pick_up));
        }
    }

    /// How much is to be played, 0 to 1.
    fn energy(&self, intensity: f32) -> f32 {
        let busy = 0.35 * (self.busyness - MODERATE);
        let loud = 0.004 * (self.loudness - MEZZO);
        (intensity + busy + loud).clamp(0.0, 1.0)
    }

    /// Velocity bin for a velocity at medium loudness: follows the piano, and is not quite even.
    fn velocity(&self, neutral: f32, step: i64, lane: usize) -> u8 {
        let loud = (0.6 + 0.4 * self.loudness / MEZZO).clamp(0.6, 1.2);
        let uneven = (self.draw(step, Lane::Velocity(lane)) - 0.5) * 9.0;
        ((neutral * loud + uneven) / 4.0).clamp(1.0, 31.0) as u8
    }

    fn drums(&self, groove: &Groove, place: &Place, cell: Cell, turned: &Turned, out: &mut BandStep) {
        let energy = turned.energy(Part::Drums);
        let phrase_bar = self.phrase_bar(place);
        let fill = self.fill(groove, place, cell, energy);
        for line in groove.drums {
            if !line.sounds(energy, phrase_bar) || (fill.is_some() && line.class != KICK) {
                continue;
            }
            self.hit(line.class, groove.read(line.hits, place.bar, cell), place.step, out);
        }
        if fill.is_none() {
            self.add_drums(turned, out);
        }
        if let Some(fill) = fill {
            // Counted from the end of the bar, whatever its length.
            let beat = groove.beats + cell.beat - cell.beats;
            let cell = Cell { beat, beats: groove.beats, ..cell };
            for line in fill.lines {
                self.hit(line.class, groove.read(line.hits, 0, cell), place.step, out);
            }
        }
        for class in 0..out.drums.len() {
            if !turned.keeps(Part::Drums, self.draw(turned.counter(), Lane::Leave(class))) {
                out.drums[class] = 0;
            }
        }
        let crash_from = match phrase_bar {
            0 => 0.35,
            4 => 0.65,
            _ => 2.0,
        };
        let first = cell.beat == 0 && cell.index == 0;
        if first && energy >= crash_from && self.origin.is_some_and(|o| place.bar > o) {
            (out.drums[HAT], out.drums[RIDE]) = (0, 0);
            out.drums[CRASH] = self.velocity(92.0, place.step, CRASH) + 1;
        }
    }

    /// Adds soft hits as the dials say.
    fn add_drums(&self, turned: &Turned, out: &mut BandStep) {
        for (class, letter, share) in [(SNARE, b'o', 0.6), (KICK, b'x', 0.3)] {
            let draw = self.draw(turned.counter(), Lane::Add(class));
            if out.drums[class] == 0 && turned.adds(share, draw) {
                self.hit(class, letter, turned.step(), out);
            }
        }
    }

    fn hit(&self, class: usize, letter: u8, step: i64, out: &mut BandStep) {
        let neutral = match letter {
            b'X' => 100.0,
            b'x' => 84.0,
            b'o' => 52.0,
            _ => return,
        };
        let mix = match class {
            KICK | SNARE => 1.0,
            PEDAL => 0.7,
            _ => 0.82,
        };
        out.drums[class] = self.velocity(neutral * mix, step, class) + 1;
    }

    /// Bar of a phrase of eight.
    fn phrase_bar(&self, place: &Place) -> i64 {
        (place.bar - self.origin.unwrap_or(place.bar)).rem_euclid(8)
    }

    /// The fill that a cell belongs to, if any: a short one ends each four bars, a long one each eight.
    fn fill(&self, groove: &Groove, place: &Place, cell: Cell, energy: f32) -> Option<&'static Fill> {
        let beats = match self.phrase_bar(place) {
            3 => 1,
            7 => 2,
            _ => return None,
        };
        let longest = groove.fills.iter().map(|f| f.beats).max()?;
        let beats = beats.min(longest);
        let choice = || groove.fills.iter().filter(|f| f.beats == beats);
        let n = choice().count();
        let i = (self.draw(place.bar, Lane::Fill) * n as f32) as usize;
        let fits = cell.beats > beats && cell.beat + beats >= cell.beats && energy >= 0.2;
        choice().nth(i.min(n.saturating_sub(1))).filter(|_| fits)
    }

    /// Pulses from a cell to the next one in which a pattern plays, or to the end of the bar.
    fn until_next(&self, groove: &Groove, pattern: &str, place: &Place, cell: Cell) -> i64 {
        let mut pulses = groove.cell_pulses(cell);
        let mut at = cell;
        while pulses < LONGEST_STEPS * STEP_PULSES {
            match groove.next(at, place) {
                Some(next) if groove.read(pattern, place.bar, next) == b'.' => {
                    pulses += groove.cell_pulses(next);
                    at = next;
                }
                _ => break,
            }
        }
        pulses
    }

    /// Chord or single voices of the guitar, or a short chord of the strings.
    fn chord(&mut self, part: Part, letter: u8, length: i64, place: &Place, energy: f32) -> Chord {
        let mut chord = Chord::default();
        let Some(reading) = self.harmony.reading() else { return chord };
        let (voices, register, count) = match part {
            Part::Guitar => (&mut self.guitar, GUITAR, GUITAR_VOICES),
            _ => (&mut self.strings, STRINGS, if energy >= 0.7 { 4 } else { 3 }),
        };
        let made_for = (self.harmony.voiced(), reading.root, count);
        if voices.made_for != made_for {
            voices.voicing = voice(made_for.0, made_for.1, count, register, &voices.voicing);
            voices.made_for = made_for;
        }
        let voicing = voices.voicing;
        let (neutral, pulses) = match letter {
            b'X' => (92.0, length * 9 / 10),
            b'x' => (80.0, length * 9 / 10),
            b'o' => (60.0, length * 9 / 10),
            b'm' => (76.0, 60),
            // Picked notes ring into the next ones.
            _ => (70.0, length.max(2 * STEP_PULSES) * 2),
        };
        let mix = if part == Part::Strings { 0.8 } else { 1.0 };
        chord.velocity = self.velocity(neutral * mix, place.step, 100 + part.index());
        let bin = length_bin(pulses);
        match letter {
            b'1'..=b'4' => {
                let voice = usize::from(letter - b'1').min(voicing.pitches().len().saturating_sub(1));
                if let Some(&pitch) = voicing.pitches().get(voice) {
                    chord.push(pitch, bin);
                }
            }
            _ => voicing.pitches().iter().for_each(|&pitch| {
                chord.push(pitch, bin);
            }),
        }
        chord
    }

    /// Whether the strings play in this section of eight bars: they come and go, and come the more surely
    /// the more energy there is.
    fn strings_play(&self, place: &Place, energy: f32) -> bool {
        let section = (place.bar - self.origin.unwrap_or(place.bar)).div_euclid(8);
        let hold_back = if section == 0 { 0.15 } else { 0.0 };
        let wanted = f32::from(self.style.manner().strings_from) / 100.0
            + hold_back
            + 0.3 * (self.draw(section, Lane::Strings) - 0.5);
        energy >= wanted
    }

    /// What the patterns have in a cell.
    fn play(&mut self, groove: &Groove, place: &Place, cell: Cell, turned: &Turned, out: &mut BandStep) {
        self.drums(groove, place, cell, turned, out);
        let Some(reading) = self.harmony.reading() else { return };

        let pattern = groove.bass[level(turned.energy(Part::Bass), [0.3, 0.72])];
        let letter = self.turn(Part::Bass, groove.read(pattern, place.bar, cell), turned);
        if letter != b'.' {
            let new_half = in_half(place) == 0;
            let chance = self.draw(place.step, Lane::Walk);
            let pitch = self.bass.pitch(letter, &reading, self.harmony.bass(), new_half, chance);
            let pulses = self.until_next(groove, pattern, place, cell) as f32 * self.style.manner().bass_gate;
            out.bass = Some(self.bass_note(letter, pitch, pulses as i64, place.step));
        }
        let energy = turned.energy(Part::Guitar);
        let pattern = groove.guitar[level(energy, [0.35, 0.7])];
        let letter = self.turn(Part::Guitar, groove.read(pattern, place.bar, cell), turned);
        if letter != b'.' {
            let length = self.until_next(groove, pattern, place, cell);
            out.guitar = self.chord(Part::Guitar, letter, length, place, energy);
        }
        let energy = turned.energy(Part::Strings);
        if !groove.strings.is_empty() && self.strings_play(place, energy) {
            let letter = self.turn(Part::Strings, groove.read(groove.strings, place.bar, cell), turned);
            if letter != b'.' {
                let length = self.until_next(groove, groove.strings, place, cell);
                out.strings = self.chord(Part::Strings, letter, length, place, energy);
            }
        }
    }

    /// The letter of a pattern, left out or put in as the dials say.
    fn turn(&self, part: Part, letter: u8, turned: &Turned) -> u8 {
        let (more, share) = match part {
            Part::Bass => (b'r', 0.4),
            Part::Strings => (b'm', 0.2),
            _ => (b'm', 0.5),
        };
        let lane = 100 + part.index();
        match letter {
            b'.' if turned.adds(share, self.draw(turned.counter(), Lane::Add(lane))) => more,
            l if turned.keeps(part, self.draw(turned.counter(), Lane::Leave(lane))) => l,
            _ => b'.',
        }
    }

    fn bass_note(&self, letter: u8, pitch: u8, pulses: i64, step: i64) -> sideman_music::grid::BassNote {
        let neutral = if letter == b'R' { 94.0 } else { 82.0 };
        let velocity = self.velocity(neutral, step, 100 + Part::Bass.index());
        sideman_music::grid::BassNote { pitch, length: length_bin(pulses), velocity, above: 0 }
    }

    /// Held chords of the strings: one a half-bar. With a piano that comes late they wait for a sixteenth,
    /// so as not to hold the old chord into the new one.
    fn pad(&mut self, place: &Place, turned: &Turned, out: &mut BandStep) {
        let energy = turned.energy(Part::Strings);
        let (at, half) = (in_half(place), i64::from(place.half_steps.max(1)));
        let turn = match at {
            0 => self.on_time || !self.late || half == 1,
            // Not again if they came on the half-bar.
            1 => self.played[Part::Strings.index()] != Some(place.step - 1),
            _ => false,
        };
        let on_time = turned.at(place.in_bar - at as u16);
        let kept = on_time.keeps(Part::Strings, self.draw(on_time.counter(), Lane::Leave(103)));
        if turn && kept && self.strings_play(place, energy) {
            // A little longer than to the next chord, so that common notes do not gap.
            let length = (half - at).min(LONGEST_STEPS) * STEP_PULSES * 10 / 9;
            out.strings = self.chord(Part::Strings, b'x', length, place, energy);
        }
    }

    /// A hand that comes a sixteenth late on a half-bar: what played the old chord there plays the new one
    /// now.
    fn answer_late(&mut self, place: &Place, turned: &Turned, out: &mut BandStep) {
        let just_played = |part: Part| self.played[part.index()] == Some(place.step - 1) && !out.plays(part);
        let length = STEP_PULSES * (i64::from(place.half_steps) - 1).clamp(1, 3);
        let [_, bass, guitar, strings] = Part::ALL.map(just_played);
        let Some(reading) = self.harmony.reading() else { return };
        if bass {
            let pitch = self.bass.pitch(b'R', &reading, self.harmony.bass(), true, 0.0);
            out.bass = Some(self.bass_note(b'R', pitch, length, place.step));
        }
        if guitar {
            out.guitar = self.chord(Part::Guitar, b'x', length, place, turned.energy(Part::Guitar));
        }
        if strings {
            let length = STEP_PULSES * (i64::from(place.half_steps) - 1).clamp(1, LONGEST_STEPS);
            out.strings = self.chord(Part::Strings, b'x', length, place, turned.energy(Part::Strings));
        }
    }
}

/// Steps since the half-bar began.
fn in_half(place: &Place) -> i64 {
    i64::from(place.in_bar % place.half_steps.max(1))
}

/// 0, 1 or 2 by two thresholds.
fn level(energy: f32, thresholds: [f32; 2]) -> usize {
    thresholds.iter().filter(|&&t| energy >= t).count()
}

impl Band for RuleBand {
    fn duplicate(&self) -> Option<Box<dyn Band>> {
        Some(Box::new(self.clone()))
    }

    fn reset(&mut self, seed: u64) {
        *self = Self { seed, ..Self::new(self.style) };
    }

    fn decide(&mut self, moment: &Moment) -> Decision {
        let place = &moment.place;
        let bass_before = self.harmony.bass();
        let changed = self.harmony.hear(place, &moment.heard);
        self.follow(place, &moment.heard);
        let turned = Turned::new(place, &moment.dials, self.energy(moment.dials.intensity));
        let manner = self.style.manner();
        let groove = manner.groove(place);
        let mut decision = Decision::default();

        if let Some((cell, half)) = groove.cell(place) {
            let out = match half {
                Half::Now => &mut decision.now,
                Half::Early => &mut decision.early,
            };
            self.play(groove, place, cell, &turned, out);
            let late = if half == Half::Now && place.in_bar % 2 == 1 { manner.late } else { 0 };
            let offset = groove.offset(cell, half, moment.bpm) + late;
            for part in Part::ALL {
                out.offsets[part.index()] = if out.plays(part) { offset } else { 0 };
            }
        }
        if groove.strings.is_empty() {
            self.pad(place, &turned, &mut decision.now);
        }
        // A hand, or a left hand, that came late; not the second note of a broken chord.
        let late_hand = !self.on_time || self.harmony.bass() != bass_before;
        if changed && in_half(place) == 1 && late_hand {
            self.answer_late(place, &turned, &mut decision.now);
        }
        for part in Part::ALL {
            if !moment.parts[part.index()] {
                decision.now.silence(part);
                decision.early.silence(part);
            } else if decision.now.plays(part) {
                self.played[part.index()] = Some(place.step);
            }
        }
        decision
    }
}

#[cfg(test)]
mod tests;
