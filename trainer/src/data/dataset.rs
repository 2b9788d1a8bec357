//! The data folder: `manifest.csv`, `open.tar.zst`, `research.tar.zst` and the tables in `labels/`.
//!
//! The archives are read as a stream and never unpacked to disk; an archive that is missing is looked for
//! as an unpacked folder of the tier's name. Which file belongs to which split is the manifest's word.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use ruzstd::decoding::StreamingDecoder;
use sha2::Digest;

use super::source::{Collect, CorpusError, Item, MAX_FILE, Meta, Payload, Source, Tier, table};

/// Largest window of the archives: `--long=27`.
const MAX_WINDOW: u64 = 128 << 20;

/// A data folder with a manifest.
#[derive(Debug)]
pub struct Dataset {
    folder: PathBuf,
    /// By tier, the files listed for it.
    rows: [Vec<Meta>; 2],
    fingerprint: [u8; 32],
}

/// A row of `manifest.csv`, as far as it is needed here.
#[derive(serde::Deserialize)]
struct ManifestRow {
    path: String,
    set: String,
    tier: Tier,
    group: String,
    split: String,
    genre: Option<String>,
    style: Option<String>,
}

/// A row of `labels/pairs.csv`.
#[derive(serde::Deserialize)]
struct PairRow {
    path: String,
    lead_in_bars: u16,
}

/// A row of `labels/bass_piano_agreement.csv`.
#[derive(serde::Deserialize)]
struct AgreementRow {
    path: String,
    bass_in_piano_half_bar: f32,
}

impl Dataset {
    /// Reads the manifest and the labels of a data folder. `labels/` may be missing.
    ///
    /// # Errors
    /// When the manifest or a table of labels cannot be read or has a row that means nothing.
    pub fn open(folder: &Path) -> Result<Self, CorpusError> {
        let mut digest = sha2::Sha256::new();
        let manifest = folder.join("manifest.csv");
        let bytes = std::fs::read(&manifest).map_err(|source| CorpusError::Read {
            path: manifest.clone(),
            source,
            hint: "a data folder holds manifest.csv, open.tar.zst and research.tar.zst; for a plain folder \
                   of MIDI files choose that layout",
        })?;
        digest.update(&bytes);
        let lead_ins: HashMap<String, u16> =
            label_rows::<PairRow>(&folder.join("labels/pairs.csv"), &mut digest)?
                .into_iter()
                .map(|r| (r.path, r.lead_in_bars))
                .collect();
        let agreements: HashMap<String, f32> =
            label_rows::<AgreementRow>(&folder.join("labels/bass_piano_agreement.csv"), &mut digest)?
                .into_iter()
                .map(|r| (r.path, r.bass_in_piano_half_bar))
                .collect();
        let mut rows = [Vec::new(), Vec::new()];
        for (line, row) in table::<ManifestRow>(&manifest, &bytes)? {
            let split = row.split.parse().map_err(|what| CorpusError::Table {
                path: manifest.clone(),
                line,
                what,
            })?;
            let text = |t: Option<String>| t.filter(|t| !t.is_empty());
            rows[row.tier as usize].push(Meta {
                // Only these sets hold tracks that are neither heard nor learned, and say so by name.
                collect: if row.set.starts_with("pairs_mma") {
                    Collect::ByTrackName
                } else {
                    Collect::ByProgram
                },
                lead_in_bars: lead_ins.get(&row.path).copied().unwrap_or(0),
                agreement: agreements.get(&row.path).copied(),
                id: row.path,
                set: row.set,
                tier: row.tier,
                split,
                genre: text(row.genre),
                style: text(row.style),
                group: row.group,
            });
        }
        // The manifest vouches for the files; what is not there yet may come later.
        for tier in Tier::ALL {
            let archive = std::fs::metadata(folder.join(format!("{tier}.tar.zst")));
            digest.update(archive.map_or(0, |m| m.len()).to_le_bytes());
            digest.update([u8::from(folder.join(tier.name()).is_dir())]);
        }
        Ok(Self { folder: folder.to_path_buf(), rows, fingerprint: digest.finalize().into() })
    }

    /// Yields the members of one tier's archive. Returns false when the consumer has had enough.
    fn visit_tier(
        &self,
        tier: Tier,
        warnings: &mut Vec<String>,
        yield_item: &mut dyn FnMut(Item) -> bool,
    ) -> bool {
        let mut wanted: HashMap<&str, &Meta> =
            self.rows[tier as usize].iter().map(|m| (m.id.as_str(), m)).collect();
        if wanted.is_empty() {
            return true;
        }
        let path = self.folder.join(format!("{tier}.tar.zst"));
        let mut why = format!("not in {tier}.tar.zst");
        if !path.exists() && self.folder.join(tier.name()).is_dir() {
            for meta in &self.rows[tier as usize] {
                let payload = match std::fs::read(self.folder.join(&meta.id)) {
                    Ok(bytes) => Payload::Midi(bytes),
                    Err(e) => Payload::Missing(e.to_string()),
                };
                if !yield_item(Item { meta: meta.clone(), payload }) {
                    return false;
                }
            }
            return true;
        }
        let mut go_on = true;
        let outcome = visit_archive(&path, &mut |member, bytes| {
            if let Some(meta) = wanted.remove(member) {
                go_on = yield_item(Item { meta: meta.clone(), payload: bytes });
            }
            go_on
        });
        if !go_on {
            return false;
        }
        if let Err(e) = outcome {
            let lost = wanted.len();
            why = format!("{tier}.tar.zst: {e}");
            warnings.push(format!("{}: {e}; {lost} listed files could not be read", path.display()));
        }
        let mut missing: Vec<&Meta> = wanted.into_values().collect();
        missing.sort_by(|a, b| a.id.cmp(&b.id));
        missing
            .into_iter()
            .all(|meta| yield_item(Item { meta: meta.clone(), payload: Payload::Missing(why.clone()) }))
    }
}

impl Source for Dataset {
    fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    fn len(&self) -> usize {
        self.rows.iter().map(Vec::len).sum()
    }

    /// The manifest keeps versions of a song in one split by itself.
    fn may_repeat(&self) -> bool {
        false
    }

    fn visit(&self, yield_item: &mut dyn FnMut(Item) -> bool) -> Vec<String> {
        let mut warnings = Vec::new();
        for tier in Tier::ALL {
            if !self.visit_tier(tier, &mut warnings, yield_item) {
                break;
            }
        }
        warnings
    }
}

/// Calls back for every regular member of a tar.zst until the callback returns false.
fn visit_archive(
    path: &Path,
    on_member: &mut dyn FnMut(&str, Payload) -> bool,
) -> Result<(), std::io::Error> {
    let file = BufReader::with_capacity(1 << 18, File::open(path)?);
    let zstd = StreamingDecoder::new_with_max_window_size(file, MAX_WINDOW)
        .map_err(|e| std::io::Error::new(std::io::ErrorKind::InvalidData, e.to_string()))?;
    let mut archive = tar::Archive::new(zstd);
    for entry in archive.entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let name = name.strip_prefix("./").unwrap_or(&name);
        let payload = if entry.size() > MAX_FILE {
            Payload::Missing(format!("member of {} bytes, over the limit of {MAX_FILE}", entry.size()))
        } else {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            Payload::Midi(bytes)
        };
        if !on_member(name, payload) {
            break;
        }
    }
    Ok(())
}

/// Rows of a table that may be missing; its content goes into the fingerprint.
fn label_rows<T: serde::de::DeserializeOwned>(
    path: &Path,
    digest: &mut sha2::Sha256,
) -> Result<Vec<T>, CorpusError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            return Err(CorpusError::Read {
                path: path.to_path_buf(),
                source,
                hint: "check the permissions",
            });
        }
    };
    digest.update((bytes.len() as u64).to_le_bytes());
    digest.update(&bytes);
    Ok(table(path, &bytes)?.into_iter().map(|r| r.1).collect())
}
