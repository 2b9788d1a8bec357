//! Bars, matrices, lines and histograms.

use image::RgbImage;
use plotters::style::text_anchor::{HPos, VPos};

use crate::canvas::{Colour, blend};
use crate::chart::{
    COLOURS, Curve, GRID, INK, PALE, Panel, Range, Result, anchored, curves, draw, fill, letters, line, rgb,
    short, text, width,
};

/// Room for a title above a figure, pixels.
const TITLE: i32 = 44;

/// Horizontal bars from 0, a line each, with their values behind them.
///
/// # Errors
/// Never for a picture in memory.
pub fn bars(title: &str, values: &[(String, f64)]) -> Result<RgbImage> {
    const LINE: i32 = 22;
    const LENGTH: i32 = 560;
    let names = values.iter().map(|v| width(&v.0)).max().unwrap_or(0) + 32;
    let most = values.iter().map(|v| v.1).fold(0.0, f64::max).max(1e-12);
    let wide = (names + LENGTH + 120).max(2 * width(title) + 32);
    draw(wide, TITLE + LINE * values.len() as i32 + 16, |root| {
        text(root, (16, 14), title, letters(16, INK))?;
        for (i, (name, value)) in values.iter().enumerate() {
            let y = TITLE + LINE * i as i32;
            text(root, (16, y + 6), name, letters(8, INK))?;
            let end = names + (f64::from(LENGTH) * value.max(0.0) / most) as i32;
            fill(root, (names, y + 2), (end.max(names + 1), y + LINE - 4), rgb(COLOURS[0]))?;
            text(root, (end + 8, y + 6), &short(value), letters(8, PALE))?;
        }
        Ok(())
    })
}

/// A square of shares with their numbers, such as similarities, or confusions by true class (row) and predicted
/// class (column).
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a> {
    /// Heading.
    pub title: &'a str,
    /// A line under it.
    pub note: &'a str,
    /// Of rows and columns.
    pub names: &'a [String],
    /// From 0 to 1, by row and column; what lies outside has the colour of the nearer end.
    pub shares: &'a [Vec<f64>],
    /// Text of each cell.
    pub number: fn(f64) -> String,
    /// A last column, or nothing.
    pub totals: &'a [String],
}

impl Matrix<'_> {
    /// Draws the matrix.
    ///
    /// # Errors
    /// Never for a picture in memory.
    pub fn draw(&self) -> Result<RgbImage> {
        const WHITE: Colour = [244, 246, 250];
        const ROW: i32 = 36;
        let longest = self.names.iter().map(|n| width(n)).max().unwrap_or(0);
        let (cell, left) = ((longest + 12).max(64), longest + 32);
        let n = self.names.len() as i32;
        let totals = if self.totals.is_empty() { 0 } else { cell };
        let wide = (left + n * cell + totals + 16).max(2 * width(self.title) + 32).max(width(self.note) + 32);
        let top = TITLE + if self.note.is_empty() { 24 } else { 44 };
        draw(wide, top + n * ROW + 16, |root| {
            text(root, (16, 14), self.title, letters(16, INK))?;
            text(root, (16, 40), self.note, letters(8, PALE))?;
            for (i, (name, row)) in self.names.iter().zip(self.shares).enumerate() {
                let y = top + i as i32 * ROW;
                text(root, (left + i as i32 * cell, top - 14), name, letters(8, INK))?;
                text(root, (16, y + ROW / 2 - 5), name, letters(8, INK))?;
                for (j, &share) in row.iter().enumerate() {
                    let x = left + j as i32 * cell;
                    let colour = rgb(blend(WHITE, COLOURS[0], share));
                    fill(root, (x, y), (x + cell - 2, y + ROW - 2), colour)?;
                    let ink = if share > 0.5 { rgb([255; 3]) } else { INK };
                    let style = anchored(ink, HPos::Center, VPos::Center);
                    text(root, (x + cell / 2 - 1, y + ROW / 2 - 1), &(self.number)(share), style)?;
                }
                if let Some(total) = self.totals.get(i) {
                    text(root, (left + n * cell + 8, y + ROW / 2 - 5), total, letters(8, PALE))?;
                }
            }
            Ok(())
        })
    }
}

/// Curves over one axis: names and points (place, value).
///
/// # Errors
/// Never for a picture in memory.
pub fn lines(title: &str, along: &'static str, named: &[(String, Vec<(f64, f64)>)]) -> Result<RgbImage> {
    let end = named.iter().flat_map(|c| &c.1).map(|p| p.0).fold(0.0, f64::max);
    let drawn = named.iter().zip(COLOURS.iter().cycle());
    let curves_of = drawn.map(|((name, points), colour)| Curve::new(name, points, *colour)).collect();
    let range = Range { along, end, bottom: None, top: None };
    curves("", "", &[(560, vec![Panel { title: title.to_owned(), curves: curves_of, range }])])
}

/// Distributions under one another on one axis: each is the histogram of its values, its mean a line.
///
/// # Errors
/// Never for a picture in memory.
pub fn histograms(title: &str, along: &str, groups: &[(String, Vec<f64>)]) -> Result<RgbImage> {
    const BINS: usize = 60;
    const HEIGHT: i32 = 84;
    const PLOT: i32 = 720;
    let left = groups.iter().map(|g| width(&g.0)).max().unwrap_or(0) + 32;
    let all = || groups.iter().flat_map(|g| g.1.iter().copied()).filter(|v| v.is_finite());
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let (low, high) = if low < high { (low, high) } else { (low.min(0.0), low.max(0.0) + 1.0) };
    let wide = (left + PLOT + 96).max(2 * width(title) + 32);
    let end = TITLE + HEIGHT * groups.len() as i32;
    draw(wide, end + 48, |root| {
        text(root, (16, 14), title, letters(16, INK))?;
        for (g, (name, values)) in groups.iter().enumerate() {
            let bottom = TITLE + HEIGHT * (g as i32 + 1) - 8;
            let mut counts = [0usize; BINS];
            for v in values.iter().filter(|v| v.is_finite()) {
                counts[((v - low) / (high - low) * BINS as f64).clamp(0.0, BINS as f64 - 1.0) as usize] += 1;
            }
            let most = counts.iter().copied().max().unwrap_or(0).max(1);
            text(root, (16, bottom - 20), name, letters(8, INK))?;
            line(root, &[(left, bottom), (left + PLOT, bottom)], GRID, 2)?;
            let colour = rgb(COLOURS[g % COLOURS.len()]);
            for (bin, count) in counts.iter().enumerate().filter(|c| *c.1 > 0) {
                let tall = (f64::from(HEIGHT - 20) * *count as f64 / most as f64).ceil() as i32;
                let edge = |b: usize| left + PLOT * b as i32 / BINS as i32;
                fill(root, (edge(bin), bottom - tall), (edge(bin + 1) - 1, bottom), colour)?;
            }
            if !values.is_empty() {
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                let x = left + (f64::from(PLOT) * (mean - low) / (high - low)) as i32;
                line(root, &[(x, bottom - HEIGHT + 16), (x, bottom)], INK, 2)?;
                text(root, (left + PLOT + 10, bottom - 20), &short(&mean), letters(8, INK))?;
            }
        }
        for (x, value, side) in [(left, low, HPos::Left), (left + PLOT, high, HPos::Right)] {
            text(root, (x, end), &short(&value), anchored(PALE, side, VPos::Top))?;
        }
        text(root, (left + PLOT / 2, end), along, anchored(PALE, HPos::Center, VPos::Top))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many pixels are of another colour than paper.
    fn inked(picture: &RgbImage) -> usize {
        picture.pixels().filter(|p| p.0.iter().any(|&v| v < 230)).count()
    }

    #[test]
    fn figures_show_their_values() {
        let named = |v: &[f64]| -> Vec<(String, f64)> {
            v.iter().enumerate().map(|(i, &v)| (format!("bar {i}"), v)).collect()
        };
        assert!(
            inked(&bars("Bars", &named(&[1.0, 1.0])).unwrap())
                > inked(&bars("Bars", &named(&[1.0, 0.1])).unwrap())
        );
        let names = ["a", "b"].map(String::from);
        let of = |v: f64| {
            let shares = [vec![1.0, v], vec![v, 1.0]];
            let number = |v| format!("{v:.2}");
            let matrix =
                Matrix { title: "Heat", note: "", names: &names, shares: &shares, number, totals: &[] };
            inked(&matrix.draw().unwrap())
        };
        assert!(of(0.9) > of(0.0));
        let curve = |points: Vec<(f64, f64)>| lines("Lines", "epoch", &[("x".into(), points)]).unwrap();
        assert!(inked(&curve(vec![(0.0, 1.0), (9.0, 2.0)])) > inked(&curve(vec![])));
    }

    #[test]
    fn histograms_take_anything() {
        for values in [vec![], vec![1.0], vec![f64::NAN, 2.0], (0..500).map(|i| f64::from(i % 37)).collect()]
        {
            let picture = histograms("Loss", "nats", &[("piano".into(), values)]).unwrap();
            assert!(inked(&picture) > 100);
        }
    }
}
