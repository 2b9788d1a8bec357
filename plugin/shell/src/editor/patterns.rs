//! Giving a part a pattern to keep to.

use std::path::Path;
use std::sync::Arc;

use sideman_engine::live::{EditorState, Voice};
use sideman_engine::pattern::{Pattern, PatternError};
use sideman_music::smf::MAX_BYTES;
use sideman_music::{Note, Part, Pulse, STEP_PULSES};

use super::notices::Message;
use crate::instance::Instance;

/// Bars that are kept of what was played.
const BARS: Pulse = 2;

/// Has a part keep to a pattern, or to none, and tells the host that there is something to save.
pub(crate) fn set(instance: &Instance, part: Part, pattern: Option<Pattern>) {
    instance.shared.set_pattern(part, pattern.map(Arc::new));
    instance.touch();
}

/// Has a part keep to the pattern in a MIDI file.
pub(crate) fn load(instance: &Instance, part: Part, path: &Path) -> Message {
    let shown = path.display();
    let bytes = match std::fs::metadata(path) {
        Ok(facts) if facts.len() > MAX_BYTES as u64 => {
            let text = format!("{shown} is too large for a MIDI file: choose another");
            return Message { text, bad: true };
        }
        Ok(_) => std::fs::read(path),
        Err(e) => Err(e),
    };
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    match bytes.map(|bytes| Pattern::from_midi(part, name, &bytes)) {
        Ok(made) => result_message(instance, part, made, &format!("{shown} is no pattern")),
        Err(e) => Message { text: format!("{shown} cannot be read ({e}): choose another"), bad: true },
    }
}

/// Has a part keep to what it played in the last whole bars.
pub(crate) fn keep(instance: &Instance, part: Part) -> Message {
    let now = instance.shared.status().session as Pulse;
    let made = instance.shared.editor_state(|state| last_bars(state, part, now));
    result_message(instance, part, made, "What was played last is no pattern")
}

fn result_message(
    instance: &Instance,
    part: Part,
    made: Result<Pattern, PatternError>,
    otherwise: &str,
) -> Message {
    match made {
        Ok(pattern) => {
            let text = format!("The {} keep to {}", part.name().to_lowercase(), pattern.name());
            set(instance, part, Some(pattern));
            Message { text, bad: false }
        }
        Err(e) => Message { text: format!("{otherwise}: {e}"), bad: true },
    }
}

/// The pattern of the last whole bars before a pulse of the session.
fn last_bars(state: &EditorState, part: Part, now: Pulse) -> Result<Pattern, PatternError> {
    let Some(point) = state.tempos.iter().rev().find(|t| t.at <= now) else {
        return Err(PatternError::NoNotes { part: part.name().to_lowercase() });
    };
    let bar = point.meter.bar_pulses();
    let to = point.bar_start + (now - point.bar_start).div_euclid(bar) * bar;
    let from = to - BARS * bar;
    let lead = STEP_PULSES / 2;
    let played = state.notes.iter().filter(|n| n.voice == Voice::Part(part));
    let notes: Vec<Note> = played
        .filter(|n| (from - lead..to - lead).contains(&n.onset))
        .map(|n| Note {
            onset: n.onset - from,
            pitch: n.pitch,
            length: n.length.unwrap_or(to - n.onset),
            velocity: n.velocity,
        })
        .collect();
    Pattern::new(part, "what was played", &notes, point.meter.bar_steps())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::tests::editor_state;

    #[test]
    fn the_last_whole_bars_are_kept() {
        let now = 5 * 1920 + 700;
        let pattern = last_bars(&editor_state(now), Part::Bass, now).unwrap();
        assert_eq!((pattern.bars(), pattern.notes().len()), (2, 8));
        assert!(pattern.notes().iter().all(|n| (0..3840).contains(&n.onset)));
        let error = last_bars(&EditorState::default(), Part::Bass, now).unwrap_err().to_string();
        assert!(error.contains("no notes for the bass"), "{error}");
    }

    #[test]
    fn a_file_becomes_a_pattern_or_is_said_to_be_none() {
        let instance = Instance::new();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.mid");
        std::fs::write(&file, b"not music").unwrap();
        let message = load(&instance, Part::Drums, &file);
        assert!(
            message.bad && message.text.contains("x.mid") && message.text.contains("MIDI"),
            "{}",
            message.text
        );
        assert!(load(&instance, Part::Drums, &folder.path().join("none.mid")).bad);
        assert!(instance.shared.patterns().iter().all(Option::is_none) && !instance.take_touched());
        let track = sideman_music::Track {
            is_drums: true,
            channel: 9,
            notes: vec![Note { onset: 0, pitch: 36, length: 60, velocity: 100 }],
            ..Default::default()
        };
        let score = sideman_music::Score { tracks: vec![track], ..Default::default() };
        std::fs::write(&file, sideman_music::smf::write(&score)).unwrap();
        let message = load(&instance, Part::Drums, &file);
        assert!(!message.bad, "{}", message.text);
        assert!(instance.shared.patterns()[0].is_some() && instance.take_touched());
        set(&instance, Part::Drums, None);
        assert!(instance.shared.patterns()[0].is_none() && instance.take_touched());
    }
}
