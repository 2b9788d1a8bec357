//! The performer against a host of our own making.

use std::sync::Arc;

use proptest::prelude::*;
use sideman_music::{Meter, MeterMap, Note, Part, Pulse, TempoMap};

use super::*;
use crate::controls::{CONTROLS, Control, Controls, WeightsChoice};
use crate::loaded_band::{self, Music};
use crate::offline::Performance;

mod sound;

/// A host: it plays notes into a performer and counts the notes that sound.
struct Host {
    performer: Processor,
    shared: Arc<Shared>,
    rate: f64,
    bpm: f64,
    controls: Controls,
    settings: LiveSettings,
    /// Samples since activation.
    sample: u64,
    playing: bool,
    /// Position in quarter notes.
    beats: f64,
    meter: Meter,
    offline: bool,
    bypass: bool,
    /// Everything of the band that came out: sample, part, pitch, velocity.
    out: Vec<(u64, Part, u8, u8)>,
    /// Notes that sound at the host, by channel and pitch.
    sounding: std::collections::BTreeMap<(u8, u8), u32>,
    /// Notes that sound at the synthesiser, by voice and pitch.
    inner: std::collections::BTreeMap<(usize, u8), u32>,
}

impl Host {
    fn new(rate: f64, bpm: f64, max_block: u32) -> Self {
        let shared = Arc::new(Shared::default());
        let mut performer = Processor::new(shared.clone());
        performer.activate(rate, max_block);
        Self {
            performer,
            shared,
            rate,
            bpm,
            controls: Controls::default(),
            settings: LiveSettings::default(),
            sample: 0,
            playing: false,
            beats: 0.0,
            meter: Meter::COMMON,
            offline: true,
            bypass: false,
            out: Vec::new(),
            sounding: Default::default(),
            inner: Default::default(),
        }
    }

    fn block(&mut self, frames: u32, inputs: &[Input]) {
        let transport = Transport {
            playing: self.playing,
            bpm: Some(self.bpm),
            beats: Some(self.beats),
            bar_start: None,
            bar: None,
            meter: Some(self.meter),
        };
        let block = Block {
            frames,
            transport,
            controls: &self.controls,
            settings: &self.settings,
            offline: self.offline,
            bypass: self.bypass,
        };
        let outputs = self.performer.process(&block, inputs);
        let mut last = 0;
        for o in outputs {
            assert!(o.at >= last && (o.at < frames || frames == 0), "{o:?} after {last} of {frames}");
            last = o.at;
            let MidiMessage::Note { pitch, velocity } = o.message else { continue };
            if let Voice::Part(part) = o.voice
                && o.inside
            {
                self.out.push((self.sample + u64::from(o.at), part, pitch, velocity));
                let count = self.inner.entry((part.index(), pitch)).or_default();
                if velocity > 0 {
                    *count += 1;
                    assert_eq!(*count, 1, "struck while it sounds: {o:?}");
                } else {
                    assert_eq!(*count, 1, "an end without a beginning: {o:?}");
                    *count = 0;
                }
            }
            let Some(channel) = o.channel else { continue };
            let count = self.sounding.entry((channel, pitch)).or_default();
            if velocity > 0 {
                *count += 1;
            } else {
                *count = count.saturating_sub(1);
            }
        }
        self.sample += u64::from(frames);
        if self.playing {
            self.beats += f64::from(frames) / self.rate * self.bpm / 60.0;
        }
    }

    fn sounding(&self) -> u32 {
        self.sounding.values().chain(self.inner.values()).sum()
    }

    /// Plays notes in blocks of the sizes given, from position 0 on, until `end`, in pulses.
    fn play(&mut self, piano: &[Note], end: Pulse, mut size: impl FnMut() -> u32) {
        self.playing = true;
        self.beats = 0.0;
        let start = self.sample;
        let at = |p: Pulse| (p as f64 / 480.0 * 60.0 / self.bpm * self.rate).round() as u64;
        let mut events: Vec<(u64, bool, u8, u8)> = Vec::new();
        for n in piano {
            events.push((at(n.onset), true, n.pitch, n.velocity));
            events.push((at(n.end()), false, n.pitch, 0));
        }
        events.sort();
        let last = at(end);
        let mut next = 0;
        while self.sample - start < last {
            let frames = size();
            let from = self.sample - start;
            let mut inputs = Vec::new();
            while next < events.len() && events[next].0 < from + u64::from(frames) {
                let (at, _, pitch, velocity) = events[next];
                let message = MidiMessage::Note { pitch, velocity };
                inputs.push(Input { at: (at - from) as u32, channel: 0, message });
                next += 1;
            }
            // The position is computed from the count of samples, as hosts do.
            self.beats = from as f64 / self.rate * self.bpm / 60.0;
            self.block(frames, &inputs);
        }
    }

    /// Notes of the band that came out since a sample, in pulses since then, less the reaction.
    fn notes(&self, since: u64, reaction: u64) -> [Vec<Note>; 4] {
        let pulse = |s: u64| {
            let samples = s as f64 - (since + reaction) as f64;
            (samples / self.rate * self.bpm / 60.0 * 480.0).round() as Pulse
        };
        let mut notes: [Vec<Note>; 4] = Default::default();
        let mut open: Vec<(u64, Part, u8, u8)> = Vec::new();
        for &(at, part, pitch, velocity) in self.out.iter().filter(|o| o.0 >= since) {
            if velocity > 0 {
                open.push((at, part, pitch, velocity));
            } else if let Some(i) = open.iter().position(|o| (o.1, o.2) == (part, pitch)) {
                let o = open.swap_remove(i);
                let onset = pulse(o.0);
                notes[part.index()].push(Note { onset, pitch, length: pulse(at) - onset, velocity: o.3 });
            }
        }
        notes.iter_mut().for_each(|n| n.sort_unstable());
        notes
    }
}

/// Some bars of chords with a melody, partly off the grid.
fn piano(bars: i64) -> Vec<Note> {
    let roots = [48u8, 45, 41, 43];
    let mut notes = Vec::new();
    for bar in 0..bars {
        let root = roots[(bar % 4) as usize];
        let third = if root == 45 { 3 } else { 4 };
        for (i, interval) in [0, third, 7, 12].into_iter().enumerate() {
            let onset = bar * 1920 + i as i64 * 3;
            notes.push(Note { onset, pitch: root + interval, length: 1700, velocity: 70 + i as u8 });
        }
        for beat in 0..4 {
            let onset = bar * 1920 + beat * 480 + (bar * 7 + beat * 5) % 13;
            let pitch = root + 12 + [0, 4, 7, 12][((bar + beat) % 4) as usize] + 1;
            notes.push(Note { onset, pitch, length: 300, velocity: 64 + (beat * 9) as u8 });
        }
    }
    notes
}

fn rendered(piano: &[Note], bpm: f64, controls: Controls) -> [Vec<Note>; 4] {
    let meters = MeterMap::default();
    let tempos = TempoMap::new(&[(0, (60e6 / bpm).round() as u32)]);
    let music = Music { bpm, bar_steps: 16 };
    let loaded = loaded_band::load(&controls, music).unwrap();
    let settings = loaded.settings(controls);
    let performance = Performance::new(piano, &meters, &tempos, settings).unwrap();
    performance.render_following(loaded, &mut |c, m| loaded_band::load(c, m).ok(), &mut |_| {}).unwrap().parts
}

fn assert_same(live: &[Vec<Note>; 4], offline: &[Vec<Note>; 4], what: &str) {
    for part in Part::ALL {
        let (a, b) = (&live[part.index()], &offline[part.index()]);
        if let Some(i) = (0..a.len().max(b.len())).find(|&i| a.get(i) != b.get(i)) {
            panic!("{what}, {part}: note {i} is {:?}, rendered {:?}", a.get(i), b.get(i));
        }
    }
}

#[test]
fn the_notes_are_those_of_render_at_any_block_size_and_rate() {
    let piano = piano(4);
    for (bpm, rate) in [(120.0, 48_000.0), (96.0, 44_100.0), (150.0, 96_000.0), (125.0, 192_000.0)] {
        let offline = rendered(&piano, bpm, Controls::default());
        assert!(offline.iter().map(Vec::len).sum::<usize>() > 60);
        for size in [1u32, 32, 64, 480, 512, 1024, 4096, 0] {
            if size < 32 && bpm != 120.0 {
                continue;
            }
            let mut host = Host::new(rate, bpm, 4096);
            let mut state = 1u64;
            host.play(&piano, 1920 * 10, || {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                if size == 0 { 1 + (state >> 33) as u32 % 4096 } else { size }
            });
            let live = host.notes(0, (0.010 * rate).round() as u64);
            assert_same(&live, &offline, &format!("{bpm} bpm, {rate} Hz, blocks of {size}"));
            let status = host.shared.status();
            assert_eq!((status.late, status.missed, status.overflowed, status.echoed), (0, 0, 0, 0));
            assert_eq!(host.sounding(), 0);
        }
    }
}

#[test]
fn live_the_notes_are_those_of_render() {
    // Half of real time each: the thread has 5 ms for what it may take 0.2 ms for.
    let piano = piano(2);
    let offline = rendered(&piano, 240.0, Controls::default());
    for size in [64u32, 512] {
        let mut host = Host::new(48_000.0, 240.0, size);
        host.offline = false;
        host.block(size, &[]);
        let since = host.sample;
        let pace = std::time::Duration::from_secs_f64(f64::from(size) / 48_000.0);
        let mut due = std::time::Instant::now();
        host.play(&piano, 1920 * 8, || {
            due += pace;
            std::thread::sleep(due.saturating_duration_since(std::time::Instant::now()));
            size
        });
        let status = host.shared.status();
        if status.late + status.missed + status.echoed > 0 {
            // A machine too busy to keep time says nothing about the notes.
            println!("skipped: live pace at {size}: the machine was too busy ({status:?})");
            continue;
        }
        let live = host.notes(since, u64::from(size.max(480)));
        assert_same(&live, &offline, &format!("live, blocks of {size}"));
    }
}

#[test]
fn live_the_style_follows_the_genre_as_in_a_render() {
    let piano = crate::genre::tests::jazz(0, 11);
    for weights in [WeightsChoice::Full, WeightsChoice::Rules] {
        let controls = Controls { weights, ..Controls::default() };
        let offline = rendered(&piano, 120.0, controls);
        let stays = rendered(&piano, 120.0, Controls { follow_genre: false, ..controls });
        assert_ne!(offline, stays);
        for (rate, size) in [(48_000.0, 64u32), (44_100.0, 1024), (96_000.0, 777)] {
            let mut host = Host::new(rate, 120.0, size);
            host.controls = controls;
            // Twice: a new beginning forgets what was heard.
            for pass in 0..2 {
                let since = host.sample;
                host.play(&piano, 1920 * 16, || size);
                let live = host.notes(since, (0.010 * rate).round() as u64);
                assert_same(
                    &live,
                    &offline,
                    &format!("{weights:?} at {rate}, blocks of {size}, pass {pass}"),
                );
                let (style, genre) = host.shared.editor_state(|b| (b.style.clone(), b.genre.clone()));
                assert_eq!(style, "jazz-swing");
                assert_eq!(genre.genre().map(|g| g.0.to_owned()), Some("Jazz".to_owned()));
            }
            assert_eq!(host.sounding(), 0);
        }
    }
}

#[test]
fn each_pass_of_a_loop_is_the_same() {
    let piano = piano(2);
    let mut host = Host::new(48_000.0, 120.0, 512);
    host.play(&piano, 1920 * 4, || 480);
    let first = host.notes(0, 480);
    let cut = 1920 * 4 - 20;
    let before = |notes: &[Vec<Note>; 4]| -> Vec<Note> {
        notes.iter().flatten().filter(|n| n.end() < cut).copied().collect()
    };
    let since = host.sample;
    host.play(&piano, 1920 * 4, || 480);
    assert_eq!(before(&host.notes(since, 480)), before(&first));
    host.playing = false;
    host.block(64, &[]);
    assert_eq!(host.sounding(), 0, "a stop ends everything at once");
}

#[test]
fn with_the_transport_stopped_the_first_note_starts_the_own_clock() {
    let piano = piano(4);
    let mut host = Host::new(48_000.0, 120.0, 512);
    let mut settings = LiveSettings { bpm: 100.0, ..LiveSettings::default() };
    settings.clock = ClockChoice::Own;
    host.settings = settings;
    for _ in 0..10 {
        host.block(300, &[]);
    }
    assert!(host.out.is_empty() && host.shared.status().source == ClockSource::Stopped);
    let since = host.sample;
    // The host says 120, and stands still as far as the internal clock is concerned.
    host.bpm = 100.0;
    host.play(&piano, 1920 * 8, || 256);
    assert_same(&host.notes(since, 480), &rendered(&piano, 100.0, Controls::default()), "internal clock");
    assert_eq!(host.sounding(), 0);
    host.play(&[], 1920 * 6, || 256);
    assert_eq!(host.shared.status().source, ClockSource::Stopped, "after a long silence it stops");
}

#[test]
fn four_notes_count_in() {
    let mut host = Host::new(48_000.0, 120.0, 512);
    host.settings = LiveSettings { count_in: true, bpm: 77.0, ..LiveSettings::default() };
    let key = |at, velocity| Input { at, channel: 0, message: MidiMessage::Note { pitch: 60, velocity } };
    for _ in 0..4 {
        // Four notes, 0.4 s apart: 150 beats a minute.
        host.block(480, &[key(100, 80), key(200, 0)]);
        for _ in 0..39 {
            host.block(480, &[]);
        }
    }
    let status = host.shared.status();
    assert_eq!(status.source, ClockSource::Own);
    assert!((status.bpm - 150.0).abs() < 0.01, "{}", status.bpm);
    // 0.4 s after the fourth note the first bar begins.
    assert!((status.position - -100.0 * 480.0 * 2.5 / 48_000.0).abs() < 10.0, "{}", status.position);
    assert!(host.out.is_empty());
    assert_eq!(host.shared.overridden(Control::Tempo), Some(150.0));
}

#[test]
fn a_compensated_piano_is_delayed_like_the_band() {
    let mut host = Host::new(48_000.0, 120.0, 256);
    host.settings.compensate = true;
    host.settings.reaction_ms = 20.0;
    assert_eq!(host.performer.latency_samples(&host.settings), 960);
    let key = |at, velocity| Input { at, channel: 0, message: MidiMessage::Note { pitch: 60, velocity } };
    let controls = Controls::default();
    let mut heard = Vec::new();
    for i in 0..8u32 {
        let block = Block {
            frames: 256,
            transport: Transport::default(),
            controls: &controls,
            settings: &host.settings,
            offline: true,
            bypass: false,
        };
        let inputs = [key(10, 80), key(20, 0)];
        let outputs = host.performer.process(&block, if i == 0 { &inputs } else { &[] });
        heard.extend(outputs.iter().filter(|o| o.voice == Voice::Piano).map(|o| i * 256 + o.at));
    }
    assert_eq!(heard, [970, 980]);
}

#[test]
fn capture_keeps_what_was_played() {
    let piano = piano(4);
    let mut host = Host::new(48_000.0, 90.0, 512);
    host.play(&piano, 1920 * 9, || 512);
    // The thread writes in its own time.
    host.performer.deactivate();
    let score = host.shared.editor_state(|b| b.capture(Pulse::MIN, 1920 * 9)).unwrap();
    assert_eq!(score.tempos.bpm_at(0).round(), 90.0);
    let track = |channel| score.tracks.iter().find(|t| t.channel == channel).map(|t| t.notes.clone());
    let mut expected = piano.clone();
    expected.sort_unstable();
    let mut kept = track(0).unwrap();
    kept.sort_unstable();
    assert_eq!(kept, expected);
    let mut bass = track(1).unwrap();
    bass.sort_unstable();
    assert_eq!(bass, rendered(&piano, 90.0, Controls::default())[1]);
    let bytes = sideman_music::smf::write(&score);
    assert_eq!(sideman_music::smf::read(&bytes).unwrap().tracks.len(), score.tracks.len());
}

#[test]
fn what_is_likely_is_shown_ahead_and_changes_nothing() {
    // The piano repeats every bar, so what is expected is what comes.
    let piano: Vec<Note> = (0..8)
        .flat_map(|bar| {
            [48, 52, 55, 60].map(|pitch| Note { onset: bar * 1920, pitch, length: 1800, velocity: 80 })
        })
        .collect();
    let mut host = Host::new(48_000.0, 200.0, 512);
    host.shared.set_watched(true);
    host.offline = false;
    let shared = host.shared.clone();
    let mut expected: Vec<(Part, Note)> = Vec::new();
    host.block(512, &[]);
    std::thread::sleep(std::time::Duration::from_millis(50));
    let since = host.sample;
    let mut due = std::time::Instant::now();
    host.play(&piano, 1920 * 6, || {
        due += std::time::Duration::from_secs_f64(512.0 / 48_000.0);
        std::thread::sleep(due.saturating_duration_since(std::time::Instant::now()));
        shared.editor_state(|b| {
            expected.extend(b.ahead.iter().filter(|e| !e.decided).map(|e| (e.part, e.note)))
        });
        512
    });
    let played: Vec<(Part, Note)> = Part::ALL
        .into_iter()
        .zip(host.notes(since, 512))
        .flat_map(|(p, n)| n.into_iter().map(move |n| (p, n)))
        .collect();
    assert!(expected.len() > 100, "{}", expected.len());
    // The session began with the block before, at the tempo of the internal clock.
    let start = (512.0 / 48_000.0 * 120.0 / 60.0 * 480.0f64).round() as Pulse;
    let (mut met, mut all) = (0, 0);
    for (part, note) in expected {
        all += 1;
        met += usize::from(played.iter().any(|(p, n)| *p == part && n.onset == note.onset - start));
    }
    assert!(met * 2 > all, "{met} of {all} expected notes came");
    let status = host.shared.status();
    if status.late + status.missed + status.echoed > 0 {
        println!("skipped: preview at live pace: the machine was too busy ({status:?})");
        return;
    }
    let whole = |notes: &[Vec<Note>; 4]| -> Vec<Note> {
        notes.iter().flatten().filter(|n| n.end() < 1920 * 6 - 200).copied().collect()
    };
    assert_eq!(whole(&host.notes(since, 512)), whole(&rendered(&piano, 200.0, Controls::default())));
}

/// What a hostile session does between two blocks.
#[derive(Debug, Clone)]
enum Whim {
    Key(u8, u8),
    Jump(f64),
    Tempo(f64),
    Meter(u8, u8),
    Play(bool),
    Reset,
    Bypass(bool),
    Reactivate(f64),
    Mute(usize, bool),
    Octave(usize, i8),
    Turn(Control, f32),
    Channel(Option<u8>),
    Sending(Sending),
    Press(Control),
    Swallow(bool),
    Compensate(bool),
    Frames(u32),
    Other(u8, u8, u8),
}

fn whims() -> impl Strategy<Value = Whim> {
    prop_oneof![
        8 => (30u8..100, 0u8..128).prop_map(|(p, v)| Whim::Key(p, v)),
        2 => prop_oneof![-100.0..1e4, Just(f64::NAN), Just(1e300), Just(f64::NEG_INFINITY)].prop_map(Whim::Jump),
        2 => prop_oneof![1.0..1000.0, Just(f64::NAN), Just(0.0), Just(-5.0), Just(1e9)].prop_map(Whim::Tempo),
        1 => (1u8..30, 0u32..7).prop_map(|(n, d)| Whim::Meter(n, 1 << d)),
        2 => any::<bool>().prop_map(Whim::Play),
        1 => Just(Whim::Reset),
        1 => any::<bool>().prop_map(Whim::Bypass),
        1 => prop_oneof![Just(44_100.0), Just(192_000.0), Just(8_000.0), Just(f64::NAN)].prop_map(Whim::Reactivate),
        2 => (0usize..4, any::<bool>()).prop_map(|(p, m)| Whim::Mute(p, m)),
        1 => (0usize..4, -3i8..4).prop_map(|(p, o)| Whim::Octave(p, o)),
        2 => (0usize..CONTROLS, -15f32..15.0).prop_map(|(i, v)| Whim::Turn(Control::at(i).unwrap(), v)),
        1 => proptest::option::of(0u8..20).prop_map(Whim::Channel),
        1 => (0usize..6).prop_map(|i| match i {
            0..4 => Whim::Sending(Sending::Only(Part::ALL[i])),
            4 => Whim::Sending(Sending::All),
            _ => Whim::Sending(Sending::Nothing),
        }),
        1 => (0usize..CONTROLS).prop_map(|i| Whim::Press(Control::at(i).unwrap())),
        1 => any::<bool>().prop_map(Whim::Swallow),
        1 => any::<bool>().prop_map(Whim::Compensate),
        6 => prop_oneof![Just(0u32), 1u32..5000].prop_map(Whim::Frames),
        1 => (any::<u8>(), any::<u8>(), any::<u8>()).prop_map(|(s, a, b)| Whim::Other(s & 0xF0, a, b)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    /// Whatever a session does: no panic, and in the end every note of the band has ended.
    #[test]
    fn the_ledger_balances_whatever_happens(whims in prop::collection::vec(whims(), 1..150)) {
        let mut host = Host::new(48_000.0, 120.0, 4096);
        let mut inputs: Vec<Input> = Vec::new();
        for whim in whims {
            match whim {
                Whim::Key(pitch, velocity) => {
                    inputs.push(Input { at: 0, channel: 0, message: MidiMessage::Note { pitch, velocity } });
                }
                Whim::Other(status, first, second) => {
                    inputs.push(Input { at: 0, channel: 7, message: MidiMessage::Other { status, first, second } });
                }
                Whim::Jump(beats) => host.beats = beats,
                Whim::Tempo(bpm) => host.bpm = bpm,
                Whim::Meter(numerator, denominator) => {
                    host.meter = Meter { numerator, denominator };
                    host.settings.meter = host.meter;
                }
                Whim::Play(playing) => host.playing = playing,
                Whim::Reset => host.performer.reset(),
                Whim::Bypass(on) => host.bypass = on,
                Whim::Reactivate(rate) => {
                    host.rate = if rate.is_nan() { 48_000.0 } else { rate };
                    host.performer.activate(rate, 4096);
                }
                Whim::Mute(part, on) => host.controls.parts[part].mute = on,
                Whim::Turn(control, value) if control.row().is_value() => host.controls.set(control, value),
                Whim::Turn(..) => {}
                Whim::Octave(part, octave) => host.controls.parts[part].octave = octave,
                Whim::Channel(channel) => host.settings.route.channel = channel,
                Whim::Sending(sending) => host.settings.route.send = sending,
                Whim::Press(action) => host.performer.press(action),
                Whim::Swallow(on) => host.settings.route.swallow_piano = on,
                Whim::Compensate(on) => host.settings.compensate = on,
                Whim::Frames(frames) => {
                    let inputs = std::mem::take(&mut inputs);
                    host.block(frames, &inputs);
                }
            }
        }
        host.performer.reset();
        host.playing = false;
        host.block(64, &[]);
        prop_assert!(host.inner.values().all(|n| *n == 0), "{:?}", host.inner);
        let band: u32 = host.sounding.iter().filter(|((c, _), _)| *c > 0).map(|(_, n)| n).sum();
        prop_assert_eq!(band, 0);
    }
}
