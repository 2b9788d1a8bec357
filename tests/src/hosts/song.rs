//! What the piano plays, and the host's time while it does.

use rand::Rng;
use rand_pcg::Pcg64;
use sideman_music::{Meter, MeterMap, Note, Pulse, TempoMap};

use super::{Event, Message, Transport};
use crate::note;

/// A piece for a piano, with its tempo and metre.
#[derive(Debug, Clone)]
pub(crate) struct Song {
    pub(crate) piano: Vec<Note>,
    pub(crate) tempos: TempoMap,
    pub(crate) meters: MeterMap,
}

impl Song {
    /// Twenty-four bars at a tempo in microseconds a quarter note: broken and struck chords, a tune that
    /// anticipates and drags, a bar of rest, a stretch in which only the left hand plays, and an end.
    pub(crate) fn ballad(micros: u32) -> Self {
        let mut notes = Vec::new();
        let roots = [48, 45, 41, 43, 48, 40, 41, 43];
        let thirds = [4, 3, 4, 4, 4, 3, 4, 4];
        for bar in (0..24i64).filter(|b| *b != 13) {
            let (root, third) = (roots[bar as usize % 8], thirds[bar as usize % 8]);
            let at = bar * 1920;
            let loud = 58 + (bar % 8) as u8 * 4;
            notes.push(note(at + bar % 3, root - 12, 1800, loud + 8));
            if bar % 8 < 5 {
                for (i, interval) in [0, third, 7, 12, 7, third].into_iter().enumerate() {
                    let late = [0, 9, -6, 14, 3, -11][i];
                    notes.push(note(at + 240 + i as i64 * 240 + late, root + interval, 200, loud));
                }
            } else {
                for beat in [0, 2] {
                    for (i, interval) in [0, third, 7].into_iter().enumerate() {
                        let strum = i as i64 * 5;
                        notes.push(note(at + beat * 480 + strum, root + 12 + interval, 700, loud + 4));
                    }
                }
            }
            if !(16..20).contains(&bar) {
                let tune = [12, 14, 16 - i64::from(third == 3), 19, 16 - i64::from(third == 3), 12];
                for (i, step) in tune.into_iter().enumerate() {
                    let early = if i % 3 == 2 { -22 } else { (bar * 7 + i as i64 * 5) % 17 };
                    let onset = at + [0, 480, 720, 960, 1440, 1680][i] + early;
                    notes.push(note(onset.max(0), (i64::from(root) + 12 + step) as u8, 190, loud + 14));
                }
            }
        }
        Self { piano: playable(notes), tempos: TempoMap::new(&[(0, micros)]), meters: MeterMap::default() }
    }

    /// The same with four bars of 3/4 after bar 8, and 6/8 after bar 16.
    pub(crate) fn with_metres(mut self) -> Self {
        let meter = |numerator, denominator| Meter { numerator, denominator };
        self.meters = MeterMap::new(&[
            (8 * 1920, meter(3, 4)),
            (8 * 1920 + 4 * 1440, meter(4, 4)),
            (16 * 1920 + 4 * 1440, meter(6, 8)),
        ]);
        self
    }

    /// Samples from the start to a pulse.
    pub(crate) fn sample(&self, pulse: Pulse, rate: f64) -> i64 {
        (self.tempos.seconds_at(pulse) * rate).round() as i64
    }

    /// Position in pulses at a sample.
    pub(crate) fn pulse(&self, sample: f64, rate: f64) -> f64 {
        let seconds = sample / rate;
        let changes = self.tempos.changes().map(|(at, micros)| (at, self.tempos.seconds_at(at), micros));
        let begun = changes.take_while(|c| c.1 <= seconds + 1e-12).last();
        let (at, from, micros) = begun.unwrap_or((0, 0.0, 500_000));
        at as f64 + (seconds - from) * 480e6 / f64::from(micros)
    }

    /// What the host says at a sample.
    pub(crate) fn transport(&self, sample: i64, rate: f64) -> Transport {
        let pulse = self.pulse(sample as f64, rate);
        // A block that begins a rounding error before a bar line begins at it.
        let whole = (pulse + 1e-6).floor() as i64;
        let bar = self.meters.position(whole);
        Transport {
            playing: true,
            bpm: self.tempos.bpm_at(whole),
            beats: pulse / 480.0,
            samples: sample,
            bar_start: bar.bar_start as f64 / 480.0,
            bar: bar.bar as i32,
            meter: (u16::from(bar.meter.numerator), u16::from(bar.meter.denominator)),
            cycle: None,
        }
    }

    /// The keys that move, each with its sample, in order; note-offs first.
    pub(crate) fn keys(&self, rate: f64) -> Vec<(i64, Message)> {
        let mut keys: Vec<(i64, Message)> = Vec::new();
        for n in &self.piano {
            let on = Message::On { channel: 0, pitch: n.pitch, velocity: n.velocity };
            keys.push((self.sample(n.onset, rate), on));
            keys.push((self.sample(n.end(), rate), Message::Off { channel: 0, pitch: n.pitch }));
        }
        keys.sort_by_key(|k| (k.0, matches!(k.1, Message::On { .. })));
        keys
    }

    /// End of the piano in pulses.
    pub(crate) fn end(&self) -> Pulse {
        self.piano.iter().map(Note::end).max().unwrap_or(0)
    }
}

/// As hands play it: no key struck while it is down.
fn playable(mut notes: Vec<Note>) -> Vec<Note> {
    notes.sort_unstable();
    let mut last: [Option<usize>; 128] = [None; 128];
    for i in 0..notes.len() {
        let n = notes[i];
        if let Some(before) = last[usize::from(n.pitch)].replace(i) {
            let room = n.onset - notes[before].onset;
            notes[before].length = notes[before].length.min(room - 1);
        }
    }
    notes.retain(|n| n.length > 0);
    notes
}

/// The lengths of blocks.
#[derive(Debug, Clone)]
pub(crate) enum Blocks {
    /// All alike.
    Of(u32),
    /// From 0 to so many samples, with runs of alike ones between.
    Random { most: u32, chance: Box<Pcg64> },
}

impl Blocks {
    /// Lengths that a seed gives.
    pub(crate) fn random(most: u32, seed: u64) -> Self {
        Self::Random { most, chance: Box::new(Pcg64::new(seed.into(), 0xB10C)) }
    }

    /// Longest block.
    pub(crate) fn most(&self) -> u32 {
        match self {
            Self::Of(frames) => *frames,
            Self::Random { most, .. } => *most,
        }
    }

    /// Length of the next block.
    pub(crate) fn next(&mut self) -> u32 {
        match self {
            Self::Of(frames) => *frames,
            Self::Random { most, chance } => match chance.random_range(0..4) {
                0 => *most,
                1 => chance.random_range(0..=8.min(*most)),
                _ => chance.random_range(1..=*most),
            },
        }
    }
}

/// The keys of a song that move within a block, from its start.
pub(crate) fn within(keys: &[(i64, Message)], start: i64, frames: u32) -> impl Iterator<Item = Event> + '_ {
    let first = keys.partition_point(|k| k.0 < start);
    let end = start + i64::from(frames);
    keys[first..]
        .iter()
        .take_while(move |k| k.0 < end)
        .map(move |k| Event { at: (k.0 - start) as u32, message: k.1 })
}

#[test]
fn a_song_and_its_transport_agree() {
    let mut song = Song::ballad(521_739).with_metres();
    song.tempos = TempoMap::new(&[(0, 521_739), (1920, 400_000), (9000, 700_000)]);
    for pulse in [0, 1, 479, 1919, 1920, 8999, 9000, 20_000] {
        let sample = song.tempos.seconds_at(pulse) * 48_000.0;
        assert!((song.pulse(sample, 48_000.0) - pulse as f64).abs() < 1e-6, "{pulse}");
    }
    let at = song.sample(8 * 1920, 48_000.0);
    let t = song.transport(at, 48_000.0);
    assert!((t.beats - 32.0).abs() < 1e-4);
    assert!(song.piano.len() > 200 && song.end() > 23 * 1920);
}
