//! Transposition: the same song in twelve keys.

use sideman_music::score::BandScore;

use super::song::lists_mut;

/// Semitones that bring a song into each of the twelve keys, nearest first, never more than a tritone.
pub const TWELVE_KEYS: [i8; 12] = [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6];

/// A band moved by semitones. Drums stay; a note that would leave 0 to 127 is moved back by as few octaves
/// as keep it inside, the others of its part are not.
pub fn transpose(band: &BandScore, semitones: i8) -> BandScore {
    let mut out = band.clone();
    for (i, list) in lists_mut(&mut out).enumerate() {
        if i == 1 {
            continue; // the drums, behind the piano
        }
        for n in list.iter_mut() {
            n.pitch = fold(i16::from(n.pitch) + i16::from(semitones));
        }
        // Folding can change the order of notes that begin together.
        list.sort_unstable();
    }
    out
}

/// The pitch in 0 to 127 of the same pitch class that is nearest to `pitch`.
fn fold(pitch: i16) -> u8 {
    let inside = if pitch < 0 {
        pitch.rem_euclid(12)
    } else if pitch > 127 {
        // 116 to 127 is the highest octave.
        116 + (pitch - 116).rem_euclid(12)
    } else {
        pitch
    };
    inside as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sideman_music::{Note, Part};

    use super::*;

    fn note(onset: i64, pitch: u8) -> Note {
        Note { onset, pitch, length: 10, velocity: 80 }
    }

    fn band() -> BandScore {
        let mut band = BandScore { piano: vec![note(0, 60), note(0, 126)], ..BandScore::default() };
        band.parts[0] = vec![note(0, 36), note(5, 38)];
        band.parts[1] = vec![note(0, 2), note(9, 40)];
        band.parts[3] = vec![note(3, 127)];
        band
    }

    #[test]
    fn moves_pitches_and_leaves_drums() {
        let up = transpose(&band(), 3);
        assert_eq!(up.piano, [note(0, 63), note(0, 117)], "126 + 3 = 129 comes back an octave");
        assert_eq!(up.parts[0], band().parts[0]);
        assert_eq!(up.parts[1], [note(0, 5), note(9, 43)]);
        assert_eq!(up.parts[3], [note(3, 118)]);
        assert_eq!(transpose(&band(), -5).part(Part::Bass), [note(0, 9), note(9, 35)]);
    }

    #[test]
    fn lists_stay_sorted_after_folding() {
        let band = BandScore { piano: vec![note(0, 120), note(0, 125)], ..BandScore::default() };
        assert_eq!(transpose(&band, 6).piano, [note(0, 119), note(0, 126)]);
    }

    #[test]
    fn the_twelve_keys_are_all_different() {
        let mut classes: Vec<i8> = TWELVE_KEYS.iter().map(|s| s.rem_euclid(12)).collect();
        classes.sort_unstable();
        assert_eq!(classes, (0..12).collect::<Vec<i8>>());
    }

    proptest! {
        #[test]
        fn pitch_class_moves_by_the_semitones(pitch in 0u8..128, semitones in i8::MIN..=i8::MAX) {
            let band = BandScore { piano: vec![note(0, pitch)], ..BandScore::default() };
            let moved = transpose(&band, semitones).piano[0].pitch;
            prop_assert!(moved < 128);
            let expected = (i16::from(pitch) + i16::from(semitones)).rem_euclid(12);
            prop_assert_eq!(i16::from(moved) % 12, expected);
        }

        #[test]
        fn there_and_back_is_the_same_within_the_range(pitch in 12u8..116, semitones in -12i8..=12) {
            let mut band = BandScore::default();
            band.parts[2] = vec![note(0, pitch)];
            prop_assert_eq!(transpose(&transpose(&band, semitones), -semitones), band);
        }
    }
}
