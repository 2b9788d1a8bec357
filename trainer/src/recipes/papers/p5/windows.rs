//! The paper's examples: a hundred categories and the one after them, from every place of a song.

use candle_core::{Device, Tensor};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

use crate::train::{Examples, Named, Predictions};

/// Windows of songs. Category numbers go in divided by how many there are, as in the paper's program.
#[derive(Debug, Clone)]
pub(super) struct Windows<'a> {
    /// Names of the categories.
    pub(super) names: &'a [String],
    /// Songs as category numbers, with their names.
    pub(super) songs: &'a [(String, Vec<usize>)],
    /// Categories that are seen.
    pub(super) steps: usize,
    /// Song and beginning of each.
    pub(super) at: Vec<(usize, usize)>,
}

impl<'a> Windows<'a> {
    /// All windows of songs, beginning every `stride` categories.
    pub(super) fn all(
        names: &'a [String],
        songs: &'a [(String, Vec<usize>)],
        steps: usize,
        stride: usize,
    ) -> Self {
        let of = |(s, song): (usize, &(String, Vec<usize>))| {
            let count = song.1.len().saturating_sub(steps);
            (0..count).step_by(stride.max(1)).map(move |at| (s, at)).collect::<Vec<_>>()
        };
        let at = songs.iter().enumerate().flat_map(of).collect();
        Self { names, songs, steps, at }
    }

    fn with(&self, at: Vec<(usize, usize)>) -> Self {
        Self { at, ..self.clone() }
    }

    /// As Keras's `validation_split` cuts: the first windows to train on, the last share of them to validate by.
    pub(super) fn last(&self, share: f64) -> (Self, Self) {
        let cut = ((self.at.len() as f64) * (1.0 - share)) as usize;
        (self.with(self.at[..cut].to_vec()), self.with(self.at[cut..].to_vec()))
    }

    /// A share of the windows drawn from anywhere: most of what each sees, and often its answer, lies in windows that
    /// are trained on.
    pub(super) fn random(&self, share: f64, seed: u64) -> (Self, Self) {
        let mut order = self.at.clone();
        order.shuffle(&mut Pcg64::seed_from_u64(seed));
        let (train, valid) = order.split_at(((order.len() as f64) * (1.0 - share)) as usize);
        let sorted = |part: &[(usize, usize)]| {
            let mut part = part.to_vec();
            part.sort_unstable();
            part
        };
        (self.with(sorted(train)), self.with(sorted(valid)))
    }

    /// At most so many of them, evenly spaced.
    pub(super) fn thinned(&self, limit: usize) -> Self {
        let n = self.at.len();
        if n <= limit {
            return self.clone();
        }
        self.with((0..limit).map(|i| self.at[i * n / limit]).collect())
    }

    /// The categories that a window sees.
    pub(super) fn seen(&self, example: usize) -> &[usize] {
        let (song, at) = self.at[example];
        &self.songs[song].1[at..at + self.steps]
    }
}

/// Draws a window of `steps` categories and the one after it, every window as likely: its line and beginning. (0, 0)
/// when no line is long enough.
pub(super) fn draw_window(
    lengths: impl Iterator<Item = usize> + Clone,
    steps: usize,
    rng: &mut Pcg64,
) -> (usize, usize) {
    let windows = lengths.map(|length| length.saturating_sub(steps));
    let mut number = rng.random_range(0..windows.clone().sum::<usize>().max(1));
    for (line, count) in windows.enumerate() {
        match number.checked_sub(count) {
            Some(rest) => number = rest,
            None => return (line, number),
        }
    }
    (0, 0)
}

impl Examples for Windows<'_> {
    fn classes(&self) -> &[String] {
        self.names
    }

    fn len(&self) -> usize {
        self.at.len()
    }

    fn class(&self, example: usize) -> usize {
        let (song, at) = self.at[example];
        self.songs[song].1[at + self.steps]
    }

    fn named(&self, example: usize) -> Named<'_> {
        Named { id: &self.songs[self.at[example].0].0, source: "" }
    }

    fn inputs(&self, examples: &[usize], _: Option<&mut Pcg64>) -> anyhow::Result<Vec<Tensor>> {
        let scale = self.names.len().max(1) as f32;
        let values: Vec<f32> =
            examples.iter().flat_map(|&e| self.seen(e).iter().map(|&n| n as f32 / scale)).collect();
        Ok(vec![Tensor::from_vec(values, (examples.len(), self.steps), &Device::Cpu)?])
    }
}

/// How well the next category was predicted.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Score {
    /// Mean of -ln p, in nats: categorical cross-entropy as Keras computes it.
    pub(super) loss: f64,
    /// Figure 3's formula, which adds -ln(1 - p) of all other categories.
    pub(super) figure3: f64,
    /// Share whose likeliest category was right.
    pub(super) accuracy: f64,
    /// Predictions.
    pub(super) count: usize,
}

impl Score {
    /// Of distributions (summing to 1) and the categories that came.
    pub(super) fn of<P: AsRef<[f32]>>(predictions: impl IntoIterator<Item = (P, usize)>) -> Self {
        let mut sum = Self::default();
        for (p, truth) in predictions {
            let p = p.as_ref();
            sum.count += 1;
            let floor = |v: f64| v.max(1e-7); // As Keras clips.
            let loss = -floor(f64::from(p[truth])).ln();
            sum.loss += loss;
            let others = p.iter().enumerate().filter(|o| o.0 != truth);
            sum.figure3 += loss - others.map(|o| floor(1.0 - f64::from(*o.1)).ln()).sum::<f64>();
            let top = (0..p.len()).fold(0, |best, i| if p[i] > p[best] { i } else { best });
            sum.accuracy += f64::from(u8::from(top == truth));
        }
        sum.mean_of(sum.count)
    }

    /// Adds another score, weighted.
    pub(super) fn add(&mut self, other: &Self, weight: f64) {
        self.loss += other.loss * weight;
        self.figure3 += other.figure3 * weight;
        self.accuracy += other.accuracy * weight;
    }

    /// Sums divided by a number of predictions.
    pub(super) fn mean_of(self, count: usize) -> Self {
        let n = count.max(1) as f64;
        Self { loss: self.loss / n, figure3: self.figure3 / n, accuracy: self.accuracy / n, count }
    }

    /// Of a classifier's predictions.
    pub(super) fn of_predictions(p: &Predictions) -> Self {
        Self::of(p.probabilities.iter().map(Vec::as_slice).zip(p.truth.iter().copied()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_cut_as_keras_cuts() {
        let names: Vec<String> = (0..5).map(|i| i.to_string()).collect();
        let songs = [("a".to_owned(), (0..30).map(|i| i % 5).collect()), ("b".to_owned(), vec![1; 12])];
        let all = Windows::all(&names, &songs, 10, 1);
        assert_eq!((all.len(), all.at[20], all.class(3)), (22, (1, 0), 3));
        let (train, valid) = all.last(0.05);
        assert_eq!((train.len(), valid.at.as_slice()), (20, &[(1, 0), (1, 1)][..]));
        let (train, valid) = all.random(0.25, 1);
        assert_eq!((train.len(), valid.len()), (16, 6));
        assert!(valid.at.iter().all(|w| !train.at.contains(w)));
        let x = all.inputs(&[1], None).unwrap()[0].to_vec2::<f32>().unwrap();
        assert_eq!(x[0][..3], [0.2, 0.4, 0.6]);
        assert_eq!(all.thinned(4).len(), 4);
        assert!(Windows::all(&names, &songs, 40, 1).is_empty());
    }

    #[test]
    fn both_losses_by_hand() {
        let predictions: [(&[f32], usize); 2] = [(&[0.5, 0.3, 0.2], 0), (&[0.1, 0.6, 0.3], 2)];
        let s = Score::of(predictions);
        assert_eq!((s.accuracy, s.count), (0.5, 2));
        assert!((s.loss - -(0.5f64.ln() + 0.3f64.ln()) / 2.0).abs() < 1e-6);
        let more = -(0.7f64.ln() + 0.8f64.ln() + 0.9f64.ln() + 0.4f64.ln()) / 2.0;
        assert!((s.figure3 - s.loss - more).abs() < 1e-6);
        // Being sure of the wrong thing is bounded, as in Keras.
        assert!(Score::of([([1.0f32, 0.0], 1)]).loss < 17.0);
    }
}
