//! Pitches scored as candidates: each absolute pitch gets the sum of coefficients that describe it in
//! relation to what sounds, so that what is learnt in one key holds in all.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use sideman_inference::band::{CandidateRow, CandidateShape};

use super::values;

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
