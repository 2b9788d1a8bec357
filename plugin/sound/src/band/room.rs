//! The room around the band.

/// Lengths of the echo paths in samples at 44.1 kHz: mutually prime, 27 to 66 ms.
const PATHS: [u16; 8] = [1193, 1381, 1583, 1787, 2029, 2309, 2591, 2897];
/// Seconds in which the room's sound dies by 60 dB.
const SECONDS: f32 = 1.7;
/// Walls take what is above this, in Hz.
const SOFT: f32 = 6800.0;
/// Added to every echo, this keeps the last of it from becoming so small that floats are slow.
const GRAIN: f32 = 1e-20;
/// What is no sound: -114 dB.
const WHISPER: f32 = 2e-6;
/// Most frames that are worked on at once; the shortest path at the lowest rate is longer.
const MOST: usize = super::GRID;

/// A feedback delay network (Jot and Chaigne, 1991): eight echo paths that feed each other through a
/// Householder reflection.
#[derive(Debug)]
pub(super) struct Room {
    lines: [Box<[f32]>; 8],
    at: [usize; 8],
    soft: [f32; 8],
    keep: [f32; 8],
    walls: f32,
    /// The ends of all paths, frame by frame.
    ends: Box<[[f32; 8]; MOST]>,
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
            ends: Box::new([[0.0; 8]; MOST]),
            heard: 0,
            quiet: 0,
        }
    }

    /// Adds the room's answer to `send` to `out`. All slices are equally long, at most [`MOST`] frames.
    pub(super) fn add(&mut self, send: [&[f32]; 2], out: [&mut [f32]; 2]) {
        let frames = send[0].len().min(MOST);
        self.read_ends(frames);
        let [out_left, out_right] = out;
        let outs = out_left.iter_mut().zip(out_right.iter_mut());
        let (mut soft, open) = (self.soft, 1.0 - self.walls);
        for ((ends, (left, right)), (l, r)) in self.ends.iter_mut().zip(outs).zip(send[0].iter().zip(send[1]))
        {
            let mut heard = [0.0f32; 8];
            for k in 0..8 {
                // A one-pole filter in each path: walls take the highs first.
                soft[k] = soft[k] * open + (ends[k] * self.walls + GRAIN);
                heard[k] = soft[k] * self.keep[k];
            }
            let even = [heard[0] + heard[4], heard[2] + heard[6]];
            let odd = [heard[1] + heard[5], heard[3] + heard[7]];
            let reflected = ((even[0] + even[1]) + (odd[0] + odd[1])) * 0.25;
            let (l, r) = (*l * 0.5, *r * 0.5);
            let inputs = [l, r, -l, -r, l, r, -l, -r];
            for k in 0..8 {
                ends[k] = (heard[k] - reflected) + inputs[k];
            }
            let answer = [0.5 * (even[0] - even[1]), 0.5 * (odd[0] - odd[1])];
            *left += answer[0];
            *right += answer[1];
            let loudest = (answer[0].abs().max(answer[1].abs())).max(l.abs().max(r.abs()));
            self.quiet = if loudest > WHISPER { 0 } else { self.quiet.saturating_add(1) };
        }
        self.soft = soft;
        self.write_ends(frames);
        self.heard = self.heard.saturating_add(frames);
    }

    /// Copies what comes out of the paths; a path that sound has not been through yet is empty.
    fn read_ends(&mut self, frames: usize) {
        for (k, line) in self.lines.iter().enumerate() {
            let empty = line.len().saturating_sub(self.heard).min(frames);
            let (start, rest) = line.split_at(self.at[k]);
            let through = rest.iter().chain(start);
            for (i, (end, x)) in self.ends[..frames].iter_mut().zip(through).enumerate() {
                end[k] = if i < empty { 0.0 } else { *x };
            }
        }
    }

    /// Copies what goes into the paths.
    fn write_ends(&mut self, frames: usize) {
        for (k, line) in self.lines.iter_mut().enumerate() {
            let (start, rest) = line.split_at_mut(self.at[k]);
            for (end, x) in self.ends[..frames].iter().zip(rest.iter_mut().chain(start)) {
                *x = end[k];
            }
            let at = self.at[k] + frames;
            self.at[k] = if at >= line.len() { at - line.len() } else { at };
        }
    }

    /// Whether nothing has been heard for as long as the longest path takes.
    pub(super) fn is_silent(&self) -> bool {
        self.quiet > self.lines[7].len()
    }

    /// Empties the room at once.
    pub(super) fn empty(&mut self) {
        self.heard = 0;
        self.soft = [0.0; 8];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives the room one loud frame and `seconds` of nothing; the loudest answer of the last second.
    fn ring(room: &mut Room, rate: f32, seconds: f32) -> f32 {
        let nothing = [0.0; MOST];
        let mut struck = nothing;
        struck[0] = 1.0;
        let blocks = (seconds * rate) as usize / MOST;
        let mut loudest = 0.0f32;
        for block in 0..blocks {
            let (mut left, mut right) = (nothing, nothing);
            let send = if block == 0 { &struck } else { &nothing };
            room.add([send, send], [&mut left, &mut right]);
            if block + (rate as usize / MOST) >= blocks {
                loudest = left.iter().chain(&right).fold(loudest, |m, x| m.max(x.abs()));
            }
        }
        loudest
    }

    #[test]
    fn it_falls_by_sixty_decibels_in_its_time_at_every_rate() {
        for rate in [32_000.0, 48_000.0, 192_000.0] {
            let early = ring(&mut Room::new(rate), rate, 1.1);
            let late = ring(&mut Room::new(rate), rate, 1.1 + SECONDS);
            let fell = 20.0 * (early / late).log10();
            // The walls take the highs, so all in all it falls faster.
            assert!((55.0..100.0).contains(&fell), "{fell} dB at {rate}");
        }
    }

    #[test]
    fn the_last_of_an_echo_is_no_slow_number() {
        let mut room = Room::new(48_000.0);
        ring(&mut room, 48_000.0, 60.0);
        assert!(room.is_silent());
        let numbers = room.lines.iter().flatten().chain(&room.soft).chain(room.ends.iter().flatten());
        assert_eq!(numbers.filter(|x| x.is_subnormal()).count(), 0);
    }

    #[test]
    fn an_emptied_room_is_empty() {
        let mut room = Room::new(48_000.0);
        ring(&mut room, 48_000.0, 0.2);
        room.empty();
        let (mut left, mut right) = ([0.0; MOST], [0.0; MOST]);
        for _ in 0..100 {
            room.add([&[0.0; MOST], &[0.0; MOST]], [&mut left, &mut right]);
            assert!(left.iter().chain(&right).all(|x| x.abs() < 1e-15));
        }
    }
}
