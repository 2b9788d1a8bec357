//! The picture: losses above; below, the valid loss by part and by what is decided, and the learning rate.

use std::collections::BTreeMap;

use anyhow::Result;
use image::RgbImage;
use plotters::prelude::*;

use super::history::History;
use crate::report::canvas::{Area, COLOURS, INK, PALE, canvas, letters, px, smoothed};
use crate::train::panel::{Curve, Points, Range, TRAIN, VALID, WIDTH, panel};

const HEIGHT: u32 = 900;
/// Height of the title.
const TITLE: i32 = 56;
/// Height of the panel of losses.
const LOSSES: i32 = 500;

/// Draws a run.
pub(super) fn draw(name: &str, history: &History) -> Result<RgbImage> {
    let mut paper = canvas(WIDTH, HEIGHT);
    {
        let root = (&mut paper).into_drawing_area();
        let (title, rest) = root.split_vertically(px(TITLE));
        title.draw(&Text::new(name.to_owned(), (px(16), px(14)), letters(16, INK)))?;
        title.draw(&Text::new(summary(history), (px(16), px(40)), letters(8, PALE)))?;
        let (above, below) = rest.split_vertically(px(LOSSES));
        losses(&above, history)?;
        let panels = below.split_evenly((1, 3));
        let end = history.batches;
        let from_zero = Range { along: "batch", end, bottom: Some(0.0), top: None };
        panel(&panels[0], "Valid loss by part", &largest(&history.by_part), from_zero)?;
        panel(&panels[1], "Valid loss by decision", &largest(&history.by_kind), from_zero)?;
        let rate = [Curve::new("", &history.learning_rate, COLOURS[0], false)];
        panel(&panels[2], "Learning rate", &rate, from_zero)?;
    }
    Ok(smoothed(&paper))
}

/// The line under the title.
fn summary(history: &History) -> String {
    let best = match history.best() {
        Some((batch, loss)) => format!("best valid loss {loss:.4} nats a 16th at batch {batch}"),
        None => "not validated yet".to_owned(),
    };
    format!("{} batches, {:.0} minutes, {best}", history.batches, history.seconds / 60.0)
}

/// The panel of losses.
fn losses(area: &Area<'_>, history: &History) -> Result<()> {
    let curves =
        [Curve::new("train", &history.train, TRAIN, false), Curve::new("valid", &history.valid, VALID, true)];
    // The first batches are far above all others and would press them flat.
    let mut sorted: Vec<f64> = history.train.iter().map(|p| p.1).collect();
    sorted.sort_by(f64::total_cmp);
    let worst = history.valid.iter().map(|p| p.1).fold(f64::NEG_INFINITY, f64::max);
    let top = (sorted.len() >= 20).then(|| sorted[sorted.len() * 9 / 10].max(worst));
    let title = "Loss in nats a 16th (train: with dropout and a spoilt memory)";
    panel(area, title, &curves, Range { along: "batch", end: history.batches, bottom: None, top })
}

/// The curves of groups, at most as many as there are colours: those that end highest.
fn largest(groups: &BTreeMap<String, Points>) -> Vec<Curve> {
    let mut groups: Vec<_> = groups.iter().collect();
    let last = |points: &Points| points.last().map_or(0.0, |p| p.1);
    groups.sort_by(|a, b| last(b.1).total_cmp(&last(a.1)));
    groups
        .iter()
        .zip(COLOURS)
        .map(|((name, points), colour)| Curve::new(name, points, colour, true))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_of_a_run_can_be_drawn() {
        let train = r#"{"batch":25,"loss":9.0,"norm":2.0,"learning_rate":0.001,"seconds":1}"#;
        let valid = r#"{"batch":25,"valid":9.0,"terms":{"early":0.5,"bass onset":3.0},"seconds":3}"#;
        let white = image::Rgb([255; 3]);
        for log in [train.to_owned(), valid.to_owned(), format!("{train}\n{valid}")] {
            let picture = draw("run", &History::parse(&log)).unwrap();
            assert_eq!(picture.dimensions(), (WIDTH, HEIGHT));
            // Something besides the title is drawn in the panel of losses.
            let drawn = |y| (0..WIDTH).any(|x| *picture.get_pixel(x, y) != white);
            assert!((TITLE as u32 + 40..(TITLE + LOSSES) as u32).filter(|&y| drawn(y)).count() > 200);
        }
    }
}
