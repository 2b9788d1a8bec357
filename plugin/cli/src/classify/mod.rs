//! Says what genre music is.

mod files;
mod picture;
mod report;
mod sound;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail};
use serde_json::json;
use sideman_inference::genre::weights::InputKind;
use sideman_inference::genre::{built_in, notes};
use sideman_music::smf::MidiFile;

use crate::args::{ClassifyArgs, ListenTo, is_dash};
use crate::output::Outputs;
use crate::print;
use crate::progress::Progress;
use crate::render::{Folders, read_input};
use report::Classified;

/// Classifies all files and says what was found.
pub(crate) fn classify(args: &ClassifyArgs) -> Result<()> {
    let files = files::gather(&args.inputs)?;
    let one = args.inputs.len() == 1 && !args.inputs[0].is_dir();
    let results = all(&files, args);
    let failed = results.iter().filter(|r| r.is_err()).count();
    write(args, &files, &results, one)?;
    if one {
        let classified = results.into_iter().next().context("no file")??;
        tell_warnings(args, &classified);
        return match (args.talk.json, args.talk.quiet) {
            (true, _) => print(&serde_json::to_string_pretty(&classified.json())?),
            (false, true) => Ok(()),
            (false, false) => print(&classified.text()),
        };
    }
    let mut list = vec![];
    for (path, result) in files.iter().zip(&results) {
        match result {
            Ok(classified) => {
                tell_warnings(args, classified);
                if args.talk.json {
                    list.push(classified.json());
                } else if !args.talk.quiet {
                    print(&classified.line())?;
                }
            }
            Err(error) => {
                eprintln!("error: {error:#}");
                list.push(json!({ "file": path.display().to_string(), "error": format!("{error:#}") }));
            }
        }
    }
    if args.talk.json {
        print(&serde_json::to_string_pretty(&list)?)?;
    }
    if failed > 0 {
        bail!("{failed} of {} files could not be read", files.len());
    }
    Ok(())
}

fn tell_warnings(args: &ClassifyArgs, classified: &Classified) {
    if !args.talk.quiet {
        for warning in &classified.warnings {
            eprintln!("note: {}: {warning}", classified.name);
        }
    }
}

/// Classifies the files, as many at once as there are cores; in their order.
fn all(files: &[PathBuf], args: &ClassifyArgs) -> Vec<Result<Classified>> {
    let progress = Progress::new("Listening", files.len() as u64, args.talk.quiet);
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(files.len());
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let results: Vec<Mutex<Option<Result<Classified>>>> = files.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        while let at = next.fetch_add(1, Ordering::Relaxed)
            && let Some(path) = files.get(at)
        {
            let result = one_file(path, args.listen);
            *results[at].lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(result);
            progress.set(done.fetch_add(1, Ordering::Relaxed) as u64 + 1, files.len() as u64);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(work);
        }
        work();
    });
    let taken = results.into_iter().zip(files).map(|(result, path)| {
        let result = result.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        result.unwrap_or_else(|| Err(anyhow::anyhow!("{} was not reached", path.display())))
    });
    taken.collect()
}

fn one_file(path: &Path, listen: Option<ListenTo>) -> Result<Classified> {
    if is_dash(path) {
        return of_notes("standard input", &read_input(path)?, listen);
    }
    if path.is_dir() {
        bail!("{} is a folder", path.display());
    }
    let name = path.display().to_string();
    if files::is_midi(path)? {
        of_notes(&name, &read_input(path)?, listen)
    } else {
        sound::of_sound(path, &name)
    }
}

/// A MIDI file.
fn of_notes(name: &str, bytes: &[u8], listen: Option<ListenTo>) -> Result<Classified> {
    let file = MidiFile::parse(bytes).with_context(|| format!("cannot read {name}"))?;
    let score = file.score();
    let hears = match listen {
        Some(ListenTo::Band) => InputKind::Band,
        Some(ListenTo::Piano) => InputKind::Piano,
        None => notes::hears_of(score),
    };
    let weights = if hears == InputKind::Piano { built_in::piano()? } else { built_in::band()? };
    let answer = notes::of_score(weights, score);
    let end = score.tracks.iter().flat_map(|t| &t.notes).map(sideman_music::Note::end).max().unwrap_or(0);
    Ok(Classified {
        name: name.to_owned(),
        answer,
        seconds: score.tempos.seconds_at(end),
        warnings: file.warnings().iter().map(ToString::to_string).collect(),
    })
}

/// Writes the table and the pictures that are wanted; all appear at the end, or none.
fn write(args: &ClassifyArgs, files: &[PathBuf], results: &[Result<Classified>], one: bool) -> Result<()> {
    let (mut folders, mut outputs) = (Folders::default(), Outputs::default());
    if let Some(path) = &args.csv {
        let all: Vec<(&Path, &Result<Classified>)> =
            files.iter().map(PathBuf::as_path).zip(results).collect();
        outputs.write(path, |w| report::write_csv(&all, w))?;
    }
    if let Some(path) = &args.png {
        let found = results.iter().flatten();
        if one {
            for classified in found {
                outputs.write(path, |w| picture::write_png(classified, w))?;
            }
        } else {
            folders.create(path)?;
            let mut names: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
            for classified in found {
                let name = Path::new(&classified.name).file_name().unwrap_or_default().to_string_lossy();
                let count = names.entry(name.to_lowercase()).or_default();
                *count += 1;
                let again = if *count > 1 { format!(" ({count})") } else { String::new() };
                let place = path.join(format!("{name}{again}.png"));
                outputs.write(&place, |w| picture::write_png(classified, w))?;
            }
        }
    }
    outputs.commit()?;
    folders.keep();
    Ok(())
}
