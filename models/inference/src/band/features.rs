//! What the band has heard of the piano, as inputs of the network.
//!
//! All pitch classes are given relative to the **reference**, the lowest piano note heard since the
//! half-bar began, so that a figure learnt in one key holds in all.

use sideman_music::PianoFrame;

use super::StepPosition;
use super::form::Form;
use super::inputs::Inputs;
use super::repeat_plan::is_planned_at;
use super::sizes::POSITIONS;

const WINDOWS: [usize; 4] = [8, 16, 64, 256];
const RING: usize = 640;
const NONE: u8 = 255;

/// The piano so far. No allocation after construction.
#[derive(Debug, Clone)]
pub struct PianoFeatures {
    frames: Box<[PianoFrame; RING]>,
    references: Box<[u8; RING]>,
    heard: usize,
    form: Form,
    counts: [[u16; 12]; 4],
    struck_counts: [u16; 3],
    /// Pitch classes since the half-bar began, and in the half-bar before.
    half: u16,
    half_before: u16,
    /// Lowest pitch of this half-bar and the one before; 255 for none.
    low: u8,
    low_before: u8,
    reference: u8,
    loudness: f32,
    since_struck: u16,
}

impl Default for PianoFeatures {
    fn default() -> Self {
        Self {
            frames: Box::new([PianoFrame::SILENT; RING]),
            references: Box::new([0; RING]),
            heard: 0,
            form: Form::default(),
            counts: [[0; 12]; 4],
            struck_counts: [0; 3],
            half: 0,
            half_before: 0,
            low: NONE,
            low_before: NONE,
            reference: 0,
            loudness: 64.0,
            since_struck: 16,
        }
    }
}

impl PianoFeatures {
    /// Forgets everything. Keeps its memory: no allocation.
    pub fn reset(&mut self) {
        self.heard = 0;
        self.form = Form::default();
        self.counts = [[0; 12]; 4];
        self.struck_counts = [0; 3];
        (self.half, self.half_before) = (0, 0);
        (self.low, self.low_before, self.reference) = (NONE, NONE, 0);
        (self.loudness, self.since_struck) = (64.0, 16);
    }

    fn frame(&self, ago: usize) -> &PianoFrame {
        if ago < self.heard { &self.frames[(self.heard - 1 - ago) % RING] } else { &PianoFrame::SILENT }
    }

    /// Takes in the frame of the step at `place`.
    pub fn hear(&mut self, frame: &PianoFrame, place: &StepPosition) {
        for (w, &n) in WINDOWS.iter().enumerate() {
            let leaving = self.frame(n - 1).sounding;
            for pc in 0..12 {
                self.counts[w][pc] += frame.sounding >> pc & 1;
                self.counts[w][pc] -= leaving >> pc & 1;
            }
        }
        for (w, n) in [4, 16, 64].into_iter().enumerate() {
            self.struck_counts[w] += u16::from(frame.struck_count > 0);
            self.struck_counts[w] -= u16::from(self.frame(n - 1).struck_count > 0);
        }
        self.frames[self.heard % RING] = *frame;

        let (mut pcs, mut low) = (frame.sounding, frame.lowest);
        if place.in_bar.is_multiple_of(place.half_steps.max(1)) {
            // What still rings from the old half-bar does not belong to the new one when something is
            // struck on it; what is really held comes back with the next frame.
            if frame.struck_count > 0 {
                (pcs, low) = (frame.struck, frame.struck_lowest);
            }
            self.half_before = self.half;
            if self.low != NONE {
                self.low_before = self.low;
            }
            self.half = 0;
            self.low = NONE;
        }
        self.half |= pcs;
        self.low = self.low.min(low);
        if self.low != NONE {
            self.reference = self.low;
        }
        self.references[self.heard % RING] = self.reference;
        let (frames, heard) = (&self.frames, self.heard);
        let chooses = is_planned_at(place.in_bar, place.bar_steps);
        self.form.hear(frame, usize::from(place.bar_steps.max(1)), chooses, |ago| {
            (ago <= heard && ago < RING).then(|| &frames[(heard - ago) % RING])
        });
        self.heard += 1;

        if frame.struck_count > 0 {
            self.loudness = 0.7 * self.loudness + 0.3 * f32::from(frame.velocity);
            self.since_struck = 0;
        } else {
            self.since_struck = (self.since_struck + 1).min(64);
        }
    }

    /// Pitch class of the reference, 0 to 11.
    pub fn reference(&self) -> u8 {
        self.reference % 12
    }

    /// Pitch class of the reference of the half-bar before.
    pub fn reference_before(&self) -> u8 {
        if self.low_before == NONE { self.reference() } else { self.low_before % 12 }
    }

    /// Pitch class of the reference `ago` steps back; 0 before the start.
    pub fn reference_ago(&self, ago: usize) -> u8 {
        if ago < self.heard && ago < RING { self.references[(self.heard - 1 - ago) % RING] % 12 } else { 0 }
    }

    /// Where the piano played before what it plays now: how many steps ago, if anywhere, and how alike it was,
    /// 0 to 1.
    pub fn form(&self) -> (Option<usize>, f32) {
        (self.form.lag(), self.form.likeness())
    }

    /// How alike the piano was to itself one, two and four bars ago, 0 to 1.
    pub fn alike(&self) -> [f32; 3] {
        self.form.fixed()
    }

    /// Whether the harmony is another one than `lag` steps before: less than half of the pitch classes of this
    /// half-bar, two at least, sounded in that one up to this step or within four steps of it.
    pub fn differs(&self, lag: usize, place: &StepPosition) -> bool {
        let since = usize::from(place.in_bar % place.half_steps.max(1));
        if self.half.count_ones() < 2 || lag + since >= self.heard.min(RING) {
            return false;
        }
        let then = (lag.saturating_sub(4)..=lag + since).fold(0, |m, ago| m | self.frame(ago).sounding);
        2 * (self.half & then).count_ones() < self.half.count_ones()
    }

    /// Whether the harmony on a bar line is the one `lag` steps before: the lowest note has the same name, and at
    /// least half of what is struck sounded there within a beat. None when that cannot be said.
    pub fn agrees(&self, lag: usize) -> Option<bool> {
        if self.half == 0 || lag >= self.heard.min(RING) || self.frame(lag).sounding == 0 {
            return None;
        }
        let then = (lag.saturating_sub(3)..=lag).fold(0, |m, ago| m | self.frame(ago).sounding);
        let common = 2 * (self.half & then).count_ones() >= self.half.count_ones();
        Some(common && self.reference() == self.reference_ago(lag))
    }

    /// How far the piano is from where it was lately, 0 to 1: share of the half-bar's pitch classes that hardly
    /// sounded in the three bars of 4/4 before this one; 0 for a single pitch class and near the start.
    pub fn away(&self) -> f32 {
        let known = (0..12).filter(|&pc| self.counts[2][pc] - self.counts[1][pc] >= 2);
        let known = known.fold(0u16, |m, pc| m | 1 << pc);
        if self.half.count_ones() < 2 || known.count_ones() < 3 {
            return 0.0;
        }
        (self.half & !known).count_ones() as f32 / self.half.count_ones() as f32
    }

    /// Pitch classes sounding now.
    pub fn sounding(&self) -> u16 {
        self.frame(0).sounding
    }

    /// Pitch classes struck now.
    pub fn struck(&self) -> u16 {
        self.frame(0).struck
    }

    /// Pitch classes since the half-bar began.
    pub fn half_bar(&self) -> u16 {
        self.half
    }

    /// Pitch classes that sounded for at least five of the last 16 steps.
    pub fn lasting(&self) -> u16 {
        (0..12).filter(|&pc| self.counts[1][pc] >= 5).fold(0, |m, pc| m | 1 << pc)
    }

    /// Writes the [`EARS_INPUTS`](super::EARS_INPUTS) inputs of this step.
    pub fn write(&self, place: &StepPosition, parts: [bool; 4], bpm: f32, tier: f32, x: &mut Inputs<'_>) {
        let r = usize::from(self.reference());
        let now = self.frame(0);
        let chroma =
            |x: &mut Inputs<'_>, mask: u16| (0..12).for_each(|i| x.flag(mask >> ((i + r) % 12) & 1 == 1));
        chroma(x, now.sounding);
        chroma(x, now.struck);
        for (w, &n) in WINDOWS.iter().enumerate() {
            for i in 0..12 {
                x.put(f32::from(self.counts[w][(i + r) % 12]) / n as f32);
            }
        }
        chroma(x, self.half);
        chroma(x, self.half_before);

        for ago in 0..5 {
            x.put(f32::from(self.frame(ago).struck_count.min(8)) / 4.0);
        }
        for (w, n) in [4.0, 16.0, 64.0].into_iter().enumerate() {
            x.put(f32::from(self.struck_counts[w]) / n);
        }
        x.put(self.loudness / 64.0 - 1.0);
        x.put(f32::from(now.velocity) / 64.0);
        x.put(f32::from(self.since_struck) / 16.0);
        x.put(f32::from(now.keys.min(10)) / 5.0);
        x.flag(now.struck_count > 0 && now.struck_lowest < 52);
        x.flag(now.struck_count > 0 && now.struck_highest > 64);
        let before = self.frame(1);
        x.flag(before.struck_count > 0 && before.struck_lowest < 52);
        x.put((f32::from(self.reference) - 48.0) / 12.0);
        x.put(if now.highest > 0 { (f32::from(now.highest) - 66.0) / 12.0 } else { 0.0 });

        let up = |from: u8| (12 + r - usize::from(from)) % 12;
        x.one_hot(up(self.reference_before()), 12);
        x.one_hot(up(self.reference_ago(usize::from(place.bar_steps))), 12);
        x.one_hot(usize::from(place.in_bar) % POSITIONS, POSITIONS);
        x.one_hot(place.bar.rem_euclid(8) as usize, 8);
        parts.iter().for_each(|&p| x.flag(p));
        x.put((place.step.max(0) as f32 / 512.0).min(2.0));
        x.put(tier);
        x.flag(place.bar_steps == 16);
        x.put((bpm.clamp(20.0, 400.0) / 110.0).log2());
    }
}
