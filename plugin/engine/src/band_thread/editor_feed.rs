//! What the band's thread writes down for an editor.

use std::sync::Arc;

use sideman_inference::band::StepPosition;
use sideman_music::chord::Reading;
use sideman_music::{Note, PARTS, PianoFrame, Pulse, STEP_PULSES};

use crate::genre::GenreView;
use crate::live::{EditorState, Expected, KEPT, RollNote, Shared};
use crate::loaded_band::LoadedBand;
use crate::messages::{Order, TempoPoint, Voice};
use crate::position::step_pulse;

/// Decided notes that are shown ahead of the play line.
const AHEAD: usize = 256;
/// Half-bars without a key after which no chord is shown.
const CHORD_STAYS: u32 = 4;

/// Collects what happens and writes it into the editor's state when nobody is reading.
pub(super) struct EditorFeed {
    shared: Arc<Shared>,
    /// What happened since the last writing.
    taped: Vec<(Pulse, Voice, u8, u8)>,
    points: Vec<TempoPoint>,
    /// Pulses from the epoch to the session.
    base: Pulse,
    ahead: Vec<Expected>,
    /// What is likely to follow after that.
    expected: Vec<Expected>,
    /// Steps that each pitch class sounded in this half-bar, and the lowest pitch.
    weights: [f32; 12],
    lowest: u8,
    silent: u32,
    chord: String,
    /// Style and engine.
    names: Option<(String, String, [u8; PARTS])>,
    genre: GenreView,
    /// Decision point of the last order or step, in pulses of the session.
    decided: Pulse,
    changed: bool,
}

impl EditorFeed {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            taped: Vec::new(),
            points: Vec::new(),
            base: 0,
            ahead: Vec::new(),
            expected: Vec::new(),
            weights: [0.0; 12],
            lowest: 127,
            silent: 0,
            chord: String::new(),
            names: None,
            genre: GenreView::default(),
            decided: Pulse::MIN,
            changed: false,
        }
    }

    /// Another band plays.
    pub(super) fn name(&mut self, loaded: &LoadedBand) {
        self.names = Some((loaded.style.clone(), loaded.name.clone(), loaded.programs));
        self.changed = true;
    }

    /// What is known of the genre.
    pub(super) fn genre(&mut self, genre: GenreView) {
        self.changed |= genre != self.genre;
        self.genre = genre;
    }

    /// An epoch begins or ends: nothing is ahead.
    pub(super) fn begin(&mut self) {
        self.ahead.clear();
        self.expected.clear();
        self.weights = [0.0; 12];
        self.changed = true;
    }

    /// Where pulse 0 of the epoch lies in the session.
    pub(super) fn base(&self) -> Pulse {
        self.base
    }

    /// Tempo or bars change.
    pub(super) fn point(&mut self, point: TempoPoint) {
        self.base = point.at - point.position;
        self.points.push(point);
        self.changed = true;
    }

    /// A note began or ended.
    pub(super) fn tape(&mut self, at: Pulse, voice: Voice, pitch: u8, velocity: u8) {
        self.taped.push((at, voice, pitch, velocity));
        self.changed = true;
    }

    /// An order was given at a decision point.
    pub(super) fn order(&mut self, order: Order, point: Pulse) {
        let now = point + self.base;
        match order {
            Order::Play(part, note) => {
                if self.ahead.len() < AHEAD {
                    let onset = note.onset + self.base;
                    self.ahead.push(Expected { part, note: Note { onset, ..note }, decided: true });
                }
            }
            Order::CancelFrom(from) => self.ahead.retain(|e| e.note.onset < from + self.base),
            Order::Release(at) => {
                for e in &mut self.ahead {
                    let end = e.note.end().min(at + self.base);
                    e.note.length = (end - e.note.onset).max(1);
                }
            }
        }
        self.ahead.retain(|e| e.note.end() > now);
        self.changed = true;
    }

    /// What is likely to follow, in pulses of the session.
    pub(super) fn expect(&mut self, expected: &[Expected]) {
        self.expected.clear();
        self.expected.extend_from_slice(expected);
        self.changed = true;
    }

    /// The piano was heard at a step: the chord is named at the end of each half-bar, and as soon as a new
    /// one is clear.
    pub(super) fn hear(&mut self, frame: &PianoFrame, place: &StepPosition) {
        self.decided = step_pulse(place.step) + STEP_PULSES + self.base;
        if place.in_bar.is_multiple_of(place.half_steps.max(1)) {
            self.weights = [0.0; 12];
            self.lowest = 127;
            self.silent += 1;
            if self.silent > CHORD_STAYS && !self.chord.is_empty() {
                self.chord.clear();
                self.changed = true;
            }
        }
        if frame.keys == 0 {
            return;
        }
        self.silent = 0;
        for pc in 0..12 {
            self.weights[pc] += f32::from(frame.sounding >> pc & 1) + 0.5 * f32::from(frame.struck >> pc & 1);
        }
        self.lowest = self.lowest.min(frame.lowest);
        let notes = self.weights.iter().filter(|w| **w > 0.0).count();
        if let Some(reading) = Reading::weighted(&self.weights, self.lowest)
            && notes >= 3
            && reading.fit > 0.6
        {
            let name = reading.name();
            if name != self.chord {
                self.chord = name;
                self.changed = true;
            }
        }
    }

    /// Writes into the editor's state, unless somebody is reading it: then at the next occasion.
    pub(super) fn write(&mut self) {
        if !self.changed {
            return;
        }
        let Ok(mut state) = self.shared.editor_state.try_lock() else { return };
        for (at, voice, pitch, velocity) in self.taped.drain(..) {
            if velocity > 0 {
                begin_note(&mut state, RollNote { voice, onset: at, length: None, pitch, velocity });
            } else {
                end_note(&mut state, voice, pitch, at);
            }
        }
        for point in self.points.drain(..) {
            // Several at one place: the last one holds.
            if state.tempos.back().is_some_and(|last| last.at >= point.at) {
                state.tempos.pop_back();
            }
            state.tempos.push_back(point);
        }
        let now = state.notes.back().map_or(0, |n| n.onset);
        while state.notes.front().is_some_and(|n| n.onset < now - KEPT) {
            state.notes.pop_front();
        }
        // The tempo that holds at the first note stays.
        while state.tempos.get(1).is_some_and(|t| t.at < now - KEPT) {
            state.tempos.pop_front();
        }
        state.ahead.clone_from(&self.ahead);
        // What has been decided meanwhile is no longer merely expected.
        let decided = self.decided;
        state.ahead.extend(self.expected.iter().filter(|e| e.note.onset > decided));
        state.ahead.sort_unstable_by_key(|e| e.note.onset);
        state.chord.clone_from(&self.chord);
        state.genre.clone_from(&self.genre);
        if let Some((style, engine, programs)) = &self.names {
            state.programs = *programs;
            state.style.clone_from(style);
            state.engine.clone_from(engine);
        }
        self.changed = false;
    }
}

fn begin_note(state: &mut EditorState, note: RollNote) {
    end_note(state, note.voice, note.pitch, note.onset);
    // Reported late by a block at most, so the place is near the end.
    let place = state.notes.iter().rposition(|n| n.onset <= note.onset).map_or(0, |i| i + 1);
    state.notes.insert(place, note);
}

fn end_note(state: &mut EditorState, voice: Voice, pitch: u8, at: Pulse) {
    let open = |n: &&mut RollNote| n.length.is_none() && n.voice == voice && n.pitch == pitch;
    if let Some(note) = state.notes.iter_mut().rev().find(open) {
        note.length = Some((at - note.onset).max(1));
    }
}
