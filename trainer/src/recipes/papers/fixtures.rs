//! The small collection as a data folder, for the papers whose models read one: a manifest with MIDI files, images of
//! mel spectrograms, and a folder of sound laid out as GTZAN's.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use sideman_audio::wave::SONG;

use super::{PaperRun, music};
use crate::recipes::genre::render::RATE;
use crate::recipes::genre::{mels, scheme};
use crate::report::write_whole;

/// Columns of an image: 30 s.
const COLUMNS: usize = 387;
/// Numbers of the tracks of each genre: to train on, to validate by, and among the last ten.
const NUMBERS: [usize; 6] = [0, 1, 2, 9, 90, 91];
/// The same for sound, of which a track has more than a megabyte.
const SOUND_NUMBERS: [usize; 3] = [0, 9, 90];

impl PaperRun {
    /// The folder of the data: that which was named, or one made by code within the report's.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn data_dir(&self, what: Made) -> anyhow::Result<PathBuf> {
        if let Some(data) = &self.data {
            return Ok(data.clone());
        }
        let folder = self.out.join("made").join(what.name());
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        match what {
            Made::Notes => notes(&folder)?,
            Made::Images => write_whole(&folder.join(mels::FILE), &images()?)?,
            Made::Sound => sound(&folder)?,
        }
        Ok(folder)
    }
}

/// What is made where no data is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// MIDI files with a manifest.
    Notes,
    /// Mel images.
    Images,
    /// WAV files.
    Sound,
}

impl Made {
    fn name(self) -> &'static str {
        ["notes", "images", "sound"][self as usize]
    }
}

fn notes(folder: &Path) -> anyhow::Result<()> {
    let mut manifest = csv::Writer::from_writer(vec![]);
    manifest.write_record(["path", "set", "tier", "source", "group", "split", "genre", "style"])?;
    for piece in music::small() {
        let m = &piece.meta;
        let genre = m.genre.as_deref().unwrap_or_default();
        let row = [&m.id, &m.set, m.tier.name(), "made", &m.group, m.split.name(), genre, ""];
        manifest.write_record(row)?;
        let path = folder.join(&m.id);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        }
        write_whole(&path, &sideman_music::smf::write(&piece.score))?;
    }
    // An empty folder, or the archive of the other tier would be missed.
    std::fs::create_dir_all(folder.join("research"))?;
    write_whole(&folder.join("manifest.csv"), &manifest.into_inner().context("cannot finish the table")?)
}

/// Images whose loud band rises with the genre.
fn images() -> anyhow::Result<Vec<u8>> {
    let (mut names, mut y, mut pixels, mut splits) = (vec![], vec![], vec![], vec![]);
    for (genre, name) in scheme::GTZAN.iter().enumerate() {
        for number in NUMBERS {
            names.push(format!("{name}.{number:05}"));
            splits.push(if number % 10 == 9 { "valid" } else { "train" });
            y.push(genre as u8);
            pixels.extend((0..128 * COLUMNS).map(|i| {
                let loud = (i / COLUMNS).abs_diff(6 + 12 * genre) < 8;
                (if loud { 180 } else { 40 }) + ((i * 31 + number * 7) % 60) as u8
            }));
        }
    }
    let n = names.len();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Ok(npz(&[
        ("X.npy", npy("|u1", &format!("({n}, 128, {COLUMNS})"), &pixels)),
        ("y.npy", npy("|u1", &format!("({n},)"), &y)),
        ("genres.npy", texts(&scheme::GTZAN)),
        ("names.npy", texts(&names)),
        ("split.npy", texts(&splits)),
    ])?)
}

/// A tone a genre, thirty seconds long.
fn sound(folder: &Path) -> anyhow::Result<()> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    for (genre, name) in scheme::GTZAN.iter().enumerate() {
        let genre_dir = folder.join("genres").join(name);
        std::fs::create_dir_all(&genre_dir)
            .with_context(|| format!("cannot make {}", genre_dir.display()))?;
        for number in SOUND_NUMBERS {
            let path = genre_dir.join(format!("{name}.{number:05}.wav"));
            let failed = || format!("cannot write {}", path.display());
            let mut wav = hound::WavWriter::create(&path, spec).with_context(failed)?;
            let step = (110.0 * (1.0 + genre as f64) + number as f64 / 9.0) / f64::from(RATE);
            for i in 0..SONG + 1 {
                let phase = (i as f64 * step).fract();
                wav.write_sample((24_000.0 * (2.0 * (2.0 * phase - 1.0).abs() - 1.0)) as i16)
                    .with_context(failed)?;
            }
            wav.finalize().with_context(failed)?;
        }
    }
    Ok(())
}

/// A file of arrays in the form that numpy writes: names and bytes.
pub(crate) fn npz(members: &[(&str, Vec<u8>)]) -> std::io::Result<Vec<u8>> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// A `.npy` array, format version 1.
pub(crate) fn npy(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend_from_slice(&(header.len() as u16).to_le_bytes());
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(bytes);
    out
}

/// An array of texts of 24 letters at most, as numpy writes it.
pub(crate) fn texts(words: &[&str]) -> Vec<u8> {
    const LETTERS: usize = 24;
    let bytes: Vec<u8> = words
        .iter()
        .flat_map(|w| w.chars().map(u32::from).chain(std::iter::repeat(0)).take(LETTERS))
        .flat_map(u32::to_le_bytes)
        .collect();
    npy(&format!("<U{LETTERS}"), &format!("({},)", words.len()), &bytes)
}
