//! What the editor can turn, and how: so that drawing knows nothing of the plugin framework.

use std::collections::HashMap;

pub(crate) use sideman_engine::controls::Control;
use sideman_engine::live::Shared;

use crate::presets::Preset;

/// Reads and turns parameters. Values are normalised, 0 to 1, unless they are called plain.
pub(crate) trait ParamAccess {
    /// The value now.
    fn value(&self, control: Control) -> f32;
    /// The default value.
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
pub(crate) fn set_at_once(access: &mut dyn ParamAccess, control: Control, value: f32) {
    access.begin(control);
    access.set(control, value);
    access.end(control);
}

/// Whether a switch is on.
pub(crate) fn is_on(access: &dyn ParamAccess, control: Control) -> bool {
    access.value(control) > 0.5
}

/// Which of the choices is taken, from 0.
pub(crate) fn choice(access: &dyn ParamAccess, control: Control) -> usize {
    let steps = access.steps(control).unwrap_or(1);
    (access.value(control) * steps as f32).round() as usize
}

/// Takes one of the choices.
pub(crate) fn choose(access: &mut dyn ParamAccess, control: Control, choice: usize) {
    let steps = access.steps(control).unwrap_or(1).max(1);
    set_at_once(access, control, choice.min(steps) as f32 / steps as f32);
}

/// Seconds after which a controller that moves no more has let go.
const LET_GO: f64 = 0.4;
/// Seconds for which a press lasts at least, so that every host and block size sees it.
const PRESS: f64 = 0.15;

/// Gestures that outlast a frame: presses, and movements of learned controllers.
#[derive(Default)]
pub(crate) struct Gestures {
    /// Buttons that are down, and until when at least.
    pressed: HashMap<Control, f64>,
    /// Controls that a controller turns, and when it last did.
    turned: HashMap<Control, f64>,
}

impl Gestures {
    /// Triggers a button; it comes up by itself.
    pub(crate) fn press(&mut self, access: &mut dyn ParamAccess, control: Control, time: f64) {
        if self.pressed.insert(control, time + PRESS).is_none() {
            access.begin(control);
            access.set(control, 1.0);
        }
    }

    /// Whether a button is down.
    pub(crate) fn is_pressed(&self, control: Control) -> bool {
        self.pressed.contains_key(&control)
    }

    /// Lets go of what is due, and writes what learned controllers have set into the parameters, so that the
    /// host sees and can record it. Returns whether something is still going on.
    pub(crate) fn keep(&mut self, access: &mut dyn ParamAccess, shared: &Shared, time: f64) -> bool {
        self.pressed.retain(|&control, until| {
            let down = time < *until;
            if !down {
                access.set(control, 0.0);
                access.end(control);
            }
            down
        });
        for control in Control::all() {
            let Some(plain) = shared.overridden(control) else { continue };
            let value = access.normal_of(control, plain);
            if (value - access.value(control)).abs() < 1e-4 {
                continue;
            }
            if self.turned.insert(control, time).is_none() {
                access.begin(control);
            }
            access.set(control, value);
        }
        self.turned.retain(|&control, last| {
            let held = time - *last < LET_GO;
            if !held {
                access.end(control);
            }
            held
        });
        !self.pressed.is_empty() || !self.turned.is_empty()
    }

    /// Lets go of everything: the editor closes.
    pub(crate) fn let_go(&mut self, access: &mut dyn ParamAccess) {
        for (control, _) in self.pressed.drain() {
            access.set(control, 0.0);
            access.end(control);
        }
        for (control, _) in self.turned.drain() {
            access.end(control);
        }
    }
}
