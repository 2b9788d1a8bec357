//! Voice leading: which pitches a chord is played with.

use sideman_music::encoding::grid::CHORD_NOTES;

use super::{BASS_HIGH, BASS_LOW};

/// Where a part plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Register {
    /// Lowest and highest pitch, two octaves apart or more.
    pub(super) low: u8,
    pub(super) high: u8,
    /// Mean pitch of a chord that lies well.
    pub(super) centre: u8,
}

/// A chord as played, ascending.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Voicing {
    pitches: [u8; CHORD_NOTES],
    count: usize,
}

impl Voicing {
    /// Pitches, ascending.
    pub(super) fn pitches(&self) -> &[u8] {
        &self.pitches[..self.count]
    }

    fn push(&mut self, pitch: u8) {
        if self.count < CHORD_NOTES {
            self.pitches[self.count] = pitch;
            self.count += 1;
        }
    }

    fn mean(&self) -> f32 {
        self.pitches().iter().map(|&p| f32::from(p)).sum::<f32>() / self.count.max(1) as f32
    }

    /// How much moves from another voicing to this one, and how far it lies from the centre.
    fn cost(&self, last: &Self, register: Register) -> f32 {
        let moves: u32 =
            self.pitches().iter().zip(last.pitches()).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        moves as f32 + 0.5 * (self.mean() - f32::from(register.centre)).abs()
    }
}

/// The close voicing of a set of pitch classes (bit 0 is C) that follows another most smoothly. Of more
/// pitch classes than voices the fifth above `root` and then the root, which the bass has, are left out;
/// of fewer, some are doubled an octave up.
pub(super) fn voice(pcs: u16, root: u8, voices: usize, register: Register, last: &Voicing) -> Voicing {
    let voices = voices.clamp(1, CHORD_NOTES);
    let mut pcs = pcs & 0xFFF;
    for spare in [(root + 7) % 12, root % 12] {
        if pcs.count_ones() as usize > voices {
            pcs &= !(1 << spare);
        }
    }
    let mut best: Option<(f32, Voicing)> = None;
    for lowest in (register.low..=register.high).filter(|p| pcs >> (p % 12) & 1 == 1) {
        let mut candidate = Voicing::default();
        (lowest..=register.high)
            .filter(|p| pcs >> (p % 12) & 1 == 1)
            .take(voices)
            .for_each(|p| candidate.push(p));
        if candidate.count < voices {
            break;
        }
        let cost = candidate.cost(last, register);
        if best.is_none_or(|(c, _)| cost < c) {
            best = Some((cost, candidate));
        }
    }
    best.map_or_else(Voicing::default, |b| b.1)
}

/// The bass pitch of a pitch class that lies well and near to the last one.
pub(super) fn bass_pitch(pc: u8, last: Option<u8>) -> u8 {
    const CENTRE: u8 = 38;
    // The top octave is for figures above the root.
    (BASS_LOW..=BASS_HIGH - 5)
        .filter(|p| p % 12 == pc % 12)
        .min_by_key(|p| u32::from(p.abs_diff(last.unwrap_or(CENTRE))) * 2 + u32::from(p.abs_diff(CENTRE)) * 3)
        .unwrap_or(CENTRE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIDDLE: Register = Register { low: 48, high: 76, centre: 60 };

    #[test]
    fn moves_as_little_as_it_can() {
        let c = voice(0b1001_0001, 0, 3, MIDDLE, &Voicing::default());
        assert_eq!(c.pitches(), [55, 60, 64]);
        // To F: C stays, the others step up.
        let f = voice(0b0010_0010_0001, 5, 3, MIDDLE, &c);
        assert_eq!(f.pitches(), [57, 60, 65]);
        let g = voice(0b1000_1000_0100, 7, 3, MIDDLE, &f);
        assert_eq!(g.pitches(), [55, 59, 62]);
    }

    #[test]
    fn leaves_out_fifth_and_root_first_and_doubles_when_short() {
        // C9 in three voices: E, B flat, D.
        let v = voice(0b0100_1001_0101, 0, 3, MIDDLE, &Voicing::default());
        assert!(v.pitches().iter().all(|p| [4, 10, 2].contains(&(p % 12))), "{v:?}");
        let power = voice(0b1000_0001, 0, 4, MIDDLE, &Voicing::default());
        assert_eq!(power.pitches().len(), 4);
    }

    proptest! {
        #[test]
        fn stays_in_register_on_its_pitch_classes(
            pcs in 1u16..4096, root in 0u8..12, voices in 1usize..5, next in 1u16..4096,
        ) {
            let first = voice(pcs, root, voices, MIDDLE, &Voicing::default());
            let second = voice(next, root, voices, MIDDLE, &first);
            for (v, mask) in [(first, pcs), (second, next)] {
                // One pitch class alone has only two or three octaves here.
                prop_assert!(v.pitches().len() == voices || mask.count_ones() == 1);
                prop_assert!(v.pitches().is_sorted());
                for p in v.pitches() {
                    prop_assert!((MIDDLE.low..=MIDDLE.high).contains(p) && mask >> (p % 12) & 1 == 1);
                }
            }
        }

        #[test]
        fn bass_lies_in_range(pc in 0u8..12, last in prop::option::of(28u8..=55)) {
            let p = bass_pitch(pc, last);
            prop_assert!(p % 12 == pc && (28..=50).contains(&p));
        }
    }
}
