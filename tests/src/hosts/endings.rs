//! Every note-on meets its note-off, whatever happens while notes sound.

use super::song::{Blocks, Song, within};
use super::stage::Stage;
use super::{Event, Instance, Library, Message, Setup, Transport, libraries};

pub(super) const OFFLINE: Setup = Setup { rate: 48_000.0, max_block: 1024, offline: true };

/// A band in full swing, with notes of it sounding.
pub(super) struct Show {
    /// Before the instance, which must outlive it.
    pub(super) stage: Stage,
    pub(super) instance: Box<dyn Instance>,
    pub(super) song: Song,
    blocks: Blocks,
    /// Sample of the song.
    pub(super) at: i64,
    rate: f64,
}

impl Show {
    pub(super) fn begin(library: &Library, song: Song, setup: Setup, pairs: &[(&str, &str)]) -> Self {
        let mut instance = library.create();
        let events: Vec<Event> = pairs.iter().map(|(name, text)| instance.setting(name, text)).collect();
        let mut stage = Stage::new(instance.activate(setup), setup.rate);
        let mut blocks = Blocks::random(setup.max_block, 11);
        stage.warm_up(&mut blocks, &events);
        let mut show = Self { instance, stage, song, blocks, at: 0, rate: setup.rate };
        show.go_on_until_it_sounds(4);
        show
    }

    /// Plays at least so many bars on, to a moment at which several parts sound.
    pub(super) fn go_on_until_it_sounds(&mut self, bars: i64) {
        self.go_on(bars);
        let mut more = 0;
        while self.stage.tracker.band_sounds() < 3 {
            self.pulses(97);
            more += 97;
            assert!(more < 4 * 1920, "the band hardly plays: {:?}", self.stage.tracker.sounding());
        }
    }

    /// Plays so many bars on.
    pub(super) fn go_on(&mut self, bars: i64) {
        self.pulses(bars * 1920);
    }

    fn pulses(&mut self, pulses: i64) {
        let to = self.song.sample(self.song.pulse(self.at as f64, self.rate) as i64 + pulses, self.rate);
        self.stage.play(&self.song, &mut self.blocks, self.at, to);
        self.at = to;
    }

    /// One block of the song with something more in it.
    pub(super) fn block_with(&mut self, more: &[Event]) {
        let frames = 512;
        let keys = self.song.keys(self.rate);
        let mut events: Vec<Event> = within(&keys, self.at, frames).chain(more.iter().copied()).collect();
        events.sort_by_key(|e| e.at);
        self.stage.block(frames, Some(&self.song.transport(self.at, self.rate)), &events);
        self.at += i64::from(frames);
    }

    /// Sets a parameter by its name and text, at a sample in the middle of a block.
    pub(super) fn turn(&mut self, name: &str, text: &str) {
        let setting = self.instance.setting(name, text);
        self.block_with(&[Event { at: 200, ..setting }]);
    }

    /// Releases all keys, stops the transport and checks that every note-on has had its note-off.
    pub(super) fn end(mut self, what: &str) {
        let hands = self.stage.tracker.sounding().into_iter().filter(|k| k.0 == 0);
        let off = hands.map(|(channel, pitch)| Event { at: 0, message: Message::Off { channel, pitch } });
        let off: Vec<Event> = off.collect();
        let transport = self.song.transport(self.at, self.rate);
        self.stage.block(64, Some(&transport), &off);
        self.stage.stop(&mut self.blocks);
        // The hands may have struck a key twice, where the song was jumped about in.
        let hang: Vec<(u8, u8)> = self.stage.tracker.sounding().into_iter().filter(|k| k.0 != 0).collect();
        assert!(hang.is_empty(), "{what}: these hang, channel and pitch: {hang:?}");
        self.stage.tracker.band_is_orderly(what, &[0]);
        assert!(self.stage.finite, "{what}: the sound is NaN or infinite");
        assert!(self.stage.tracker.notes.iter().filter(|n| n.channel != 0).count() > 50, "{what}: no band");
    }
}

fn each(test: impl Fn(Show, &str)) {
    for (format, library) in libraries() {
        let show = Show::begin(&library, Song::ballad(450_000), OFFLINE, &[("Seed", "3"), ("Sound", "Off")]);
        test(show, &format!("{format:?}"));
    }
}

#[test]
fn a_stop_ends_all_at_once() {
    each(|mut show, what| {
        let stopped = Transport::stopped(120.0);
        show.stage.block(256, Some(&stopped), &[]);
        assert_eq!(show.stage.tracker.band_sounds(), 0, "{what}: after the first stopped block");
        show.go_on(3);
        show.end(what);
    });
}

#[test]
fn jumps_end_all_at_once_wherever_they_go() {
    each(|mut show, what| {
        for bar in [12, 2, 15, 0, 7, 100, 3] {
            show.go_on_until_it_sounds(1);
            let before = show.stage.tracker.sounding();
            show.at = show.song.sample(bar * 1920 + 300, show.rate);
            let start = show.stage.now;
            show.block_with(&[]);
            let ended = |k: &(u8, u8)| {
                k.0 == 0
                    || show.stage.tracker.notes.iter().any(|n| (n.channel, n.pitch) == *k && n.end == start)
            };
            assert!(before.iter().all(ended), "{what}: not all end at the jump to bar {bar}");
            show.at = show.song.sample(4 * 1920, show.rate);
        }
        show.end(what);
    });
}

/// Hosts loop at a block's start, or split the block there; others run over the end and come back later.
#[test]
fn loops_repeat_themselves() {
    each(|mut show, what| {
        let rate = show.rate;
        let (start, end) = (show.song.sample(4 * 1920, rate), show.song.sample(8 * 1920, rate));
        /// Channel, pitch, onset, end, velocity.
        type Heard = (u8, u8, i64, i64, u8);
        let mut passes: Vec<Vec<Heard>> = Vec::new();
        // Into the loop from before it.
        show.at = start;
        for _ in 0..4 {
            let from = show.stage.now;
            let keys = show.song.keys(rate);
            let mut at = start;
            while at < end {
                let frames = 480.min(end - at) as u32;
                let mut transport = show.song.transport(at, rate);
                transport.cycle = Some((16.0, 32.0));
                // Every pass is played alike: what is down at its end is let go.
                let mut events: Vec<Event> = within(&keys, at, frames).collect();
                if at + i64::from(frames) == end {
                    let down = show.stage.tracker.sounding().into_iter().filter(|k| k.0 == 0);
                    let off =
                        |(channel, pitch)| Event { at: frames - 1, message: Message::Off { channel, pitch } };
                    events.extend(down.map(off));
                }
                events.retain(|e| match e.message {
                    // Keys struck before the pass began are not down in it.
                    Message::Off { channel, pitch } => {
                        e.at == frames - 1 && at + i64::from(frames) == end
                            || show.stage.tracker.sounding().contains(&(channel, pitch))
                    }
                    _ => true,
                });
                show.stage.block(frames, Some(&transport), &events);
                at += i64::from(frames);
            }
            let to = show.stage.now;
            let notes = show.stage.tracker.notes.iter();
            let mut pass: Vec<_> = notes
                .filter(|n| n.channel != 0 && n.onset >= from && n.onset < to && n.end < to)
                .map(|n| (n.channel, n.pitch, n.onset - from, n.end - from, n.velocity))
                .collect();
            pass.sort_unstable();
            assert!(pass.len() > 40, "{what}: {}", pass.len());
            passes.push(pass);
        }
        assert!(
            passes[1] == passes[2] && passes[2] == passes[3],
            "{what}: the loop is played in several ways"
        );
        show.at = end;
        show.end(what);
    });
}

#[test]
fn metre_and_tempo_may_change_anywhere() {
    each(|mut show, what| {
        for (i, meter) in
            [(3, 4), (7, 8), (6, 8), (5, 4), (2, 2), (4, 4), (1, 16), (15, 16)].into_iter().enumerate()
        {
            for step in 0..100 {
                let mut transport = show.song.transport(show.at, show.rate);
                transport.meter = meter;
                // A ramp, as a host tells it: the tempo of each block, and where it has come to.
                transport.bpm *= 1.0 + f64::from(step) * if i % 2 == 0 { 0.01 } else { -0.005 };
                show.stage.block(256, Some(&transport), &[]);
                show.at += (256.0 * transport.bpm / show.song.transport(show.at, show.rate).bpm) as i64;
            }
            show.go_on(1);
        }
        show.end(what);
    });
}

#[test]
fn bypass_ends_the_band_and_lets_the_piano_through() {
    each(|mut show, what| {
        show.turn("Bypass", "Bypassed");
        show.block_with(&[]);
        assert_eq!(show.stage.tracker.band_sounds(), 0, "{what}");
        let before = show.stage.tracker.notes.len();
        show.go_on(2);
        assert_eq!(show.stage.tracker.band_sounds(), 0, "{what}: the band plays while bypassed");
        assert!(show.stage.tracker.notes[before..].iter().all(|n| n.channel == 0));
        assert!(show.stage.tracker.notes.len() > before + 5, "{what}: the piano passes");
        show.turn("Bypass", "Not bypassed");
        show.go_on_until_it_sounds(3);
        show.end(what);
    });
}

#[test]
fn a_reset_ends_all_in_the_next_block() {
    each(|mut show, what| {
        for _ in 0..3 {
            show.stage.reset();
            // Standing, as hosts are when they reset: otherwise the band may begin at once.
            show.stage.block(64, Some(&Transport::stopped(120.0)), &[]);
            assert!(show.stage.tracker.sounding().is_empty(), "{what}: {:?}", show.stage.tracker.sounding());
            // The player's hands are where they were: nothing more comes of the keys that were down.
            show.at = show.song.sample(4 * 1920, show.rate);
            show.go_on_until_it_sounds(2);
        }
        show.end(what);
    });
}

#[test]
fn a_change_of_sample_rate_ends_all() {
    for (format, library) in libraries() {
        let mut show = Show::begin(&library, Song::ballad(450_000), OFFLINE, &[("Seed", "3")]);
        for rate in [96_000.0, 22_050.0, 44_100.0] {
            let Show { instance, mut stage, song, blocks, at, rate: before } = show;
            let pulse = song.pulse(at as f64, before) as i64;
            let mut instance = instance;
            stage.leave();
            instance.deactivate();
            stage.enter(instance.activate(Setup { rate, ..OFFLINE }), rate);
            stage.block(64, Some(&Transport::stopped(120.0)), &[]);
            let open = stage.tracker.sounding();
            assert!(open.is_empty(), "{format:?}: after the change to {rate} hang {open:?}");
            let at = song.sample(pulse.max(4 * 1920), rate);
            show = Show { instance, stage, song, blocks, at, rate };
            show.at = show.song.sample(4 * 1920, rate);
            show.go_on_until_it_sounds(2);
        }
        show.end(&format!("{format:?}"));
    }
}

#[test]
fn knobs_and_switches_leave_no_note_behind() {
    let turns = [
        ("Strings mute", "On"),
        ("Strings mute", "Off"),
        ("Bass solo", "On"),
        ("Bass solo", "Off"),
        ("Guitar octave", "+2"),
        ("Strings octave", "-2"),
        ("Channel", "5"),
        ("Channel", "Own"),
        ("Send", "Drums"),
        ("Send", "Nothing"),
        ("Send", "All"),
        ("Drums on", "Off"),
        ("Drums on", "On"),
        ("Guitar level", "0 %"),
        ("Guitar level", "100 %"),
        ("Strings lock", "On"),
        ("Freeze", "On"),
        ("Freeze", "Off"),
        ("Strings lock", "Off"),
        ("Style", "Funk"),
        ("Variation", "C"),
        ("Seed", "99"),
        ("Next variation", "On"),
        ("Next variation", "Off"),
        ("Fill", "On"),
        ("Fill", "Off"),
        ("Panic", "On"),
        ("Panic", "Off"),
        ("Clock", "Own"),
        ("Tempo", "173"),
        ("Metre", "3/4"),
        ("Tap tempo", "On"),
        ("Tap tempo", "Off"),
        ("Start or stop", "On"),
        ("Start or stop", "Off"),
        ("Clock", "Auto"),
        ("Piano through", "Off"),
        ("Piano through", "On"),
        ("Reaction time", "0"),
        ("Reaction time", "90"),
        ("Report latency", "On"),
        ("Report latency", "Off"),
        ("Sound", "On"),
        ("Volume", "-6"),
        ("Piano sound", "On"),
    ];
    each(|mut show, what| {
        for (name, text) in turns {
            show.turn(name, text);
            show.go_on(1);
            show.stage.tracker.band_is_orderly(&format!("{what}, {name} at {text}"), &[0]);
            if show.song.pulse(show.at as f64, show.rate) > 20.0 * 1920.0 {
                show.at = show.song.sample(4 * 1920, show.rate);
            }
        }
        show.end(what);
    });
}

#[test]
fn a_panic_silences_the_band() {
    each(|mut show, what| {
        let press = show.instance.setting("Panic", "On");
        show.stage.block(512, Some(&Transport::stopped(120.0)), &[press]);
        show.stage.block(512, Some(&Transport::stopped(120.0)), &[]);
        assert!(show.stage.tracker.sounding().is_empty(), "{what}: {:?}", show.stage.tracker.sounding());
        show.end(what);
    });
}

/// Nothing can be said by a plugin that is gone: hosts end what it left. It must go without a crash.
#[test]
fn instances_can_go_while_notes_sound() {
    for (_, library) in libraries() {
        for offline in [true, false] {
            let setup = Setup { offline, ..OFFLINE };
            let mut instance = library.create();
            let mut stage = Stage::new(instance.activate(setup), setup.rate);
            let song = Song::ballad(450_000);
            if !offline {
                stage.paced(40.0);
            }
            stage.play(&song, &mut Blocks::Of(512), 0, song.sample(4 * 1920, setup.rate));
            assert!(stage.tracker.notes.iter().any(|n| n.channel != 0));
            drop(stage);
            instance.deactivate();
            drop(instance);
        }
    }
}
