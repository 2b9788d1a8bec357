//! The audio thread's side.

use std::any::Any;
use std::sync::Arc;

use sideman_music::{Meter, Part};

use super::shared::Shared;
use crate::controls::Controls;

/// The host's transport at the start of a block. What the host does not say is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Transport {
    /// Whether it runs.
    pub playing: bool,
    /// Quarter notes a minute.
    pub bpm: Option<f64>,
    /// Position in quarter notes.
    pub beats: Option<f64>,
    /// Start of the bar in quarter notes.
    pub bar_start: Option<f64>,
    /// Number of that bar, from 0.
    pub bar: Option<i64>,
    /// Metre.
    pub meter: Option<Meter>,
}

/// Which clock the band follows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClockChoice {
    /// The host's while it runs, else the own.
    #[default]
    Auto,
    /// The host's only: when it stands, the band rests.
    Host,
    /// The own, whatever the host does.
    Own,
}

/// Which parts an instance sends to the host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sending {
    /// All.
    #[default]
    All,
    /// One.
    Only(Part),
    /// None: the band is only heard.
    Nothing,
}

/// Where notes go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Route {
    /// Parts that are sent to the host.
    pub send: Sending,
    /// MIDI channel from 0 for all that is sent of the band; `None` for each part's own, as `render` writes
    /// them.
    pub channel: Option<u8>,
    /// Whether the piano is not passed on.
    pub swallow_piano: bool,
}

/// Settings that concern playing live, and no note of the band.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LiveSettings {
    /// Which clock to follow.
    pub clock: ClockChoice,
    /// Tempo of the own clock, quarter notes a minute, 20 to 300.
    pub bpm: f64,
    /// Metre of the own clock.
    pub meter: Meter,
    /// Whether the own clock waits for four notes that count it in.
    pub count_in: bool,
    /// From hearing to sounding, in milliseconds, 0 to 100; blocks longer than this count instead.
    pub reaction_ms: f32,
    /// Whether the host is told a latency, and the piano is delayed alike.
    pub compensate: bool,
    /// Where notes go.
    pub route: Route,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            clock: ClockChoice::Auto,
            bpm: 120.0,
            meter: Meter::COMMON,
            count_in: false,
            reaction_ms: 10.0,
            compensate: false,
            route: Route::default(),
        }
    }
}

/// A block of audio to be processed.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// Its length in samples; may be 0.
    pub frames: u32,
    /// The transport at its start.
    pub transport: Transport,
    /// Controls of the band, brought into range here.
    pub controls: &'a Controls,
    /// Settings of playing live, brought into range here.
    pub settings: &'a LiveSettings,
    /// Whether the host renders faster than real time: then processing waits for the band, within bounds.
    pub offline: bool,
}

/// A key of the piano, or anything else that came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoken {
    /// A note begins, with its velocity 1 to 127, or ends, with velocity 0.
    Note {
        /// MIDI pitch.
        pitch: u8,
        /// Velocity, or 0.
        velocity: u8,
    },
    /// Any other channel message: status byte without channel (0xA0 to 0xE0) and two data bytes.
    Other {
        /// 0xA0 polyphonic pressure, 0xB0 controller, 0xC0 program, 0xD0 pressure, 0xE0 bend.
        status: u8,
        /// First data byte.
        first: u8,
        /// Second data byte; 0 where there is none.
        second: u8,
    },
}

/// Something that came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input {
    /// Sample within the block.
    pub at: u32,
    /// MIDI channel, 0 to 15.
    pub channel: u8,
    /// What.
    pub message: Spoken,
}

/// Who plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Voice {
    /// The player at the piano.
    Piano,
    /// A part of the band.
    Part(Part),
}

/// Something to be sent and sounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output {
    /// Sample within the block.
    pub at: u32,
    /// Who.
    pub voice: Voice,
    /// MIDI channel on which the host gets it, or `None` when the host does not.
    pub channel: Option<u8>,
    /// What.
    pub message: Spoken,
}

/// The audio thread's side of a live band. All methods belong to the audio thread, except where they say
/// otherwise.
pub struct Performer {
    shared: Arc<Shared>,
}

impl Performer {
    /// A performer that has not been activated. Any thread; starts nothing.
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Gets ready to play at a sample rate, in blocks of `max_block` samples at most, and starts the band's
    /// thread if it does not run. The main thread, while the audio thread does not process. May be called
    /// again without [`Performer::deactivate`].
    pub fn activate(&mut self, _sample_rate: f64, _max_block: u32) {}

    /// Ends the band's thread. The main thread, while the audio thread does not process.
    pub fn deactivate(&mut self) {}

    /// Forgets the music: the next block ends all sounding notes and begins anew.
    pub fn reset(&mut self) {}

    /// The latency to be told to the host, in samples: 0 unless the settings ask for compensation. Any thread.
    pub fn latency_samples(&self, _settings: &LiveSettings) -> u32 {
        0
    }

    /// Processes a block. `inputs` are in order of time. What is to be sent and sounded comes back in order
    /// of time, at equal times note-offs first.
    pub fn process(&mut self, _block: &Block<'_>, _inputs: &[Input]) -> &[Output] {
        &[]
    }

    /// Ends everything that sounds, at sample 0 of a block that is otherwise left silent, as after a panic.
    pub fn silence(&mut self) -> &[Output] {
        &[]
    }

    /// Hands something large to the band's thread to be freed there. Gives it back when there is no room:
    /// try again in a later block.
    pub fn discard(&mut self, garbage: Box<dyn Any + Send>) -> Result<(), Box<dyn Any + Send>> {
        Err(garbage)
    }

    /// What an editor sees.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}
