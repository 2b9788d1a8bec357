//! Runs the tests and counts what really ran.

use std::collections::BTreeSet;
use std::env::consts::DLL_EXTENSION;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::bundle::{PACKAGE, STANDALONE};

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

/// Features that the tests are built with: the standalone program, where its libraries are there. Without them
/// it is left out, as the tests will say.
pub(crate) fn features() -> Vec<String> {
    match crate::bundle::can_build_standalone() {
        true => vec!["--features".into(), format!("{PACKAGE}/standalone")],
        false => Vec::new(),
    }
}

/// Builds the tests and what hosts load, runs `cargo test`, shows its output and prints the counts. With `soak`
/// tests play their full numbers of rounds.
pub(crate) fn run(args: &[String], soak: bool) -> Result<Counts> {
    let (args, filters) = args.split_at(args.iter().position(|a| a == "--").unwrap_or(args.len()));
    let everything = !args.iter().any(|a| a.starts_with("-p") || a.starts_with("--package"));
    let hosts = everything || args.iter().any(|a| a.ends_with(HOST_TESTS));
    let mut cargo = vec!["test".to_owned(), "--no-fail-fast".to_owned()];
    if everything {
        cargo.push("--workspace".into());
    } else if hosts {
        // Programs and libraries of a package are built for its own tests only.
        cargo.extend(["--package".into(), PACKAGE.into()]);
    }
    if hosts {
        cargo.extend(features());
    }
    cargo.extend_from_slice(args);

    let mut command = crate::cargo(&[]);
    command.args(&cargo).env("CARGO_TERM_COLOR", "never");
    if soak {
        command.env("SIDEMAN_SOAK", "1");
    }
    if hosts {
        let began = Instant::now();
        let built = built(&cargo)?;
        println!("build: {:.0} s", began.elapsed().as_secs_f64());
        if let Some(library) = &built.library {
            let folder = library.with_file_name("bundled");
            crate::bundle::lay_out(library, &folder)?;
            command.env("SIDEMAN_BUNDLES", folder);
        }
        if let Some(program) = &built.standalone {
            command.env("SIDEMAN_STANDALONE", program);
        }
    }
    // Passing tests show their output too, or nobody would hear what they skipped.
    if filters.is_empty() {
        command.arg("--");
    }
    command.args(filters).arg("--show-output").stdout(Stdio::piped());
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

/// The package whose tests load the plugin into hosts.
const HOST_TESTS: &str = "sideman-tests";

/// What a build of the tests made that hosts load.
#[derive(Debug, Default, PartialEq, Eq)]
struct Built {
    library: Option<PathBuf>,
    standalone: Option<PathBuf>,
}

impl Built {
    /// Takes one of cargo's messages into account.
    fn read(&mut self, message: &Value) {
        if message["reason"] != "compiler-artifact" || message["profile"]["test"] == true {
            return;
        }
        let name = message["target"]["name"].as_str().unwrap_or_default();
        if name == STANDALONE {
            self.standalone = message["executable"].as_str().map(PathBuf::from);
        } else if name == PACKAGE.replace('-', "_") {
            let files = message["filenames"].as_array().into_iter().flatten().filter_map(Value::as_str);
            self.library = files.map(PathBuf::from).find(|f| f.extension() == Some(DLL_EXTENSION.as_ref()));
        }
    }
}

/// Builds all that a `cargo test` will run. That compiles the plugin's library and the standalone program too:
/// hosts load these, with overflow checks and debug assertions as in the tests, and nothing is built twice.
fn built(cargo: &[String]) -> Result<Built> {
    let mut build = crate::cargo(&[]);
    build.args(cargo).args(["--no-run", "--message-format", "json-render-diagnostics"]);
    let output = build.stderr(Stdio::inherit()).output().context("cannot run cargo test")?;
    if !output.status.success() {
        bail!("the tests do not build: see above");
    }
    let mut built = Built::default();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        built.read(&serde_json::from_str(line).context("cargo's messages cannot be read")?);
    }
    Ok(built)
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
    #[test]
    fn what_hosts_load_is_read_from_cargos_messages() {
        let mut built = Built::default();
        let library = format!("/t/deps/x.{DLL_EXTENSION}");
        for (name, test, file) in [
            ("sideman_plugin", false, &*library),
            ("sideman-live", true, "/t/test"),
            ("sideman-live", false, "/t/live"),
        ] {
            built.read(&serde_json::json!({
                "reason": "compiler-artifact", "target": { "name": name }, "profile": { "test": test },
                "filenames": ["/t/x.rlib", file], "executable": file,
            }));
        }
        assert_eq!(built, Built { library: Some(library.into()), standalone: Some("/t/live".into()) });
    }
}
