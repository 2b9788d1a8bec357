//! A plugin being played: a clock, blocks, and all notes that came out.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::song::{Blocks, Song, within};
use super::{Event, Message, Processor, Transport};

/// A note that came out, in samples since activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sounded {
    pub(crate) channel: u8,
    pub(crate) onset: i64,
    pub(crate) pitch: u8,
    pub(crate) end: i64,
    pub(crate) velocity: u8,
}

/// Tracks what sounds.
#[derive(Debug, Clone, Default)]
pub(crate) struct HostNoteTracker {
    /// Onsets and velocities of what sounds, by channel and pitch, oldest first.
    open: BTreeMap<(u8, u8), Vec<(i64, u8)>>,
    pub(crate) notes: Vec<Sounded>,
    /// Note-ons of what sounded already.
    doubled: Vec<Fault>,
    /// Note-offs of what did not sound.
    unmet: Vec<Fault>,
}

/// Sample, channel and pitch.
type Fault = (i64, u8, u8);

impl HostNoteTracker {
    pub(crate) fn write(&mut self, at: i64, message: Message) {
        match message {
            Message::On { channel, pitch, velocity } => {
                let open = self.open.entry((channel, pitch)).or_default();
                if !open.is_empty() {
                    self.doubled.push((at, channel, pitch));
                }
                open.push((at, velocity));
            }
            Message::Off { channel, pitch } => match self.open.get_mut(&(channel, pitch)) {
                Some(open) if !open.is_empty() => {
                    let (onset, velocity) = open.remove(0);
                    self.notes.push(Sounded { channel, onset, pitch, end: at, velocity });
                }
                _ => self.unmet.push((at, channel, pitch)),
            },
            Message::Midi(_) | Message::Set { .. } => {}
        }
    }

    /// Channels and pitches that sound.
    pub(crate) fn sounding(&self) -> Vec<(u8, u8)> {
        self.open.iter().filter(|o| !o.1.is_empty()).map(|o| *o.0).collect()
    }

    /// How many notes of the band sound.
    pub(crate) fn band_sounds(&self) -> usize {
        self.sounding().iter().filter(|k| k.0 != 0).count()
    }

    /// Fails unless every note-on has met its note-off, and nothing else.
    pub(crate) fn balance(&self, what: &str) {
        self.all_ended(what);
        self.is_orderly(what);
    }

    /// Fails unless every note-on has met its note-off.
    pub(crate) fn all_ended(&self, what: &str) {
        assert!(self.sounding().is_empty(), "{what}: these hang, channel and pitch: {:?}", self.sounding());
    }

    /// Fails when a note was begun twice or ended without having begun.
    pub(crate) fn is_orderly(&self, what: &str) {
        let first = |faults: &[Fault]| faults[..faults.len().min(5)].to_vec();
        assert!(self.doubled.is_empty(), "{what}: begun while they sound: {:?}", first(&self.doubled));
        assert!(self.unmet.is_empty(), "{what}: ended without having begun: {:?}", first(&self.unmet));
    }

    /// The same for the band alone: for all channels but the piano's.
    pub(crate) fn band_is_orderly(&self, what: &str, piano: &[u8]) {
        let band = |faults: &[Fault]| -> Vec<Fault> {
            faults.iter().filter(|f| !piano.contains(&f.1)).take(5).copied().collect()
        };
        let (doubled, unmet) = (band(&self.doubled), band(&self.unmet));
        assert!(doubled.is_empty(), "{what}: begun while they sound: {doubled:?}");
        assert!(unmet.is_empty(), "{what}: ended without having begun: {unmet:?}");
    }
}

/// How slowly time goes.
struct Pace {
    times: f64,
    /// When and at which sample the last pause ended.
    since: Instant,
    from: i64,
}

/// Pauses are no shorter, or they would take longer than they should.
const BREATH: Duration = Duration::from_millis(4);

/// A plugin being played.
pub(crate) struct Stage {
    processor: Option<Box<dyn Processor>>,
    pub(crate) tracker: HostNoteTracker,
    /// Samples since activation.
    pub(crate) now: i64,
    rate: f64,
    pace: Option<Pace>,
    sent: Vec<Event>,
    /// Loudest sample of the output, and whether all were numbers.
    pub(crate) peak: f32,
    pub(crate) finite: bool,
}

impl Stage {
    pub(crate) fn new(processor: Box<dyn Processor>, rate: f64) -> Self {
        Self {
            processor: Some(processor),
            tracker: HostNoteTracker::default(),
            now: 0,
            rate,
            pace: None,
            sent: Vec::new(),
            peak: 0.0,
            finite: true,
        }
    }

    /// From now on as slow as music, or so many times faster. As with a sound card, what is late is not made up
    /// for by hurrying.
    pub(crate) fn paced(&mut self, times: f64) {
        self.pace = Some(Pace { times, since: Instant::now(), from: self.now });
    }

    /// Stops processing, as before a deactivation.
    pub(crate) fn leave(&mut self) {
        self.processor = None;
    }

    /// Goes on with another processor of the same instance; notes that sound are still tracked.
    pub(crate) fn enter(&mut self, processor: Box<dyn Processor>, rate: f64) {
        self.processor = Some(processor);
        self.rate = rate;
    }

    /// Tells the plugin to forget the music.
    pub(crate) fn reset(&mut self) {
        self.processor.as_mut().expect("on stage").reset();
    }

    /// Calls of the allocator while processing so far, see [`Processor::allocations`].
    pub(crate) fn allocations(&self) -> usize {
        self.processor.as_ref().map_or(0, |p| p.allocations())
    }

    /// One block.
    pub(crate) fn block(&mut self, frames: u32, transport: Option<&Transport>, events: &[Event]) -> &[Event] {
        self.sent.clear();
        let processor = self.processor.as_mut().expect("on stage");
        processor.process(frames, transport, events, &mut self.sent);
        for event in &self.sent {
            self.tracker.write(self.now + i64::from(event.at), event.message);
        }
        for channel in processor.audio() {
            self.finite &= channel.iter().all(|s| s.is_finite());
            self.peak = channel.iter().fold(self.peak, |peak, s| peak.max(s.abs()));
        }
        self.now += i64::from(frames);
        if let Some(pace) = &mut self.pace {
            let audio = Duration::from_secs_f64((self.now - pace.from) as f64 / self.rate / pace.times);
            if audio >= BREATH {
                std::thread::sleep(audio.saturating_sub(pace.since.elapsed()));
                (pace.since, pace.from) = (Instant::now(), self.now);
            }
        }
        &self.sent
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
        // The first sample at which the change is there.
        cuts.iter_mut().for_each(|pulse| {
            *pulse = (song.tempos.seconds_at(*pulse) * self.rate - 1e-6).ceil() as i64;
        });
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
