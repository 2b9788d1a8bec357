//! What the standalone program starts with: settings from its command line, for whom there is no host to keep
//! them.

use std::path::PathBuf;
use std::sync::OnceLock;

use nice_plug::prelude::{ParamPtr, Params};

use crate::instance::Instance;
use crate::params::SidemanParams;
use crate::presets::Preset;
use crate::state::choices;

/// Settings to start with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Startup {
    /// A preset, applied first.
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
        for (ptr, value) in self.values(&instance.params).unwrap_or_default() {
            // SAFETY: the pointers belong to the instance, which nobody else has yet.
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
pub(crate) fn apply(instance: &Instance) {
    if let Some(startup) = STARTUP.get() {
        startup.apply(instance);
    }
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
