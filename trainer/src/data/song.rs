//! A song with a piano and a band, and how the tracks of a file become one.

use serde::{Deserialize, Serialize};
use sideman_music::score::BandScore;
use sideman_music::{Meter, Note, Part, Score, Track};

use super::source::{Collect, Split, Tier};

/// A song with a piano and a band.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Song {
    /// Path within the corpus.
    pub id: String,
    /// Name of the set within the corpus.
    pub set: String,
    /// Licence tier.
    pub tier: Tier,
    /// Split.
    pub split: Split,
    /// Genre label.
    pub genre: Option<String>,
    /// Style of the band, where the corpus names it.
    pub style: Option<String>,
    /// Songs that are versions of one another share a group.
    pub group: String,
    /// Median tempo in quarter notes a minute, weighted by duration in quarter notes.
    pub bpm: f32,
    /// Length in 16th steps: whole bars up to the last onset, or to the end of the last note where that is
    /// at most a bar later.
    pub steps: usize,
    /// The one metre of the song, one of [`METERS`](super::qualify::METERS).
    #[serde(with = "meter")]
    pub meter: Meter,
    /// Whether the metre of the file changes, so that this is only its longest stretch in one metre.
    pub excerpt: bool,
    /// Bars before the bar that the corpus counts as the first; a pickup lies in them.
    pub lead_in_bars: u16,
    /// Which parts have [`MIN_PART`](super::qualify::MIN_PART) notes or more, in the order of [`Part::ALL`].
    pub parts_present: [bool; 4],
    /// Most common program of each part by number of notes, in the order of [`Part::ALL`]; for drums the
    /// number of the kit. None for a part without notes.
    pub programs: [Option<u8>; 4],
    /// Share of downbeats whose bass pitch class sounds in the piano, 0 to 1, where the corpus measured it.
    pub agreement: Option<f32>,
    /// Share of all onsets within 12 pulses (25 ms at 120 beats a minute) of a 16th or of a triplet eighth,
    /// 0 to 1. By chance it would be 0.31.
    pub on_grid: f32,
    /// The notes. Bar 0 starts at pulse 0, and no note before it.
    #[serde(skip)]
    pub band: BandScore,
}

/// A metre as a pair of numbers.
mod meter {
    use super::{Deserialize, Meter, Serialize};

    pub(super) fn serialize<S: serde::Serializer>(m: &Meter, to: S) -> Result<S::Ok, S::Error> {
        (m.numerator, m.denominator).serialize(to)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Meter, D::Error> {
        let (numerator, denominator) = Deserialize::deserialize(from)?;
        Ok(Meter { numerator, denominator })
    }
}

impl Song {
    /// Length in bars.
    pub fn bars(&self) -> usize {
        self.steps / self.meter.bar_steps() as usize
    }
}

/// What a track is to a band.
enum Role {
    Piano,
    Part(Part),
}

/// Role of a track, `None` for one that is neither heard nor learned.
fn role(track: &Track, how: Collect) -> Option<Role> {
    match how {
        Collect::ByProgram => {
            let family = track.family()?;
            Some(Part::ALL.into_iter().find(|p| p.family() == family).map_or(Role::Piano, Role::Part))
        }
        Collect::ByTrackName => match track.name.trim() {
            "PIANO" => Some(Role::Piano),
            "DRUMS" => Some(Role::Part(Part::Drums)),
            "BASS" => Some(Role::Part(Part::Bass)),
            "GUITAR" => Some(Role::Part(Part::Guitar)),
            "STRINGS" => Some(Role::Part(Part::Strings)),
            _ => None,
        },
    }
}

/// The piano and the band of a score, and the most common program of each part by number of notes.
pub fn collect(score: &Score, how: Collect) -> (BandScore, [Option<u8>; 4]) {
    let mut band = BandScore::default();
    let mut counts = [[0usize; 128]; 4];
    for track in &score.tracks {
        match role(track, how) {
            Some(Role::Piano) => band.piano.extend_from_slice(&track.notes),
            Some(Role::Part(part)) => {
                band.parts[part.index()].extend_from_slice(&track.notes);
                counts[part.index()][usize::from(track.program & 127)] += track.notes.len();
            }
            None => {}
        }
    }
    band.sort();
    let programs = counts.map(|c| {
        let best = (0..128).rev().max_by_key(|&p| c[p])?;
        (c[best] > 0).then_some(best as u8)
    });
    (band, programs)
}

/// The five lists of a band, the piano first.
pub fn lists(band: &BandScore) -> impl Iterator<Item = &[Note]> {
    std::iter::once(band.piano.as_slice()).chain(band.parts.iter().map(Vec::as_slice))
}

/// The five lists of a band, the piano first.
pub fn lists_mut(band: &mut BandScore) -> impl Iterator<Item = &mut Vec<Note>> {
    std::iter::once(&mut band.piano).chain(&mut band.parts)
}
