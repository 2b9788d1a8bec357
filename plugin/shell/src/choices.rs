//! What the parameters that are not numbers can be set to.

use nice_plug::prelude::Enum;
use sideman_engine::WeightsChoice;
use sideman_engine::live::{ClockChoice, Sending};
use sideman_engine::style::{Style, StyleChoice};
use sideman_music::{Meter, Part};

/// The style that the band plays, as a parameter. The ids are kept in projects and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum StyleParam {
    /// Chosen for the music.
    #[id = "auto"]
    #[name = "Auto"]
    Auto,
    /// [`Style::PopRock`].
    #[id = "pop-rock"]
    #[name = "Pop rock"]
    PopRock,
    /// [`Style::Ballad`].
    #[id = "ballad"]
    #[name = "Ballad"]
    Ballad,
    /// [`Style::House`].
    #[id = "house"]
    #[name = "House"]
    House,
    /// [`Style::JazzSwing`].
    #[id = "jazz-swing"]
    #[name = "Jazz swing"]
    JazzSwing,
    /// [`Style::Bossa`].
    #[id = "bossa"]
    #[name = "Bossa nova"]
    Bossa,
    /// [`Style::Country`].
    #[id = "country"]
    #[name = "Country"]
    Country,
    /// [`Style::Blues`].
    #[id = "blues"]
    #[name = "Blues"]
    Blues,
    /// [`Style::Funk`].
    #[id = "funk"]
    #[name = "Funk"]
    Funk,
    /// [`Style::HipHop`].
    #[id = "hip-hop"]
    #[name = "Hip hop"]
    HipHop,
    /// [`Style::Reggae`].
    #[id = "reggae"]
    #[name = "Reggae"]
    Reggae,
    /// [`Style::Folk`].
    #[id = "folk"]
    #[name = "Folk"]
    Folk,
}

impl StyleParam {
    /// What the engine is told.
    pub fn choice(self) -> StyleChoice {
        style_at(self as usize).map_or(StyleChoice::Auto, StyleChoice::Fixed)
    }
}

/// The style in a place of the two lists of them, which begin with none and go on as [`Style::ALL`] does.
fn style_at(place: usize) -> Option<Style> {
    place.checked_sub(1).and_then(|i| Style::ALL.get(i)).copied()
}

/// What the band plays from. The ids are kept in projects and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum WeightsParam {
    /// [`WeightsChoice::Full`].
    #[id = "full"]
    #[name = "Full"]
    Full,
    /// [`WeightsChoice::Open`].
    #[id = "open"]
    #[name = "Open"]
    Open,
    /// [`WeightsChoice::Rules`].
    #[id = "rules"]
    #[name = "Rules"]
    Rules,
}

impl WeightsParam {
    /// What the engine is told.
    pub fn choice(self) -> WeightsChoice {
        match self {
            Self::Full => WeightsChoice::Full,
            Self::Open => WeightsChoice::Open,
            Self::Rules => WeightsChoice::Rules,
        }
    }
}

/// Another style to go towards, as a parameter. The ids are kept in projects and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum MorphParam {
    /// None.
    #[id = "none"]
    #[name = "None"]
    None,
    /// [`Style::PopRock`].
    #[id = "pop-rock"]
    #[name = "Pop rock"]
    PopRock,
    /// [`Style::Ballad`].
    #[id = "ballad"]
    #[name = "Ballad"]
    Ballad,
    /// [`Style::House`].
    #[id = "house"]
    #[name = "House"]
    House,
    /// [`Style::JazzSwing`].
    #[id = "jazz-swing"]
    #[name = "Jazz swing"]
    JazzSwing,
    /// [`Style::Bossa`].
    #[id = "bossa"]
    #[name = "Bossa nova"]
    Bossa,
    /// [`Style::Country`].
    #[id = "country"]
    #[name = "Country"]
    Country,
    /// [`Style::Blues`].
    #[id = "blues"]
    #[name = "Blues"]
    Blues,
    /// [`Style::Funk`].
    #[id = "funk"]
    #[name = "Funk"]
    Funk,
    /// [`Style::HipHop`].
    #[id = "hip-hop"]
    #[name = "Hip hop"]
    HipHop,
    /// [`Style::Reggae`].
    #[id = "reggae"]
    #[name = "Reggae"]
    Reggae,
    /// [`Style::Folk`].
    #[id = "folk"]
    #[name = "Folk"]
    Folk,
}

impl MorphParam {
    /// What the engine is told.
    pub fn style(self) -> Option<Style> {
        style_at(self as usize)
    }
}

/// One of four bands of the same style.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum VariationParam {
    /// The first.
    #[id = "a"]
    A,
    /// The second.
    #[id = "b"]
    B,
    /// The third.
    #[id = "c"]
    C,
    /// The fourth.
    #[id = "d"]
    D,
}

/// Which clock the band follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ClockParam {
    /// The host's while it runs, else the own.
    #[id = "auto"]
    #[name = "Auto"]
    Auto,
    /// The host's only.
    #[id = "host"]
    #[name = "Host"]
    Host,
    /// The own only.
    #[id = "own"]
    #[name = "Own"]
    Own,
}

impl ClockParam {
    /// What the engine is told.
    pub fn choice(self) -> ClockChoice {
        match self {
            Self::Auto => ClockChoice::Auto,
            Self::Host => ClockChoice::Host,
            Self::Own => ClockChoice::Own,
        }
    }
}

/// Metre of the own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum MeterParam {
    /// Two quarters.
    #[id = "2/4"]
    #[name = "2/4"]
    TwoFour,
    /// Three quarters.
    #[id = "3/4"]
    #[name = "3/4"]
    ThreeFour,
    /// Four quarters.
    #[id = "4/4"]
    #[name = "4/4"]
    FourFour,
    /// Five quarters.
    #[id = "5/4"]
    #[name = "5/4"]
    FiveFour,
    /// Six quarters.
    #[id = "6/4"]
    #[name = "6/4"]
    SixFour,
    /// Seven quarters.
    #[id = "7/4"]
    #[name = "7/4"]
    SevenFour,
    /// Two halves.
    #[id = "2/2"]
    #[name = "2/2"]
    TwoTwo,
    /// Three eighths.
    #[id = "3/8"]
    #[name = "3/8"]
    ThreeEight,
    /// Five eighths.
    #[id = "5/8"]
    #[name = "5/8"]
    FiveEight,
    /// Six eighths.
    #[id = "6/8"]
    #[name = "6/8"]
    SixEight,
    /// Seven eighths.
    #[id = "7/8"]
    #[name = "7/8"]
    SevenEight,
    /// Nine eighths.
    #[id = "9/8"]
    #[name = "9/8"]
    NineEight,
    /// Twelve eighths.
    #[id = "12/8"]
    #[name = "12/8"]
    TwelveEight,
}

impl MeterParam {
    /// What the engine is told.
    pub fn meter(self) -> Meter {
        let (numerator, denominator) = match self {
            Self::TwoFour => (2, 4),
            Self::ThreeFour => (3, 4),
            Self::FourFour => (4, 4),
            Self::FiveFour => (5, 4),
            Self::SixFour => (6, 4),
            Self::SevenFour => (7, 4),
            Self::TwoTwo => (2, 2),
            Self::ThreeEight => (3, 8),
            Self::FiveEight => (5, 8),
            Self::SixEight => (6, 8),
            Self::SevenEight => (7, 8),
            Self::NineEight => (9, 8),
            Self::TwelveEight => (12, 8),
        };
        Meter { numerator, denominator }
    }
}

/// Which parts are sent to the host as notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum SendParam {
    /// All.
    #[id = "all"]
    #[name = "All"]
    All,
    /// The drums.
    #[id = "drums"]
    #[name = "Drums"]
    Drums,
    /// The bass.
    #[id = "bass"]
    #[name = "Bass"]
    Bass,
    /// The guitar.
    #[id = "guitar"]
    #[name = "Guitar"]
    Guitar,
    /// The strings.
    #[id = "strings"]
    #[name = "Strings"]
    Strings,
    /// None.
    #[id = "nothing"]
    #[name = "Nothing"]
    Nothing,
}

impl SendParam {
    /// What the engine is told.
    pub fn sending(self) -> Sending {
        match self {
            Self::All => Sending::All,
            Self::Drums => Sending::Only(Part::Drums),
            Self::Bass => Sending::Only(Part::Bass),
            Self::Guitar => Sending::Only(Part::Guitar),
            Self::Strings => Sending::Only(Part::Strings),
            Self::Nothing => Sending::Nothing,
        }
    }
}

/// Whether the built-in sound also plays the piano.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum PianoSoundParam {
    /// In the standalone program only: in a host something else sounds the piano already.
    #[id = "auto"]
    #[name = "Auto"]
    Auto,
    /// Always.
    #[id = "on"]
    #[name = "On"]
    On,
    /// Never.
    #[id = "off"]
    #[name = "Off"]
    Off,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_are_those_of_the_engine_in_its_order() {
        let ids = StyleParam::ids().unwrap();
        let names: Vec<&str> = StyleChoice::all().map(StyleChoice::name).collect();
        assert_eq!(ids, names);
        for (i, choice) in StyleChoice::all().enumerate() {
            assert_eq!(StyleParam::from_index(i).choice(), choice);
            let other = MorphParam::from_index(i);
            assert_eq!(other.style().map(Style::name).unwrap_or("auto"), names[i]);
            assert_eq!(MorphParam::ids().unwrap()[i], if i == 0 { "none" } else { names[i] });
        }
        for (i, choice) in WeightsChoice::ALL.into_iter().enumerate() {
            assert_eq!(WeightsParam::from_index(i).choice(), choice);
            assert_eq!(WeightsParam::ids().unwrap()[i], choice.name());
        }
    }

    #[test]
    fn metres_are_what_they_are_called() {
        for (i, name) in MeterParam::variants().iter().enumerate() {
            assert_eq!(MeterParam::from_index(i).meter().to_string(), *name);
        }
        assert_eq!(MeterParam::FourFour.meter(), Meter::COMMON);
    }
}
