//! What the band itself played, as inputs of the network and as the rows its heads read.
//!
//! The band looks back one, two and four bars (of all inputs the ones that matter most), so the lags
//! follow the length of the bar: 16, 32 and 64 steps in 4/4.

use sideman_music::encoding::grid::{
    BASS_LOW, BASS_PITCHES, CHORD_LOW, CHORD_PITCHES, DRUM_CLASSES, LENGTH_BINS, LENGTH_TICKS,
};
use sideman_music::{BandStep, Chord, Part};

use super::Rests;
use super::features::PianoFeatures;
use super::inputs::Inputs;
use super::repeat_plan::RepeatPlan;
use super::rows::{BassRow, ChordRow, DrumRow};
use super::sizes::{ENDS, LAGS, NO_LENGTH, NO_VELOCITY};

const RING: usize = 640;
static NOTHING: BandStep = BandStep::EMPTY;
/// How far back the last note of a part is still remembered, in steps.
const REACH: usize = 64;
/// Pitch assumed for a bass that has not played yet.
const BASS_START: u8 = 38;
/// Pitch, from [`CHORD_LOW`], assumed for a chord part that has not played yet.
const CHORD_START: u8 = 24;
/// Bit `i` set for every bass pitch `BASS_LOW + i` of a pitch class mask.
fn bass_mask(pcs: u16) -> u64 {
    (0..BASS_PITCHES)
        .filter(|i| pcs >> ((i + usize::from(BASS_LOW)) % 12) & 1 == 1)
        .fold(0, |m, i| m | 1 << i)
}

/// Bit `i` set for every chord pitch `CHORD_LOW + i` of a pitch class mask.
fn chord_mask(pcs: u16) -> u64 {
    // CHORD_LOW is a C, so the mask simply repeats every octave.
    let m = u64::from(pcs & 0xFFF);
    (m | m << 12 | m << 24 | m << 36 | m << 48 | m << 60) & ((1 << CHORD_PITCHES) - 1)
}

/// The band's own past. No allocation after construction.
#[derive(Debug, Clone)]
pub struct BandHistory {
    steps: Box<[BandStep; RING]>,
    /// Whether a step repeats the one a bar (two bars) before, and whether either plays: bits
    /// `part * 4 + lag * 2` and the one above.
    repeats: Box<[u16; RING]>,
    repeat_counts: [u8; 16],
    pushed: usize,
    last: [Option<usize>; 4],
    last_hit: [Option<usize>; DRUM_CLASSES],
}

impl Default for BandHistory {
    fn default() -> Self {
        Self {
            steps: Box::new([BandStep::EMPTY; RING]),
            repeats: Box::new([0; RING]),
            repeat_counts: [0; 16],
            pushed: 0,
            last: [None; 4],
            last_hit: [None; DRUM_CLASSES],
        }
    }
}

/// The one, two and four bar lags of a bar length, kept inside what is remembered.
pub fn bar_lag(bar_steps: u16) -> usize {
    let n = usize::from(bar_steps);
    if (4..=60).contains(&n) { n } else { 16 }
}

fn sign(on: bool) -> f32 {
    if on { 1.0 } else { -1.0 }
}

fn pitch_set(chord: &Chord) -> u64 {
    chord.pitches().iter().fold(0, |m, &p| m | 1 << (p - CHORD_LOW))
}

fn pcs_of(set: u64) -> u16 {
    (0..6).fold(0, |m, octave| m | (set >> (12 * octave)) as u16 & 0xFFF)
}

/// Whether a part starts the same in two steps: the same drums, or the same pitches.
pub fn same(a: &BandStep, b: &BandStep, part: Part) -> bool {
    match part {
        Part::Drums => (0..DRUM_CLASSES).all(|c| (a.drums[c] > 0) == (b.drums[c] > 0)),
        Part::Bass => a.bass.map(|n| n.pitch) == b.bass.map(|n| n.pitch),
        Part::Guitar => a.guitar.pitches() == b.guitar.pitches(),
        Part::Strings => a.strings.pitches() == b.strings.pitches(),
    }
}

/// Length bin of a chord's lowest note.
fn low_length(chord: &Chord) -> u8 {
    chord.notes().next().map_or(0, |n| n.1)
}

impl BandHistory {
    /// Forgets everything. Keeps its memory: no allocation.
    pub fn reset(&mut self) {
        self.pushed = 0;
        self.repeats.fill(0);
        self.repeat_counts = [0; 16];
        self.last = [None; 4];
        self.last_hit = [None; DRUM_CLASSES];
    }

    /// Forgets what a part played, as if it had been silent; the others go on.
    pub fn forget(&mut self, part: Part) {
        self.steps.iter_mut().for_each(|s| s.silence(part));
        let bits = part.index() * 4..part.index() * 4 + 4;
        self.repeats.iter_mut().for_each(|r| *r &= !(0xF << bits.start));
        self.repeat_counts[bits].fill(0);
        self.last[part.index()] = None;
        if part == Part::Drums {
            self.last_hit = [None; DRUM_CLASSES];
        }
    }

    /// The step `lag` before the next position, empty before the start.
    pub fn at(&self, lag: usize) -> &BandStep {
        if lag >= 1 && lag <= self.pushed && lag <= RING {
            &self.steps[(self.pushed - lag) % RING]
        } else {
            &NOTHING
        }
    }

    /// Appends what the next position held.
    pub fn push(&mut self, step: &BandStep, bar_steps: u16) {
        let bar = bar_lag(bar_steps);
        let mut bits = 0u16;
        for part in Part::ALL {
            for (k, lag) in [bar, 2 * bar].into_iter().enumerate() {
                let then = *self.at(lag);
                if step.plays(part) || then.plays(part) {
                    let bit = part.index() * 4 + k * 2;
                    bits |= 2 << bit | u16::from(same(step, &then, part)) << bit;
                }
            }
            if step.plays(part) {
                self.last[part.index()] = Some(self.pushed);
            }
        }
        for class in 0..DRUM_CLASSES {
            if step.drums[class] > 0 {
                self.last_hit[class] = Some(self.pushed);
            }
        }
        let leaving = if self.pushed >= 32 { self.repeats[(self.pushed - 32) % RING] } else { 0 };
        for bit in 0..16 {
            self.repeat_counts[bit] += (bits >> bit & 1) as u8;
            self.repeat_counts[bit] -= (leaving >> bit & 1) as u8;
        }
        self.repeats[self.pushed % RING] = bits;
        self.steps[self.pushed % RING] = *step;
        self.pushed += 1;
    }

    /// Steps since a part's last onset (at least 1), if within reach.
    fn since(&self, last: Option<usize>) -> Option<usize> {
        last.map(|l| self.pushed - l).filter(|&s| s <= REACH)
    }

    /// Whether a part played within the last `reach` steps.
    pub fn recently(&self, part: Part, reach: usize) -> bool {
        self.last[part.index()].is_some_and(|l| self.pushed - l <= reach)
    }

    /// Whether a drum class was hit within the last `reach` steps.
    pub fn recently_hit(&self, class: usize, reach: usize) -> bool {
        self.last_hit[class].is_some_and(|l| self.pushed - l <= reach)
    }

    /// The lags to copy from, none where nothing is remembered.
    fn lags(&self, piano: &PianoFeatures, bar: usize) -> [Option<usize>; LAGS] {
        self.lags_ahead(piano, bar, 0)
    }

    /// The same seen from so many steps after the next position.
    pub fn lags_ahead(&self, piano: &PianoFeatures, bar: usize, steps: usize) -> [Option<usize>; LAGS] {
        let known = |lag: usize| (lag <= self.pushed + steps && lag <= RING).then_some(lag);
        [known(bar), known(2 * bar), known(4 * bar), piano.form().0.and_then(known)]
    }

    /// What was played at each lag before the next position, none where nothing is remembered.
    pub fn then(&self, piano: &PianoFeatures, bar_steps: u16) -> [Option<&BandStep>; LAGS] {
        self.lags(piano, bar_lag(bar_steps)).map(|lag| lag.map(|l| self.at(l)))
    }

    fn copies(&self, part: Part, lags: [Option<usize>; LAGS]) -> [f32; LAGS] {
        lags.map(|lag| lag.map_or(0.0, |l| sign(self.at(l).plays(part))))
    }

    /// Union of what `pitches` says of the last [`REACH`] steps.
    fn lately(&self, pitches: impl Fn(&BandStep) -> u64) -> u64 {
        (1..=REACH).fold(0, |m, lag| m | pitches(self.at(lag)))
    }

    fn last_offset(&self, part: Part) -> u8 {
        let since = self.since(self.last[part.index()]);
        since.map_or(3, |s| (self.at(s).offsets[part.index()] + 3) as u8)
    }

    /// Of a part: whether the next position was played early at each lag, then whether it was played at all
    /// then.
    pub fn early_copies(&self, part: Part, piano: &PianoFeatures, bar_steps: u16) -> [bool; 2 * LAGS] {
        let mut out = [false; 2 * LAGS];
        for (k, lag) in self.lags(piano, bar_lag(bar_steps)).into_iter().enumerate() {
            let then = self.at(lag.unwrap_or(0));
            out[k] = then.plays(part) && then.offsets[part.index()] < 0;
            out[k + LAGS] = then.plays(part);
        }
        out
    }

    /// The drums' row for the next position.
    pub fn drum_row(&self, piano: &PianoFeatures, bar_steps: u16) -> DrumRow {
        let bar = bar_lag(bar_steps);
        let hit =
            |lag: Option<usize>| lag.map_or([0.0; DRUM_CLASSES], |l| self.at(l).drums.map(|d| sign(d > 0)));
        DrumRow {
            copies: self.lags(piano, bar).map(hit),
            last: std::array::from_fn(|c| {
                self.since(self.last_hit[c]).map_or(NO_VELOCITY, |s| self.at(s).drums[c] - 1)
            }),
            bar: self.at(bar).drums.map(|d| if d > 0 { d - 1 } else { NO_VELOCITY }),
            offset: self.last_offset(Part::Drums),
        }
    }

    /// The bass's row for the next position.
    pub fn bass_row(&self, piano: &PianoFeatures, bar_steps: u16) -> BassRow {
        let bar = bar_lag(bar_steps);
        let last = self.since(self.last[1]).and_then(|s| self.at(s).bass);
        let then = self.at(bar).bass;
        let pitch_bit = |step: &BandStep| step.bass.map_or(0, |b| 1u64 << (b.pitch - BASS_LOW));
        let lags = self.lags(piano, bar);
        let then_bit = |k: usize| lags[k].map_or(0, |l| pitch_bit(self.at(l)));
        let figure = then.map_or(0, |b| {
            let above = 12 + u16::from(b.pitch % 12) - u16::from(piano.reference_ago(bar));
            bass_mask(1 << ((above + u16::from(piano.reference())) % 12))
        });
        BassRow {
            copies: self.copies(Part::Bass, lags),
            last_pitch: last.map_or(BASS_START, |b| b.pitch) - BASS_LOW,
            lengths: [last.map_or(0, |b| b.length), then.map_or(NO_LENGTH, |b| b.length)],
            velocities: [last.map_or(0, |b| b.velocity), then.map_or(NO_VELOCITY, |b| b.velocity)],
            masks: [
                bass_mask(piano.sounding()),
                bass_mask(piano.struck()),
                bass_mask(piano.half_bar()),
                bass_mask(piano.lasting()),
                figure,
                then_bit(0),
                then_bit(1),
                then_bit(2),
                then_bit(3),
                self.lately(pitch_bit),
            ],
            above: [last.map_or(0, |b| b.above), then.map_or(0, |b| b.above)],
            offset: self.last_offset(Part::Bass),
        }
    }

    /// Guitar's or strings' row for the next position, at which the bass plays `bass`.
    pub fn chord_row(&self, part: Part, piano: &PianoFeatures, bar_steps: u16, bass: Option<u8>) -> ChordRow {
        let bar = bar_lag(bar_steps);
        let chord_at = |lag: usize| self.at(lag).chord(part);
        let last = self.since(self.last[part.index()]).map(chord_at);
        let then = Some(chord_at(bar)).filter(|c| !c.is_empty());
        let bass = bass.or_else(|| self.since(self.last[1]).and_then(|s| self.at(s).bass).map(|b| b.pitch));
        let moved = {
            let by = (i32::from(piano.reference()) - i32::from(piano.reference_ago(bar)) + 18) % 12 - 6;
            let set = pitch_set(&chord_at(bar));
            let set = if by >= 0 { set << by } else { set >> -by };
            set & ((1 << CHORD_PITCHES) - 1)
        };
        let lags = self.lags(piano, bar);
        let then_set = |k: usize| lags[k].map_or(0, |l| pitch_set(&chord_at(l)));
        ChordRow {
            copies: self.copies(part, lags),
            last_low: last.map_or(CHORD_START, |c| c.pitches()[0] - CHORD_LOW),
            lengths: [last.map_or(0, |c| low_length(&c)), then.map_or(NO_LENGTH, |c| low_length(&c))],
            velocities: [last.map_or(0, |c| c.velocity), then.map_or(NO_VELOCITY, |c| c.velocity)],
            masks: [
                chord_mask(piano.sounding()),
                chord_mask(piano.struck()),
                chord_mask(piano.half_bar()),
                chord_mask(piano.lasting()),
                last.map_or(0, |c| pitch_set(&c)),
                then_set(0),
                then_set(1),
                then_set(2),
                then_set(3),
                moved,
                chord_mask(1 << (bass.unwrap_or(BASS_START) % 12)),
                self.lately(|step| pitch_set(&step.chord(part))),
            ],
            offset: self.last_offset(part),
        }
    }

    /// Writes the [`MEMORY_INPUTS`](super::MEMORY_INPUTS) inputs of the next position; `early` says which parts have already
    /// played it ahead of the step.
    pub fn write(
        &self,
        piano: &PianoFeatures,
        bar_steps: u16,
        early: [bool; 4],
        rests: &Rests,
        repeats: &RepeatPlan,
        x: &mut Inputs<'_>,
    ) {
        let bar = bar_lag(bar_steps);
        // 0 is the next position itself, of which nothing is remembered.
        let form = self.lags(piano, bar)[LAGS - 1].unwrap_or(0);
        for lag in [1, 2, bar, bar - 1, 2 * bar, 4 * bar, form, form.saturating_sub(1)] {
            self.at(lag).drums.iter().for_each(|&d| x.flag(d > 0));
        }
        let loudest = self.at(1).drums.iter().copied().max().unwrap_or(0);
        x.put(f32::from(loudest) / 16.0 - 1.0);
        for part in 0..4 {
            for k in 0..2 {
                let bit = part * 4 + k * 2;
                let (equal, active) = (self.repeat_counts[bit], self.repeat_counts[bit + 1]);
                x.put(f32::from(equal) / f32::from(active.max(1)));
            }
        }

        let reference = usize::from(piano.reference());
        let bass = self.since(self.last[1]).and_then(|s| self.at(s).bass.map(|b| (s, b)));
        self.common(
            x,
            Part::Bass,
            (bar, form),
            bass.map(|(s, b)| (s, b.pitch, b.length, b.velocity)),
            reference,
        );
        let pitch = bass.map_or(BASS_START, |(_, b)| b.pitch);
        x.one_hot(usize::from((pitch - BASS_LOW) / 6).min(5), 6);
        for lag in [bar, form] {
            let above = self.at(lag).bass.map(|b| (12 + usize::from(b.pitch) % 12 - reference) % 12 + 1);
            x.one_hot(above.unwrap_or(0), 13);
        }
        x.flag(bass.is_some_and(|(_, b)| b.above > 0));

        for part in [Part::Guitar, Part::Strings] {
            let last = self.since(self.last[part.index()]).map(|s| (s, self.at(s).chord(part)));
            self.common(
                x,
                part,
                (bar, form),
                last.map(|(s, c)| (s, c.pitches()[0], low_length(&c), c.velocity)),
                reference,
            );
            let set = last.map_or(0, |(_, c)| pitch_set(&c));
            let pcs = pcs_of(set);
            let then = pcs_of(pitch_set(&self.at(form).chord(part)));
            for pcs in [pcs, then] {
                (0..12).for_each(|i| x.flag(pcs >> ((i + reference) % 12) & 1 == 1));
            }
            match last {
                Some((_, c)) => {
                    x.one_hot(usize::from((c.pitches()[0] - CHORD_LOW) / 10).min(5), 6);
                    x.one_hot(usize::from((c.pitches()[c.len() - 1] - CHORD_LOW) / 10).min(5), 6);
                    x.one_hot(c.len() - 1, 7);
                }
                None => x.one_hot(99, 19),
            }
        }
        early.iter().for_each(|&e| x.flag(e));
        rests.now.iter().chain(&rests.next).for_each(|&r| x.flag(r));
        x.flag(form > 0);
        x.put(if form > 0 { piano.form().1 } else { 0.0 });
        piano.alike().into_iter().for_each(|a| x.put(a));
        repeats.write(x);
    }

    /// What bass, guitar and strings have in common: onsets, the last note held or not, its velocity, age,
    /// pitch class above the reference and length.
    fn common(
        &self,
        x: &mut Inputs<'_>,
        part: Part,
        (bar, form): (usize, usize),
        last: Option<(usize, u8, u8, u8)>,
        reference: usize,
    ) {
        let fixed = [1, 2, 3, 4, bar, bar - 1, bar - 2, 2 * bar, 2 * bar - 1, 4 * bar, 4 * bar - 1];
        for lag in fixed.into_iter().chain([form, form.saturating_sub(1)]) {
            x.flag(self.at(lag).plays(part));
        }
        let since = last.map_or(REACH, |l| l.0);
        // Whether the next onset comes right where a note ends is what legato is made of.
        let left = last.map(|(s, _, length, _)| {
            f32::from(LENGTH_TICKS[usize::from(length).min(LENGTH_BINS - 1)]) / 6.0 - s as f32
        });
        x.flag(left.is_some_and(|l| l > 0.0));
        x.one_hot(left.map_or(99, |l| ENDS.iter().filter(|&&e| l >= e).count()), ENDS.len() + 1);
        x.put(f32::from(last.map_or(0, |l| l.3)) / 16.0 - 1.0);
        let age = [1, 2, 3, 4, 6, 8, 16, 32].iter().position(|&n| since <= n).unwrap_or(8);
        x.one_hot(age, 9);
        match last {
            Some((_, pitch, ..)) => x.one_hot((12 + usize::from(pitch) % 12 - reference) % 12, 12),
            None => x.one_hot(99, 12),
        }
        x.one_hot(usize::from(last.map_or(0, |l| l.2)) / 2, 12);
    }
}
