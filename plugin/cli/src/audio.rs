//! Sound as it is made, block by block, and its WAV file.

use std::io::{Seek, Write};

use anyhow::{Context, Result, bail};

/// Frames in a block.
pub(crate) const BLOCK: usize = 1024;
/// Frames a second.
pub(crate) const SAMPLE_RATE: u32 = 44_100;

/// Makes stereo sound at 44.1 kHz.
pub(crate) trait Source {
    /// Frames in all.
    fn frames(&self) -> u64;
    /// Fills the front of a block of [`BLOCK`] frames (left, right; -1 to 1) and returns how many frames
    /// count; 0 at the end.
    fn fill(&mut self, block: &mut [Vec<f32>; 2]) -> Result<usize>;
}

/// A WAV file holds 4 GiB at most.
const LONGEST: u64 = (u32::MAX as u64 - 1024) / 4;

/// Writes all of `source` as 16-bit stereo WAV. `progress` is called with the frames done so far.
pub(crate) fn write_wav(
    source: &mut dyn Source,
    to: impl Write + Seek,
    mut progress: impl FnMut(u64),
) -> Result<()> {
    if source.frames() > LONGEST {
        bail!(
            "the music lasts {:.1} hours, and a WAV file holds {:.1} at most: leave --wav out and play the MIDI file",
            source.frames() as f64 / f64::from(SAMPLE_RATE) / 3600.0,
            LONGEST as f64 / f64::from(SAMPLE_RATE) / 3600.0
        );
    }
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: SAMPLE_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::new(to, spec).context("cannot begin the WAV file")?;
    let mut block = [vec![0.0f32; BLOCK], vec![0.0f32; BLOCK]];
    let mut done = 0;
    loop {
        let frames = source.fill(&mut block)?;
        if frames == 0 {
            break;
        }
        let mut samples = writer.get_i16_writer(2 * frames as u32);
        for i in 0..frames {
            samples.write_sample(to_i16(block[0][i]));
            samples.write_sample(to_i16(block[1][i]));
        }
        samples.flush()?;
        done += frames as u64;
        progress(done);
    }
    writer.finalize()?;
    Ok(())
}

fn to_i16(x: f32) -> i16 {
    (x.clamp(-1.0, 1.0) * 32767.0).round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Ramp(u64, u64);

    impl Source for Ramp {
        fn frames(&self) -> u64 {
            self.1
        }
        fn fill(&mut self, block: &mut [Vec<f32>; 2]) -> Result<usize> {
            let n = (self.1 - self.0).min(BLOCK as u64) as usize;
            for i in 0..n {
                block[0][i] = (self.0 + i as u64) as f32 / 32767.0;
                block[1][i] = -2.0;
            }
            self.0 += n as u64;
            Ok(n)
        }
    }

    #[test]
    fn wav_holds_every_frame_and_clips_what_is_too_loud() {
        let mut file = std::io::Cursor::new(Vec::new());
        let mut seen = 0;
        write_wav(&mut Ramp(0, 2500), &mut file, |f| seen = f).unwrap();
        assert_eq!(seen, 2500);
        let mut reader = hound::WavReader::new(std::io::Cursor::new(file.into_inner())).unwrap();
        assert_eq!((reader.spec().channels, reader.spec().sample_rate, reader.duration()), (2, 44_100, 2500));
        let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        assert!((0..2500).all(|i| samples[2 * i] == i as i16 && samples[2 * i + 1] == -32767));
    }

    #[test]
    fn music_longer_than_a_wav_file_is_refused() {
        let error =
            write_wav(&mut Ramp(0, LONGEST + 1), std::io::Cursor::new(Vec::new()), |_| {}).unwrap_err();
        assert!(error.to_string().contains("hours"), "{error}");
    }
}
