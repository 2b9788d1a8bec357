//! The songs of the three genres in P1's encoding, and their windows of 30 s: 15 s to read, 15 s to expect.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;
use sideman_music::encoding::note_cells::{Cells, SEQUENCE, family_of};
use sideman_music::{Family, Score, Track};

use crate::data::Split;
use crate::data::source::{Collect, Meta};
use crate::recipes::genre::voted::VOTED;
use crate::recipes::papers::music::Piece;

/// A genre of the paper, as far as the music here gives it.
pub(super) struct Genre {
    /// The paper's name.
    pub(super) name: &'static str,
    /// Labels of people's files that count as it.
    pub(super) labels: &'static [&'static str],
    /// Genres of the styles of rule-made bands that count as it.
    pub(super) styles: &'static [&'static str],
}

/// Pop rock, ballad and house.
pub(super) const GENRES: [Genre; 3] = [
    Genre { name: "pop rock", labels: &["Rock", "Pop"], styles: &["Rock", "Pop"] },
    Genre { name: "ballad", labels: &["Ballad"], styles: &["Ballad"] },
    Genre { name: "house", labels: &["Electronic"], styles: &["House-Techno"] },
];

/// Where a song comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Collected from the web: people made the file.
    People,
    /// A band that a program of rules played.
    Rules,
}

/// A song with all four families.
pub(super) struct Song {
    pub(super) id: String,
    /// Index in [`GENRES`].
    pub(super) genre: usize,
    pub(super) origin: Origin,
    pub(super) split: Split,
    pub(super) cells: Cells,
    /// The notes, of people's test songs only: bands play to their pianos.
    pub(super) score: Option<Score>,
}

/// The genre of a piece, and who made it.
pub(super) fn genre_of(meta: &Meta) -> Option<(usize, Origin)> {
    let name = meta.genre.as_deref()?;
    let find = |of: fn(&Genre) -> &'static [&'static str]| GENRES.iter().position(|g| of(g).contains(&name));
    if VOTED.contains(&meta.set.as_str()) {
        return Some((find(|g| g.labels)?, Origin::People));
    }
    let rules = meta.set.starts_with("pairs_mma") || meta.set == "mma_synth";
    if rules { Some((find(|g| g.styles)?, Origin::Rules)) } else { None }
}

/// The family of a track by its name, as the paired sets want it: their other keyboards are no piano.
fn family_by_name(track: &Track) -> Option<Family> {
    match track.name.trim() {
        "PIANO" => Some(Family::Piano),
        "GUITAR" => Some(Family::Guitar),
        "BASS" => Some(Family::Bass),
        "DRUMS" => Some(Family::Drums),
        _ => None,
    }
}

impl Song {
    /// The same song with other cells, and without its notes.
    pub(super) fn with_cells(&self, origin: Origin, cells: Cells) -> Self {
        let Self { genre, split, .. } = *self;
        Self { id: self.id.clone(), genre, origin, split, cells, score: None }
    }

    /// A piece as a song, if it is of a genre and has all four families.
    pub(super) fn of(piece: Piece) -> Option<Self> {
        let Piece { meta, score } = piece;
        let (genre, origin) = genre_of(&meta)?;
        let cells = match meta.collect {
            Collect::ByProgram => Cells::of(&score, family_of),
            Collect::ByTrackName => Cells::of(&score, family_by_name),
        };
        if !cells.is_whole() {
            return None;
        }
        let wanted = origin == Origin::People && meta.split == Split::Test;
        Some(Self { id: meta.id, genre, origin, split: meta.split, cells, score: wanted.then_some(score) })
    }
}

/// 15 s to read and the 15 s after them, of a song.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Index of the song.
    pub(super) song: usize,
    /// First row.
    pub(super) start: usize,
}

/// Rows of a window.
pub(super) const ROWS: usize = 2 * SEQUENCE;

/// Windows of the songs that are wanted, one after every 15 s.
pub(super) fn windows(songs: &[Song], wanted: impl Fn(&Song) -> bool) -> Vec<Window> {
    let of = |(song, s): (usize, &Song)| {
        let rows = s.cells.rows.len();
        (0..rows)
            .step_by(SEQUENCE)
            .take_while(move |start| start + ROWS <= rows)
            .map(move |start| Window { song, start })
    };
    songs.iter().enumerate().filter(|s| wanted(s.1)).flat_map(of).collect()
}

/// At most so many windows of a genre and split: all of people's first, then others, drawn. A rule-made band plays few
/// styles in many songs, so it must not crowd out people.
pub(super) fn drawn_windows(
    songs: &[Song],
    genre: usize,
    split: Split,
    limit: usize,
    seed: u64,
) -> Vec<Window> {
    let of = |origin, purpose| {
        let mut found = windows(songs, |s| s.genre == genre && s.split == split && s.origin == origin);
        found.shuffle(&mut Pcg64::seed_from_u64(seed << 8 ^ purpose));
        found
    };
    let mut found = of(Origin::People, 2 * genre as u64);
    found.extend(of(Origin::Rules, 2 * genre as u64 + 1));
    found.truncate(limit);
    found.sort_by_key(|w| (w.song, w.start));
    found
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::recipes::papers::music::small;

    /// The songs of the small collection.
    pub(in crate::recipes::papers::p1) fn songs() -> Vec<Song> {
        small().into_iter().filter_map(Song::of).collect()
    }

    #[test]
    fn songs_are_of_the_three_genres_and_whole() {
        let songs = songs();
        assert_eq!(songs.len(), 15, "five of each genre; jazz and classical are no genre of the paper");
        assert!(songs.iter().all(|s| s.cells.is_whole() && s.origin == Origin::People));
        assert_eq!(songs.iter().filter(|s| s.score.is_some()).count(), 3);
        let mut piece = small().remove(0);
        piece.score.tracks.retain(|t| t.name != "Bass");
        assert!(Song::of(piece).is_none());
        let mut paired = small().remove(0);
        (paired.meta.set, paired.meta.collect) = ("pairs_mma_x".to_owned(), Collect::ByTrackName);
        assert!(Song::of(paired.clone()).is_none(), "the tracks of the paired sets are told by their names");
        paired.score.tracks.iter_mut().for_each(|t| t.name = t.name.to_uppercase());
        assert_eq!(Song::of(paired).unwrap().origin, Origin::Rules);
    }

    #[test]
    fn windows_do_not_leave_their_song_and_people_come_first() {
        let mut songs = songs();
        let all = windows(&songs, |_| true);
        assert!(!all.is_empty() && all.iter().all(|w| w.start + ROWS <= songs[w.song].cells.rows.len()));
        let train = drawn_windows(&songs, 0, Split::Train, 99, 1);
        assert!(train.len() >= 3 && train.iter().all(|w| songs[w.song].split == Split::Train));
        let first = songs.iter().position(|s| s.genre == 0 && s.split == Split::Train).unwrap();
        songs[first].origin = Origin::Rules;
        let fewer = drawn_windows(&songs, 0, Split::Train, train.len() - 1, 1);
        assert!(fewer.iter().filter(|w| w.song != first).count() >= train.len() - 2);
    }
}
