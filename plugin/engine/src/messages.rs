//! What the threads send each other: a host's block and what comes out of it, and the messages between the audio
//! thread and the band thread.

use sideman_music::{Meter, Note, Part, Pulse};

pub use crate::audio_thread::{ClockChoice, ClockSource, Transport};

use crate::controls::Controls;

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
    /// Tempo of the internal clock, quarter notes a minute, 20 to 300.
    pub bpm: f64,
    /// Metre of the internal clock.
    pub meter: Meter,
    /// Whether the internal clock waits for four notes that count it in.
    pub count_in: bool,
    /// From hearing to sounding, in milliseconds, 0 to 100; blocks longer than this count instead.
    pub reaction_ms: f32,
    /// Whether a latency is reported to the host, and the piano is delayed alike.
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
    /// Whether the band is to rest, with the piano passed on.
    pub bypass: bool,
}

/// A key of the piano, or any other input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MidiMessage {
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

/// An input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input {
    /// Sample within the block.
    pub at: u32,
    /// MIDI channel, 0 to 15.
    pub channel: u8,
    /// What.
    pub message: MidiMessage,
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
    /// Whether the synthesiser inside plays it: not where two parts share a channel and a note is ended on it
    /// only to be struck anew.
    pub inside: bool,
    /// What.
    pub message: MidiMessage,
}

/// What the player asks of the audio thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Play a note.
    Play(Part, Note),
    /// Let go of every note that sounds at this pulse; notes that begin there are not meant.
    Release(Pulse),
    /// Forget all that is planned from this pulse on.
    CancelFrom(Pulse),
}

/// A note message, to be sent in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// When, in pulses.
    pub at: Pulse,
    /// Whose note.
    pub part: Part,
    /// MIDI pitch.
    pub pitch: u8,
    /// Velocity 1 to 127 for a note-on, 0 for a note-off.
    pub velocity: u8,
}

/// Messages of the audio thread to the band thread, in order of time.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ToBand {
    /// An epoch has begun: the first step to be decided is the first one at or after this pulse.
    Began { epoch: u32, at: Pulse },
    /// The epoch is over, and none has begun.
    Ended,
    /// From here on, this tempo and these bars hold.
    Point(TempoPoint),
    /// A key moved: velocity 0 for up.
    Key { at: Pulse, pitch: u8, velocity: u8 },
    /// Messages were lost: these keys are down, and no others.
    Keys(u128),
    /// Everything up to and including this pulse has been sent.
    HeardUpTo(Pulse),
    /// Controls have changed.
    Controls(Controls),
    /// What sounded, in pulses of the session; velocity 0 for an end.
    Tape { at: Pulse, voice: Voice, pitch: u8, velocity: u8 },
}

/// Messages of the band thread to the audio thread.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FromBand {
    /// An order for the scheduler, in an epoch.
    Order(u32, Order),
    /// Everything up to this pulse of an epoch has been decided.
    Decided(u32, Pulse),
}

/// From a point of the session on, this tempo and these bars hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TempoPoint {
    /// Pulses of the session.
    pub at: Pulse,
    /// Position in the music there, in pulses.
    pub position: Pulse,
    /// A bar line, in pulses of the session.
    pub bar_start: Pulse,
    /// Number of the bar that starts there, from 0.
    pub bar: i64,
    /// Metre.
    pub meter: Meter,
    /// Quarter notes a minute.
    pub bpm: f64,
}
