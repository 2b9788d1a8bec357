//! 95 % intervals by song: the songs are drawn again with replacement, everything else stays.

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

use super::figures::Ratio;

/// A figure with its 95 % interval by song.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Estimate {
    /// The figure over all songs.
    pub value: f64,
    /// 2.5th percentile over the resamples.
    pub low: f64,
    /// 97.5th percentile.
    pub high: f64,
    /// Number of songs that the figure applies to.
    pub songs: usize,
}

/// How often each song is drawn in each resample.
///
/// One object serves all figures of a report, so that rows that are compared, as in coupling, are drawn
/// jointly: a resample holds the same songs in the model, people and shuffled.
#[derive(Debug, Clone)]
pub struct Resamples {
    draws: Vec<Vec<f64>>,
    songs: usize,
}

impl Resamples {
    /// `count` resamples of `songs` songs, drawn from `seed`.
    pub fn new(songs: usize, count: usize, seed: u64) -> Self {
        let mut rng = Pcg64::seed_from_u64(seed);
        let draws = (0..count)
            .map(|_| {
                let mut weights = vec![0.0; songs];
                for _ in 0..songs {
                    weights[rng.random_range(0..songs)] += 1.0;
                }
                weights
            })
            .collect();
        Self { draws, songs }
    }

    /// Evaluates `figure` with every song counted once, and its interval over the resamples; `figure` is
    /// given how often each song counts. `applies` is the number of songs that the figure applies to.
    /// `None` where the figure is undefined; resamples in which it is are left out.
    pub fn estimate(&self, applies: usize, figure: impl Fn(&[f64]) -> Option<f64>) -> Option<Estimate> {
        let value = figure(&vec![1.0; self.songs]).filter(|v| v.is_finite())?;
        let mut values: Vec<f64> =
            self.draws.iter().filter_map(|w| figure(w)).filter(|v| v.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let (low, high) = if values.is_empty() {
            (value, value)
        } else {
            (percentile(&values, 0.025), percentile(&values, 0.975))
        };
        Some(Estimate { value, low, high, songs: applies })
    }

    /// The mean of the songs' figures.
    pub fn mean(&self, songs: &[Option<f64>]) -> Option<Estimate> {
        self.estimate(songs.iter().flatten().count(), |w| {
            weighted(songs.iter().zip(w).filter_map(|(s, &w)| Some((w * (*s)?, w))))
        })
    }

    /// `(model - floor) / (ceiling - floor)` of the means over the songs that have all three.
    pub fn coupling(
        &self,
        model: &[Option<f64>],
        floor: &[Option<f64>],
        ceiling: &[Option<f64>],
    ) -> Option<Estimate> {
        let songs: Vec<Option<[f64; 3]>> =
            model.iter().zip(floor).zip(ceiling).map(|((&m, &f), &c)| Some([m?, f?, c?])).collect();
        self.estimate(songs.iter().flatten().count(), |w| {
            let of =
                |i: usize| weighted(songs.iter().zip(w).filter_map(|(s, &w)| Some((w * s.as_ref()?[i], w))));
            between(of(0)?, of(1)?, of(2)?)
        })
    }

    /// [`Self::coupling`] of ratios whose sums and weights are added over songs first: for figures that
    /// single songs say little about.
    pub fn pooled_coupling(&self, model: &[Ratio], floor: &[Ratio], ceiling: &[Ratio]) -> Option<Estimate> {
        let of = |songs: &[Ratio], w: &[f64]| {
            weighted(songs.iter().zip(w).map(|(r, &w)| (w * r.sum, w * r.weight)))
        };
        self.estimate(model.iter().filter(|r| r.weight > 0.0).count(), |w| {
            between(of(model, w)?, of(floor, w)?, of(ceiling, w)?)
        })
    }

    /// One mean less another, of the songs that have both.
    pub fn difference(&self, model: &[Option<f64>], people: &[Option<f64>]) -> Option<Estimate> {
        let songs: Vec<Option<f64>> = model.iter().zip(people).map(|(&m, &p)| Some(m? - p?)).collect();
        self.mean(&songs)
    }

    /// One mean over another, of the songs that have both.
    pub fn quotient(&self, model: &[Option<f64>], people: &[Option<f64>]) -> Option<Estimate> {
        let songs: Vec<Option<(f64, f64)>> =
            model.iter().zip(people).map(|(&m, &p)| Some((m?, p?))).collect();
        self.estimate(songs.iter().flatten().count(), |w| {
            let (mut m, mut p) = (0.0, 0.0);
            for (s, &w) in songs.iter().zip(w) {
                if let Some((model, people)) = s {
                    m += w * model;
                    p += w * people;
                }
            }
            (p.abs() > 1e-9).then(|| m / p)
        })
    }
}

/// Where a value lies from `floor` (0) to `ceiling` (1).
fn between(value: f64, floor: f64, ceiling: f64) -> Option<f64> {
    ((ceiling - floor).abs() > 1e-9).then(|| (value - floor) / (ceiling - floor))
}

/// The ratio of sums of (numerator, denominator); `None` where nothing counts.
fn weighted(terms: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let (sum, weight) = terms.fold((0.0, 0.0), |(s, w), (a, b)| (s + a, w + b));
    (weight > 0.0).then(|| sum / weight)
}

/// A percentile of sorted values, linear between neighbours; `share` from 0 to 1.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * (at - low as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(values: &[f64]) -> Vec<Option<f64>> {
        values.iter().map(|&v| Some(v)).collect()
    }

    #[test]
    fn percentiles_lie_between_neighbours() {
        assert_eq!(percentile(&[1.0, 2.0, 4.0], 0.75), 3.0);
        assert_eq!(percentile(&[5.0], 0.975), 5.0);
    }

    #[test]
    fn a_resample_draws_as_many_songs_as_there_are() {
        let r = Resamples::new(7, 50, 1);
        assert!(r.draws.iter().all(|d| d.iter().sum::<f64>() == 7.0));
        assert_eq!(r.draws, Resamples::new(7, 50, 1).draws);
    }

    #[test]
    fn the_interval_of_a_mean_is_the_one_of_theory() {
        // 400 songs, half 0 and half 1: standard error .025, so 1.96 errors are .049.
        let songs: Vec<f64> = (0..400).map(|i| f64::from(i % 2)).collect();
        let e = Resamples::new(400, 2000, 3).mean(&some(&songs)).unwrap();
        assert_eq!((e.value, e.songs), (0.5, 400));
        assert!((e.low - 0.451).abs() < 0.006 && (e.high - 0.549).abs() < 0.006, "{e:?}");
    }

    #[test]
    fn songs_that_a_figure_does_not_apply_to_do_not_count() {
        let r = Resamples::new(3, 100, 3);
        let e = r.mean(&[Some(1.0), Some(1.0), None]).unwrap();
        assert_eq!((e.value, e.low, e.songs), (1.0, 1.0, 2));
        assert_eq!(r.mean(&[None; 3]), None);
        // The third song has no model: it must not raise people's mean either.
        let e = r.quotient(&[Some(1.0), Some(1.0), None], &some(&[2.0, 2.0, 50.0])).unwrap();
        assert_eq!((e.value, e.songs), (0.5, 2));
    }

    #[test]
    fn coupling_is_drawn_jointly() {
        // Song by song the model lies exactly half-way, so every resample gives .5: the interval is a point.
        let people = some(&[0.9, 0.5, 0.7, 0.8]);
        let shuffled = some(&[0.3, 0.1, 0.5, 0.2]);
        let model = some(&[0.6, 0.3, 0.6, 0.5]);
        let r = Resamples::new(4, 500, 9);
        for e in [
            r.coupling(&model, &shuffled, &people).unwrap(),
            r.pooled_coupling(&pooled(&model), &pooled(&shuffled), &pooled(&people)).unwrap(),
        ] {
            assert!((e.value - 0.5).abs() < 1e-12 && (e.low - 0.5).abs() < 1e-12, "{e:?}");
            assert!((e.high - 0.5).abs() < 1e-12, "{e:?}");
        }
        assert_eq!(r.coupling(&people, &people, &people), None);
    }

    fn pooled(songs: &[Option<f64>]) -> Vec<Ratio> {
        songs.iter().flatten().map(|&sum| Ratio { sum: 2.0 * sum, weight: 2.0 }).collect()
    }
}
