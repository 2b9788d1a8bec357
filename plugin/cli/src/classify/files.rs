//! Which files are meant.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Endings of the names of files that a folder is searched for.
const ENDINGS: [&str; 13] =
    ["mid", "midi", "kar", "rmi", "wav", "flac", "mp3", "ogg", "oga", "aac", "m4a", "mp4", "aif"];
/// Folders inside folders that are followed.
const DEEPEST: usize = 64;

/// The files of the inputs, folders replaced by the music in them, sorted by name; nothing twice.
pub(super) fn gather(inputs: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let (mut files, mut known) = (vec![], BTreeSet::new());
    for input in inputs {
        let mut found = vec![];
        if input.is_dir() {
            search(input, 0, &mut found)?;
            found.sort();
            if found.is_empty() {
                bail!("{} holds no MIDI or sound files: {}", input.display(), ENDINGS.join(", "));
            }
        } else {
            found.push(input.clone());
        }
        files.extend(found.into_iter().filter(|f| known.insert(f.clone())));
    }
    Ok(files)
}

fn search(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    let explain = || format!("cannot read the folder {}", folder.display());
    for entry in std::fs::read_dir(folder).with_context(explain)? {
        let entry = entry.with_context(explain)?;
        let (path, kind) = (entry.path(), entry.file_type().with_context(explain)?);
        // Links to folders are not followed, for they may lead back.
        if kind.is_dir() {
            if depth < DEEPEST {
                search(&path, depth + 1, found)?;
            }
        } else if is_music(&path) && path.is_file() {
            found.push(path);
        }
    }
    Ok(())
}

/// Whether a file's name ends like those of music. Names that begin with a dot are not for people.
fn is_music(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    !hidden && ending.is_some_and(|e| ENDINGS.contains(&e.as_str()))
}

/// Whether a file's first bytes are those of a MIDI file, plain or in a RIFF container.
pub(super) fn is_midi(path: &Path) -> Result<bool> {
    let mut first = [0; 12];
    let mut file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut len = 0;
    while len < first.len() {
        match file.read(&mut first[len..]).with_context(|| format!("cannot read {}", path.display()))? {
            0 => break,
            n => len += n,
        }
    }
    Ok(first.starts_with(b"MThd") || (first.starts_with(b"RIFF") && first.ends_with(b"RMID")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_searched_and_nothing_comes_twice() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "x").unwrap();
            path
        };
        let (b, a, deep) = (put("b.MID"), put("a.mp3"), put("more/c.flac"));
        put("notes.txt");
        put(".hidden.mid");
        let found = gather(&[b.clone(), dir.path().to_owned()]).unwrap();
        assert_eq!(found, [b, a, deep]);
        let empty = tempfile::tempdir().unwrap();
        assert!(gather(&[empty.path().to_owned()]).unwrap_err().to_string().contains("no MIDI"));
    }

    #[test]
    fn what_a_file_is_says_its_content() {
        let dir = tempfile::tempdir().unwrap();
        let is = |bytes: &[u8]| {
            let path = dir.path().join("x");
            std::fs::write(&path, bytes).unwrap();
            is_midi(&path).unwrap()
        };
        assert!(is(b"MThd\0\0\0\x06") && is(b"RIFF\x10\0\0\0RMIDdata"));
        assert!(!is(b"RIFF\x10\0\0\0WAVEfmt ") && !is(b"") && !is(b"MT"));
        assert!(is_midi(&dir.path().join("none")).is_err());
    }
}
