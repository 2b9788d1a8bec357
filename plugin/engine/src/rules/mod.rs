//! The rule band: the chord of the piano's last half-bar, played in the patterns of a style.
//!
//! It is the fallback of the networks, the control that they have to beat, and a source of teaching
//! material. Energy, from the intensity dial and from how busily and loudly the piano plays, decides
//! which lines of a pattern sound; more energy only ever adds.

mod bass;
mod chords;
mod dials;
mod drummer;
mod groove;
mod harmony;
mod progression;
pub(crate) mod styles;
mod voicing;

use sideman_inference::band::{Band, Decision, StepContext, StepPosition};
use sideman_music::encoding::grid::{BassNote, length_bin};
use sideman_music::{BandStep, PARTS, Part, PianoFrame, STEP_PULSES};

use crate::play::feel::{Half, draw, mix};
use crate::style::Style;
use bass::{BassLine, Ground};
use chords::{At, Voices};
use dials::Turned;
use groove::{Cell, Groove, StyleData};
use harmony::Harmony;
use progression::Progression;

/// Range of a bass with four strings.
const BASS_LOW: u8 = 28;
const BASS_HIGH: u8 = 55;
/// Velocity of the piano that counts as neither loud nor soft.
const MEZZO: f32 = 72.0;
/// Share of sixteenths with a new piano note that counts as neither busy nor calm.
const MODERATE: f32 = 0.4;
/// Longest length the grid can hold, in steps.
const LONGEST_STEPS: i64 = 32;
/// Tempo from which bass and guitar play no sixteenths between the eighths.
const NO_SIXTEENTHS: f32 = 144.0;
/// Energies from which bass and guitar play their usual and their full pattern.
const BASS_LEVELS: [f32; 2] = [0.3, 0.72];
const GUITAR_LEVELS: [f32; 2] = [0.35, 0.7];
/// How far the morph has to go for drums, bass, guitar and strings to begin to play the other style; each has
/// gone over altogether after [`MORPH_WIDTH`] more.
const MORPH_FROM: [f32; PARTS] = [0.6, 0.4, 0.0, 0.2];
const MORPH_WIDTH: f32 = 0.4;

/// What each kind of draw is for, so that one does not follow from another.
#[derive(Debug, Clone, Copy)]
enum Lane {
    Velocity(usize),
    Fill,
    Strings,
    Walk,
    Morph,
    Leave(usize),
    Add(usize),
    Venture(usize),
    HoldBack,
}

impl Lane {
    fn number(self) -> u64 {
        match self {
            Self::Velocity(i) => 16 + i as u64,
            Self::Fill => 1,
            Self::Strings => 2,
            Self::Walk => 3,
            Self::Morph => 4,
            Self::Leave(i) => 200 + i as u64,
            Self::Add(i) => 300 + i as u64,
            Self::Venture(i) => 400 + i as u64,
            Self::HoldBack => 5,
        }
    }
}

/// A band that plays by rules. Deterministic from its seed; no allocation while it plays.
#[derive(Debug, Clone)]
pub struct RuleBand {
    style: Style,
    /// The style that the morph leads to.
    other: Option<Style>,
    /// Which patterns are to be played, if that does not follow from the seed.
    patterns: Option<u64>,
    /// What each part draws from, which variation of its patterns it plays, and how far it has moved on from
    /// that because it was drawn anew.
    seeds: [u64; PARTS],
    picks: [usize; PARTS],
    moved: [Option<u64>; PARTS],
    harmony: Harmony,
    progression: Progression,
    /// Running loudness of the piano, as a velocity, and share of steps with a new note.
    loudness: f32,
    busyness: f32,
    /// Bar in which the phrases begin to count.
    origin: Option<i64>,
    /// Bar in which the piano was heard first.
    began: Option<i64>,
    bass: BassLine,
    /// Whether the bass has anticipated the chord to come.
    anticipated: bool,
    guitar: Voices,
    strings: Voices,
    /// Whether rests are planned for this band at all, which parts rest in this bar, and whether one has come
    /// in with it.
    planned: bool,
    rested: [bool; PARTS],
    entered: bool,
    /// Step at which each part played last.
    played: [Option<i64>; PARTS],
    /// Whether the piano struck something right on this half-bar.
    on_time: bool,
    /// Whether it struck a sixteenth after the half-bar rather than on it when it last did either.
    late: bool,
}

/// Where a bar lies in the form: phrases of eight bars from the first note of the piano, or from where someone
/// came in.
#[derive(Debug, Clone, Copy)]
struct Phrase {
    /// Bars since the form began.
    bars: i64,
    /// Bar of a phrase of eight.
    bar: i64,
    /// Number of the phrase.
    section: i64,
    /// Whether the second half of sixteen bars goes on.
    riding: bool,
    /// Whether this is the very first bar.
    first: bool,
    /// Whether someone comes in with the next bar, and whether someone came in with this one.
    lead: bool,
    entered: bool,
}

/// A part's cell of a step, and what it goes by.
struct Now<'a> {
    place: &'a StepPosition,
    bpm: f32,
    style: &'static StyleData,
    groove: &'static Groove,
    /// Variation of the patterns.
    pick: Pick,
    /// The cell of the bar, and the cell and the bar that are read in the patterns, which are others at half
    /// the tempo.
    cell: Cell,
    read: Cell,
    bar: i64,
    /// Whether the patterns go at half the tempo: two bars read one, and every other step none.
    slow: bool,
    phrase: Phrase,
    turned: &'a Turned,
}

impl Now<'_> {
    /// The same at half the tempo where the style asks for it, for patterns of four quarter notes; `None` on
    /// the steps between.
    fn at_half_tempo(self) -> Option<Self> {
        let whole = self.cell.beats == 4 && self.groove.beats == 4 && self.groove.cells == 4;
        if !whole || self.bpm < self.style.half_time_from {
            return Some(self);
        }
        let at = self.place.in_bar / 2 + 8 * (self.phrase.bars.rem_euclid(2) as u16);
        let read = Cell { beat: at / 4, index: at % 4, ..self.cell };
        let bar = self.phrase.bars.div_euclid(2);
        self.place.in_bar.is_multiple_of(2).then_some(Self { read, bar, slow: true, ..self })
    }

    /// What a pattern of bass, guitar or strings has in a cell at this tempo.
    fn letter(&self, pattern: &str, cell: Cell) -> u8 {
        let between = self.groove.cells != 3 && cell.index % 2 == 1 && !self.slow;
        if between && self.bpm >= NO_SIXTEENTHS {
            return b'.';
        }
        self.groove.read(pattern, self.bar, cell)
    }

    /// Pulses from this cell to the next one in which a pattern plays, or to the end of the bar.
    fn until_next(&self, pattern: &str) -> i64 {
        let mut pulses = self.groove.cell_pulses(self.read);
        let mut at = self.read;
        while pulses < LONGEST_STEPS * STEP_PULSES {
            match self.groove.next(at, self.place) {
                Some(next) if self.letter(pattern, next) == b'.' => {
                    pulses += self.groove.cell_pulses(next);
                    at = next;
                }
                _ => break,
            }
        }
        // A bar of half the tempo is two, and nothing is held into the next one.
        let left = i64::from(self.place.bar_steps - self.place.in_bar) * STEP_PULSES;
        if self.slow { (2 * pulses).min(left) } else { pulses }
    }
}

impl RuleBand {
    /// A band that plays in a style, from seed 0.
    pub fn new(style: Style) -> Self {
        let band = Self {
            style,
            other: None,
            patterns: None,
            seeds: [0; PARTS],
            picks: [0; PARTS],
            moved: [None; PARTS],
            harmony: Harmony::default(),
            progression: Progression::default(),
            loudness: MEZZO,
            busyness: MODERATE,
            origin: None,
            began: None,
            bass: BassLine::default(),
            anticipated: false,
            guitar: Voices::default(),
            strings: Voices::default(),
            planned: false,
            rested: [false; PARTS],
            entered: false,
            played: [None; PARTS],
            on_time: false,
            late: true,
        };
        band.drawn_from(0)
    }

    /// The same band with a second style, towards which [`Dials::morph`](sideman_inference::band::Dials::morph)
    /// leads: guitar first, then strings, bass and drums, each bar by bar until it has gone over.
    pub fn with_other(self, other: Style) -> Self {
        Self { other: Some(other), ..self }
    }

    /// The same band with the patterns of a number rather than those its seeds would choose. Neighbouring
    /// numbers differ in the patterns of every part that has several.
    pub fn with_patterns(self, number: u64) -> Self {
        Self { patterns: Some(number), picks: picks(number), ..self }
    }

    /// The style it plays in.
    pub fn style(&self) -> Style {
        self.style
    }

    /// The style that the morph leads to, if there is one.
    pub fn other(&self) -> Option<Style> {
        self.other
    }

    fn drawn_from(self, seed: u64) -> Self {
        Self { seeds: [seed; PARTS], picks: picks(self.patterns.unwrap_or_else(|| mix(seed) >> 8)), ..self }
    }

    /// Which variation a part plays: its own, or at a temperature above neutral now and then another one for two
    /// bars. Drums and bass go together, as their variations do.
    fn pick(&self, part: Part, bars: i64, turned: &Turned) -> Pick {
        let leader = if part == Part::Bass { Part::Drums } else { part };
        let two = bars.div_euclid(2);
        let ventures = self.draw(leader, two, Lane::Venture(0)) < turned.ventures();
        let by = if ventures { 1 + (self.draw(leader, two, Lane::Venture(1)) * 3.0) as usize } else { 0 };
        Pick { number: self.picks[part.index()] + by, moved: self.moved[part.index()] }
    }

    fn draw(&self, part: Part, counter: i64, lane: Lane) -> f32 {
        draw(self.seeds[part.index()], counter as u64, lane.number()) as f32
    }

    /// How a part plays in a bar: in one style or the other, two bars at a time.
    fn style_data(&self, part: Part, bar: i64, morph: f32) -> &'static StyleData {
        let i = part.index();
        let share = ((morph - MORPH_FROM[i]) / MORPH_WIDTH).clamp(0.0, 1.0);
        match self.other {
            Some(other) if self.draw(part, bar.div_euclid(2), Lane::Morph) < share => other.data(),
            _ => self.style.data(),
        }
    }

    /// Takes in how the piano plays.
    fn follow(&mut self, place: &StepPosition, heard: &PianoFrame) {
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
            let first = place.bar + i64::from(pick_up);
            self.origin.get_or_insert(first);
            self.began.get_or_insert(first);
        }
    }

    /// Takes in who rests. The form begins anew where someone comes in off its four bars.
    fn notice(&mut self, context: &StepContext) {
        let rests = context.rests;
        self.planned |= rests.now != [false; PARTS] || rests.next != [false; PARTS];
        if context.place.in_bar > 0 {
            return;
        }
        let came = |i: usize| self.rested[i] && !rests.now[i] && context.parts[i];
        self.entered = (0..PARTS).any(came);
        self.rested = rests.now;
        if let Some(origin) = &mut self.origin
            && self.entered
            && (context.place.bar - *origin).rem_euclid(4) != 0
        {
            *origin = context.place.bar;
        }
    }

    fn phrase(&self, context: &StepContext) -> Phrase {
        let (place, rests) = (&context.place, &context.rests);
        let bars = place.bar - self.origin.unwrap_or(place.bar);
        Phrase {
            bars,
            bar: bars.rem_euclid(8),
            section: bars.div_euclid(8),
            riding: bars.rem_euclid(16) >= 8,
            first: self.began.is_none_or(|began| place.bar <= began),
            lead: (0..PARTS).any(|i| rests.now[i] && !rests.next[i] && context.parts[i]),
            entered: self.entered,
        }
    }

    /// How much is to be played, 0 to 1.
    fn energy(&self, intensity: f32) -> f32 {
        let busy = 0.35 * (self.busyness - MODERATE);
        let loud = 0.004 * (self.loudness - MEZZO);
        (intensity + busy + loud).clamp(0.0, 1.0)
    }

    /// Velocity bin for a velocity at medium loudness: follows the piano, and is not quite even.
    fn velocity(&self, part: Part, neutral: f32, step: i64, lane: usize) -> u8 {
        let loud = (0.55 + 0.45 * self.loudness / MEZZO).clamp(0.55, 1.25);
        let uneven = (self.draw(part, step, Lane::Velocity(lane)) - 0.5) * 9.0;
        ((neutral * loud + uneven) / 4.0).clamp(1.0, 31.0) as u8
    }

    /// What a part's patterns have in a cell.
    fn play(&mut self, part: Part, now: &Now, out: &mut BandStep) {
        match part {
            Part::Drums => self.drums(now, out),
            Part::Bass => out.bass = self.bass_of(now),
            Part::Guitar => {
                let level = level(now.turned.energy(part), GUITAR_LEVELS);
                let pattern = now.pick.of(now.groove.guitar).map_or("", |levels| levels[level]);
                let letter = self.turn(part, now.letter(pattern, now.read), now.turned);
                if letter != b'.' {
                    out.guitar =
                        self.chord(part, letter, now.until_next(pattern), now.style, At::of(now, part));
                }
            }
            Part::Strings => {
                let pattern = now.pick.of(now.groove.strings).unwrap_or("");
                let energy = now.turned.energy(part);
                if pattern.is_empty() || !self.strings_play(&now.phrase, now.style, energy) {
                    return;
                }
                let letter = self.turn(part, now.letter(pattern, now.read), now.turned);
                if letter != b'.' {
                    out.strings =
                        self.chord(part, letter, now.until_next(pattern), now.style, At::of(now, part));
                }
            }
        }
    }

    fn bass_of(&mut self, now: &Now) -> Option<BassNote> {
        let reading = self.harmony.reading()?;
        let level = level(now.turned.energy(Part::Bass), BASS_LEVELS);
        let usual = now.pick.of(now.groove.bass).map_or("", |levels| levels[level]);
        // A phrase is led into in the last beats before it.
        let leads = level > 0 && (now.phrase.lead || now.phrase.bar == 7);
        let pattern = match now.letter(now.groove.lead, now.read) {
            b'.' => usual,
            _ if leads && now.cell.beat + 1 == now.cell.beats => now.groove.lead,
            _ => usual,
        };
        let new_half = in_half(now.place) == 0;
        let lowest = self.harmony.bass();
        let mut letter = self.turn(Part::Bass, now.letter(pattern, now.read), now.turned);
        // A wrong guess is put right where the chord turns out another one, and a metre that the pattern was
        // not written for has its first beat.
        let wrong = self.anticipated && self.bass.last() != Some(lowest);
        let first = now.place.in_bar == 0;
        let unmarked =
            first && (now.cell.beats != now.groove.beats || (now.slow && self.bass.last() != Some(lowest)));
        if letter == b'.' && new_half && (wrong || unmarked) {
            letter = b'r';
        }
        if new_half {
            self.anticipated = false;
        }
        if letter == b'.' {
            return None;
        }
        self.anticipated |= letter == b'n';
        let chance = self.draw(Part::Bass, now.place.step, Lane::Walk);
        let next = self.progression.next(lowest);
        let pitch = self.bass.pitch(letter, &Ground { reading, lowest, next, new_half, chance });
        let pulses = (now.until_next(pattern) as f32 * now.style.bass_gate) as i64;
        Some(self.bass_note(letter, pitch, pulses, now.place.step))
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
            b'.' if turned.adds(share, self.draw(part, turned.counter(), Lane::Add(lane))) => more,
            l if turned.keeps(part, self.draw(part, turned.counter(), Lane::Leave(lane))) => l,
            _ => b'.',
        }
    }

    fn bass_note(&self, letter: u8, pitch: u8, pulses: i64, step: i64) -> BassNote {
        let (neutral, pulses) = match letter {
            b'R' => (94.0, pulses),
            b'g' => (50.0, pulses.min(40)),
            b'8' => (86.0, pulses),
            _ => (80.0, pulses),
        };
        let velocity = self.velocity(Part::Bass, neutral, step, 100 + Part::Bass.index());
        BassNote { pitch, length: length_bin(pulses), velocity, above: 0 }
    }

    /// A hand that comes a sixteenth late on a half-bar: what played the old chord there plays the new one
    /// now.
    fn answer_late(&mut self, context: &StepContext, phrase: &Phrase, turned: &Turned, out: &mut BandStep) {
        let place = &context.place;
        let just_played = |part: Part| self.played[part.index()] == Some(place.step - 1) && !out.plays(part);
        let length = STEP_PULSES * (i64::from(place.half_steps) - 1).clamp(1, 3);
        let [_, bass, guitar, strings] = Part::ALL.map(just_played);
        let Some(reading) = self.harmony.reading() else { return };
        if bass {
            let lowest = self.harmony.bass();
            let ground = Ground { reading, lowest, next: None, new_half: true, chance: 0.0 };
            let pitch = self.bass.pitch(b'R', &ground);
            out.bass = Some(self.bass_note(b'R', pitch, length, place.step));
        }
        let mut answer = |part: Part, length: i64| {
            let style = self.style_data(part, place.bar, context.dials.morph);
            let at = At { step: place.step, phrase_bar: phrase.bar, energy: turned.energy(part) };
            self.chord(part, b'x', length, style, at)
        };
        if guitar {
            out.guitar = answer(Part::Guitar, length);
        }
        if strings {
            let length = STEP_PULSES * (i64::from(place.half_steps) - 1).clamp(1, LONGEST_STEPS);
            out.strings = answer(Part::Strings, length);
        }
    }
}

/// Variations of the parts for a number: drums and bass, which are written for each other, take the same one,
/// and guitar and strings come round later.
fn picks(number: u64) -> [usize; PARTS] {
    let n = (number % 1024) as usize;
    [n, n, n + n / 4, n + n / 16]
}

/// Which of several variations is played: the one of a number, or another one than that.
#[derive(Debug, Clone, Copy)]
struct Pick {
    number: usize,
    moved: Option<u64>,
}

impl Pick {
    fn of<T: Copy>(self, variations: &[T]) -> Option<T> {
        let count = variations.len().max(1);
        let on = self.moved.map_or(0, |by| 1 + by as usize % (count - 1).max(1));
        variations.get((self.number + on) % count).copied()
    }
}

/// Steps since the half-bar began.
fn in_half(place: &StepPosition) -> i64 {
    i64::from(place.in_bar % place.half_steps.max(1))
}

/// 0, 1 or 2 by two thresholds.
fn level(energy: f32, thresholds: [f32; 2]) -> usize {
    thresholds.iter().filter(|&&t| energy >= t).count()
}

impl Band for RuleBand {
    fn is_exact(&self) -> bool {
        true
    }

    fn duplicate(&self) -> Option<Box<dyn Band>> {
        Some(Box::new(self.clone()))
    }

    fn reset(&mut self, seed: u64) {
        let Self { style, other, patterns, .. } = *self;
        *self = Self { other, patterns, ..Self::new(style) }.drawn_from(seed);
    }

    fn redraw(&mut self, part: Part, seed: u64) {
        let i = part.index();
        self.seeds[i] = seed;
        self.moved[i] = Some(mix(seed) >> 16);
        match part {
            Part::Drums => {}
            Part::Bass => self.bass = BassLine::default(),
            Part::Guitar => self.guitar = Voices::default(),
            Part::Strings => self.strings = Voices::default(),
        }
    }

    fn decide(&mut self, context: &StepContext) -> Decision {
        let place = &context.place;
        let bass_before = self.harmony.bass();
        if in_half(place) == 0 && self.began.is_some() {
            self.progression.ended(bass_before);
        }
        let changed = self.harmony.hear(place, &context.heard);
        self.follow(place, &context.heard);
        self.notice(context);
        let phrase = self.phrase(context);
        let turned = Turned::new(place, &context.dials, self.energy(context.dials.intensity));
        let mut decision = Decision::default();

        for part in Part::ALL {
            let style = self.style_data(part, place.bar, context.dials.morph);
            let groove = style.groove(place);
            let pick = self.pick(part, phrase.bars, &turned);
            if let Some((cell, half)) = groove.cell(place) {
                let out = match half {
                    Half::Now => &mut decision.now,
                    Half::Early => &mut decision.early,
                };
                let (bpm, bar, turned) = (context.bpm, phrase.bars, &turned);
                let read = cell;
                let now =
                    Now { place, bpm, style, groove, pick, cell, read, bar, slow: false, phrase, turned };
                let now = if part == Part::Strings { Some(now) } else { now.at_half_tempo() };
                if let Some(now) = now {
                    self.play(part, &now, out);
                    if out.plays(part) {
                        out.offsets[part.index()] = offset(part, &now, half);
                    }
                }
            }
            if part == Part::Strings && pick.of(groove.strings).is_none_or(str::is_empty) {
                self.pad(place, &phrase, style, &turned, &mut decision.now);
            }
        }
        // A hand, or a left hand, that came late; not the second note of a broken chord.
        let late_hand = !self.on_time || self.harmony.bass() != bass_before;
        if changed && in_half(place) == 1 && late_hand {
            self.answer_late(context, &phrase, &turned, &mut decision.now);
        }
        for part in Part::ALL {
            if !context.parts[part.index()] || context.rests.now[part.index()] {
                decision.now.silence(part);
                decision.early.silence(part);
            } else if decision.now.plays(part) {
                self.played[part.index()] = Some(place.step);
            }
        }
        decision
    }
}

/// Offset from the grid, in ticks, with which a part plays a cell: that of triplets, and what is typical of the
/// style.
fn offset(part: Part, now: &Now, half: Half) -> i8 {
    let between = half == Half::Now && now.groove.cells == 4 && now.place.in_bar % 2 == 1;
    let late = if between { now.style.late } else { 0 };
    let backbeat = now.read.index == 0 && now.read.beat % 2 == 1 && now.cell.beats == 4;
    let lag = if part == Part::Drums && backbeat { now.style.lag } else { 0 };
    now.groove.offset(now.cell, half, now.bpm) + late + lag
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
