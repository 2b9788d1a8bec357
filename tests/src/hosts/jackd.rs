//! A JACK server with no sound card, for hosts that want one.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Whether a program can be run; else says that this was left out.
pub(super) fn there(program: &str, package: &str) -> bool {
    let found = match program.contains('/') {
        true => Path::new(program).exists(),
        false => {
            let path = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&path).any(|folder| folder.join(program).exists())
        }
    };
    if !found {
        println!("skipped: no {program} here: install the package {package} to run this");
    }
    found
}

/// A child process that does not outlive its test.
pub(super) struct Mortal(pub(super) Child);

impl Drop for Mortal {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Mortal {
    /// Waits for its end, for so long at most, and gives what it printed. Its outputs must be piped.
    pub(super) fn output(mut self, most: Duration, what: &str) -> String {
        let read = |mut from: Box<dyn Read + Send>| {
            std::thread::spawn(move || {
                let mut text = Vec::new();
                let _ = from.read_to_end(&mut text);
                String::from_utf8_lossy(&text).into_owned()
            })
        };
        let out = read(Box::new(self.0.stdout.take().expect("piped")));
        let err = read(Box::new(self.0.stderr.take().expect("piped")));
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.0.try_wait().expect("a child can be asked") {
                break Some(status);
            }
            if begun.elapsed() > most {
                let _ = self.0.kill();
                break None;
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        let (out, err) = (out.join().expect("read"), err.join().expect("read"));
        assert!(status.is_some_and(|s| s.success()), "{what} ended with {status:?}:\n{out}\n{err}");
        out
    }
}

/// A server of a name of its own, at 48,000 samples a second.
pub(super) struct Server {
    pub(super) name: String,
    jackd: Mortal,
    log: tempfile::NamedTempFile,
    /// Servers share a registry, and get into each other's way when they come and go.
    _alone: MutexGuard<'static, ()>,
}

static ALONE: Mutex<()> = Mutex::new(());

impl Drop for Server {
    /// Asks it to end: one that is killed leaves shared memory behind, and after eight of those none starts.
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.jackd.0.id().to_string()).status();
        // It waits for a client that is gone, too.
        for _ in 0..600 {
            if !matches!(self.jackd.0.try_wait(), Ok(None)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        if std::thread::panicking() {
            println!("jackd sent: {}", std::fs::read_to_string(self.log.path()).unwrap_or_default());
        }
    }
}

impl Server {
    /// Starts it, if it can be started here; else says that this was left out.
    pub(super) fn start(purpose: &str, period: u32) -> Option<Self> {
        if !there("jackd", "jackd2") {
            return None;
        }
        let alone = ALONE.lock().unwrap_or_else(|e| e.into_inner());
        let log = tempfile::NamedTempFile::new().expect("a file");
        let name = format!("sideman-{purpose}-{}", std::process::id());
        let period = period.to_string();
        let child = Command::new("jackd")
            .args(["-n", &name, "--no-realtime", "-d", "dummy", "-r", "48000", "-p", &period])
            .stdin(Stdio::null())
            .stdout(log.reopen().expect("a file"))
            .stderr(log.reopen().expect("a file"))
            .spawn();
        let mut jackd = Mortal(child.expect("jackd runs"));
        for _ in 0..100 {
            std::thread::sleep(Duration::from_millis(100));
            if let Ok(Some(status)) = jackd.0.try_wait() {
                println!("skipped: jackd does not run here: it ended with {status}");
                return None;
            }
            let lsp = Command::new("jack_wait")
                .args(["-s", &name, "-c"])
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .output();
            match lsp {
                Ok(output) if output.stdout.starts_with(b"running") => {
                    return Some(Self { name, jackd, log, _alone: alone });
                }
                // Without that tool: it takes a moment.
                Err(_) => {
                    std::thread::sleep(Duration::from_secs(3));
                    return Some(Self { name, jackd, log, _alone: alone });
                }
                _ => {}
            }
        }
        panic!("jackd runs, but gives no answer");
    }
}
