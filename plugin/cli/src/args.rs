//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use sideman_engine::controls::{Control, Kind};
use sideman_engine::{Controls, Style, StyleChoice, WeightsChoice};
use sideman_music::Part;
use sideman_music::smf::PianoChoice;

/// Plays drums, bass, guitar and strings along with a piano.
///
/// Sideman listens to the piano step by step, never ahead, and decides every 16th what the band plays.
#[derive(Debug, Parser)]
#[command(
    name = "sideman",
    version,
    arg_required_else_help = true,
    after_help = "Examples:
  sideman demo                              hear it: writes demo.mid, demo.wav and demo.png
  sideman render piano.mid -o band.mid      your piano with a band
  sideman classify song.mp3 piano.mid       what genre is it?
  sideman continue piano.mid -o more.mid    go on from where your piano stops
  sideman morph a.mid b.mid -o ab.mid       from one piece to another
  sideman inspect piano.mid                 what is in a file

Exit codes: 0 done, 1 failed (the reason is on standard error), 2 wrong usage."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Plays the built-in piano piece with the band and writes demo.mid, demo.wav and demo.png
    #[command(after_help = "Examples:
  sideman demo
  sideman demo --out listen --style bossa --seed 7")]
    Demo(DemoArgs),
    /// Adds a band to the piano of a MIDI file
    #[command(
        after_help = "The output keeps the file's tempos, metres, markers and the piano's own events, but system-exclusive ones;
other tracks are left out. Its tracks are Piano, Drums, Bass, Guitar and Strings on channels 1, 10, 2, 3
and 4. Equal files, options and seeds give equal bytes. Outputs take their places only when all of them
are complete.

Examples:
  sideman render piano.mid -o band.mid
  sideman render piano.mid -o band.mid --style jazz-swing --swing 0.7 --parts drums,bass
  sideman render song.mid -o band.mid --piano-track 2 --stems stems --png band.png
  sideman render piano.mid --wav band.wav --soundfont gm.sf2
  cat piano.mid | sideman render - -o - > band.mid
  sideman render piano.mid -o band.mid --json | jq .parts.bass.notes"
    )]
    Render(RenderArgs),
    /// Says what genre music is: MIDI files, sound files, folders of them
    #[command(
        after_help = "MIDI files in which only keyboards play are listened to as a piano, others as a band, and sound files (WAV,
FLAC, MP3, Ogg Vorbis, AAC, ALAC; any sample rate) as sound; what a file is says its content. Each way of listening
has genres of its own. The answer is 'unsure' where none is likely enough, or there is too little to hear.

Several files give a line each, and with --json a list. Files that cannot be read are named, the others are
done, and the exit code is 1.

Examples:
  sideman classify song.mp3
  sideman classify piano.mid --json | jq .genre
  sideman classify song.flac --png song.png
  sideman classify Music --csv genres.csv"
    )]
    Classify(ClassifyArgs),
    /// Goes on from where the piano of a MIDI file stops
    #[command(
        after_help = "What is added begins after the last note or chord of the piano, in its tempo and metre, as a track of its own
beside the piano, which stays as it is. The piano should have been played to the bars of its file. Equal files, options
and seeds give equal bytes.

Examples:
  sideman continue piano.mid -o more.mid
  sideman continue piano.mid -o more.mid --notes 80 --seed 7 --png more.png
  sideman continue song.mid -o - --piano-track 2 | sideman render - -o band.mid"
    )]
    Continue(ContinueArgs),
    /// Goes from one piece of music to another, through what lies between them
    #[command(
        after_help = "Both pieces become rolls of drums, piano, guitar, bass and strings, in windows of five beats and a third. Each window
of the output mixes what an autoencoder makes of the same window of both, at first all of the one, at last all of
the other; a piece that is too short is taken over again. Equal files, options and seeds give equal bytes.

Examples:
  sideman morph a.mid b.mid -o ab.mid
  sideman morph verse.mid chorus.mid -o between.mid --steps 8 --png between.png
  sideman morph a.mid b.mid -o ab.mid --threshold 0.2 --temperature 1 --seed 7"
    )]
    Morph(MorphArgs),
    /// Says what a MIDI file or a weights file holds
    #[command(after_help = "Examples:
  sideman inspect piano.mid
  sideman inspect models/weights/NAME.gguf
  sideman inspect piano.mid --json | jq .tempo.median")]
    Inspect(InspectArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Folder to write to; it is created if need be
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) band: BandArgs,
    #[command(flatten)]
    pub(crate) sound: SoundArgs,
    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("outputs").args(["output", "wav", "png", "stems"]).required(true).multiple(true)))]
pub(crate) struct RenderArgs {
    /// MIDI file with a piano; - reads standard input
    #[arg(value_name = "PIANO.mid")]
    pub(crate) input: PathBuf,
    /// MIDI file to write: the piano and the band; - writes standard output
    #[arg(short, long, value_name = "OUT.mid")]
    pub(crate) output: Option<PathBuf>,
    /// Sound to write, 16-bit stereo at 44.1 kHz
    #[arg(long, value_name = "FILE.wav")]
    pub(crate) wav: Option<PathBuf>,
    /// Piano-roll picture to write
    #[arg(long, value_name = "FILE.png")]
    pub(crate) png: Option<PathBuf>,
    /// Folder for a MIDI file of the piano and of each part; it is created if need be
    #[arg(long, value_name = "DIR")]
    pub(crate) stems: Option<PathBuf>,
    /// Which track is the piano: its number or name as `sideman inspect` shows them, or auto for all
    /// keyboards
    #[arg(long, value_name = "NAME|NUMBER", default_value = "auto", hide_default_value = true)]
    pub(crate) piano_track: PianoChoice,
    #[command(flatten)]
    pub(crate) band: BandArgs,
    #[command(flatten)]
    pub(crate) sound: SoundArgs,
    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MorphArgs {
    /// MIDI file to begin with; - reads standard input
    #[arg(value_name = "A.mid")]
    pub(crate) from: PathBuf,
    /// MIDI file to end with
    #[arg(value_name = "B.mid")]
    pub(crate) to: PathBuf,
    /// MIDI file to write; - writes standard output
    #[arg(short, long, value_name = "OUT.mid")]
    pub(crate) output: PathBuf,
    /// Windows from the one to the other, 2 to 512; each is five beats and a third long
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(2..=512))]
    pub(crate) steps: u16,
    /// Piano-roll picture to write
    #[arg(long, value_name = "FILE.png")]
    pub(crate) png: Option<PathBuf>,
    /// How sure of a note it has to be, 0.01 to 1; each part has its own unless given
    #[arg(long, value_name = "X", value_parser = threshold)]
    pub(crate) threshold: Option<f32>,
    /// How far from the straight way it may stray, 0 to 2
    #[arg(long, value_name = "X", default_value_t = 0.0, value_parser = within::<0, 20>)]
    pub(crate) temperature: f32,
    /// Number from which everything drawn by chance follows
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ClassifyArgs {
    /// MIDI files, sound files, or folders, which are searched for both; - reads a MIDI file from standard input
    #[arg(value_name = "FILE|DIR", required = true)]
    pub(crate) inputs: Vec<PathBuf>,
    /// How to listen to MIDI files, whatever plays in them: to all parts, or to the keyboards alone
    #[arg(long, value_enum, value_name = "HOW")]
    pub(crate) listen: Option<ListenTo>,
    /// Picture of the genres over time: a file for one input, a folder for several
    #[arg(long, value_name = "FILE.png|DIR")]
    pub(crate) png: Option<PathBuf>,
    /// Table of all files
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) csv: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ContinueArgs {
    /// MIDI file with a piano; - reads standard input
    #[arg(value_name = "PIANO.mid")]
    pub(crate) input: PathBuf,
    /// MIDI file to write: the piano and what was added; - writes standard output
    #[arg(short, long, value_name = "OUT.mid")]
    pub(crate) output: PathBuf,
    /// Notes and chords to add
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) notes: u32,
    /// How daring it is, 0.1 to 2
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = within::<1, 20>)]
    pub(crate) temperature: f32,
    /// Number from which everything drawn by chance follows
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Piano-roll picture to write
    #[arg(long, value_name = "FILE.png")]
    pub(crate) png: Option<PathBuf>,
    /// Which track is the piano: its number or name as `sideman inspect` shows them, or auto for all
    /// keyboards
    #[arg(long, value_name = "NAME|NUMBER", default_value = "auto", hide_default_value = true)]
    pub(crate) piano_track: PianoChoice,
    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

/// What of a MIDI file is listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListenTo {
    /// All parts
    Band,
    /// The keyboards alone
    Piano,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// MIDI file or weights file; - reads standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Print JSON for scripts
    #[arg(long)]
    pub(crate) json: bool,
}

/// Who plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// The trained network
    Neural,
    /// The rule band: chords of the last half-bar and a pattern per style
    Rules,
    /// P2's VAE-RNN: tells the band's next window from the piano's, five beats and a third at a time; takes --parts,
    /// --seed and --temperature
    VaeRnn,
}

/// What the band plays from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Weights {
    /// A built-in set, or the rules.
    Named(WeightsChoice),
    /// A file.
    File(PathBuf),
}

/// Reads the name of a set, or else the path of a file.
fn weights(text: &str) -> Result<Weights, std::convert::Infallible> {
    let named = WeightsChoice::ALL.into_iter().find(|w| w.name() == text);
    Ok(named.map_or_else(|| Weights::File(text.into()), Weights::Named))
}

/// Bands of a style.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub(crate) enum Variation {
    A,
    B,
    C,
    D,
}

/// How the band plays.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Band")]
pub(crate) struct BandArgs {
    /// Style, or auto to choose one for the music
    #[arg(long, display_order = 0, value_name = "NAME|auto", default_value = "auto", long_help = style_help())]
    pub(crate) style: StyleChoice,
    /// Keep the style that auto chose at the beginning, whatever the genre of the piano
    #[arg(long, display_order = 10)]
    pub(crate) no_follow: bool,
    /// Style to go towards; how far says --morph
    #[arg(long, display_order = 20, value_name = "NAME", value_parser = str::parse::<Style>, requires = "morph")]
    pub(crate) morph_to: Option<Style>,
    /// Number from which everything drawn by chance follows
    #[arg(long, display_order = 40, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Parts that play
    #[arg(
        long,
        display_order = 50,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "drums,bass,guitar,strings"
    )]
    pub(crate) parts: Vec<Part>,
    /// How much a part plays, 0 to 1, as in drums=0.8; 0.5 unless given
    #[arg(long, display_order = 90, value_name = "PART=X,...", value_delimiter = ',', value_parser = density)]
    pub(crate) density: Vec<(Part, f32)>,
    /// MIDI file that a part keeps to, as in drums=beat.mid: its first bars, four at most. Drums play it as it is,
    /// the others on your harmony
    #[arg(long, display_order = 100, value_name = "PART=FILE.mid", value_parser = pattern)]
    pub(crate) pattern: Vec<(Part, PathBuf)>,
    /// Which of a part's figures to play, from 0, as in bass=2: another one of the same band
    #[arg(long, display_order = 110, value_name = "PART=N,...", value_delimiter = ',', value_parser = redraw)]
    pub(crate) redraw: Vec<(Part, u32)>,
    /// Another band of the style
    #[arg(long, display_order = 140, value_enum, ignore_case = true, default_value_t = Variation::A)]
    pub(crate) variation: Variation,
    /// Who plays; rules is the same as --weights rules
    #[arg(long, display_order = 180, value_enum)]
    pub(crate) engine: Option<Engine>,
    /// What the band plays from: full, open (learned from openly licensed music alone), rules (no weights),
    /// or a weights file [default: full]
    #[arg(long, display_order = 190, value_name = "full|open|rules|FILE.gguf", value_parser = weights)]
    pub(crate) weights: Option<Weights>,
    #[command(flatten)]
    pub(crate) dials: Dials,
}

/// Options of the controls that have one, by the table of controls.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dials(Vec<(Control, f32)>);

impl Dials {
    /// The controls with an option, and its name.
    fn options() -> impl Iterator<Item = (Control, &'static str, (u8, &'static str))> {
        Control::all().filter_map(|c| Some((c, c.row().id, c.row().option?)))
    }
}

impl Args for Dials {
    fn augment_args(mut cmd: clap::Command) -> clap::Command {
        for (control, id, (position, help)) in Self::options() {
            let (min, max, default) = control.row().range();
            let whole = matches!(control.row().kind, Kind::Integer { .. });
            let default: &'static str = default.to_string().leak();
            let mut arg = clap::Arg::new(id)
                .long(id)
                .value_name(if whole { "N" } else { "X" })
                .default_value(default)
                .display_order(usize::from(position))
                .allow_negative_numbers(min < 0.0)
                .value_parser(move |text: &str| number(text, min, max, whole))
                .help(help);
            if control == Control::Morph {
                arg = arg.hide_default_value(true).requires("morph_to");
            }
            cmd = cmd.arg(arg);
        }
        cmd
    }

    fn augment_args_for_update(cmd: clap::Command) -> clap::Command {
        Self::augment_args(cmd)
    }
}

impl clap::FromArgMatches for Dials {
    fn from_arg_matches(matches: &clap::ArgMatches) -> Result<Self, clap::Error> {
        let value = |(control, id, _)| Some((control, *matches.get_one::<f32>(id)?));
        Ok(Self(Self::options().filter_map(value).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &clap::ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl BandArgs {
    /// The options as controls.
    pub(crate) fn controls(&self) -> Controls {
        let mut controls = Controls {
            weights: match (&self.weights, self.engine) {
                (_, Some(Engine::Rules)) => WeightsChoice::Rules,
                (Some(Weights::Named(choice)), _) => *choice,
                _ => WeightsChoice::Full,
            },
            style: self.style,
            follow_genre: !self.no_follow,
            to: self.morph_to,
            variation: self.variation as u8,
            seed: self.seed,
            ..Controls::default()
        }
        .with_parts(Part::ALL.map(|p| self.parts.contains(&p)));
        for &(control, value) in &self.dials.0 {
            controls.set(control, value);
        }
        for &(part, density) in &self.density {
            controls.parts[part.index()].density = density;
        }
        for &(part, redraws) in &self.redraw {
            controls.parts[part.index()].redraws = redraws;
        }
        controls
    }

    /// The first option given that a band without styles and dials has no use for.
    pub(crate) fn beyond_windows(&self) -> Option<String> {
        let given = [
            ("--style", self.style != StyleChoice::Auto),
            ("--no-follow", self.no_follow),
            ("--morph-to", self.morph_to.is_some()),
            ("--density", !self.density.is_empty()),
            ("--pattern", !self.pattern.is_empty()),
            ("--redraw", !self.redraw.is_empty()),
            ("--variation", self.variation != Variation::A),
            ("--weights", self.weights.is_some()),
        ];
        let turned = |&&(control, value): &&(Control, f32)| {
            control != Control::Temperature && value != control.row().range().2
        };
        let dial = self.dials.0.iter().find(turned).map(|(control, _)| format!("--{}", control.row().id));
        given.into_iter().find(|g| g.1).map(|g| g.0.to_owned()).or(dial)
    }
}

/// What the sound is made with.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sound")]
pub(crate) struct SoundArgs {
    /// SoundFont 2 (.sf2) to make the WAV with; without it a small built-in synthesiser plays
    #[arg(long, value_name = "FILE.sf2")]
    pub(crate) soundfont: Option<PathBuf>,
}

/// What is said about it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Messages")]
pub(crate) struct TalkArgs {
    /// Print a summary as JSON to standard output; everything else goes to standard error
    #[arg(long)]
    pub(crate) json: bool,
    /// Print nothing but errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

fn style_help() -> String {
    let names: Vec<&str> = StyleChoice::all().map(StyleChoice::name).collect();
    format!("Style, or auto to choose one for the music: {}", names.join(", "))
}

/// Reads a number within bounds that are given in tenths.
fn within<const LOW: i32, const HIGH: i32>(text: &str) -> Result<f32, String> {
    number(text, LOW as f32 / 10.0, HIGH as f32 / 10.0, false)
}

/// Reads a number in a range, and whether it is to be whole.
fn number(text: &str, min: f32, max: f32, whole: bool) -> Result<f32, String> {
    match text.trim().parse::<f32>() {
        Ok(x) if (min..=max).contains(&x) && (!whole || x.fract() == 0.0) => Ok(x),
        _ => Err(format!("give a {}number from {min} to {max}", if whole { "whole " } else { "" })),
    }
}

/// Reads a threshold.
fn threshold(text: &str) -> Result<f32, String> {
    match text.trim().parse::<f32>() {
        Ok(x) if (0.01..=1.0).contains(&x) => Ok(x),
        _ => Err("give a number from 0.01 to 1".to_owned()),
    }
}

/// Reads a part and how much it plays.
fn density(text: &str) -> Result<(Part, f32), String> {
    let (part, value) = text.split_once('=').ok_or("give a part and a number, as in drums=0.8")?;
    let part = part.parse::<Part>()?;
    Ok((part, within::<0, 10>(value)?))
}

/// Reads a part and a file.
fn pattern(text: &str) -> Result<(Part, PathBuf), String> {
    let (part, file) = text.split_once('=').ok_or("give a part and a MIDI file, as in drums=beat.mid")?;
    Ok((part.parse::<Part>()?, file.into()))
}

/// Reads a part and a number.
fn redraw(text: &str) -> Result<(Part, u32), String> {
    let wanted = "give a part and a whole number from 0, as in bass=2";
    let (part, number) = text.split_once('=').ok_or(wanted)?;
    Ok((part.parse::<Part>()?, number.trim().parse().map_err(|_| wanted)?))
}

/// Standard input or output.
pub(crate) fn is_dash(path: &std::path::Path) -> bool {
    path.as_os_str() == "-"
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_argument_has_a_help_text() {
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some());
            assert!(command.get_after_help().is_some_and(|h| h.to_string().contains("Examples")));
            for arg in command.get_arguments() {
                assert!(arg.get_help().is_some(), "{} {}", command.get_name(), arg.get_id());
            }
        }
    }

    #[test]
    fn numbers_out_of_range_are_wrong_usage() {
        assert_eq!(within::<1, 20>("0.1"), Ok(0.1));
        assert_eq!(within::<1, 20>("2"), Ok(2.0));
        for wrong in ["0.09", "2.1", "NaN", "inf", "", "x"] {
            assert_eq!(within::<1, 20>(wrong).unwrap_err(), "give a number from 0.1 to 2", "{wrong}");
        }
        assert_eq!(density("bass=0.25"), Ok((Part::Bass, 0.25)));
        assert_eq!(density("bass=1.5").unwrap_err(), "give a number from 0 to 1");
        assert_eq!(density("bass").unwrap_err(), "give a part and a number, as in drums=0.8");
        assert!(density("flute=0.5").is_err());
    }

    #[test]
    fn options_become_controls() {
        let parse = |text: &str| match Cli::try_parse_from(text.split(' ')).unwrap().command {
            Command::Demo(args) => args.band.controls(),
            other => panic!("{other:?}"),
        };
        assert_eq!(parse("sideman demo --seed 0"), Controls::default());
        let c = parse("sideman demo --seed 0 --variation c --complexity 0.9 --density drums=0,strings=1");
        assert_eq!((c.variation, c.complexity), (2, 0.9));
        assert_eq!(c.parts.map(|p| p.density), [0.0, 0.5, 0.5, 1.0]);
        let c = parse("sideman demo --style bossa --morph-to funk --morph 0.25 --sections 0 --dynamics 1");
        assert_eq!((c.to, c.morph, c.sections, c.dynamics), (Some(Style::Funk), 0.25, 0.0, 1.0));
        let c = parse("sideman demo --redraw bass=2,drums=1 --weights open");
        assert_eq!((c.parts.map(|p| p.redraws), c.weights), ([1, 2, 0, 0], WeightsChoice::Open));
        assert_eq!(parse("sideman demo --engine rules").weights, WeightsChoice::Rules);
        assert_eq!(parse("sideman demo --weights rules").weights, WeightsChoice::Rules);
    }
}
