//! Training batches: lanes of songs, walked step by step exactly as the band will be when it plays.

use std::sync::Arc;

use rand::Rng;
use rand_pcg::Pcg64;
use sideman_inference::band::{
    AHEAD, BandHistory, BassRow, ChordRow, DrumRow, INPUTS, Inputs, LAGS, POSITIONS, PianoFeatures, Rests,
    StepPosition, UNPLANNED, bar_lag, extra_inputs, is_planned_at, write_extra,
};
use sideman_music::encoding::grid::{BASS_HIGH, BASS_LOW, CHORD_HIGH, CHORD_LOW, LENGTH_TICKS, fold_pitch};
use sideman_music::{BandStep, Part, PianoFrame};

use super::plans::{Shown, repeated};

/// A song on the grid.
#[derive(Debug, Clone, PartialEq)]
pub struct GridSong {
    /// The piano, a frame a step.
    pub frames: Vec<PianoFrame>,
    /// The band, as many steps.
    pub band: Vec<BandStep>,
    /// Which parts the song has.
    pub parts: [bool; 4],
    /// Quarter notes a minute.
    pub bpm: f32,
    /// 1 for people's bands, 0 for rule-made ones.
    pub tier: f32,
    /// Steps a bar.
    pub bar_steps: u16,
    /// Steps from one harmony point to the next.
    pub half_steps: u16,
}

impl GridSong {
    /// The same song moved by -6 to +6 semitones, every part kept in its range by octaves.
    pub fn transposed(&self, by: i8) -> Self {
        let mut song = self.clone();
        if by == 0 {
            return song;
        }
        let up = by.rem_euclid(12) as u16;
        let turn = |m: u16| (m << up | m >> (12 - up)) & 0xFFF;
        let low = |p: u8| if p == 255 { 255 } else { p.saturating_add_signed(by).min(127) };
        let high = |p: u8| if p == 0 { 0 } else { p.saturating_add_signed(by).clamp(1, 127) };
        for f in &mut song.frames {
            (f.sounding, f.struck) = (turn(f.sounding), turn(f.struck));
            (f.lowest, f.struck_lowest) = (low(f.lowest), low(f.struck_lowest));
            (f.highest, f.struck_highest) = (high(f.highest), high(f.struck_highest));
        }
        song.band.iter_mut().for_each(|s| transpose(s, by));
        song
    }

    /// Which parts rest in each bar: those that start nothing in it and have nothing ringing from before for
    /// longer than its first beat. Parts that the song does not have do not rest.
    pub fn rests(&self) -> Vec<[bool; 4]> {
        let bar = usize::from(self.bar_steps.max(1));
        let mut rests = vec![self.parts; self.band.len().div_ceil(bar)];
        for part in Part::ALL {
            let mut until = 0.0f32;
            for (i, step) in self.band.iter().enumerate() {
                let now = &mut rests[i / bar][part.index()];
                if step.plays(part) {
                    *now = false;
                    let end = |bin: u8| i as f32 + f32::from(LENGTH_TICKS[usize::from(bin)]) / 6.0;
                    let chord = step.chord(part);
                    let lengths = step.bass.filter(|_| part == Part::Bass).map(|b| b.length);
                    let longest = chord.notes().map(|n| n.1).chain(lengths).max();
                    until = longest.map_or(until, |bin| until.max(end(bin)));
                } else if i % bar == 0 && until > (i + 4) as f32 {
                    *now = false;
                }
            }
        }
        rests
    }

    fn place(&self, step: usize) -> StepPosition {
        let bar = usize::from(self.bar_steps);
        StepPosition {
            step: step as i64,
            in_bar: (step % bar) as u16,
            bar: (step / bar) as i64,
            bar_steps: self.bar_steps,
            half_steps: self.half_steps,
        }
    }
}

fn transpose(step: &mut BandStep, by: i8) {
    if let Some(b) = &mut step.bass {
        b.pitch = fold_pitch(b.pitch.saturating_add_signed(by), BASS_LOW, BASS_HIGH);
        while b.above > BASS_HIGH - b.pitch {
            b.above = b.above.saturating_sub(12);
        }
    }
    for chord in [&mut step.guitar, &mut step.strings] {
        let mut notes: Vec<(u8, u8)> = chord
            .notes()
            .map(|(p, l)| (fold_pitch(p.saturating_add_signed(by), CHORD_LOW, CHORD_HIGH), l))
            .collect();
        notes.sort_unstable();
        chord.clear();
        for (pitch, length) in notes {
            chord.push(pitch, length);
        }
    }
}

/// How a part's own past is spoilt in the inputs, never in the targets, so that the band learns to find
/// its way back (docs/band.md).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HistoryCorruption {
    /// Chance a step that a part's past goes blank for 16 to 128 steps.
    pub blank: f64,
    /// Chance that a lane begins with a part blank.
    pub blank_start: f64,
    /// Chance a step that a pitched part's past is moved by up to six semitones for 16 to 64 steps.
    pub shift: f64,
    /// Chance that a drum hit is not remembered.
    pub drop_hit: f64,
    /// Chance a bar that piano and band go on in another key: what is remembered lies in the old one, what is
    /// to be played in the new one.
    pub modulate: f64,
}

impl HistoryCorruption {
    /// Nothing is spoilt.
    pub const NONE: Self = Self { blank: 0.0, blank_start: 0.0, shift: 0.0, drop_hit: 0.0, modulate: 0.0 };
}

/// A song being walked.
#[derive(Debug, Clone)]
pub struct Lane {
    /// The song in its own key.
    own: Arc<GridSong>,
    /// The song in the key that is walked.
    song: Arc<GridSong>,
    rests: Vec<[bool; 4]>,
    /// Which style code the song has.
    style: u32,
    next: usize,
    piano: PianoFeatures,
    history: BandHistory,
    shown: Shown,
    blank: [u16; 4],
    shift: [(u16, i8); 4],
    fresh: bool,
}

/// What the heads of one part read and should say, a row for every position where the part may start
/// something.
#[derive(Debug, Clone)]
pub struct PartRows<R> {
    /// Row of the trunk that decides it.
    pub trunk: Vec<u32>,
    /// `lane * 24 + position in the bar`.
    pub pattern: Vec<u32>,
    /// Whether it is decided ahead, a step before.
    pub early: Vec<bool>,
    /// What the bar repeats.
    pub plan: Vec<u32>,
    /// What the parts before it did here.
    pub extra: Vec<f32>,
    /// Reference pitch class, and the one of the half-bar before.
    pub references: Vec<(u8, u8)>,
    /// What else is known.
    pub row: Vec<R>,
    /// What was played.
    pub target: Vec<BandStep>,
}

/// A batch of `steps` steps of `lanes` songs; trunk row `t * lanes + lane`.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Number of lanes.
    pub lanes: usize,
    /// Number of steps.
    pub steps: usize,
    /// Inputs, (steps * lanes, [`INPUTS`]).
    pub inputs: Vec<f32>,
    /// Which lanes begin a song, so that the state must be cleared.
    pub fresh: Vec<bool>,
    /// Style code of each lane.
    pub styles: Vec<u32>,
    /// Whether each part plays the next position early: targets (trunk rows, 4).
    pub early_target: Vec<f32>,
    /// Weights of `early_target`.
    pub early_weight: Vec<f32>,
    /// [`BandHistory`]'s early copies (trunk rows, 4, 8).
    pub early_copies: Vec<f32>,
    /// Trunk row times four plus part, for each bar that is planned.
    pub repeat_rows: Vec<u32>,
    /// What the bar repeats.
    pub repeat_targets: Vec<u32>,
    /// Drums.
    pub drums: PartRows<DrumRow>,
    /// Bass.
    pub bass: PartRows<BassRow>,
    /// Guitar and strings.
    pub chords: [PartRows<ChordRow>; 2],
    /// Steps that count, by part.
    pub counts: [usize; 4],
}

impl<R> Default for PartRows<R> {
    fn default() -> Self {
        Self {
            trunk: vec![],
            pattern: vec![],
            early: vec![],
            plan: vec![],
            extra: vec![],
            references: vec![],
            row: vec![],
            target: vec![],
        }
    }
}

impl<R> PartRows<R> {
    fn add(&mut self, part: Part, at: &At<'_>, row: R) {
        self.trunk.push(at.trunk);
        self.pattern.push(at.pattern);
        self.early.push(at.early);
        self.plan.push(u32::from(at.plans[part.index()]));
        let start = self.extra.len();
        self.extra.resize(start + extra_inputs(part), 0.0);
        let mut x = Inputs::new(&mut self.extra[start..]);
        write_extra(part, at.early, at.seen, at.references.0, &mut x);
        self.references.push(at.references);
        self.row.push(row);
        self.target.push(*at.target);
    }
}

/// Where a row belongs.
struct At<'a> {
    trunk: u32,
    pattern: u32,
    early: bool,
    plans: [u8; 4],
    references: (u8, u8),
    /// What the parts before can be seen to play here.
    seen: &'a BandStep,
    target: &'a BandStep,
}

impl Batch {
    /// Cuts the next batch out of all lanes.
    pub fn next(lanes: &mut [Lane], steps: usize, spoil: &HistoryCorruption, rng: &mut Pcg64) -> Self {
        let n = lanes.len();
        let mut batch = Self {
            lanes: n,
            steps,
            inputs: vec![0.0; steps * n * INPUTS],
            fresh: lanes.iter().map(|l| l.fresh).collect(),
            styles: lanes.iter().map(|l| l.style).collect(),
            early_target: vec![0.0; steps * n * 4],
            early_weight: vec![0.0; steps * n * 4],
            early_copies: vec![0.0; steps * n * 4 * 2 * LAGS],
            ..Self::default()
        };
        for (i, lane) in lanes.iter_mut().enumerate() {
            lane.fresh = false;
            for t in 0..steps {
                lane.step(&mut batch, i, t, spoil, rng);
            }
        }
        batch
    }

    /// Adds the rows that decide a position: every part for which `decides` holds.
    fn add_rows(
        &mut self,
        song: &GridSong,
        piano: &PianoFeatures,
        history: &BandHistory,
        at: &At<'_>,
        decides: impl Fn(Part) -> bool,
    ) {
        let bar = song.bar_steps;
        for part in Part::ALL.into_iter().filter(|&p| song.parts[p.index()] && decides(p)) {
            match part {
                Part::Drums => self.drums.add(part, at, history.drum_row(piano, bar)),
                Part::Bass => self.bass.add(part, at, history.bass_row(piano, bar)),
                Part::Guitar | Part::Strings => {
                    let row = history.chord_row(part, piano, bar, at.seen.bass.map(|b| b.pitch));
                    self.chords[part.index() - 2].add(part, at, row);
                }
            }
        }
    }
}

/// Whether a part plays a step ahead of it.
fn is_early(step: &BandStep, part: Part) -> bool {
    step.plays(part) && step.offsets[part.index()] < 0
}

impl Lane {
    /// Begins a song at a step, moved by -6 to +6 semitones; what lies before is heard and remembered, as far
    /// as it matters.
    pub fn new(
        own: Arc<GridSong>,
        key: i8,
        style: u32,
        start: usize,
        spoil: &HistoryCorruption,
        rng: &mut Pcg64,
    ) -> Self {
        let song = if key == 0 { own.clone() } else { Arc::new(own.transposed(key)) };
        // From a bar line, so that all lags of whole bars are.
        let bar = usize::from(song.bar_steps.max(1));
        let mut lane = Self {
            rests: song.rests(),
            own,
            song,
            style,
            next: start.saturating_sub(512) / bar * bar,
            piano: PianoFeatures::default(),
            history: BandHistory::default(),
            shown: Shown::default(),
            blank: [0; 4],
            shift: [(0, 0); 4],
            fresh: true,
        };
        for blank in &mut lane.blank {
            if rng.random_bool(spoil.blank_start) {
                *blank = rng.random_range(16..=128);
            }
        }
        while lane.next < start.min(lane.song.band.len()) {
            let place = lane.song.place(lane.next);
            lane.piano.hear(&lane.song.frames[lane.next], &place);
            // A part that begins blank has no past at all.
            let mut seen = lane.song.band[lane.next];
            Part::ALL.into_iter().filter(|p| lane.blank[p.index()] > 0).for_each(|p| seen.silence(p));
            lane.history.push(&seen, lane.song.bar_steps);
            lane.next += 1;
        }
        lane
    }

    /// Steps left in the song.
    pub fn left(&self) -> usize {
        self.song.band.len().saturating_sub(self.next)
    }

    fn step(&mut self, batch: &mut Batch, lane: usize, t: usize, spoil: &HistoryCorruption, rng: &mut Pcg64) {
        let bar = usize::from(self.song.bar_steps.max(1));
        if spoil.modulate > 0.0 && self.next.is_multiple_of(bar) && rng.random_bool(spoil.modulate) {
            self.song = Arc::new(self.own.transposed(rng.random_range(-5..=6)));
            // What was meant to come back was so in the old key.
            self.shown.moved();
        }
        let song = self.song.clone();
        let (Some(frame), Some(&target)) = (song.frames.get(self.next), song.band.get(self.next)) else {
            return;
        };
        let place = song.place(self.next);
        let rests_in = |bar: usize| self.rests.get(bar).copied().unwrap_or_default();
        let rests = Rests { now: rests_in(self.next / bar), next: rests_in(self.next / bar + 1) };
        self.piano.hear(frame, &place);
        let trunk = t * batch.lanes + lane;
        let early = Part::ALL.map(|p| self.blank[p.index()] == 0 && is_early(&target, p));
        let mut x = Inputs::new(&mut batch.inputs[trunk * INPUTS..(trunk + 1) * INPUTS]);
        self.piano.write(&place, song.parts, song.bpm, song.tier, &mut x);
        self.shown.step(usize::from(place.in_bar), bar, rng);
        self.history.write(&self.piano, song.bar_steps, early, &rests, &self.shown.repeats, &mut x);
        debug_assert_eq!(x.written(), INPUTS);
        for p in 0..4 {
            batch.counts[p] += usize::from(song.parts[p]);
        }
        let references = (self.piano.reference(), self.piano.reference_before());
        let pattern =
            |place: &StepPosition| (lane * POSITIONS + usize::from(place.in_bar) % POSITIONS) as u32;
        let mut at = At {
            trunk: trunk as u32,
            pattern: pattern(&place),
            early: false,
            plans: self.shown.repeats.of(false),
            references,
            seen: &target,
            target: &target,
        };
        batch.add_rows(&song, &self.piano, &self.history, &at, |p| {
            !is_early(&target, p) && !rests.now[p.index()]
        });

        if is_planned_at(place.in_bar, place.bar_steps) {
            for part in Part::ALL.into_iter().filter(|p| song.parts[p.index()]) {
                let plan = self.repeats(part);
                self.shown.plan(part, plan, rng);
                if plan != UNPLANNED {
                    batch.repeat_rows.push((trunk * 4 + part.index()) as u32);
                    batch.repeat_targets.push(u32::from(plan));
                }
            }
        }
        self.remember(&target, spoil, rng);
        self.next += 1;

        let Some(&next) = song.band.get(self.next) else { return };
        // A part that rests decides nothing, as in playing.
        let resting = if self.next.is_multiple_of(bar) { rests.next } else { rests.now };
        let decides = |p: &Part| song.parts[p.index()] && !resting[p.index()];
        for part in Part::ALL.into_iter().filter(decides) {
            let i = trunk * 4 + part.index();
            batch.early_weight[i] = 1.0;
            batch.early_target[i] = f32::from(u8::from(is_early(&next, part)));
            let copies = self.history.early_copies(part, &self.piano, song.bar_steps);
            for (k, copy) in copies.into_iter().enumerate() {
                batch.early_copies[i * 2 * LAGS + k] = f32::from(u8::from(copy));
            }
        }
        let mut seen = next;
        Part::ALL.into_iter().filter(|&p| !is_early(&next, p)).for_each(|p| seen.silence(p));
        at.pattern = pattern(&song.place(self.next));
        at.plans = self.shown.repeats.of(self.next.is_multiple_of(bar));
        (at.early, at.seen, at.target) = (true, &seen, &next);
        batch.add_rows(&song, &self.piano, &self.history, &at, |p| is_early(&next, p));
    }

    /// What a part's next bar repeats of what is remembered, seen from the last step of a bar but one.
    fn repeats(&self, part: Part) -> u8 {
        let (song, start) = (&self.song, self.next + AHEAD);
        let bar = usize::from(song.bar_steps.max(1));
        if self.blank[part.index()] > 0 || start + bar > song.band.len() {
            return UNPLANNED;
        }
        let lags = self.history.lags_ahead(&self.piano, bar_lag(song.bar_steps), AHEAD);
        repeated(part, &song.band[start..start + bar], |k, i| {
            let at = (start + i).checked_sub(lags[k]?)?;
            // Of the drums single hits are forgotten in training, which makes no bar another one.
            let as_played = at >= self.next || part == Part::Drums;
            Some(if as_played { &song.band[at] } else { self.history.at(self.next - at) })
        })
    }

    /// Puts a step into the history, corrupted.
    fn remember(&mut self, target: &BandStep, spoil: &HistoryCorruption, rng: &mut Pcg64) {
        let mut seen = *target;
        for part in Part::ALL {
            let (i, pitched) = (part.index(), part != Part::Drums);
            if self.blank[i] > 0 {
                self.blank[i] -= 1;
                seen.silence(part);
            } else if spoil.blank > 0.0 && rng.random_bool(spoil.blank) {
                self.blank[i] = rng.random_range(16..=128);
            }
            if self.shift[i].0 > 0 {
                self.shift[i].0 -= 1;
                let mut moved = seen;
                transpose(&mut moved, self.shift[i].1);
                match part {
                    Part::Drums => {}
                    Part::Bass => seen.bass = moved.bass,
                    Part::Guitar => seen.guitar = moved.guitar,
                    Part::Strings => seen.strings = moved.strings,
                }
            } else if pitched && spoil.shift > 0.0 && rng.random_bool(spoil.shift) {
                let by = rng.random_range(1..=6) * if rng.random_bool(0.5) { 1 } else { -1 };
                self.shift[i] = (rng.random_range(16..=64), by);
            }
        }
        if spoil.drop_hit > 0.0 {
            for hit in seen.drums.iter_mut().filter(|d| **d > 0) {
                if rng.random_bool(spoil.drop_hit) {
                    *hit = 0;
                }
            }
        }
        self.history.push(&seen, self.song.bar_steps);
    }
}
