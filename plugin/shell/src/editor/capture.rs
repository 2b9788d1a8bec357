//! The last minutes, saved as a MIDI file.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use sideman_engine::live::{Shared, TempoPoint};
use sideman_music::{PULSES_PER_BEAT, Pulse, smf};

/// Why the last minutes were not saved, and what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CaptureError {
    /// Nothing is kept.
    #[error("nothing was played yet: play, then save")]
    Nothing,
    /// There is no home folder to save into.
    #[error("no music, documents or home folder was found: set HOME (or USERPROFILE) to a folder of yours")]
    NoFolder,
    /// The disk is full.
    #[error("the disk with {path} is full: free some space and save again, nothing is lost meanwhile")]
    Full {
        /// Where it was to be saved.
        path: PathBuf,
    },
    /// It is not allowed.
    #[error(
        "{path} may not be written: allow it, or free the folder of its write protection, and save again"
    )]
    Forbidden {
        /// Where it was to be saved.
        path: PathBuf,
    },
    /// Anything else.
    #[error("{path} cannot be written ({error}): see to it and save again, nothing is lost meanwhile")]
    Other {
        /// Where it was to be saved.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
}

impl CaptureError {
    fn new(path: &Path, error: std::io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full { path },
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::Forbidden { path },
            _ => Self::Other { path, error },
        }
    }
}

/// Saves what was played in the last `minutes` before `now`, in pulses of the session, into the user's own
/// music folder. Returns where it is.
///
/// # Errors
/// When nothing was played, when there is no such folder, and when the file cannot be written.
pub(crate) fn save(shared: &Shared, now: Pulse, minutes: u32) -> Result<PathBuf, CaptureError> {
    save_into(shared, now, minutes, folder(|name| std::env::var_os(name).map(PathBuf::from)))
}

/// The same, into a folder, if there is one.
pub(crate) fn save_into(
    shared: &Shared,
    now: Pulse,
    minutes: u32,
    folder: Option<PathBuf>,
) -> Result<PathBuf, CaptureError> {
    // Copied first: working it out under the lock would keep the band's thread from writing.
    let state = shared.editor_state(Clone::clone);
    let from = before(state.tempos.iter(), now, f64::from(minutes) * 60.0);
    let score = state.capture(from, now).ok_or(CaptureError::Nothing)?;
    let folder = folder.ok_or(CaptureError::NoFolder)?;
    let name = chrono::Local::now().format("Sideman %Y-%m-%d %H.%M.%S").to_string();
    write_new(&folder, &name, &smf::write(&score))
}

/// Writes a file that was not there before: `NAME.mid`, or `NAME (2).mid` and so on.
fn write_new(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, CaptureError> {
    std::fs::create_dir_all(folder).map_err(|e| CaptureError::new(folder, e))?;
    for count in 1..1000 {
        let more = if count == 1 { String::new() } else { format!(" ({count})") };
        let path = folder.join(format!("{name}{more}.mid"));
        let mut file = match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::AlreadyExists => continue,
            Err(e) => return Err(CaptureError::new(&path, e)),
        };
        return match file.write_all(bytes).and_then(|()| file.sync_all()) {
            Ok(()) => Ok(path),
            Err(e) => {
                // Half a file would only mislead.
                drop(file);
                let _ = std::fs::remove_file(&path);
                Err(CaptureError::new(&path, e))
            }
        };
    }
    let error = std::io::Error::from(ErrorKind::AlreadyExists);
    Err(CaptureError::new(&folder.join(format!("{name}.mid")), error))
}

/// The folder for captures: `Sideman` in the user's music folder, else documents, else home. `var` reads the
/// environment.
pub(crate) fn folder(var: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let home = var("HOME").or_else(|| var("USERPROFILE")).filter(|p| p.is_absolute())?;
    let config = var("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")).join("user-dirs.dirs");
    let dirs = std::fs::read_to_string(config).unwrap_or_default();
    let named = |key: &str| user_dir(&dirs, key, &home);
    let candidates = [
        named("XDG_MUSIC_DIR"),
        Some(home.join("Music")),
        named("XDG_DOCUMENTS_DIR"),
        Some(home.join("Documents")),
    ];
    // Desktops point folders that were removed at the home itself: that is no music folder.
    let found = candidates.into_iter().flatten().find(|p| *p != home && p.is_dir());
    Some(found.unwrap_or(home).join("Sideman"))
}

/// A folder that a Linux desktop has given another name: `XDG_MUSIC_DIR="$HOME/Musik"`.
fn user_dir(dirs: &str, key: &str, home: &Path) -> Option<PathBuf> {
    let value = dirs.lines().find_map(|l| l.trim().strip_prefix(key)?.trim_start().strip_prefix('='))?;
    let value = value.trim().trim_matches('"');
    let path = match value.strip_prefix("$HOME") {
        Some(rest) => home.join(rest.trim_start_matches('/')),
        None => PathBuf::from(value),
    };
    path.is_absolute().then_some(path)
}

/// The pulse of the session some seconds before `now`, at the tempos that held. Before the first tempo that
/// one is taken to have held.
fn before<'a>(tempos: impl DoubleEndedIterator<Item = &'a TempoPoint>, now: Pulse, seconds: f64) -> Pulse {
    let (mut end, mut left, mut rate) = (now, seconds, 2.0 * PULSES_PER_BEAT as f64);
    for t in tempos.rev().filter(|t| t.at < now) {
        rate = t.bpm.max(1.0) / 60.0 * PULSES_PER_BEAT as f64;
        let lasted = (end - t.at) as f64 / rate;
        if lasted >= left {
            break;
        }
        (end, left) = (t.at, left - lasted);
    }
    end - (left * rate) as Pulse
}

#[cfg(test)]
mod tests {
    use super::*;
    use sideman_music::Meter;

    #[test]
    fn minutes_are_counted_back_through_the_tempos() {
        let point =
            |at, bpm| TempoPoint { at, position: at, bar_start: at, bar: 0, meter: Meter::COMMON, bpm };
        // 120 for a minute, then 60.
        let tempos = [point(0, 120.0), point(120 * 480, 60.0)];
        let now = 180 * 480;
        assert_eq!(before(tempos.iter(), now, 30.0), 150 * 480);
        assert_eq!(before(tempos.iter(), now, 60.0), 120 * 480);
        assert_eq!(before(tempos.iter(), now, 90.0), 60 * 480);
        assert_eq!(before(tempos.iter(), now, 180.0), -120 * 480, "before the beginning, at its tempo");
        assert_eq!(before([].iter(), now, 60.0), now - 120 * 480);
    }

    #[test]
    fn the_music_folder_is_found_whatever_its_name() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        let var = |name: &str| (name == "HOME").then(|| home.to_owned());
        assert_eq!(folder(var), Some(home.join("Sideman")));
        std::fs::create_dir(home.join("Documents")).unwrap();
        assert_eq!(folder(var), Some(home.join("Documents/Sideman")));
        std::fs::create_dir_all(home.join(".config")).unwrap();
        std::fs::create_dir(home.join("Musik")).unwrap();
        std::fs::write(home.join(".config/user-dirs.dirs"), "# x\nXDG_MUSIC_DIR=\"$HOME/Musik\"\n").unwrap();
        assert_eq!(folder(var), Some(home.join("Musik/Sideman")));
        assert_eq!(folder(|_| None), None);
    }

    #[test]
    fn nothing_is_overwritten_and_errors_say_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let first = write_new(folder.path(), "take", b"1").unwrap();
        let second = write_new(folder.path(), "take", b"2").unwrap();
        assert_eq!(
            (first.file_name().unwrap(), second.file_name().unwrap()),
            ("take.mid".as_ref(), "take (2).mid".as_ref())
        );
        assert_eq!(std::fs::read(first).unwrap(), b"1");
        // A file where the folder should be.
        let error = write_new(&second.join("deeper"), "take", b"3").unwrap_err().to_string();
        assert!(error.contains("cannot be written") && error.contains("save again"), "{error}");
        let full = CaptureError::new(Path::new("x"), ErrorKind::StorageFull.into()).to_string();
        assert!(full.contains("full") && full.contains("free some space"), "{full}");
    }
}
