//! What a project keeps: it comes back, from older and later versions too, and damage does no harm.

use rand::Rng;
use rand_pcg::Pcg64;
use serde_json::Value;

use super::endings::{OFFLINE, Show};
use super::song::{Blocks, Song};
use super::stage::Stage;
use super::{Event, Format, Instance, Library, Message, Parameter, libraries};

/// By the name of the file, what an older or later version wrote, by hand.
const OLDER: &str = include_str!("../../fixtures/state-0.1.0.json");
const LATER: &str = include_str!("../../fixtures/state-later.json");
/// Triggers, which no project keeps.
const PRESSES: [&str; 5] = ["Next variation", "Fill", "Panic", "Tap tempo", "Start or stop"];

/// As the plugin frames it: the length, then JSON.
fn framed(json: &str) -> Vec<u8> {
    let mut state = (json.len() as u64).to_le_bytes().to_vec();
    state.extend_from_slice(json.as_bytes());
    state
}

fn json(state: &[u8]) -> Value {
    serde_json::from_slice(&state[8..]).unwrap_or_else(|e| panic!("a state is JSON: {e}"))
}

/// Values of all parameters as they are written, but for presses.
fn values(instance: &mut dyn Instance) -> Vec<(String, String)> {
    let parameters = instance.parameters();
    let kept = parameters.into_iter().filter(|p| !PRESSES.contains(&p.name.as_str()));
    let mut read = |p: Parameter| {
        let value = instance.value(p.id);
        assert!((0.0..=1.0).contains(&value), "{} is {value}", p.name);
        (p.name, instance.text(p.id, value))
    };
    kept.map(&mut read).collect()
}

fn same_values(a: &[(String, String)], b: &[(String, String)], what: &str) {
    for (a, b) in a.iter().zip(b) {
        assert_eq!(a, b, "{what}");
    }
    assert_eq!(a.len(), b.len());
}

/// A block in which every parameter takes some value.
fn turn_all(instance: &mut dyn Instance, seed: u64) {
    let mut chance = Pcg64::new(seed.into(), 3);
    let keep = |p: &Parameter| !PRESSES.contains(&p.name.as_str());
    let mut stage = Stage::new(instance.activate(OFFLINE), OFFLINE.rate);
    let set = |p: &Parameter, value: f64| Event { at: 0, message: Message::Set { id: p.id, value } };
    let parameters: Vec<Parameter> = instance.parameters().into_iter().filter(keep).collect();
    let events: Vec<Event> = parameters.iter().map(|p| set(p, chance.random_range(0.0..=1.0))).collect();
    stage.block(64, None, &events);
    stage.leave();
    instance.deactivate();
}

#[test]
fn a_state_comes_back_in_either_format() {
    let all = libraries();
    for (from, library) in &all {
        for (to, other) in &all {
            for seed in 0..6 {
                let what = format!("{from:?} to {to:?}, seed {seed}");
                let mut instance = library.create();
                turn_all(&mut *instance, seed);
                let state = instance.save();
                let mut copy = other.create();
                assert!(copy.load(&state), "{what}");
                // A VST3 host knows what it set itself; what comes out of a state is what the plugin says.
                if *from == Format::Clap {
                    same_values(&values(&mut *instance), &values(&mut *copy), &what);
                }
                assert_eq!(json(&state), json(&copy.save()), "{what}");
            }
        }
    }
}

#[test]
fn an_older_state_is_read() {
    for (format, library) in libraries() {
        let mut instance = library.create();
        turn_all(&mut *instance, 1);
        assert!(instance.load(&framed(OLDER)), "{format:?}");
        let wanted = [
            ("Style", "Jazz swing"),
            ("Variation", "C"),
            ("Intensity", "75 %"),
            ("Seed", "4711"),
            ("Bass octave", "-1"),
            ("Guitar mute", "On"),
            ("Tempo", "96.50 BPM"),
            ("Metre", "3/4"),
            ("Reaction time", "20.0 ms"),
            ("Send", "Bass"),
            ("Channel", "7"),
            ("Sound", "Off"),
        ];
        for (name, text) in wanted {
            let id = instance.id(name);
            let value = instance.value(id);
            assert_eq!(instance.text(id, value), text, "{format:?}: {name}");
        }
        // What it does not name is as it is when nobody has touched it.
        let defaults = instance.parameters();
        for name in ["Complexity", "Humanize", "Strings density", "Volume"] {
            let p = defaults.iter().find(|p| p.name == name).unwrap_or_else(|| panic!("no {name}"));
            assert!((instance.value(p.id) - p.default).abs() < 1e-6, "{format:?}: {name}");
        }
        let kept = json(&instance.save());
        assert!(kept["fields"]["learned"].as_str().is_some_and(|l| l.contains("fill")), "{kept}");
        assert!(kept["fields"]["preset"].as_str().is_some_and(|l| l.contains("Late night")), "{kept}");
    }
}

#[test]
fn what_a_later_version_saved_survives() {
    for (format, library) in libraries() {
        let mut instance = library.create();
        assert!(instance.load(&framed(LATER)), "{format:?}");
        for (name, text) in [("Seed", "815"), ("Style", "Bossa nova"), ("Drums level", "125 %")] {
            let id = instance.id(name);
            let value = instance.value(id);
            assert_eq!(instance.text(id, value), text, "{format:?}: {name}");
        }
        let kept = instance.save().split_off(8);
        let kept = String::from_utf8(kept).expect("JSON is UTF-8");
        for word in ["shimmer", "0.625", "harmonium_on", "moods", "tonight", "arrangement", "verse"] {
            assert!(kept.contains(word), "{format:?}: '{word}' is lost in {kept}");
        }
        // And comes back out of that once more.
        let mut again = library.create();
        assert!(again.load(&framed(&kept)));
        assert_eq!(json(&framed(&kept)), json(&again.save()), "{format:?}");
    }
}

/// Whatever the state, the instance takes it or not, plays, and takes a sound one afterwards.
struct Patient {
    /// Before the instance, which must outlive it.
    stage: Stage,
    instance: Box<dyn Instance>,
    sound: Vec<u8>,
    values: Vec<(String, String)>,
    defaults: Vec<(String, String)>,
}

impl Patient {
    fn new(library: &Library) -> Self {
        let mut instance = library.create();
        let defaults = values(&mut *instance);
        turn_all(&mut *instance, 5);
        let sound = instance.save();
        assert!(instance.load(&sound));
        let values = values(&mut *instance);
        let stage = Stage::new(instance.activate(OFFLINE), OFFLINE.rate);
        Self { stage, instance, sound, values, defaults }
    }

    /// Gives it a damaged state. Of one that was `cut` off what can be read is kept, all else is at its default.
    fn take(&mut self, state: &[u8], cut: bool, what: &str) {
        self.instance.load(state);
        let now = values(&mut *self.instance);
        if cut {
            for (now, (sound, default)) in now.iter().zip(self.values.iter().zip(&self.defaults)) {
                assert!(now == sound || now == default, "{what}: {now:?}");
            }
        }
        let on = Message::On { channel: 0, pitch: 60, velocity: 80 };
        self.stage.block(32, None, &[Event { at: 3, message: on }]);
        self.stage.block(32, None, &[Event { at: 3, message: Message::Off { channel: 0, pitch: 60 } }]);
        let again = self.instance.save();
        json(&again);
    }

    fn recover(&mut self, what: &str) {
        assert!(self.instance.load(&self.sound), "{what}");
        same_values(&self.values, &values(&mut *self.instance), what);
        assert!(self.stage.finite, "{what}");
    }
}

#[test]
fn a_state_cut_off_anywhere_gives_what_is_left_and_defaults() {
    for (format, library) in libraries() {
        let mut patient = Patient::new(&library);
        let sound = patient.sound.clone();
        for length in 0..sound.len() {
            patient.take(&sound[..length], true, &format!("{format:?}, cut to {length} of {}", sound.len()));
        }
        patient.take(&sound[..8], true, "nothing left");
        same_values(&patient.defaults, &values(&mut *patient.instance), "nothing left");
        patient.recover(&format!("{format:?}"));
    }
}

#[test]
fn a_state_with_flipped_bits_does_no_harm() {
    let mut chance = Pcg64::new(8, 15);
    for (format, library) in libraries() {
        let mut patient = Patient::new(&library);
        for at in 0..patient.sound.len() {
            let mut state = patient.sound.clone();
            let bit = chance.random_range(0..8);
            state[at] ^= 1 << bit;
            patient.take(&state, false, &format!("{format:?}, bit {bit} of byte {at} flipped"));
        }
        patient.recover(&format!("{format:?}"));
    }
}

fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let deep = "[".repeat(200_000);
    let mut all = vec![
        ("nothing", Vec::new()),
        ("an endless length", [&u64::MAX.to_le_bytes()[..], b"{}"].concat()),
        ("a great length", [&(1u64 << 40).to_le_bytes()[..], b"{}"].concat()),
        ("a length and no more", 10u64.to_le_bytes().to_vec()),
        ("noise", (0..4096u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()),
        ("zeros", vec![0; 4096]),
        (
            "no UTF-8",
            framed("{\"version\":\"x\"}").into_iter().map(|b| if b == b'x' { 0xFF } else { b }).collect(),
        ),
    ];
    let texts = [
        ("no object", "[]".to_owned()),
        ("nothing in it", "{}".to_owned()),
        ("null", "null".to_owned()),
        ("deep brackets", deep.clone()),
        ("deep brackets in a field", format!(r#"{{"version":"0.1.0","params":{{}},"fields":{{"learned":"{deep}"}}}}"#)),
        ("wrong types", r#"{"version":7,"params":[1,2],"fields":"no"}"#.to_owned()),
        ("wrong values", r#"{"version":"0.1.0","params":{"seed":{"i32":"x"},"style":{"string":4},"bypass":{"bool":"yes"},"tempo":{"f32":true},"swing":{},"send":{"string":"nobody"}},"fields":{}}"#.to_owned()),
        ("great numbers", r#"{"version":"0.1.0","params":{"tempo":{"f32":1e38},"seed":{"i32":2147483647},"intensity":{"f32":-1e38},"channel":{"i32":-2147483648},"reaction":{"f32":1e30}},"fields":{}}"#.to_owned()),
        ("greater numbers", r#"{"version":"0.1.0","params":{"tempo":{"f32":1e999},"seed":{"i32":99999999999999999999},"swing":{"f32":-1e999}},"fields":{}}"#.to_owned()),
        ("NaN and infinity", r#"{"version":"0.1.0","params":{"tempo":{"f32":NaN},"swing":{"f32":Infinity}},"fields":{}}"#.to_owned()),
        ("twice the same", r#"{"version":"0.1.0","version":"0.2.0","params":{"seed":{"i32":1},"seed":{"i32":2}},"params":{},"fields":{}}"#.to_owned()),
        ("hostile fields", r#"{"version":"0.1.0","params":{},"fields":{"learned":"{\"fill\":{\"note\":[255,255]}}","look":"{\"width\":1e30,\"height\":-1,\"scale\":1e-30}","preset":"7","soundfont":"\"/dev/zero\""}}"#.to_owned()),
        ("another hostile font", r#"{"version":"0.1.0","params":{"sound":{"bool":true}},"fields":{"soundfont":"\"/proc/self/mem\""}}"#.to_owned()),
        ("a long name", format!(r#"{{"version":"0.1.0","params":{{}},"fields":{{"preset":"\"{}\""}}}}"#, "x".repeat(1 << 20))),
        ("many parameters", format!(r#"{{"version":"0.1.0","params":{{{}}},"fields":{{}}}}"#, (0..50_000).map(|i| format!("\"p{i}\":{{\"i32\":1}}")).collect::<Vec<_>>().join(","))),
        ("a version that is none", r#"{"version":"-1.x","params":{},"fields":{}}"#.to_owned()),
    ];
    all.extend(texts.into_iter().map(|(name, text)| (name, framed(&text))));
    all
}

#[test]
fn hostile_states_do_no_harm() {
    for (format, library) in libraries() {
        let mut patient = Patient::new(&library);
        for (name, state) in hostile() {
            patient.take(&state, false, &format!("{format:?}, {name}"));
            patient.recover(&format!("{format:?} after {name}"));
        }
    }
}

#[test]
fn states_are_loaded_while_the_band_plays() {
    for (format, library) in libraries() {
        let what = format!("{format:?}");
        let song = Song::ballad(450_000);
        let show = Show::begin(&library, song, OFFLINE, &[("Seed", "3"), ("Sound", "Off")]);
        let Show { mut instance, stage, song, at, .. } = show;
        let sound = instance.save();
        let mut other = library.create();
        turn_all(&mut *other, 2);
        let mut states: Vec<Vec<u8>> = hostile().into_iter().map(|h| h.1).collect();
        states.extend([other.save(), framed(OLDER), framed(LATER), sound.clone()]);
        let mut chance = Pcg64::new(2, 2);
        // The audio thread plays while the main thread loads one after the other.
        let mut stage = std::thread::scope(|scope| {
            let audio = scope.spawn(|| {
                let mut stage = stage;
                let to = song.sample(23 * 1920, OFFLINE.rate);
                stage.play(&song, &mut Blocks::random(512, 4), at, to);
                stage
            });
            while !audio.is_finished() {
                instance.load(&states[chance.random_range(0..states.len())]);
                instance.save();
                instance.idle();
            }
            audio.join().expect("the audio thread")
        });
        assert!(instance.load(&sound), "{what}");
        let bypass = instance.setting("Bypass", "Bypassed");
        for _ in 0..20 {
            stage.block(512, None, &[bypass]);
        }
        let hang: Vec<(u8, u8)> = stage.tracker.sounding().into_iter().filter(|k| k.0 != 0).collect();
        assert!(hang.is_empty(), "{what}: these hang: {hang:?}");
        // A state may have sent the band to channel 7, but nobody to the piano's.
        stage.tracker.band_is_orderly(&what, &[0]);
    }
}
