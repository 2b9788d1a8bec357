//! The `sideman` command: a band for a piano.

mod args;
mod audio;
mod band;
mod classify;
mod continuing;
mod demo;
mod inspect;
mod morph;
mod output;
mod player;
mod progress;
mod render;
mod report;
mod windows;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use sideman_engine::{Style, StyleChoice, WeightsChoice};
use sideman_music::smf::PianoChoice;

use args::{BandArgs, Cli, Command, DemoArgs, Engine, RenderArgs, TalkArgs, Weights, is_dash};
use render::{Folders, Task, Wanted, perform, read_input};
use report::Report;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to be done where standard error is closed, too.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result<()> {
    match command {
        Command::Demo(args) => demo(args),
        Command::Render(args) => render(args),
        Command::Classify(args) => classify::classify(args),
        Command::Continue(args) => continuing::run(args),
        Command::Morph(args) => morph::morph(args),
        Command::Inspect(args) => print(&inspect::inspect(args)?),
    }
}

fn demo(args: &DemoArgs) -> Result<()> {
    check_band("demo", &args.band);
    let windows = args.band.engine == Some(Engine::VaeRnn);
    // The piece was arranged with this style in mind; any other can be asked for by name.
    let mut band = args.band.clone();
    if band.style == StyleChoice::Auto && !windows {
        band.style = StyleChoice::Fixed(Style::PopRock);
    }
    let bytes = sideman_music::smf::write(&demo::piece()?);
    let mut folders = Folders::default();
    folders.create(&args.out)?;
    // "./demo.mid" would only be harder to read.
    let place = |name: &str| if args.out == Path::new(".") { name.into() } else { args.out.join(name) };
    let (midi, wav, png) = (place("demo.mid"), place("demo.wav"), place("demo.png"));
    let report = perform(&Task {
        name: demo::TITLE,
        bytes: &bytes,
        piano: &PianoChoice::Auto,
        band: &band,
        talk: &args.talk,
        wanted: Wanted {
            midi: Some(&midi),
            wav: Some(&wav),
            png: Some(&png),
            stems: None,
            soundfont: args.sound.soundfont.as_deref(),
        },
    })?;
    folders.keep();
    tell(&report, &args.talk, false)
}

fn render(args: &RenderArgs) -> Result<()> {
    check_band("render", &args.band);
    let others = [args.wav.as_deref(), args.png.as_deref(), args.stems.as_deref()];
    let to_stdout = check_stdout("render", args.output.as_deref(), &others, &args.talk);
    if args.sound.soundfont.is_some() && args.wav.is_none() {
        wrong_usage("render", "--soundfont is for --wav: add --wav FILE.wav");
    }
    let bytes = read_input(&args.input)?;
    let name = input_name(&args.input);
    let report = perform(&Task {
        name: &name,
        bytes: &bytes,
        piano: &args.piano_track,
        band: &args.band,
        talk: &args.talk,
        wanted: Wanted {
            midi: args.output.as_deref(),
            wav: args.wav.as_deref(),
            png: args.png.as_deref(),
            stems: args.stems.as_deref(),
            soundfont: args.sound.soundfont.as_deref(),
        },
    })?;
    tell(&report, &args.talk, to_stdout)
}

/// Says what was done: warnings to standard error, then the summary and the closing line.
fn tell(report: &Report, talk: &TalkArgs, stdout_taken: bool) -> Result<()> {
    let mut stderr = std::io::stderr();
    if !talk.quiet {
        for warning in &report.warnings {
            writeln!(stderr, "note: {warning}")?;
        }
    }
    if talk.json {
        print(&serde_json::to_string_pretty(&report.json())?)?;
    }
    match (talk.quiet, talk.json || stdout_taken) {
        (true, _) => Ok(()),
        (false, true) => Ok(writeln!(stderr, "{}", report.line())?),
        (false, false) => print(&report.line()),
    }
}

/// Prints to standard output; a closed pipe is an error, not a panic.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()).context("cannot write to standard output")
}

/// Ends the program where standard output is asked for what it cannot take. Returns whether the MIDI file goes there.
pub(crate) fn check_stdout(
    command: &str,
    midi: Option<&Path>,
    others: &[Option<&Path>],
    talk: &TalkArgs,
) -> bool {
    let to_stdout = midi.is_some_and(is_dash);
    if to_stdout && talk.json {
        wrong_usage(command, "--json and -o - both want standard output: write the MIDI file to a file");
    }
    if others.iter().flatten().any(|path| is_dash(path)) {
        wrong_usage(command, "only the MIDI file can go to standard output: name a file for the others");
    }
    if to_stdout && std::io::stdout().is_terminal() {
        wrong_usage(
            command,
            "a MIDI file is not for reading on a terminal: redirect it, as in -o - > band.mid",
        );
    }
    to_stdout
}

/// What to call an input.
pub(crate) fn input_name(path: &Path) -> String {
    if is_dash(path) {
        return "standard input".into();
    }
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Writes a finished MIDI file to standard output.
pub(crate) fn midi_to_stdout(midi: &[u8]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(midi).and_then(|()| out.flush()).context("cannot write to standard output")
}

/// Ends the program where options about the band contradict each other.
fn check_band(command: &str, band: &BandArgs) {
    let rules = Some(Weights::Named(WeightsChoice::Rules));
    match (band.engine, &band.weights) {
        (Some(Engine::Rules), Some(_)) if band.weights != rules => {
            wrong_usage(command, "the rule band has no weights: leave out --weights or --engine rules");
        }
        (Some(Engine::Neural), _) if band.weights == rules => {
            wrong_usage(command, "--engine neural has no rules: leave out --weights or --engine");
        }
        (Some(Engine::VaeRnn), _) => {
            if let Some(option) = band.beyond_windows() {
                let takes = "it takes --parts, --seed and --temperature";
                wrong_usage(command, &format!("--engine vae-rnn has no {option}: leave it out, {takes}"));
            }
        }
        _ => {}
    }
}

/// Ends the program as clap does when it does not understand, with the usage of that command.
pub(crate) fn wrong_usage(command: &str, message: &str) -> ! {
    let mut cli = Cli::command();
    cli.build();
    let command = cli.find_subcommand_mut(command).expect("a command of the command line");
    command.error(ErrorKind::ArgumentConflict, message).exit()
}
