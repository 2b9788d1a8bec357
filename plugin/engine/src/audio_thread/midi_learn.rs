//! What taught keys, knobs and pedals set on top of the controls.

use std::sync::atomic::Ordering::Relaxed;

use sideman_music::Part;

use crate::controls::{Controls, VARIATIONS};
use crate::live::{ACTIONS, Action, Shared, Trigger};
use crate::messages::MidiMessage;

/// What a taught message asks of the clock or of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Press {
    /// Ends every note and begins anew.
    Panic,
    /// Taps the tempo.
    Tap,
    /// Starts or stops the own clock.
    StartStop,
}

/// Values on top of the controls; each goes away when the control below it is moved. Owned by the audio
/// thread. No allocation.
#[derive(Debug, Clone)]
pub(super) struct LearnedOverrides {
    values: [Option<f32>; ACTIONS],
    /// Controls of the last block.
    below: Controls,
    fills: u32,
    redraws: [u32; 4],
    held: bool,
    changed: bool,
}

impl Default for LearnedOverrides {
    fn default() -> Self {
        Self {
            values: [None; ACTIONS],
            below: Controls::default(),
            fills: 0,
            redraws: [0; 4],
            held: false,
            changed: true,
        }
    }
}

/// The control that an action moves, as a number.
fn value(c: &Controls, action: Action) -> f32 {
    let flag = |b: bool| f32::from(u8::from(b));
    match action {
        Action::Hold => flag(c.hold),
        Action::NextVariation => f32::from(c.variation),
        Action::Freeze => flag(c.freeze),
        Action::Mute(part) => flag(c.part(part).mute),
        Action::Lock(part) => flag(c.part(part).lock),
        Action::Intensity => c.intensity,
        Action::Complexity => c.complexity,
        Action::Swing => c.swing,
        Action::Humanize => c.humanize,
        Action::Temperature => c.temperature,
        Action::Level(part) => c.part(part).level,
        Action::Density(part) => c.part(part).density,
        Action::Morph => c.morph,
        Action::Sections => c.sections,
        Action::Dynamics => c.dynamics,
        Action::Fill | Action::Redraw(_) | Action::Panic | Action::Tap | Action::StartStop => 0.0,
    }
}

fn set(c: &mut Controls, action: Action, value: f32) {
    let on = value >= 0.5;
    fn part(c: &mut Controls, p: Part) -> &mut crate::controls::PartControls {
        &mut c.parts[p.index()]
    }
    match action {
        Action::Hold => c.hold |= on,
        Action::NextVariation => c.variation = value as u8,
        Action::Freeze => c.freeze = on,
        Action::Mute(p) => part(c, p).mute = on,
        Action::Lock(p) => part(c, p).lock = on,
        Action::Intensity => c.intensity = value,
        Action::Complexity => c.complexity = value,
        Action::Swing => c.swing = value,
        Action::Humanize => c.humanize = value,
        Action::Temperature => c.temperature = value,
        Action::Level(p) => part(c, p).level = value,
        Action::Density(p) => part(c, p).density = value,
        Action::Morph => c.morph = value,
        Action::Sections => c.sections = value,
        Action::Dynamics => c.dynamics = value,
        Action::Fill | Action::Redraw(_) | Action::Panic | Action::Tap | Action::StartStop => {}
    }
}

/// What a controller's 0 to 127 stand for.
fn range(action: Action) -> (f32, f32) {
    match action {
        Action::Temperature => (0.1, 2.0),
        Action::Level(_) => (0.0, 1.5),
        _ => (0.0, 1.0),
    }
}

impl LearnedOverrides {
    /// The controls as they are in effect: those given, and what was taught on top.
    pub(super) fn apply(&mut self, controls: &Controls) -> Controls {
        let mut out = controls.clamped();
        for action in Action::ALL {
            let i = action.index();
            if self.values[i].is_none() {
                continue;
            }
            if value(&out, action) != value(&self.below, action) {
                self.values[i] = None;
                self.changed = true;
            }
        }
        self.below = out;
        for action in Action::ALL {
            if let Some(value) = self.values[action.index()] {
                set(&mut out, action, value);
            }
        }
        out.fills = out.fills.wrapping_add(self.fills);
        for (part, redraws) in out.parts.iter_mut().zip(self.redraws) {
            part.redraws = part.redraws.wrapping_add(redraws);
        }
        out.hold |= self.held;
        out
    }

    /// Takes a message that came in. Returns whether it was taught to something, and is not music then, and
    /// what it asks for.
    pub(super) fn hear(
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
        for action in Action::ALL {
            if shared.learned[action.index()].load(Relaxed) == packed {
                let is_note = matches!(trigger, Trigger::Note(..));
                taught = (true, taught.1.or(self.act(action, amount, is_note)));
            }
        }
        taught
    }

    /// A press of the button of an action, or a movement of its controller.
    fn act(&mut self, action: Action, amount: u8, is_note: bool) -> Option<Press> {
        if action.is_value() {
            // A key has only its velocity to say how much.
            if amount > 0 || !is_note {
                let (low, high) = range(action);
                self.put(action, low + (high - low) * f32::from(amount) / 127.0);
            }
            return None;
        }
        let down = if is_note { amount > 0 } else { amount >= 64 };
        if action == Action::Hold {
            self.held = down;
            self.changed = true;
            return None;
        }
        if down { self.press(action) } else { None }
    }

    /// Triggers the button of an action.
    pub(super) fn press(&mut self, action: Action) -> Option<Press> {
        let i = action.index();
        let now = self.values[i].unwrap_or(value(&self.below, action));
        match action {
            Action::Panic => return Some(Press::Panic),
            Action::Tap => return Some(Press::Tap),
            Action::StartStop => return Some(Press::StartStop),
            Action::Fill => self.fills = self.fills.wrapping_add(1),
            Action::Redraw(p) => {
                let redraws = &mut self.redraws[p.index()];
                *redraws = redraws.wrapping_add(1);
            }
            Action::NextVariation => self.put(action, ((now as u8 + 1) % VARIATIONS).into()),
            Action::Freeze | Action::Mute(_) | Action::Lock(_) => {
                self.put(action, if now >= 0.5 { 0.0 } else { 1.0 });
            }
            Action::Hold => self.held = !self.held,
            _ => {}
        }
        self.changed = true;
        None
    }

    fn put(&mut self, action: Action, value: f32) {
        self.values[action.index()] = Some(value);
        self.changed = true;
    }

    /// Tells an editor what is set on top.
    pub(super) fn publish(&mut self, shared: &Shared, tapped_bpm: Option<f64>) {
        let bpm = tapped_bpm.map_or(f32::NAN, |b| b as f32).to_bits();
        shared.overrides[Action::Tap.index()].store(bpm, Relaxed);
        if !std::mem::take(&mut self.changed) {
            return;
        }
        for action in Action::ALL {
            let value = match action {
                Action::Tap => continue,
                Action::Hold => self.held.then_some(1.0),
                _ => self.values[action.index()],
            };
            shared.overrides[action.index()].store(value.unwrap_or(f32::NAN).to_bits(), Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cc(number: u8, value: u8) -> MidiMessage {
        MidiMessage::Other { status: 0xB0, first: number, second: value }
    }

    #[test]
    fn a_knob_is_taught_moves_its_control_and_yields_to_it() {
        let shared = Shared::default();
        let mut overlay = LearnedOverrides::default();
        let mut controls = Controls::default();
        overlay.apply(&controls);
        shared.set_learning(Some(Action::Intensity));
        assert_eq!(overlay.hear(&shared, 2, cc(20, 64)), (true, None));
        assert_eq!(shared.learned(Action::Intensity), Some(Trigger::Controller(2, 20)));
        assert_eq!(shared.learning(), None);
        assert_eq!(overlay.hear(&shared, 2, cc(20, 127)), (true, None));
        assert_eq!(overlay.apply(&controls).intensity, 1.0);
        overlay.publish(&shared, None);
        assert_eq!(shared.overridden(Action::Intensity), Some(1.0));
        assert_eq!(overlay.hear(&shared, 3, cc(20, 5)), (false, None), "another channel");
        controls.intensity = 0.2;
        assert_eq!(overlay.apply(&controls).intensity, 0.2);
        overlay.publish(&shared, None);
        assert_eq!(shared.overridden(Action::Intensity), None);
    }

    #[test]
    fn a_pedal_holds_while_it_is_down_and_a_key_toggles() {
        let shared = Shared::default();
        let mut overlay = LearnedOverrides::default();
        let controls = Controls::default();
        shared.set_learned(Action::Hold, Some(Trigger::Controller(0, 64)));
        shared.set_learned(Action::Mute(Part::Bass), Some(Trigger::Note(9, 36)));
        shared.set_learned(Action::NextVariation, Some(Trigger::Note(9, 37)));
        shared.set_learned(Action::Panic, Some(Trigger::Note(9, 38)));
        overlay.hear(&shared, 0, cc(64, 127));
        assert!(overlay.apply(&controls).hold);
        overlay.hear(&shared, 0, cc(64, 0));
        assert!(!overlay.apply(&controls).hold);
        let key = |pitch, velocity| MidiMessage::Note { pitch, velocity };
        for muted in [true, false, true] {
            assert!(overlay.hear(&shared, 9, key(36, 90)).0 && overlay.hear(&shared, 9, key(36, 0)).0);
            assert_eq!(overlay.apply(&controls).parts[1].mute, muted);
        }
        for variation in [1, 2, 3, 0] {
            overlay.hear(&shared, 9, key(37, 90));
            assert_eq!(overlay.apply(&controls).variation, variation);
        }
        assert_eq!(overlay.hear(&shared, 9, key(38, 1)), (true, Some(Press::Panic)));
        assert_eq!(overlay.hear(&shared, 9, key(38, 0)), (true, None));
    }
}
