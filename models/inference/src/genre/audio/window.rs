//! The last columns, and what brings them to mean 0 and deviation 1.

use sideman_audio::Column;
use sideman_audio::mel::{BANDS, TOP_DB};

/// Variance, in square decibels, below which there is nothing to tell apart.
const NO_VARIANCE: f64 = 1e-2;

/// What is done to the values of a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    /// What is below is raised to this.
    floor: f32,
    mean: f64,
    /// 1 / deviation.
    scale: f64,
}

impl Scale {
    pub(super) fn apply(&self, column: &Column, out: &mut Vec<f32>) {
        out.extend(column.iter().map(|&v| ((f64::from(v.max(self.floor)) - self.mean) * self.scale) as f32));
    }
}

/// What is kept of a column beside its values.
#[derive(Debug, Clone, Copy)]
struct Note {
    /// Whether it is part of the music.
    counts: bool,
    /// Whether it sounds.
    sounds: bool,
    loudest: f32,
    /// Sum of its values and of their squares, over the floor.
    sums: (f64, f64),
}

/// The last columns in decibels, as many as there is room for. All sums are made of those of the columns
/// when they are asked for: nothing drifts. Allocates when it is made and never after.
#[derive(Debug, Clone)]
pub(super) struct Window {
    columns: Vec<Column>,
    notes: Vec<Note>,
    next: usize,
    len: usize,
    floor: f32,
}

impl Window {
    pub(super) fn new(room: usize) -> Self {
        let note = Note { counts: false, sounds: false, loudest: f32::NEG_INFINITY, sums: (0.0, 0.0) };
        let columns = vec![[0.0; BANDS]; room];
        Self { columns, notes: vec![note; room], next: 0, len: 0, floor: f32::NEG_INFINITY }
    }

    /// Takes in a column; the oldest falls out where there is no more room. One that does not count takes part in
    /// nothing.
    pub(super) fn push(&mut self, column: &Column, counts: bool, sounds: bool) {
        let at = self.next;
        let loudest =
            if counts { column.iter().copied().fold(f32::NEG_INFINITY, f32::max) } else { f32::NEG_INFINITY };
        self.columns[at] = *column;
        self.notes[at] = Note { counts, sounds: sounds && counts, loudest, sums: sums(column, self.floor) };
        self.next = (at + 1) % self.columns.len();
        self.len = (self.len + 1).min(self.columns.len());
        self.find_floor();
    }

    /// Lets the oldest columns go.
    pub(super) fn drop_oldest(&mut self, count: usize) {
        self.len -= count.min(self.len);
        self.find_floor();
    }

    pub(super) fn clear(&mut self) {
        self.drop_oldest(self.len);
    }

    /// The sums change with the floor, and the floor with the loudest value.
    fn find_floor(&mut self) {
        let floor = self.places().map(|i| self.notes[i].loudest).fold(f32::NEG_INFINITY, f32::max) - TOP_DB;
        if floor != self.floor {
            self.floor = floor;
            for i in self.places() {
                self.notes[i].sums = sums(&self.columns[i], floor);
            }
        }
    }

    /// Places of the columns in the ring, the oldest first.
    fn places(&self) -> impl Iterator<Item = usize> + use<> {
        let (room, first) = (self.columns.len(), self.next + self.columns.len() - self.len);
        (0..self.len).map(move |i| (first + i) % room)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Columns that sound.
    pub(super) fn sounding(&self) -> usize {
        self.places().filter(|&i| self.notes[i].sounds).count()
    }

    /// The columns that count, the oldest first.
    pub(super) fn counting(&self) -> impl Iterator<Item = &Column> {
        self.places().filter(|&i| self.notes[i].counts).map(|i| &self.columns[i])
    }

    /// What brings the columns that count to mean 0 and deviation 1; none where all values are the same.
    pub(super) fn scale(&self) -> Option<Scale> {
        let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for note in self.places().map(|i| &self.notes[i]).filter(|n| n.counts) {
            count += BANDS as f64;
            sum += note.sums.0;
            squares += note.sums.1;
        }
        let mean = sum / f64::max(count, 1.0);
        let variance = squares / f64::max(count, 1.0) - mean * mean;
        (variance > NO_VARIANCE).then(|| Scale { floor: self.floor, mean, scale: 1.0 / variance.sqrt() })
    }
}

fn sums(column: &Column, floor: f32) -> (f64, f64) {
    let (mut sum, mut squares) = (0.0, 0.0);
    for v in column.iter().map(|v| f64::from(v.max(floor))) {
        sum += v;
        squares += v * v;
    }
    (sum, squares)
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_pcg::Pcg64;

    use super::*;

    fn assert_close(a: &[f32], b: &[f32], what: &str) {
        assert_eq!(a.len(), b.len());
        let most = a.iter().zip(b).map(|(a, b)| (a - b).abs() / (1.0 + b.abs())).fold(0.0, f32::max);
        assert!(most < 1e-4, "{what}: {most} apart, {a:?} and {b:?}");
    }

    /// What training does to a clip.
    fn normalised(columns: &[Column]) -> Vec<f32> {
        let mut values = columns.as_flattened().to_vec();
        power_to_db_of_db(&mut values);
        let n = values.len() as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
        values.iter().map(|v| ((f64::from(*v) - mean) / variance.sqrt()) as f32).collect()
    }

    fn power_to_db_of_db(values: &mut [f32]) {
        let floor = values.iter().copied().fold(f32::NEG_INFINITY, f32::max) - 80.0;
        values.iter_mut().for_each(|v| *v = v.max(floor));
    }

    #[test]
    fn a_window_is_brought_to_mean_0_and_deviation_1() {
        let mut rng = Pcg64::seed_from_u64(5);
        let columns: Vec<Column> = (0..150)
            // Loud ones that come and go move the floor.
            .map(|i| std::array::from_fn(|_| rng.random_range(-120.0..if i % 40 == 7 { 0.0 } else { -30.0 })))
            .collect();
        let mut window = Window::new(30);
        assert!(window.scale().is_none());
        for (i, column) in columns.iter().enumerate() {
            window.push(column, true, i % 2 == 0);
            let last = &columns[(i + 1).saturating_sub(30)..=i];
            assert_eq!(
                (window.len(), window.sounding()),
                (last.len(), last.len() / 2 + (last.len() % 2) * (1 - i % 2))
            );
            let mut out = vec![];
            let scale = window.scale().unwrap();
            window.counting().for_each(|c| scale.apply(c, &mut out));
            assert_close(&out, &normalised(last), &format!("column {i}"));
        }
        window.drop_oldest(20);
        let mut out = vec![];
        let scale = window.scale().unwrap();
        window.counting().for_each(|c| scale.apply(c, &mut out));
        assert_close(&out, &normalised(&columns[140..]), "after the oldest are gone");
        // What does not count changes nothing, and what is all the same has no scale.
        window.push(&[50.0; BANDS], false, true);
        assert_eq!((window.scale(), window.sounding()), (Some(scale), 5));
        window.clear();
        window.push(&[-20.0; BANDS], true, true);
        assert_eq!(window.scale(), None);
    }
}
