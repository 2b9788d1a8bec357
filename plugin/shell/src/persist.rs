//! What a project keeps beside the parameters. Not read by the audio thread.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use nice_plug::params::persist::PersistentField;
use serde::{Deserialize, Serialize};
use sideman_engine::controls::Control;
use sideman_engine::live::{Shared, Trigger};
use sideman_engine::pattern::{MOST_NOTES, Pattern};
use sideman_music::{Note, Part};

/// A value behind a lock that a panic elsewhere does not poison. Not for the audio thread.
#[derive(Debug, Default)]
pub struct Kept<T>(Mutex<T>);

impl<T> Kept<T> {
    /// Sets it.
    pub fn set(&self, value: T) {
        *self.0.lock().unwrap_or_else(|e| e.into_inner()) = value;
    }

    /// Reads it.
    pub fn with<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.0.lock().unwrap_or_else(|e| e.into_inner()))
    }
}

impl<T: Clone> Kept<T> {
    /// A copy.
    pub fn get(&self) -> T {
        self.with(T::clone)
    }
}

impl<'a, T: Serialize + Deserialize<'a> + Send> PersistentField<'a, T> for Kept<T> {
    fn set(&self, new_value: T) {
        Kept::set(self, new_value);
    }

    fn map<F: Fn(&T) -> R, R>(&self, f: F) -> R {
        self.with(f)
    }
}

/// How the editor looks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Look {
    /// Width in points at scale 1.
    pub width: f32,
    /// Height in points at scale 1.
    pub height: f32,
    /// Factor that the user chose on top of the screen's own.
    pub scale: f32,
}

impl Default for Look {
    fn default() -> Self {
        Self { width: 1100.0, height: 680.0, scale: 1.0 }
    }
}

impl Look {
    /// The same within sensible bounds, whatever a damaged project says.
    pub fn clamped(self) -> Self {
        let neutral = Self::default();
        let fix = |v: f32, low: f32, high: f32, neutral: f32| {
            if v.is_finite() { v.clamp(low, high) } else { neutral }
        };
        Self {
            width: fix(self.width, 320.0, 7680.0, neutral.width),
            height: fix(self.height, 240.0, 4320.0, neutral.height),
            scale: fix(self.scale, 0.5, 4.0, neutral.scale),
        }
    }
}

/// What a later version saved and this one does not know, kept to be saved again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Later {
    /// Parameters by id, each as it was written.
    pub params: BTreeMap<String, serde_json::Value>,
    /// Persisted fields by name.
    pub fields: BTreeMap<String, String>,
    /// Triggers of actions that this version does not know.
    pub learned: BTreeMap<String, serde_json::Value>,
    /// Anything else at the top of the state.
    pub rest: BTreeMap<String, serde_json::Value>,
}

/// The patterns that parts keep to, kept in the engine.
#[derive(Debug)]
pub struct KeptPatterns(pub Arc<Shared>);

/// A pattern as it is kept in a project: its notes, not its file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptPattern {
    /// What it is called.
    pub name: String,
    /// Length of a bar in sixteenths.
    pub bar: i64,
    /// Onset, pitch, length and velocity of each note; times in pulses, 480 a quarter note.
    pub notes: Vec<(i64, u8, i64, u8)>,
}

/// Patterns by the names of the parts, in small letters.
pub type PatternMap = BTreeMap<String, KeptPattern>;

/// Longest name of a pattern that is kept, in characters.
const LONGEST_NAME: usize = 200;

impl KeptPattern {
    /// The pattern; `None` when it is not valid for the part.
    pub fn pattern(&self, part: Part) -> Option<Pattern> {
        if self.notes.len() > MOST_NOTES {
            return None;
        }
        let note =
            |&(onset, pitch, length, velocity): &(i64, u8, i64, u8)| Note { onset, pitch, length, velocity };
        let notes: Vec<Note> = self.notes.iter().map(note).collect();
        let name: String = self.name.chars().take(LONGEST_NAME).collect();
        Pattern::new(part, name, &notes, self.bar).ok()
    }

    /// As it is kept.
    fn of(pattern: &Pattern) -> Self {
        let note = |n: &Note| (n.onset, n.pitch, n.length, n.velocity);
        Self {
            name: pattern.name().to_owned(),
            bar: pattern.bar_steps(),
            notes: pattern.notes().iter().map(note).collect(),
        }
    }
}

/// Name of a part in a project.
pub(crate) fn key(part: Part) -> String {
    part.name().to_lowercase()
}

impl PersistentField<'_, PatternMap> for KeptPatterns {
    fn set(&self, new_value: PatternMap) {
        for part in Part::ALL {
            let pattern = new_value.get(&key(part)).and_then(|kept| kept.pattern(part));
            self.0.set_pattern(part, pattern.map(Arc::new));
        }
    }

    fn map<F: Fn(&PatternMap) -> R, R>(&self, f: F) -> R {
        let patterns = self.0.patterns();
        f(&patterns.iter().flatten().map(|p| (key(p.part()), KeptPattern::of(p))).collect())
    }
}

/// MIDI learn, kept in the engine as numbers that the audio thread can read.
#[derive(Debug)]
pub struct Learned(pub Arc<Shared>);

/// A trigger as it is kept in a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeptTrigger {
    /// A key: channel from 0, pitch.
    Note(u8, u8),
    /// A controller: channel from 0, number.
    Controller(u8, u8),
}

impl From<Trigger> for KeptTrigger {
    fn from(t: Trigger) -> Self {
        match t {
            Trigger::Note(c, n) => Self::Note(c, n),
            Trigger::Controller(c, n) => Self::Controller(c, n),
        }
    }
}

impl KeptTrigger {
    /// The trigger; `None` when channel or number are out of range.
    fn trigger(self) -> Option<Trigger> {
        let (Self::Note(c, n) | Self::Controller(c, n)) = self;
        (c < 16 && n < 128).then_some(match self {
            Self::Note(..) => Trigger::Note(c, n),
            Self::Controller(..) => Trigger::Controller(c, n),
        })
    }
}

/// Learned triggers by the names of their controls, those of later versions included.
pub type LearnedMap = BTreeMap<String, KeptTrigger>;

impl PersistentField<'_, LearnedMap> for Learned {
    fn set(&self, new_value: LearnedMap) {
        for control in Control::learnable() {
            let kept = control.learned_name().and_then(|name| new_value.get(&name));
            self.0.set_learned(control, kept.and_then(|t| t.trigger()));
        }
    }

    fn map<F: Fn(&LearnedMap) -> R, R>(&self, f: F) -> R {
        let learned = |c: Control| Some((c.learned_name()?, self.0.learned(c)?.into()));
        f(&Control::learnable().filter_map(learned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taught_goes_into_the_engine_and_back() {
        let learned = Learned(Arc::new(Shared::default()));
        learned.0.set_learned(Control::Freeze, Some(Trigger::Note(1, 2)));
        let json = r#"{"fill":{"note":[0,36]},"hold":{"controller":[3,64]},"tap tempo":{"note":[99,3]}}"#;
        learned.set(serde_json::from_str(json).unwrap());
        assert_eq!(learned.0.learned(Control::Fill), Some(Trigger::Note(0, 36)));
        assert_eq!(learned.0.learned(Control::Hold), Some(Trigger::Controller(3, 64)));
        assert_eq!(learned.0.learned(Control::Tap), None, "there is no channel 100");
        assert_eq!(learned.0.learned(Control::Freeze), None, "what is not in the state is not taught");
        let back = learned.map(|m| serde_json::to_string(m).unwrap());
        assert_eq!(back, r#"{"fill":{"note":[0,36]},"hold":{"controller":[3,64]}}"#);
    }

    #[test]
    fn patterns_go_into_the_engine_and_back_and_nonsense_does_not() {
        let patterns = KeptPatterns(Arc::new(Shared::default()));
        let good = r#"{"name":"beat","bar":16,"notes":[[0,36,60,100],[480,38,60,90]]}"#;
        let json = format!(
            r#"{{"drums":{good},"bass":{{"name":"x","bar":0,"notes":[[0,36,60,100]]}},
               "guitar":{{"name":"y","bar":16,"notes":[]}},"tuba":{good},
               "strings":{{"name":"z","bar":16,"notes":[[-9223372036854775808,255,-1,255]]}}}}"#
        );
        patterns.set(serde_json::from_str(&json).unwrap());
        let made = patterns.0.patterns();
        assert_eq!(made.each_ref().map(Option::is_some), [true, false, false, false]);
        assert_eq!((made[0].as_ref().unwrap().bars(), made[0].as_ref().unwrap().name()), (1, "beat"));
        let back = patterns.map(|m| serde_json::to_string(m).unwrap());
        assert_eq!(back, format!(r#"{{"drums":{good}}}"#));
        patterns.set(PatternMap::new());
        assert!(patterns.0.patterns().iter().all(Option::is_none), "what is not in the state is not kept to");
    }

    #[test]
    fn hostile_looks_are_brought_into_bounds() {
        let look = Look { width: f32::INFINITY, height: -5.0, scale: 1e30 }.clamped();
        assert_eq!(look, Look { width: 1100.0, height: 240.0, scale: 4.0 });
    }
}
