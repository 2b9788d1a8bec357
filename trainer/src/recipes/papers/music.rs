//! The music of a run: pieces of a data folder, or a small collection made by code.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};
use rayon::prelude::*;
use sideman_music::{Meter, MeterMap, Note, Score, TempoMap, Track};

use super::PaperRun;
use crate::data::source::{Collect, Item, Meta, Payload};
use crate::data::{PrepareOptions, Split, Tier, prepare::open, roll};

/// Pieces of a split and genre that a quick run takes of a data folder.
const QUICK: usize = 2;

/// A piece of music.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Its metadata.
    pub meta: Meta,
    /// Its notes.
    pub score: Score,
}

impl PaperRun {
    /// The pieces that are wanted, by id, read over all cores; of a quick run the first two of each split and
    /// genre. Files that cannot be read are left out with a note.
    ///
    /// # Errors
    /// When the folder cannot be opened or has nothing that is wanted.
    pub fn pieces(&self, wanted: &(dyn Fn(&Meta) -> bool + Sync)) -> anyhow::Result<Vec<Piece>> {
        self.each(wanted, &|piece| piece)
    }

    /// What `keep` makes of each of the same pieces, in the same order: for collections whose notes are too many to
    /// be kept.
    ///
    /// # Errors
    /// As [`PaperRun::pieces`].
    pub(super) fn each<T: Send>(
        &self,
        wanted: &(dyn Fn(&Meta) -> bool + Sync),
        keep: &(dyn Fn(Piece) -> T + Sync),
    ) -> anyhow::Result<Vec<T>> {
        let Some(data) = &self.data else {
            return Ok(small().into_iter().filter(|p| wanted(&p.meta)).map(keep).collect());
        };
        let pieces = read(data, wanted, keep, if self.is_quick() { QUICK } else { usize::MAX })?;
        ensure!(
            !pieces.is_empty(),
            "{} has no music for this: it needs a folder with manifest.csv and archives, or folders of MIDI files",
            data.display()
        );
        Ok(pieces)
    }
}

/// Reads what is wanted: one thread fetches, all cores parse.
fn read<T: Send>(
    data: &Path,
    wanted: &(dyn Fn(&Meta) -> bool + Sync),
    keep: &(dyn Fn(Piece) -> T + Sync),
    most: usize,
) -> anyhow::Result<Vec<T>> {
    let source = open(&PrepareOptions::new(data, Path::new("")))
        .with_context(|| format!("cannot use the data in {}", data.display()))?;
    let (send, receive) = crossbeam::channel::bounded::<Item>(64);
    let mut counts: BTreeMap<(Split, Option<String>), usize> = BTreeMap::new();
    let (mut pieces, warnings) = std::thread::scope(|scope| {
        let source = &source;
        let fetcher = scope.spawn(move || {
            source.visit(&mut |item| {
                if !wanted(&item.meta) {
                    return true;
                }
                let count = counts.entry((item.meta.split, item.meta.genre.clone())).or_default();
                *count += 1;
                *count > most || send.send(item).is_ok()
            })
        });
        let kept = |item| parse(item).map(|piece| (piece.meta.id.clone(), keep(piece)));
        let pieces: Vec<Result<(String, T), String>> = receive.into_iter().par_bridge().map(kept).collect();
        (pieces, fetcher.join().expect("fetching does not panic"))
    });
    for warning in warnings {
        eprintln!("note: {warning}");
    }
    let damaged = pieces.iter().filter(|p| p.is_err()).count();
    if let Some(why) = pieces.iter().find_map(|p| p.as_ref().err()) {
        eprintln!("note: left out {damaged} of {} files that cannot be read, such as {why}", pieces.len());
    }
    pieces.retain(Result::is_ok);
    let mut pieces: Vec<(String, T)> = pieces.into_iter().flatten().collect();
    pieces.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(pieces.into_iter().map(|p| p.1).collect())
}

fn parse(item: Item) -> Result<Piece, String> {
    let score = match item.payload {
        Payload::Midi(bytes) => sideman_music::smf::read(&bytes).map_err(|e| e.to_string()),
        Payload::Roll(bytes) => roll::read(&bytes).map_err(|e| e.to_string()),
        Payload::Missing(why) => Err(why),
    };
    match score {
        Ok(score) => Ok(Piece { meta: item.meta, score }),
        Err(why) => Err(format!("{}: {why}", item.meta.id)),
    }
}

/// Bars of a piece of the small collection.
const BARS: i64 = 16;
/// Genres of the small collection, with their set.
const GENRES: [(&str, &str); 5] = [
    ("Rock", "web_multitrack+genre_labelled"),
    ("Ballad", "web_multitrack+genre_labelled"),
    ("Electronic", "web_multitrack+genre_labelled"),
    ("Jazz", "web_multitrack+genre_labelled"),
    ("Classical", "mutopia_piano"),
];

/// Bands, and pianos alone, that a program of a few lines plays: five genres, and of each three pieces to train on
/// and one of the valid and the test split. They are no music worth learning; they show that everything works.
pub(crate) fn small() -> Vec<Piece> {
    let mut pieces = vec![];
    for (genre, (name, set)) in GENRES.iter().enumerate() {
        for number in 0..5 {
            let split = [Split::Train, Split::Train, Split::Train, Split::Valid, Split::Test][number];
            let id = format!("open/small/{}-{number}.mid", name.to_lowercase());
            let meta = Meta {
                group: id.clone(),
                id,
                set: (*set).to_owned(),
                tier: Tier::Open,
                split,
                genre: Some((*name).to_owned()),
                style: None,
                collect: Collect::ByProgram,
                lead_in_bars: 0,
                agreement: Some(1.0),
            };
            pieces.push(Piece { meta, score: play(genre, number) });
        }
    }
    pieces
}

/// A piece: chords of the piano, and in all but the last genre a band on their roots.
fn play(genre: usize, number: usize) -> Score {
    const PROGRESSION: [[u8; 4]; 3] = [[0, 7, 9, 5], [0, 5, 7, 0], [9, 5, 0, 7]];
    let beat = 480;
    let (mut piano, mut bass, mut drums, mut guitar, mut strings) = (vec![], vec![], vec![], vec![], vec![]);
    let note = |onset, pitch, length, velocity| Note { onset, pitch, length, velocity };
    for bar in 0..BARS {
        let start = bar * 4 * beat;
        let root = 48 + PROGRESSION[(genre + number) % 3][(bar % 4) as usize] + (number as u8 % 3) * 2;
        let third = if matches!(root % 12, 9 | 2 | 4) { 3 } else { 4 };
        let every = if genre == 1 { 2 } else { 1 };
        for b in (0..4).step_by(every) {
            for tone in [0, third, 7] {
                let velocity = 70 + (b as u8) * 5 + genre as u8;
                piano.push(note(start + b * beat, root + 12 + tone, every as i64 * beat - 60, velocity));
            }
            piano.push(note(start + b * beat + beat / 2, root + 24 + ((bar + b) % 3) as u8 * 2, 200, 80));
        }
        for b in 0..4 {
            bass.push(note(start + b * beat, root - 12 + if b == 3 { 7 } else { 0 }, 400, 90));
            for tone in [0, 7] {
                guitar.push(note(start + b * beat + beat / 2, root + 12 + tone, 180, 75));
            }
            drums.push(note(start + b * beat, if b % 2 == 0 { 36 } else { 38 }, 60, 100));
            for half in 0..=(genre as i64 % 2) {
                drums.push(note(start + b * beat + half * beat / 2, 42, 60, 70));
            }
        }
        strings.push(note(start, root + 19, 4 * beat - 30, 60));
    }
    let track = |name: &str, channel: u8, program: u8, mut notes: Vec<Note>| {
        notes.sort_by_key(|n| (n.onset, n.pitch));
        let is_drums = channel == 9;
        Track { name: name.to_owned(), source_track: channel.into(), channel, program, is_drums, notes }
    };
    let mut tracks = vec![track("Piano", 0, 0, piano)];
    if genre + 1 < GENRES.len() {
        tracks.push(track("Drums", 9, 0, drums));
        tracks.push(track("Bass", 1, 33, bass));
        tracks.push(track("Guitar", 2, 27, guitar));
        tracks.push(track("Strings", 3, 48, strings));
    }
    Score {
        tempos: TempoMap::new(&[(0, (60e6 / (90.0 + 10.0 * genre as f64)) as u32)]),
        meters: MeterMap::new(&[(0, Meter::COMMON)]),
        markers: vec![],
        tracks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fixtures::data_folder;

    #[test]
    fn the_small_collection_has_all_splits_and_notes_in_order() {
        let pieces = small();
        for split in [Split::Train, Split::Valid, Split::Test] {
            assert!(pieces.iter().filter(|p| p.meta.split == split).count() >= 5);
        }
        for track in pieces.iter().flat_map(|p| &p.score.tracks) {
            assert!(track.notes.is_sorted_by_key(|n| (n.onset, n.pitch)) && track.notes.len() >= 16);
        }
    }

    #[test]
    fn a_data_folder_is_read_without_what_is_damaged() {
        let dir = tempfile::tempdir().unwrap();
        data_folder(dir.path());
        let run = PaperRun { data: Some(dir.path().to_owned()), ..PaperRun::quick(dir.path()) };
        let ids = |wanted: &(dyn Fn(&Meta) -> bool + Sync)| -> Vec<String> {
            run.pieces(wanted).unwrap().into_iter().map(|p| p.meta.id).collect()
        };
        assert_eq!(ids(&|m| m.split == Split::Test), ["research/d.mid"]);
        let train = ids(&|m| m.split == Split::Train);
        // Of those without a genre the first two that lie in the archive; one of them may be damaged.
        assert!(train.contains(&"open/pairs/a.mid".to_owned()) && train.len() <= 3, "{train:?}");
        let none = run.pieces(&|_| false).unwrap_err();
        assert!(none.to_string().contains("no music for this"), "{none}");
    }
}
