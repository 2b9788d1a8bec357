//! The built-in band: voices over the shared bank, mixed in a room. Nothing here allocates after
//! construction.

mod room;
mod voice;

use crate::bank::{BUSES, Bank, Instrument, SCALE, SENDS, chokes_hat, drum_place, frequency};
use crate::channels::{CHANNELS, DRUMS};
use room::Room;
use voice::{Key, Scratch, Start, Voice};

/// Frames between the points at which the band looks whether it has become silent; also the longest block.
pub(crate) const GRID: usize = 64;
/// Most notes that sound at once; beyond, the least heard gives way.
const VOICES: usize = 64;
/// Voices for those that give way, while they fade.
const SPARE: usize = 16;
/// What the mix is turned up or down by as a whole.
const MASTER: f32 = 0.74;
/// A struck note sounds at least this many seconds, or short keys would not be heard.
const SHORTEST: f32 = 0.03;
/// A voice that gives way falls to 1/e in this many seconds.
const GIVE_WAY: f32 = 0.004;
/// All sound off: to 1/e in this many seconds, to -60 dB in 3.5 ms.
const HUSH: f32 = 0.0005;

#[derive(Debug, Clone, Copy)]
struct Channel {
    instrument: Instrument,
    pedal: bool,
}

/// The band, at one sample rate.
pub(crate) struct Band {
    bank: &'static Bank,
    rate: f32,
    channels: [Channel; CHANNELS],
    voices: Box<[Option<Voice>; VOICES + SPARE]>,
    scratch: Box<Scratch>,
    buses: Box<[[[f32; GRID]; 2]; BUSES]>,
    send: Box<[[f32; GRID]; 2]>,
    room: Room,
    /// Frames since the band was last silent.
    frame: u64,
    silent: bool,
    /// Notes struck so far: takes of drums and starts of loops go round by it.
    turn: u32,
    /// Frames over which the room is being turned off; 0 when it is not.
    hushing: u32,
}

impl Band {
    /// A band at `rate` frames a second. Computes the bank if no one did yet.
    pub(crate) fn new(rate: f32) -> Self {
        let programs = crate::channels::PROGRAMS;
        let channel = |i: usize| Channel {
            instrument: if i == DRUMS { Instrument::Kit } else { Instrument::of_program(programs[i]) },
            pedal: false,
        };
        Self {
            bank: Bank::shared(),
            rate,
            channels: std::array::from_fn(channel),
            voices: Box::new([None; VOICES + SPARE]),
            scratch: Box::new(Scratch::new()),
            buses: Box::new([[[0.0; GRID]; 2]; BUSES]),
            send: Box::new([[0.0; GRID]; 2]),
            room: Room::new(rate),
            frame: 0,
            silent: true,
            turn: 0,
            hushing: 0,
        }
    }

    /// Factor a frame that falls to 1/e in so many seconds.
    fn falls_in(&self, seconds: f32) -> f32 {
        (-1.0 / (seconds * self.rate)).exp()
    }

    pub(crate) fn program(&mut self, channel: usize, program: u8) {
        if channel != DRUMS {
            self.channels[channel].instrument = Instrument::of_program(program);
        }
    }

    pub(crate) fn note_on(&mut self, channel: usize, pitch: u8, velocity: u8) {
        let instrument = self.channels[channel].instrument;
        // A key that is struck again damps its string first; drums ring on.
        if instrument != Instrument::Kit {
            self.release_where(|v| v.key != Key::Up && v.is(channel, pitch));
        } else if chokes_hat(pitch) {
            let factor = self.falls_in(0.02);
            self.cut_where(factor, |v| v.is(channel, 46));
        }
        let voice = Voice::new(self.start(instrument, channel, pitch, velocity));
        self.admit(voice);
        self.silent = false;
    }

    fn start(&mut self, instrument: Instrument, channel: usize, pitch: u8, velocity: u8) -> Start {
        let force = f32::from(velocity) / 127.0;
        self.turn = self.turn.wrapping_add(1);
        let sound = self.bank.find(instrument, pitch, force, self.turn);
        let place = instrument.place();
        let pan = match instrument {
            Instrument::Kit => drum_place(pitch),
            // The keyboard as the player sees it, not wider than the stage.
            Instrument::Piano | Instrument::ElectricPiano => {
                ((f32::from(pitch) - 62.0) / 90.0).clamp(-0.3, 0.3)
            }
            _ => place.pan,
        };
        let angle = (pan + 1.0) * std::f32::consts::FRAC_PI_4;
        // Loudness goes with the velocity's power, as most samplers have it.
        let loudness = place.gain * force.powf(1.6) * sound.unit / SCALE;
        let transposed = if sound.period > 0.0 { frequency(pitch) / frequency(sound.pitch) } else { 1.0 };
        Start {
            sound,
            kernel: self.bank.kernel(sound, force),
            step: f64::from(sound.rate) * f64::from(transposed) / f64::from(self.rate),
            // The golden section of a turn further than the last one.
            offset: self.turn.wrapping_mul(0x9E37_79B9) as f32 / 4_294_967_296.0,
            gains: [angle.cos() * loudness, angle.sin() * loudness],
            bus: place.bus,
            swell: if place.attack > 0.0 { 1.0 / (place.attack * self.rate) } else { 1.0 },
            release: self.falls_in(place.release.max(0.02)),
            ring: if sound.fall.is_finite() { self.falls_in(sound.fall) } else { 1.0 },
            channel: channel as u8,
            pitch,
        }
    }

    /// Finds a place for a voice; the least heard of the others fades when there are too many.
    fn admit(&mut self, voice: Voice) {
        let factor = self.falls_in(GIVE_WAY);
        let sounding = self.voices.iter().flatten().filter(|v| !v.is_released()).count();
        if sounding >= VOICES {
            // Released keys first, then what has fallen lowest, then the oldest.
            let heard = |v: &Voice| (v.key != Key::Up, v.level());
            let least = self.voices.iter_mut().flatten().filter(|v| !v.is_released()).min_by(|a, b| {
                let ((a_down, a_level), (b_down, b_level)) = (heard(a), heard(b));
                a_down.cmp(&b_down).then(a_level.total_cmp(&b_level)).then(b.age.cmp(&a.age))
            });
            if let Some(least) = least {
                least.cut(factor);
            }
        }
        let free = self.voices.iter().position(Option::is_none);
        let place = free.or_else(|| {
            // Only a burst within a few milliseconds comes here: the faintest of the fading ends at once.
            let faint =
                self.voices.iter().enumerate().filter_map(|(i, v)| v.as_ref().map(|v| (i, v.level())));
            faint.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(i, _)| i)
        });
        if let Some(place) = place {
            self.voices[place] = Some(voice);
        }
    }

    pub(crate) fn note_off(&mut self, channel: usize, pitch: u8) {
        if self.channels[channel].instrument == Instrument::Kit {
            return;
        }
        if self.channels[channel].pedal {
            let held = self.voices.iter_mut().flatten();
            held.filter(|v| v.key == Key::Down && v.is(channel, pitch)).for_each(|v| v.key = Key::Pedal);
        } else {
            self.release_where(|v| v.key == Key::Down && v.is(channel, pitch));
        }
    }

    /// The sustain pedal.
    pub(crate) fn pedal(&mut self, channel: usize, down: bool) {
        self.channels[channel].pedal = down;
        if !down {
            self.release_where(|v| v.key == Key::Pedal && v.start.channel as usize == channel);
        }
    }

    /// All keys of a channel up; the pedal, if down, goes on holding them.
    pub(crate) fn keys_up(&mut self, channel: usize) {
        if self.channels[channel].pedal {
            let held = self.voices.iter_mut().flatten();
            held.filter(|v| v.key == Key::Down && v.start.channel as usize == channel)
                .for_each(|v| v.key = Key::Pedal);
        } else {
            self.release_where(|v| v.key == Key::Down && v.start.channel as usize == channel);
        }
    }

    /// Ends the sound of a channel within milliseconds.
    pub(crate) fn hush(&mut self, channel: usize) {
        let factor = self.falls_in(HUSH);
        self.cut_where(factor, |v| v.start.channel as usize == channel);
    }

    /// Ends all sound, the room's too, within milliseconds.
    pub(crate) fn hush_all(&mut self) {
        let factor = self.falls_in(HUSH);
        self.cut_where(factor, |_| true);
        self.hushing = self.hush_frames();
    }

    fn hush_frames(&self) -> u32 {
        (0.006 * self.rate) as u32 + 1
    }

    fn release_where(&mut self, which: impl Fn(&Voice) -> bool) {
        let earliest = (SHORTEST * self.rate) as u32;
        self.voices.iter_mut().flatten().filter(|v| which(v)).for_each(|v| v.release_at(earliest));
    }

    fn cut_where(&mut self, factor: f32, which: impl Fn(&Voice) -> bool) {
        self.voices.iter_mut().flatten().filter(|v| which(v)).for_each(|v| v.cut(factor));
    }

    /// Whether nothing rings.
    pub(crate) fn is_silent(&self) -> bool {
        self.silent
    }

    /// The next frames, in place of what the buffers hold; both are equally long. Stops where nothing rings
    /// any more and returns the frames made.
    pub(crate) fn render(&mut self, left: &mut [f32], right: &mut [f32]) -> usize {
        let mut from = 0;
        while from < left.len() && !self.silent {
            let n = (left.len() - from).min(GRID - (self.frame % GRID as u64) as usize);
            self.block(&mut left[from..from + n], &mut right[from..from + n]);
            from += n;
            self.frame += n as u64;
            // Only here, at points that do not depend on how blocks are cut.
            if self.frame.is_multiple_of(GRID as u64) {
                self.clear_away();
            }
        }
        from
    }

    /// Frees the places of voices that are over, and falls silent where nothing rings.
    fn clear_away(&mut self) {
        for slot in self.voices.iter_mut() {
            slot.take_if(|voice| voice.is_over());
        }
        if self.room.is_silent() && self.voices.iter().all(Option::is_none) {
            self.silent = true;
            self.frame = 0;
            self.hushing = 0;
            self.room.empty();
        }
    }

    fn block(&mut self, left: &mut [f32], right: &mut [f32]) {
        let n = left.len();
        for side in self.buses.iter_mut().flatten().chain(self.send.iter_mut()) {
            side[..n].fill(0.0);
        }
        for slot in self.voices.iter_mut() {
            if let Some(voice) = slot {
                voice.mix(n, &mut self.scratch, &mut self.buses[voice.start.bus]);
                if !voice.active {
                    *slot = None;
                }
            }
        }
        for (side, out) in [&mut *left, &mut *right].into_iter().enumerate() {
            out.fill(0.0);
            for (bus, send) in self.buses.iter().zip(SENDS) {
                let outs = out.iter_mut().zip(&mut self.send[side]);
                for ((out, to_room), from) in outs.zip(&bus[side]) {
                    *out += from * MASTER;
                    *to_room += from * (send * MASTER);
                }
            }
        }
        if self.hushing == 0 {
            self.room.add([&self.send[0][..n], &self.send[1][..n]], [left, right]);
        } else {
            self.hush_room(left, right);
        }
    }

    /// The room while it is turned off: frame by frame, since it is emptied in between.
    fn hush_room(&mut self, left: &mut [f32], right: &mut [f32]) {
        let all = self.hush_frames() as f32;
        for i in 0..left.len() {
            let (mut l, mut r) = ([0.0], [0.0]);
            self.room.add([&self.send[0][i..=i], &self.send[1][i..=i]], [&mut l, &mut r]);
            let share = if self.hushing == 0 { 1.0 } else { (self.hushing - 1) as f32 / all };
            left[i] += l[0] * share;
            right[i] += r[0] * share;
            if self.hushing == 1 {
                self.room.empty();
            }
            self.hushing = self.hushing.saturating_sub(1);
        }
    }
}

impl Voice {
    fn is(&self, channel: usize, pitch: u8) -> bool {
        self.start.channel as usize == channel && self.start.pitch == pitch
    }
}
