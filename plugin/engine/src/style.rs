//! The styles by name, and the instruments they are played on.

use sideman_music::Part;

/// A style of playing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Style {
    /// Straight eighths, backbeat.
    PopRock,
    /// Slow, broken chords, pads.
    Ballad,
    /// Four on the floor.
    House,
    /// Swung ride cymbal, walking bass.
    JazzSwing,
    /// Bossa nova clave.
    Bossa,
    /// Boom-chick, two-beat bass.
    Country,
    /// Shuffle.
    Blues,
    /// Syncopated sixteenths, ghost notes.
    Funk,
    /// Sparse kick, late sixteenths.
    HipHop,
    /// One drop, skank.
    Reggae,
    /// Picked guitar, little percussion.
    Folk,
}

struct Facts {
    name: &'static str,
    /// General MIDI programs from 0 of bass, guitar and strings.
    programs: [u8; 3],
}

impl Style {
    /// All styles.
    pub const ALL: [Self; 11] = [
        Self::PopRock,
        Self::Ballad,
        Self::House,
        Self::JazzSwing,
        Self::Bossa,
        Self::Country,
        Self::Blues,
        Self::Funk,
        Self::HipHop,
        Self::Reggae,
        Self::Folk,
    ];

    fn facts(self) -> Facts {
        let (name, programs) = match self {
            // Picked, fingered, fretless, slap, synth and upright basses are programs 34, 33, 35, 36, 38
            // and 32; nylon, steel, jazz, clean and muted guitars 24 to 28; strings 48, slow strings 49,
            // synth strings 50, solo violin 40, plucked strings 45.
            Self::PopRock => ("pop-rock", [34, 27, 48]),
            Self::Ballad => ("ballad", [33, 25, 49]),
            Self::House => ("house", [38, 28, 50]),
            Self::JazzSwing => ("jazz-swing", [32, 26, 48]),
            Self::Bossa => ("bossa", [32, 24, 49]),
            Self::Country => ("country", [33, 25, 40]),
            Self::Blues => ("blues", [33, 26, 48]),
            Self::Funk => ("funk", [36, 27, 48]),
            Self::HipHop => ("hip-hop", [38, 27, 45]),
            Self::Reggae => ("reggae", [33, 28, 48]),
            Self::Folk => ("folk", [32, 25, 40]),
        };
        Facts { name, programs }
    }

    /// Name as users write it.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// General MIDI program, from 0, that a part is played on; `None` for the drums, which have a channel
    /// of their own instead.
    pub fn program(self, part: Part) -> Option<u8> {
        part.index().checked_sub(1).map(|i| self.facts().programs[i])
    }
}

impl std::fmt::Display for Style {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no style.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown style '{name}': choose from {known}")]
pub struct UnknownStyle {
    /// The name given.
    pub name: String,
    /// The names there are.
    pub known: String,
}

impl UnknownStyle {
    fn new(name: &str, auto: bool) -> Self {
        let auto = auto.then_some("auto");
        let known: Vec<&str> = auto.into_iter().chain(Style::ALL.map(Style::name)).collect();
        Self { name: name.to_owned(), known: known.join(", ") }
    }
}

impl std::str::FromStr for Style {
    type Err = UnknownStyle;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        // Users write spaces and underscores, too.
        let name = s.trim().to_ascii_lowercase().replace([' ', '_'], "-");
        Self::ALL.into_iter().find(|style| style.name() == name).ok_or_else(|| UnknownStyle::new(s, false))
    }
}

/// What a user asks for: a style, or to choose one for the music.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum StyleChoice {
    /// To be chosen for the music.
    #[default]
    Auto,
    /// This one.
    Fixed(Style),
}

impl StyleChoice {
    /// All choices.
    pub fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::Auto).chain(Style::ALL.map(Self::Fixed))
    }

    /// Name as users write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Fixed(style) => style.name(),
        }
    }

    /// The style asked for, or `otherwise` for auto.
    pub fn or(self, otherwise: Style) -> Style {
        match self {
            Self::Auto => otherwise,
            Self::Fixed(style) => style,
        }
    }
}

impl std::fmt::Display for StyleChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for StyleChoice {
    type Err = UnknownStyle;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        if s.trim().eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        s.parse().map(Self::Fixed).map_err(|_| UnknownStyle::new(s, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sideman_music::Family;

    #[test]
    fn names_go_there_and_back() {
        for choice in StyleChoice::all() {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        assert_eq!("Jazz Swing".parse(), Ok(Style::JazzSwing));
        let error = "polka".parse::<StyleChoice>().unwrap_err().to_string();
        assert!(error.contains("'polka'") && error.contains("auto, pop-rock") && error.contains("folk"));
        assert!("auto".parse::<Style>().is_err());
    }

    #[test]
    fn programs_belong_to_the_family_of_their_part() {
        for style in Style::ALL {
            for part in Part::ALL {
                let family = style.program(part).and_then(Family::of_program);
                assert_eq!(family, (part != Part::Drums).then_some(part.family()), "{style} {part}");
            }
        }
    }
}
