//! Renders a whole piece, faster than real time, as the plugin would have played it live.
//!
//! A virtual clock goes from step to step of a `Session`. At each decision point the scheduler has sent everything
//! due before it. No wall-clock time, no threads and no global state are involved: equal input gives equal notes.

use sideman_inference::band::{Band, StepPosition};
use sideman_inference::weights::NamedError;
use sideman_music::{MeterMap, Note, PARTS, Part, Pulse, TempoMap};

use crate::audio_thread::{Counts, Scheduler};
use crate::controls::Controls;
use crate::genre::Follower;
use crate::listen::{Hearing, LAST_PULSE};
use crate::loaded_band::LoadedBand;
use crate::messages::Message;
use crate::plan::SILENT_BARS;
use crate::position::{place_of, step_hearing, step_pulse};
pub use crate::session::LoadBand;
use crate::session::{Session, SessionBand, TEMPO_RANGE};
use crate::settings::{Settings, SettingsError};

/// A piece to be accompanied.
#[derive(Debug, Clone)]
pub struct Performance<'a> {
    piano: &'a [Note],
    meters: &'a MeterMap,
    tempos: &'a TempoMap,
    settings: Settings,
}

/// How far a render has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Pulse that has been reached.
    pub done: Pulse,
    /// Pulse at which the render ends at the latest.
    pub total: Pulse,
}

/// A rendered band.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Notes of each part in the order of [`Part::ALL`], by onset, then pitch. No two notes of a pitch
    /// overlap within a part.
    pub parts: [Vec<Note>; PARTS],
    /// Where the style followed the genre, in order.
    pub changes: Vec<StyleChange>,
    /// What happened.
    pub stats: Stats,
}

/// Another style from a bar line on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StyleChange {
    /// The bar line.
    pub at: Pulse,
    /// Number of the bar, from 0.
    pub bar: i64,
    /// Name of the style.
    pub style: String,
    /// General MIDI programs of the parts from there on, from 0; of the drums the kit.
    pub programs: [u8; PARTS],
}

/// What happened in a render.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Steps that the clock passed, less those in which the band slept.
    pub steps: u64,
    /// Notes of each part.
    pub notes: [usize; PARTS],
    /// Pulse of the first note of the band.
    pub entered: Option<Pulse>,
    /// Pulse at which the last note of the band has ended.
    pub end: Pulse,
    /// What the scheduler had to leave out; offline only an overflow is possible.
    pub scheduler: Counts,
}

impl Rendered {
    /// Notes of a part.
    pub fn part(&self, part: Part) -> &[Note] {
        &self.parts[part.index()]
    }
}

impl<'a> Performance<'a> {
    /// Prepares to accompany a piano part, given in any order.
    ///
    /// # Errors
    /// When a setting is out of its range.
    pub fn new(
        piano: &'a [Note],
        meters: &'a MeterMap,
        tempos: &'a TempoMap,
        settings: Settings,
    ) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self { piano, meters, tempos, settings })
    }

    /// Renders one band from its reset to its end, at most [`SILENT_BARS`] bars after the piano's, whatever the
    /// genre. `progress` is called once a bar.
    pub fn render(&self, band: &mut dyn Band, progress: &mut dyn FnMut(Progress)) -> Rendered {
        self.play(SessionBand::Fixed(band), None, &mut |_, _| None, progress)
    }

    /// Renders a loaded band as it plays live: where the controls leave the style to the genre, `load`
    /// loads the bands that take over.
    ///
    /// # Errors
    /// When the program was built with a damaged classifier.
    pub fn render_following(
        &self,
        band: LoadedBand,
        load: LoadBand<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Rendered, NamedError> {
        let follower = Some(Box::new(Follower::new()?));
        Ok(self.play(SessionBand::Loaded(band), follower, load, progress))
    }

    fn play(
        &self,
        band: SessionBand<'_>,
        follower: Option<Box<Follower>>,
        load: LoadBand<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Rendered {
        let mut session = Session::new(self.settings.clone(), Hearing::new(self.piano), band, follower);
        session.restart();
        let mut changes = Vec::new();
        let mut scheduler = Scheduler::new(0);
        let controls = self.settings.controls;
        let mut tape = Tape::default();
        let mut stats = Stats::default();
        let total = self.latest_end(session.hearing());

        let mut step = 0;
        loop {
            let place = place_of(step, self.meters);
            scheduler.advance(session.decision_point(step), |m| tape.record(m, &controls));
            let changed = session.step(&place, self.bpm(&place), None, load, &mut |order| {
                scheduler.accept(0, order);
            });
            if let Some(band) = session.loaded().filter(|_| changed.band) {
                let (style, programs) = (band.style.clone(), band.programs);
                changes.push(StyleChange { at: step_pulse(step), bar: place.bar, style, programs });
            }
            let asleep = session.player().is_asleep();
            stats.steps += u64::from(!asleep);
            if place.in_bar == 0 {
                progress(Progress { done: step_pulse(step).min(total), total });
            }
            step = match session.hearing().next_step() {
                // Nothing is missed by going straight to where the piano wakes the band.
                Some(next) if asleep => next.max(step + 1),
                Some(_) => step + 1,
                None if session.player().rests() => break,
                None => step + 1,
            };
        }
        // All that is left are notes that have their ends.
        scheduler.advance(Pulse::MAX, |m| tape.record(m, &controls));
        progress(Progress { done: total, total });

        let mut parts = tape.parts;
        for (i, notes) in parts.iter_mut().enumerate() {
            notes.sort_unstable();
            stats.notes[i] = notes.len();
            let first = notes.first().map(|n| n.onset);
            stats.entered = stats.entered.into_iter().chain(first).min();
            stats.end = notes.iter().map(Note::end).max().unwrap_or(0).max(stats.end);
        }
        stats.scheduler = scheduler.counts();
        Rendered { parts, changes, stats }
    }

    fn bpm(&self, place: &StepPosition) -> f64 {
        self.tempos.bpm_at(step_pulse(place.step)).clamp(TEMPO_RANGE.0, TEMPO_RANGE.1)
    }

    /// Some bars after the last key movement; for the progress only.
    fn latest_end(&self, hearing: &Hearing) -> Pulse {
        let last = step_hearing(hearing.end().min(LAST_PULSE));
        let bar = i64::from(place_of(last, self.meters).bar_steps);
        step_pulse(last + SILENT_BARS * bar)
    }
}

/// Collects messages into notes, transposed.
#[derive(Debug, Default)]
struct Tape {
    parts: [Vec<Note>; PARTS],
    /// Notes that have begun, as the band sent them, and the pitch they sound at.
    open: Vec<(Message, u8)>,
}

impl Tape {
    fn record(&mut self, m: Message, controls: &Controls) {
        self.end(m.at, |o, _| (o.part, o.pitch) == (m.part, m.pitch));
        if m.velocity > 0 {
            let pitch = controls.transposed(m.part, m.pitch);
            // Two pitches may be folded onto one: as in the router, the first ends where the second begins.
            self.end(m.at, |o, sounding| (o.part, sounding) == (m.part, pitch));
            self.open.push((m, pitch));
        }
    }

    fn end(&mut self, at: Pulse, which: impl Fn(&Message, u8) -> bool) {
        let Some(i) = self.open.iter().position(|(o, pitch)| which(o, *pitch)) else { return };
        let (o, pitch) = self.open.swap_remove(i);
        if at > o.at {
            self.parts[o.part.index()].push(Note {
                onset: o.at,
                pitch,
                length: at - o.at,
                velocity: o.velocity,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pitches_that_are_folded_onto_one_take_turns() {
        let controls = Controls { transpose: 7, ..Controls::default() };
        let mut tape = Tape::default();
        // 113 and 125 both sound at 120; the note-off of the first must not end the second.
        for (at, pitch, velocity) in [(0, 113, 80), (10, 125, 70), (20, 113, 0), (30, 125, 0)] {
            tape.record(Message { at, part: Part::Strings, pitch, velocity }, &controls);
        }
        let note = |onset, length, velocity| Note { onset, pitch: 120, length, velocity };
        assert_eq!(tape.parts[Part::Strings.index()], [note(0, 10, 80), note(10, 20, 70)]);
    }
}
