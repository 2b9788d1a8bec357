//! One file, read packet by packet.

use std::fs::File;
use std::io::ErrorKind::UnexpectedEof;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, ReadOnlySource};
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
        let cannot_open = |source| AudioError::Open { path: path.to_owned(), source };
        // Looked at before it is opened: opening a pipe would wait for somebody to write to it.
        let metadata = std::fs::metadata(path).map_err(cannot_open)?;
        if !metadata.is_file() {
            return Err(AudioError::NotAFile { path: path.to_owned() });
        }
        if metadata.len() == 0 {
            return Err(AudioError::NoBytes { path: path.to_owned() });
        }
        let file = || File::open(path).map_err(cannot_open);
        let opened = Self::open_source(path, Box::new(file()?));
        if let Err(AudioError::NotRecognised { .. } | AudioError::Corrupt { .. }) = opened {
            // A reader that can seek first looks at the end of a file, and gives up where that is missing. Read as
            // if it came through a pipe, what is there of a truncated file can be had.
            let through = Self::open_source(path, Box::new(ReadOnlySource::new(file()?)));
            return through.or(opened);
        }
        opened
    }

    fn open_source(path: &Path, source: Box<dyn MediaSource>) -> Result<Self, AudioError> {
        let mut hint = Hint::new();
        if let Some(extension) = path.extension().and_then(|e| e.to_str()) {
            hint.with_extension(&extension.to_lowercase());
        }
        let stream = MediaSourceStream::new(source, Default::default());
        let format = symphonia::default::get_probe()
            .probe(&hint, stream, FormatOptions::default(), MetadataOptions::default())
            .map_err(|e| AudioError::NotRecognised {
                path: path.to_owned(),
                reason: match e {
                    // What it says when no reader wants the file.
                    Error::Unsupported(what) if what.contains("probe") => "no known format".to_owned(),
                    e => e.to_string(),
                },
            })?;
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
                    Err(Error::ResetRequired) => self.decoder.reset(),
                    // Whatever it is, the next packet may be whole: damage also looks like what is not supported.
                    Err(e) => {
                        self.damage.broken_packets += 1;
                        // Said only if no packet at all is whole.
                        if self.channels == 0 {
                            self.reason = e.to_string();
                        }
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
                // A wav file from a pipe does not know its length; where it breaks off is its end.
                Err(Error::IoError(e))
                    if e.kind() == UnexpectedEof && self.length.is_none() && self.is_wav() =>
                {
                    self.end();
                }
                Err(e) => self.stop(e.to_string()),
            }
        }
        false
    }

    fn is_wav(&self) -> bool {
        self.format.format_info().short_name == "wave"
    }

    /// Nothing more can be read.
    fn stop(&mut self, why: String) {
        self.reason = why;
        self.damage.incomplete = true;
        self.ended = true;
    }

    /// The file is at its end. It should have had as many samples as its header states, give or take what an encoder adds.
    fn end(&mut self) {
        self.ended = true;
        if let Some(length) = self.length {
            let missing = length.saturating_sub(self.read);
            self.damage.incomplete |= self.read > 0 && missing > u64::from(self.rate / 10);
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

/// The track to hear, its decoder, and its length in frames if the file says.
type Chosen = (u32, Box<dyn AudioDecoder>, Option<u64>);

fn default_decoder(format: &dyn FormatReader, path: &Path) -> Result<Chosen, AudioError> {
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
