//! The hand that turns the plugin's parameters and tells the host.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::{Param, ParamPtr};

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
        let p = &*self.params;
        let (band, time, midi, sound) = (&p.band, &p.time, &p.midi, &p.sound);
        let part = |part: sideman_music::Part| p.parts()[part.index()];
        match control {
            Control::Bypass => p.bypass.as_ptr(),
            Control::Style => band.style.as_ptr(),
            Control::Variation => band.variation.as_ptr(),
            Control::Next => band.next.as_ptr(),
            Control::Fill => band.fill.as_ptr(),
            Control::Freeze => band.freeze.as_ptr(),
            Control::Panic => band.panic.as_ptr(),
            Control::Intensity => band.intensity.as_ptr(),
            Control::Complexity => band.complexity.as_ptr(),
            Control::Swing => band.swing.as_ptr(),
            Control::Humanize => band.humanize.as_ptr(),
            Control::Temperature => band.temperature.as_ptr(),
            Control::Listen => band.listen.as_ptr(),
            Control::Seed => band.seed.as_ptr(),
            Control::Clock => time.clock.as_ptr(),
            Control::Tempo => time.tempo.as_ptr(),
            Control::Meter => time.meter.as_ptr(),
            Control::CountIn => time.count_in.as_ptr(),
            Control::Tap => time.tap.as_ptr(),
            Control::StartStop => time.start_stop.as_ptr(),
            Control::Reaction => time.reaction.as_ptr(),
            Control::Compensate => time.compensate.as_ptr(),
            Control::Send => midi.send.as_ptr(),
            Control::Channel => midi.channel.as_ptr(),
            Control::Thru => midi.thru.as_ptr(),
            Control::Sound => sound.on.as_ptr(),
            Control::Volume => sound.volume.as_ptr(),
            Control::PianoSound => sound.piano.as_ptr(),
            Control::On(x) => part(x).on.as_ptr(),
            Control::Mute(x) => part(x).mute.as_ptr(),
            Control::Solo(x) => part(x).solo.as_ptr(),
            Control::Lock(x) => part(x).lock.as_ptr(),
            Control::Octave(x) => part(x).octave.as_ptr(),
            Control::Level(x) => part(x).level.as_ptr(),
            Control::Density(x) => part(x).density.as_ptr(),
            Control::Redraw(x) => part(x).redraw.as_ptr(),
            Control::Weights => band.weights.as_ptr(),
            Control::MorphTo => band.morph_to.as_ptr(),
            Control::Morph => band.morph.as_ptr(),
            Control::Sections => band.sections.as_ptr(),
            Control::Dynamics => band.dynamics.as_ptr(),
            Control::Follow => band.follow.as_ptr(),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use nice_plug::prelude::Params;
    use sideman_engine::live::Shared;
    use sideman_music::Part;

    #[test]
    fn every_control_is_the_parameter_of_its_id() {
        let params = Arc::new(SidemanParams::new(Arc::new(Shared::default())));
        let ids: HashMap<ParamPtr, String> =
            params.param_map().into_iter().map(|(id, pointer, _)| (pointer, id)).collect();
        let host = crate::editor::tests::host();
        let hand = LiveParams::new(params, host);
        for control in Control::all() {
            let part = |what: &str, part: Part| format!("{}_{what}", part.name().to_lowercase());
            let id = match control {
                Control::On(p) => part("on", p),
                Control::Mute(p) => part("mute", p),
                Control::Solo(p) => part("solo", p),
                Control::Lock(p) => part("lock", p),
                Control::Octave(p) => part("octave", p),
                Control::Level(p) => part("level", p),
                Control::Density(p) => part("density", p),
                Control::Redraw(p) => part("redraw", p),
                Control::MorphTo => "morph_to".to_owned(),
                Control::CountIn => "count".to_owned(),
                Control::StartStop => "start".to_owned(),
                Control::PianoSound => "piano".to_owned(),
                // The others are called what they are.
                _ => format!("{control:?}").to_lowercase(),
            };
            assert_eq!(ids.get(&hand.pointer(control)), Some(&id), "{control:?}");
        }
        assert_eq!(Control::all().count(), ids.len(), "every parameter has its control");
    }
}
