//! The music of P5 as lines of notes and chords.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use anyhow::ensure;
use sideman_music::encoding::note_tokens::{Category, Sonority, Vocabulary, sonorities};
use sideman_music::{Family, MeterMap};

use crate::data::source::Meta;
use crate::data::{Split, Tier};
use crate::recipes::papers::{PaperRun, Piece, Size};

/// The paper's set in common time and C major. Its folders are its split of 10, 3 and 3 songs; the splits of the
/// corpus do not apply.
const OWN: &str = "Datasets/Dataset_44_Cmaj/";
/// Sets of piano music under open licences.
const OPEN: [&str; 3] = ["mutopia_piano", "lieder_piano", "pairs_mma_pop909"];
/// Pieces of the open sets that a quick run takes.
const QUICK: usize = 2;

/// A piece as a line.
#[derive(Debug, Clone)]
pub(super) struct Song {
    pub(super) name: String,
    pub(super) set: String,
    /// Versions of one song share it.
    pub(super) group: String,
    pub(super) split: Split,
    pub(super) sonorities: Vec<Sonority>,
    pub(super) meters: MeterMap,
}

impl Song {
    fn new(piece: Piece, split: Split) -> Self {
        // Where a band plays along the piano is what is wanted: by name in the pairs, by program elsewhere.
        let named = piece.score.tracks.iter().any(|t| t.name == "PIANO");
        let tracks = piece.score.tracks.iter().filter(|t| match named {
            true => t.name == "PIANO",
            false => t.family() == Some(Family::Piano),
        });
        let name = piece.meta.id.rsplit('/').next().unwrap_or_default();
        let name = name.trim_end_matches(".mid").trim_end_matches("_copy").trim_end_matches("_format0");
        Self {
            name: name.to_owned(),
            set: piece.meta.set,
            group: piece.meta.group,
            split,
            sonorities: sonorities(tracks),
            meters: piece.score.meters,
        }
    }

    /// Its categories.
    pub(super) fn categories(&self) -> impl Iterator<Item = Category> + '_ {
        self.sonorities.iter().map(Category::of)
    }

    /// Its categories by number, the nearest for what is unknown.
    pub(super) fn numbers(&self, vocabulary: &Vocabulary) -> Vec<usize> {
        self.categories().filter_map(|c| vocabulary.nearest(&c)).collect()
    }
}

/// The categories of songs.
pub(super) fn vocabulary<'a>(songs: impl IntoIterator<Item = &'a Song>) -> Vocabulary {
    Vocabulary::of(songs.into_iter().flat_map(Song::categories))
}

/// Songs of a split.
pub(super) fn of(songs: &[Song], split: Split) -> Vec<&Song> {
    songs.iter().filter(|s| s.split == split).collect()
}

/// A song's name, and its categories by number.
pub(super) type Line = (String, Vec<usize>);

/// The paper's songs as lines of numbers, by its folders.
pub(super) struct Lines {
    /// Names of the categories of all songs, by number.
    pub(super) names: Vec<String>,
    pub(super) train: Vec<Line>,
    pub(super) dev: Vec<Line>,
    pub(super) test: Vec<Line>,
}

impl Lines {
    pub(super) fn new(songs: &[Song]) -> Self {
        let vocabulary = vocabulary(songs);
        let lines = |split| -> Vec<Line> {
            of(songs, split).into_iter().map(|s| (s.name.clone(), s.numbers(&vocabulary))).collect()
        };
        Self {
            names: vocabulary.categories().iter().map(|c| c.name()).collect(),
            train: lines(Split::Train),
            dev: lines(Split::Valid),
            test: lines(Split::Test),
        }
    }
}

fn own_split(meta: &Meta) -> Option<Split> {
    let folder = meta.id.split_once(OWN)?.1.split('/').next()?;
    match folder {
        "Train" => Some(Split::Train),
        "Dev" => Some(Split::Valid),
        "Test" => Some(Split::Test),
        _ => None,
    }
}

/// The paper's songs, by name. Without them, as on the small collection, those of a classical set by their
/// splits.
pub(super) fn paper_songs(run: &PaperRun) -> anyhow::Result<Vec<Song>> {
    let classical = |m: &Meta| run.data.is_none() && m.set == OPEN[0];
    // A quick run reads all of them: it needs some of each folder.
    let whole = PaperRun { size: Size::Full, ..run.clone() };
    let pieces = whole.pieces(&|m| own_split(m).is_some() || classical(m))?;
    let mut songs: Vec<Song> = pieces
        .into_iter()
        .map(|p| {
            let split = own_split(&p.meta).unwrap_or(p.meta.split);
            Song::new(p, split)
        })
        .collect();
    songs.sort_by(|a, b| a.name.cmp(&b.name));
    for split in [Split::Train, Split::Valid, Split::Test] {
        let found = of(&songs, split).len();
        ensure!(
            found > 0,
            "the paper's set has no songs to {split} by: the data needs the folders {OWN}Train, Dev and Test"
        );
    }
    Ok(songs)
}

/// Piano music under open licences: one piece of each group of versions, by the splits of the corpus.
pub(super) fn open(run: &PaperRun) -> anyhow::Result<Vec<Song>> {
    let limit = if run.is_quick() { QUICK } else { usize::MAX };
    // Groups that were met, and pieces by set and split.
    let met = Mutex::new((BTreeSet::new(), BTreeMap::<(String, Split), usize>::new()));
    let wanted = |m: &Meta| {
        let mut met = met.lock().unwrap_or_else(PoisonError::into_inner);
        let (groups, counts) = &mut *met;
        let fits = m.tier == Tier::Open && (OPEN.contains(&m.set.as_str()) || run.data.is_none());
        if !fits || !groups.insert(m.group.clone()) {
            return false;
        }
        let count = counts.entry((m.set.clone(), m.split)).or_default();
        *count += 1;
        *count <= limit
    };
    let whole = PaperRun { size: Size::Full, ..run.clone() };
    let pieces = whole.pieces(&wanted)?.into_iter().map(|p| {
        let split = p.meta.split;
        Song::new(p, split)
    });
    Ok(pieces.filter(|s| s.sonorities.len() > 40).collect())
}
