//! What charts are made of, and panels of curves.

use std::convert::Infallible;

use image::RgbImage;
use image::imageops::{FilterType, resize};
use plotters::coord::Shift;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::canvas::{Canvas, Colour};

/// A chart that has no room for its axes; the charts of this crate make room.
pub type DrawError = DrawingAreaErrorKind<Infallible>;
pub(crate) type Result<T = ()> = std::result::Result<T, DrawError>;

/// Charts are drawn this many times larger and then made smaller, which smooths the edges.
pub(crate) const FINE: u32 = 2;
/// Letters and axes.
pub(crate) const INK: RGBColor = RGBColor(40, 44, 52);
/// Lesser letters.
pub(crate) const PALE: RGBColor = RGBColor(120, 124, 132);
/// Lines of the grid.
pub(crate) const GRID: RGBColor = RGBColor(228, 230, 234);
/// Colours that stay apart for colour-blind eyes, too.
pub const COLOURS: [Colour; 7] = [
    [0, 95, 170],
    [205, 95, 0],
    [0, 135, 100],
    [165, 60, 140],
    [150, 115, 0],
    [70, 145, 200],
    [110, 110, 110],
];
/// The curve of the training loss.
pub const TRAIN: Colour = [150, 160, 178];
/// The curve of the loss on the valid split.
pub const VALID: Colour = [200, 60, 40];

/// A part of a chart.
pub(crate) type Area<'a> = DrawingArea<&'a mut Canvas, Shift>;

/// A length in pixels of the final picture.
pub(crate) fn px(n: i32) -> i32 {
    n * FINE as i32
}

pub(crate) fn rgb([r, g, b]: Colour) -> RGBColor {
    RGBColor(r, g, b)
}

/// Letters with sides of so many pixels of the final picture.
pub(crate) fn letters(size: i32, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", px(size)).into_font().color(&colour)
}

/// The same, placed by their middle or end.
pub(crate) fn anchored(colour: RGBColor, across: HPos, down: VPos) -> TextStyle<'static> {
    letters(8, colour).pos(Pos::new(across, down))
}

/// Width of a text of size 8 in pixels.
pub(crate) fn width(text: &str) -> i32 {
    text.chars().count() as i32 * 8
}

/// Writes text with its top left corner at (x, y) in pixels of the final picture.
pub(crate) fn text(area: &Area<'_>, (x, y): (i32, i32), text: &str, style: TextStyle<'static>) -> Result {
    area.draw(&Text::new(text.to_owned(), (px(x), px(y)), style))
}

/// Fills the rectangle between two corners in pixels of the final picture.
pub(crate) fn fill(area: &Area<'_>, from: (i32, i32), to: (i32, i32), colour: RGBColor) -> Result {
    area.draw(&Rectangle::new([(px(from.0), px(from.1)), (px(to.0), px(to.1))], colour.filled()))
}

/// Draws a line through points in pixels of the final picture.
pub(crate) fn line(area: &Area<'_>, points: &[(i32, i32)], colour: RGBColor, wide: u32) -> Result {
    let points: Vec<_> = points.iter().map(|p| (px(p.0), px(p.1))).collect();
    area.draw(&PathElement::new(points, colour.stroke_width(wide)))
}

/// Names beside dots in their colours, from left to right.
pub(crate) fn legend<'a>(
    area: &Area<'_>,
    names: impl Iterator<Item = (&'a str, Colour)>,
    y: i32,
) -> Result {
    let mut x = 16;
    for (name, colour) in names {
        area.draw(&Circle::new((px(x + 4), px(y + 4)), px(4), rgb(colour).filled()))?;
        text(area, (x + 14, y), name, letters(8, INK))?;
        x += 14 + width(name) + 24;
    }
    Ok(())
}

/// Draws on white paper of this size in pixels.
pub(crate) fn draw(
    width: i32,
    height: i32,
    drawing: impl FnOnce(&Area<'_>) -> Result,
) -> Result<RgbImage> {
    let mut canvas = Canvas::new(px(width) as u32, px(height) as u32, [255; 3]);
    drawing(&(&mut canvas).into_drawing_area())?;
    Ok(resize(&canvas.image, width as u32, height as u32, FilterType::Triangle))
}

/// A line of a panel.
#[derive(Debug, Clone)]
pub struct Curve {
    /// Written at its end.
    pub name: String,
    /// Place along the axis and value.
    pub points: Vec<(f64, f64)>,
    /// Of the line and its name.
    pub colour: Colour,
    /// Whether each point gets a dot.
    pub dots: bool,
}

impl Curve {
    /// A line without dots.
    pub fn new(name: &str, points: &[(f64, f64)], colour: Colour) -> Self {
        Self { name: name.to_owned(), points: points.to_vec(), colour, dots: false }
    }

    /// A line with a dot at each point.
    pub fn dotted(name: &str, points: &[(f64, f64)], colour: Colour) -> Self {
        Self { dots: true, ..Self::new(name, points, colour) }
    }
}

/// The axes of a panel.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// What is counted from left to right.
    pub along: &'static str,
    /// The last of it, such as the number of epochs.
    pub end: f64,
    /// Lowest value; `None`: that of the curves.
    pub bottom: Option<f64>,
    /// Highest value; `None`: that of the curves. What lies above is cut off.
    pub top: Option<f64>,
}

/// Curves over one pair of axes.
#[derive(Debug, Clone)]
pub struct Panel {
    /// Above the axes.
    pub title: String,
    /// Without any points, the panel says so.
    pub curves: Vec<Curve>,
    /// The axes.
    pub range: Range,
}

/// Rows of panels, 1280 pixels wide, each with its height in pixels and its panels side by side, under a title and
/// a line of smaller print; without a title under nothing.
///
/// # Errors
/// When a row is too low for its axes.
pub fn curves(title: &str, note: &str, rows: &[(i32, Vec<Panel>)]) -> Result<RgbImage> {
    let top = if title.is_empty() { 0 } else { 56 };
    draw(1280, top + rows.iter().map(|r| r.0).sum::<i32>(), |root| {
        if !title.is_empty() {
            text(root, (16, 14), title, letters(16, INK))?;
            text(root, (16, 40), note, letters(8, PALE))?;
        }
        let (_, mut rest) = root.split_vertically(px(top));
        for (height, panels) in rows {
            let (row, below) = rest.split_vertically(px(*height));
            for (area, panel) in row.split_evenly((1, panels.len())).iter().zip(panels) {
                draw_panel(area, panel)?;
            }
            rest = below;
        }
        Ok(())
    })
}

fn draw_panel(area: &Area<'_>, Panel { title, curves, range }: &Panel) -> Result {
    text(area, (16, 8), title, letters(8, INK))?;
    let shown = |v: &f64| range.top.is_none_or(|t| *v <= t);
    let values: Vec<f64> = curves.iter().flat_map(|c| &c.points).map(|p| p.1).filter(shown).collect();
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if values.is_empty() {
        let (width, height) = area.dim_in_pixel();
        let style = anchored(PALE, HPos::Center, VPos::Center);
        return area.draw(&Text::new("no values yet", (width as i32 / 2, height as i32 / 2), style));
    }
    let room = ((high - low) * 0.06).max(high.abs() * 1e-3).max(1e-9);
    let mut chart = ChartBuilder::on(area)
        .margin_top(px(26))
        .margin_bottom(px(6))
        .margin_right(px(120))
        .x_label_area_size(px(36))
        .y_label_area_size(px(72))
        .build_cartesian_2d(0.0..range.end.max(1.0), range.bottom.unwrap_or(low - room)..high + room)?;
    chart
        .configure_mesh()
        .x_labels(if area.dim_in_pixel().0 > px(640) as u32 { 10 } else { 5 })
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
        let colour = rgb(curve.colour);
        chart.draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(FINE * 2)))?;
        if curve.dots {
            chart.draw_series(points.iter().map(|&p| Circle::new(p, px(3), colour.filled())))?;
        }
        ends.push((chart.backend_coord(&last), format!("{} {}", curve.name, short(&last.1)), colour));
    }
    write_ends(area, ends)
}

/// Names and last values at the ends of the curves, moved apart where they would touch.
fn write_ends(area: &Area<'_>, mut ends: Vec<((i32, i32), String, RGBColor)>) -> Result {
    let (left, top) = area.get_base_pixel();
    ends.sort_by_key(|e| e.0.1);
    let heights = apart(ends.iter().map(|e| e.0.1 - top).collect(), px(12));
    for (y, ((x, _), text, colour)) in heights.into_iter().zip(&ends) {
        let style = anchored(*colour, HPos::Left, VPos::Center);
        area.draw(&Text::new(text.trim().to_owned(), (x - left + px(8), y), style))?;
    }
    Ok(())
}

/// Ascending positions moved as little as need be, until neighbours are `least` apart: those that touch form a
/// block around the middle of where they would like to be.
fn apart(positions: Vec<i32>, least: i32) -> Vec<i32> {
    // Blocks of (members, sum of the starts that each member would like the block to have).
    let mut blocks: Vec<(i32, i32)> = vec![];
    for position in positions {
        let (mut n, mut sum) = (1, position);
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
fn below(points: &[(f64, f64)], top: f64) -> Vec<(f64, f64)> {
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
pub fn short(value: &f64) -> String {
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
