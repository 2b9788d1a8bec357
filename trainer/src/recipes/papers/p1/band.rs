//! The band that ships beside P1's measure. The band's network has no distribution over P1's cells, so P1's loss of it
//! does not exist. Instead this measures how likely P1's own networks, trained on people's songs and others of the genre,
//! find what a band plays to people's pianos, beside what people played there.

use anyhow::{Context, Result};
use rayon::prelude::*;
use sideman_engine::loaded_band::{self, Music};
use sideman_engine::{Controls, Performance};
use sideman_inference::weights;
use sideman_music::encoding::note_cells::{COLUMNS, Cells, family_of};
use sideman_music::{Score, Track};

use super::songs::{Origin, Song};
use crate::data::song::collect;
use crate::data::source::Collect;

/// Who plays to the pianos.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Player {
    /// The network of the weights `full`.
    Network,
    /// The rule band.
    Rules,
}

impl Player {
    pub(super) const ALL: [Self; 2] = [Self::Network, Self::Rules];

    pub(super) fn name(self) -> &'static str {
        ["the band that ships (full)", "the rule band"][self as usize]
    }
}

/// People's songs with another band to their pianos, in P1's encoding and as many rows. The same order; what a song
/// needs to be played to is [`Song::score`].
///
/// # Errors
/// When a band cannot play.
pub(super) fn played(songs: &[&Song], player: Player, seed: u64) -> Result<Vec<Song>> {
    songs.par_iter().map(|song| play(song, player, seed)).collect()
}

fn play(song: &Song, player: Player, seed: u64) -> Result<Song> {
    let score = song.score.as_ref().context("a song without its notes cannot be played to")?;
    let piano = collect(score, Collect::ByProgram).0.piano;
    let first = piano.first().map_or(0, |n| n.onset);
    let bpm = score.tempos.bpm_at(first);
    let bar_steps = score.meters.position(first).meter.bar_steps();
    let music = Music { bpm, bar_steps };
    let controls = Controls { seed, ..Controls::default() }.with_parts([true, true, true, false]);
    let mut loaded = match player {
        Player::Network => loaded_band::neural(weights::named("full")?, &controls, music)?,
        Player::Rules => loaded_band::rules(&controls, music),
    };
    let performance = Performance::new(&piano, &score.meters, &score.tempos, loaded.settings(controls))
        .with_context(|| format!("cannot play to {}", song.id))?;
    let [drums, bass, guitar, _] = performance.render(loaded.band.as_mut(), &mut |_| {}).parts;
    // The piano unchanged, in the programs that count as P1's piano.
    let is_piano = |t: &&Track| family_of(t) == Some(sideman_music::Family::Piano);
    let mut tracks: Vec<Track> = score.tracks.iter().filter(is_piano).cloned().collect();
    for (program, is_drums, notes) in [(25, false, guitar), (33, false, bass), (0, true, drums)] {
        tracks.push(Track { program, is_drums, notes, ..Track::default() });
    }
    let played = Score { tempos: score.tempos.clone(), tracks, ..Score::default() };
    let mut cells = Cells::of(&played, family_of);
    cells.rows.resize(song.cells.rows.len(), [0; COLUMNS]);
    Ok(song.with_cells(Origin::Rules, cells))
}

#[cfg(test)]
mod tests {
    use super::super::songs::tests::songs;
    use super::*;

    #[test]
    fn bands_play_to_the_pianos_of_songs() {
        let songs = songs();
        let chosen: Vec<&Song> = songs.iter().filter(|s| s.score.is_some()).take(1).collect();
        let [full, again, rules] = [(Player::Network, 1), (Player::Network, 1), (Player::Rules, 1)]
            .map(|(player, seed)| played(&chosen, player, seed).unwrap().remove(0).cells);
        assert_eq!(full, again);
        assert_ne!(full, rules);
        let n = chosen[0].cells.rows.len();
        assert_eq!(full.rows.len(), n);
        assert_eq!(full.counts(0..n)[0], chosen[0].cells.counts(0..n)[0], "the piano is people's");
        assert!(full.counts(0..n)[3] > 8);
        assert!(played(&[&songs[0]], Player::Rules, 1).is_err());
    }
}
