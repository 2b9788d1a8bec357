//! A corpus of broken and hostile MIDI files, made by code.
//!
//! Every case has to be refused with an error that says what to do, or to be read sensibly, in bounded
//! time and memory. Anything that reads MIDI files is tested with it, hence the feature `hostile`.

mod build;
mod container;
mod events;
mod foreign;
mod music;

pub use build::{END, NOTE, Track, chunk, file, header, song};

/// What has to become of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Refused with an error.
    Refused,
    /// Read, with this many notes.
    Notes(usize),
}

/// A broken or hostile file.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// What is wrong with it, unique, in words joined by hyphens.
    pub name: &'static str,
    /// What has to become of it.
    pub expect: Expect,
    /// Makes the bytes.
    pub make: fn() -> Vec<u8>,
}

/// All cases.
pub fn corpus() -> Vec<Case> {
    [container::CASES, events::CASES, music::CASES, foreign::CASES].concat()
}

/// A case that is refused.
const fn refused(name: &'static str, make: fn() -> Vec<u8>) -> Case {
    Case { name, expect: Expect::Refused, make }
}

/// A case that is read.
const fn notes(name: &'static str, notes: usize, make: fn() -> Vec<u8>) -> Case {
    Case { name, expect: Expect::Notes(notes), make }
}
