//! What a MIDI file holds, in short: what `inspect` prints.

use std::fmt;

use serde::Serialize;

use crate::family::Family;
use crate::key::Key;
use crate::score::{Score, Track};
use crate::smf::{MidiFile, program_name};

/// A file in short. [`Display`](fmt::Display) writes it as text for people; serde gives it to scripts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Format of the file, 0 to 2.
    pub format: u16,
    /// Ticks a quarter note.
    pub ticks_per_beat: u16,
    /// Seconds until the last note ends.
    pub seconds: f64,
    /// Quarter notes until the last note ends.
    pub beats: f64,
    /// Bars that have begun when the last note ends.
    pub bars: i64,
    /// Tempo in quarter notes a minute.
    pub tempo: TempoSummary,
    /// Metre changes.
    pub meters: Vec<MeterSummary>,
    /// Estimated key; none without pitched notes or when they do not tell.
    pub key: Option<KeySummary>,
    /// Number of markers and cue points.
    pub markers: usize,
    /// Number of notes in all tracks.
    pub notes: usize,
    /// The instruments.
    pub tracks: Vec<TrackSummary>,
    /// What reading repaired, in words.
    pub warnings: Vec<String>,
}

/// Tempo in quarter notes a minute, as far as the music goes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TempoSummary {
    /// Half of the beats are at most this fast.
    pub median: f64,
    /// The slowest.
    pub min: f64,
    /// The fastest.
    pub max: f64,
    /// Number of tempos that follow one another.
    pub count: usize,
}

/// A metre and where it begins.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeterSummary {
    /// Bar number, from 1.
    pub bar: i64,
    /// As in "3/4".
    pub meter: String,
}

/// An estimated key.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeySummary {
    /// As in "A minor".
    pub name: String,
    /// 0 to 1, see [`Key::confidence`].
    pub confidence: f64,
}

/// An instrument in short.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrackSummary {
    /// Number from 1, as [`PianoChoice::Number`](crate::smf::PianoChoice::Number) takes it.
    pub number: usize,
    /// Name of the track, or empty.
    pub name: String,
    /// MIDI channel, 1 to 16.
    pub channel: u8,
    /// General MIDI program, 0 to 127.
    pub program: u8,
    /// Name of the instrument.
    pub instrument: &'static str,
    /// "piano", "drums", "bass", "guitar" or "strings"; none for other instruments.
    pub family: Option<&'static str>,
    /// Number of notes.
    pub notes: usize,
    /// Lowest MIDI pitch.
    pub lowest: Option<u8>,
    /// Highest MIDI pitch.
    pub highest: Option<u8>,
}

impl Summary {
    /// Sums up a file.
    pub fn of(file: &MidiFile) -> Self {
        let score = file.score();
        let end = score.end();
        let meters = score
            .meters
            .changes()
            .filter(|c| c.0 == 0 || c.0 < end)
            .map(|(at, m)| MeterSummary { bar: score.meters.position(at).bar + 1, meter: m.to_string() })
            .collect();
        let pitched = score.tracks.iter().filter(|t| !t.is_drums).flat_map(|t| &t.notes);
        Self {
            format: file.format(),
            ticks_per_beat: file.ticks_per_beat(),
            seconds: score.tempos.seconds_at(end),
            beats: end as f64 / crate::time::PULSES_PER_BEAT as f64,
            bars: if end == 0 { 0 } else { score.meters.position(end - 1).bar + 1 },
            tempo: TempoSummary::of(score),
            meters,
            key: Key::of_notes(pitched)
                .map(|k| KeySummary { name: k.to_string(), confidence: k.confidence() }),
            markers: score.markers.len(),
            notes: score.tracks.iter().map(|t| t.notes.len()).sum(),
            tracks: score.tracks.iter().enumerate().map(|(i, t)| TrackSummary::of(i + 1, t)).collect(),
            warnings: file.warnings().iter().map(ToString::to_string).collect(),
        }
    }
}

impl TempoSummary {
    fn of(score: &Score) -> Self {
        let end = score.end().max(1);
        let starts: Vec<(i64, u32)> = score.tempos.changes().filter(|c| c.0 < end).collect();
        // (quarter notes a minute, pulses that it holds), slowest first.
        let mut spans: Vec<(f64, i64)> = (0..starts.len())
            .map(|i| {
                let until = starts.get(i + 1).map_or(end, |next| next.0);
                (60e6 / f64::from(starts[i].1), until - starts[i].0)
            })
            .collect();
        spans.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut pulses = 0;
        let median = spans.iter().find(|s| {
            pulses += s.1;
            2 * pulses >= end
        });
        Self {
            median: median.map_or(120.0, |s| s.0),
            min: spans.first().map_or(120.0, |s| s.0),
            max: spans.last().map_or(120.0, |s| s.0),
            count: spans.len(),
        }
    }
}

impl TrackSummary {
    fn of(number: usize, track: &Track) -> Self {
        Self {
            number,
            name: track.name.clone(),
            channel: track.channel + 1,
            program: track.program,
            instrument: if track.is_drums { "Drum Kit" } else { program_name(track.program) },
            family: track.family().map(|f| match f {
                Family::Piano => "piano",
                Family::Drums => "drums",
                Family::Bass => "bass",
                Family::Guitar => "guitar",
                Family::Strings => "strings",
            }),
            notes: track.notes.len(),
            lowest: track.notes.iter().map(|n| n.pitch).min(),
            highest: track.notes.iter().map(|n| n.pitch).max(),
        }
    }
}

/// Name of a MIDI pitch with its octave, 60 being C4.
pub fn pitch_name(pitch: u8) -> String {
    let name = crate::chord::PITCH_CLASS_NAMES[usize::from(pitch % 12)];
    format!("{name}{}", i16::from(pitch / 12) - 1)
}

/// Metres and tracks that the text lists before it says how many more there are.
const LISTED: usize = 40;

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.seconds.round() as i64;
        writeln!(f, "MIDI file, format {}, {} ticks a quarter note", self.format, self.ticks_per_beat)?;
        writeln!(f, "length   {}:{:02} min, {} bars", seconds / 60, seconds % 60, self.bars)?;
        let t = &self.tempo;
        write!(f, "tempo    {:.1} beats a minute", t.median)?;
        if t.count > 1 {
            write!(f, " ({:.1} to {:.1}, {} changes)", t.min, t.max, t.count - 1)?;
        }
        writeln!(f)?;
        let meters: Vec<String> = self
            .meters
            .iter()
            .take(LISTED)
            .map(|m| if m.bar == 1 { m.meter.clone() } else { format!("{} from bar {}", m.meter, m.bar) })
            .collect();
        write!(f, "metre    {}", meters.join(", "))?;
        if self.meters.len() > LISTED {
            write!(f, " and {} more", self.meters.len() - LISTED)?;
        }
        writeln!(f)?;
        match &self.key {
            Some(k) => writeln!(f, "key      {} (confidence {:.2})", k.name, k.confidence)?,
            None => writeln!(f, "key      none found")?,
        }
        writeln!(f, "markers  {}", self.markers)?;
        writeln!(f, "notes    {}", self.notes)?;
        for t in self.tracks.iter().take(LISTED) {
            let range = match (t.lowest, t.highest) {
                (Some(low), Some(high)) if t.family != Some("drums") => {
                    format!("{} to {}", pitch_name(low), pitch_name(high))
                }
                _ => String::new(),
            };
            let family = t.family.unwrap_or("-");
            writeln!(
                f,
                "{:>5}  channel {:>2}  {:<22} {:<8} {:>6} notes  {:<10}  {}",
                t.number, t.channel, t.instrument, family, t.notes, range, t.name
            )?;
        }
        if self.tracks.len() > LISTED {
            writeln!(f, "       and {} more tracks", self.tracks.len() - LISTED)?;
        }
        for warning in &self.warnings {
            writeln!(f, "repaired {warning}")?;
        }
        Ok(())
    }
}
