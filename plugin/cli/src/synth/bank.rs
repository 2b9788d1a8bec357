//! Instruments, and the sounds that they keep once made.

use std::collections::HashMap;
use std::sync::Arc;

use super::ensemble::{Sustained, bowed_partial, mellow_partial, organ_partial, sustain};
use super::modal::{BassTone, bass, electric_piano, mallet, piano};
use super::pluck::{PluckTone, pluck};
use super::{RATE, drums};

/// What a track is played on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Instrument {
    Piano,
    ElectricPiano,
    Mallet,
    Organ,
    NylonGuitar,
    SteelGuitar,
    CleanGuitar,
    MutedGuitar,
    DrivenGuitar,
    UprightBass,
    ElectricBass,
    SynthBass,
    Strings,
    Plucked,
    Mellow,
    Kit,
}

/// Groups of instruments that share a place in the room.
pub(super) const BUSES: usize = 5;

/// How an instrument sits in the mix.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) bus: usize,
    /// Loudness at full velocity.
    pub(super) gain: f32,
    /// -1 left to 1 right.
    pub(super) pan: f32,
    /// Seconds in which a held sound swells.
    pub(super) attack: f32,
    /// Seconds in which a released note falls to 1/e.
    pub(super) release: f32,
    /// Whether the sound is a loop.
    pub(super) sustained: bool,
}

/// Share of each bus that goes to the room: piano, drums, bass, guitar, strings and all others.
pub(super) const SENDS: [f32; BUSES] = [0.20, 0.14, 0.03, 0.20, 0.36];

impl Instrument {
    /// The nearest instrument to a General MIDI program.
    pub(super) fn of_program(program: u8) -> Self {
        match program {
            4 | 5 => Self::ElectricPiano,
            0..=7 => Self::Piano,
            8..=15 => Self::Mallet,
            16..=23 => Self::Organ,
            24 => Self::NylonGuitar,
            25 => Self::SteelGuitar,
            28 => Self::MutedGuitar,
            29..=31 => Self::DrivenGuitar,
            26 | 27 => Self::CleanGuitar,
            32 => Self::UprightBass,
            33..=37 => Self::ElectricBass,
            38 | 39 => Self::SynthBass,
            45 | 46 | 104..=108 => Self::Plucked,
            40..=55 => Self::Strings,
            112..=119 => Self::Mallet,
            _ => Self::Mellow,
        }
    }

    pub(super) fn place(self) -> Place {
        let (bus, gain, pan, attack, release, sustained) = match self {
            Self::Piano => (0, 0.62, 0.0, 0.0, 0.09, false),
            Self::ElectricPiano => (0, 0.55, 0.0, 0.0, 0.08, false),
            Self::Mallet => (0, 0.5, 0.1, 0.0, 0.35, false),
            Self::Organ => (0, 0.36, 0.0, 0.006, 0.03, true),
            Self::Kit => (1, 0.66, 0.0, 0.0, 0.0, false),
            Self::UprightBass => (2, 0.74, 0.0, 0.0, 0.06, false),
            Self::ElectricBass => (2, 0.66, 0.0, 0.0, 0.05, false),
            Self::SynthBass => (2, 0.60, 0.0, 0.0, 0.04, false),
            Self::NylonGuitar | Self::SteelGuitar => (3, 0.50, -0.32, 0.0, 0.07, false),
            Self::CleanGuitar => (3, 0.48, -0.32, 0.0, 0.06, false),
            Self::MutedGuitar => (3, 0.55, -0.32, 0.0, 0.04, false),
            Self::DrivenGuitar => (3, 0.30, -0.32, 0.0, 0.04, false),
            Self::Strings => (4, 0.58, 0.16, 0.07, 0.16, true),
            Self::Plucked => (4, 0.50, 0.2, 0.0, 0.12, false),
            Self::Mellow => (4, 0.34, 0.1, 0.03, 0.09, true),
        };
        Place { bus, gain, pan, attack, release, sustained }
    }

    /// Longest sound of a struck or plucked note in seconds.
    fn longest(self, pitch: u8) -> f32 {
        match self {
            Self::Kit => drums::seconds(pitch),
            Self::Piano => (6.0 - (f32::from(pitch) - 36.0) * 0.06).clamp(1.5, 6.0),
            Self::Mallet | Self::Plucked => 2.5,
            Self::MutedGuitar => 0.8,
            _ => 4.0,
        }
    }
}

/// Velocity layers: timbre changes in these steps, loudness smoothly.
const LAYERS: u8 = 4;
/// Sounds not in use are thrown away beyond this many bytes.
const LIMIT: usize = 48 << 20;

/// A sound, left and right; both are the same buffer where it is mono.
#[derive(Debug)]
pub(super) struct Sound {
    pub(super) sides: [Arc<[f32]>; 2],
}

type Key = (Instrument, u8, u8);

/// Makes each sound when it is first asked for and keeps it.
#[derive(Default)]
pub(super) struct Bank {
    /// Frames that the longest note of a key needs, from the score.
    needed: HashMap<Key, usize>,
    sounds: HashMap<Key, Arc<Sound>>,
    bytes: usize,
}

fn key(instrument: Instrument, pitch: u8, velocity: u8) -> Key {
    let layer = if instrument.place().sustained { 0 } else { velocity.min(127) / (128 / LAYERS) };
    (instrument, pitch, layer)
}

impl Bank {
    /// Announces a note, so that its sound is made long enough.
    pub(super) fn announce(&mut self, instrument: Instrument, pitch: u8, velocity: u8, seconds: f32) {
        let longest = instrument.longest(pitch);
        let wanted = if instrument == Instrument::Kit {
            longest
        } else {
            // Eight times the release: a released note is 70 dB down by then.
            (seconds + 8.0 * instrument.place().release).min(longest)
        };
        let frames = self.needed.entry(key(instrument, pitch, velocity)).or_default();
        *frames = (*frames).max((wanted * RATE) as usize + 64);
    }

    /// The sound of a note.
    pub(super) fn sound(&mut self, instrument: Instrument, pitch: u8, velocity: u8) -> Arc<Sound> {
        let key = key(instrument, pitch, velocity);
        if let Some(sound) = self.sounds.get(&key) {
            return Arc::clone(sound);
        }
        if self.bytes > LIMIT {
            self.sounds.retain(|_, s| Arc::strong_count(s) > 1);
            self.bytes = self.sounds.values().map(|s| bytes(s)).sum();
        }
        let force = (f32::from(key.2) + 0.5) / f32::from(LAYERS);
        let frames = self.needed.get(&key).copied().unwrap_or(RATE as usize);
        let sound = Arc::new(make(instrument, pitch, force, frames));
        self.bytes += bytes(&sound);
        self.sounds.insert(key, Arc::clone(&sound));
        sound
    }
}

fn bytes(sound: &Sound) -> usize {
    let shared = Arc::ptr_eq(&sound.sides[0], &sound.sides[1]);
    sound.sides[0].len() * size_of::<f32>() * if shared { 1 } else { 2 }
}

fn make(instrument: Instrument, pitch: u8, force: f32, frames: usize) -> Sound {
    let mut out = vec![0.0f32; frames];
    let guitar = |bright, lasting, damping, place, body, drive| PluckTone {
        bright,
        lasting,
        damping,
        place,
        body,
        drive,
    };
    match instrument {
        Instrument::Piano => piano(pitch, force, &mut out),
        Instrument::ElectricPiano => electric_piano(pitch, force, &mut out),
        Instrument::Mallet => mallet(pitch, force, &mut out),
        Instrument::Kit => drums::strike(pitch, force, &mut out),
        Instrument::NylonGuitar => pluck(guitar(1500.0, 1.1, 0.42, 0.23, 0.9, 0.0), pitch, force, &mut out),
        Instrument::SteelGuitar => pluck(guitar(3000.0, 1.5, 0.30, 0.17, 0.6, 0.0), pitch, force, &mut out),
        Instrument::CleanGuitar => pluck(guitar(2200.0, 1.8, 0.34, 0.21, 0.1, 0.0), pitch, force, &mut out),
        Instrument::MutedGuitar => pluck(guitar(1700.0, 0.12, 0.45, 0.2, 0.2, 0.0), pitch, force, &mut out),
        Instrument::DrivenGuitar => pluck(guitar(2400.0, 3.5, 0.30, 0.15, 0.0, 5.0), pitch, force, &mut out),
        Instrument::Plucked => pluck(guitar(1900.0, 0.8, 0.40, 0.3, 0.5, 0.0), pitch, force, &mut out),
        Instrument::UprightBass => {
            bass(BassTone { dark: 0.34, lasting: 0.75, attack: 1.2, place: 0.28 }, pitch, force, &mut out);
        }
        Instrument::ElectricBass => {
            bass(BassTone { dark: 0.26, lasting: 1.7, attack: 0.8, place: 0.21 }, pitch, force, &mut out);
        }
        Instrument::SynthBass => {
            bass(BassTone { dark: 0.16, lasting: 2.4, attack: 0.2, place: 0.37 }, pitch, force, &mut out);
        }
        Instrument::Strings | Instrument::Mellow | Instrument::Organ => return looped(instrument, pitch),
    }
    fade_end(&mut out);
    let side: Arc<[f32]> = out.into();
    Sound { sides: [Arc::clone(&side), side] }
}

fn looped(instrument: Instrument, pitch: u8) -> Sound {
    let kind = match instrument {
        Instrument::Organ => {
            Sustained { players: 1, spread_cents: 0.0, vibrato_cents: 4.0, partial: organ_partial }
        }
        Instrument::Mellow => {
            Sustained { players: 1, spread_cents: 0.0, vibrato_cents: 7.0, partial: mellow_partial }
        }
        _ => Sustained { players: 4, spread_cents: 9.0, vibrato_cents: 9.0, partial: bowed_partial },
    };
    // The organ's loop starts an octave lower, at the 16' pipe.
    let octave = if instrument == Instrument::Organ { 0.5 } else { 1.0 };
    Sound { sides: sustain(kind, super::frequency(pitch) * octave).map(Into::into) }
}

/// Lets the last 20 ms go to silence, for sounds longer than the buffer.
fn fade_end(out: &mut [f32]) {
    let frames = ((0.02 * RATE) as usize).min(out.len());
    let start = out.len() - frames;
    for (i, sample) in out[start..].iter_mut().enumerate() {
        *sample *= 1.0 - (i + 1) as f32 / frames as f32;
    }
}
