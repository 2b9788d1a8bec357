//! What a band heard last, for the one that takes over from it.

use sideman_inference::band::{Band, StepContext};
use sideman_music::BandStep;

/// Steps that are kept: two bars of 4/4. The network takes about 0.1 ms for each.
const KEPT: usize = 32;

/// The last contexts without a gap. No allocation after construction.
#[derive(Debug, Clone)]
pub(super) struct Rehearsal {
    contexts: Box<[Option<StepContext>; KEPT]>,
    /// Where the next one goes.
    next: usize,
}

impl Default for Rehearsal {
    fn default() -> Self {
        Self { contexts: Box::new([None; KEPT]), next: 0 }
    }
}

impl Rehearsal {
    /// Forgets everything.
    pub(super) fn reset(&mut self) {
        self.contexts.fill(None);
    }

    /// Keeps a context.
    pub(super) fn push(&mut self, context: StepContext) {
        let last = self.contexts[(self.next + KEPT - 1) % KEPT];
        if last.is_some_and(|m| m.place.step + 1 != context.place.step) {
            self.reset();
        }
        self.contexts[self.next] = Some(context);
        self.next = (self.next + 1) % KEPT;
    }

    /// Has a band that was reset play along in silence, so that it knows the harmony and has a groove.
    /// Returns what it would have played ahead of the step that comes next.
    pub(super) fn play(&self, band: &mut dyn Band) -> BandStep {
        let (after, before) = self.contexts.split_at(self.next);
        let contexts = before.iter().chain(after).flatten();
        contexts.fold(BandStep::EMPTY, |_, context| band.decide(context).early)
    }
}
