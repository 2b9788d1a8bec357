//! A plugin being played: a clock, blocks, and a ledger of every note that came out.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::song::{Blocks, Song, within};
use super::{Event, Processor, Say, Transport};

/// A note that came out, in samples since activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sounded {
    pub(crate) channel: u8,
    pub(crate) onset: i64,
    pub(crate) pitch: u8,
    pub(crate) end: i64,
    pub(crate) velocity: u8,
}

/// Books of what sounds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    open: BTreeMap<(u8, u8), (i64, u8)>,
    pub(crate) notes: Vec<Sounded>,
    /// Note-ons of what sounded already, and note-offs of what did not.
    pub(crate) faults: Vec<String>,
}

impl Ledger {
    fn write(&mut self, at: i64, say: Say) {
        match say {
            Say::On { channel, pitch, velocity } => {
                if let Some((since, _)) = self.open.insert((channel, pitch), (at, velocity)) {
                    self.faults.push(format!("on at {at}, but {channel}:{pitch} sounds since {since}"));
                }
            }
            Say::Off { channel, pitch } => match self.open.remove(&(channel, pitch)) {
                Some((onset, velocity)) => {
                    self.notes.push(Sounded { channel, onset, pitch, end: at, velocity });
                }
                None => self.faults.push(format!("off at {at}, but {channel}:{pitch} does not sound")),
            },
            Say::Midi(_) | Say::Set { .. } => {}
        }
    }

    /// Channels and pitches that sound.
    pub(crate) fn sounding(&self) -> Vec<(u8, u8)> {
        self.open.keys().copied().collect()
    }

    /// How many notes of the band sound.
    pub(crate) fn band_sounds(&self) -> usize {
        self.open.keys().filter(|k| k.0 != 0).count()
    }

    /// Fails unless every note-on has met its note-off, and nothing else.
    pub(crate) fn balance(&self, what: &str) {
        assert!(self.open.is_empty(), "{what}: these hang: {:?}", self.open);
        self.is_orderly(what);
    }

    /// Fails when a note was begun twice or ended without having begun.
    pub(crate) fn is_orderly(&self, what: &str) {
        let first: Vec<&String> = self.faults.iter().take(5).collect();
        assert!(self.faults.is_empty(), "{what}: {} faults, first {first:?}", self.faults.len());
    }

    /// The notes of the band, in order.
    pub(crate) fn band(&self) -> Vec<Sounded> {
        let mut notes: Vec<Sounded> = self.notes.iter().filter(|n| n.channel != 0).copied().collect();
        notes.sort_unstable();
        notes
    }
}

/// A plugin being played.
pub(crate) struct Stage {
    pub(crate) processor: Box<dyn Processor>,
    pub(crate) ledger: Ledger,
    /// Samples since activation.
    pub(crate) now: i64,
    rate: f64,
    pace: Option<(f64, Instant)>,
    said: Vec<Event>,
    /// Loudest sample of the output, and whether all were numbers.
    pub(crate) peak: f32,
    pub(crate) finite: bool,
}

impl Stage {
    pub(crate) fn new(processor: Box<dyn Processor>, rate: f64) -> Self {
        Self {
            processor,
            ledger: Ledger::default(),
            now: 0,
            rate,
            pace: None,
            said: Vec::new(),
            peak: 0.0,
            finite: true,
        }
    }

    /// From now on as slow as music, or so many times faster.
    pub(crate) fn paced(&mut self, times: f64) {
        let audio = Duration::from_secs_f64(self.now as f64 / self.rate / times);
        self.pace = Instant::now().checked_sub(audio).map(|start| (times, start));
    }

    /// Goes on with another processor of the same instance, and the same books.
    pub(crate) fn go_on(&mut self, processor: Box<dyn Processor>) {
        self.processor = processor;
    }

    /// One block.
    pub(crate) fn block(&mut self, frames: u32, transport: Option<&Transport>, events: &[Event]) -> &[Event] {
        self.said.clear();
        self.processor.process(frames, transport, events, &mut self.said);
        for event in &self.said {
            self.ledger.write(self.now + i64::from(event.at), event.say);
        }
        for channel in self.processor.audio() {
            self.finite &= channel.iter().all(|s| s.is_finite());
            self.peak = channel.iter().fold(self.peak, |peak, s| peak.max(s.abs()));
        }
        self.now += i64::from(frames);
        if let Some((times, start)) = self.pace {
            let due = Duration::from_secs_f64(self.now as f64 / self.rate / times);
            std::thread::sleep(due.saturating_sub(start.elapsed()));
        }
        &self.said
    }

    /// Stopped blocks, so that the plugin sees how long they get; the events in the first of them.
    pub(crate) fn warm_up(&mut self, blocks: &mut Blocks, events: &[Event]) {
        let stopped = Transport::stopped(120.0);
        let most = blocks.most();
        self.block(most, Some(&stopped), events);
        for _ in 0..4 {
            let frames = blocks.next();
            self.block(frames, Some(&stopped), &[]);
        }
    }

    /// Plays a song from one of its samples to another, and splits blocks where tempo or metre change, as
    /// hosts with exact tempo maps do.
    pub(crate) fn play(&mut self, song: &Song, blocks: &mut Blocks, from: i64, to: i64) {
        let keys = song.keys(self.rate);
        let tempos = song.tempos.changes().map(|c| c.0);
        let mut cuts: Vec<i64> = tempos.chain(song.meters.changes().map(|c| c.0)).collect();
        cuts.iter_mut().for_each(|pulse| *pulse = song.sample(*pulse, self.rate));
        let mut at = from;
        let mut events = Vec::new();
        while at < to {
            let next_cut = cuts.iter().filter(|c| **c > at).min().map_or(i64::MAX, |c| c - at);
            let frames = i64::from(blocks.next()).min(next_cut).min(to - at) as u32;
            events.clear();
            events.extend(within(&keys, at, frames));
            let transport = song.transport(at, self.rate);
            self.block(frames, Some(&transport), &events);
            at += i64::from(frames);
        }
    }

    /// Some stopped blocks, in which what sounds has to end.
    pub(crate) fn stop(&mut self, blocks: &mut Blocks) {
        let stopped = Transport::stopped(120.0);
        for _ in 0..8 {
            let frames = blocks.next().max(1);
            self.block(frames, Some(&stopped), &[]);
        }
    }
}
