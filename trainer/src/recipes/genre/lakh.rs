//! Lakh MIDI and Lakh piano rolls with labels of the Million Song Dataset: Top-MAGD or MASD.
//!
//! - "TRACKID\tGENRE" assignments (A. Schindler, R. Mayer and A. Rauber, "Facilitating Comprehensive Benchmarking
//!   Experiments on the Million Song Dataset", ISMIR 2012): the corpus reader's own way with tracks, matches
//!   and splits ([`crate::data::lakh`]).
//! - Tables of MD5 and genres (`topmagd_train.csv`, `topmagd_test.csv`: columns `file_id` and `topmagd`, a list
//!   such as `['Rap', 'RnB']`): files are found by the MD5 in their name; the split is the table's, and of its
//!   training files a twentieth is for validation.
//!
//! A file that matches several tracks may have several genres. P2 does not say what it does with those; here
//! one is kept when its genres are one in P2's scheme, and left out otherwise.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::Digest;

use super::collection::{Collection, LeftOut, Loose, Raw, RawContent, Reading};
use super::labelled::Facts;
use super::scheme::Scheme;
use crate::data::files::{Files, MIDI_ENDINGS, stem, walk};
use crate::data::lakh::TrackLabels;
use crate::data::source::{CorpusError, Payload, table};
use crate::data::{Source, Split, Tier};

/// Names of the tables of MD5 and genres, and the split that each is.
pub const TABLES: [(&str, Split); 2] =
    [("topmagd_train.csv", Split::Train), ("topmagd_test.csv", Split::Test)];

/// Lakh MIDI (`rolls` false) or piano rolls with genres assigned to tracks.
///
/// # Errors
/// As [`crate::data::lakh::lakh`]; and when no label is given.
pub fn by_track(root: &Path, tier: Tier, labels: &TrackLabels, rolls: bool) -> Result<ByTrack, CorpusError> {
    let files = if rolls {
        crate::data::lakh::lpd(root, tier, labels)?
    } else {
        crate::data::lakh::lakh(root, tier, labels)?
    };
    Ok(ByTrack { files })
}

/// Files of Lakh whose tracks have genres.
#[derive(Debug)]
pub struct ByTrack {
    files: Files,
}

impl Collection for ByTrack {
    fn fingerprint(&self) -> [u8; 32] {
        self.files.fingerprint()
    }

    fn len(&self) -> usize {
        self.files.len()
    }

    fn visit(&self, yield_item: &mut dyn FnMut(Raw) -> bool) -> Vec<String> {
        self.files.visit(&mut |item| {
            let meta = item.meta;
            let content = match item.payload {
                _ if meta.genre.is_none() => RawContent::LeftOut(LeftOut::NoGenre),
                Payload::Midi(bytes) => RawContent::Midi(bytes),
                Payload::Roll(bytes) => RawContent::Roll(bytes),
                Payload::Missing(why) => RawContent::LeftOut(LeftOut::Missing(why)),
            };
            yield_item(Raw {
                facts: Facts {
                    id: meta.id,
                    source: meta.set.clone(),
                    set: meta.set,
                    tier: meta.tier,
                    group: meta.group,
                    split: meta.split,
                    genre: meta.genre.unwrap_or_default(),
                    doubtful: false,
                },
                content,
            })
        })
    }
}

/// A row of a table of MD5 and genres.
#[derive(serde::Deserialize)]
struct Row {
    file_id: String,
    topmagd: String,
}

/// Lakh MIDI or piano rolls below `root`, by MD5. `labels` is a folder with the two tables, or one table.
///
/// # Errors
/// When a table cannot be read, or no file is named as one of its MD5.
pub fn by_md5(root: &Path, tier: Tier, labels: &Path) -> Result<Loose, CorpusError> {
    let mut genres: BTreeMap<String, (Split, String)> = BTreeMap::new();
    for (path, split) in tables(labels) {
        let bytes = std::fs::read(&path).map_err(|source| CorpusError::Read {
            path: path.clone(),
            source,
            hint: "name a folder with topmagd_train.csv and topmagd_test.csv, or one such table",
        })?;
        for (_, row) in table::<Row>(&path, &bytes)? {
            let md5 = row.file_id.trim().to_lowercase();
            let split = match split {
                Split::Train if is_for_validation(&md5) => Split::Valid,
                other => other,
            };
            genres.entry(md5).or_insert((split, row.topmagd));
        }
    }
    let mut warnings = Vec::new();
    let mut found = walk(root, &MIDI_ENDINGS, &mut warnings)?;
    found.extend(walk(root, &["npz"], &mut Vec::new())?);
    let set = root.file_name().map_or_else(|| "lakh".into(), |n| n.to_string_lossy().into_owned());
    let mut listed = Vec::new();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (id, path) in found {
        let md5 = stem(&path).to_lowercase();
        let is_roll = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("npz"));
        let reading = if is_roll { Reading::Roll } else { Reading::Midi };
        let (split, genre) = match genres.get(&md5) {
            None => (Split::Train, Err(LeftOut::NoGenre)),
            Some((split, list)) => (*split, one_genre(list)),
        };
        // lmd_matched has a file once for every track that it matches.
        let first = seen.entry(md5.clone()).or_insert_with(|| id.clone());
        let place = match &genre {
            _ if *first != id => Err(LeftOut::Repeat(first.clone())),
            Ok(_) => Ok((path, reading)),
            Err(why) => Err(why.clone()),
        };
        let facts = Facts {
            id,
            set: set.clone(),
            tier,
            source: set.clone(),
            group: md5,
            split,
            genre: genre.unwrap_or_default(),
            doubtful: false,
        };
        listed.push((facts, place));
    }
    let lost = genres.keys().filter(|md5| !seen.contains_key(*md5)).count();
    if lost == genres.len() {
        return Err(CorpusError::Empty {
            path: root.to_path_buf(),
            hint: "no file is named by an MD5 of the label tables, as in lmd_full/a/a0123....mid",
        });
    }
    if lost > 0 {
        warnings.push(format!("{lost} of {} labelled files are not there", genres.len()));
    }
    Ok(Loose::new(listed, warnings))
}

/// The tables that `labels` names.
fn tables(labels: &Path) -> Vec<(PathBuf, Split)> {
    if labels.is_dir() {
        return TABLES.iter().map(|(name, split)| (labels.join(name), *split)).collect();
    }
    let is_test = stem(labels).to_lowercase().contains("test");
    vec![(labels.to_path_buf(), if is_test { Split::Test } else { Split::Train })]
}

/// Every twentieth file, by a digest of its name.
fn is_for_validation(md5: &str) -> bool {
    sha2::Sha256::digest(md5.as_bytes())[0].is_multiple_of(20)
}

/// The one genre of a list such as `['Rap', 'RnB']`, when all are one in P2's scheme: then the first.
fn one_genre(list: &str) -> Result<String, LeftOut> {
    let names: Vec<&str> = list
        .split(',')
        .map(|n| n.trim_matches(|c: char| c.is_whitespace() || "[]'\"".contains(c)))
        .filter(|n| !n.is_empty())
        .collect();
    let Some(first) = names.first() else { return Err(LeftOut::NoGenre) };
    let class = |n: &str| Scheme::Topmagd.class_of(n).map_or_else(|| n.to_string(), str::to_string);
    if names.iter().any(|n| class(n) != class(first)) {
        return Err(LeftOut::SeveralGenres(names.join(", ")));
    }
    Ok((*first).to_string())
}
