//! The Lakh MIDI dataset and the Lakh Pianoroll Dataset as published, with labels of the Million Song
//! Dataset.
//!
//! - `lmd_matched/A/B/C/TRABCxxxxxxxxxxxxx/MD5.mid` (C. Raffel, "Learning-Based Methods for Comparing
//!   Sequences", 2016): several files may match a track, and a file several tracks.
//! - `lmd_full/M/MD5.mid` with `match_scores.json` (`{track: {md5: score}}`); without the scores the files
//!   have no tracks and no labels.
//! - `lpd_5_cleansed/A/B/C/TRABCxxxxxxxxxxxxx/HASH.npz` (H.-W. Dong et al., "MuseGAN", 2018, section 5.1).
//! - genres: `.cls` files, a track id and its genres with tabs between (tagtraum CD1, CD2, CD2C; Top-MAGD);
//!   the first genre counts. Of several files the first that knows a track counts.
//! - tags: the Last.fm dataset, a JSON file a track, `A/B/C/TRABCxxxxxxxxxxxxx.json`; the heaviest tag counts.
//!
//! One file is kept for a track (the best match where scores are known, else the first by name) and one track
//! for a file. Splits go by track id. Two recordings of one song are two tracks: only the
//! same notes are recognised, so that versions of a song can lie in different splits.
//!
//! The artist terms of `lmd_matched_h5` are not read: they are HDF5, and the `.cls` files cover the genres.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::files::{Content, Files, Listed, MIDI_ENDINGS, meta, stem, walk};
use super::source::{CorpusError, Split, Tier};

/// Files beside a corpus that say more about its tracks.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct TrackLabels {
    /// Genre assignment of the Million Song Dataset (.cls) for Lakh; may be given several times.
    #[arg(long, value_name = "FILE")]
    pub genres: Vec<PathBuf>,
    /// Folder of Last.fm tags of the Million Song Dataset, for tracks without a genre.
    #[arg(long, value_name = "DIR")]
    pub tags: Option<PathBuf>,
    /// match_scores.json of Lakh, when it does not lie in or beside the corpus.
    #[arg(long, value_name = "FILE")]
    pub match_scores: Option<PathBuf>,
}

/// `{track: {md5: score}}`.
type Scores = HashMap<String, HashMap<String, f64>>;

/// Lakh MIDI: `root` is or contains `lmd_matched` or `lmd_full`.
///
/// # Errors
/// When there are no such files, or the labels or match scores cannot be read.
pub fn lakh(root: &Path, tier: Tier, labels: &TrackLabels) -> Result<Files, CorpusError> {
    let folder = below(root, &["lmd_matched", "lmd_full"]);
    open(root, &folder, &MIDI_ENDINGS, Content::Midi, tier, labels)
}

/// Lakh piano rolls: `root` is or contains `lpd_5_cleansed`.
///
/// # Errors
/// When there are no such files, or the labels or match scores cannot be read.
pub fn lpd(root: &Path, tier: Tier, labels: &TrackLabels) -> Result<Files, CorpusError> {
    let folder = below(root, &["lpd_5_cleansed", "lpd_5/lpd_5_cleansed"]);
    open(root, &folder, &["npz"], Content::Roll, tier, labels)
}

/// The first of these folders within `root`, or `root` itself.
fn below(root: &Path, names: &[&str]) -> PathBuf {
    names.iter().map(|n| root.join(n)).find(|p| p.is_dir()).unwrap_or_else(|| root.to_path_buf())
}

/// Whether `root` is or contains a folder of one of these names.
pub(crate) fn looks_like(root: &Path, names: &[&str]) -> bool {
    names.iter().any(|n| root.ends_with(n) || root.join(n).is_dir())
}

fn open(
    root: &Path,
    folder: &Path,
    endings: &[&str],
    content: Content,
    tier: Tier,
    labels: &TrackLabels,
) -> Result<Files, CorpusError> {
    let mut warnings = Vec::new();
    let found = walk(folder, endings, &mut warnings)?;
    if found.is_empty() {
        return Err(CorpusError::Empty {
            path: folder.to_path_buf(),
            hint: "expected lmd_matched/A/B/C/TR.../*.mid, lmd_full/*/*.mid or lpd_5_cleansed/A/B/C/TR.../*.npz",
        });
    }
    let scores = match_scores(root, folder, labels)?;
    let genres = Genres::open(labels)?;
    let set = folder.file_name().map_or_else(|| "lakh".into(), |n| n.to_string_lossy().into_owned());
    let listed = choose(found, &scores)
        .into_iter()
        .map(|c| {
            let key = c.track.clone().unwrap_or_else(|| stem(&c.path));
            let genre = c.track.as_deref().and_then(|t| genres.of(t));
            Listed { meta: meta(c.id, &set, tier, Split::by_name(&key), genre, key), path: c.path }
        })
        .collect();
    Ok(Files::new(listed, content, warnings))
}

/// A file chosen for a track, or one without a track.
struct Chosen {
    id: String,
    path: PathBuf,
    track: Option<String>,
}

/// Whether a name is a track id of the Million Song Dataset: TR, then 16 capitals and digits.
fn is_track(name: &str) -> bool {
    name.len() == 18
        && name.starts_with("TR")
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// One file a track and one track a file, by the best score, then by name. Files without a track are kept
/// only where no file has one.
fn choose(found: Vec<(String, PathBuf)>, scores: &Scores) -> Vec<Chosen> {
    let mut by_md5: HashMap<&str, Vec<&str>> = HashMap::new();
    for (track, files) in scores {
        files.keys().for_each(|md5| by_md5.entry(md5).or_default().push(track));
    }
    // All pairs of a track and a file, best first.
    let mut pairs: Vec<(f64, String, usize)> = Vec::new();
    for (i, (_, path)) in found.iter().enumerate() {
        let md5 = stem(path);
        let folder = path.parent().and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned());
        let tracks: Vec<String> = match folder.filter(|f| is_track(f)) {
            Some(track) => vec![track],
            None => {
                by_md5.get(md5.as_str()).map_or_else(Vec::new, |t| t.iter().map(|&t| t.to_string()).collect())
            }
        };
        for track in tracks {
            let score = scores.get(&track).and_then(|s| s.get(&md5)).copied().unwrap_or(0.0);
            pairs.push((score, track, i));
        }
    }
    if pairs.is_empty() {
        return found.into_iter().map(|(id, path)| Chosen { id, path, track: None }).collect();
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| (&a.1, a.2).cmp(&(&b.1, b.2))));
    let mut track_of: BTreeMap<usize, String> = BTreeMap::new();
    let (mut tracks, mut files) = (std::collections::HashSet::new(), std::collections::HashSet::new());
    for (_, track, i) in pairs {
        let md5 = stem(&found[i].1);
        if !tracks.contains(&track) && !files.contains(&md5) {
            tracks.insert(track.clone());
            files.insert(md5);
            track_of.insert(i, track);
        }
    }
    let mut found: Vec<Option<(String, PathBuf)>> = found.into_iter().map(Some).collect();
    track_of
        .into_iter()
        .filter_map(|(i, track)| found[i].take().map(|(id, path)| Chosen { id, path, track: Some(track) }))
        .collect()
}

/// The named file, or `match_scores.json` in or beside the corpus; empty when there is none.
fn match_scores(root: &Path, folder: &Path, labels: &TrackLabels) -> Result<Scores, CorpusError> {
    let places = [root.join("match_scores.json"), folder.join("../match_scores.json")];
    let Some(path) = labels.match_scores.clone().or_else(|| places.into_iter().find(|p| p.is_file())) else {
        return Ok(Scores::new());
    };
    let bytes = std::fs::read(&path).map_err(|source| CorpusError::Read {
        path: path.clone(),
        source,
        hint: "name the match_scores.json of the Lakh MIDI dataset, or leave the option out",
    })?;
    serde_json::from_slice(&bytes).map_err(|e| CorpusError::Table {
        path,
        line: e.line() as u64,
        what: format!("{e}; expected {{\"track id\": {{\"md5\": score}}}}"),
    })
}

/// Genres of tracks.
struct Genres {
    assigned: HashMap<String, String>,
    tags: Option<PathBuf>,
}

impl Genres {
    fn open(labels: &TrackLabels) -> Result<Self, CorpusError> {
        let mut assigned = HashMap::new();
        for path in &labels.genres {
            let text = std::fs::read_to_string(path).map_err(|source| CorpusError::Read {
                path: path.clone(),
                source,
                hint: "name an unpacked .cls genre assignment of the Million Song Dataset",
            })?;
            let before = assigned.len();
            for line in text.lines().filter(|l| !l.starts_with('#')) {
                let mut fields = line.split('\t').map(str::trim);
                if let (Some(track), Some(genre)) = (fields.next(), fields.next())
                    && is_track(track)
                    && !genre.is_empty()
                {
                    assigned.entry(track.to_string()).or_insert_with(|| genre.to_string());
                }
            }
            if assigned.len() == before && labels.genres.len() == 1 {
                return Err(CorpusError::Table {
                    path: path.clone(),
                    line: 0,
                    what: "no line has a track id, a tab and a genre".to_string(),
                });
            }
        }
        Ok(Self { assigned, tags: labels.tags.clone() })
    }

    /// The assigned genre of a track, else its heaviest tag in lower case.
    fn of(&self, track: &str) -> Option<String> {
        self.assigned.get(track).cloned().or_else(|| self.tag(track))
    }

    fn tag(&self, track: &str) -> Option<String> {
        let folder = self.tags.as_ref()?;
        let name = format!("{track}.json");
        let nested = [&track[2..3], &track[3..4], &track[4..5], &name].iter().collect::<PathBuf>();
        // A track without tags has an empty list or no file: no label, and nothing to report.
        let bytes = std::fs::read(folder.join(nested)).or_else(|_| std::fs::read(folder.join(name))).ok()?;
        let json: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
        let weight = |v: &serde_json::Value| v.as_f64().or_else(|| v.as_str()?.trim().parse().ok());
        let mut best: Option<(f64, &str)> = None;
        for tag in json.get("tags")?.as_array()? {
            let (Some(name), Some(w)) = (tag.get(0).and_then(|n| n.as_str()), tag.get(1).and_then(weight))
            else {
                continue;
            };
            if best.is_none_or(|b| w > b.0) {
                best = Some((w, name));
            }
        }
        best.map(|b| b.1.to_lowercase())
    }
}
