//! The report as one page that needs nothing else: tables, charts and piano rolls.

mod chart;
pub(crate) mod roll;

use sideman_engine::{Style, StyleChoice};
use sideman_music::family::Part;

use self::chart::{Dots, Lines, Series};
use self::roll::{Block, Roll};
use super::accompanist::{Accompanist, Request};
use super::compare::{PEOPLE, Played, SHUFFLED};
use super::engine_band::RULES;
use super::features::View;
use super::figures::Metric;
use super::interval::Estimate;
use super::report::{headline, tables};
use super::run::BandReport;
use super::song::{EvalSong, Parts, bar_of, cut_parts};
use super::{breakdown, control_response, memorization, seeds, styles, targets};
use crate::report::table::Table;
use crate::report::{Page, picture};

/// Songs that are shown as piano rolls.
const ROLLS: usize = 5;
/// Bars of a roll.
const BARS: usize = 8;
/// Bars that a band plays before the bars that show its style.
const LEAD_IN: usize = 8;

/// Writes the page. The bands play some bars more, to show their styles.
///
/// # Errors
/// When a band cannot play or a picture cannot be drawn.
pub fn page(
    report: &BandReport,
    songs: &[EvalSong],
    played: &[Played],
    bands: &mut [&mut dyn Accompanist],
) -> anyhow::Result<String> {
    let html = |tables: Vec<Table>| tables.iter().map(Table::html).collect::<String>();
    let c = &report.comparison;
    let mut page = Page::new("Evaluation of the band").with_lead(&headline(c));
    page.linked_section(
        "targets",
        "Targets",
        "A figure is met when it lies within the bounds, within chance when only its 95 % interval \
                    reaches into them.",
        &(html(targets::tables(&report.targets))),
    );
    page.linked_section(
        "figures",
        "Beside people and the controls",
        "Coupling says how much of the tie between people's bands and their pianos is there: 0 is a band \
                    to another song's piano, 1 is people. Told apart is the area under the curve of a classifier \
                    that sees four bars of a part: .5 is not at all.",
        &(figure_charts(report)? + &html(tables(c))),
    );
    page.linked_section(
        "kinds",
        "By kind of song and tempo",
        "",
        &(html(report.breakdowns.iter().map(breakdown::table).collect())),
    );
    page.linked_section(
        "seeds",
        "Two seeds",
        "The second takes are also rows of the tables above: both should be good.",
        &(if report.takes.is_empty() { String::new() } else { seeds::table(&report.takes).html() }),
    );
    page.linked_section(
        "styles",
        "Styles",
        "Eight bars to the same piano in each style, after eight bars that are not shown.",
        &(style_chart(report)?
            + &html(report.styles.iter().flat_map(styles::tables).collect())
            + &style_rolls(songs, bands)?),
    );
    page.linked_section(
        "controls",
        "Controls",
        "",
        &(control_charts(report)?
            + &html(
                report
                    .controls
                    .chunk_by(|a, b| a.band == b.band)
                    .flat_map(control_response::tables)
                    .collect(),
            )),
    );
    page.linked_section(
        "quotes",
        "Quotes",
        "The longest match of each song's band with any training song. People's test songs share no \
                    group with a training song: what they have in common with one is what music has in common.",
        &(memorization_chart(report)? + &html(report.memorization.iter().flat_map(memorization::tables).collect())),
    );
    page.linked_section(
        "rolls",
        "People's bands and the models' to the same pianos",
        "Eight bars from the middle of some songs. Brighter is louder; the chords of the piano lie on top.",
        &(song_rolls(songs, played)?),
    );
    Ok(page.html())
}

/// A figure of each band in each group.
fn series<'a>(
    bands: impl Iterator<Item = &'a str>,
    mut of: impl FnMut(&str) -> Vec<Option<Estimate>>,
) -> Vec<Series> {
    let all = bands.map(|band| Series { name: band.to_owned(), values: of(band) });
    all.filter(|s| s.values.iter().any(Option::is_some)).collect()
}

fn figure_charts(report: &BandReport) -> anyhow::Result<String> {
    let c = &report.comparison;
    let row = |name: &str| c.rows.iter().find(|r| r.name == name);
    let names = || c.rows.iter().map(|r| r.name.as_str()).filter(|n| *n != PEOPLE && *n != SHUFFLED);
    let coupling = Dots {
        title: "Coupling with the piano; shaded: the target".to_owned(),
        groups: Metric::COUPLED.iter().map(|f| f.name().to_owned()).collect(),
        series: series(names(), |n| {
            Metric::COUPLED.map(|f| row(n).and_then(|r| r.cell(f)).and_then(|c| c.coupling)).to_vec()
        }),
        range: (0.0, 1.8),
        shaded: Some((0.85, 1.15)),
        line: Some(1.0),
    };
    let mut out = coupling.figure()?;
    for view in [View::Notes, View::Touch] {
        let areas = |n: &str| -> Vec<Option<Estimate>> {
            Part::ALL
                .map(|p| {
                    let found =
                        row(n)?.discrimination.iter().find(|t| t.view == view && t.part == p.name())?;
                    Some(found.result.area)
                })
                .to_vec()
        };
        let chart = Dots {
            title: format!("Told apart by {}; shaded: the target", view.what()),
            groups: Part::ALL.map(|p| p.name().to_lowercase()).to_vec(),
            series: series(names(), areas),
            range: (0.4, 1.0),
            shaded: Some((0.4, 0.8)),
            line: Some(0.5),
        };
        out.push_str(&chart.figure()?);
    }
    Ok(out)
}

fn style_chart(report: &BandReport) -> anyhow::Result<String> {
    let Some(study) = &report.styles else { return Ok(String::new()) };
    let row = |n: &str| study.rows.iter().find(|r| r.band == n);
    let chart = Dots {
        title: "Share of eight bars that are taken for the style they are in; line: chance".to_owned(),
        groups: study.names.iter().map(|n| (*n).to_owned()).collect(),
        series: series(study.rows.iter().map(|r| r.band.as_str()), |n| {
            row(n).map_or(Vec::new(), |r| r.by_style.clone())
        }),
        range: (0.0, 1.0),
        shaded: None,
        line: Some(1.0 / study.names.len() as f64),
    };
    chart.figure()
}

fn memorization_chart(report: &BandReport) -> anyhow::Result<String> {
    let Some(found) = &report.memorization else { return Ok(String::new()) };
    let mut bands: Vec<&str> = found.distributions.iter().map(|d| d.band.as_str()).collect();
    bands.dedup();
    let parts: Vec<Option<&str>> = Part::ALL.iter().map(|p| Some(p.name())).chain([None]).collect();
    let chart = Dots {
        title:
            "Longest match with a training song, in bits of surprise: median over people's; shaded: the target"
                .to_owned(),
        groups: parts.iter().map(|p| p.map_or("any part".to_owned(), str::to_lowercase)).collect(),
        series: series(bands.into_iter().filter(|b| *b != PEOPLE), |n| {
            let find = |p: &Option<&str>| found.distributions.iter().find(|d| d.band == n && d.part == *p);
            parts.iter().map(|p| find(p).and_then(|d| d.median_ratio)).collect()
        }),
        range: (0.0, 2.0),
        shaded: Some((0.0, 1.0)),
        line: Some(1.0),
    };
    chart.figure()
}

/// For each target of each control a panel, the bands as lines.
fn control_charts(report: &BandReport) -> anyhow::Result<String> {
    let Some(first) = report.controls.first() else { return Ok(String::new()) };
    let mut panels = Vec::new();
    for control in report.controls.iter().filter(|t| t.band == first.band) {
        for target in &control.targets {
            let lines = report
                .controls
                .iter()
                .filter(|t| t.control == control.control)
                .filter_map(|t| {
                    let same = t.targets.iter().find(|x| x.effect == target.effect)?;
                    Some((t.band.clone(), same.means.clone()))
                })
                .collect();
            let title = format!("{}: {}", control.control, target.effect);
            panels.push(Lines { title, places: control.places.clone(), lines });
        }
    }
    chart::panels("What each control moves", &panels)
}

/// The first bar of a stretch of [`BARS`] in which people's parts and the piano play most, about the middle.
fn lively(song: &EvalSong) -> usize {
    let playing = |first: usize| {
        let plays = |notes: &[sideman_music::score::Note], bar: usize| {
            notes.iter().any(|n| bar_of(n.onset) == bar as i64)
        };
        let parts = song.people.iter().chain([&song.piano]);
        parts.map(|notes| (first..first + BARS).filter(|&b| plays(notes, b)).count()).sum::<usize>()
    };
    let places = (0..=song.bars.saturating_sub(BARS)).step_by(4);
    let middle = (song.bars / 2) as i64;
    places.max_by_key(|&p| (playing(p), -(p as i64 - middle).abs())).unwrap_or(0)
}

fn song_rolls(songs: &[EvalSong], played: &[Played]) -> anyhow::Result<String> {
    let rows: Vec<&Played> =
        played.iter().filter(|p| p.is_own() && p.name != RULES && !p.name.contains(", seed")).collect();
    let mut out = String::new();
    let full = (0..songs.len()).filter(|&i| songs[i].present == [true; 4] && songs[i].bars >= BARS);
    for i in full.take(ROLLS) {
        let first = lively(&songs[i]);
        let blocks: Vec<Block<'_>> =
            rows.iter().map(|p| Block { name: &p.name, parts: &p.parts[i] }).collect();
        let title = format!("Bars {} to {}, {:.0} bpm", first + 1, first + BARS, songs[i].bpm);
        let roll = Roll { title: &title, piano: &songs[i].piano, blocks: &blocks, first, bars: BARS };
        out.push_str(&picture::figure(&roll.draw()?, &format!("{}: {title}", songs[i].name))?);
    }
    Ok(out)
}

fn style_rolls(songs: &[EvalSong], bands: &mut [&mut dyn Accompanist]) -> anyhow::Result<String> {
    // A piano that plays in all bars that are shown.
    let plays = |s: &EvalSong| {
        (0..LEAD_IN + BARS).filter(|&b| s.piano.iter().any(|n| bar_of(n.onset) == b as i64)).count()
    };
    let fit = songs.iter().enumerate().filter(|(_, s)| s.bars >= LEAD_IN + BARS);
    let Some((i, song)) = fit.max_by_key(|(i, s)| (plays(s), std::cmp::Reverse(*i))) else {
        return Ok(String::new());
    };
    let song = song.shortened(LEAD_IN + BARS);
    let mut out = String::new();
    for style in Style::ALL {
        let mut music: Vec<(String, Parts)> = Vec::new();
        for band in bands.iter_mut() {
            let mut request = Request::new(i, &song);
            request.controls = request.controls.with_parts([true; 4]);
            request.controls.style = StyleChoice::Fixed(style);
            let parts = cut_parts(&band.play(&request)?, song.bars, [true; 4]);
            music.push((band.name().to_owned(), parts));
        }
        let blocks: Vec<Block<'_>> = music.iter().map(|(name, parts)| Block { name, parts }).collect();
        let roll =
            Roll { title: style.name(), piano: &song.piano, blocks: &blocks, first: LEAD_IN, bars: BARS };
        out.push_str(&picture::figure(&roll.draw()?, &format!("{style}, to the piano of {}", song.name))?);
    }
    Ok(out)
}

#[cfg(test)]
mod tests;
