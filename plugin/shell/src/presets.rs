//! Presets: those that come along, and the user's own as files.
//!
//! A preset is about the music: style, variation, the dials and the parts. It leaves the clock, the routing,
//! the sound and the seed alone. What it does not name gets its neutral value.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::{Param, ParamPtr};
use serde::{Deserialize, Serialize};
use sideman_engine::controls::Control;
use toml::Value;

use crate::params::SidemanParams;
use crate::state::choices;

/// Longest name, in characters.
pub const LONGEST_NAME: usize = 60;

/// A preset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preset {
    /// Its name, as it is shown.
    pub name: String,
    /// Style that it belongs to, by the id of the parameter: `auto`, `pop-rock` and so on.
    pub style: String,
    /// Values by the id of the parameter: numbers, truth values, and for choices their ids.
    #[serde(default)]
    pub params: BTreeMap<String, Value>,
}

/// What can go wrong with presets.
#[derive(Debug, thiserror::Error)]
pub enum PresetError {
    /// The system has no place for a user's files.
    #[error("there is no place for presets: set the environment variable {variable} to your folder")]
    NoFolder {
        /// What would say where it is.
        variable: &'static str,
    },
    /// A name that no file can have.
    #[error("'{name}' cannot be a preset's name: use letters and digits, {LONGEST_NAME} characters at most")]
    Name {
        /// The name.
        name: String,
    },
    /// A preset of that name is there.
    #[error("there is a preset named '{name}' already: choose another name, or replace it")]
    Exists {
        /// The name.
        name: String,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is no preset.
    #[error("{} is no preset ({reason}): repair it in an editor, or delete it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

#[derive(Deserialize)]
struct BuiltIn {
    preset: Vec<Preset>,
}

/// The presets that come along, by style.
pub fn built_in() -> Vec<Preset> {
    // That it can be read is tested.
    toml::from_str::<BuiltIn>(include_str!("../presets/built-in.toml")).map(|b| b.preset).unwrap_or_default()
}

impl Preset {
    /// What the parameters say now, under a name.
    pub fn of(params: &SidemanParams, name: &str) -> Self {
        let mut values = BTreeMap::new();
        for (id, ptr) in scope(params) {
            values.insert(id.clone(), plain(&id, &ptr));
        }
        let style = match values.remove("style") {
            Some(Value::String(style)) => style,
            _ => "auto".to_owned(),
        };
        Self { name: name.to_owned(), style, params: values }
    }

    /// Every parameter that a preset sets, with its normalised value. What the preset does not name, or names
    /// with a value that makes no sense, is at its default.
    pub fn values(&self, params: &SidemanParams) -> Vec<(ParamPtr, f32)> {
        let style = Value::String(self.style.clone());
        let value = |id: &str| if id == "style" { Some(&style) } else { self.params.get(id) };
        let default = |ptr: &ParamPtr| {
            // SAFETY: the pointer belongs to `params`.
            unsafe { ptr.default_normalized_value() }
        };
        scope(params)
            .into_iter()
            .map(|(id, ptr)| {
                (ptr, value(&id).and_then(|v| normal(&id, &ptr, v)).unwrap_or_else(|| default(&ptr)))
            })
            .collect()
    }

    /// Sets the parameters, one by one, as a user would; only those that change.
    pub fn apply(&self, params: &SidemanParams, context: &GuiContext) {
        for (ptr, value) in self.values(params) {
            // SAFETY: the pointers belong to `params`, which the instance keeps alive.
            unsafe {
                if ptr.unmodulated_normalized_value() != value {
                    context.raw_begin_set_parameter(ptr);
                    context.raw_set_parameter_normalized(ptr, value);
                    context.raw_end_set_parameter(ptr);
                }
            }
        }
        params.preset.set(self.name.clone());
    }
}

/// The parameters that presets are about, in the order of the parameters.
fn scope(params: &SidemanParams) -> Vec<(String, ParamPtr)> {
    Control::all().filter(|c| c.row().preset).map(|c| (c.id(), params.pointer(c))).collect()
}

/// A parameter's value as a preset has it.
fn plain(id: &str, ptr: &ParamPtr) -> Value {
    // SAFETY: the caller's parameters are alive.
    let value = unsafe { ptr.unmodulated_plain_value() };
    match ptr {
        // As few digits as tell it from its neighbours.
        ParamPtr::FloatParam(_) => Value::Float(value.to_string().parse().unwrap_or(f64::from(value))),
        ParamPtr::IntParam(_) => Value::Integer(value as i64),
        ParamPtr::BoolParam(_) => Value::Boolean(value > 0.5),
        ParamPtr::EnumParam(_) => {
            let id = choices(id).and_then(|ids| ids.get(value as usize)).copied().unwrap_or_default();
            Value::String(id.to_owned())
        }
    }
}

/// A preset's value as the parameter has it, from 0 to 1; `None` when it makes no sense.
fn normal(id: &str, ptr: &ParamPtr, value: &Value) -> Option<f32> {
    let number = value.as_float().or_else(|| value.as_integer().map(|i| i as f64)).filter(|v| v.is_finite());
    // SAFETY: the caller's parameters are alive.
    unsafe {
        match ptr {
            ParamPtr::FloatParam(p) => Some((**p).preview_normalized(number? as f32)),
            ParamPtr::IntParam(p) => Some((**p).preview_normalized(number? as i32)),
            ParamPtr::BoolParam(_) => value.as_bool().map(|on| if on { 1.0 } else { 0.0 }),
            ParamPtr::EnumParam(p) => {
                let index = choices(id)?.iter().position(|&choice| value.as_str() == Some(choice))?;
                Some((**p).preview_normalized(index as i32))
            }
        }
    }
}

/// The user's own presets.
#[derive(Debug, Clone)]
pub struct Own {
    folder: PathBuf,
}

impl Own {
    /// Those in a folder, which need not be there.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Those in the place that the system has for a user's files.
    ///
    /// # Errors
    /// When the system does not say where that is.
    pub fn of_user() -> Result<Self, PresetError> {
        place(std::env::consts::OS, |name| {
            std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from)
        })
        .map(Self::in_folder)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// All of them by name, and what is wrong with those that cannot be read.
    pub fn list(&self) -> (Vec<Preset>, Vec<PresetError>) {
        let (mut presets, mut problems) = (Vec::new(), Vec::new());
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return (presets, problems),
            Err(source) => {
                problems.push(PresetError::File { path: self.folder.clone(), source });
                return (presets, problems);
            }
        };
        for path in entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "toml"))
        {
            match read(&path) {
                Ok(preset) => presets.push(preset),
                Err(e) => problems.push(e),
            }
        }
        presets.sort_by_key(|p| p.name.to_lowercase());
        (presets, problems)
    }

    /// Saves a preset under its name; one of that name is replaced only if asked.
    ///
    /// # Errors
    /// A name that no file can have, one that is taken, and what the file system says.
    pub fn save(&self, preset: &Preset, replace: bool) -> Result<PathBuf, PresetError> {
        let path = self.path(&preset.name)?;
        if !replace && path.exists() {
            return Err(PresetError::Exists { name: preset.name.clone() });
        }
        let text = toml::to_string(preset)
            .map_err(|e| PresetError::Damaged { path: path.clone(), reason: e.to_string() })?;
        let new = path.with_extension("new");
        let written = std::fs::create_dir_all(&self.folder)
            .and_then(|()| std::fs::write(&new, text))
            // In one step, so that a full disk does not cost the old one.
            .and_then(|()| std::fs::rename(&new, &path));
        written.map_err(|source| PresetError::File { path: path.clone(), source })?;
        Ok(path)
    }

    /// Loads a preset by its name.
    ///
    /// # Errors
    /// A name that no file can have, a file that is not there or is no preset.
    pub fn load(&self, name: &str) -> Result<Preset, PresetError> {
        read(&self.path(name)?)
    }

    /// Deletes a preset.
    ///
    /// # Errors
    /// What the file system says.
    pub fn delete(&self, name: &str) -> Result<(), PresetError> {
        let path = self.path(name)?;
        std::fs::remove_file(&path).map_err(|source| PresetError::File { path, source })
    }

    fn path(&self, name: &str) -> Result<PathBuf, PresetError> {
        let fits = |c: char| c.is_alphanumeric() || " -_.,'+&()#".contains(c);
        let good = name.chars().count() <= LONGEST_NAME
            && name.chars().all(fits)
            && name.chars().next().is_some_and(char::is_alphanumeric)
            && !name.ends_with([' ', '.'])
            && !is_device(name);
        if good {
            Ok(self.folder.join(format!("{name}.toml")))
        } else {
            Err(PresetError::Name { name: name.to_owned() })
        }
    }
}

/// Names that Windows keeps for devices, whatever follows a dot.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim().to_ascii_uppercase();
    let numbered = |kind: &str| {
        stem.strip_prefix(kind).is_some_and(|n| n.len() == 1 && n.as_bytes()[0].is_ascii_digit())
    };
    ["CON", "PRN", "AUX", "NUL"].contains(&stem.as_str()) || numbered("COM") || numbered("LPT")
}

fn read(path: &Path) -> Result<Preset, PresetError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| PresetError::File { path: path.to_owned(), source })?;
    toml::from_str(&text)
        .map_err(|e| PresetError::Damaged { path: path.to_owned(), reason: e.message().to_owned() })
}

/// Where a user's presets are, on a system with these environment variables.
fn place(os: &str, variable: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf, PresetError> {
    let found = match os {
        "windows" => {
            return variable("APPDATA")
                .map(|d| d.join("Sideman").join("Presets"))
                .ok_or(PresetError::NoFolder { variable: "APPDATA" });
        }
        "macos" => variable("HOME").map(|d| d.join("Library/Application Support/Sideman/Presets")),
        _ => variable("XDG_DATA_HOME")
            .filter(|d| d.is_absolute())
            .or_else(|| variable("HOME").map(|d| d.join(".local/share")))
            .map(|d| d.join("sideman/presets")),
    };
    found.ok_or(PresetError::NoFolder { variable: "HOME" })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sideman_engine::live::Shared;
    use sideman_engine::style::Style;
    use sideman_music::Part;

    use super::*;

    fn params() -> SidemanParams {
        SidemanParams::new(Arc::new(Shared::default()))
    }

    #[test]
    fn every_style_has_presets_and_all_they_say_makes_sense() {
        let (presets, params) = (built_in(), params());
        for style in Style::ALL {
            assert!(presets.iter().filter(|p| p.style == style.name()).count() >= 2, "{style}");
        }
        let known = scope(&params);
        for preset in &presets {
            for (id, value) in &preset.params {
                let (_, ptr) =
                    known.iter().find(|(k, _)| k == id).unwrap_or_else(|| panic!("{}: {id}", preset.name));
                let normal =
                    normal(id, ptr, value).unwrap_or_else(|| panic!("{}: {id} = {value}", preset.name));
                // In range, or it would come back as something else.
                // SAFETY: the parameters are alive.
                let back = unsafe { ptr.preview_plain(normal) };
                let said = value.as_float().map_or(back, |v| v as f32);
                assert!((back - said).abs() < 1e-4, "{}: {id} = {value}", preset.name);
            }
            assert!(choices("style").unwrap().contains(&preset.style.as_str()), "{}", preset.style);
            assert_eq!(presets.iter().filter(|p| p.name == preset.name).count(), 1, "{}", preset.name);
        }
    }

    #[test]
    fn a_preset_sets_the_music_and_nothing_else() {
        let params = params();
        let preset = built_in().into_iter().find(|p| p.name == "Campfire").unwrap();
        let values = preset.values(&params);
        assert_eq!(values.len(), 12 + 4 * 7);
        let of = |ptr: ParamPtr| values.iter().find(|(p, _)| *p == ptr).map(|(_, v)| *v);
        assert_eq!(of(params.pointer(Control::On(Part::Drums))), Some(0.0));
        assert_eq!(of(params.pointer(Control::On(Part::Bass))), Some(1.0), "not named: the default");
        assert_eq!(of(params.pointer(Control::Tempo)), None);
        assert_eq!(of(params.pointer(Control::Seed)), None);
        assert_eq!(of(params.pointer(Control::Style)), Some(1.0), "folk is the last style");
    }

    #[test]
    fn own_presets_are_saved_listed_loaded_and_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let own = Own::in_folder(folder.path().join("not yet there"));
        assert!(own.list().0.is_empty() && own.list().1.is_empty());
        let preset = Preset::of(&params(), "Mine & Söhne (2)");
        own.save(&preset, false).unwrap();
        assert!(matches!(own.save(&preset, false), Err(PresetError::Exists { .. })));
        own.save(&Preset { style: "funk".to_owned(), ..preset.clone() }, true).unwrap();
        assert_eq!(own.load(&preset.name).unwrap().style, "funk");
        std::fs::write(own.folder().join("torn.toml"), "name = ").unwrap();
        let (presets, problems) = own.list();
        assert_eq!(presets.len(), 1);
        assert!(problems[0].to_string().contains("torn.toml"), "{problems:?}");
        own.delete(&preset.name).unwrap();
        assert!(matches!(own.load(&preset.name), Err(PresetError::File { .. })));
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let own = Own::in_folder("somewhere");
        let long = "x".repeat(LONGEST_NAME + 1);
        for name in ["", "../x", "a/b", "a\\b", ".hidden", "nul", "Com1.x", "end.", "C:x", "a\0b", &long] {
            assert!(matches!(own.path(name), Err(PresetError::Name { .. })), "{name:?}");
        }
        assert!(own.path("Late night, slow").is_ok());
    }

    #[test]
    fn each_system_has_its_place() {
        let home = |name: &str| (name == "HOME").then(|| PathBuf::from("/people/ann"));
        assert_eq!(place("linux", home).unwrap(), Path::new("/people/ann/.local/share/sideman/presets"));
        assert_eq!(
            place("macos", home).unwrap(),
            Path::new("/people/ann/Library/Application Support/Sideman/Presets")
        );
        assert!(matches!(place("windows", home), Err(PresetError::NoFolder { variable: "APPDATA" })));
    }
}
