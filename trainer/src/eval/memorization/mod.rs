//! Does a band quote? Its longest matches with training songs, beside those of people who never saw them.
//!
//! Common turns of phrase match everywhere, so the length of a match alone says nothing. The yardstick is
//! the test songs' own bands: other people, whose songs share no group with a training song. A band whose
//! longest matches are no longer than theirs does not quote more than anyone does.
//!
//! What is compared, a part at a time, are lines of onsets in which a key does not matter and loops and ostinati
//! count once (`line::Line`). A match is as long as it says something: each onset counts by its surprise, the
//! bits of how rare its time and interval (or drums) are in the training songs. Eighths that stay on a note say
//! next to nothing, a leap on an odd 16th much. How many notes and beats that match has is given as well.

mod automaton;
mod line;

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context;
use sideman_music::family::Part;

use self::automaton::{Automaton, Token};
use self::line::Line;
use super::compare::Played;
use super::interval::{Estimate, Resamples};
use super::song::{BAR_STEPS, EvalSong};
use crate::data::{self, Song, Split, Tier};
use crate::report::table::{Table, estimate};

/// A song's longest match: the one that says most.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct Longest {
    /// Surprise in bits.
    pub bits: f64,
    /// Onsets, less those that loops and ostinati repeat.
    pub notes: usize,
    /// Beats that they take.
    pub beats: f64,
}

impl Longest {
    fn or(self, other: Self) -> Self {
        if other.bits > self.bits { other } else { self }
    }
}

/// How surprising each token is, in bits, by how often the training songs have it.
struct Surprise {
    counts: HashMap<Token, u32>,
    all: f64,
}

impl Surprise {
    fn new(training: &[Line]) -> Self {
        let mut counts = HashMap::new();
        let mut all = 0.0;
        for &token in training.iter().flat_map(|l| &l.tokens) {
            *counts.entry(token).or_insert(0) += 1;
            all += 1.0;
        }
        Self { counts, all }
    }

    /// What matches was found there, so that it has a count.
    fn bits(&self, token: Token) -> f64 {
        self.counts.get(&token).map_or(0.0, |&n| (self.all / f64::from(n)).log2())
    }
}

/// The longest match of a band's part in all songs.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Example {
    /// The test song.
    pub song: String,
    /// The training song.
    pub training: String,
    /// What it is.
    pub longest: Longest,
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
    /// Median, 95th percentile and maximum of the surprise, in bits.
    pub bits: [f64; 3],
    /// The same in notes.
    pub notes: [f64; 3],
    /// The same in beats.
    pub beats: [f64; 3],
    /// Median surprise over people's.
    pub median_ratio: Option<Estimate>,
    /// 95th percentile of the surprise over people's.
    pub high_ratio: Option<Estimate>,
    /// The longest one.
    pub example: Example,
}

/// The check of all bands.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Memorization {
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
) -> anyhow::Result<Memorization> {
    let mut lines: [Vec<Line>; 4] = Default::default();
    let mut names = Vec::new();
    for &tier in tiers {
        let training = data::load(cache, tier, Split::Train)
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
) -> Memorization {
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
        let surprise = Surprise::new(&training[part.index()]);
        found.push(lines.iter().map(|l| matches(&automaton, &surprise, l, songs, names)).collect());
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
        let example = found
            .iter()
            .map(|f| &f[b].example)
            .max_by(|a, b| a.longest.bits.total_cmp(&b.longest.bits))
            .cloned();
        let example = example.unwrap_or_default();
        distributions.push(distribution(&band.name, None, &all(b), &all(0), example, resamples));
    }
    Memorization { training_songs: names.len(), distributions }
}

fn matches(
    automaton: &Automaton,
    surprise: &Surprise,
    lines: &[Option<Line>],
    songs: &[EvalSong],
    names: &[String],
) -> Found {
    let mut example = Example::default();
    let mut of_song = |line: &Line, song: &EvalSong| {
        // Sums up to each token, so that any stretch is a difference.
        let mut bits = vec![0.0];
        line.tokens.iter().for_each(|&t| bits.push(bits[bits.len() - 1] + surprise.bits(t)));
        let mut best = Longest::default();
        for m in automaton.matches(&line.tokens) {
            let first = m.last + 1 - m.len;
            let beats = line.gaps[first..=m.last].iter().map(|&g| f64::from(g)).sum::<f64>() / 4.0;
            let this = Longest { bits: bits[m.last + 1] - bits[first], notes: m.len + 1, beats };
            best = best.or(this);
            if this.bits > example.longest.bits {
                let training = names.get(m.text as usize).cloned().unwrap_or_default();
                example = Example { song: song.name.clone(), training, longest: this };
            }
        }
        best
    };
    let longest = lines.iter().zip(songs).map(|(l, s)| Some(of_song(l.as_ref()?, s))).collect();
    Found { longest, example }
}

fn distribution(
    band: &str,
    part: Option<&'static str>,
    mine: &[Option<Longest>],
    people: &[Option<Longest>],
    example: Example,
    resamples: &Resamples,
) -> Distribution {
    let each = |l: &[Option<Longest>], f: fn(Longest) -> f64| -> Vec<Option<f64>> {
        l.iter().map(|l| l.map(f)).collect()
    };
    let (own, others) = (each(mine, |l| l.bits), each(people, |l| l.bits));
    let three = |values: &[Option<f64>]| {
        let once = vec![1.0; values.len()];
        [0.5, 0.95, 1.0].map(|share| quantile(values, &once, share).unwrap_or(0.0))
    };
    // Medians and percentiles, because people's bands hold a few songs that are versions of training songs after all.
    let ratio = |share: f64| {
        resamples.estimate(own.iter().flatten().count(), |w| {
            let (m, p) = (quantile(&own, w, share)?, quantile(&others, w, share)?);
            (p > 0.0).then(|| m / p)
        })
    };
    Distribution {
        band: band.to_owned(),
        part,
        songs: own.iter().flatten().count(),
        bits: three(&own),
        notes: three(&each(mine, |l| l.notes as f64)),
        beats: three(&each(mine, |l| l.beats)),
        median_ratio: ratio(0.5),
        high_ratio: ratio(0.95),
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
pub fn tables(quotes: &Memorization) -> Vec<Table> {
    let mut head = vec!["band", "part"];
    for what in ["bits: median", "notes: median", "beats: median"] {
        head.extend([what, "95 %", "longest"]);
    }
    head.extend(["median bits over people's", "95 % of bits over people's"]);
    let title = format!(
        "Longest match of each song with any of {} training songs, in any key; loops and ostinati count once, notes \
         by their surprise",
        quotes.training_songs
    );
    let mut t = Table::new(title, head).names(2);
    for d in &quotes.distributions {
        let part = d.part.map_or("any".to_owned(), str::to_lowercase);
        let whole = |v: &f64| format!("{v:.0}");
        let figures =
            d.bits.iter().chain(&d.notes).map(whole).chain(d.beats.iter().map(|v| format!("{v:.1}")));
        let ratios = [estimate(d.median_ratio.as_ref()), estimate(d.high_ratio.as_ref())];
        t.push([d.band.clone(), part].into_iter().chain(figures).chain(ratios));
    }
    let head = ["band", "part", "bits", "notes", "beats", "in", "training song"];
    let mut longest = Table::new("The longest match of all", head).names(head.len());
    for d in quotes.distributions.iter().filter(|d| d.part.is_some() && d.example.longest.notes > 0) {
        let part = d.part.unwrap_or("").to_lowercase();
        let Example { song, training, longest: Longest { bits, notes, beats } } = &d.example;
        let figures = [format!("{bits:.0}"), notes.to_string(), format!("{beats:.1}")];
        longest
            .push([d.band.clone(), part].into_iter().chain(figures).chain([song.clone(), training.clone()]));
    }
    vec![t, longest]
}

#[cfg(test)]
mod tests;
