//! What can be wrong with a file.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

use crate::RateError;

/// Why a file gives no sound at all.
#[derive(Debug, Error)]
pub enum AudioError {
    /// It cannot be opened or not be read.
    #[error("cannot open {}: {source}; check its name and that you may read it", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The message of the system.
        source: std::io::Error,
    },
    /// It is a folder or a device.
    #[error("{} is not a file; name an audio file", .path.display())]
    NotAFile {
        /// What was named.
        path: PathBuf,
    },
    /// It has no bytes.
    #[error("{} is empty (0 bytes); copy or export it again", .path.display())]
    NoBytes {
        /// The file.
        path: PathBuf,
    },
    /// It is none of the formats that can be read, or its beginning is damaged.
    #[error(
        "{} is not recognised as audio ({reason}); wav, flac, mp3, ogg (vorbis), aac and m4a can be read, \
         convert anything else to one of these", .path.display()
    )]
    NotRecognised {
        /// The file.
        path: PathBuf,
        /// The message of the reader.
        reason: String,
    },
    /// Its format is known, but it holds no sound (a video, a cover, an empty container).
    #[error("{} has no audio track; export its sound as wav, flac, mp3, ogg or m4a", .path.display())]
    NoTrack {
        /// The file.
        path: PathBuf,
    },
    /// Its sound is coded in a way that cannot be read.
    #[error(
        "{}: its audio cannot be decoded ({reason}); Opus, for one, cannot: convert it to wav, flac, mp3 or \
         ogg (vorbis)", .path.display()
    )]
    Codec {
        /// The file.
        path: PathBuf,
        /// The message of the decoder.
        reason: String,
    },
    /// It is an audio file without a single sample.
    #[error("{} has no sound in it (0 samples); export it again", .path.display())]
    NoSamples {
        /// The file.
        path: PathBuf,
    },
    /// Nothing of it could be decoded.
    #[error(
        "{} is damaged from its start: nothing of it could be decoded ({reason}); copy or download it again",
        .path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The last message of the reader or decoder.
        reason: String,
    },
    /// Its sample rate is one that no audio has.
    #[error("{}: {source}", .path.display())]
    Rate {
        /// The file.
        path: PathBuf,
        /// The rate and what to do.
        source: RateError,
    },
}

/// What was wrong with a file that could be read nevertheless.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Damage {
    /// Packets that could not be decoded and are missing from the stream.
    pub broken_packets: u64,
    /// Packets that could be decoded.
    pub whole_packets: u64,
    /// There is less in the stream than the file says that it has: it is cut off, or parts of it are damaged in
    /// such a way that its packets cannot even be found.
    pub incomplete: bool,
    /// The sample rate changed on the way, and the stream ends there.
    pub rate_changed: bool,
    /// Samples (of all channels) that were not finite or beyond [`crate::LOUDEST`] and count as silence.
    pub bad_samples: u64,
}

impl Damage {
    /// Whether there is anything to tell the user.
    pub fn any(&self) -> bool {
        self.broken_packets > 0 || self.incomplete || self.rate_changed || self.bad_samples > 0
    }
}

/// One line for the user, without the file's name: "12 of 3000 packets are damaged and left out; it ends early".
impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let packets = self.broken_packets + self.whole_packets;
        let parts = [
            (self.broken_packets > 0)
                .then(|| format!("{} of {packets} packets are damaged and left out", self.broken_packets)),
            self.incomplete
                .then(|| "sound is missing, it is cut off or damaged: the rest was read".to_owned()),
            self.rate_changed
                .then(|| "its sample rate changes on the way: only what is before that was read".to_owned()),
            (self.bad_samples > 0).then(|| {
                format!("{} samples are NaN, infinite or too large: silence instead", self.bad_samples)
            }),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() {
            f.write_str("nothing is wrong with it")
        } else {
            f.write_str(&parts.join("; "))
        }
    }
}
