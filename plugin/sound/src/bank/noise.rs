//! A tiny noise source, so that the band sounds the same on every machine, and a filter.

/// White noise by xorshift; the seed fixes every sample.
#[derive(Debug, Clone)]
pub(super) struct Noise(u32);

impl Noise {
    /// Noise for a seed; any seed will do.
    pub(super) fn new(seed: u32) -> Self {
        // A multiplier spreads neighbouring seeds apart; xorshift only must not start at zero.
        Self(seed.wrapping_mul(0x9E37_79B9) | 1)
    }

    /// The next sample, -1 to 1.
    pub(super) fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        (self.0 as i32) as f32 / 2_147_483_648.0
    }
}

/// A filter with two poles and two zeros, coefficients after the usual bilinear designs.
#[derive(Debug, Clone, Default)]
pub(super) struct Biquad {
    b: [f32; 3],
    a: [f32; 2],
    z: [f32; 2],
}

impl Biquad {
    fn design(freq: f32, q: f32, rate: f32, numerator: impl Fn(f32, f32) -> [f32; 3]) -> Self {
        let w = std::f32::consts::TAU * (freq / rate).clamp(0.0005, 0.49);
        let (alpha, cos) = (w.sin() / (2.0 * q), w.cos());
        let a0 = 1.0 + alpha;
        let b = numerator(alpha, cos).map(|x| x / a0);
        Self { b, a: [-2.0 * cos / a0, (1.0 - alpha) / a0], z: [0.0; 2] }
    }

    /// Lets the band around `freq` (Hz) through, with gain 1 there, at `rate` samples a second.
    pub(super) fn band_pass(freq: f32, q: f32, rate: f32) -> Self {
        Self::design(freq, q, rate, |alpha, _| [alpha, 0.0, -alpha])
    }

    /// Lets what lies above `freq` (Hz) through.
    pub(super) fn high_pass(freq: f32, q: f32, rate: f32) -> Self {
        Self::design(freq, q, rate, |_, cos| [(1.0 + cos) / 2.0, -(1.0 + cos), (1.0 + cos) / 2.0])
    }

    /// Lets what lies below `freq` (Hz) through.
    pub(super) fn low_pass(freq: f32, q: f32, rate: f32) -> Self {
        Self::design(freq, q, rate, |_, cos| [(1.0 - cos) / 2.0, 1.0 - cos, (1.0 - cos) / 2.0])
    }

    /// Filters one sample.
    pub(super) fn run(&mut self, x: f32) -> f32 {
        let y = self.b[0] * x + self.z[0];
        self.z[0] = self.b[1] * x - self.a[0] * y + self.z[1];
        self.z[1] = self.b[2] * x - self.a[1] * y;
        y
    }
}
