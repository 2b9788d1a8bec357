//! Mel images of GTZAN as one `.npz`: `X` (tracks, 128, columns) of 8 bits, `y`, `genres`, `names` and `split`.

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use npyz::NpyFile;
use sha2::Digest;
use zip::ZipArchive;

use super::collection::{Collection, LeftOut, Raw, RawContent};
use super::labelled::{Facts, MelImage};
use crate::data::{Split, Tier};

/// Name of the file in a data folder.
pub const FILE: &str = "gtzan_mel_train.npz";
/// Set and source of the items.
pub const SET: &str = "gtzan_mel";
/// Most bytes of one unpacked array: ten times what the thousand tracks of GTZAN take.
const MAX_ARRAY: u64 = 512 << 20;

/// Why the images cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum MelError {
    /// The file cannot be read.
    #[error("cannot read {path}; check that it is there")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file is damaged or holds something else.
    #[error("{path}: {what}; expected the arrays X (tracks, 128, columns) of u8, y, genres, names and split")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

/// The images with their labels.
#[derive(Debug)]
pub struct Mels {
    items: Vec<Raw>,
    fingerprint: [u8; 32],
}

impl Mels {
    /// Reads the file. Rows whose genre or split means nothing are left out and counted.
    ///
    /// # Errors
    /// When it cannot be read, or its arrays do not fit each other.
    pub fn open(path: &Path) -> Result<Self, MelError> {
        let bytes =
            std::fs::read(path).map_err(|source| MelError::Io { path: path.to_path_buf(), source })?;
        let items = read(&bytes).map_err(|what| MelError::Content { path: path.to_path_buf(), what })?;
        Ok(Self { items, fingerprint: sha2::Sha256::digest(&bytes).into() })
    }
}

impl Collection for Mels {
    fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    fn len(&self) -> usize {
        self.items.len()
    }

    fn visit(&self, yield_item: &mut dyn FnMut(Raw) -> bool) -> Vec<String> {
        // `all` stops at the first item that is not wanted.
        self.items.iter().all(|raw| yield_item(raw.clone()));
        Vec::new()
    }
}

fn read(bytes: &[u8]) -> Result<Vec<Raw>, String> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|e| e.to_string())?;
    let (shape, x) = array(&mut zip, "X", "|u1")?;
    let &[tracks, bands, columns] = shape.as_slice() else {
        return Err(format!("X has {} dimensions", shape.len()));
    };
    if bands != MelImage::BANDS || columns == 0 || x.len() != tracks * bands * columns {
        return Err(format!("X has the shape {shape:?} and {} values", x.len()));
    }
    let y = array(&mut zip, "y", "|u1")?.1;
    let genres = texts(&mut zip, "genres")?;
    let names = texts(&mut zip, "names")?;
    let splits = texts(&mut zip, "split")?;
    if [y.len(), names.len(), splits.len()] != [tracks; 3] {
        return Err(format!(
            "X has {tracks} tracks, y {}, names {}, split {}",
            y.len(),
            names.len(),
            splits.len()
        ));
    }
    let one = bands * columns;
    Ok((0..tracks)
        .map(|i| {
            let image = MelImage { columns, values: x[i * one..(i + 1) * one].to_vec() };
            let genre = genres.get(usize::from(y[i])).cloned().unwrap_or_default();
            let split = splits[i].parse::<Split>();
            let content = match &split {
                Err(what) => RawContent::LeftOut(LeftOut::BadRow(what.clone())),
                Ok(_) if genre.is_empty() => RawContent::LeftOut(LeftOut::NoGenre),
                Ok(_) => RawContent::Mel(image),
            };
            let facts = Facts {
                id: names[i].clone(),
                set: SET.to_string(),
                tier: Tier::Research,
                source: "gtzan".to_string(),
                group: names[i].clone(),
                split: split.unwrap_or(Split::Train),
                genre,
                doubtful: false,
            };
            Raw { facts, content }
        })
        .collect())
}

/// Shape and bytes of an array in C order.
fn array(
    zip: &mut ZipArchive<Cursor<&[u8]>>,
    name: &str,
    dtype: &str,
) -> Result<(Vec<usize>, Vec<u8>), String> {
    let fault = |e: &dyn std::fmt::Display| format!("{name}: {e}");
    let mut bytes = Vec::new();
    let member = zip.by_name(&format!("{name}.npy")).map_err(|e| fault(&e))?;
    member.take(MAX_ARRAY + 1).read_to_end(&mut bytes).map_err(|e| fault(&e))?;
    if bytes.len() as u64 > MAX_ARRAY {
        return Err(fault(&format!("over the limit of {MAX_ARRAY} bytes")));
    }
    let header = NpyFile::new(&bytes[..]).map_err(|e| fault(&e))?;
    let found = header.dtype().descr().trim_matches('\'').to_string();
    let fits = if dtype.ends_with('U') { found.starts_with(dtype) } else { found == dtype };
    if !fits || header.order() != npyz::Order::C {
        return Err(fault(&format!("has the type {found}, not {dtype}, or lies in Fortran order")));
    }
    let shape: Vec<usize> = header.shape().iter().map(|&n| n as usize).collect();
    let width = found.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(1);
    let width = if dtype.ends_with('U') { 4 * width } else { 1 };
    let size = shape.iter().try_fold(width, |all: usize, &n| all.checked_mul(n));
    let start = size.and_then(|size| bytes.len().checked_sub(size));
    let start = start.ok_or_else(|| fault(&"shorter than its shape"))?;
    Ok((shape, bytes.split_off(start)))
}

/// An array of texts: UCS-4 of a fixed width, zeros at the end.
fn texts(zip: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<Vec<String>, String> {
    let (shape, bytes) = array(zip, name, "<U")?;
    let &[count] = shape.as_slice() else { return Err(format!("{name} has {} dimensions", shape.len())) };
    if count == 0 || bytes.is_empty() {
        return Ok(vec![String::new(); count.min(1 << 20)]);
    }
    let text = |cells: &[u8]| -> String {
        cells
            .chunks_exact(4)
            .filter_map(|c| char::from_u32(u32::from_le_bytes([c[0], c[1], c[2], c[3]])))
            .take_while(|&c| c != '\0')
            .collect()
    };
    Ok(bytes.chunks_exact(bytes.len() / count).map(text).collect())
}
