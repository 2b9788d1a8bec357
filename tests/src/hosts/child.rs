//! Tests that run in a process of their own, so that an abort in there is a failure here and not the end of all
//! tests.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::jackd::Mortal;

/// Set in the process that does the work.
const CHILD: &str = "SIDEMAN_TEST_CHILD";
/// Longer than any of them takes on any machine.
const MOST: Duration = Duration::from_secs(1800);

/// Whether this is a process that was started for one test alone.
pub(super) fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Runs a test, named by its module and function, in a process of its own with some variables. Shows what that
/// printed after `shown:`.
pub(super) fn run(module: &str, test: &str, variables: &[(&str, &str)]) {
    let name = format!("{}::{test}", module.split_once("::").expect("a crate and a module").1);
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command
        .args(["--exact", &name, "--nocapture", "--test-threads", "1"])
        .env(CHILD, "1")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let out = Mortal(command.spawn().expect("this program runs again")).output(MOST, test);
    assert!(out.contains("1 passed"), "{test} did not run: {out}");
    for line in out.lines().filter_map(|l| l.split_once("shown:")) {
        println!("{}", line.1.trim());
    }
}

/// Runs a test that plays in real time, again if need be: on a busy machine something may come too late, or a
/// sound server may lose it. A fault of ours comes every time.
pub(super) fn patiently(test: impl Fn()) {
    for _ in 0..3 {
        if catch_unwind(AssertUnwindSafe(&test)).is_ok() {
            return;
        }
    }
    test();
}
