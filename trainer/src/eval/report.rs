//! The comparison as tables and CSV.

use sideman_music::family::Part;

use super::compare::{Comparison, PartDiscrimination, Row};
use super::features::View;
use super::figures::Metric;
use super::interval::Estimate;
use super::key_change::{BACK, WINDOW};
use crate::report::table::{Table, estimate};

/// What was measured, in a line.
pub fn headline(c: &Comparison) -> String {
    format!(
        "{} songs, {} bars of 4/4; drums in {}, bass in {}, guitar in {}, strings in {}; seed {}; in brackets: \
         95 % by song",
        c.songs, c.bars, c.with_part[0], c.with_part[1], c.with_part[2], c.with_part[3], c.seed
    )
}

/// The tables of a comparison.
pub fn tables(c: &Comparison) -> Vec<Table> {
    let by = |f: fn(Part) -> Metric, parts: &[Part]| parts.iter().map(|&p| f(p)).collect::<Vec<_>>();
    let pitched = &Part::ALL[1..];
    let plain_ones = [
        (
            "Time (dynamics: how the band's loudness follows the piano's)",
            vec![Metric::KickBass, Metric::Groove, Metric::Follow, Metric::Dynamics, Metric::DrumPattern],
        ),
        ("EB: empty bars", by(Metric::EmptyBars, &Part::ALL)),
        ("NPB: notes a bar", by(Metric::NotesPerBar, &Part::ALL)),
        ("UPC: pitch classes a sounding bar", by(Metric::PitchClasses, pitched)),
        ("QN: notes of a 32nd or more", by(Metric::QualifiedNotes, pitched)),
        ("Distinct bars over sounding bars", by(Metric::DistinctBars, &Part::ALL)),
        ("Longest run of equal bars", by(Metric::LongestRun, &Part::ALL)),
        ("Stuck: share of songs with a bar played 16 times on end or more", by(Metric::Stuck, &Part::ALL)),
    ];
    let mut out = vec![coupled(c)];
    out.extend(plain_ones.into_iter().map(|(title, figures)| plain(c, title, &figures)));
    out.push(variety(c));
    out.extend(View::ALL.map(|view| discrimination_table(c, view)));
    out.push(tells(c));
    out.extend([speed(c), jumps(c)]);
    out.retain(|t| !t.is_empty());
    out
}

fn coupled(c: &Comparison) -> Table {
    let head = Metric::COUPLED.iter().flat_map(|f| [f.name(), "coupling"]);
    let title = "Tied to the piano (coupling: shuffled 0, people 1)";
    let mut t = Table::new(title, std::iter::once("band").chain(head));
    for row in &c.rows {
        let cells = Metric::COUPLED.iter().flat_map(|&f| {
            let cell = row.cell(f);
            [estimate(cell.map(|c| &c.value)), estimate(cell.and_then(|c| c.coupling.as_ref()))]
        });
        t.push(std::iter::once(row.name.clone()).chain(cells));
    }
    t
}

fn plain(c: &Comparison, title: &str, figures: &[Metric]) -> Table {
    let head = figures.iter().map(|f| match f.part() {
        Some(p) if *f != Metric::DrumPattern => p.name().to_lowercase(),
        _ => f.name().to_owned(),
    });
    let mut t = Table::new(title, std::iter::once("band".to_owned()).chain(head));
    for row in &c.rows {
        let cells = figures.iter().map(|&f| estimate(row.cell(f).map(|c| &c.value)));
        t.push(std::iter::once(row.name.clone()).chain(cells));
    }
    t
}

fn variety(c: &Comparison) -> Table {
    let mut figures = vec![Metric::ChordEntropy];
    figures.extend(Part::ALL.map(Metric::DistinctBars));
    let head = ["band", "chord entropy, bits", "chords", "drums", "bass", "guitar", "strings"];
    let mut t = Table::new("How varied: chord entropy, and chords and distinct bars over people's", head);
    for row in &c.rows {
        let mut line = vec![row.name.clone(), estimate(row.cell(Metric::ChordEntropy).map(|c| &c.value))];
        line.extend(figures.iter().map(|&f| estimate(row.cell(f).and_then(|c| c.against_people.as_ref()))));
        t.push(line);
    }
    t
}

fn discrimination_table(c: &Comparison, view: View) -> Table {
    let title = format!(
        "Told apart from people by {}: area under the curve, the better of boosted trees and logistic \
         regression; .5 is not at all",
        view.what()
    );
    let mut t = Table::new(title, ["band", "drums", "bass", "guitar", "strings"]);
    for row in c.rows.iter().filter(|r| !r.discrimination.is_empty()) {
        let cells = Part::ALL.map(|p| estimate(find(row, p, view).map(|t| &t.result.area)));
        t.push(std::iter::once(row.name.clone()).chain(cells));
    }
    t
}

fn find(row: &Row, part: Part, view: View) -> Option<&PartDiscrimination> {
    row.discrimination.iter().find(|t| t.part == part.name() && t.view == view)
}

/// What gives each model away most, where anything does.
fn tells(c: &Comparison) -> Table {
    let head = ["band", "part", "what the trees went by, and by how many deviations the band has more of it"];
    let mut t = Table::new("What gives them away", head).names(head.len());
    for row in c.rows.iter().filter(|r| r.times_real_time.is_some()) {
        for part in Part::ALL {
            let Some(d) = find(row, part, View::Touch) else { continue };
            if d.result.area.low > 0.5 {
                let tells: Vec<String> = d.result.tells[..d.result.tells.len().min(5)]
                    .iter()
                    .map(|t| format!("{} ({:+.1})", t.name, t.model_more))
                    .collect();
                t.push([row.name.clone(), part.name().to_lowercase(), tells.join(", ")]);
            }
        }
    }
    t
}

fn speed(c: &Comparison) -> Table {
    let mut t = Table::new("Speed: seconds of music a second of computing", ["band", "times real time"]);
    for row in &c.rows {
        if let Some(speed) = row.times_real_time {
            t.push([row.name.clone(), format!("{speed:.0}")]);
        }
    }
    t
}

fn jumps(c: &Comparison) -> Table {
    let title = format!(
        "The piano jumps by a tritone: beats until {:.0} % of coupling is back over {WINDOW} beats, and coupling \
         by beat after the jump",
        BACK * 100.0
    );
    let beats = (1..=8).map(|b| b.to_string());
    let mut t = Table::new(title, ["band".to_owned(), "back after".to_owned()].into_iter().chain(beats));
    for row in &c.rows {
        if let Some(jump) = &row.key_change {
            let back = jump.back_after.map_or("never".to_owned(), |b| format!("{b}"));
            let first = jump.beats.iter().take(8).map(|b| estimate(b.as_ref()));
            t.push([row.name.clone(), back].into_iter().chain(first));
        }
    }
    t
}

/// Every figure as a row of `row,figure,part,songs,value,low,high`.
///
/// # Errors
/// When writing fails.
pub fn csv(c: &Comparison) -> anyhow::Result<Vec<u8>> {
    let mut w = csv::Writer::from_writer(Vec::new());
    w.write_record(["row", "figure", "part", "songs", "value", "low", "high"])?;
    let mut put = |row: &str, figure: &str, part: &str, e: &Estimate| {
        let numbers = [e.value, e.low, e.high].map(|v| format!("{v:.6}"));
        w.write_record([row, figure, part, &e.songs.to_string(), &numbers[0], &numbers[1], &numbers[2]])
    };
    for row in &c.rows {
        for cell in &row.cells {
            let part = cell.part.unwrap_or("");
            put(&row.name, cell.figure, part, &cell.value)?;
            if let Some(e) = &cell.coupling {
                put(&row.name, &format!("coupling {}", cell.figure), part, e)?;
            }
            if let Some(e) = &cell.against_people {
                put(&row.name, &format!("{} over people's", cell.figure), part, e)?;
            }
        }
        for d in &row.discrimination {
            let figure = format!("told apart by {}", d.view.what());
            put(&row.name, &figure, d.part, &d.result.area)?;
        }
        for (k, e) in row.key_change.iter().flat_map(|j| j.beats.iter().enumerate()) {
            if let Some(e) = e {
                put(&row.name, &format!("coupling {k} beats after a jump"), "", e)?;
            }
        }
    }
    Ok(w.into_inner()?)
}
