//! Short tables by kind of song and by tempo: where a band is good, and where it is not.

use indicatif::ProgressBar;
use sideman_music::family::Part;

use super::accompanist::{Accompanist, Request};
use super::compare::{PEOPLE, Played, tallies};
use super::figures::{Metric, Tally};
use super::interval::{Estimate, Resamples};
use super::song::{EvalSong, cut_parts};
use crate::report::table::{Table, estimate};

/// Fewest songs of a kind that get a line.
pub const LEAST_SONGS: usize = 5;

/// The main figures of a band on some songs.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Line {
    /// What the songs have in common.
    pub group: String,
    /// Name of the band.
    pub band: String,
    /// Number of songs.
    pub songs: usize,
    /// Coupling of [`Metric::COUPLED`].
    pub coupling: [Option<Estimate>; 3],
    /// [`Metric::Groove`] less people's.
    pub groove: Option<Estimate>,
    /// Notes a bar of all parts over people's.
    pub notes: Option<Estimate>,
    /// Share of empty bars, the mean of the parts, less people's.
    pub empty: Option<Estimate>,
}

impl Line {
    /// The figures of songs by what they contribute.
    fn new(
        group: &str,
        band: &str,
        mine: &[&Tally],
        shuffled: &[&Tally],
        people: &[&Tally],
        resamples: &Resamples,
    ) -> Self {
        let of = |t: &[&Tally], f: Metric| -> Vec<Option<f64>> { t.iter().map(|t| t.value(f)).collect() };
        let parts = |t: &[&Tally], f: fn(Part) -> Metric, mean: bool| -> Vec<Option<f64>> {
            t.iter()
                .map(|t| {
                    let values: Vec<f64> = Part::ALL.iter().filter_map(|&p| t.value(f(p))).collect();
                    let sum = values.iter().sum::<f64>();
                    (!values.is_empty()).then(|| if mean { sum / values.len() as f64 } else { sum })
                })
                .collect()
        };
        Self {
            group: group.to_owned(),
            band: band.to_owned(),
            songs: mine.len(),
            coupling: Metric::COUPLED
                .map(|f| resamples.coupling(&of(mine, f), &of(shuffled, f), &of(people, f))),
            groove: resamples.difference(&of(mine, Metric::Groove), &of(people, Metric::Groove)),
            notes: resamples.quotient(
                &parts(mine, Metric::NotesPerBar, false),
                &parts(people, Metric::NotesPerBar, false),
            ),
            empty: resamples
                .difference(&parts(mine, Metric::EmptyBars, true), &parts(people, Metric::EmptyBars, true)),
        }
    }
}

/// A table of groups.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Breakdown {
    /// What the songs are grouped by.
    pub axis: String,
    /// By group, then band.
    pub lines: Vec<Line>,
}

/// The bands that a breakdown shows: those that are measured by people, without the controls.
fn shown(played: &Played) -> bool {
    played.is_own() && played.name != PEOPLE
}

/// Breaks what was played down by the labels of the songs. The first two rows are people and shuffled pairs.
/// Groups of fewer than [`LEAST_SONGS`] songs are left out, and axes with one group.
pub fn by_label(songs: &[EvalSong], played: &[Played], resamples: usize, seed: u64) -> Vec<Breakdown> {
    let all: Vec<Vec<Tally>> = played.iter().map(|p| tallies(p, songs)).collect();
    let mut axes: Vec<&'static str> = Vec::new();
    for (axis, _) in songs.iter().flat_map(|s| &s.labels) {
        if !axes.contains(axis) {
            axes.push(axis);
        }
    }
    let mut out = Vec::new();
    for axis in axes {
        let label = |s: &EvalSong| s.labels.iter().find(|l| l.0 == axis).map(|l| l.1.clone());
        let mut groups: Vec<String> = songs.iter().filter_map(label).collect();
        groups.sort();
        groups.dedup();
        let mut lines = Vec::new();
        let mut counted = 0;
        for group in &groups {
            let members: Vec<usize> =
                (0..songs.len()).filter(|&i| label(&songs[i]).as_ref() == Some(group)).collect();
            if members.len() < LEAST_SONGS {
                continue;
            }
            counted += 1;
            let of = |row: usize| -> Vec<&Tally> { members.iter().map(|&i| &all[row][i]).collect() };
            let draws = Resamples::new(members.len(), resamples, seed);
            for (row, _) in played.iter().enumerate().filter(|(_, p)| shown(p)) {
                lines.push(Line::new(group, &played[row].name, &of(row), &of(1), &of(0), &draws));
            }
        }
        if counted > 1 {
            out.push(Breakdown { axis: axis.to_owned(), lines });
        }
    }
    out
}

/// Has bands play all songs at other tempos. `played` begins with people and shuffled pairs.
///
/// # Errors
/// When a band cannot play a song.
pub fn by_tempo(
    bands: &mut [&mut dyn Accompanist],
    songs: &[EvalSong],
    played: &[Played],
    tempos: &[f64],
    resamples: &Resamples,
    progress: &ProgressBar,
) -> anyhow::Result<Option<Breakdown>> {
    if tempos.is_empty() {
        return Ok(None);
    }
    let [people, shuffled] = [&played[0], &played[1]].map(|p| tallies(p, songs));
    let mut lines = Vec::new();
    progress.inc_length((tempos.len() * bands.len() * songs.len()) as u64);
    for &bpm in tempos {
        for band in bands.iter_mut() {
            progress.set_message(format!("{} at {bpm}", band.name()));
            let mut parts = Vec::with_capacity(songs.len());
            for (i, song) in songs.iter().enumerate() {
                let notes = band.play(&Request { bpm, ..Request::new(i, song) })?;
                parts.push(cut_parts(&notes, song.bars, song.present));
                progress.inc(1);
            }
            let mine = tallies(&Played::new(band.name(), parts), songs);
            let [m, s, p] = [&mine, &shuffled, &people].map(|t| t.iter().collect::<Vec<_>>());
            lines.push(Line::new(&format!("{bpm:.0}"), band.name(), &m, &s, &p, resamples));
        }
    }
    Ok(Some(Breakdown { axis: "quarter notes a minute, all songs".to_owned(), lines }))
}

/// The table of a breakdown.
pub fn table(b: &Breakdown) -> Table {
    let title = format!("By {} (groove and empty bars less people's, notes over people's)", b.axis);
    let coupling = Metric::COUPLED.iter().map(|f| format!("coupling {}", f.name()));
    let head = ["", "band", "songs"].map(str::to_owned).into_iter().chain(coupling);
    let tail = ["groove", "notes a bar", "empty bars"].map(str::to_owned);
    let mut t = Table::new(title, head.chain(tail)).names(2);
    for l in &b.lines {
        let figures = l.coupling.iter().chain([&l.groove, &l.notes, &l.empty]).map(|e| estimate(e.as_ref()));
        t.push([l.group.clone(), l.band.clone(), l.songs.to_string()].into_iter().chain(figures));
    }
    t
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::compare::SHUFFLED;
    use crate::eval::controls::other_pianos;
    use crate::eval::fixtures;
    use crate::eval::song::Parts;

    /// Plays what people played, and nothing above a hundred beats a minute.
    struct Slow(Vec<Parts>);

    impl Accompanist for Slow {
        fn name(&self) -> &str {
            "slow"
        }

        fn play(&mut self, request: &Request<'_>) -> anyhow::Result<Parts> {
            Ok(if request.bpm > 100.0 { Parts::default() } else { self.0[request.song].clone() })
        }
    }

    #[test]
    fn a_band_that_is_good_at_one_kind_alone_is_found_out() {
        let mut songs = fixtures::songs(16, 16, 1);
        let people: Vec<Parts> = songs.iter().map(|s| s.people.clone()).collect();
        let metronome = fixtures::metronome(&songs);
        for (i, s) in songs.iter_mut().enumerate() {
            s.labels.push(("kind", if i % 2 == 0 { "even" } else { "odd" }.to_owned()));
            s.labels.push(("rare", if i == 0 { "one" } else { "others" }.to_owned()));
        }
        let half: Vec<Parts> =
            (0..16).map(|i| if i % 2 == 0 { people[i].clone() } else { metronome[i].clone() }).collect();
        let others = other_pianos(&songs, 2, 1);
        let played = [
            Played::new(PEOPLE, people.clone()),
            Played { pianos: others, ..Played::new(SHUFFLED, people.clone()) },
            Played::new("half", half),
        ];
        let out = by_label(&songs, &played, 100, 1);
        // One rare song makes no group, and what is left of that axis is one group alone.
        assert_eq!(out.len(), 1);
        let [even, odd] = &out[0].lines[..] else { panic!("{:?}", out[0].lines) };
        assert_eq!((even.group.as_str(), even.songs, odd.group.as_str()), ("even", 8, "odd"));
        assert!((even.coupling[0].unwrap().value - 1.0).abs() < 1e-9);
        assert!((even.notes.unwrap().value - 1.0).abs() < 1e-9 && even.groove.unwrap().value.abs() < 1e-9);
        assert!(odd.coupling[0].unwrap().value < 0.5);
        assert!(table(&out[0]).text().contains("odd"));

        let mut slow = Slow(people);
        let mut bands: Vec<&mut dyn Accompanist> = vec![&mut slow];
        let r = Resamples::new(16, 50, 1);
        let bar = ProgressBar::hidden();
        let by = by_tempo(&mut bands, &songs, &played, &[60.0, 200.0], &r, &bar).unwrap().unwrap();
        assert_eq!([&by.lines[0].group, &by.lines[1].group], ["60", "200"]);
        assert!((by.lines[0].coupling[2].unwrap().value - 1.0).abs() < 1e-9);
        assert_eq!(by.lines[1].notes.unwrap().value, 0.0);
        assert!(by.lines[1].empty.unwrap().value > 0.5);
        assert!(by_tempo(&mut bands, &songs, &played, &[], &r, &bar).unwrap().is_none());
    }
}
