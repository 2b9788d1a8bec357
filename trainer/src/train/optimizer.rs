//! Optimizer (Loshchilov & Hutter 2019) with gradient clipping, its moments in the open so that a run can
//! be resumed.

use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, InplaceOp2, InplaceOp3, Layout, Result, Storage, Tensor, Var, bail};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.98;
const EPSILON: f64 = 1e-8;
/// Keras's own for RMSprop.
const RHO: f64 = 0.9;
const RMS_EPSILON: f64 = 1e-7;

/// How a gradient becomes a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// Adam, with decoupled weight decay where there is any.
    #[default]
    Adam,
    /// RMSprop (Tieleman & Hinton 2012) as Keras has it: rho 0.9, epsilon 1e-7, no momentum. It knows no weight decay.
    RmsProp,
}

/// First and second moments by name.
pub(crate) type Moments = BTreeMap<String, (Tensor, Tensor)>;

/// The optimizer's state.
pub struct Optimizer {
    /// Updates made so far.
    pub updates: usize,
    /// First and second moments by name.
    pub moments: BTreeMap<String, (Tensor, Tensor)>,
    weight_decay: f64,
    clip: f64,
    beta2: f64,
    rule: Rule,
}

impl Optimizer {
    /// An optimizer that has made no update yet.
    pub fn new(weight_decay: f64, clip: f64) -> Self {
        Self { updates: 0, moments: BTreeMap::new(), weight_decay, clip, beta2: BETA2, rule: Rule::Adam }
    }

    /// With another decay of the second moments: 0.999 is what Adam's authors and Keras have.
    pub fn with_beta2(self, beta2: f64) -> Self {
        Self { beta2, ..self }
    }

    /// By another rule; the second of the moments is then the mean square.
    pub fn with_rule(self, rule: Rule) -> Self {
        Self { rule, ..self }
    }

    /// Moves the variables against their gradients and returns the norm of the gradient before clipping.
    /// When the norm is not a number nothing is moved. Matrices decay, vectors do not.
    ///
    /// # Errors
    /// When a gradient does not fit its variable.
    pub fn step(
        &mut self,
        vars: &BTreeMap<String, Var>,
        grads: &GradStore,
        learning_rate: f64,
    ) -> Result<f64> {
        let mut square = 0f64;
        for grad in vars.values().filter_map(|v| grads.get(v)) {
            square += sum_of_squares(grad)?;
        }
        let norm = square.sqrt();
        if !norm.is_finite() {
            return Ok(norm);
        }
        self.updates += 1;
        let scale = if norm > self.clip { self.clip / norm } else { 1.0 };
        let correct1 = 1.0 - BETA1.powi(self.updates as i32);
        let correct2 = 1.0 - self.beta2.powi(self.updates as i32);
        for (name, var) in vars {
            let Some(grad) = grads.get(var) else { continue };
            let (m, v) = match (self.moments.get(name), self.rule) {
                (Some((m, v)), _) => (m.clone(), v.clone()),
                (None, Rule::Adam) => (var.zeros_like()?, var.zeros_like()?),
                // There is no first moment; a place is kept for it, so that checkpoints are alike.
                (None, Rule::RmsProp) => (Tensor::zeros(1, var.dtype(), var.device())?, var.zeros_like()?),
            };
            if self.rule == Rule::RmsProp {
                let square = rms_prop(var, grad, &v, scale, learning_rate)?;
                self.moments.insert(name.clone(), (m, square));
                continue;
            }
            let decay = if var.dims().len() > 1 { learning_rate * self.weight_decay } else { 0.0 };
            let rule = AdamUpdate {
                scale,
                beta2: self.beta2,
                correct: (1.0 / correct1, 1.0 / correct2),
                keep: 1.0 - decay,
                learning_rate,
            };
            let moments = if var.device().is_cpu() {
                rule.in_place(var, grad, m, v)?
            } else {
                rule.composed(var, grad, &m, &v)?
            };
            self.moments.insert(name.clone(), moments);
        }
        Ok(norm)
    }
}

/// An update by RMSprop. Returns the mean square.
fn rms_prop(var: &Var, grad: &Tensor, square: &Tensor, scale: f64, learning_rate: f64) -> Result<Tensor> {
    let grad = if scale < 1.0 { (grad * scale)? } else { grad.clone() };
    let square = ((square * RHO)? + (grad.sqr()? * (1.0 - RHO))?)?.detach();
    let step = (grad / (square.sqrt()? + RMS_EPSILON)?)?;
    var.set(&(var.as_tensor() - (step * learning_rate)?)?)?;
    Ok(square)
}

/// What an update does to each value.
#[derive(Clone, Copy)]
struct AdamUpdate {
    /// Of the gradient, by clipping.
    scale: f64,
    beta2: f64,
    /// Of the moments, for their beginning at zero.
    correct: (f64, f64),
    /// What decay leaves of the value.
    keep: f64,
    learning_rate: f64,
}

impl AdamUpdate {
    /// The update in three passes over the memory, without a temporary: several times as fast as
    /// [`AdamUpdate::composed`], of which it gives the same bits.
    fn in_place(self, var: &Var, grad: &Tensor, m: Tensor, v: Tensor) -> Result<(Tensor, Tensor)> {
        let grad = grad.contiguous()?;
        let scale = self.scale as f32;
        m.inplace_op2(&grad, &Moment { beta: BETA1, scale, square: false })?;
        v.inplace_op2(&grad, &Moment { beta: self.beta2, scale, square: true })?;
        var.inplace_op3(&m, &v, &self)?;
        Ok((m, v))
    }

    /// The same out of candle's operations.
    fn composed(self, var: &Var, grad: &Tensor, m: &Tensor, v: &Tensor) -> Result<(Tensor, Tensor)> {
        let grad = (grad * self.scale)?;
        let m = ((m * BETA1)? + (&grad * (1.0 - BETA1))?)?;
        let v = ((v * self.beta2)? + (grad.sqr()? * (1.0 - self.beta2))?)?;
        let update = ((&m * self.correct.0)? / ((&v * self.correct.1)?.sqrt()? + EPSILON)?)?;
        var.set(&((var.as_tensor() * self.keep)? - (update * self.learning_rate)?)?)?;
        Ok((m.detach(), v.detach()))
    }
}

/// Values that a thread does at once.
const CHUNK: usize = 1 << 15;

/// The values of contiguous tensors on the CPU.
fn slices<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&values[start..end]),
        _ => bail!("an update needs contiguous f32 tensors"),
    }
}

fn slices_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&mut values[start..end]),
        _ => bail!("an update needs contiguous f32 tensors"),
    }
}

/// Sum of the squares of all values, in one order whatever the number of threads.
fn sum_of_squares(tensor: &Tensor) -> Result<f64> {
    if !tensor.device().is_cpu() {
        return Ok(f64::from(tensor.sqr()?.sum_all()?.to_scalar::<f32>()?));
    }
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    let Storage::Cpu(storage) = &*storage else { bail!("a tensor on the CPU has another storage") };
    let sums = slices(storage, layout)?.par_chunks(CHUNK).map(|chunk| {
        let mut lanes = [0f32; 16];
        let (groups, rest) = chunk.as_chunks::<16>();
        for group in groups {
            lanes.iter_mut().zip(group).for_each(|(sum, v)| *sum += v * v);
        }
        lanes.into_iter().chain(rest.iter().map(|v| v * v)).map(f64::from).sum()
    });
    Ok(sums.collect::<Vec<f64>>().into_iter().sum())
}

/// Moves a moment towards a gradient, or its square.
struct Moment {
    beta: f64,
    scale: f32,
    square: bool,
}

impl InplaceOp2 for Moment {
    fn name(&self) -> &'static str {
        "moment"
    }

    fn cpu_fwd(&self, m: &mut CpuStorage, ml: &Layout, g: &CpuStorage, gl: &Layout) -> Result<()> {
        let (m, g) = (slices_mut(m, ml)?, slices(g, gl)?);
        let (keep, share, scale) = (self.beta as f32, (1.0 - self.beta) as f32, self.scale);
        m.par_chunks_mut(CHUNK).zip(g.par_chunks(CHUNK)).for_each(|(m, g)| {
            if self.square {
                for (m, g) in m.iter_mut().zip(g) {
                    let g = g * scale;
                    *m = *m * keep + g * g * share;
                }
            } else {
                m.iter_mut().zip(g).for_each(|(m, g)| *m = *m * keep + g * scale * share);
            }
        });
        Ok(())
    }
}

impl InplaceOp3 for AdamUpdate {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn cpu_fwd(
        &self,
        w: &mut CpuStorage,
        wl: &Layout,
        m: &CpuStorage,
        ml: &Layout,
        v: &CpuStorage,
        vl: &Layout,
    ) -> Result<()> {
        let (w, m, v) = (slices_mut(w, wl)?, slices(m, ml)?, slices(v, vl)?);
        let (correct1, correct2) = (self.correct.0 as f32, self.correct.1 as f32);
        let (keep, rate, epsilon) = (self.keep as f32, self.learning_rate as f32, EPSILON as f32);
        w.par_chunks_mut(CHUNK).zip(m.par_chunks(CHUNK)).zip(v.par_chunks(CHUNK)).for_each(|((w, m), v)| {
            for ((w, m), v) in w.iter_mut().zip(m).zip(v) {
                *w = *w * keep - m * correct1 / ((v * correct2).sqrt() + epsilon) * rate;
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn in_place_gives_the_bits_of_the_composition() {
        let n = 3 * CHUNK + 17;
        let values = |seed: u32| -> Tensor {
            let value = |i: usize| ((i as u32).wrapping_mul(2_654_435_761).wrapping_add(seed) >> 8) as f32;
            Tensor::from_vec((0..n).map(|i| value(i) / 8e6 - 1.0).collect(), n, &Device::Cpu).unwrap()
        };
        let rule = AdamUpdate {
            scale: 0.37,
            beta2: 0.98,
            correct: (3.7, 29.0),
            keep: 0.9995,
            learning_rate: 1.3e-3,
        };
        let (a, b) = (Var::from_tensor(&values(1)).unwrap(), Var::from_tensor(&values(1)).unwrap());
        let (grad, m, v) = (values(2), values(3), values(4).sqr().unwrap());
        let one = rule.composed(&a, &grad, &m, &v).unwrap();
        let two = rule.in_place(&b, &grad, m.copy().unwrap(), v.copy().unwrap()).unwrap();
        let bits =
            |t: &Tensor| -> Vec<u32> { t.to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect() };
        assert_eq!(bits(a.as_tensor()), bits(b.as_tensor()));
        assert_eq!((bits(&one.0), bits(&one.1)), (bits(&two.0), bits(&two.1)));
    }

    /// Two steps of RMSprop by hand.
    #[test]
    fn rmsprop_is_keras_own() {
        let var = Var::from_slice(&[1f32, -2.0], 2, &Device::Cpu).unwrap();
        let vars = BTreeMap::from([("w".to_owned(), var.clone())]);
        let mut optimizer = Optimizer::new(0.0, 1e9).with_rule(Rule::RmsProp);
        let mut expected = [1f64, -2.0];
        let mut square = [0f64; 2];
        for _ in 0..2 {
            // The loss w^2 has the gradient 2 w.
            let grads = var.sqr().unwrap().sum_all().unwrap().backward().unwrap();
            let norm = optimizer.step(&vars, &grads, 0.1).unwrap();
            let gradient = expected.map(|w| 2.0 * w);
            assert!((norm - (gradient[0].powi(2) + gradient[1].powi(2)).sqrt()).abs() < 1e-4);
            for i in 0..2 {
                square[i] = 0.9 * square[i] + 0.1 * gradient[i].powi(2);
                expected[i] -= 0.1 * gradient[i] / (square[i].sqrt() + 1e-7);
            }
        }
        for (w, e) in var.to_vec1::<f32>().unwrap().iter().zip(expected) {
            assert!((f64::from(*w) - e).abs() < 1e-5, "{w} {e}");
        }
        assert_eq!(optimizer.updates, 2);
    }
}
