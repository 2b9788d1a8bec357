//! What is said of files: as text, as JSON and as a table.

use std::fmt::Write;
use std::io;
use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value, json};
use sideman_inference::genre::weights::InputKind;
use sideman_inference::genre::{Answer, best};

/// Cells of a text bar at a probability of 1.
const CELLS: f32 = 30.0;
/// Stretches that are written out in text; `--json` and `--png` show all.
const MOST_STRETCHES: usize = 40;

/// A file and what became of it.
pub(super) struct Classified {
    /// As it was named.
    pub(super) name: String,
    pub(super) answer: Answer,
    /// Length in seconds.
    pub(super) seconds: f64,
    /// What was repaired or left out.
    pub(super) warnings: Vec<String>,
}

/// The name of the genre, or "unsure".
pub(super) fn genre(answer: &Answer) -> &str {
    answer.genre().map_or("unsure", |g| answer.classes[g].as_str())
}

fn percent(p: f32) -> f32 {
    (p * 100.0).round()
}

fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

impl Classified {
    /// One line: the file, the genre, how sure.
    pub(super) fn line(&self) -> String {
        let answer = &self.answer;
        let (class, p) = answer.best();
        let what = match answer.hears {
            InputKind::Band => "all parts",
            InputKind::Piano => "piano",
            InputKind::Audio => "sound",
        };
        let said = match (answer.genre(), answer.doubt) {
            (Some(genre), _) => format!("{}, {} % sure", answer.classes[genre], percent(p)),
            (None, Some(doubt)) => format!("unsure: {doubt}"),
            (None, None) => format!("unsure: {} at {} %", answer.classes[class], percent(p)),
        };
        format!("{}: {said} ({what}, {})", self.name, clock(self.seconds))
    }

    /// The line, all genres and the timeline.
    pub(super) fn text(&self) -> String {
        let answer = &self.answer;
        let mut out = self.line();
        if answer.timeline.iter().all(|s| s.probabilities.is_none()) {
            return out;
        }
        let width = answer.classes.iter().map(|c| c.chars().count()).max().unwrap_or(0);
        let mut order: Vec<usize> = (0..answer.classes.len()).collect();
        order.sort_by(|&a, &b| answer.probabilities[b].total_cmp(&answer.probabilities[a]));
        for class in order {
            let p = answer.probabilities[class];
            let bar = "#".repeat((p * CELLS).round() as usize);
            let row = format!("\n  {:<width$}  {:>3} %  {bar}", answer.classes[class], percent(p));
            out.push_str(row.trim_end_matches(' '));
        }
        out.push('\n');
        for stretch in answer.timeline.iter().take(MOST_STRETCHES) {
            let _ = write!(out, "\n  {:>7} to {:<7}  ", clock(stretch.start), clock(stretch.end));
            let _ = match &stretch.probabilities {
                None => write!(out, "-"),
                Some(all) => {
                    let (class, p) = best(all);
                    let doubt = if p < answer.unsure { ", unsure" } else { "" };
                    write!(out, "{} {} %{doubt}", answer.classes[class], percent(p))
                }
            };
        }
        if let Some(left) = answer.timeline.len().checked_sub(MOST_STRETCHES).filter(|&n| n > 0) {
            let _ = write!(out, "\n  and {left} more: --json and --png show all");
        }
        out
    }

    /// For scripts. `genre` is "unsure" where it is; `best` is the likeliest in any case.
    pub(super) fn json(&self) -> Value {
        let answer = &self.answer;
        let named = |probabilities: &[f32]| -> Value {
            let round = |p: f32| (f64::from(p) * 1e4).round() / 1e4;
            answer
                .classes
                .iter()
                .zip(probabilities)
                .map(|(c, &p)| (c.clone(), json!(round(p))))
                .collect::<Map<_, _>>()
                .into()
        };
        let seconds = |s: f64| (s * 1e3).round() / 1e3;
        let sure = |p: f32| (f64::from(p) * 1e4).round() / 1e4;
        let (class, p) = answer.best();
        let timeline: Vec<Value> = answer
            .timeline
            .iter()
            .map(|s| {
                let known = s.probabilities.as_deref();
                let (genre, p) = known.map_or(("unsure", 0.0), |all| {
                    let (class, p) = best(all);
                    (if p >= answer.unsure { answer.classes[class].as_str() } else { "unsure" }, p)
                });
                json!({
                    "start": seconds(s.start),
                    "end": seconds(s.end),
                    "genre": genre,
                    "confidence": sure(p),
                    "probabilities": known.map_or(Value::Null, named),
                })
            })
            .collect();
        json!({
            "file": self.name,
            "listened_to": answer.hears.name(),
            "genre": genre(answer),
            "confidence": sure(p),
            "best": answer.classes[class],
            "unsure": answer.genre().is_none(),
            "unsure_below": sure(answer.unsure),
            "reason": answer.doubt.map(|d| d.to_string()),
            "probabilities": named(&answer.probabilities),
            "seconds": seconds(self.seconds),
            "timeline": timeline,
            "warnings": self.warnings,
        })
    }
}

/// Writes the table: a line a file, those that could not be read with the reason, and a column for each genre
/// that any of them could have had.
pub(super) fn write_csv(all: &[(&Path, &Result<Classified>)], to: impl io::Write) -> Result<()> {
    let mut classes: Vec<&str> = vec![];
    for name in all.iter().filter_map(|(_, r)| r.as_ref().ok()).flat_map(|c| &c.answer.classes) {
        if !classes.contains(&name.as_str()) {
            classes.push(name);
        }
    }
    let mut table = csv::Writer::from_writer(to);
    let fixed = ["file", "listened_to", "genre", "confidence", "seconds", "error"];
    table.write_record(fixed.iter().copied().chain(classes.iter().copied()))?;
    for (path, result) in all {
        let mut record = vec![path.display().to_string()];
        match result {
            Ok(c) => {
                let answer = &c.answer;
                record.extend([
                    answer.hears.name().to_owned(),
                    genre(answer).to_owned(),
                    format!("{:.4}", answer.best().1),
                    format!("{:.3}", c.seconds),
                    String::new(),
                ]);
                record.extend(classes.iter().map(|name| {
                    let at = answer.classes.iter().position(|c| c == name);
                    at.map_or_else(String::new, |i| format!("{:.4}", answer.probabilities[i]))
                }));
            }
            Err(error) => {
                record.extend(["", "", "", ""].map(str::to_owned));
                record.push(format!("{error:#}"));
                record.extend(classes.iter().map(|_| String::new()));
            }
        }
        table.write_record(&record)?;
    }
    table.flush()?;
    Ok(())
}
