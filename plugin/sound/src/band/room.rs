//! The room around the band.

/// Lengths of the echo paths in samples at 44.1 kHz: mutually prime, 27 to 66 ms.
const PATHS: [u16; 8] = [1193, 1381, 1583, 1787, 2029, 2309, 2591, 2897];
/// Seconds in which the room's sound dies by 60 dB.
const SECONDS: f32 = 1.7;
/// Walls take what is above this, in Hz.
const SOFT: f32 = 6800.0;
/// Added and taken away again, this turns what is too small for an ordinary float into zero, or the last of
/// an echo would be computed at a hundredth of the speed.
const GRAIN: f32 = 1e-20;

/// A feedback delay network (Jot and Chaigne, 1991): eight echo paths that feed each other through a
/// Householder reflection.
#[derive(Debug)]
pub(super) struct Room {
    lines: [Box<[f32]>; 8],
    at: [usize; 8],
    soft: [f32; 8],
    keep: [f32; 8],
    walls: f32,
    /// Frames heard since the room was emptied; a path shorter than that is still empty.
    heard: usize,
    /// Frames since it was last louder than a whisper.
    quiet: usize,
}

impl Room {
    /// A room at `rate` frames a second.
    pub(super) fn new(rate: f32) -> Self {
        let lengths = PATHS.map(|n| ((f32::from(n) * rate / 44_100.0).round() as usize).max(1));
        Self {
            lines: lengths.map(|n| vec![0.0; n].into_boxed_slice()),
            at: [0; 8],
            soft: [0.0; 8],
            keep: lengths.map(|n| 10f32.powf(-3.0 * n as f32 / rate / SECONDS)),
            walls: 1.0 - (-std::f32::consts::TAU * SOFT / rate).exp(),
            heard: 0,
            quiet: 0,
        }
    }

    /// Adds the room's answer to `send` to `out`. All slices are equally long.
    pub(super) fn add(&mut self, send: [&[f32]; 2], out: [&mut [f32]; 2]) {
        let [out_left, out_right] = out;
        let inputs = send[0].iter().zip(send[1]);
        for ((left, right), (in_left, in_right)) in out_left.iter_mut().zip(out_right.iter_mut()).zip(inputs)
        {
            let mut heard = [0.0f32; 8];
            for k in 0..8 {
                heard[k] = if self.heard < self.lines[k].len() { 0.0 } else { self.lines[k][self.at[k]] };
            }
            for k in 0..8 {
                // A one-pole filter in each path: walls take the highs first.
                self.soft[k] = self.soft[k] + self.walls * (heard[k] - self.soft[k]) + GRAIN - GRAIN;
                heard[k] = self.soft[k] * self.keep[k];
            }
            let even = (heard[0] + heard[4]) + (heard[2] + heard[6]);
            let odd = (heard[1] + heard[5]) + (heard[3] + heard[7]);
            let reflected = (even + odd) * 0.25;
            let (l, r) = (*in_left * 0.5, *in_right * 0.5);
            let inputs = [l, r, -l, -r, l, r, -l, -r];
            for k in 0..8 {
                self.lines[k][self.at[k]] = heard[k] - reflected + inputs[k] + GRAIN - GRAIN;
                self.at[k] = if self.at[k] + 1 >= self.lines[k].len() { 0 } else { self.at[k] + 1 };
            }
            let answer = [
                0.5 * (heard[0] - heard[2] + heard[4] - heard[6]),
                0.5 * (heard[1] - heard[3] + heard[5] - heard[7]),
            ];
            *left += answer[0];
            *right += answer[1];
            self.heard = self.heard.saturating_add(1);
            let whisper = answer[0].abs().max(answer[1].abs()).max(l.abs()).max(r.abs());
            self.quiet = if whisper > 2e-6 { 0 } else { self.quiet.saturating_add(1) };
        }
    }

    /// Whether nothing is to be heard any more: -114 dB for as long as the longest path.
    pub(super) fn is_silent(&self) -> bool {
        self.quiet > self.lines[7].len()
    }

    /// Empties the room at once.
    pub(super) fn empty(&mut self) {
        self.heard = 0;
        self.soft = [0.0; 8];
    }
}
