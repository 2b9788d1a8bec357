//! Figures of the papers' kinds: bars, heat maps, lines and histograms.

use anyhow::Result;
use image::RgbImage;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::canvas::{Area, COLOURS, GRID, INK, PALE, canvas, letters, px, smoothed};
use crate::train::panel::{Curve, Range, panel};
use sideman_draw::Canvas;

/// Room for a title above a figure, pixels.
const TITLE: i32 = 44;
/// Width of a letter of the small print.
const LETTER: i32 = 8;

fn titled<'a>(paper: &'a mut Canvas, title: &str) -> Result<Area<'a>> {
    let root = paper.into_drawing_area();
    root.draw(&Text::new(title.to_owned(), (px(16), px(14)), letters(16, INK)))?;
    Ok(root.split_vertically(px(TITLE)).1)
}

/// Width of the longest name in pixels.
fn width<'a>(names: impl Iterator<Item = &'a str>) -> i32 {
    names.map(|n| n.chars().count() as i32).max().unwrap_or(0) * LETTER
}

/// Horizontal bars from 0, a line each, with their values behind them.
///
/// # Errors
/// None that a picture in memory gives rise to.
pub fn bars(title: &str, values: &[(String, f64)]) -> Result<RgbImage> {
    const LINE: i32 = 22;
    const LENGTH: i32 = 560;
    let names = width(values.iter().map(|v| v.0.as_str())) + 32;
    let most = values.iter().map(|v| v.1).fold(0.0, f64::max).max(1e-12);
    let wide = (names + LENGTH + 120).max(title.chars().count() as i32 * 2 * LETTER + 32);
    let mut paper = canvas(wide as u32, (TITLE + LINE * values.len() as i32 + 16) as u32);
    {
        let area = titled(&mut paper, title)?;
        for (i, (name, value)) in values.iter().enumerate() {
            let y = LINE * i as i32;
            area.draw(&Text::new(name.clone(), (px(16), px(y + 6)), letters(8, INK)))?;
            let end = names + (f64::from(LENGTH) * value.max(0.0) / most) as i32;
            let corners = [(px(names), px(y + 2)), (px(end.max(names + 1)), px(y + LINE - 4))];
            area.draw(&Rectangle::new(corners, COLOURS[0].filled()))?;
            let whole = value.fract() == 0.0;
            let text = if whole { format!("{value:.0}") } else { crate::report::table::number(*value) };
            area.draw(&Text::new(text, (px(end + 8), px(y + 6)), letters(8, PALE)))?;
        }
    }
    Ok(smoothed(&paper))
}

/// A square of values of 0 to 1 with their numbers, such as similarities.
///
/// # Errors
/// None that a picture in memory gives rise to.
pub fn heat(title: &str, names: &[String], values: &[Vec<f64>]) -> Result<RgbImage> {
    let longest = width(names.iter().map(String::as_str));
    let cell = ((longest + 12).max(64), 32);
    let left = longest + 32;
    let n = names.len() as i32;
    let wide = (left + n * cell.0 + 16).max(title.chars().count() as i32 * 2 * LETTER + 32);
    let mut paper = canvas(wide as u32, (TITLE + 24 + n * cell.1 + 16) as u32);
    {
        let area = titled(&mut paper, title)?;
        for (i, name) in names.iter().enumerate() {
            let i = i as i32;
            area.draw(&Text::new(name.clone(), (px(left + i * cell.0), px(8)), letters(8, INK)))?;
            let y = 24 + i * cell.1;
            area.draw(&Text::new(name.clone(), (px(16), px(y + 12)), letters(8, INK)))?;
            for j in 0..n {
                let value = values[i as usize][j as usize];
                let (x, share) = (left + j * cell.0, value.clamp(0.0, 1.0));
                let mixed = |from: f64, to: f64| (from + (to - from) * share) as u8;
                let colour = RGBColor(mixed(244.0, 0.0), mixed(246.0, 95.0), mixed(250.0, 170.0));
                let corners = [(px(x), px(y)), (px(x + cell.0 - 2), px(y + cell.1 - 2))];
                area.draw(&Rectangle::new(corners, colour.filled()))?;
                let ink = if share > 0.5 { RGBColor(255, 255, 255) } else { INK };
                area.draw(&Text::new(
                    format!("{value:.2}"),
                    (px(x + cell.0 / 2 - 18), px(y + 11)),
                    letters(8, ink),
                ))?;
            }
        }
    }
    Ok(smoothed(&paper))
}

/// Curves over one axis: names and points (place, value).
///
/// # Errors
/// None that a picture in memory gives rise to.
pub fn lines(title: &str, along: &'static str, curves: &[(String, Vec<(f64, f64)>)]) -> Result<RgbImage> {
    let mut paper = canvas(960, 480);
    {
        let root = (&mut paper).into_drawing_area();
        let end = curves.iter().flat_map(|c| &c.1).map(|p| p.0).fold(0.0, f64::max);
        let drawn: Vec<Curve> = curves
            .iter()
            .zip(COLOURS.iter().cycle())
            .map(|((name, points), colour)| Curve::new(name, points, *colour, false))
            .collect();
        panel(&root, title, &drawn, Range { along, end, bottom: None, top: None })?;
    }
    Ok(smoothed(&paper))
}

/// Distributions under one another on one axis: each is the histogram of its values, its mean a line.
///
/// # Errors
/// None that a picture in memory gives rise to.
pub fn histograms(title: &str, along: &str, groups: &[(String, Vec<f64>)]) -> Result<RgbImage> {
    const BINS: usize = 60;
    const HEIGHT: i32 = 84;
    const PLOT: i32 = 720;
    let left = width(groups.iter().map(|g| g.0.as_str())) + 32;
    let all = || groups.iter().flat_map(|g| g.1.iter().copied()).filter(|v| v.is_finite());
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let (low, high) = if low < high { (low, high) } else { (low.min(0.0), low.max(0.0) + 1.0) };
    let wide = (left + PLOT + 96).max(title.chars().count() as i32 * 2 * LETTER + 32);
    let mut paper = canvas(wide as u32, (TITLE + HEIGHT * groups.len() as i32 + 48) as u32);
    {
        let area = titled(&mut paper, title)?;
        let x = |v: f64| left + (f64::from(PLOT) * (v - low) / (high - low)) as i32;
        for (g, (name, values)) in groups.iter().enumerate() {
            let bottom = HEIGHT * (g as i32 + 1) - 8;
            let mut counts = [0usize; BINS];
            for v in values.iter().filter(|v| v.is_finite()) {
                counts[((v - low) / (high - low) * BINS as f64).clamp(0.0, BINS as f64 - 1.0) as usize] += 1;
            }
            let most = counts.iter().copied().max().unwrap_or(0).max(1);
            area.draw(&Text::new(name.clone(), (px(16), px(bottom - 20)), letters(8, INK)))?;
            let axis = [(px(left), px(bottom)), (px(left + PLOT), px(bottom))];
            area.draw(&PathElement::new(axis, GRID.stroke_width(2)))?;
            let colour = COLOURS[g % COLOURS.len()];
            for (bin, count) in counts.iter().enumerate().filter(|c| *c.1 > 0) {
                let tall = (f64::from(HEIGHT - 20) * *count as f64 / most as f64).ceil() as i32;
                let edge = |b: usize| left + PLOT * b as i32 / BINS as i32;
                let corners = [(px(edge(bin)), px(bottom - tall)), (px(edge(bin + 1) - 1), px(bottom))];
                area.draw(&Rectangle::new(corners, colour.filled()))?;
            }
            if !values.is_empty() {
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                let ends = [(px(x(mean)), px(bottom - HEIGHT + 16)), (px(x(mean)), px(bottom))];
                area.draw(&PathElement::new(ends, INK.stroke_width(2)))?;
                let text = crate::report::table::number(mean);
                let place = (px(left + PLOT + 10), px(bottom - 20));
                area.draw(&Text::new(text, place, letters(8, INK)))?;
            }
        }
        let y = HEIGHT * groups.len() as i32;
        let ends = [(left, low, HPos::Left), (left + PLOT, high, HPos::Right)];
        for (at, value, side) in ends {
            let style = letters(8, PALE).pos(Pos::new(side, VPos::Top));
            area.draw(&Text::new(crate::report::table::number(value), (px(at), px(y)), style))?;
        }
        let style = letters(8, PALE).pos(Pos::new(HPos::Center, VPos::Top));
        area.draw(&Text::new(along.to_owned(), (px(left + PLOT / 2), px(y)), style))?;
    }
    Ok(smoothed(&paper))
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
        let of = |v: f64| inked(&heat("Heat", &names, &[vec![1.0, v], vec![v, 1.0]]).unwrap());
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
