//! Between the framework's types and the engine's. Everything here may run on the audio thread.

use nice_plug::midi::{Channel, Key, VoiceID};
use nice_plug::prelude::{NoteEvent, Transport as Host};
use sideman_engine::controls::{Control, Controls};
use sideman_engine::live::{LiveSettings, MidiMessage, Output, Transport};
use sideman_music::Meter;

use crate::params::SidemanParams;

/// What the framework's notes and messages are, without system exclusive ones.
pub(crate) type Note = NoteEvent<()>;

/// The band's controls as the parameters are set.
pub fn controls(params: &SidemanParams) -> Controls {
    let mut controls = Controls::default();
    for control in Control::all() {
        match controls.count(control) {
            Some(count) => *count = params.presses(control),
            None => controls.set(control, params.value(control)),
        }
    }
    controls
}

/// The settings of playing live as the parameters are set.
pub fn settings(params: &SidemanParams) -> LiveSettings {
    let mut settings = LiveSettings::default();
    Control::all().for_each(|control| settings.set(control, params.value(control)));
    settings
}

/// The host's transport as the engine has it; invalid values are left out.
pub(crate) fn transport(host: &Host, standalone: bool) -> Transport {
    let meter = host.time_sig_numerator.zip(host.time_sig_denominator).and_then(|(n, d)| {
        let (numerator, denominator) = (u8::try_from(n).ok()?, u8::try_from(d).ok()?);
        (numerator > 0 && denominator.is_power_of_two() && denominator <= 64)
            .then_some(Meter { numerator, denominator })
    });
    let finite = |v: Option<f64>| v.filter(|v| v.is_finite() && v.abs() < 1e9);
    let bpm = finite(host.tempo).filter(|&bpm| bpm > 0.0);
    if standalone {
        return standalone_transport(host, meter, bpm);
    }
    let beats = finite(host.pos_beats());
    // Where the host says nothing about bars the framework and the VST3 wrapper fill in zeros: a bar that the
    // position is not in, or a number 0 of a bar that does not begin at 0.
    let bar_quarters = meter.map_or(4.0, quarters);
    let bar_start = finite(host.bar_start_pos_beats)
        .filter(|&start| beats.is_some_and(|b| b >= start - 1e-3 && b < start + bar_quarters + 1e-3));
    let bar = host
        .bar_number
        .filter(|&n| bar_start.is_some_and(|start| n != 0 || start.abs() < 1e-3))
        .map(i64::from);
    Transport { playing: host.playing, bpm, beats, bar_start, bar, meter }
}

/// The standalone's transport runs only under JACK, and only when a timebase says bars and beats: the framework
/// reports its own sample counter as a transport that always runs. Its beats count bars and beats from 1,
/// take every bar for four quarters, and every beat's fraction for one of a quarter.
fn standalone_transport(host: &Host, meter: Option<Meter>, bpm: Option<f64>) -> Transport {
    let (Some(said), Some(bar), Some(meter)) = (host.pos_beats, host.bar_number, meter) else {
        return Transport { bpm, meter, ..Transport::default() };
    };
    let beat = 4.0 / f64::from(meter.denominator);
    let in_bar = said - f64::from(bar) * 4.0 - beat;
    let bar = i64::from(bar) - 1;
    let bar_start = bar as f64 * quarters(meter);
    // With beats other than quarters fractions cannot be told from whole beats: the position in samples is used instead.
    let beats = match (meter.denominator, host.pos_samples, bpm) {
        (4, ..) => bar_start + in_bar,
        (_, Some(samples), Some(bpm)) => samples as f64 / f64::from(host.sample_rate) * bpm / 60.0,
        _ => bar_start,
    };
    if !beats.is_finite() || beats.abs() > 1e9 {
        return Transport { bpm, meter: Some(meter), ..Transport::default() };
    }
    Transport {
        playing: host.playing,
        bpm,
        beats: Some(beats),
        bar_start: Some(bar_start),
        bar: Some(bar),
        meter: Some(meter),
    }
}

/// Quarter notes in a bar.
fn quarters(meter: Meter) -> f64 {
    f64::from(meter.numerator) * 4.0 / f64::from(meter.denominator)
}

/// The transport some samples later.
pub(crate) fn later(mut t: Transport, samples: u32, sample_rate: f64) -> Transport {
    if let (true, Some(bpm), Some(beats)) = (t.playing, t.bpm, t.beats) {
        let now = beats + f64::from(samples) / sample_rate * bpm / 60.0;
        t.beats = Some(now);
        let length = t.meter.map_or(4.0, quarters);
        // A bar line may lie between.
        if let Some(start) = t.bar_start {
            let bars = ((now - start) / length).floor().max(0.0);
            t.bar_start = Some(start + bars * length);
            t.bar = t.bar.map(|bar| bar + bars as i64);
        }
    }
    t
}

/// From 0..1 to 0..127.
fn seven(value: f32) -> u8 {
    if value.is_nan() { 0 } else { (value * 127.0).round().clamp(0.0, 127.0) as u8 }
}

/// What came in as the engine has it: its time, and a channel and a key or `None` where the host means all of
/// them. `None` for what the engine does not know, such as expressions.
pub(crate) struct HostNote {
    /// Sample in the block.
    pub(crate) at: u32,
    /// Channel from 0, or all.
    pub(crate) channel: Option<u8>,
    /// Key, or all; not looked at in other messages.
    pub(crate) key: Option<u8>,
    /// What; its pitch is that of `key`.
    pub(crate) message: MidiMessage,
}

impl HostNote {
    /// Whether it speaks of all keys or all channels at once.
    fn is_wild(&self) -> bool {
        matches!(self.message, MidiMessage::Note { .. }) && (self.channel.is_none() || self.key.is_none())
    }

    /// Keys that are down and that it speaks of, by channel.
    fn meant(&self, down: &[u128; 16]) -> [u128; 16] {
        let keys = self.key.map_or(u128::MAX, |k| 1 << k);
        std::array::from_fn(|c| {
            if self.channel.is_none_or(|own| usize::from(own) == c) { down[c] & keys } else { 0 }
        })
    }

    /// How many messages it is, given which keys are down.
    pub(crate) fn needs(&self, down: &[u128; 16]) -> usize {
        if self.is_wild() { self.meant(down).iter().map(|k| k.count_ones() as usize).sum() } else { 1 }
    }

    /// Each of the messages that it is, with its channel; `down` is brought up to date.
    pub(crate) fn each(&self, down: &mut [u128; 16], mut give: impl FnMut(u8, MidiMessage)) {
        if self.is_wild() {
            for (channel, keys) in self.meant(down).into_iter().enumerate() {
                down[channel] &= !keys;
                let pitches = (0..128).filter(|&pitch| keys >> pitch & 1 != 0);
                pitches.for_each(|pitch| give(channel as u8, MidiMessage::Note { pitch, velocity: 0 }));
            }
            return;
        }
        let channel = self.channel.unwrap_or(0);
        if let MidiMessage::Note { pitch, velocity } = self.message {
            let keys = &mut down[usize::from(channel)];
            *keys = if velocity > 0 { *keys | 1 << pitch } else { *keys & !(1 << pitch) };
        }
        give(channel, self.message);
    }
}

/// A note or message of the host.
pub(crate) fn host_note(event: &Note) -> Option<HostNote> {
    let note = |at: u32, channel: Channel, key: Key, velocity: u8| {
        let (channel, key) = (channel.number().map(|c| c & 15), key.number().map(|k| k & 127));
        let message = MidiMessage::Note { pitch: key.unwrap_or(0), velocity };
        // A note-on for all keys makes no sense.
        (velocity == 0 || key.is_some()).then_some(HostNote { at, channel, key, message })
    };
    let other = |at, channel: u8, status, first, second| {
        let message = MidiMessage::Other { status, first, second };
        Some(HostNote { at, channel: Some(channel & 15), key: None, message })
    };
    match *event {
        NoteEvent::NoteOn { timing, channel, key, velocity, .. } => {
            note(timing, Channel::Number(channel.number().unwrap_or(0)), key, seven(velocity).max(1))
        }
        NoteEvent::NoteOff { timing, channel, key, .. } | NoteEvent::Choke { timing, channel, key, .. } => {
            note(timing, channel, key, 0)
        }
        NoteEvent::PolyPressure { timing, channel, key, pressure, .. } => {
            other(timing, channel.number()?, 0xA0, key.number()? & 127, seven(pressure))
        }
        NoteEvent::MidiCC { timing, channel, cc, value } => {
            other(timing, channel, 0xB0, cc & 127, seven(value))
        }
        NoteEvent::MidiProgramChange { timing, channel, program } => {
            other(timing, channel, 0xC0, program & 127, 0)
        }
        NoteEvent::MidiChannelPressure { timing, channel, pressure } => {
            other(timing, channel, 0xD0, seven(pressure), 0)
        }
        NoteEvent::MidiPitchBend { timing, channel, value } => {
            let bend =
                if value.is_nan() { 8192 } else { (value * 16383.0).round().clamp(0.0, 16383.0) as u16 };
            other(timing, channel, 0xE0, (bend & 127) as u8, (bend >> 7) as u8)
        }
        _ => None,
    }
}

/// What goes out as the framework has it, `start` samples into its block; `None` for what is better not sent: pressure of single keys would
/// leave a CLAP as a note expression, and a host has crashed at those.
pub(crate) fn goes(output: &Output, start: u32, channel: u8) -> Option<Note> {
    let timing = start + output.at;
    match output.message {
        MidiMessage::Note { pitch, velocity } => Some(note(timing, channel, pitch, velocity)),
        MidiMessage::Other { status, first, second } => match status & 0xF0 {
            0xB0 => Some(NoteEvent::MidiCC { timing, channel, cc: first, value: f32::from(second) / 127.0 }),
            0xC0 => Some(NoteEvent::MidiProgramChange { timing, channel, program: first }),
            0xD0 => {
                Some(NoteEvent::MidiChannelPressure { timing, channel, pressure: f32::from(first) / 127.0 })
            }
            0xE0 => {
                let bend = u16::from(second & 127) << 7 | u16::from(first & 127);
                Some(NoteEvent::MidiPitchBend { timing, channel, value: f32::from(bend) / 16383.0 })
            }
            _ => None,
        },
    }
}

/// A note-on, or with velocity 0 a note-off.
pub(crate) fn note(timing: u32, channel: u8, pitch: u8, velocity: u8) -> Note {
    let (voice_id, channel, key) = (VoiceID::Wildcard, Channel::Number(channel), Key::Number(pitch));
    if velocity > 0 {
        let velocity = f32::from(velocity) / 127.0;
        NoteEvent::NoteOn { timing, voice_id, channel, key, velocity }
    } else {
        NoteEvent::NoteOff { timing, voice_id, channel, key, velocity: 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sideman_engine::live::{Shared, Voice};

    use super::*;

    #[test]
    fn defaults_of_the_parameters_are_the_neutral_controls() {
        let params = SidemanParams::new(Arc::new(Shared::default()));
        assert_eq!(controls(&params), Controls::default());
        assert_eq!(settings(&params), LiveSettings::default());
    }

    fn host(beats: f64, start: f64, bar: i32, sig: (i32, i32)) -> Host {
        let mut host = Host::new(48_000.0);
        (host.playing, host.tempo) = (true, Some(120.0));
        (host.pos_beats, host.bar_start_pos_beats, host.bar_number) = (Some(beats), Some(start), Some(bar));
        (host.time_sig_numerator, host.time_sig_denominator) = (Some(sig.0), Some(sig.1));
        host
    }

    #[test]
    fn bars_that_a_host_does_not_tell_are_not_taken_for_told() {
        let t = transport(&host(9.5, 8.0, 2, (4, 4)), false);
        assert_eq!((t.beats, t.bar_start, t.bar), (Some(9.5), Some(8.0), Some(2)));
        // A VST3 host tells where the bar starts, but never its number.
        let t = transport(&host(9.5, 8.0, 0, (4, 4)), false);
        assert_eq!((t.bar_start, t.bar), (Some(8.0), None));
        // A host that tells neither.
        let t = transport(&host(9.5, 0.0, 0, (4, 4)), false);
        assert_eq!((t.bar_start, t.bar), (None, None));
    }

    #[test]
    fn a_transport_of_nonsense_is_empty() {
        let mut h = host(f64::NAN, f64::INFINITY, -3, (0, 3));
        h.tempo = Some(-5.0);
        let t = transport(&h, false);
        assert_eq!(t, Transport { playing: true, ..Transport::default() });
        let t = transport(&host(1e300, 0.0, 1, (400, -4)), false);
        assert_eq!((t.beats, t.meter), (None, None));
    }

    #[test]
    fn positions_of_jack_begin_at_zero() {
        // Bar 1, beat 1, as the framework has it: five too high.
        let t = transport(&host(5.0, 0.0, 1, (4, 4)), true);
        assert_eq!((t.beats, t.bar, t.bar_start), (Some(0.0), Some(0), Some(0.0)));
        // Bar 3, beat 2 and a half, in three quarters.
        let t = transport(&host(3.0 * 4.0 + 2.0 + 0.5, 0.0, 3, (3, 4)), true);
        assert_eq!((t.beats, t.bar, t.bar_start), (Some(7.5), Some(2), Some(6.0)));
        // Without a timebase there is only the program's own counter.
        let mut h = Host::new(48_000.0);
        (h.playing, h.pos_samples, h.tempo) = (true, Some(4800), Some(120.0));
        assert!(!transport(&h, true).playing);
    }

    #[test]
    fn later_is_further_on_and_in_the_next_bar() {
        let t = transport(&host(7.5, 4.0, 1, (4, 4)), false);
        let l = later(t, 24_000, 48_000.0);
        assert_eq!((l.beats, l.bar_start, l.bar), (Some(8.5), Some(8.0), Some(2)));
        let stopped = Transport { playing: false, ..t };
        assert_eq!(later(stopped, 24_000, 48_000.0), stopped);
    }

    #[test]
    fn what_comes_in_goes_out_as_it_was() {
        for pitch_bend in [0u16, 1, 8192, 16383] {
            let (first, second) = ((pitch_bend & 127) as u8, (pitch_bend >> 7) as u8);
            let message = MidiMessage::Other { status: 0xE0, first, second };
            round_trip(message);
        }
        for value in 0..128 {
            round_trip(MidiMessage::Other { status: 0xB0, first: 64, second: value });
            round_trip(MidiMessage::Other { status: 0xC0, first: value, second: 0 });
            round_trip(MidiMessage::Other { status: 0xD0, first: value, second: 0 });
            round_trip(MidiMessage::Note { pitch: 60, velocity: value });
        }
        let pressure = MidiMessage::Other { status: 0xA0, first: 60, second: 3 };
        assert!(
            goes(
                &Output { at: 0, voice: Voice::Piano, channel: Some(0), inside: true, message: pressure },
                0,
                0
            )
            .is_none()
        );
    }

    fn round_trip(message: MidiMessage) {
        let output = Output { at: 7, voice: Voice::Piano, channel: Some(3), inside: true, message };
        let note = host_note(&goes(&output, 2, 3).unwrap()).unwrap();
        assert_eq!((note.at, note.channel, note.message), (9, Some(3), message));
    }

    #[test]
    fn a_note_off_for_all_keys_lifts_those_that_are_down() {
        let mut down = [0u128; 16];
        for (channel, pitch) in [(0, 60), (0, 127), (5, 60)] {
            host_note(&note(0, channel, pitch, 90)).unwrap().each(&mut down, |_, _| {});
        }
        let all = NoteEvent::Choke {
            timing: 0,
            voice_id: VoiceID::Wildcard,
            channel: Channel::Wildcard,
            key: Key::Number(60),
        };
        let all = host_note(&all).unwrap();
        assert_eq!(all.needs(&down), 2);
        let mut out = Vec::new();
        all.each(&mut down, |c, m| out.push((c, m)));
        assert_eq!(out, [0, 5].map(|c| (c, MidiMessage::Note { pitch: 60, velocity: 0 })));
        assert_eq!((down[0], down[5]), (1 << 127, 0));
        // One that is not down is passed on all the same.
        assert_eq!(host_note(&note(0, 1, 1, 0)).unwrap().needs(&down), 1);
    }
}
