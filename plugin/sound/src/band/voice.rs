//! A note that sounds.

use crate::bank::{Kernel, PHASE_BITS, Sound};

use super::GRID;

/// One: places in a sound are whole and fractional frames in 32 bits each.
const ONE: u64 = 1 << 32;
/// A voice that has fallen below this is over: -90 dB.
const OVER: f32 = 3e-5;
/// No release is due.
pub(super) const NEVER: u32 = u32::MAX;

/// How a voice begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) sound: &'static Sound,
    pub(super) kernel: &'static Kernel,
    /// Frames of the sound a frame of output.
    pub(super) step: f64,
    /// Where in a held sound's loop it begins, 0 to 1.
    pub(super) offset: f32,
    /// Loudness left and right.
    pub(super) gains: [f32; 2],
    pub(super) bus: usize,
    /// What the swell grows by every frame; 1 for none.
    pub(super) swell: f32,
    /// Factor of every frame once released.
    pub(super) release: f32,
    /// Factor of every frame in the sound's loop.
    pub(super) ring: f32,
    pub(super) channel: u8,
    pub(super) pitch: u8,
}

/// Whether the key of a voice is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Down,
    /// Up, but held by the pedal.
    Pedal,
    /// Up, and the sound falls or is about to.
    Up,
}

/// A voice. Its state changes frame by frame, never by block, so that blocks may be cut anywhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Voice {
    pub(super) start: Start,
    /// MixPosition in the sound for either side; equal unless the sound is wide.
    at: [u64; 2],
    step: u64,
    /// Whether the loop has begun.
    looping: bool,
    swell: f32,
    fall: f32,
    /// Frames until the release begins.
    release_in: u32,
    pub(super) key: Key,
    /// Frames since it began.
    pub(super) age: u64,
    pub(super) active: bool,
}

/// Room for one block of one voice.
pub(super) struct Scratch {
    sides: [[f32; GRID]; 2],
    envelope: [f32; GRID],
}

impl Scratch {
    pub(super) const fn new() -> Self {
        Self { sides: [[0.0; GRID]; 2], envelope: [0.0; GRID] }
    }
}

impl Voice {
    pub(super) fn new(start: Start) -> Self {
        let sound = start.sound;
        let held = sound.loop_start == 0;
        let length = sound.frames as u64 * ONE;
        let first = if held { (f64::from(start.offset.fract()) * length as f64) as u64 } else { 0 };
        // Two places in a loop of several players sound as two groups of them.
        let second = if sound.wide { (first + (0.381_966 * length as f64) as u64) % length } else { first };
        Self {
            start,
            at: [first, second],
            step: ((start.step * ONE as f64) as u64).max(1),
            looping: held,
            swell: if start.swell >= 1.0 { 1.0 } else { 0.0 },
            fall: 1.0,
            release_in: NEVER,
            key: Key::Down,
            age: 0,
            active: true,
        }
    }

    /// How loud its envelope is, 0 to 1.
    pub(super) fn level(&self) -> f32 {
        self.swell * self.fall
    }

    /// Whether it has fallen so low that it is over.
    pub(super) fn is_over(&self) -> bool {
        self.fall < OVER
    }

    /// Whether it falls.
    pub(super) fn is_released(&self) -> bool {
        self.release_in == 0
    }

    /// Lets it fall from `frames` after its beginning on, or now if that has passed.
    pub(super) fn release_at(&mut self, frames: u32) {
        self.key = Key::Up;
        let wait = u64::from(frames).saturating_sub(self.age);
        self.release_in = self.release_in.min(u32::try_from(wait).unwrap_or(NEVER));
    }

    /// Lets it fall now, by this factor a frame or the faster one it has.
    pub(super) fn cut(&mut self, factor: f32) {
        self.release_at(0);
        self.start.release = self.start.release.min(factor);
    }

    /// Adds the next `frames` (at most [`GRID`]) to the sides of its bus.
    pub(super) fn mix(&mut self, frames: usize, scratch: &mut Scratch, bus: &mut [[f32; GRID]; 2]) {
        let mut from = 0;
        while from < frames && self.active {
            let mut n = (frames - from).min(self.until_boundary());
            if self.release_in > 0 {
                n = n.min(self.release_in as usize);
            }
            self.mix_steady(from, n, scratch, bus);
            from += n;
            self.age += n as u64;
            if self.release_in > 0 && self.release_in != NEVER {
                self.release_in -= n as u32;
            }
            self.pass_boundary();
        }
    }

    /// End of the stretch that it is in.
    fn boundary(&self) -> u64 {
        let sound = self.start.sound;
        (if self.looping { sound.frames } else { sound.loop_start }) as u64 * ONE
    }

    /// Frames of output until the next boundary, at least 1 and at most [`GRID`].
    fn until_boundary(&self) -> usize {
        let furthest = self.at[0].max(self.at[1]);
        let left = self.boundary().saturating_sub(furthest);
        if left > self.step.saturating_mul(GRID as u64) {
            return GRID;
        }
        (left.div_ceil(self.step) as usize).max(1)
    }

    fn pass_boundary(&mut self) {
        let sound = self.start.sound;
        let boundary = self.boundary();
        if self.at[0] < boundary && self.at[1] < boundary {
            return;
        }
        if sound.loop_start == sound.frames {
            self.active = false;
        } else if self.looping {
            let length = (sound.frames - sound.loop_start) as u64 * ONE;
            for at in self.at.iter_mut().filter(|at| **at >= boundary) {
                *at -= length;
            }
        } else {
            self.looping = true;
        }
    }

    /// `n` frames within which nothing begins or ends.
    fn mix_steady(&mut self, from: usize, n: usize, scratch: &mut Scratch, bus: &mut [[f32; GRID]; 2]) {
        let Scratch { sides, envelope } = scratch;
        let [first, second] = sides;
        let wide = self.start.sound.wide;
        read(&self.start, self.at[0], self.step, &mut first[..n]);
        if wide {
            read(&self.start, self.at[1], self.step, &mut second[..n]);
        }
        let ahead = self.step * n as u64;
        self.at = self.at.map(|at| at + ahead);

        let mut factor = if self.looping { self.start.ring } else { 1.0 };
        if self.is_released() {
            factor *= self.start.release;
        }
        let steady = factor == 1.0 && self.swell >= 1.0;
        if !steady {
            for e in &mut envelope[..n] {
                *e = self.swell * self.fall;
                self.swell = (self.swell + self.start.swell).min(1.0);
                self.fall *= factor;
            }
        }
        for side in 0..2 {
            let to = &mut bus[side][from..from + n];
            let sound = if wide && side == 1 { &second[..n] } else { &first[..n] };
            let gain = self.start.gains[side];
            if steady {
                // As with an envelope that stands: the same product, so that cuts leave no trace.
                let level = self.swell * self.fall;
                to.iter_mut().zip(sound).for_each(|(to, x)| *to += x * level * gain);
            } else {
                let with = sound.iter().zip(envelope.iter());
                to.iter_mut().zip(with).for_each(|(to, (x, e))| *to += x * e * gain);
            }
        }
    }
}

/// Reads a sound from `at` on in steps of `step`.
fn read(start: &Start, mut at: u64, step: u64, out: &mut [f32]) {
    for out in out {
        let Some(x) = start.sound.taps((at >> 32) as usize) else {
            *out = 0.0;
            continue;
        };
        let taps = &start.kernel[(at as u32 >> (32 - PHASE_BITS)) as usize];
        // Within 31 bits: the taps sum up to little more than 1 in magnitude.
        let sum: i32 = x.iter().zip(taps).map(|(&x, &tap)| i32::from(x) * i32::from(tap)).sum();
        *out = sum as f32;
        at = at.wrapping_add(step);
    }
}
