//! Triggers that the audio thread acts on.

use sideman_engine::controls::Control;

use crate::params::SidemanParams;

/// Presses that the audio thread has acted on so far.
#[derive(Debug)]
pub(crate) struct Seen([u32; 4]);

/// Fills and new figures are not among them: the engine counts them itself.
const TRIGGERS: [Control; 4] = [Control::Next, Control::Panic, Control::Tap, Control::StartStop];
/// Most presses of one button that a block acts on.
const MOST: u32 = 4;

impl Seen {
    /// All so far.
    pub(crate) fn new(params: &SidemanParams) -> Self {
        Self(TRIGGERS.map(|control| params.presses(control)))
    }

    /// Each press since.
    pub(crate) fn each(&mut self, params: &SidemanParams, mut act: impl FnMut(Control)) {
        let now = Self::new(params);
        for (i, control) in TRIGGERS.into_iter().enumerate() {
            for _ in 0..now.0[i].wrapping_sub(self.0[i]).min(MOST) {
                act(control);
            }
        }
        *self = now;
    }
}
