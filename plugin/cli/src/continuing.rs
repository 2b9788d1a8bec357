//! `sideman continue`: a network goes on from where the pianist stopped.

use std::io::Write;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::json;
use sideman_draw::PianoRoll;
use sideman_inference::papers::p5::{Continuing, Draws, StrokeWeights, continued};
use sideman_music::encoding::note_tokens::{Sonority, sonorities};
use sideman_music::smf::MidiFile;
use sideman_music::{MeterMap, Note, Pulse};

use crate::args::ContinueArgs;
use crate::output::Outputs;
use crate::render::read_input;
use crate::{check_stdout, input_name, midi_to_stdout, print};

/// What it plays from, see its card beside it.
const WEIGHTS: &[u8] = include_bytes!("../../../models/weights/p5-next-note.gguf");
/// Notes and chords that it listens to: the last ones (P5, section 3.3).
const HEARD: usize = 100;
/// Fewest that tell it anything of key and pace.
const FEWEST: usize = 8;
/// Name of the track of what is added.
const NAME: &str = "Continued";

/// Whole bars to wait for a last chord that is held for half a bar or more, so that it may ring out: at most two.
fn rest_of_the_last(piano: &[Note], added: &[Note], meters: &MeterMap) -> Pulse {
    let (Some(last), Some(first)) = (piano.last(), added.first()) else { return 0 };
    let bar = meters.position(last.onset).meter.bar_pulses();
    let end = piano.iter().filter(|n| n.onset == last.onset).map(Note::end).max().unwrap_or(0);
    if end - last.onset < bar / 2 || end <= first.onset {
        return 0;
    }
    // The last moment of a chord is seldom exact.
    (end - bar / 8 - first.onset).max(0).div_euclid(bar).min(1) * bar + bar
}

/// Runs the command.
pub(crate) fn run(args: &ContinueArgs) -> Result<()> {
    let began = Instant::now();
    let to_stdout = check_stdout("continue", Some(&args.output), &[args.png.as_deref()], &args.talk);
    let name = input_name(&args.input);
    let bytes = read_input(&args.input)?;
    let file = MidiFile::parse(&bytes).with_context(|| format!("cannot read {name}"))?;
    let pick = file.pick_piano(&args.piano_track).with_context(|| format!("no piano in {name}"))?;
    let piano = file.piano_notes(&args.piano_track)?;
    let mut warnings: Vec<String> = file.warnings().iter().map(ToString::to_string).collect();
    warnings.extend(pick.warning);

    let all = sonorities(pick.tracks.iter().map(|&i| &file.score().tracks[i]));
    if all.len() < FEWEST {
        bail!(
            "the piano of {name} has {} notes and chords, too few to go on from: play {FEWEST} at least, some bars are \
             better",
            all.len()
        );
    }
    let heard = &all[all.len().saturating_sub(HEARD)..];
    let weights = StrokeWeights::load(WEIGHTS).context("the built-in weights")?;
    let wanted = Continuing {
        count: args.notes as usize,
        draws: Draws { temperature: args.temperature, ..Draws::default() },
        seed: args.seed,
    };
    let more = continued(&weights.player, &weights.shapes, heard, &file.score().meters, wanted);
    let mut added: Vec<Note> = more.iter().flat_map(Sonority::notes).collect();
    added.sort_unstable();
    let wait = rest_of_the_last(&piano, &added, &file.score().meters);
    added.iter_mut().for_each(|n| n.onset += wait);
    let midi = file.with_added(&args.piano_track, NAME, &added)?;

    let mut outputs = Outputs::default();
    if !to_stdout {
        outputs.write(&args.output, |w| Ok(w.write_all(&midi)?))?;
    }
    if let Some(path) = &args.png {
        let (meters, markers) = (&file.score().meters, &file.score().markers);
        let picture =
            PianoRoll { title: &name, piano: &piano, added: &added, parts: [&[]; 4], meters, markers };
        outputs.write(path, |w| Ok(picture.draw().write_png(w)?))?;
    }
    outputs.commit()?;
    if to_stdout {
        midi_to_stdout(&midi)?;
    }

    let tempos = &file.score().tempos;
    let (from, to) = (added.first().map_or(0, |n| n.onset), added.iter().map(Note::end).max().unwrap_or(0));
    let seconds = tempos.seconds_at(to) - tempos.seconds_at(from);
    let bar = file.score().meters.position(from).bar + 1;
    let taken = began.elapsed().as_secs_f64();
    if !args.talk.quiet {
        for warning in &warnings {
            writeln!(std::io::stderr(), "note: {warning}")?;
        }
    }
    if args.talk.json {
        print(&serde_json::to_string_pretty(&json!({
            "input": name,
            "heard": heard.len(),
            "added": { "notes_and_chords": more.len(), "notes": added.len(), "from_bar": bar, "seconds": seconds },
            "seed": args.seed,
            "temperature": args.temperature,
            "piano": { "tracks": pick.tracks.iter().map(|i| i + 1).collect::<Vec<_>>(), "notes": piano.len() },
            "files": { "midi": (!to_stdout).then_some(&args.output), "png": args.png },
            "seconds_taken": taken,
            "warnings": warnings,
        }))?)?;
    }
    let line = format!(
        "{}: {} notes and chords added from bar {bar} on, {seconds:.0} s of music, after the last {} of the piano, in \
         {taken:.2} s.",
        if to_stdout { "Wrote standard output".into() } else { format!("Wrote {}", args.output.display()) },
        more.len(),
        heard.len(),
    );
    match (args.talk.quiet, args.talk.json || to_stdout) {
        (true, _) => Ok(()),
        (false, true) => Ok(writeln!(std::io::stderr(), "{line}")?),
        (false, false) => print(&line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_chord_that_is_held_rings_out() {
        let note = |onset, length| Note { onset, pitch: 60, length, velocity: 80 };
        let wait = |length, first| {
            rest_of_the_last(&[note(0, 480), note(1920, length)], &[note(first, 120)], &MeterMap::default())
        };
        assert_eq!(wait(480, 2160), 0, "it goes on after a short note as it likes");
        assert_eq!(wait(1900, 2160), 1920);
        assert_eq!(wait(960, 2880), 0, "it is over already");
        assert_eq!(wait(60_000, 2160), 2 * 1920);
    }
}
