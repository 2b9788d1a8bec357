//! From a MIDI file with a piano to the files with the band.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use sideman_draw::PianoRoll;
use sideman_engine::loaded_band::Music;
use sideman_engine::offline::{Progress as Step, Rendered, StyleChange};
use sideman_engine::{Controls, Performance, Settings};
use sideman_music::smf::{MAX_BYTES, MidiFile, PartTrack, PianoChoice};
use sideman_music::{Note, PARTS, Part};
use sideman_sound::Ensemble;

use crate::args::{BandArgs, Engine, TalkArgs};
use crate::audio::{SAMPLE_RATE, Source, write_wav};
use crate::band::{make_band, patterns};
use crate::output::Outputs;
use crate::player::Player;
use crate::progress::Progress;
use crate::report::{Files, PartReport, Report};
use crate::windows;

/// What is to be made of the music.
#[derive(Debug, Default)]
pub(crate) struct Wanted<'a> {
    /// MIDI file, or `-`.
    pub(crate) midi: Option<&'a Path>,
    pub(crate) wav: Option<&'a Path>,
    pub(crate) png: Option<&'a Path>,
    pub(crate) stems: Option<&'a Path>,
    pub(crate) soundfont: Option<&'a Path>,
}

/// A piano to be accompanied.
pub(crate) struct Task<'a> {
    /// What to call it in the picture and the summary.
    pub(crate) name: &'a str,
    pub(crate) bytes: &'a [u8],
    pub(crate) piano: &'a PianoChoice,
    pub(crate) band: &'a BandArgs,
    pub(crate) talk: &'a TalkArgs,
    pub(crate) wanted: Wanted<'a>,
}

/// Plays the band to a file's piano and writes everything wanted; all files appear at the end, or none.
pub(crate) fn perform(task: &Task<'_>) -> Result<Report> {
    let began = Instant::now();
    let file = MidiFile::parse(task.bytes).with_context(|| format!("cannot read {}", task.name))?;
    let pick = file.pick_piano(task.piano).with_context(|| format!("no piano in {}", task.name))?;
    let piano = file.piano_notes(task.piano)?;
    let mut warnings: Vec<String> = file.warnings().iter().map(ToString::to_string).collect();
    warnings.extend(pick.warning);
    let (kept, given) = (pick.tracks.len(), file.score().tracks.len());
    if kept < given {
        warnings.push(format!(
            "left out {} of {given} tracks, which are not the piano (`sideman inspect` lists all)",
            given - kept
        ));
    }

    let played = match task.band.engine {
        Some(Engine::VaeRnn) => windows::play(task.band, &piano)?,
        _ => play(task, &file, &piano)?,
    };
    let tracks: Vec<PartTrack> = Part::ALL
        .into_iter()
        .filter(|p| task.band.parts.contains(p))
        .map(|p| PartTrack {
            changes: played.changes.iter().map(|c| (c.at, c.programs[p.index()])).collect(),
            ..PartTrack::new(p, played.programs[p.index()], played.parts[p.index()].clone())
        })
        .collect();
    let midi = file.accompany(task.piano, &tracks)?;

    let files = write_all(task, &file, &piano, &tracks, &midi)?;
    let taken = began.elapsed().as_secs_f64();
    let last = played.parts.iter().flatten().map(Note::end).max().unwrap_or(0);
    let end = last.max(piano.iter().map(Note::end).max().unwrap_or(0));
    let tempos = &file.score().tempos;
    Ok(Report {
        input: task.name.to_owned(),
        engine: played.engine,
        style: played.style,
        changes: played.changes,
        seed: task.band.seed,
        seconds: tempos.seconds_at(end),
        bars: if end > 0 { file.score().meters.position(end - 1).bar + 1 } else { 0 },
        piano_tracks: pick.tracks.iter().map(|i| i + 1).collect(),
        piano_notes: piano.len(),
        parts: tracks
            .iter()
            .map(|t| PartReport {
                part: t.part,
                channel: t.part.channel() + 1,
                program: t.program,
                notes: t.notes.len(),
                enters_at_seconds: t.notes.first().map(|n| tempos.seconds_at(n.onset)),
            })
            .collect(),
        files,
        seconds_taken: taken,
        warnings,
    })
}

/// What a band played.
pub(crate) struct Played {
    /// Name of what played.
    pub(crate) engine: String,
    /// Name of the style at the beginning.
    pub(crate) style: String,
    /// General MIDI programs of the parts; of the drums the kit.
    pub(crate) programs: [u8; PARTS],
    /// Where the style followed the genre.
    pub(crate) changes: Vec<StyleChange>,
    /// Notes, in the order of [`Part::ALL`].
    pub(crate) parts: [Vec<Note>; PARTS],
}

/// Plays the band that decides every 16th.
fn play(task: &Task<'_>, file: &MidiFile, piano: &[Note]) -> Result<Played> {
    let first = piano.first().map_or(0, |n| n.onset);
    let music = Music {
        bpm: file.score().tempos.bpm_at(first),
        bar_steps: file.score().meters.position(first).meter.bar_steps(),
    };
    let controls = task.band.controls();
    let loaded = make_band(task.band, &controls, music)?;
    let settings = Settings { patterns: patterns(task.band)?, ..loaded.settings(controls) };
    let (engine, style, programs) = (loaded.name.clone(), loaded.style.clone(), loaded.programs);
    // Weights that lack a style let the band go on as it is.
    let mut another = |controls: &Controls, music| make_band(task.band, controls, music).ok();
    let performance = Performance::new(piano, &file.score().meters, &file.score().tempos, settings)?;
    let rendered = {
        let bar = Progress::new("Playing", 1, task.talk.quiet);
        let mut progress = |p: Step| bar.set(p.done.max(0) as u64, p.total.max(1) as u64);
        performance.render_following(loaded, &mut another, &mut progress)?
    };
    let Rendered { parts, changes, .. } = rendered;
    Ok(Played { engine, style, programs, changes, parts })
}

fn write_all(
    task: &Task<'_>,
    file: &MidiFile,
    piano: &[Note],
    tracks: &[PartTrack],
    midi: &[u8],
) -> Result<Files> {
    let wanted = &task.wanted;
    // Dropped last: folders can only go when no unfinished file lies in them.
    let mut folders = Folders::default();
    let mut outputs = Outputs::default();
    let mut files = Files::default();
    let to_stdout = wanted.midi.is_some_and(crate::args::is_dash);
    if let Some(path) = wanted.midi.filter(|_| !to_stdout) {
        outputs.write(path, |w| Ok(std::io::Write::write_all(w, midi)?))?;
        files.midi = Some(path.to_owned());
    }
    if let Some(dir) = wanted.stems {
        folders.create(dir)?;
        let mut stem = |name: &str, bytes: &[u8]| {
            let path = dir.join(format!("{name}.mid"));
            outputs.write(&path, |w| Ok(std::io::Write::write_all(w, bytes)?))?;
            files.stems.push(path);
            anyhow::Ok(())
        };
        stem("piano", &file.piano_alone(task.piano)?)?;
        for track in tracks {
            stem(&track.part.name().to_lowercase(), &file.part_alone(track))?;
        }
    }
    if let Some(path) = wanted.png {
        let part = |p: Part| tracks.iter().find(|t| t.part == p).map_or(&[][..], |t| &t.notes);
        let picture = PianoRoll {
            title: task.name,
            piano,
            added: &[],
            parts: Part::ALL.map(part),
            meters: &file.score().meters,
            markers: &file.score().markers,
        };
        outputs.write(path, |w| Ok(picture.draw().write_png(w)?))?;
        files.png = Some(path.to_owned());
    }
    if let Some(path) = wanted.wav {
        // The sound is that of the MIDI file, not of what was meant by it.
        let ensemble = match wanted.soundfont {
            Some(font) => Ensemble::soundfont(font, SAMPLE_RATE as f32)
                .with_context(|| format!("cannot use the soundfont {}", font.display()))?,
            None => Ensemble::built_in(SAMPLE_RATE as f32),
        };
        let mut source = Player::new(ensemble, midi)?;
        let total = source.frames();
        let bar = Progress::new("Sound", total, task.talk.quiet);
        outputs.write(path, |w| write_wav(&mut source, w, |done| bar.set(done, total)))?;
        files.wav = Some(path.to_owned());
    }
    outputs.commit()?;
    folders.keep();
    if to_stdout {
        crate::midi_to_stdout(midi)?;
    }
    Ok(files)
}

/// Folders made for this run, which are removed again if it fails.
#[derive(Default)]
pub(crate) struct Folders(Vec<PathBuf>);

impl Folders {
    /// Creates a folder and those above it.
    pub(crate) fn create(&mut self, dir: &Path) -> Result<()> {
        let missing = dir.ancestors().take_while(|d| !d.as_os_str().is_empty() && !d.exists());
        let made: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        std::fs::create_dir_all(dir)
            .with_context(|| format!("cannot create the folder {}", dir.display()))?;
        self.0.extend(made);
        Ok(())
    }

    /// Everything went well.
    pub(crate) fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        // Only empty folders go; whatever someone else put there stays.
        for dir in &self.0 {
            let _ = std::fs::remove_dir(dir);
        }
    }
}

/// Reads a whole file, or standard input for `-`, up to the size that the MIDI reader takes.
pub(crate) fn read_input(path: &Path) -> Result<Vec<u8>> {
    use std::io::Read;
    let limit = MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    if crate::args::is_dash(path) {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes).context("cannot read standard input")?;
        return Ok(bytes);
    }
    let explain = || format!("cannot read {}", path.display());
    if path.is_dir() {
        bail!("{} is a folder: name a file in it", path.display());
    }
    let file = std::fs::File::open(path).with_context(explain)?;
    file.take(limit).read_to_end(&mut bytes).with_context(explain)?;
    Ok(bytes)
}
