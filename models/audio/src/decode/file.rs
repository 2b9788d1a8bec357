//! One file, read packet by packet.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

use super::{AudioError, Damage};
use crate::{LOUDEST, MAX_RATE, MIN_RATE, RateError};

/// A file that is being read, from its start to its end.
pub struct AudioFile {
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    rate: u32,
    channels: usize,
    /// Frames (samples of one channel) that the file says it has, and that were decoded.
    length: Option<u64>,
    read: u64,
    /// The decoded packet, channels in turn, and the mean of its channels.
    interleaved: Vec<f32>,
    mono: Vec<f32>,
    /// The packet in `mono` was not handed out yet.
    fresh: bool,
    ended: bool,
    damage: Damage,
    /// Why nothing could be decoded so far, or nothing more.
    reason: String,
}

impl AudioFile {
    /// Opens a file and decodes its first packet. The content decides what it is; the ending of its name is a hint.
    ///
    /// # Errors
    /// When nothing of it can be decoded; the error says why and what to do.
    pub fn open(path: &Path) -> Result<Self, AudioError> {
        // The readers count on more than a damaged file keeps to, and panic now and then (a sum in a header that
        // overflows, in builds that check for it). Nothing of a reader that did so is used again.
        catch_unwind(|| Self::open_unguarded(path)).unwrap_or_else(|_| {
            let reason = "its header makes no sense".to_owned();
            Err(AudioError::NotRecognised { path: path.to_owned(), reason })
        })
    }

    fn open_unguarded(path: &Path) -> Result<Self, AudioError> {
        let of = || path.to_owned();
        let cannot_open = |source| AudioError::Open { path: of(), source };
        // Looked at before it is opened: opening a pipe would wait for somebody to write to it.
        let metadata = std::fs::metadata(path).map_err(cannot_open)?;
        if !metadata.is_file() {
            return Err(AudioError::NotAFile { path: of() });
        }
        if metadata.len() == 0 {
            return Err(AudioError::NoBytes { path: of() });
        }
        let source = Box::new(File::open(path).map_err(cannot_open)?);
        let mut hint = Hint::new();
        if let Some(extension) = path.extension().and_then(|e| e.to_str()) {
            hint.with_extension(&extension.to_lowercase());
        }
        let format = symphonia::default::get_probe()
            .probe(
                &hint,
                MediaSourceStream::new(source, Default::default()),
                FormatOptions::default(),
                MetadataOptions::default(),
            )
            .map_err(|e| AudioError::NotRecognised { path: of(), reason: e.to_string() })?;
        let (track, decoder, length) = default_decoder(format.as_ref(), path)?;
        let mut file = Self {
            format,
            decoder,
            track,
            rate: 0,
            channels: 0,
            length,
            read: 0,
            interleaved: Vec::new(),
            mono: Vec::new(),
            fresh: false,
            ended: false,
            damage: Damage::default(),
            reason: String::new(),
        };
        file.begin(path)?;
        Ok(file)
    }

    /// Decodes up to the first packet with samples in it. Only this shows the true sample rate.
    fn begin(&mut self, path: &Path) -> Result<(), AudioError> {
        let path = || PathBuf::from(path);
        if self.advance() {
            self.fresh = true;
        } else if !self.reason.is_empty() {
            return Err(AudioError::Corrupt { path: path(), reason: std::mem::take(&mut self.reason) });
        } else {
            return Err(AudioError::NoSamples { path: path() });
        }
        if !(MIN_RATE..=MAX_RATE).contains(&self.rate) {
            return Err(AudioError::Rate { path: path(), source: RateError { rate: self.rate } });
        }
        Ok(())
    }

    /// Sample rate in Hz, [`MIN_RATE`] to [`MAX_RATE`].
    pub fn sample_rate(&self) -> u32 {
        self.rate
    }

    /// Channels of the file, of which the stream is the mean.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Samples of the whole stream as the file has it, for a progress bar: `None` when it does not say, and not to
    /// be relied on.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Samples handed out so far.
    pub fn position(&self) -> u64 {
        if self.fresh { self.read - self.mono.len() as u64 } else { self.read }
    }

    /// What was wrong with the file up to here.
    pub fn damage(&self) -> Damage {
        self.damage
    }

    /// The next samples, mono, between -1 and 1 for most files, never none and always finite; `None` at the end.
    /// A chunk is a packet of the file: some ten to some ten thousand samples.
    pub fn next_chunk(&mut self) -> Option<&[f32]> {
        if !self.fresh && !self.advance() {
            return None;
        }
        self.fresh = false;
        Some(&self.mono)
    }

    /// Decodes the next packet that has samples into `mono`; false at the end.
    fn advance(&mut self) -> bool {
        // As in `open`.
        catch_unwind(AssertUnwindSafe(|| self.advance_unguarded())).unwrap_or_else(|_| {
            self.stop("a packet makes no sense".to_owned());
            false
        })
    }

    fn advance_unguarded(&mut self) -> bool {
        while !self.ended {
            match self.format.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.track => match self.decoder.decode(&packet) {
                    Ok(audio) => {
                        self.damage.whole_packets += 1;
                        let spec = audio.spec();
                        let (rate, channels) = (spec.rate(), spec.channels().count());
                        if audio.frames() == 0 || channels == 0 {
                            continue;
                        }
                        if self.channels > 0 && rate != self.rate {
                            self.damage.rate_changed = true;
                            self.ended = true;
                            return false;
                        }
                        (self.rate, self.channels) = (rate, channels);
                        audio.copy_to_vec_interleaved(&mut self.interleaved);
                        self.mix(channels);
                        return true;
                    }
                    // The next packet may be whole.
                    Err(e @ (Error::DecodeError(_) | Error::IoError(_) | Error::LimitError(_))) => {
                        self.damage.broken_packets += 1;
                        // Said only if no packet at all is whole.
                        if self.channels == 0 {
                            self.reason = e.to_string();
                        }
                    }
                    Err(Error::ResetRequired) => self.decoder.reset(),
                    Err(e) => {
                        self.damage.broken_packets += 1;
                        self.stop(e.to_string());
                    }
                },
                Ok(Some(_)) => {}
                Ok(None) => self.end(),
                // Another stream follows in the same file, as when ogg files are joined.
                Err(Error::ResetRequired) => match default_decoder(self.format.as_ref(), Path::new("")) {
                    Ok((track, decoder, _)) => {
                        (self.track, self.decoder, self.length) = (track, decoder, None);
                    }
                    Err(e) => self.stop(e.to_string()),
                },
                Err(e) => self.stop(e.to_string()),
            }
        }
        false
    }

    /// Nothing more can be read.
    fn stop(&mut self, why: String) {
        self.reason = why;
        self.damage.ended_early = true;
        self.ended = true;
    }

    /// The file is at its end. It should have had as many samples as it said, give or take what an encoder adds.
    fn end(&mut self) {
        self.ended = true;
        if let Some(length) = self.length {
            let missing = length.saturating_sub(self.read);
            self.damage.ended_early |= self.read > 0 && missing > u64::from(self.rate / 10);
        }
    }

    /// The mean of the channels, damaged samples as silence.
    fn mix(&mut self, channels: usize) {
        let share = 1.0 / channels as f32;
        self.mono.clear();
        let mut bad = 0;
        for frame in self.interleaved.chunks_exact(channels) {
            let mut sum = 0.0;
            for sample in frame {
                if sample.abs() <= LOUDEST {
                    sum += sample;
                } else {
                    bad += 1;
                }
            }
            self.mono.push(sum * share);
        }
        self.damage.bad_samples += bad;
        self.read += self.mono.len() as u64;
    }
}

/// The track to hear, a decoder for it, and its length in frames if the file says.
fn default_decoder(
    format: &dyn FormatReader,
    path: &Path,
) -> Result<(u32, Box<dyn AudioDecoder>, Option<u64>), AudioError> {
    let track = format
        .default_track(TrackType::Audio)
        .ok_or_else(|| AudioError::NoTrack { path: path.to_owned() })?;
    let parameters = track.codec_params.as_ref().and_then(|p| p.audio());
    let parameters = parameters.ok_or_else(|| AudioError::NoTrack { path: path.to_owned() })?;
    let decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|e| AudioError::Codec { path: path.to_owned(), reason: e.to_string() })?;
    Ok((track.id, decoder, track.num_frames))
}
