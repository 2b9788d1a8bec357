//! The host parameters, made of the engine's table of controls, and what else is kept in a project.
//!
//! An id, once released, keeps its meaning for good. A parameter that hosts automate cannot be set from the
//! audio thread; what a learned key or pedal does is laid over the parameters by the engine instead
//! ([`Shared::overridden`]).

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use nice_plug::prelude::*;
use sideman_engine::controls::{CHOICES, CONTROLS, Control, Group, Kind, Row, SILENT_DB, Text};
use sideman_engine::live::Shared;

use crate::persist::{Kept, KeptPatterns, Later, Learned, Look};
use crate::soundfont::Soundfont;

/// Everything that a project keeps of an instance.
#[derive(Params)]
pub struct SidemanParams {
    /// A parameter for each control.
    #[nested]
    pub controls: ControlParams,

    /// The soundfont that the user picked, if any.
    #[persist = "soundfont"]
    pub soundfont: Soundfont,
    /// Which keys and controllers do what.
    #[persist = "learned"]
    pub learned: Learned,
    /// What the parts keep to.
    #[persist = "patterns"]
    pub patterns: KeptPatterns,
    /// Size and scale of the editor.
    #[persist = "look"]
    pub look: Kept<Look>,
    /// Name of the preset that was loaded last; empty when there was none.
    #[persist = "preset"]
    pub preset: Kept<String>,
    /// What a later version saved and this one does not know.
    #[persist = "later"]
    pub later: Kept<Later>,
}

impl SidemanParams {
    /// Defaults. What is learned is kept in `shared`.
    pub fn new(shared: Arc<Shared>) -> Self {
        Self {
            controls: ControlParams::default(),
            soundfont: Soundfont::default(),
            learned: Learned(shared.clone()),
            patterns: KeptPatterns(shared),
            look: Kept::default(),
            preset: Kept::default(),
            later: Kept::default(),
        }
    }

    /// The parameter of a control; valid as long as `self` is.
    ///
    /// # Panics
    /// For [`Control::Hold`], which is no parameter.
    pub fn pointer(&self, control: Control) -> ParamPtr {
        self.controls.params[control.index()].as_ref().expect("every control but Hold is a parameter").pointer
    }

    /// The value of a control with the host's modulation: switches as 0 and 1, choices from 0. Any thread; never
    /// waits.
    pub fn value(&self, control: Control) -> f32 {
        // SAFETY: the pointers are into `self.controls`.
        unsafe {
            match self.pointer(control) {
                ParamPtr::FloatParam(p) => (*p).value(),
                ParamPtr::IntParam(p) => (*p).value() as f32,
                ParamPtr::BoolParam(p) => f32::from(u8::from((*p).value())),
                ParamPtr::EnumParam(p) => (*p).modulated_plain_value() as f32,
            }
        }
    }

    /// Presses of a trigger since the instance was made. A press counts when the value goes up, so that none is
    /// lost however short it is. Runs over to 0. Any thread; never waits.
    pub fn presses(&self, control: Control) -> u32 {
        self.controls.presses[control.index()].load(Relaxed)
    }

    /// While a project is loaded, a button that is down in it is not pressed. The main thread.
    pub(crate) fn set_loading(&self, loading: bool) {
        self.controls.loading.store(loading, Relaxed);
    }
}

/// A parameter for each control of the table.
pub struct ControlParams {
    /// By [`Control::index`].
    params: [Option<HostParam>; CONTROLS],
    presses: [Arc<AtomicU32>; CONTROLS],
    loading: Arc<AtomicBool>,
}

struct HostParam {
    pointer: ParamPtr,
    /// Owns what `pointer` points to.
    _owner: Box<dyn Any + Send + Sync>,
}

impl HostParam {
    fn new<P: Param + Send + Sync + 'static>(param: P) -> Self {
        let owner = Box::new(param);
        Self { pointer: owner.as_ptr(), _owner: owner }
    }
}

impl Default for ControlParams {
    fn default() -> Self {
        let mut made = Self {
            params: [const { None }; CONTROLS],
            presses: std::array::from_fn(|_| Arc::default()),
            loading: Arc::default(),
        };
        for control in Control::all() {
            made.params[control.index()] = Some(made.param(control));
        }
        made
    }
}

// SAFETY: the pointers are to boxes that live as long as `self` and are never moved.
unsafe impl Params for ControlParams {
    fn param_map(&self) -> Vec<(String, ParamPtr, String)> {
        let group = |control: Control| match control.row().group {
            Group::Learned | Group::Top => "",
            Group::Band => "Band",
            Group::Part => control.part().map_or("", |p| p.name()),
            Group::Time => "Time",
            Group::Midi => "MIDI",
            Group::Sound => "Sound",
        };
        let entry =
            |c: Control| Some((c.id(), self.params[c.index()].as_ref()?.pointer, group(c).to_owned()));
        Control::all().filter_map(entry).collect()
    }
}

impl ControlParams {
    fn param(&self, control: Control) -> HostParam {
        let (row, name) = (control.row(), control.name());
        match row.kind {
            Kind::Switch(default) if control == Control::Bypass => HostParam::new(
                BoolParam::new(name, default)
                    .with_value_to_string(formatters::v2s_bool_bypass())
                    .with_string_to_value(formatters::s2v_bool_bypass())
                    .make_bypass(),
            ),
            Kind::Switch(default) => HostParam::new(switch(name, default)),
            Kind::Trigger => {
                let (count, loading) = (self.presses[control.index()].clone(), self.loading.clone());
                HostParam::new(switch(name, false).with_callback(Arc::new(move |down| {
                    count.fetch_add(u32::from(down && !loading.load(Relaxed)), Relaxed);
                })))
            }
            Kind::Number { .. } => HostParam::new(number(row, name)),
            Kind::Integer { min, max, default } => {
                let param = IntParam::new(name, default, IntRange::Linear { min, max }).with_unit(row.unit);
                HostParam::new(match row.text {
                    Text::Signed => param.with_value_to_string(Arc::new(|v| format!("{v:+}"))),
                    Text::Channel => param
                        .with_value_to_string(Arc::new(
                            |v| if v == 0 { "Own".to_owned() } else { v.to_string() },
                        ))
                        .with_string_to_value(Arc::new(|s| {
                            if s.trim().eq_ignore_ascii_case("own") { Some(0) } else { s.trim().parse().ok() }
                        })),
                    _ => param,
                })
            }
            Kind::Choice { list, default } => choice(list, name, default, row.automatable),
        }
    }
}

/// Off or on.
fn switch(name: String, default: bool) -> BoolParam {
    BoolParam::new(name, default)
        .with_value_to_string(Arc::new(|v| if v { "On" } else { "Off" }.to_owned()))
        .with_string_to_value(Arc::new(|s| match s.trim().to_ascii_lowercase().as_str() {
            "on" | "1" => Some(true),
            "off" | "0" => Some(false),
            _ => None,
        }))
}

fn number(row: &Row, name: String) -> FloatParam {
    let Kind::Number { min, max, default, step } = row.kind else { unreachable!("a row of another kind") };
    let param = FloatParam::new(name, default, FloatRange::Linear { min, max }).with_unit(row.unit);
    let param = if step > 0.0 { param.with_step_size(step) } else { param };
    match row.text {
        Text::Percent => param
            .with_value_to_string(formatters::v2s_f32_percentage(0))
            .with_string_to_value(formatters::s2v_f32_percentage()),
        Text::Decimals(digits) => param.with_value_to_string(formatters::v2s_f32_rounded(digits)),
        Text::Decibels => param
            .with_value_to_string(Arc::new(|v| {
                // Rounding may leave a minus sign before a zero.
                if v <= SILENT_DB {
                    "-inf".to_owned()
                } else {
                    format!("{:.1}", (v * 10.0).round() / 10.0 + 0.0)
                }
            }))
            .with_string_to_value(Arc::new(|s| {
                let s = s.trim().trim_end_matches(['d', 'D', 'B', 'b']).trim();
                if s == "-inf" { Some(SILENT_DB) } else { s.parse().ok() }
            })),
        Text::Plain | Text::Signed | Text::Channel => param,
    }
}

/// A value of a list of [`CHOICES`], as the framework wants it: a type for each list.
#[derive(Clone, Copy, PartialEq)]
struct Choice<const LIST: usize>(usize);

impl<const LIST: usize> Enum for Choice<LIST> {
    fn variants() -> &'static [&'static str] {
        CHOICES[LIST].names
    }

    fn ids() -> Option<&'static [&'static str]> {
        Some(CHOICES[LIST].ids)
    }

    fn to_index(self) -> usize {
        self.0
    }

    fn from_index(index: usize) -> Self {
        Self(if index < CHOICES[LIST].ids.len() { index } else { 0 })
    }
}

fn choice(list: usize, name: String, default: usize, automatable: bool) -> HostParam {
    fn of<const LIST: usize>(name: String, default: usize, automatable: bool) -> HostParam {
        let param = EnumParam::new(name, Choice::<LIST>(default));
        HostParam::new(if automatable { param } else { param.non_automatable() })
    }
    const MAKE: [fn(String, usize, bool) -> HostParam; CHOICES.len()] =
        [of::<0>, of::<1>, of::<2>, of::<3>, of::<4>, of::<5>, of::<6>, of::<7>];
    MAKE[list](name, default, automatable)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn params() -> SidemanParams {
        SidemanParams::new(Arc::new(Shared::default()))
    }

    #[test]
    fn ids_and_fields_are_distinct() {
        let ids: Vec<String> = params().param_map().into_iter().map(|(id, ..)| id).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        let fields: Vec<String> = params().serialize_fields().into_keys().collect();
        assert_eq!(fields, ["later", "learned", "look", "patterns", "preset", "soundfont"]);
    }

    /// A line for each parameter, as a host sees it. Ids are kept in projects and in hosts' automation: the list only
    /// grows.
    #[test]
    fn parameters_are_what_hosts_know() {
        let params = params();
        let mut lines = String::new();
        for (id, ptr, group) in params.param_map() {
            // SAFETY: the parameters are alive.
            let (name, default, steps, flags, samples) = unsafe {
                let at = |v: f32| (ptr.normalized_value_to_string(v, true), ptr.preview_plain(v));
                let samples = [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0, ptr.default_normalized_value()].map(at);
                (ptr.name(), ptr.default_normalized_value(), ptr.step_count(), ptr.flags().bits(), samples)
            };
            let texts = samples.map(|(text, plain)| format!("{text}={plain}")).join(" | ");
            lines += &format!(
                "{id} [{group}] {name}: default {default}, steps {steps:?}, flags {flags}: {texts}\n"
            );
        }
        let known = include_str!("../../../tests/fixtures/parameters.txt");
        for (line, known) in lines.lines().zip(known.lines()) {
            assert_eq!(line, known);
        }
        assert_eq!(lines, known, "\n{lines}");
    }

    #[test]
    fn names_are_unique_and_values_can_be_read_as_they_are_shown() {
        let params = params();
        let mut names = BTreeSet::new();
        for (id, ptr, _) in params.param_map() {
            // SAFETY: the parameters are alive.
            unsafe {
                assert!(
                    names.insert(ptr.name().to_owned()),
                    "{id}: another parameter is named {}",
                    ptr.name()
                );
                for normal in [0.0, 0.25, 0.5, 1.0, ptr.default_normalized_value()] {
                    let shown = ptr.normalized_value_to_string(normal, true);
                    let back = ptr.string_to_normalized_value(&shown);
                    let again = back.map(|b| ptr.normalized_value_to_string(b, true));
                    assert_eq!(again.as_deref(), Some(shown.as_str()), "{id} at {normal}");
                }
            }
        }
    }

    #[test]
    fn presses_count_when_they_go_down() {
        let params = params();
        let set = |on: f32| {
            // SAFETY: the parameter is alive.
            unsafe { params.pointer(Control::Fill)._internal_set_normalized_value(on) }
        };
        for (value, count) in [(1.0, 1), (1.0, 1), (0.0, 1), (1.0, 2), (0.0, 2)] {
            set(value);
            assert_eq!(params.presses(Control::Fill), count);
        }
        assert_eq!(params.presses(Control::Tap), 0);
        params.set_loading(true);
        set(1.0);
        assert_eq!(
            (params.presses(Control::Fill), params.value(Control::Fill)),
            (2, 1.0),
            "loaded, not pressed"
        );
        params.set_loading(false);
    }

    #[test]
    fn the_least_volume_is_silence() {
        let params = params();
        let volume = params.pointer(Control::Volume);
        // SAFETY: the parameter is alive.
        unsafe {
            assert_eq!(volume.normalized_value_to_string(0.0, true), "-inf dB");
            assert_eq!(volume.string_to_normalized_value("-inf dB"), Some(0.0));
            assert_eq!(volume.normalized_value_to_string(volume.preview_normalized(-0.01), false), "0.0");
        }
    }
}
