//! Hosts that do anything: hostile keys, transports, automation and block lengths, from seeds. The plugin
//! survives, its sound stays a number, and every note of the band ends.

use rand::Rng;
use rand_pcg::Pcg64;

use super::stage::Stage;
use super::{Event, Format, Instance, Library, Message, Parameter, Setup, Transport, libraries};
use crate::soak;

/// A host that sends random events.
pub(super) struct Chaos {
    pub(super) chance: Pcg64,
    parameters: Vec<Parameter>,
    /// What must not be turned: it would send the band to the piano's channel.
    channel: u32,
    transport: Transport,
}

impl Chaos {
    pub(super) fn new(instance: &mut dyn Instance, seed: u64) -> Self {
        Self {
            chance: Pcg64::new(seed.into(), 0xF022),
            parameters: instance.parameters(),
            channel: instance.id("Channel"),
            transport: Transport { playing: true, ..Transport::stopped(120.0) },
        }
    }

    /// A block: its length, what the host says of time, and what else it says.
    pub(super) fn block(&mut self, setup: &Setup, format: Format) -> (u32, Option<Transport>, Vec<Event>) {
        let frames = match self.chance.random_range(0..10) {
            0 => 0,
            1 => self.chance.random_range(1..4),
            2 => setup.max_block,
            _ => self.chance.random_range(1..=setup.max_block),
        };
        let transport = self.time(frames, setup.rate, format);
        (frames, transport, if frames == 0 { Vec::new() } else { self.events(frames) })
    }

    fn one_in(&mut self, times: u32) -> bool {
        self.chance.random_range(0..times) == 0
    }

    fn message(&mut self) -> Message {
        let channel = if self.one_in(9) { 15 } else { 0 };
        let pitch = self.chance.random_range(0..128);
        match self.chance.random_range(0..12) {
            0..5 => Message::On { channel, pitch, velocity: self.chance.random_range(1..128) },
            5..9 => Message::Off { channel, pitch },
            9 => {
                let status = [0xA0, 0xB0, 0xC0, 0xD0, 0xE0][self.chance.random_range(0..5)];
                Message::Midi([status | channel, pitch, self.chance.random_range(0..128)])
            }
            _ => loop {
                let p = &self.parameters[self.chance.random_range(0..self.parameters.len())];
                if p.id != self.channel {
                    let value = [0.0, 1.0, p.default, self.chance.random_range(0.0..=1.0)];
                    break Message::Set { id: p.id, value: value[self.chance.random_range(0..4)] };
                }
            },
        }
    }

    fn events(&mut self, frames: u32) -> Vec<Event> {
        let count = match self.chance.random_range(0..40) {
            0 => 200,
            1..10 => 6,
            10..20 => 1,
            _ => 0,
        };
        let mut events: Vec<Event> = (0..count)
            .map(|_| Event { at: self.chance.random_range(0..frames.max(1)), message: self.message() })
            .collect();
        events.sort_by_key(|e| e.at);
        events
    }

    /// Mostly time goes on; now and then it does something else.
    fn time(&mut self, frames: u32, rate: f64, format: Format) -> Option<Transport> {
        let now = self.transport;
        let t = &mut self.transport;
        if t.playing && t.bpm.is_finite() {
            t.beats += f64::from(frames) / rate * t.bpm / 60.0;
            t.samples += i64::from(frames);
            let bar = f64::from(t.meter.0) * 4.0 / f64::from(t.meter.1.max(1));
            while bar > 0.0 && t.beats.abs() < 1e6 && t.beats >= t.bar_start + bar {
                t.bar_start += bar;
                t.bar = t.bar.wrapping_add(1);
            }
        }
        match self.chance.random_range(0..400) {
            0..6 => t.playing = !t.playing,
            6..9 => t.beats = self.chance.random_range(-20.0..300.0),
            9 => t.beats = [-1e9, 1e9, 0.0, 1e-9][self.chance.random_range(0..4)],
            10..16 => t.bpm = self.chance.random_range(20.0..300.0),
            16 => t.bpm = [0.0, -5.0, 1e-3, 1e6, 999.0][self.chance.random_range(0..5)],
            17..20 => {
                t.meter = [(3, 4), (4, 4), (6, 8), (7, 8), (0, 0), (255, 1), (1, 64)]
                    [self.chance.random_range(0..7)]
            }
            20 => t.bar_start = self.chance.random_range(-100.0..100.0),
            21 => t.bar = [i32::MIN, i32::MAX, 0][self.chance.random_range(0..3)],
            22 => t.cycle = Some((4.0, 8.0)),
            // Only VST3 can send NaN.
            23 if format == Format::Vst3 => {
                let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, 5e-324];
                let odd = odd[self.chance.random_range(0..5)];
                return Some(match self.chance.random_range(0..3) {
                    0 => Transport { bpm: odd, ..now },
                    1 => Transport { beats: odd, ..now },
                    _ => Transport { bar_start: odd, ..now },
                });
            }
            24..30 => return None,
            _ => {}
        }
        Some(now)
    }
}

/// Plays random blocks, stops, and checks that every note has ended.
fn play(format: Format, library: &Library, seed: u64, blocks: usize, setup: Setup) {
    let what = format!("{format:?}, seed {seed}");
    let mut instance = library.create();
    let mut chaos = Chaos::new(&mut *instance, seed);
    let mut stage = Stage::new(instance.activate(setup), setup.rate);
    let mut states = vec![instance.save()];
    for number in 0..blocks {
        let (frames, transport, events) = chaos.block(&setup, format);
        stage.block(frames, transport.as_ref(), &events);
        match chaos.chance.random_range(0..600) {
            0 => stage.reset(),
            1 => states.push(instance.save()),
            2 => {
                let state = &states[chaos.chance.random_range(0..states.len())];
                let text = String::from_utf8_lossy(state);
                assert!(instance.load(state), "{what}: its own state of before, in block {number}: {text}");
            }
            3 => {
                stage.leave();
                instance.deactivate();
                stage.enter(instance.activate(setup), setup.rate);
            }
            4 => instance.idle(),
            _ => {}
        }
    }
    let stopped = Transport::stopped(120.0);
    // A bypass ends everything of the band, whatever else is set.
    let bypass = instance.setting("Bypass", "Bypassed");
    stage.block(setup.max_block, Some(&stopped), &[bypass]);
    for _ in 0..200 {
        stage.block(setup.max_block, Some(&stopped), &[]);
    }
    let hang: Vec<(u8, u8)> =
        stage.tracker.sounding().into_iter().filter(|k| ![0, 15].contains(&k.0)).collect();
    assert!(hang.is_empty(), "{what}: these hang, channel and pitch: {hang:?}");
    stage.tracker.band_is_orderly(&what, &[0, 15]);
    assert!(stage.finite, "{what}: the sound is NaN or infinite");
    assert!(stage.peak < 8.0, "{what}: the sound is as loud as {}", stage.peak);
}

#[test]
fn anything_may_happen_offline() {
    for (format, library) in libraries() {
        for seed in 0..soak(24, 6) as u64 {
            let setup =
                Setup { rate: 48_000.0, max_block: [64, 333, 1024][seed as usize % 3], offline: true };
            play(format, &library, seed, 1500, setup);
        }
    }
}

#[test]
fn anything_may_happen_live() {
    for (format, library) in libraries() {
        for seed in 100..100 + soak(24, 6) as u64 {
            let setup =
                Setup { rate: 44_100.0, max_block: [32, 512, 2048][seed as usize % 3], offline: false };
            play(format, &library, seed, 1500, setup);
        }
    }
}
