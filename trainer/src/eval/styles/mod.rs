//! Is each style itself? A classifier that learned the styles from people's bands is asked what a band plays.
//!
//! It learns from training songs whose style is clear ([`crate::recipes::band::export`] ranks songs by style, by their genre
//! label and by what their bands do), eight bars at a time. Songs that a stored style was made from are left
//! out, so that a band gains nothing by remembering them. How well it tells people's own bands apart, on songs
//! that it did not learn from, is given beside the bands' figures: no band can be clearer than that.
//!
//! Eight bars count when drums, bass, and guitar or strings play in them; where one rests there is too little to
//! tell.
//!
//! The labels lean on rules of thumb where a song has no genre label; the classifier may learn the same rules.

mod features;
mod learner;

use std::path::Path;

use anyhow::Context;
use indicatif::ProgressBar;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;
use sideman_engine::{Style, StyleChoice};
use sideman_inference::weights::StoredStyle;
use sideman_music::Meter;

use self::features::{BARS, describe};
use self::learner::{Example, Learner};
use super::accompanist::{Accompanist, Request};
use super::interval::{Estimate, Resamples};
use super::song::{BAR_STEPS, EvalSong, cut_parts};
use crate::data::{self, Song, Split, Tier};
use crate::recipes::band::export::styles::fits;
use crate::recipes::band::grid_song;
use crate::report::table::{Table, estimate, number, percent};

/// Number of styles.
pub const STYLES: usize = Style::ALL.len();
/// Most songs that a style is learned from.
const MOST_SONGS: usize = 60;
/// A style with fewer songs by people takes bands made by rules as well, up to this number.
const FEW_SONGS: usize = 20;
/// Most excerpts of a song.
const EXCERPTS: usize = 3;
/// Pianos that each style is played to.
const PIANOS: usize = 12;
/// Performances of each.
const TAKES: u64 = 2;
/// Bars that are played before the excerpt.
const LEAD_IN: usize = 8;
/// Folds of people's own accuracy.
const FOLDS: usize = 5;

/// How often each style is taken for each.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Recognised {
    /// Who played.
    pub band: String,
    /// `confusion[played][taken for]`, in excerpts.
    pub confusion: Vec<Vec<usize>>,
    /// Share of a style's excerpts that are taken for it, the mean of the styles; by song or piano.
    pub accuracy: Option<Estimate>,
    /// The same of each style.
    pub by_style: Vec<Option<Estimate>>,
}

/// The whole study.
#[derive(Debug, Clone, serde::Serialize)]
pub struct StyleStudy {
    /// Names of the styles.
    pub names: Vec<&'static str>,
    /// Training songs by people and by rules, of each style.
    pub songs: Vec<(usize, usize)>,
    /// Songs that were left out because a stored style may come from them.
    pub left_out: usize,
    /// The training songs, each by a classifier that did not learn from it, then the bands.
    pub rows: Vec<Recognised>,
}

/// A training song of a style.
struct Labelled {
    style: usize,
    group: String,
    excerpts: Vec<Vec<f32>>,
}

/// Studies bands. `codes` are the stored styles of their weights.
///
/// # Errors
/// When the training songs cannot be read, too few have a style, or a band cannot play.
pub fn study(
    cache: &Path,
    songs: &[EvalSong],
    bands: &mut [&mut dyn Accompanist],
    codes: &[StoredStyle],
    seed: u64,
    progress: &ProgressBar,
) -> anyhow::Result<StyleStudy> {
    let mut left_out = 0;
    let mut labelled: Vec<Labelled> = Vec::new();
    let mut counts = vec![(0, 0); STYLES];
    for tier in [Tier::Research, Tier::Open] {
        let wanted: Vec<usize> = counts
            .iter()
            .map(|c| match tier {
                Tier::Research => MOST_SONGS,
                Tier::Open => FEW_SONGS.saturating_sub(c.0),
            })
            .collect();
        if wanted.iter().all(|&w| w == 0) {
            continue;
        }
        let training = data::load(cache, tier, Split::Train)
            .with_context(|| format!("no training songs in {}", cache.display()))?;
        for one in label(tier, &training, codes, &wanted, seed, &mut left_out) {
            let count = &mut counts[one.style];
            *(if tier == Tier::Research { &mut count.0 } else { &mut count.1 }) += 1;
            labelled.push(one);
        }
    }
    anyhow::ensure!(
        counts.iter().filter(|c| c.0 + c.1 >= FOLDS).count() >= 2,
        "fewer than two styles have {FOLDS} training songs: prepare a larger corpus, or leave --styles out"
    );
    let mut rows = vec![people(&labelled, seed)];
    let learner = Learner::fit(&examples(&labelled, |_| true), STYLES, seed);
    let pianos = pianos(songs, seed);
    for band in bands {
        rows.push(recognise(&mut **band, &pianos, songs, &learner, seed, progress)?);
    }
    Ok(StyleStudy { names: Style::ALL.map(Style::name).to_vec(), songs: counts, left_out, rows })
}

/// The songs of each style, those that fit it best first, as many as wanted; each song in one style.
fn label(
    tier: Tier,
    training: &[Song],
    codes: &[StoredStyle],
    wanted: &[usize],
    seed: u64,
    left_out: &mut usize,
) -> Vec<Labelled> {
    let mut ranked: Vec<Vec<(f32, usize)>> = vec![Vec::new(); STYLES];
    for (i, song) in training.iter().enumerate() {
        let clean = song.meter == Meter::COMMON
            && song.on_grid >= 0.7
            && song.parts_present[..2] == [true; 2]
            && song.parts_present[2..].contains(&true)
            && song.bars() >= 4 * BARS;
        let Some(grid) = grid_song(song).filter(|_| clean) else { continue };
        let fits = fits(&grid, song);
        let (style, fit) = match tier {
            // The style that the song fits best, where it fits one.
            Tier::Research => {
                let best = fits.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
                let Some((name, fit)) = best.filter(|b| b.1 >= 0.5) else { continue };
                (name, fit)
            }
            // The style that its band was made for; among those the ones that fit it best go first.
            Tier::Open => {
                let Some(style) = made_for(song) else { continue };
                (style.name(), fits.iter().find(|f| f.0 == style.name()).map_or(0.0, |f| f.1))
            }
        };
        let Some(index) = Style::ALL.iter().position(|s| s.name() == style) else { continue };
        if wanted[index] == 0 {
            continue;
        }
        if is_code(song, style, codes) {
            *left_out += 1;
            continue;
        }
        ranked[index].push((fit, i));
    }
    let mut rng = Pcg64::seed_from_u64(seed);
    let mut out = Vec::new();
    for (style, list) in ranked.iter_mut().enumerate() {
        // Many fit equally well; which of them is drawn.
        list.shuffle(&mut rng);
        list.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut groups: Vec<&str> = Vec::new();
        for &(_, i) in list.iter() {
            let song = &training[i];
            if groups.len() == wanted[style] {
                break;
            }
            if groups.contains(&song.group.as_str()) {
                continue;
            }
            let excerpts = excerpts(song);
            if !excerpts.is_empty() {
                groups.push(&song.group);
                out.push(Labelled { style, group: song.group.clone(), excerpts });
            }
        }
    }
    out
}

/// The style that a band made by rules was made for, by the labels of its corpus.
fn made_for(song: &Song) -> Option<Style> {
    if song.style.as_deref().is_some_and(|s| s.ends_with("hiphop")) {
        return Some(Style::HipHop);
    }
    let genre = song.genre.as_deref()?;
    Style::ALL.into_iter().find(|style| style.labels()[0].contains(&genre))
}

/// Whether a stored style of this name may have been made from a song: hardly another song has the same tempo
/// to the last bit and the same instruments.
fn is_code(song: &Song, style: &str, codes: &[StoredStyle]) -> bool {
    codes.iter().any(|c| c.style == style && c.bpm == song.bpm && c.programs == song.programs)
}

/// Excerpts spread over a song, those in which the three parts play.
fn excerpts(song: &Song) -> Vec<Vec<f32>> {
    let places: Vec<usize> = (BARS / 2..(song.bars() + 1).saturating_sub(BARS)).step_by(BARS).collect();
    let all: Vec<Vec<f32>> = places.iter().filter_map(|&at| describe(&song.band.parts, at)).collect();
    let n = all.len();
    (0..EXCERPTS.min(n)).map(|k| all[k * n / EXCERPTS.min(n)].clone()).collect()
}

fn examples<'a>(songs: &'a [Labelled], wanted: impl Fn(usize) -> bool) -> Vec<Example<'a>> {
    let songs = songs.iter().enumerate().filter(|(i, _)| wanted(*i));
    songs.flat_map(|(_, s)| s.excerpts.iter().map(|row| Example { row, class: s.style })).collect()
}

/// How people's own bands are told, each by a classifier that did not learn from its song.
fn people(songs: &[Labelled], seed: u64) -> Recognised {
    let mut groups: Vec<&str> = songs.iter().map(|s| s.group.as_str()).collect();
    groups.sort_unstable();
    groups.dedup();
    groups.shuffle(&mut Pcg64::seed_from_u64(seed));
    let fold = |s: &Labelled| groups.iter().position(|g| *g == s.group).unwrap_or(0) % FOLDS;
    let folds: Vec<usize> = songs.iter().map(fold).collect();
    let mut told: Vec<(usize, usize, usize)> = Vec::new();
    for k in 0..FOLDS {
        let learner = Learner::fit(&examples(songs, |i| folds[i] != k), STYLES, seed + 1 + k as u64);
        for (i, song) in songs.iter().enumerate().filter(|(i, _)| folds[*i] == k) {
            told.extend(song.excerpts.iter().map(|row| (i, song.style, learner.tell(row))));
        }
    }
    let resamples = Resamples::new(songs.len(), 1000, seed);
    recognised("training songs, held out".to_owned(), &told, &resamples)
}

/// The test songs whose pianos are played to: those that play in the excerpt, drawn by the seed.
fn pianos(songs: &[EvalSong], seed: u64) -> Vec<usize> {
    let bars = (LEAD_IN + BARS) as i64;
    let plays = |s: &EvalSong| {
        let mut silent = vec![true; bars as usize];
        for n in &s.piano {
            if let Some(b) = silent.get_mut((step_of_bar(n.onset)).max(0) as usize) {
                *b = false;
            }
        }
        s.bars as i64 >= bars && silent.iter().filter(|&&s| s).count() <= 2
    };
    let mut fit: Vec<usize> = (0..songs.len()).filter(|&i| plays(&songs[i])).collect();
    fit.shuffle(&mut Pcg64::seed_from_u64(seed));
    fit.truncate(PIANOS);
    fit
}

fn step_of_bar(onset: i64) -> i64 {
    super::song::step_of(onset).div_euclid(BAR_STEPS)
}

fn recognise(
    band: &mut dyn Accompanist,
    pianos: &[usize],
    songs: &[EvalSong],
    learner: &Learner,
    seed: u64,
    progress: &ProgressBar,
) -> anyhow::Result<Recognised> {
    progress.set_message(format!("{} in all styles", band.name()));
    progress.inc_length((STYLES * pianos.len()) as u64);
    let mut told = Vec::new();
    for (style, name) in Style::ALL.into_iter().enumerate() {
        for (p, &i) in pianos.iter().enumerate() {
            let song = songs[i].shortened(LEAD_IN + BARS);
            for take in 0..TAKES {
                let mut request = Request { take, ..Request::new(i, &song) };
                request.controls = request.controls.with_parts([true; 4]);
                request.controls.style = StyleChoice::Fixed(name);
                let parts = cut_parts(&band.play(&request)?, song.bars, [true; 4]);
                // A band of which two parts hardly play is not told at all.
                if let Some(row) = describe(&parts, LEAD_IN) {
                    told.push((p, style, learner.tell(&row)));
                }
            }
            progress.inc(1);
        }
    }
    let resamples = Resamples::new(pianos.len(), 1000, seed);
    Ok(recognised(band.name().to_owned(), &told, &resamples))
}

/// `told` holds song, style and what it was taken for, of each excerpt.
fn recognised(band: String, told: &[(usize, usize, usize)], resamples: &Resamples) -> Recognised {
    let mut confusion = vec![vec![0; STYLES]; STYLES];
    for &(_, style, taken) in told {
        confusion[style][taken] += 1;
    }
    let share = |style: usize, w: &[f64]| {
        let (mut right, mut all) = (0.0, 0.0);
        for &(song, _, taken) in told.iter().filter(|t| t.1 == style) {
            all += w[song];
            right += if taken == style { w[song] } else { 0.0 };
        }
        (all > 0.0).then(|| right / all)
    };
    let applies = |style: usize| {
        let mut songs: Vec<usize> = told.iter().filter(|t| t.1 == style).map(|t| t.0).collect();
        songs.dedup();
        songs.len()
    };
    let by_style = (0..STYLES).map(|s| resamples.estimate(applies(s), |w| share(s, w))).collect();
    let accuracy = resamples.estimate((0..STYLES).map(applies).sum(), |w| {
        let shares: Vec<f64> = (0..STYLES).filter_map(|s| share(s, w)).collect();
        (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
    });
    Recognised { band, confusion, accuracy, by_style }
}

/// The tables of the study.
pub fn tables(study: &StyleStudy) -> Vec<Table> {
    let title = format!(
        "Styles told from eight bars by a classifier that learned them from people's bands (chance {}; {} songs left \
         out that stored styles may come from)",
        number(1.0 / STYLES as f64),
        study.left_out
    );
    let head = ["who plays".to_owned(), "all styles".to_owned()];
    let mut t = Table::new(title, head.into_iter().chain(study.names.iter().map(|n| (*n).to_owned())));
    let learned = study.songs.iter().map(|(people, rules)| match rules {
        0 => people.to_string(),
        _ => format!("{people} + {rules} by rules"),
    });
    t.push(["training songs".to_owned(), String::new()].into_iter().chain(learned));
    for row in &study.rows {
        let cells = row.by_style.iter().map(|e| estimate(e.as_ref()));
        t.push([row.band.clone(), estimate(row.accuracy.as_ref())].into_iter().chain(cells));
    }
    let mut out = vec![t];
    for row in &study.rows {
        let title = format!("{}: style played (down) and taken for (across)", row.band);
        let head = ["", "excerpts"].into_iter().chain(study.names.iter().copied());
        let mut t = Table::new(title, head);
        for (name, counts) in study.names.iter().zip(&row.confusion) {
            let all = counts.iter().sum::<usize>().max(1) as f64;
            let cells = counts.iter().map(|&n| if n == 0 { String::new() } else { percent(n as f64 / all) });
            let number = counts.iter().sum::<usize>().to_string();
            t.push([(*name).to_owned(), number].into_iter().chain(cells));
        }
        out.push(t);
    }
    out
}

#[cfg(test)]
mod tests;
