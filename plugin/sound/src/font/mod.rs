//! Playing a SoundFont 2, by rustysynth, on the audio thread: its synthesiser does not allocate once it is
//! made, but it may panic over what a damaged font holds.

mod load;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

pub use load::SoundfontError;
use rustysynth::Synthesizer;

use crate::channels::{CHANNELS, PROGRAMS};

/// Frames that the synthesiser makes at once; notes start on this grid.
const BLOCK: usize = 16;
/// Output below this is no sound: -100 dB.
const QUIET: f32 = 1e-5;
/// Seconds of quiet after which nothing rings.
const REST: f32 = 0.25;
/// Controllers that are set again after all was turned off: bank, modulation, volume, pan, expression, pedal,
/// reverberation, chorus.
const KEPT: [u8; 8] = [0, 1, 7, 10, 11, 64, 91, 93];

/// A soundfont with its player.
pub(crate) struct Font {
    synth: Synthesizer,
    /// What was made and not yet handed out.
    ready: [[f32; BLOCK]; 2],
    at: usize,
    /// What the output jumped by where sound was cut off, dying away.
    jump: [f32; 2],
    jump_falls: f32,
    last: [f32; 2],
    /// Sound was cut off since the last block.
    cut: bool,
    /// Keys that are down.
    keys: [u128; CHANNELS],
    programs: [u8; CHANNELS],
    controllers: [[Option<u8>; KEPT.len()]; CHANNELS],
    /// Frames of quiet so far, and those that make silence.
    quiet: u32,
    rest: u32,
    silent: bool,
    damaged: bool,
}

impl Font {
    /// Opens a font; `rate` within 16 to 192 kHz.
    pub(crate) fn open(path: &Path, rate: f32) -> Result<Self, SoundfontError> {
        let mut font = Self {
            synth: load::synthesizer(load::load(path)?, rate, BLOCK)?,
            ready: [[0.0; BLOCK]; 2],
            at: BLOCK,
            jump: [0.0; 2],
            jump_falls: (-1.0 / (0.001 * rate)).exp(),
            last: [0.0; 2],
            cut: false,
            keys: [0; CHANNELS],
            programs: PROGRAMS,
            controllers: [[None; KEPT.len()]; CHANNELS],
            quiet: 0,
            rest: (REST * rate) as u32,
            silent: true,
            damaged: false,
        };
        font.restore();
        Ok(font)
    }

    /// Whether nothing rings.
    pub(crate) fn is_silent(&self) -> bool {
        self.silent
    }

    /// Whether playing it failed.
    pub(crate) fn is_damaged(&self) -> bool {
        self.damaged
    }

    /// Falls silent for good.
    pub(crate) fn give_up(&mut self) {
        (self.damaged, self.silent) = (true, true);
    }

    /// Runs the synthesiser, unless it failed before.
    fn run(&mut self, act: impl FnOnce(&mut Synthesizer)) {
        if self.damaged {
            return;
        }
        let synth = &mut self.synth;
        if catch_unwind(AssertUnwindSafe(|| act(synth))).is_err() {
            self.give_up();
        }
    }

    pub(crate) fn note_on(&mut self, channel: usize, pitch: u8, velocity: u8) {
        self.run(|synth| synth.note_on(channel as i32, i32::from(pitch), i32::from(velocity)));
        self.keys[channel] |= 1 << pitch;
        (self.silent, self.quiet) = (self.damaged, 0);
    }

    pub(crate) fn note_off(&mut self, channel: usize, pitch: u8) {
        self.run(|synth| synth.note_off(channel as i32, i32::from(pitch)));
        self.keys[channel] &= !(1 << pitch);
    }

    /// Any other channel message.
    pub(crate) fn message(&mut self, channel: usize, status: u8, first: u8, second: u8) {
        if status == 0xC0 {
            self.programs[channel] = first;
        }
        if let Some(i) = KEPT.iter().position(|&c| status == 0xB0 && c == first) {
            self.controllers[channel][i] = Some(second);
        }
        let [status, first, second] = [status, first, second].map(i32::from);
        self.run(|synth| synth.process_midi_message(channel as i32, status, first, second));
    }

    /// All keys of a channel up.
    pub(crate) fn keys_up(&mut self, channel: usize) {
        self.run(|synth| synth.note_off_all_channel(channel as i32, false));
        self.keys[channel] = 0;
    }

    /// Ends the sound of a channel.
    pub(crate) fn hush(&mut self, channel: usize) {
        self.run(|synth| synth.note_off_all_channel(channel as i32, true));
        self.keys[channel] = 0;
        self.cut = true;
    }

    /// Ends all sound, the reverberation too.
    pub(crate) fn hush_all(&mut self) {
        self.run(Synthesizer::reset);
        self.restore();
        self.keys = [0; CHANNELS];
        self.ready = [[0.0; BLOCK]; 2];
        self.at = BLOCK;
        self.cut = true;
    }

    /// Sets programs and controllers to what they were before a reset.
    fn restore(&mut self) {
        for channel in 0..CHANNELS {
            let program = i32::from(self.programs[channel]);
            let controllers = self.controllers[channel];
            self.run(|synth| {
                synth.process_midi_message(channel as i32, 0xC0, program, 0);
                for (controller, value) in KEPT.into_iter().zip(controllers) {
                    if let Some(value) = value {
                        let (controller, value) = (i32::from(controller), i32::from(value));
                        synth.process_midi_message(channel as i32, 0xB0, controller, value);
                    }
                }
            });
        }
    }

    /// The next frames, in place of what the buffers hold; both are equally long. Stops where nothing rings
    /// any more and returns the frames made.
    pub(crate) fn render(&mut self, left: &mut [f32], right: &mut [f32]) -> usize {
        let mut from = 0;
        while from < left.len() {
            if self.at == BLOCK {
                self.look_around();
                if self.silent {
                    break;
                }
                self.make();
            }
            let n = (left.len() - from).min(BLOCK - self.at);
            left[from..from + n].copy_from_slice(&self.ready[0][self.at..self.at + n]);
            right[from..from + n].copy_from_slice(&self.ready[1][self.at..self.at + n]);
            self.last = [left[from + n - 1], right[from + n - 1]];
            self.at += n;
            from += n;
        }
        from
    }

    /// Falls silent where no key is down and nothing has been heard for a while.
    fn look_around(&mut self) {
        if self.quiet >= self.rest && self.keys == [0; CHANNELS] {
            self.silent = true;
        }
        if self.silent {
            (self.last, self.jump, self.cut) = ([0.0; 2], [0.0; 2], false);
        }
    }

    fn make(&mut self) {
        let mut ready = [[0.0; BLOCK]; 2];
        let [left, right] = &mut ready;
        self.run(|synth| synth.render(left, right));
        for side in 0..2 {
            if self.cut {
                let jump = self.last[side] - ready[side][0];
                self.jump[side] = if jump.is_finite() { jump } else { 0.0 };
            }
            for x in &mut ready[side] {
                *x += self.jump[side];
                self.jump[side] *= self.jump_falls;
            }
            if self.jump[side].abs() < 1e-7 {
                self.jump[side] = 0.0;
            }
        }
        self.cut = false;
        let heard = ready.iter().flatten().any(|x| x.abs() > QUIET);
        self.quiet = if heard { 0 } else { self.quiet.saturating_add(BLOCK as u32) };
        (self.ready, self.at) = (ready, 0);
    }
}
