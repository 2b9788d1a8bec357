//! Project tasks, as `cargo xtask TASK`.

mod bundle;
mod licences;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};

/// Project tasks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Runs all tests of the workspace and counts them
    Test {
        /// Passed on to cargo test, such as -p CRATE or a name
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Runs the tests with their full numbers of rounds, as before a release: the same assertions, for an hour
    #[command(
        after_help = "Tests that take long play fewer rounds by default, see `soak` in tests/src/lib.rs. \
                            This sets SIDEMAN_SOAK=1, and they play all. `cargo xtask soak -p sideman-tests` \
                            is the host tests alone."
    )]
    Soak {
        /// Passed on to cargo test, such as -p CRATE or a name
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Everything that must hold before a change goes in: fmt, clippy, doc, tidy, test
    Ci,
    /// Checks the rules of the repository that the compiler does not
    Tidy,
    /// Builds the plugin bundles into target/bundled/
    Bundle {
        /// Quickly built and with checks, rather than fast
        #[arg(long)]
        debug: bool,
    },
    /// Builds the plugin bundles and puts them into your VST3 and CLAP folders
    Install {
        /// Quickly built and with checks, rather than fast
        #[arg(long)]
        debug: bool,
    },
    /// Builds the standalone program, sideman-live, into target/bundled/
    Standalone {
        /// Quickly built and with checks, rather than fast
        #[arg(long)]
        debug: bool,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Test { args } => test::run(&args, false).map(|_| ()),
        Task::Soak { args } => test::run(&args, true).map(|_| ()),
        Task::Ci => ci(),
        Task::Tidy => tidy::run(),
        Task::Bundle { debug } => bundle::bundle(debug),
        Task::Install { debug } => bundle::install(debug),
        Task::Standalone { debug } => bundle::standalone(debug).map(|_| ()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn ci() -> Result<()> {
    step("fmt", cargo(&["fmt", "--all", "--check"]), "run: cargo fmt --all")?;
    // The features of the tests, so that the three build each dependency once as metadata and once as code.
    let features = test::features();
    let mut clippy = cargo(&["clippy", "--workspace", "--all-targets", "--quiet"]);
    clippy.args(&features).args(["--", "-D", "warnings"]);
    step("clippy", clippy, "repair what it names")?;
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--quiet"]);
    doc.args(&features).env("RUSTDOCFLAGS", "-D warnings");
    step("doc", doc, "repair what it names")?;
    println!("ci: tidy");
    tidy::run()?;
    println!("ci: test");
    let counts = test::run(&[], false)?;
    println!("ci: fmt, clippy, doc and tidy are clean; {counts}");
    Ok(())
}

fn step(name: &str, mut command: Command, advice: &str) -> Result<()> {
    println!("ci: {name}");
    let status =
        command.status().with_context(|| format!("cannot run {name}: is the component installed?"))?;
    if !status.success() {
        bail!("{name} failed: {advice}");
    }
    Ok(())
}

/// A cargo command in the root of the repository.
fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(args);
    command
}

/// Root of the repository.
fn root() -> PathBuf {
    // As cargo says now, not as it was when this was built: a checkout may have moved.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).parent().map(Path::to_path_buf).unwrap_or_default()
}
