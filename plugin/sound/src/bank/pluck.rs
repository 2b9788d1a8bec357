//! Plucked strings: a delay line that hears itself through a soft filter (Karplus and Strong, 1983, with
//! the tuning and pick-place extensions of Jaffe and Smith, same year).

use super::frequency;
use super::noise::{Biquad, Noise};

/// How a guitar sounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct PluckTone {
    /// Cut-off of the pluck at medium force, in Hz.
    pub(super) bright: f32,
    /// Seconds in which a note of the open A string falls to 1/e.
    pub(super) lasting: f32,
    /// How fast the highs die, 0 (never) to 0.5 (at once).
    pub(super) damping: f32,
    /// MixPosition of the plectrum as a share of the string.
    pub(super) place: f32,
    /// Share of the wooden body's two lowest resonances.
    pub(super) body: f32,
    /// Overdrive, 0 for none.
    pub(super) drive: f32,
}

/// Plucks a string for `seconds`. `force` is 0 to 1; `period` is a cycle in samples, which with the pitch
/// gives the rate.
pub(super) fn pluck(tone: PluckTone, pitch: u8, force: f32, period: usize, seconds: f32) -> Vec<f32> {
    let period = period as f32;
    let rate = period * frequency(pitch);
    let mut out = vec![0.0f32; (seconds * rate) as usize];
    // The loop filter y = (1-d) x + d x' delays by about d samples, and the all-pass makes up the fraction.
    let delay = (period - tone.damping).max(2.5);
    let whole = (delay - 0.5).floor();
    let fraction = delay - whole;
    let allpass = (1.0 - fraction) / (1.0 + fraction);
    let mut line = excite(tone, pitch, force, rate, whole as usize);
    let lasting = tone.lasting * 2f32.powf(-(f32::from(pitch) - 45.0) / 12.0 * 0.55);
    let keep = (-period / (lasting * rate)).exp();

    let (mut at, mut last, mut ap_in, mut ap_out) = (0, 0.0f32, 0.0f32, 0.0f32);
    let mut air = Biquad::band_pass(105.0, 1.2, rate);
    let mut top = Biquad::band_pass(215.0, 1.6, rate);
    let mut thin = Biquad::high_pass(70.0, 0.7, rate);
    for sample in out.iter_mut() {
        let x = line[at];
        let soft = (1.0 - tone.damping) * x + tone.damping * last;
        last = x;
        let y = allpass * (soft * keep - ap_out) + ap_in;
        (ap_in, ap_out) = (soft * keep, y);
        line[at] = y;
        at = if at + 1 == line.len() { 0 } else { at + 1 };
        *sample = thin.run(x + tone.body * (air.run(x) + top.run(x)));
    }
    if tone.drive > 0.0 {
        let mut cabinet = Biquad::low_pass(3600.0, 0.8, rate);
        for sample in out.iter_mut() {
            *sample = cabinet.run((*sample * tone.drive).tanh() / tone.drive.sqrt());
        }
    }
    super::modal::soften_start(rate, &mut out, 0.0006);
    out
}

/// One period of the pluck: what soft noise, combed by the place of the plectrum, is on average, so that all
/// notes are alike. Only the phases are left to chance.
fn excite(tone: PluckTone, pitch: u8, force: f32, rate: f32, frames: usize) -> Vec<f32> {
    let mut noise = Noise::new(0x517 + u32::from(pitch) * 31);
    let cutoff = tone.bright * (0.45 + 1.1 * force);
    let turn = std::f32::consts::TAU / frames as f32;
    let sine: Vec<f32> = (0..frames).map(|i| (i as f32 * turn).sin()).collect();
    let mut line = vec![0.0f32; frames];
    for k in 1..frames.div_ceil(2) {
        let comb = (std::f32::consts::PI * k as f32 * tone.place).sin().abs();
        // A low-pass of two poles with a Q of 0.6.
        let x = k as f32 * rate / frames as f32 / cutoff;
        let amp = comb / ((1.0 - x * x).powi(2) + (x / 0.6).powi(2)).sqrt();
        let shift = ((noise.next() + 1.0) * 0.5 * frames as f32) as usize;
        for (i, x) in line.iter_mut().enumerate() {
            *x += amp * sine[(i * k + shift) % frames];
        }
    }
    let power = (line.iter().map(|x| x * x).sum::<f32>() / frames as f32).sqrt().max(1e-6);
    line.iter_mut().for_each(|x| *x *= 0.34 / power);
    line
}
