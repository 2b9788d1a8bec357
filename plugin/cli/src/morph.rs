//! From one piece of music to another.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use sideman_draw::PianoRoll;
use sideman_inference::papers::p2::Morph;
use sideman_music::encoding::piano_roll::{FiveRolls, RollTrack, WINDOW_PULSES};
use sideman_music::smf::{MidiFile, write};
use sideman_music::{Note, Part, Score, TempoMap, Track};

use crate::args::{MorphArgs, is_dash};
use crate::output::Outputs;
use crate::render::read_input;
use crate::windows::{PROGRAMS, band};
use crate::{check_stdout, midi_to_stdout, print, wrong_usage};

/// A piece to go from or to.
struct Piece {
    score: Score,
    rolls: FiveRolls,
}

fn read(path: &Path) -> Result<Piece> {
    let bytes = read_input(path)?;
    let file = MidiFile::parse(&bytes).with_context(|| format!("cannot read {}", path.display()))?;
    let rolls = FiveRolls::of_score(file.score());
    ensure!(
        rolls.tracks.iter().any(|t| !t.is_empty()),
        "{} has no notes of drums, piano, guitar, bass or strings: choose another file (`sideman inspect` says what is in it)",
        path.display()
    );
    Ok(Piece { score: file.into_score(), rolls })
}

impl Piece {
    /// Quarter notes a minute where its music begins.
    fn bpm(&self) -> f64 {
        let first = self.score.tracks.iter().flat_map(|t| &t.notes).map(|n| n.onset).min().unwrap_or(0);
        self.score.tempos.bpm_at(first).clamp(10.0, 500.0)
    }
}

/// Runs `sideman morph`.
pub(crate) fn morph(args: &MorphArgs) -> Result<()> {
    let to_stdout = check_stdout("morph", Some(&args.output), &[args.png.as_deref()], &args.talk);
    if is_dash(&args.to) {
        wrong_usage("morph", "only the first file can come from standard input: name a file for the other");
    }
    let began = Instant::now();
    let (from, to) = (read(&args.from)?, read(&args.to)?);
    let how = Morph {
        steps: usize::from(args.steps),
        seed: args.seed,
        temperature: args.temperature,
        threshold: args.threshold,
    };
    let tracks = band()?.morph(&from.rolls, &to.rolls, &how);
    let tempos = tempos(&from, &to, how.steps);
    let score = Score { tempos, meters: Default::default(), markers: vec![], tracks: written(&tracks) };
    let midi = write(&score);
    let mut outputs = Outputs::default();
    if !to_stdout {
        outputs.write(&args.output, |w| Ok(std::io::Write::write_all(w, &midi)?))?;
    }
    if let Some(path) = &args.png {
        let part = |p: Part| tracks[RollTrack::of_part(p).index()].as_slice();
        let picture = PianoRoll {
            title: "From one piece to another",
            piano: &tracks[RollTrack::Piano.index()],
            added: &[],
            parts: Part::ALL.map(part),
            meters: &score.meters,
            markers: &score.markers,
        };
        outputs.write(path, |w| Ok(picture.draw().write_png(w)?))?;
    }
    outputs.commit()?;
    if to_stdout {
        return midi_to_stdout(&midi);
    }
    if args.talk.quiet {
        return Ok(());
    }
    let (steps, seconds) = (how.steps, began.elapsed().as_secs_f64());
    let counts: serde_json::Map<String, serde_json::Value> =
        RollTrack::ALL.iter().map(|t| (t.name().to_owned(), json!(tracks[t.index()].len()))).collect();
    if args.talk.json {
        let summary = json!({ "steps": steps, "seed": args.seed, "notes": counts, "output": args.output });
        return print(&serde_json::to_string_pretty(&summary)?);
    }
    print(&format!(
        "Wrote {}: from {} to {} in {steps} windows, in {seconds:.2} s.",
        args.output.display(),
        args.from.display(),
        args.to.display()
    ))
}

/// The tempo goes from the one to the other, too.
fn tempos(from: &Piece, to: &Piece, steps: usize) -> TempoMap {
    let (a, b) = (from.bpm(), to.bpm());
    let change = |step: usize| {
        let share = step as f64 / (steps.max(2) - 1) as f64;
        (step as i64 * WINDOW_PULSES, (60e6 / (a + (b - a) * share)).round() as u32)
    };
    TempoMap::new(&(0..steps).map(change).collect::<Vec<_>>())
}

/// Tracks as they are written: those that have notes.
fn written(tracks: &[Vec<Note>; 5]) -> Vec<Track> {
    let of = |t: RollTrack| {
        let (name, channel, program) = match t.part() {
            Some(p) => (p.name(), p.channel(), PROGRAMS[p.index()]),
            None => ("Piano", 0, 0),
        };
        let notes = tracks[t.index()].clone();
        Track {
            name: name.to_owned(),
            channel,
            program,
            is_drums: t == RollTrack::Drums,
            notes,
            ..Track::default()
        }
    };
    RollTrack::ALL.into_iter().map(of).filter(|t| !t.notes.is_empty()).collect()
}
