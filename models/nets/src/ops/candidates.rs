//! Pitches scored as candidates: each absolute pitch gets the sum of coefficients that describe it in
//! relation to what sounds, so that what is learnt in one key holds in all.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::values;

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
    fn each(&self, row: &CandidateRow, mut f: impl FnMut(usize, usize)) {
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

/// Most candidate sets of a head.
pub const MOST_MASKS: usize = 12;

/// What is known about the candidates of one choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CandidateRow {
    /// Pitch class of the reference.
    pub reference: u8,
    /// Pitch class of the reference of the half-bar before.
    pub reference_before: u8,
    /// Previous pitch, from the lowest.
    pub previous: u8,
    /// Candidate sets: bit `i` is the pitch `low + i`. Bits of pitches outside must be 0.
    pub masks: [u64; MOST_MASKS],
    /// Which candidates may be chosen; the bit above the pitches is "stop".
    pub allowed: u64,
}

/// Scores (rows, pitches + 1) from coefficients (rows, [`CandidateShape::coefficients`]).
///
/// # Errors
/// When the shapes do not fit.
pub fn candidate_logits(
    coefficients: &Tensor,
    shape: CandidateShape,
    rows: &[CandidateRow],
) -> Result<Tensor> {
    let (n, width) = coefficients.dims2()?;
    if n != rows.len() || width != shape.coefficients() {
        candle_core::bail!("candidates: {n}x{width} coefficients, {} rows of {shape:?}", rows.len());
    }
    if coefficients.device().is_cpu() {
        let op = Candidates { shape, rows: rows.to_vec() };
        return coefficients.contiguous()?.apply_op1(op);
    }
    composed(coefficients, shape, rows)
}

/// The same out of candle's operations: gathers by pitch class and interval, a batched product with the
/// candidate sets.
pub(super) fn composed(
    coefficients: &Tensor,
    shape: CandidateShape,
    rows: &[CandidateRow],
) -> Result<Tensor> {
    let n = rows.len();
    let CandidateShape { pitches, intervals, masks, .. } = shape;
    let classes = pitches + 1;
    // The first coefficient that `each` names for a pitch is above the reference, and so on.
    let mut places = vec![vec![0u32; n * pitches]; 3];
    let mut sets = vec![0f32; n * masks * pitches];
    let mut forbidden = vec![0f32; n * classes];
    for (i, row) in rows.iter().enumerate() {
        shape.each(row, |p, c| {
            let at = i * pitches + p;
            match c {
                0..12 => places[0][at] = c as u32,
                12..24 => places[1][at] = c as u32 - 12,
                c if c < 24 + intervals => places[2][at] = (c - 24) as u32,
                c if c < 24 + intervals + masks => {
                    sets[(i * masks + c - 24 - intervals) * pitches + p] = 1.0;
                }
                // Register and stop stand in order.
                _ => {}
            }
        });
        for p in (0..classes).filter(|&p| row.allowed >> p & 1 == 0) {
            forbidden[i * classes + p] = 1.0;
        }
    }
    let device = coefficients.device();
    let sets = Tensor::from_vec(sets, (n, masks, pitches), device)?;
    let own = coefficients.narrow(1, 24 + intervals, masks)?.contiguous()?.unsqueeze(1)?;
    let mut scores = own.matmul(&sets)?.squeeze(1)?;
    for (place, (start, width)) in places.into_iter().zip([(0, 12), (12, 12), (24, intervals)]) {
        let place = Tensor::from_vec(place, (n, pitches), device)?;
        scores = (scores + coefficients.narrow(1, start, width)?.contiguous()?.gather(&place, 1)?)?;
    }
    scores = (scores + coefficients.narrow(1, 24 + intervals + masks, pitches)?)?;
    let scores = Tensor::cat(&[&scores, &coefficients.narrow(1, shape.coefficients() - 1, 1)?], 1)?;
    let forbidden = Tensor::from_vec(forbidden, (n, classes), device)?;
    let open = (1.0 - &forbidden)?;
    (scores * open)? + (forbidden * -1e9)?
}

struct Candidates {
    shape: CandidateShape,
    rows: Vec<CandidateRow>,
}

impl CustomOp1 for Candidates {
    fn name(&self) -> &'static str {
        "candidates"
    }

    fn cpu_fwd(&self, coefficients: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let c = values(coefficients, layout)?;
        let (width, classes) = (self.shape.coefficients(), self.shape.pitches + 1);
        let mut out = vec![0f32; self.rows.len() * classes];
        for ((row, c), out) in self.rows.iter().zip(c.chunks_exact(width)).zip(out.chunks_exact_mut(classes))
        {
            self.shape.score(c, row, out);
        }
        Ok((CpuStorage::F32(out), Shape::from((self.rows.len(), classes))))
    }

    fn bwd(&self, coefficients: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (width, classes) = (self.shape.coefficients(), self.shape.pitches + 1);
        let mut d = vec![0f32; self.rows.len() * width];
        super::linear::with(&grad.contiguous()?, |g| {
            for ((row, d), g) in self.rows.iter().zip(d.chunks_exact_mut(width)).zip(g.chunks_exact(classes))
            {
                self.shape.each(row, |p, c| {
                    if row.allowed >> p & 1 == 1 {
                        d[c] += g[p];
                    }
                });
            }
        })?;
        Ok(Some(Tensor::from_vec(d, coefficients.shape(), coefficients.device())?))
    }
}
