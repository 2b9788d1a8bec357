//! Parameters that are pressed rather than set.

use sideman_engine::live::Action;

use crate::params::Triggers;

/// The presses that were seen so far, by the audio thread.
#[derive(Debug)]
pub(crate) struct Seen([u32; 4]);

/// Fills are not among them: the engine counts them itself.
const ACTIONS: [Action; 4] = [Action::NextVariation, Action::Panic, Action::Tap, Action::StartStop];
/// Most presses of one button that a block acts on.
const MOST: u32 = 4;

fn counts(presses: &Triggers) -> [u32; 4] {
    [presses.next.count(), presses.panic.count(), presses.tap.count(), presses.start_stop.count()]
}

impl Seen {
    /// All so far.
    pub(crate) fn new(presses: &Triggers) -> Self {
        Self(counts(presses))
    }

    /// Each press since.
    pub(crate) fn each(&mut self, presses: &Triggers, mut act: impl FnMut(Action)) {
        let counts = counts(presses);
        for (i, action) in ACTIONS.into_iter().enumerate() {
            for _ in 0..counts[i].wrapping_sub(self.0[i]).min(MOST) {
                act(action);
            }
        }
        self.0 = counts;
    }
}
