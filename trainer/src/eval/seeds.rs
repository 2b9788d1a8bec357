//! The same piano at two seeds: two different bands; and at one seed twice: the same.

use std::collections::BTreeSet;

use indicatif::ProgressBar;
use sideman_music::family::Part;

use super::accompanist::{Accompanist, Request};
use super::compare::Played;
use super::interval::{Estimate, Resamples};
use super::song::{EvalSong, Parts, bar_contents, cut_parts, step_of, symbol};
use crate::report::table::{Table, estimate, percent};

/// How far two takes of a band differ.
#[derive(Debug, Clone, serde::Serialize)]
pub struct TwoTakes {
    /// Name of the band.
    pub band: String,
    /// Of each part the share of onsets (16th and pitch or drum) that the other take does not have.
    pub onsets: [Option<Estimate>; 4],
    /// Of each part the share of bars, of those in which either take plays, that differ.
    pub bars: [Option<Estimate>; 4],
    /// Share of songs whose first take, played again, is the same note by note.
    pub same_again: f64,
}

/// Has a band play every song at another seed, and again at the first one. `first` is what it played before.
/// Gives the second take as well, as a row to be measured.
///
/// # Errors
/// When the band cannot play a song.
pub fn two_takes(
    band: &mut dyn Accompanist,
    songs: &[EvalSong],
    first: &[Parts],
    resamples: &Resamples,
    progress: &ProgressBar,
) -> anyhow::Result<(TwoTakes, Played)> {
    progress.set_message(format!("{} at two seeds", band.name()));
    progress.inc_length(songs.len() as u64);
    let mut second = Vec::with_capacity(songs.len());
    let mut same = 0;
    for (i, song) in songs.iter().enumerate() {
        let mut play = |take| -> anyhow::Result<Parts> {
            let parts = band.play(&Request { take, ..Request::new(i, song) })?;
            Ok(cut_parts(&parts, song.bars, song.present))
        };
        same += usize::from(play(0)? == first[i]);
        second.push(play(1)?);
        progress.inc(1);
    }
    let of = |part: Part, figure: &dyn Fn(usize) -> Option<f64>| {
        let values: Vec<Option<f64>> =
            (0..songs.len()).map(|i| if songs[i].has(part) { figure(i) } else { None }).collect();
        resamples.mean(&values)
    };
    let onsets = Part::ALL.map(|p| {
        of(p, &|i| {
            let set = |parts: &Parts| -> BTreeSet<(i64, u8)> {
                parts[p.index()].iter().map(|n| (step_of(n.onset), symbol(p, n.pitch))).collect()
            };
            let (a, b) = (set(&first[i]), set(&second[i]));
            let all = a.len() + b.len();
            (all > 0).then(|| 1.0 - 2.0 * a.intersection(&b).count() as f64 / all as f64)
        })
    });
    let bars = Part::ALL.map(|p| {
        of(p, &|i| {
            let content = |parts: &Parts| bar_contents(p, &parts[p.index()], songs[i].bars);
            let pairs: Vec<bool> = content(&first[i])
                .into_iter()
                .zip(content(&second[i]))
                .filter(|(a, b)| !a.is_empty() || !b.is_empty())
                .map(|(a, b)| a != b)
                .collect();
            (!pairs.is_empty()).then(|| pairs.iter().filter(|&&d| d).count() as f64 / pairs.len() as f64)
        })
    });
    let row = Played::new(format!("{}, seed 2", band.name()), second);
    let same_again = same as f64 / songs.len().max(1) as f64;
    Ok((TwoTakes { band: band.name().to_owned(), onsets, bars, same_again }, row))
}

/// The table of all bands.
pub fn table(all: &[TwoTakes]) -> Table {
    let parts = || Part::ALL.map(|p| p.name().to_lowercase());
    let head = ["band".to_owned(), "share of".to_owned()].into_iter().chain(parts());
    let title =
        "The same piano at two seeds: what differs; and how often one seed gives the same notes twice";
    let mut t = Table::new(title, head.chain(["same again".to_owned()])).names(2);
    for two in all {
        let cells = |of: &[Option<Estimate>; 4]| of.each_ref().map(|e| estimate(e.as_ref()));
        let again = percent(two.same_again);
        t.push([two.band.clone(), "onsets".to_owned()].into_iter().chain(cells(&two.onsets)).chain([again]));
        t.push([two.band.clone(), "bars".to_owned()].into_iter().chain(cells(&two.bars)));
    }
    t
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::fixtures;

    /// Plays what people played; the second take leaves the first half of the drums out and moves the bass of
    /// every other bar.
    struct Takes(Vec<Parts>, bool);

    impl Accompanist for Takes {
        fn name(&self) -> &str {
            "takes"
        }

        fn play(&mut self, request: &Request<'_>) -> anyhow::Result<Parts> {
            let mut parts = self.0[request.song].clone();
            if request.take == 1 {
                parts[0].retain(|n| n.onset >= 8 * 1920);
                for n in parts[1].iter_mut().filter(|n| n.onset / 1920 % 2 == 0) {
                    n.pitch += 1;
                }
            }
            // A band that does not keep to its seed.
            if self.1 && request.take == 0 {
                parts[1][0].velocity -= 1;
            }
            Ok(parts)
        }
    }

    #[test]
    fn what_differs_is_counted() {
        let songs = fixtures::songs(4, 16, 1);
        let people: Vec<Parts> = songs.iter().map(|s| s.people.clone()).collect();
        let r = Resamples::new(4, 20, 1);
        let bar = ProgressBar::hidden();
        let (two, row) = two_takes(&mut Takes(people.clone(), false), &songs, &people, &r, &bar).unwrap();
        assert_eq!(row.name, "takes, seed 2");
        assert_eq!(two.same_again, 1.0);
        assert_eq!([0, 1, 2].map(|p| two.bars[p].unwrap().value), [0.5, 0.5, 0.0]);
        // Half of one take is missing: of all onsets a third has no like.
        let drums = two.onsets[0].unwrap().value;
        assert!((drums - 1.0 / 3.0).abs() < 0.03, "{drums}");
        assert!((two.onsets[1].unwrap().value - 0.5).abs() < 0.06);
        assert_eq!(two.onsets[3].unwrap().value, 0.0);
        let (two, _) = two_takes(&mut Takes(people.clone(), true), &songs, &people, &r, &bar).unwrap();
        assert_eq!(two.same_again, 0.0);
    }
}
