//! A panel of curves: training and valid losses, learning rates and the like.

use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::canvas::{Area, FINE, GRID, INK, PALE, letters, px};

/// Points (batch or epoch, value).
pub(crate) type Points = Vec<(f64, f64)>;

/// Width of the pictures of runs, in pixels.
pub(crate) const WIDTH: u32 = 1280;

/// The curve of what is trained on.
pub(crate) const TRAIN: RGBColor = RGBColor(150, 160, 178);
/// The curve of the valid split.
pub(crate) const VALID: RGBColor = RGBColor(200, 60, 40);

/// A line of a panel.
pub(crate) struct Curve {
    /// Name, written at its end.
    name: String,
    points: Points,
    colour: RGBColor,
    /// Whether each point gets a dot.
    dots: bool,
}

impl Curve {
    /// Points are (place along the axis, value).
    pub(crate) fn new(name: &str, points: &[(f64, f64)], colour: RGBColor, dots: bool) -> Self {
        Self { name: name.to_owned(), points: points.to_vec(), colour, dots }
    }
}

/// What a panel shows.
#[derive(Clone, Copy)]
pub(crate) struct Range {
    /// What is counted from left to right.
    pub(crate) along: &'static str,
    /// Last batch or epoch.
    pub(crate) end: f64,
    /// Lowest value, or that of the curves.
    pub(crate) bottom: Option<f64>,
    /// Highest value, or that of the curves; what lies above is cut off.
    pub(crate) top: Option<f64>,
}

/// A panel of curves from 0 on.
pub(crate) fn panel(area: &Area<'_>, title: &str, curves: &[Curve], range: Range) -> Result<()> {
    area.draw(&Text::new(title.to_owned(), (px(16), px(8)), letters(8, INK)))?;
    let shown = |v: &f64| range.top.is_none_or(|t| *v <= t);
    let values: Vec<f64> = curves.iter().flat_map(|c| &c.points).map(|p| p.1).filter(shown).collect();
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if values.is_empty() {
        let (width, height) = area.dim_in_pixel();
        let middle = (width as i32 / 2, height as i32 / 2);
        let style = letters(8, PALE).pos(Pos::new(HPos::Center, VPos::Center));
        area.draw(&Text::new("after the first segment", middle, style))?;
        return Ok(());
    }
    let room = ((high - low) * 0.06).max(high.abs() * 1e-3).max(1e-9);
    let x_labels = if area.dim_in_pixel().0 > WIDTH { 10 } else { 5 };
    let mut chart = ChartBuilder::on(area)
        .margin_top(px(26))
        .margin_bottom(px(6))
        .margin_right(px(120))
        .x_label_area_size(px(36))
        .y_label_area_size(px(72))
        .build_cartesian_2d(0.0..range.end.max(1.0), range.bottom.unwrap_or(low - room)..high + room)?;
    chart
        .configure_mesh()
        .x_labels(x_labels)
        .y_labels(8)
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(PALE)
        .label_style(letters(8, INK))
        .x_desc(range.along)
        .axis_desc_style(letters(8, PALE))
        .x_label_formatter(&short)
        .y_label_formatter(&short)
        .draw()?;
    let mut ends = vec![];
    for curve in curves {
        let points = below(&curve.points, high + room);
        let Some(&last) = points.last() else { continue };
        chart.draw_series(LineSeries::new(points.iter().copied(), curve.colour.stroke_width(FINE * 2)))?;
        if curve.dots {
            let dots = points.iter().map(|&p| Circle::new(p, px(3), curve.colour.filled()));
            chart.draw_series(dots)?;
        }
        ends.push((chart.backend_coord(&last), format!("{} {}", curve.name, short(&last.1)), curve.colour));
    }
    write_ends(area, ends)?;
    Ok(())
}

/// Names and last values at the ends of the curves, moved apart where they would touch.
fn write_ends(area: &Area<'_>, mut ends: Vec<((i32, i32), String, RGBColor)>) -> Result<()> {
    let (left, top) = area.get_base_pixel();
    ends.sort_by_key(|e| e.0.1);
    let heights = apart(ends.iter().map(|e| e.0.1 - top).collect(), px(12));
    for (y, ((x, _), text, colour)) in heights.into_iter().zip(&ends) {
        let style = letters(8, *colour).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(text.trim().to_owned(), (x - left + px(8), y), style))?;
    }
    Ok(())
}

/// Ascending places moved as little as need be, until neighbours are `least` apart: places that touch form
/// a block around the middle of where they would like to be.
fn apart(places: Vec<i32>, least: i32) -> Vec<i32> {
    // Blocks of (members, sum of the starts that each member would like the block to have).
    let mut blocks: Vec<(i32, i32)> = vec![];
    for place in places {
        let (mut n, mut sum) = (1, place);
        while let Some(&(before, start)) = blocks.last() {
            if start / before + before * least <= sum / n {
                break;
            }
            blocks.pop();
            sum = start + sum - n * before * least;
            n += before;
        }
        blocks.push((n, sum));
    }
    blocks.into_iter().flat_map(|(n, sum)| (0..n).map(move |i| sum / n + i * least)).collect()
}

/// The stretch of a curve after it was last above `top`, from where it crosses it.
fn below(points: &[(f64, f64)], top: f64) -> Points {
    let Some(above) = points.iter().rposition(|p| p.1 > top) else { return points.to_vec() };
    let mut out = vec![];
    if let Some(next) = points.get(above + 1) {
        let (a, b) = (points[above], *next);
        let share = (a.1 - top) / (a.1 - b.1);
        out.push((a.0 + share * (b.0 - a.0), top));
        out.extend_from_slice(&points[above + 1..]);
    }
    out
}

/// A number with four significant digits at most.
fn short(value: &f64) -> String {
    let whole = value.abs().max(1e-12).log10().floor() as i32 + 1;
    let text = format!("{value:.*}", (4 - whole).clamp(0, 8) as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases = [(0.0, "0"), (250.0, "250"), (6.5586188, "6.559"), (0.30000000000000004, "0.3")];
        for (value, text) in
            cases.into_iter().chain([(12000.0, "12000"), (0.00145, "0.00145"), (-1.5, "-1.5")])
        {
            assert_eq!(short(&value), text);
        }
    }

    #[test]
    fn names_at_the_ends_do_not_touch() {
        assert_eq!(apart(vec![0, 20, 50], 12), [0, 20, 50]);
        assert_eq!(apart(vec![0, 40, 40, 90], 12), [0, 34, 46, 90]);
        assert_eq!(apart(vec![0, 10, 11], 12), [-5, 7, 19]);
    }

    #[test]
    fn what_is_above_the_top_is_cut_where_it_crosses() {
        let points = [(0.0, 9.0), (10.0, 2.0), (20.0, 8.0), (30.0, 4.0), (40.0, 3.0)];
        assert_eq!(below(&points, 6.0), [(25.0, 6.0), (30.0, 4.0), (40.0, 3.0)]);
        assert_eq!(below(&points, 10.0), points);
        assert!(below(&points, 1.0).is_empty());
    }
}
