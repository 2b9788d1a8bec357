//! The comparison as aligned text, JSON and CSV.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use sideman_music::family::Part;

use super::compare::{Comparison, Row, Told};
use super::features::View;
use super::figures::Figure;
use super::interval::Estimate;
use super::jump::{BACK, WINDOW};

/// Columns of text, all as wide as they need to be: names to the left, figures to the right.
struct Table {
    rows: Vec<Vec<String>>,
    /// How many columns are names.
    names: usize,
}

impl Table {
    fn new(head: impl IntoIterator<Item = String>) -> Self {
        Self { rows: vec![head.into_iter().collect()], names: 1 }
    }

    fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    fn render(&self, title: &str) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |c: usize| {
            self.rows.iter().filter_map(|r| r.get(c)).map(|s| s.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut out = format!("{title}\n");
        for row in &self.rows {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .enumerate()
                .map(
                    |(c, (text, &w))| {
                        if c < self.names { format!("{text:<w$}") } else { format!("{text:>w$}") }
                    },
                )
                .collect();
            out.push_str(&format!("  {}\n", cells.join("  ").trim_end()));
        }
        out
    }
}

/// A figure with three significant digits or so, and its interval.
fn text(e: Option<&Estimate>) -> String {
    let Some(e) = e else { return "-".to_owned() };
    let digits = if e.value.abs() >= 10.0 {
        1
    } else if e.value.abs() >= 2.0 {
        2
    } else {
        3
    };
    format!("{:.digits$} [{:.digits$} {:.digits$}]", e.value, e.low, e.high)
}

/// The whole report as text of aligned columns.
pub fn render(c: &Comparison) -> String {
    let mut out = format!(
        "{} songs, {} bars of 4/4; drums in {}, bass in {}, guitar in {}, strings in {}; seed {}\n\
         [ ]: 95 % by song\n\n",
        c.songs, c.bars, c.with_part[0], c.with_part[1], c.with_part[2], c.with_part[3], c.seed
    );
    out.push_str(&coupled(c));
    let by = |f: fn(Part) -> Figure, parts: &[Part]| parts.iter().map(|&p| f(p)).collect::<Vec<_>>();
    let pitched = &Part::ALL[1..];
    let tables = [
        ("Time", vec![Figure::KickBass, Figure::Groove, Figure::Follow, Figure::DrumPattern]),
        ("EB: empty bars", by(Figure::EmptyBars, &Part::ALL)),
        ("NPB: notes a bar", by(Figure::NotesPerBar, &Part::ALL)),
        ("UPC: pitch classes a sounding bar", by(Figure::PitchClasses, pitched)),
        ("QN: notes of a 32nd or more", by(Figure::QualifiedNotes, pitched)),
        ("Distinct bars over sounding bars", by(Figure::DistinctBars, &Part::ALL)),
        ("Longest run of equal bars", by(Figure::LongestRun, &Part::ALL)),
    ];
    for (title, figures) in tables {
        out.push_str(&plain(c, title, &figures));
    }
    out.push_str(&variety(c));
    for view in View::ALL {
        out.push_str(&told(c, view));
    }
    out.push_str(&tells(c));
    out.push_str(&models(c));
    out
}

fn coupled(c: &Comparison) -> String {
    let head = Figure::COUPLED.iter().flat_map(|f| [f.name().to_owned(), "coupling".to_owned()]);
    let mut t = Table::new(std::iter::once("band".to_owned()).chain(head));
    for row in &c.rows {
        let cells = Figure::COUPLED.iter().flat_map(|&f| {
            let cell = row.cell(f);
            [text(cell.map(|c| &c.value)), text(cell.and_then(|c| c.coupling.as_ref()))]
        });
        t.push(std::iter::once(row.name.clone()).chain(cells).collect());
    }
    t.render("Tied to the piano (coupling: shuffled 0, people 1)") + "\n"
}

fn plain(c: &Comparison, title: &str, figures: &[Figure]) -> String {
    let head = figures.iter().map(|f| match f.part() {
        Some(p) if *f != Figure::DrumPattern => p.name().to_lowercase(),
        _ => f.name().to_owned(),
    });
    let mut t = Table::new(std::iter::once("band".to_owned()).chain(head));
    for row in &c.rows {
        let cells = figures.iter().map(|&f| text(row.cell(f).map(|c| &c.value)));
        t.push(std::iter::once(row.name.clone()).chain(cells).collect());
    }
    t.render(title) + "\n"
}

fn variety(c: &Comparison) -> String {
    let mut figures = vec![Figure::ChordEntropy];
    figures.extend(Part::ALL.map(Figure::DistinctBars));
    let head = ["band", "chord entropy, bits", "chords", "drums", "bass", "guitar", "strings"];
    let mut t = Table::new(head.map(str::to_owned));
    for row in &c.rows {
        let mut line = vec![row.name.clone(), text(row.cell(Figure::ChordEntropy).map(|c| &c.value))];
        line.extend(figures.iter().map(|&f| text(row.cell(f).and_then(|c| c.against_people.as_ref()))));
        t.push(line);
    }
    t.render("How varied: chord entropy, and chords and distinct bars over people's") + "\n"
}

fn told(c: &Comparison, view: View) -> String {
    if c.rows.iter().all(|r| r.told_apart.is_empty()) {
        return String::new();
    }
    let mut t = Table::new(["band", "drums", "bass", "guitar", "strings"].map(str::to_owned));
    for row in c.rows.iter().filter(|r| !r.told_apart.is_empty()) {
        let cells = Part::ALL.map(|p| text(find(row, p, view).map(|t| &t.told.area)));
        t.push(std::iter::once(row.name.clone()).chain(cells).collect());
    }
    let title = format!(
        "Told apart from people by {}: area under the curve, the better of boosted trees and logistic \
         regression; .5 is not at all",
        view.what()
    );
    t.render(&title) + "\n"
}

fn find(row: &Row, part: Part, view: View) -> Option<&Told> {
    row.told_apart.iter().find(|t| t.part == part.name() && t.view == view)
}

/// What gives each model away most, where anything does.
fn tells(c: &Comparison) -> String {
    let head = ["band", "part", "what the trees went by, and by how many deviations the band has more of it"];
    let mut t = Table { names: head.len(), ..Table::new(head.map(str::to_owned)) };
    for row in c.rows.iter().filter(|r| r.times_real_time.is_some()) {
        for part in Part::ALL {
            let Some(told) = find(row, part, View::Touch) else { continue };
            if told.told.area.low > 0.5 {
                let tells: Vec<String> = told.told.tells[..told.told.tells.len().min(5)]
                    .iter()
                    .map(|t| format!("{} ({:+.1})", t.name, t.model_more))
                    .collect();
                t.push(vec![row.name.clone(), part.name().to_lowercase(), tells.join(", ")]);
            }
        }
    }
    if t.rows.len() == 1 { String::new() } else { t.render("What gives them away") + "\n" }
}

/// Speed and recovery of the models.
fn models(c: &Comparison) -> String {
    let mut out = String::new();
    for row in &c.rows {
        if let Some(speed) = row.times_real_time {
            out.push_str(&format!("{}: played at {speed:.0} times real time\n", row.name));
        }
        if let Some(jump) = &row.jump {
            let back = jump.back_after.map_or("never".to_owned(), |b| format!("{b} beats after the jump"));
            let first: Vec<String> = jump.beats.iter().take(8).map(|b| text(b.as_ref())).collect();
            out.push_str(&format!(
                "{}: the piano jumps by a tritone: {:.0} % of coupling back over {WINDOW} beats: {back}; \
                 coupling by beat: {}\n",
                row.name,
                BACK * 100.0,
                first.join(", ")
            ));
        }
    }
    out
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
        for told in &row.told_apart {
            let figure = format!("told apart by {}", told.view.what());
            put(&row.name, &figure, told.part, &told.told.area)?;
        }
        for (k, e) in row.jump.iter().flat_map(|j| j.beats.iter().enumerate()) {
            if let Some(e) = e {
                put(&row.name, &format!("coupling {k} beats after a jump"), "", e)?;
            }
        }
    }
    Ok(w.into_inner()?)
}

/// Writes a file whole or not at all: beside its place first, then renamed.
///
/// # Errors
/// When the folder cannot be written to.
pub fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().with_context(|| format!("could not write {}: is its folder there and writable?", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut t = Table::new(["band", "x"].map(str::to_owned));
        t.push(vec!["people".to_owned(), "0.500".to_owned()]);
        assert_eq!(t.render("Title"), "Title\n  band        x\n  people  0.500\n");
        let e = |value| Estimate { value, low: value / 2.0, high: value * 2.0, songs: 3 };
        assert_eq!(text(Some(&e(0.75))), "0.750 [0.375 1.500]");
        assert_eq!(text(Some(&e(12.5))), "12.5 [6.2 25.0]");
        assert_eq!(text(None), "-");
    }

    #[test]
    fn files_are_written_whole_or_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.json");
        write_whole(&path, b"first").unwrap();
        write_whole(&path, b"second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let e = write_whole(&folder.path().join("none/out.json"), b"x").unwrap_err().to_string();
        assert!(e.contains("none"), "{e}");
    }
}
