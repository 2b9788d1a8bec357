//! Opening a SoundFont that may be anything.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use rustysynth::{SoundFont, SoundFontError as ReadError, Synthesizer};

/// Most pairs of preset and instrument regions that a note may have to look through: some tens of
/// microseconds. The largest fonts in use stay below 5,000.
const MOST_REGIONS: usize = 20_000;

/// Why a soundfont cannot be played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SoundfontError {
    /// The file cannot be opened or read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The file holds fewer bytes than a SoundFont's header.
    #[error("the file is too short for a SoundFont: choose a .sf2 file")]
    TooShort,
    /// The file is something else.
    #[error("not a SoundFont: a .sf2 file begins with RIFF....sfbk, choose another file")]
    NotSoundfont,
    /// A chunk goes beyond the end of the file.
    #[error("the file ends early: it was cut off at {length} bytes, and a chunk goes to {end}; get it again")]
    EndsEarly {
        /// Bytes in the file.
        length: u64,
        /// Where the chunk would end.
        end: u64,
    },
    /// A SoundFont 3.
    #[error("its samples are compressed (SoundFont 3, .sf3): use an uncompressed .sf2")]
    Compressed,
    /// A table of the file contradicts itself.
    #[error("the file is damaged (entry {entry} of its table '{table}' points nowhere): get it again")]
    Table {
        /// Name of the chunk.
        table: &'static str,
        /// Index of the first wrong entry.
        entry: usize,
    },
    /// A preset that would take too long to play on the audio thread.
    #[error(
        "its preset '{preset}' has {regions} regions, and {most} at most can be played live: use another"
    )]
    TooLarge {
        /// Name of the preset.
        preset: String,
        /// Pairs of preset and instrument regions.
        regions: usize,
        /// The limit.
        most: usize,
    },
    /// Damage in the words of the reader.
    #[error("the file is damaged, or not a SoundFont 2: {reason}")]
    Damaged {
        /// What the reader says.
        reason: String,
    },
}

/// Loads a font.
pub(super) fn load(path: &Path) -> Result<SoundFont, SoundfontError> {
    let mut file = File::open(path)?;
    check_chunks(&mut file)?;
    file.seek(SeekFrom::Start(0))?;
    // The reader indexes its tables without checking all of what a damaged font may hold.
    let loaded = catch_unwind(AssertUnwindSafe(|| SoundFont::new(&mut BufReader::new(file))));
    let font = match loaded {
        Ok(Ok(font)) => font,
        Ok(Err(ReadError::UnsupportedSampleFormat)) => return Err(SoundfontError::Compressed),
        Ok(Err(e)) => return Err(SoundfontError::Damaged { reason: e.to_string() }),
        Err(_) => return Err(SoundfontError::Damaged { reason: "the reader failed".into() }),
    };
    check_presets(&font)?;
    Ok(font)
}

/// Makes the synthesiser; `rate` within 16 to 192 kHz.
pub(super) fn synthesizer(font: SoundFont, rate: f32, block: usize) -> Result<Synthesizer, SoundfontError> {
    let mut settings = rustysynth::SynthesizerSettings::new(rate.round() as i32);
    settings.block_size = block;
    let mut synth = Synthesizer::new(&std::sync::Arc::new(font), &settings)
        .map_err(|e| SoundfontError::Damaged { reason: e.to_string() })?;
    // As loud as the limiter bears; the built-in band is a little louder still.
    synth.set_master_volume(0.8);
    Ok(synth)
}

/// Checks that the file is a SoundFont, that no chunk claims to be longer than the file, which the reader
/// would believe and ask for that much memory, and that its tables count upwards, as the standard demands
/// (SoundFont 2.04, section 7): else a small file could unfold into any number of regions.
fn check_chunks(file: &mut File) -> Result<(), SoundfontError> {
    let length = file.metadata()?.len();
    let mut head = [0u8; 12];
    file.read_exact(&mut head).map_err(|_| SoundfontError::TooShort)?;
    if &head[..4] != b"RIFF" || &head[8..] != b"sfbk" {
        return Err(SoundfontError::NotSoundfont);
    }
    let mut tables = TABLES.map(|table| (table, Vec::new()));
    let mut at = 12;
    while at + 8 <= length {
        let mut chunk = [0u8; 8];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut chunk)?;
        let [a, b, c, d, size @ ..] = chunk;
        let name = [a, b, c, d];
        let size = u64::from(u32::from_le_bytes(size));
        let end = at + 8 + size;
        if end > length {
            return Err(SoundfontError::EndsEarly { length, end });
        }
        for (table, links) in tables.iter_mut().filter(|(table, _)| *table.name.as_bytes() == name) {
            *links = table.read(file, size)?;
        }
        // Lists are entered, everything else is stepped over.
        at = if &name == b"LIST" { at + 12 } else { end + (size & 1) };
    }
    for (table, links) in &tables {
        let target = tables.iter().find(|(t, _)| t.name == table.into).map_or(0, |(_, links)| links.len());
        let mut last = 0;
        for (entry, &link) in links.iter().enumerate() {
            // The generators' own links are amounts, not places.
            let beyond = !table.into.is_empty() && usize::from(link) >= target.max(1);
            if !table.into.is_empty() && (link < last || beyond) {
                return Err(SoundfontError::Table { table: table.name, entry });
            }
            last = link;
        }
    }
    Ok(())
}

/// A table whose entries point into another.
#[derive(Debug, Clone, Copy)]
struct Table {
    name: &'static str,
    /// Bytes of an entry, and where in it the link is.
    entry: usize,
    link: usize,
    /// The table that it points into; empty for the last ones.
    into: &'static str,
}

const TABLES: [Table; 6] = [
    Table { name: "phdr", entry: 38, link: 24, into: "pbag" },
    Table { name: "pbag", entry: 4, link: 0, into: "pgen" },
    Table { name: "pgen", entry: 4, link: 0, into: "" },
    Table { name: "inst", entry: 22, link: 20, into: "ibag" },
    Table { name: "ibag", entry: 4, link: 0, into: "igen" },
    Table { name: "igen", entry: 4, link: 0, into: "" },
];

impl Table {
    /// The links of all entries; `size` is within the file.
    fn read(&self, file: &mut File, size: u64) -> Result<Vec<u16>, SoundfontError> {
        let mut bytes = Vec::new();
        file.take(size).read_to_end(&mut bytes)?;
        let entries = bytes.chunks_exact(self.entry);
        Ok(entries.map(|e| u16::from_le_bytes([e[self.link], e[self.link + 1]])).collect())
    }
}

fn check_presets(font: &SoundFont) -> Result<(), SoundfontError> {
    let most = MOST_REGIONS;
    for preset in font.get_presets() {
        let instruments = preset.get_regions().iter().map(|r| r.get_instrument_id());
        let regions =
            instruments.map(|i| font.get_instruments().get(i).map_or(0, |i| i.get_regions().len()) + 1).sum();
        if regions > most {
            return Err(SoundfontError::TooLarge { preset: preset.get_name().to_owned(), regions, most });
        }
    }
    Ok(())
}
