//! Runs the tests and counts what really ran.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// What the test binaries reported, summed up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    passed: usize,
    failed: usize,
    /// Marked `#[ignore]`.
    ignored: usize,
    /// Not asked for on the command line.
    filtered: usize,
    /// Test binaries and doc-test runs that reported.
    binaries: usize,
    /// What passing tests left out because something was missing, by their own words: a line that begins
    /// with `skipped:`.
    skipped: BTreeSet<String>,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "tests: {} passed, {} failed, {} ignored, {} skipped in part, in {} runs",
            self.passed,
            self.failed,
            self.ignored,
            self.skipped.len(),
            self.binaries
        )?;
        if self.filtered > 0 {
            write!(f, " ({} not asked for)", self.filtered)?;
        }
        Ok(())
    }
}

impl Counts {
    /// Takes a line of output into account.
    fn read(&mut self, line: &str) {
        if let Some(reason) = line.trim_start().strip_prefix("skipped:") {
            self.skipped.insert(reason.trim().to_owned());
        }
        let Some(rest) = line.strip_prefix("test result: ") else { return };
        self.binaries += 1;
        for (number, what) in rest.split(['.', ';']).filter_map(|piece| piece.trim().split_once(' ')) {
            let Ok(number) = number.parse::<usize>() else { continue };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                "filtered out" => self.filtered += number,
                _ => {}
            }
        }
    }
}

/// Runs `cargo test` over the workspace, shows its output and prints the counts. What the tests load into hosts
/// is built first.
pub(crate) fn run(args: &[String]) -> Result<Counts> {
    let mut command = crate::cargo(&["test", "--no-fail-fast"]);
    let everything = !args.iter().any(|a| a == "-p" || a.starts_with("--package"));
    if everything {
        command.arg("--workspace");
    }
    command.args(args);
    if everything || args.iter().any(|a| a == HOST_TESTS) {
        build_what_hosts_load(&mut command)?;
    }
    // Passing tests show their output too, or nobody would hear what they skipped.
    if !args.iter().any(|a| a == "--") {
        command.arg("--");
    }
    command.arg("--show-output").env("CARGO_TERM_COLOR", "never").stdout(Stdio::piped());
    let mut child = command.spawn().context("cannot run cargo test")?;
    let stdout = child.stdout.take().context("cargo test has no output")?;

    let mut counts = Counts::default();
    let mut in_successes = false;
    for line in BufReader::new(stdout).lines() {
        let line = line.context("the output of cargo test broke off")?;
        counts.read(&line);
        // What passing tests print is left out, except for what they skipped.
        in_successes = match line.as_str() {
            "successes:" => true,
            "failures:" => false,
            l if l.starts_with("test result: ") => false,
            _ => in_successes,
        };
        if !in_successes || line.trim_start().starts_with("skipped:") {
            println!("{line}");
        }
    }
    let status = child.wait().context("cargo test did not end")?;
    for reason in &counts.skipped {
        println!("skipped: {reason}");
    }
    println!("{counts}");
    if !status.success() {
        bail!("cargo test failed: see above ({counts})");
    }
    if counts.passed == 0 && counts.filtered == 0 {
        bail!("no test ran at all");
    }
    Ok(counts)
}

/// The package whose tests load the bundles.
const HOST_TESTS: &str = "sideman-tests";

/// Builds bundles and standalone and tells the tests where they are. Without optimisation as the tests
/// themselves: overflow checks and debug assertions are on in there, too.
fn build_what_hosts_load(tests: &mut Command) -> Result<()> {
    let bundles = crate::bundle::bundle(true)?;
    let folder = bundles.first().and_then(|b| b.parent()).context("no bundle was built")?;
    tests.env("SIDEMAN_BUNDLES", folder);
    // Without the headers the standalone is left out, as the tests will say.
    let headers = Command::new("pkg-config").args(["--exists", "alsa", "jack"]).status();
    if headers.is_ok_and(|s| s.success()) {
        tests.env("SIDEMAN_STANDALONE", crate::bundle::standalone(true)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_summed_over_binaries() {
        let mut counts = Counts::default();
        for line in [
            "running 3 tests",
            "test a ... ok",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s",
            "skipped: no corpus here",
            "  skipped: no corpus here",
            "test result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.25s",
        ] {
            counts.read(line);
        }
        let skipped = BTreeSet::from(["no corpus here".to_owned()]);
        assert_eq!(counts, Counts { passed: 8, failed: 2, ignored: 1, filtered: 2, binaries: 2, skipped });
        assert_eq!(
            counts.to_string(),
            "tests: 8 passed, 2 failed, 1 ignored, 1 skipped in part, in 2 runs (2 not asked for)"
        );
    }
}
