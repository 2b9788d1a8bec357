//! Access to the plugin's parameters through the host.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::ParamPtr;

use super::param_access::{Control, ParamAccess};
use crate::params::SidemanParams;
use crate::presets::Preset;

/// How long a value that was set is shown before the parameter itself is asked again: the framework moves
/// it at the end of an audio block only, and steps taken meanwhile must add up.
const UNDER_WAY: Duration = Duration::from_millis(250);

/// The plugin's parameters, turned through the host.
pub(crate) struct LiveParams {
    params: Arc<SidemanParams>,
    host: GuiContext,
    under_way: HashMap<Control, (f32, Instant)>,
}

impl LiveParams {
    pub(crate) fn new(params: Arc<SidemanParams>, host: GuiContext) -> Self {
        Self { params, host, under_way: HashMap::new() }
    }

    fn pointer(&self, control: Control) -> ParamPtr {
        self.params.pointer(control)
    }
}

/// The step next to a value, where there are steps. The parameter must be alive.
fn snapped(pointer: ParamPtr, value: f32) -> f32 {
    // SAFETY: both callers take the pointer from their own parameters.
    unsafe { pointer.preview_normalized(pointer.preview_plain(value.clamp(0.0, 1.0))) }
}

impl ParamAccess for LiveParams {
    fn value(&self, control: Control) -> f32 {
        if let Some((value, since)) = self.under_way.get(&control)
            && since.elapsed() < UNDER_WAY
        {
            return *value;
        }
        // SAFETY: the pointer is into `self.params`, which lives as long as `self`.
        unsafe { self.pointer(control).unmodulated_normalized_value() }
    }

    fn default(&self, control: Control) -> f32 {
        // SAFETY: as in `value`.
        unsafe { self.pointer(control).default_normalized_value() }
    }

    fn steps(&self, control: Control) -> Option<usize> {
        // SAFETY: as in `value`.
        unsafe { self.pointer(control).step_count() }
    }

    fn name(&self, control: Control) -> String {
        // SAFETY: as in `value`.
        unsafe { self.pointer(control).name().to_owned() }
    }

    fn text(&self, control: Control, value: f32) -> String {
        // SAFETY: as in `value`.
        unsafe { self.pointer(control).normalized_value_to_string(value, true) }
    }

    fn parse(&self, control: Control, text: &str) -> Option<f32> {
        let pointer = self.pointer(control);
        // SAFETY: as in `value`.
        let value = unsafe { pointer.string_to_normalized_value(text.trim()) };
        value.filter(|v| v.is_finite()).map(|v| v.clamp(0.0, 1.0))
    }

    fn normal_of(&self, control: Control, plain: f32) -> f32 {
        // SAFETY: as in `value`.
        snapped(self.pointer(control), unsafe { self.pointer(control).preview_normalized(plain) })
    }

    fn begin(&mut self, control: Control) {
        // SAFETY: the parameter belongs to the plugin that gave the context, and is alive as in `value`.
        unsafe { self.host.raw_begin_set_parameter(self.pointer(control)) }
    }

    fn set(&mut self, control: Control, value: f32) {
        // Parameters in steps are set to their steps only, so that the host and the plugin agree.
        let pointer = self.pointer(control);
        let value = snapped(pointer, value);
        self.under_way.insert(control, (value, Instant::now()));
        // SAFETY: as in `begin`.
        unsafe { self.host.raw_set_parameter_normalized(pointer, value) }
    }

    fn end(&mut self, control: Control) {
        // SAFETY: as in `begin`.
        unsafe { self.host.raw_end_set_parameter(self.pointer(control)) }
    }

    fn load(&mut self, preset: &Preset) {
        self.under_way.clear();
        preset.apply(&self.params, &self.host);
    }

    fn is_loaded(&self, preset: &Preset) -> bool {
        // SAFETY: the pointers are into `self.params`.
        let now = |pointer: &ParamPtr| unsafe { pointer.unmodulated_normalized_value() };
        preset.values(&self.params).iter().all(|(pointer, value)| (now(pointer) - value).abs() < 1e-4)
    }

    fn preset(&self, name: &str) -> Preset {
        Preset::of(&self.params, name)
    }
}
