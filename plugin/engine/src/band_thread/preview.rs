//! What the band would play if the piano went on as it did a bar ago: shown ahead of the play line, never
//! played.

use std::collections::VecDeque;

use sideman_inference::band::{Band, StepPosition};
use sideman_music::{Note, PianoFrame, Pulse};

use crate::listen::Heard;
use crate::live::Expected;
use crate::messages::Order;
use crate::play::Player;
use crate::position::step_pulse;

/// Steps that are remembered: two bars of 12/8.
const FRAMES: usize = 48;
/// Furthest that is looked ahead, in steps.
const FURTHEST: i64 = 16;

/// Looks ahead a step at a time, whenever the band's thread has nothing else to do.
#[derive(Default)]
pub(super) struct Preview {
    /// What was heard lately, step by step; the newest last.
    heard: VecDeque<PianoFrame>,
    /// A band that is a copy of the one that plays, and its player.
    ahead: Option<(Player, Box<dyn Band>)>,
    next: i64,
    until: i64,
    notes: Vec<Expected>,
}

impl Preview {
    /// An epoch begins or ends.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// A step was decided: what was heard there.
    pub(super) fn hear(&mut self, frame: PianoFrame) {
        if self.heard.len() == FRAMES {
            self.heard.pop_front();
        }
        self.heard.push_back(frame);
    }

    /// Begins to look ahead from what was decided just now at a place.
    pub(super) fn begin(&mut self, place: &StepPosition, player: &Player, band: &dyn Band) {
        let bar = i64::from(place.bar_steps);
        self.notes.clear();
        // Without a bar of the past there is nothing to go on with.
        let known = (self.heard.len() as i64) >= bar && bar > 0;
        self.ahead = band.duplicate().filter(|_| known).map(|band| (player.clone(), band));
        self.next = place.step + 1;
        self.until = self.next + FURTHEST.min(bar);
    }

    /// Looks one step further. `base` is where pulse 0 of the epoch lies in the session. What is expected, when
    /// it is complete.
    pub(super) fn look(
        &mut self,
        place: impl Fn(i64) -> StepPosition,
        lean: Pulse,
        bpm: f32,
        base: Pulse,
    ) -> Option<&[Expected]> {
        let (player, band) = self.ahead.as_mut()?;
        let at = place(self.next);
        // The newest frame is of the step before the first one that is looked at.
        let looked = self.next - (self.until - FURTHEST.min(i64::from(at.bar_steps)));
        let back = (i64::from(at.bar_steps) - looked).max(1) as usize;
        let frame = self.heard.len().checked_sub(back).map_or(PianoFrame::SILENT, |i| self.heard[i]);
        let notes = &mut self.notes;
        player.step(&mut **band, &at, Heard { frame, lean }, bpm, &mut |order| match order {
            Order::Play(part, note) => {
                let note = Note { onset: note.onset + base, ..note };
                notes.push(Expected { part, note, decided: false });
            }
            Order::CancelFrom(from) => notes.retain(|e| e.note.onset < from + base),
            Order::Release(_) => {}
        });
        self.next += 1;
        if self.next < self.until {
            return None;
        }
        self.ahead = None;
        let from = step_pulse(self.until - FURTHEST.min(i64::from(at.bar_steps))) + base;
        self.notes.retain(|e| e.note.onset >= from);
        Some(&self.notes)
    }
}
