//! What taught keys, knobs and pedals set on top of the controls.

use std::sync::atomic::Ordering::Relaxed;

use crate::controls::{CONTROLS, Control, Controls, Kind, VARIATIONS};
use crate::live::{Shared, Trigger};
use crate::messages::MidiMessage;

/// What a taught message asks of the clock or of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Press {
    /// Ends every note and begins anew.
    Panic,
    /// Taps the tempo.
    Tap,
    /// Starts or stops the internal clock.
    StartStop,
}

/// Values on top of the controls; each goes away when the control below it is moved. Owned by the audio
/// thread. No allocation.
#[derive(Debug, Clone)]
pub(super) struct LearnedOverrides {
    values: [Option<f32>; CONTROLS],
    /// Controls of the last block.
    below: Controls,
    /// Presses of counting triggers.
    counts: [u32; CONTROLS],
    held: bool,
    changed: bool,
}

impl Default for LearnedOverrides {
    fn default() -> Self {
        Self {
            values: [None; CONTROLS],
            below: Controls::default(),
            counts: [0; CONTROLS],
            held: false,
            changed: true,
        }
    }
}

impl LearnedOverrides {
    /// The controls as they are in effect: those given, and what was taught on top.
    pub(super) fn apply(&mut self, controls: &Controls) -> Controls {
        let mut out = controls.clamped();
        let below = std::mem::replace(&mut self.below, out);
        for control in every() {
            let value = &mut self.values[control.index()];
            if value.is_some() && out.get(control) != below.get(control) {
                *value = None;
                self.changed = true;
            }
            if let Some(value) = *value {
                out.set(control, value);
            }
            if let Some(count) = out.count(control) {
                *count = count.wrapping_add(self.counts[control.index()]);
            }
        }
        out.hold |= self.held;
        out
    }

    /// Takes an incoming message. Returns whether it was taught to something, and is not music then, and
    /// what it asks for.
    pub(super) fn receive(
        &mut self,
        shared: &Shared,
        channel: u8,
        message: MidiMessage,
    ) -> (bool, Option<Press>) {
        let (trigger, amount) = match message {
            MidiMessage::Note { pitch, velocity } => (Trigger::Note(channel & 15, pitch & 127), velocity),
            MidiMessage::Other { status: 0xB0, first, second } => {
                (Trigger::Controller(channel & 15, first & 127), second & 127)
            }
            MidiMessage::Other { .. } => return (false, None),
        };
        if let Some(action) = shared.learning()
            && amount > 0
        {
            shared.set_learning(None);
            shared.set_learned(action, Some(trigger));
            // Taught, and not yet done: but its note-off is not music either.
            return (true, None);
        }
        let packed = trigger.pack();
        let mut taught = (false, None);
        for action in every() {
            if shared.learned[action.index()].load(Relaxed) == packed {
                let is_note = matches!(trigger, Trigger::Note(..));
                taught = (true, taught.1.or(self.act(action, amount, is_note)));
            }
        }
        taught
    }

    /// A press of the button of an action, or a movement of its controller.
    fn act(&mut self, action: Control, amount: u8, is_note: bool) -> Option<Press> {
        let row = action.row();
        if row.is_value() {
            // A key has only its velocity to say how much.
            if amount > 0 || !is_note {
                let (low, high, _) = row.range();
                let value = low + (high - low) * f32::from(amount) / 127.0;
                self.put(
                    action,
                    if matches!(row.kind, Kind::Integer { .. }) { value.round() } else { value },
                );
            }
            return None;
        }
        let down = if is_note { amount > 0 } else { amount >= 64 };
        if action == Control::Hold {
            self.held = down;
            self.changed = true;
            return None;
        }
        if down { self.press(action) } else { None }
    }

    /// Triggers the button of an action.
    pub(super) fn press(&mut self, action: Control) -> Option<Press> {
        let now = |c: Control| self.values[c.index()].or(self.below.get(c)).unwrap_or(0.0);
        match (action, action.row().kind) {
            (Control::Panic, _) => return Some(Press::Panic),
            (Control::Tap, _) => return Some(Press::Tap),
            (Control::StartStop, _) => return Some(Press::StartStop),
            (Control::Hold, _) => self.held = !self.held,
            (Control::Next, _) => {
                self.put(Control::Variation, ((now(Control::Variation) as u8 + 1) % VARIATIONS).into());
            }
            (_, Kind::Trigger) => {
                let count = &mut self.counts[action.index()];
                *count = count.wrapping_add(1);
            }
            (_, Kind::Switch(_)) if action.row().learn.is_some() => {
                self.put(action, if now(action) >= 0.5 { 0.0 } else { 1.0 });
            }
            _ => {}
        }
        self.changed = true;
        None
    }

    fn put(&mut self, action: Control, value: f32) {
        self.values[action.index()] = Some(value);
        self.changed = true;
    }

    /// Tells an editor what is set on top.
    pub(super) fn publish(&mut self, shared: &Shared, tapped_bpm: Option<f64>) {
        let bpm = tapped_bpm.map_or(f32::NAN, |b| b as f32).to_bits();
        shared.overrides[Control::Tempo.index()].store(bpm, Relaxed);
        if !std::mem::take(&mut self.changed) {
            return;
        }
        for control in every() {
            let value = match control {
                Control::Tempo => continue,
                Control::Hold => self.held.then_some(1.0),
                _ => self.values[control.index()],
            };
            shared.overrides[control.index()].store(value.unwrap_or(f32::NAN).to_bits(), Relaxed);
        }
    }
}

fn every() -> impl Iterator<Item = Control> {
    (0..CONTROLS).filter_map(Control::at)
}

#[cfg(test)]
mod tests {
    use sideman_music::Part;

    use super::*;

    fn cc(number: u8, value: u8) -> MidiMessage {
        MidiMessage::Other { status: 0xB0, first: number, second: value }
    }

    #[test]
    fn a_knob_is_taught_moves_its_control_and_yields_to_it() {
        let shared = Shared::default();
        let mut overrides = LearnedOverrides::default();
        let mut controls = Controls::default();
        overrides.apply(&controls);
        shared.set_learning(Some(Control::Intensity));
        assert_eq!(overrides.receive(&shared, 2, cc(20, 64)), (true, None));
        assert_eq!(shared.learned(Control::Intensity), Some(Trigger::Controller(2, 20)));
        assert_eq!(shared.learning(), None);
        assert_eq!(overrides.receive(&shared, 2, cc(20, 127)), (true, None));
        assert_eq!(overrides.apply(&controls).intensity, 1.0);
        overrides.publish(&shared, None);
        assert_eq!(shared.overridden(Control::Intensity), Some(1.0));
        assert_eq!(overrides.receive(&shared, 3, cc(20, 5)), (false, None), "another channel");
        controls.intensity = 0.2;
        assert_eq!(overrides.apply(&controls).intensity, 0.2);
        overrides.publish(&shared, None);
        assert_eq!(shared.overridden(Control::Intensity), None);
    }

    #[test]
    fn a_pedal_holds_while_it_is_down_and_a_key_toggles() {
        let shared = Shared::default();
        let mut overrides = LearnedOverrides::default();
        let controls = Controls::default();
        shared.set_learned(Control::Hold, Some(Trigger::Controller(0, 64)));
        shared.set_learned(Control::Mute(Part::Bass), Some(Trigger::Note(9, 36)));
        shared.set_learned(Control::Next, Some(Trigger::Note(9, 37)));
        shared.set_learned(Control::Panic, Some(Trigger::Note(9, 38)));
        overrides.receive(&shared, 0, cc(64, 127));
        assert!(overrides.apply(&controls).hold);
        overrides.receive(&shared, 0, cc(64, 0));
        assert!(!overrides.apply(&controls).hold);
        let key = |pitch, velocity| MidiMessage::Note { pitch, velocity };
        for muted in [true, false, true] {
            assert!(
                overrides.receive(&shared, 9, key(36, 90)).0 && overrides.receive(&shared, 9, key(36, 0)).0
            );
            assert_eq!(overrides.apply(&controls).parts[1].mute, muted);
        }
        for variation in [1, 2, 3, 0] {
            overrides.receive(&shared, 9, key(37, 90));
            assert_eq!(overrides.apply(&controls).variation, variation);
        }
        assert_eq!(overrides.receive(&shared, 9, key(38, 1)), (true, Some(Press::Panic)));
        assert_eq!(overrides.receive(&shared, 9, key(38, 0)), (true, None));
    }
}
