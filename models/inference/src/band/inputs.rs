//! A cursor over a row of network inputs.

use sideman_music::{BandStep, Part};

/// Fills a row from left to right. The row must start out as zeros.
pub struct Inputs<'a> {
    row: &'a mut [f32],
    next: usize,
}

impl<'a> Inputs<'a> {
    /// Begins at the left.
    pub fn new(row: &'a mut [f32]) -> Self {
        Self { row, next: 0 }
    }

    /// The next input.
    pub fn put(&mut self, value: f32) {
        self.row[self.next] = value;
        self.next += 1;
    }

    /// The next input, 1 or 0.
    pub fn flag(&mut self, on: bool) {
        self.put(if on { 1.0 } else { 0.0 });
    }

    /// `n` inputs, the one at `index` set; an index of `n` or more sets none.
    pub fn one_hot(&mut self, index: usize, n: usize) {
        if index < n {
            self.row[self.next + index] = 1.0;
        }
        self.next += n;
    }

    /// Number of inputs so far.
    pub fn written(&self) -> usize {
        self.next
    }
}

/// Writes what the parts before `part` do at a position.
pub fn write_extra(part: Part, early: bool, now: &BandStep, reference: u8, x: &mut Inputs<'_>) {
    x.flag(early);
    if part == Part::Drums {
        return;
    }
    now.drums.iter().for_each(|&d| x.flag(d > 0));
    if part == Part::Bass {
        return;
    }
    let above = |pitch: u8| usize::from((12 + pitch % 12 - reference) % 12);
    x.flag(now.bass.is_some());
    x.one_hot(now.bass.map_or(99, |b| above(b.pitch)), 12);
    if part == Part::Guitar {
        return;
    }
    x.flag(!now.guitar.is_empty());
    let pcs = now.guitar.pitches().iter().fold(0u16, |m, &p| m | 1 << above(p));
    (0..12).for_each(|i| x.flag(pcs >> i & 1 == 1));
}
