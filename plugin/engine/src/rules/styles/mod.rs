//! The patterns of the styles, as data, a file for each. [`super::groove`] explains how they are written.

mod ballad;
mod blues;
mod bossa;
mod country;
mod fills;
mod folk;
mod funk;
mod hip_hop;
mod house;
mod jazz_swing;
mod pop_rock;
mod reggae;

use super::groove::StyleData;

macro_rules! styles {
    ($($(#[$doc:meta])* $style:ident => $file:ident,)*) => {
        /// A style of playing.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Style { $($(#[$doc])* $style,)* }

        impl Style {
            /// All styles.
            pub const ALL: [Self; [$(Self::$style,)*].len()] = [$(Self::$style,)*];

            /// What its file says.
            pub(crate) const fn data(self) -> &'static StyleData {
                match self { $(Self::$style => &$file::STYLE,)* }
            }
        }
    };
}

// To add a style, write its file, and name it here, at the end: projects keep the number of the row. Names, presets'
// choices, options, genres, fills and the labels of training data follow from the file.
styles! {
    /// Straight eighths, backbeat.
    PopRock => pop_rock,
    /// Slow, broken chords, pads.
    Ballad => ballad,
    /// Four on the floor.
    House => house,
    /// Swung ride cymbal, walking bass.
    JazzSwing => jazz_swing,
    /// Bossa nova clave.
    Bossa => bossa,
    /// Boom-chick, two-beat bass.
    Country => country,
    /// Shuffle.
    Blues => blues,
    /// Syncopated sixteenths, ghost notes.
    Funk => funk,
    /// Sparse kick, late sixteenths.
    HipHop => hip_hop,
    /// One drop, skank.
    Reggae => reggae,
    /// Picked guitar, little percussion.
    Folk => folk,
}

#[cfg(test)]
mod tests {
    use super::super::groove::{Groove, Levels};
    use super::*;

    /// All grooves, with what they are called.
    fn grooves() -> Vec<(String, &'static Groove, &'static StyleData)> {
        let all = |style: Style| {
            let m = style.data();
            [("4/4", m.common), ("3/4", m.waltz), ("6/8", m.six), ("12/8", m.twelve)]
                .map(|(metre, groove)| (format!("{style} {metre}"), groove, m))
        };
        Style::ALL.into_iter().flat_map(all).collect()
    }

    /// Every pattern fills whole bars, in the letters of its part.
    #[test]
    fn patterns_are_well_formed() {
        for (name, groove, style) in grooves() {
            assert!((0..=2).contains(&(style.late + style.lag)));
            assert_eq!(
                groove.beats,
                match name.rsplit(' ').next().unwrap() {
                    "3/4" => 3,
                    "6/8" => 2,
                    _ => 4,
                }
            );
            let bar = usize::from(groove.beats * groove.cells);
            let check = |text: &str, letters: &str| {
                assert!(
                    !text.is_empty() && text.len().is_multiple_of(bar),
                    "{name}: '{text}' is not whole bars"
                );
                assert!(text.chars().all(|c| letters.contains(c)), "{name}: '{text}'");
            };
            let lines = groove.time.iter().chain(groove.drums.iter().copied().flatten());
            lines.for_each(|l| check(l.hits, ".Xxog"));
            groove.bass.iter().flatten().for_each(|p| check(p, ".Rr35678wang"));
            groove.guitar.iter().flatten().for_each(|p| check(p, ".XxoMmku1234bfBPpdt"));
            groove.strings.iter().filter(|p| !p.is_empty()).for_each(|p| check(p, ".Xxomdt"));
            check(groove.lead, ".r3568w7an");
            for fill in groove.fills.short.iter().chain(groove.fills.long) {
                assert!(fill.len().is_multiple_of(usize::from(groove.cells)), "{name}: '{fill}'");
                assert!(fill.chars().all(|c| ".sShHmMlLrRcCkKgF".contains(c)), "{name}: '{fill}'");
                assert!(
                    fill.len() / usize::from(groove.cells) < usize::from(groove.beats),
                    "{name}: '{fill}'"
                );
            }
            assert!(
                groove.fills.short.len() >= 2 && groove.fills.long.len() >= 2,
                "{name}: fills take turns"
            );
        }
    }

    /// Two to four variations of drums, bass and guitar, and no two alike.
    #[test]
    fn variations_differ() {
        for (name, groove, _) in grooves() {
            let wanted = if name.ends_with("4/4") { 4..=4 } else { 2..=4 };
            let levels = |all: &[Levels]| {
                assert!(wanted.contains(&all.len()), "{name}");
                for (i, a) in all.iter().enumerate() {
                    // What is played at usual energy is what tells them apart.
                    assert!(all[..i].iter().all(|b| a[1] != b[1]), "{name}: '{}' twice", a[1]);
                }
            };
            levels(groove.bass);
            levels(groove.guitar);
            assert!(wanted.contains(&groove.drums.len()), "{name}");
            let usual = |i: usize| {
                let lines = groove.drums[i].iter().filter(|l| l.from <= 55);
                lines.map(|l| (l.class, l.hits)).collect::<Vec<_>>()
            };
            for i in 0..groove.drums.len() {
                assert!((0..i).all(|j| usual(i) != usual(j)), "{name}: drums {i}");
            }
        }
    }

    /// Fuller patterns have more notes, and nothing that rides or drops out takes one away.
    #[test]
    fn levels_ascend() {
        for (name, groove, style) in grooves() {
            let bar = usize::from(groove.beats * groove.cells);
            let a_bar = |text: &str, weigh: &dyn Fn(u8) -> usize| {
                text.bytes().map(weigh).sum::<usize>() as f64 / (text.len() / bar) as f64
            };
            let strings = |letter: u8| match letter {
                b'.' => 0,
                b'u' | b'B' | b'p' | b'P' => 3,
                b'k' | b'd' => 2,
                b'1'..=b'4' | b'b' | b'f' | b't' => 1,
                _ => style.guitar_voices,
            };
            for levels in groove.bass {
                let counts = levels.map(|text| a_bar(text, &|letter| usize::from(letter != b'.')));
                assert!(counts.is_sorted() && counts[0] < counts[2], "{name}: {levels:?} {counts:?}");
            }
            for levels in groove.guitar {
                let counts = levels.map(|text| a_bar(text, &strings));
                assert!(counts.is_sorted() && counts[0] < counts[2], "{name}: {levels:?} {counts:?}");
            }
        }
    }
}
