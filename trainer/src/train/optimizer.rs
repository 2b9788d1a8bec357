//! AdamW (Loshchilov & Hutter 2019) with gradient clipping, its moments in the open so that a run can
//! be resumed.

use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.98;
const EPSILON: f64 = 1e-8;

/// The optimizer's state.
pub struct AdamW {
    /// Updates made so far.
    pub updates: usize,
    /// First and second moments by name.
    pub moments: BTreeMap<String, (Tensor, Tensor)>,
    weight_decay: f64,
    clip: f64,
    beta2: f64,
}

impl AdamW {
    /// An optimizer that has made no update yet.
    pub fn new(weight_decay: f64, clip: f64) -> Self {
        Self { updates: 0, moments: BTreeMap::new(), weight_decay, clip, beta2: BETA2 }
    }

    /// With another decay of the second moments: 0.999 is what Adam's authors and Keras have.
    pub fn with_beta2(self, beta2: f64) -> Self {
        Self { beta2, ..self }
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
            square += f64::from(grad.sqr()?.sum_all()?.to_scalar::<f32>()?);
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
            let grad = (grad * scale)?;
            let (m, v) = match self.moments.get(name) {
                Some((m, v)) => (m.clone(), v.clone()),
                None => (var.zeros_like()?, var.zeros_like()?),
            };
            let m = ((m * BETA1)? + (&grad * (1.0 - BETA1))?)?;
            let v = ((v * self.beta2)? + (grad.sqr()? * (1.0 - self.beta2))?)?;
            let update = ((&m / correct1)? / ((&v / correct2)?.sqrt()? + EPSILON)?)?;
            let decay = if var.dims().len() > 1 { learning_rate * self.weight_decay } else { 0.0 };
            var.set(&((var.as_tensor() * (1.0 - decay))? - (update * learning_rate)?)?)?;
            self.moments.insert(name.clone(), (m.detach(), v.detach()));
        }
        Ok(norm)
    }
}
