//! What a run says at its end, to people and to scripts.

use std::path::PathBuf;

use serde_json::{Value, json};
use sideman_engine::offline::StyleChange;
use sideman_music::Part;

/// What was made of what.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) input: String,
    pub(crate) engine: String,
    pub(crate) style: String,
    /// Where the style followed the genre.
    pub(crate) changes: Vec<StyleChange>,
    pub(crate) seed: u64,
    /// Length of the music.
    pub(crate) seconds: f64,
    pub(crate) bars: i64,
    /// Numbers from 1.
    pub(crate) piano_tracks: Vec<usize>,
    pub(crate) piano_notes: usize,
    pub(crate) parts: Vec<PartReport>,
    pub(crate) files: Files,
    pub(crate) seconds_taken: f64,
    pub(crate) warnings: Vec<String>,
}

/// What a part did.
#[derive(Debug)]
pub(crate) struct PartReport {
    pub(crate) part: Part,
    /// From 1.
    pub(crate) channel: u8,
    /// General MIDI program from 0; of the drums the kit.
    pub(crate) program: u8,
    pub(crate) notes: usize,
    pub(crate) enters_at_seconds: Option<f64>,
}

/// Files that were written.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) midi: Option<PathBuf>,
    pub(crate) wav: Option<PathBuf>,
    pub(crate) png: Option<PathBuf>,
    pub(crate) stems: Vec<PathBuf>,
}

impl Report {
    fn times_real_time(&self) -> f64 {
        self.seconds / self.seconds_taken.max(1e-9)
    }

    /// The closing line.
    pub(crate) fn line(&self) -> String {
        let files = &self.files;
        let mut names: Vec<String> = [&files.midi, &files.wav, &files.png]
            .into_iter()
            .flatten()
            .map(|p| p.display().to_string())
            .collect();
        if let Some(folder) = files.stems.first().and_then(|p| p.parent()) {
            names.push(format!("{} stems in {}", files.stems.len(), folder.display()));
        }
        let names = match names.split_last() {
            None => "standard output".to_owned(),
            Some((only, [])) => only.clone(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
        };
        let changes: Vec<String> =
            self.changes.iter().map(|c| format!("{} from bar {}", c.style, c.bar + 1)).collect();
        let changes = match changes.is_empty() {
            true => String::new(),
            false => format!(" The style followed the genre: {}.", changes.join(", ")),
        };
        let minutes = (self.seconds / 60.0).floor();
        format!(
            "Wrote {names}: {} bars, {minutes:.0}:{:02.0} of music in {:.2} s, {:.0} times faster than real time.{changes}",
            self.bars,
            (self.seconds - minutes * 60.0).floor(),
            self.seconds_taken,
            self.times_real_time(),
        )
    }

    /// The summary for scripts.
    pub(crate) fn json(&self) -> Value {
        let parts: serde_json::Map<String, Value> = self
            .parts
            .iter()
            .map(|p| {
                let facts = json!({
                    "channel": p.channel,
                    "program": p.program,
                    "notes": p.notes,
                    "enters_at_seconds": p.enters_at_seconds,
                });
                (p.part.name().to_lowercase(), facts)
            })
            .collect();
        json!({
            "input": self.input,
            "engine": self.engine,
            "style": self.style,
            "style_changes": self.changes.iter().map(|c| json!({ "bar": c.bar + 1, "style": c.style })).collect::<Vec<_>>(),
            "seed": self.seed,
            "seconds": self.seconds,
            "bars": self.bars,
            "piano": { "tracks": self.piano_tracks, "notes": self.piano_notes },
            "parts": parts,
            "files": {
                "midi": self.files.midi,
                "wav": self.files.wav,
                "png": self.files.png,
                "stems": self.files.stems,
            },
            "seconds_taken": self.seconds_taken,
            "times_real_time": self.times_real_time(),
            "warnings": self.warnings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report {
            input: "a.mid".into(),
            engine: "rules".into(),
            style: "bossa".into(),
            changes: vec![StyleChange { at: 15_360, bar: 8, style: "blues".into(), programs: [0; 4] }],
            seed: 3,
            seconds: 125.7,
            bars: 40,
            piano_tracks: vec![2],
            piano_notes: 10,
            parts: vec![PartReport {
                part: Part::Bass,
                channel: 2,
                program: 33,
                notes: 9,
                enters_at_seconds: None,
            }],
            files: Files { midi: Some("b.mid".into()), wav: Some("b.wav".into()), ..Files::default() },
            seconds_taken: 0.5,
            warnings: vec![],
        }
    }

    #[test]
    fn the_closing_line_names_files_and_speed() {
        let line = report().line();
        assert_eq!(
            line,
            "Wrote b.mid and b.wav: 40 bars, 2:05 of music in 0.50 s, 251 times faster than real time. The style \
             followed the genre: blues from bar 9."
        );
        let stems = Report {
            files: Files { stems: vec!["d/piano.mid".into(), "d/bass.mid".into()], ..Files::default() },
            ..report()
        };
        assert!(stems.line().starts_with("Wrote 2 stems in d: "));
        assert!(Report { files: Files::default(), ..report() }.line().starts_with("Wrote standard output"));
    }

    #[test]
    fn the_summary_has_what_scripts_ask_for() {
        let json = report().json();
        assert_eq!(json["parts"]["bass"]["notes"], 9);
        assert_eq!(json["files"]["midi"], "b.mid");
        assert_eq!(json["files"]["png"], Value::Null);
        assert_eq!(json["style_changes"], json!([{ "bar": 9, "style": "blues" }]));
        assert!((json["times_real_time"].as_f64().unwrap() - 251.4).abs() < 0.1);
    }
}
