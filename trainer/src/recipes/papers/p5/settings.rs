//! Sizes of the trainings.

use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::report::write_whole;

/// File of the settings within a report's folder: written by the first run, read by the next ones.
pub(super) const FILE: &str = "settings.toml";

/// How architectures are trained on one song.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Protocol {
    /// Which ones, 0 (the baseline) to 7.
    pub(super) builds: Vec<usize>,
    /// What every layer's size is divided by; the paper: 1.
    pub(super) shrink: usize,
    /// Epochs; the paper's program: 110, its table: 200.
    pub(super) epochs: usize,
    /// Windows in a batch; the paper's program: 100.
    pub(super) batch: usize,
}

/// Sizes of the trainings. `--full` writes those that were run here into `settings.toml` in the report's folder; a
/// run whose folder has such a file keeps to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Steps that a build sees; the paper: 100.
    pub(super) window: usize,
    /// Song of the one-song protocol: part of its name. None that fits: the first song of the train folder.
    pub(super) song: String,
    /// Builds that are trained on the ten songs; the paper: all. Their dense layer then has 43 million weights, and an
    /// epoch of the smallest build takes half an hour on a core.
    pub(super) ten_builds: Vec<usize>,
    /// What every layer's size is divided by on the ten songs; the paper: 1.
    pub(super) ten_shrink: usize,
    /// Windows in a batch there; the paper: 100.
    pub(super) ten_batch: usize,
    /// Windows of an epoch on the ten songs, drawn anew for each; the paper: all, some 20,000.
    pub(super) ten_examples: usize,
    /// Epochs on the ten songs; the paper: 200.
    pub(super) ten_epochs: usize,
    /// Most windows of a part that are scored.
    pub(super) scored: usize,
    /// Epochs of our network.
    pub(super) own_epochs: usize,
    /// Windows in a batch of it.
    pub(super) own_batch: usize,
    /// Units of our network.
    pub(super) own_hidden: usize,
    /// Most epochs of the network of strokes.
    pub(super) stroke_epochs: usize,
    /// Windows of an epoch of it.
    pub(super) stroke_examples: usize,
    /// Units of it.
    pub(super) stroke_hidden: usize,
    /// Strokes of a window of it.
    pub(super) stroke_steps: usize,
    /// Shapes of chords that it knows.
    pub(super) stroke_shapes: usize,
    /// Builds that are trained on one song, and how: to stand beside one another.
    pub(super) short: Protocol,
    /// Builds that are trained on one song for longer, also with a random share of the windows held out.
    pub(super) long: Protocol,
}

impl Settings {
    /// Those of the published runs.
    pub(super) fn full() -> Self {
        Self {
            window: 100,
            song: "clementi_opus36_1_1".into(),
            short: Protocol { builds: (0..8).collect(), shrink: 4, epochs: 12, batch: 8 },
            long: Protocol { builds: vec![2], shrink: 2, epochs: 60, batch: 20 },
            ten_builds: vec![],
            ten_shrink: 1,
            ten_batch: 100,
            ten_examples: 1000,
            ten_epochs: 6,
            scored: 1000,
            own_epochs: 12,
            own_batch: 4,
            own_hidden: 256,
            stroke_epochs: 10,
            stroke_examples: 1600,
            stroke_hidden: 256,
            stroke_steps: 128,
            stroke_shapes: 256,
        }
    }

    /// Those of a smoke test.
    pub(super) fn quick() -> Self {
        Self {
            window: 12,
            song: String::new(),
            short: Protocol { builds: (0..8).collect(), shrink: 16, epochs: 1, batch: 20 },
            long: Protocol { builds: vec![2], shrink: 16, epochs: 2, batch: 20 },
            ten_builds: vec![2],
            ten_shrink: 16,
            ten_batch: 20,
            ten_examples: 100,
            ten_epochs: 1,
            scored: 60,
            own_epochs: 2,
            own_batch: 16,
            own_hidden: 16,
            stroke_epochs: 2,
            stroke_examples: 16,
            stroke_hidden: 32,
            stroke_steps: 30,
            stroke_shapes: 16,
        }
    }

    /// Those of a folder, or else these, which are then written there.
    pub(super) fn of(folder: &Path, otherwise: Self) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text)
                .with_context(|| format!("{} cannot be used: repair it, or delete it", path.display())),
            Err(_) => {
                write_whole(&path, toml::to_string_pretty(&otherwise)?.as_bytes())?;
                Ok(otherwise)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_written_once_and_then_kept_to() {
        let dir = tempfile::tempdir().unwrap();
        let first = Settings::of(dir.path(), Settings::quick()).unwrap();
        assert_eq!(first, Settings::quick());
        assert_eq!(Settings::of(dir.path(), Settings::full()).unwrap(), first);
        std::fs::write(dir.path().join(FILE), "window = 'wide'").unwrap();
        let error = Settings::of(dir.path(), Settings::full()).unwrap_err();
        assert!(format!("{error:#}").contains("settings.toml cannot be used"));
    }
}
