//! Notices when the pianist leaves for another key, so that what the band holds of the old one is let go.

use sideman_music::PianoFrame;

/// Steps that make up the key so far: two bars of 4/4.
const REACH: usize = 32;
/// Steps in which a pitch class has to have sounded to belong to it.
const BELONGS: u8 = 2;
/// Steps before the next departure can be noticed: two beats.
const AGAIN: u8 = 8;

/// The pitch classes that sounded lately. No allocation after construction.
#[derive(Debug, Clone)]
pub(super) struct RecentPitchClasses {
    ring: [u16; REACH],
    next: usize,
    counts: [u8; 12],
    since: u8,
}

impl Default for RecentPitchClasses {
    fn default() -> Self {
        Self { ring: [0; REACH], next: 0, counts: [0; 12], since: 0 }
    }
}

/// Whether a major scale holds all these pitch classes.
fn diatonic(pcs: u16) -> bool {
    const MAJOR: u16 = 0b1010_1011_0101;
    (0..12).any(|up| pcs & !((MAJOR << up | MAJOR >> (12 - up)) & 0xFFF) == 0)
}

impl RecentPitchClasses {
    /// Forgets everything.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Takes in a step. Returns whether a chord was struck that is foreign to what sounded before: at least half of
    /// its pitch classes, and two at least, are new, and no major scale holds them with the rest.
    pub(super) fn leaves(&mut self, frame: &PianoFrame) -> bool {
        let known = (0..12).filter(|&pc| self.counts[pc] >= BELONGS).fold(0u16, |m, pc| m | 1 << pc);
        let (struck, foreign) = (frame.struck.count_ones(), (frame.struck & !known).count_ones());
        // Of one who has only just begun nothing can be said.
        let leaves = known.count_ones() >= 3
            && foreign >= 2
            && 2 * foreign >= struck
            && !diatonic(known | frame.struck)
            && self.since >= AGAIN;
        self.since = if leaves { 0 } else { self.since.saturating_add(1) };

        let leaving = std::mem::replace(&mut self.ring[self.next], frame.sounding);
        self.next = (self.next + 1) % REACH;
        for pc in 0..12 {
            self.counts[pc] += (frame.sounding >> pc & 1) as u8;
            self.counts[pc] -= (leaving >> pc & 1) as u8;
        }
        leaves
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chord(pcs: &[u16], struck: bool) -> PianoFrame {
        let sounding = pcs.iter().fold(0, |m, pc| m | 1 << pc);
        PianoFrame { sounding, struck: if struck { sounding } else { 0 }, ..PianoFrame::SILENT }
    }

    /// Steps at which the pianist leaves, of chords of a bar each.
    fn left(chords: &[&[u16]]) -> Vec<usize> {
        let mut key = RecentPitchClasses::default();
        (0..chords.len() * 16).filter(|&s| key.leaves(&chord(chords[s / 16], s % 4 == 0))).collect()
    }

    #[test]
    fn a_jump_by_a_tritone_is_noticed_at_once_and_once() {
        assert_eq!(left(&[&[0, 4, 7], &[5, 9, 0], &[7, 11, 2], &[6, 10, 1], &[11, 3, 6]]), [48]);
    }

    #[test]
    fn chords_of_one_key_are_no_departure() {
        assert!(
            left(&[&[0, 4, 7], &[5, 9, 0], &[0, 4, 7], &[9, 0, 4], &[2, 5, 9], &[7, 11, 2, 5]]).is_empty()
        );
    }
}
