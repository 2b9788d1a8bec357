//! Renders a whole piece, faster than real time, as the plugin would have played it live.
//!
//! A virtual clock goes from step to step. At each decision point the scheduler has sent everything due
//! before it, the band hears the piano up to it, and what it decides is ordered. No wall-clock time, no
//! threads and no global state are involved: equal input gives equal notes.

use sideman_inference::band::{Band, StepPosition};
use sideman_inference::weights::NamedError;
use sideman_music::{MeterMap, Note, Part, Pulse, TempoMap};

use crate::audio_thread::{Counts, Scheduler};
use crate::controls::Controls;
use crate::genre::Follower;
use crate::listen::{Hearing, LAST_PULSE};
use crate::loaded_band::{LoadedBand, Music};
use crate::messages::Message;
use crate::plan::SILENT_BARS;
use crate::play::Player;
use crate::position::{place_of, step_hearing, step_pulse};
use crate::settings::{Settings, SettingsError};
use crate::style::StyleChoice;

/// Slowest and fastest tempo that a band is told, quarter notes a minute, whatever a file claims.
const TEMPO_RANGE: (f64, f64) = (10.0, 500.0);

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
    pub parts: [Vec<Note>; 4],
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
    pub programs: [u8; 4],
}

/// Makes the band of other controls for the music of a bar; `None` where there is none, and the one that plays goes
/// on.
pub type Another<'a> = &'a mut dyn FnMut(&Controls, Music) -> Option<LoadedBand>;

/// Whom a performance is played by.
enum Players<'a> {
    /// One band from beginning to end.
    One(&'a mut dyn Band),
    /// A band, and others that take over where the style follows the genre.
    Following { seat: Box<LoadedBand>, style: StyleChoice, follower: Box<Follower>, another: Another<'a> },
}

impl Players<'_> {
    fn band(&mut self) -> &mut dyn Band {
        match self {
            Self::One(band) => *band,
            Self::Following { seat, .. } => &mut *seat.band,
        }
    }
}

/// What happened in a render.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Steps that the clock passed, less those in which the band slept.
    pub steps: u64,
    /// Notes of each part.
    pub notes: [usize; 4],
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
        self.play(Players::One(band), progress)
    }

    /// Renders the band of a seat as it plays live: where the controls leave the style to the genre, `another`
    /// makes the bands that take over.
    ///
    /// # Errors
    /// When the program was built with a damaged classifier.
    pub fn render_following(
        &self,
        seat: LoadedBand,
        another: Another<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Rendered, NamedError> {
        let follower = Box::new(Follower::new()?);
        let style = self.settings.controls.style;
        Ok(self.play(Players::Following { seat: Box::new(seat), style, follower, another }, progress))
    }

    fn play(&self, mut players: Players<'_>, progress: &mut dyn FnMut(Progress)) -> Rendered {
        let mut hearing = Hearing::new(self.piano);
        let mut player = Player::new(self.settings.clone());
        player.reset(players.band());
        let mut changes = Vec::new();
        let mut scheduler = Scheduler::new(0);
        let mut tape = Tape::default();
        let mut stats = Stats::default();
        let total = self.latest_end(&hearing);

        let mut step = 0;
        loop {
            let place = place_of(step, self.meters);
            let heard = hearing.each(&place, |event| {
                if let Players::Following { follower, .. } = &mut players {
                    follower.key(event);
                }
            });
            changes.extend(self.follow(&mut players, &mut player, &place, step_pulse(step) + heard.lean));
            scheduler.advance(step_pulse(step) + heard.lean, |m| tape.record(m));
            player.step(players.band(), &place, heard, self.bpm(&place) as f32, &mut |order| {
                scheduler.accept(0, order);
            });
            stats.steps += u64::from(!player.is_asleep());
            if let (true, Players::Following { follower, .. }) = (player.is_asleep(), &mut players) {
                follower.sleep();
            }
            if place.in_bar == 0 {
                progress(Progress { done: step_pulse(step).min(total), total });
            }
            step = match hearing.next_step() {
                // Nothing is missed by going straight to where the piano wakes the band.
                Some(next) if player.is_asleep() => next.max(step + 1),
                Some(_) => step + 1,
                None if player.rests() => break,
                None => step + 1,
            };
        }
        // All that is left are notes that have their ends.
        scheduler.advance(Pulse::MAX, |m| tape.record(m));
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

    /// Lets the style follow the genre. Returns the change, if there is one.
    fn follow(
        &self,
        players: &mut Players<'_>,
        player: &mut Player,
        place: &StepPosition,
        now: Pulse,
    ) -> Option<StyleChange> {
        let Players::Following { seat, style, follower, another } = players else { return None };
        let bpm = self.bpm(place);
        follower.step(place, now, bpm, &self.settings.controls, None);
        let controls = follower.followed(&self.settings.controls);
        if place.in_bar != 0 || controls.style == *style {
            return None;
        }
        *style = controls.style;
        if seat.plays(controls.style) {
            return None;
        }
        let music = Music { bpm, bar_steps: i64::from(place.bar_steps) };
        **seat = another(&controls, music).filter(|other| other.style != seat.style)?;
        player.take_over(seat);
        Some(StyleChange {
            at: step_pulse(place.step),
            bar: place.bar,
            style: seat.style.clone(),
            programs: seat.programs,
        })
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

/// Collects messages into notes.
#[derive(Debug, Default)]
struct Tape {
    parts: [Vec<Note>; 4],
    /// Notes that have begun: part, pitch, onset, velocity.
    open: Vec<Message>,
}

impl Tape {
    fn record(&mut self, m: Message) {
        if m.velocity > 0 {
            self.open.push(m);
            return;
        }
        if let Some(i) = self.open.iter().position(|o| (o.part, o.pitch) == (m.part, m.pitch)) {
            let o = self.open.swap_remove(i);
            let note = Note { onset: o.at, pitch: o.pitch, length: m.at - o.at, velocity: o.velocity };
            self.parts[m.part.index()].push(note);
        }
    }
}
