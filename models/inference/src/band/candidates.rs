//! Pitches scored as candidates: each absolute pitch gets the sum of coefficients that describe it in
//! relation to what sounds, so that what is learnt in one key holds in all.

use super::rows::CandidateRow;

/// Sizes of a candidate head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CandidateShape {
    /// Lowest pitch.
    pub low: usize,
    /// Number of pitches; one more class means "stop".
    pub pitches: usize,
    /// Number of intervals from the previous pitch, odd, the middle one being a repetition.
    pub intervals: usize,
    /// Number of candidate sets.
    pub masks: usize,
}

impl CandidateShape {
    /// Coefficients a row: above the reference (12), above the reference before (12), interval, candidate
    /// sets, register, stop.
    pub const fn coefficients(&self) -> usize {
        24 + self.intervals + self.masks + self.pitches + 1
    }

    /// Calls `f(candidate, coefficient)` for every coefficient that counts for a candidate.
    pub fn each(&self, row: &CandidateRow, mut f: impl FnMut(usize, usize)) {
        let reach = (self.intervals / 2) as isize;
        let above = |from: u8| (self.low + 24 - usize::from(from)) % 12;
        let (a0, b0) = (above(row.reference), above(row.reference_before));
        for p in 0..self.pitches {
            f(p, (a0 + p) % 12);
            f(p, 12 + (b0 + p) % 12);
            let interval = (p as isize - row.previous as isize).clamp(-reach, reach) + reach;
            f(p, 24 + interval as usize);
            f(p, 24 + self.intervals + self.masks + p);
        }
        for (k, &mask) in row.masks.iter().enumerate().take(self.masks) {
            let mut left = mask;
            while left != 0 {
                f(left.trailing_zeros() as usize, 24 + self.intervals + k);
                left &= left - 1;
            }
        }
        f(self.pitches, self.coefficients() - 1);
    }

    /// Scores of all pitches and of stopping, from one row of coefficients; `out` has `pitches + 1` places.
    /// Forbidden candidates get -1e9.
    pub fn score(&self, coefficients: &[f32], row: &CandidateRow, out: &mut [f32]) {
        // What `each` names, a coefficient's kind at a time: most of it is sums of neighbours.
        let (above, rest) = coefficients[..self.coefficients()].split_at(12);
        let (above_before, rest) = rest.split_at(12);
        let (intervals, rest) = rest.split_at(self.intervals);
        let (sets, register) = rest.split_at(self.masks);
        out.copy_from_slice(register);
        let octave = |from: u8| (self.low + 24 - usize::from(from)) % 12;
        let (a0, b0) = (octave(row.reference), octave(row.reference_before));
        let by_class: [f32; 12] = std::array::from_fn(|i| above[(a0 + i) % 12] + above_before[(b0 + i) % 12]);
        for octave in out[..self.pitches].chunks_mut(12) {
            octave.iter_mut().zip(&by_class).for_each(|(v, by)| *v += by);
        }
        let (reach, previous) = (self.intervals / 2, usize::from(row.previous));
        for (p, v) in out[..self.pitches].iter_mut().enumerate() {
            *v += intervals[(p + reach).saturating_sub(previous).min(2 * reach)];
        }
        for (set, &mask) in sets.iter().zip(&row.masks) {
            let mut left = mask;
            while left != 0 {
                out[left.trailing_zeros() as usize] += set;
                left &= left - 1;
            }
        }
        for (p, v) in out.iter_mut().enumerate() {
            *v = if row.allowed >> p & 1 == 1 { *v } else { -1e9 };
        }
    }
}
