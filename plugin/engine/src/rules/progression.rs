//! What chord comes next, as far as what was heard repeats itself.
//!
//! A band that hears the third time round of four chords knows the fourth. Nothing else is looked ahead at:
//! before anything has repeated nothing is expected, and a wrong guess costs one leading note.

/// Half-bars that are remembered.
const MEMORY: usize = 64;
/// Lengths, in half-bars, of what may repeat, the longest first.
const PERIODS: [usize; 5] = [32, 16, 8, 4, 2];

/// The bass notes of the piano, half-bar by half-bar.
#[derive(Debug, Clone)]
pub(super) struct Progression {
    ring: [u8; MEMORY],
    count: usize,
}

impl Default for Progression {
    fn default() -> Self {
        Self { ring: [0; MEMORY], count: 0 }
    }
}

impl Progression {
    /// Takes in the pitch class of the half-bar that has just ended.
    pub(super) fn ended(&mut self, pc: u8) {
        self.ring[self.count % MEMORY] = pc;
        self.count += 1;
    }

    /// The half-bar so many before the one that goes on; 1 is the one that ended last.
    fn before(&self, back: usize) -> u8 {
        self.ring[(self.count - back) % MEMORY]
    }

    /// The pitch class expected in the next half-bar, given the one of this half-bar, which goes on.
    pub(super) fn next(&self, now: u8) -> Option<u8> {
        let repeats = |period: &usize| {
            let compared = (period / 2).max(4);
            self.count >= period + compared
                && self.count.min(MEMORY) >= period + compared
                && self.before(*period) == now
                && (1..compared).all(|i| self.before(i) == self.before(i + period))
        };
        // This half-bar is not in the ring yet, so that the next one lies one nearer.
        PERIODS.iter().find(|p| repeats(p)).map(|&period| self.before(period - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was expected of each half-bar of a progression.
    fn expected(halves: &[u8]) -> Vec<Option<u8>> {
        let mut progression = Progression::default();
        let mut guesses = vec![None];
        for &pc in halves {
            guesses.push(progression.next(pc));
            progression.ended(pc);
        }
        guesses.pop();
        guesses
    }

    #[test]
    fn expects_what_it_has_heard_repeat() {
        let loop_of_four: Vec<u8> = [0, 0, 9, 9, 5, 5, 7, 7].into_iter().cycle().take(40).collect();
        let guesses = expected(&loop_of_four);
        assert!(guesses[..8].iter().all(Option::is_none), "nothing has repeated yet");
        let right = guesses.iter().zip(&loop_of_four).skip(13).filter(|(g, pc)| **g == Some(**pc)).count();
        assert_eq!(right, 27, "{guesses:?}");
    }

    #[test]
    fn expects_nothing_of_what_never_repeats() {
        let wandering: Vec<u8> = (0..60u32).map(|i| ((i * i / 3 + i) % 12) as u8).collect();
        let guesses = expected(&wandering).into_iter().flatten().count();
        assert!(guesses < 6, "{guesses}");
    }

    #[test]
    fn a_long_memory_goes_round() {
        let long: Vec<u8> = [0, 2, 4, 5, 7, 9, 11, 1].into_iter().cycle().take(500).collect();
        let guesses = expected(&long);
        assert!(guesses[400..].iter().zip(&long[400..]).all(|(g, pc)| *g == Some(*pc)));
    }
}
