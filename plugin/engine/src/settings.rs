//! What a user sets before a performance.

use sideman_models::band::Dials;
use sideman_music::Part;
use sideman_music::grid::VelocityTable;

/// Settings of a performance. Neutral values are the defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Everything drawn by chance follows from it.
    pub seed: u64,
    /// Which parts play at all, in the order of [`Part::ALL`].
    pub parts: [bool; 4],
    /// What the band is told: temperature and intensity. Intensity also moves loudness, here.
    pub dials: Dials,
    /// How far the off-beats are delayed, 0 (as decided) to 1 (the second eighth on the last triplet).
    pub swing: f32,
    /// How human the timing is, 0 (everything exactly on the grid of sixteenths and eighth triplets) to 1 (as
    /// decided, and a little astray where a part is off the grid anyway). Where the piano plays behind
    /// the beat, the grid of the band leans back with it whatever this says.
    pub humanize: f32,
    /// Bars to listen before the band enters at a bar line; 0 enters with the first note.
    pub listen_bars: u16,
    /// Velocity that each bin of the band is played with.
    pub velocities: VelocityTable,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 0,
            parts: [true; 4],
            dials: Dials::default(),
            swing: 0.0,
            humanize: 1.0,
            listen_bars: 0,
            velocities: VelocityTable::default(),
        }
    }
}

impl Settings {
    /// Whether a part plays at all.
    pub fn plays(&self, part: Part) -> bool {
        self.parts[part.index()]
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// Names the first setting that is out of its range, with its value.
    pub fn check(&self) -> Result<(), SettingsError> {
        let within = |name, value: f32, low: f32, high: f32| {
            // Not a number fails, too.
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(SettingsError::OutOfRange { name, value, low, high })
            }
        };
        within("temperature", self.dials.temperature, 0.1, 2.0)?;
        within("intensity", self.dials.intensity, 0.0, 1.0)?;
        within("swing", self.swing, 0.0, 1.0)?;
        within("humanize", self.humanize, 0.0, 1.0)?;
        if self.parts == [false; 4] {
            return Err(SettingsError::NoParts);
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_checked() {
        assert_eq!(Settings::default().check(), Ok(()));
        let bad = Settings { swing: 1.5, ..Settings::default() };
        let error = bad.check().unwrap_err().to_string();
        assert!(error.contains("swing is 1.5") && error.contains("from 0 to 1"), "{error}");
        let nan = Settings { humanize: f32::NAN, ..Settings::default() };
        assert!(nan.check().is_err());
        let none = Settings { parts: [false; 4], ..Settings::default() };
        assert_eq!(none.check(), Err(SettingsError::NoParts));
    }
}
