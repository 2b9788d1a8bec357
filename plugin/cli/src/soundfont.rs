//! Rendering a MIDI file through a SoundFont (.sf2), by rustysynth.

use std::io::{Cursor, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use rustysynth::{MidiFile, MidiFileSequencer, SoundFont, SoundFontError, Synthesizer, SynthesizerSettings};

use crate::audio::{SAMPLE_RATE, Source};

/// Seconds that the last notes ring on.
const TAIL: f64 = 2.5;

/// Plays a MIDI file through a SoundFont.
pub(crate) struct FontPlayer {
    sequencer: MidiFileSequencer,
    frames: u64,
    done: u64,
}

impl FontPlayer {
    /// Opens the SoundFont at `path` for a Standard MIDI File.
    pub(crate) fn new(path: &Path, midi: &[u8]) -> Result<Self> {
        let font = load(path).with_context(|| format!("cannot use the soundfont {}", path.display()))?;
        let settings = SynthesizerSettings::new(SAMPLE_RATE as i32);
        let synthesizer = Synthesizer::new(&Arc::new(font), &settings)?;
        let midi = MidiFile::new(&mut Cursor::new(midi))
            .map_err(|e| anyhow!("{e}"))
            .context("the soundfont player cannot read this MIDI file; leave --soundfont out")?;
        let frames = ((midi.get_length() + TAIL) * f64::from(SAMPLE_RATE)) as u64;
        let mut sequencer = MidiFileSequencer::new(synthesizer);
        sequencer.play(&Arc::new(midi), false);
        Ok(Self { sequencer, frames, done: 0 })
    }
}

impl Source for FontPlayer {
    fn frames(&self) -> u64 {
        self.frames
    }

    fn fill(&mut self, block: &mut [Vec<f32>; 2]) -> Result<usize> {
        let n = usize::try_from(self.frames - self.done).unwrap_or(usize::MAX).min(block[0].len());
        let [left, right] = block;
        // rustysynth indexes its tables without checking what a damaged font may hold.
        catch_unwind(AssertUnwindSafe(|| self.sequencer.render(&mut left[..n], &mut right[..n])))
            .map_err(|_| anyhow!("the soundfont is damaged: use another, or leave --soundfont out"))?;
        self.done += n as u64;
        Ok(n)
    }
}

/// Loads a font; every failure says what is wrong with the file.
fn load(path: &Path) -> Result<SoundFont> {
    let mut file = std::fs::File::open(path)?;
    check_chunks(&mut file)?;
    file.seek(SeekFrom::Start(0))?;
    let loaded = catch_unwind(AssertUnwindSafe(|| SoundFont::new(&mut std::io::BufReader::new(file))));
    match loaded {
        Ok(Ok(font)) => Ok(font),
        Ok(Err(SoundFontError::UnsupportedSampleFormat)) => {
            bail!("its samples are compressed (SoundFont 3, .sf3): use an uncompressed .sf2")
        }
        Ok(Err(e)) => Err(anyhow!("{e}").context("the file is damaged, or not a SoundFont 2")),
        Err(_) => bail!("the file is damaged"),
    }
}

/// Checks that the file is a SoundFont and that no chunk claims to be longer than the file: the reader
/// behind would believe it and ask for that much memory.
fn check_chunks(file: &mut std::fs::File) -> Result<()> {
    let length = file.metadata()?.len();
    let mut head = [0u8; 12];
    file.read_exact(&mut head).map_err(|_| anyhow!("the file is too short for a SoundFont"))?;
    if &head[..4] != b"RIFF" || &head[8..] != b"sfbk" {
        bail!("not a SoundFont: a .sf2 file begins with RIFF....sfbk");
    }
    let mut at = 12;
    while at + 8 <= length {
        let mut chunk = [0u8; 12];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut chunk[..8])?;
        let size = u64::from(u32::from_le_bytes([chunk[4], chunk[5], chunk[6], chunk[7]]));
        let end = at + 8 + size;
        if end > length {
            bail!("the file ends early: it was cut off at {length} bytes, and a chunk goes to {end}");
        }
        // Lists are entered, everything else is stepped over.
        if &chunk[..4] == b"LIST" {
            at += 12;
        } else {
            at = end + (size & 1);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("font.sf2");
        std::fs::write(&path, bytes).unwrap();
        format!("{:#}", load(&path).map(|_| ()).unwrap_err())
    }

    #[test]
    fn files_that_are_no_soundfont_are_named_so() {
        assert!(refusal(b"").contains("too short"));
        assert!(refusal(b"MThd\0\0\0\x06\0\x01\0\x01").contains("not a SoundFont"));
        assert!(refusal(b"RIFF\x24\0\0\0WAVEfmt ").contains("not a SoundFont"));
    }

    #[test]
    fn a_chunk_longer_than_the_file_is_refused_before_memory_is_asked_for() {
        let mut font = b"RIFF\xff\xff\xff\x7fsfbkLIST\x10\0\0\0sdtasmpl".to_vec();
        font.extend(u32::MAX.to_le_bytes());
        font.extend([0; 64]);
        assert!(refusal(&font).contains("ends early"));
    }
}
