//! What a performance starts with.

use sideman_inference::band::Activity;
use sideman_music::PARTS;
use sideman_music::encoding::grid::VelocityTable;

use crate::controls::{CONTROLS, Control, Controls};
use crate::play::pattern::Patterns;

/// Settings of a performance. Neutral values are the defaults.
///
/// Of the controls of a part those that only concern how it is heard (mute, solo, octave, level) are applied
/// where notes are sent, not by the band, and so not offline.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// The controls as they are at the start; live they may be turned later.
    pub controls: Controls,
    /// Velocity that each bin of the band is played with.
    pub velocities: VelocityTable,
    /// How the parts come and go.
    pub activity: Activity,
    /// What parts keep to.
    pub patterns: Patterns,
}

impl From<Controls> for Settings {
    fn from(controls: Controls) -> Self {
        Self { controls, ..Self::default() }
    }
}

impl Settings {
    /// Checks the ranges, for a performance from beginning to end. Live, controls are clamped instead, see
    /// [`Controls::clamped`].
    ///
    /// # Errors
    /// Names the first setting that is out of its range, with its value; or says that the performance would
    /// not end.
    pub fn check(&self) -> Result<(), SettingsError> {
        let c = &self.controls;
        for control in (0..CONTROLS).filter_map(Control::at) {
            let Some(value) = c.get(control) else { continue };
            let (low, high, _) = control.row().range();
            // NaN fails, too.
            if !(low..=high).contains(&value) {
                return Err(SettingsError::OutOfRange { name: control.row().id, value, low, high });
            }
        }
        if c.on() == [false; PARTS] {
            return Err(SettingsError::NoParts);
        }
        if c.freeze || c.hold {
            return Err(SettingsError::Endless);
        }
        Ok(())
    }
}

/// A setting that a performance cannot start with.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum SettingsError {
    /// A value outside its range.
    #[error("{name} is {value}, but must be from {low} to {high}: choose a value in that range")]
    OutOfRange {
        /// Name of the setting.
        name: &'static str,
        /// The value given.
        value: f32,
        /// Least value.
        low: f32,
        /// Greatest value.
        high: f32,
    },
    /// Every part is switched off.
    #[error("no part is to play: name at least one of drums, bass, guitar, strings")]
    NoParts,
    /// The band would play on after the piano for ever.
    #[error("a band that is frozen or held never ends: these are for playing live, leave them off here")]
    Endless,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(controls: Controls) -> Result<(), SettingsError> {
        Settings::from(controls).check()
    }

    #[test]
    fn ranges_are_checked() {
        assert_eq!(Settings::default().check(), Ok(()));
        let error = check(Controls { swing: 1.5, ..Controls::default() }).unwrap_err().to_string();
        assert!(error.contains("swing is 1.5") && error.contains("from 0 to 1"), "{error}");
        let error = check(Controls { listen_bars: 200, ..Controls::default() }).unwrap_err().to_string();
        assert!(error.contains("listen is 200") && error.contains("from 0 to 16"), "{error}");
        assert!(check(Controls { humanize: f32::NAN, ..Controls::default() }).is_err());
        assert!(check(Controls { complexity: -0.1, ..Controls::default() }).is_err());
        assert!(check(Controls { variation: 4, ..Controls::default() }).is_err());
        let mut sparse = Controls::default();
        sparse.parts[2].density = 2.0;
        assert!(check(sparse).is_err());
        assert_eq!(check(Controls::default().with_parts([false; 4])), Err(SettingsError::NoParts));
        let frozen = Controls { freeze: true, ..Controls::default() };
        assert_eq!(check(frozen), Err(SettingsError::Endless));
    }
}
