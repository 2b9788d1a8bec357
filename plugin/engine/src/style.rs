//! The styles by name, and the instruments they are played on.

use sideman_music::Part;

pub use crate::rules::styles::Style;

impl Style {
    /// Name as users write it.
    pub fn name(self) -> &'static str {
        self.data().name
    }

    /// General MIDI program, from 0, that a part is played on; `None` for the drums, which have a channel
    /// of their own instead.
    pub fn program(self, part: Part) -> Option<u8> {
        part.index().checked_sub(1).map(|i| self.data().programs[i])
    }

    /// Labels of the style in training collections whose bands were made by rules: those that mean it, then those
    /// that may mean it, too.
    pub fn labels(self) -> [&'static [&'static str]; 2] {
        [self.data().labels, self.data().broad_labels]
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
