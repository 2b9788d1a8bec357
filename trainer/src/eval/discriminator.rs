//! "Told apart": how well small classifiers tell a model's four bars from people's four bars.
//!
//! Excerpts are bars `4k..4k + 4` of the same songs for both, and only those in which people *and* the
//! model start at least [`LEAST_NOTES`] notes in the part. So both classes are equally large, come from
//! the same pianos, and how often a part rests is left to the figure EB. Songs, with all versions of
//! theirs, lie wholly in one of [`FOLDS`] folds; scaling and bins are fitted to the other folds alone.
//!
//! What is given is the area under the curve within each fold, averaged over folds, of the better of two
//! classifiers (boosted trees and logistic regression). Taking the better leans a little towards telling
//! apart, by about a hundredth at .5. Below .5 means not told apart.

use std::collections::{BTreeMap, BTreeSet};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;
use sideman_music::family::Part;

use super::classify::Matrix;
use super::classify::boosting::{Boosted, Settings};
use super::classify::logistic::Logistic;
use super::features::{EXCERPT_BARS, Excerpt, Features, View};
use super::interval::{Estimate, Resamples};
use super::song::{EvalSong, Half, Parts, halves};

/// Fewest notes of a part in an excerpt, in both classes.
pub const LEAST_NOTES: usize = 4;
/// Number of folds.
pub const FOLDS: usize = 5;
/// Fewest pairs of excerpts with which a figure is given.
pub const LEAST_PAIRS: usize = 20;

/// An excerpt as the classifiers see it.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Index of its song.
    pub song: usize,
    /// Whether the model played it.
    pub model: bool,
    /// What it is like.
    pub features: Features,
}

/// Something that gives the model away.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Tell {
    /// What was looked at, see [`Features::name`].
    pub name: String,
    /// Share of the trees' gain in all.
    pub share: f64,
    /// How much more of it the model has than people, in deviations over all excerpts.
    pub model_more: f64,
}

/// How well a part of a model is told from people's.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Discrimination {
    /// Area under the curve of the better classifier, with its interval by song; 0.5 is not at all.
    pub area: Estimate,
    /// That of the boosted trees.
    pub trees: f64,
    /// That of the logistic regression.
    pub logistic: f64,
    /// Pairs of excerpts.
    pub pairs: usize,
    /// What the trees went by, the most telling first.
    pub tells: Vec<Tell>,
}

/// Pairs of excerpts of people and a model, a part at a time. `model[i]` is what the model played to
/// `songs[i]`, and `pianos[i]` the half-bars of the piano that it is seen against (people are always seen
/// against their own).
pub fn samples(songs: &[EvalSong], model: &[Parts], pianos: &[Vec<Half>], part: Part) -> Vec<Sample> {
    let mut out = Vec::new();
    for (i, song) in songs.iter().enumerate().filter(|(_, s)| s.has(part)) {
        let own = halves(&song.piano, song.bars);
        for bar in (0..song.bars).step_by(EXCERPT_BARS) {
            let people = Excerpt::new(part, &song.people[part.index()], bar, &own);
            let played = Excerpt::new(part, &model[i][part.index()], bar, &pianos[i]);
            let (Some(people), Some(played)) = (people, played) else { continue };
            if people.len() >= LEAST_NOTES && played.len() >= LEAST_NOTES {
                out.push(Sample { song: i, model: false, features: people.features() });
                out.push(Sample { song: i, model: true, features: played.features() });
            }
        }
    }
    out
}

/// Tells samples apart. `groups[song]` names what must not be cut by a fold. `None` with fewer than
/// [`LEAST_PAIRS`] pairs or fewer groups than folds.
pub fn discriminate(
    samples: &[Sample],
    groups: &[&str],
    view: View,
    resamples: &Resamples,
    seed: u64,
) -> Option<Discrimination> {
    let pairs = samples.iter().filter(|s| s.model).count().min(samples.iter().filter(|s| !s.model).count());
    let different: BTreeSet<&str> = samples.iter().map(|s| groups[s.song]).collect();
    if pairs < LEAST_PAIRS || different.len() < FOLDS {
        return None;
    }
    let folds = folds(samples, groups, seed);

    let width = samples[0].features.of(view).len();
    let mut gains = vec![0.0; width];
    // Scored samples of each fold, ascending, for each classifier.
    let mut scored: [Vec<Vec<(f32, &Sample)>>; 2] = Default::default();
    for fold in 0..FOLDS {
        let (mut rows, mut labels, mut held_out) = (Vec::new(), Vec::new(), Vec::new());
        for (s, &f) in samples.iter().zip(&folds) {
            if f == fold {
                held_out.push(s);
            } else {
                rows.push(s.features.of(view));
                labels.push(s.model);
            }
        }
        let x = Matrix::from_rows(rows);
        let trees = Boosted::fit(&x, &labels, Settings::default(), seed.wrapping_add(fold as u64 + 1));
        let logistic = Logistic::fit(&x, &labels);
        for (g, gain) in gains.iter_mut().zip(trees.gains()) {
            *g += gain;
        }
        let sorted = |score: &dyn Fn(&[f32]) -> f32| {
            let mut out: Vec<(f32, &Sample)> =
                held_out.iter().map(|&s| (score(s.features.of(view)), s)).collect();
            out.sort_by(|a, b| a.0.total_cmp(&b.0));
            out
        };
        scored[0].push(sorted(&|row| trees.score(row)));
        scored[1].push(sorted(&|row| logistic.score(row)));
    }
    let songs: BTreeSet<usize> = samples.iter().map(|s| s.song).collect();
    let over_folds = |folds: &[Vec<(f32, &Sample)>], weights: &[f64]| {
        let areas: Vec<f64> = folds.iter().filter_map(|f| area(f, weights)).collect();
        (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64)
    };
    let once = vec![1.0; groups.len()];
    let (trees, logistic) = (over_folds(&scored[0], &once)?, over_folds(&scored[1], &once)?);
    let better = &scored[usize::from(logistic > trees)];
    let area = resamples.estimate(songs.len(), |w| over_folds(better, w))?;
    Some(Discrimination { area, trees, logistic, pairs, tells: tells(samples, view, &gains) })
}

/// The fold of each sample: groups are dealt out in an order drawn from the seed.
fn folds(samples: &[Sample], groups: &[&str], seed: u64) -> Vec<usize> {
    let different: BTreeSet<&str> = samples.iter().map(|s| groups[s.song]).collect();
    let mut order: Vec<&str> = different.into_iter().collect();
    order.shuffle(&mut Pcg64::seed_from_u64(seed));
    let dealt: BTreeMap<&str, usize> = order.into_iter().enumerate().map(|(i, g)| (g, i % FOLDS)).collect();
    samples.iter().map(|s| dealt[groups[s.song]]).collect()
}

/// Area under the curve of samples in ascending order of score, each counting as often as its song: how
/// probable it is that one of the model's scores above one of people's, ties counting half.
fn area(sorted: &[(f32, &Sample)], weights: &[f64]) -> Option<f64> {
    let (mut people, mut model, mut above) = (0.0, 0.0, 0.0);
    for ties in sorted.chunk_by(|a, b| a.0 == b.0) {
        let weight = |of: bool| -> f64 {
            ties.iter().filter(|(_, s)| s.model == of).map(|(_, s)| weights[s.song]).sum()
        };
        let (p, m) = (weight(false), weight(true));
        above += m * (people + p / 2.0);
        people += p;
        model += m;
    }
    (people > 0.0 && model > 0.0).then(|| above / (people * model))
}

/// What the trees went by most.
fn tells(samples: &[Sample], view: View, gains: &[f64]) -> Vec<Tell> {
    const MOST: usize = 8;
    let total = gains.iter().sum::<f64>().max(1e-12);
    let mut order: Vec<usize> = (0..gains.len()).filter(|&c| gains[c] > 0.0).collect();
    order.sort_by(|&a, &b| gains[b].total_cmp(&gains[a]).then(a.cmp(&b)));
    order.truncate(MOST);
    let moments = |column: usize, of: &dyn Fn(&Sample) -> bool| {
        let values: Vec<f64> =
            samples.iter().filter(|s| of(s)).map(|s| f64::from(s.features.of(view)[column])).collect();
        let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len().max(1) as f64;
        (mean, variance.sqrt())
    };
    order
        .into_iter()
        .map(|c| {
            let spread = moments(c, &|_| true).1.max(1e-9);
            let more = moments(c, &|s| s.model).0 - moments(c, &|s| !s.model).0;
            Tell { name: samples[0].features.name(c), share: gains[c] / total, model_more: more / spread }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::fixtures;
    use crate::eval::song::bar_of;
    use sideman_music::score::Note;

    fn own_pianos(songs: &[EvalSong]) -> Vec<Vec<Half>> {
        songs.iter().map(|s| halves(&s.piano, s.bars)).collect()
    }

    fn told(songs: &[EvalSong], samples: &[Sample], view: View) -> Discrimination {
        let groups: Vec<&str> = songs.iter().map(|s| s.group.as_str()).collect();
        discriminate(samples, &groups, view, &Resamples::new(songs.len(), 200, 1), 1).unwrap()
    }

    #[test]
    fn areas_count_ties_half_and_songs_by_weight() {
        let songs = fixtures::songs(1, 8, 1);
        let features =
            samples(&songs, &[songs[0].people.clone()], &own_pianos(&songs), Part::Drums)[0].features.clone();
        let of = |song, model| Sample { song, model, features: features.clone() };
        let all = [of(0, false), of(0, true), of(1, false), of(1, true), of(1, true)];
        let sorted: Vec<(f32, &Sample)> = [0.1, 0.2, 0.2, 0.2, 0.9].into_iter().zip(&all).collect();
        // Pairs won by the model: against .1 all three, against .2 one and two halves.
        assert_eq!(area(&sorted, &[1.0, 1.0]), Some(5.0 / 6.0));
        // Without song 0: a tie and a win.
        assert_eq!(area(&sorted, &[0.0, 1.0]), Some(0.75));
        assert_eq!(area(&sorted[..1], &[1.0, 1.0]), None);
    }

    #[test]
    fn a_fold_never_cuts_a_group() {
        let songs = fixtures::songs(24, 16, 2);
        let all = samples(&songs, &fixtures::metronome(&songs), &own_pianos(&songs), Part::Bass);
        // Songs 2k and 2k + 1 are versions of one piece.
        let names: Vec<String> = (0..24).map(|i| format!("{}", i / 2)).collect();
        let groups: Vec<&str> = names.iter().map(String::as_str).collect();
        let dealt = folds(&all, &groups, 5);
        for (a, f) in all.iter().zip(&dealt) {
            for (b, g) in all.iter().zip(&dealt) {
                assert!(a.song / 2 != b.song / 2 || f == g);
            }
        }
        assert_eq!(dealt.iter().collect::<BTreeSet<_>>().len(), FOLDS);
    }

    #[test]
    fn people_are_not_told_from_people() {
        let songs = fixtures::songs(60, 32, 3);
        let people: Vec<Parts> = songs.iter().map(|s| s.people.clone()).collect();
        let mut rng = Pcg64::seed_from_u64(8);
        let mut areas = Vec::new();
        for part in Part::ALL {
            let mut excerpts: Vec<Sample> = samples(&songs, &people, &own_pianos(&songs), part)
                .into_iter()
                .filter(|s| !s.model)
                .collect();
            // A random half of each song's excerpts is called the model's.
            for of_song in excerpts.chunk_by_mut(|a, b| a.song == b.song) {
                let mut labels: Vec<bool> = (0..of_song.len()).map(|i| i % 2 == 0).collect();
                labels.shuffle(&mut rng);
                for (s, model) in of_song.iter_mut().zip(labels) {
                    s.model = model;
                }
            }
            for view in View::ALL {
                let t = told(&songs, &excerpts, view);
                assert!((t.area.value - 0.5).abs() < 0.1, "{part} {view:?}: {:?}", t.area);
                areas.push(t.area.value);
            }
        }
        let mean = areas.iter().sum::<f64>() / areas.len() as f64;
        assert!((mean - 0.5).abs() < 0.03, "{areas:?}");
    }

    #[test]
    fn the_same_band_scores_exactly_one_half() {
        let songs = fixtures::songs(10, 32, 4);
        let people: Vec<Parts> = songs.iter().map(|s| s.people.clone()).collect();
        let all = samples(&songs, &people, &own_pianos(&songs), Part::Guitar);
        let t = told(&songs, &all, View::Detail);
        assert!((t.area.value - 0.5).abs() < 1e-9, "{:?}", t.area);
    }

    #[test]
    fn a_metronome_is_told_at_once() {
        let songs = fixtures::songs(20, 32, 5);
        let model = fixtures::metronome(&songs);
        for part in Part::ALL {
            let all = samples(&songs, &model, &own_pianos(&songs), part);
            for view in View::ALL {
                let t = told(&songs, &all, view);
                assert!(t.area.value > 0.99, "{part} {view:?}: {:?}", t.area);
                assert!(!t.tells.is_empty());
            }
        }
    }

    #[test]
    fn loudness_alone_is_told_by_touch_and_not_by_notes() {
        let songs = fixtures::songs(20, 32, 6);
        let louder: Vec<Parts> = songs
            .iter()
            .map(|s| {
                let mut parts = s.people.clone();
                parts.iter_mut().flatten().for_each(|n| n.velocity = (n.velocity + 16).min(127));
                parts
            })
            .collect();
        let all = samples(&songs, &louder, &own_pianos(&songs), Part::Drums);
        assert!((told(&songs, &all, View::Notes).area.value - 0.5).abs() < 1e-9);
        assert!(told(&songs, &all, View::Touch).area.value > 0.9);
    }

    #[test]
    fn excerpts_in_which_either_rests_are_left_out() {
        let songs = fixtures::songs(1, 16, 7);
        let mut model = songs[0].people.clone();
        // The model's bass rests in bars 4 to 7 but for three notes.
        let inside = |n: &Note| (4..8).contains(&bar_of(n.onset));
        let kept: Vec<Note> = model[1].iter().copied().filter(inside).take(3).collect();
        model[1].retain(|n| !inside(n));
        model[1].extend(kept);
        model[1].sort_unstable();
        let all = samples(&songs, &[model], &own_pianos(&songs), Part::Bass);
        assert_eq!(all.len(), 2 * 3);
        let groups = ["a"];
        assert!(discriminate(&all, &groups, View::Notes, &Resamples::new(1, 10, 1), 1).is_none());
    }
}
