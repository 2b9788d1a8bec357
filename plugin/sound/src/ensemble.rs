//! The band that can be heard: the built-in sounds or a soundfont, at the host's rate.

use std::path::Path;

use crate::band::Band;
use crate::channels::CHANNELS;
use crate::font::{Font, SoundfontError};
use crate::master::Master;
use crate::pace::Pace;

/// Lowest and highest sample rate that is played at, in Hz.
const RATES: (f32, f32) = (8_000.0, 384_000.0);
/// The built-in sounds are made at this many frames a second at least, and thinned out below.
const BAND_RATE: f32 = 32_000.0;
/// Controllers: sustain pedal, all sound off, reset all controllers, all notes off.
const PEDAL: u8 = 64;
const SOUND_OFF: u8 = 120;
const RESET: u8 = 121;
const NOTES_OFF: u8 = 123;

enum Source {
    Band(Box<Band>),
    Font(Box<Font>),
}

/// Plays notes on MIDI channels, all counted from 0, as `render` writes them: piano 0, bass 1, guitar 2,
/// strings 3, drums 9. Other channels play pianos until a program change.
///
/// Constructors compute and allocate. Everything else is fit for the audio thread: it does not
/// allocate, free, lock, wait or call the system, and takes any argument. What [`Ensemble::render`] makes
/// depends only on what was called after how many frames, bit for bit, not on how blocks are cut. It adds
/// no latency but the half millisecond that rates below 32 kHz need for a low-pass, and with a
/// soundfont notes start on a grid of 16 frames.
pub struct Ensemble {
    source: Source,
    pace: Pace,
    master: Master,
}

impl std::fmt::Debug for Ensemble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sound = match self.source {
            Source::Band(_) => "built-in",
            Source::Font(_) => "soundfont",
        };
        f.debug_struct("Ensemble").field("sound", &sound).field("silent", &self.is_silent()).finish()
    }
}

impl Ensemble {
    /// The built-in band at a sample rate in Hz (8,000 to 384,000; what is beyond is taken as the nearest).
    ///
    /// The first call in a process computes the sounds, about 16 MB that all instances share; this
    /// takes a fraction of a second. Not for the audio thread.
    pub fn built_in(sample_rate: f32) -> Self {
        let rate = playable(sample_rate);
        let each = (BAND_RATE / rate).ceil().max(1.0);
        Self {
            source: Source::Band(Box::new(Band::new(rate * each))),
            pace: Pace::down(each as usize),
            master: Master::new(rate),
        }
    }

    /// A SoundFont 2 file (.sf2) at a sample rate in Hz (8,000 to 384,000; what is beyond is taken as the
    /// nearest). Reads the whole file into memory. Not for the audio thread.
    ///
    /// # Errors
    /// What cannot be read, is no SoundFont 2, is compressed (.sf3) or damaged.
    pub fn soundfont(path: &Path, sample_rate: f32) -> Result<Self, SoundfontError> {
        let rate = playable(sample_rate);
        // The synthesiser behind takes 16 to 192 kHz.
        let (own, pace) = if rate < 16_000.0 {
            (rate * 2.0, Pace::down(2))
        } else if rate > 192_000.0 {
            (rate / 2.0, Pace::double())
        } else {
            (rate, Pace::Same)
        };
        let font = Font::open(path, own)?;
        Ok(Self { source: Source::Font(Box::new(font)), pace, master: Master::new(rate) })
    }

    /// Changes the instrument of a channel to the nearest to a General MIDI program, for the notes to come.
    pub fn program(&mut self, channel: u8, program: u8) {
        let (channel, program) = (index(channel), program & 0x7F);
        match &mut self.source {
            Source::Band(band) => band.program(channel, program),
            Source::Font(font) => font.message(channel, 0xC0, program, 0),
        }
    }

    /// Strikes a key, at the next frame. Velocity 0 lifts it. A key that is down already is lifted first.
    pub fn note_on(&mut self, channel: u8, pitch: u8, velocity: u8) {
        let (channel, pitch, velocity) = (index(channel), pitch & 0x7F, velocity & 0x7F);
        match &mut self.source {
            Source::Band(band) if velocity == 0 => band.note_off(channel, pitch),
            Source::Font(font) if velocity == 0 => font.note_off(channel, pitch),
            Source::Band(band) => band.note_on(channel, pitch, velocity),
            Source::Font(font) => font.note_on(channel, pitch, velocity),
        }
    }

    /// Lifts a key. Built-in drums ring to their own end.
    pub fn note_off(&mut self, channel: u8, pitch: u8) {
        let (channel, pitch) = (index(channel), pitch & 0x7F);
        match &mut self.source {
            Source::Band(band) => band.note_off(channel, pitch),
            Source::Font(font) => font.note_off(channel, pitch),
        }
    }

    /// A controller: sustain pedal (64, down from 64 on), all sound off (120), reset (121, lifts the pedal),
    /// all notes off (123). A soundfont also follows volume, pan, expression and the like, the
    /// built-in band does not.
    pub fn control(&mut self, channel: u8, controller: u8, value: u8) {
        let (channel, value) = (index(channel), value & 0x7F);
        match &mut self.source {
            Source::Band(band) => match controller {
                PEDAL => band.pedal(channel, value >= 64),
                RESET => band.pedal(channel, false),
                SOUND_OFF => band.hush(channel),
                NOTES_OFF => band.keys_up(channel),
                _ => {}
            },
            Source::Font(font) => match controller {
                SOUND_OFF => font.hush(channel),
                NOTES_OFF => font.keys_up(channel),
                0..=127 => font.message(channel, 0xB0, controller, value),
                _ => {}
            },
        }
    }

    /// Pitch bend of a channel, 0 to 16383 with 8192 for none. Only a soundfont follows.
    pub fn bend(&mut self, channel: u8, value: u16) {
        if let Source::Font(font) = &mut self.source {
            let value = value.min(0x3FFF);
            font.message(index(channel), 0xE0, (value & 0x7F) as u8, (value >> 7) as u8);
        }
    }

    /// The master gain, as a factor from 0 to 4. Glides there within some 30 ms; at once while silent.
    pub fn gain(&mut self, gain: f32) {
        let silent = self.is_silent();
        self.master.set_gain(gain, silent);
    }

    /// Ends all sound, reverberation included, within a few milliseconds and without a click. Programs,
    /// pedals and controllers stay as they are.
    pub fn silence(&mut self) {
        match &mut self.source {
            Source::Band(band) => band.hush_all(),
            Source::Font(font) => font.hush_all(),
        }
    }

    /// Makes the next frames, in place of what the buffers hold; any number of them. Every sample is a
    /// number from -1 to 1. Where one buffer is longer its rest is filled with zeros.
    pub fn render(&mut self, left: &mut [f32], right: &mut [f32]) {
        let frames = left.len().min(right.len());
        let (now_left, rest_left) = left.split_at_mut(frames);
        let (now_right, rest_right) = right.split_at_mut(frames);
        rest_left.fill(0.0);
        rest_right.fill(0.0);
        if self.is_silent() {
            now_left.fill(0.0);
            now_right.fill(0.0);
            return;
        }
        let Self { source, pace, master } = self;
        let made = pace.run(
            |left, right| match source {
                Source::Band(band) => band.render(left, right),
                Source::Font(font) => font.render(left, right),
            },
            now_left,
            now_right,
        );
        let damaged = master.run(&mut now_left[..made], &mut now_right[..made]);
        now_left[made..].fill(0.0);
        now_right[made..].fill(0.0);
        if let Source::Font(font) = source
            && damaged
        {
            font.give_up();
        }
        if self.is_silent() {
            self.master.rest();
        }
    }

    /// Whether nothing rings: until the next note, [`Ensemble::render`] makes zeros and may be skipped.
    pub fn is_silent(&self) -> bool {
        let ended = match &self.source {
            Source::Band(band) => band.is_silent(),
            Source::Font(font) => font.is_silent(),
        };
        ended && self.pace.is_idle()
    }

    /// Whether the soundfont turned out to be damaged while it was played. It is silent from then on.
    pub fn is_damaged(&self) -> bool {
        matches!(&self.source, Source::Font(font) if font.is_damaged())
    }
}

fn playable(sample_rate: f32) -> f32 {
    if sample_rate.is_nan() { 44_100.0 } else { sample_rate.clamp(RATES.0, RATES.1) }
}

fn index(channel: u8) -> usize {
    usize::from(channel) % CHANNELS
}
