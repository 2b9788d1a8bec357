//! A small synthesiser of our own, so that a render can be heard without a soundfont: struck and plucked
//! strings, bowed ensembles and a drum kit, all computed from formulas, 44.1 kHz stereo.
//!
//! Each sound (an instrument, a pitch, a velocity layer) is made once, when the first note needs it, and
//! then mixed like a sample. Rendering is deterministic and streams block by block, so that memory does
//! not grow with the music's length.

mod bank;
mod drums;
mod ensemble;
mod modal;
mod noise;
mod pluck;
mod room;

use std::sync::Arc;

use anyhow::Result;
use sideman_music::Score;

use crate::audio::{BLOCK, SAMPLE_RATE, Source};
use bank::{BUSES, Bank, Instrument, SENDS, Sound};
use room::{Limiter, Room};

const RATE: f32 = SAMPLE_RATE as f32;

/// Most notes that sound at once; the oldest give way.
const VOICES: usize = 192;
/// Seconds that the room rings on after the last note.
const TAIL: f64 = 2.5;
/// What the mix is turned up or down by as a whole.
const MASTER: f32 = 0.74;

/// Equal-tempered frequency in Hz, A4 = 440.
fn frequency(pitch: u8) -> f32 {
    440.0 * 2f32.powf((f32::from(pitch) - 69.0) / 12.0)
}

/// A note to come.
struct Strike {
    frame: u64,
    /// Frames that the key is held.
    held: u64,
    instrument: Instrument,
    pitch: u8,
    velocity: u8,
}

/// A note that sounds.
struct Voice {
    sound: Arc<Sound>,
    at: usize,
    frames_until_release: u64,
    gains: [f32; 2],
    bus: usize,
    sustained: bool,
    /// Level of the swell, rising to 1.
    swell: f32,
    swell_step: f32,
    /// Level of the fall, from 1 to 0, and its factor a frame once released.
    fall: f32,
    fall_factor: f32,
    /// Drum key; 255 for other instruments.
    key: u8,
    /// Frame at which it began.
    born: u64,
    done: bool,
}

/// Renders a score from its start to the end of its last note.
pub(crate) struct Synth {
    strikes: Vec<Strike>,
    next: usize,
    frame: u64,
    end: u64,
    bank: Bank,
    voices: Vec<Voice>,
    buses: [[Vec<f32>; 2]; BUSES],
    send: [Vec<f32>; 2],
    envelope: Vec<f32>,
    room: Room,
    limiter: Limiter,
}

impl Synth {
    /// A synthesiser for a score, at its tempos. Tracks sound by their General MIDI programs.
    pub(crate) fn new(score: &Score) -> Self {
        let mut bank = Bank::default();
        let mut strikes = Vec::new();
        let mut last = 0.0f64;
        for track in &score.tracks {
            let instrument =
                if track.is_drums { Instrument::Kit } else { Instrument::of_program(track.program) };
            for note in &track.notes {
                let (start, end) = (score.tempos.seconds_at(note.onset), score.tempos.seconds_at(note.end()));
                last = last.max(end);
                bank.announce(instrument, note.pitch, note.velocity, (end - start) as f32);
                strikes.push(Strike {
                    frame: (start * f64::from(RATE)) as u64,
                    held: ((end - start) * f64::from(RATE)) as u64,
                    instrument,
                    pitch: note.pitch.min(127),
                    velocity: note.velocity.min(127),
                });
            }
        }
        strikes.sort_by_key(|s| s.frame);
        let end = ((last + TAIL) * f64::from(RATE)) as u64 + Limiter::delay() as u64;
        let silence = || [vec![0.0; BLOCK], vec![0.0; BLOCK]];
        Self {
            strikes,
            next: 0,
            frame: 0,
            end,
            bank,
            voices: Vec::with_capacity(VOICES),
            buses: std::array::from_fn(|_| silence()),
            send: silence(),
            envelope: vec![0.0; BLOCK],
            room: Room::new(1.7),
            limiter: Limiter::new(),
        }
    }

    fn start(&mut self, strike: usize) -> Voice {
        let s = &self.strikes[strike];
        let place = s.instrument.place();
        let is_drum = s.instrument == Instrument::Kit;
        let pan = match s.instrument {
            Instrument::Kit => drums::place(s.pitch),
            // The keyboard as the player sees it, not wider than the stage.
            Instrument::Piano | Instrument::ElectricPiano => {
                ((f32::from(s.pitch) - 62.0) / 90.0).clamp(-0.3, 0.3)
            }
            _ => place.pan,
        };
        let angle = (pan + 1.0) * std::f32::consts::FRAC_PI_4;
        // Loudness goes with the velocity's power, as most samplers have it.
        let loudness = place.gain * (f32::from(s.velocity) / 127.0).powf(1.6);
        let held = if is_drum { u64::MAX } else { s.held.max((0.03 * RATE) as u64) };
        Voice {
            sound: self.bank.sound(s.instrument, s.pitch, s.velocity),
            at: 0,
            frames_until_release: held,
            gains: [angle.cos() * loudness, angle.sin() * loudness],
            bus: place.bus,
            sustained: place.sustained,
            swell: if place.attack > 0.0 { 0.0 } else { 1.0 },
            swell_step: if place.attack > 0.0 { 1.0 / (place.attack * RATE) } else { 0.0 },
            fall: 1.0,
            fall_factor: (-1.0 / (place.release.max(0.02) * RATE)).exp(),
            key: if is_drum { s.pitch } else { 255 },
            born: s.frame,
            done: false,
        }
    }

    /// Makes room for a note: an open hat stops at a closed one, and the oldest voice gives way.
    fn admit(&mut self, voice: Voice) {
        if drums::chokes_hat(voice.key) {
            self.voices.iter_mut().filter(|v| v.key == 46).for_each(|v| v.frames_until_release = 0);
        }
        if self.voices.len() >= VOICES
            && let Some(oldest) =
                self.voices.iter_mut().filter(|v| v.frames_until_release > 0).min_by_key(|v| v.born)
        {
            oldest.frames_until_release = 0;
            oldest.fall_factor = (-1.0 / (0.004 * RATE)).exp();
        }
        // Only a file made to do harm starts so many notes within a few milliseconds.
        if self.voices.len() < 2 * VOICES {
            self.voices.push(voice);
        }
    }
}

impl Source for Synth {
    fn frames(&self) -> u64 {
        self.end
    }

    fn fill(&mut self, block: &mut [Vec<f32>; 2]) -> Result<usize> {
        let frames = usize::try_from(self.end.saturating_sub(self.frame)).unwrap_or(BLOCK).min(BLOCK);
        if frames == 0 {
            return Ok(0);
        }
        for side in self.buses.iter_mut().flatten().chain(&mut self.send) {
            side.fill(0.0);
        }
        // Play up to each strike, so that a closing hat stops the open one on time.
        let mut from = 0;
        while from < frames {
            while let Some(s) = self.strikes.get(self.next)
                && s.frame <= self.frame + from as u64
            {
                let voice = self.start(self.next);
                self.admit(voice);
                self.next += 1;
            }
            let until = self
                .strikes
                .get(self.next)
                .map_or(frames, |s| usize::try_from(s.frame - self.frame).unwrap_or(frames).min(frames));
            for voice in &mut self.voices {
                voice.mix(&mut self.envelope, &mut self.buses, from, until);
            }
            self.voices.retain(|v| !v.done);
            from = until;
        }
        for side in 0..2 {
            block[side].fill(0.0);
            for (bus, send) in self.buses.iter().zip(SENDS) {
                let outs = block[side].iter_mut().zip(&mut self.send[side]);
                for ((out, to_room), from) in outs.zip(&bus[side]) {
                    *out += from * MASTER;
                    *to_room += from * send * MASTER;
                }
            }
        }
        self.room.add([&self.send[0], &self.send[1]], block);
        self.limiter.run(block);
        self.frame += frames as u64;
        Ok(frames)
    }
}

impl Voice {
    /// Adds frames `from..until` of the block to the voice's bus.
    fn mix(&mut self, envelope: &mut [f32], buses: &mut [[Vec<f32>; 2]; BUSES], from: usize, until: usize) {
        let mut from = from;
        while from < until && !self.done {
            let left_in_sound = self.sound.sides[0].len() - self.at;
            let mut n = (until - from).min(left_in_sound);
            let released = self.frames_until_release == 0;
            if !released {
                n = n.min(usize::try_from(self.frames_until_release).unwrap_or(n));
            }
            let envelope = &mut envelope[..n];
            let steady = !released && self.swell >= 1.0;
            if !steady {
                for e in envelope.iter_mut() {
                    *e = self.swell * self.fall;
                    self.swell = (self.swell + self.swell_step).min(1.0);
                    if released {
                        self.fall *= self.fall_factor;
                    }
                }
            }
            for side in 0..2 {
                let to = &mut buses[self.bus][side][from..from + n];
                let sound = &self.sound.sides[side][self.at..self.at + n];
                if steady {
                    let gain = self.gains[side] * self.fall;
                    to.iter_mut().zip(sound).for_each(|(to, sound)| *to += sound * gain);
                } else {
                    let gain = self.gains[side];
                    to.iter_mut()
                        .zip(sound)
                        .zip(envelope.iter())
                        .for_each(|((to, sound), e)| *to += sound * e * gain);
                }
            }
            self.at += n;
            from += n;
            self.frames_until_release = self.frames_until_release.saturating_sub(n as u64);
            if self.at == self.sound.sides[0].len() {
                self.at = 0;
                self.done = !self.sustained;
            }
            self.done |= self.fall < 3e-5;
        }
    }
}

#[cfg(test)]
mod tests;
