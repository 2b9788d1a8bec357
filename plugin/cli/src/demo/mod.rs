//! The demo piece: an arrangement of ours of a public-domain tune, and the reader of its notation.

use anyhow::{Context, Result, bail};
use sideman_music::{Meter, MeterMap, Note, PULSES_PER_BEAT, Pulse, STEP_PULSES, Score, TempoMap, Track};

const TEXT: &str = include_str!("auld_lang_syne.txt");
/// Name of the piece, for people.
pub(crate) const TITLE: &str = "Auld Lang Syne";
/// Quarter notes a minute, until the end slows down.
const BPM: f64 = 92.0;
/// The last bars, from the last but one backwards, as shares of the tempo.
const SLOWING: [f64; 4] = [0.72, 0.80, 0.90, 0.96];
const BAR: Pulse = 4 * PULSES_PER_BEAT;
const BAR_STEPS: i64 = 16;

/// The piece as a score with one piano track, section markers and a slowing end.
pub(crate) fn piece() -> Result<Score> {
    let bars = read(TEXT).context("the embedded piece is damaged")?;
    let mut track = Track { name: "Piano".into(), ..Track::default() };
    for (index, bar) in bars.iter().enumerate() {
        play(bar, index as i64, &mut track.notes);
    }
    track.notes.sort_unstable();
    let tempo = |share: f64| (60e6 / (BPM * share)).round() as u32;
    let mut tempos = vec![(0, tempo(1.0))];
    for (i, share) in SLOWING.iter().enumerate() {
        tempos.push(((bars.len() as i64 - 1 - i as i64) * BAR, tempo(*share)));
    }
    let mut markers: Vec<(Pulse, String)> = Vec::new();
    for (index, bar) in bars.iter().enumerate() {
        if markers.last().is_none_or(|(_, name)| *name != bar.section) {
            markers.push((index as i64 * BAR, bar.section.clone()));
        }
    }
    Ok(Score {
        tempos: TempoMap::new(&tempos),
        meters: MeterMap::new(&[(0, Meter::COMMON)]),
        markers,
        tracks: vec![track],
    })
}

/// A bar as written.
struct Bar {
    section: String,
    /// Chord symbols, one or two halves; read by the tests alone.
    #[cfg_attr(not(test), expect(dead_code))]
    chords: Vec<String>,
    velocity: f64,
    /// Whether the left hand holds its keys to the end of the half-bar.
    held: bool,
    /// Right and left hand.
    hands: [Vec<Struck>; 2],
}

/// Keys struck together.
struct Struck {
    step: i64,
    steps: i64,
    pitches: Vec<u8>,
}

fn read(text: &str) -> Result<Vec<Bar>> {
    let mut bars: Vec<Bar> = Vec::new();
    // (name, velocity from, to, held, index of its first bar)
    let mut section = (String::new(), 64.0, 64.0, false, 0);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let problem = || format!("line {}: {line}", number + 1);
        if let Some(rest) = line.strip_prefix("section ") {
            let words: Vec<&str> = rest.split_whitespace().collect();
            let [name, from, to, touch] = words[..] else { bail!(problem()) };
            grade(&mut bars[section.4..], section.1, section.2);
            section = (name.to_string(), from.parse()?, to.parse()?, touch == "held", bars.len());
            continue;
        }
        let fields: Vec<&str> = line.split(';').map(str::trim).collect();
        let [chords, right, left] = fields[..] else { bail!(problem()) };
        bars.push(Bar {
            section: section.0.clone(),
            chords: chords.split_whitespace().map(str::to_string).collect(),
            velocity: section.1,
            held: section.3,
            hands: [hand(right).with_context(problem)?, hand(left).with_context(problem)?],
        });
    }
    grade(&mut bars[section.4..], section.1, section.2);
    Ok(bars)
}

/// Spreads the velocities of a section evenly over its bars.
fn grade(bars: &mut [Bar], from: f64, to: f64) {
    let last = bars.len().saturating_sub(1).max(1) as f64;
    for (i, bar) in bars.iter_mut().enumerate() {
        bar.velocity = from + (to - from) * i as f64 / last;
    }
}

fn hand(text: &str) -> Result<Vec<Struck>> {
    let mut step = 0;
    let mut out = Vec::new();
    for word in text.split_whitespace() {
        let (pitches, steps) = word.split_once(':').with_context(|| format!("'{word}' has no length"))?;
        let steps: i64 = steps.parse()?;
        if pitches != "R" {
            out.push(Struck { step, steps, pitches: pitches.split('+').map(pitch).collect::<Result<_>>()? });
        }
        step += steps;
    }
    if step != BAR_STEPS {
        bail!("a hand has {step} sixteenths instead of {BAR_STEPS}");
    }
    Ok(out)
}

/// MIDI pitch of a name such as `Bb3`; C4 is 60.
fn pitch(name: &str) -> Result<u8> {
    let mut chars = name.chars();
    let letter =
        chars.next().and_then(|c| "C D EF G A B".find(c)).with_context(|| format!("pitch '{name}'"))?;
    let rest = chars.as_str();
    let (shift, octave) = match rest.as_bytes().first() {
        Some(b'b') => (-1, &rest[1..]),
        Some(b'#') => (1, &rest[1..]),
        _ => (0, rest),
    };
    let octave: i32 = octave.parse().with_context(|| format!("pitch '{name}'"))?;
    u8::try_from(12 * (octave + 1) + letter as i32 + shift).with_context(|| format!("pitch '{name}'"))
}

/// Plays a bar the way hands do: the tune above the rest, the beat a little stressed, nothing quite even.
fn play(bar: &Bar, index: i64, notes: &mut Vec<Note>) {
    for (which, hand) in bar.hands.iter().enumerate() {
        let is_left = which == 1;
        for struck in hand {
            let half_end = if struck.step < BAR_STEPS / 2 { BAR_STEPS / 2 } else { BAR_STEPS };
            let holds = is_left && bar.held;
            let written = struck.step + struck.steps;
            let until = if holds { half_end.max(written) } else { written };
            let stress = match struck.step % 16 {
                0 => 4.0,
                8 => 2.0,
                s if s % 4 == 0 => 0.0,
                _ => -4.0,
            };
            let top = struck.pitches.iter().max().copied().unwrap_or(0);
            for &pitch in &struck.pitches {
                let voice = match (is_left, pitch == top) {
                    (false, true) => 6.0,
                    (false, false) => -8.0,
                    (true, _) => -9.0,
                };
                let at = index * BAR + struck.step * STEP_PULSES;
                let chance = |salt| uneven(at, pitch, salt);
                // Hands lie within about 10 ms of the beat, and the tune a little ahead of its chord.
                let lean = if pitch == top && !is_left { -3.0 } else { 2.0 };
                let onset = (at + (lean + 6.0 * chance(1)).round() as i64).max(0);
                // A held key comes up in time to be struck again, by either hand.
                let again =
                    bar.hands.iter().flatten().filter(|s| s.step > struck.step && s.pitches.contains(&pitch));
                let until = again.map(|s| s.step).min().map_or(until, |step| until.min(step));
                let gap = if holds { 16 } else { 24 };
                let end = index * BAR + until * STEP_PULSES - gap;
                let velocity = bar.velocity + stress + voice + 3.0 * chance(2);
                notes.push(Note {
                    onset,
                    pitch,
                    length: (end - onset).max(30),
                    velocity: velocity.round().clamp(1.0, 127.0) as u8,
                });
            }
        }
    }
}

/// A fixed irregularity, -1 to 1, for a note; the same in every run.
fn uneven(at: Pulse, pitch: u8, salt: u64) -> f64 {
    let mut x = (at as u64) ^ (u64::from(pitch) << 40) ^ (salt << 56);
    // The finaliser of splitmix64.
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pitch classes of a chord symbol of the piece, and its bass.
    fn chord_tones(symbol: &str) -> (Vec<u8>, u8) {
        let (body, bass) = symbol.split_once('/').unwrap_or((symbol, ""));
        let split = if body[1..].starts_with('b') { 2 } else { 1 };
        let class = |name: &str| pitch(&format!("{name}4")).unwrap() % 12;
        let root = class(&body[..split]);
        let steps: &[u8] = match &body[split..] {
            "" => &[0, 4, 7],
            "m" => &[0, 3, 7],
            "7" => &[0, 4, 7, 10],
            "m7" => &[0, 3, 7, 10],
            "maj7" => &[0, 4, 7, 11],
            "sus4" => &[0, 5, 7],
            other => panic!("chord {other}"),
        };
        let tones =
            steps.iter().map(|s| (root + s) % 12).chain((!bass.is_empty()).then(|| class(bass))).collect();
        (tones, if bass.is_empty() { root } else { class(bass) })
    }

    #[test]
    fn the_left_hand_plays_the_chords_as_written_and_the_tune_fits_them() {
        let bars = read(TEXT).unwrap();
        for (i, bar) in bars.iter().enumerate() {
            for half in 0..2i64 {
                let symbol = &bar.chords[(half as usize).min(bar.chords.len() - 1)];
                let (tones, bass) = chord_tones(symbol);
                let begins = |s: &&Struck| s.step / 8 == half;
                let left: Vec<u8> =
                    bar.hands[1].iter().filter(begins).flat_map(|s| s.pitches.iter().copied()).collect();
                if bar.chords.len() == 2 || half == 0 {
                    let low = left.iter().min().expect("the left hand plays in every half-bar with a chord");
                    assert_eq!(low % 12, bass, "bar {}, half {half}: bass of {symbol}", i + 1);
                }
                // Walks up to the next section and sevenths are the only foreign left-hand notes.
                let foreign = left.iter().filter(|p| !tones.contains(&(*p % 12))).count();
                assert!(foreign <= 2, "bar {}, half {half}: {foreign} foreign notes in {symbol}", i + 1);
                // On the first beat of the half the right hand has the chord, or a ninth or sixth of it.
                for s in bar.hands[0].iter().filter(begins).filter(|s| s.step % 8 == 0) {
                    let foreign = s.pitches.iter().filter(|p| !tones.contains(&(*p % 12))).count();
                    assert!(foreign <= 1, "bar {}, half {half}: right hand in {symbol}", i + 1);
                }
            }
        }
    }

    #[test]
    fn the_tune_is_the_known_one() {
        // Scale steps of F from the two phrases that everybody knows, by the top voice.
        let bars = read(TEXT).unwrap();
        let top = |bar: usize| -> Vec<u8> {
            bars[bar].hands[0].iter().map(|s| s.pitches.iter().max().unwrap() % 12).collect()
        };
        let (c, d, f, g, a) = (0, 2, 5, 7, 9);
        for verse in [4, 20] {
            assert_eq!(top(verse - 1).last(), Some(&c));
            assert_eq!(top(verse), [f, f, f, a]);
            assert_eq!(top(verse + 1), [g, f, g, a]);
            assert_eq!(top(verse + 2), [f, f, a, c]);
            assert_eq!(top(verse + 3), [d, d]);
        }
        for chorus in [12, 28] {
            assert_eq!(top(chorus), [c, a, a, f]);
            assert_eq!(top(chorus + 1), [g, f, g, d]);
            assert_eq!(top(chorus + 2), [c, a, a, c]);
            assert_eq!(top(chorus + 6), [f, d, d, c]);
        }
    }

    #[test]
    fn the_piece_is_long_enough_builds_and_ends() {
        let score = piece().unwrap();
        let notes = &score.tracks[0].notes;
        let bars = (score.end() + BAR - 1) / BAR;
        assert_eq!(bars, 44);
        let mean = |from: i64, to: i64| {
            let v: Vec<f64> = notes
                .iter()
                .filter(|n| (from * BAR..to * BAR).contains(&n.onset))
                .map(|n| f64::from(n.velocity))
                .collect();
            v.iter().sum::<f64>() / v.len() as f64
        };
        assert!(mean(0, 12) < 56.0 && mean(28, 36) > 95.0 && mean(42, 44) < 45.0);
        assert!(notes.iter().all(|n| (26..=96).contains(&n.pitch) && n.length > 0 && n.velocity > 20));
        assert_eq!(score.markers.len(), 6);
        assert!(score.tempos.bpm_at(score.end()) < 70.0);
        // No key is struck again while it is down.
        for pitch in 0..128 {
            let same: Vec<&Note> = notes.iter().filter(|n| n.pitch == pitch).collect();
            assert!(same.windows(2).all(|w| w[0].end() <= w[1].onset), "pitch {pitch} overlaps itself");
        }
    }

    #[test]
    fn mistakes_in_the_notation_are_named() {
        let problem = |text: &str| format!("{:#}", read(text).map(|_| ()).unwrap_err());
        assert!(problem("F ; C4:8 ; R:16").contains("8 sixteenths"));
        assert!(problem("F ; H4:16 ; R:16").contains("pitch 'H4'"));
        assert!(problem("F ; C4 ; R:16").contains("no length"));
        assert!(problem("F ; C4:16").contains("line 1"));
    }
}
