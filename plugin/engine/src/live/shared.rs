//! What the audio thread, the band's thread and an editor share.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossbeam::queue::SegQueue;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use sideman_music::{Note, PARTS, Part, Pulse};

use super::learn::Trigger;
use crate::controls::{CONTROLS, Control};
use crate::genre::GenreView;
use crate::messages::{ClockSource, TempoPoint, Voice};
use crate::play::pattern::{Pattern, Patterns};

/// Work for the band's thread: loading a file, freeing something large. It is run between two decisions, and
/// what it returns is freed there.
pub type Task = Box<dyn FnOnce() -> Box<dyn Any + Send> + Send>;

/// What is going on, as an editor shows it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Status {
    /// Musical time that passed since activation, in pulses: it never goes back, whatever the host's
    /// position does. All times in [`EditorState`] are on this axis.
    pub session: f64,
    /// Position in the music in pulses.
    pub position: f64,
    /// Quarter notes a minute.
    pub bpm: f64,
    /// Bar number from 0, and where in the bar, in pulses.
    pub bar: i64,
    /// Pulses since the start of the bar.
    pub in_bar: f64,
    /// Metre: beats and the note value of a beat.
    pub meter: (u8, u8),
    /// Clock.
    pub source: ClockSource,
    /// Whether the host renders faster than real time.
    pub offline: bool,
    /// Notes that came late but sounded, and notes left out because they came too late.
    pub late: u64,
    /// Notes left out because they came too late.
    pub missed: u64,
    /// Notes and messages lost because something was full.
    pub overflowed: u64,
    /// Samples of incoming sound that nobody had time to listen to; no note depends on them.
    pub unheard: u64,
    /// Bars in which the last bar's pattern went on because no decision came in time.
    pub echoed: u64,
    /// Longest time a decision took lately, in microseconds.
    pub decision_us: u32,
    /// Up to which pulse of the epoch the band has decided what it was asked for.
    pub decided: Pulse,
    /// Share of the time of a block that the last blocks took, 0 to 1; filled in by the host's side.
    pub load: f32,
    /// From hearing to sounding, in samples.
    pub reaction_samples: u32,
    /// Samples a second; 0 before activation.
    pub sample_rate: f64,
    /// Whether a panic was caught: the band is silent until it is activated anew.
    pub panicked: bool,
}

/// A note on the roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RollNote {
    /// Who plays it.
    pub voice: Voice,
    /// Onset in pulses of the session.
    pub onset: Pulse,
    /// Duration in pulses; for a note that still sounds `None`.
    pub length: Option<Pulse>,
    /// MIDI pitch.
    pub pitch: u8,
    /// Velocity, 1 to 127.
    pub velocity: u8,
}

/// A note that is to come, for sure or if the piano goes on as it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Who will play it.
    pub part: Part,
    /// The note, in pulses of the session.
    pub note: Note,
    /// Decided, rather than merely likely.
    pub decided: bool,
}

/// What was played, what is planned and what the band thinks. Written by the band's thread, read by an
/// editor; the audio thread never touches it.
#[derive(Debug, Clone, Default)]
pub struct EditorState {
    /// Notes of the piano and the band, by onset; the last minutes.
    pub notes: VecDeque<RollNote>,
    /// Tempo and bars, by time.
    pub tempos: VecDeque<TempoPoint>,
    /// Notes ahead of the play line, by onset.
    pub ahead: Vec<Expected>,
    /// Name of the chord that is heard, such as `Am7`; empty when there is none.
    pub chord: String,
    /// What is known of the genre.
    pub genre: GenreView,
    /// Name of the style that is played, and of what plays it.
    pub style: String,
    /// Name of the weights, or `rules`.
    pub engine: String,
    /// General MIDI programs of the parts, from 0; of the drums the kit.
    pub programs: [u8; PARTS],
    /// What went wrong and what to do about it; newest last.
    pub notices: Vec<String>,
}

/// Longest stretch that is kept, in pulses: ten minutes at 120 beats a minute.
pub(crate) const KEPT: Pulse = 10 * 120 * 480;

/// One for each performer, behind an `Arc`.
#[derive(Debug)]
pub struct Shared {
    pub(crate) cells: Cells,
    pub(crate) editor_state: Mutex<EditorState>,
    pub(crate) jobs: SegQueue<Task>,
    /// Packed trigger of each action; 0 for none.
    pub(crate) learned: [AtomicU32; CONTROLS],
    /// What a taught action has set: a value, or 1 and 0 for pressed or toggled; not a number for nothing.
    pub(crate) overrides: [AtomicU32; CONTROLS],
    /// Number of the action that is being taught, plus one.
    pub(crate) learning: AtomicU32,
    /// What parts keep to, and how often that was changed. The audio thread looks at neither.
    pub(crate) patterns: Mutex<Patterns>,
    pub(crate) patterns_changed: AtomicU32,
    /// Whether an editor is open, so that what only it shows is worked out.
    pub(crate) watched: AtomicBool,
}

/// [`Status`] in pieces that can be written without a lock. An editor may see pieces of two blocks.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    pub(crate) session: AtomicU64,
    pub(crate) position: AtomicU64,
    pub(crate) bpm: AtomicU64,
    pub(crate) bar: AtomicU64,
    pub(crate) in_bar: AtomicU64,
    pub(crate) meter: AtomicU32,
    pub(crate) source: AtomicU32,
    pub(crate) offline: AtomicBool,
    pub(crate) late: AtomicU64,
    pub(crate) missed: AtomicU64,
    pub(crate) overflowed: AtomicU64,
    pub(crate) unheard: AtomicU64,
    pub(crate) echoed: AtomicU64,
    pub(crate) decision_us: AtomicU32,
    pub(crate) decided: AtomicU64,
    /// Programs of the parts, a byte each.
    pub(crate) programs: AtomicU32,
    pub(crate) load: AtomicU32,
    pub(crate) reaction: AtomicU32,
    pub(crate) sample_rate: AtomicU64,
    pub(crate) panicked: AtomicBool,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            cells: Cells::default(),
            editor_state: Mutex::default(),
            jobs: SegQueue::new(),
            learned: std::array::from_fn(|_| AtomicU32::new(0)),
            overrides: std::array::from_fn(|_| AtomicU32::new(f32::NAN.to_bits())),
            learning: AtomicU32::new(0),
            patterns: Mutex::default(),
            patterns_changed: AtomicU32::new(0),
            watched: AtomicBool::new(false),
        }
    }
}

impl Shared {
    /// What is going on. Any thread; never waits.
    pub fn status(&self) -> Status {
        let c = &self.cells;
        let float = |a: &AtomicU64| f64::from_bits(a.load(Relaxed));
        let meter = c.meter.load(Relaxed);
        Status {
            session: float(&c.session),
            position: float(&c.position),
            bpm: float(&c.bpm),
            bar: c.bar.load(Relaxed) as i64,
            in_bar: float(&c.in_bar),
            meter: ((meter >> 8) as u8, meter as u8),
            source: match c.source.load(Relaxed) {
                1 => ClockSource::CountIn,
                2 => ClockSource::Own,
                3 => ClockSource::Host,
                _ => ClockSource::Stopped,
            },
            offline: c.offline.load(Relaxed),
            late: c.late.load(Relaxed),
            missed: c.missed.load(Relaxed),
            overflowed: c.overflowed.load(Relaxed),
            unheard: c.unheard.load(Relaxed),
            echoed: c.echoed.load(Relaxed),
            decision_us: c.decision_us.load(Relaxed),
            decided: c.decided.load(Relaxed) as Pulse,
            load: f32::from_bits(c.load.load(Relaxed)),
            reaction_samples: c.reaction.load(Relaxed),
            sample_rate: float(&c.sample_rate),
            panicked: c.panicked.load(Relaxed),
        }
    }

    /// General MIDI programs from 0 of the parts, of the drums the kit, as they suit the style that is played.
    /// Any thread; never waits.
    pub fn programs(&self) -> [u8; PARTS] {
        self.cells.programs.load(Relaxed).to_le_bytes()
    }

    /// Share of the time of a block that processing took, 0 to 1, for [`Status::load`]. Audio thread.
    pub fn set_load(&self, load: f32) {
        self.cells.load.store(load.to_bits(), Relaxed);
    }

    /// Has a part keep to a pattern, or to none, from the next step on. Not for the audio thread.
    pub fn set_pattern(&self, part: Part, pattern: Option<Arc<Pattern>>) {
        let mut patterns = self.patterns.lock().unwrap_or_else(|e| e.into_inner());
        patterns[part.index()] = pattern.filter(|p| p.part() == part);
        self.patterns_changed.fetch_add(1, Relaxed);
    }

    /// What parts keep to. Not for the audio thread.
    pub fn patterns(&self) -> Patterns {
        self.patterns.lock().unwrap_or_else(|e| e.into_inner()).clone()
    }

    /// The patterns, when they were changed since the count that is given; it is brought up to date. The band's
    /// thread.
    pub(crate) fn changed_patterns(&self, seen: &mut u32) -> Option<Patterns> {
        let count = self.patterns_changed.load(Relaxed);
        (std::mem::replace(seen, count) != count).then(|| self.patterns())
    }

    /// Notes that a panic was caught, for [`Status::panicked`]. Any thread; never waits.
    pub fn set_panicked(&self) {
        self.cells.panicked.store(true, Relaxed);
    }

    /// Reads the editor's state, briefly: the band's thread goes on meanwhile, but cannot write. Not for the audio
    /// thread.
    pub fn editor_state<R>(&self, read: impl FnOnce(&EditorState) -> R) -> R {
        read(&self.editor_state.lock().unwrap_or_else(|e| e.into_inner()))
    }

    /// Adds a notice for the user. Not for the audio thread.
    pub fn notice(&self, text: impl Into<String>) {
        let mut state = self.editor_state.lock().unwrap_or_else(|e| e.into_inner());
        let text = text.into();
        if state.notices.last() != Some(&text) {
            state.notices.push(text);
        }
        let excess = state.notices.len().saturating_sub(20);
        state.notices.drain(..excess);
    }

    /// Forgets the notices. Not for the audio thread.
    pub fn clear_notices(&self) {
        self.editor_state.lock().unwrap_or_else(|e| e.into_inner()).notices.clear();
    }

    /// Hands work to the band's thread, which does it as soon as it runs. Not for the audio thread.
    pub fn submit(&self, job: Task) {
        self.jobs.push(job);
    }

    /// Jobs that wait. The band's thread.
    pub(crate) fn next_job(&self) -> Option<Task> {
        self.jobs.pop()
    }

    /// Notes how long a decision took. The band's thread.
    pub(crate) fn note_decision(&self, took: Duration) {
        let us = took.as_micros().min(u128::from(u32::MAX)) as u32;
        let before = self.cells.decision_us.load(Relaxed);
        // The longest one, forgotten slowly.
        self.cells.decision_us.store(us.max(before - before / 64), Relaxed);
    }

    /// What sets off an action. Any thread; never waits.
    pub fn learned(&self, action: Control) -> Option<Trigger> {
        Trigger::unpack(self.learned[action.index()].load(Relaxed))
    }

    /// Sets or clears what sets off an action. Any thread; never waits.
    pub fn set_learned(&self, action: Control, trigger: Option<Trigger>) {
        self.learned[action.index()].store(trigger.map_or(0, Trigger::pack), Relaxed);
    }

    /// What learned messages have set on top of a control, if anything: its value, of the tempo the one that was
    /// tapped, and of Hold 1 while it is down. It goes away when the control itself is moved. Any thread; never
    /// waits.
    pub fn overridden(&self, action: Control) -> Option<f32> {
        let value = f32::from_bits(self.overrides[action.index()].load(Relaxed));
        (!value.is_nan()).then_some(value)
    }

    /// Which action the next key or controller is to be taught to, if any. Any thread; never waits.
    pub fn learning(&self) -> Option<Control> {
        let i = self.learning.load(Relaxed) as usize;
        i.checked_sub(1).and_then(Control::at)
    }

    /// Begins to teach an action, or gives up on it. Any thread; never waits.
    pub fn set_learning(&self, action: Option<Control>) {
        self.learning.store(action.map_or(0, |a| a.index() as u32 + 1), Relaxed);
    }

    /// Says whether an editor is open. Any thread; never waits.
    pub fn set_watched(&self, watched: bool) {
        self.watched.store(watched, Relaxed);
    }
}
