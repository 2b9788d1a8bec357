//! The music that P2's generators learn from and are measured on.

use anyhow::ensure;
use rayon::prelude::*;
use sideman_music::encoding::piano_roll::{FiveRolls, RollTrack, WINDOW};

use crate::data::qualify::qualify;
use crate::data::source::Meta;
use crate::data::{Song, Split};
use crate::recipes::papers::PaperRun;

/// Of the pairs made with a rule band, one in so many is learned from.
const PAIRS: u32 = 8;
/// Least share of downbeats whose bass sounds in the piano, of music to learn from.
const AGREEMENT: f32 = 0.5;
/// Pieces of each split of a quick run.
const QUICK: usize = 4;

/// In which keys music is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// As it is, as in the paper.
    Own,
    /// All in C major or A minor, as the paper's section 6.3 asks for.
    One,
}

impl Keys {
    pub(super) fn name(self) -> &'static str {
        ["own", "one"][self as usize]
    }

    pub(super) fn text(self) -> &'static str {
        ["own keys", "one key"][self as usize]
    }
}

/// A piece with its rolls.
pub(super) struct Piece {
    pub(super) song: Song,
    /// In their own keys, then in one.
    rolls: [FiveRolls; 2],
}

impl Piece {
    pub(super) fn rolls(&self, keys: Keys) -> &FiveRolls {
        &self.rolls[keys as usize]
    }
}

/// Pieces of all splits.
pub(super) struct Music {
    pieces: Vec<Piece>,
}

/// A window of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WindowId {
    pub(super) piece: usize,
    pub(super) number: usize,
}

fn wanted(meta: &Meta) -> bool {
    let sum = meta.id.bytes().fold(0u32, |h, b| (h ^ u32::from(b)).wrapping_mul(16_777_619));
    meta.set.starts_with("web_multitrack")
        || meta.set == "pairs_mma_pop909" && meta.split == Split::Train && sum % PAIRS == 0
}

impl Music {
    /// Bands with a piano: people's, and of those that rules made to people's pianos one in eight to learn from.
    ///
    /// # Errors
    /// When a split has nothing.
    pub(super) fn load(run: &PaperRun) -> anyhow::Result<Self> {
        let pieces = run.pieces(&wanted)?;
        let mut pieces: Vec<Piece> = pieces
            .into_par_iter()
            .filter_map(|p| qualify(&p.score, p.meta, Some(AGREEMENT)).ok())
            .map(|song| {
                let own = FiveRolls::of(&song.band);
                let one = own.transposed(own.shift());
                Piece { song, rolls: [own, one] }
            })
            .collect();
        if run.is_quick() {
            let mut counts = [0; 3];
            pieces.retain(|p| {
                counts[p.song.split as usize] += 1;
                counts[p.song.split as usize] <= QUICK
            });
        }
        let music = Self { pieces };
        for split in [Split::Train, Split::Valid, Split::Test] {
            ensure!(music.of(split).next().is_some(), "no band with a piano in the {split} split: add music");
        }
        Ok(music)
    }

    /// Pieces of a split.
    pub(super) fn of(&self, split: Split) -> impl Iterator<Item = &Piece> {
        self.pieces.iter().filter(move |p| p.song.split == split)
    }

    /// Numbers of the pieces of a split.
    pub(super) fn numbers(&self, split: Split) -> Vec<usize> {
        (0..self.pieces.len()).filter(|&i| self.pieces[i].song.split == split).collect()
    }

    pub(super) fn piece(&self, number: usize) -> &Piece {
        &self.pieces[number]
    }

    /// Windows of a track in a split in which it sounds, and of the others one in `rests`.
    pub(super) fn windows(&self, split: Split, track: RollTrack, rests: usize) -> Vec<WindowId> {
        let mut out = vec![];
        let mut silent = 0;
        for piece in self.numbers(split) {
            let rolls = self.pieces[piece].rolls(Keys::Own);
            let mut sounds = vec![false; rolls.windows()];
            for h in rolls.track(track) {
                for step in h.start.max(0) as usize / WINDOW..=(h.end.max(1) - 1) as usize / WINDOW {
                    if let Some(s) = sounds.get_mut(step) {
                        *s = true;
                    }
                }
            }
            for (number, sounds) in sounds.into_iter().enumerate() {
                silent += usize::from(!sounds);
                if sounds || silent % rests == 1 {
                    out.push(WindowId { piece, number });
                }
            }
        }
        out
    }
}
