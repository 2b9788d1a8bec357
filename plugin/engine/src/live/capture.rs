//! The last minutes as a score, even if nobody thought of recording.

use sideman_music::{MeterMap, Note, Part, Pulse, Score, TempoMap, Track};

use super::shared::EditorState;
use crate::messages::Voice;

impl EditorState {
    /// What was played from a point of the session on, as a score with tempo map and metres, ready to be
    /// written as a Standard MIDI File: the piano and the four parts as `render` writes them. It begins with
    /// the bar of the first note. Notes that still sound end at `now`. Both in pulses of the session. `None`
    /// when nothing was played.
    pub fn capture(&self, from: Pulse, now: Pulse) -> Option<Score> {
        let first = self.notes.iter().find(|n| n.onset >= from)?.onset;
        let held = self.tempos.iter().rev().find(|t| t.at <= first).or(self.tempos.front());
        let start = held.map_or(first, |t| {
            let bar = t.meter.bar_pulses();
            t.bar_start + (first - t.bar_start).div_euclid(bar) * bar
        });
        let mut tempos = Vec::new();
        let mut meters = Vec::new();
        for t in held.into_iter().chain(self.tempos.iter().filter(|t| t.at > first)) {
            let at = (t.at - start).max(0);
            tempos.push((at, (60e6 / t.bpm.max(1.0)).round() as u32));
            // A metre holds from the bar line at or after the point at which it was announced.
            let bar = t.meter.bar_pulses();
            let line = t.bar_start + (t.at - t.bar_start + bar - 1).div_euclid(bar) * bar;
            meters.push(((if at == 0 { 0 } else { line - start }).max(0), t.meter));
        }
        let voices = std::iter::once(Voice::Piano).chain(Part::ALL.map(Voice::Part));
        let tracks = voices.filter_map(|v| self.track(v, first, start, now)).collect();
        Some(Score {
            tempos: TempoMap::new(&tempos),
            meters: MeterMap::new(&meters),
            markers: Vec::new(),
            tracks,
        })
    }

    fn track(&self, voice: Voice, first: Pulse, start: Pulse, now: Pulse) -> Option<Track> {
        let (name, channel, program) = match voice {
            Voice::Piano => ("Piano", 0, 0),
            Voice::Part(part) => (part.name(), part.channel(), self.programs[part.index()]),
        };
        let notes: Vec<Note> = self
            .notes
            .iter()
            .filter(|n| n.voice == voice && n.onset >= first)
            .map(|n| Note {
                onset: n.onset - start,
                pitch: n.pitch,
                length: n.length.unwrap_or(now - n.onset).max(1),
                velocity: n.velocity,
            })
            .collect();
        (!notes.is_empty()).then(|| Track {
            name: name.to_owned(),
            source_track: 0,
            channel,
            program,
            is_drums: voice == Voice::Part(Part::Drums),
            notes,
        })
    }
}
