//! What plays on which MIDI channel until a program change says otherwise.

/// MIDI channels.
pub(crate) const CHANNELS: usize = 16;
/// The channel of drums, from 0.
pub(crate) const DRUMS: usize = 9;
/// General MIDI programs: piano, finger bass, clean guitar, strings, and pianos on the rest.
pub(crate) const PROGRAMS: [u8; CHANNELS] = [0, 33, 27, 48, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
