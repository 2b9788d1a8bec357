//! Exponential, logistic function and hyperbolic tangent out of additions, multiplications and one division.
//!
//! The standard library's differ from system to system, and a difference in the last bit is enough to draw
//! another note. These give the same bits wherever f32 follows IEEE 754, and loops over them vectorise.

/// Adding it rounds to a whole number, ties to even, which then stands in the lowest bits.
pub(super) const ROUND: f32 = 12_582_912.0;

/// `e^x`, within 1.5e-7 of it, relatively. Below -87 it is `e^-87`, above 88 `e^88`; NaN counts as -87.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // Comparisons rather than `clamp`: one instruction each, and NaN falls to the lower end.
    let x = if x > -87.0 { x } else { -87.0 };
    let x = if x < 88.0 { x } else { 88.0 };
    // x = n ln 2 + r with a whole n; ln 2 in two pieces, the first with so few bits that n times it is exact.
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    // e^r by its series: r is at most 0.35, so the first term left out is below 6e-9.
    let mut sum = 1.0 / 5040.0;
    for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = sum * r + c;
    }
    // 2^n: n + 127 is the exponent's bits.
    sum * f32::from_bits(rounded.to_bits().wrapping_add(127) << 23)
}

/// `1 / (1 + e^-x)`, within 1.5e-7.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Hyperbolic tangent, within 2e-7.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (1.0 + exp(2.0 * x))
}

/// One step of an LSTM cell: gates (input, forget, candidate, output, each as wide as the cell), and the
/// cell's memory and output, which change.
#[inline(always)]
pub(super) fn cell(gates: &[f32], c: &mut [f32], h: &mut [f32]) {
    let n = c.len();
    let (input, rest) = gates.split_at(n);
    let (forget, rest) = rest.split_at(n);
    let (candidate, output) = rest.split_at(n);
    let (h, output) = (&mut h[..n], &output[..n]);
    for j in 0..n {
        c[j] = sigmoid(forget[j]) * c[j] + sigmoid(input[j]) * tanh(candidate[j]);
        h[j] = sigmoid(output[j]) * tanh(c[j]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every 61st float of either sign up to a size: some seventy million in all would be every one.
    fn each(most: f32, mut check: impl FnMut(f32)) {
        for bits in (0..=most.to_bits()).step_by(61) {
            check(f32::from_bits(bits));
            check(-f32::from_bits(bits));
        }
    }

    #[test]
    fn they_are_as_near_as_they_say() {
        let mut worst = [0f64; 3];
        each(87.0, |x| {
            let true_exp = f64::from(x).exp();
            let errors = [
                (f64::from(exp(x)) - true_exp).abs() / true_exp,
                (f64::from(sigmoid(x)) - 1.0 / (1.0 + (-f64::from(x)).exp())).abs(),
                (f64::from(tanh(x)) - f64::from(x).tanh()).abs(),
            ];
            for (w, e) in worst.iter_mut().zip(errors) {
                *w = w.max(e);
            }
        });
        assert!(worst[0] <= 1.5e-7 && worst[1] <= 1.5e-7 && worst[2] <= 2e-7, "{worst:?}");
    }

    #[test]
    fn they_keep_their_range_and_order_anywhere() {
        let mut before = [f32::NEG_INFINITY; 3];
        let ends = [f32::NEG_INFINITY, f32::MIN, -1e4, -90.0];
        let walk = (-4000..=4000).map(|i| i as f32 / 40.0);
        for x in ends.into_iter().chain(walk).chain(ends.map(|e| -e).into_iter().rev()) {
            let now = [exp(x), sigmoid(x), tanh(x)];
            assert!(now[0] > 0.0 && now[0].is_finite(), "exp {x}: {}", now[0]);
            assert!((0.0..=1.0).contains(&now[1]) && (-1.0..=1.0).contains(&now[2]), "{x}: {now:?}");
            // By no more than the rounding can they go down.
            assert!(now[0] >= before[0] * (1.0 - 3e-7), "exp {x}");
            assert!(now[1] >= before[1] - 3e-7 && now[2] >= before[2] - 4e-7, "{x}: {now:?} {before:?}");
            before = now;
        }
        assert!([exp(f32::NAN), sigmoid(f32::NAN), tanh(f32::NAN)].iter().all(|v| v.is_finite()));
        assert_eq!((exp(0.0), sigmoid(0.0), tanh(0.0)), (1.0, 0.5, 0.0));
    }
}
