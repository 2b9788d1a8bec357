//! Broken and hostile files never make the command panic, hang or ask for the machine's memory.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sideman_music::hostile::{Expect, corpus};

use super::{Bench, ENGINES};

/// Longest time for one file; the slowest take about a second in this profile.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn every_hostile_file_is_read_or_refused() {
    let cases = corpus();
    assert!(cases.len() >= 50, "{} cases", cases.len());
    let bench = Bench::new();
    for case in &cases {
        let bytes = (case.make)();
        bench.put("hostile.mid", &bytes);
        for engine in ENGINES.into_iter().chain(["vae-rnn"]) {
            let args = ["render", "hostile.mid", "-o", "out.mid", "--png", "out.png", "--engine", engine];
            let (code, stderr) = bounded(&bench, case.name, &args);
            assert!(!stderr.contains("panicked"), "{}: {stderr}", case.name);
            match (case.expect, code) {
                (Expect::Refused, Some(1)) => {
                    assert!(stderr.starts_with("error: "), "{}: {stderr}", case.name)
                }
                (Expect::Refused, _) => panic!("{} was not refused ({code:?}): {stderr}", case.name),
                // A file without a piano is read by `inspect` and cannot be accompanied.
                (Expect::Notes(_), Some(1)) => {
                    assert!(stderr.contains("no piano in"), "{}: {stderr}", case.name);
                }
                (Expect::Notes(_), code) => {
                    assert_eq!(code, Some(0), "{}: {stderr}", case.name);
                    bench.score("out.mid");
                }
            }
        }
        let (code, stderr) = bounded(&bench, case.name, &["inspect", "hostile.mid", "--json"]);
        let expected = if case.expect == Expect::Refused { 1 } else { 0 };
        assert_eq!(code, Some(expected), "{}: {stderr}", case.name);
        let (code, stderr) = bounded(&bench, case.name, &["classify", "hostile.mid", "--json"]);
        assert!(!stderr.contains("panicked"), "{}: {stderr}", case.name);
        assert_eq!(code, Some(expected), "{}: {stderr}", case.name);
        for out in ["out.mid", "out.png"] {
            let _ = std::fs::remove_file(bench.path(out));
        }
        assert_eq!(bench.names(), ["hostile.mid"], "{} left something behind", case.name);
    }
}

/// Runs the command within time and, where the shell can do that, 1.5 GB of address space.
fn bounded(bench: &Bench, case: &str, args: &[&str]) -> (Option<i32>, String) {
    let mut command = if cfg!(target_os = "linux") {
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -v 1500000; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_sideman")]).args(args);
        shell.current_dir(bench.0.path());
        shell
    } else {
        bench.command(args)
    };
    let log = bench.path("stderr");
    let stderr = std::fs::File::create(&log).unwrap();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr).spawn().unwrap();
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{case}: {args:?} takes longer than {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let text = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    std::fs::remove_file(&log).unwrap();
    (status.code(), text)
}
