//! Guitar and strings of the rule band: from a letter of a pattern to the notes of a stroke.

use sideman_inference::band::StepPosition;
use sideman_music::encoding::grid::length_bin;
use sideman_music::{BandStep, Chord, Part, STEP_PULSES};

use super::dials::Turned;
use super::groove::StyleData;
use super::harmony::Harmony;
use super::voicing::{Register, Voicing, voice};
use super::{LONGEST_STEPS, Lane, Now, Phrase, RuleBand, in_half};

const GUITAR: Register = Register { low: 50, high: 76, centre: 60 };
const STRINGS: Register = Register { low: 55, high: 86, centre: 68 };
/// The lowest string on which the guitar plays bass notes.
const BASS_STRING: u8 = 40;
/// Shortest stroke, and a scratch, in pulses.
const SHORT: i64 = 60;
const SCRATCH: i64 = 30;
/// Energies from which the strings play three voices rather than two, and four.
const FULL: [f32; 2] = [0.35, 0.7];

/// A chord part's present voicing and what it was made for.
#[derive(Debug, Clone, Default)]
pub(super) struct Voices {
    voicing: Voicing,
    made_for: (u16, u8, usize),
}

impl Voices {
    fn lead(&mut self, harmony: &Harmony, root: u8, count: usize, register: Register) -> Voicing {
        let made_for = (harmony.voiced(), root, count);
        if self.made_for != made_for {
            self.voicing = voice(made_for.0, root, count, register, &self.voicing);
            self.made_for = made_for;
        }
        self.voicing
    }
}

/// How a stroke sounds: velocity at medium loudness, and length in pulses.
fn stroke(letter: u8, length: i64) -> (f32, i64) {
    let held = length * 9 / 10;
    match letter {
        b'X' | b'P' => (94.0, held),
        b'x' | b'p' | b'B' => (80.0, held),
        b'o' => (60.0, held),
        b'u' => (64.0, held),
        b'M' => (90.0, SHORT),
        b'm' => (76.0, SHORT),
        b'k' => (44.0, SCRATCH),
        b't' | b'd' => (74.0, held),
        b'b' | b'f' => (78.0, length.max(2 * STEP_PULSES)),
        // Picked notes ring into the next ones.
        _ => (70.0, length.max(2 * STEP_PULSES) * 2),
    }
}

impl RuleBand {
    /// What guitar or strings play for a letter.
    pub(super) fn chord(&mut self, part: Part, letter: u8, length: i64, style: &StyleData, at: At) -> Chord {
        let mut chord = Chord::default();
        let Some(reading) = self.harmony.reading() else { return chord };
        let voicing = match part {
            Part::Guitar => self.guitar.lead(&self.harmony, reading.root, style.guitar_voices, GUITAR),
            _ => {
                let count = 2 + FULL.iter().filter(|&&f| at.energy >= f).count();
                self.strings.lead(&self.harmony, reading.root, count, STRINGS)
            }
        };
        let (neutral, pulses) = stroke(letter, length);
        // Strings grow towards the end of a phrase.
        let mix = if part == Part::Strings { 0.72 + 0.02 * at.phrase_bar as f32 } else { 1.0 };
        chord.velocity = self.velocity(part, neutral * mix, at.step, 100 + part.index());
        let bin = length_bin(pulses);
        let voices = voicing.pitches();
        let bass = on_bass_string(self.harmony.bass());
        let fifth = reading.quality.intervals().get(2).copied().filter(|i| (6..=8).contains(i)).unwrap_or(7);
        match letter {
            b'1'..=b'4' => {
                let voice = usize::from(letter - b'1').min(voices.len().saturating_sub(1));
                push(&mut chord, voices.get(voice).copied(), bin);
            }
            b'u' => push(&mut chord, upper(voices, 3), bin),
            b'k' | b'd' => push(&mut chord, upper(voices, 2), bin),
            b't' => push(&mut chord, upper(voices, 1), bin),
            b'b' => push(&mut chord, [bass], bin),
            b'f' => push(&mut chord, [on_bass_string(reading.root + fifth)], bin),
            b'B' => push(&mut chord, std::iter::once(bass).chain(upper(voices, 2)), bin),
            b'p' | b'P' => {
                let root = on_bass_string(reading.root);
                push(&mut chord, [root, root + fifth, root + 12], bin);
            }
            _ => push(&mut chord, voices.iter().copied(), bin),
        }
        chord
    }

    /// Whether the strings play in this section of eight bars: they come and go, and come the more surely
    /// the more energy there is. Where rests are planned for the band they follow the plan alone.
    pub(super) fn strings_play(&self, phrase: &Phrase, style: &StyleData, energy: f32) -> bool {
        if self.planned {
            return true;
        }
        let hold_back = if phrase.section == 0 { 0.15 } else { 0.0 };
        let wanted = f32::from(style.strings_from) / 100.0
            + hold_back
            + 0.3 * (self.draw(Part::Strings, phrase.section, Lane::Strings) - 0.5);
        energy >= wanted
    }

    /// Held chords of the strings: one a half-bar. With a piano that comes late they wait for a sixteenth,
    /// so as not to hold the old chord into the new one. With complexity the top voice moves between them.
    pub(super) fn pad(
        &mut self,
        place: &StepPosition,
        phrase: &Phrase,
        style: &StyleData,
        turned: &Turned,
        out: &mut BandStep,
    ) {
        let energy = turned.energy(Part::Strings);
        if !self.strings_play(phrase, style, energy) {
            return;
        }
        let (in_half, half) = (in_half(place), i64::from(place.half_steps.max(1)));
        let turn = match in_half {
            0 => self.on_time || !self.late || half == 1,
            // Not again if they came on the half-bar.
            1 => self.played[Part::Strings.index()] != Some(place.step - 1),
            _ => false,
        };
        let on_time = turned.at(place.in_bar - in_half as u16);
        let leave = self.draw(Part::Strings, on_time.counter(), Lane::Leave(103));
        let at = At { step: place.step, phrase_bar: phrase.bar, energy };
        if turn && on_time.keeps(Part::Strings, leave) {
            // A little longer than to the next chord, so that common notes do not gap.
            let length = (half - in_half).min(LONGEST_STEPS) * STEP_PULSES * 10 / 9;
            out.strings = self.chord(Part::Strings, b'x', length, style, at);
        } else if in_half > 1 && in_half % 2 == 0 {
            let draw = self.draw(Part::Strings, turned.counter(), Lane::Add(103));
            if turned.adds(0.35, draw) {
                out.strings = self.neighbour(at, (half - in_half).min(4) * STEP_PULSES);
            }
        }
    }

    /// A passing note of the strings: the next tone of the chord above their top voice, or the one below.
    fn neighbour(&mut self, at: At, length: i64) -> Chord {
        let mut chord = Chord::default();
        let Some(&top) = self.strings.voicing.pitches().last() else { return chord };
        let pcs = self.harmony.voiced();
        let up = self.draw(Part::Strings, at.step, Lane::Walk) < 0.5;
        let tone = (1..=5u8).map(|i| if up { top + i } else { top - i }).find(|p| pcs >> (p % 12) & 1 == 1);
        chord.velocity = self.velocity(Part::Strings, 58.0, at.step, 104);
        push(&mut chord, tone.filter(|&p| p <= STRINGS.high), length_bin(length));
        chord
    }
}

/// When and how strongly a stroke is played.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    pub(super) step: i64,
    /// Bar of the phrase of eight.
    pub(super) phrase_bar: i64,
    /// Energy of the part, 0 to 1.
    pub(super) energy: f32,
}

impl At {
    /// A part's cell.
    pub(super) fn of(now: &Now, part: Part) -> Self {
        Self { step: now.place.step, phrase_bar: now.phrase.bar, energy: now.turned.energy(part) }
    }
}

/// The pitch of a pitch class on the guitar's lowest octave.
fn on_bass_string(pc: u8) -> u8 {
    BASS_STRING + (pc + 120 - BASS_STRING) % 12
}

/// The highest voices of a chord, ascending.
fn upper(voices: &[u8], count: usize) -> impl Iterator<Item = u8> + '_ {
    voices[voices.len().saturating_sub(count)..].iter().copied()
}

fn push(chord: &mut Chord, pitches: impl IntoIterator<Item = u8>, bin: u8) {
    pitches.into_iter().for_each(|pitch| {
        chord.push(pitch, bin);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bass_string_is_the_lowest_octave() {
        for pc in 0..12 {
            let pitch = on_bass_string(pc);
            assert!(pitch % 12 == pc && (40..52).contains(&pitch), "{pc}: {pitch}");
        }
    }

    #[test]
    fn a_pinched_bass_note_below_the_chord_is_kept() {
        let mut chord = Chord::default();
        push(&mut chord, [51, 51, 58], 3);
        assert_eq!(chord.pitches(), [51, 58], "a voice on the bass note is one with it");
    }
}
