//! Sideman without a host: a window, or none, and the system's audio and MIDI.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use sideman_engine::live::Shared;
use sideman_plugin::params::SidemanParams;
use sideman_plugin::presets::{Own, built_in};
use sideman_plugin::startup::{Startup, save, settings};

/// Samples a period unless the user says otherwise: 2.7 ms at 48 kHz. Without JACK every note of a period counts
/// from its start, so a long one would be heard.
const PERIOD: &str = "128";

const HELP: &str = "\
Sideman live: play the piano, and drums, bass, guitar and strings play along.

Usage: sideman-live [OPTIONS]

Connect a MIDI keyboard before you start; the first one found is used. The band keeps its own time at
the tempo set (or tapped, or counted in), and follows JACK's transport while that runs with bars and beats.
Notes come out at a MIDI port as well, each part on its channel: piano 1, bass 2, guitar 3, strings 4,
drums 10. Without a screen it runs in the terminal; Ctrl+C ends it.

  --set NAME=VALUE     sets something, such as --set style=bossa --set tempo=96 (again for each)
  --settings           lists all that can be set
  --preset NAME        starts with a preset, built in or your own
  --presets            lists the presets
  --soundfont FILE     sounds through a soundfont (.sf2)
  --state FILE         starts as it was left and leaves everything there at the end: settings, soundfont,
                       what keys and pedals were taught

What follows concerns audio and MIDI.
";

/// Settings of our own, and arguments for the framework.
#[derive(Debug, Default, PartialEq)]
struct Arguments {
    startup: Startup,
    state: Option<PathBuf>,
    rest: Vec<String>,
    help: bool,
}

fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Arguments, String> {
    let mut parsed = Arguments::default();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let (name, mut value) = match argument.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
            _ => (argument.clone(), None),
        };
        let mut take = || {
            value
                .take()
                .or_else(|| arguments.next())
                .ok_or_else(|| format!("{name} needs a value: see --help"))
        };
        match name.as_str() {
            "--set" => {
                let said = take()?;
                let (id, value) = said
                    .split_once('=')
                    .ok_or_else(|| format!("--set wants NAME=VALUE, such as style=bossa, not '{said}'"))?;
                parsed.startup.set.push((id.trim().to_owned(), value.trim().to_owned()));
            }
            "--preset" => {
                let name = take()?;
                let own = Own::of_user().ok().and_then(|own| own.load(&name).ok());
                let found =
                    own.or_else(|| built_in().into_iter().find(|p| p.name.eq_ignore_ascii_case(&name)));
                parsed.startup.preset =
                    Some(found.ok_or_else(|| format!("there is no preset '{name}': --presets lists them"))?);
            }
            "--soundfont" => parsed.startup.soundfont = Some(PathBuf::from(take()?)),
            "--state" => parsed.state = Some(PathBuf::from(take()?)),
            "--help" | "-h" => parsed.help = true,
            _ => parsed.rest.push(argument),
        }
    }
    Ok(parsed)
}

/// The value of one of the framework's arguments.
fn value<'a>(arguments: &'a [String], names: &[&str]) -> Option<&'a str> {
    arguments.iter().enumerate().find_map(|(i, argument)| {
        names.iter().find_map(|name| match argument.strip_prefix(name) {
            Some("") => arguments.get(i + 1).map(String::as_str),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        })
    })
}

/// What JACK runs at, and a keyboard's port, if there is a server.
struct Jack {
    rate: u32,
    period: u32,
    keyboard: Option<String>,
}

fn ask_jack() -> Option<Jack> {
    // No server is no error worth a long message.
    jack::set_logger(jack::LoggerType::None);
    let (client, _) = jack::Client::new("sideman-asks", jack::ClientOptions::NO_START_SERVER).ok()?;
    let wanted = jack::PortFlags::IS_OUTPUT | jack::PortFlags::IS_PHYSICAL;
    let ports = client.ports(None, Some("8 bit raw midi"), wanted);
    let keyboard = ports.into_iter().find(|name| !is_loop(name));
    Some(Jack { rate: client.sample_rate(), period: client.buffer_size(), keyboard })
}

/// The first MIDI input of the system, without JACK.
fn first_keyboard() -> Option<String> {
    let midi = midir::MidiInput::new("sideman-asks").ok()?;
    midi.ports().iter().filter_map(|port| midi.port_name(port).ok()).find(|name| !is_loop(name))
}

/// Whether a port only gives back what others send.
fn is_loop(name: &str) -> bool {
    let name = name.to_lowercase();
    name.contains("midi through") || name.contains("midi-through") || name.contains("sideman")
}

/// Adds what the user left open.
fn complete(mut arguments: Vec<String>) -> Vec<String> {
    let backend = value(&arguments, &["--backend", "-b"]).unwrap_or("auto").to_owned();
    let jack = if matches!(backend.as_str(), "auto" | "jack") { ask_jack() } else { None };
    let given = |arguments: &[String], names: &[&str]| value(arguments, names).is_some();
    let mut add = |names: &[&str], value: String| {
        if !given(&arguments, names) {
            arguments.extend([names[0].to_owned(), value]);
        }
    };
    match jack {
        Some(jack) => {
            // The framework tells the plugin what the command line says, not what JACK does.
            add(&["--sample-rate", "-r"], jack.rate.to_string());
            add(&["--period-size", "-p"], jack.period.to_string());
            if let Some(port) = jack.keyboard {
                eprintln!("Listening to {port}.");
                add(&["--connect-jack-midi-input"], port);
            }
        }
        None => {
            add(&["--period-size", "-p"], PERIOD.to_owned());
            if backend != "dummy" && backend != "jack" {
                match first_keyboard() {
                    Some(port) => {
                        eprintln!("Listening to {port}, unless --midi-input says otherwise.");
                        add(&["--midi-input"], port);
                    }
                    None => eprintln!("No MIDI keyboard was found: connect one, then start again."),
                }
            }
        }
    }
    arguments
}

fn main() -> ExitCode {
    let parsed = match parse(std::env::args().skip(1)) {
        Ok(parsed) => parsed,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let params = SidemanParams::new(Arc::new(Shared::default()));
    if let Err(error) = parsed.startup.check(&params) {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    let has = |name: &str| parsed.rest.iter().any(|a| a == name);
    if has("--settings") {
        print!("{}", settings(&params));
        return ExitCode::SUCCESS;
    }
    if has("--presets") {
        let own = Own::of_user().map(|own| own.list().0).unwrap_or_default();
        for preset in built_in().into_iter().chain(own) {
            println!("  {:<12} {}", preset.style, preset.name);
        }
        return ExitCode::SUCCESS;
    }
    let program = "sideman-live".to_owned();
    if parsed.help {
        print!("{HELP}");
        sideman_plugin::run_standalone(vec![program, "--help".to_owned()]);
        return ExitCode::SUCCESS;
    }
    let mut startup = parsed.startup;
    if let Some(path) = &parsed.state {
        match std::fs::read(path) {
            Ok(bytes) => startup.state = Some(bytes),
            // The first time.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => {
                eprintln!("error: {}: {e}", path.display());
                return ExitCode::FAILURE;
            }
        }
    }
    startup.install();
    let arguments = complete(parsed.rest);
    let mut ran = sideman_plugin::run_standalone(std::iter::once(program).chain(arguments).collect());
    if let Some(path) = &parsed.state
        && let Err(e) = save(path)
    {
        eprintln!("error: {}: {e}", path.display());
        ran = false;
    }
    if ran { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn own_arguments_are_taken_out_and_the_rest_is_passed_on() {
        let parsed =
            parse(words("--set style=bossa -b alsa --set=tempo=96 --soundfont a.sf2 -p 64")).unwrap();
        let set: Vec<(&str, &str)> =
            parsed.startup.set.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(set, [("style", "bossa"), ("tempo", "96")]);
        assert_eq!(parsed.startup.soundfont, Some(PathBuf::from("a.sf2")));
        assert_eq!(parsed.rest, words("-b alsa -p 64"));
        assert!(parse(words("--set")).unwrap_err().contains("needs a value"));
        assert!(parse(words("--set tempo")).unwrap_err().contains("NAME=VALUE"));
        assert!(parse(words("--preset nowhere")).unwrap_err().contains("nowhere"));
        assert_eq!(parse(words("--preset campfire")).unwrap().startup.preset.unwrap().style, "folk");
    }

    #[test]
    fn arguments_of_the_framework_are_found_in_both_spellings() {
        let arguments = words("-b dummy --sample-rate=96000");
        assert_eq!(value(&arguments, &["--backend", "-b"]), Some("dummy"));
        assert_eq!(value(&arguments, &["--sample-rate", "-r"]), Some("96000"));
        assert_eq!(value(&arguments, &["--period-size", "-p"]), None);
        let full = complete(arguments);
        assert_eq!(value(&full, &["--period-size", "-p"]), Some(PERIOD));
        assert_eq!(full.iter().filter(|a| a.contains("sample-rate")).count(), 1);
    }
}
