//! What holds before any band plays: bundles load, formats agree, the piano passes through.

use super::song::{Blocks, Song};
use super::stage::Stage;
use super::{Event, Format, Library, Message, Setup, Transport, clap, libraries};

pub(crate) const LIVE: Setup = Setup { rate: 48_000.0, max_block: 512, offline: false };

#[test]
fn both_formats_have_the_same_parameters() {
    let mut all = Vec::new();
    for (format, library) in libraries() {
        let mut instance = library.create();
        let parameters = instance.parameters();
        assert!(parameters.len() > 40, "{format:?}: {parameters:?}");
        assert_eq!(parameters.iter().filter(|p| p.bypass).count(), 1, "{format:?}");
        for p in &parameters {
            assert!(
                (instance.value(p.id) - p.default).abs() < 1e-6,
                "{format:?}: {} starts elsewhere",
                p.name
            );
            for value in [0.0, 0.5, 1.0, p.default] {
                let text = instance.text(p.id, value);
                assert!(!text.trim().is_empty(), "{format:?}: {} at {value} has no text", p.name);
                let back = instance.parse(p.id, &text);
                let again = back.map(|v| instance.text(p.id, v));
                assert_eq!(again.as_deref(), Some(text.as_str()), "{format:?}: {} at {value}", p.name);
            }
        }
        all.push(parameters);
    }
    if let [clap, vst3] = all.as_slice() {
        // Ids may differ by a bit that VST3 keeps for itself.
        let names = |all: &[super::Parameter]| -> Vec<(String, u32)> {
            all.iter().map(|p| (p.name.clone(), p.id & 0x7FFF_FFFF)).collect()
        };
        assert_eq!(names(clap), names(vst3));
    }
}

#[test]
fn hosts_find_an_instrument_by_name() {
    let Some((_, Library::Clap(entry))) = libraries().into_iter().next() else { return };
    let (id, name, features) = clap::descriptor(&entry);
    assert_eq!(name, "Sideman");
    assert!(
        !id.is_empty() && features.iter().any(|f| f == "instrument" || f == "note-effect"),
        "{features:?}"
    );
}

#[test]
fn the_piano_passes_through_at_its_sample() {
    let song = Song::ballad(500_000);
    for (format, library) in libraries() {
        for transport in [None, Some(Transport::stopped(120.0))] {
            let mut instance = library.create();
            let mut stage = Stage::new(instance.activate(LIVE), LIVE.rate);
            let keys = song.keys(LIVE.rate);
            let mut blocks = Blocks::random(LIVE.max_block, 5);
            let mut at = 0;
            while at < song.sample(1920 * 4, LIVE.rate) {
                let frames = blocks.next();
                let events: Vec<Event> = super::song::within(&keys, at, frames).collect();
                let sent = stage.block(frames, transport.as_ref(), &events);
                let piano: Vec<&Event> = sent
                    .iter()
                    .filter(|e| {
                        matches!(e.message, Message::On { channel: 0, .. } | Message::Off { channel: 0, .. })
                    })
                    .collect();
                assert_eq!(piano, events.iter().collect::<Vec<_>>(), "{format:?} at {at}");
                at += i64::from(frames);
            }
            assert!(stage.tracker.notes.len() > 40 && stage.finite);
        }
    }
}

#[test]
fn blocks_of_no_length_do_no_harm_and_set_parameters() {
    for (format, library) in libraries() {
        let mut instance = library.create();
        let setting = instance.setting("Seed", "1234");
        let Message::Set { id, value } = setting.message else { unreachable!("a setting sets") };
        let mut stage = Stage::new(instance.activate(LIVE), LIVE.rate);
        stage.block(0, None, &[]);
        stage.block(0, None, &[setting]);
        stage.block(
            64,
            None,
            &[Event { at: 9, message: Message::On { channel: 0, pitch: 60, velocity: 90 } }],
        );
        stage.block(0, None, &[]);
        stage.block(64, None, &[Event { at: 9, message: Message::Off { channel: 0, pitch: 60 } }]);
        assert!(stage.tracker.notes.iter().any(|n| (n.channel, n.pitch) == (0, 60)), "{format:?}");
        stage.tracker.is_orderly("blocks of no length");
        // What was set on the audio thread is what a project keeps.
        let state = instance.save();
        let mut other = library.create();
        assert!(other.load(&state));
        let kept = other.value(id);
        assert!((kept - value).abs() < 1e-6, "{format:?}: {kept}");
    }
}

#[test]
fn controllers_and_bends_pass_through() {
    for (format, library) in libraries() {
        let mut instance = library.create();
        let mut stage = Stage::new(instance.activate(LIVE), LIVE.rate);
        stage.block(64, None, &[]);
        for data in [[0xB0, 64, 127], [0xB0, 1, 33], [0xE0, 0, 80], [0xD0, 50, 0]] {
            let sent = stage.block(64, None, &[Event { at: 7, message: Message::Midi(data) }]).to_vec();
            let received = sent.iter().find(|e| matches!(e.message, Message::Midi(_)));
            match format {
                Format::Clap => {
                    assert_eq!(received, Some(&Event { at: 7, message: Message::Midi(data) }));
                }
                // VST3 has no events for controllers, and the wrapper sends none of the old ones.
                Format::Vst3 => assert_eq!(received, None),
            }
        }
    }
}

#[test]
fn a_latency_is_reported_and_the_piano_is_as_late() {
    for (format, library) in libraries() {
        let mut instance = library.create();
        let setup = Setup { max_block: 64, ..LIVE };
        let settings = [("Report latency", "On"), ("Reaction time", "20")];
        let settings: Vec<Event> = settings.iter().map(|(n, t)| instance.setting(n, t)).collect();
        let mut stage = Stage::new(instance.activate(setup), setup.rate);
        assert_eq!(instance.latency(), 0, "{format:?}: no latency is reported unless asked for");
        stage.block(64, None, &settings);
        // As a host does when the latency changed.
        stage.leave();
        instance.deactivate();
        stage.enter(instance.activate(setup), setup.rate);
        let latency = i64::from(instance.latency());
        assert_eq!(latency, 960, "{format:?}");
        let began = stage.now;
        stage.block(
            64,
            None,
            &[Event { at: 9, message: Message::On { channel: 0, pitch: 60, velocity: 90 } }],
        );
        stage.block(64, None, &[Event { at: 30, message: Message::Off { channel: 0, pitch: 60 } }]);
        for _ in 0..40 {
            stage.block(64, None, &[]);
        }
        let key = stage.tracker.notes.iter().find(|n| n.channel == 0).expect("the piano passes");
        assert_eq!((key.onset, key.end), (began + 9 + latency, began + 64 + 30 + latency), "{format:?}");
    }
}

#[test]
fn parameters_are_set_while_nothing_plays() {
    for (format, library) in libraries() {
        let mut instance = library.create();
        for (name, text) in [("Style", "Funk"), ("Seed", "4321"), ("Drums level", "120 %"), ("Metre", "5/4")]
        {
            let id = instance.id(name);
            let value = instance.parse(id, text).expect("a value");
            instance.set(id, value);
            let now = instance.value(id);
            assert_eq!(instance.text(id, now), text, "{format:?}: {name}");
        }
    }
}
