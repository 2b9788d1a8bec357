//! What the standalone program starts with and leaves behind: no host keeps its settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use nice_plug::plugin::{ParamValue, PluginState};
use nice_plug::prelude::{Param, ParamPtr, Params};

use crate::instance::Instance;
use crate::params::SidemanParams;
use crate::presets::Preset;
use crate::state::{self, choices};

/// Settings to start with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Startup {
    /// All settings as they were left, applied first: a file that [`save`] wrote.
    pub state: Option<Vec<u8>>,
    /// A preset, applied next.
    pub preset: Option<Preset>,
    /// Values by the id of the parameter, as they are shown or, for choices, by their ids.
    pub set: Vec<(String, String)>,
    /// A soundfont.
    pub soundfont: Option<PathBuf>,
}

/// A setting that there is not.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartupError {
    /// No parameter has this id.
    #[error("there is no setting '{id}': --settings lists them")]
    Unknown {
        /// The id given.
        id: String,
    },
    /// A value that the parameter cannot have.
    #[error("'{value}' is no value of {id}: {range}")]
    Value {
        /// The parameter.
        id: String,
        /// The value given.
        value: String,
        /// What it can be.
        range: String,
    },
}

static STARTUP: OnceLock<Startup> = OnceLock::new();
/// The instance that was made last; kept, so that it can be saved when the framework is done with it.
static LATEST: Mutex<Option<Arc<Instance>>> = Mutex::new(None);

impl Startup {
    /// Checks that all settings make sense.
    ///
    /// # Errors
    /// Names the first that does not.
    pub fn check(&self, params: &SidemanParams) -> Result<(), StartupError> {
        self.values(params).map(|_| ())
    }

    /// Has every instance that is made from now on start with these. Only the first call counts.
    pub fn install(self) {
        let _ = STARTUP.set(self);
    }

    fn values(&self, params: &SidemanParams) -> Result<Vec<(ParamPtr, f32)>, StartupError> {
        let mut values = self.preset.as_ref().map(|p| p.values(params)).unwrap_or_default();
        let map = params.param_map();
        for (id, value) in &self.set {
            let (_, ptr, _) = map
                .iter()
                .find(|(known, ..)| known == id)
                .ok_or_else(|| StartupError::Unknown { id: id.clone() })?;
            let by_id = choices(id).and_then(|ids| ids.iter().position(|c| c == value));
            // SAFETY: the pointers belong to `params`.
            let normal = unsafe {
                match by_id {
                    Some(index) => Some(ptr.preview_normalized(index as f32)),
                    None => ptr.string_to_normalized_value(value),
                }
            };
            let normal = normal.ok_or_else(|| StartupError::Value {
                id: id.clone(),
                value: value.clone(),
                range: range(id, ptr),
            })?;
            values.push((*ptr, normal));
        }
        Ok(values)
    }

    fn apply(&self, instance: &Instance) {
        if let Some(bytes) = &self.state {
            read(bytes, instance);
        }
        for (ptr, value) in self.values(&instance.params).unwrap_or_default() {
            // SAFETY: the pointers belong to the instance, which is not shared yet.
            unsafe { ptr._internal_set_normalized_value(value) };
        }
        if let Some(preset) = &self.preset {
            instance.params.preset.set(preset.name.clone());
        }
        if self.soundfont.is_some() {
            instance.params.soundfont.pick(self.soundfont.clone());
        }
    }
}

/// Applies what was installed, if anything.
pub(crate) fn apply(instance: &Arc<Instance>) {
    if let Some(startup) = STARTUP.get() {
        instance.params.set_loading(true);
        startup.apply(instance);
        instance.params.set_loading(false);
        *LATEST.lock().unwrap_or_else(|e| e.into_inner()) = Some(instance.clone());
    }
}

/// Whether there is no screen for a window, as far as the environment says.
pub(crate) fn is_headless() -> bool {
    let x11 = cfg!(all(unix, not(target_os = "macos")));
    STARTUP.get().is_some() && x11 && std::env::var_os("DISPLAY").is_none_or(|d| d.is_empty())
}

/// Saves all settings of the instance that was made last, as a project would keep them.
///
/// # Errors
/// What the file system says.
pub fn save(path: &Path) -> std::io::Result<()> {
    let Some(instance) = LATEST.lock().unwrap_or_else(|e| e.into_inner()).clone() else { return Ok(()) };
    let new = path.with_extension("new");
    std::fs::write(&new, written(&instance.params))?;
    std::fs::rename(new, path)
}

/// A project's state of these settings, as readable JSON.
fn written(params: &SidemanParams) -> Vec<u8> {
    let value = |(id, ptr, _): (String, ParamPtr, String)| {
        // SAFETY: the pointers belong to `params`.
        let value = unsafe {
            match ptr {
                ParamPtr::FloatParam(p) => ParamValue::F32((*p).unmodulated_plain_value()),
                ParamPtr::IntParam(p) => ParamValue::I32((*p).unmodulated_plain_value()),
                ParamPtr::BoolParam(p) => ParamValue::Bool((*p).unmodulated_plain_value()),
                ParamPtr::EnumParam(p) => {
                    let ids = choices(&id).unwrap_or_default();
                    let chosen = ids.get((*p).unmodulated_plain_value() as usize).copied();
                    ParamValue::String(chosen.unwrap_or_default().to_owned())
                }
            }
        };
        (id, value)
    };
    let params: (BTreeMap<_, _>, _) =
        (params.param_map().into_iter().map(value).collect(), params.serialize_fields());
    let state =
        PluginState { version: env!("CARGO_PKG_VERSION").to_owned(), params: params.0, fields: params.1 };
    state::body(&state::dress(&serde_json::to_vec(&state).unwrap_or_default())).to_vec()
}

/// Sets everything as a project's state has it; what is wrong with it comes as notices.
fn read(bytes: &[u8], instance: &Instance) {
    let repaired = state::repair(bytes, &instance.params);
    repaired.notices.iter().for_each(|n| instance.shared.notice(n.as_str()));
    let Ok(state) = serde_json::from_slice::<PluginState>(state::body(&repaired.chunk)) else { return };
    for (id, ptr, _) in instance.params.param_map() {
        // SAFETY: the pointers belong to the instance, which is not shared yet.
        unsafe {
            let normal = match state.params.get(&id) {
                Some(ParamValue::F32(v)) => ptr.preview_normalized(*v),
                Some(ParamValue::I32(v)) => ptr.preview_normalized(*v as f32),
                Some(ParamValue::Bool(v)) => f32::from(u8::from(*v)),
                Some(ParamValue::String(s)) => {
                    let index = choices(&id).and_then(|ids| ids.iter().position(|c| c == s));
                    ptr.preview_normalized(index.unwrap_or(0) as f32)
                }
                None => continue,
            };
            ptr._internal_set_normalized_value(normal);
        }
    }
    instance.params.deserialize_fields(&state.fields);
}

/// What a parameter can be.
fn range(id: &str, ptr: &ParamPtr) -> String {
    if let Some(ids) = choices(id) {
        return ids.join(", ");
    }
    // SAFETY: the caller's parameters are alive.
    unsafe {
        let shown = |v: f32| ptr.normalized_value_to_string(v, true);
        match ptr {
            ParamPtr::BoolParam(_) => "On, Off".to_owned(),
            _ => format!("{} to {}", shown(0.0), shown(1.0)),
        }
    }
}

/// A line for each parameter: its id, its default, and what it can be.
pub fn settings(params: &SidemanParams) -> String {
    let line = |(id, ptr, _): (String, ParamPtr, String)| {
        // SAFETY: the pointers belong to `params`.
        let default = unsafe { ptr.normalized_value_to_string(ptr.default_normalized_value(), true) };
        format!("  {id:<18} {default:<14} {}\n", range(&id, &ptr))
    };
    params.param_map().into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(settings: &[(&str, &str)]) -> Startup {
        let set = settings.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        Startup { set, ..Startup::default() }
    }

    #[test]
    fn settings_are_taken_as_they_are_shown_and_choices_by_id() {
        let instance = Instance::new();
        let startup = set(&[
            ("style", "jazz-swing"),
            ("meter", "3/4"),
            ("tempo", "98.5"),
            ("swing", "40 %"),
            ("bass_on", "off"),
            ("channel", "Own"),
            ("seed", "77"),
        ]);
        startup.check(&instance.params).unwrap();
        startup.apply(&instance);
        let controls = crate::convert::controls(&instance.params);
        assert_eq!(controls.style.name(), "jazz-swing");
        assert_eq!((controls.seed, controls.parts[1].on), (77, false));
        assert!((controls.swing - 0.4).abs() < 1e-6);
        let live = crate::convert::settings(&instance.params);
        assert_eq!((live.bpm, live.meter.to_string(), live.route.channel), (98.5, "3/4".to_owned(), None));
    }

    #[test]
    fn what_is_left_behind_is_what_is_started_with() {
        let (before, after) = (Instance::new(), Instance::new());
        set(&[("style", "funk"), ("tempo", "87.25"), ("freeze", "on"), ("listen", "3")]).apply(&before);
        before.params.preset.set("Mine".to_owned());
        before.params.soundfont.pick(Some(PathBuf::from("/a/b.sf2")));
        let bytes = written(&before.params);
        Startup { state: Some(bytes.clone()), ..Startup::default() }.apply(&after);
        assert_eq!(crate::convert::controls(&after.params), crate::convert::controls(&before.params));
        assert_eq!(crate::convert::settings(&after.params), crate::convert::settings(&before.params));
        assert_eq!(after.params.preset.get(), "Mine");
        assert_eq!(after.params.soundfont.path(), Some(PathBuf::from("/a/b.sf2")));
        assert_eq!(written(&after.params), bytes);
        assert!(after.shared.editor_state(|b| b.notices.is_empty()));
        Startup { state: Some(bytes[..40].to_vec()), ..Startup::default() }.apply(&after);
        assert!(!after.shared.editor_state(|b| b.notices.is_empty()), "damage is told");
    }

    #[test]
    fn settings_that_there_are_not_are_named() {
        let instance = Instance::new();
        let error = set(&[("styl", "funk")]).check(&instance.params).unwrap_err();
        assert!(error.to_string().contains("'styl'"), "{error}");
        let error = set(&[("style", "polka")]).check(&instance.params).unwrap_err().to_string();
        assert!(error.contains("polka") && error.contains("jazz-swing"), "{error}");
        let error = set(&[("tempo", "fast")]).check(&instance.params).unwrap_err().to_string();
        assert!(error.contains("20.00 BPM to 300.00 BPM"), "{error}");
        assert!(settings(&instance.params).contains("reaction"));
    }
}
