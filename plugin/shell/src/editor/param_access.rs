//! What the editor can turn, and how: so that drawing knows nothing of the plugin framework.

use std::collections::HashMap;

use sideman_engine::live::{Action, Shared};
use sideman_music::Part;

use crate::presets::Preset;

/// A parameter, by what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Control {
    Bypass,
    Style,
    Variation,
    Next,
    Fill,
    Freeze,
    Panic,
    Intensity,
    Complexity,
    Swing,
    Humanize,
    Temperature,
    Listen,
    Seed,
    Clock,
    Tempo,
    Meter,
    CountIn,
    Tap,
    StartStop,
    Reaction,
    Compensate,
    Send,
    Channel,
    Thru,
    Sound,
    Volume,
    PianoSound,
    On(Part),
    Mute(Part),
    Solo(Part),
    Lock(Part),
    Octave(Part),
    Level(Part),
    Density(Part),
    Redraw(Part),
    Weights,
    MorphTo,
    Morph,
    Sections,
    Dynamics,
    Follow,
}

impl Control {
    /// Every control.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        use Control::*;
        let single = [
            Bypass,
            Style,
            Variation,
            Next,
            Fill,
            Freeze,
            Panic,
            Intensity,
            Complexity,
            Swing,
            Humanize,
            Temperature,
            Listen,
            Seed,
            Clock,
            Tempo,
            Meter,
            CountIn,
            Tap,
            StartStop,
            Reaction,
            Compensate,
            Send,
            Channel,
            Thru,
            Sound,
            Volume,
            PianoSound,
            Weights,
            MorphTo,
            Morph,
            Sections,
            Dynamics,
            Follow,
        ];
        let of_part = |p| [On(p), Mute(p), Solo(p), Lock(p), Octave(p), Level(p), Density(p), Redraw(p)];
        single.into_iter().chain(Part::ALL.into_iter().flat_map(of_part))
    }

    /// What a key or controller can be taught to do in its place.
    pub(crate) fn action(self) -> Option<Action> {
        Some(match self {
            Self::Next | Self::Variation => Action::NextVariation,
            Self::Fill => Action::Fill,
            Self::Freeze => Action::Freeze,
            Self::Panic => Action::Panic,
            Self::Tap => Action::Tap,
            Self::StartStop => Action::StartStop,
            Self::Intensity => Action::Intensity,
            Self::Complexity => Action::Complexity,
            Self::Swing => Action::Swing,
            Self::Humanize => Action::Humanize,
            Self::Temperature => Action::Temperature,
            Self::Mute(part) => Action::Mute(part),
            Self::Lock(part) => Action::Lock(part),
            Self::Level(part) => Action::Level(part),
            Self::Density(part) => Action::Density(part),
            Self::Redraw(part) => Action::Redraw(part),
            Self::Morph => Action::Morph,
            Self::Sections => Action::Sections,
            Self::Dynamics => Action::Dynamics,
            _ => return None,
        })
    }

    /// The parameter that keeps what an action sets; `None` for actions that set nothing that lasts.
    pub(crate) fn kept_by(action: Action) -> Option<Self> {
        match action {
            Action::NextVariation => Some(Self::Variation),
            Action::Tap => Some(Self::Tempo),
            Action::Hold | Action::Fill | Action::Redraw(_) | Action::Panic | Action::StartStop => None,
            _ => Self::all().find(|c| c.action() == Some(action)),
        }
    }

    /// Whether it is a button that comes up by itself.
    pub(crate) fn is_press(self) -> bool {
        matches!(self, Self::Next | Self::Fill | Self::Panic | Self::Tap | Self::StartStop | Self::Redraw(_))
    }
}

/// Reads and turns parameters. Values are normalised, 0 to 1, unless they are called plain.
pub(crate) trait ParamAccess {
    /// The value now.
    fn value(&self, control: Control) -> f32;
    /// The value it has when nobody turned it.
    fn default(&self, control: Control) -> f32;
    /// Number of steps from the least to the greatest value; `None` when it moves freely.
    fn steps(&self, control: Control) -> Option<usize>;
    /// Name.
    fn name(&self, control: Control) -> String;
    /// A value as it is shown, with its unit.
    fn text(&self, control: Control, value: f32) -> String;
    /// What somebody typed as a value.
    fn parse(&self, control: Control, text: &str) -> Option<f32>;
    /// A plain value, normalised, at the step next to it where there are steps.
    fn normal_of(&self, control: Control, plain: f32) -> f32;
    /// A gesture begins.
    fn begin(&mut self, control: Control);
    /// Sets the value, within a gesture.
    fn set(&mut self, control: Control, value: f32);
    /// A gesture ends.
    fn end(&mut self, control: Control);
    /// Sets all that a preset is about.
    fn load(&mut self, preset: &Preset);
    /// Whether all that a preset is about is as it says.
    fn is_loaded(&self, preset: &Preset) -> bool;
    /// What is set now, as a preset.
    fn preset(&self, name: &str) -> Preset;
}

/// Sets a value in a gesture of its own.
pub(crate) fn set_at_once(hand: &mut dyn ParamAccess, control: Control, value: f32) {
    hand.begin(control);
    hand.set(control, value);
    hand.end(control);
}

/// Whether a switch is on.
pub(crate) fn is_on(hand: &dyn ParamAccess, control: Control) -> bool {
    hand.value(control) > 0.5
}

/// Which of the choices is taken, from 0.
pub(crate) fn choice(hand: &dyn ParamAccess, control: Control) -> usize {
    let steps = hand.steps(control).unwrap_or(1);
    (hand.value(control) * steps as f32).round() as usize
}

/// Takes one of the choices.
pub(crate) fn choose(hand: &mut dyn ParamAccess, control: Control, choice: usize) {
    let steps = hand.steps(control).unwrap_or(1).max(1);
    set_at_once(hand, control, choice.min(steps) as f32 / steps as f32);
}

/// Seconds after which a controller that moves no more has let go.
const LET_GO: f64 = 0.4;
/// Seconds for which a press lasts at least, so that every host and block size sees it.
const PRESS: f64 = 0.15;

/// Gestures that outlast a frame: presses, and what taught controllers turn.
#[derive(Default)]
pub(crate) struct Gestures {
    /// Buttons that are down, and until when at least.
    pressed: HashMap<Control, f64>,
    /// Controls that a controller turns, and when it last did.
    turned: HashMap<Control, f64>,
}

impl Gestures {
    /// Triggers a button; it comes up by itself.
    pub(crate) fn press(&mut self, hand: &mut dyn ParamAccess, control: Control, time: f64) {
        if self.pressed.insert(control, time + PRESS).is_none() {
            hand.begin(control);
            hand.set(control, 1.0);
        }
    }

    /// Whether a button is down.
    pub(crate) fn is_pressed(&self, control: Control) -> bool {
        self.pressed.contains_key(&control)
    }

    /// Lets go of what is due, and writes what taught controllers have set into the parameters, so that the
    /// host sees and can record it. Returns whether something is still going on.
    pub(crate) fn keep(&mut self, hand: &mut dyn ParamAccess, shared: &Shared, time: f64) -> bool {
        self.pressed.retain(|&control, until| {
            let down = time < *until;
            if !down {
                hand.set(control, 0.0);
                hand.end(control);
            }
            down
        });
        for action in Action::ALL {
            let Some(control) = Control::kept_by(action) else { continue };
            let Some(plain) = shared.overridden(action) else { continue };
            let value = hand.normal_of(control, plain);
            if (value - hand.value(control)).abs() < 1e-4 {
                continue;
            }
            if self.turned.insert(control, time).is_none() {
                hand.begin(control);
            }
            hand.set(control, value);
        }
        self.turned.retain(|&control, last| {
            let held = time - *last < LET_GO;
            if !held {
                hand.end(control);
            }
            held
        });
        !self.pressed.is_empty() || !self.turned.is_empty()
    }

    /// Lets go of everything: the editor closes.
    pub(crate) fn let_go(&mut self, hand: &mut dyn ParamAccess) {
        for (control, _) in self.pressed.drain() {
            hand.set(control, 0.0);
            hand.end(control);
        }
        for (control, _) in self.turned.drain() {
            hand.end(control);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_that_sets_something_has_its_control() {
        for action in Action::ALL {
            let control = Control::kept_by(action);
            if action.is_value() {
                assert!(control.is_some(), "{action:?}");
            }
            if let Some(control) = control.filter(|_| action != Action::Tap) {
                assert_eq!(control.action(), Some(action));
            }
        }
        assert_eq!(Control::kept_by(Action::Hold), None);
    }
}
