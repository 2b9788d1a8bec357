//! The bass of the rule band: from a letter of its pattern and the chord to a pitch.

use super::{BASS_HIGH, BASS_LOW};
use sideman_music::chord::Reading;

use super::voicing::bass_pitch;

/// Remembers where the bass is.
#[derive(Debug, Clone, Default)]
pub(super) struct BassLine {
    last: Option<u8>,
    /// Pitch of the last root.
    root: Option<u8>,
    falling: bool,
}

impl BassLine {
    /// The pitch for a letter (see [`super::groove`]). `lowest` is the pitch class to be the root of the
    /// line; on a new half-bar a walking line goes to it if it is new. `chance` is from 0 to 1.
    pub(super) fn pitch(
        &mut self,
        letter: u8,
        reading: &Reading,
        lowest: u8,
        new_half: bool,
        chance: f32,
    ) -> u8 {
        let before = self.root;
        let root = bass_pitch(lowest, before);
        let tone = |interval: u8| (reading.root + interval) % 12;
        let intervals = reading.quality.intervals();
        let fifth = tone(intervals.get(2).copied().filter(|i| (6..=8).contains(i)).unwrap_or(7));
        let pitch = match letter {
            b'3' => match intervals.get(1) {
                Some(&third @ (3 | 4)) => above(root, tone(third)),
                _ => above(root, fifth),
            },
            // The fifth above a low root, else the one below.
            b'5' if root < 36 => above(root, fifth),
            b'5' => below(root, fifth),
            b'6' => above(root, tone(if intervals.contains(&8) { 8 } else { 9 })),
            b'7' => above(root, tone(if intervals.contains(&11) { 11 } else { 10 })),
            b'8' if root + 12 <= BASS_HIGH => root + 12,
            b'w' if !(new_half && before.is_some_and(|b| b % 12 != lowest % 12)) => {
                self.walk(reading, root, chance)
            }
            _ => root,
        };
        self.root = Some(root);
        self.falling = self.last.is_some_and(|last| if pitch == last { self.falling } else { pitch < last });
        self.last = Some(pitch);
        pitch
    }

    /// A step on: to the nearest tone of the chord in the direction of the line, or by a semitone towards
    /// the root from where that is out of reach.
    fn walk(&self, reading: &Reading, root: u8, chance: f32) -> u8 {
        let last = self.last.unwrap_or(root);
        let chord = reading.pitch_classes();
        // Turns round by chance, and at the ends of the range.
        let falling = match last {
            ..=31 => false,
            48.. => true,
            _ => self.falling != (chance < 0.25),
        };
        let steps = (1..=7u8).map(|i| if falling { last.saturating_sub(i) } else { last + i });
        let mut tones = steps.filter(|p| (BASS_LOW..=BASS_HIGH).contains(p) && chord >> (p % 12) & 1 == 1);
        tones.next().unwrap_or(if last > root { last - 1 } else { last + 1 })
    }
}

/// The first pitch of a pitch class above a root, an octave down where that is too high.
fn above(root: u8, pc: u8) -> u8 {
    let up = (pc + 12 - root % 12) % 12;
    if root + up <= BASS_HIGH { root + up } else { root + up - 12 }
}

/// The first pitch of a pitch class below a root, above it where that is too low.
fn below(root: u8, pc: u8) -> u8 {
    let down = (root % 12 + 12 - pc) % 12;
    if root >= BASS_LOW + down { root - down } else { above(root, pc) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn figures_over_a_chord() {
        let c = Reading::of(0b1001_0001, 0).unwrap();
        let mut line = BassLine::default();
        let mut play = |letter| line.pitch(letter, &c, 0, false, 0.9);
        assert_eq!(b"R3568".map(&mut play), [36, 40, 31, 45, 48]);
        let mut line = BassLine::default();
        let mut walk = |new_half, lowest| line.pitch(b'w', &c, lowest, new_half, 0.9);
        assert_eq!(walk(true, 0), 40, "the first step goes up from the root");
        assert_eq!(walk(false, 0), 43);
        assert_eq!(walk(true, 4) % 12, 4, "a new bass note on a new half-bar is played");
    }

    proptest! {
        #[test]
        fn stays_on_the_instrument(
            notes in prop::collection::vec((0usize..8, 1u16..4096, 0u8..12, any::<bool>(), 0f32..1.0), 1..80)
        ) {
            let mut line = BassLine::default();
            for (letter, mask, bass, new_half, chance) in notes {
                let reading = Reading::of(mask, bass).unwrap();
                let letter = b"Rr35678w"[letter];
                let pitch = line.pitch(letter, &reading, reading.bass, new_half, chance);
                prop_assert!((BASS_LOW..=BASS_HIGH).contains(&pitch), "{} {pitch}", char::from(letter));
                if letter == b'R' {
                    prop_assert_eq!(pitch % 12, reading.bass);
                }
            }
        }
    }
}
