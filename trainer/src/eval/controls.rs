//! The controls: bands that need no model.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;
use sideman_music::encoding::grid::{VelocityTable, decode, encode};
use sideman_music::score::{BandScore, Note};

use super::song::{BAR_PULSES, EvalSong, Parts, bar_of, cut_parts};

/// For each song `count` other songs whose pianos its band is set against: of another group, at least as
/// long wherever there is one (else the longest there is), all drawn from `seed`.
///
/// The songs are put into a random circle and each takes the next ones that fit, so that no piano is used
/// much more often than another, and none serves its own band. Fewer than `count` come back when the set
/// is too small; none when a song is the only one of its kind.
pub fn other_pianos(songs: &[EvalSong], count: usize, seed: u64) -> Vec<Vec<usize>> {
    let mut circle: Vec<usize> = (0..songs.len()).collect();
    circle.shuffle(&mut Pcg64::seed_from_u64(seed));
    let mut place = vec![0; songs.len()];
    for (at, &song) in circle.iter().enumerate() {
        place[song] = at;
    }
    (0..songs.len())
        .map(|i| {
            let others = (1..songs.len())
                .map(|k| circle[(place[i] + k) % songs.len()])
                .filter(|&j| j != i && songs[j].group != songs[i].group);
            let mut fit: Vec<usize> =
                others.clone().filter(|&j| songs[j].bars >= songs[i].bars).take(count).collect();
            if fit.is_empty() {
                fit.extend(others.max_by_key(|&j| songs[j].bars));
            }
            fit
        })
        .collect()
}

/// People's previous bar played again a bar later: bar `b` is people's bar `b - 1`, bar 0 is silent.
pub fn copy_last_bar(song: &EvalSong) -> Parts {
    let later = |notes: &Vec<Note>| {
        let mut out: Vec<Note> = notes
            .iter()
            .filter(|n| bar_of(n.onset) + 1 < song.bars as i64)
            .map(|n| Note { onset: n.onset + BAR_PULSES, ..*n })
            .collect();
        out.sort_unstable();
        out
    };
    let parts: Parts = std::array::from_fn(|i| later(&song.people[i]));
    cut_parts(&parts, song.bars, song.present)
}

/// People's band put on the grid of the networks and played from it: what the encoding alone costs.
pub fn through_the_grid(song: &EvalSong, table: &VelocityTable) -> Parts {
    let band = BandScore { piano: Vec::new(), parts: song.people.clone() };
    let back = decode(&encode(&band, song.steps()), table);
    cut_parts(&back.parts, song.bars, song.present)
}

/// The most common raw velocity of each part's velocity bins in some bands; the middle of the bin where a
/// bin is never played. With it the grid gives back the velocities that people's files really have.
pub fn common_velocities<'a>(bands: impl IntoIterator<Item = &'a Parts>) -> VelocityTable {
    let mut counts = [[0usize; 128]; 4];
    for parts in bands {
        for (count, notes) in counts.iter_mut().zip(parts) {
            for n in notes {
                count[usize::from(n.velocity.min(127))] += 1;
            }
        }
    }
    let mut table = VelocityTable::default();
    for (row, count) in table.0.iter_mut().zip(&counts) {
        for (bin, value) in row.iter_mut().enumerate() {
            let values = (bin * 4).max(1)..bin * 4 + 4;
            // The lower of two equally common velocities.
            if let Some(v) = values.rev().max_by_key(|&v| count[v]).filter(|&v| count[v] > 0) {
                *value = v as u8;
            }
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use sideman_music::family::Part;

    fn song(name: &str, group: &str, bars: usize) -> EvalSong {
        let mut band = BandScore::default();
        let at = |onset, pitch| Note { onset, pitch, length: 100, velocity: 90 };
        band.parts[1] = (0..bars as i64 * 4).map(|i| at(i * 480, 40 + (i / 4 % 2) as u8)).collect();
        band.piano = vec![at(0, 60)];
        EvalSong::new(name, group, &band, bars * 16, 120.0, [true; 4], 64)
    }

    #[test]
    fn nobody_gets_their_own_piano_or_a_version_of_it_or_a_shorter_one() {
        let songs: Vec<EvalSong> =
            [("a", "1", 8), ("b", "1", 8), ("c", "2", 8), ("d", "3", 16), ("e", "4", 16)]
                .map(|(n, g, b)| song(n, g, b))
                .into();
        for seed in 0..20 {
            let pairs = other_pianos(&songs, 3, seed);
            for (i, js) in pairs.iter().enumerate() {
                assert!(!js.is_empty());
                for &j in js {
                    assert_ne!(songs[i].group, songs[j].group);
                    assert!(songs[j].bars >= songs[i].bars);
                }
            }
            assert_eq!(pairs, other_pianos(&songs, 3, seed));
        }
        assert_ne!(other_pianos(&songs, 3, 1), other_pianos(&songs, 3, 2));
    }

    #[test]
    fn the_longest_song_takes_the_next_longest_piano() {
        let songs = [song("a", "1", 8), song("b", "2", 12), song("c", "3", 30)];
        assert_eq!(other_pianos(&songs, 1, 7)[2], [1]);
        assert!(other_pianos(&songs[..1], 1, 7)[0].is_empty());
    }

    #[test]
    fn copying_plays_everything_a_bar_later() {
        let song = song("a", "1", 5);
        let copy = copy_last_bar(&song);
        let bass = &copy[Part::Bass.index()];
        assert_eq!((bass.len(), bass[0].onset, bass[0].pitch, bass[4].pitch), (16, 1920, 40, 41));
        assert!(copy[0].is_empty());
    }

    #[test]
    fn the_table_holds_the_most_common_velocity_of_each_bin() {
        let mut parts = Parts::default();
        let at = |velocity| Note { onset: 0, pitch: 40, length: 100, velocity };
        parts[1] = vec![at(100), at(101), at(101), at(127), at(64), at(66)];
        let table = common_velocities([&parts]);
        assert_eq!((table.0[1][25], table.0[1][31], table.0[1][16], table.0[1][3]), (101, 127, 64, 14));
        assert_eq!(table.0[0], VelocityTable::default().0[0]);
    }

    #[test]
    fn the_grid_gives_plain_music_back() {
        let song = song("a", "1", 5);
        let back = through_the_grid(&song, &common_velocities([&song.people]));
        let strip = |p: &Parts| p[1].iter().map(|n| (n.onset, n.pitch, n.velocity)).collect::<Vec<_>>();
        assert_eq!(strip(&back), strip(&song.people));
    }
}
