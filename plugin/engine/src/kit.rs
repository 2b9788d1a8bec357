//! The drum classes by name, in the order of [`sideman_music::encoding::grid::DRUM_NAMES`].

pub(crate) const KICK: usize = 0;
pub(crate) const SNARE: usize = 1;
pub(crate) const RIM: usize = 3;
pub(crate) const CLAP: usize = 4;
pub(crate) const HAT: usize = 5;
pub(crate) const PEDAL: usize = 6;
pub(crate) const OPEN: usize = 7;
pub(crate) const RIDE: usize = 8;
pub(crate) const CRASH: usize = 9;
pub(crate) const LOW_TOM: usize = 10;
pub(crate) const MID_TOM: usize = 11;
pub(crate) const HIGH_TOM: usize = 12;
pub(crate) const SHAKER: usize = 13;
pub(crate) const TAMBOURINE: usize = 14;
/// What has no class of its own, played on a cowbell.
pub(crate) const BELL: usize = 15;

#[cfg(test)]
mod tests {
    use super::*;
    use sideman_music::encoding::grid::DRUM_NAMES;

    #[test]
    fn names_are_those_of_the_grid() {
        let named = [KICK, SNARE, RIM, CLAP, HAT, PEDAL, OPEN, RIDE, CRASH, LOW_TOM, MID_TOM, HIGH_TOM];
        let expected = "kick snare rim clap hat pedal hat open hat ride crash low tom mid tom high tom";
        assert_eq!(named.map(|c| DRUM_NAMES[c]).join(" "), expected);
        assert_eq!([SHAKER, TAMBOURINE, BELL].map(|c| DRUM_NAMES[c]), ["shaker", "tambourine", "other"]);
        assert_eq!(sideman_music::encoding::grid::DRUM_KEYS[BELL], 56);
    }
}
