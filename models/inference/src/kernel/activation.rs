//! What follows a product, forward and backward.

/// What follows a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    None,
    /// max(0, x).
    Relu,
    /// x where positive, exp(x) - 1 elsewhere (Clevert et al. 2016, with alpha 1).
    Elu,
}

impl Activation {
    /// Applies it in place.
    #[inline(always)]
    pub fn apply(self, values: &mut [f32]) {
        match self {
            Self::None => {}
            Self::Relu => values.iter_mut().for_each(|v| *v = v.max(0.0)),
            Self::Elu => values.iter_mut().for_each(|v| *v = v.max(0.0) + (exp(v.min(0.0)) - 1.0)),
        }
    }

    /// Multiplies a gradient by the derivative, which each of them can tell from its result `y`.
    pub fn chain(self, gradient: &mut [f32], y: &[f32]) {
        match self {
            Self::None => {}
            Self::Relu => {
                gradient.iter_mut().zip(y).for_each(|(g, &y)| *g = if y > 0.0 { *g } else { 0.0 });
            }
            Self::Elu => gradient.iter_mut().zip(y).for_each(|(g, &y)| *g *= y.min(0.0) + 1.0),
        }
    }
}

/// exp(x) for x of 0 or less, by a polynomial that vectorises; within 2e-7 of it, and 0 below -87.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // Adding this number leaves the nearest whole number in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let shifted = x.max(-87.0) * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    // ln 2 in two parts, the first of few bits, so that the difference is exact.
    let r = x.max(-87.0) - whole * 0.693_359_4 + whole * 2.121_944_4e-4;
    // Taylor's series: with |r| up to ln(2) / 2 the first term left out is 1e-7 of the whole.
    let p = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r / 720.0)))));
    let power = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    p * f32::from_bits(power)
}

/// 1 / (1 + exp(-x)), within 2e-7; NaN stays NaN, so that a training that went astray is noticed.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    let e = exp(-x.abs());
    let of = (if x < 0.0 { e } else { 1.0 }) / (1.0 + e);
    if x.is_nan() { x } else { of }
}

/// The hyperbolic tangent, within 3e-7; NaN stays NaN.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let e = exp(-2.0 * x.abs());
    let of = ((1.0 - e) / (1.0 + e)).copysign(x);
    if x.is_nan() { x } else { of }
}

/// ln(1 + e) for e of 0 to 1, within 2e-7: twice the inverse hyperbolic tangent of e / (2 + e), by its series.
#[inline(always)]
pub fn ln_1p(e: f32) -> f32 {
    let s = e / (2.0 + e);
    let q = s * s;
    let terms =
        1.0 + q * (1.0 / 3.0 + q * (0.2 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0 + q / 13.0)))));
    2.0 * s * terms
}

/// Logits to probabilities, in place.
pub fn softmax(values: &mut [f32]) {
    let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    values.iter_mut().for_each(|v| *v = (*v - most).exp());
    let sum: f32 = values.iter().sum();
    values.iter_mut().for_each(|v| *v /= sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_of_exp_is_close() {
        for i in -200_000i32..=200_000 {
            let x = i as f32 / 2000.0;
            let wide = f64::from(x);
            assert!((f64::from(sigmoid(x)) - 1.0 / (1.0 + (-wide).exp())).abs() < 2e-7, "{x}");
            assert!((f64::from(tanh(x)) - wide.tanh()).abs() < 3e-7, "{x}");
            let share = (i as f32 / 200_000.0).abs();
            assert!((f64::from(ln_1p(share)) - f64::from(share).ln_1p()).abs() < 2e-7, "{share}");
        }
        assert!(sigmoid(f32::NAN).is_nan() && tanh(f32::NAN).is_nan());
        assert_eq!((sigmoid(f32::INFINITY), tanh(f32::NEG_INFINITY)), (1.0, -1.0));
    }

    #[test]
    fn exp_is_close() {
        for i in 0..200_000 {
            let x = -f64::from(i) / 2000.0;
            assert!((f64::from(exp(x as f32)) - f64::from(x as f32).exp()).abs() < 2e-7, "{x}");
        }
        assert!(exp(f32::NEG_INFINITY) < 1e-30);
    }
}
