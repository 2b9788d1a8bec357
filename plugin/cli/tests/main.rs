//! The `sideman` command from outside, as users and scripts see it.

mod classify;
mod continuing;
mod demo;
mod hostile;
mod inspect;
mod outputs;
mod render;
mod usage;
mod weights;
mod windows;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use sideman_music::smf::{read, write};
use sideman_music::{Meter, MeterMap, Note, Score, TempoMap, Track};

/// Engines that every test of playing is done with.
const ENGINES: [&str; 2] = ["rules", "neural"];

/// What a run of the command left behind.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    stdout: Vec<u8>,
    stderr: String,
}

impl Ran {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("text on standard output")
    }

    #[track_caller]
    fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }

    /// Failed with this exit code and a message on standard error that contains all of `says`.
    #[track_caller]
    fn fails(self, code: i32, says: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        for text in says {
            assert!(self.stderr.contains(text), "'{text}' is not in: {}", self.stderr);
        }
        self
    }
}

/// A folder to work in, and the command in it.
struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder for the test"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("a file for the test");
    }

    fn get(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    fn score(&self, name: &str) -> Score {
        read(&self.get(name)).expect("a MIDI file")
    }

    /// Names of all files and folders in it, sorted.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.0.path())
            .expect("the folder of the test")
            .map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sideman"));
        command.args(args).current_dir(self.0.path());
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, b"")
    }

    fn run_with(&self, args: &[&str], stdin: &[u8]) -> Ran {
        let mut command = self.command(args);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command runs");
        // Fails where the command does not read its input, which is its right.
        let _ = child.stdin.take().expect("standard input").write_all(stdin);
        let output = child.wait_with_output().expect("the command ends");
        Ran {
            code: output.status.code(),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

fn note(onset: i64, pitch: u8, length: i64, velocity: u8) -> Note {
    Note { onset, pitch, length, velocity }
}

/// A piano for so many bars of 4/4: chords on the beat and a tune.
fn piano_notes(bars: i64) -> Vec<Note> {
    let roots = [48, 45, 41, 43];
    let mut notes = Vec::new();
    for bar in 0..bars {
        let root = roots[(bar % 4) as usize];
        let at = bar * 1920;
        for (i, interval) in [0, 7, 12, 16].into_iter().enumerate() {
            notes.push(note(at + i as i64 * 480, root + interval, 460, 70 + (bar % 3) as u8 * 8));
        }
        for eighth in 0..8 {
            let pitch = root + [24, 28, 31, 28, 24, 26, 28, 31][eighth as usize];
            notes.push(note(at + eighth * 240, pitch, 200, 80));
        }
    }
    notes.sort_unstable();
    notes
}

/// A song with changes of tempo and metre, markers, and a tune besides the piano.
fn song(bars: i64) -> Score {
    let piano = Track { name: "Keys".into(), source_track: 1, notes: piano_notes(bars), ..Track::default() };
    let flute = Track {
        name: "Flute".into(),
        source_track: 2,
        channel: 4,
        program: 73,
        notes: (0..bars).map(|b| note(b * 1920, 79, 900, 90)).collect(),
        ..Track::default()
    };
    Score {
        tempos: TempoMap::new(&[(0, 600_000), (4 * 1920, 480_000), (6 * 1920 + 100, 500_000)]),
        meters: MeterMap::new(&[
            (0, Meter::COMMON),
            (4 * 1920, Meter { numerator: 3, denominator: 4 }),
            (4 * 1920 + 4 * 1440, Meter::COMMON),
        ]),
        markers: vec![(0, "Start".into()), (4 * 1920, "Waltz".into())],
        tracks: vec![piano, flute],
    }
}

fn song_bytes(bars: i64) -> Vec<u8> {
    write(&song(bars))
}

/// Tracks of a rendered file by name.
fn track<'a>(score: &'a Score, name: &str) -> &'a Track {
    score.tracks.iter().find(|t| t.name == name).unwrap_or_else(|| panic!("no track {name}"))
}
