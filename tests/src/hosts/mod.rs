//! Real hosts that load the built bundles, and what is asked of the plugin in them.
//!
//! [`Library`], [`Instance`] and [`Processor`] are one face for two hosts: CLAP through clack-host, VST3
//! through the interfaces of the format itself. Both load the files that a user would install.
//! `cargo xtask test` builds them and says in `SIDEMAN_BUNDLES` where they are.

mod ardour;
mod basics;
mod child;
mod clap;
mod endings;
mod equality;
mod fuzz;
mod guard;
mod jackd;
mod rounds;
mod song;
mod stage;
mod standalone;
mod state;
mod vst3;
mod vst3_objects;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// A plugin format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Clap,
    Vst3,
}

impl Format {
    pub(crate) const ALL: [Self; 2] = [Self::Clap, Self::Vst3];
}

/// A loaded bundle.
#[derive(Clone)]
pub(crate) enum Library {
    Clap(clap::Entry),
    Vst3(Arc<vst3::Module>),
}

impl Library {
    /// The bundle of a format, loaded once for the process, as hosts do. `None`, with a line that says so,
    /// when no bundles were built.
    pub(crate) fn get(format: Format) -> Option<Self> {
        static LOADED: Mutex<[Option<Library>; 2]> = Mutex::new([None, None]);
        let mut loaded = LOADED.lock().unwrap_or_else(|e| e.into_inner());
        let slot = &mut loaded[format as usize];
        if slot.is_none() {
            *slot = Self::load(format);
        }
        slot.clone()
    }

    /// Loads the bundle of a format, to be unloaded again when the last instance and this are gone. Only for
    /// processes that do nothing else: it counts its loads no better than a host does.
    pub(crate) fn load(format: Format) -> Option<Self> {
        let bundles = bundles()?;
        Some(match format {
            Format::Clap => Self::Clap(clap::Entry::load(&bundles.join("Sideman.clap"))),
            Format::Vst3 => Self::Vst3(vst3::Module::load(&bundles.join("Sideman.vst3"))),
        })
    }

    /// The plugin as it is linked into this program.
    pub(crate) fn linked() -> Self {
        Self::Clap(clap::Entry::linked())
    }

    /// A new instance, not yet active.
    pub(crate) fn create(&self) -> Box<dyn Instance> {
        match self {
            Self::Clap(entry) => Box::new(entry.create()),
            Self::Vst3(module) => Box::new(module.create()),
        }
    }
}

/// Where the bundles are: as the test runner says, or where `cargo xtask bundle` leaves them.
fn bundles() -> Option<PathBuf> {
    let given = std::env::var_os("SIDEMAN_BUNDLES").map(PathBuf::from);
    if let Some(given) = given {
        assert!(given.is_dir(), "SIDEMAN_BUNDLES is {}, which is no folder", given.display());
        return Some(given);
    }
    let usual = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/bundled");
    if usual.join("Sideman.clap").exists() && usual.join("Sideman.vst3").exists() {
        return Some(usual);
    }
    println!("skipped: no bundles to load: run the tests with cargo xtask test, or cargo xtask bundle first");
    None
}

/// The libraries of both formats.
pub(crate) fn libraries() -> Vec<(Format, Library)> {
    Format::ALL.into_iter().filter_map(|f| Some((f, Library::get(f)?))).collect()
}

/// How a host runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Setup {
    /// Samples a second.
    pub(crate) rate: f64,
    /// Longest block in samples.
    pub(crate) max_block: u32,
    /// Whether the host renders faster than real time.
    pub(crate) offline: bool,
}

/// The main thread's side of an instance.
pub(crate) trait Instance {
    /// Activates and starts processing. What comes back may live on another thread.
    fn activate(&mut self, setup: Setup) -> Box<dyn Processor>;
    /// Deactivates, after the processor was dropped, which stops processing.
    fn deactivate(&mut self);
    /// The state as the host would keep it in a project.
    fn save(&mut self) -> Vec<u8>;
    /// Gives a state back. Whether the plugin took it.
    fn load(&mut self, state: &[u8]) -> bool;
    /// What can be automated, without what stands for MIDI controllers.
    fn parameters(&mut self) -> Vec<Parameter>;
    /// Value of a parameter from 0 to 1.
    fn value(&mut self, id: u32) -> f64;
    /// What the plugin writes for a value from 0 to 1.
    fn text(&mut self, id: u32, value: f64) -> String;
    /// The value from 0 to 1 that the plugin reads out of a text.
    fn parse(&mut self, id: u32, text: &str) -> Option<f64>;
    /// Sets a parameter from the main thread, as a host does when it is not playing.
    fn set(&mut self, id: u32, value: f64);
    /// Reported latency in samples.
    fn latency(&mut self) -> u32;
    /// Runs what the plugin asked the main thread for.
    fn idle(&mut self);
}

impl dyn Instance + '_ {
    /// Id of the parameter of a name.
    pub(crate) fn id(&mut self, name: &str) -> u32 {
        let all = self.parameters();
        let found = all.iter().find(|p| p.name == name);
        let names = || all.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
        found.unwrap_or_else(|| panic!("no parameter '{name}' among: {}", names())).id
    }

    /// Event at sample 0 that sets a parameter to what the plugin reads out of a text.
    pub(crate) fn setting(&mut self, name: &str, text: &str) -> Event {
        let id = self.id(name);
        let value = self.parse(id, text).unwrap_or_else(|| panic!("'{name}' does not take '{text}'"));
        Event { at: 0, message: Message::Set { id, value } }
    }
}

/// A parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameter {
    pub(crate) id: u32,
    pub(crate) name: String,
    /// From 0 to 1.
    pub(crate) default: f64,
    /// Whether the host is to use it for bypassing.
    pub(crate) bypass: bool,
}

/// The audio thread's side of an active instance. Dropping it stops processing.
pub(crate) trait Processor: Send {
    /// Processes a block and adds what the plugin sends to `out`. `None` for a host without transport.
    fn process(&mut self, frames: u32, transport: Option<&Transport>, events: &[Event], out: &mut Vec<Event>);
    /// The stereo output of the last block.
    fn audio(&self) -> [&[f32]; 2];
    /// Tells the plugin to forget the music.
    fn reset(&mut self);
    /// Calls of this program's allocator while processing so far, on this thread. Those of a bundle are not
    /// among them: it has an allocator of its own.
    fn allocations(&self) -> usize {
        0
    }
}

/// Position and tempo that a host gives at the start of a block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Transport {
    pub(crate) playing: bool,
    /// Quarter notes a minute.
    pub(crate) bpm: f64,
    /// Position in quarter notes.
    pub(crate) beats: f64,
    /// Position in samples.
    pub(crate) samples: i64,
    /// Start of the bar in quarter notes, and its number from 0.
    pub(crate) bar_start: f64,
    pub(crate) bar: i32,
    /// Beats in a bar, and the note value of a beat.
    pub(crate) meter: (u16, u16),
    /// Start and end of the loop in quarter notes, when looping.
    pub(crate) cycle: Option<(f64, f64)>,
}

impl Transport {
    /// Stopped at the beginning.
    pub(crate) fn stopped(bpm: f64) -> Self {
        Self {
            playing: false,
            bpm,
            beats: 0.0,
            samples: 0,
            bar_start: 0.0,
            bar: 0,
            meter: (4, 4),
            cycle: None,
        }
    }
}

/// A message from host or plugin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Event {
    /// Sample within the block; where a run is collected, since its start.
    pub(crate) at: u32,
    pub(crate) message: Message,
}

/// The kinds of messages.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Message {
    On {
        channel: u8,
        pitch: u8,
        velocity: u8,
    },
    Off {
        channel: u8,
        pitch: u8,
    },
    /// Any other channel message.
    Midi([u8; 3]),
    /// A parameter takes a value from 0 to 1.
    Set {
        id: u32,
        value: f64,
    },
}

impl Message {
    /// Reads a channel message; a note-on of velocity 0 ends a note.
    fn from_midi(data: [u8; 3]) -> Self {
        let channel = data[0] & 15;
        match data[0] & 0xF0 {
            0x90 if data[2] > 0 => Self::On { channel, pitch: data[1], velocity: data[2] },
            0x80 | 0x90 => Self::Off { channel, pitch: data[1] },
            _ => Self::Midi(data),
        }
    }

    /// A note-on as the formats have it, with its velocity from 0 to 1.
    fn on(channel: u8, pitch: u8, velocity: f64) -> Self {
        let velocity = (velocity * 127.0).round();
        assert!((1.0..=127.0).contains(&velocity), "a note-on has velocity {velocity}");
        Self::On { channel, pitch, velocity: velocity as u8 }
    }
}
