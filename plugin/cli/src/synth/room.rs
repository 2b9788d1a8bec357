//! The room around the band and the limiter behind it.

use super::RATE;

/// Lengths of the echo paths in samples: mutually prime, 27 to 66 ms.
const PATHS: [usize; 8] = [1193, 1381, 1583, 1787, 2029, 2309, 2591, 2897];

/// A feedback delay network (Jot and Chaigne, 1991): eight echo paths that feed each other through a
/// Householder reflection.
pub(super) struct Room {
    lines: [Vec<f32>; 8],
    at: [usize; 8],
    soft: [f32; 8],
    keep: [f32; 8],
}

impl Room {
    /// A room whose sound dies by 60 dB in `seconds`.
    pub(super) fn new(seconds: f32) -> Self {
        Self {
            lines: PATHS.map(|n| vec![0.0; n]),
            at: [0; 8],
            soft: [0.0; 8],
            keep: PATHS.map(|n| 10f32.powf(-3.0 * n as f32 / RATE / seconds)),
        }
    }

    /// Adds the room's answer to `send` to `out`. All slices are equally long.
    pub(super) fn add(&mut self, send: [&[f32]; 2], out: &mut [Vec<f32>; 2]) {
        let [out_left, out_right] = out;
        for (i, (left, right)) in out_left.iter_mut().zip(out_right.iter_mut()).enumerate() {
            let mut heard = [0.0f32; 8];
            for k in 0..8 {
                // A one-pole filter in each path: walls take the highs first.
                self.soft[k] += 0.62 * (self.lines[k][self.at[k]] - self.soft[k]);
                heard[k] = self.soft[k] * self.keep[k];
            }
            let reflected = heard.iter().sum::<f32>() * 0.25;
            for k in 0..8 {
                let input = send[k % 2][i] * if k % 4 < 2 { 0.5 } else { -0.5 };
                self.lines[k][self.at[k]] = heard[k] - reflected + input;
                self.at[k] = if self.at[k] + 1 == PATHS[k] { 0 } else { self.at[k] + 1 };
            }
            *left += 0.5 * (heard[0] - heard[2] + heard[4] - heard[6]);
            *right += 0.5 * (heard[1] - heard[3] + heard[5] - heard[7]);
        }
    }
}

/// Samples that the limiter looks ahead.
const AHEAD: usize = 128;
/// Peaks above this are turned down.
const CEILING: f32 = 0.89;

/// A limiter that sees a peak coming, with a soft bend behind it that nothing gets past: the output stays
/// within -1 to 1 whatever comes in.
pub(super) struct Limiter {
    delayed: [[f32; AHEAD]; 2],
    at: usize,
    peak: f32,
    gain: f32,
    release: f32,
}

impl Limiter {
    pub(super) fn new() -> Self {
        Self {
            delayed: [[0.0; AHEAD]; 2],
            at: 0,
            peak: 0.0,
            gain: 1.0,
            release: (-1.0 / (0.25 * RATE)).exp(),
        }
    }

    /// Limits a block in place. The sound comes out [`Limiter::delay`] samples later.
    pub(super) fn run(&mut self, block: &mut [Vec<f32>; 2]) {
        let [block_left, block_right] = block;
        for (left, right) in block_left.iter_mut().zip(block_right.iter_mut()) {
            let (x, y) = (finite(*left), finite(*right));
            self.peak = x.abs().max(y.abs()).max(self.peak * self.release);
            let wanted = if self.peak > CEILING { CEILING / self.peak } else { 1.0 };
            // The gain is nearly there (e^-5) by the time the peak comes out.
            self.gain += (wanted - self.gain) * (5.0 / AHEAD as f32);
            let [l, r] = &mut self.delayed;
            *left = bend(std::mem::replace(&mut l[self.at], x) * self.gain);
            *right = bend(std::mem::replace(&mut r[self.at], y) * self.gain);
            self.at = (self.at + 1) % AHEAD;
        }
    }

    /// Samples by which the output lags.
    pub(super) fn delay() -> usize {
        AHEAD
    }
}

fn finite(x: f32) -> f32 {
    if x.is_finite() { x } else { 0.0 }
}

/// Straight up to the ceiling, then bent towards 1.
fn bend(x: f32) -> f32 {
    let over = x.abs() - CEILING;
    if over <= 0.0 {
        return x;
    }
    let room = 1.0 - CEILING;
    (CEILING + room * (over / (over + room))).copysign(x)
}
