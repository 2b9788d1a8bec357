//! The soundfont that the user picked.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use nice_plug::params::persist::PersistentField;

/// Path of the soundfont that the user picked, or none for the built-in sound. Not for the audio thread.
#[derive(Debug, Default)]
pub struct Soundfont {
    path: Mutex<Option<PathBuf>>,
    changes: AtomicU32,
}

impl Soundfont {
    /// The path.
    pub fn path(&self) -> Option<PathBuf> {
        self.path.lock().unwrap_or_else(|e| e.into_inner()).clone()
    }

    /// Picks another, or none.
    pub fn pick(&self, path: Option<PathBuf>) {
        *self.path.lock().unwrap_or_else(|e| e.into_inner()) = path;
        self.changes.fetch_add(1, Relaxed);
    }

    /// Goes up with each pick.
    pub fn changes(&self) -> u32 {
        self.changes.load(Relaxed)
    }
}

impl PersistentField<'_, Option<PathBuf>> for Soundfont {
    fn set(&self, new_value: Option<PathBuf>) {
        self.pick(new_value);
    }

    fn map<F: Fn(&Option<PathBuf>) -> R, R>(&self, f: F) -> R {
        f(&self.path())
    }
}
