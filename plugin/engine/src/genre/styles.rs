//! Which style suits which genre.

use crate::loaded_band::Music;
use crate::style::Style;

/// What a genre asks of the band.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suits {
    /// Whatever auto chooses by itself.
    Own,
    /// That, or a ballad where the music is slow.
    OwnOrBallad,
    /// One style.
    Style(Style),
    /// Country, or folk where the music is slow or counts in threes: boom and chick want two or four.
    CountryOrFolk,
}

/// Below this many quarter notes a minute the music is slow; where the rule band takes a ballad by itself, too.
const SLOW: f64 = 88.0;

/// The genres of the classifiers, of notes and of sound, in small letters, that no single style suits. The others
/// stand with their styles.
const TABLE: [(&str, Suits); 8] = [
    ("classical", Suits::OwnOrBallad),
    ("folk", Suits::CountryOrFolk),
    ("folk/country", Suits::CountryOrFolk),
    ("hymn", Suits::OwnOrBallad),
    ("metal", Suits::Own),
    ("pop", Suits::Own),
    ("pop/rock", Suits::Own),
    ("rock", Suits::Own),
];

impl Suits {
    /// What suits a genre; nothing for an unknown name.
    pub(super) fn of(genre: &str) -> Option<Self> {
        let row = TABLE.iter().find(|(name, _)| name.eq_ignore_ascii_case(genre)).map(|row| row.1);
        let suits = |style: &Style| style.data().genres.iter().any(|name| name.eq_ignore_ascii_case(genre));
        row.or_else(|| Style::ALL.into_iter().find(suits).map(Self::Style))
    }

    /// The style for music of a tempo and metre; none for auto's own choice.
    pub(super) fn style(self, music: Music) -> Option<Style> {
        let slow = music.bpm < SLOW;
        match self {
            Self::Own => None,
            Self::OwnOrBallad => slow.then_some(Style::Ballad),
            Self::Style(style) => Some(style),
            Self::CountryOrFolk if slow || music.bar_steps % 3 == 0 => Some(Style::Folk),
            Self::CountryOrFolk => Some(Style::Country),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sideman_inference::genre::built_in;

    #[test]
    fn every_genre_of_the_classifiers_has_a_style() {
        for class in &built_in::piano().unwrap().head.classes {
            assert!(Suits::of(class).is_some(), "{class}");
        }
        let gtzan =
            ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"];
        assert!(gtzan.into_iter().all(|genre| Suits::of(genre).is_some()));
        assert_eq!(Suits::of("polka"), None);
    }

    #[test]
    fn tempo_and_metre_have_their_say() {
        let music = |bpm, bar_steps| Music { bpm, bar_steps };
        let style = |genre, bpm, steps| Suits::of(genre).unwrap().style(music(bpm, steps));
        assert_eq!(style("Jazz", 200.0, 16), Some(Style::JazzSwing));
        assert_eq!(style("Folk/Country", 120.0, 16), Some(Style::Country));
        assert_eq!(style("Folk/Country", 120.0, 12), Some(Style::Folk));
        assert_eq!(style("Folk/Country", 70.0, 16), Some(Style::Folk));
        assert_eq!(style("Hymn", 70.0, 16), Some(Style::Ballad));
        assert_eq!(style("Classical", 120.0, 16), None);
        assert_eq!(style("Pop/Rock", 60.0, 16), None);
    }
}
