//! The built-in sounds: computed from formulas once a process, then played like samples.
//!
//! A sound of a pitched instrument is kept at a rate that is a whole multiple of its pitch, just high
//! enough for its highest partial: low notes, which last longest, need the fewest samples. Plucked strings
//! are kept until only their slowest partials ring and go on as a loop with the decay measured there.

mod drums;
mod instrument;
mod kernel;
mod modal;
mod noise;
mod pluck;
mod sound;
mod sustain;

use std::sync::OnceLock;

pub(crate) use instrument::{BUSES, Instrument, SENDS};
pub(crate) use kernel::{Kernel, PHASE_BITS, SCALE};
pub(crate) use sound::Sound;

use kernel::Kernels;
use modal::{BassTone, Struck, bass, electric_piano, mallet, piano};
use pluck::{PluckTone, pluck};
use sound::{decimate, trimmed};
use sustain::{Sustained, bowed_partial, mellow_partial, organ_partial, sustain};

/// Equal-tempered frequency in Hz, A4 = 440.
pub(crate) fn frequency(pitch: u8) -> f32 {
    440.0 * 2f32.powf((f32::from(pitch) - 69.0) / 12.0)
}

/// Where a drum stands, -1 left to 1 right.
pub(crate) use drums::{chokes_hat, place as drum_place};

/// Rate of the drums in samples a second.
const DRUM_RATE: f32 = 44_100.0;
/// The hardest blow that sounds are made for; nothing is louder or brighter.
const HARD: f32 = 0.95;

/// The sounds of one instrument: from its lowest pitch upwards, the layers of a pitch side by side.
#[derive(Debug, Clone, Copy, Default)]
struct Set {
    first: usize,
    lowest: u8,
    step: u8,
    pitches: usize,
    layers: usize,
}

/// The sounds of one drum: layers from soft to hard, in each as many takes.
#[derive(Debug, Clone, Copy, Default)]
struct Drum {
    first: usize,
    layers: usize,
    takes: usize,
}

/// All sounds.
#[derive(Debug)]
pub(crate) struct Bank {
    sounds: Vec<Sound>,
    pitched: [Set; Instrument::PITCHED.len()],
    drums: [Drum; 128],
    kernels: Kernels,
}

impl Bank {
    /// The one bank of the process; computed at the first call, which takes a fraction of a second.
    pub(crate) fn shared() -> &'static Self {
        static BANK: OnceLock<Bank> = OnceLock::new();
        BANK.get_or_init(Self::compute)
    }

    fn compute() -> Self {
        let mut sounds = Vec::new();
        let pitched = Instrument::PITCHED.map(|instrument| {
            let (lowest, highest, step) = instrument.range();
            let forces = forces(instrument);
            let first = sounds.len();
            let pitches = (lowest..=highest).step_by(usize::from(step));
            let set = Set { first, lowest, step, pitches: pitches.len(), layers: forces.len() };
            sounds.extend(pitches.flat_map(|p| forces.iter().map(move |&f| make(instrument, p, f))));
            set
        });
        let mut drums = [Drum::default(); 128];
        for key in 0..128u8 {
            let alike = drums::sounds_like(key);
            if alike != key {
                continue;
            }
            let (forces, takes): (&[f32], u32) = match key {
                38 | 42 | 44 => (&[0.3, 0.6, HARD], 2),
                35 | 36 | 40 => (&[0.3, 0.6, HARD], 1),
                // Cymbals ring long, and a soft stroke is only a darker one.
                49 | 51 | 53 | 55 | 57 => (&[HARD], 1),
                _ => (&[0.45, HARD], 1),
            };
            drums[usize::from(key)] =
                Drum { first: sounds.len(), layers: forces.len(), takes: takes as usize };
            for &force in forces {
                sounds.extend((0..takes).map(|take| strike(key, force, take)));
            }
        }
        for key in 0..128u8 {
            drums[usize::from(key)] = drums[usize::from(drums::sounds_like(key))];
        }
        sounds.shrink_to_fit();
        Self { sounds, pitched, drums, kernels: Kernels::new() }
    }

    /// The sound of a note. `force` is 0 to 1; `turn` picks one of several takes.
    pub(crate) fn find(&self, instrument: Instrument, pitch: u8, force: f32, turn: u32) -> &Sound {
        let index = if instrument == Instrument::Kit {
            let drum = self.drums[usize::from(pitch.min(127))];
            drum.first
                + self.layer(drum.first, drum.layers, drum.takes, force) * drum.takes
                + turn as usize % drum.takes
        } else {
            let set = self.pitched[instrument as usize];
            let above = usize::from((pitch + set.step / 2).saturating_sub(set.lowest));
            let nearest = (above / usize::from(set.step)).min(set.pitches - 1);
            let first = set.first + nearest * set.layers;
            first + self.layer(first, set.layers, 1, force)
        };
        &self.sounds[index]
    }

    /// The softest layer that is as hard as `force`, or the hardest.
    fn layer(&self, first: usize, layers: usize, takes: usize, force: f32) -> usize {
        (0..layers).find(|l| self.sounds[first + l * takes].force >= force).unwrap_or(layers - 1)
    }

    /// How to read a sound so that it has the brightness of `force`.
    pub(crate) fn kernel(&self, sound: &Sound, force: f32) -> &Kernel {
        self.kernels.nearest(sound.tilt * (sound.force - force).max(0.0))
    }

    /// Bytes of all sounds.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.sounds.iter().map(Sound::bytes).sum()
    }
}

/// Forces that an instrument's sounds are made at, from soft to hard. Between them the interpolation
/// takes the highs away; the electric piano's bark is beyond it.
fn forces(instrument: Instrument) -> &'static [f32] {
    match instrument {
        Instrument::ElectricPiano => &[0.45, HARD],
        _ => &[HARD],
    }
}

/// A drum stroke.
fn strike(key: u8, force: f32, take: u32) -> Sound {
    let mut out = vec![0.0; (drums::seconds(key) * DRUM_RATE) as usize];
    drums::strike(key, force, take, DRUM_RATE, &mut out);
    // Skins have next to nothing above 8 kHz.
    let skin = matches!(key, 35 | 36 | 41 | 43 | 45 | 47 | 48 | 50 | 60..=66);
    let (out, rate) = if skin { (decimate(&out), DRUM_RATE / 2.0) } else { (out, DRUM_RATE) };
    Sound { force, tilt: 2.0, period: 0.0, ..Sound::once(&trimmed(&out, rate), rate, key) }
}

/// A note of a pitched instrument.
fn make(instrument: Instrument, pitch: u8, force: f32) -> Sound {
    let guitar = |bright, lasting, damping, place, body, drive| PluckTone {
        bright,
        lasting,
        damping,
        place,
        body,
        drive,
    };
    let section =
        |partial| Sustained { players: 5, spread_cents: 9.0, vibrato_cents: 9.0, seconds: 1.9, partial };
    let alone = |vibrato_cents, partial| Sustained {
        players: 1,
        spread_cents: 0.0,
        vibrato_cents,
        seconds: 0.4,
        partial,
    };
    let low = |dark, lasting, attack, place| BassTone { dark, lasting, attack, place };
    match instrument {
        Instrument::Piano => {
            let seconds = (6.0 - (f32::from(pitch) - 36.0) * 0.06).clamp(1.5, 6.0);
            let (out, rate) = sounded(&piano(pitch, force), pitch, seconds);
            let sound = Sound::once(&trimmed(&out, rate), rate, pitch);
            // As the partials' slope follows the force in `piano`.
            Sound { force, tilt: 0.20 * sound.period, ..sound }
        }
        Instrument::ElectricPiano => ringing(&electric_piano(pitch, force), pitch, 0.9, force, 0.0),
        Instrument::Mallet => ringing(&mallet(pitch, force), pitch, 0.8, force, 3.0),
        Instrument::NylonGuitar => plucked(guitar(1500.0, 1.1, 0.42, 0.23, 0.9, 0.0), pitch),
        Instrument::SteelGuitar => plucked(guitar(3000.0, 1.5, 0.30, 0.17, 0.6, 0.0), pitch),
        Instrument::CleanGuitar => plucked(guitar(2200.0, 1.8, 0.34, 0.21, 0.1, 0.0), pitch),
        Instrument::MutedGuitar => plucked(guitar(1700.0, 0.12, 0.45, 0.2, 0.2, 0.0), pitch),
        Instrument::DrivenGuitar => plucked(guitar(2400.0, 3.5, 0.30, 0.15, 0.0, 5.0), pitch),
        Instrument::Plucked => plucked(guitar(1900.0, 0.8, 0.40, 0.3, 0.5, 0.0), pitch),
        Instrument::UprightBass => low_string(low(0.34, 0.75, 1.2, 0.28), pitch, force),
        Instrument::ElectricBass => low_string(low(0.26, 1.7, 0.8, 0.21), pitch, force),
        Instrument::SynthBass => low_string(low(0.16, 2.4, 0.2, 0.37), pitch, force),
        Instrument::Strings => Sound { tilt: 8.0, wide: true, ..held(section(bowed_partial), 1.0, pitch) },
        Instrument::Mellow => Sound { tilt: 5.0, ..held(alone(7.0, mellow_partial), 1.0, pitch) },
        // The organ's loop starts an octave lower, at the 16' pipe.
        Instrument::Organ => held(alone(4.0, organ_partial), 0.5, pitch),
        Instrument::Kit => strike(pitch, force, 0),
    }
}

/// A struck sound at the lowest rate that holds it; the rate is a whole multiple of the pitch.
fn sounded(struck: &Struck, pitch: u8, seconds: f32) -> (Vec<f32>, f32) {
    let f0 = frequency(pitch);
    let rate = (struck.highest().min(12_000.0) / f0 / 0.40).ceil().max(12.0) * f0;
    (struck.sound(rate, seconds), rate)
}

/// A harmonic sound that goes on as a loop after `seconds`.
fn ringing(struck: &Struck, pitch: u8, seconds: f32, force: f32, tilt: f32) -> Sound {
    let (out, rate) = sounded(struck, pitch, seconds + 0.35);
    Sound { force, tilt, ..Sound::ringing(&out, rate, pitch, seconds) }
}

fn low_string(tone: BassTone, pitch: u8, force: f32) -> Sound {
    let sound = ringing(&bass(tone, pitch, force), pitch, 1.2, force, 0.0);
    Sound { tilt: 0.5 * tone.dark * sound.period, ..sound }
}

fn plucked(tone: PluckTone, pitch: u8) -> Sound {
    // Made at about 44.1 kHz and kept at half of it: a pluck is softer than that from the start.
    let period = (44_100.0 / frequency(pitch) / 2.0).round() as usize * 2;
    let out = decimate(&pluck(tone, pitch, HARD, period, 1.5));
    let rate = period as f32 * frequency(pitch) / 2.0;
    Sound { force: HARD, tilt: 7.0, ..Sound::ringing(&out, rate, pitch, 1.1) }
}

/// A held sound; `octave` is what its loop starts at against the pitch.
fn held(kind: Sustained, octave: f32, pitch: u8) -> Sound {
    let (out, rate) = sustain(kind, frequency(pitch) * octave);
    Sound::held(&out, rate, pitch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bank_is_small_and_made_quickly() {
        let began = std::time::Instant::now();
        let bank = Bank::compute();
        let (taken, bytes) = (began.elapsed(), bank.bytes());
        println!("{} sounds, {:.1} MB, {taken:?}", bank.sounds.len(), bytes as f64 / 1e6);
        assert!(bytes < 16 << 20, "{bytes} bytes");
    }

    #[test]
    fn every_note_of_every_instrument_has_a_sound_near_its_pitch() {
        let bank = Bank::shared();
        for instrument in Instrument::PITCHED {
            let (lowest, highest, step) = instrument.range();
            for pitch in 0..128u8 {
                let sound = bank.find(instrument, pitch, 0.5, 0);
                let wanted = pitch.clamp(lowest, highest);
                assert!(sound.pitch.abs_diff(wanted) <= step, "{instrument:?} {pitch}: {}", sound.pitch);
            }
        }
        for key in 0..128 {
            for turn in 0..5 {
                assert!(bank.find(Instrument::Kit, key, 0.5, turn).frames > 100, "{key}");
            }
        }
    }
}
