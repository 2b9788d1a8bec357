//! What the piano plays, over and over.

use sideman_music::Pulse;

use crate::card::RATE;

/// A key that goes down, or with velocity 0 up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) at: Pulse,
    pub(crate) pitch: u8,
    pub(crate) velocity: u8,
}

/// Thirty-two bars of 4/4.
pub(crate) struct Piano {
    keys: Vec<Key>,
}

const BAR: Pulse = 1920;
const BARS: Pulse = 32;
/// Roots and thirds of the chords, a bar each.
const CHORDS: [(u8, u8); 8] = [(48, 4), (45, 3), (41, 4), (43, 4), (48, 4), (40, 3), (41, 4), (43, 4)];

impl Piano {
    fn new(notes: impl Iterator<Item = (Pulse, Pulse, u8, u8)>) -> Self {
        let mut keys = Vec::new();
        for (at, length, pitch, velocity) in notes {
            keys.push(Key { at, pitch, velocity });
            keys.push(Key { at: at + length, pitch, velocity: 0 });
        }
        keys.sort_by_key(|k| (k.at, k.velocity));
        Self { keys }
    }

    /// Broken chords in eighths and a tune above them, a little beside the beat.
    pub(crate) fn calm() -> Self {
        Self::new((0..BARS * 8).flat_map(|i| {
            let (root, third) = CHORDS[(i / 8 % 8) as usize];
            let broken = root + [0, 7, 12, 12 + third, 19, 12 + third, 12, 7][(i % 8) as usize];
            let tune = root + 24 + [0, third, 7, 12][(i / 2 % 4) as usize];
            let late = (i * 7 % 11) % 9;
            let left = (i * 240 + late, 220, broken, 60 + (i % 5) as u8 * 6);
            let right = (i % 2 == 0).then_some((i * 240 + (i * 5 % 13), 400, tune, 84));
            [Some(left), right].into_iter().flatten()
        }))
    }

    /// Sixteenths up and down, each hand its own, with a struck chord on every beat.
    pub(crate) fn fast() -> Self {
        Self::new((0..BARS * 16).flat_map(|i| {
            let (root, third) = CHORDS[(i / 16 % 8) as usize];
            let scale = [0, third - 2, third, 5, 7, 9, 12, 14][(i % 8) as usize];
            let (early, late) = (i * 5 % 7, i * 3 % 9);
            let run = |pitch, at| (i * 120 + at, 100, pitch, 70 + (i % 7) as u8 * 7);
            let struck = [0, third, 7].map(|interval| {
                (i % 4 == 0).then_some((i * 120 + 2, 430, root + 12 + interval, 90 + (i % 8) as u8))
            });
            let runs = [Some(run(root + 36 + scale, early)), Some(run(root - 12 + scale % 5, late))];
            runs.into_iter().chain(struck).flatten()
        }))
    }

    /// A key exactly on each sixteenth, so that the band leans nowhere and decides exactly there.
    pub(crate) fn exact() -> Self {
        Self::new((0..BARS * 16).map(|i| {
            let (root, third) = CHORDS[(i / 16 % 8) as usize];
            let pitch = root + [0, 7, 12, 12 + third][(i % 4) as usize];
            (i * 120, 60, pitch, 64 + (i % 4) as u8 * 12)
        }))
    }
}

/// Where the piano is, at a tempo that holds.
pub(crate) struct Playing<'a> {
    piano: &'a Piano,
    next: usize,
    /// Where this round of the piece begins.
    round: Pulse,
    /// Samples in a pulse.
    samples: f64,
}

impl<'a> Playing<'a> {
    pub(crate) fn new(piano: &'a Piano, bpm: f64) -> Self {
        Self { piano, next: 0, round: 0, samples: RATE * 60.0 / bpm / 480.0 }
    }

    /// The position at a sample, in quarter notes.
    pub(crate) fn beats(&self, sample: u64) -> f64 {
        sample as f64 / self.samples / 480.0
    }

    /// Gives every key that moves before a sample, with its own sample.
    pub(crate) fn until(&mut self, end: u64, mut give: impl FnMut(u64, Key)) {
        loop {
            let mut key = self.piano.keys[self.next];
            key.at += self.round;
            let sample = (key.at as f64 * self.samples).ceil() as u64;
            if sample >= end {
                return;
            }
            give(sample, key);
            self.next += 1;
            if self.next == self.piano.keys.len() {
                self.next = 0;
                self.round += BARS * BAR;
            }
        }
    }
}
