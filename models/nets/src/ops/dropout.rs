//! Dropout (Srivastava et al. 2014), inverted: what is kept is scaled up in training, so that inference does
//! nothing.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rand::Rng;
use rand_pcg::Pcg64;

use super::linear::with;
use super::values;

/// Zeroes each element with probability `share`, 0 to below 1, and divides the others by `1 - share`. For
/// training only.
///
/// # Errors
/// When the share is outside its range.
pub fn dropout(x: &Tensor, share: f32, rng: &mut Pcg64) -> Result<Tensor> {
    if !(0.0..1.0).contains(&share) {
        bail!("dropout: a share of {share} is not from 0 to below 1");
    }
    if share == 0.0 {
        return Ok(x.clone());
    }
    let keep = 1.0 / (1.0 - share);
    // A draw of 16 bits is enough for a share, and a quarter of the work.
    let limit = (share * 65536.0) as u64;
    let mut bits = 0u64;
    let mask: Vec<f32> = (0..x.elem_count())
        .map(|i| {
            if i % 4 == 0 {
                bits = rng.random();
            }
            let kept = bits & 0xFFFF >= limit;
            bits >>= 16;
            if kept { keep } else { 0.0 }
        })
        .collect();
    if x.device().is_cpu() {
        return x.contiguous()?.apply_op1(Mask(mask));
    }
    x * Tensor::from_vec(mask, x.shape(), x.device())?
}

/// A product with constants: candle's own would make their gradient as well.
struct Mask(Vec<f32>);

impl CustomOp1 for Mask {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let y = values(x, layout)?.iter().zip(&self.0).map(|(x, m)| x * m).collect();
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let dx: Vec<f32> =
            with(&grad.contiguous()?, |g| g.iter().zip(&self.0).map(|(g, m)| g * m).collect())?;
        Ok(Some(Tensor::from_vec(dx, x.shape(), x.device())?))
    }
}
