//! The genres over time as a picture: a row a genre, the darker the likelier, and a bar beside each for the whole.

use std::io::Write;

use anyhow::Result;

use super::report::{Classified, genre};
use sideman_draw::{Canvas, Colour, LETTER, blend};

const BACKGROUND: Colour = [0x14, 0x14, 0x19];
const LANE: Colour = [0x1C, 0x1C, 0x23];
const TEXT: Colour = [0xD8, 0xD6, 0xE0];
const FAINT_TEXT: Colour = [0x82, 0x80, 0x90];
const LIKELY: Colour = [0xF2, 0xA6, 0x5A];
const LINE: Colour = [0x3A, 0x3A, 0x46];

/// Pixels of the timeline, and of the bars for the whole.
const TIME_WIDTH: i64 = 960;
const WHOLE_WIDTH: i64 = 200;
const ROW: i64 = 26;
const GAP: i64 = 4;
const EDGE: i64 = 16;
const TOP: i64 = 56;
const BOTTOM: i64 = 40;
/// Widest part of a title that is shown, in letters.
const TITLE: usize = 120;

/// Draws the picture and writes it as PNG.
pub(super) fn write_png(classified: &Classified, to: impl Write) -> Result<()> {
    Ok(draw(classified).write_png(to)?)
}

fn draw(classified: &Classified) -> Canvas {
    let answer = &classified.answer;
    let longest = answer.classes.iter().map(|c| c.chars().count()).max().unwrap_or(0) as i64;
    let names = EDGE + longest * LETTER + 8;
    let time = names;
    let whole = time + TIME_WIDTH + 24;
    let width = whole + WHOLE_WIDTH + EDGE;
    let rows = answer.classes.len() as i64;
    let height = TOP + rows * (ROW + GAP) + BOTTOM;
    let mut canvas = Canvas::new(width as u32, height as u32, BACKGROUND);
    let title: String = classified.name.chars().take(TITLE).collect();
    canvas.text(EDGE, 16, 1, &title, FAINT_TEXT);
    let (class, p) = answer.best();
    let said = match (answer.genre(), answer.doubt) {
        (None, Some(doubt)) => format!("unsure: {doubt}"),
        (None, None) => format!("unsure: {} at {:.0} %", answer.classes[class], p * 100.0),
        _ => format!("{}, {:.0} % sure", genre(answer), p * 100.0),
    };
    canvas.text(EDGE, 32, 1, &said, TEXT);
    canvas.text(whole, 32, 1, "whole", FAINT_TEXT);
    let seconds = classified.seconds.max(1e-3);
    let at = |s: f64| (s / seconds * TIME_WIDTH as f64).round().clamp(0.0, TIME_WIDTH as f64) as i64;
    for (class, name) in answer.classes.iter().enumerate() {
        let y = TOP + class as i64 * (ROW + GAP);
        canvas.text_left_of(names - 8, y + (ROW - LETTER) / 2, name, TEXT);
        canvas.fill(time, y, TIME_WIDTH, ROW, LANE);
        for stretch in &answer.timeline {
            if let Some(all) = &stretch.probabilities {
                let (from, to) = (at(stretch.start), at(stretch.end));
                // A pixel between stretches, where there is room for it.
                let gap = i64::from(to - from > 4);
                let colour = blend(LANE, LIKELY, f64::from(all[class]));
                canvas.fill(time + from, y, (to - from - gap).max(1), ROW, colour);
            }
        }
        let p = answer.probabilities[class];
        canvas.fill(whole, y, WHOLE_WIDTH, ROW, LANE);
        let bar = (f64::from(p) * WHOLE_WIDTH as f64).round() as i64;
        canvas.fill(whole, y, bar, ROW, LIKELY);
        let percent = format!("{:.0} %", p * 100.0);
        let middle = y + (ROW - LETTER) / 2;
        // Beside the bar where there is room, otherwise dark on it.
        if bar + 56 < WHOLE_WIDTH {
            canvas.text(whole + bar + 8, middle, 1, &percent, TEXT);
        } else {
            canvas.text_left_of(whole + bar - 8, middle, &percent, BACKGROUND);
        }
    }
    let bottom = TOP + rows * (ROW + GAP) + 4;
    let step = tick(seconds);
    let mut s = 0.0;
    while s <= seconds {
        let x = time + at(s);
        canvas.fill(x, bottom - 4, 1, 6, LINE);
        let label = format!("{}:{:02}", s as u64 / 60, s as u64 % 60);
        canvas.text(x.min(time + TIME_WIDTH - 40), bottom + 6, 1, &label, FAINT_TEXT);
        s += step;
    }
    canvas
}

/// Seconds between marks, so that there are at most twelve.
fn tick(seconds: f64) -> f64 {
    let steps = [1.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0];
    steps
        .into_iter()
        .find(|s| seconds / s <= 12.0)
        .unwrap_or_else(|| (seconds / 12.0 / 3600.0).ceil() * 3600.0)
}
