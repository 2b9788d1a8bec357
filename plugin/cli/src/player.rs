//! A MIDI file as sound: what the plugin plays live, played offline.

use anyhow::{Context, Result, bail};
use midly::{MidiMessage, Smf, Timing, TrackEventKind};
use sideman_music::PULSES_PER_BEAT;
use sideman_sound::Ensemble;

use crate::audio::{SAMPLE_RATE, Source};

/// Seconds that the last notes ring on.
const TAIL: f64 = 2.5;
/// Seconds before the end at which the sound fades, so that nothing is cut off.
const FADE: f64 = 0.1;

/// A message to a channel, at a frame.
struct Message {
    frame: u64,
    channel: u8,
    message: MidiMessage,
}

/// Plays a MIDI file that this program wrote.
pub(crate) struct Player {
    ensemble: Ensemble,
    messages: Vec<Message>,
    next: usize,
    frame: u64,
    /// Where the fade begins, and where all ends.
    fade: u64,
    end: u64,
}

impl Player {
    /// Makes `ensemble`, at [`SAMPLE_RATE`], play a Standard MIDI File to the end of its last note and
    /// what rings after it.
    pub(crate) fn new(ensemble: Ensemble, midi: &[u8]) -> Result<Self> {
        let broken = "the rendered file cannot be read back: please report this";
        let score = sideman_music::smf::read(midi).context(broken)?;
        let file = Smf::parse(midi).context(broken)?;
        let Timing::Metrical(per_beat) = file.header.timing else { bail!(broken) };
        let per_beat = i64::from(per_beat.as_int().max(1));
        let frames = |pulse| (score.tempos.seconds_at(pulse) * f64::from(SAMPLE_RATE)) as u64;
        let mut messages = Vec::new();
        for track in &file.tracks {
            let mut tick = 0i64;
            for event in track {
                tick += i64::from(event.delta.as_int());
                if let TrackEventKind::Midi { channel, message } = event.kind {
                    let pulse = (tick * PULSES_PER_BEAT + per_beat / 2) / per_beat;
                    messages.push(Message { frame: frames(pulse), channel: channel.as_int(), message });
                }
            }
        }
        // Stable, so that each track's own order holds.
        messages.sort_by_key(|m| m.frame);
        let end = frames(score.end()) + (TAIL * f64::from(SAMPLE_RATE)) as u64;
        let fade = end - (FADE * f64::from(SAMPLE_RATE)) as u64;
        Ok(Self { ensemble, messages, next: 0, frame: 0, fade, end })
    }

    /// Sends what is due, and returns the frame of what comes next.
    fn send_due(&mut self) -> u64 {
        while let Some(m) = self.messages.get(self.next) {
            if m.frame > self.frame {
                return m.frame;
            }
            self.next += 1;
            let (ensemble, channel) = (&mut self.ensemble, m.channel);
            match m.message {
                MidiMessage::NoteOn { key, vel } => ensemble.note_on(channel, key.as_int(), vel.as_int()),
                MidiMessage::NoteOff { key, .. } => ensemble.note_off(channel, key.as_int()),
                MidiMessage::Controller { controller, value } => {
                    ensemble.control(channel, controller.as_int(), value.as_int());
                }
                MidiMessage::ProgramChange { program } => ensemble.program(channel, program.as_int()),
                MidiMessage::PitchBend { bend } => ensemble.bend(channel, bend.0.as_int()),
                MidiMessage::Aftertouch { .. } | MidiMessage::ChannelAftertouch { .. } => {}
            }
        }
        u64::MAX
    }
}

impl Source for Player {
    fn frames(&self) -> u64 {
        self.end
    }

    fn fill(&mut self, block: &mut [Vec<f32>; 2]) -> Result<usize> {
        let [left, right] = block;
        let frames = left.len().min(usize::try_from(self.end - self.frame).unwrap_or(usize::MAX));
        let mut from = 0;
        while from < frames {
            let mut until = self.send_due();
            if self.frame < self.fade {
                until = until.min(self.fade);
            } else {
                self.ensemble.gain(0.0);
            }
            let n = usize::try_from(until - self.frame).unwrap_or(usize::MAX).min(frames - from);
            self.ensemble.render(&mut left[from..from + n], &mut right[from..from + n]);
            from += n;
            self.frame += n as u64;
        }
        if self.ensemble.is_damaged() {
            bail!("the soundfont is damaged: use another, or leave --soundfont out");
        }
        Ok(frames)
    }
}

#[cfg(test)]
mod tests {
    use sideman_music::{Note, Score, TempoMap, Track};

    use super::*;
    use crate::audio::BLOCK;

    /// A piano score: (onset in beats, pitch, beats).
    fn score(notes: &[(f64, u8, f64)], tempos: TempoMap) -> Score {
        let pulses = |beats: f64| (beats * 480.0) as i64;
        let note = |&(onset, pitch, length): &(f64, u8, f64)| Note {
            onset: pulses(onset),
            pitch,
            length: pulses(length),
            velocity: 100,
        };
        let track = Track { notes: notes.iter().map(note).collect(), ..Track::default() };
        Score { tempos, tracks: vec![track], ..Score::default() }
    }

    fn play(midi: &[u8]) -> Vec<f32> {
        let mut player = Player::new(Ensemble::built_in(SAMPLE_RATE as f32), midi).unwrap();
        let mut block = [vec![0.0; BLOCK], vec![0.0; BLOCK]];
        let mut out = Vec::new();
        loop {
            let n = player.fill(&mut block).unwrap();
            if n == 0 {
                assert_eq!(out.len() as u64, player.frames());
                return out;
            }
            out.extend_from_slice(&block[0][..n]);
        }
    }

    fn peak(x: &[f32]) -> f32 {
        x.iter().fold(0.0, |m, v| m.max(v.abs()))
    }

    #[test]
    fn notes_start_where_the_tempo_map_says() {
        let tempos = TempoMap::new(&[(0, 1_000_000), (960, 250_000)]);
        let sound = play(&sideman_music::smf::write(&score(&[(4.0, 60, 1.0)], tempos)));
        // Two beats of a second, two of a quarter of it.
        let first = sound.iter().position(|x| x.abs() > 1e-3).unwrap() as f32 / SAMPLE_RATE as f32;
        assert!((2.5..2.52).contains(&first), "{first}");
        let seconds = sound.len() as f32 / SAMPLE_RATE as f32;
        assert!((seconds - (2.75 + 2.5)).abs() < 0.01, "{seconds}");
    }

    #[test]
    fn the_pedal_holds_and_the_end_is_no_click() {
        let mut midi = sideman_music::smf::write(&score(&[(0.0, 40, 0.25)], TempoMap::default()));
        let dry = play(&midi);
        // Pressed before the first note: a controller event in front of it, in the last track.
        let at = midi.windows(3).position(|w| w == [0x90, 40, 100]).unwrap();
        midi.splice(at..at, [0xB0, 64, 127, 0]);
        let chunk = midi.windows(4).rposition(|w| w == b"MTrk").unwrap();
        let length = u32::from_be_bytes(midi[chunk + 4..chunk + 8].try_into().unwrap()) + 4;
        midi[chunk + 4..chunk + 8].copy_from_slice(&length.to_be_bytes());
        let held = play(&midi);
        let second = SAMPLE_RATE as usize;
        assert!(peak(&held[second..2 * second]) > 4.0 * peak(&dry[second..2 * second]));
        assert!(peak(&held[2 * second..held.len() - 5000]) > 0.01, "it still rings");
        assert!(peak(&held[held.len() - 100..]) < 1e-3, "and has faded");
    }
}
