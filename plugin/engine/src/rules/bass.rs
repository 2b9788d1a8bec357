//! The bass of the rule band: from a letter of its pattern and the chord to a pitch.

use super::{BASS_HIGH, BASS_LOW};
use sideman_music::chord::Reading;

use super::voicing::bass_pitch;

/// What a bass goes by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground {
    /// The chord.
    pub(super) reading: Reading,
    /// Pitch class to be the root of the line.
    pub(super) lowest: u8,
    /// The one expected next, where one is.
    pub(super) next: Option<u8>,
    /// Whether a half-bar begins: a walking line goes to a new root then.
    pub(super) new_half: bool,
    /// Drawn from 0 to 1.
    pub(super) chance: f32,
}

/// Remembers where the bass is.
#[derive(Debug, Clone, Default)]
pub(super) struct BassLine {
    last: Option<u8>,
    /// Pitch of the last root.
    root: Option<u8>,
    falling: bool,
}

impl BassLine {
    /// The pitch class it played last.
    pub(super) fn last(&self) -> Option<u8> {
        self.last.map(|p| p % 12)
    }

    /// The pitch for a letter (see [`super::groove`]).
    pub(super) fn pitch(&mut self, letter: u8, ground: &Ground) -> u8 {
        let Ground { reading, lowest, next, new_half, chance } = *ground;
        let before = self.root;
        let root = bass_pitch(lowest, before);
        let tone = |interval: u8| (reading.root + interval) % 12;
        let intervals = reading.quality.intervals();
        let fifth = tone(intervals.get(2).copied().filter(|i| (6..=8).contains(i)).unwrap_or(7));
        let new_root = before.is_some_and(|b| b % 12 != lowest % 12);
        let pitch = match letter {
            // A new chord begins with its root, whatever the figure.
            _ if new_half && new_root => root,
            b'3' => match intervals.get(1) {
                Some(&third @ (3 | 4)) => self.near(root, tone(third)),
                _ => self.near(root, fifth),
            },
            b'5' => self.near(root, fifth),
            b'6' => self.near(root, tone(if intervals.contains(&8) { 8 } else { 9 })),
            b'7' => self.near(root, tone(if intervals.contains(&11) { 11 } else { 10 })),
            b'8' if root + 12 <= BASS_HIGH => root + 12,
            b'8' => root - 12,
            b'g' => self.last.filter(|_| !new_root).unwrap_or(root),
            b'n' => bass_pitch(next.unwrap_or(lowest), Some(root)),
            b'w' => self.walk(&reading, root, chance),
            // Where nothing is known there is nothing to lead to.
            b'a' => match next {
                Some(next) => self.lead(next, root, fifth, chance),
                None => self.walk(&reading, root, chance),
            },
            _ => root,
        };
        self.root = Some(root);
        self.falling = self.last.is_some_and(|last| if pitch == last { self.falling } else { pitch < last });
        self.last = Some(pitch);
        pitch
    }

    /// The pitch of a pitch class above or below the root, whichever the line is nearer to.
    fn near(&self, root: u8, pc: u8) -> u8 {
        let last = self.last.unwrap_or(root);
        let (up, down) = (above(root, pc), below(root, pc));
        if up.abs_diff(last) <= down.abs_diff(last) { up } else { down }
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

    /// A note that leads to a root: a semitone from it on the side the line comes from, now and then a whole
    /// tone; where the root stays, mostly its fifth.
    fn lead(&self, next: u8, root: u8, fifth: u8, chance: f32) -> u8 {
        let target = bass_pitch(next, Some(root));
        let last = self.last.unwrap_or(root);
        if target == root && chance < 0.6 {
            return self.near(root, fifth);
        }
        let far = if chance > 0.85 { 2 } else { 1 };
        let (low, high) = (target.saturating_sub(far), target + far);
        let from_below = match last.cmp(&target) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Greater => false,
            std::cmp::Ordering::Equal => chance < 0.7,
        };
        // Never the same note twice, and never off the instrument.
        let side = if from_below { [low, high] } else { [high, low] };
        let fits = |p: &u8| (BASS_LOW..=BASS_HIGH).contains(p) && *p != last;
        side.into_iter().find(fits).unwrap_or(target)
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

    fn on_c(lowest: u8, next: Option<u8>, new_half: bool) -> Ground {
        Ground { reading: Reading::of(0b1001_0001, 0).unwrap(), lowest, next, new_half, chance: 0.8 }
    }

    #[test]
    fn figures_over_a_chord() {
        let mut line = BassLine::default();
        let mut play = |letter| line.pitch(letter, &on_c(0, None, false));
        assert_eq!(b"R3568".map(&mut play), [36, 40, 43, 45, 48], "a figure that rises");
        assert_eq!(b"R5R7".map(&mut play), [36, 31, 36, 34], "the nearer fifth and seventh are below");
        let mut line = BassLine::default();
        let mut walk = |new_half, lowest| line.pitch(b'w', &on_c(lowest, None, new_half));
        assert_eq!(walk(true, 0), 40, "the first step goes up from the root");
        assert_eq!(walk(false, 0), 43);
        assert_eq!(walk(true, 4) % 12, 4, "a new bass note on a new half-bar is played");
    }

    #[test]
    fn leads_to_the_root_that_it_expects() {
        let mut line = BassLine::default();
        assert_eq!(line.pitch(b'R', &on_c(0, None, true)), 36);
        // F above: from below by a semitone, and from above where the line comes from there.
        assert_eq!(line.pitch(b'a', &on_c(0, Some(5), false)), 40);
        line.pitch(b'8', &on_c(0, None, false));
        assert_eq!(line.pitch(b'a', &on_c(0, Some(5), false)), 42);
        assert_eq!(line.pitch(b'n', &on_c(0, Some(5), false)), 41);
        assert_eq!(line.pitch(b'n', &on_c(0, None, false)), 36, "the root where nothing is expected");
        assert_eq!(line.pitch(b'a', &on_c(0, None, false)) % 12, 7, "and a tone of the chord");
        let known = on_c(0, Some(9), true);
        assert_eq!(line.pitch(b'a', &Ground { lowest: 4, ..known }) % 12, 4, "a new root comes first");
    }

    proptest! {
        #[test]
        fn stays_on_the_instrument(
            notes in prop::collection::vec(
                (0usize..11, 1u16..4096, 0u8..12, prop::option::of(0u8..12), any::<bool>(), 0f32..1.0),
                1..80,
            )
        ) {
            let mut line = BassLine::default();
            for (letter, mask, bass, next, new_half, chance) in notes {
                let reading = Reading::of(mask, bass).unwrap();
                let letter = b"Rr35678wang"[letter];
                let ground = Ground { reading, lowest: reading.bass, next, new_half, chance };
                let pitch = line.pitch(letter, &ground);
                prop_assert!((BASS_LOW..=BASS_HIGH).contains(&pitch), "{} {pitch}", char::from(letter));
                if letter == b'R' {
                    prop_assert_eq!(pitch % 12, reading.bass);
                }
            }
        }
    }
}
