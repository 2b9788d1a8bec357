//! Where everything goes out: to the host, to the synthesiser, and to the band's thread.

use sideman_music::{Part, Pulse};

use super::{AudioEnd, RoutedNote, Router, Routing};
use crate::controls::Controls;
use crate::live::Garbage;
use crate::messages::{Block, FromBand, Input, Message, MidiMessage, Output, Route, Sending, ToBand, Voice};

/// Most that comes out of a block: a full timeline, all notes that sound, and the piano.
const OUTPUTS: usize = 4096;
/// Note-ons are left out beyond this, so that every note-off has its place.
const NOTE_ONS: usize = 3000;
/// Places in the ring that are kept for what must not be lost.
const RESERVED: usize = 256;

/// The outputs of a block, and who got what. Owned by the audio thread. No allocation.
pub(super) struct OutputMixer {
    ends: Option<AudioEnd>,
    router: Router,
    #[allow(clippy::disallowed_types)] // Made and freed by the main thread.
    outputs: Box<[Output; OUTPUTS]>,
    count: usize,
    /// Notes of the piano that were passed on to the host, by channel.
    passed: [u128; 16],
    lost: u64,
}

impl Default for OutputMixer {
    #[allow(clippy::disallowed_types)] // The main thread.
    fn default() -> Self {
        let message = MidiMessage::Note { pitch: 0, velocity: 0 };
        let nothing = Output { at: 0, voice: Voice::Piano, channel: None, inside: true, message };
        Self {
            ends: None,
            router: Router::default(),
            outputs: Box::new([nothing; OUTPUTS]),
            count: 0,
            passed: [0; 16],
            lost: 0,
        }
    }
}

impl OutputMixer {
    /// Connects with the band's thread, or cuts the connection. Not while processing.
    pub(super) fn connect(&mut self, ends: Option<AudioEnd>) {
        self.ends = ends;
    }

    /// Begins a block.
    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    /// Messages and notes that were lost because something was full.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    /// What came out of the block, in order of time; what was put first goes first.
    pub(super) fn outputs(&mut self) -> &[Output] {
        let outputs = &mut self.outputs[..self.count];
        // Mostly in order already, and short: insertion is stable and needs no memory.
        for i in 1..outputs.len() {
            let mut j = i;
            while j > 0 && outputs[j - 1].at > outputs[j].at {
                outputs.swap(j - 1, j);
                j -= 1;
            }
        }
        outputs
    }

    fn put(&mut self, output: Output) {
        match self.outputs.get_mut(self.count) {
            Some(place) => {
                *place = output;
                self.count += 1;
            }
            None => self.lost += 1,
        }
    }

    /// Sends the band thread a message that may be lost, such as a note that begins.
    pub(super) fn send_to_band(&mut self, message: ToBand) -> bool {
        let fits = self.ends.as_mut().is_some_and(|ends| ends.room() > RESERVED && ends.send(message));
        self.lost += u64::from(!fits && self.ends.is_some());
        fits
    }

    /// Sends what should not be lost: there are places kept for it.
    pub(super) fn send_reserved(&mut self, message: ToBand) -> bool {
        let fits = self.ends.as_mut().is_some_and(|ends| ends.send(message));
        self.lost += u64::from(!fits && self.ends.is_some());
        fits
    }

    /// The next message of the band thread.
    pub(super) fn receive(&mut self) -> Option<FromBand> {
        self.ends.as_mut().and_then(AudioEnd::receive)
    }

    /// Hands samples of sound to the band's thread; how many of them it will hear.
    pub(super) fn sound(&mut self, samples: impl Iterator<Item = f32>) -> usize {
        self.ends.as_mut().map_or(0, |ends| ends.sound(samples))
    }

    /// Hands garbage to the band's thread.
    pub(super) fn discard(&mut self, garbage: Garbage) -> Result<(), Garbage> {
        match &mut self.ends {
            Some(ends) => ends.discard(garbage),
            None => Err(garbage),
        }
    }

    /// Passes a message of the piano on.
    pub(super) fn pass(&mut self, input: Input, route: &Route) {
        let channel = input.channel & 15;
        let held = &mut self.passed[usize::from(channel)];
        let mut to = (!route.swallow_piano).then_some(channel);
        if let MidiMessage::Note { pitch, velocity } = input.message {
            let bit = 1u128 << (pitch & 127);
            if velocity == 0 {
                // A note that was passed on is ended, whatever the setting says by now.
                to = (*held & bit != 0 || to.is_some()).then_some(channel);
                *held &= !bit;
            } else if to.is_some() {
                *held |= bit;
            }
        }
        self.put(piano(input.at, to, input.message));
    }

    /// Whether a message ends a note that was passed on.
    pub(super) fn holds(&self, input: &Input) -> bool {
        match input.message {
            MidiMessage::Note { pitch, velocity: 0 } => {
                self.passed[usize::from(input.channel & 15)] >> (pitch & 127) & 1 == 1
            }
            _ => false,
        }
    }

    /// Ends all notes of the piano that were passed on.
    pub(super) fn end_passed(&mut self) {
        for channel in 0..16u8 {
            let mut held = std::mem::take(&mut self.passed[usize::from(channel)]);
            while held != 0 {
                let pitch = held.trailing_zeros() as u8;
                held &= held - 1;
                let message = MidiMessage::Note { pitch, velocity: 0 };
                self.put(piano(0, Some(channel), message));
            }
        }
    }

    /// For whatever hangs elsewhere: all sound off, all notes off.
    pub(super) fn silence_everything(&mut self, at: u32) {
        for channel in 0..16 {
            for first in [120, 123] {
                let message = MidiMessage::Other { status: 0xB0, first, second: 0 };
                self.put(piano(at, Some(channel), message));
            }
        }
    }

    /// Sends a message of the band out, the way of its part. `time` is its time in pulses of the session.
    pub(super) fn send(&mut self, at: u32, time: Pulse, m: Message, controls: &Controls, block: &Block<'_>) {
        let route = &block.settings.route;
        let sends = match route.send {
            Sending::All => true,
            Sending::Only(part) => part == m.part,
            Sending::Nothing => false,
        };
        let part = controls.part(m.part);
        let crowded = m.velocity > 0 && self.count >= NOTE_ONS;
        self.lost += u64::from(crowded);
        let routing = Routing {
            audible: controls.audible(m.part) && !block.bypass && !crowded,
            channel: sends.then(|| route.channel.unwrap_or(m.part.channel()) & 15),
            pitch: controls.sent_pitch(m.part, m.pitch),
            level: part.level,
        };
        // At most two ends, an end shared with another part, and a beginning.
        let mut sent = [None; 4];
        let mut n = 0;
        self.router.send(m, &routing, &mut |s| {
            if n < sent.len() {
                sent[n] = Some(s);
                n += 1;
            }
        });
        sent.into_iter().flatten().for_each(|s| self.emit(at, time, s));
    }

    /// Ends all that sounds of a part, at the start of the block.
    pub(super) fn end_part(&mut self, part: Part, time: Pulse) {
        for pitch in 0..128 {
            let end = Message { at: 0, part, pitch, velocity: 0 };
            let routing = Routing { audible: false, channel: None, pitch: None, level: 1.0 };
            let mut sent = None;
            self.router.send(end, &routing, &mut |s| sent = Some(s));
            if let Some(sent) = sent {
                self.emit(0, time, sent);
            }
        }
    }

    fn emit(&mut self, at: u32, time: Pulse, sent: RoutedNote) {
        let message = MidiMessage::Note { pitch: sent.pitch, velocity: sent.velocity };
        let voice = Voice::Part(sent.part);
        self.put(Output { at, voice, channel: sent.channel, inside: sent.inside, message });
        if !sent.inside {
            return;
        }
        let message = ToBand::Tape { at: time, voice, pitch: sent.pitch, velocity: sent.velocity };
        if sent.velocity > 0 {
            self.send_to_band(message)
        } else {
            self.send_reserved(message)
        };
    }
}

fn piano(at: u32, channel: Option<u8>, message: MidiMessage) -> Output {
    Output { at, voice: Voice::Piano, channel, inside: true, message }
}
