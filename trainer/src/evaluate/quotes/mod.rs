//! Does a band quote? Its longest matches with training songs, beside those of people who never saw them.
//!
//! Common turns of phrase match everywhere, so the length of a match alone says nothing. The yardstick is
//! the test songs' own bands: other people, whose songs share no group with a training song. A band whose
//! longest matches are no longer than theirs does not quote more than anyone does.
//!
//! What is compared, a part at a time, are lines of onsets in which a key does not matter and loops and ostinati
//! count once ([`line::Line`]). A match counts when it holds [`DIFFERENT`] different tokens or more.

mod automaton;
mod line;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;
use sideman_music::family::Part;

use self::automaton::{Automaton, Match};
use self::line::Line;
use super::compare::Played;
use super::interval::{Estimate, Resamples};
use super::song::{BAR_STEPS, EvalSong};
use super::table::{Table, estimate};
use crate::corpus::{self, Song, Split, Tier};

/// Fewest different tokens of a match that is more than a commonplace.
pub const DIFFERENT: usize = 4;

/// How long a song's longest match is. Both may come from different matches.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct Longest {
    /// Onsets, less those that loops and ostinati repeat.
    pub notes: usize,
    /// Beats that they take.
    pub beats: f64,
}

impl Longest {
    fn or(self, other: Self) -> Self {
        Self { notes: self.notes.max(other.notes), beats: self.beats.max(other.beats) }
    }
}

/// The longest match of a band's part in all songs.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Example {
    /// The test song.
    pub song: String,
    /// The training song.
    pub training: String,
    /// Its length in notes.
    pub notes: usize,
}

/// The distribution over songs of what a band's longest matches are.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Distribution {
    /// Name of the band.
    pub band: String,
    /// The part; none for the longest of all parts.
    pub part: Option<&'static str>,
    /// Songs that have the part.
    pub songs: usize,
    /// Median, 95th percentile and maximum, in notes.
    pub notes: [f64; 3],
    /// The same in beats.
    pub beats: [f64; 3],
    /// Mean in notes over people's.
    pub mean_ratio: Option<Estimate>,
    /// 95th percentile in notes over people's.
    pub high_ratio: Option<Estimate>,
    /// The longest one.
    pub example: Example,
}

/// The check of all bands.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Quotes {
    /// Training songs that were looked through.
    pub training_songs: usize,
    /// By band and part, the tiers together.
    pub distributions: Vec<Distribution>,
}

/// Longest matches of one band's part, one a song; none where the song lacks the part.
struct Found {
    longest: Vec<Option<Longest>>,
    example: Example,
}

/// Looks for what bands quote from the training songs of some tiers. The first band is people's.
///
/// # Errors
/// When the training songs cannot be read.
pub fn check(
    cache: &Path,
    tiers: &[Tier],
    songs: &[EvalSong],
    played: &[&Played],
    resamples: &Resamples,
) -> anyhow::Result<Quotes> {
    let mut lines: [Vec<Line>; 4] = Default::default();
    let mut names = Vec::new();
    for &tier in tiers {
        let training = corpus::load(cache, tier, Split::Train)
            .with_context(|| format!("no training songs in {}", cache.display()))?;
        for song in &training {
            let bar = song.meter.bar_steps();
            for part in Part::ALL {
                lines[part.index()].push(Line::new(part, &song.band.parts[part.index()], bar));
            }
        }
        names.extend(training.iter().map(|s: &Song| s.id.clone()));
    }
    Ok(check_lines(&lines, &names, songs, played, resamples))
}

fn check_lines(
    training: &[Vec<Line>; 4],
    names: &[String],
    songs: &[EvalSong],
    played: &[&Played],
    resamples: &Resamples,
) -> Quotes {
    // By part, then band.
    let mut found: Vec<Vec<Found>> = Vec::new();
    for part in Part::ALL {
        let lines: Vec<Vec<Option<Line>>> = played
            .iter()
            .map(|p| {
                songs
                    .iter()
                    .zip(&p.parts)
                    .map(|(s, parts)| s.has(part).then(|| Line::new(part, &parts[part.index()], BAR_STEPS)))
                    .collect()
            })
            .collect();
        let mut automaton = Automaton::new();
        lines.iter().flatten().flatten().for_each(|l| automaton.add(&l.tokens));
        for (i, text) in training[part.index()].iter().enumerate() {
            automaton.stream(&text.tokens, i as u32);
        }
        automaton.settle();
        found.push(lines.iter().map(|l| matches(&automaton, l, songs, names)).collect());
    }
    let mut distributions = Vec::new();
    for (b, band) in played.iter().enumerate() {
        for (i, part) in Part::ALL.into_iter().enumerate() {
            let (mine, people) = (&found[i][b], &found[i][0]);
            distributions.push(distribution(
                &band.name,
                Some(part.name()),
                &mine.longest,
                &people.longest,
                mine.example.clone(),
                resamples,
            ));
        }
        let all = |b: usize| -> Vec<Option<Longest>> {
            (0..songs.len())
                .map(|s| found.iter().filter_map(|f| f[b].longest[s]).reduce(Longest::or))
                .collect()
        };
        let example = found.iter().map(|f| &f[b].example).max_by_key(|e| e.notes).cloned();
        let example = example.unwrap_or_default();
        distributions.push(distribution(&band.name, None, &all(b), &all(0), example, resamples));
    }
    Quotes { training_songs: names.len(), distributions }
}

fn matches(automaton: &Automaton, lines: &[Option<Line>], songs: &[EvalSong], names: &[String]) -> Found {
    let mut example = Example::default();
    let longest = lines
        .iter()
        .zip(songs)
        .map(|(line, song)| {
            let line = line.as_ref()?;
            let mut best = Longest::default();
            for m in automaton.matches(&line.tokens) {
                let range = m.last + 1 - m.len..m.last + 1;
                // Only what would be the longest so far needs to be looked at.
                let beats = line.gaps[range.clone()].iter().map(|&g| f64::from(g)).sum::<f64>() / 4.0;
                let this = Longest { notes: m.len + 1, beats };
                if this.notes <= best.notes && this.beats <= best.beats {
                    continue;
                }
                if line.tokens[range].iter().collect::<BTreeSet<_>>().len() >= DIFFERENT {
                    best = best.or(this);
                    remember(&mut example, m, song, names);
                }
            }
            Some(best)
        })
        .collect();
    Found { longest, example }
}

fn remember(example: &mut Example, m: Match, song: &EvalSong, names: &[String]) {
    if m.len + 1 > example.notes {
        let training = names.get(m.text as usize).cloned().unwrap_or_default();
        *example = Example { song: song.name.clone(), training, notes: m.len + 1 };
    }
}

fn distribution(
    band: &str,
    part: Option<&'static str>,
    mine: &[Option<Longest>],
    people: &[Option<Longest>],
    example: Example,
    resamples: &Resamples,
) -> Distribution {
    let notes =
        |l: &[Option<Longest>]| -> Vec<Option<f64>> { l.iter().map(|l| l.map(|l| l.notes as f64)).collect() };
    let (own, others) = (notes(mine), notes(people));
    let beats: Vec<Option<f64>> = mine.iter().map(|l| l.map(|l| l.beats)).collect();
    let three = |values: &[Option<f64>]| {
        let once = vec![1.0; values.len()];
        [0.5, 0.95, 1.0].map(|share| quantile(values, &once, share).unwrap_or(0.0))
    };
    Distribution {
        band: band.to_owned(),
        part,
        songs: own.iter().flatten().count(),
        notes: three(&own),
        beats: three(&beats),
        mean_ratio: resamples.quotient(&own, &others),
        high_ratio: resamples.estimate(own.iter().flatten().count(), |w| {
            let (m, p) = (quantile(&own, w, 0.95)?, quantile(&others, w, 0.95)?);
            (p > 0.0).then(|| m / p)
        }),
        example,
    }
}

/// The least value that at least a share of the weight does not exceed.
fn quantile(values: &[Option<f64>], weights: &[f64], share: f64) -> Option<f64> {
    let mut sorted: Vec<(f64, f64)> =
        values.iter().zip(weights).filter_map(|(v, &w)| Some(((*v)?, w))).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = sorted.iter().map(|s| s.1).sum();
    let mut sum = 0.0;
    sorted.iter().filter(|s| s.1 > 0.0).find_map(|&(v, w)| {
        sum += w;
        (sum >= share * total - 1e-9).then_some(v)
    })
}

/// The tables of the check.
pub fn tables(quotes: &Quotes) -> Vec<Table> {
    let head = [
        "band",
        "part",
        "notes: median",
        "95 %",
        "longest",
        "beats: median",
        "95 %",
        "longest",
        "mean over people's",
        "95 % over people's",
    ];
    let title = format!(
        "Longest match of each song with any of {} training songs, in any key; loops and ostinati count once",
        quotes.training_songs
    );
    let mut t = Table::new(title, head).names(2);
    for d in &quotes.distributions {
        let part = d.part.map_or("any".to_owned(), str::to_lowercase);
        let figures =
            d.notes.iter().map(|v| format!("{v:.0}")).chain(d.beats.iter().map(|v| format!("{v:.1}")));
        let ratios = [estimate(d.mean_ratio.as_ref()), estimate(d.high_ratio.as_ref())];
        t.push([d.band.clone(), part].into_iter().chain(figures).chain(ratios));
    }
    let mut longest =
        Table::new("The longest match of all", ["band", "part", "notes", "in", "training song"]).names(5);
    for d in quotes.distributions.iter().filter(|d| d.part.is_some() && d.example.notes > 0) {
        let part = d.part.unwrap_or("").to_lowercase();
        let e = &d.example;
        longest.push([d.band.clone(), part, e.notes.to_string(), e.song.clone(), e.training.clone()]);
    }
    vec![t, longest]
}

#[cfg(test)]
mod tests;
