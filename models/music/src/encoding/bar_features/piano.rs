//! A piano alone: its figures bar by bar, causally, and windows of eight bars.

use std::ops::Range;

use super::bars::{Bar, bars, notes_by_bar, tempo_feature};
use super::part::{self, PART_FEATURES};
use crate::family::Family;
use crate::key::Key;
use crate::score::{Note, Score};
use crate::time::{MeterMap, Pulse, TempoMap};

/// Bars of a window.
pub const WINDOW_BARS: usize = 8;
/// Fewest bars of a window in which a note begins.
pub const SOUNDING_BARS: usize = 6;
/// Fewest notes of a window.
pub const WINDOW_NOTES: usize = 16;
/// Pitches from here on count as the right hand.
const MIDDLE_C: u8 = 60;
/// Length of the figures of a bar: the left and the right hand, and what concerns both.
pub const PIANO_FEATURES: usize = 2 * PART_FEATURES + COMMON_FEATURES;
/// Length of what concerns the whole bar: tempo (octaves above 120), beats of the bar / 4, 1 in triple
/// metres, 1 in a minor key, how sure the key is, polyphony (mean number of keys down / 8), 1 when a note begins.
pub const COMMON_FEATURES: usize = 7;
/// Where the tempo and the metre lie, for models that shall not see them.
pub const TEMPO_AND_METER: Range<usize> = 2 * PART_FEATURES..2 * PART_FEATURES + 3;
/// Places of a bar in [`PianoWindow::rasterise`]: 16ths and triplet eighths of 4/4 fall on whole places.
pub const RASTER_PLACES: usize = 48;
/// Lowest pitch of the raster, A0.
pub const RASTER_LOW: u8 = 21;
/// Pitches of the raster, the 88 keys.
pub const RASTER_PITCHES: usize = 88;

/// The piano of a score: all keyboards and tuned percussion, programs 0 to 23, by onset, then pitch.
pub fn piano_notes(score: &Score) -> Vec<Note> {
    let piano = score.tracks.iter().filter(|t| t.family() == Some(Family::Piano));
    let mut notes: Vec<Note> = piano.flat_map(|t| &t.notes).copied().collect();
    notes.sort_unstable();
    notes
}

/// Figures of a piano bar by bar, from what was played up to that bar's end and nothing later.
///
/// The key is estimated from the last [`WINDOW_BARS`] bars. No allocation after construction; one owner.
#[derive(Debug, Clone)]
pub struct PianoBars {
    /// Durations by pitch class of the last bars, a ring.
    weights: [[f64; 12]; WINDOW_BARS],
    next: usize,
}

impl Default for PianoBars {
    fn default() -> Self {
        Self { weights: [[0.0; 12]; WINDOW_BARS], next: 0 }
    }
}

impl PianoBars {
    /// Takes in the next bar and writes its figures. `notes` are those that begin in the bar, by onset;
    /// `bpm` is the tempo in quarter notes a minute.
    pub fn push(&mut self, notes: &[Note], bar: &Bar, bpm: f32, out: &mut [f32; PIANO_FEATURES]) {
        let key = key_of(&mut self.weights, &mut self.next, notes.iter());
        let tonic = key.map(|k| k.tonic);
        let bass = notes.iter().map(|n| n.pitch).min().map(|p| p % 12);
        let (left, rest) = out.split_at_mut(PART_FEATURES);
        let (right, common) = rest.split_at_mut(PART_FEATURES);
        hand(notes, true, bar, bass, tonic, left);
        hand(notes, false, bar, bass, tonic, right);
        fill_common(common, bar, bpm, key.as_ref(), notes);
    }

    /// Forgets what was played.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

/// Adds a bar to the ring of weights and estimates the key of what is in it.
pub(super) fn key_of<'a>(
    weights: &mut [[f64; 12]; WINDOW_BARS],
    next: &mut usize,
    notes: impl Iterator<Item = &'a Note>,
) -> Option<Key> {
    weights[*next] = [0.0; 12];
    for n in notes {
        weights[*next][usize::from(n.pitch % 12)] += n.length.max(1) as f64;
    }
    *next = (*next + 1) % WINDOW_BARS;
    Key::of(&std::array::from_fn(|pc| weights.iter().map(|w| w[pc]).sum()))
}

/// What concerns a whole bar, see [`COMMON_FEATURES`].
pub(super) fn fill_common(out: &mut [f32], bar: &Bar, bpm: f32, key: Option<&Key>, notes: &[Note]) {
    let sounding: Pulse = notes.iter().map(|n| n.length.clamp(0, bar.end - bar.start)).sum();
    out[0] = tempo_feature(bpm);
    out[1] = (bar.beats() / 4.0).min(4.0);
    out[2] = f32::from(u8::from(bar.is_triple()));
    out[3] = f32::from(u8::from(key.is_some_and(|k| k.minor)));
    out[4] = key.map_or(0.0, |k| k.confidence() as f32);
    out[5] = sounding as f32 / (bar.end - bar.start).max(1) as f32 / 8.0;
    out[6] = f32::from(u8::from(!notes.is_empty()));
}

/// Most notes of a hand in a bar that are looked at; nobody plays more.
const HAND_NOTES: usize = 256;

/// Figures of one hand, split at middle C.
fn hand(notes: &[Note], left: bool, bar: &Bar, bass: Option<u8>, tonic: Option<u8>, out: &mut [f32]) {
    let mut own = [Note { onset: 0, pitch: 0, length: 0, velocity: 0 }; HAND_NOTES];
    let mut count = 0;
    for n in notes.iter().filter(|n| (n.pitch < MIDDLE_C) == left).take(HAND_NOTES) {
        own[count] = *n;
        count += 1;
    }
    part::fill(&own[..count], bar, bass, tonic, out);
}

/// Eight bars of a piano.
#[derive(Debug, Clone, PartialEq)]
pub struct PianoWindow {
    /// Number of the first bar in the piece, from 0.
    pub first_bar: usize,
    /// The bars, their pulses counted from the beginning of the piece.
    pub bars: [Bar; WINDOW_BARS],
    /// Tempo at the first bar, quarter notes a minute.
    pub bpm: f32,
    /// Notes that begin in the window, by onset, then pitch.
    pub notes: Vec<Note>,
}

/// The windows of a piano part, one every `hop` bars from its first sounding bar on. Left out are those with
/// fewer than [`SOUNDING_BARS`] bars in which a note begins, or fewer than [`WINDOW_NOTES`] notes; a `hop`
/// of 0 counts as 1. `notes` are sorted by onset.
pub fn windows(notes: &[Note], meters: &MeterMap, tempos: &TempoMap, hop: usize) -> Vec<PianoWindow> {
    let Some(last) = notes.last() else { return Vec::new() };
    let bars = bars(meters, last.onset + 1);
    let ranges = notes_by_bar(notes, &bars);
    let first = ranges.iter().position(|r| !r.is_empty()).unwrap_or(0);
    (first..bars.len().saturating_sub(WINDOW_BARS - 1))
        .step_by(hop.max(1))
        .filter_map(|i| {
            let own = &ranges[i..i + WINDOW_BARS];
            let notes = &notes[own[0].start..own[WINDOW_BARS - 1].end];
            let sounding = own.iter().filter(|r| !r.is_empty()).count();
            let enough = sounding >= SOUNDING_BARS && notes.len() >= WINDOW_NOTES;
            enough.then(|| PianoWindow {
                first_bar: i,
                bars: std::array::from_fn(|b| bars[i + b]),
                bpm: tempos.bpm_at(bars[i].start) as f32,
                notes: notes.to_vec(),
            })
        })
        .collect()
}

impl PianoWindow {
    /// The figures of the eight bars, as a player that was reset before the first would have them. Shape (8,
    /// [`PIANO_FEATURES`]).
    pub fn features(&self) -> [[f32; PIANO_FEATURES]; WINDOW_BARS] {
        let mut player = PianoBars::default();
        let ranges = notes_by_bar(&self.notes, &self.bars);
        std::array::from_fn(|b| {
            let mut out = [0.0; PIANO_FEATURES];
            player.push(&self.notes[ranges[b].clone()], &self.bars[b], self.bpm, &mut out);
            out
        })
    }

    /// Values that [`PianoWindow::rasterise`] writes.
    pub const RASTER: usize = 2 * WINDOW_BARS * RASTER_PLACES * RASTER_PITCHES;

    /// Draws the window, shape (2, 8 · 48, 88): onsets (velocity / 127) and what sounds (0 or 1), 48 places
    /// a bar whatever its metre. Pitches beyond the 88 keys are moved in by octaves.
    ///
    /// # Panics
    /// When `out` has another length than [`PianoWindow::RASTER`].
    pub fn rasterise(&self, out: &mut [f32]) {
        assert_eq!(out.len(), Self::RASTER, "the output has the wrong length");
        out.fill(0.0);
        let plane = Self::RASTER / 2;
        for n in &self.notes {
            let start = self.place(n.onset).min(WINDOW_BARS * RASTER_PLACES - 1);
            let end = self.place(n.end()).max(start + 1);
            let key =
                crate::encoding::grid::fold_pitch(n.pitch, RASTER_LOW, RASTER_LOW + RASTER_PITCHES as u8 - 1);
            let key = usize::from(key - RASTER_LOW);
            let onset = &mut out[start * RASTER_PITCHES + key];
            *onset = onset.max(f32::from(n.velocity) / 127.0);
            for place in start..end {
                out[plane + place * RASTER_PITCHES + key] = 1.0;
            }
        }
    }

    /// Nearest place of a pulse in the window, 0 to 8 · 48.
    fn place(&self, at: Pulse) -> usize {
        let b = self.bars.partition_point(|bar| bar.end <= at).min(WINDOW_BARS - 1);
        let bar = &self.bars[b];
        let length = (bar.end - bar.start).max(1);
        let offset = (at - bar.start).clamp(0, length);
        b * RASTER_PLACES + ((2 * offset * RASTER_PLACES as Pulse + length) / (2 * length)) as usize
    }

    /// The inverse of [`PianoWindow::rasterise`] as far as there is one: place (0 to 8 · 48 - 1), pitch and
    /// velocity of every onset, by place, then pitch.
    ///
    /// # Panics
    /// When `raster` has another length than [`PianoWindow::RASTER`].
    pub fn onsets_of_raster(raster: &[f32]) -> Vec<(usize, u8, u8)> {
        assert_eq!(raster.len(), Self::RASTER, "the raster has the wrong length");
        let cells = raster[..Self::RASTER / 2].iter().enumerate().filter(|c| *c.1 > 0.0);
        cells
            .map(|(i, &v)| {
                (i / RASTER_PITCHES, RASTER_LOW + (i % RASTER_PITCHES) as u8, (v * 127.0).round() as u8)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::Meter;

    fn note(onset: i64, pitch: u8) -> Note {
        Note { onset, pitch, length: 200, velocity: 90 }
    }

    fn beats(from: i64, to: i64) -> Vec<Note> {
        (from..to).map(|b| note(b * 480, 48 + (b * 5 % 24) as u8)).collect()
    }

    #[test]
    fn windows_begin_with_the_music_and_skip_silence() {
        let mut notes = beats(8, 40);
        notes.extend(beats(80, 120));
        let found = windows(&notes, &MeterMap::default(), &TempoMap::default(), 8);
        let firsts: Vec<usize> = found.iter().map(|w| w.first_bar).collect();
        // Bars 2 to 9 sound, 10 to 19 do not, 20 to 29 do.
        assert_eq!(firsts, [2, 18]);
        assert_eq!(found[0].notes.len(), 32);
        assert_eq!(found[1].notes[0].onset, 80 * 480);
        assert!(
            windows(&beats(0, 28), &MeterMap::default(), &TempoMap::default(), 1).is_empty(),
            "seven bars"
        );
        assert!(windows(&[], &MeterMap::default(), &TempoMap::default(), 1).is_empty());
    }

    #[test]
    fn figures_do_not_depend_on_what_comes_later() {
        let notes = beats(0, 32);
        let mut other = beats(0, 16);
        other.extend((32..64).map(|e| note(e * 240, 90)));
        let [a, b] =
            [notes, other].map(|n| windows(&n, &MeterMap::default(), &TempoMap::default(), 8)[0].features());
        assert_eq!(a[..4], b[..4]);
        assert_ne!(a[5], b[5]);
    }

    #[test]
    fn hands_are_separated() {
        let both: Vec<Note> = (0..32).flat_map(|b| [note(b * 480, 40), note(b * 480, 76)]).collect();
        let figures = windows(&both, &MeterMap::default(), &TempoMap::default(), 8)[0].features();
        assert_eq!(figures[0][3], 40.0 / 128.0);
        assert_eq!(figures[0][PART_FEATURES + 3], 76.0 / 128.0);
        assert_eq!(figures[0][TEMPO_AND_METER], [0.0, 1.0, 0.0]);
    }

    proptest! {
        #[test]
        fn onsets_on_the_grid_come_back_from_the_raster(
            cells in proptest::collection::btree_set((0usize..384, 21u8..109), 16..60),
            three in proptest::bool::ANY,
        ) {
            let meter = Meter { numerator: if three { 3 } else { 4 }, denominator: 4 };
            let unit = meter.bar_pulses() / 48;
            let notes: Vec<Note> = cells.iter().map(|&(c, p)| note(c as i64 * unit, p)).collect();
            let window = PianoWindow {
                first_bar: 0,
                bars: std::array::from_fn(|b| Bar {
                    start: b as i64 * 48 * unit, end: (b as i64 + 1) * 48 * unit, meter,
                }),
                bpm: 120.0,
                notes,
            };
            let mut raster = vec![0.0; PianoWindow::RASTER];
            window.rasterise(&mut raster);
            let back: Vec<(usize, u8, u8)> = cells.iter().map(|&(c, p)| (c, p, 90)).collect();
            prop_assert_eq!(PianoWindow::onsets_of_raster(&raster), back);
            // Whatever is struck sounds.
            let (struck, sounds) = raster.split_at(PianoWindow::RASTER / 2);
            prop_assert!(struck.iter().zip(sounds).all(|(&o, &s)| o == 0.0 || s == 1.0));
            prop_assert!(window.features().iter().flatten().all(|v| v.is_finite() && v.abs() < 16.0));
        }
    }
}
