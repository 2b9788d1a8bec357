//! GTZAN as published: `genres/<genre>/<genre>.000NN.au` or `.wav`, a hundred clips of each of ten genres.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::collection::{LeftOut, Loose, Reading};
use super::labelled::{Facts, LabelledSet};
use super::scheme;
use super::tree::AUDIO_ENDINGS;
use crate::data::files::{stem, walk};
use crate::data::source::{CorpusError, table};
use crate::data::{Split, Tier};

/// Folders in which a download keeps the ten genres.
const FOLDERS: [&str; 4] = ["genres", "genres_original", "Data/genres_original", "."];
/// Names of the lists of the fault-filtered split, a path such as `blues/blues.00029.wav` a line.
const LISTS: [(&str, Split); 3] = [
    ("train_filtered.txt", Split::Train),
    ("valid_filtered.txt", Split::Valid),
    ("test_filtered.txt", Split::Test),
];

/// The folder of the ten genres, when `root` is or contains one.
pub fn genres_folder(root: &Path) -> Option<PathBuf> {
    let has = |folder: &Path| scheme::GTZAN.iter().filter(|g| folder.join(g).is_dir()).count() >= 8;
    FOLDERS.iter().map(|f| root.join(f)).find(|f| has(f))
}

/// Number of a clip, 0 to 99, from a name such as `blues.00029`.
pub fn number(name: &str) -> Option<u32> {
    name.rsplit('.').next()?.parse().ok().filter(|n| *n < 100)
}

/// The split of P3 for the number of a clip.
pub fn last_ten(number: u32) -> Split {
    match number {
        90.. => Split::Test,
        n if n % 10 == 9 => Split::Valid,
        _ => Split::Train,
    }
}

/// Splits clips of GTZAN, such as the mel images, by P3's protocol. Takes out what has no number.
pub fn split_last_ten(set: &mut LabelledSet) {
    set.items.retain_mut(|item| {
        let split = number(&item.facts.id).map(last_ten);
        item.facts.split = split.unwrap_or(item.facts.split);
        split.is_some()
    });
}

/// Reads a folder of GTZAN audio. `lists` are those of C. Kereliuk, B. Sturm and J. Larsen ("Deep Learning and Music
/// Adversaries", 2015), without repeats, distortions and wrong labels and with no artist in two splits: a folder with
/// `train_filtered.txt` and so on, or a table with the columns `name` and `split`. Without them it is split by P3's
/// protocol: the last ten clips of each genre (90 to 99) for test; of the others, those whose number ends in 9 for
/// validation.
///
/// # Errors
/// When there is no folder of genres, nothing in it, or the lists of the split cannot be read.
pub fn open(root: &Path, lists: Option<&Path>, tier: Tier) -> Result<Loose, CorpusError> {
    let hint = "expected genres/blues/blues.00000.au (or .wav) and so on, as GTZAN is published";
    let empty = || CorpusError::Empty { path: root.to_path_buf(), hint };
    let folder = genres_folder(root).ok_or_else(empty)?;
    let mut warnings = Vec::new();
    let found = walk(&folder, &AUDIO_ENDINGS, &mut warnings)?;
    if found.is_empty() {
        return Err(empty());
    }
    let lists = lists.map(read_lists).transpose()?;
    let mut listed = Vec::new();
    for (id, path) in found {
        // Some copies have a folder of test clips beside the ten.
        let Some(genre) = id.split('/').next().filter(|g| scheme::GTZAN.contains(g)) else { continue };
        let name = stem(&path);
        let split = match (&lists, number(&name)) {
            (_, None) => Err(LeftOut::BadRow(format!("'{name}' is not numbered as {genre}.00000 is"))),
            (None, Some(n)) => Ok(last_ten(n)),
            (Some(lists), Some(_)) => lists.get(&name).copied().ok_or(LeftOut::NotInSplit),
        };
        let facts = Facts {
            id: name.clone(),
            set: "gtzan".to_string(),
            tier,
            source: "gtzan".to_string(),
            group: name,
            split: split.clone().unwrap_or(Split::Train),
            genre: genre.to_string(),
            doubtful: false,
        };
        listed.push((facts, split.map(|_| (path, Reading::Audio))));
    }
    if let Some(lists) = &lists {
        let there: std::collections::HashSet<&str> = listed.iter().map(|l| l.0.id.as_str()).collect();
        let lost = lists.keys().filter(|n| !there.contains(n.as_str())).count();
        if lost > 0 {
            warnings.push(format!("{lost} clips of the split's lists are not there"));
        }
    }
    Ok(Loose::new(listed, warnings))
}

/// Split by name of clip.
fn read_lists(path: &Path) -> Result<HashMap<String, Split>, CorpusError> {
    #[derive(serde::Deserialize)]
    struct Row {
        name: String,
        split: String,
    }
    let read = |path: &Path| {
        std::fs::read(path).map_err(|source| CorpusError::Read {
            path: path.to_path_buf(),
            source,
            hint: "name a folder with train_filtered.txt, valid_filtered.txt and test_filtered.txt, or a \
                   table with the columns name and split",
        })
    };
    let mut lists = HashMap::new();
    if path.is_dir() {
        for (name, split) in LISTS {
            let text = read(&path.join(name))?;
            for line in String::from_utf8_lossy(&text).lines().filter(|l| !l.trim().is_empty()) {
                lists.insert(stem(Path::new(line.trim())), split);
            }
        }
    } else {
        for (line, row) in table::<Row>(path, &read(path)?)? {
            let fault = |what| CorpusError::Table { path: path.to_path_buf(), line, what };
            lists.insert(row.name, row.split.parse().map_err(fault)?);
        }
    }
    if lists.is_empty() {
        return Err(CorpusError::Table {
            path: path.to_path_buf(),
            line: 0,
            what: "no clip is listed".to_string(),
        });
    }
    Ok(lists)
}
