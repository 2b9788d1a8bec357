//! Reading between the samples of a sound: windowed-sinc interpolation in eight taps, in several
//! brightnesses, so that a softly played note is a darker reading of the same sound.

/// Samples that one output depends on.
pub(crate) const TAPS: usize = 8;
/// Places between two samples that have coefficients of their own.
const PHASES: usize = 1 << PHASE_BITS;
/// Bits of the place between two samples that choose the coefficients.
pub(crate) const PHASE_BITS: u32 = 9;
/// What a coefficient of 1 is kept as: integers are multiplied and summed in any order, thus at once.
pub(crate) const SCALE: f32 = 16_384.0;

/// Coefficients by phase: [`TAPS`] each, for the samples from three before to four after.
pub(crate) type Kernel = [[i16; TAPS]; PHASES];

/// Darknesses that have a kernel: nepers that a frequency as high as the sound's rate would be taken down.
/// Eight taps round the slope off near zero, so that the fundamental keeps its level.
const DARKNESS: [f32; 12] = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.5, 7.5, 10.0, 13.0, 17.0];

/// All kernels.
#[derive(Debug)]
pub(super) struct Kernels(Box<[Kernel]>);

impl Kernels {
    pub(super) fn new() -> Self {
        let mut kernels = vec![[[0; TAPS]; PHASES]; DARKNESS.len()].into_boxed_slice();
        for (kernel, darkness) in kernels.iter_mut().zip(DARKNESS) {
            for (phase, taps) in kernel.iter_mut().enumerate() {
                // The middle of the phase stands for all of it.
                let between = (phase as f32 + 0.5) / PHASES as f32;
                let exact: [f64; TAPS] = std::array::from_fn(|j| {
                    let t = j as f32 - 3.0 - between;
                    f64::from(response(darkness, t) * window(t))
                });
                // A steady signal passes unchanged at every phase, or the steps would be heard as a tone.
                let sum: f64 = exact.iter().sum();
                *taps = exact.map(|x| (x / sum * f64::from(SCALE)).round() as i16);
                let rest = SCALE as i32 - taps.iter().map(|&t| i32::from(t)).sum::<i32>();
                taps[if between < 0.5 { 3 } else { 4 }] += rest as i16;
            }
        }
        Self(kernels)
    }

    /// The kernel nearest to a darkness.
    pub(super) fn nearest(&self, darkness: f32) -> &Kernel {
        let above = DARKNESS.iter().position(|&d| d >= darkness).unwrap_or(DARKNESS.len() - 1);
        let below = above.saturating_sub(1);
        let i = if darkness - DARKNESS[below] < DARKNESS[above] - darkness { below } else { above };
        &self.0[i]
    }
}

/// Impulse response at `t` samples of a filter that passes exp(-darkness f) up to half the rate:
/// the integral of exp(-df) cos(2 pi f t) over f from 0 to 1/2, twice.
fn response(darkness: f32, t: f32) -> f32 {
    let (d, w) = (f64::from(darkness), std::f64::consts::TAU * f64::from(t));
    let square = d * d + w * w;
    if square < 1e-9 {
        return 1.0;
    }
    let end = (-d / 2.0).exp();
    let (sin, cos) = (w / 2.0).sin_cos();
    (2.0 * (d + end * (w * sin - d * cos)) / square) as f32
}

/// Kaiser's window, four samples to either side. Of the common ones it gives the best images at eight taps:
/// 53 dB down for tones up to 0.3 of the rate, the level there within 0.5 dB.
fn window(t: f32) -> f32 {
    let x = (t / (TAPS / 2) as f32).clamp(-1.0, 1.0);
    (bessel(5.2 * (1.0 - x * x).sqrt()) / bessel(5.2)) as f32
}

/// The modified Bessel function of order zero, by its series.
fn bessel(x: f32) -> f64 {
    let half = f64::from(x) / 2.0;
    let terms = (1..30).scan(1.0, |term, k| {
        *term *= (half / f64::from(k)).powi(2);
        Some(*term)
    });
    1.0 + terms.sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gain of a kernel for a tone of `f` cycles a sample, and the amplitude of all it adds to a tone of 1.
    fn measure(kernel: &Kernel, f: f64) -> (f64, f64) {
        let read = |at: f64| -> f64 {
            let (whole, phase) = (at.floor(), (at.fract() * PHASES as f64) as usize);
            let tone = |j: usize| (std::f64::consts::TAU * f * (whole + j as f64 - 3.0)).sin();
            kernel[phase].iter().enumerate().map(|(j, &tap)| f64::from(tap) * tone(j)).sum::<f64>()
                / f64::from(SCALE)
        };
        let places: Vec<f64> = (0..20_000).map(|n| 8.0 + f64::from(n) * 0.737_218).collect();
        let (mut re, mut im) = (0.0, 0.0);
        for &at in &places {
            let (sin, cos) = (std::f64::consts::TAU * f * at).sin_cos();
            (re, im) = (re + read(at) * sin, im + read(at) * cos);
        }
        let scale = 2.0 / places.len() as f64;
        (re, im) = (re * scale, im * scale);
        let rest: f64 = places
            .iter()
            .map(|&at| {
                let (sin, cos) = (std::f64::consts::TAU * f * at).sin_cos();
                (read(at) - re * sin - im * cos).powi(2)
            })
            .sum();
        (re.hypot(im), (rest * scale).sqrt())
    }

    #[test]
    fn tones_keep_their_level_and_gain_little_noise() {
        let kernels = Kernels::new();
        for f in [0.01, 0.05, 0.1, 0.2, 0.25, 0.3] {
            let (gain, noise) = measure(kernels.nearest(0.0), f);
            assert!((0.94..1.01).contains(&gain), "{f}: gain {gain}");
            assert!(noise < if f < 0.3 { 3e-3 } else { 5e-3 }, "{f}: noise {:.1} dB", 20.0 * noise.log10());
        }
    }

    #[test]
    fn dark_kernels_take_the_highs_away_and_leave_the_lows() {
        let kernels = Kernels::new();
        let mut last = 1.1;
        for darkness in DARKNESS {
            let kernel = kernels.nearest(darkness);
            let (low, _) = measure(kernel, 0.01);
            let (high, noise) = measure(kernel, 0.25);
            assert!(low > 0.99, "{darkness}: {low}");
            assert!(high < last, "{darkness}: {high} after {last}");
            assert!(noise < 3.2e-3, "{darkness}: noise {:.1} dB", 20.0 * noise.log10());
            last = high;
        }
        assert!(last < 0.13, "{last}");
    }
}
