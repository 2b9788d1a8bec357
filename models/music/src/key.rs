//! The key of a passage, after Krumhansl and Schmuckler.
//!
//! C. L. Krumhansl, "Cognitive Foundations of Musical Pitch" (1990), chapter 4: the durations of the
//! twelve pitch classes are correlated with the profiles of the 24 keys, which Krumhansl and Kessler
//! (1982) took from probe-tone ratings; the key with the highest correlation is taken.

use crate::chord::PITCH_CLASS_NAMES;
use crate::score::Note;

/// Probe-tone ratings for major keys, from the tonic upwards (Krumhansl 1990, table 2.1).
const MAJOR: [f64; 12] = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88];
/// Probe-tone ratings for minor keys, from the tonic upwards (Krumhansl 1990, table 2.1).
const MINOR: [f64; 12] = [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17];

/// An estimated key. [`Display`](std::fmt::Display) writes its name, as in "A minor".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Key {
    /// Pitch class of the tonic, 0 (C) to 11.
    pub tonic: u8,
    /// Whether the key is minor.
    pub minor: bool,
    /// Correlation with the key's profile, -1 to 1.
    pub correlation: f64,
    /// How far the correlation lies above that of the next best key, 0 to 2.
    pub lead: f64,
}

impl Key {
    /// Estimates the key of weighted pitch classes, from C upwards, such as summed durations. `None` when
    /// the weights say nothing: all equal, all zero, negative or not numbers.
    pub fn of(weights: &[f64; 12]) -> Option<Self> {
        if weights.iter().any(|w| !w.is_finite() || *w < 0.0) {
            return None;
        }
        let mut best: Option<(f64, u8, bool)> = None;
        let mut second = f64::NEG_INFINITY;
        for tonic in 0..12u8 {
            let turned: [f64; 12] = std::array::from_fn(|i| weights[(i + usize::from(tonic)) % 12]);
            for (profile, minor) in [(&MAJOR, false), (&MINOR, true)] {
                let r = correlation(&turned, profile)?;
                match best {
                    Some((b, ..)) if r <= b => second = second.max(r),
                    _ => {
                        second = best.map_or(second, |b| b.0);
                        best = Some((r, tonic, minor));
                    }
                }
            }
        }
        best.map(|(correlation, tonic, minor)| Self { tonic, minor, correlation, lead: correlation - second })
    }

    /// Estimates the key of notes by their durations.
    pub fn of_notes<'a>(notes: impl IntoIterator<Item = &'a Note>) -> Option<Self> {
        let mut weights = [0.0; 12];
        for n in notes {
            weights[usize::from(n.pitch % 12)] += n.length.max(0) as f64;
        }
        Self::of(&weights)
    }

    /// How sure the estimate is, 0 to 1: the correlation, in full when it leads by 0.1 or more and in
    /// proportion below (relative keys share most notes and lie close).
    pub fn confidence(&self) -> f64 {
        self.correlation.clamp(0.0, 1.0) * (self.lead / 0.1).clamp(0.0, 1.0)
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mode = if self.minor { "minor" } else { "major" };
        // Minor keys are spelled with the accidentals of their signature: G# minor, not Ab minor.
        let tonic = match (self.minor, self.tonic % 12) {
            (true, 8) => "G#",
            (false, 1) => "Db",
            (_, tonic) => PITCH_CLASS_NAMES[usize::from(tonic)],
        };
        write!(f, "{tonic} {mode}")
    }
}

/// Pearson's correlation; `None` when a side does not vary.
fn correlation(a: &[f64; 12], b: &[f64; 12]) -> Option<f64> {
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / 12.0, b.iter().sum::<f64>() / 12.0);
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - mean_a, y - mean_b);
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    let r = ab / (aa * bb).sqrt();
    r.is_finite().then_some(r.clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn scales_with_a_strong_tonic_are_found() {
        let mut c_major = [0.0; 12];
        for (pc, w) in [(0, 4.0), (2, 1.0), (4, 2.0), (5, 1.0), (7, 3.0), (9, 1.0), (11, 1.0)] {
            c_major[pc] = w;
        }
        let key = Key::of(&c_major).unwrap();
        assert_eq!(key.to_string(), "C major");
        assert!(key.confidence() > 0.5, "{key:?}");
        let mut e_minor = [0.0; 12];
        for (pc, w) in [(4, 4.0), (6, 1.0), (7, 3.0), (9, 1.0), (11, 2.0), (0, 1.0), (2, 1.0)] {
            e_minor[pc] = w;
        }
        assert_eq!(Key::of(&e_minor).unwrap().to_string(), "E minor");
    }

    #[test]
    fn the_profiles_are_their_own_keys() {
        for (profile, minor) in [(&MAJOR, false), (&MINOR, true)] {
            for tonic in 0..12usize {
                let key = Key::of(&std::array::from_fn(|i| profile[(i + 12 - tonic) % 12])).unwrap();
                assert_eq!((usize::from(key.tonic), key.minor), (tonic, minor));
                assert!(key.correlation > 0.999_999);
            }
        }
    }

    #[test]
    fn silence_has_no_key() {
        assert_eq!(Key::of(&[0.0; 12]), None);
        assert_eq!(Key::of(&[1.0; 12]), None);
        assert_eq!(Key::of(&[f64::NAN; 12]), None);
        assert_eq!(Key::of(&[-1.0; 12]), None);
        assert_eq!(Key::of_notes(&[]), None);
    }

    proptest! {
        #[test]
        fn keys_transpose(weights in proptest::array::uniform12(0.0f64..10.0), by in 0usize..12) {
            let turned: [f64; 12] = std::array::from_fn(|i| weights[(i + 12 - by) % 12]);
            let (a, b) = (Key::of(&weights).unwrap(), Key::of(&turned).unwrap());
            // Where two keys fit equally well to rounding, either may come first.
            if a.lead > 1e-9 {
                prop_assert_eq!((usize::from(a.tonic) + by) % 12, usize::from(b.tonic));
                prop_assert_eq!(a.minor, b.minor);
            }
            prop_assert!((0.0..=1.0).contains(&a.confidence()));
        }
    }
}
