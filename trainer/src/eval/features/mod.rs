//! What the classifiers of "told apart" see of four bars of one part: a few hundred hand-made numbers.
//!
//! All of them come from the excerpt and the piano under it, none from the rest of the song. They come in
//! three groups, each added to the ones before:
//!
//! 1. the notes alone: 16th positions, pitches, and lengths in coarse classes;
//! 2. velocity and timing of each onset, in steps of 4 of velocity, of 24ths of a beat and of the length
//!    bins of [`sideman_music::encoding::grid`]: about as finely as they are heard, and as finely as every band here
//!    writes them;
//! 3. everything a file shows: single velocities and pulses, and what goes on inside a chord.
//!
//! The second group is for comparing models. The third also sees what the grid cannot hold, so people's own
//! band is told apart by it once it went through the grid; that row says by how much.
//!
//! The same pitch (or drum class) twice in a step is one note, the longer and louder: doubled tracks come
//! from how a file was put together.

mod detail;
mod drums;
mod pitch;
mod rhythm;
mod touch;

use sideman_music::encoding::grid::{LENGTH_TICKS, length_bin};
use sideman_music::family::Part;
use sideman_music::score::Note;
use sideman_music::time::{Pulse, STEP_PULSES, STEP_TICKS, pulse_to_tick};

use super::song::{BAR_STEPS, HALF_PULSES, Half, step_of, symbol};

/// Bars in an excerpt.
pub const EXCERPT_BARS: usize = 4;
/// Steps in an excerpt.
const STEPS: i64 = EXCERPT_BARS as i64 * BAR_STEPS;

/// A note on the excerpt's grid.
#[derive(Debug, Clone, Copy)]
struct GridNote {
    /// Step from the start of the excerpt, 0 to 63.
    step: i64,
    /// MIDI pitch.
    pitch: u8,
    /// [`symbol`] of the pitch.
    symbol: u8,
    /// Ticks that the onset is later than the step.
    late_ticks: i64,
    /// Length bin.
    bin: u8,
    /// Velocity bin.
    loudness: u8,
    /// Pulses that the onset is later than the step.
    late_pulses: Pulse,
    /// Duration in pulses.
    length: Pulse,
    /// MIDI velocity.
    velocity: u8,
}

impl GridNote {
    fn new(part: Part, note: &Note, start: i64) -> Self {
        let step = step_of(note.onset);
        Self {
            step: step - start,
            pitch: note.pitch,
            symbol: symbol(part, note.pitch),
            late_ticks: pulse_to_tick(note.onset) - step * STEP_TICKS,
            bin: length_bin(note.length),
            loudness: note.velocity / 4,
            late_pulses: note.onset - step * STEP_PULSES,
            length: note.length,
            velocity: note.velocity,
        }
    }

    /// Length in ticks, as its bin says.
    fn ticks(&self) -> i64 {
        i64::from(LENGTH_TICKS[usize::from(self.bin)])
    }

    /// Step within the bar, 0 to 15.
    fn position(&self) -> usize {
        self.step.rem_euclid(BAR_STEPS) as usize
    }

    /// Bar within the excerpt.
    fn bar(&self) -> usize {
        (self.step / BAR_STEPS) as usize
    }

    /// Half-bar within the excerpt that the note begins in.
    fn half(&self) -> usize {
        (self.step * STEP_PULSES / HALF_PULSES) as usize
    }
}

/// Four bars of one part over a piano.
#[derive(Debug, Clone)]
pub struct Excerpt<'a> {
    part: Part,
    /// By step, then symbol.
    notes: Vec<GridNote>,
    /// The piano of the eight half-bars.
    piano: &'a [Half],
}

impl<'a> Excerpt<'a> {
    /// The bars `first_bar..first_bar + 4` of a part; `piano` holds all half-bars of the song
    /// ([`super::song::halves`]). Notes belong to the bar of their step on the grid. `None` when the song
    /// ends before the excerpt does.
    pub fn new(part: Part, notes: &[Note], first_bar: usize, piano: &'a [Half]) -> Option<Self> {
        let start = first_bar as i64 * BAR_STEPS;
        let mut inside: Vec<GridNote> = notes
            .iter()
            .filter(|n| (start..start + STEPS).contains(&step_of(n.onset)))
            .map(|n| GridNote::new(part, n, start))
            .collect();
        inside.sort_by_key(|n| (n.step, n.symbol, n.late_pulses, n.length, n.velocity));
        inside.dedup_by(|again, first| {
            let same = (again.step, again.symbol) == (first.step, first.symbol);
            if same {
                first.length = first.length.max(again.length);
                first.bin = first.bin.max(again.bin);
                first.velocity = first.velocity.max(again.velocity);
                first.loudness = first.loudness.max(again.loudness);
            }
            same
        });
        let piano = piano.get(first_bar * 2..(first_bar + EXCERPT_BARS) * 2)?;
        Some(Self { part, notes: inside, piano })
    }

    /// Number of notes; the same one twice in a step counts once.
    pub fn len(&self) -> usize {
        self.notes.len()
    }

    /// Whether nothing starts.
    pub fn is_empty(&self) -> bool {
        self.notes.is_empty()
    }

    /// The numbers; of the same number and order for all excerpts of a part.
    pub fn features(&self) -> Features {
        let mut f = Features::default();
        rhythm::describe(&self.notes, &mut f);
        match self.part {
            Part::Drums => drums::describe(&self.notes, &mut f),
            Part::Bass | Part::Guitar | Part::Strings => pitch::describe(&self.notes, self.piano, &mut f),
        }
        f.ends[0] = f.values.len();
        touch::describe(self.part, &self.notes, &mut f);
        f.ends[1] = f.values.len();
        detail::describe(self.part, &self.notes, &mut f);
        f.ends[2] = f.values.len();
        f
    }
}

/// How closely the classifiers may look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// The notes alone.
    Notes,
    /// Velocity and timing of the onsets as well.
    Touch,
    /// Everything that is in a file.
    Detail,
}

impl View {
    /// All, the coarsest first.
    pub const ALL: [Self; 3] = [Self::Notes, Self::Touch, Self::Detail];

    /// What it shows, for tables.
    pub fn what(self) -> &'static str {
        match self {
            Self::Notes => "the notes alone",
            Self::Touch => "notes, velocity and timing",
            Self::Detail => "every detail of the file",
        }
    }
}

/// The numbers that describe an excerpt.
#[derive(Debug, Clone, Default)]
pub struct Features {
    values: Vec<f32>,
    /// (name, how many values it covers), in order.
    names: Vec<(&'static str, usize)>,
    /// Where each group ends.
    ends: [usize; 3],
}

impl Features {
    fn put(&mut self, name: &'static str, value: f64) {
        self.put_all(name, [value]);
    }

    fn put_all(&mut self, name: &'static str, values: impl IntoIterator<Item = f64>) {
        let before = self.values.len();
        self.values.extend(values.into_iter().map(|v| if v.is_finite() { v as f32 } else { 0.0 }));
        self.names.push((name, self.values.len() - before));
    }

    /// A histogram over `bins` as shares of its total; all 0 when empty.
    fn put_shares<const N: usize>(&mut self, name: &'static str, bins: impl IntoIterator<Item = usize>) {
        let mut counts = [0.0; N];
        for b in bins {
            counts[b.min(N - 1)] += 1.0;
        }
        let total = counts.iter().sum::<f64>().max(1.0);
        self.put_all(name, counts.map(|c| c / total));
    }

    /// The numbers of one group and all groups before it.
    pub fn of(&self, view: View) -> &[f32] {
        &self.values[..self.ends[view as usize]]
    }

    /// Name of the number at an index, such as `kick on step[4]`.
    pub fn name(&self, index: usize) -> String {
        let mut before = 0;
        for &(name, count) in &self.names {
            if index < before + count {
                return if count == 1 { name.to_owned() } else { format!("{name}[{}]", index - before) };
            }
            before += count;
        }
        format!("number {index}")
    }
}

/// Mean; 0 of nothing.
fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// Standard deviation; 0 of nothing.
fn deviation(values: &[f64]) -> f64 {
    let m = mean(values);
    mean(&values.iter().map(|v| (v - m).powi(2)).collect::<Vec<_>>()).sqrt()
}

/// The value that a share of the sorted values lie below; 0 of nothing.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    if sorted.is_empty() {
        return 0.0;
    }
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

/// Notes that start in one step, for each step that has any.
fn chords(notes: &[GridNote]) -> Vec<&[GridNote]> {
    notes.chunk_by(|a, b| a.step == b.step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::song::halves;

    fn note(onset: Pulse, pitch: u8) -> Note {
        Note { onset, pitch, length: 100, velocity: 90 }
    }

    #[test]
    fn excerpts_are_aligned_to_bars_and_take_their_early_notes() {
        let notes = [note(1919, 40), note(7680 - 60, 41), note(7680 + 120, 43), note(15360 - 60, 45)];
        let piano = halves(&[note(7680, 60)], 8);
        let e = Excerpt::new(Part::Bass, &notes, 4, &piano).unwrap();
        let steps: Vec<_> = e.notes.iter().map(|n| (n.step, n.late_pulses, n.late_ticks, n.pitch)).collect();
        assert_eq!(steps, [(0, -60, -3, 41), (1, 0, 0, 43)]);
        assert_eq!((e.piano[0].lowest, e.piano[7].lowest), (Some(60), None));
        assert!(Excerpt::new(Part::Bass, &notes, 5, &piano).is_none());
    }

    #[test]
    fn doubled_notes_are_one() {
        let loud = Note { velocity: 120, ..note(10, 36) };
        let long = Note { length: 900, ..note(0, 35) };
        let piano = [Half::default(); 8];
        let e = Excerpt::new(Part::Drums, &[long, loud, note(0, 38)], 0, &piano).unwrap();
        let kick = e.notes[0];
        assert_eq!((e.len(), kick.velocity, kick.length, kick.late_pulses), (2, 120, 900, 0));
        assert_eq!(Excerpt::new(Part::Bass, &[long, loud], 0, &piano).unwrap().len(), 2);
    }

    #[test]
    fn every_excerpt_of_a_part_has_the_same_numbers() {
        let piano = halves(&[note(0, 48), note(0, 52), note(960, 55)], 4);
        for part in Part::ALL {
            let full: Vec<Note> = (0..64).map(|i| note(i * 120 + i % 7, 36 + (i % 20) as u8)).collect();
            let of = |notes| Excerpt::new(part, notes, 0, &piano).unwrap().features();
            let (a, b, empty) = (of(&full), of(&full[..1]), of(&[]));
            assert_eq!((&a.names, a.ends), (&b.names, b.ends));
            assert_eq!((&a.names, a.ends), (&empty.names, empty.ends));
            assert!(a.ends[0] < a.ends[1] && a.ends[1] < a.ends[2] && a.ends[2] == a.values.len());
            assert!([&a, &b, &empty].iter().all(|f| f.values.iter().all(|v| v.is_finite())));
        }
    }

    #[test]
    fn each_view_shows_no_more_than_it_says() {
        let piano = halves(&[note(0, 48)], 4);
        let change = |notes: &[Note], how: &dyn Fn(i64, Note) -> Note| -> Vec<Note> {
            notes.iter().enumerate().map(|(i, n)| how(i as i64, *n)).collect()
        };
        for part in Part::ALL {
            let of = |notes: &[Note]| Excerpt::new(part, notes, 0, &piano).unwrap().features();
            let plain: Vec<Note> =
                (0..32).map(|i| Note { velocity: 92, ..note(i * 240, 40 + (i % 5) as u8) }).collect();
            let played =
                change(&plain, &|i, n| Note { onset: n.onset + (i % 2) * 20, velocity: 60 + i as u8, ..n });
            let (a, b) = (of(&plain), of(&played));
            assert_eq!(a.of(View::Notes), b.of(View::Notes));
            assert_ne!(a.of(View::Touch), b.of(View::Touch));
            // Less than a tick and less than a bin of velocity.
            let jittered = change(&plain, &|i, n| Note {
                onset: n.onset + i % 9,
                velocity: n.velocity + (i % 4) as u8,
                ..n
            });
            let c = of(&jittered);
            assert_eq!(a.of(View::Touch), c.of(View::Touch));
            assert_ne!(a.of(View::Detail), c.of(View::Detail));
        }
    }

    #[test]
    fn numbers_have_names() {
        let e = Excerpt::new(Part::Drums, &[note(0, 36)], 0, &[Half::default(); 8]).unwrap().features();
        assert_eq!(e.name(3), "onset on step[3]");
        assert_eq!(e.of(View::Notes)[0], 0.25);
    }
}
