//! A sound as it is kept, and how it is made ready to be kept.

use super::frequency;
use super::kernel::TAPS;

/// Samples kept before the first one, which the interpolation reaches back to.
const BEFORE: usize = 3;

/// A sound: samples, and how to play them.
#[derive(Debug)]
pub(crate) struct Sound {
    pub(super) data: Box<[i16]>,
    /// Frames until it ends, or until the loop's end.
    pub(crate) frames: usize,
    /// First frame of the loop; `frames` for a sound without.
    pub(crate) loop_start: usize,
    /// Seconds in which the loop falls to 1/e; infinite for a held sound.
    pub(crate) fall: f32,
    /// What a sample of 1 is worth.
    pub(crate) unit: f32,
    /// Samples a second at its own pitch.
    pub(crate) rate: f32,
    /// Its own pitch, or drum key.
    pub(crate) pitch: u8,
    /// Samples in a cycle of its pitch; 0 for drums, which are not transposed.
    pub(crate) period: f32,
    /// The force that it was made for, 0 to 1.
    pub(crate) force: f32,
    /// Darkness (see `kernel`) for a force of 0 against 1.
    pub(crate) tilt: f32,
    /// Whether the two sides read different places of the loop.
    pub(crate) wide: bool,
}

impl Sound {
    /// `samples` with their loop from `loop_start` on (the length for none).
    fn new(samples: &[f32], rate: f32, pitch: u8, loop_start: usize, fall: f32) -> Self {
        let frames = samples.len();
        let peak = samples.iter().fold(1e-6f32, |m, x| m.max(x.abs()));
        let unit = peak / 32_767.0;
        let after = |i: usize| {
            if loop_start < frames { samples[loop_start + i % (frames - loop_start)] } else { 0.0 }
        };
        // A loop from the first sample on is reached from its own end.
        let before = |i: usize| if loop_start == 0 { samples[frames - BEFORE % frames + i] } else { 0.0 };
        let data = (0..BEFORE)
            .map(before)
            .chain(samples.iter().copied())
            .chain((0..TAPS).map(after))
            .map(|x| (x / unit).round() as i16)
            .collect();
        let period = rate / frequency(pitch);
        Self { data, frames, loop_start, fall, unit, rate, pitch, period, force: 1.0, tilt: 0.0, wide: false }
    }

    /// A sound that ends.
    pub(super) fn once(samples: &[f32], rate: f32, pitch: u8) -> Self {
        Self::new(samples, rate, pitch, samples.len(), f32::INFINITY)
    }

    /// A seamless loop.
    pub(super) fn held(samples: &[f32], rate: f32, pitch: u8) -> Self {
        Self::new(samples, rate, pitch, 0, f32::INFINITY)
    }

    /// The samples that the interpolation between frame `at` and the next needs; `None` past the end.
    pub(crate) fn taps(&self, at: usize) -> Option<&[i16; TAPS]> {
        self.data.get(at..)?.first_chunk()
    }

    /// A sound of whole cycles that goes on as a loop after `seconds`, falling as it did around there.
    pub(super) fn ringing(samples: &[f32], rate: f32, pitch: u8, seconds: f32) -> Self {
        let period = (rate / frequency(pitch)).round() as usize;
        let start = (seconds * rate) as usize;
        let window = (0.15 * rate) as usize;
        let length = (0.03 * rate / period as f32).ceil() as usize * period;
        let peak = samples.iter().fold(1e-9f32, |m, x| m.max(x.abs()));
        if start + window.max(length) > samples.len()
            || power(&samples[start - window..start]) < AUDIBLE * peak
        {
            return Self::once(&trimmed(samples, rate), rate, pitch);
        }
        let (before, after) = (&samples[start - window..start], &samples[start..start + window]);
        let fall = (0.15 / (power(before) / power(after)).ln()).clamp(0.05, 30.0);
        // The loop stands still, and its end leads into what comes before its start; the player lets it fall.
        let still = |i: usize| samples[i] * ((i as f32 - start as f32) / (fall * rate)).exp();
        let mut kept = samples[..start].to_vec();
        kept.extend((0..length).map(|i| {
            let share = i as f32 / length as f32;
            still(start + i) * (1.0 - share) + still(start + i - length) * share
        }));
        Self::new(&kept, rate, pitch, start, fall)
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.data.len() * size_of::<i16>() + size_of::<Self>()
    }
}

/// Below this share of the peak a sound has ended: -63 dB.
const AUDIBLE: f32 = 7e-4;

fn power(x: &[f32]) -> f32 {
    (x.iter().map(|x| x * x).sum::<f32>() / x.len().max(1) as f32).sqrt().max(1e-9)
}

/// The sound up to where it becomes inaudible, with its last 20 ms faded out.
pub(super) fn trimmed(samples: &[f32], rate: f32) -> Vec<f32> {
    let peak = samples.iter().fold(1e-9f32, |m, x| m.max(x.abs()));
    let end = samples.iter().rposition(|x| x.abs() > AUDIBLE * peak).map_or(0, |i| i + 1);
    let mut kept = samples[..end].to_vec();
    let fade = ((0.02 * rate) as usize).min(end);
    for (i, sample) in kept[end - fade..].iter_mut().enumerate() {
        *sample *= 1.0 - (i + 1) as f32 / fade as f32;
    }
    kept
}

/// Taps to either side of the middle of the filter before every second sample goes.
const HALF: i32 = 15;

/// Every second sample, of what lies below a quarter of the rate.
pub(super) fn decimate(samples: &[f32]) -> Vec<f32> {
    let taps: Vec<f32> = (-HALF..=HALF)
        .map(|i| {
            let x = i as f32;
            let sinc = if i == 0 {
                0.5
            } else {
                (std::f32::consts::FRAC_PI_2 * x).sin() / (std::f32::consts::PI * x)
            };
            let turn = std::f32::consts::PI * x / (HALF + 1) as f32;
            sinc * (0.42 + 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos())
        })
        .collect();
    let at = |i: i64| usize::try_from(i).ok().and_then(|i| samples.get(i)).copied().unwrap_or(0.0);
    (0..samples.len() as i64 / 2)
        .map(|n| taps.iter().enumerate().map(|(k, tap)| tap * at(2 * n + k as i64 - i64::from(HALF))).sum())
        .collect()
}
