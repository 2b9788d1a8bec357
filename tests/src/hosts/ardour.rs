//! Ardour with the VST3 on a track, rolling on a JACK server: a piano in front of it, a tape behind it, both
//! Lua scripts inside Ardour, so that every message has its place on Ardour's own timeline.

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use sideman_engine::StyleChoice;

use super::equality::{first_bars, received, rendered, same};
use super::jackd::{Mortal, Server, there};
use super::song::Song;
use super::stage::HostNoteTracker;
use super::{Format, Library, Message, bundles, child};

const RATE: f64 = 48_000.0;
const SCANNER: &str = "/usr/lib/ardour7/ardour-vst3-scanner";

/// Ardour, with a home of its own.
fn ardour(home: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env("HOME", home)
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("XDG_CACHE_HOME")
        .env("LD_LIBRARY_PATH", "/usr/lib/ardour7")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A home with the scripts in it and the bundle where Ardour looks for it.
fn furnish(home: &Path, song: &Song) {
    let scripts = home.join(".config/ardour7/scripts");
    std::fs::create_dir_all(&scripts).expect("a folder");
    std::fs::create_dir_all(home.join(".vst3")).expect("a folder");
    let bundle = bundles().expect("looked for before").join("Sideman.vst3");
    let bundle = bundle.canonicalize().expect("the bundle");
    std::os::unix::fs::symlink(bundle, home.join(".vst3/Sideman.vst3")).expect("a link");
    let mut keys = String::new();
    for (sample, message) in song.keys(RATE) {
        let data = match message {
            Message::On { pitch, velocity, .. } => [0x90, pitch, velocity],
            Message::Off { pitch, .. } => [0x80, pitch, 0],
            _ => unreachable!("a song has keys only"),
        };
        write!(keys, "{{{sample},{},{},{}}},", data[0], data[1], data[2]).expect("a string takes all");
    }
    let piano = include_str!("../../fixtures/ardour/piano.lua").replace("--[[KEYS]]", &keys);
    std::fs::write(scripts.join("piano.lua"), piano).expect("a file");
    std::fs::write(scripts.join("tape.lua"), include_str!("../../fixtures/ardour/tape.lua")).expect("a file");
    std::fs::write(home.join("host.lua"), include_str!("../../fixtures/ardour/host.lua")).expect("a file");
}

#[test]
fn ardour_plays_what_render_writes() {
    let Some(library) = Library::get(Format::Vst3) else { return };
    if !there("ardour7-lua", "ardour") || !there(SCANNER, "ardour") {
        return;
    }
    child::patiently(|| roll(&library));
}

fn roll(library: &Library) {
    let Some(server) = Server::start("ardour", 1024) else { return };
    let mut song = first_bars(&Song::ballad(500_000), 5);
    // A bar later: Ardour rolls a little before the transport is said to.
    song.piano.iter_mut().for_each(|n| n.onset += 1920);
    let wanted = rendered(&song, StyleChoice::Auto, 7);
    assert!(wanted.len() > 80, "{}", wanted.len());

    let home = tempfile::tempdir().expect("a folder");
    furnish(home.path(), &song);
    let scan =
        ardour(home.path(), SCANNER).args(["-f", "-v"]).arg(home.path().join(".vst3/Sideman.vst3")).spawn();
    let scanned =
        Mortal(scan.expect("the scanner runs")).output(Duration::from_secs(120), "Ardour's scanner");
    assert!(scanned.contains("n_midi_outputs=\"1\""), "{scanned}");

    let mut command = ardour(home.path(), "ardour7-lua");
    command.current_dir(home.path()).arg("host.lua").arg(home.path().join("session")).arg("20");
    let mut instance = library.create();
    for (name, text) in [("Seed", "7"), ("Reaction time", "100"), ("Sound", "Off")] {
        let Message::Set { value, .. } = instance.setting(name, text).message else {
            unreachable!("a setting sets")
        };
        command.arg(name).arg(value.to_string());
    }
    command.env("JACK_DEFAULT_SERVER", &server.name).env("JACK_NO_START_SERVER", "1");
    let out = Mortal(command.spawn().expect("Ardour runs")).output(Duration::from_secs(180), "Ardour");
    assert!(out.contains("again Sideman") && out.contains("done"), "{out}");

    let mut tracker = HostNoteTracker::default();
    for line in out.lines().filter_map(|l| l.strip_prefix("midi ")) {
        let numbers: Vec<i64> = line.split_whitespace().map(|n| n.parse().expect("numbers")).collect();
        let data = [numbers[1], numbers[2], numbers[3]].map(|b| b as u8);
        tracker.write(numbers[0], Message::from_midi(data));
    }
    tracker.balance("Ardour");
    let keys = song.keys(RATE);
    let piano = tracker.notes.iter().filter(|n| n.channel == 0).count();
    assert_eq!(piano * 2, keys.len(), "the piano passes: {out}");
    same(&wanted, &received(&tracker.notes, &song, RATE, 0, 4800), "Ardour");
}
