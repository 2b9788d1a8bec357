//! The instrument that the audio thread plays, and how it is replaced by another.

use std::path::PathBuf;

use crossbeam::queue::ArrayQueue;
use sideman_engine::live::{MidiMessage, Output, Voice};
use sideman_sound::Ensemble;

/// An instrument, and what it was made from.
pub struct Sound {
    /// The instrument.
    pub ensemble: Ensemble,
    /// Its soundfont, or none for the built-in sound.
    pub font: Option<PathBuf>,
    /// Samples a second that it was made for.
    pub rate: f32,
}

/// A place for the next instrument: whoever makes one puts it in, the audio thread takes it out.
pub type Inbox = ArrayQueue<Box<Sound>>;

/// Longest piece that is rendered at once while two instruments overlap.
const PIECE: usize = 256;
/// Seconds that an instrument gets to fall silent when another takes over.
const FADE: f32 = 0.05;
/// Controller of the sustain pedal.
const PEDAL: u8 = 64;

/// Plays the instrument. Owned by the audio thread; does not allocate, free or wait.
pub(crate) struct InstrumentSlot {
    now: Option<Box<Sound>>,
    /// What falls silent, and the frames that it has left.
    leaving: Option<(Box<Sound>, usize)>,
    /// What is to be freed elsewhere.
    scrap: Option<Box<Sound>>,
    left: Box<[f32; PIECE]>,
    right: Box<[f32; PIECE]>,
    gain: f32,
    on: bool,
    /// Where the piano's pedal is.
    pedal: u8,
    /// Whether the soundfont was found to be damaged.
    damaged: bool,
}

impl Default for InstrumentSlot {
    fn default() -> Self {
        Self {
            now: None,
            leaving: None,
            scrap: None,
            left: Box::new([0.0; PIECE]),
            right: Box::new([0.0; PIECE]),
            gain: 1.0,
            on: true,
            pedal: 0,
            damaged: false,
        }
    }
}

impl InstrumentSlot {
    /// What plays now.
    pub(crate) fn sound(&self) -> Option<&Sound> {
        self.now.as_deref()
    }

    /// Puts another instrument in place and frees all others. Not for the audio thread.
    pub(crate) fn replace(&mut self, sound: Option<Box<Sound>>) {
        self.now = sound;
        (self.leaving, self.scrap, self.damaged) = (None, None, false);
        self.apply_gain();
    }

    /// Takes a new instrument in place, if one came; the old one falls silent. Whether one came.
    pub(crate) fn receive(&mut self, inbox: &Inbox, rate: f32) -> bool {
        if self.leaving.is_some() || self.scrap.is_some() {
            return false;
        }
        let Some(mut sound) = inbox.pop() else { return false };
        if sound.rate != rate {
            // Made for a rate that holds no longer; the next one is under way.
            self.scrap = Some(sound);
            return false;
        }
        sound.ensemble.gain(self.gain);
        sound.ensemble.control(0, PEDAL, self.pedal);
        if let Some(mut old) = self.now.replace(sound) {
            old.ensemble.silence();
            self.leaving = Some((old, (FADE * rate) as usize));
        }
        self.damaged = false;
        true
    }

    /// Whether the soundfont has turned out to be damaged; once.
    pub(crate) fn newly_damaged(&mut self) -> bool {
        let damaged = self.now.as_ref().is_some_and(|s| s.ensemble.is_damaged());
        damaged && !std::mem::replace(&mut self.damaged, true)
    }

    /// What is to be freed elsewhere, if anything.
    pub(crate) fn scrap(&mut self) -> &mut Option<Box<Sound>> {
        &mut self.scrap
    }

    /// Whether to sound at all, and how loudly, as a factor.
    pub(crate) fn set(&mut self, on: bool, gain: f32) {
        if self.on && !on {
            self.silence();
        }
        self.on = on;
        if self.gain != gain {
            self.gain = gain;
            self.apply_gain();
        }
    }

    fn apply_gain(&mut self) {
        if let Some(sound) = &mut self.now {
            sound.ensemble.gain(self.gain);
        }
    }

    /// Ends all sound within milliseconds.
    pub(crate) fn silence(&mut self) {
        if let Some(sound) = &mut self.now {
            sound.ensemble.silence();
        }
    }

    /// Plays what came out of the engine.
    pub(crate) fn play(&mut self, output: &Output, piano: bool) {
        if let (Voice::Piano, MidiMessage::Other { status: 0xB0, first: PEDAL, second }) =
            (output.voice, output.message)
        {
            self.pedal = second;
        }
        if !output.inside {
            return;
        }
        let Some(Sound { ensemble, .. }) = self.now.as_deref_mut() else { return };
        let channel = match output.voice {
            Voice::Piano => 0,
            Voice::Part(part) => part.channel(),
        };
        let heard = self.on && (piano || output.voice != Voice::Piano);
        match output.message {
            // What ends always ends, also when it was switched off meanwhile.
            MidiMessage::Note { pitch, velocity: 0 } => ensemble.note_off(channel, pitch),
            MidiMessage::Note { pitch, velocity } if heard => ensemble.note_on(channel, pitch, velocity),
            MidiMessage::Note { .. } => {}
            MidiMessage::Other { status, first, second } => match status & 0xF0 {
                0xB0 => ensemble.control(channel, first, second),
                // The piano stays a piano.
                0xC0 if output.voice != Voice::Piano => ensemble.program(channel, first),
                0xE0 => ensemble.bend(channel, u16::from(second & 127) << 7 | u16::from(first & 127)),
                _ => {}
            },
        }
    }

    /// The General MIDI program of a part's instrument.
    pub(crate) fn program(&mut self, channel: u8, program: u8) {
        if let Some(sound) = &mut self.now {
            sound.ensemble.program(channel, program);
        }
    }

    /// Makes the next frames. Both buffers have the same length.
    pub(crate) fn render(&mut self, left: &mut [f32], right: &mut [f32]) {
        match &mut self.now {
            Some(sound) => sound.ensemble.render(left, right),
            None => {
                left.fill(0.0);
                right.fill(0.0);
            }
        }
        let Some((old, frames_left)) = &mut self.leaving else { return };
        for (left, right) in left.chunks_mut(PIECE).zip(right.chunks_mut(PIECE)) {
            let n = left.len().min(right.len());
            old.ensemble.render(&mut self.left[..n], &mut self.right[..n]);
            for i in 0..n {
                left[i] += self.left[i];
                right[i] += self.right[i];
            }
            *frames_left = frames_left.saturating_sub(n);
        }
        if (*frames_left == 0 || old.ensemble.is_silent())
            && let Some((old, _)) = self.leaving.take()
        {
            self.scrap = Some(old);
        }
    }
}
