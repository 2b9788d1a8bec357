//! A block of the host, cut into blocks that the framework takes as they are.
//!
//! The framework applies a change of a parameter from the start of its block, or, told to cut there, reports a
//! position that is wrong after a change of transport and a bar line that is wrong after a change of metre. So
//! the cuts are made here: at changes of parameters, at changes of transport, and where a block is larger than
//! was announced. Each piece gets a transport that was moved along.

use std::ptr::null_mut;

use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::events::{
    CLAP_TRANSPORT_HAS_BEATS_TIMELINE, CLAP_TRANSPORT_HAS_SECONDS_TIMELINE, CLAP_TRANSPORT_HAS_TEMPO,
    CLAP_TRANSPORT_HAS_TIME_SIGNATURE, CLAP_TRANSPORT_IS_PLAYING, clap_event_transport, clap_input_events,
    clap_output_events,
};
use clap_sys::ext::params::{CLAP_EXT_PARAMS, clap_plugin_params};
use clap_sys::fixedpoint::{CLAP_BEATTIME_FACTOR, CLAP_SECTIME_FACTOR};
use clap_sys::plugin::clap_plugin;
use clap_sys::process::{CLAP_PROCESS_CONTINUE, CLAP_PROCESS_ERROR, clap_process, clap_process_status};
use std::sync::atomic::Ordering::Relaxed;

use super::events::{Events, Out, list};
use super::{Shim, inner, nothing};

/// Cuts at changes of parameters in a block; what changes after that is applied early rather than in ever
/// smaller pieces.
const CUTS: usize = 32;

/// What processing needs, allocated beforehand.
pub(super) struct Audio {
    events: Events,
    sample_rate: f64,
    /// Largest block that was announced to the framework.
    most: u32,
    /// Takes what the host has no place for.
    scratch: [Vec<f32>; 2],
    /// Input where the host connects none: zeros, which the framework only reads.
    silence: Vec<f32>,
}

impl Default for Audio {
    fn default() -> Self {
        Self {
            events: Events::default(),
            sample_rate: 48_000.0,
            most: 0,
            scratch: [const { Vec::new() }; 2],
            silence: Vec::new(),
        }
    }
}

impl Audio {
    /// Gets ready for blocks of up to `most` samples.
    pub(super) fn prepare(&mut self, sample_rate: f64, most: u32) {
        self.sample_rate = sample_rate;
        self.most = most.max(1);
        self.events.clear();
        for channel in self.scratch.iter_mut().chain([&mut self.silence]) {
            channel.clear();
            channel.resize(self.most as usize, 0.0);
        }
    }
}

pub(super) unsafe extern "C" fn process(
    plugin: *const clap_plugin,
    process: *const clap_process,
) -> clap_process_status {
    if plugin.is_null() || process.is_null() {
        return CLAP_PROCESS_ERROR;
    }
    // SAFETY: the host gives back what it got, and a valid block; only one thread processes.
    let (shim, block) = unsafe { (Shim::of(plugin), &*process) };
    if !shim.active.load(Relaxed) {
        return CLAP_PROCESS_ERROR;
    }
    if block.frames_count == 0 {
        // The framework would drop the notes.
        // SAFETY: as above.
        unsafe { flush(shim, block.in_events, block.out_events) };
        return CLAP_PROCESS_CONTINUE;
    }
    // SAFETY: as above.
    let audio = unsafe { &mut *shim.audio.get() };
    // SAFETY: the host's list is valid.
    unsafe { audio.events.take(block.in_events, block.frames_count) };
    // SAFETY: the host's block is valid.
    let status = unsafe { pieces(shim, audio, block) };
    if audio.events.take_crowded() {
        shim.instance.note_crowd();
    }
    audio.events.clear();
    status
}

/// Applies changes of parameters while there is no block. Notes that come along wait for the next one.
///
/// # Safety
/// The lists are null or valid. Not while processing.
pub(super) unsafe fn flush(
    shim: &Shim,
    incoming: *const clap_input_events,
    outgoing: *const clap_output_events,
) {
    // SAFETY: as this function's.
    let audio = unsafe { &mut *shim.audio.get() };
    // SAFETY: as this function's.
    unsafe { audio.events.take(incoming, 1) };
    let theirs = inner!(shim, get_extension, CLAP_EXT_PARAMS.as_ptr()).cast::<clap_plugin_params>();
    // SAFETY: the type of the parameters' extension, and the framework's own function.
    unsafe {
        if let Some(flush) = theirs.as_ref().and_then(|params| params.flush) {
            let slots: &[_] = audio.events.slots();
            let mut out = Out { to: outgoing, start: 0, end: 0, last: 0 };
            flush(shim.inner, &list(&slots), &out.list());
        }
    }
    if shim.active.load(Relaxed) {
        audio.events.keep_notes();
    } else {
        audio.events.clear();
    }
}

/// Runs a block piece by piece.
///
/// # Safety
/// The host's block is valid.
unsafe fn pieces(shim: &Shim, audio: &mut Audio, block: &clap_process) -> clap_process_status {
    let frames = block.frames_count;
    let mut out = Out { to: block.out_events, start: 0, end: frames - 1, last: 0 };
    // SAFETY: the host's transport is null or valid.
    let mut base = unsafe { block.transport.as_ref() }.map(|t| (*t, 0));
    let (mut start, mut slot, mut transport, mut cuts) = (0, 0, 0, 0);
    let mut status = CLAP_PROCESS_CONTINUE;
    while start < frames {
        let transports = audio.events.transports();
        while transports.get(transport).is_some_and(|t| t.header.time <= start) {
            base = Some((transports[transport], transports[transport].header.time));
            transport += 1;
        }
        let mut end = frames.min(start.saturating_add(audio.most));
        if let Some(next) = transports.get(transport) {
            end = end.min(next.header.time);
        }
        let slots = audio.events.slots();
        if cuts < CUTS
            && let Some(next) = slots[slot..].iter().find(|s| s.is_param() && s.time() > start)
        {
            end = end.min(next.time());
            cuts += 1;
        }
        let until = slot + slots[slot..].iter().take_while(|s| s.time() < end).count();
        for s in &mut slots[slot..until] {
            s.set_time(s.time() - start);
        }
        out.start = start;
        let moved = base.map(|(t, at)| moved(t, start - at, audio.sample_rate));
        // SAFETY: the host's block is valid, and the piece within it.
        status = unsafe { piece(shim, audio, block, start..end, slot..until, moved.as_ref(), &mut out) };
        if status == CLAP_PROCESS_ERROR {
            return status;
        }
        (start, slot) = (end, until);
    }
    status
}

/// Runs a piece.
///
/// # Safety
/// The host's block is valid, and the piece within it.
unsafe fn piece(
    shim: &Shim,
    audio: &mut Audio,
    block: &clap_process,
    frames: std::ops::Range<u32>,
    slots: std::ops::Range<usize>,
    transport: Option<&clap_event_transport>,
    out: &mut Out,
) -> clap_process_status {
    let [left, right] = &mut audio.scratch;
    let mut channels = [left.as_mut_ptr(), right.as_mut_ptr()];
    // SAFETY: a host's buffer has as many channels as it says, each null or of the block's length.
    unsafe {
        if block.audio_outputs_count > 0
            && let Some(buffer) = block.audio_outputs.as_mut()
            && !buffer.data32.is_null()
        {
            buffer.constant_mask = 0;
            let length = (frames.end - frames.start) as usize;
            for i in 0..buffer.channel_count as usize {
                let channel = *buffer.data32.add(i);
                if channel.is_null() {
                    continue;
                }
                let channel = channel.add(frames.start as usize);
                match channels.get_mut(i) {
                    Some(place) => *place = channel,
                    // More than were asked for.
                    None => std::slice::from_raw_parts_mut(channel, length).fill(0.0),
                }
            }
        }
    }
    let mut buffer = clap_audio_buffer {
        data32: channels.as_mut_ptr(),
        data64: null_mut(),
        channel_count: 2,
        latency: 0,
        constant_mask: 0,
    };
    // SAFETY: as this function's.
    let mut heard = unsafe { heard(block, frames.start, &mut audio.silence) };
    let input = clap_audio_buffer { data32: heard.as_mut_ptr(), ..buffer };
    let slots: &[_] = &audio.events.slots()[slots];
    let (in_events, out_events) = (list(&slots), out.list());
    let steady = block.steady_time;
    let piece = clap_process {
        steady_time: if steady < 0 { steady } else { steady.saturating_add(i64::from(frames.start)) },
        frames_count: frames.end - frames.start,
        transport: transport.map_or(nothing(), |t| &raw const *t),
        audio_inputs: &raw const input,
        audio_outputs: &raw mut buffer,
        audio_inputs_count: 1,
        audio_outputs_count: 1,
        in_events: &raw const in_events,
        out_events: &raw const out_events,
    };
    inner!(shim, process, &raw const piece)
}

/// The two channels of the input from a sample on: silence where the host has none, twice the same where it has one.
///
/// # Safety
/// The host's block is valid, and longer than `start`.
unsafe fn heard(block: &clap_process, start: u32, silence: &mut [f32]) -> [*mut f32; 2] {
    let mut channels = [silence.as_mut_ptr(); 2];
    // SAFETY: a host's buffer has as many channels as it says, each null or of the block's length.
    unsafe {
        if block.audio_inputs_count > 0
            && let Some(buffer) = block.audio_inputs.as_ref()
            && !buffer.data32.is_null()
            && buffer.channel_count > 0
        {
            for (i, place) in channels.iter_mut().enumerate() {
                let channel = *buffer.data32.add(i.min(buffer.channel_count as usize - 1));
                if !channel.is_null() {
                    *place = channel.add(start as usize);
                }
            }
        }
    }
    channels
}

/// A transport some samples later, its tempo ramp and its bar lines followed.
fn moved(mut t: clap_event_transport, samples: u32, sample_rate: f64) -> clap_event_transport {
    t.header.time = 0;
    let (flags, n) = (t.flags, f64::from(samples));
    if samples == 0 || flags & CLAP_TRANSPORT_IS_PLAYING == 0 {
        return t;
    }
    if flags & CLAP_TRANSPORT_HAS_SECONDS_TIMELINE != 0 {
        let seconds = n / sample_rate * CLAP_SECTIME_FACTOR as f64;
        t.song_pos_seconds = t.song_pos_seconds.saturating_add(seconds as i64);
    }
    if flags & CLAP_TRANSPORT_HAS_TEMPO == 0 || !t.tempo.is_finite() || !t.tempo_inc.is_finite() {
        return t;
    }
    let mean = t.tempo + t.tempo_inc * n / 2.0;
    t.tempo += t.tempo_inc * n;
    if flags & CLAP_TRANSPORT_HAS_BEATS_TIMELINE == 0 {
        return t;
    }
    let before = t.song_pos_beats;
    let beats = n / sample_rate * mean / 60.0 * CLAP_BEATTIME_FACTOR as f64;
    t.song_pos_beats = before.saturating_add(beats.round() as i64);
    if flags & CLAP_TRANSPORT_HAS_TIME_SIGNATURE != 0 && t.tsig_denom != 0 && t.tsig_num != 0 {
        let bar = i64::from(t.tsig_num) * 4 * CLAP_BEATTIME_FACTOR / i64::from(t.tsig_denom);
        let inside = before.checked_sub(t.bar_start).is_some_and(|into| (0..bar).contains(&into));
        // Where the bar was not said, there is nothing to follow.
        if inside && bar > 0 {
            let bars = (t.song_pos_beats - t.bar_start).div_euclid(bar);
            t.bar_start = t.bar_start.saturating_add(bars.saturating_mul(bar));
            t.bar_number = t.bar_number.saturating_add(i32::try_from(bars).unwrap_or(0));
        }
    }
    t
}

#[cfg(test)]
mod tests {
    use clap_sys::events::clap_event_header;

    use super::*;

    fn transport(beats: f64, bar_start: f64, bar_number: i32) -> clap_event_transport {
        let at = |b: f64| (b * CLAP_BEATTIME_FACTOR as f64) as i64;
        clap_event_transport {
            header: clap_event_header { size: 0, time: 9, space_id: 0, type_: 9, flags: 0 },
            flags: CLAP_TRANSPORT_IS_PLAYING
                | CLAP_TRANSPORT_HAS_TEMPO
                | CLAP_TRANSPORT_HAS_BEATS_TIMELINE
                | CLAP_TRANSPORT_HAS_SECONDS_TIMELINE
                | CLAP_TRANSPORT_HAS_TIME_SIGNATURE,
            song_pos_beats: at(beats),
            song_pos_seconds: 0,
            tempo: 120.0,
            tempo_inc: 0.0,
            loop_start_beats: 0,
            loop_end_beats: 0,
            loop_start_seconds: 0,
            loop_end_seconds: 0,
            bar_start: at(bar_start),
            bar_number,
            tsig_num: 3,
            tsig_denom: 4,
        }
    }

    #[test]
    fn a_transport_is_moved_along_its_tempo_and_over_bar_lines() {
        let beats = |t: &clap_event_transport| t.song_pos_beats as f64 / CLAP_BEATTIME_FACTOR as f64;
        // Half a second at 120 is a beat.
        let t = moved(transport(5.5, 3.0, 1), 24_000, 48_000.0);
        assert_eq!((beats(&t), t.bar_number, t.header.time), (6.5, 2, 0));
        assert_eq!(t.bar_start, 6 * CLAP_BEATTIME_FACTOR);
        assert_eq!(t.song_pos_seconds, CLAP_SECTIME_FACTOR / 2);
        // A bar that was not said stays unsaid.
        let t = moved(transport(50.0, 0.0, 0), 24_000, 48_000.0);
        assert_eq!((t.bar_start, t.bar_number), (0, 0));
        // A ramp from 120 to 240 in a second: 180 on average.
        let ramp = clap_event_transport { tempo_inc: 120.0 / 48_000.0, ..transport(0.0, 0.0, 0) };
        let t = moved(ramp, 48_000, 48_000.0);
        assert!((beats(&t) - 3.0).abs() < 1e-6 && (t.tempo - 240.0).abs() < 1e-6, "{t:?}");
        let still = clap_event_transport { flags: 0, ..ramp };
        assert_eq!(moved(still, 48_000, 48_000.0).song_pos_beats, 0);
    }
}
