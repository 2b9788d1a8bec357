//! P2's piano-rolls of five tracks, cut into windows for its autoencoders (PopMusicNet, sections 3 and 4.3): 24 steps
//! a beat, 128 pitches, velocities normalised track by track, 128 steps a window.
//!
//! A roll is kept as what is held in it, a thousandth of the full matrix, and drawn window by window.
//!
//! Choices where the paper is silent, and deviations:
//! - a track is divided by its largest velocity; where two notes of a pitch overlap the louder counts;
//! - a key that is struck again is drawn released [`RELEASE`] steps before, or a roll could not show that it is;
//! - hits of drums are drawn [`HIT`] steps long, as the lengths in MIDI files mean nothing there;
//! - families are those that accompaniment is measured with ([`Family::for_accompaniment`](crate::Family)).

use crate::family::Part;
use crate::key::Key;
use crate::score::{BandScore, Note, Score};
use crate::time::{PULSES_PER_TICK, Pulse, Tick, pulse_to_tick};

/// Steps of a window: five beats and a third.
pub const WINDOW: usize = 128;
/// Pitches of a roll.
pub const PITCHES: usize = 128;
/// Cells of a window, row-major (steps, pitches).
pub const CELLS: usize = WINDOW * PITCHES;
/// Pulses of a window.
pub const WINDOW_PULSES: Pulse = WINDOW as Pulse * PULSES_PER_TICK;
/// Steps before a key is struck again at which it is drawn released.
pub const RELEASE: Tick = 2;
/// Steps that a hit of a drum is drawn long.
pub const HIT: Tick = 3;

/// A track of P2's rolls, in the order of the Lakh Pianoroll Dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RollTrack {
    /// Drums: the pitch is the General MIDI key.
    Drums,
    /// Piano.
    Piano,
    /// Guitar.
    Guitar,
    /// Bass.
    Bass,
    /// Strings.
    Strings,
}

impl RollTrack {
    /// All tracks.
    pub const ALL: [Self; 5] = [Self::Drums, Self::Piano, Self::Guitar, Self::Bass, Self::Strings];

    /// Position in [`RollTrack::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// Name in lower case, as in files.
    pub fn name(self) -> &'static str {
        ["drums", "piano", "guitar", "bass", "strings"][self as usize]
    }

    /// The part of the band that it is; the piano is none.
    pub fn part(self) -> Option<Part> {
        [Some(Part::Drums), None, Some(Part::Guitar), Some(Part::Bass), Some(Part::Strings)][self as usize]
    }

    /// The track of a part.
    pub fn of_part(part: Part) -> Self {
        [Self::Drums, Self::Bass, Self::Guitar, Self::Strings][part.index()]
    }

    /// Its notes in a piece.
    pub fn notes(self, band: &BandScore) -> &[Note] {
        self.part().map_or(&band.piano, |p| band.part(p))
    }
}

/// A stretch of steps over which a pitch sounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    /// First step from the beginning of the music; below 0 where it began before.
    pub start: Tick,
    /// First step after it, above `start`.
    pub end: Tick,
    /// MIDI pitch, 0 to 127.
    pub pitch: u8,
    /// How loud, more than 0 to 1.
    pub level: f32,
}

/// What a track holds, by start, then pitch, with no two stretches of a pitch overlapping. `loudest` is the velocity
/// that counts as 1; the largest of the notes when absent.
pub fn held(track: RollTrack, notes: &[Note], loudest: Option<u8>) -> Vec<Held> {
    let loudest = loudest.or_else(|| notes.iter().map(|n| n.velocity).max()).unwrap_or(1).max(1);
    let mut by_pitch: [Vec<Held>; PITCHES] = std::array::from_fn(|_| vec![]);
    for n in notes {
        let start = pulse_to_tick(n.onset);
        let end = match track {
            RollTrack::Drums => start + HIT,
            _ => pulse_to_tick(n.end()).max(start + 1),
        };
        let level = (f32::from(n.velocity.max(1)) / f32::from(loudest)).min(1.0);
        by_pitch[usize::from(n.pitch & 127)].push(Held { start, end, pitch: n.pitch & 127, level });
    }
    let mut out = Vec::with_capacity(notes.len());
    for mut list in by_pitch {
        list.sort_by_key(|h| (h.start, h.end));
        for h in list {
            match out.last_mut() {
                Some(last @ &mut Held { pitch, .. }) if pitch == h.pitch && h.start <= last.start => {
                    (last.end, last.level) = (last.end.max(h.end), last.level.max(h.level));
                    continue;
                }
                Some(last @ &mut Held { pitch, .. }) if pitch == h.pitch => {
                    last.end = last.end.min((h.start - RELEASE).max(last.start + 1));
                }
                _ => {}
            }
            out.push(h);
        }
    }
    out.sort_by_key(|h| (h.start, h.pitch));
    out
}

/// Draws the steps `from..` of what is held into cells, row-major (steps, 128 pitches); of several the loudest counts.
///
/// # Panics
/// When `out` is no whole number of steps.
pub fn draw(held: &[Held], from: Tick, out: &mut [f32]) {
    assert_eq!(out.len() % PITCHES, 0, "cells are whole steps");
    let steps = (out.len() / PITCHES) as Tick;
    out.fill(0.0);
    for h in held.iter().take_while(|h| h.start < from + steps).filter(|h| h.end > from) {
        for step in (h.start - from).max(0)..(h.end - from).min(steps) {
            let cell = &mut out[step as usize * PITCHES + usize::from(h.pitch)];
            *cell = cell.max(h.level);
        }
    }
}

/// When a cell counts as sounding.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Threshold {
    /// Least value of a cell at which a note starts, 0 to 1.
    pub start: f32,
    /// Share of it down to which a note that has started is held, 0 to 1: what flickers about the threshold stays one
    /// note.
    pub hold: f32,
    /// Fewest steps of a note; shorter ones are left out.
    pub least: u16,
}

impl Threshold {
    /// One value for the start and the rest of a note, of any length.
    pub fn plain(start: f32) -> Self {
        Self { start, hold: 1.0, least: 1 }
    }
}

/// The inverse of [`draw`]: what sounds in cells (steps, 128 pitches) by a threshold, by start, then pitch, the first
/// step of the cells being `from`. The level is the largest value of its cells.
///
/// # Panics
/// When `cells` is no whole number of steps.
pub fn found(cells: &[f32], from: Tick, rule: Threshold) -> Vec<Held> {
    let mut finder = Finder::new(rule);
    finder.window(cells, from);
    finder.finish()
}

/// Finds notes in cells that come window by window, each for good when its window comes: what sounds across an edge
/// is one note, nothing is taken back, and nothing hangs.
#[derive(Debug, Clone)]
pub struct Finder {
    rule: Threshold,
    /// Of the pitches that sound at the end of the last window, the places in `found`.
    open: [Option<usize>; PITCHES],
    found: Vec<Held>,
}

impl Finder {
    /// Nothing is found yet.
    pub fn new(rule: Threshold) -> Self {
        Self { rule, open: [None; PITCHES], found: vec![] }
    }

    /// Takes a window, whose first step is `from` and follows the last one of the window before. In its last steps
    /// no note starts that is too short up to its end.
    ///
    /// # Panics
    /// When `cells` is no whole number of steps.
    pub fn window(&mut self, cells: &[f32], from: Tick) {
        assert_eq!(cells.len() % PITCHES, 0, "cells are whole steps");
        let (steps, least) = (cells.len() / PITCHES, usize::from(self.rule.least.max(1)));
        for pitch in 0..PITCHES {
            let at = |step: usize| cells[step * PITCHES + pitch];
            let held =
                |step: usize| step < steps && at(step) > 0.0 && at(step) >= self.rule.start * self.rule.hold;
            let mut step = 0;
            if let Some(i) = self.open[pitch].take() {
                while held(step) {
                    step += 1;
                }
                self.found[i].end = from + step as Tick;
                if step == steps {
                    self.open[pitch] = Some(i);
                }
            }
            while step < steps {
                if at(step) < self.rule.start || at(step) <= 0.0 {
                    step += 1;
                    continue;
                }
                let start = step;
                let mut level = 0f32;
                while held(step) || step == start {
                    level = level.max(at(step));
                    step += 1;
                }
                if step - start >= least {
                    if step == steps {
                        self.open[pitch] = Some(self.found.len());
                    }
                    let (start, end) = (from + start as Tick, from + step as Tick);
                    self.found.push(Held { start, end, pitch: pitch as u8, level: level.min(1.0) });
                }
            }
        }
    }

    /// A window of silence from a step on: whatever sounds ends there.
    pub fn silence(&mut self) {
        self.open = [None; PITCHES];
    }

    /// All that was found, by start, then pitch.
    pub fn finish(mut self) -> Vec<Held> {
        self.found.sort_by_key(|h| (h.start, h.pitch));
        self.found
    }
}

/// Notes of what is held: a level of 1 is played with the velocity `loudest`.
pub fn notes(held: &[Held], loudest: u8) -> Vec<Note> {
    let mut out: Vec<Note> = held
        .iter()
        .map(|h| Note {
            onset: h.start.max(0) * PULSES_PER_TICK,
            pitch: h.pitch,
            length: (h.end - h.start.max(0)).max(1) * PULSES_PER_TICK,
            velocity: (f32::from(loudest) * h.level).round().clamp(1.0, 127.0) as u8,
        })
        .collect();
    out.sort_unstable();
    out
}

/// What is held, so many semitones higher; what leaves the range comes back by an octave.
pub fn transposed(held: &[Held], by: i8) -> Vec<Held> {
    let mut out: Vec<Held> = held.iter().map(|h| Held { pitch: moved(h.pitch, by), ..*h }).collect();
    out.sort_by_key(|h| (h.start, h.pitch));
    out
}

fn moved(pitch: u8, by: i8) -> u8 {
    let p = i16::from(pitch) + i16::from(by);
    (if p < 0 {
        p + 12
    } else if p > 127 {
        p - 12
    } else {
        p
    })
    .clamp(0, 127) as u8
}

/// Semitones, -5 to 6, that bring music of a key to C major or A minor.
pub fn shift_to_c(key: &Key) -> i8 {
    let home: i16 = if key.minor { 9 } else { 0 };
    let up = (home - i16::from(key.tonic)).rem_euclid(12);
    (if up > 6 { up - 12 } else { up }) as i8
}

/// A piece as five rolls.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FiveRolls {
    /// By track what is held, in the order of [`RollTrack::ALL`].
    pub tracks: [Vec<Held>; 5],
    /// Steps from the beginning to the end of the last note.
    pub steps: usize,
}

impl FiveRolls {
    /// The rolls of a piece.
    pub fn of(band: &BandScore) -> Self {
        let tracks = RollTrack::ALL.map(|t| held(t, t.notes(band), None));
        let end = tracks.iter().flatten().map(|h| h.end).max().unwrap_or(0);
        Self { tracks, steps: usize::try_from(end).unwrap_or(0) }
    }

    /// The rolls of the instruments of a score, by channel and program.
    pub fn of_score(score: &Score) -> Self {
        let mut band = BandScore::default();
        for track in &score.tracks {
            let Some(family) = track.family() else { continue };
            let to = match Part::ALL.into_iter().find(|p| p.family() == family) {
                Some(part) => &mut band.parts[part.index()],
                None => &mut band.piano,
            };
            to.extend_from_slice(&track.notes);
        }
        Self::of(&band)
    }

    /// What a track holds.
    pub fn track(&self, track: RollTrack) -> &[Held] {
        &self.tracks[track.index()]
    }

    /// Windows that cover it, the last one filled up with silence.
    pub fn windows(&self) -> usize {
        self.steps.div_ceil(WINDOW)
    }

    /// Semitones that bring it to C major or A minor by the durations of all that is not drums; 0 where nothing says
    /// what its key is.
    pub fn shift(&self) -> i8 {
        let mut weights = [0.0; 12];
        for track in RollTrack::ALL.into_iter().filter(|&t| t != RollTrack::Drums) {
            for h in self.track(track) {
                weights[usize::from(h.pitch % 12)] += (h.end - h.start) as f64;
            }
        }
        Key::of(&weights).map_or(0, |key| shift_to_c(&key))
    }

    /// The same so many semitones higher; drums stay.
    pub fn transposed(&self, by: i8) -> Self {
        let tracks = RollTrack::ALL.map(|t| match t {
            RollTrack::Drums => self.tracks[t.index()].clone(),
            _ => transposed(self.track(t), by),
        });
        Self { tracks, steps: self.steps }
    }

    /// Draws a window of a track: [`CELLS`] values, row-major (128 steps, 128 pitches).
    ///
    /// # Panics
    /// When `out` has another length.
    pub fn window(&self, track: RollTrack, number: usize, out: &mut [f32]) {
        assert_eq!(out.len(), CELLS, "a window has 128 steps of 128 pitches");
        draw(self.track(track), (number * WINDOW) as Tick, out);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::score::Track;

    fn note(onset: i64, pitch: u8, length: i64, velocity: u8) -> Note {
        Note { onset, pitch, length, velocity }
    }

    #[test]
    fn tracks_are_normalised_one_by_one_and_cut_into_windows() {
        let band = BandScore {
            piano: vec![note(0, 60, 480, 50), note(2400, 64, 480, 100)],
            parts: [vec![note(20, 36, 1, 80)], vec![note(0, 40, 5000, 20)], vec![], vec![]],
        };
        let rolls = FiveRolls::of(&band);
        assert_eq!((rolls.steps, rolls.windows()), (250, 2));
        let mut cells = vec![0.0; CELLS];
        rolls.window(RollTrack::Piano, 0, &mut cells);
        assert_eq!((cells[60], cells[23 * 128 + 60], cells[24 * 128 + 60]), (0.5, 0.5, 0.0));
        assert_eq!((cells[120 * 128 + 64], cells[127 * 128 + 64]), (1.0, 1.0));
        rolls.window(RollTrack::Piano, 1, &mut cells);
        assert_eq!((cells[15 * 128 + 64], cells[16 * 128 + 64]), (1.0, 0.0));
        rolls.window(RollTrack::Drums, 0, &mut cells);
        assert_eq!(cells.iter().sum::<f32>(), 3.0, "a hit of three steps");
        rolls.window(RollTrack::Bass, 1, &mut cells);
        assert_eq!(cells.iter().sum::<f32>(), 122.0, "held over the edge");
    }

    #[test]
    fn a_key_that_is_struck_again_can_be_seen() {
        let notes = [note(0, 60, 240, 90), note(240, 60, 240, 90)];
        let rolls = held(RollTrack::Piano, &notes, None);
        assert_eq!(rolls.iter().map(|h| (h.start, h.end)).collect::<Vec<_>>(), [(0, 10), (12, 24)]);
        let mut cells = vec![0.0; 24 * 128];
        draw(&rolls, 0, &mut cells);
        assert_eq!(found(&cells, 0, Threshold::plain(0.5)), rolls);
    }

    #[test]
    fn what_flickers_is_one_note_and_what_is_short_is_none() {
        let mut cells = vec![0.0; 8 * 128];
        for (step, value) in [0.1, 0.5, 0.3, 0.6, 0.2, 0.0, 0.9, 0.0].into_iter().enumerate() {
            cells[step * 128 + 60] = value;
        }
        let rule = Threshold { start: 0.4, hold: 0.5, least: 2 };
        let only = Held { start: 101, end: 105, pitch: 60, level: 0.6 };
        assert_eq!(found(&cells, 100, rule), [only]);
        assert_eq!(found(&cells, 100, Threshold::plain(0.4)).len(), 3);
        assert_eq!(notes(&[only], 100), [note(2020, 60, 80, 60)]);
    }

    #[test]
    fn what_sounds_across_an_edge_is_one_note() {
        let rule = Threshold { start: 0.5, hold: 0.5, least: 2 };
        let mut first = vec![0.0; 4 * 128];
        let mut second = vec![0.0; 4 * 128];
        (first[2 * 128 + 60], first[3 * 128 + 60]) = (0.9, 0.9);
        (second[60], second[128 + 60]) = (0.3, 0.3);
        // Begins too late in the first window to be known for a note, and goes on in the second.
        (first[3 * 128 + 62], second[62], second[128 + 62]) = (0.9, 0.9, 0.9);
        let mut finder = Finder::new(rule);
        finder.window(&first, 0);
        finder.window(&second, 4);
        let seen: Vec<_> = finder.finish().iter().map(|h| (h.start, h.end, h.pitch)).collect();
        assert_eq!(seen, [(2, 6, 60), (4, 6, 62)]);
        let mut finder = Finder::new(rule);
        finder.window(&first, 0);
        finder.silence();
        finder.window(&vec![0.9; 4 * 128], 8);
        assert_eq!(finder.clone().finish()[0], Held { start: 2, end: 4, pitch: 60, level: 0.9 });
        assert!(finder.finish().iter().all(|h| h.end <= 12));
    }

    #[test]
    fn music_comes_to_one_key_but_for_the_drums() {
        let scale = |root: u8, minor: bool| -> BandScore {
            let steps: [u8; 7] = if minor { [0, 2, 3, 5, 7, 8, 10] } else { [0, 2, 4, 5, 7, 9, 11] };
            let longer = |i: usize| if i == 0 || i == 4 { 960 } else { 240 };
            let piano = steps
                .iter()
                .enumerate()
                .map(|(i, s)| note(i as i64 * 480, root + s, longer(i), 80))
                .collect();
            BandScore { piano, parts: [vec![note(0, 36, 10, 80)], vec![], vec![], vec![]] }
        };
        for root in 48..60 {
            for minor in [false, true] {
                let rolls = FiveRolls::of(&scale(root, minor));
                let by = rolls.shift();
                assert!((-5..=6).contains(&by));
                let home: i16 = if minor { 9 } else { 0 };
                assert_eq!((i16::from(root) + i16::from(by)).rem_euclid(12), home, "{root} {minor}");
                let moved = rolls.transposed(by);
                assert_eq!(moved.shift(), 0);
                assert_eq!(moved.track(RollTrack::Drums), rolls.track(RollTrack::Drums));
                assert_eq!(moved.transposed(-by), rolls);
            }
        }
        assert_eq!(FiveRolls::of(&BandScore::default()).shift(), 0);
        let track = |program, is_drums| Track {
            program,
            is_drums,
            notes: vec![note(0, 40 + program, 480, 80)],
            ..Track::default()
        };
        let tracks =
            vec![track(5, false), track(20, false), track(33, false), track(0, true), track(73, false)];
        let rolls = FiveRolls::of_score(&Score { tracks, ..Score::default() });
        assert_eq!(rolls.tracks.each_ref().map(Vec::len), [1, 2, 0, 1, 0], "a flute is in none");
        assert_eq!((moved(2, -5), moved(125, 6)), (9, 119));
    }

    proptest! {
        #[test]
        fn rolls_come_back_from_their_windows(
            drawn in proptest::collection::vec((0i64..600, 0u8..128, 1i64..60, 1u8..=127), 1..60),
        ) {
            let list: Vec<Note> = drawn.iter().map(|n| note(n.0 * 20, n.1, n.2 * 20, n.3)).collect();
            let rolls = FiveRolls::of(&BandScore { piano: list, ..BandScore::default() });
            let mut all = vec![];
            let mut cells = vec![0.0; CELLS];
            for w in 0..rolls.windows() {
                rolls.window(RollTrack::Piano, w, &mut cells);
                all.extend_from_slice(&cells);
            }
            let back = found(&all, 0, Threshold::plain(1e-6));
            // What touches is one note in a roll: where two starts lie within the release.
            let touching = rolls.track(RollTrack::Piano).iter().any(|a| {
                rolls.track(RollTrack::Piano).iter().any(|b| a.pitch == b.pitch && a.end == b.start)
            });
            if !touching {
                prop_assert_eq!(&back, rolls.track(RollTrack::Piano));
            }
            let mut again = vec![0.0; all.len()];
            draw(&back, 0, &mut again);
            for (a, b) in all.iter().zip(&again) {
                prop_assert_eq!(*a > 0.0, *b > 0.0);
            }
        }
    }
}
