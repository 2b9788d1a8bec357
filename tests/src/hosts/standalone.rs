//! The standalone program under a JACK server, with a scripted player: its internal clock starts with the first key,
//! and what it plays from there is what `render` writes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jack::{
    Client, ClientOptions, Control, MidiIn, MidiOut, PortFlags, ProcessScope, RawMidi,
    contrib::ClosureProcessHandler,
};
use sideman_engine::StyleChoice;

use super::equality::{first_bars, received, rendered, same};
use super::jackd::{Mortal, Server, there};
use super::song::{Song, within};
use super::stage::HostNoteTracker;
use super::{Message, child};

const RATE: f64 = 48_000.0;
const PERIOD: u32 = 2048;
/// Reaction time in samples: 100 ms, so long that a busy machine does not matter.
const REACTION: i64 = 4800;
const SEED: u64 = 12;
/// Where the program is.
const PROGRAM: &str = "SIDEMAN_STANDALONE";

/// The program, as the test runner says or where cargo leaves it.
fn program() -> Option<PathBuf> {
    if let Some(given) = std::env::var_os(PROGRAM).map(PathBuf::from) {
        assert!(given.is_file(), "{PROGRAM} is {}, which is no file", given.display());
        return Some(given);
    }
    println!("skipped: no standalone: cargo xtask standalone says which packages it needs");
    None
}

#[test]
fn the_standalone_plays_what_render_writes() {
    if child::is_child() {
        return play();
    }
    let Some(program) = program() else { return };
    // SAFETY: loading the library runs its initialisers only.
    if unsafe { libloading::Library::new("libjack.so.0") }.is_err() {
        println!("skipped: no libjack.so.0 here: install the package jackd2 to run this");
        return;
    }
    if !there("jackd", "jackd2") {
        return;
    }
    child::patiently(|| start_and_play(&program));
}

fn start_and_play(program: &Path) {
    let Some(server) = Server::start("standalone", PERIOD) else { return };
    let server = server.name.as_str();
    let home = tempfile::tempdir().expect("a folder");
    let standalone = Command::new(program)
        .args(["--backend", "jack", "--set", "reaction=100", "--set", "sound=off"])
        .args(["--set", &format!("seed={SEED}")])
        .env("JACK_DEFAULT_SERVER", server)
        .env("JACK_NO_START_SERVER", "1")
        .env("HOME", home.path())
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut standalone = Mortal(standalone.expect("the standalone runs"));
    let variables = [("JACK_DEFAULT_SERVER", server), ("JACK_NO_START_SERVER", "1")];
    child::run(module_path!(), "the_standalone_plays_what_render_writes", &variables);
    let status = standalone.0.try_wait().expect("a child can be asked");
    assert!(status.is_none(), "the standalone ended with {status:?}");
}

/// What the player keeps: the messages that came back, with their frames.
type Tape = Arc<Mutex<Vec<(i64, [u8; 3])>>>;

fn play() {
    let song = first_bars(&Song::ballad(500_000), 5);
    let wanted = rendered(&song, StyleChoice::Auto, SEED);
    let (client, _) = Client::new("player", ClientOptions::NO_START_SERVER).expect("a JACK client");
    let mut out = client.register_port("out", MidiOut::default()).expect("a port");
    let back = client.register_port("back", MidiIn::default()).expect("a port");
    let (tape, go): (Tape, _) = (Tape::default(), Arc::new(AtomicBool::new(false)));
    let (kept, may_play) = (tape.clone(), go.clone());
    let keys = song.keys(RATE);
    let (mut now, mut at) = (0i64, 0i64);
    let process = move |_: &Client, scope: &ProcessScope| {
        let frames = scope.n_frames();
        let mut kept = kept.lock().unwrap_or_else(|e| e.into_inner());
        for message in back.iter(scope) {
            if let Ok(data) = <[u8; 3]>::try_from(message.bytes) {
                kept.push((now + i64::from(message.time), data));
            }
        }
        now += i64::from(frames);
        let mut writer = out.writer(scope);
        if may_play.load(Relaxed) {
            for event in within(&keys, at, frames) {
                let bytes = match event.message {
                    Message::On { pitch, velocity, .. } => [0x90, pitch, velocity],
                    Message::Off { pitch, .. } => [0x80, pitch, 0],
                    _ => unreachable!("a song has keys only"),
                };
                writer.write(&RawMidi { time: event.at, bytes: &bytes }).expect("room for a key");
            }
            at += i64::from(frames);
        }
        Control::Continue
    };
    let client = client.activate_async((), ClosureProcessHandler::new(process)).expect("the client plays");
    let port = |flags: PortFlags| {
        for _ in 0..300 {
            let found = client.as_client().ports(Some("^sideman:"), Some("midi"), flags);
            if let Some(port) = found.first() {
                return port.clone();
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!(
            "the standalone shows no MIDI port: {:?}",
            client.as_client().ports(None, None, PortFlags::empty())
        );
    };
    let (input, output) = (port(PortFlags::IS_INPUT), port(PortFlags::IS_OUTPUT));
    let connect = |from: &str, to: &str| {
        // Ports may be there before they can be connected.
        for _ in 0..300 {
            if client.as_client().connect_ports_by_name(from, to).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{from} and {to} cannot be connected");
    };
    connect("player:out", &input);
    connect(&output, "player:back");
    std::thread::sleep(Duration::from_secs(2));
    go.store(true, Relaxed);
    let end = wanted.iter().map(|n| n.1 + n.3).max().unwrap_or(0).max(song.end()) + 960;
    std::thread::sleep(Duration::from_secs_f64(song.tempos.seconds_at(end) + 1.0));
    client.deactivate().expect("the client rests");

    let mut tracker = HostNoteTracker::default();
    let tape = tape.lock().unwrap_or_else(|e| e.into_inner());
    for (frame, data) in tape.iter() {
        tracker.write(*frame, Message::from_midi(*data));
    }
    tracker.balance("the standalone");
    // The piano comes back with the same delay as everything: from its first key on time is counted.
    let piano = tracker.notes.iter().filter(|n| n.channel == 0);
    let start = piano.map(|n| n.onset).min().expect("the piano passes");
    same(&wanted, &received(&tracker.notes, &song, RATE, start, REACTION), "the standalone");
}
