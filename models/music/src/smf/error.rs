//! What can be wrong with a MIDI file, and what reading it repaired.

/// Why a MIDI file cannot be read or used. Every message says what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SmfError {
    /// There are no bytes.
    #[error("the file is empty; export the piece again as a Standard MIDI File (.mid)")]
    Empty,
    /// The content is something else.
    #[error(
        "this is not a MIDI file but {found}; give a Standard MIDI File (.mid), which starts with 'MThd'"
    )]
    NotMidi {
        /// What the content looks like.
        found: &'static str,
    },
    /// The header chunk is shorter than its 14 bytes.
    #[error(
        "the MIDI header is cut off after {bytes} of 14 bytes; the file is damaged, fetch or export it again"
    )]
    ShortHeader {
        /// Bytes present.
        bytes: usize,
    },
    /// A format that cannot be played as one piece.
    #[error(
        "MIDI file format {format} is not supported; open it in a sequencer and export it as format 0 or 1"
    )]
    Format {
        /// Format word of the header.
        format: u16,
    },
    /// Time is counted in SMPTE frames, so there are no beats to play to.
    #[error(
        "the file counts time in SMPTE frames ({frames_per_second} a second), not in beats; \
         export it again with a resolution in ticks per quarter note (PPQ)"
    )]
    Smpte {
        /// Frames a second.
        frames_per_second: u8,
    },
    /// The header says zero ticks a quarter note.
    #[error("the header says 0 ticks per quarter note; the file is damaged, export it again (480 is usual)")]
    ZeroResolution,
    /// More bytes than the reader takes.
    #[error(
        "the file has {bytes} bytes and the limit is {limit}; split the piece or thin out its controllers"
    )]
    TooLarge {
        /// Size of the file.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Notes lie further out than the reader goes.
    #[error(
        "the piece goes on beyond {limit_beats} quarter notes or {limit_hours} hours, which is the limit; \
         cut it into shorter files, or look for a single event far out and delete it"
    )]
    TooLong {
        /// Limit in quarter notes.
        limit_beats: u64,
        /// Limit in hours.
        limit_hours: u64,
    },
    /// More instruments than the reader tells apart.
    #[error(
        "the file has more than {limit} combinations of track, channel and program; \
         merge tracks in a sequencer and export it again"
    )]
    TooManyInstruments {
        /// The limit.
        limit: usize,
    },
    /// There is no track chunk.
    #[error("the file has a MIDI header but no tracks; it is cut off or damaged, export it again")]
    NoTracks,
    /// There is nothing to accompany.
    #[error("the file has no notes on a pitched channel, so there is no piano to play along with")]
    NoPiano,
    /// No track has the wanted name.
    #[error("no track is called '{name}'; the tracks are {names}")]
    NoSuchTrack {
        /// The wanted name.
        name: String,
        /// Numbers and names of all tracks.
        names: String,
    },
    /// No track has the wanted number.
    #[error("there is no track {number}; the tracks are {names}")]
    NoSuchNumber {
        /// The wanted number, from 1.
        number: usize,
        /// Numbers and names of all tracks.
        names: String,
    },
    /// The chosen track is percussion.
    #[error("track {number} ({name}) is percussion and cannot be the piano; choose from {names}")]
    Percussion {
        /// Number of the track, from 1.
        number: usize,
        /// Its name.
        name: String,
        /// Numbers and names of all tracks.
        names: String,
    },
}

/// A kind of repair that reading made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Repair {
    /// Notes without a note-off were closed.
    HangingNotes,
    /// Notes that sounded when the same key was struck again were ended there.
    OverlappingNotes,
    /// Notes without duration were given the shortest one.
    ZeroLengthNotes,
    /// Track chunks reach beyond the end of the file.
    TruncatedChunks,
    /// Track chunks have a wrong length and were delimited by what follows.
    WrongChunkLengths,
    /// Tracks were read only up to bytes that make no sense.
    DamagedTracks,
    /// Tracks have no end-of-track event.
    MissingEnds,
    /// Tracks go on after their end-of-track event; the rest was ignored.
    BytesAfterEnd,
    /// Events that do not belong into a file or are malformed were skipped.
    SkippedEvents,
    /// Running status was continued across a meta or system-exclusive event.
    RunningStatus,
    /// Tempos of zero were ignored.
    BadTempos,
    /// Metres with a zero or a denominator beyond 64 were ignored.
    BadMeters,
    /// Tracks have events beyond the longest supported time; those were ignored.
    FarEvents,
    /// The header's number of tracks is not the number of tracks found.
    TrackCount,
    /// Long names and markers were shortened.
    ShortenedTexts,
    /// Markers beyond the limit were left out.
    SurplusMarkers,
}

/// A repair and how often it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warning {
    /// What was repaired.
    pub repair: Repair,
    /// How often, 1 or more.
    pub count: usize,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (one, many, what) = match self.repair {
            Repair::HangingNotes => ("note", "notes", "without a note-off, closed"),
            Repair::OverlappingNotes => {
                ("note", "notes", "struck again while sounding, ended at the new stroke")
            }
            Repair::ZeroLengthNotes => ("note", "notes", "without duration, given the shortest one"),
            Repair::TruncatedChunks => ("track", "tracks", "cut off by the end of the file"),
            Repair::WrongChunkLengths => ("track", "tracks", "with a wrong length in the file, corrected"),
            Repair::DamagedTracks => ("track", "tracks", "damaged, read as far as possible"),
            Repair::MissingEnds => ("track", "tracks", "without an end-of-track event"),
            Repair::BytesAfterEnd => ("track", "tracks", "with events after the end of the track, ignored"),
            Repair::SkippedEvents => ("event", "events", "malformed or out of place, skipped"),
            Repair::RunningStatus => ("event", "events", "with running status across a meta event, accepted"),
            Repair::BadTempos => ("tempo", "tempos", "of zero, ignored"),
            Repair::BadMeters => ("metre", "metres", "impossible, ignored"),
            Repair::FarEvents => ("track", "tracks", "with events beyond the longest time, ignored"),
            Repair::TrackCount => ("track", "tracks", "more or fewer than the header says, read as they are"),
            Repair::ShortenedTexts => ("text", "texts", "too long, shortened"),
            Repair::SurplusMarkers => ("marker", "markers", "beyond the limit, left out"),
        };
        write!(f, "{} {} {what}", self.count, if self.count == 1 { one } else { many })
    }
}

/// Counts repairs while reading.
#[derive(Debug, Default)]
pub(super) struct Repairs(Vec<Warning>);

impl Repairs {
    pub(super) fn add(&mut self, repair: Repair, count: usize) {
        if count == 0 {
            return;
        }
        match self.0.iter_mut().find(|w| w.repair == repair) {
            Some(w) => w.count = w.count.saturating_add(count),
            None => self.0.push(Warning { repair, count }),
        }
    }

    pub(super) fn into_warnings(mut self) -> Vec<Warning> {
        self.0.sort_by_key(|w| w.repair);
        self.0
    }
}
